/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of guests in the tree: those of a directory of this machine, told as an appliance would. */
#include "fake_files.h"
#include "fake_image.h"
#include "files_dir.h"
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define HOSTS   "h1=fake:2"
#define BACKUPS "vms/h1-1/backups"
#define BACKUP  BACKUPS "/mon"
#define FILES   BACKUP "/files"

/* What the guest has. */
static void
make_guest (void)
{
  g_autofree char *command = NULL;
  int status;

  fake_files = (FakeFiles){ .directory = g_dir_make_tmp ("virfs-files-XXXXXX", NULL) };
  g_mutex_init (&fake_files.stall);
  command = g_strdup_printf (
    "cd %s && mkdir -p etc/deep/er empty && echo host > etc/hostname && ln etc/hostname etc/hard"
    " && ln -s /etc/passwd etc/absolute && ln -s ../../.. etc/up && mkfifo pipe"
    " && printf 'a\\nb' > \"$(printf 'new\\nline')\" && touch nothing && chmod 4755 nothing"
    " && head -c 3000000 /dev/urandom > large && truncate -s 5M sparse"
    " && setfattr -n user.note -v value large && touch -d 2001-02-03 etc/deep"
    " && for i in $(seq 600); do echo $i > etc/deep/$i; done",
    fake_files.directory);
  status = system (command);
  g_assert_cmpint (status, ==, 0);
}

static void
set_up (Fixture *f, gconstpointer hosts)
{
  make_guest ();
  virfs_guest_files_set_opener (fake_files_open);
  fixture_set_up (f, hosts);
  g_assert_cmpint (mkdir_at (f, BACKUP), ==, 0);
}

static void
tear_down (Fixture *f, gconstpointer hosts)
{
  g_autofree char *command = g_strdup_printf ("rm -rf %s", fake_files.directory);

  fixture_tear_down (f, hosts);
  g_assert_cmpint (g_atomic_int_get (&fake_files.opened), ==,
                   g_atomic_int_get (&fake_files.stopped));
  g_assert_cmpint (system (command), ==, 0);
  g_free (fake_files.directory);
  g_mutex_clear (&fake_files.stall);
}

/* Runs COMMAND, in which GUEST is the directory and FILES what shows it. */
static void
compare (Fixture *f, const char *command)
{
  g_autofree char *all
    = g_strdup_printf ("GUEST=%s; FILES=%s; %s", fake_files.directory, FILES, command);
  g_autofree char *out = NULL;

  if (sh (f, all, &out) != 0)
    g_error ("%s: %s", command, out);
}

static void
test_same (Fixture *f, gconstpointer data)
{
  g_assert_false (exists (f, FILES));
  g_assert_cmpint (mkdir_at (f, FILES), ==, 0);
  g_assert_cmpint (mkdir_at (f, FILES), ==, EEXIST);
  compare (f, "ls " BACKUP " | grep -qx files");
  compare (f, "diff -r -x pipe --no-dereference \"$GUEST\" \"$FILES\"");
  /* names, types, modes, owners, times, links; sizes but of directories */
  compare (f, "list() { (cd \"$1\" && find . -mindepth 1 -printf '%p %y %m %U %G %T@ %n %l\\n'"
              " -type f -printf '%p %s\\n') | sort; };"
              " [ \"$(list $GUEST)\" = \"$(list $FILES)\" ]");
  compare (f, "tar -C \"$FILES\" -cf - . | tar -C \"$GUEST\" --compare -f - --exclude=.");
}

static void
test_attributes (Fixture *f, gconstpointer data)
{
  struct stat one, other;
  g_autofree char *path = at (f, FILES "/large");
  char value[16];

  g_assert_cmpint (mkdir_at (f, FILES), ==, 0);
  one = stat_at (f, FILES "/etc/hostname");
  other = stat_at (f, FILES "/etc/hard");
  g_assert_cmpuint (one.st_ino, ==, other.st_ino);
  g_assert_cmpuint (one.st_nlink, ==, 2);
  g_assert_cmpuint (stat_at (f, FILES "/nothing").st_mode, ==, S_IFREG | 04755);
  g_assert_cmpuint (stat_at (f, FILES).st_mode, ==, S_IFDIR | 0700);
  assert_leads (f, FILES "/etc/up", "../../..");
  g_assert_cmpint (getxattr (path, "user.note", value, sizeof value), ==, 5);
  g_assert_cmpmem (value, 5, "value", 5);
  g_assert_cmpint (getxattr (path, "user.other", value, sizeof value), ==, -1);
  g_assert_cmpint (errno, ==, ENODATA);
  g_assert_cmpint (listxattr (path, value, sizeof value), ==, sizeof "user.note");
  g_assert_cmpint (listxattr (path, value, 3), ==, -1);
  g_assert_cmpint (errno, ==, ERANGE);
}

