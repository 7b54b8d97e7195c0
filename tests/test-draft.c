/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that are drafted, made, renamed and undefined as directories. */
#include "fixture.h"
#include "kept.h"
#include "part_draft.h"

#include "draft.h"
#include "error.h"

#include <string.h>

#define FLEET "h1=fake:2 h2=fake:0"

/* A keeper that remembers drafts, and refuses when it is told to. */
static GMutex lock;
static GHashTable *kept; /* under lock: kind and UUID -> text */
static gint full;        /* atomic */

static gboolean
keep (gpointer data, const char *kind, const char *key, const char *text, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  if (g_str_equal (kind, VIRFS_RECORD_FIRING))
    return TRUE; /* what alarms fire for */
  if (g_atomic_int_get (&full)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE, "the disk is full");
    return FALSE;
  }
  g_hash_table_replace (kept, g_strconcat (kind, " ", key, NULL), g_strdup (text));
  return TRUE;
}

static gboolean
forget (gpointer data, const char *kind, const char *key, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  g_autofree char *name = g_strconcat (kind, " ", key, NULL);

  g_hash_table_remove (kept, name);
  return TRUE;
}

static guint
records (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return g_hash_table_size (kept);
}

static gboolean
recall (gpointer data, const char *kind, VirfsRecordFunc func, gpointer user, GError **error)
{
  return TRUE;
}

static const VirfsKeeper keeper = { .keep = keep, .forget = forget, .recall = recall };

static void
set_up (Fixture *f, gconstpointer data)
{
  kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_atomic_int_set (&full, FALSE);
  fixture_keeper = &keeper;
  fixture_set_up (f, FLEET);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  fixture_tear_down (f, data);
  g_clear_pointer (&kept, g_hash_table_unref);
}

static void
test_make (Fixture *f, gconstpointer data)
{
  g_autofree char *uuid = NULL;

  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, EEXIST);
  assert_reads (f, "vms/db/state", "draft\n");
  g_assert_cmpint (echo (f, "512M", "vms/db/memory"), ==, 0);
  g_assert_cmpint (echo (f, "2", "vms/db/vcpus"), ==, 0);
  uuid = cat (f, "vms/db/uuid");
  g_assert_cmpuint (records (), ==, 1);
  g_assert_cmpint (echo (f, "running", "vms/db/state"), ==, 0);
  assert_reads (f, "vms/db/state", "running\n");
  assert_reads (f, "vms/db/uuid", uuid);
  assert_reads (f, "vms/db/memory", "536870912\n");
  /* h1 has promised memory to a guest already */
  assert_leads (f, "vms/db/host", "../../hosts/h2");
  assert_leads (f, "hosts/h2/vms/db", "../../../vms/db");
  g_assert_cmpuint (records (), ==, 0);
}

static void
test_attributes (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpint (echo (f, "linked", "vms/db/clone"), ==, 0);
  assert_reads (f, "vms/db/clone", "linked\n");
  g_assert_cmpint (echo (f, "half", "vms/db/clone"), ==, EINVAL);
  assert_says (f, "vms/db/error", "\"half\" is not a clone; there are: full, linked");
  g_assert_cmpint (echo (f, "", "vms/db/clone"), ==, 0);
  assert_reads (f, "vms/db/clone", "");
  g_assert_cmpint (echo (f, "nowhere", "vms/db/host"), ==, ENOENT);
  g_assert_cmpint (echo (f, "nonsense", "vms/db/image"), ==, EINVAL);
  g_assert_cmpint (echo (f, "vms/h1-2", "vms/db/image"), ==, 0);
  g_assert_cmpint (echo_n (f, "#cloud-config\nusers: []", -1, "vms/db/cloud-init/user-data"), ==,
                   0);
  assert_reads (f, "vms/db/cloud-init/user-data", "#cloud-config\nusers: []");
  g_assert_cmpuint (stat_at (f, "vms/db/cloud-init/user-data").st_mode & 0777, ==, 0600);
  g_assert_cmpint (unlink_at (f, "vms/db/image"), ==, EPERM);
}

