/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Consoles: their logs, and what is on its way between guests and terminals. */
#include "console_private.h"

#include <string.h>

/* Bytes of the logs of all guests together, beyond which each keeps its share. */
#define LOGS_MOST (64u << 20)

const char *
virfs_console_state_name (VirfsConsoleState state)
{
  static const char *const names[] = {
    [VIRFS_CONSOLE_CLOSED] = "closed",
    [VIRFS_CONSOLE_OPEN] = "open",
    [VIRFS_CONSOLE_BUSY] = "busy",
    [VIRFS_CONSOLE_NONE] = "none",
  };

  return names[state];
}

static VirfsConsole *
console_new (void)
{
  VirfsConsole *self = g_new0 (VirfsConsole, 1);

  self->refs = 1;
  self->log = g_string_new (NULL);
  self->carry = g_string_new (NULL);
  self->raw = g_string_new (NULL);
  self->out = g_string_new (NULL);
  self->terminals = g_ptr_array_new ();
  return self;
}

void
virfs_console_unref (gpointer data)
{
  VirfsConsole *self = data;

  if (--self->refs > 0)
    return;
  g_string_free (self->log, TRUE);
  g_string_free (self->carry, TRUE);
  g_string_free (self->raw, TRUE);
  g_string_free (self->out, TRUE);
  g_ptr_array_unref (self->terminals);
  g_free (self);
}

struct VirfsConsoles *
virfs_consoles_new (void)
{
  VirfsConsoles *self = g_new0 (VirfsConsoles, 1);

  g_mutex_init (&self->lock);
  self->all = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, virfs_console_unref);
  self->limit = VIRFS_CONSOLE_BYTES;
  return self;
}

void
virfs_consoles_free (VirfsConsoles *self)
{
  g_hash_table_unref (self->all);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
virfs_consoles_forget (VirfsConsoles *self, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VirfsConsole *console = g_hash_table_lookup (self->all, uuid);

  if (console == NULL)
    return;
  virfs_console_finish (console, 0);
  self->bytes -= console->log->len;
  g_hash_table_remove (self->all, uuid);
}

void
virfs_console_set_limit (VirfsInfra *infra, guint bytes)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->consoles->lock);

  infra->consoles->limit = bytes;
}

VirfsConsole *
virfs_console_get (VirfsConsoles *self, const char *uuid)
{
  VirfsConsole *console = g_hash_table_lookup (self->all, uuid);

  if (console == NULL) {
    console = console_new ();
    g_hash_table_insert (self->all, g_strdup (uuid), console);
  }
  return console;
}

/* Its files show something else. */
static void
touch (VirfsInfra *infra, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsVm *vm = g_hash_table_lookup (infra->vms, uuid);

  if (vm != NULL)
    virfs_registry_emit (infra, VIRFS_CHANGED, vm, VIRFS_BIT (VIRFS_VM_CONSOLE), vm->info,
                         vm->info);
}

/* What is known. */

VirfsConsoleState
virfs_console_state (VirfsInfra *infra, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->consoles->lock);
  VirfsConsole *console = g_hash_table_lookup (infra->consoles->all, uuid);

  return console ? console->state : VIRFS_CONSOLE_CLOSED;
}

gint64
virfs_console_changed (VirfsInfra *infra, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->consoles->lock);
  VirfsConsole *console = g_hash_table_lookup (infra->consoles->all, uuid);

  return console ? console->changed : 0;
}

gboolean
virfs_console_is_used (VirfsInfra *infra, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->consoles->lock);
  VirfsConsole *console = g_hash_table_lookup (infra->consoles->all, uuid);

  return console != NULL && console->users > 0;
}

