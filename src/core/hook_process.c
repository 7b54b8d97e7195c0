/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook_process.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Bytes of its output that are kept. */
#define OUTPUT 4096
/* Most reads before its time is looked at again. */
#define READS 64

struct VirfsHookProcess {
  int output, ended; /* to read what it writes; can be read when it has ended */
  GMutex lock;
  GPid pid; /* under lock; 0: it was waited for, so the number may be another's */
};

/* In the child, after fork(). */
static void
set_up (gpointer data)
{
  sigset_t none;

  setsid ();
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

static gboolean
spawn (const char *program, char **environment, int output, GPid *pid, GError **error)
{
  const char *arguments[] = { program, NULL };
  g_autoptr (GError) wrong = NULL;

  if (g_spawn_async_with_pipes_and_fds ("/", arguments, (const char *const *) environment,
                                        G_SPAWN_DO_NOT_REAP_CHILD, set_up, NULL, -1, output, output,
                                        NULL, NULL, 0, pid, NULL, NULL, NULL, &wrong))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s cannot be run: %s", program,
               wrong->message);
  return FALSE;
}

VirfsHookProcess *
virfs_hook_process_new (const char *program, char **environment, GError **error)
{
  int pipe[2];
  VirfsHookProcess *self;
  GPid pid;
  gboolean spawned;

  if (pipe2 (pipe, O_CLOEXEC) != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "pipe: %s", g_strerror (errno));
    return NULL;
  }
  spawned = spawn (program, environment, pipe[1], &pid, error);
  close (pipe[1]);
  if (!spawned) {
    close (pipe[0]);
    return NULL;
  }
  self = g_new0 (VirfsHookProcess, 1);
  g_mutex_init (&self->lock);
  self->pid = pid;
  self->ended = pidfd_open (pid, 0);
  self->output = pipe[0];
  fcntl (self->output, F_SETFL, O_NONBLOCK);
  return self;
}

void
virfs_hook_process_kill (VirfsHookProcess *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->pid == 0)
    return;
  kill (-self->pid, SIGKILL);
  kill (self->pid, SIGKILL); /* should it not have got its session yet */
}

/* Some of what there is now; FALSE: nothing comes any more. */
static gboolean
take_output (VirfsHookProcess *self, GString *output)
{
  char buffer[1024];
  gssize got = 1;

  for (guint i = 0; i < READS && got > 0; i++) {
    got = read (self->output, buffer, sizeof buffer);
    if (got > 0)
      g_string_append_len (output, buffer, MIN (got, (gssize) (OUTPUT - output->len)));
  }
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Until it has ended, or TIME has come. */
static gboolean
follow (VirfsHookProcess *self, gint64 time, GString *output)
{
  struct pollfd fds[]
    = { { .fd = self->ended, .events = POLLIN }, { .fd = self->output, .events = POLLIN } };
  gint64 left;

  while ((left = time - g_get_monotonic_time ()) > 0) {
    if (poll (fds, G_N_ELEMENTS (fds), (int) (left / 1000) + 1) < 0 && errno != EINTR)
      return FALSE;
    if (fds[1].revents && !take_output (self, output))
      fds[1].fd = -1;
    if (fds[0].revents) {
      take_output (self, output);
      return TRUE;
    }
  }
  return FALSE;
}

static int
reap (VirfsHookProcess *self)
{
  GPid pid = self->pid; /* nobody else writes it */
  int status = 0;

  g_mutex_lock (&self->lock);
  self->pid = 0;
  g_mutex_unlock (&self->lock);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

/* As one line. */
static char *
print_output (GString *output)
{
  g_autofree char *valid = g_utf8_make_valid (output->str, (gssize) output->len);

  return g_strdup (g_strchomp (valid));
}

char *
virfs_hook_process_wait (VirfsHookProcess *self, guint seconds, GError **error)
{
  g_autoptr (GString) output = g_string_new (NULL);
  gint64 end = g_get_monotonic_time () + (gint64) seconds * G_USEC_PER_SEC;
  gboolean ended = self->ended >= 0 && follow (self, end, output);
  int status;

  /* also what it has left behind: as long as it was not waited for, the group is its own */
  virfs_hook_process_kill (self);
  status = reap (self);
  if (!ended)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_TIMED_OUT,
                 "the hook has not ended within %u seconds, and was killed", seconds);
  else if (WIFSIGNALED (status))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "the hook was ended by signal %d",
                 WTERMSIG (status));
  else if (WEXITSTATUS (status) != 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "the hook has ended with status %d",
                 WEXITSTATUS (status));
  return print_output (output);
}

void
virfs_hook_process_free (VirfsHookProcess *self)
{
  close (self->output);
  if (self->ended >= 0)
    close (self->ended);
  g_mutex_clear (&self->lock);
  g_free (self);
}
