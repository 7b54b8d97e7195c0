/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a directory has a virfs already, and whether that lives.  Nothing here but the process that is begun for
 * it asks the file system: one whose program was killed may never answer.
 */
#include "mountpoint.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The guard of one that was killed needs moments; one that lives answers at once but on a machine that is busy. */
#define PATIENCE   (10 * G_TIME_SPAN_SECOND)
#define LOOK_AGAIN (5 * G_TIME_SPAN_MILLISECOND)

/* What is mounted. */

/* The number of the mount that FD is in, asked of the kernel alone; NULL: not known. */
static char *
mount_of (int fd)
{
  g_autofree char *file = g_strdup_printf ("/proc/self/fdinfo/%d", fd);
  g_autofree char *text = NULL;
  const char *found;

  if (!g_file_get_contents (file, &text, NULL, NULL))
    return NULL;
  found = strstr (text, "mnt_id:");
  return found ? g_strdup_printf ("%d", atoi (found + strlen ("mnt_id:"))) : NULL;
}

/* LINE of mountinfo, see proc(5): number, parent, device, root, place, options, some more, `-`, type. */
static gboolean
is_virfs_at (char **words, const char *number, const char *place)
{
  g_autofree char *theirs = NULL;
  guint i = 6;

  if (g_strv_length (words) < 9 || !g_str_equal (words[0], number))
    return FALSE;
  theirs = g_strcompress (words[4]); /* blanks and backslashes are octal */
  while (words[i] != NULL && !g_str_equal (words[i], "-"))
    i++;
  return words[i] != NULL && g_strcmp0 (words[i + 1], "fuse.virfs") == 0
         && g_str_equal (theirs, place);
}

/* Whether FD is the root of a virfs, not something in one. */
static gboolean
is_virfs (int fd)
{
  g_autofree char *number = mount_of (fd);
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *place = g_file_read_link (link, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean found = FALSE;

  if (number == NULL || place == NULL
      || !g_file_get_contents ("/proc/self/mountinfo", &text, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line && !found; line++) {
    g_auto (GStrv) words = g_strsplit (*line, " ", -1);

    found = is_virfs_at (words, number, place);
  }
  return found;
}

/* Whether it lives. */

/* In a process of its own.  It may stay in the kernel, so it must have nothing open that others wait for; and
 * after fork() only little can be called. */
static void
ask (int fd)
{
  struct statx facts;

  if (dup2 (fd, 0) < 0 || chdir ("/") < 0)
    _exit (EIO);
  syscall (SYS_close_range, 1, ~0U, 0);
  if (statx (0, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &facts) < 0)
    _exit (errno);
  _exit (0);
}

/* What asking FD gives: an errno, 0 if it answers, ETIMEDOUT if it does not. */
static int
ask_for_a_while (int fd)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  pid_t pid = fork (), gone;
  int status = 0;

  if (pid < 0)
    return errno;
  if (pid == 0)
    ask (fd);
  while ((gone = waitpid (pid, &status, WNOHANG)) == 0 && g_get_monotonic_time () < end)
    g_usleep (LOOK_AGAIN);
  if (gone == pid)
    return WIFEXITED (status) ? WEXITSTATUS (status) : EIO;
  kill (pid, SIGKILL); /* it goes when it can */
  return ETIMEDOUT;
}

/* TRUE: its program has ended, and the kernel knows it. */
static gboolean
is_dead (int fd, const char *path, GError **error)
{
  int answer = ask_for_a_while (fd);

  /* what was asked already when the connection ended is told the latter */
  if (answer == ENOTCONN || answer == ECONNABORTED)
    return TRUE;
  if (answer == ETIMEDOUT)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "%s is mounted by another virfs, which does not answer: if it is gone,"
                 " `fusermount3 -u -z %s` takes away what it has left",
                 path, path);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s is mounted by another virfs", path);
  return FALSE;
}

/* Taking it away. */

/* Who is not root needs the program that mounts for him. */
static gboolean
run_fusermount (const char *place)
{
  const char *arguments[] = { "fusermount3", "-u", "-z", "-q", "--", place, NULL };
  int status;

  return g_spawn_sync (NULL, (char **) arguments, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL
                         | G_SPAWN_STDERR_TO_DEV_NULL,
                       NULL, NULL, NULL, NULL, &status, NULL)
         && g_spawn_check_wait_status (status, NULL);
}

/* It goes from its place at once, and for good when nobody has anything of it open. */
static gboolean
take_away (int fd, const char *path, GError **error)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *place = g_file_read_link (link, NULL);

  if (umount2 (link, MNT_DETACH) == 0 || (place != NULL && run_fusermount (place))) {
    g_message ("%s: what a virfs that was killed had left there has been unmounted", path);
    return TRUE;
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s is what a virfs that was killed has left, and cannot be unmounted;"
               " try `fusermount3 -u %s`",
               path, path);
  return FALSE;
}

/* Both. */

static int
open_to_look (const char *path)
{
  return open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* There may be several on top of each other. */
static gboolean
clear (const char *path, GError **error)
{
  gboolean cleared = TRUE;
  int fd;

  while (cleared && (fd = open_to_look (path)) >= 0) {
    gboolean found = is_virfs (fd);

    cleared = !found || (is_dead (fd, path, error) && take_away (fd, path, error));
    close (fd);
    if (!found)
      break;
  }
  return cleared;
}

gboolean
virfs_mountpoint_take (const char *path, int *hold, GError **error)
{
  *hold = -1;
  if (!clear (path, error))
    return FALSE;
  /* of two that begin at once both would find nothing: the directory below is locked meanwhile */
  *hold = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*hold < 0)
    return TRUE;
  if (flock (*hold, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "another virfs is being mounted at %s",
                 path);
  else if (clear (path, error))
    return TRUE;
  virfs_mountpoint_release (hold);
  return FALSE;
}

void
virfs_mountpoint_release (int *hold)
{
  if (*hold >= 0)
    close (*hold);
  *hold = -1;
}
