/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots and checkpoints as directories. */
#include "fixture.h"

#include "snapshot.h"

#define SNAPSHOTS "vms/h1-1/snapshots"

static void
test_take (Fixture *f, gconstpointer data)
{
  assert_lists (f, SNAPSHOTS, "current first kind");
  assert_leads (f, SNAPSHOTS "/current", "first");
  g_assert_cmpint (mkdir_at (f, SNAPSHOTS "/second"), ==, 0);
  assert_lists (f, SNAPSHOTS, "current first kind second");
  assert_leads (f, SNAPSHOTS "/current", "second");
  assert_reads (f, SNAPSHOTS "/second/parent", "first\n");
  assert_reads (f, SNAPSHOTS "/current/state", "running\n");
  assert_reads (f, SNAPSHOTS "/second/kind", "full\n");
  g_assert_cmpint (mkdir_at (f, SNAPSHOTS "/second"), ==, EEXIST);
}

static void
test_kind (Fixture *f, gconstpointer data)
{
  assert_reads (f, SNAPSHOTS "/kind", "full\n");
  g_assert_cmpint (echo (f, "disk", SNAPSHOTS "/kind"), ==, 0);
  assert_reads (f, SNAPSHOTS "/kind", "disk\n");
  g_assert_cmpint (echo (f, "memory", SNAPSHOTS "/kind"), ==, EINVAL);
  g_assert_cmpint (mkdir_at (f, SNAPSHOTS "/disks"), ==, 0);
  assert_reads (f, SNAPSHOTS "/disks/kind", "disk\n");
  /* what is told of the guest by others does not change it, nor does it change other guests */
  set_state (f, "h1-1", VIRFS_VM_PAUSED);
  assert_reads (f, SNAPSHOTS "/kind", "disk\n");
  assert_reads (f, "vms/h1-2/snapshots/kind", "full\n");
}

static void
test_delete (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (rmdir_at (f, SNAPSHOTS "/first"), ==, 0);
  assert_lists (f, SNAPSHOTS, "kind");
  g_assert_false (exists (f, SNAPSHOTS "/current"));
  g_assert_cmpint (rmdir_at (f, SNAPSHOTS "/first"), ==, ENOENT);
  g_assert_cmpint (rmdir_at (f, SNAPSHOTS "/kind"), ==, ENOTDIR);
  g_assert_cmpint (unlink_at (f, SNAPSHOTS "/kind"), ==, EPERM);
  /* it comes back with the next */
  g_assert_cmpint (mkdir_at (f, SNAPSHOTS "/next"), ==, 0);
  assert_leads (f, SNAPSHOTS "/current", "next");
}

static void
test_revert (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, SNAPSHOTS "/second"), ==, 0);
  assert_reads (f, SNAPSHOTS "/first/ctl", "revert\n");
  g_assert_cmpint (echo (f, "revert", SNAPSHOTS "/first/ctl"), ==, 0);
  assert_leads (f, SNAPSHOTS "/current", "first");
  g_assert_cmpint (echo (f, "rewind", SNAPSHOTS "/first/ctl"), ==, EINVAL);
  assert_says (f, "error", "a snapshot knows only: revert");
}

static void
test_describe (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "before\\nafter", SNAPSHOTS "/first/description"), ==, 0);
  assert_reads (f, SNAPSHOTS "/first/description", "before\\nafter\n");
  g_assert_cmpint (echo (f, "", SNAPSHOTS "/first/description"), ==, 0);
  assert_reads (f, SNAPSHOTS "/first/description", "");
}

/* Names that are none here, and snapshots that others have given such names. */
static void
test_names (Fixture *f, gconstpointer data)
{
  static const char *const wrong[] = { ".hidden", "100%", "a\001b", "%63urrent" };
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsVmInfo) known = virfs_vm_info (vm);
  VirfsVmInfo *info = virfs_vm_info_copy (known);
  GPtrArray *list = virfs_part_list_new ();

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *path = g_strconcat (SNAPSHOTS "/", wrong[i], NULL);

    g_assert_cmpint (mkdir_at (f, path), ==, EINVAL);
  }
  g_ptr_array_add (list, virfs_part_info_new (&virfs_snapshot_class, "kind"));
  g_ptr_array_add (list, virfs_part_info_new (&virfs_snapshot_class, "current"));
  virfs_part_list_sort (list);
  virfs_part_lists_set (info->parts, VIRFS_VM_SNAPSHOTS, list);
  virfs_infra_update_vm (f->infra, known->host, info);
  assert_lists (f, SNAPSHOTS, "%63urrent %6Bind kind");
  g_assert_cmpint (mkdir_at (f, SNAPSHOTS "/current"), ==, EINVAL);
  g_assert_cmpint (rmdir_at (f, SNAPSHOTS "/%6Bind"), ==, 0);
  assert_lists (f, SNAPSHOTS, "%63urrent kind");
}

static void
test_checkpoints (Fixture *f, gconstpointer data)
{
  assert_lists (f, "vms/h1-1/checkpoints", "sat");
  assert_reads (f, "vms/h1-1/checkpoints/sat/created", "2023-11-14T22:13:20Z\n");
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/checkpoints/sun"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/checkpoints/sun"), ==, EEXIST);
  g_assert_cmpint (rmdir_at (f, "vms/h1-1/checkpoints/sat"), ==, 0);
  assert_lists (f, "vms/h1-1/checkpoints", "sun");
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (mkdir_at (f, SNAPSHOTS "/second"), ==, EHOSTDOWN);
  g_assert_cmpint (rmdir_at (f, SNAPSHOTS "/first"), ==, EHOSTDOWN);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/checkpoints/sun"), ==, EHOSTDOWN);
  assert_lists (f, SNAPSHOTS, "current first kind");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(path, func) fixture_add (path, "h1=fake:2", func)
  ADD ("/snapshots/take", test_take);
  ADD ("/snapshots/kind", test_kind);
  ADD ("/snapshots/delete", test_delete);
  ADD ("/snapshots/revert", test_revert);
  ADD ("/snapshots/describe", test_describe);
  ADD ("/snapshots/names", test_names);
  ADD ("/snapshots/checkpoints", test_checkpoints);
  ADD ("/snapshots/refused", test_refused);
  return g_test_run ();
}
