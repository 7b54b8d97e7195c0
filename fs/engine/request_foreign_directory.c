/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests: listing directories of other trees.  Nothing is kept between two of them: a list does not change, and
 * the place in it is a number.  The kernel asks for attributes along with the first part of it; they are
 * given if it is likely that they will be wanted, because then each saves a lookup, and else not, because
 * a walk that wants only names costs half.
 */
#include "request_foreign.h"

#include <dirent.h>
#include <errno.h>

/* Reading.  Entries 0 and 1 are "." and "..". */

typedef struct {
  fuse_req_t req; /* for adding entries; PENDING answers it */
  VirfsPending *pending;
  VirfsForeignNode *node;
  VirfsFilesList *list; /* a reference; NULL: not known yet */
  char *path;
  char *buffer;
  gsize size, used;
  guint at; /* the next entry */
  gboolean plus, full;
  int error;
  GArray *told; /* guint64: nodes that were looked up */
  gint turn;    /* atomic: see step() */
} Reading;

enum { ASKED, ANSWERED, WAITING };

static void
reading_end (Reading *self)
{
  VirfsForeign *table = self->node->mount->table;
  VirfsSession *session;
  fuse_req_t req = virfs_pending_take (self->pending, &session);
  int result = -ENOENT;

  if (req != NULL && self->error != 0)
    result = fuse_reply_err (req, self->error);
  else if (req != NULL)
    result = fuse_reply_buf (req, self->buffer, self->used);
  if (result != 0) /* the kernel does not know of them */
    for (guint i = 0; i < self->told->len; i++)
      virfs_foreign_forget (table, g_array_index (self->told, guint64, i), 1);
  virfs_foreign_node_unref (self->node);
  g_clear_pointer (&self->list, virfs_files_list_unref);
  g_array_unref (self->told);
  g_free (self->path);
  g_free (self->buffer);
  g_free (self);
  virfs_session_end_read (session);
}

static mode_t
mode_of (guint type)
{
  return type == DT_UNKNOWN ? 0 : DTTOIF (type);
}

/* ENTRY: with or without a node.  FALSE: there is no room for it. */
static gboolean
add (Reading *self, const char *name, const struct fuse_entry_param *entry)
{
  char *to = self->buffer + self->used;
  gsize room = self->size - self->used;
  gsize length = self->plus
                   ? fuse_add_direntry_plus (self->req, to, room, name, entry, self->at + 1)
                   : fuse_add_direntry (self->req, to, room, name, &entry->attr, self->at + 1);

  if (length > room) {
    self->full = TRUE;
    return FALSE;
  }
  self->used += length;
  self->at++;
  return TRUE;
}

static void
add_plain (Reading *self, const char *name, guint64 ino, mode_t mode)
{
  struct fuse_entry_param entry = { .attr = { .st_ino = ino, .st_mode = mode } };

  add (self, name, &entry);
}

static void
add_dots (Reading *self)
{
  if (self->at == 0)
    add_plain (self, ".", self->node->st.st_ino, S_IFDIR);
  if (self->at == 1 && !self->full)
    add_plain (self, "..", self->node->st.st_ino, S_IFDIR);
}

static const VirfsFilesEntry *
entry_at (const Reading *self)
{
  return &self->list->entries[self->at - 2];
}

static gboolean
is_over (const Reading *self)
{
  return self->full || self->at - 2 >= self->list->n;
}

static void
add_found (Reading *self, const VirfsFilesInfo *info)
{
  const char *name = entry_at (self)->name;
  g_autoptr (VirfsForeignNode) node = virfs_foreign_look_up (self->node, name, info);
  struct fuse_entry_param entry = virfs_foreign_entry (node);

  if (add (self, name, &entry))
    g_array_append_val (self->told, node->ino);
  else
    virfs_foreign_forget (node->mount->table, node->ino, 1);
}

static void step (Reading *self);

/* Whoever comes second, this or step() with its note that it waits, goes on. */
static void
entry_found (int error, const VirfsFilesInfo *info, gpointer data)
{
  Reading *self = data;
  const VirfsFilesEntry *entry = entry_at (self);

  if (error == 0)
    add_found (self, info);
  else /* who looks for it will hear why */
    add_plain (self, entry->name, virfs_foreign_visible (self->node, entry->ino),
               mode_of (entry->type));
  if (!g_atomic_int_compare_and_exchange (&self->turn, ASKED, ANSWERED))
    step (self);
}

/* Entry after entry as long as their attributes are known; else entry_found() goes on. */
static void
step (Reading *self)
{
  VirfsFiles *files = self->node->mount->files;

  while (!is_over (self)) {
    g_atomic_int_set (&self->turn, ASKED);
    files->class->find (files, self->path, entry_at (self)->name, entry_found, self);
    if (g_atomic_int_compare_and_exchange (&self->turn, ASKED, WAITING))
      return;
  }
  reading_end (self);
}

static void
read_names (Reading *self)
{
  while (!is_over (self))
    add_plain (self, entry_at (self)->name,
               virfs_foreign_visible (self->node, entry_at (self)->ino),
               mode_of (entry_at (self)->type));
  reading_end (self);
}

/* One less to come, at the beginning of a directory. */
static gboolean
take_eager (VirfsForeignMount *mount, gboolean begins)
{
  gint eager = g_atomic_int_get (&mount->eager);

  if (eager > 0 && begins)
    g_atomic_int_compare_and_exchange (&mount->eager, eager, eager - 1);
  return eager > 0;
}

static void
listed (int error, VirfsFilesList *list, gpointer data)
{
  Reading *self = data;

  if (error != 0) {
    self->error = error;
    reading_end (self);
    return;
  }
  self->list = virfs_files_list_ref (list);
  self->at = MIN (self->at, list->n + 2);
  add_dots (self);
  if (self->plus && take_eager (self->node->mount, self->at <= 2))
    step (self);
  else
    read_names (self);
}

static void
read_directory (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, gboolean plus)
{
  VirfsForeignNode *node = virfs_request_foreign (req, ino);
  Reading *self;

  if (node == NULL)
    return;
  self = g_new0 (Reading, 1);
  self->req = req;
  self->pending = virfs_pending_new (req);
  self->node = node;
  self->path = virfs_foreign_path (node);
  self->buffer = g_malloc (size);
  self->size = size;
  self->at = (guint) CLAMP (offset, 0, G_MAXINT);
  self->plus = plus;
  self->told = g_array_new (FALSE, FALSE, sizeof (guint64));
  node->mount->files->class->list (node->mount->files, self->path, listed, self);
}

void
virfs_foreign_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, FALSE);
}

void
virfs_foreign_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                           struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, TRUE);
}
