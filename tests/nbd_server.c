/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting NBD servers, and being a bad one. */
#include "nbd_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACTIVATED = 3 }; /* where systemd's children find their socket */

gboolean
nbd_has (const char *program)
{
  g_autofree char *path = g_find_program_in_path (program);
  g_autofree char *reason = g_strconcat (program, " is missing", NULL);

  if (path == NULL)
    g_test_skip (reason);
  return path != NULL;
}

void
nbd_shell (const NbdServer *server, const char *format, ...)
{
  g_autofree char *command = NULL, *script = NULL;
  va_list args;

  va_start (args, format);
  command = g_strdup_vprintf (format, args);
  va_end (args);
  script = g_strdup_printf ("cd '%s' && { %s; } >> log 2>&1", server->directory, command);
  g_assert_cmpint (system (script), ==, 0);
}

static int
listen_at (const NbdServer *server)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_snprintf (address.sun_path, sizeof address.sun_path, "%s/socket", server->directory);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 16), ==, 0);
  return fd;
}

NbdServer *
nbd_server_new (void)
{
  NbdServer *server = g_new0 (NbdServer, 1);

  server->directory = g_dir_make_tmp ("virfs-nbd.XXXXXX", NULL);
  g_assert_nonnull (server->directory);
  server->uri = g_strdup_printf ("nbd+unix:///?socket=%s/socket", server->directory);
  return server;
}

static void
die_with_test (gpointer unused)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

void
nbd_server_start (NbdServer *server, const char *format, ...)
{
  g_autofree char *command = NULL, *script = NULL;
  g_autoptr (GError) error = NULL;
  int listener = listen_at (server), target = ACTIVATED;
  va_list args;

  va_start (args, format);
  command = g_strdup_vprintf (format, args);
  va_end (args);
  script
    = g_strdup_printf ("unset LD_PRELOAD; LISTEN_FDS=1 LISTEN_PID=$$ exec %s >> log 2>&1", command);
  const char *argv[] = { "sh", "-c", script, NULL };
  g_spawn_async_with_pipes_and_fds (
    server->directory, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, die_with_test,
    NULL, -1, -1, -1, &listener, &target, 1, &server->pid, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  close (listener);
}

void
nbd_server_signal (NbdServer *server, int signal)
{
  g_assert_cmpint (kill (server->pid, signal), ==, 0);
}

void
nbd_server_free (NbdServer *server)
{
  if (server->thread != NULL)
    g_thread_join (server->thread);
  if (server->pid > 0) {
    kill (server->pid, SIGKILL);
    waitpid (server->pid, NULL, 0);
  }
  nbd_shell (server, "rm -rf --one-file-system '%s'", server->directory);
  g_free (server->directory);
  g_free (server->uri);
  g_free (server);
}

/* One that is no good, as the protocol has it: NetworkBlockDevice/nbd, doc/proto.md. */

#define EXPORT_SIZE (1u << 20)

typedef struct {
  int listener;
  const NbdChunk *lie;
} Liar;

static gboolean
take (int fd, void *bytes, gsize length)
{
  return recv (fd, bytes, length, MSG_WAITALL) == (gssize) length;
}

static void
give (int fd, const void *bytes, gsize length)
{
  /* the client may have had enough */
  if (send (fd, bytes, length, MSG_NOSIGNAL) < 0)
    g_assert_cmpint (errno, ==, EPIPE);
}

static void
give_u16 (int fd, guint16 value)
{
  value = GUINT16_TO_BE (value);
  give (fd, &value, sizeof value);
}

static void
give_u32 (int fd, guint32 value)
{
  value = GUINT32_TO_BE (value);
  give (fd, &value, sizeof value);
}

static void
give_u64 (int fd, guint64 value)
{
  value = GUINT64_TO_BE (value);
  give (fd, &value, sizeof value);
}

static void
give_option_reply (int fd, guint32 option, guint32 kind, guint32 length)
{
  give_u64 (fd, 0x3e889045565a9);
  give_u32 (fd, option);
  give_u32 (fd, kind);
  give_u32 (fd, length);
}

typedef struct {
  guint64 magic;
  guint32 option, length;
} __attribute__ ((packed)) Option;

/* Structured replies are allowed, the export is told, all else is refused. */
static gboolean
negotiate (int fd)
{
  enum { GO = 7, STRUCTURED_REPLY = 8, ACK = 1, INFO = 3 };
  const guint32 unsupported = (1u << 31) + 1;
  guint32 flags;
  Option option;

  give (fd, "NBDMAGICIHAVEOPT", 16);
  give_u16 (fd, 3);
  if (!take (fd, &flags, sizeof flags))
    return FALSE;
  while (take (fd, &option, sizeof option)) {
    guint32 kind = GUINT32_FROM_BE (option.option), length = GUINT32_FROM_BE (option.length);
    g_autofree char *body = g_malloc (length + 1);

    if (length > 0 && !take (fd, body, length))
      return FALSE;
    if (kind == GO) {
      give_option_reply (fd, kind, INFO, 12);
      give_u16 (fd, 0);
      give_u64 (fd, EXPORT_SIZE);
      give_u16 (fd, 1 | 2); /* has flags, read-only */
    }
    give_option_reply (fd, kind, kind == GO || kind == STRUCTURED_REPLY ? ACK : unsupported, 0);
    if (kind == GO)
      return TRUE;
  }
  return FALSE;
}

typedef struct {
  guint32 magic;
  guint16 flags, kind;
  guint64 cookie, offset;
  guint32 length;
} __attribute__ ((packed)) Request;

static void
answer (int fd, const Request *request, const NbdChunk *lie)
{
  for (; lie->length > 0; lie++) {
    g_autofree char *bytes = g_strnfill (lie->length, 'L');

    give_u32 (fd, 0x668e33ef);
    give_u16 (fd, lie[1].length == 0); /* the last */
    give_u16 (fd, 1);                  /* data at an offset */
    give (fd, &request->cookie, sizeof request->cookie);
    give_u32 (fd, lie->length + 8);
    give_u64 (fd, GUINT64_FROM_BE (request->offset) + lie->offset);
    give (fd, bytes, lie->length);
  }
}

static gpointer
serve_lies (gpointer data)
{
  g_autofree Liar *liar = data;
  int fd = accept (liar->listener, NULL, NULL);
  Request request;

  if (negotiate (fd))
    while (take (fd, &request, sizeof request) && GUINT16_FROM_BE (request.kind) == 0)
      answer (fd, &request, liar->lie);
  close (fd);
  close (liar->listener);
  return NULL;
}

void
nbd_server_lie (NbdServer *server, const NbdChunk *lie)
{
  Liar *liar = g_new (Liar, 1);

  *liar = (Liar){ listen_at (server), lie };
  server->thread = g_thread_new ("liar", serve_lies, liar);
}
