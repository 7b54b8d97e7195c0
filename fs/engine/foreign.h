/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trees of files that are somebody else's (files.h), below a directory of ours.
 *
 * Their nodes are no rows: they are known when they were looked up, and as long as the kernel knows
 * them.  Their inode numbers are counted, and have the top bit, which those of rows never have.  Two
 * names of one file lead to one node; for a directory that has several, as only a broken file
 * system has, the kernel sees to it that no walk goes round in circles.
 *
 * What st_ino tells is not that number but made of the tree's own, so that it is the same whenever a
 * file is looked up again.
 *
 * A node has a reference for each of the kernel's lookups together, one for each request under way,
 * and the root's one as long as it is attached.  The table's lock is held for moments.
 */
#pragma once

#include "files.h"
#include "engine.h"

typedef struct VirfsForeign VirfsForeign;

typedef struct {
  gatomicrefcount refs;
  VirfsForeign *table;
  VirfsFiles *files; /* a reference */
  guint64 parent;    /* inode number of the directory that it is in */
  guint number;
  gint detached; /* atomic */
  gint eager;    /* atomic: in as many directories whoever reads one is given attributes as well */
} VirfsForeignMount;

typedef struct {
  gatomicrefcount refs;
  guint64 ino;
  VirfsForeignMount *mount; /* a reference */
  GRefString *directory;    /* path of the directory that it is in; NULL: it is the root */
  char *name;               /* in that; NULL for the root */
  struct stat st;           /* as the kernel is told it */
  guint64 key[2];           /* the tree's own device and inode number */
  char *target;             /* of a symbolic link */
  guint64 lookups;          /* under the table's lock */
} VirfsForeignNode;

VirfsForeign *virfs_foreign_new (void);
/* All trees have been detached, and nothing is under way. */
void virfs_foreign_free (VirfsForeign *foreign);

static inline gboolean
virfs_foreign_is (guint64 ino)
{
  return ino >> 63;
}

/* A reference; NULL if there is no such node, or its tree has been detached. */
VirfsForeignNode *virfs_foreign_get (VirfsForeign *foreign, guint64 ino);
/* The node of NAME in the directory DIR, of which INFO is known: a reference, and one more lookup that the
 * kernel is about to be told of. */
VirfsForeignNode *virfs_foreign_look_up (VirfsForeignNode *dir, const char *name,
                                         const VirfsFilesInfo *info);
/* One more lookup of a node that is known. */
void virfs_foreign_looked_up (VirfsForeignNode *node);
void virfs_foreign_forget (VirfsForeign *foreign, guint64 ino, guint64 lookups);
void virfs_foreign_node_unref (VirfsForeignNode *node);
/* The path of NODE in its tree; the caller owns it. */
char *virfs_foreign_path (const VirfsForeignNode *node);
/* What st_ino is of a file with the number INO in the directory DIR. */
guint64 virfs_foreign_visible (const VirfsForeignNode *dir, guint64 ino);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsForeignNode, virfs_foreign_node_unref)
