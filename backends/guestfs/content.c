/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents, in pieces as long as an answer can be; most files are one.  Who reads a file from its beginning
 * gets the next piece ahead, and who reads the files of a directory in their order the next files.  A
 * piece has a waiter for each read that it is part of.
 */
#include "guest_tree.h"

#include <errno.h>
#include <string.h>

#define PIECE VIRFS_WIRE_READ_MAX
/* What is kept of a tree's contents; the kernel keeps them as well. */
#define KEPT_BYTES (32 * 1024 * 1024)
/* What is under way of what nobody has asked for yet. */
#define AHEAD_BYTES (8 * 1024 * 1024)

typedef struct {
  VirfsContent content; /* first */
  Tree *tree;           /* a reference */
  char *directory, *name, *path;
  guint64 size;
} Content;

/* All under the tree's lock. */
typedef struct {
  char *key;
  GList link;     /* in `recent_pieces` */
  gsize length;   /* that was asked for */
  gboolean ahead; /* counts as read ahead, until it is there */
  GBytes *bytes;  /* NULL: not there yet */
  GQueue waiters; /* of Waiter* */
} Piece;

/* One read, of several pieces. */
typedef struct {
  gint left;  /* atomic: pieces that are not there yet, and the one who begins it */
  gint error; /* atomic */
  guint64 offset;
  gsize length;
  GPtrArray *pieces; /* of GBytes*, each whole */
  VirfsContentDone done;
  gpointer data;
} Read;

typedef struct {
  Read *read;
  guint slot; /* in its pieces */
} Waiter;

typedef struct {
  Tree *tree;
  Piece *piece;
} Asked;

/* Pieces. */

void
virfs_piece_free (gpointer data)
{
  Piece *piece = data;

  g_clear_pointer (&piece->bytes, g_bytes_unref);
  g_free (piece->key);
  g_free (piece);
}

static void
drop (Tree *tree, Piece *piece)
{
  g_queue_unlink (&tree->recent_pieces, &piece->link);
  tree->piece_bytes -= piece->length;
  g_hash_table_remove (tree->pieces, piece->key);
}

static void
forget_some (Tree *tree)
{
  GList *next;

  for (GList *at = tree->recent_pieces.tail; at != NULL && tree->piece_bytes > KEPT_BYTES;
       at = next) {
    Piece *piece = at->data;

    next = at->prev;
    if (piece->bytes != NULL)
      drop (tree, piece);
  }
}

/* Reads. */

static void
read_end (Read *read)
{
  int error = g_atomic_int_get (&read->error);
  g_autoptr (GPtrArray) slices = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  gsize skip = read->offset % PIECE, left = read->length;

  for (guint i = 0; i < read->pieces->len && error == 0; i++) {
    GBytes *bytes = read->pieces->pdata[i];
    gsize size = g_bytes_get_size (bytes);
    gsize length = MIN (left, size > skip ? size - skip : 0);

    if (length > 0)
      g_ptr_array_add (slices, g_bytes_new_from_bytes (bytes, skip, length));
    left -= length;
    skip = 0;
  }
  read->done (error, slices, read->data);
  for (guint i = 0; i < read->pieces->len; i++)
    g_clear_pointer ((GBytes **) &read->pieces->pdata[i], g_bytes_unref);
  g_ptr_array_unref (read->pieces);
  g_free (read);
}

static void
read_step (Read *read, int error)
{
  if (error != 0)
    g_atomic_int_set (&read->error, error);
  if (g_atomic_int_dec_and_test (&read->left))
    read_end (read);
}

/* Answers. */

static void
piece_answered (int error, GByteArray *answer, gboolean more, gpointer data)
{
  Asked *asked = data;
  Tree *tree = asked->tree;
  Piece *piece = asked->piece;
  GQueue waiters = piece->waiters;
  Waiter *waiter;

  if (error == 0 && (more || answer->len > piece->length))
    error = EIO;
  g_mutex_lock (&tree->lock);
  waiters = piece->waiters;
  g_queue_init (&piece->waiters);
  if (error == 0)
    piece->bytes = g_bytes_new (answer->data, answer->len);
  tree->ahead_bytes -= piece->ahead ? piece->length : 0;
  for (GList *at = waiters.head; at != NULL && error == 0; at = at->next) {
    waiter = at->data;
    waiter->read->pieces->pdata[waiter->slot] = g_bytes_ref (piece->bytes);
  }
  if (error != 0)
    drop (tree, piece);
  forget_some (tree);
  g_mutex_unlock (&tree->lock);
  while ((waiter = g_queue_pop_head (&waiters)) != NULL) {
    read_step (waiter->read, error);
    g_free (waiter);
  }
  virfs_files_unref (&tree->files);
  g_free (asked);
}

/* Asking, under the lock. */

