/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: looking up names, attributes, links. */
#include "request.h"

#include <errno.h>
#include <string.h>

#define HELP_XATTR "user.virfs.help"

static void
do_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };
  guint64 child;

  if (!virfs_request_node (req, parent, &dir))
    return;
  if (g_str_equal (name, "."))
    child = parent;
  else if (g_str_equal (name, ".."))
    child = virfs_node_parent (&dir);
  else
    child = virfs_node_child (virfs_request_session (req), &dir, name);
  virfs_reply_node (req, &dir, child);
}

static void
do_forget (fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
  fuse_reply_none (req);
}

static void
do_forget_multi (fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
  fuse_reply_none (req);
}

static void
reply_attr (fuse_req_t req, fuse_ino_t ino, VirfsNode *node, struct fuse_file_info *fi)
{
  struct stat st;
  double timeout = virfs_request_timeout (node);

  virfs_node_stat (virfs_request_session (req), node, &st);
  if (fi != NULL)
    virfs_open_stat ((VirfsOpen *) (uintptr_t) fi->fh, node, &st);
  if (fi != NULL)
    virfs_open_told ((VirfsOpen *) (uintptr_t) fi->fh, node);
  fuse_reply_attr (req, &st, timeout);
}

/* Somebody who waits to be told a size. */
typedef struct {
  fuse_req_t req;
  fuse_ino_t ino;
} Waiting;

static void
getattr_now (gpointer data)
{
  g_autofree Waiting *waiting = data;
  VirfsSession *session = virfs_request_session (waiting->req);
  g_auto (VirfsNode) node = { 0 };

  if (virfs_request_node (waiting->req, waiting->ino, &node))
    reply_attr (waiting->req, waiting->ino, &node, NULL);
  virfs_node_clear (&node);
  virfs_session_end_read (session);
}

static gboolean
must_wait (fuse_req_t req, fuse_ino_t ino, const VirfsNode *node)
{
  VirfsSession *session = virfs_request_session (req);
  Waiting *waiting;

  if (!(node->row->flags & VIRFS_ROW_AWAITED))
    return FALSE;
  waiting = g_new (Waiting, 1);
  *waiting = (Waiting){ req, ino };
  virfs_session_begin_read (session);
  if (!node->row->await (node, getattr_now, waiting))
    return TRUE;
  virfs_session_end_read (session);
  g_free (waiting);
  return FALSE;
}

static void
do_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };

  virfs_notifier_seen (virfs_request_session (req)->notifier, ino);
  if (virfs_request_node (req, ino, &node) && (fi != NULL || !must_wait (req, ino, &node)))
    reply_attr (req, ino, &node, fi);
}

/* What is WANTED of owner, group and mode; returns whether that is anything new. */
static gboolean
read_owner (const struct stat *now, const struct stat *wanted, int what, VirfsOwner *owner)
{
  VirfsOwner is = { now->st_uid, now->st_gid, now->st_mode & 07777 };

  *owner = is;
  if (what & FUSE_SET_ATTR_UID)
    owner->uid = wanted->st_uid;
  if (what & FUSE_SET_ATTR_GID)
    owner->gid = wanted->st_gid;
  if (what & FUSE_SET_ATTR_MODE)
    owner->mode = wanted->st_mode & 07777;
  return !virfs_owner_equal (owner, &is);
}

/* Why OWNER cannot be given to NODE. */
static const char *
refuse_owner (const VirfsNode *node, const VirfsOwner *owner)
{
  if (!S_ISDIR (node->row->mode) && !(node->row->flags & VIRFS_ROW_OWNED))
    return "files belong to whom their directory belongs: chown and chmod that";
  if (node->class->set_owner == NULL)
    return "the owner and the permissions of this cannot be changed";
  if (owner->mode & ~VIRFS_MODE_BITS)
    return "there is no set-ID or sticky bit here";
  return NULL;
}

/* Cutting a file that is about to be written is what every `>` does; the times tell when a value
 * changed and stay as they are, so that cp -p and touch do no harm. */
static void
answer_attributes (fuse_req_t req, VirfsNode *node, const struct stat *attr, int to_set,
                   struct fuse_file_info *fi)
{
  VirfsSink *sink = fi ? virfs_open_sink ((VirfsOpen *) (uintptr_t) fi->fh) : NULL;
  struct stat st;

