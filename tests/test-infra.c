/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registry: hosts and guests that come, go and change, and what listeners are told of it. */
#include "fleet.h"

#include "error.h"

#include <string.h>

static void
test_come_and_go (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = NULL;
  g_autoptr (VirfsVm) same = NULL;

  fleet_assert (f, "");
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h2, "db", 2, VIRFS_VM_SHUTOFF);
  fleet_assert (f, "db=h2:shutoff web=h1:running");
  vm = virfs_infra_vm (f->infra, "web");
  same = virfs_infra_vm_by_uuid (f->infra, fleet_uuid (1));
  g_assert_true (vm == same);
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_PAUSED);
  fleet_assert (f, "db=h2:shutoff web=h1:paused");
  fleet_lose (f, f->h1, 1);
  fleet_lose (f, f->h1, 1); /* twice does no harm */
  fleet_assert (f, "db=h2:shutoff");
  g_assert_null (virfs_infra_vm (f->infra, "web"));
  g_assert_null (virfs_infra_object (f->infra, vm->object.id));
  g_assert_true (vm->removed);
}

static void
test_rename (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = NULL;
  g_autoptr (VirfsVm) renamed = NULL;

  fleet_tell (f, f->h1, "old", 1, VIRFS_VM_SHUTOFF);
  vm = virfs_infra_vm (f->infra, "old");
  fleet_tell (f, f->h1, "new/er", 1, VIRFS_VM_SHUTOFF);
  fleet_assert (f, "new%2Fer=h1:shutoff");
  renamed = virfs_infra_vm (f->infra, "new%2Fer");
  g_assert_true (vm == renamed);
  g_assert_null (virfs_infra_vm (f->infra, "old"));
}

static void
test_sync (Fleet *f, gconstpointer data)
{
  GPtrArray *infos = g_ptr_array_new ();
  VirfsVmInfo *info = virfs_fake_vm ("b", 2, VIRFS_VM_RUNNING);

  g_strlcpy (info->uuid, fleet_uuid (2), sizeof info->uuid);
  g_ptr_array_add (infos, info);
  fleet_tell (f, f->h1, "a", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h1, "b", 2, VIRFS_VM_SHUTOFF);
  virfs_infra_sync_vms (f->infra, f->h1, infos);
  fleet_assert (f, "b=h1:running");
  virfs_infra_sync_vms (f->infra, f->h1, g_ptr_array_new ());
  fleet_assert (f, "");
}

/* Two guests of one name. */

static void
test_rivals (Fleet *f, gconstpointer data)
{
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h2, "web", 2, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h3, "web", 3, VIRFS_VM_RUNNING);
  fleet_assert (f, "web=h1:running web~h2=h2:running web~h3=h3:running");
  /* the first in line takes the name when it becomes free */
  fleet_lose (f, f->h1, 1);
  fleet_assert (f, "web=h2:running web~h3=h3:running");
  fleet_tell (f, f->h2, "www", 2, VIRFS_VM_RUNNING);
  fleet_assert (f, "web=h3:running www=h2:running");
  /* who comes later does not take it away */
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  fleet_assert (f, "web=h3:running web~h1=h1:running www=h2:running");
  fleet_lose (f, f->h3, 3);
  fleet_assert (f, "web=h1:running www=h2:running");
}

/* A guest whose real name is what another is called to tell it apart. */
static void
test_rival_names (Fleet *f, gconstpointer data)
{
  fleet_tell (f, f->h3, "web~h2", 9, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h2, "web", 2, VIRFS_VM_RUNNING);
  {
    g_autofree char *shown = fleet_show (f);

    g_assert_nonnull (strstr (shown, "web=h1:running"));
    g_assert_nonnull (strstr (shown, "web~h2=h3:running"));
    g_assert_nonnull (strstr (shown, "web~00000002-")); /* by its UUID */
  }
  fleet_lose (f, f->h1, 1);
  fleet_assert (f, "web=h2:running web~h2=h3:running");
}

/* However the hosts come up, names are the same once all have answered. */
static void
test_settle (void)
{
  static const char *const orders[] = { "123", "132", "213", "231", "312", "321" };

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) {
    Fleet f;

    fleet_set_up (&f, NULL);
    for (const char *p = orders[i]; *p; p++) {
      VirfsHost *hosts[] = { f.h1, f.h2, f.h3 };

      fleet_tell (&f, hosts[*p - '1'], "web", (guint) *p, VIRFS_VM_RUNNING);
      fleet_tell (&f, hosts[*p - '1'], *p == '2' ? "only" : "db", (guint) *p + 10,
                  VIRFS_VM_SHUTOFF);
    }
    g_assert_true (virfs_infra_settle (f.infra, G_USEC_PER_SEC));
    fleet_assert (&f, "db=h1:shutoff db~h3=h3:shutoff only=h2:shutoff"
                      " web=h1:running web~h2=h2:running web~h3=h3:running");
    fleet_tear_down (&f, NULL);
  }
}

