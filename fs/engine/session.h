/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mounted tree: the FUSE session.  It serves whatever tree it is given and knows nothing of what
 * the tree is about.
 *
 * The kernel caches everything without a time limit; whoever owns the objects tells what changes
 * (virfs_session_changed() and its like), from any thread, under any lock: they only take note.
 */
#pragma once

#include "call.h"
#include "files.h"
#include "row.h"

typedef struct VirfsSession VirfsSession;

/* What somebody has done through the tree, or tried to; texts are borrowed, and NULL where they do not
 * apply. */
typedef struct {
  const char *verb; /* read, write, make, remove, rename, link, own, create, cut */
  const char *path; /* of the file */
  const char *to;   /* where it was moved; what a link leads to */
  guint uid;
  const char *value; /* what was asked for */
  gboolean secret; /* that must not be told: a document, what is for the owner alone, a password */
  const char *old, *new; /* what the file said before, and says now */
} VirfsDeed;

/* The tree. */
typedef struct {
  /* The object with number ID: its class, and a reference in *OBJECT.  NULL if there is none. */
  const VirfsClass *(*find) (gpointer tree, guint64 id, gpointer *object);
  /* DEED, at NODE or at an entry of that, has been done, or has failed with ERROR. */
  void (*done) (gpointer tree, const VirfsNode *node, const VirfsDeed *deed, const GError *error);
  /* Calls FUNC with DATA, once and in any thread, when what was told by `done` is on disk, or will not be.
   * NULL: that need not be waited for. */
  void (*settle) (gpointer tree, void (*func) (gpointer data), gpointer data);
  /* Where NODE is, relative to the root; NULL if nowhere.  The caller owns it. */
  char *(*path) (gpointer tree, const VirfsNode *node);
} VirfsTreeOps;

/* OPTIONS: those of `-o`, comma separated, or NULL.  Does not mount yet. */
VirfsSession *virfs_session_new (const VirfsTreeOps *ops, gpointer tree, const char *options,
                                 GError **error);
/* Mounts; MOUNTPOINT must be an existing directory. */
gboolean virfs_session_mount (VirfsSession *session, const char *mountpoint, GError **error);
/* Serves in this thread, and in others that it makes, until it is unmounted or virfs_session_end() is
 * called.  Uses SIGUSR1.  0, or negative for a failure (errno). */
int virfs_session_run (VirfsSession *session);
/* From another thread: makes virfs_session_run() return.  What was to be answered should have been; what
 * the kernel was to be told is given up. */
void virfs_session_end (VirfsSession *session);
/* When virfs_session_run() has returned. */
void virfs_session_unmount (VirfsSession *session);
void virfs_session_free (VirfsSession *session);

/* Of the object ID of CLASS, FIELDS have changed; with all fields all rows have, also those that show
 * none. */
#define VIRFS_ALL_FIELDS (~G_GUINT64_CONSTANT (0))
void virfs_session_changed (VirfsSession *session, const VirfsClass *class, guint64 id,
                            guint64 fields);
/* In the directory DIR (an inode number) NAME no longer leads to CHILD (0: whatever that was; to be used
 * of directories, which the kernel takes for dead otherwise).  New entries need no word: what is not
 * there is not cached. */
void virfs_session_vanished (VirfsSession *session, guint64 dir, const char *name, guint64 child);
/* The object ID is gone for good. */
void virfs_session_removed (VirfsSession *session, const VirfsClass *class, guint64 id);

/* Trees of files that are somebody else's.  FILES (referenced) has ROOT and gets an inode number, by which a
 * VirfsDir of the directory PARENT (an inode number) may list and find it.  What is in it is asked when
 * somebody looks, and kept by the kernel. */
guint64 virfs_session_attach (VirfsSession *session, VirfsFiles *files, const VirfsFilesInfo *root,
                              guint64 parent);
/* The end of that: whoever is in it gets ESTALE.  The kernel is to be told that it has vanished, and FILES
 * to be stopped, by the caller. */
void virfs_session_detach (VirfsSession *session, guint64 ino);
