/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories for the temporary files of appliances.  They are in one of this process, which is locked as
 * long as it lives; what processes that are gone have left is removed by the next.
 */
#pragma once

#include <glib.h>

/* A new directory, for us alone; the caller owns the path. */
char *virfs_scratch_new (GError **error);
/* Removes it, and what is in it, also the sockets that libguestfs has made for it elsewhere. */
void virfs_scratch_remove (const char *path);

/* In such a directory: a link to where the sockets are. */
#define VIRFS_SCRATCH_SOCKETS "sockets"
