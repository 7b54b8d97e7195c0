/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes.  Inodes are computed, not allocated: the number of an object and the number of a row make
 * an inode number, and both can be had back from it.  So nothing is kept for a file, however often
 * the kernel asks for it or forgets it.
 */
#include "engine.h"

gboolean
virfs_node_get (VirfsSession *session, guint64 ino, VirfsNode *node)
{
  guint row = ino & (VIRFS_BIT_ROWS - 1);

  *node = (VirfsNode){ .id = ino >> VIRFS_ROW_BITS };
  node->class = session->ops->find (session->tree, node->id, &node->object);
  if (node->class == NULL)
    return FALSE;
  if (row == 0 || row > node->class->n_rows) {
    virfs_node_clear (node);
    return FALSE;
  }
  node->row = &node->class->rows[row - 1];
  node->snapshot = node->class->snapshot (node->object);
  return TRUE;
}

void
virfs_node_clear (VirfsNode *node)
{
  if (node->snapshot != NULL)
    node->class->release (node->snapshot);
  if (node->object != NULL)
    node->class->unref (node->object);
  *node = (VirfsNode){ 0 };
}

guint64
virfs_node_inode (const VirfsNode *node)
{
  return virfs_inode (node->class, node->id, node->row);
}

/* A link that leads nowhere now is not there. */
gboolean
virfs_node_has (const VirfsNode *dir, const VirfsRow *row)
{
  VirfsNode node = *dir;
  g_autoptr (GString) target = NULL;

  if (row->link == NULL)
    return TRUE;
  node.row = row;
  target = g_string_new (NULL);
  row->link (&node, target);
  return target->len > 0;
}

guint64
virfs_node_child (VirfsSession *session, const VirfsNode *dir, const char *name)
{
  const VirfsRow *row = virfs_class_find (dir->class, dir->row, name);

  if (row != NULL)
    return virfs_node_has (dir, row) ? virfs_inode (dir->class, dir->id, row) : 0;
  return dir->row->dir ? dir->row->dir->find (dir, name) : 0;
}

guint64
virfs_node_parent (const VirfsNode *node)
{
  guint parent = node->class->parents[node->row - node->class->rows];

  if (parent != G_MAXUINT)
    return virfs_inode (node->class, node->id, &node->class->rows[parent]);
  return node->class->parent ? node->class->parent (node) : virfs_node_inode (node);
}

gint64
virfs_node_changed (const VirfsNode *node)
{
  return node->class->changed (node, node->row->fields);
}

gboolean
virfs_node_writable (const VirfsNode *node)
{
  return !(node->row->flags & VIRFS_ROW_NEEDS) || node->class->ready == NULL
         || node->class->ready (node);
}

static gsize
text_size (const VirfsNode *node)
{
  g_autoptr (GString) text = NULL;

  if (node->row->size != NULL)
    return node->row->size (node);
  text = g_string_sized_new (128);
  if (node->row->show != NULL)
    node->row->show (node, text);
  else if (node->row->link != NULL)
    node->row->link (node, text);
  return text->len;
}

/* What an object takes is counted once, for its directory; content counts for itself. */
static guint64
allocation (const VirfsNode *node, guint64 size)
{
  if (*node->row->path == '\0' && node->class->allocation)
    return node->class->allocation (node);
  return node->row->allocated ? node->row->allocated (node) : size;
}

void
virfs_node_owner (VirfsSession *session, const VirfsNode *node, VirfsOwner *owner)
{
  *owner = (VirfsOwner){ session->uid, session->gid, VIRFS_MODE_BITS };
  if (node->class->owner != NULL)
    node->class->owner (node, owner);
}

/* The permissions that OWNER gives to the file of NODE. */
static mode_t
permissions (VirfsSession *session, const VirfsNode *node, const VirfsOwner *owner)
{
  const VirfsRow *row = node->row;
  mode_t mode = row->mode;

  if (node->class->owner != NULL && !(row->flags & VIRFS_ROW_PUBLIC))
    mode = virfs_owner_apply (owner, mode);
  if (row->flags & VIRFS_ROW_PRIVATE)
    mode &= ~077;
  if (row->flags & VIRFS_ROW_TRUSTED)
    mode &= owner->uid == session->uid || owner->uid == 0 ? ~022 : ~0222;
  if (!virfs_node_writable (node))
    mode &= ~0222;
  return mode;
}

static void
fill_stat (VirfsSession *session, const VirfsNode *node, gsize size, struct stat *st)
{
  gint64 changed = virfs_node_changed (node);
  VirfsOwner owner;

  virfs_node_owner (session, node, &owner);
  *st = (struct stat){
    .st_ino = virfs_node_inode (node),
    .st_mode = permissions (session, node, &owner),
    .st_nlink = 1, /* of directories too: it says that the number of subdirectories is not told */
    .st_uid = owner.uid,
    .st_gid = owner.gid,
    .st_size = size,
    .st_blksize = 4096,
  };
  st->st_blocks = (allocation (node, size) + 511) / 512;
  st->st_mtim.tv_sec = changed / G_USEC_PER_SEC;
  st->st_mtim.tv_nsec = changed % G_USEC_PER_SEC * 1000;
  st->st_ctim = st->st_atim = st->st_mtim;
}

void
virfs_node_stat (VirfsSession *session, const VirfsNode *node, struct stat *st)
{
  fill_stat (session, node, S_ISDIR (node->row->mode) ? 0 : text_size (node), st);
}

void
virfs_node_stat_listed (VirfsSession *session, const VirfsNode *node, struct stat *st)
{
  /* what is appended goes to where the kernel takes the end for */
  guint flags = node->row->flags & (VIRFS_ROW_MEASURED | VIRFS_ROW_LIST | VIRFS_ROW_DOCUMENT);

  if (flags == VIRFS_ROW_MEASURED)
    fill_stat (session, node, 0, st);
  else
    virfs_node_stat (session, node, st);
}
