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

/* What a checksum is kept by, and when it counts; the caller owns them. */
char *virfs_registry_sum_key (const VirfsPoolInfo *pool, const char *volume);
char *virfs_registry_sum_stamp (const VirfsVolumeInfo *volume);
/* RECORD, `SHA256 STAMP`, is NULL for none. */
void virfs_registry_set_sum (VirfsInfra *infra, const char *key, const char *record);
/* Of the images of that name it has to be told anew which are one. */
void virfs_registry_regroup (VirfsInfra *infra, const char *name);
