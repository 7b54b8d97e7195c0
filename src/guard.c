/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ending a connection whose server is dead. */
#include "guard.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel's number of the connection, asked of nobody; 0: not known. */
static unsigned
connection_of (const char *mountpoint)
{
  struct statx facts;

  if (statx (AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &facts) < 0)
    return 0;
  return facts.stx_dev_minor;
}

/* Both ways leave the mount where it is: who has it open must not get the directory below instead. */
static void
end_connection (const char *control, const char *mountpoint)
{
  int fd = open (control, O_WRONLY | O_CLOEXEC);

  if (fd >= 0 && write (fd, "1", 1) == 1)
    return;
  /* an open directory keeps it mounted */
  fd = open (mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
  umount2 (mountpoint, MNT_FORCE);
}

/* Nothing of the program's may stay open here, and after fork() only little can be called. */
static void
watch (pid_t parent, const char *control, const char *mountpoint)
{
  sigset_t signals;
  int number;

  setsid ();
  prctl (PR_SET_NAME, "virfs-guard");
  sigfillset (&signals);
  sigprocmask (SIG_SETMASK, &signals, NULL);
  sigemptyset (&signals);
  sigaddset (&signals, SIGUSR1);
  /* the main thread has gone when this comes, whatever the others still do */
  prctl (PR_SET_PDEATHSIG, SIGUSR1);
  syscall (SYS_close_range, 0, ~0U, 0);
  if (chdir ("/") == 0 && getppid () == parent)
    sigwait (&signals, &number);
  end_connection (control, mountpoint);
  _exit (EXIT_SUCCESS);
}

int
virfs_guard_start (const char *mountpoint)
{
  g_autofree char *absolute = g_canonicalize_filename (mountpoint, NULL);
  g_autofree char *control
    = g_strdup_printf ("/sys/fs/fuse/connections/%u/abort", connection_of (mountpoint));
  pid_t parent = getpid ();
  pid_t pid = fork ();

  if (pid == 0)
    watch (parent, control, absolute);
  if (pid < 0)
    g_warning ("there is nobody who ends the mount should the program be killed: fork failed");
  return pid;
}

void
virfs_guard_end (int pid)
{
  if (pid <= 0)
    return;
  kill (pid, SIGKILL);
  waitpid (pid, NULL, 0);
}
