/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which host is best. */
#include "error.h"
#include "fake.h"
#include "placement.h"

#include <string.h>

#define GIB (G_GUINT64_CONSTANT (1) << 30)

typedef struct {
  VirfsInfra *infra;
  VirfsHost *hosts[3];
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "a", "b", "c" };

  f->infra = virfs_infra_new (&virfs_fake_backend, 60);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    f->hosts[i] = virfs_infra_add_host (f->infra, names[i], "fake:0", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (f->hosts); i++)
    virfs_object_unref (f->hosts[i]);
  virfs_infra_stop (f->infra, 0);
  virfs_infra_free (f->infra);
}

static VirfsHostInfo *
edit (Fixture *f, guint host)
{
  g_autoptr (VirfsHostInfo) known = virfs_host_info (f->hosts[host]);

  return virfs_host_info_copy (known);
}

static void
tell (Fixture *f, guint host, VirfsHostInfo *info)
{
  virfs_infra_update_host (f->infra, f->hosts[host], info, NULL);
}

/* The names of the hosts that can, the best first; the caller owns it. */
static char *
order (Fixture *f, const VirfsWish *wish)
{
  g_autoptr (GPtrArray) places = virfs_placement_rank (f->infra, wish);
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < places->len; i++) {
    const VirfsPlace *place = places->pdata[i];

    g_string_append (out, place->refusal ? "-" : place->host->name);
  }
  return g_string_free (out, FALSE);
}

#define assert_order(f, wish, expected)                                                            \
  do {                                                                                             \
    g_autofree char *got_ = order (f, wish);                                                       \
    g_assert_cmpstr (got_, ==, expected);                                                          \
  } while (0)

static const VirfsWish small = { .memory = GIB / 2, .vcpus = 1 };

static void
test_memory (Fixture *f, gconstpointer data)
{
  VirfsHostInfo *info = edit (f, 0);

  assert_order (f, &small, "abc");
  info->memory_free = 4 * GIB;
  tell (f, 0, info);
  assert_order (f, &small, "bca");
  info = edit (f, 1);
  info->memory_free = GIB / 4;
  tell (f, 1, info);
  assert_order (f, &small, "ca-");
}

static void
test_load (Fixture *f, gconstpointer data)
{
  VirfsHostInfo *info = edit (f, 0);

  info->cpu_load = 20;
  tell (f, 0, info);
  assert_order (f, &small, "bca");
  /* what was measured a while ago does not matter if the difference is small */
  virfs_infra_update_vm (f->infra, f->hosts[1], virfs_fake_vm ("web", 1, VIRFS_VM_RUNNING));
  virfs_infra_update_vm (f->infra, f->hosts[2], virfs_fake_vm ("db", 2, VIRFS_VM_RUNNING));
  assert_order (f, &small, "abc");
}

/* Many at once are spread, though nobody has measured them. */
static void
test_spread (Fixture *f, gconstpointer data)
{
  guint guests[3] = { 0 };

  for (guint i = 0; i < 10; i++) {
    g_autoptr (VirfsHost) host = virfs_placement_reserve (f->infra, &small, NULL, NULL);

    g_assert_nonnull (host);
    guests[*host->name - 'a']++;
  }
  g_assert_cmpuint (guests[0], ==, 4);
  g_assert_cmpuint (guests[1], ==, 3);
  g_assert_cmpuint (guests[2], ==, 3);
  for (guint i = 0; i < 3; i++)
    while (guests[i]-- > 0)
      virfs_placement_release (f->hosts[i], &small);
  assert_order (f, &small, "abc");
}