/* Nothing of it can be changed. */
static void
test_read_only (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, FILES), ==, 0);
  g_assert_cmpint (echo (f, "x", FILES "/etc/hostname"), ==, EROFS);
  g_assert_cmpint (echo (f, "x", FILES "/etc/fresh"), ==, EROFS);
  g_assert_cmpint (mkdir_at (f, FILES "/etc/fresh"), ==, EROFS);
  g_assert_cmpint (rmdir_at (f, FILES "/empty"), ==, EROFS);
  g_assert_cmpint (unlink_at (f, FILES "/large"), ==, EROFS);
  g_assert_cmpint (mv (f, FILES "/large", FILES "/small"), ==, EROFS);
  g_assert_cmpint (mv (f, FILES "/large", "vms/h1-1/large"), ==, EROFS);
  g_assert_cmpint (sh_quietly (f, "chmod 600 " FILES "/large"), !=, 0);
  g_assert_cmpint (sh_quietly (f, "ln " FILES "/large " FILES "/larger"), !=, 0);
  g_assert_cmpint (mkdir_at (f, BACKUP "/other"), ==, EPERM);
  assert_reads (f, FILES "/etc/hostname", "host\n");
}

/* Who wants names is not made to wait for attributes; who wants these does not look up each file. */
static void
test_few_questions (Fixture *f, gconstpointer data)
{
  gint lists;

  g_assert_cmpint (mkdir_at (f, FILES), ==, 0);
  g_assert_cmpint (sh_quietly (f, "find " FILES), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&fake_files.finds), <, 20);
  lists = g_atomic_int_get (&fake_files.lists);
  g_assert_cmpint (sh_quietly (f, "find " FILES " && ls " FILES "/etc"), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&fake_files.lists), ==, lists);
  g_assert_cmpint (g_atomic_int_get (&fake_files.finds), <, 20);
}

/* A walk over the whole mount makes none. */
static void
test_walk (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (sh_quietly (f, "grep -r x . ; find . -ls"), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&fake_files.opened), ==, 0);
  g_assert_cmpint (rmdir_at (f, FILES), ==, ENOENT);
}

static void
test_end (Fixture *f, gconstpointer data)
{
  g_autofree char *inside = at (f, FILES "/etc");
  g_autofree char *file = at (f, FILES "/large");
  char byte;
  int dir, fd;

  for (guint i = 1; i <= 3; i++) {
    g_assert_cmpint (mkdir_at (f, FILES), ==, 0);
    dir = open (inside, O_RDONLY | O_DIRECTORY);
    fd = open (file, O_RDONLY);
    g_assert_cmpint (dir, >=, 0);
    g_assert_cmpint (fd, >=, 0);
    g_assert_cmpint (rmdir_at (f, FILES), ==, 0);
    g_assert_cmpint (g_atomic_int_get (&fake_files.stopped), ==, (gint) i);
    g_assert_false (exists (f, FILES));
    g_assert_false (exists (f, FILES "/etc"));
    g_assert_cmpint (faccessat (dir, "deep", R_OK, 0), ==, -1);
    g_assert_cmpint (errno, ==, ESTALE);
    close (dir);
    close (fd);
  }
  /* closing the backup closes it first */
  g_assert_cmpint (mkdir_at (f, FILES), ==, 0);
  fd = open (file, O_RDONLY);
  g_assert_cmpint (pread (fd, &byte, 1, 0), ==, 1);
  g_assert_cmpint (rmdir_at (f, BACKUP), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&fake_files.stopped), ==, 4);
  assert_lists (f, BACKUPS, "backing base");
  close (fd);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  g_atomic_pointer_set (&fake_files.failure, "vda is encrypted\n");
  g_assert_cmpint (mkdir_at (f, FILES), ==, ENOTSUP);
  assert_says (f, "vms/h1-1/error", "vda is encrypted\\n");
  g_assert_false (exists (f, FILES));
  assert_soon (g_atomic_int_get (&fake_files.stopped) == 1);
  g_atomic_pointer_set (&fake_files.failure, NULL);
  g_assert_cmpint (mkdir_at (f, FILES), ==, 0);
}