static void
test_settle_waits (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsHost) idle = virfs_infra_add_host (f->infra, "idle", NULL, NULL);

  /* nobody waits for a host without URI */
  g_assert_true (virfs_infra_settle (f->infra, 10 * G_USEC_PER_SEC));
}

/* Listeners. */

typedef struct {
  VirfsChangeKind kind;
  VirfsObject *object; /* borrowed: for comparing only */
  VirfsKind object_kind;
  guint64 fields;
} Told;

static void
note (const VirfsChange *change, gpointer list)
{
  Told told = { change->kind, change->object, change->object->kind, change->fields };

  g_array_append_val (list, told);
}

/* All fields of KIND that were told changed, over all its objects. */
static guint64
fields_of (GArray *told, VirfsKind kind)
{
  guint64 fields = 0;

  for (guint i = 0; i < told->len; i++) {
    const Told *one = &g_array_index (told, Told, i);

    if (one->object_kind == kind && one->kind == VIRFS_CHANGED)
      fields |= one->fields;
  }
  return fields;
}

static guint
count (GArray *told, VirfsKind kind, VirfsChangeKind what)
{
  guint n = 0;

  for (guint i = 0; i < told->len; i++)
    n += g_array_index (told, Told, i).object_kind == kind
         && g_array_index (told, Told, i).kind == what;
  return n;
}

#define VM(field)    VIRFS_BIT (VIRFS_VM_##field)
#define HOST(field)  VIRFS_BIT (VIRFS_HOST_##field)
#define ROOT(field)  VIRFS_BIT (VIRFS_ROOT_##field)
#define INDEX(key)   VIRFS_BIT (VIRFS_ROOT_INDEXES + VIRFS_INDEX_##key)
#define STATE(state) VIRFS_BIT (VIRFS_ROOT_STATES + VIRFS_VM_##state)

static void
set_title (VirfsVmInfo *info, gpointer title)
{
  virfs_ref_string_set (&info->title, title);
}

static void
test_listener (Fleet *f, gconstpointer data)
{
  g_autoptr (GArray) told = g_array_new (FALSE, FALSE, sizeof (Told));

  virfs_infra_listen (f->infra, note, told);

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  g_assert_cmpuint (count (told, VIRFS_KIND_VM, VIRFS_ADDED), ==, 1);
  g_assert_cmphex (fields_of (told, VIRFS_KIND_ROOT), ==,
                   ROOT (VMS) | ROOT (EVENTS) | INDEX (OWNER) | INDEX (IMAGE) | STATE (RUNNING));
  g_assert_cmphex (fields_of (told, VIRFS_KIND_HOST), ==, HOST (VMS));

  /* the same again: nothing */
  g_array_set_size (told, 0);
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  g_assert_cmpuint (told->len, ==, 0);

  virfs_infra_edit_vm (f->infra, f->h1, fleet_uuid (1), set_title, "a title");
  g_assert_cmpuint (told->len, ==, 1);
  g_assert_cmphex (fields_of (told, VIRFS_KIND_VM), ==, VM (TITLE));

  g_array_set_size (told, 0);
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_SHUTOFF);
  g_assert_cmphex (fields_of (told, VIRFS_KIND_VM), ==,
                   VM (STATE) | VM (REASON) | VM (ID) | VM (TITLE) | VM (EVENTS));
  g_assert_cmphex (fields_of (told, VIRFS_KIND_ROOT), ==,
                   ROOT (EVENTS) | STATE (RUNNING) | STATE (SHUTOFF));
  g_assert_cmphex (fields_of (told, VIRFS_KIND_HOST), ==, 0);

  g_array_set_size (told, 0);
  fleet_turn (f, f->h1, VIRFS_HOST_UNREACHABLE);
  g_assert_cmphex (fields_of (told, VIRFS_KIND_HOST), ==, HOST (STATE) | HOST (EVENTS));
  g_assert_cmphex (fields_of (told, VIRFS_KIND_VM), ==, VM (READY));
  g_assert_cmphex (fields_of (told, VIRFS_KIND_ROOT), ==, ROOT (IMAGES) | ROOT (EVENTS));

  g_array_set_size (told, 0);
  fleet_lose (f, f->h1, 1);
  g_assert_cmpuint (count (told, VIRFS_KIND_VM, VIRFS_REMOVED), ==, 1);
  g_assert_cmphex (fields_of (told, VIRFS_KIND_ROOT), ==,
                   ROOT (VMS) | ROOT (EVENTS) | INDEX (OWNER) | INDEX (IMAGE) | STATE (SHUTOFF));

  g_array_set_size (told, 0);
  virfs_infra_unlisten (f->infra, note, told);
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  g_assert_cmpuint (told->len, ==, 0);
}

