/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is installed on the disks of a guest, as an inspection has found it: immutable, shared by reference.
 * All of it is what the guest says, so it is bounded, and escaped (virfs_text_escape()).
 */
#pragma once

#include "blob.h"

typedef struct {
  gatomicrefcount refs;
  /* NULL: not known */
  GRefString *type, *distribution, *product, *variant, *version, *hostname, *arch, *osinfo;
  GRefString *package_format;
  VirfsBlob *mountpoints; /* lines: path, tab, device */
  VirfsBlob *packages;    /* lines: name, tab, version, tab, architecture; the first says so */
} VirfsOs;

/* Of PAIRS (char *: key, value, key, value …; see VirfsFilesInspected); the caller owns it.  INVALID: more than any
 * guest has. */
VirfsOs *virfs_os_new (GPtrArray *pairs, GError **error);
VirfsOs *virfs_os_ref (VirfsOs *os);
/* NULL is allowed. */
void virfs_os_unref (VirfsOs *os);

/* All of it as a text, which the caller owns, and what was saved so. */
char *virfs_os_save (const VirfsOs *os);
VirfsOs *virfs_os_load (const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsOs, virfs_os_unref)