/* Who waits for an appliance can be stopped. */
static GPid
spawn (Fixture *f, const char *command)
{
  g_autofree char *all = g_strdup_printf ("cd %s && exec %s", f->dir, command);
  const char *arguments[] = { "/bin/sh", "-c", all, NULL };
  GPid pid;

  g_assert_true (g_spawn_async (NULL, (char **) arguments, NULL,
                                G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL
                                  | G_SPAWN_STDOUT_TO_DEV_NULL,
                                NULL, NULL, &pid, NULL));
  return pid;
}

static gboolean
is_blocked (GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/wchan", pid);
  g_autofree char *where = NULL;

  return g_file_get_contents (path, &where, NULL, NULL)
         && (strstr (where, "fuse") != NULL || strstr (where, "request_wait") != NULL);
}

static void
test_interrupt (Fixture *f, gconstpointer data)
{
  static const char *const commands[]
    = { "cat " FILES "/etc/deep/er/x", "cat " FILES "/large", "ls " FILES };
  int status;

  g_assert_cmpint (mkdir_at (f, FILES), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    GPid pid;

    g_mutex_lock (&fake_files.stall);
    pid = spawn (f, commands[i]);
    assert_soon (is_blocked (pid));
    kill (pid, SIGKILL);
    g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
    g_assert_true (WIFSIGNALED (status));
    g_mutex_unlock (&fake_files.stall);
  }
  compare (f, "diff -r -x pipe --no-dereference \"$GUEST\" \"$FILES\"");
}

/* It takes long to open, and its job is cancelled; or its backup has gone meanwhile. */
static void
test_cancel (Fixture *f, gconstpointer data)
{
  int status;
  GPid pid;

  g_mutex_lock (&fake_files.stall);
  pid = spawn (f, "mkdir " FILES);
  assert_soon (g_atomic_int_get (&fake_files.asked) == 1);
  kill (pid, SIGINT);
  assert_soon (g_atomic_int_get (&fake_files.stopping) == 1);
  g_mutex_unlock (&fake_files.stall);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_false (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  assert_soon (g_atomic_int_get (&fake_files.stopped) == 1);
  g_assert_false (exists (f, FILES));
}

/* Those of an image; they go with it. */
static void
test_image (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (sh_quietly (f, "echo x > images/i.raw && [ ! -e images/i.raw.d/files ]"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "images/i.raw.d/others"), ==, EPERM);
  g_assert_cmpint (mkdir_at (f, "images/i.raw.d/files"), ==, 0);
  assert_reads (f, "images/i.raw.d/files/etc/hostname", "host\n");
  g_assert_cmpint (sh_quietly (f, "ls images/i.raw.d | grep -qx files"), ==, 0);
  g_assert_cmpint (rmdir_at (f, "images/i.raw.d/files"), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&fake_files.stopped), ==, 1);
  g_assert_cmpint (mkdir_at (f, "images/i.raw.d/files"), ==, 0);
  g_assert_cmpint (unlink_at (f, "images/i.raw"), ==, 0);
  assert_soon (g_atomic_int_get (&fake_files.stopped) == 2);
  g_assert_false (exists (f, "images/i.raw.d/files"));
}

/* What is installed in an image. */

#define ABOUT "images/i.raw.d"

static void
test_inspect (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (sh_quietly (f, "echo x > images/i.raw"), ==, 0);
  assert_reads (f, ABOUT "/inspect", "0\n");
  assert_lists (f, ABOUT "/os",
                "arch distribution hostname mountpoints osinfo package_format packages.tsv product"
                " type variant version");
  assert_reads (f, ABOUT "/os/type", "");
  assert_reads (f, ABOUT "/os/packages.tsv", "");
  g_assert_cmpint (echo (f, "1", ABOUT "/inspect"), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&fake_files.stopped), ==, 1);
  assert_reads (f, ABOUT "/inspect", "1\n");
  assert_reads (f, ABOUT "/os/type", "linux\n");
  assert_reads (f, ABOUT "/os/version", "");
  assert_reads (f, ABOUT "/os/hostname", "we\\x1b[2J\\nb\n");
  assert_reads (f, ABOUT "/os/mountpoints", "/\tsda1\n/a b\tsda2\n");
  assert_reads (f, ABOUT "/os/packages.tsv",
                "name\tversion\tarch\nhello\t1:2.10-3\tamd64\no\\ndd\t1\tall\n");
  g_assert_cmpint (mv (f, "images/i.raw", "images/j.raw"), ==, 0);
  assert_reads (f, "images/j.raw.d/os/type", "linux\n");
  g_assert_cmpint (echo (f, "0", "images/j.raw.d/inspect"), ==, 0);
  assert_reads (f, "images/j.raw.d/os/type", "");
  g_assert_cmpint (echo (f, "1", "images/j.raw.d/inspect"), ==, 0);
  assert_reads (f, "images/j.raw.d/os/type", "linux\n");
  g_assert_cmpint (sh_quietly (f, "sleep 0.01; echo other >> images/j.raw"), ==, 0);
  assert_reads (f, "images/j.raw.d/inspect", "0\n");
  assert_reads (f, "images/j.raw.d/os/type", "");
}

