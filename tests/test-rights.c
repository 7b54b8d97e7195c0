/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what: several users on one mount. */
#include "fixture.h"

#include "draft.h"

#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FLEET "h1=fake:2 h2=fake:2"

/* Users and groups that no machine knows. */
enum { BOB = 20001, CAROL = 20002, DEV = 20100 };

/* From now on this thread is USER, in his own group and in OTHER; the C library's functions would change
 * the threads that serve, too. */
static void
become (guint user, guint other)
{
  gid_t groups[] = { other };

  setfsuid (0);
  setfsgid (user);
  g_assert_cmpint (syscall (SYS_setgroups, 1, groups), ==, 0);
  setfsuid (user);
}

/* Evaluates COMMAND as USER. */
#define AS(user, command)                                                                          \
  ({                                                                                               \
    int error_;                                                                                    \
    become (user, user);                                                                           \
    error_ = command;                                                                              \
    become (0, 0);                                                                                 \
    error_;                                                                                        \
  })

static int
chown_at (Fixture *f, const char *path, guint uid, guint gid)
{
  g_autofree char *full = at (f, path);

  return chown (full, uid, gid) == 0 ? 0 : errno;
}

static int
chmod_at (Fixture *f, const char *path, mode_t mode)
{
  g_autofree char *full = at (f, path);

  return chmod (full, mode) == 0 ? 0 : errno;
}

static int
ln (Fixture *f, const char *target, const char *path)
{
  g_autofree char *full = at (f, path);

  return symlink (target, full) == 0 ? 0 : errno;
}

/* Whether it can be opened as FLAGS say. */
static int
open_at (Fixture *f, const char *path, int flags)
{
  g_autofree char *full = at (f, path);
  int fd = open (full, flags | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    return errno;
  close (fd);
  return 0;
}

static void
assert_belongs (Fixture *f, const char *path, guint uid, guint gid, mode_t mode)
{
  struct stat st = stat_at (f, path);

  g_assert_cmpuint (st.st_uid, ==, uid);
  g_assert_cmpuint (st.st_gid, ==, gid);
  g_assert_cmphex (st.st_mode & 07777, ==, mode);
}

static void
give (Fixture *f, const char *path, guint user)
{
  g_assert_cmpint (chown_at (f, path, user, user), ==, 0);
}

/* Drafts, and the guests that are made of them. */
static void
test_draft (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (AS (BOB, mkdir_at (f, "vms/db")), ==, EACCES);
  g_assert_cmpint (chmod_at (f, "vms", 0777), ==, 0);
  g_assert_cmpint (AS (BOB, mkdir_at (f, "vms/db")), ==, 0);
  assert_belongs (f, "vms/db", BOB, BOB, 0750);
  assert_belongs (f, "vms/db/memory", BOB, BOB, 0640);
  assert_belongs (f, "vms/db/cloud-init", BOB, BOB, 0700);
  assert_belongs (f, "vms/db/cloud-init/user-data", BOB, BOB, 0600);
  assert_belongs (f, "vms/db/xml", BOB, BOB, 0440);
  g_assert_cmpint (AS (BOB, echo (f, "512M", "vms/db/memory")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "<domain/>", "vms/db/xml")), ==, EACCES);
  g_assert_cmpint (AS (CAROL, open_at (f, "vms/db/memory", O_RDONLY)), ==, EACCES);
  g_assert_cmpint (AS (CAROL, rmdir_at (f, "vms/db")), ==, EACCES);
  g_assert_cmpint (AS (CAROL, mv (f, "vms/db", "vms/mine")), ==, EACCES);
  g_assert_cmpint (AS (BOB, mv (f, "vms/db", "vms/data")), ==, 0);
  assert_belongs (f, "vms/data", BOB, BOB, 0750);
  g_assert_cmpint (AS (BOB, chmod_at (f, "vms/data", 0770)), ==, 0);
  give (f, "vms/data", CAROL);
  assert_belongs (f, "vms/data/memory", CAROL, CAROL, 0660);
  g_assert_cmpint (AS (BOB, open_at (f, "vms/data/memory", O_RDONLY)), ==, EACCES);
  g_assert_cmpint (AS (CAROL, rmdir_at (f, "vms/data")), ==, 0);
}

