/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request after the other, from the socket that the program has given as descriptor 3.  When
 * that is closed, also because the program was killed, a second thread ends QEMU at once, whatever it is
 * doing; libguestfs then fails, and removes its files in the end.
 */
#include "helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define SOCKET 3
/* For QEMU to end and for libguestfs to see it, in seconds. */
#define LAST_MOMENTS 5

GQuark
helper_error_quark (void)
{
  return g_quark_from_static_string ("virfs-guestfs-helper");
}

void
helper_fail (GError **error, int number, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, HELPER_ERROR, number, text);
}

/* Behind the first line libguestfs says where to look for help. */
void
helper_fail_last (Helper *helper, GError **error, const char *what)
{
  int number = guestfs_last_errno (helper->g);
  const char *text = guestfs_last_error (helper->g);

  text = text ? text : "no reason given";
  helper_fail (error, number > 0 ? number : EIO, "%s%.*s", what, (int) strcspn (text, "\n"), text);
}

void
helper_strings_free (HelperStrings strings)
{
  for (guint i = 0; strings != NULL && strings[i] != NULL; i++)
    free (strings[i]);
  free (strings);
}

/* Answers. */

static void
answer (Helper *helper, VirfsWireAnswer kind, int number, gconstpointer payload, gsize length)
{
  VirfsWireHeader header = { helper->id, kind, number, length };

  if (!virfs_wire_send (helper->fd, &header, payload)) {
    guestfs_close (helper->g);
    exit (EXIT_FAILURE);
  }
}

void
helper_more (Helper *helper, GByteArray *out)
{
  answer (helper, VIRFS_WIRE_MORE, 0, out->data, out->len);
  g_byte_array_set_size (out, 0);
}

static void
answer_failure (Helper *helper, const GError *error)
{
  g_autofree char *text = g_strndup (error->message, VIRFS_WIRE_TEXT_MAX);
  g_autoptr (GByteArray) out = g_byte_array_new ();

  virfs_wire_put_text (out, text);
  answer (helper, VIRFS_WIRE_FAILED, error->code, out->data, out->len);
}

/* Requests. */

typedef gboolean (*Serve) (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error);

static const Serve serves[VIRFS_WIRE_REQUESTS] = {
  [VIRFS_WIRE_OPEN] = helper_open,   [VIRFS_WIRE_LIST] = helper_list,
  [VIRFS_WIRE_STATS] = helper_stats, [VIRFS_WIRE_XATTRS] = helper_xattrs,
  [VIRFS_WIRE_READ] = helper_read,   [VIRFS_WIRE_INSPECT] = helper_inspect,
};

/* An appliance that has gone does not come back; who is left without an answer will start another. */
static void
end_with_appliance (Helper *helper, guint32 kind)
{
  if (kind == VIRFS_WIRE_OPEN || guestfs_is_ready (helper->g) > 0)
    return;
  guestfs_close (helper->g);
  exit (EXIT_FAILURE);
}

static void
serve (Helper *helper, const VirfsWireHeader *header, const GByteArray *request)
{
  VirfsWireReader in = virfs_wire_reader (request);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  helper->id = header->id;
  if (header->kind >= VIRFS_WIRE_REQUESTS)
    helper_fail (&error, EPROTO, "no such request");
  else if (serves[header->kind](helper, &in, out, &error) && out->len > VIRFS_WIRE_MAX)
    helper_fail (&error, EOVERFLOW, "the answer is too long");
  if (error != NULL)
    end_with_appliance (helper, header->kind);
  if (error != NULL)
    answer_failure (helper, error);
  else
    answer (helper, VIRFS_WIRE_DONE, 0, out->data, out->len);
}

/* Its end. */

static void
ignore (int number)
{
}

/* QEMU is in our process group; we alone have a handler for this signal. */
static gpointer
watch_socket (gpointer data)
{
  struct pollfd end = { .fd = SOCKET, .events = POLLRDHUP };

  while (poll (&end, 1, -1) < 0 && errno == EINTR)
    continue;
  kill (0, SIGTERM);
  sleep (LAST_MOMENTS);
  kill (0, SIGKILL);
  return NULL;
}

static void
be_harmless (void)
{
  struct sigaction action = { .sa_handler = ignore };
  struct rlimit none = { 0, 0 };

  setsid ();
  sigaction (SIGTERM, &action, NULL);
  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int
main (int argc, char **argv)
{
  g_autoptr (GByteArray) request = g_byte_array_new ();
  Helper helper = { .fd = SOCKET, .targets = g_ptr_array_new_with_free_func (g_free) };
  VirfsWireHeader header;

  be_harmless ();
  helper.g = guestfs_create ();
  if (helper.g == NULL)
    return EXIT_FAILURE;
  guestfs_set_error_handler (helper.g, NULL, NULL);
  g_thread_unref (g_thread_new ("watch", watch_socket, NULL));
  while (virfs_wire_receive (SOCKET, &header, request))
    serve (&helper, &header, request);
  guestfs_close (helper.g);
  g_ptr_array_unref (helper.targets);
  return EXIT_SUCCESS;
}
