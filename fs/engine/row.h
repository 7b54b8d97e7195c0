/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a tree is described to the engine: classes of objects, and for each class one const table with
 * one row for each of its files.  A row is the only place where a file is described: readdir, lookup,
 * attributes, permissions, the help, the manual and the generic tests are all made from it.
 *
 * A node is one file: a row of one object, at one moment.
 */
#pragma once

#include "content.h"
#include "error.h"
#include "owner.h"
#include "sink.h"
#include "terminal.h"

#include <glib.h>
#include <sys/stat.h>

typedef struct VirfsCall VirfsCall;
typedef struct VirfsClass VirfsClass;
typedef struct VirfsListing VirfsListing;
typedef struct VirfsRow VirfsRow;

typedef struct {
  const VirfsClass *class;
  const VirfsRow *row;
  guint64 id;             /* of the object, and above VIRFS_ID_BITS what the tree has added to it */
  gpointer object;        /* a reference */
  gconstpointer snapshot; /* what is known of the object; a reference */
} VirfsNode;

typedef enum {
  VIRFS_ROW_UNLISTED = 1 << 0, /* can be opened by name but is not listed: it has no end */
  VIRFS_ROW_DOCUMENT = 1 << 1, /* a write is taken as a whole, when the file is closed */
  VIRFS_ROW_MEASURED = 1 << 2, /* changes without notice: never cached, made once per open */
  VIRFS_ROW_NEEDS = 1 << 3,    /* can be written only while the class's `ready` says so */
  VIRFS_ROW_LIST = 1 << 4,     /* several lines are one value; what is appended is added to it */
  VIRFS_ROW_PRIVATE = 1 << 5,  /* for the owner alone, whatever the object's mode is */
  VIRFS_ROW_PUBLIC = 1 << 6,   /* as its mode says, whatever the object's is */
  VIRFS_ROW_TRUSTED = 1 << 7,  /* can be written only by root and by who mounted */
  VIRFS_ROW_OWNED = 1 << 8,    /* of a file: chown and chmod of it are those of its object */
  VIRFS_ROW_AWAITED = 1 << 9,  /* who asks for its size waits (`await`), too */
  VIRFS_ROW_COMMAND = 1 << 10, /* shows what may be written, not what was */
  VIRFS_ROW_SECRET = 1 << 11,  /* what is written may hold a password, what it shows does not */
} VirfsRowFlags;

/* What can be done in a directory whose entries are not rows. */
typedef struct {
  /* Adds all entries (virfs_listing_add()). */
  void (*list) (const VirfsNode *dir, VirfsListing *listing);
  /* The inode number of an entry, 0 if there is none. */
  guint64 (*find) (const VirfsNode *dir, const char *name);
  /* NULL where it is not allowed (EPERM).  Each ends by virfs_call_finish(), as `store` does. */
  void (*make) (VirfsCall *call, const VirfsNode *dir, const char *name);
  void (*remove) (VirfsCall *call, const VirfsNode *dir, const char *name);
  void (*move) (VirfsCall *call, const VirfsNode *dir, const char *name, const VirfsNode *to,
                const char *new_name);
  /* A symbolic link to TARGET, and the end of one. */
  void (*link) (VirfsCall *call, const VirfsNode *dir, const char *name, const char *target);
  void (*unlink) (VirfsCall *call, const VirfsNode *dir, const char *name);
  /* A file that is written then, new or (NAME is there) not; as VirfsRow's `write`. */
  void (*create) (VirfsCall *call, const VirfsNode *dir, const char *name);
} VirfsDir;

struct VirfsRow {
  /* Relative to the object's directory, "" for that itself.  Its directories come before what is in
   * them.  A path that begins with '/' is elsewhere in the tree: some VirfsDir lists it there, and
   * the path tells the manual where. */
  const char *path;
  mode_t mode;    /* type and permissions */
  guint flags;    /* VirfsRowFlags */
  guint64 fields; /* of the object: it shows these and changes with them */

  /* Of a regular file: appends what it shows.  Nothing, for a value that does not apply. */
  void (*show) (const VirfsNode *node, GString *out);
  gsize offset; /* for those who show a member of the snapshot */
  /* Where `show` is costly: its exact length. */
  gsize (*size) (const VirfsNode *node);
  /* In place of `show`, for what is large: copies from OFFSET; `size` is needed too. */
  gsize (*read) (const VirfsNode *node, goffset offset, char *buffer, gsize size);
  /* In place of `show`, for what is to be had from elsewhere: opens it, without waiting; `size` is
   * needed too.  NULL with ERROR if that is not possible. */
  VirfsContent *(*open) (const VirfsNode *node, GError **error);
  /* Of a measured file: FALSE if what it shows is still to come.  Then READY is called with DATA, once and
   * in any thread, also before this returns; whoever opens it waits for that. */
  gboolean (*await) (const VirfsNode *node, void (*ready) (gpointer data), gpointer data);
  /* Of such a file: bytes that it takes, for st_blocks.  NULL: as many as it has. */
  guint64 (*allocated) (const VirfsNode *node);
  /* In place of `show`, for what has no end: copies what comes after *POSITION and moves that.  0 if
   * there is nothing yet: the reader waits for a change of `fields`. */
  gsize (*follow) (const VirfsNode *node, guint64 *position, char *buffer, gsize size);
  guint64 (*follow_from) (const VirfsNode *node); /* the position at open */

