/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files.
 *
 * Readers share the kernel's pages, and the kernel cuts what it reads at the size that it was told last.
 * So a value must not be read with the size of another: as long as the kernel has not forgotten the old
 * one, and for the first read after it was told a size, a reader gets the value that goes with that
 * size.  See text_for().
 *
 * An open file has one reference for its file descriptor and one for each interrupt under way.
 */
#include "open_private.h"

VirfsOpen *
virfs_open_new (VirfsNode *node, gboolean writes, gboolean direct)
{
  VirfsOpen *open = g_new0 (VirfsOpen, 1);

  g_atomic_ref_count_init (&open->refs);
  g_mutex_init (&open->lock);
  open->ino = virfs_node_inode (node);
  open->direct = direct;
  open->seen = virfs_node_changed (node);
  if (writes)
    open->written = g_string_new (NULL);
  if (node->row->follow_from != NULL)
    open->position = node->row->follow_from (node);
  /* the size that who opened it is told is that of what he reads */
  if (node->row->await != NULL && node->row->show != NULL)
    node->row->show (node, open->text = g_string_sized_new (128));
  open->changed = open->seen;
  virfs_open_told (open, node);
  return open;
}

VirfsOpen *
virfs_open_new_content (VirfsNode *node, GError **error)
{
  VirfsContent *content = node->row->open (node, error);
  VirfsOpen *open;

  if (content == NULL)
    return NULL;
  open = virfs_open_new (node, FALSE, FALSE);
  open->content = content;
  return open;
}

VirfsOpen *
virfs_open_new_sink (VirfsNode *node, VirfsSink *sink)
{
  VirfsOpen *open = virfs_open_new (node, FALSE, TRUE);

  open->sink = sink;
  return open;
}

VirfsOpen *
virfs_open_new_terminal (VirfsSession *session, VirfsNode *node, VirfsTerminal *terminal)
{
  VirfsOpen *open = virfs_open_new (node, FALSE, TRUE);

  open->talk = virfs_talk_new (session, terminal);
  return open;
}

VirfsTalk *
virfs_open_talk (VirfsOpen *open)
{
  return open->talk;
}

VirfsSink *
virfs_open_sink (VirfsOpen *open)
{
  return open->sink;
}

VirfsContent *
virfs_open_content (VirfsOpen *open)
{
  return open->content;
}

void
virfs_open_stat (VirfsOpen *open, const VirfsNode *node, struct stat *st)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&open->lock);

  if (node->row->await == NULL)
    return;
  if (open->content != NULL && open->content->class->size != NULL)
    st->st_size = (off_t) open->content->class->size (open->content);
  else if (open->text != NULL)
    st->st_size = (off_t) open->text->len;
  st->st_blocks = (st->st_size + 511) / 512;
  st->st_mtim.tv_sec = open->changed / G_USEC_PER_SEC;
  st->st_mtim.tv_nsec = open->changed % G_USEC_PER_SEC * 1000;
  st->st_ctim = st->st_atim = st->st_mtim;
}

/* What is no content is all data. */
goffset
virfs_open_seek (VirfsOpen *open, goffset offset, gboolean data, goffset size)
{
  goffset found = data ? offset : size;

  if (offset < 0 || offset >= size)
    return -1;
  if (open->content != NULL && open->content->class->next_data != NULL)
    found = (goffset) (data ? open->content->class->next_data (open->content, offset)
                            : open->content->class->next_hole (open->content, offset));
  return data && found >= size ? -1 : found;
}

void
virfs_open_told (VirfsOpen *open, VirfsNode *node)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&open->lock);

  virfs_node_clear (&open->told);
  open->told = *node;
  open->fresh = TRUE;
  *node = (VirfsNode){ 0 };
}

void
virfs_open_unref (VirfsOpen *open)
{
  if (!g_atomic_ref_count_dec (&open->refs))
    return;
  if (open->content != NULL)
    open->content->class->close (open->content);
  if (open->sink != NULL)
    open->sink->class->close (open->sink);
  if (open->talk != NULL)
    virfs_talk_close (open->talk);
  if (open->text != NULL)
    g_string_free (open->text, TRUE);
  if (open->written != NULL)
    g_string_free (open->written, TRUE);
  virfs_node_clear (&open->told);
  g_mutex_clear (&open->lock);
  g_free (open);
}

/* Reading. */

static gsize
copy_text (const GString *text, goffset offset, gsize size, char **buffer)
{
  if (offset < 0 || (guint64) offset >= text->len)
    return 0;
  size = MIN (size, text->len - offset);
  *buffer = g_memdup2 (text->str + offset, size);
  return size;
}

/* What a reader through the kernel's pages gets; under the lock.  NOW is what is known now. */
static GString *
text_for (VirfsSession *session, VirfsOpen *open, VirfsNode *now, goffset offset)
{
  GString *text = g_string_sized_new (128);

  if (offset == 0 && !open->fresh && !virfs_notifier_is_pending (session->notifier, open->ino)) {
    virfs_node_clear (&open->told);
    open->told = *now;
    *now = (VirfsNode){ 0 };
  } else if (virfs_node_changed (&open->told) != virfs_node_changed (now)) {
    /* the page must not stay */
    virfs_notifier_inode (session->notifier, open->ino);
  }
  open->fresh = FALSE;
  open->told.row->show (&open->told, text);
  return text;
}

gsize
virfs_open_read (VirfsSession *session, VirfsOpen *open, VirfsNode *node, goffset offset,
                 gsize size, char **buffer)
{
  g_autoptr (GMutexLocker) locker = NULL;
  g_autoptr (GString) text = NULL;

  *buffer = NULL;
  if (node->row->read != NULL) {
    *buffer = g_malloc (size);
    return node->row->read (node, offset, *buffer, size);
  }
  if (node->row->show == NULL)
    return 0;
  locker = g_mutex_locker_new (&open->lock);
  if (!open->direct) {
    text = text_for (session, open, node, offset);
    return copy_text (text, offset, size, buffer);
  }
  if (open->text == NULL || (offset == 0 && node->row->await == NULL)) {
    if (open->text == NULL)
      open->text = g_string_sized_new (128);
    g_string_truncate (open->text, 0);
    node->row->show (node, open->text);
  }
  return copy_text (open->text, offset, size, buffer);
}
