/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading devices.  A host may have hundreds: they are read once, and then those that events tell of.
 * Who reads holds the link's `resources`, so that it is told in the order in which it was asked.
 */
#include "node_device.h"

#include "connection.h"
#include "fail.h"
#include "gate.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

/* At one poll. */
#define MOST_CARDS 16

static void
free_device (gpointer device)
{
  virNodeDeviceFree (device);
}

/* Others are there or not. */
static void
read_definition (virNodeDevicePtr device, VirfsNodeDeviceInfo *info)
{
  int autostart = 0;

  info->active = LV (virNodeDeviceIsActive (device)) != 0;
  info->persistent = LV (virNodeDeviceIsPersistent (device)) > 0;
  info->autostart = LV (virNodeDeviceGetAutostart (device, &autostart)) == 0 && autostart;
}

/* NULL if it is gone meanwhile, or is the end of a guest's NIC. */
static VirfsNodeDeviceInfo *
read_device (virNodeDevicePtr device)
{
  char *xml = LV (virNodeDeviceGetXMLDesc (device, 0));
  VirfsNodeDeviceInfo *info = xml ? lv_xml_read_node_device (xml) : NULL;

  free (xml);
  if (info == NULL)
    return NULL;
  if (info->interface != NULL && virfs_interface_is_hidden (info->interface)) {
    virfs_part_info_unref (info);
    return NULL;
  }
  if (g_strcmp0 (info->type, VIRFS_NODE_DEVICE_MDEV) == 0)
    read_definition (device, info);
  return info;
}

/* Telling. */

static void
take_all (VirfsHostInfo *info, gpointer list)
{
  virfs_part_lists_set (info->parts, VIRFS_HOST_DEVICES, g_ptr_array_ref (list));
}

void
lv_node_devices_read (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->resources);
  g_autoptr (GPtrArray) devices = g_ptr_array_new_with_free_func (free_device);
  g_autoptr (GPtrArray) list = virfs_part_list_new ();
  virNodeDevicePtr *items = NULL;
  int n = LV (virConnectListAllNodeDevices (conn, &items, 0));

  if (n < 0)
    return;
  for (int i = 0; i < n; i++)
    g_ptr_array_add (devices, items[i]);
  free (items);
  for (guint i = 0; i < devices->len; i++) {
    VirfsNodeDeviceInfo *info = read_device (devices->pdata[i]);

    if (info != NULL)
      g_ptr_array_add (list, info);
  }
  virfs_part_list_sort (list);
  lv_gate_edit_host (link->connection, link, take_all, list, NULL);
}

/* Events. */

/* As in net_vnet7_fe_54_00_12_34_56: they come and go with guests, and are not shown. */
static gboolean
is_guests (const char *name)
{
  g_auto (GStrv) words = g_strsplit (name, "_", 3);

  return words[0] && words[1] && strcmp (words[0], "net") == 0
         && virfs_interface_is_hidden (words[1]);
}

void
lv_node_device_queue (LvLink *link, const char *name)
{
  if (!is_guests (name)) {
    g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);

    g_hash_table_add (link->devices_due, g_strdup (name));
  }
  lv_connection_queue_resources (link, TRUE);
}

/* The names that are due, which are not any more; the caller owns it. */
static GHashTable *
take_due (LvLink *link)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);
  GHashTable *due = g_steal_pointer (&link->devices_due);

  link->devices_due = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return due;
}

typedef struct {
  GHashTable *names; /* that were looked for */
  GPtrArray *found;
} News;

static void
take_news (VirfsHostInfo *info, gpointer data)
{
  const News *news = data;
  GPtrArray *before = info->parts[VIRFS_HOST_DEVICES], *list;

  if (before == NULL) /* all are still to be read */
    return;
  list = virfs_part_list_new ();
  for (guint i = 0; i < before->len; i++)
    if (!g_hash_table_contains (news->names, ((VirfsPartInfo *) before->pdata[i])->name))
      g_ptr_array_add (list, virfs_part_info_ref (before->pdata[i]));
  for (guint i = 0; i < news->found->len; i++)
    g_ptr_array_add (list, virfs_part_info_ref (news->found->pdata[i]));
  virfs_part_list_sort (list);
  virfs_part_lists_set (info->parts, VIRFS_HOST_DEVICES, list);
}

static void
look_for (virConnectPtr conn, const char *name, GPtrArray *found)
{
  virNodeDevicePtr device = LV (virNodeDeviceLookupByName (conn, name));
  VirfsNodeDeviceInfo *info = device ? read_device (device) : NULL;

  if (info != NULL)
    g_ptr_array_add (found, info);
  if (device != NULL)
    virNodeDeviceFree (device);
}

/* Whether nothing else tells of its link, because libvirt does not list its interface. */
static gboolean
is_lone_card (const VirfsHostInfo *host, const VirfsNodeDeviceInfo *device)
{
  return device->interface != NULL
         && virfs_part_list_find (host->parts[VIRFS_HOST_INTERFACES], device->interface) == NULL;
}

/* Some of those, in turns. */
static void
add_cards (LvLink *link)
{
  g_autoptr (VirfsHostInfo) info = lv_gate_copy_host (link->connection);
  GPtrArray *devices = info ? info->parts[VIRFS_HOST_DEVICES] : NULL;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);
  guint first = link->card, number = 0;

  for (guint i = 0; devices && i < devices->len && number < first + MOST_CARDS; i++) {
    const VirfsNodeDeviceInfo *device = devices->pdata[i];

    if (is_lone_card (info, device) && number++ >= first)
      g_hash_table_add (link->devices_due, g_strdup (device->part.name));
  }
  link->card = number == first + MOST_CARDS ? number : 0;
}

void
lv_node_devices_poll (LvLink *link, virConnectPtr conn)
{
  add_cards (link);
  lv_node_devices_refresh (link, conn);
}

void
lv_node_devices_refresh (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->resources);
  g_autoptr (GHashTable) due = take_due (link);
  g_autoptr (GPtrArray) found = virfs_part_list_new ();
  News news = { due, found };
  GHashTableIter iter;
  gpointer name;

  if (g_hash_table_size (due) == 0)
    return;
  g_hash_table_iter_init (&iter, due);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    look_for (conn, name, found);
  if (lv_link_is_alive (link))
    lv_gate_edit_host (link->connection, link, take_news, &news, NULL);
}
