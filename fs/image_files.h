/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images: image.c has the files of one, images.c their directory. */
#pragma once

#include "classes.h"

extern VirfsClass virfs_image_files;
/* images/, for the root's table. */
extern const VirfsDir virfs_images_dir;

/* Its `create` (image.c). */
void virfs_image_create (VirfsCall *call, const VirfsNode *dir, const char *name);
