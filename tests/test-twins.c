/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same UUID on several hosts: while it moves, and where a definition was left behind. */
#include "fleet.h"

#include <string.h>

static guint64
id_of (Fleet *f, const char *label)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);

  g_assert_nonnull (vm);
  return vm->object.id;
}

static void
test_left_behind (Fleet *f, gconstpointer data)
{
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_SHUTOFF);
  fleet_assert (f, "web=h1:running web~h2=h2:shutoff");
  fleet_lose (f, f->h2, 1);
  fleet_assert (f, "web=h1:running");
}

/* One that runs hides what else runs of it: that is the moment of a migration. */
static void
test_exchange (Fleet *f, gconstpointer data)
{
  guint64 id;

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  id = id_of (f, "web");
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_PAUSED);
  fleet_assert (f, "web=h1:running");
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_PAUSED);
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_RUNNING);
  fleet_assert (f, "web=h2:running");
  g_assert_cmpuint (id_of (f, "web"), ==, id);
  fleet_lose (f, f->h1, 1);
  fleet_assert (f, "web=h2:running");
  g_assert_cmpuint (id_of (f, "web"), ==, id);
}

/* Also where the host of the one that ran is lost. */
static void
test_host_lost (Fleet *f, gconstpointer data)
{
  guint64 id;

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_PAUSED);
  id = id_of (f, "web");
  fleet_turn (f, f->h1, VIRFS_HOST_UNREACHABLE);
  fleet_assert (f, "web=h2:paused");
  g_assert_cmpuint (id_of (f, "web"), ==, id);
  fleet_turn (f, f->h1, VIRFS_HOST_UP);
  fleet_assert (f, "web=h1:running");
}

/* The one that leaves makes room for the most alive of the others. */
static void
test_three (Fleet *f, gconstpointer data)
{
  guint64 id;

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_SHUTOFF);
  fleet_tell (f, f->h3, "web", 1, VIRFS_VM_PAUSED);
  fleet_assert (f, "web=h1:running web~h2=h2:shutoff");
  id = id_of (f, "web");
  fleet_lose (f, f->h1, 1);
  fleet_assert (f, "web=h3:paused web~h2=h2:shutoff");
  g_assert_cmpuint (id_of (f, "web"), ==, id);
}

/* Migration as it is seen from outside: events of the source and of the target come in their order,
 * but anyhow between each other.  `s`: source shut off, `S`: source gone, `t`: target paused,
 * `T`: target runs. */
static void
tell_step (Fleet *f, char step)
{
  if (step == 's')
    fleet_tell (f, f->h1, "web", 1, VIRFS_VM_SHUTOFF);
  else if (step == 'S')
    fleet_lose (f, f->h1, 1);
  else
    fleet_tell (f, f->h2, "web", 1, step == 't' ? VIRFS_VM_PAUSED : VIRFS_VM_RUNNING);
}

static void
note_vanished (const VirfsChange *change, gpointer id)
{
  if (change->object->id == *(guint64 *) id && change->kind == VIRFS_REMOVED)
    g_error ("the guest vanished");
}

static void
migrate (const char *steps, gboolean bracketed)
{
  Fleet f;
  g_autoptr (VirfsVm) vm = NULL;
  guint64 id;

  g_test_message ("%s%s", steps, bracketed ? ", ours" : "");
  fleet_set_up (&f, NULL);
  fleet_tell (&f, f.h1, "web", 1, VIRFS_VM_RUNNING);
  vm = virfs_infra_vm (f.infra, "web");
  id = vm->object.id;
  virfs_infra_listen (f.infra, note_vanished, &id);
  if (bracketed)
    virfs_infra_begin_move (f.infra, vm);
  for (const char *step = steps; *step; step++) {
    tell_step (&f, *step);
    g_assert_cmpuint (id_of (&f, "web"), ==, id);
    if (bracketed) {
      g_autofree char *shown = fleet_show (&f);

      g_assert_null (strchr (shown, '~')); /* nobody sees two of it */
    }
  }
  if (bracketed) {
    /* a loss that came first was not believed: whoever moves it tells in the end where it is */
    if (strcspn (steps, "S") < strcspn (steps, "tT"))
      fleet_lose (&f, f.h1, 1);
    virfs_infra_end_move (f.infra, vm);
  }
  fleet_assert (&f, "web=h2:running");
  g_assert_cmpuint (id_of (&f, "web"), ==, id);
  virfs_infra_unlisten (f.infra, note_vanished, &id);
  g_clear_pointer (&vm, virfs_object_unref);
  fleet_tear_down (&f, NULL);
}

