/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FUSE session: what the kernel asks, as plain values for the other files, and their answers, as
 * FUSE wants them.  See fuse_lowlevel.h.
 */
#define FUSE_USE_VERSION 312

#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel may keep what it was told: it hears of every change. */
#define FOR_EVER 1e6

#define HELP_XATTR "user.virfs.help"

static VirfsSession *
session_of (fuse_req_t req)
{
  return fuse_req_userdata (req);
}

static guint
caller (fuse_req_t req)
{
  return fuse_req_ctx (req)->uid;
}

/* The node INO; answers ESTALE if it is gone. */
static gboolean
get_node (fuse_req_t req, fuse_ino_t ino, VirfsNode *node)
{
  if (virfs_node_get (session_of (req), ino, node))
    return TRUE;
  fuse_reply_err (req, ESTALE);
  return FALSE;
}

static double
attr_timeout (const VirfsNode *node)
{
  return node->row->flags & VIRFS_ROW_MEASURED ? 0 : FOR_EVER;
}

/* Answers. */

void
virfs_reply_error (gpointer request, int error)
{
  fuse_reply_err (request, error);
}

void
virfs_reply_written (gpointer request, gsize bytes)
{
  fuse_reply_write (request, bytes);
}

void
virfs_reply_data (gpointer request, const char *data, gsize size)
{
  fuse_reply_buf (request, data, size);
}

/* FALSE if there is no such node (any more). */
static gboolean
make_entry (VirfsSession *session, guint64 ino, struct fuse_entry_param *entry)
{
  g_auto (VirfsNode) node = { 0 };
  guint64 generation = virfs_notifier_seen (session->notifier, ino);

  if (ino == 0 || !virfs_node_get (session, ino, &node))
    return FALSE;
  *entry = (struct fuse_entry_param){
    .ino = ino,
    .generation = generation,
    .attr_timeout = attr_timeout (&node),
    .entry_timeout = FOR_EVER,
  };
  virfs_node_stat (session, &node, &entry->attr);
  return !S_ISLNK (entry->attr.st_mode) || entry->attr.st_size > 0;
}

void
virfs_reply_node (VirfsSession *session, gpointer request, guint64 ino)
{
  struct fuse_entry_param entry;

  if (make_entry (session, ino, &entry))
    fuse_reply_entry (request, &entry);
  else
    fuse_reply_err (request, ENOENT);
}

void
virfs_reply_attributes (VirfsSession *session, gpointer request, guint64 ino)
{
  g_auto (VirfsNode) node = { 0 };
  struct stat st;

  if (!get_node (request, ino, &node))
    return;
  virfs_node_stat (session, &node, &st);
  fuse_reply_attr (request, &st, 0);
}

guint
virfs_request_gid (gpointer request)
{
  return fuse_req_ctx (request)->gid;
}

/* Who is in more groups than anybody is in as many as are looked at. */
gboolean
virfs_request_in_group (gpointer request, guint gid)
{
  gid_t groups[1024];
  int n = fuse_req_getgroups (request, G_N_ELEMENTS (groups), groups);

  for (int i = 0; i < MIN (n, (int) G_N_ELEMENTS (groups)); i++)
    if (groups[i] == gid)
      return TRUE;
  return FALSE;
}

/* Interrupts: FUSE calls these with a lock of the request held. */

int
virfs_request_thread (gpointer request)
{
  return fuse_req_ctx (request)->pid;
}

static void
interrupt_call (fuse_req_t req, void *data)
{
  virfs_call_interrupt (data);
}

void
virfs_request_watch_call (gpointer request, VirfsCall *call)
{
  fuse_req_interrupt_func (request, call ? interrupt_call : NULL, call);
}

static void
interrupt_open (fuse_req_t req, void *data)
{
  virfs_open_interrupt (session_of (req), data);
}

void
virfs_request_watch_open (gpointer request, VirfsSession *session, VirfsOpen *open)
{
  fuse_req_interrupt_func (request, open ? interrupt_open : NULL, open);
}

