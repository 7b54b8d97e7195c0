/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an image says of itself in its first bytes.  Nothing in it is trusted: an image that would make a
 * hypervisor read or write another file must be found out before one sees it.
 */
#pragma once

#include <glib.h>

/* Bytes of the beginning of a file that are looked at. */
#define VIRFS_IMAGE_HEADER_BYTES (64 * 1024)

typedef struct {
  const char *format; /* raw, qcow2, qcow, qed, vmdk, vdi, vpc, vhdx, luks: libvirt's words */
  guint64 size;       /* bytes that a guest sees; 0: not known */
  char *backing;      /* what it is based on, as it says it; NULL: nothing */
} VirfsImageHeader;

/* BYTES: the first LENGTH of a file of FILE_SIZE, as many as there are up to VIRFS_IMAGE_HEADER_BYTES.
 * INVALID if what it looks like cannot be right, or its data are in another file. */
gboolean virfs_image_header_parse (const guint8 *bytes, gsize length, guint64 file_size,
                                   VirfsImageHeader *header, GError **error);
void virfs_image_header_clear (VirfsImageHeader *header);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VirfsImageHeader, virfs_image_header_clear)
