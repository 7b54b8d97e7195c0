/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of a host, and when. */
#include "poll.h"

#include "agent.h"
#include "console_stream.h"
#include "filter.h"
#include "fleet.h"
#include "gate.h"
#include "host_cpu.h"
#include "migrate_snapshots.h"
#include "operate.h"
#include "interface.h"
#include "inventory.h"
#include "measure.h"
#include "move.h"
#include "node.h"
#include "node_device.h"
#include "seat.h"

#define HASTE (G_TIME_SPAN_SECOND / 2)

static GPtrArray *
ref (GPtrArray *array)
{
  return array ? g_ptr_array_ref (array) : NULL;
}

static void
replace (GPtrArray **field, GPtrArray *array)
{
  g_clear_pointer (field, g_ptr_array_unref);
  *field = ref (array);
}

static void
take_parts (VirfsHostInfo *info, const VirfsHostInfo *read, VirfsHostPart part)
{
  if (read->parts[part] != NULL)
    virfs_part_lists_set (info->parts, part, ref (read->parts[part]));
}

/* Takes over from what was read what its reader may have changed; others read other things. */
static void
take_resources (VirfsHostInfo *info, gpointer data)
{
  const VirfsHostInfo *read = data;

  replace (&info->networks, read->networks);
  replace (&info->bridges, read->bridges);
  take_parts (info, read, VIRFS_HOST_NETWORKS);
  take_parts (info, read, VIRFS_HOST_INTERFACES);
}

static void
take_load (VirfsHostInfo *info, gpointer data)
{
  const VirfsHostInfo *read = data;

  info->memory_free = read->memory_free;
  info->cpu_load = read->cpu_load;
}

static void
take_blob (VirfsBlob **field, VirfsBlob *blob)
{
  virfs_blob_unref (*field);
  *field = virfs_blob_ref (blob);
}

static void
take_node (VirfsHostInfo *info, gpointer data)
{
  const VirfsHostInfo *read = data;

  virfs_ref_string_set (&info->hostname, read->hostname);
  virfs_ref_string_set (&info->hypervisor, read->hypervisor);
  virfs_ref_string_set (&info->arch, read->arch);
  virfs_ref_string_set (&info->cpu_model, read->cpu_model);
  info->cpus = read->cpus;
  info->memory = read->memory;
  take_blob (&info->capabilities, read->capabilities);
  take_blob (&info->sysinfo, read->sysinfo);
  replace (&info->guest_types, read->guest_types);
  replace (&info->machines, read->machines);
  take_resources (info, data);
  take_load (info, data);
}

void
lv_poll_node (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->resources);
  g_autoptr (VirfsHostInfo) read = lv_gate_copy_host (link->connection);

  if (read == NULL)
    return;
  lv_node_read (link, conn, read);
  lv_node_read_resources (link, conn, read);
  lv_node_read_load (link, conn, &link->load, read);
  lv_gate_edit_host (link->connection, link, take_node, read, NULL);
  lv_inventory_read_pools (link, conn);
}

gboolean
lv_poll_resources (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->resources);
  g_autoptr (VirfsHostInfo) read = lv_gate_copy_host (link->connection);
  g_autoptr (GPtrArray) before = read ? ref (read->parts[VIRFS_HOST_INTERFACES]) : NULL;
  gboolean networks;

  if (read == NULL)
    return FALSE;
  networks = lv_node_read_resources (link, conn, read);
  lv_gate_edit_host (link->connection, link, take_resources, read, NULL);
  lv_interfaces_tell (link, before, read->parts[VIRFS_HOST_INTERFACES]);
  return networks;
}

static void
poll_load (LvLink *link, virConnectPtr conn)
{
  g_autoptr (VirfsHostInfo) read = lv_gate_copy_host (link->connection);

  if (read == NULL)
    return;
  lv_node_read_load (link, conn, &link->load, read);
  lv_gate_edit_host (link->connection, link, take_load, read, NULL);
}

static gpointer
read_snapshots (gpointer data)
{
  g_autoptr (LvLink) link = data;
  g_autoptr (virConnect) conn = lv_link_events (link);

  if (conn == NULL)
    return NULL;
  lv_node_devices_read (link, conn);
  lv_fleet_read_snapshots (link, conn);
  lv_cpu_poll (link, conn);
  lv_moving_recover (link);
  lv_backup_recover (link, conn);
  lv_move_recover (link, conn);
  lv_agent_thaw_left (link, conn);
  lv_agent_poll (link);
  lv_console_poll (link);
  return NULL;
}

void
lv_poll_snapshots (LvLink *link)
{
  g_atomic_int_set (&link->recovers, TRUE);
  g_thread_unref (g_thread_new ("virfs-snapshots", read_snapshots, lv_link_ref (link)));
}

void
lv_poll_schedule (LvLink *link)
{
  LvConnection *self = link->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  /* a look that hung with the last link has no say in when the next is due */
  if (self->link != link)
    return;
  self->next_poll = g_get_monotonic_time () + lv_options ()->poll_interval * G_TIME_SPAN_SECOND;
  g_cond_signal (&self->wake);
}

void
lv_poll_hasten (LvLink *link)
{
  LvConnection *self = link->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  /* while it looks the next look is not scheduled yet */
  if (self->link != link || self->next_poll == G_MAXINT64)
    return;
  self->next_poll = MIN (self->next_poll, g_get_monotonic_time () + HASTE);
  g_cond_signal (&self->wake);
}

/* Through a connection of its own: a guest's agent may let us wait. */
static void
poll_addresses (LvLink *link)
{
  LvSeat seat = { 0 };

  if (!lv_seat_take (&seat, link, NULL))
    return;
  lv_measure_addresses (link, seat.conn, &link->address_cursor);
  lv_seat_leave (&seat);
}

static void
poll_host (gpointer data, gpointer unused)
{
  g_autoptr (LvLink) link = data;
  g_autoptr (virConnect) conn = lv_link_events (link);
  g_autoptr (GError) error = NULL;

  if (!lv_link_is_alive (link)) {
    lv_connection_lose (link, "the connection broke");
  } else {
    poll_load (link, conn);
    lv_poll_resources (link, conn);
    lv_node_devices_poll (link, conn);
    lv_filters_poll (link, conn);
    lv_cpu_poll (link, conn);
    lv_inventory_poll (link);
    if (!lv_fleet_poll (link, conn, &link->cursor, &error))
      g_debug ("%s: %s", link->connection->name, error->message);
    poll_addresses (link);
    lv_agent_poll (link);
    lv_console_poll (link);
    lv_moving_recover (link);
    lv_backup_poll (link);
    lv_move_recover (link, conn);
    lv_connection_queue_waits (link->connection);
  }
  lv_poll_schedule (link);
}

void
lv_poll_begin (LvLink *link)
{
  static GThreadPool *threads;
  static gsize once;

  if (g_once_init_enter (&once)) {
    threads = g_thread_pool_new (poll_host, NULL, -1, FALSE, NULL);
    g_once_init_leave (&once, 1);
  }
  g_thread_pool_push (threads, lv_link_ref (link), NULL);
}
