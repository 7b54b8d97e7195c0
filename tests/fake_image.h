/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the fake's volumes (fake_image.c). */
#pragma once

#include "fake.h"

#include <sys/stat.h>

/* The directory where they are; a test that writes images makes one. */
extern char *virfs_fake_images;
/* Bytes that a file can have; then there is no space.  Atomic. */
extern guint64 virfs_fake_room;

/* A volume that is the file PATH; to be published. */
gpointer virfs_fake_image_info (const char *name, const char *path, const struct stat *st);

/* See backend.h. */
VirfsFile *virfs_fake_volume_write (VirfsHost *host, const char *pool, const char *name,
                                    gboolean make, GError **error);
char *virfs_fake_volume_file (VirfsPart *volume);
VirfsContent *virfs_fake_volume_read (VirfsPart *volume, GError **error);
void virfs_fake_volume_rename (VirfsPart *volume, const char *name, VirfsJob *job);
