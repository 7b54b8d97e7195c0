/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of images: where a pool's directory can be reached from here, as files, and else by libvirt's
 * streams.
 *
 * A path means something on one host only, so a file is taken for the volume only if it has the same
 * change time, to the nanosecond, and the same size.
 */
#pragma once

#include "backend.h"
#include "seat.h"

/* The backend's functions, see backend.h. */
char *lv_volume_file (VirfsPart *volume);
VirfsContent *lv_volume_read (VirfsPart *volume, GError **error);
VirfsFile *lv_volume_write (VirfsHost *host, const char *pool, const char *name, gboolean make,
                            GError **error);
void lv_volume_rename (VirfsPart *volume, const char *name, VirfsJob *job);

/* image_read.c: by a stream, as it is needed. */
VirfsContent *lv_image_stream (VirfsPart *volume);

/* Opens what VOLUME is if that can be reached from here, to be read or to be written (O_RDWR); -1 if
 * not.  The caller owns *PATH. */
int lv_image_open (LvLink *link, virStorageVolPtr volume, int flags, char **path);
/* The same by what is known of it already, without asking the host. */
int lv_image_open_known (const VirfsVolumeInfo *volume);

/* What is begun of a new volume is noted, so that what is left of it is removed (image_left.c). */
gboolean lv_image_note (VirfsHost *host, const char *pool, const char *name, GError **error);
/* Whether somebody writes it and it is not published, so that nobody is told of it. */
gboolean lv_image_is_written (LvLink *link, const char *pool, const char *name);
void lv_image_forget (VirfsHost *host, const char *pool, const char *name);
/* It stays noted, and nobody writes it any more. */
void lv_image_abandon (VirfsHost *host, const char *pool, const char *name);
/* Removes what an earlier run has left on the host of LINK. */
void lv_image_recover (LvLink *link, virConnectPtr conn);

/* Names of volumes that nobody is told of: they are being written. */
#define LV_IMAGE_HIDDEN ".virfs-"
