/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting and ending helpers. */
#include "helper_process.h"

#include "error.h"
#include "scratch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Milliseconds until a helper that does not end is killed; it takes some of that itself to end QEMU. */
#define END_MS 8000
/* The descriptor that the helper expects its socket at. */
#define CHILD_SOCKET 3

struct VirfsHelperProcess {
  int fd;
  GPid pid;
  char *scratch;
};

/* XDG_RUNTIME_DIR is where libguestfs has its sockets, unless it runs as root. */
static gboolean
spawn (VirfsHelperProcess *self, const char *program, int socket, GError **error)
{
  const char *arguments[] = { program, NULL };
  int target = CHILD_SOCKET;
  g_auto (GStrv) environment = g_get_environ ();
  g_autoptr (GError) wrong = NULL;

  environment = g_environ_setenv (environment, "XDG_RUNTIME_DIR", self->scratch, TRUE);
  if (g_spawn_async_with_pipes_and_fds (
        "/", arguments, (const char *const *) environment,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
        NULL, -1, -1, -1, &socket, &target, 1, &self->pid, NULL, NULL, NULL, &wrong))
    return TRUE;
  if (g_error_matches (wrong, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "there is no %s: virfs has to be built with libguestfs for this", program);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s: %s", program, wrong->message);
  return FALSE;
}

VirfsHelperProcess *
virfs_helper_process_new (const char *program, GError **error)
{
  g_autofree VirfsHelperProcess *self = g_new0 (VirfsHelperProcess, 1);
  int sockets[2];
  gboolean spawned;

  self->scratch = virfs_scratch_new (error);
  if (self->scratch == NULL)
    return NULL;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "socketpair: %s", g_strerror (errno));
    spawned = FALSE;
  } else {
    spawned = spawn (self, program, sockets[1], error);
    close (sockets[1]);
    self->fd = sockets[0];
  }
  if (spawned)
    return g_steal_pointer (&self);
  if (self->fd > 0)
    close (self->fd);
  virfs_scratch_remove (self->scratch);
  g_free (self->scratch);
  return NULL;
}

/* Its process group is killed before it is waited for: until then its number is no other's. */
void
virfs_helper_process_end (VirfsHelperProcess *self)
{
  struct pollfd ended = { .fd = pidfd_open (self->pid, 0), .events = POLLIN };

  close (self->fd);
  if (ended.fd >= 0) {
    while (poll (&ended, 1, END_MS) < 0 && errno == EINTR)
      continue;
    close (ended.fd);
  }
  kill (-self->pid, SIGKILL);
  kill (self->pid, SIGKILL);
  while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR)
    continue;
  virfs_scratch_remove (self->scratch);
  g_free (self->scratch);
  g_free (self);
}

void
virfs_helper_process_interrupt (VirfsHelperProcess *self)
{
  shutdown (self->fd, SHUT_RDWR);
}

gboolean
virfs_helper_process_is_gone (VirfsHelperProcess *self)
{
  char byte;

  return recv (self->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

int
virfs_helper_process_pid (const VirfsHelperProcess *self)
{
  return self->pid;
}

const char *
virfs_helper_process_scratch (const VirfsHelperProcess *self)
{
  return self->scratch;
}

void
virfs_helper_process_limit (VirfsHelperProcess *self, guint seconds)
{
  struct timeval limit = { .tv_sec = seconds };

  setsockopt (self->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

gboolean
virfs_helper_process_send (VirfsHelperProcess *self, const VirfsWireHeader *header,
                           const GByteArray *payload)
{
  return virfs_wire_send (self->fd, header, payload->data);
}

gboolean
virfs_helper_process_receive (VirfsHelperProcess *self, VirfsWireHeader *header,
                              GByteArray *payload)
{
  return virfs_wire_receive (self->fd, header, payload);
}
