/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Those who talk to consoles.  All of a session hear the same from when they came; the session ends when the
 * guest stops or its host is lost, and whoever talks to it then is told so when he has heard all.
 */
#include "console_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* Bytes that somebody may lag behind, and that may wait to be sent. */
#define RAW_MOST (256u << 10)
#define OUT_MOST (16u << 10)

typedef struct {
  VirfsTerminal terminal;
  VirfsVm *vm; /* a reference */
  VirfsConsole *console;
  guint session;
  /* under the lock */
  guint64 position;
  VirfsTerminalNews news;
  gpointer data;
} Terminal;

static VirfsConsoles *
consoles_of (Terminal *self)
{
  return self->vm->object.infra->consoles;
}

/* Under the lock, as the next. */
static void
tell_news (VirfsConsole *console)
{
  for (guint i = 0; i < console->terminals->len; i++) {
    Terminal *terminal = console->terminals->pdata[i];

    if (terminal->news != NULL)
      terminal->news (terminal->data);
  }
}

static guint64
raw_end (const VirfsConsole *console)
{
  return console->raw_start + console->raw->len;
}

void
virfs_console_pass_on (VirfsConsole *console, const char *bytes, gsize size)
{
  if (console->users == 0)
    return;
  g_string_append_len (console->raw, bytes, (gssize) size);
  if (console->raw->len > RAW_MOST) {
    gsize lost = console->raw->len - RAW_MOST / 2;

    g_string_erase (console->raw, 0, (gssize) lost);
    console->raw_start += lost;
  }
  tell_news (console);
}

void
virfs_console_finish (VirfsConsole *console, int error)
{
  console->session++;
  console->users = 0;
  console->ended = raw_end (console);
  console->error = error;
  g_string_truncate (console->out, 0);
  tell_news (console);
}

void
virfs_console_end (VirfsInfra *infra, const char *uuid, int error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->consoles->lock);
  VirfsConsole *console = g_hash_table_lookup (infra->consoles->all, uuid);

  if (console != NULL && console->users > 0)
    virfs_console_finish (console, error);
}

gsize
virfs_console_pull (VirfsInfra *infra, const char *uuid, char *buffer, gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->consoles->lock);
  VirfsConsole *console = g_hash_table_lookup (infra->consoles->all, uuid);

  if (console == NULL || console->out->len == 0)
    return 0;
  size = MIN (size, console->out->len);
  memcpy (buffer, console->out->str, size);
  g_string_erase (console->out, 0, (gssize) size);
  tell_news (console);
  return size;
}

/* The class. */

/* Under the lock, as the next. */
static gboolean
has_ended (const Terminal *self)
{
  return self->session != self->console->session;
}

static gsize
available (Terminal *self)
{
  const VirfsConsole *console = self->console;
  guint64 end = has_ended (self) ? MIN (console->ended, raw_end (console)) : raw_end (console);

  self->position = MAX (self->position, console->raw_start);
  return self->position < end ? (gsize) (end - self->position) : 0;
}

static gssize
terminal_read (VirfsTerminal *terminal, char *buffer, gsize size)
{
  Terminal *self = (Terminal *) terminal;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consoles_of (self)->lock);
  gsize n = MIN (size, available (self));

  if (n == 0)
    return has_ended (self) ? -self->console->error : -EAGAIN;
  memcpy (buffer, self->console->raw->str + (self->position - self->console->raw_start), n);
  self->position += n;
  return (gssize) n;
}

static gssize
add_out (Terminal *self, const char *data, gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consoles_of (self)->lock);
  gsize room = OUT_MOST - self->console->out->len;

  if (has_ended (self))
    return -EIO;
  if (room == 0)
    return -EAGAIN;
  size = MIN (size, room);
  g_string_append_len (self->console->out, data, (gssize) size);
  return (gssize) size;
}

static gssize
terminal_write (VirfsTerminal *terminal, const char *data, gsize size)
{
  Terminal *self = (Terminal *) terminal;
  gssize taken = add_out (self, data, size);

  if (taken > 0)
    virfs_infra_backend (self->vm->object.infra)->console_send (self->vm);
  return taken;
}

static short
terminal_poll (VirfsTerminal *terminal)
{
  Terminal *self = (Terminal *) terminal;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consoles_of (self)->lock);

  if (has_ended (self))
    return POLLIN | POLLHUP;
  return (short) ((available (self) > 0 ? POLLIN : 0)
                  | (self->console->out->len < OUT_MOST ? POLLOUT : 0));
}

static void
terminal_watch (VirfsTerminal *terminal, VirfsTerminalNews news, gpointer data)
{
  Terminal *self = (Terminal *) terminal;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consoles_of (self)->lock);

  self->news = news;
  self->data = data;
}

/* Whether nobody talks to it any more who did. */
static gboolean
leave (Terminal *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consoles_of (self)->lock);
  VirfsConsole *console = self->console;
  gboolean last = !has_ended (self) && --console->users == 0;

  g_ptr_array_remove_fast (console->terminals, self);
  if (last)
    g_string_truncate (console->out, 0);
  if (console->terminals->len == 0) {
    console->raw_start = raw_end (console);
    g_string_truncate (console->raw, 0);
  }
  virfs_console_unref (console);
  return last;
}

static void
terminal_close (VirfsTerminal *terminal)
{
  Terminal *self = (Terminal *) terminal;

  if (leave (self))
    virfs_infra_backend (self->vm->object.infra)->console_leave (self->vm);
  virfs_object_unref (self->vm);
  g_free (self);
}

VirfsTerminal *
virfs_console_attach (VirfsVm *vm)
{
  static const VirfsTerminalClass class = { terminal_read, terminal_write, terminal_poll,
                                            terminal_watch, terminal_close };
  VirfsConsoles *consoles = vm->object.infra->consoles;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consoles->lock);
  VirfsConsole *console = virfs_console_get (consoles, vm->uuid);
  Terminal *self = g_new0 (Terminal, 1);

  self->terminal.class = &class;
  self->vm = virfs_object_ref (vm);
  self->console = console;
  self->session = console->session;
  self->position = raw_end (console);
  console->refs++;
  console->users++;
  g_ptr_array_add (console->terminals, self);
  return &self->terminal;
}