/* As they were kept, also by who knew no modes yet. */
static void
test_restored_draft (Fixture *f, gconstpointer data)
{
  virfs_infra_restore_draft (f->infra, "11111111-1111-4111-8111-111111111111",
                             "[draft]\nname=new\nuid=20001\ngid=20100\nmode=504\n");
  virfs_infra_restore_draft (f->infra, "11111111-1111-4111-8111-111111111112",
                             "[draft]\nname=old\nuid=20001\ngid=20001\n");
  assert_belongs (f, "vms/new", BOB, DEV, 0770);
  assert_belongs (f, "vms/old", BOB, BOB, 0750);
}

static void
test_make (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (chmod_at (f, "vms", 0777), ==, 0);
  g_assert_cmpint (AS (BOB, mkdir_at (f, "vms/db")), ==, 0);
  g_assert_cmpint (AS (BOB, chmod_at (f, "vms/db", 0700)), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "running", "vms/db/state")), ==, EACCES);
  assert_says (f, "vms/db/error", "user 20001 may not change hosts/h1");
  give (f, "hosts/h2", BOB);
  g_assert_cmpint (AS (BOB, echo (f, "/etc/shadow", "vms/db/kernel")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "running", "vms/db/state")), ==, EACCES);
  assert_says (f, "vms/db/error", "/etc/shadow is no volume of a pool of h2");
  g_assert_cmpint (AS (BOB, echo (f, "", "vms/db/kernel")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "vms/h1-2", "vms/db/image")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "running", "vms/db/state")), ==, EACCES);
  assert_says (f, "vms/db/error", "user 20001 may not read vms/h1-2");
  g_assert_cmpint (AS (BOB, echo (f, "default/disk.qcow2", "vms/db/image")), ==, 0);
  give (f, "hosts/h2/pools/default", CAROL);
  g_assert_cmpint (AS (BOB, echo (f, "running", "vms/db/state")), ==, EACCES);
  assert_says (f, "vms/db/error", "user 20001 may not change hosts/h2/pools/default");
  give (f, "hosts/h2/pools/default", BOB);
  g_assert_cmpint (AS (BOB, echo (f, "running", "vms/db/state")), ==, 0);
  assert_belongs (f, "vms/db", BOB, BOB, 0700);
  assert_belongs (f, "vms/db/state", BOB, BOB, 0600);
  assert_leads (f, "vms/db/host", "../../hosts/h2");
  g_assert_cmpint (AS (CAROL, rmdir_at (f, "vms/db")), ==, EACCES);
  g_assert_cmpint (AS (BOB, echo (f, "shutoff", "vms/db/state")), ==, 0);
  g_assert_cmpint (AS (BOB, rmdir_at (f, "vms/db")), ==, 0);
}

/* chown, chgrp and chmod of a guest: who may, and what follows. */
/* Of his guest everybody knows what was done and by whom; of all, only who mounted. */
static void
test_events (Fixture *f, gconstpointer data)
{
  give (f, "vms/h1-1", BOB);
  g_assert_cmpint (AS (BOB, echo (f, "paused", "vms/h1-1/state")), ==, 0);
  g_assert_cmpint (AS (BOB, open_at (f, "vms/h1-1/events", O_RDONLY)), ==, 0);
  g_assert_true (says (f, "vms/h1-1/events", "vms/h1-1/state write uid=20001 value=paused"));
  g_assert_cmpint (AS (CAROL, open_at (f, "vms/h1-1/events", O_RDONLY)), ==, EACCES);
  g_assert_cmpint (AS (BOB, open_at (f, "vms/h1-2/events", O_RDONLY)), ==, EACCES);
  g_assert_cmpint (AS (BOB, open_at (f, "events/log", O_RDONLY)), ==, EACCES);
  g_assert_cmpint (AS (BOB, open_at (f, "events/log.json", O_RDONLY)), ==, EACCES);
  g_assert_cmpint (AS (BOB, open_at (f, "events/stream.json", O_RDONLY)), ==, EACCES);
  g_assert_cmpint (AS (BOB, open_at (f, "events/head", O_RDONLY)), ==, EACCES);
}