static void
test_migration_orders (void)
{
  static const char *const seen[] = { "tTsS", "tsTS", "stTS", "tsST", "stST", "TS", "sTS", "tTS" };
  static const char *const ours[] = { "tTsS", "tsTS", "tsST", "stTS", "stST", "sStT", "ST", "sST" };

  for (guint i = 0; i < G_N_ELEMENTS (seen); i++)
    migrate (seen[i], FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (ours); i++)
    migrate (ours[i], TRUE);
}

/* A migration that fails: the target's copy goes away again. */
static void
test_migration_fails (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = NULL;

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  vm = virfs_infra_vm (f->infra, "web");
  virfs_infra_begin_move (f->infra, vm);
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_PAUSED);
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_PAUSED);
  fleet_lose (f, f->h2, 1);
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  virfs_infra_end_move (f->infra, vm);
  fleet_assert (f, "web=h1:running");
  g_assert_cmpuint (id_of (f, "web"), ==, vm->object.id);
}

/* A definition that stays at the source shows as soon as nothing moves any more. */
static void
test_migration_leaves (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = NULL;

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  vm = virfs_infra_vm (f->infra, "web");
  virfs_infra_begin_move (f->infra, vm);
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_SHUTOFF);
  fleet_assert (f, "web=h2:running");
  virfs_infra_end_move (f->infra, vm);
  fleet_assert (f, "web=h2:running web~h1=h1:shutoff");
}

/* It runs there, and what it lacks is at the other host. */
static void
test_post_copy (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = NULL;
  g_autoptr (VirfsHost) source = NULL;
  VirfsVmInfo *half;

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  vm = virfs_infra_vm (f->infra, "web");
  g_assert_null (virfs_infra_post_copy_source (f->infra, vm));
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_PAUSED);
  g_assert_null (virfs_infra_post_copy_source (f->infra, vm));
  half = virfs_vm_info_new (vm->uuid, "web");
  half->state = VIRFS_VM_PAUSED;
  half->reason = VIRFS_VM_POST_COPY_FAILED;
  virfs_infra_update_vm (f->infra, f->h1, half);
  g_assert_null (virfs_infra_post_copy_source (f->infra, vm)); /* it is there itself */
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_RUNNING);
  source = virfs_infra_post_copy_source (f->infra, vm);
  g_assert_true (source == f->h1);
}

/* A host that is forgotten takes the guest's definition there with it, and no more. */
static void
test_forget_host (Fleet *f, gconstpointer data)
{
  guint64 id;

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h2, "web", 1, VIRFS_VM_SHUTOFF);
  id = id_of (f, "web");
  g_assert_true (virfs_infra_remove_host (f->infra, f->h1, NULL));
  fleet_assert (f, "web=h2:shutoff");
  g_assert_cmpuint (id_of (f, "web"), ==, id);
}

/* Whatever happens: what listeners were told adds up to what is there. */

typedef struct {
  GHashTable *labels; /* id -> label, of what was told to be shown */
  guint64 root_fields;
} Mirror;

static void
mirror (const VirfsChange *change, gpointer data)
{
  Mirror *self = data;
  gpointer id = (gpointer) change->object->id;
  const VirfsVmInfo *before = change->before, *after = change->after;

  if (change->object->kind == VIRFS_KIND_ROOT)
    self->root_fields |= change->fields;
  if (change->object->kind != VIRFS_KIND_VM)
    return;
  if (change->kind == VIRFS_CHANGED)
    g_assert_cmphex (virfs_vm_info_diff (before, after) & ~change->fields, ==, 0);
  if (before != NULL)
    g_assert_cmpstr (g_hash_table_lookup (self->labels, id), ==, before->label);
  if (after != NULL && after->label != NULL)
    g_hash_table_insert (self->labels, id, g_strdup (after->label));
  else
    g_hash_table_remove (self->labels, id);
}

