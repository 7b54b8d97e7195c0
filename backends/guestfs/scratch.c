/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Temporary directories, and what is left of those of others. */
#include "scratch.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARENT "virfs-guestfs"
#define LOCK   "lock"
/* Where libguestfs has its sockets, also if it is given another directory for its files. */
#define SOCKETS_PREFIX "/tmp/libguestfs"

static GMutex lock;
static char *mine;       /* under lock: the directory of this process; NULL: none yet */
static guint number = 0; /* under lock: of the next one in it */
static guint live = 0;   /* under lock: how many there are in it */
static int mine_fd = -1; /* under lock: what locks it */

/* Removing: nothing is followed. */

static void
remove_tree (int parent, const char *name)
{
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (GDir) dir = fd >= 0 ? g_dir_open (path, 0, NULL) : NULL;
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    if (unlinkat (fd, entry, 0) != 0)
      remove_tree (fd, entry);
  if (fd >= 0)
    close (fd);
  unlinkat (parent, name, AT_REMOVEDIR);
}

/* The link is the helper's word: it is believed only for what libguestfs makes. */
static void
remove_sockets (const char *path)
{
  g_autofree char *link = g_build_filename (path, VIRFS_SCRATCH_SOCKETS, NULL);
  g_autofree char *target = g_file_read_link (link, NULL);
  struct stat st;

  if (target != NULL && g_str_has_prefix (target, SOCKETS_PREFIX)
      && strchr (target + strlen (SOCKETS_PREFIX), '/') == NULL && lstat (target, &st) == 0
      && S_ISDIR (st.st_mode) && st.st_uid == geteuid ())
    remove_tree (AT_FDCWD, target);
}

/* The last one takes all with it. */
void
virfs_scratch_remove (const char *path)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  remove_sockets (path);
  remove_tree (AT_FDCWD, path);
  if (--live > 0)
    return;
  remove_tree (AT_FDCWD, mine);
  close (mine_fd);
  g_clear_pointer (&mine, g_free);
}

/* Of processes that are gone. */

/* Whether nobody has the directory PATH; it is locked by us then as long as the descriptor *FD is open. */
static gboolean
is_left (const char *path, int *fd)
{
  g_autofree char *file = g_build_filename (path, LOCK, NULL);

  *fd = open (file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  return *fd >= 0 && flock (*fd, LOCK_EX | LOCK_NB) == 0;
}

static void
remove_process (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *scratch = g_build_filename (path, name, NULL);

    remove_sockets (scratch);
  }
  remove_tree (AT_FDCWD, path);
}

static void
remove_left (const char *parent)
{
  g_autoptr (GDir) dir = g_dir_open (parent, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (parent, name, NULL);
    int fd = -1;

    if (*name != '.' && is_left (path, &fd))
      remove_process (path);
    if (fd >= 0)
      close (fd);
  }
}

/* Ours. */

/* The lock is made before the directory has its name, so that nobody takes it for one that was left. */
static char *
make_mine (const char *parent, int *fd, GError **error)
{
  g_autofree char *path = g_build_filename (parent, ".XXXXXX", NULL);
  g_autofree char *file = NULL;
  g_autofree char *named = NULL;

  if (g_mkdir_with_parents (parent, 0700) != 0 || g_mkdtemp (path) == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s: %s", path, g_strerror (errno));
    return NULL;
  }
  file = g_build_filename (path, LOCK, NULL);
  *fd = open (file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  named = g_strdup_printf ("%s/%d-%s", parent, (int) getpid (), strrchr (path, '.') + 1);
  if (*fd < 0 || flock (*fd, LOCK_EX | LOCK_NB) != 0 || rename (path, named) != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s: %s", path, g_strerror (errno));
    return NULL;
  }
  return g_steal_pointer (&named);
}

char *
virfs_scratch_new (GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  g_autofree char *parent
    = g_build_filename (geteuid () == 0 ? "/run" : g_get_user_runtime_dir (), PARENT, NULL);
  g_autofree char *path = NULL;

  if (mine == NULL) {
    remove_left (parent);
    mine = make_mine (parent, &mine_fd, error);
  }
  if (mine == NULL)
    return NULL;
  path = g_strdup_printf ("%s/%u", mine, number++);
  if (mkdir (path, 0700) == 0) {
    live++;
    return g_steal_pointer (&path);
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s: %s", path, g_strerror (errno));
  return NULL;
}