  /* the present is what the notifier sets, and what a write sets by itself */
  if (to_set & FUSE_SET_ATTR_MTIME && !(to_set & FUSE_SET_ATTR_MTIME_NOW)
      && node->row->set_modified != NULL)
    node->row->set_modified (node,
                             attr->st_mtim.tv_sec * G_USEC_PER_SEC + attr->st_mtim.tv_nsec / 1000);
  if (to_set & FUSE_SET_ATTR_SIZE && sink != NULL) {
    virfs_request_sink_cut (req, virfs_node_inode (node), sink, attr->st_size);
    return;
  }
  /* open(2) does not say which file */
  if (to_set & FUSE_SET_ATTR_SIZE && node->row->cut != NULL) {
    virfs_call_cut (req, node, (guint64) attr->st_size);
    return;
  }
  virfs_node_stat (virfs_request_session (req), node, &st);
  /* the kernel would believe this even if it has been told of a change meanwhile */
  fuse_reply_attr (req, &st, 0);
}

static void
do_setattr (fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
            struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  struct stat st;
  VirfsOwner owner;
  const char *why;
  gboolean gives;

  if (!virfs_request_node (req, ino, &node))
    return;
  virfs_node_stat (virfs_request_session (req), &node, &st);
  gives = read_owner (&st, attr, to_set, &owner);
  why = gives ? refuse_owner (&node, &owner) : NULL;
  if (to_set & FUSE_SET_ATTR_SIZE && !virfs_row_is_writable (node.row))
    virfs_call_refuse (req, &node, "cut", NULL, VIRFS_ERROR_DENIED, "this can only be read");
  else if (why != NULL)
    virfs_call_refuse (req, &node, "own", NULL, VIRFS_ERROR_PERMITTED, why);
  else if (gives)
    virfs_call_give (req, &node, &owner);
  else
    answer_attributes (req, &node, attr, to_set, fi);
}

static void
do_readlink (fuse_req_t req, fuse_ino_t ino)
{
  g_auto (VirfsNode) node = { 0 };
  g_autoptr (GString) target = g_string_new (NULL);

  if (!virfs_request_node (req, ino, &node))
    return;
  if (node.row->link != NULL)
    node.row->link (&node, target);
  if (target->len > 0)
    fuse_reply_readlink (req, target->str);
  else
    fuse_reply_err (req, node.row->link ? ENOENT : EINVAL);
}

static void
reply_xattr (fuse_req_t req, const char *value, size_t length, size_t size)
{
  if (size == 0)
    fuse_reply_xattr (req, length);
  else if (size < length)
    fuse_reply_err (req, ERANGE);
  else
    fuse_reply_buf (req, value, length);
}

static void
do_getxattr (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
  g_auto (VirfsNode) node = { 0 };

  if (!g_str_has_prefix (name, "user.")) {
    /* and `ls -l` need not ask again for each file */
    fuse_reply_err (req, EOPNOTSUPP);
    return;
  }
  if (!virfs_request_node (req, ino, &node))
    return;
  if (!g_str_equal (name, HELP_XATTR))
    fuse_reply_err (req, ENODATA);
  else
    reply_xattr (req, node.row->help, strlen (node.row->help), size);
}

static void
do_listxattr (fuse_req_t req, fuse_ino_t ino, size_t size)
{
  reply_xattr (req, HELP_XATTR, sizeof HELP_XATTR, size);
}

static void
do_setxattr (fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
             int flags)
{
  fuse_reply_err (req, EOPNOTSUPP);
}

static void
do_statfs (fuse_req_t req, fuse_ino_t ino)
{
  struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255 };
  g_auto (VirfsNode) node = { 0 };
  guint64 bytes, unused;

  if (!virfs_request_node (req, ino, &node))
    return;
  if (node.class->capacity != NULL && node.class->capacity (&node, &bytes, &unused)) {
    st.f_blocks = bytes / st.f_frsize;
    st.f_bfree = st.f_bavail = unused / st.f_frsize;
  }
  if (ino == FUSE_ROOT_ID)
    virfs_toucher_rest (virfs_request_session (req)->toucher);
  fuse_reply_statfs (req, &st);
}

void
virfs_request_serve_inodes (struct fuse_lowlevel_ops *ops)
{
  ops->lookup = do_lookup;
  ops->forget = do_forget;
  ops->forget_multi = do_forget_multi;
  ops->getattr = do_getattr;
  ops->setattr = do_setattr;
  ops->readlink = do_readlink;
  ops->getxattr = do_getxattr;
  ops->listxattr = do_listxattr;
  ops->setxattr = do_setxattr;
  ops->statfs = do_statfs;
}