static gboolean
set_state (VirfsConsoles *self, const char *uuid, gconstpointer by, VirfsConsoleState state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VirfsConsole *console = state == VIRFS_CONSOLE_CLOSED ? g_hash_table_lookup (self->all, uuid)
                                                        : virfs_console_get (self, uuid);

  /* of a guest that is gone nothing is begun anew */
  if (console == NULL)
    return FALSE;
  if (state == VIRFS_CONSOLE_OPEN)
    console->holder = by;
  if (console->state == state || (console->holder != NULL && console->holder != by))
    return FALSE;
  console->holder = state == VIRFS_CONSOLE_OPEN ? by : NULL;
  console->state = state;
  console->changed = g_get_real_time ();
  return TRUE;
}

void
virfs_console_tell (VirfsInfra *infra, const char *uuid, gconstpointer by, VirfsConsoleState state)
{
  if (set_state (infra->consoles, uuid, by, state))
    touch (infra, uuid);
}

/* Logs. */

gsize
virfs_console_log_size (VirfsInfra *infra, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->consoles->lock);
  VirfsConsole *console = g_hash_table_lookup (infra->consoles->all, uuid);

  return console ? console->log->len : 0;
}

gsize
virfs_console_log_read (VirfsInfra *infra, const char *uuid, goffset offset, char *buffer,
                        gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->consoles->lock);
  VirfsConsole *console = g_hash_table_lookup (infra->consoles->all, uuid);

  if (console == NULL || offset < 0 || (guint64) offset >= console->log->len)
    return 0;
  size = MIN (size, console->log->len - (gsize) offset);
  memcpy (buffer, console->log->str + offset, size);
  return size;
}

/* Leaves KEEP bytes or less, from the beginning of a line on if there is one. */
static void
cut_log (VirfsConsoles *self, VirfsConsole *console, gsize keep)
{
  gsize before = console->log->len, at = before - MIN (before, keep);
  const char *newline = at ? memchr (console->log->str + at, '\n', console->log->len - at) : NULL;

  if (at == 0)
    return;
  if (newline != NULL)
    at = (gsize) (newline + 1 - console->log->str);
  while (at < before && (console->log->str[at] & 0xc0) == 0x80)
    at++;
  g_string_erase (console->log, 0, (gssize) at);
  self->bytes -= at;
}

/* Half of it is free then, so this is not soon done again. */
static void
cut_all_logs (VirfsConsoles *self)
{
  gsize share = LOGS_MOST / 2 / g_hash_table_size (self->all);
  GHashTableIter iter;
  gpointer console;

  g_hash_table_iter_init (&iter, self->all);
  while (g_hash_table_iter_next (&iter, NULL, &console))
    cut_log (self, console, share);
}

static void
add_log (VirfsConsoles *self, VirfsConsole *console, const char *bytes, gsize size)
{
  gsize before = console->log->len;

  virfs_console_escape (console->log, console->carry, bytes, size);
  self->bytes += console->log->len - before;
  if (console->log->len > self->limit)
    cut_log (self, console, self->limit / 2);
  if (self->bytes > LOGS_MOST)
    cut_all_logs (self);
  console->changed = g_get_real_time ();
}

static void
take (VirfsConsoles *self, const char *uuid, const char *bytes, gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VirfsConsole *console = virfs_console_get (self, uuid);

  add_log (self, console, bytes, size);
  virfs_console_pass_on (console, bytes, size);
}

void
virfs_console_take (VirfsInfra *infra, const char *uuid, const char *bytes, gsize size)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (infra, uuid);

  if (vm == NULL)
    return;
  take (infra->consoles, uuid, bytes, size);
  touch (infra, uuid);
}

static void
clear (VirfsConsoles *self, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VirfsConsole *console = g_hash_table_lookup (self->all, uuid);

  if (console == NULL)
    return;
  self->bytes -= console->log->len;
  g_string_free (console->log, TRUE);
  console->log = g_string_new (NULL);
  console->changed = g_get_real_time ();
}

void
virfs_console_clear_log (VirfsInfra *infra, const char *uuid)
{
  clear (infra->consoles, uuid);
  touch (infra, uuid);
}