typedef struct {
  void (*func) (gpointer);
  gpointer data;
} Deferred;

static void
run_deferred (gpointer data, gpointer user_data)
{
  g_autofree Deferred *deferred = data;

  deferred->func (deferred->data);
}

void
virfs_session_defer (VirfsSession *session, void (*func) (gpointer), gpointer data)
{
  Deferred *deferred = g_new (Deferred, 1);

  *deferred = (Deferred){ func, data };
  g_thread_pool_push (session->deferred, deferred, NULL);
}

/* Words to the kernel. */

int
virfs_kernel_forget_inode (VirfsSession *session, guint64 ino)
{
  return fuse_lowlevel_notify_inval_inode (session->fuse, ino, 0, 0);
}

int
virfs_kernel_forget_entry (VirfsSession *session, guint64 dir, const char *name, guint64 child)
{
  int result = -ENOENT;

  if (child != 0)
    result = fuse_lowlevel_notify_delete (session->fuse, dir, child, name, strlen (name));
  if (result != 0)
    result = fuse_lowlevel_notify_inval_entry (session->fuse, dir, name, strlen (name));
  return result;
}

void
virfs_kernel_wake_poll (gpointer handle)
{
  fuse_lowlevel_notify_poll (handle);
}

void
virfs_kernel_drop_poll (gpointer handle)
{
  fuse_pollhandle_destroy (handle);
}

/* Names and attributes. */

static void
do_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };
  guint64 child;

  if (!get_node (req, parent, &dir))
    return;
  if (g_str_equal (name, "."))
    child = parent;
  else if (g_str_equal (name, ".."))
    child = virfs_node_parent (&dir);
  else
    child = virfs_node_child (session_of (req), &dir, name);
  virfs_reply_node (session_of (req), req, child);
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
do_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  struct stat st;
  double timeout;

  virfs_notifier_seen (session_of (req)->notifier, ino);
  if (!get_node (req, ino, &node))
    return;
  virfs_node_stat (session_of (req), &node, &st);
  timeout = attr_timeout (&node);
  if (fi != NULL)
    virfs_open_told ((VirfsOpen *) (uintptr_t) fi->fh, &node);
  fuse_reply_attr (req, &st, timeout);
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
  if (!S_ISDIR (node->row->mode))
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
do_setattr (fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
            struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  struct stat st;
  VirfsOwner owner;
  const char *why;
  gboolean gives;

  if (!get_node (req, ino, &node))
    return;
  virfs_node_stat (session_of (req), &node, &st);
  gives = read_owner (&st, attr, to_set, &owner);
  why = gives ? refuse_owner (&node, &owner) : NULL;
  if (to_set & FUSE_SET_ATTR_SIZE && !virfs_row_is_writable (node.row))
    virfs_call_refuse (session_of (req), req, caller (req), &node, NULL, VIRFS_ERROR_DENIED,
                       "this can only be read");
  else if (why != NULL)
    virfs_call_refuse (session_of (req), req, caller (req), &node, NULL, VIRFS_ERROR_PERMITTED,
                       why);
  else if (gives)
    virfs_call_give (session_of (req), req, caller (req), &node, &owner);
  else /* the kernel would believe this even if it has been told of a change meanwhile */
    fuse_reply_attr (req, &st, 0);
}

static void
do_readlink (fuse_req_t req, fuse_ino_t ino)
{
  g_auto (VirfsNode) node = { 0 };
  g_autoptr (GString) target = g_string_new (NULL);

  if (!get_node (req, ino, &node))
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
  if (!get_node (req, ino, &node))
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

  if (!get_node (req, ino, &node))
    return;
  if (node.class->capacity != NULL && node.class->capacity (&node, &bytes, &unused)) {
    st.f_blocks = bytes / st.f_frsize;
    st.f_bfree = st.f_bavail = unused / st.f_frsize;
  }
  fuse_reply_statfs (req, &st);
}

