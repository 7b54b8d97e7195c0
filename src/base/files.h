/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree of files that is somebody else's, as that of a guest: read-only, and it does not change.  Whoever
 * has it fills in a class; such a tree begins with struct VirfsFiles.
 *
 * Nothing here waits: what is asked for is told by a function that is called once, in any thread, also in
 * the caller's before the call returns; it must not block.  ERROR is an errno, or 0.  Paths are
 * those of the tree: "/" is its root, and "/etc" a directory in that.  Names are bytes, of any kind
 * but '/' and NUL; they are never empty, ".", or "..", and have at most 255 bytes.
 */
#pragma once

#include "content.h"

#include <sys/stat.h>

typedef struct VirfsFiles VirfsFiles;

typedef struct {
  const char *name;
  guint64 ino; /* as the tree itself has it */
  guint type;  /* DT_DIR …, DT_UNKNOWN */
} VirfsFilesEntry;

/* The entries of a directory, sorted by name; immutable. */
typedef struct {
  gatomicrefcount refs;
  guint n;
  VirfsFilesEntry *entries;
  char *names; /* what the entries' are in */
} VirfsFilesList;

/* A file.  st_dev and st_ino are the tree's own: if two have the same they are one. */
typedef struct {
  struct stat st;
  const char *target; /* of a symbolic link; else NULL */
} VirfsFilesInfo;

typedef void (*VirfsFilesListed) (int error, VirfsFilesList *list, gpointer data);
typedef void (*VirfsFilesFound) (int error, const VirfsFilesInfo *info, gpointer data);
/* XATTRS: name (char *) → GBytes. */
typedef void (*VirfsFilesXattrs) (int error, GHashTable *xattrs, gpointer data);
/* PAIRS (char *: key, value, key, value …) or ERROR, both borrowed.  Keys are type, distribution, product,
 * version, hostname, arch …, and any number of `mountpoint` (path, tab, device) and `package` (name, tab,
 * version, tab, architecture). */
typedef void (*VirfsFilesInspected) (const GError *error, GPtrArray *pairs, gpointer data);
typedef void (*VirfsFilesStopped) (gpointer data);

typedef struct {
  void (*list) (VirfsFiles *files, const char *directory, VirfsFilesListed done, gpointer data);
  /* NAME in DIRECTORY: ENOENT if there is no such. */
  void (*find) (VirfsFiles *files, const char *directory, const char *name, VirfsFilesFound done,
                gpointer data);
  void (*xattrs) (VirfsFiles *files, const char *directory, const char *name, VirfsFilesXattrs done,
                  gpointer data);
  /* The contents of a regular file of SIZE bytes. */
  VirfsContent *(*open) (VirfsFiles *files, const char *directory, const char *name, guint64 size);
  /* What is installed there. */
  void (*inspect) (VirfsFiles *files, VirfsFilesInspected done, gpointer data);
  /* Ends it: what is under way and all that is asked later fails. */
  void (*stop) (VirfsFiles *files, VirfsFilesStopped done, gpointer data);
  void (*free) (VirfsFiles *files);
} VirfsFilesClass;

struct VirfsFiles {
  const VirfsFilesClass *class;
  gatomicrefcount refs;
};

VirfsFiles *virfs_files_ref (VirfsFiles *files);
/* The last reference has to be dropped when it has stopped. */
void virfs_files_unref (VirfsFiles *files);

/* ENTRIES is of VirfsFilesEntry whose names are borrowed; they are copied and sorted, and of those with the
 * same name one is kept. */
VirfsFilesList *virfs_files_list_new (const GArray *entries);
VirfsFilesList *virfs_files_list_ref (VirfsFilesList *list);
void virfs_files_list_unref (VirfsFilesList *list);
/* Where NAME is; G_MAXUINT if it is not there. */
guint virfs_files_list_find (const VirfsFilesList *list, const char *name);

/* The path of NAME in DIRECTORY; the caller owns it. */
char *virfs_files_path (const char *directory, const char *name);

/* Where such a tree is: the disks of one guest, in their order. */
typedef struct {
  char *file, *format; /* `raw` or `qcow2` */
} VirfsFilesImage;

typedef struct {
  char *target;      /* what the guest calls it, as in vda */
  char *uri;         /* of an NBD export: nbd+unix://…; NULL: these: */
  GPtrArray *images; /* VirfsFilesImage*: the image, behind it its backing file, and so on */
  char *certificates; /* a directory with those for nbds://; NULL: the system's */
} VirfsFilesDisk;

VirfsFilesDisk *virfs_files_disk_new (const char *target, const char *uri, const char *certificates);
/* One image more, the disk or what the last one is based on. */
void virfs_files_disk_add (VirfsFilesDisk *disk, const char *file, const char *format);
void virfs_files_disk_free (VirfsFilesDisk *disk);

/* The tree can be used, or cannot because of ERROR (borrowed).  ROOT is its root; NOTES (char *) tell
 * what of the disks is left out. */
typedef void (*VirfsFilesOpened) (const GError *error, const VirfsFilesInfo *root, GPtrArray *notes,
                                  gpointer data);

/* Opens what is on DISKS (VirfsFilesDisk*, copied).  The caller owns the reference, and has to stop it. */
typedef VirfsFiles *(*VirfsFilesOpener) (GPtrArray *disks, VirfsFilesOpened done, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsFiles, virfs_files_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsFilesList, virfs_files_list_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsFilesDisk, virfs_files_disk_free)