/* What is open is not opened once more, and stays. */
static void
test_inspect_open (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (sh_quietly (f, "echo x > images/i.raw && mkdir " ABOUT "/files"), ==, 0);
  g_assert_cmpint (echo (f, "1", ABOUT "/inspect"), ==, 0);
  assert_reads (f, ABOUT "/os/type", "linux\n");
  g_assert_cmpint (g_atomic_int_get (&fake_files.asked), ==, 1);
  assert_reads (f, ABOUT "/files/etc/hostname", "host\n");
  g_assert_cmpint (rmdir_at (f, ABOUT "/files"), ==, 0);
}

static void
test_inspect_refused (Fixture *f, gconstpointer data)
{
  GPid pid;
  int status;

  g_assert_cmpint (sh_quietly (f, "echo x > images/i.raw"), ==, 0);
  g_atomic_pointer_set (&fake_files.failure, "no operating system was found");
  g_assert_cmpint (echo (f, "1", ABOUT "/inspect"), ==, ENOTSUP);
  g_assert_cmpint (g_atomic_int_get (&fake_files.stopped), ==, 1);
  assert_reads (f, ABOUT "/inspect", "0\n");
  g_atomic_pointer_set (&fake_files.failure, NULL);
  g_assert_cmpint (mkdir_at (f, ABOUT "/files"), ==, 0);
  g_atomic_pointer_set (&fake_files.failure, "no operating system was found");
  g_assert_cmpint (echo (f, "1", ABOUT "/inspect"), ==, ENOENT);
  assert_reads (f, ABOUT "/files/etc/hostname", "host\n");
  g_assert_cmpint (rmdir_at (f, ABOUT "/files"), ==, 0);
  g_atomic_pointer_set (&fake_files.failure, NULL);
  /* it takes long, and is cancelled */
  g_mutex_lock (&fake_files.stall);
  pid = spawn (f, "sh -c 'echo 1 > " ABOUT "/inspect'");
  assert_soon (g_atomic_int_get (&fake_files.asked) == 3);
  g_assert_cmpint (mkdir_at (f, ABOUT "/files"), ==, EBUSY);
  kill (pid, SIGINT);
  assert_soon (g_atomic_int_get (&fake_files.stopping) == 3);
  g_mutex_unlock (&fake_files.stall);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  assert_soon (g_atomic_int_get (&fake_files.stopped) == 3);
  assert_reads (f, ABOUT "/inspect", "0\n");
}

static void
set_up_images (Fixture *f, gconstpointer hosts)
{
  virfs_fake_images = g_dir_make_tmp ("virfs-images-XXXXXX", NULL);
  __atomic_store_n (&virfs_fake_room, G_MAXUINT64, __ATOMIC_RELEASE);
  set_up (f, hosts);
}

static void
tear_down_images (Fixture *f, gconstpointer hosts)
{
  g_autofree char *command = g_strdup_printf ("rm -rf %s", virfs_fake_images);

  tear_down (f, hosts);
  g_assert_cmpint (system (command), ==, 0);
  g_clear_pointer (&virfs_fake_images, g_free);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define add(path, func) g_test_add (path, Fixture, HOSTS, set_up, func, tear_down)
  add ("/files/same", test_same);
  add ("/files/attributes", test_attributes);
  add ("/files/read-only", test_read_only);
  add ("/files/few-questions", test_few_questions);
  add ("/files/walk", test_walk);
  add ("/files/end", test_end);
  add ("/files/refused", test_refused);
  add ("/files/interrupt", test_interrupt);
  add ("/files/cancel", test_cancel);
#define add_image(path, func)                                                                      \
  g_test_add (path, Fixture, HOSTS, set_up_images, func, tear_down_images)
  add_image ("/files/image", test_image);
  add_image ("/files/inspect", test_inspect);
  add_image ("/files/inspect/open", test_inspect_open);
  add_image ("/files/inspect/refused", test_inspect_refused);
  return g_test_run ();
}
