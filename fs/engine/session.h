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
#include "row.h"

typedef struct VirfsSession VirfsSession;

/* The tree. */
typedef struct {
  /* The object with number ID: its class, and a reference in *OBJECT.  NULL if there is none. */
  const VirfsClass *(*find) (gpointer tree, guint64 id, gpointer *object);
  /* A refused or failed call, for those who show it; the path of a node of OBJECT is PATH. */
  void (*report) (gpointer tree, const VirfsNode *node, const char *path, guint uid,
                  const GError *error);
  /* Where NODE is, relative to the root; NULL if nowhere.  The caller owns it. */
  char *(*path) (gpointer tree, const VirfsNode *node);
} VirfsTreeOps;

/* OPTIONS: those of `-o`, comma separated, or NULL.  Does not mount yet. */
VirfsSession *virfs_session_new (const VirfsTreeOps *ops, gpointer tree, const char *options,
                                 GError **error);
/* Mounts; MOUNTPOINT must be an existing directory. */
gboolean virfs_session_mount (VirfsSession *session, const char *mountpoint, GError **error);
/* Serves until it is unmounted or SIGINT, SIGTERM or SIGHUP comes, which must not be blocked in this
 * thread and be blocked in all others.  Returns the signal's number, 0 when unmounted, negative for a
 * failure (errno). */
int virfs_session_run (VirfsSession *session);
/* Unmounts, and waits for what is under way to be over. */
void virfs_session_unmount (VirfsSession *session);
void virfs_session_free (VirfsSession *session);

/* Of the object ID of CLASS, FIELDS have changed. */
void virfs_session_changed (VirfsSession *session, const VirfsClass *class, guint64 id,
                            guint64 fields);
/* In the directory DIR (an inode number) NAME no longer leads to CHILD.  New entries need no word:
 * what is not there is not cached. */
void virfs_session_vanished (VirfsSession *session, guint64 dir, const char *name, guint64 child);
/* The object ID is gone for good. */
void virfs_session_removed (VirfsSession *session, const VirfsClass *class, guint64 id);
