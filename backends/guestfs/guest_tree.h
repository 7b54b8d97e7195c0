/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a tree of a guest's files: what is known of its directories and contents, so that the
 * appliance is asked as seldom as can be.
 *
 *  guest_tree.c       its life
 *   directory*.c lists, attributes, extended attributes
 *   answer.c     what the helper says of them
 *   content.c    contents, and reading ahead
 *
 * The lock of a tree is held for moments; nobody outside is called with it but the appliance is asked,
 * which does not wait either.  What is known is forgotten when there is too much of it, the oldest first; a
 * directory or a piece that somebody waits for is not.
 */
#pragma once

#include "appliance.h"
#include "guest_files.h"

typedef struct Directory Directory;

typedef struct {
  VirfsFiles files; /* first */
  VirfsAppliance *appliance;
  VirfsFilesOpened opened; /* in the appliance's thread: NULL once it has been called */
  gpointer opened_data;
  GPtrArray *notes; /* in that thread: until then */
  GMutex lock;
  GHashTable *directories; /* under lock: path -> Directory */
  GQueue recent;           /* under lock: of Directory*, the latest used first */
  gsize bytes;             /* under lock: what they take */
  GHashTable *pieces;      /* under lock: key -> Piece, see content.c */
  GQueue recent_pieces;    /* under lock: the latest used first */
  gsize piece_bytes;       /* under lock */
  gsize ahead_bytes;       /* under lock: being read ahead */
  guint reads_on;          /* under lock: lists until reading in order counts no more */
} Tree;

/* directory.c: of VirfsFilesClass. */
void virfs_tree_list (VirfsFiles *files, const char *path, VirfsFilesListed done, gpointer data);
void virfs_tree_find (VirfsFiles *files, const char *path, const char *name, VirfsFilesFound done,
                      gpointer data);
void virfs_tree_xattrs (VirfsFiles *files, const char *path, const char *name,
                        VirfsFilesXattrs done, gpointer data);
void virfs_directory_free (gpointer directory);

/* inspect.c: likewise. */
void virfs_tree_inspect (VirfsFiles *files, VirfsFilesInspected done, gpointer data);

/* For reading ahead, under the lock: the file NAME in the directory PATH has been opened. */
void virfs_directory_opened (Tree *tree, const char *path, const char *name);

/* answer.c: what answers say; what is no such answer is FALSE. */

typedef struct {
  GArray *entries; /* of VirfsFilesEntry, without names */
  GString *names;  /* each with its NUL, in that order */
} VirfsNames;

gboolean virfs_answer_add_names (const GByteArray *answer, VirfsNames *names);
/* N of them: VirfsFilesInfo*, NULL for what is not there. */
gboolean virfs_answer_get_infos (const GByteArray *answer, gpointer *infos, guint n);
void virfs_info_free (gpointer info);
/* Of a file each; FROM is increased: an answer in several parts. */
gboolean virfs_answer_get_xattrs (const GByteArray *answer, gpointer *tables, guint *from, guint n);

/* content.c */
VirfsContent *virfs_tree_open (VirfsFiles *files, const char *path, const char *name, guint64 size);
/* Under the lock: reads the file NAME in the directory PATH if it is small.  FALSE: enough is on its way. */
gboolean virfs_tree_read_ahead (Tree *tree, const char *path, const char *name,
                                const VirfsFilesInfo *info);
void virfs_piece_free (gpointer piece);