/* A guest counts as long as it runs. */
static void
test_promises (Fixture *f, gconstpointer data)
{
  VirfsVmInfo *vm = virfs_fake_vm ("web", 1, VIRFS_VM_RUNNING);
  g_autofree char *uuid = g_strdup (vm->uuid);

  virfs_infra_update_vm (f->infra, f->hosts[0], vm);
  assert_order (f, &small, "bca");
  g_assert_cmpint (f->hosts[0]->promised.guests, ==, 1);
  virfs_infra_update_vm (f->infra, f->hosts[0], virfs_fake_vm ("web", 1, VIRFS_VM_SHUTOFF));
  assert_order (f, &small, "abc");
  virfs_infra_update_vm (f->infra, f->hosts[0], virfs_fake_vm ("web", 1, VIRFS_VM_PAUSED));
  virfs_infra_remove_vm (f->infra, f->hosts[0], uuid);
  g_assert_cmpint (f->hosts[0]->promised.guests, ==, 0);
  g_assert_cmpint (f->hosts[0]->promised.memory, ==, 0);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  static const char *const sources[] = { "default/disk.qcow2", NULL };
  static const char *const missing[] = { "default/other.qcow2", NULL };
  g_autoptr (GError) error = NULL;
  VirfsHostInfo *info = edit (f, 2);

  info->state = VIRFS_HOST_UNREACHABLE;
  tell (f, 2, info);
  assert_order (f, &small, "ab-");
  assert_order (f, (&(VirfsWish){ .memory = GIB, .sources = sources }), "ab-");
  assert_order (f, (&(VirfsWish){ .memory = GIB, .sources = missing }), "---");
  assert_order (f, (&(VirfsWish){ .memory = GIB, .pool = "default" }), "ab-");
  assert_order (f, (&(VirfsWish){ .memory = GIB, .pool = "fast" }), "---");
  assert_order (f, (&(VirfsWish){ .memory = GIB, .only = f->hosts[1] }), "b--");
  g_assert_null (virfs_placement_reserve (f->infra, &small, "c", &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN);
  g_clear_error (&error);
  g_assert_null (virfs_placement_reserve (f->infra, &small, "d", &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND);
}

/* A guest that there is: where it is, and who could take it. */
static void
test_vm (Fixture *f, gconstpointer data)
{
  VirfsVmInfo *info = virfs_fake_vm ("web", 1, VIRFS_VM_RUNNING);
  g_autofree char *uuid = g_strdup (info->uuid);
  g_autoptr (VirfsVmNeeds) needs = virfs_vm_needs_new ();
  g_autoptr (VirfsVm) vm = NULL;
  g_autoptr (VirfsVmInfo) known = NULL;
  g_autoptr (GPtrArray) places = NULL;
  g_autoptr (GString) table = g_string_new (NULL);
  VirfsHostInfo *host = edit (f, 1);

  virfs_infra_update_vm (f->infra, f->hosts[0], info);
  host->guest_types = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (host->guest_types, g_strdup ("kvm s390x"));
  tell (f, 1, host);
  needs->guest_type = g_strdup ("qemu x86_64");
  vm = virfs_infra_vm_on_host (f->infra, f->hosts[0], uuid);
  known = virfs_vm_info (vm);
  places = virfs_placement_rank_vm (f->infra, known, needs);
  virfs_placement_print (places, f->hosts[0], table);
  g_assert_nonnull (strstr (table->str, "b cannot run guests of type qemu x86_64"));
  g_assert_nonnull (strstr (table->str, "it is here, and nowhere better"));
  g_assert_nonnull (strstr (table->str, "would do"));
  /* what cannot be told is no reason to move it */
  g_clear_pointer (&places, g_ptr_array_unref);
  places = virfs_placement_rank_vm (f->infra, known, NULL);
  g_string_truncate (table, 0);
  virfs_placement_print (places, f->hosts[0], table);
  g_assert_nonnull (strstr (table->str, "it is here, and nowhere better"));
  g_assert_nonnull (strstr (table->str, "what the guest needs is not known"));
  g_assert_null (strstr (table->str, "would do"));
}

/* Guests of a plan are spread: each is placed as if those before it were there. */
static void
test_choose (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVmInfo) vm = virfs_fake_vm ("vm", 1, VIRFS_VM_RUNNING);
  g_autoptr (VirfsVmNeeds) needs = virfs_vm_needs_new ();
  g_autoptr (GHashTable) planned = g_hash_table_new (NULL, NULL);
  g_autoptr (GError) error = NULL;
  VirfsPromise much = { .memory = 6 * (gint64) GIB, .guests = 1 };
  g_autoptr (VirfsHost) first = NULL;
  g_autoptr (VirfsHost) second = NULL;

  vm->host = virfs_object_ref (f->hosts[0]);
  first = virfs_placement_choose (f->infra, vm, needs, NULL, &error);
  g_assert_true (first == f->hosts[1]);
  g_hash_table_insert (planned, first, &much);
  second = virfs_placement_choose (f->infra, vm, needs, planned, &error);
  g_assert_true (second == f->hosts[2]);
  for (guint i = 1; i < G_N_ELEMENTS (f->hosts); i++) {
    VirfsHostInfo *info = edit (f, i);

    info->state = VIRFS_HOST_UNREACHABLE;
    tell (f, i, info);
  }
  g_assert_null (virfs_placement_choose (f->infra, vm, needs, NULL, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN);
  g_assert_cmpstr (error->message, ==, "b is unreachable; c is unreachable");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)
  ADD ("/placement/memory", test_memory);
  ADD ("/placement/load", test_load);
  ADD ("/placement/spread", test_spread);
  ADD ("/placement/promises", test_promises);
  ADD ("/placement/refused", test_refused);
  ADD ("/placement/vm", test_vm);
  ADD ("/placement/choose", test_choose);
  return g_test_run ();
}