/* Directories. */

static void
do_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };

  if (!get_node (req, ino, &node))
    return;
  fi->fh = (uintptr_t) virfs_listing_new ();
  fi->cache_readdir = 1;
  fi->keep_cache = 1;
  if (fuse_reply_open (req, fi) == -ENOENT) /* interrupted: nobody will close it */
    virfs_listing_free ((VirfsListing *) (uintptr_t) fi->fh);
}

static VirfsListing *
listing_of (struct fuse_file_info *fi)
{
  return (VirfsListing *) (uintptr_t) fi->fh;
}

static size_t
add_entry (fuse_req_t req, char *buffer, size_t room, const char *name, guint64 ino, mode_t type,
           off_t next, gboolean plus)
{
  struct fuse_entry_param entry = { 0 };

  /* an entry that went away meanwhile is left to a later lookup to find out */
  if (plus && !g_str_equal (name, ".") && !g_str_equal (name, "..")
      && make_entry (session_of (req), ino, &entry))
    return fuse_add_direntry_plus (req, buffer, room, name, &entry, next);
  entry.ino = 0;
  entry.attr.st_ino = ino;
  entry.attr.st_mode = type;
  return plus ? fuse_add_direntry_plus (req, buffer, room, name, &entry, next)
              : fuse_add_direntry (req, buffer, room, name, &entry.attr, next);
}

static void
read_directory (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi, gboolean plus)
{
  VirfsListing *listing = listing_of (fi);
  g_auto (VirfsNode) dir = { 0 };
  g_autofree char *buffer = g_malloc (size);
  size_t used = 0;
  const char *name;
  guint64 child;
  mode_t type;

  if (!get_node (req, ino, &dir))
    return;
  if (offset == 0)
    virfs_listing_fill (listing, &dir);
  for (; virfs_listing_get (listing, offset, &name, &child, &type); offset++) {
    size_t length
      = add_entry (req, buffer + used, size - used, name, child, type, offset + 1, plus);

    if (length > size - used)
      break;
    used += length;
  }
  fuse_reply_buf (req, buffer, used);
}

static void
do_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, fi, FALSE);
}

static void
do_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, fi, TRUE);
}

static void
do_releasedir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  virfs_listing_free (listing_of (fi));
  fuse_reply_err (req, 0);
}

/* What is in directories. */

static void
refuse_entry (fuse_req_t req, fuse_ino_t parent, const char *name, const char *why)
{
  g_auto (VirfsNode) dir = { 0 };

  if (get_node (req, parent, &dir))
    virfs_call_refuse (session_of (req), req, caller (req), &dir, name, VIRFS_ERROR_PERMITTED, why);
}

static void
do_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!get_node (req, parent, &dir))
    return;
  if (virfs_node_child (session_of (req), &dir, name) != 0)
    fuse_reply_err (req, EEXIST);
  else if (dir.row->dir == NULL || dir.row->dir->make == NULL)
    refuse_entry (req, parent, name, "no directories can be made here");
  else
    virfs_call_make (session_of (req), req, caller (req), &dir, name);
}

static void
do_rmdir (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!get_node (req, parent, &dir))
    return;
  if (dir.row->dir == NULL || dir.row->dir->remove == NULL)
    refuse_entry (req, parent, name, "this directory cannot be removed");
  else
    virfs_call_remove (session_of (req), req, caller (req), &dir, name);
}

static void
do_rename (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
           const char *new_name, unsigned int flags)
{
  g_auto (VirfsNode) dir = { 0 };
  g_auto (VirfsNode) to = { 0 };

  if (!get_node (req, parent, &dir) || !get_node (req, new_parent, &to))
    return;
  if (dir.row->dir == NULL || dir.row->dir->move == NULL)
    refuse_entry (req, parent, name, "this cannot be moved or renamed");
  else
    virfs_call_move (session_of (req), req, caller (req), &dir, name, &to, new_name);
}

