/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts: told with their owner, changed by themselves, made as drafts. */
#include "backup.h"
#include "device.h"
#include "error.h"
#include "fake.h"

#include <string.h>

typedef struct {
  VirfsInfra *infra;
  VirfsHost *host;
  VirfsVm *vm;
  guint added, removed;
  guint64 changed; /* fields of parts */
} Fixture;

static void
listen (const VirfsChange *change, gpointer data)
{
  Fixture *f = data;

  if (!virfs_object_is_part (change->object))
    return;
  f->added += change->kind == VIRFS_ADDED;
  f->removed += change->kind == VIRFS_REMOVED;
  f->changed |= change->fields;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->infra = virfs_infra_new (&virfs_fake_backend, 60);
  virfs_infra_listen (f->infra, listen, f);
  f->host = virfs_infra_add_host (f->infra, "h1", "fake:1", NULL);
  f->vm = virfs_infra_vm (f->infra, "h1-1");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->vm, virfs_object_unref);
  g_clear_pointer (&f->host, virfs_object_unref);
  virfs_infra_stop (f->infra, 0);
  virfs_infra_unlisten (f->infra, listen, f);
  virfs_infra_free (f->infra);
}

static VirfsPart *
disk (Fixture *f, const char *name)
{
  return virfs_infra_part (f->infra, f->vm, &virfs_disk_class, name);
}

/* What the backend tells: the guest with these disks. */
static void
tell_disks (Fixture *f, const char *const *names, const char *source)
{
  g_autoptr (VirfsVmInfo) known = virfs_vm_info (f->vm);
  VirfsVmInfo *info = virfs_vm_info_copy (known);
  GPtrArray *list = virfs_part_list_new ();

  for (; *names; names++) {
    VirfsDiskInfo *told = virfs_part_info_new (&virfs_disk_class, *names);

    told->device = "disk";
    virfs_ref_string_set (&told->source, source);
    g_ptr_array_add (list, told);
  }
  virfs_part_list_sort (list);
  virfs_part_lists_set (info->parts, VIRFS_VM_DISKS, list);
  f->added = f->removed = f->changed = 0;
  virfs_infra_update_vm (f->infra, f->host, info);
}

static void
test_told (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsPart) vda = disk (f, "vda");
  g_autoptr (VirfsPart) vdb = NULL;
  g_autofree char *path = virfs_object_path (vda);

  g_assert_cmpstr (path, ==, "vms/h1-1/disks/vda");
  tell_disks (f, (const char *const[]){ "vdb", "vda", NULL }, "/a");
  g_assert_cmpuint (f->added, ==, 1);
  g_assert_cmpuint (f->removed, ==, 0);
  g_assert_cmphex (f->changed, ==, VIRFS_BIT (VIRFS_PART_CONFIG));
  vdb = disk (f, "vdb");
  g_assert_nonnull (vdb);
  tell_disks (f, (const char *const[]){ "vdb", NULL }, "/a");
  g_assert_cmpuint (f->added, ==, 0);
  g_assert_cmpuint (f->removed, ==, 1);
  g_assert_cmphex (f->changed, ==, 0);
  g_assert_true (vda->removed);
  g_assert_null (disk (f, "vda"));
}

/* What tells nothing new keeps its times, and its memory. */
static void
test_same (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsPart) vda = disk (f, "vda");
  g_autoptr (VirfsPartInfo) before = NULL;
  g_autoptr (VirfsPartInfo) after = NULL;

  tell_disks (f, (const char *const[]){ "vda", NULL }, "/a");
  before = virfs_part_info (vda);
  g_assert_cmpint (before->changed[VIRFS_PART_CONFIG], >, before->changed[VIRFS_PART_SIZE]);
  tell_disks (f, (const char *const[]){ "vda", NULL }, "/a");
  after = virfs_part_info (vda);
  g_assert_true (before == after);
  g_assert_cmphex (f->changed, ==, 0);
}

static void
test_nested (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsPart) pool = virfs_infra_part (f->infra, f->host, &virfs_pool_class, "default");
  g_autoptr (VirfsPart) volume
    = virfs_infra_part (f->infra, pool, &virfs_volume_class, "disk.qcow2");
  g_autofree char *path = virfs_object_path (volume);
  g_autoptr (VirfsHostInfo) host = virfs_host_info (f->host);
  guint hardware
    = host->parts[VIRFS_HOST_INTERFACES]->len + host->parts[VIRFS_HOST_DEVICES]->len;

  g_assert_cmpstr (path, ==, "hosts/h1/pools/default/volumes/disk.qcow2");
  g_assert_true (virfs_part_root (volume) == &f->host->object);
  f->removed = 0;
  g_assert_true (virfs_infra_remove_host (f->infra, f->host, NULL));
  /* the network, the filter, the pool, its volume, and four parts of the guest */
  g_assert_cmpuint (f->removed, ==, hardware + 8);
  g_assert_true (volume->removed);
}

