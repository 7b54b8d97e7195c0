/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions of guests that are made of drafts (draft.h). */
#pragma once

#include "draft.h"

/* The alias of the CD-ROM that is a guest's own: cloud-init's. */
#define LV_SEED_ALIAS  "ua-virfs-cloud-init"
#define LV_SEED_TARGET "sdz"

/* A disk that the guest gets. */
typedef struct {
  char *target; /* vda, or sda … of a CD-ROM */
  char *path;
  const char *format; /* static or interned */
  gboolean cdrom;
  gboolean seed; /* cloud-init's */
} LvNewDisk;

void lv_new_disk_free (gpointer disk);

/* The whole definition.  TYPE: kvm, qemu …; DISKS: of LvNewDisk*; NETWORK: NULL for no NIC.  The
 * caller owns it, as all here. */
char *lv_xml_new_domain (const VirfsDraftInfo *info, const char *type, const char *arch,
                         GPtrArray *disks, const char *network);
/* What XML defines, as the draft: with its name, UUID and what was written to it, and nothing that is
 * another guest's own.  DISKS take the places of those with the same target, and come in addition
 * where there is none.  NULL: INVALID. */
char *lv_xml_clone_domain (const char *xml, const VirfsDraftInfo *info, GPtrArray *disks,
                           GError **error);
/* The device of the guest with the definition XML that cloud-init's disk is in, and *HAS whether it has
 * one already: with the file PATH in it, NULL for none. */
char *lv_xml_put_seed (const char *xml, const char *path, gboolean *has, GError **error);
/* A qcow2 volume of SIZE bytes, on top of the image with PATH and (libvirt's) IMAGE_XML if that is not
 * NULL. */
char *lv_xml_make_overlay (const char *name, guint64 size, const char *path, const char *image_xml);