static void
test_give (Fixture *f, gconstpointer data)
{
  assert_belongs (f, "vms/h1-1", 0, getgid (), 0750);
  g_assert_cmpint (AS (BOB, chown_at (f, "vms/h1-1", BOB, BOB)), ==, EPERM);
  g_assert_cmpint (chown_at (f, "vms/h1-1/state", BOB, BOB), ==, EPERM);
  g_assert_cmpint (chown_at (f, "vms/h1-1/disks", BOB, BOB), ==, EPERM);
  g_assert_cmpint (chown_at (f, "vms/h1-1/disks/vda", BOB, BOB), ==, EPERM);
  g_assert_cmpint (chmod_at (f, "vms/h1-1", 04750), ==, EPERM);
  give (f, "vms/h1-1", BOB);
  assert_belongs (f, "vms/h1-1", BOB, BOB, 0750);
  assert_belongs (f, "vms/h1-1/state", BOB, BOB, 0640);
  assert_belongs (f, "vms/h1-1/uuid", BOB, BOB, 0440);
  assert_belongs (f, "vms/h1-1/xml", BOB, BOB, 0440);
  assert_belongs (f, "vms/h1-1/disks/vda/cache", BOB, BOB, 0640);
  assert_belongs (f, "vms/h1-1/disks/vda/format", BOB, BOB, 0440);
  assert_belongs (f, "vms/h1-1/nics/net0/network", BOB, BOB, 0640);
  assert_belongs (f, "vms/h1-1/nics/net0/bridge", BOB, BOB, 0440);
  assert_belongs (f, "vms/h1-1/snapshots/first/ctl", BOB, BOB, 0640);
  assert_belongs (f, "vms/h1-2", 0, getgid (), 0750);
  g_assert_cmpint (AS (BOB, chown_at (f, "vms/h1-1", CAROL, BOB)), ==, EPERM);
  g_assert_cmpint (AS (BOB, chown_at (f, "vms/h1-1", BOB, CAROL)), ==, EPERM);
  become (BOB, DEV);
  g_assert_cmpint (chown_at (f, "vms/h1-1", BOB, DEV), ==, 0);
  g_assert_cmpint (chmod_at (f, "vms/h1-1", 0760), ==, 0);
  become (0, 0);
  assert_belongs (f, "vms/h1-1", BOB, DEV, 0760);
  assert_belongs (f, "vms/h1-1/state", BOB, DEV, 0660);
  /* who may write and not search is kept out, as of any directory */
  become (CAROL, DEV);
  g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, EACCES);
  become (0, 0);
  g_assert_cmpint (AS (BOB, chmod_at (f, "vms/h1-1", 0770)), ==, 0);
  become (CAROL, DEV);
  g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, 0);
  g_assert_cmpint (chmod_at (f, "vms/h1-1", 0777), ==, EPERM);
  become (0, 0);
  g_assert_cmpint (AS (CAROL, open_at (f, "vms/h1-1/state", O_RDONLY)), ==, EACCES);
}

static void
test_help (Fixture *f, gconstpointer data)
{
  g_autofree char *path = at (f, "vms/h1-1/state");
  char help[512];

  give (f, "vms/h1-1", BOB);
  become (BOB, BOB);
  g_assert_cmpint (getxattr (path, "user.virfs.help", help, sizeof help), >, 0);
  become (CAROL, CAROL);
  g_assert_cmpint (getxattr (path, "user.virfs.help", help, sizeof help), <, 0);
  become (0, 0);
}

