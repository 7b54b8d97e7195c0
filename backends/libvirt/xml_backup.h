/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The XML of backups; see xml.h and libvirt's formatbackup. */
#pragma once

#include "backup.h"
#include "uri.h"
#include "xml.h"

/* What is to be begun. */
typedef struct {
  const LvPlace *place; /* without a directory the guest's old data is put beside each disk */
  const char *socket;   /* where the NBD server is to listen, unless the place says otherwise: */
  guint port;           /* then one of its ports */
  const char *parent;   /* checkpoint; NULL: none */
  const char *name;     /* of the backup; with the next, for the names of files */
  const char *uuid;     /* of the guest */
} LvBackupPlan;

/* The files for what the guest overwrites; of char*, the caller owns it. */
GPtrArray *lv_backup_scratch_paths (const LvBackupPlan *plan, GPtrArray *disks);
/* Of a guest with DISKS (of LvDisk*); the caller owns it.  NULL with ERROR if a disk cannot be
 * part of one. */
char *lv_xml_make_backup (const LvBackupPlan *plan, GPtrArray *disks, GError **error);
/* Whether an open backup is ours, of the guest UUID: by its files. */
gboolean lv_xml_backup_is_of (const char *xml, const char *uuid);
/* The disks of an open backup of the host of that URI, of VirfsBackupDiskInfo*, the caller owns
 * it; NULL: broken, or it is not served. */
GPtrArray *lv_xml_read_backup (const char *xml, const LvUri *host);
/* Where what is overwritten is put, by how libvirt names it (`vda[2]`); both of char*. */
GHashTable *lv_xml_read_scratch (const char *xml);