typedef struct {
  GHashTable *seen; /* labels */
  Mirror *mirror;
} Check;

static void
check_vm (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Check *check = data;

  g_assert_true (g_hash_table_add (check->seen, info->label));
  g_assert_cmpstr (g_hash_table_lookup (check->mirror->labels, (gpointer) vm->object.id), ==,
                   info->label);
  g_assert_true (g_hash_table_lookup (info->host->vms, vm->uuid) == vm);
}

/* Of each UUID that some host has, the guest itself is shown, and it is the most alive. */
static void
check_uuid (Fleet *f, guint number)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, fleet_uuid (number));
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;
  VirfsHost *hosts[] = { f->h1, f->h2, f->h3 };

  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++) {
    g_autoptr (VirfsVm) there = virfs_infra_vm_on_host (f->infra, hosts[i], fleet_uuid (number));
    g_autoptr (VirfsVmInfo) other = there ? virfs_vm_info (there) : NULL;

    if (there == NULL)
      continue;
    g_assert_nonnull (vm);
    g_assert_nonnull (info->label);
    g_assert_true (other->host == hosts[i]);
    if (other->state == VIRFS_VM_RUNNING)
      g_assert_cmpint (info->state, ==, VIRFS_VM_RUNNING);
  }
}

static void
check_all (Fleet *f, Mirror *told)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  Check check = { seen, told };

  virfs_infra_foreach_vm (f->infra, NULL, check_vm, &check);
  g_assert_cmpuint (g_hash_table_size (seen), ==, g_hash_table_size (told->labels));
  for (guint number = 0; number < 4; number++)
    check_uuid (f, number);
}

static void
change_something (Fleet *f)
{
  static const char *const names[] = { "web", "db", "web~h2", "x/y" };
  static const VirfsVmState states[] = { VIRFS_VM_RUNNING, VIRFS_VM_PAUSED, VIRFS_VM_SHUTOFF };
  VirfsHost *hosts[] = { f->h1, f->h2, f->h3 };
  VirfsHost *host = hosts[g_test_rand_int_range (0, 3)];
  guint number = (guint) g_test_rand_int_range (0, 4);

  switch (g_test_rand_int_range (0, 8)) {
  case 0:
  case 1:
    fleet_lose (f, host, number);
    break;
  case 2:
    virfs_infra_settle (f->infra, 0);
    break;
  default:
    fleet_tell (f, host, names[g_test_rand_int_range (0, G_N_ELEMENTS (names))], number,
                states[g_test_rand_int_range (0, G_N_ELEMENTS (states))]);
  }
}

static void
test_random (Fleet *f, gconstpointer data)
{
  Mirror told = { .labels = g_hash_table_new_full (NULL, NULL, NULL, g_free) };

  virfs_infra_listen (f->infra, mirror, &told);
  for (int round = 0; round < 20000; round++) {
    g_autofree char *before = fleet_show (f);
    g_autofree char *after = NULL;

    told.root_fields = 0;
    change_something (f);
    check_all (f, &told);
    after = fleet_show (f);
    if (!g_str_equal (before, after))
      g_assert_cmphex (told.root_fields & ~VIRFS_BIT (VIRFS_ROOT_EVENTS), !=, 0);
  }
  virfs_infra_unlisten (f->infra, mirror, &told);
  g_hash_table_unref (told.labels);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fleet_add ("/twins/left-behind", test_left_behind);
  fleet_add ("/twins/exchange", test_exchange);
  fleet_add ("/twins/host-lost", test_host_lost);
  fleet_add ("/twins/three", test_three);
  g_test_add_func ("/twins/migration-orders", test_migration_orders);
  fleet_add ("/twins/migration-fails", test_migration_fails);
  fleet_add ("/twins/migration-leaves", test_migration_leaves);
  fleet_add ("/twins/post-copy", test_post_copy);
  fleet_add ("/twins/forget-host", test_forget_host);
  fleet_add ("/twins/random", test_random);
  return g_test_run ();
}
