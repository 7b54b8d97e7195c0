/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the data of a disk are, so that nobody asks for holes and who reads ahead knows what comes
 * next.  Reference counted; it does not change once it is used.  NULL stands for a disk that is all
 * data.
 */
#pragma once

#include <glib.h>

typedef struct VirfsDataMap VirfsDataMap;

VirfsDataMap *virfs_data_map_new (void);
VirfsDataMap *virfs_data_map_ref (VirfsDataMap *map);
void virfs_data_map_unref (VirfsDataMap *map);

/* There are data; to be called in the order of the disk. */
void virfs_data_map_add (VirfsDataMap *map, guint64 start, guint64 length);

/* Whether there are data at OFFSET, and until where that stays so. */
gboolean virfs_data_map_at (const VirfsDataMap *map, guint64 offset, guint64 *until);
/* Where the next data are when from OFFSET on BYTES of them have passed; G_MAXUINT64: none are. */
guint64 virfs_data_map_skip (const VirfsDataMap *map, guint64 offset, guint64 bytes);
/* Narrows a stretch to what begins and ends with data; FALSE if it has none. */
gboolean virfs_data_map_trim (const VirfsDataMap *map, guint64 *start, guint64 *end);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsDataMap, virfs_data_map_unref)
