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
#define PATIENCE 10000 /* milliseconds */

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

/* In a process of its own, which has END open.  It may stay in the kernel, so it must have nothing else open that others
 * wait for; and after fork() only little can be called. */
static void
ask (int fd, int end)
{
  struct statx facts;

  if (dup2 (fd, 0) < 0 || dup2 (end, 1) < 0 || chdir ("/") < 0)
    _exit (EIO);
  syscall (SYS_close_range, 2, ~0U, 0);
  if (statx (0, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &facts) < 0)
    _exit (errno);
  _exit (0);
}

/* Whether the other end of the pipe is closed in time. */
static gboolean
await_end (int end)
{
  GPollFD one = { .fd = end };
  int n;

  do
    n = g_poll (&one, 1, PATIENCE);
  while (n < 0 && errno == EINTR);
  return n > 0;
}

/* What asking FD gives: an errno, 0 if it answers, ETIMEDOUT if it does not. */
static int
ask_for_a_while (int fd)
{
  int ends[2], status = 0;
  gboolean ended;
  pid_t pid;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    return errno;
  pid = fork ();
  if (pid == 0)
    ask (fd, ends[1]);
  close (ends[1]);
  ended = pid > 0 && await_end (ends[0]);
  close (ends[0]);
  if (pid < 0)
    return EAGAIN;
  if (!ended)
    kill (pid, SIGKILL); /* it goes when it can */
  else if (waitpid (pid, &status, 0) == pid)
    return WIFEXITED (status) ? WEXITSTATUS (status) : EIO;
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
