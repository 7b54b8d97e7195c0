/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks and NICs in libvirt's XML, read (xml_device.c) and written (xml_device_edit.c). */
#pragma once

#include "backend.h"
#include "device.h"

/* libvirt's user aliases begin with this; behind it is the name that a NIC was made with. */
#define LV_ALIAS_PREFIX "ua-"

/* libvirt counts bandwidths in KiB a second: rounded up, so that 0 remains no limit. */
static inline guint64
lv_kib (guint64 bytes)
{
  return bytes / 1024 + (bytes % 1024 != 0);
}

/* What a definition lists, in its order; NICs have no names yet but those of their aliases. */
typedef struct {
  GPtrArray *disks;  /* of VirfsDiskInfo* */
  GPtrArray *nics;   /* of VirfsNicInfo* */
  GPtrArray *hostdevs; /* of VirfsHostdevInfo* */
  GString *graphics; /* what VirfsVmInfo has; NULL: nothing */
  const char *agent; /* VIRFS_AGENT_…, of a guest that runs; NULL: it has no channel to one */
} LvDevices;

void lv_devices_init (LvDevices *devices);
void lv_devices_clear (LvDevices *devices);

/* (device_tell.c) What the guest shows of both: NOW of the running guest (NULL if it does not run) and NEXT of its
 * definition (NULL if it has none); both keep what they have. */
void lv_devices_tell (const LvDevices *now, const LvDevices *next, VirfsVmInfo *info);

/* What the definition that has DEVICES, which have their names now, boots from, if it says so of
 * them. */
void lv_devices_tell_boot (const LvDevices *devices, VirfsVmInfo *info);

/* A new device, as its info says; the caller owns the text. */
char *lv_xml_make_disk (const VirfsDiskInfo *disk);
char *lv_xml_make_nic (const VirfsNicInfo *nic);
/* A host device; likewise (xml_hostdev.c). */
char *lv_xml_make_hostdev (const VirfsPartInfo *hostdev);
/* The element of DEVICE in a guest's XML; the caller owns it, NULL if there is none. */
char *lv_xml_find_device (const char *xml, const VirfsPartInfo *device);
/* Its alias (`virtio-disk1`) in a running guest's XML; likewise. */
char *lv_xml_device_alias (const char *xml, const VirfsPartInfo *device);
/* The same element with one MEMBER changed to that of WANTED; likewise. */
char *lv_xml_edit_device (const char *xml, const VirfsPartInfo *device, const VirfsPartInfo *wanted,
                          gsize member);
/* The whole definition with that; likewise. */
char *lv_xml_edit_definition (const char *xml, const VirfsPartInfo *device,
                              const VirfsPartInfo *wanted, gsize member);
/* A controller, as in `scsi`, `virtio-scsi`; the caller owns it. */
char *lv_xml_make_controller (const char *type, const char *model);
/* Whether the guest's XML has a controller of that type, as in `scsi`. */
gboolean lv_xml_has_controller (const char *xml, const char *type);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LvDevices, lv_devices_clear)
