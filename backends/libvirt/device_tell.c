/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is shown of the devices of a guest: of the definition that it runs with and of that for its next
 * start, which have most of them in common.
 */
#include "xml_device.h"

#include "hostdev.h"

#include <string.h>

/* One list for all guests that have nothing of a kind. */
static GPtrArray *
no_parts (void)
{
  static GPtrArray *none;
  static gsize once;

  if (g_once_init_enter (&once)) {
    none = virfs_part_list_new ();
    g_once_init_leave (&once, 1);
  }
  return g_ptr_array_ref (none);
}

static void
set_where (VirfsPartInfo *info, gboolean live, gboolean persistent)
{
  VirfsDiskInfo *disk = (VirfsDiskInfo *) info;
  VirfsNicInfo *nic = (VirfsNicInfo *) info;
  VirfsHostdevInfo *hostdev = (VirfsHostdevInfo *) info;

  if (info->class == &virfs_disk_class) {
    disk->live = live;
    disk->persistent = persistent;
  } else if (info->class == &virfs_hostdev_class) {
    hostdev->live = live;
    hostdev->persistent = persistent;
  } else {
    nic->live = live;
    nic->persistent = persistent;
  }
}

static gpointer
ref_item (gconstpointer info, gpointer unused)
{
  return virfs_part_info_ref (info);
}

static void
mark_live (GPtrArray *list)
{
  for (guint i = 0; i < list->len; i++)
    set_where (list->pdata[i], TRUE, FALSE);
}

static void
add_next (GPtrArray *list, GPtrArray *next)
{
  g_autoptr (GPtrArray) missing = g_ptr_array_new ();

  for (guint i = 0; i < next->len; i++) {
    VirfsPartInfo *there = virfs_part_list_find (list, ((VirfsPartInfo *) next->pdata[i])->name);

    set_where (there ? there : next->pdata[i], there != NULL, TRUE);
    if (there == NULL)
      g_ptr_array_add (missing, next->pdata[i]);
  }
  g_ptr_array_extend (list, missing, ref_item, NULL);
}

/* What NOW has, and what only NEXT has. */
static GPtrArray *
merge (GPtrArray *now, GPtrArray *next)
{
  GPtrArray *list;

  if ((now ? now->len : 0) + (next ? next->len : 0) == 0)
    return no_parts ();
  list = virfs_part_list_new ();
  if (now != NULL)
    g_ptr_array_extend (list, now, ref_item, NULL);
  mark_live (list);
  virfs_part_list_sort (list);
  if (next != NULL)
    add_next (list, next);
  virfs_part_list_sort (list);
  return list;
}

static void
take_name (VirfsNicInfo *nic, const char *name)
{
  g_ref_string_release (nic->part.name);
  nic->part.name = g_ref_string_new_intern (name);
}

static gboolean
has_name (GPtrArray *nics, const char *name)
{
  for (guint i = 0; nics && i < nics->len; i++)
    if (strcmp (((VirfsNicInfo *) nics->pdata[i])->part.name, name) == 0)
      return TRUE;
  return FALSE;
}

/* Numbers the NICs of LIST that have no name; OTHER has names that are taken, too. */
static void
number_nics (GPtrArray *list, GPtrArray *other)
{
  guint n = 0;

  for (guint i = 0; list && i < list->len; i++)
    while (*((VirfsNicInfo *) list->pdata[i])->part.name == '\0') {
      g_autofree char *name = g_strdup_printf ("eth%u", n++);

      if (!has_name (list, name) && !has_name (other, name))
        take_name (list->pdata[i], name);
    }
}

/* Of those in NEXT that have the MAC address of NIC, the one of its name, or else the first whose name
 * nobody in NOW has.  Nothing keeps a guest from having two of one address. */
static VirfsNicInfo *
find_same (GPtrArray *now, GPtrArray *next, const VirfsNicInfo *nic)
{
  VirfsNicInfo *found = NULL;

  for (guint i = 0; nic->mac && next && i < next->len; i++) {
    VirfsNicInfo *other = next->pdata[i];

    if (g_strcmp0 (other->mac, nic->mac) != 0)
      continue;
    if (strcmp (other->part.name, nic->part.name) == 0)
      return other;
    if (found == NULL && !has_name (now, other->part.name))
      found = other;
  }
  return found;
}

/* One is the same in both if it has the same MAC address. */
static void
name_nics (GPtrArray *now, GPtrArray *next)
{
  number_nics (next, now);
  for (guint i = 0; now && i < now->len; i++) {
    VirfsNicInfo *nic = now->pdata[i], *same = find_same (now, next, nic);

    if (same != NULL)
      take_name (nic, same->part.name);
  }
  number_nics (now, next);
}

void
lv_devices_tell (const LvDevices *now, const LvDevices *next, VirfsVmInfo *info)
{
  GPtrArray *nics_now = now ? now->nics : NULL, *nics_next = next ? next->nics : NULL;

  name_nics (nics_now, nics_next);
  virfs_part_lists_set (info->parts, VIRFS_VM_DISKS,
                        merge (now ? now->disks : NULL, next ? next->disks : NULL));
  virfs_part_lists_set (info->parts, VIRFS_VM_NICS, merge (nics_now, nics_next));
  virfs_part_lists_set (info->parts, VIRFS_VM_HOSTDEVS,
                        merge (now ? now->hostdevs : NULL, next ? next->hostdevs : NULL));
}

/* Boot order. */

static guint64
boot_of (const VirfsPartInfo *info)
{
  return info->class == &virfs_disk_class ? ((const VirfsDiskInfo *) info)->boot
                                          : ((const VirfsNicInfo *) info)->boot;
}

static gint
compare_boot (gconstpointer a, gconstpointer b)
{
  guint64 first = boot_of (*(const VirfsPartInfo *const *) a);
  guint64 second = boot_of (*(const VirfsPartInfo *const *) b);

  return first < second ? -1 : first > second;
}

static void
add_bootable (GPtrArray *list, GPtrArray *devices)
{
  for (guint i = 0; i < devices->len; i++)
    if (boot_of (devices->pdata[i]) != 0)
      g_ptr_array_add (list, devices->pdata[i]);
}

void
lv_devices_tell_boot (const LvDevices *devices, VirfsVmInfo *info)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  g_autoptr (GString) order = NULL;

  add_bootable (list, devices->disks);
  add_bootable (list, devices->nics);
  if (list->len == 0)
    return;
  g_ptr_array_sort (list, compare_boot);
  order = g_string_new (NULL);
  for (guint i = 0; i < list->len; i++) {
    const VirfsPartInfo *device = list->pdata[i];

    g_string_append_printf (order, "%s%s/%s", i ? "\n" : "", device->class->directory,
                            device->name);
  }
  virfs_ref_string_set (&info->boot, order->str);
}
