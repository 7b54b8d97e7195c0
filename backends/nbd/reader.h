/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading one export through any number of open files, which share what was read.
 *
 * Where a file is read in order, whole blocks are read ahead of it; other reads go straight to the
 * server.  Holes are answered without it.  Reads of the same are joined.  What cannot be read ahead
 * is nobody's error until it is asked for, and then only for what cannot be read of it.
 */
#pragma once

#include "budget.h"
#include "content.h"
#include "data_map.h"
#include "nbd.h"

typedef struct VirfsReader VirfsReader;
typedef struct VirfsReaderFile VirfsReaderFile;

/* Takes NBD. */
VirfsReader *virfs_reader_new (VirfsNbd *nbd, VirfsBudget *budget);
/* Closes the export; all files have been closed before.  Waits until all reads have ended. */
void virfs_reader_free (VirfsReader *reader);
VirfsNbd *virfs_reader_nbd (VirfsReader *reader);

/* DATA tells what of the disk is read through this file, a reference is taken: all else reads as
 * zeroes.  NULL: all of it. */
VirfsReaderFile *virfs_reader_open (VirfsReader *reader, VirfsDataMap *data);
/* Its reads have ended. */
void virfs_reader_close (VirfsReaderFile *file);

/* See content.h.  The pieces count in the budget until the last reference goes. */
void virfs_reader_read (VirfsReaderFile *file, guint64 offset, gsize length, VirfsContentDone done,
                        gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsReader, virfs_reader_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsReaderFile, virfs_reader_close)
