/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which consoles are to be open, who is told what becomes of them, and the backend's functions. */
#include "console_work.h"

#include "connection.h"
#include "error.h"
#include "gate.h"

#include <errno.h>

/* Telling. */

void
lv_console_tell (LvLink *link, const char *uuid, VirfsConsoleState state, int error)
{
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_console_tell (host->object.infra, uuid, link, state);
  if (error >= 0)
    virfs_console_end (host->object.infra, uuid, error);
  lv_gate_leave (link->connection);
}

/* What is wanted. */

/* While a guest moves it has a console on either host; the one that it leaves says nothing of its end. */
static gboolean
is_at_home (VirfsHost *host, const char *uuid)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (infra, uuid);
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

  return info != NULL && info->host == host && !virfs_infra_is_moving (infra, vm);
}

static LvConsoleWish
wish (VirfsHost *host, const char *uuid, const VirfsVmInfo *info)
{
  gboolean used = virfs_console_is_used (host->object.infra, uuid);

  if (info == NULL)
    return LV_WISH_CLOSE;
  if (!virfs_vm_state_active (info->state))
    return used && is_at_home (host, uuid) ? LV_WISH_END : LV_WISH_CLOSE;
  return used || info->record ? LV_WISH_OPEN : LV_WISH_CLOSE;
}

LvConsoleWish
lv_console_wish (LvLink *link, const char *uuid)
{
  g_autoptr (VirfsVmInfo) info = lv_gate_known_vm (link, uuid);
  VirfsHost *host = lv_gate_enter (link->connection);
  LvConsoleWish is;

  if (host == NULL)
    return LV_WISH_NONE;
  is = wish (host, uuid, info);
  lv_gate_leave (link->connection);
  return is;
}

/* Unless it is where the guest is to come. */
void
lv_console_tell_failure (LvLink *link, const char *uuid, VirfsConsoleState state)
{
  VirfsHost *host = lv_gate_enter (link->connection);
  gboolean at_home;

  if (host == NULL)
    return;
  at_home = is_at_home (host, uuid);
  lv_gate_leave (link->connection);
  if (at_home)
    lv_console_tell (link, uuid, state, EIO);
}

static void
add_guest (VirfsVm *vm, const VirfsVmInfo *info, gpointer guests)
{
  g_ptr_array_add (guests, g_strdup (info->uuid));
}

/* The streams may have ended before, which tells nobody that nothing will come any more. */
void
lv_console_end_used (LvLink *link)
{
  g_autoptr (GPtrArray) guests = g_ptr_array_new_with_free_func (g_free);
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_infra_foreach_vm (host->object.infra, host, add_guest, guests);
  for (guint i = 0; i < guests->len; i++)
    if (virfs_console_is_used (host->object.infra, guests->pdata[i])
        && is_at_home (host, guests->pdata[i]))
      virfs_console_end (host->object.infra, guests->pdata[i], EIO);
  lv_gate_leave (link->connection);
}

/* Looking. */

void
lv_console_look (LvLink *link, const char *uuid)
{
  g_autoptr (LvStream) stream = lv_console_stream (link->consoles, uuid);
  LvConsoleWish is = lv_console_wish (link, uuid);

  if (is == LV_WISH_OPEN && stream == NULL)
    lv_console_push (link, LV_WORK_OPEN, uuid, NULL, NULL);
  else if ((is == LV_WISH_CLOSE || is == LV_WISH_END) && stream != NULL)
    lv_console_push (link, LV_WORK_CLOSE, uuid, NULL, NULL);
  if (is == LV_WISH_END)
    lv_console_tell (link, uuid, VIRFS_CONSOLE_CLOSED, 0);
}

static void
add_recorded (VirfsVm *vm, const VirfsVmInfo *info, gpointer guests)
{
  if (info->record)
    g_ptr_array_add (guests, g_strdup (info->uuid));
}

void
lv_console_poll (LvLink *link)
{
  g_autoptr (GPtrArray) guests = g_ptr_array_new_with_free_func (g_free);
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_infra_foreach_vm (host->object.infra, host, add_recorded, guests);
  lv_gate_leave (link->connection);
  for (guint i = 0; i < guests->len; i++)
    lv_console_look (link, guests->pdata[i]);
}

/* The backend's functions. */

static LvLink *
link_of (VirfsVm *vm, GError **error)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  return lv_host_link (info->host, error);
}

void
lv_console_open (VirfsVm *vm, VirfsJob *job)
{
  GError *error = NULL;
  g_autoptr (LvLink) link = link_of (vm, &error);

  if (link == NULL)
    virfs_job_finish (job, error);
  else if (!lv_console_push (link, LV_WORK_OPEN, vm->uuid, job, NULL))
    lv_gate_finish_job (link->connection, job,
                        g_error_new (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is not reachable",
                                     link->connection->name));
}

void
lv_console_send (VirfsVm *vm)
{
  g_autoptr (LvLink) link = link_of (vm, NULL);

  if (link != NULL)
    lv_console_push (link, LV_WORK_SEND, vm->uuid, NULL, NULL);
}

void
lv_console_leave (VirfsVm *vm)
{
  g_autoptr (LvLink) link = link_of (vm, NULL);

  if (link != NULL)
    lv_console_look (link, vm->uuid);
}