/* What else than the guest a call reaches. */
static void
test_beyond (Fixture *f, gconstpointer data)
{
  give (f, "vms/h1-1", BOB);
  g_assert_cmpint (AS (BOB, echo (f, "h2", "vms/h1-1/migrate")), ==, EACCES);
  assert_says (f, "vms/h1-1/error", "user 20001 may not change hosts/h2");
  g_assert_cmpint (AS (BOB, mkdir_at (f, "vms/h1-1/disks/vdb")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "/etc/shadow", "vms/h1-1/disks/vdb/source")), ==, EACCES);
  g_assert_cmpint (AS (BOB, echo (f, "/images/disk.qcow2", "vms/h1-1/disks/vdb/source")), ==,
                   EACCES);
  g_assert_cmpint (AS (BOB, echo (f, "1G", "vms/h1-1/disks/vdb/size")), ==, EACCES);
  g_assert_cmpint (AS (BOB, open_at (f, "vms/h1-1/disks/vdb/format", O_WRONLY)), ==, EACCES);
  g_assert_cmpint (chmod_at (f, "hosts/h1/pools/default", 0755), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "cdrom", "vms/h1-1/disks/vdb/device")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "/etc/shadow", "vms/h1-1/disks/vdb/source")), ==, EACCES);
  g_assert_cmpint (AS (BOB, echo (f, "default/disk.qcow2", "vms/h1-1/disks/vdb/source")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "disk", "vms/h1-1/disks/vdb/device")), ==, EACCES);
  g_assert_cmpint (AS (BOB, mkdir_at (f, "vms/h1-1/disks/vdc")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "1G", "vms/h1-1/disks/vdc/size")), ==, EACCES);
  g_assert_cmpint (AS (BOB, echo (f, "default", "vms/h1-1/disks/vda/move")), ==, EACCES);
  g_assert_cmpint (AS (BOB, echo (f, "default", "vms/h1-1/move")), ==, EACCES);
  give (f, "hosts/h1/pools/default", BOB);
  g_assert_cmpint (AS (BOB, echo (f, "default", "vms/h1-1/disks/vda/move")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "1G", "vms/h1-1/disks/vdc/size")), ==, 0);
  g_assert_cmpint (chmod_at (f, "hosts/h2", 0777), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "h2", "vms/h1-1/migrate")), ==, 0);
  assert_belongs (f, "vms/h1-1", BOB, BOB, 0750);
}

/* A disk is its guest's, whoever has the pool. */
static void
test_disks_of_others (Fixture *f, gconstpointer data)
{
  const char *clone = "hosts/h1/pools/default/volumes/copy/clone";

  give (f, "vms/h1-1", BOB);
  give (f, "hosts/h1", BOB);
  g_assert_cmpint (AS (BOB, mkdir_at (f, "vms/h1-1/disks/vdb")), ==, 0);
  g_assert_cmpint (AS (BOB, mkdir_at (f, "hosts/h1/pools/default/volumes/copy")), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/h1-2/disks/vdb"), ==, 0);
  g_assert_cmpint (echo (f, "/images/disk.qcow2", "vms/h1-2/disks/vdb/source"), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "/images/disk.qcow2", "vms/h1-1/disks/vdb/source")), ==,
                   EACCES);
  assert_says (f, "vms/h1-1/error", "user 20001 may not change vms/h1-2");
  g_assert_cmpint (AS (BOB, echo (f, "disk.qcow2", clone)), ==, EACCES);
  assert_says (f, "hosts/h1/error", "user 20001 may not read vms/h1-2");
  g_assert_cmpint (AS (BOB, echo (f, "2G", "hosts/h1/pools/default/volumes/disk.qcow2/size")), ==,
                   EACCES);
  g_assert_cmpint (chmod_at (f, "vms/h1-2", 0755), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "disk.qcow2", clone)), ==, 0);
  g_assert_cmpint (rmdir_at (f, "vms/h1-2/disks/vdb"), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "/images/disk.qcow2", "vms/h1-1/disks/vdb/source")), ==, 0);
}

