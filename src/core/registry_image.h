/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The images of the registry, for registry_image*.c, image.c and upload*.c; all under its lock. */
#pragma once

#include "image.h"
#include "registry.h"
#include "upload.h"

VirfsImageInfo *virfs_registry_image_info_new (const char *pool);
/* INFO is taken; borrowed. */
VirfsImage *virfs_registry_add_image (VirfsInfra *infra, const char *label, const char *name,
                                      VirfsImageInfo *info);
void virfs_registry_remove_image (VirfsImage *image);
/* Replaces what is known of IMAGE by INFO (taken) and tells what differs. */
void virfs_registry_publish_image (VirfsImage *image, VirfsImageInfo *info);

/* What is uploaded; a new reference, NULL if there is an image of that name. */
VirfsImage *virfs_registry_add_upload (VirfsInfra *infra, const char *label, const char *pool,
                                       VirfsUpload *upload);
/* Who writes IMAGE; NULL: nobody any more. */
void virfs_registry_set_upload (VirfsImage *image, VirfsUpload *upload);
void virfs_registry_upload_grown (VirfsImage *image, guint64 length, gint64 modified);

/* What is noted of VOLUME, of its kind's type (registry.h): borrowed, NULL if there is none that is true of the
 * file as it is now (image_note.c). */
gpointer virfs_registry_image_note (VirfsInfra *infra, VirfsImageNote kind,
                                    const VirfsPoolInfo *pool, const VirfsVolumeInfo *volume);
void virfs_registry_open_image_notes (VirfsInfra *infra);
void virfs_registry_close_image_notes (VirfsInfra *infra);
/* Of the images of that name it has to be told anew which are one. */
void virfs_registry_regroup (VirfsInfra *infra, const char *name);