static void
set_bus (gpointer info, gpointer bus)
{
  ((VirfsDiskInfo *) info)->bus = bus;
}

static void
test_draft (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsPart) draft = NULL;
  g_autoptr (VirfsPartInfo) info = NULL;

  g_assert_null (virfs_infra_add_draft (f->infra, f->vm,
                                        virfs_part_info_new (&virfs_disk_class, "vda"), &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS);
  draft
    = virfs_infra_add_draft (f->infra, f->vm, virfs_part_info_new (&virfs_disk_class, "vdb"), NULL);
  g_assert_nonnull (draft);
  g_assert_true (virfs_infra_edit_part (f->infra, draft, set_bus, (gpointer) "scsi"));
  /* a backend that knows nothing of it takes nothing away */
  tell_disks (f, (const char *const[]){ "vda", NULL }, "/a");
  info = virfs_part_info (draft);
  g_assert_true (info->draft);
  g_assert_cmpstr (((VirfsDiskInfo *) info)->bus, ==, "scsi");
  /* it has become disk.qcow2 */
  tell_disks (f, (const char *const[]){ "vda", "vdb", NULL }, "/a");
  g_assert_cmpuint (f->added, ==, 0);
  virfs_part_info_unref (g_steal_pointer (&info));
  info = virfs_part_info (draft);
  g_assert_false (info->draft);
  g_assert_false (virfs_infra_drop_draft (f->infra, draft));
}

/* A guest's info that was copied before its draft was removed does not bring that back. */
static void
test_dropped (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsPart) draft
    = virfs_infra_add_draft (f->infra, f->vm, virfs_part_info_new (&virfs_disk_class, "vdb"), NULL);
  g_autoptr (VirfsVmInfo) known = virfs_vm_info (f->vm);
  g_autoptr (VirfsVmInfo) now = NULL;

  g_assert_cmpuint (known->parts[VIRFS_VM_DISKS]->len, ==, 2);
  g_assert_true (virfs_infra_drop_draft (f->infra, draft));
  g_assert_false (virfs_infra_drop_draft (f->infra, draft));
  virfs_infra_update_vm (f->infra, f->host, virfs_vm_info_copy (known));
  g_assert_null (disk (f, "vdb"));
  now = virfs_vm_info (f->vm);
  g_assert_cmpuint (now->parts[VIRFS_VM_DISKS]->len, ==, 1);
}

/* A volume's draft replaces the infos of all its owners. */
static void
test_nested_draft (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsPart) pool = virfs_infra_part (f->infra, f->host, &virfs_pool_class, "default");
  g_autoptr (VirfsPart) draft = virfs_infra_add_draft (
    f->infra, pool, virfs_part_info_new (&virfs_volume_class, "new"), NULL);
  g_autoptr (VirfsPartInfo) info = virfs_part_info (pool);
  g_autoptr (VirfsHostInfo) host = virfs_host_info (f->host);

  g_assert_cmpuint (info->parts->len, ==, 2);
  g_assert_true (host->parts[VIRFS_HOST_POOLS]->pdata[0] == info);
  g_assert_true (virfs_infra_drop_draft (f->infra, draft));
}

/* As it is kept while a backup is open. */
static void
test_record (void)
{
  static const guint8 nvram[] = { 'a', 0, 'b', 0xff, '\n', 0 };
  g_autoptr (VirfsPartInfo) saved = virfs_part_info_new (&virfs_backup_class, "mon");
  g_autoptr (VirfsPartInfo) loaded = virfs_part_info_new (&virfs_backup_class, "mon");
  VirfsBackupInfo *info = (VirfsBackupInfo *) saved;
  g_autoptr (GKeyFile) file = g_key_file_new (), broken = g_key_file_new ();
  g_autofree char *text = NULL;

  info->nvram = virfs_blob_new_bytes (nvram, sizeof nvram);
  info->scratch = 5;
  virfs_ref_string_set (&info->parent, "sun");
  virfs_part_info_save (saved, file, "x");
  text = g_key_file_to_data (file, NULL, NULL);
  g_assert_true (g_key_file_load_from_data (broken, text, (gsize) -1, 0, NULL));
  virfs_part_info_load (loaded, broken, "x");
  g_assert_cmpuint (virfs_part_info_diff (saved, loaded), ==, 0);
  g_key_file_set_string (broken, "x", "nvram", "7 bm9uc2Vuc2U=");
  virfs_part_info_load (loaded, broken, "x");
  g_assert_null (((VirfsBackupInfo *) loaded)->nvram);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)
  ADD ("/part/told", test_told);
  ADD ("/part/same", test_same);
  ADD ("/part/nested", test_nested);
  ADD ("/part/draft", test_draft);
  ADD ("/part/dropped", test_dropped);
  ADD ("/part/nested-draft", test_nested_draft);
  g_test_add_func ("/part/record", test_record);
  return g_test_run ();
}
