/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which disk can move, and to which pool. */
#include "fake.h"

#include "backup.h"
#include "device.h"
#include "disk_move.h"
#include "error.h"
#include "snapshot.h"

#define GIB (G_GUINT64_CONSTANT (1) << 30)

typedef struct {
  VirfsVmInfo *guest;
  VirfsDiskInfo *disk;
  VirfsPoolInfo *pool;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->guest = virfs_vm_info_new ("11111111-1111-4111-8111-111111111111", "web");
  f->guest->state = VIRFS_VM_RUNNING;
  f->disk = virfs_part_info_new (&virfs_disk_class, "vda");
  f->disk->device = "disk";
  f->disk->type = "file";
  f->disk->format = "qcow2";
  virfs_ref_string_set (&f->disk->source, "/images/web.qcow2");
  f->disk->size = 2 * GIB;
  f->disk->allocation = GIB;
  f->disk->live = f->disk->persistent = TRUE;
  f->pool = virfs_part_info_new (&virfs_pool_class, "fast");
  f->pool->state = "running";
  f->pool->type = "dir";
  virfs_ref_string_set (&f->pool->path, "/fast");
  f->pool->available = GIB;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  virfs_vm_info_unref (f->guest);
  virfs_part_info_unref (f->disk);
  virfs_part_info_unref (f->pool);
}

static void
give (Fixture *f, VirfsVmPart part, gpointer info)
{
  GPtrArray *list = virfs_part_list_new ();

  g_ptr_array_add (list, info);
  virfs_part_lists_set (f->guest->parts, part, list);
}

static void
assert_stays (Fixture *f, VirfsError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (virfs_move_check_disk (f->guest, f->disk, &error));
  g_assert_error (error, VIRFS_ERROR, (gint) code);
}

static void
assert_refuses (Fixture *f, VirfsError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (virfs_move_check_pool (f->guest, f->disk, f->pool, &error));
  g_assert_error (error, VIRFS_ERROR, (gint) code);
}

static void
assert_moves (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  virfs_move_check_disk (f->guest, f->disk, &error);
  g_assert_no_error (error);
  virfs_move_check_pool (f->guest, f->disk, f->pool, &error);
  g_assert_no_error (error);
}

static void
test_kinds (Fixture *f, gconstpointer data)
{
  assert_moves (f);
  g_assert_true (virfs_move_comes_along (f->disk));
  f->disk->format = "vmdk";
  assert_stays (f, VIRFS_ERROR_UNSUPPORTED);
  f->disk->format = "raw";
  assert_moves (f);
  f->disk->shareable = TRUE;
  assert_stays (f, VIRFS_ERROR_UNSUPPORTED);
  f->disk->shareable = FALSE;
  f->disk->readonly = TRUE;
  assert_stays (f, VIRFS_ERROR_UNSUPPORTED);
  g_assert_false (virfs_move_comes_along (f->disk));
  f->disk->readonly = FALSE;
  f->disk->device = "lun";
  assert_stays (f, VIRFS_ERROR_UNSUPPORTED);
  f->disk->device = "cdrom";
  assert_stays (f, VIRFS_ERROR_UNSUPPORTED);
  g_assert_false (virfs_move_comes_along (f->disk));
}

static void
test_states (Fixture *f, gconstpointer data)
{
  f->disk->live = FALSE;
  assert_stays (f, VIRFS_ERROR_BUSY);
  f->guest->state = VIRFS_VM_SHUTOFF;
  assert_moves (f);
  f->guest->saved = TRUE;
  assert_stays (f, VIRFS_ERROR_BUSY);
  f->guest->saved = FALSE;
  f->guest->state = VIRFS_VM_CRASHED;
  f->disk->live = TRUE;
  assert_stays (f, VIRFS_ERROR_BUSY);
  f->guest->state = VIRFS_VM_PAUSED;
  assert_moves (f);
  f->disk->part.draft = TRUE;
  assert_stays (f, VIRFS_ERROR_BUSY);
}

static void
test_kept (Fixture *f, gconstpointer data)
{
  give (f, VIRFS_VM_BACKUPS, virfs_part_info_new (&virfs_backup_class, "mon"));
  assert_stays (f, VIRFS_ERROR_BUSY);
  virfs_part_lists_set (f->guest->parts, VIRFS_VM_BACKUPS, NULL);
  give (f, VIRFS_VM_SNAPSHOTS, virfs_part_info_new (&virfs_snapshot_class, "before"));
  assert_stays (f, VIRFS_ERROR_BUSY);
  virfs_part_lists_set (f->guest->parts, VIRFS_VM_SNAPSHOTS, NULL);
  give (f, VIRFS_VM_CHECKPOINTS, virfs_part_info_new (&virfs_checkpoint_class, "mon"));
  assert_moves (f);
  f->pool->type = "logical";
  f->pool->available = 2 * GIB;
  assert_refuses (f, VIRFS_ERROR_BUSY);
}

static void
test_pools (Fixture *f, gconstpointer data)
{
  f->pool->available = GIB - 1;
  assert_refuses (f, VIRFS_ERROR_NO_SPACE);
  f->pool->available = GIB;
  f->pool->state = "inactive";
  assert_refuses (f, VIRFS_ERROR_BUSY);
  f->pool->state = "running";
  f->pool->type = "iscsi";
  assert_refuses (f, VIRFS_ERROR_UNSUPPORTED);
  g_assert_cmpstr (virfs_move_format ("qcow2", f->pool), ==, "raw");
  /* a device has room for all of it */
  f->pool->type = "logical";
  assert_refuses (f, VIRFS_ERROR_NO_SPACE);
  f->pool->available = 2 * GIB;
  assert_moves (f);
  f->pool->type = "netfs";
  g_assert_cmpstr (virfs_move_format ("qcow2", f->pool), ==, "qcow2");
}

static void
test_there (Fixture *f, gconstpointer data)
{
  g_assert_false (virfs_move_is_there (f->disk, f->pool));
  virfs_ref_string_set (&f->disk->source, "/fast/web.qcow2");
  g_assert_true (virfs_move_is_there (f->disk, f->pool));
  virfs_ref_string_set (&f->disk->source, "/faster/web.qcow2");
  g_assert_false (virfs_move_is_there (f->disk, f->pool));
  virfs_ref_string_set (&f->disk->source, "/fast/below/web.qcow2");
  g_assert_false (virfs_move_is_there (f->disk, f->pool));
  virfs_ref_string_set (&f->disk->source, "fast/web.qcow2");
  virfs_ref_string_set (&f->disk->pool, "fast");
  g_assert_true (virfs_move_is_there (f->disk, f->pool));
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/disk-move/kinds", test_kinds);
  ADD ("/disk-move/states", test_states);
  ADD ("/disk-move/kept", test_kept);
  ADD ("/disk-move/pools", test_pools);
  ADD ("/disk-move/there", test_there);
  return g_test_run ();
}