/* A host, its pools and what is in them. */
static void
test_host (Fixture *f, gconstpointer data)
{
  const char *volumes = "hosts/h1/pools/default/volumes/new";

  assert_belongs (f, "hosts/h1/state", 0, getgid (), 0440);
  g_assert_cmpint (AS (BOB, open_at (f, "hosts/h1/state", O_RDONLY)), ==, EACCES);
  give (f, "hosts/h1", BOB);
  assert_belongs (f, "hosts/h1/state", BOB, BOB, 0440);
  assert_belongs (f, "hosts/h1/uri", BOB, BOB, 0440);
  assert_belongs (f, "hosts/h1/pools/default/path", BOB, BOB, 0440);
  assert_belongs (f, "hosts/h1/pools/default/volumes/disk.qcow2/size", BOB, BOB, 0640);
  g_assert_cmpint (AS (BOB, mkdir_at (f, volumes)), ==, 0);
  g_assert_cmpint (AS (BOB, rmdir_at (f, volumes)), ==, 0);
  give (f, "hosts/h1/pools/default", CAROL);
  assert_belongs (f, "hosts/h1/pools/default/volumes/disk.qcow2/size", CAROL, CAROL, 0640);
  g_assert_cmpint (AS (BOB, mkdir_at (f, volumes)), ==, EACCES);
  g_assert_cmpint (echo (f, "stop", "hosts/h1/pools/default/ctl"), ==, 0);
  g_assert_cmpint (AS (BOB, rmdir_at (f, "hosts/h1/pools/default")), ==, EACCES);
  g_assert_cmpint (rmdir_at (f, "hosts/h1/pools/default"), ==, 0);
  /* another of that name is another */
  g_assert_cmpint (AS (BOB, mkdir_at (f, "hosts/h1/pools/default")), ==, 0);
  assert_belongs (f, "hosts/h1/pools/default", BOB, BOB, 0750);
  g_assert_cmpint (AS (BOB, echo (f, "logical", "hosts/h1/pools/default/type")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "start", "hosts/h1/pools/default/ctl")), ==, EACCES);
  g_assert_cmpint (AS (BOB, rmdir_at (f, "hosts/h1")), ==, EACCES);
  g_assert_cmpint (chmod_at (f, "hosts", 0777), ==, 0);
  g_assert_cmpint (AS (BOB, rmdir_at (f, "hosts/h2")), ==, EACCES);
  g_assert_cmpint (AS (BOB, rmdir_at (f, "hosts/h1")), ==, 0);
  g_assert_cmpint (mkdir_at (f, "hosts/h1"), ==, 0);
  assert_belongs (f, "hosts/h1", 0, getgid (), 0750);
}

/* A job belongs to who asked for it. */
static void
test_jobs (Fixture *f, gconstpointer data)
{
  GPid child;

  give (f, "vms/h1-1", BOB);
  g_assert_cmpint (AS (BOB, echo (f, "his", "vms/h1-1/title")), ==, 0);
  assert_belongs (f, "jobs/1", 0, getgid (), 0550);
  assert_belongs (f, "jobs/2", BOB, BOB, 0550);
  g_atomic_int_set (&virfs_fake_delay, PATIENCE);
  child = fixture_spawn (f, "paused", "vms/h1-1/state");
  assert_soon (exists (f, "jobs/3"));
  assert_soon_reads (f, "jobs/3/state", "running\n");
  g_assert_cmpint (AS (BOB, open_at (f, "jobs/3/progress", O_RDONLY)), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "cancel", "jobs/3/ctl")), ==, EACCES);
  g_assert_cmpint (AS (CAROL, open_at (f, "jobs/3/progress", O_RDONLY)), ==, EACCES);
  g_assert_cmpint (echo (f, "cancel", "jobs/3/ctl"), ==, 0);
  g_assert_cmpint (fixture_wait (child), ==, EINTR);
}