static void
do_unlink (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!get_node (req, parent, &dir))
    return;
  if (dir.row->dir == NULL || dir.row->dir->unlink == NULL)
    refuse_entry (req, parent, name, "files cannot be removed, they belong to their directory");
  else
    virfs_call_unlink (session_of (req), req, caller (req), &dir, name);
}

static void
do_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
  refuse_entry (req, parent, name, "no files can be made here");
}

static void
do_create (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
           struct fuse_file_info *fi)
{
  refuse_entry (req, parent, name, "there is no such file, and none can be made here");
}

static void
do_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!get_node (req, parent, &dir))
    return;
  if (virfs_node_child (session_of (req), &dir, name) != 0)
    fuse_reply_err (req, EEXIST);
  else if (dir.row->dir == NULL || dir.row->dir->link == NULL)
    refuse_entry (req, parent, name, "no links can be made here");
  else
    virfs_call_link (session_of (req), req, caller (req), &dir, name, target);
}

static void
do_link (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
  refuse_entry (req, parent, name, "no links can be made here");
}

/* Open files. */

static VirfsOpen *
open_of (struct fuse_file_info *fi)
{
  return (VirfsOpen *) (uintptr_t) fi->fh;
}

/* Two changes while it is read would make the kernel drop the size that it asks for, and cut the text at
 * an older one: what has just changed may do so again and is not read through the kernel's pages. */
static gboolean
is_restless (const VirfsNode *node)
{
  return g_get_real_time () - virfs_node_changed (node) < G_TIME_SPAN_SECOND;
}

static void
do_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  VirfsSession *session = session_of (req); /* req ends with its answer */
  gboolean writes = (fi->flags & O_ACCMODE) != O_RDONLY;
  gboolean stream;

  if (!get_node (req, ino, &node))
    return;
  if (writes && !virfs_row_is_writable (node.row)) {
    virfs_call_refuse (session_of (req), req, caller (req), &node, NULL, VIRFS_ERROR_DENIED,
                       "this can only be read");
    return;
  }
  stream = node.row->follow != NULL;
  fi->direct_io = writes || stream || node.row->flags & VIRFS_ROW_MEASURED || is_restless (&node)
                  || virfs_notifier_is_pending (session->notifier, ino);
  fi->keep_cache = !fi->direct_io;
  fi->noflush = !writes;
  fi->nonseekable = stream;
  fi->fh = (uintptr_t) virfs_open_new (&node, writes, fi->direct_io);
  if (fuse_reply_open (req, fi) == -ENOENT) /* interrupted: nobody will close it */
    virfs_open_close (session, open_of (fi));
}

static void
do_follow (fuse_req_t req, const VirfsNode *node, size_t size, struct fuse_file_info *fi)
{
  VirfsSession *session = session_of (req);
  g_autofree char *buffer = NULL;
  gsize got = virfs_open_follow (session, open_of (fi), node, size, !(fi->flags & O_NONBLOCK), req,
                                 &buffer);

  if (got == 0)
    fuse_reply_err (req, EAGAIN);
  else if (got != G_MAXSIZE)
    fuse_reply_buf (req, buffer, got);
}

static void
do_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  g_autofree char *buffer = NULL;
  gsize got;

  if (!get_node (req, ino, &node))
    return;
  if (node.row->follow != NULL) {
    do_follow (req, &node, size, fi);
    return;
  }
  got = virfs_open_read (session_of (req), open_of (fi), &node, offset, size, &buffer);
  fuse_reply_buf (req, buffer, got);
}

static void
refuse (fuse_req_t req, VirfsNode *node, const GError *error)
{
  virfs_call_refuse (session_of (req), req, caller (req), node, NULL, error->code, error->message);
}

static void
do_write (fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
          struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  g_autoptr (GError) error = NULL;
  char *lines;

  if (!get_node (req, ino, &node))
    return;
  if (!virfs_open_write (open_of (fi), &node, data, size, offset, &lines, &error))
    refuse (req, &node, error);
  else if (lines != NULL)
    virfs_call_lines (session_of (req), req, caller (req), &node, lines, size);
  else
    fuse_reply_write (req, size);
}

