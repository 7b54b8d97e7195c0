/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's XML, read and written with libxml2.  Nothing outside of xml*.c sees its types.
 *
 * What libvirt wrote is taken to be well-formed, and what is missing in it to be unknown; what
 * users write is checked.
 */
#pragma once

#include "backend.h"
#include "xml_device.h"

/* Guests (xml_domain.c, xml_define.c). */

/* Fills in what INFO tells of a definition (title, description, vCPUs, memory, cputune), and DEVICES;
 * either may be NULL: nobody wants to know. */
void lv_xml_read_domain (const char *xml, VirfsVmInfo *info, LvDevices *devices);

/* What the guest needs of a host; NULL: INVALID. */
VirfsVmNeeds *lv_xml_read_needs (const char *xml, GError **error);

typedef struct {
  char *target; /* vda; NULL for the firmware's variables, which are copied like a disk */
  char *type;   /* file, block, volume, network, dir … */
  char *format; /* raw, qcow2 …; NULL: not said */
  char *path;   /* of a file or block device */
  char *pool, *volume;
  gboolean readonly;
  gboolean encrypted;
  gboolean shareable;
  gboolean seed; /* cloud-init's, made for this guest */
} LvDisk;

/* The disks that have something in them. */
GPtrArray *lv_xml_read_disks (const char *xml);
void lv_disk_free (LvDisk *disk);
/* The file of the firmware's variables as a disk of the type `file`; NULL if there is none. */
LvDisk *lv_xml_read_nvram (const char *xml);
gboolean lv_xml_has_tpm_state (const char *xml);

/*
 * The definition to store when a user wrote XML for the guest of that name and UUID: with the UUID,
 * with the passwords that STORED has and XML, made from what we show, has not, and with what we keep
 * with the guest (xml_metadata.h) as STORED has it.  The caller owns
 * it; NULL: INVALID.
 */
char *lv_xml_adopt_definition (const char *xml, const char *stored, const char *name,
                               const char *uuid, GError **error);

/* Hosts (xml_host.c). */

/* Fills in arch, cpu_model, guest_types and machines. */
void lv_xml_read_capabilities (const char *xml, VirfsHostInfo *info);
/* The CPU that guests of a host can have, a <cpu>, of its domain capabilities (xml_cpu.c); the caller owns it,
 * NULL for none. */
char *lv_xml_read_host_cpu (const char *xml);

/* Interfaces (xml_interface.c); ACTIVE: what is known of it otherwise.  The caller owns it; NULL: broken. */
VirfsInterfaceInfo *lv_xml_read_interface (const char *xml, gboolean active);
/* Devices (xml_node_device.c); likewise. */
VirfsNodeDeviceInfo *lv_xml_read_node_device (const char *xml);
/* A draft of one, of which virfs_node_device_check_draft() has nothing to say; the caller owns it. */
char *lv_xml_make_node_device (const VirfsNodeDeviceInfo *draft);

/* Pools (xml_pool.c). */

/* Name, type, path, source and sizes; the caller owns it.  NULL: broken. */
VirfsPoolInfo *lv_xml_read_pool (const char *xml);
/* The pool's type and where it gets its volumes from, to be compared; the caller owns it. */
char *lv_xml_pool_source (const char *xml);
/* XML without sizes, which change by themselves; NULL: broken. */
char *lv_xml_settle_pool (const char *xml);
/* A directory as a pool. */
char *lv_xml_make_pool (const char *name, const char *directory);
/* A definition of the pool that a draft describes (virfs_pool_check_draft()); NULL: INVALID. */
char *lv_xml_describe_pool (const VirfsPoolInfo *pool, GError **error);
/* XML with the path and the source of WANTED; NULL: INVALID. */
char *lv_xml_edit_pool (const char *xml, const VirfsPoolInfo *wanted, GError **error);
/* Pools and networks: KIND is the name of the root (xml_adopt.c).  The definition to store when a user
 * wrote XML for that of this name and UUID (NULL: any), with both; NULL: INVALID. */
char *lv_xml_adopt (const char *xml, const char *kind, const char *name, const char *uuid,
                    GError **error);

/* The same of a network filter, whose name is an attribute. */
char *lv_xml_adopt_filter (const char *xml, const char *name, const char *uuid, GError **error);

/* Volumes (xml_storage.c). */

/* The caller owns it; NULL: broken. */
VirfsVolumeInfo *lv_xml_read_volume (const char *xml);
/* A definition of the volume that a draft describes; BACKING_FORMAT is that of its backing file. */
char *lv_xml_describe_volume (const VirfsVolumeInfo *volume, const char *backing_format);
/* NULL: not known. */
char *lv_xml_volume_format (const char *xml);
/* A volume of CAPACITY bytes that takes none of them yet. */
char *lv_xml_make_volume (const char *name, const char *format, guint64 capacity);
/* A volume like that of XML, without its backing file; FORMAT if that is not NULL. */
char *lv_xml_copy_volume (const char *xml, const char *format, guint64 capacity);
/* A volume like that of XML, with its backing file if FORMAT is its own: of that NAME. */
char *lv_xml_move_volume (const char *xml, const char *name, const char *format, guint64 capacity);
/* The path of the volume's backing file; NULL if it has none. */
char *lv_xml_volume_backing (const char *xml);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvDisk, lv_disk_free)