static void
test_tags (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (AS (BOB, mkdir_at (f, "by/tag/prod")), ==, EACCES);
  g_assert_cmpint (mkdir_at (f, "by/tag/prod"), ==, 0);
  give (f, "vms/h1-1", BOB);
  g_assert_cmpint (AS (BOB, ln (f, "../../../vms/h1-1", "by/tag/prod/h1-1")), ==, 0);
  assert_reads (f, "vms/h1-1/tags", "prod\n");
  g_assert_cmpint (AS (BOB, ln (f, "../../../vms/h1-2", "by/tag/prod/h1-2")), ==, EACCES);
  g_assert_cmpint (AS (CAROL, unlink_at (f, "by/tag/prod/h1-1")), ==, EACCES);
  g_assert_cmpint (AS (BOB, unlink_at (f, "by/tag/prod/h1-1")), ==, 0);
  /* a link leads to what one may use, and no further */
  g_assert_cmpint (AS (BOB, open_at (f, "by/host/h1/h1-1/state", O_WRONLY)), ==, 0);
  g_assert_cmpint (AS (BOB, open_at (f, "by/host/h1/h1-2/state", O_RDONLY)), ==, EACCES);
}

static void
test_protect (Fixture *f, gconstpointer data)
{
  give (f, "vms/h1-1", BOB);
  g_assert_cmpint (AS (BOB, echo (f, "1", "vms/h1-1/protect")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "shutoff", "vms/h1-1/state")), ==, EPERM);
  g_assert_cmpint (AS (BOB, echo (f, "destroy", "vms/h1-1/ctl")), ==, EPERM);
  g_assert_cmpint (AS (BOB, echo (f, "revert", "vms/h1-1/snapshots/first/ctl")), ==, EPERM);
  g_assert_cmpint (rmdir_at (f, "vms/h1-1"), ==, EPERM);
  assert_says (f, "vms/h1-1/error", "h1-1 is protected from being stopped or deleted (rmdir)");
  g_assert_cmpint (AS (BOB, rmdir_at (f, "vms/h1-1/disks/vda")), ==, EPERM);
  g_assert_cmpint (AS (BOB, echo (f, "paused", "vms/h1-1/state")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "0", "vms/h1-1/protect")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "shutoff", "vms/h1-1/state")), ==, 0);
}

/* Everything is tried. */

typedef struct {
  GPtrArray *dirs, *files; /* of char*; links are neither */
} Paths;

static void
collect (Fixture *f, const char *path, Paths *all)
{
  g_autofree char *full = at (f, path);
  mode_t mode = stat_at (f, path).st_mode;
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (S_ISREG (mode))
    g_ptr_array_add (all->files, g_strdup (path));
  if (!S_ISDIR (mode))
    return;
  g_ptr_array_add (all->dirs, g_strdup (path));
  dir = g_dir_open (full, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = *path ? g_build_filename (path, name, NULL) : g_strdup (name);

    collect (f, child, all);
  }
}

static gboolean
is_his (const char *path)
{
  return g_str_equal (path, "vms/h1-1") || g_str_has_prefix (path, "vms/h1-1/");
}

static gboolean
is_refusal (int error)
{
  return error == EACCES || error == EPERM;
}

/* What the user does to a directory that is not his; returns what he could do. */
static const char *
try_directory (Fixture *f, const char *path)
{
  g_autofree char *new = *path ? g_build_filename (path, "zz9", NULL) : g_strdup ("zz9");
  g_autofree char *other = g_strconcat (path, "zz9", NULL);

  if (!is_refusal (mkdir_at (f, new)))
    return "mkdir in";
  if (*path && !is_refusal (rmdir_at (f, path)))
    return "rmdir";
  if (*path && !is_refusal (mv (f, path, other)))
    return "mv";
  if (!is_refusal (chmod_at (f, path, 0700)))
    return "chmod";
  if (!is_refusal (chown_at (f, path, BOB, BOB)))
    return "chown";
  return NULL;
}