  /* In place of `show`, for what goes both ways: opens it, to be read or written.  It ends by
   * virfs_call_finish(), after virfs_call_give_terminal() if it has not failed. */
  void (*talk) (VirfsCall *call, const VirfsNode *node);

  /* Of a file that can be written: takes one line without its newline and without white space around
   * it, or the whole document or list; valid UTF-8.  It must end by virfs_call_finish(), at once or later from
   * any thread, when the new value is what `show` shows. */
  void (*store) (VirfsCall *call, const VirfsNode *node, const char *text);
  /* In place of `store`: the value read from the text, which INVALID refuses with a sentence. */
  void (*store_number) (VirfsCall *call, const VirfsNode *node, guint64 value);
  void (*store_signed) (VirfsCall *call, const VirfsNode *node, gint64 value);
  void (*store_size) (VirfsCall *call, const VirfsNode *node, guint64 bytes);
  void (*store_bool) (VirfsCall *call, const VirfsNode *node, gboolean value);
  void (*store_text) (VirfsCall *call, const VirfsNode *node, const char *value);

  /* Of a file with `open`, in place of `store`: opens it to be written.  It ends by
   * virfs_call_finish(), after virfs_call_give_sink() if it has not failed. */
  void (*write) (VirfsCall *call, const VirfsNode *node);
  /* Makes it SIZE bytes long; it ends by virfs_call_finish(). */
  void (*cut) (VirfsCall *call, const VirfsNode *node, guint64 size);
  /* Whether somebody writes it: the kernel keeps no attributes of it meanwhile. */
  gboolean (*is_written) (const VirfsNode *node);
  /* It is to have been modified then, in microseconds since the epoch; must not wait. */
  void (*set_modified) (const VirfsNode *node, gint64 modified);

  /* Of a symbolic link: appends where it leads.  Nothing: there is no such link now. */
  void (*link) (const VirfsNode *node, GString *out);
  /* Of a directory with entries of its own beside its rows. */
  const VirfsDir *dir;

  const char *help; /* one line, for users */
};

/* Whether ROW can be written. */
gboolean virfs_row_is_writable (const VirfsRow *row);

struct VirfsClass {
  const char *path; /* of its objects, for the manual: `vms/<vm>` */
  const VirfsRow *rows;
  guint n_rows;
  /* Inode number of the directory that the object of NODE is in; NULL for the root. */
  guint64 (*parent) (const VirfsNode *node);

  void (*unref) (gpointer object);
  /* A reference to what is known of OBJECT now, and its end. */
  gconstpointer (*snapshot) (gpointer object);
  void (*release) (gconstpointer snapshot);
  /* When FIELDS last changed, microseconds since the epoch. */
  gint64 (*changed) (const VirfsNode *node, guint64 fields);
  /* Whether rows with VIRFS_ROW_NEEDS can be written now; NULL: always. */
  gboolean (*ready) (const VirfsNode *node);
  /* Who may do what; NULL: who mounted, and modes are as the rows say. */
  void (*owner) (const VirfsNode *node, VirfsOwner *owner);
  /* chown, chgrp and chmod of a directory: OWNER is what it is to be.  It ends by virfs_call_finish().
   * NULL: not possible. */
  void (*set_owner) (VirfsCall *call, const VirfsNode *node, const VirfsOwner *owner);
  /* Of objects that are places to store things: bytes that there are and that are free, for df(1) in
   * the object's directory and below; FALSE if that is not known.  NULL: they are no such places. */
  gboolean (*capacity) (const VirfsNode *node, guint64 *bytes, guint64 *free);
  /* Of objects that take space elsewhere: how many bytes, for du(1) of the object's directory.  NULL:
   * they take none. */
  guint64 (*allocation) (const VirfsNode *node);

  /* made by virfs_class_init() */
  guint *parents;    /* of each row: the row that is its directory, G_MAXUINT for none */
  GHashTable *names; /* parent and name -> row */
};

#define VIRFS_ROW_BITS 10
#define VIRFS_BIT_ROWS (1 << VIRFS_ROW_BITS)

/* To be called once for each class, before it is used. */
void virfs_class_init (VirfsClass *class);
/* The row with PATH, which must exist. */
const VirfsRow *virfs_class_row (const VirfsClass *class, const char *path);

/* The row NAME in the directory DIR of the same class; NULL if there is none. */
const VirfsRow *virfs_class_find (const VirfsClass *class, const VirfsRow *dir, const char *name);

/* The inode number of ROW of the object ID. */
guint64 virfs_inode (const VirfsClass *class, guint64 id, const VirfsRow *row);

/* One more entry: any name but "." and "..", with the inode number and type (S_IFDIR …) of its node. */
void virfs_listing_add (VirfsListing *listing, const char *name, guint64 ino, mode_t type);

/* Shows members of a snapshot, at `offset`: with a newline, and nothing for a value that is not there
 * (NULL).  Text is escaped (virfs_text_escape()). */
void virfs_show_text (const VirfsNode *node, GString *out);  /* of const char * */
void virfs_show_lines (const VirfsNode *node, GString *out); /* of const char *, as it is */
void virfs_show_u64 (const VirfsNode *node, GString *out);   /* of guint64 */
void virfs_show_known (const VirfsNode *node, GString *out); /* of guint64; 0: not known */
void virfs_show_uint (const VirfsNode *node, GString *out);  /* of guint */
void virfs_show_bool (const VirfsNode *node, GString *out);  /* of gboolean */
void virfs_show_time (const VirfsNode *node, GString *out);  /* of gint64, microseconds; 0: none */