static void
do_flush (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  g_autoptr (GError) error = NULL;
  char *rest;

  if (!virfs_node_get (session_of (req), ino, &node))
    fuse_reply_err (req, 0);
  else if (!virfs_open_take_rest (open_of (fi), &node, &rest, &error))
    refuse (req, &node, error);
  else if (rest != NULL)
    virfs_call_rest (session_of (req), req, caller (req), &node, rest);
  else
    fuse_reply_err (req, 0);
}

static void
do_fsync (fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
  fuse_reply_err (req, 0);
}

static void
do_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  virfs_open_close (session_of (req), open_of (fi));
  fuse_reply_err (req, 0);
}

static void
do_poll (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
  g_auto (VirfsNode) node = { 0 };
  gboolean writes = (fi->flags & O_ACCMODE) != O_RDONLY;

  if (!virfs_node_get (session_of (req), ino, &node)) {
    if (ph != NULL)
      fuse_pollhandle_destroy (ph);
    fuse_reply_poll (req, POLLERR | POLLHUP);
    return;
  }
  fuse_reply_poll (req, virfs_open_poll (session_of (req), open_of (fi), &node, ph)
                          | (writes ? POLLOUT | POLLWRNORM : 0));
}

/* The session. */

static void
do_init (void *userdata, struct fuse_conn_info *conn)
{
  /* lookups of "." and ".." by inode number, for NFS */
  if (conn->capable & FUSE_CAP_EXPORT_SUPPORT)
    conn->want |= FUSE_CAP_EXPORT_SUPPORT;
  /* cutting is asked for on its own (do_setattr): else the kernel takes a file for empty as soon as
   * somebody opens it with `>`, and others who read it meanwhile may find it so */
  conn->want &= ~FUSE_CAP_ATOMIC_O_TRUNC;
}

static const struct fuse_lowlevel_ops operations = {
  .init = do_init,
  .lookup = do_lookup,
  .forget = do_forget,
  .forget_multi = do_forget_multi,
  .getattr = do_getattr,
  .setattr = do_setattr,
  .readlink = do_readlink,
  .getxattr = do_getxattr,
  .listxattr = do_listxattr,
  .setxattr = do_setxattr,
  .statfs = do_statfs,
  .opendir = do_opendir,
  .readdir = do_readdir,
  .readdirplus = do_readdirplus,
  .releasedir = do_releasedir,
  .mkdir = do_mkdir,
  .rmdir = do_rmdir,
  .rename = do_rename,
  .unlink = do_unlink,
  .mknod = do_mknod,
  .create = do_create,
  .symlink = do_symlink,
  .link = do_link,
  .open = do_open,
  .read = do_read,
  .write = do_write,
  .flush = do_flush,
  .fsync = do_fsync,
  .release = do_release,
  .poll = do_poll,
};

static struct fuse_session *
new_fuse (VirfsSession *session, const char *options)
{
  struct fuse_args args = FUSE_ARGS_INIT (0, NULL);
  struct fuse_session *fuse = NULL;

  if (fuse_opt_add_arg (&args, "virfs") == 0
      && fuse_opt_add_arg (&args, "-ofsname=virfs,subtype=virfs,default_permissions") == 0
      && (options == NULL
          || (fuse_opt_add_arg (&args, "-o") == 0 && fuse_opt_add_arg (&args, options) == 0)))
    fuse = fuse_session_new (&args, &operations, sizeof operations, session);
  fuse_opt_free_args (&args);
  return fuse;
}

