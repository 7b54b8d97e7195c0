/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories `files`: the files on disks, where somebody has made one.  An object has one at most, in its
 * own directory; whoever has disks puts these functions in its VirfsDir.
 */
#pragma once

#include "classes.h"
#include "files.h"
#include "os.h"

#define VIRFS_FILES "files"

/* Who opens disks, for all trees; before the first is mounted.  NULL: nobody can. */
void virfs_guest_files_set_opener (VirfsFilesOpener opener);

/* Opens DISKS (VirfsFilesDisk*, borrowed) as `files` of DIR, the directory of an object on HOST; CALL ends with
 * it. */
void virfs_guest_files_make (VirfsCall *call, const VirfsNode *dir, VirfsHost *host,
                             GPtrArray *disks);
/* Finds out what is installed on DISKS; CALL ends when NOTE has noted it, in a thread of its own. */
typedef void (*VirfsInspectionNote) (gpointer object, VirfsOs *os);
void virfs_guest_files_inspect (VirfsCall *call, const VirfsNode *dir, VirfsHost *host,
                                GPtrArray *disks, VirfsInspectionNote note);
/* Ends it: NOT_FOUND, BUSY. */
void virfs_guest_files_remove (VirfsCall *call, const VirfsNode *dir, const char *name);
void virfs_guest_files_list (const VirfsNode *dir, VirfsListing *listing);
guint64 virfs_guest_files_find (const VirfsNode *dir, const char *name);

/* Ends that of OBJECT, if it has one, and then calls FUNC: at once, or in another thread. */
void virfs_guest_files_end_then (gpointer object, void (*func) (gpointer), gpointer data);
/* Begins to end that of OBJECT, which is gone; may be called under any lock. */
void virfs_guest_files_gone (gpointer object);
/* Ends all of SESSION, and waits for that. */
void virfs_guest_files_end_all (VirfsSession *session);