/* When a value last changed stays as it is while the value does. */
static void
test_changed (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = NULL;
  g_autoptr (VirfsVmInfo) first = NULL;
  g_autoptr (VirfsVmInfo) second = NULL;

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  vm = virfs_infra_vm (f->infra, "web");
  first = virfs_vm_info (vm);
  g_usleep (1000);
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_PAUSED);
  second = virfs_vm_info (vm);
  g_assert_cmpint (first->state, ==, VIRFS_VM_RUNNING); /* a snapshot stays what it was */
  g_assert_cmpint (second->changed[VIRFS_VM_STATE], >, first->changed[VIRFS_VM_STATE]);
  g_assert_cmpint (second->changed[VIRFS_VM_MEMORY], ==, first->changed[VIRFS_VM_MEMORY]);
}

/* Hosts. */

static void
test_host_names (Fleet *f, gconstpointer data)
{
  static const char *const wrong[] = { "", ".x", "a/b", "a%b", "a~b", "a\nb", ".." };
  g_autofree char *long_name = g_strnfill (300, 'h');

  for (guint i = 0; i <= G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    const char *name = i < G_N_ELEMENTS (wrong) ? wrong[i] : long_name;

    g_assert_null (virfs_infra_add_host (f->infra, name, NULL, &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  }
  {
    g_autoptr (GError) error = NULL;

    g_assert_null (virfs_infra_add_host (f->infra, "h1", NULL, &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS);
  }
  {
    g_autoptr (GError) error = NULL;

    g_assert_null (virfs_infra_add_host (f->infra, "h9", "ftp://x", &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
    g_assert_null (virfs_infra_host (f->infra, "h9"));
  }
}

static void
test_host_uri (Fleet *f, gconstpointer data)
{
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  g_assert_cmpint (fleet_set_uri (f, f->h1, "ftp://x"), ==, VIRFS_ERROR_INVALID);
  g_assert_cmpint (fleet_set_uri (f, f->h1, "fake:0"), ==, -1); /* what it has already */
  fleet_assert (f, "web=h1:running");
  g_assert_cmpint (fleet_set_uri (f, f->h1, "fake:2"), ==, -1);
  fleet_assert (f, "h1-1=h1:running h1-2=h1:shutoff");
}

static void
test_remove_host (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) gone = NULL;

  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  fleet_tell (f, f->h2, "web", 2, VIRFS_VM_RUNNING);
  gone = virfs_infra_vm (f->infra, "web");
  g_assert_true (virfs_infra_remove_host (f->infra, f->h1, NULL));
  fleet_assert (f, "web=h2:running");
  g_assert_null (virfs_infra_host (f->infra, "h1"));
  g_assert_true (gone->removed);
  /* what a slow backend still says is dropped */
  fleet_tell (f, f->h1, "late", 7, VIRFS_VM_RUNNING);
  fleet_turn (f, f->h1, VIRFS_HOST_UP);
  fleet_assert (f, "web=h2:running");
  /* one of the same name is another */
  {
    g_autoptr (VirfsHost) again = virfs_infra_add_host (f->infra, "h1", "fake:1", NULL);

    g_assert_true (again != f->h1);
    fleet_assert (f, "h1-1=h1:running web=h2:running");
  }
}

static void
test_masked_uri (void)
{
  static const char *const uris[][2] = {
    { "qemu:///system", "qemu:///system" },
    { "qemu+ssh://root@h1/system", "qemu+ssh://root@h1/system" },
    { "esx://root:s3cret@h1/?no_verify=1", "esx://root:***@h1/?no_verify=1" },
    { "test:///a:b@c", "test:///a:b@c" },
    { "qemu+tcp://[::1]:16509/system", "qemu+tcp://[::1]:16509/system" },
    { "esx://root:a:b@h1/", "esx://root:***@h1/" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (uris); i++) {
    g_autoptr (VirfsHostInfo) info = virfs_host_info_new ();
    g_autofree char *shown = NULL;

    virfs_ref_string_set (&info->uri, uris[i][0]);
    shown = virfs_host_info_masked_uri (info);
    g_assert_cmpstr (shown, ==, uris[i][1]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fleet_add ("/infra/come-and-go", test_come_and_go);
  fleet_add ("/infra/rename", test_rename);
  fleet_add ("/infra/sync", test_sync);
  fleet_add ("/infra/rivals", test_rivals);
  fleet_add ("/infra/rival-names", test_rival_names);
  g_test_add_func ("/infra/settle", test_settle);
  fleet_add ("/infra/settle-waits", test_settle_waits);
  fleet_add ("/infra/listener", test_listener);
  fleet_add ("/infra/changed", test_changed);
  fleet_add ("/infra/host-names", test_host_names);
  fleet_add ("/infra/host-uri", test_host_uri);
  fleet_add ("/infra/remove-host", test_remove_host);
  g_test_add_func ("/infra/masked-uri", test_masked_uri);
  return g_test_run ();
}