VirfsSession *
virfs_session_new (const VirfsTreeOps *ops, gpointer tree, const char *options, GError **error)
{
  VirfsSession *session = g_new0 (VirfsSession, 1);

  session->ops = ops;
  session->tree = tree;
  session->uid = getuid ();
  session->gid = getgid ();
  g_mutex_init (&session->waiting_lock);
  g_mutex_init (&session->run_lock);
  g_cond_init (&session->run_cond);
  session->waiting = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  session->deferred = g_thread_pool_new (run_deferred, session, -1, FALSE, NULL);
  session->notifier = virfs_notifier_new (session);
  session->fuse = new_fuse (session, options);
  if (session->fuse == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "cannot make a FUSE session with -o %s",
                 options ? options : "(none)");
    g_clear_pointer (&session, virfs_session_free);
  }
  return session;
}

gboolean
virfs_session_mount (VirfsSession *session, const char *mountpoint, GError **error)
{
  char *path = realpath (mountpoint, NULL);

  if (path == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s: %s", mountpoint,
                 g_strerror (errno));
    return FALSE;
  }
  if (fuse_session_mount (session->fuse, path) != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "cannot mount at %s", path);
    free (path);
    return FALSE;
  }
  session->mountpoint = g_strdup (path);
  free (path);
  return TRUE;
}

static void
wake_up (int signal)
{
}

/* Returns whether it is running now. */
static gboolean
set_running (VirfsSession *session, gboolean running)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&session->run_lock);

  session->running = running && !session->ended;
  session->runner = pthread_self ();
  g_cond_broadcast (&session->run_cond);
  return session->running;
}

int
virfs_session_run (VirfsSession *session)
{
  struct fuse_loop_config *config = fuse_loop_cfg_create ();
  struct sigaction wake = { .sa_handler = wake_up };
  struct sigaction ignore = { .sa_handler = SIG_IGN };
  int result = 0;

  sigaction (SIGUSR1, &wake, NULL);
  sigaction (SIGPIPE, &ignore, NULL);
  if (set_running (session, TRUE))
    result = fuse_session_loop_mt (session->fuse, config);
  set_running (session, FALSE);
  fuse_loop_cfg_destroy (config);
  return result;
}

void
virfs_session_end (VirfsSession *session)
{
  g_autoptr (GMutexLocker) locker = NULL;

  virfs_notifier_stop (session->notifier);
  fuse_session_exit (session->fuse);
  locker = g_mutex_locker_new (&session->run_lock);
  session->ended = TRUE;
  /* FUSE's loop looks whether it shall end whenever a signal wakes it; it may just not have slept yet */
  while (session->running) {
    pthread_kill (session->runner, SIGUSR1);
    g_cond_wait_until (&session->run_cond, &session->run_lock,
                       g_get_monotonic_time () + 50 * G_TIME_SPAN_MILLISECOND);
  }
}

void
virfs_session_unmount (VirfsSession *session)
{
  if (session->mountpoint != NULL)
    fuse_session_unmount (session->fuse);
}

void
virfs_session_free (VirfsSession *session)
{
  /* what is under way may still use the notifier, and the notifier the session */
  g_thread_pool_free (session->deferred, FALSE, TRUE);
  virfs_notifier_free (session->notifier);
  if (session->fuse != NULL)
    fuse_session_destroy (session->fuse);
  g_hash_table_unref (session->waiting);
  g_mutex_clear (&session->waiting_lock);
  g_mutex_clear (&session->run_lock);
  g_cond_clear (&session->run_cond);
  g_free (session->mountpoint);
  g_free (session);
}

void
virfs_session_changed (VirfsSession *session, const VirfsClass *class, guint64 id, guint64 fields)
{
  virfs_notifier_changed (session->notifier, class, id, fields);
}

void
virfs_session_vanished (VirfsSession *session, guint64 dir, const char *name, guint64 child)
{
  virfs_notifier_entry (session->notifier, dir, name, child);
}

void
virfs_session_removed (VirfsSession *session, const VirfsClass *class, guint64 id)
{
  virfs_notifier_changed (session->notifier, class, id, VIRFS_ALL_FIELDS);
  virfs_notifier_removed (session->notifier, id);
}
