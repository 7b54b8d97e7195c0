/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One console.  The event thread has a reference to it until its callback is gone.
 */
#include "console_stream.h"

#include "error.h"
#include "fail.h"
#include "gate.h"

#include <string.h>

/* Reads at one event: others want to be heard, too. */
#define MOST_READS 16

#define EVENTS (VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP)

void
lv_stream_unref (LvStream *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  if (self->stream != NULL)
    virStreamFree (self->stream);
  g_string_free (self->unsent, TRUE);
  lv_link_unref (self->link);
  g_free (self);
}

LvStream *
lv_stream_ref (LvStream *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static void
drop_reference (void *self)
{
  lv_stream_unref (self);
}

/* In the event thread. */

static void
take (LvStream *self, const char *bytes, gsize size)
{
  VirfsHost *host = lv_gate_enter (self->link->connection);

  if (host == NULL)
    return;
  virfs_console_take (host->object.infra, self->uuid, bytes, size);
  lv_gate_leave (self->link->connection);
}

/* FALSE: nothing comes any more. */
static gboolean
receive (LvStream *self)
{
  char buffer[16 << 10];
  int n;

  for (guint i = 0; i < MOST_READS; i++) {
    n = LV (virStreamRecv (self->stream, buffer, sizeof buffer));
    if (n <= 0)
      return n == -2;
    take (self, buffer, (gsize) n);
  }
  return TRUE;
}

static void
on_event (virStreamPtr stream, int events, void *data)
{
  LvStream *self = data;
  gboolean goes_on = !(events & VIR_STREAM_EVENT_READABLE) || receive (self);

  if (!goes_on || events & (VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP)) {
    LV (virStreamEventRemoveCallback (stream));
    lv_console_ended (self);
  } else if (events & VIR_STREAM_EVENT_WRITABLE) {
    LV (virStreamEventUpdateCallback (stream, EVENTS));
    lv_console_writable (self);
  }
}

/* In the link's thread. */

/* libvirt has no word of its own for either. */
static VirfsConsoleState
state_of_failure (GError **error, const char *name)
{
  const virError *last = lv_last_error ();
  const char *message = last && last->message ? last->message : "";

  if (strstr (message, "Active console session") != NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "somebody else has the console of %s: virsh console, which ^] ends, or another"
                 " virfs, which may be recording it",
                 name);
    return VIRFS_CONSOLE_BUSY;
  }
  if (lv_last_missing () || strstr (message, "cannot find") != NULL
      || strstr (message, "not using a PTY") != NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s has no console that libvirt could give: %s", name, message);
    return VIRFS_CONSOLE_NONE;
  }
  lv_fail (error, "cannot open the console of %s", name);
  return VIRFS_CONSOLE_CLOSED;
}

static virStreamPtr
open_console (virConnectPtr conn, const char *uuid, VirfsConsoleState *state, GError **error)
{
  g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (conn, uuid));
  g_autoptr (virStream) stream = domain ? LV (virStreamNew (conn, VIR_STREAM_NONBLOCK)) : NULL;

  *state = VIRFS_CONSOLE_CLOSED;
  if (stream == NULL) {
    lv_fail (error, "cannot open the console");
    return NULL;
  }
  if (LV (virDomainOpenConsole (domain, NULL, stream, 0)) == 0)
    return g_steal_pointer (&stream);
  *state = state_of_failure (error, lv_domain_name (domain));
  return NULL;
}

LvStream *
lv_stream_open (LvLink *link, virConnectPtr conn, const char *uuid, VirfsConsoleState *state,
                GError **error)
{
  virStreamPtr stream = open_console (conn, uuid, state, error);
  LvStream *self;

  if (stream == NULL)
    return NULL;
  self = g_new0 (LvStream, 1);
  g_atomic_ref_count_init (&self->refs);
  self->link = lv_link_ref (link);
  self->stream = stream;
  self->unsent = g_string_new (NULL);
  g_strlcpy (self->uuid, uuid, sizeof self->uuid);
  return self;
}

gboolean
lv_stream_listen (LvStream *self, GError **error)
{
  if (LV (virStreamEventAddCallback (self->stream, EVENTS, on_event, lv_stream_ref (self),
                                     drop_reference))
      == 0)
    return TRUE;
  lv_stream_unref (self);
  return lv_fail (error, "cannot listen to the console");
}

static void
pull (LvStream *self)
{
  VirfsHost *host = lv_gate_enter (self->link->connection);
  char buffer[4 << 10];
  gsize n;

  if (host == NULL)
    return;
  n = virfs_console_pull (host->object.infra, self->uuid, buffer, sizeof buffer);
  lv_gate_leave (self->link->connection);
  g_string_append_len (self->unsent, buffer, (gssize) n);
}

/* What cannot be sent because the stream has ended is told by the stream. */
void
lv_stream_send (LvStream *self)
{
  int n;

  for (;;) {
    if (self->unsent->len == 0)
      pull (self);
    if (self->unsent->len == 0)
      return;
    n = LV (virStreamSend (self->stream, self->unsent->str, self->unsent->len));
    if (n < 0)
      break;
    g_string_erase (self->unsent, 0, n);
  }
  if (n == -2)
    LV (virStreamEventUpdateCallback (self->stream, EVENTS | VIR_STREAM_EVENT_WRITABLE));
}

void
lv_stream_close (LvStream *self)
{
  LV (virStreamEventRemoveCallback (self->stream));
  LV (virStreamAbort (self->stream));
}