/* What could not be kept has not happened. */
static void
test_full (Fixture *f, gconstpointer data)
{
  g_atomic_int_set (&full, TRUE);
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, ENOSPC);
  g_assert_false (exists (f, "vms/db"));
  g_atomic_int_set (&full, FALSE);
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_atomic_int_set (&full, TRUE);
  g_assert_cmpint (echo (f, "2", "vms/db/vcpus"), ==, ENOSPC);
  assert_reads (f, "vms/db/vcpus", "");
}

static void
test_host (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpint (echo (f, "h1", "vms/db/host"), ==, 0);
  g_assert_cmpint (echo (f, "paused", "vms/db/state"), ==, 0);
  assert_reads (f, "vms/db/state", "paused\n");
  assert_leads (f, "vms/db/host", "../../hosts/h1");
  g_assert_cmpint (mkdir_at (f, "vms/far"), ==, 0);
  turn_host (f, "h2", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (echo (f, "h2", "vms/far/host"), ==, 0);
  g_assert_cmpint (echo (f, "running", "vms/far/state"), ==, EHOSTDOWN);
  assert_reads (f, "vms/far/state", "draft\n");
}

static void
test_too_much (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpint (echo (f, "64G", "vms/db/memory"), ==, 0);
  g_assert_cmpint (echo (f, "running", "vms/db/state"), ==, ENOSPC);
  assert_says (f, "vms/db/error", "no host can have it");
  g_assert_cmpint (sh_quietly (f, "grep -q 'h1.*of memory free' vms/db/placement"), ==, 0);
}

/* What was written before and after it is made, with the marks for its end. */
static void
test_kept (Fixture *f, gconstpointer data)
{
  g_autofree char *uuid = NULL;

  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpint (echo_n (f, "#cloud-config\n", -1, "vms/db/cloud-init/user-data"), ==, 0);
  g_assert_cmpint (echo (f, "shutoff", "vms/db/state"), ==, 0);
  assert_reads (f, "vms/db/cloud-init/user-data", "#cloud-config\n");
  assert_reads (f, "vms/db/cloud-init/meta-data", "");
  g_assert_cmpuint (records (), ==, 1);
  g_assert_cmpint (echo_n (f, "version: 2\n", -1, "vms/db/cloud-init/network-config"), ==, 0);
  g_assert_cmpint (echo_n (f, "", 0, "vms/db/cloud-init/user-data"), ==, 0);
  assert_reads (f, "vms/db/cloud-init/network-config", "version: 2\n");
  assert_says (f, "vms/db/ctl", "purge");
  g_assert_cmpint (echo (f, "purge", "vms/db/ctl"), ==, 0);
  assert_says (f, "vms/db/ctl", "keep");
  g_atomic_int_set (&full, TRUE);
  g_assert_cmpint (echo (f, "keep", "vms/db/ctl"), ==, ENOSPC);
  assert_says (f, "vms/db/ctl", "keep");
  g_atomic_int_set (&full, FALSE);
  uuid = cat (f, "vms/db/uuid");
  g_strchomp (uuid);
  virfs_infra_restore_kept (f->infra, uuid, "[guest]\nuser_data=as it was\n");
  assert_soon_reads (f, "vms/db/cloud-init/user-data", "as it was");
  assert_says (f, "vms/db/ctl", "purge");
  g_assert_cmpint (rmdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpuint (records (), ==, 0);
}

/* A failure leaves the draft, which can be tried again. */
static void
test_fails (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpint (echo (f, "none/such", "vms/db/image"), ==, 0);
  /* the fake's hosts do not tell which volumes they have */
  g_assert_cmpint (echo (f, "running", "vms/db/state"), ==, ENOENT);
  assert_reads (f, "vms/db/state", "draft\n");
  g_assert_cmpint (echo (f, "", "vms/db/image"), ==, 0);
  g_assert_cmpint (echo (f, "shutoff", "vms/db/state"), ==, 0);
  assert_reads (f, "vms/db/state", "shutoff\n");
}

/* What was noted to be on a host goes before the draft is tried again or goes, and not without it. */
static void
test_left_behind (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpint (echo (f, "broken", "vms/db/title"), ==, 0);
  g_assert_cmpint (echo (f, "running", "vms/db/state"), ==, EIO);
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  turn_host (f, "h2", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (rmdir_at (f, "vms/db"), ==, EHOSTDOWN);
  assert_reads (f, "vms/db/state", "draft\n");
  turn_host (f, "h1", VIRFS_HOST_UP);
  turn_host (f, "h2", VIRFS_HOST_UP);
  g_assert_cmpint (echo (f, "", "vms/db/title"), ==, 0);
  g_assert_cmpint (echo (f, "shutoff", "vms/db/state"), ==, 0);
  assert_says (f, "events/log", "vms/db done job=3 uid=0 operation=\"clean up\"");
  g_assert_cmpint (mkdir_at (f, "vms/other"), ==, 0);
  g_assert_cmpint (echo (f, "broken", "vms/other/title"), ==, 0);
  g_assert_cmpint (echo (f, "running", "vms/other/state"), ==, EIO);
  g_assert_cmpint (rmdir_at (f, "vms/other"), ==, 0);
  g_assert_cmpuint (records (), ==, 0);
}

static void
test_remove (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpint (rmdir_at (f, "vms/db"), ==, 0);
  g_assert_false (exists (f, "vms/db"));
  g_assert_cmpuint (records (), ==, 0);
  /* h1-1 runs, h1-2 is shut off */
  g_assert_cmpint (rmdir_at (f, "vms/h1-1"), ==, EBUSY);
  assert_says (f, "error", "h1-1 is running; write shutoff to vms/h1-1/state");
  g_assert_cmpint (rmdir_at (f, "vms/h1-2"), ==, 0);
  assert_lists (f, "vms", "h1-1");
  assert_lists (f, "hosts/h1/vms", "h1-1");
}

static void
test_rename (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  g_assert_cmpint (echo (f, "3", "vms/db/vcpus"), ==, 0);
  g_assert_cmpint (mv (f, "vms/db", "vms/data"), ==, 0);
  assert_lists (f, "vms", "data h1-1 h1-2");
  assert_reads (f, "vms/data/vcpus", "3\n");
  g_assert_cmpint (mv (f, "vms/data", "vms/h1-1"), ==, EEXIST);
  g_assert_cmpint (mv (f, "vms/h1-2", "vms/web"), ==, 0);
  assert_lists (f, "vms", "data h1-1 web");
  assert_reads (f, "vms/web/state", "shutoff\n");
  g_assert_cmpint (mv (f, "vms/web", "vms/data"), ==, EEXIST);
}

/* A guest that comes with the name of a draft is a rival of it. */
static void
test_rival (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h2");

  g_assert_cmpint (mkdir_at (f, "vms/db"), ==, 0);
  virfs_infra_update_vm (f->infra, host, virfs_fake_vm ("db", 7, VIRFS_VM_SHUTOFF));
  assert_lists (f, "vms", "db db~h2 h1-1 h1-2");
  assert_reads (f, "vms/db/state", "draft\n");
  g_assert_cmpint (rmdir_at (f, "vms/db"), ==, 0);
  assert_soon_reads (f, "vms/db/state", "shutoff\n");
  assert_lists (f, "vms", "db h1-1 h1-2");
}

/* After a restart drafts are there again, but those whose guest was made. */
static void
test_restore (Fixture *f, gconstpointer data)
{
  VirfsVmInfo *vm = virfs_fake_vm ("made", 9, VIRFS_VM_SHUTOFF);
  g_autofree char *uuid = g_strdup (vm->uuid);
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h2");

  keep (NULL, VIRFS_RECORD_DRAFT, uuid, "", NULL);
  virfs_infra_restore_draft (f->infra, uuid, "[draft]\nname=made\nvcpus=4\n");
  virfs_infra_restore_draft (f->infra, "11111111-1111-4111-8111-111111111111",
                             "[draft]\nname=other\nvcpus=4\nuser_data=#cloud\\nconfig\n");
  assert_lists (f, "vms", "h1-1 h1-2 made other");
  assert_reads (f, "vms/other/vcpus", "4\n");
  assert_reads (f, "vms/other/cloud-init/user-data", "#cloud\nconfig");
  virfs_infra_update_vm (f->infra, host, vm);
  assert_soon_reads (f, "vms/made/state", "shutoff\n");
  assert_lists (f, "vms", "h1-1 h1-2 made other");
  g_assert_cmpuint (records (), ==, 0);
}

/* Of disks, pools and the like, which come back with what they belong to. */
static void
test_parts (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autofree char *key = g_strdup_printf ("vm/%s/disks/vdy", vm->uuid);

  g_atomic_int_set (&full, TRUE);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/disks/vdz"), ==, ENOSPC);
  g_assert_false (exists (f, "vms/h1-1/disks/vdz"));
  g_atomic_int_set (&full, FALSE);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/disks/vdz"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "hosts/h1/pools/fast"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "hosts/h1/pools/default/volumes/data"), ==, 0);
  g_assert_cmpuint (records (), ==, 3);
  g_assert_cmpint (echo (f, "/srv/fast", "hosts/h1/pools/fast/path"), ==, 0);
  g_assert_cmpint (rmdir_at (f, "hosts/h1/pools/fast"), ==, 0);
  g_assert_cmpint (rmdir_at (f, "hosts/h1/pools/default/volumes/data"), ==, 0);
  g_assert_cmpuint (records (), ==, 1);
  /* it becomes a disk */
  g_assert_cmpint (echo (f, "default/disk.qcow2", "vms/h1-1/disks/vdz/source"), ==, 0);
  assert_soon (records () == 0);
  virfs_infra_restore_part_draft (f->infra, key, "[draft]\nname=vdy\nbus=scsi\n");
  assert_soon_reads (f, "vms/h1-1/disks/vdy/bus", "scsi\n");
  virfs_infra_restore_part_draft (f->infra, "host/h3/pools/late", "[draft]\nname=late\ntype=dir\n");
  g_assert_cmpint (mkdir_at (f, "hosts/h3"), ==, 0);
  g_assert_cmpint (echo (f, "fake:0", "hosts/h3/uri"), ==, 0);
  assert_soon (exists (f, "hosts/h3/pools/late"));
}

static void
test_names (Fixture *f, gconstpointer data)
{
  g_autofree char *name = g_strnfill (191, 'a');
  g_autofree char *longest = g_strconcat ("vms/", name, NULL);
  g_autofree char *longer = g_strconcat (longest, "a", NULL);

  g_assert_cmpint (mkdir_at (f, "vms/.hidden"), ==, EINVAL);
  g_assert_cmpint (mkdir_at (f, "vms/100%"), ==, EINVAL);
  g_assert_cmpint (mkdir_at (f, longest), ==, 0);
  g_assert_cmpint (mkdir_at (f, longer), ==, EINVAL);
  assert_says (f, "error", "it has 192 bytes, more than 191");
  g_assert_cmpint (mkdir_at (f, "vms/h1-1"), ==, EEXIST);
  g_assert_cmpint (mkdir_at (f, "vms/with space"), ==, 0);
  assert_reads (f, "vms/with space/state", "draft\n");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)
  ADD ("/draft/make", test_make);
  ADD ("/draft/attributes", test_attributes);
  ADD ("/draft/full", test_full);
  ADD ("/draft/host", test_host);
  ADD ("/draft/too-much", test_too_much);
  ADD ("/draft/fails", test_fails);
  ADD ("/draft/kept", test_kept);
  ADD ("/draft/parts", test_parts);
  ADD ("/draft/left-behind", test_left_behind);
  ADD ("/draft/remove", test_remove);
  ADD ("/draft/rename", test_rename);
  ADD ("/draft/rival", test_rival);
  ADD ("/draft/restore", test_restore);
  ADD ("/draft/names", test_names);
  return g_test_run ();
}
