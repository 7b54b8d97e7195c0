/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images: image.c has the files of one, images.c their directory. */
#pragma once

#include "classes.h"

extern VirfsClass virfs_image_files;
/* Where a file of <file>.d/ is, relative to the root; the caller owns it (image.c). */
char *virfs_image_path (const VirfsNode *node);
/* images/, for the root's table. */
extern const VirfsDir virfs_images_dir;

/* used_by/ of an image, and the `owner` and `set_owner` of its class (image_use.c). */
extern const VirfsDir virfs_image_users_dir;
void virfs_image_get_owner (const VirfsNode *node, VirfsOwner *owner);
void virfs_image_set_owner (VirfsCall *call, const VirfsNode *node, const VirfsOwner *wanted);

/* <file>.d/, and the rows of inspect and of os/ (image_guest.c); `offset` is that of a text, or list, of VirfsOs. */
extern const VirfsDir virfs_image_about_dir;
void virfs_show_inspect (const VirfsNode *node, GString *out);
void virfs_store_inspect (VirfsCall *call, const VirfsNode *node, gboolean value);
void virfs_show_os (const VirfsNode *node, GString *out);
void virfs_show_os_list (const VirfsNode *node, GString *out);
gsize virfs_size_of_os_list (const VirfsNode *node);

/* Its `create` (image.c). */
void virfs_image_create (VirfsCall *call, const VirfsNode *dir, const char *name);
