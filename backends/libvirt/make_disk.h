/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks of a guest that is being made.  Each is noted in the draft before it is there (draft.h), so
 * that whoever makes it again, or gives it up, finds what an end of the program has left.
 */
#pragma once

#include "create.h"
#include "storage.h"
#include "xml_create.h"

typedef struct {
  LvTask *task;
  LvCreation *creation;
  LvSeat *from;     /* where what it is a clone of is: the task's, at one host or the other */
  GPtrArray *disks; /* of LvNewDisk*: what the guest gets */
  GPtrArray *pools; /* of LvPool*: whose volumes are used */
  GPtrArray *made;  /* of virStorageVolPtr: what has been made for it */
  GPtrArray
    *snapshots; /* of char*: XML of those inside of the disks, which are copied with them: first the
                           one that the guest is a clone of; NULL for none */
  gboolean claimed; /* what it is a clone of is held */
} LvMaking;

/* Removes what earlier attempts to make a guest of DRAFT have left on the task's host. */
gboolean lv_draft_clean_volumes (LvTask *task, VirfsPart *draft, GError **error);
/* The disk of its image, or an empty one; nothing if it is to have none. */
gboolean lv_making_add_disk (LvMaking *making, GError **error);
/* An image by PATH or POOL/VOLUME, as images are named in drafts, at the host of SEAT; the caller owns the
 * reference. */
virStorageVolPtr lv_making_find_image (LvMaking *making, LvSeat *seat, const char *image,
                                       GError **error);
/* A disk made of IMAGE (NULL: empty) as the draft says, of SIZE bytes (0: as the image). */
gboolean lv_making_make_disk (LvMaking *making, const char *target, virStorageVolPtr image,
                              guint64 size, GError **error);
/* A copy of a file of that FORMAT (static) with all that is in it, snapshots too, through us: IMAGE may be
 * on the other host.  Then it has SIZE bytes, 0: as the image. */
gboolean lv_making_copy_disk (LvMaking *making, const char *target, virStorageVolPtr image,
                              const char *format, guint64 size, GError **error);
/* The installer's medium. */
gboolean lv_making_add_iso (LvMaking *making, GError **error);
/* cloud-init's disk (seed.c). */
gboolean lv_making_add_seed (LvMaking *making, GError **error);
/* A new volume as XML says, a copy of IMAGE if that is not NULL; and it is a disk of the guest. */
virStorageVolPtr lv_making_create_volume (LvMaking *making, LvPool *pool, const char *name,
                                          const char *xml, virStorageVolPtr image, GError **error);
gboolean lv_making_add (LvMaking *making, const char *target, virStorageVolPtr volume,
                        GError **error);
/* Takes back all of it. */
void lv_making_undo (LvMaking *making);
/* It has become the guest's. */
void lv_making_keep (LvMaking *making);