static Piece *
piece_new (Tree *tree, const char *key, gsize length, gboolean ahead)
{
  Piece *piece = g_new0 (Piece, 1);

  piece->key = g_strdup (key);
  piece->link.data = piece;
  piece->length = length;
  piece->ahead = ahead;
  tree->piece_bytes += length;
  tree->ahead_bytes += ahead ? length : 0;
  g_hash_table_insert (tree->pieces, piece->key, piece);
  return piece;
}

/* Piece NUMBER of the file PATH of SIZE bytes, which is there or has been asked for; NULL: it has stopped. */
static Piece *
need_piece (Tree *tree, const char *path, guint64 size, guint64 number, gboolean ahead)
{
  g_autofree char *key = g_strdup_printf ("%" G_GUINT64_FORMAT "%s", number, path);
  Piece *piece = g_hash_table_lookup (tree->pieces, key);
  gsize length = MIN (size - number * PIECE, PIECE);
  GByteArray *payload;
  Asked *asked;

  if (piece != NULL) {
    g_queue_unlink (&tree->recent_pieces, &piece->link);
    g_queue_push_head_link (&tree->recent_pieces, &piece->link);
    return piece;
  }
  payload = g_byte_array_new ();
  virfs_wire_put_text (payload, path);
  virfs_wire_put_u64 (payload, number * PIECE);
  virfs_wire_put_u32 (payload, length);
  piece = piece_new (tree, key, length, ahead);
  g_queue_push_head_link (&tree->recent_pieces, &piece->link);
  asked = g_new (Asked, 1);
  *asked = (Asked){ tree, piece };
  virfs_files_ref (&tree->files);
  if (virfs_appliance_ask (tree->appliance, VIRFS_WIRE_READ, payload, !ahead, piece_answered,
                           asked))
    return piece;
  g_free (asked);
  tree->ahead_bytes -= ahead ? length : 0;
  drop (tree, piece);
  g_atomic_ref_count_dec (&tree->files.refs); /* not the last one: the caller has one */
  return NULL;
}

/* Gets piece NUMBER for READ. */
static int
want_piece (Content *self, guint64 number, Read *read, guint slot)
{
  Piece *piece = need_piece (self->tree, self->path, self->size, number, FALSE);
  Waiter *waiter;

  if (piece == NULL)
    return ESTALE;
  if (piece->bytes != NULL) {
    read->pieces->pdata[slot] = g_bytes_ref (piece->bytes);
    return 0;
  }
  g_atomic_int_inc (&read->left);
  waiter = g_new (Waiter, 1);
  *waiter = (Waiter){ read, slot };
  g_queue_push_tail (&piece->waiters, waiter);
  return 0;
}

static void
read_content (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
              gpointer data)
{
  Content *self = (Content *) content;
  Read *read = g_new0 (Read, 1);
  guint64 first = offset / PIECE, behind;
  int error = 0;

  length = offset < self->size ? MIN (length, self->size - offset) : 0;
  behind = length > 0 ? (offset + length - 1) / PIECE + 1 : first;
  *read = (Read){ 1, 0, offset, length, g_ptr_array_new (), done, data };
  g_ptr_array_set_size (read->pieces, behind - first);
  g_mutex_lock (&self->tree->lock);
  for (guint64 i = first; i < behind && error == 0; i++)
    error = want_piece (self, i, read, i - first);
  if (behind * PIECE < self->size && self->tree->ahead_bytes < AHEAD_BYTES && error == 0)
    need_piece (self->tree, self->path, self->size, behind, TRUE);
  forget_some (self->tree);
  g_mutex_unlock (&self->tree->lock);
  read_step (read, error);
}

static void
close_content (VirfsContent *content)
{
  Content *self = (Content *) content;

  virfs_files_unref (&self->tree->files);
  g_free (self->directory);
  g_free (self->name);
  g_free (self->path);
  g_free (self);
}

static const VirfsContentClass content_class = { .read = read_content, .close = close_content };

/* A file that is one piece. */
gboolean
virfs_tree_read_ahead (Tree *tree, const char *directory, const char *name,
                       const VirfsFilesInfo *info)
{
  g_autofree char *path = virfs_files_path (directory, name);

  if (tree->ahead_bytes >= AHEAD_BYTES)
    return FALSE;
  if (S_ISREG (info->st.st_mode) && info->st.st_size > 0 && info->st.st_size <= PIECE)
    need_piece (tree, path, info->st.st_size, 0, TRUE);
  return TRUE;
}

VirfsContent *
virfs_tree_open (VirfsFiles *files, const char *directory, const char *name, guint64 size)
{
  Content *self = g_new0 (Content, 1);

  self->content.class = &content_class;
  self->tree = (Tree *) virfs_files_ref (files);
  self->directory = g_strdup (directory);
  self->name = g_strdup (name);
  self->path = virfs_files_path (directory, name);
  self->size = size;
  g_mutex_lock (&self->tree->lock);
  virfs_directory_opened (self->tree, directory, name);
  g_mutex_unlock (&self->tree->lock);
  return &self->content;
}