static void
test_all (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) dirs = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  guint his = 0, others = 0;

  give (f, "vms/h1-1", BOB);
  g_assert_cmpint (AS (BOB, rmdir_at (f, "vms/h1-1")), ==, EACCES);
  g_assert_cmpint (AS (BOB, mv (f, "vms/h1-1", "vms/mine")), ==, EACCES);
  g_assert_cmpint (echo (f, "prod", "vms/h1-2/tags"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/draft"), ==, 0);
  collect (f, "", &(Paths){ dirs, files });
  become (BOB, BOB);
  for (guint i = 0; i < files->len; i++) {
    int error = open_at (f, files->pdata[i], O_WRONLY);

    if (!is_his (files->pdata[i]) && !is_refusal (error))
      g_error ("he may write %s: %s", (char *) files->pdata[i], g_strerror (error));
    his += error == 0;
    others += !is_his (files->pdata[i]);
  }
  for (guint i = 0; i < dirs->len; i++) {
    const char *done = is_his (dirs->pdata[i]) ? NULL : try_directory (f, dirs->pdata[i]);

    if (done != NULL)
      g_error ("he may %s %s", done, (char *) dirs->pdata[i]);
  }
  become (0, 0);
  g_assert_cmpuint (his, >, 30);
  g_assert_cmpuint (others, >, 200);
  assert_lists (f, "vms", "draft h1-1 h1-2 h2-1 h2-2");
}

/* Alarms are whose alarms/ is; what they run is for who mounted alone. */
static void
test_alarms (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (AS (BOB, mkdir_at (f, "alarms/his")), ==, EACCES);
  g_assert_cmpint (AS (BOB, open_at (f, "alarms/host-lost/state", O_RDONLY)), ==, EACCES);
  give (f, "alarms", BOB);
  assert_belongs (f, "alarms/host-lost/duration", BOB, BOB, 0640);
  assert_belongs (f, "alarms/host-lost/hook", BOB, BOB, 0440);
  g_assert_cmpint (AS (BOB, mkdir_at (f, "alarms/his")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "state", "alarms/his/metric")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "vms", "alarms/his/objects")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "== shutoff", "alarms/his/condition")), ==, 0);
  g_assert_cmpint (AS (BOB, echo (f, "vms/h1-2", "alarms/his/ack")), ==, 0);
  assert_says (f, "alarms/his/firing", "\tshutoff\t20001\n");
  g_assert_cmpint (AS (BOB, echo (f, "/bin/true", "alarms/his/hook")), ==, EACCES);
  g_assert_cmpint (echo (f, "/bin/true", "alarms/his/hook"), ==, 0);
  g_assert_cmpint (AS (CAROL, open_at (f, "alarms/his/metric", O_RDONLY)), ==, EACCES);
  g_assert_cmpint (chmod_at (f, "alarms/his", 0777), ==, EPERM);
  g_assert_cmpint (AS (CAROL, rmdir_at (f, "alarms/his")), ==, EACCES);
  g_assert_cmpint (AS (BOB, rmdir_at (f, "alarms/his")), ==, 0);
}

#define ADD(path, func)                                                                            \
  g_test_add (path, Fixture, FLEET, fixture_set_up_for_all, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  if (getuid () != 0) {
    g_print ("skipped: only root can be several users\n");
    return 77;
  }
  ADD ("/rights/draft", test_draft);
  ADD ("/rights/restored-draft", test_restored_draft);
  ADD ("/rights/make", test_make);
  ADD ("/rights/give", test_give);
  ADD ("/rights/events", test_events);
  ADD ("/rights/help", test_help);
  ADD ("/rights/beyond", test_beyond);
  ADD ("/rights/disks-of-others", test_disks_of_others);
  ADD ("/rights/host", test_host);
  ADD ("/rights/jobs", test_jobs);
  ADD ("/rights/tags", test_tags);
  ADD ("/rights/protect", test_protect);
  ADD ("/rights/alarms", test_alarms);
  ADD ("/rights/all", test_all);
  return g_test_run ();
}
