/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What FUSE asks of trees that are somebody else's.  Answers come when the tree has told what was
 * asked for; a caller who wants to stop is let go before.
 *
 *   request_foreign.c            the way in: which requests are for such a tree; open files
 *   request_foreign_inode.c      looking up, attributes
 *   request_foreign_directory.c  listing
 */
#pragma once

#include "foreign.h"
#include "request.h"

/* A request that is answered later, or has been given up because of a signal. */
typedef struct VirfsPending VirfsPending;

VirfsPending *virfs_pending_new (fuse_req_t req);
/* The request, once, to be answered by who gets it; NULL: it has been given up.  Ends the pending; then
 * virfs_session_end_read() of *SESSION is to be called. */
fuse_req_t virfs_pending_take (VirfsPending *pending, VirfsSession **session);

/* The node INO; NULL: REQ has been answered with ESTALE. */
VirfsForeignNode *virfs_request_foreign (fuse_req_t req, fuse_ino_t ino);
/* The same as virfs_request_entry(), of the root INO. */
gboolean virfs_request_foreign_entry (fuse_req_t req, guint64 ino, struct fuse_entry_param *entry);
/* NODE as an entry. */
struct fuse_entry_param virfs_foreign_entry (const VirfsForeignNode *node);

/* Who looked at a file that is none of the directories of a walk is likely to do so again. */
void virfs_foreign_be_eager (VirfsForeignMount *mount);

/* The functions of each file, as in request.h. */
void virfs_foreign_lookup (fuse_req_t req, fuse_ino_t parent, const char *name);
void virfs_foreign_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void virfs_foreign_readlink (fuse_req_t req, fuse_ino_t ino);
void virfs_foreign_getxattr (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void virfs_foreign_listxattr (fuse_req_t req, fuse_ino_t ino, size_t size);
void virfs_foreign_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                            struct fuse_file_info *fi);
void virfs_foreign_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                                struct fuse_file_info *fi);
