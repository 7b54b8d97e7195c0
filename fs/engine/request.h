/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What FUSE asks: its requests as plain values for the other files of the engine, and their answers as
 * FUSE wants them.  The only file that includes its header; see fuse_lowlevel.h for the functions called
 * do_…  A request ends with its answer, and is not to be touched behind it.
 *
 *   request.c            who asks, the answers, interrupts
 *   request_inode.c      looking up names, attributes, links
 *   request_directory.c  reading directories and changing what is in them
 *   request_file.c       open files
 *   request_sink.c       those of them that are written to a sink
 *   request_foreign*.c   the same for trees that are somebody else's: see request_foreign.h
 */
#pragma once

#define FUSE_USE_VERSION 312

#include "engine.h"

#include <fuse_lowlevel.h>

/* The functions of each file, for the session. */
void virfs_request_serve_inodes (struct fuse_lowlevel_ops *ops);
void virfs_request_serve_directories (struct fuse_lowlevel_ops *ops);
void virfs_request_serve_files (struct fuse_lowlevel_ops *ops);
/* Behind the others: it passes on to them what is ours. */
void virfs_request_serve_foreign (struct fuse_lowlevel_ops *ops);

/* What is asked of SINK, an open file of INO; each answers REQ (request_sink.c). */
void virfs_request_sink_write (fuse_req_t req, fuse_ino_t ino, VirfsSink *sink, const char *data,
                               size_t size, off_t offset);
void virfs_request_sink_sync (fuse_req_t req, fuse_ino_t ino, VirfsSink *sink);
void virfs_request_sink_flush (fuse_req_t req, fuse_ino_t ino, VirfsSink *sink);
void virfs_request_sink_cut (fuse_req_t req, fuse_ino_t ino, VirfsSink *sink, off_t size);

/* The node INO; FALSE: REQ has been answered with ESTALE, for it is gone. */
gboolean virfs_request_node (fuse_req_t req, fuse_ino_t ino, VirfsNode *node);
/* INO as an entry of DIR that the kernel is about to be told of, looked up or LISTED; FALSE if there is no such
 * node (any more). */
gboolean virfs_request_entry (fuse_req_t req, const VirfsNode *dir, guint64 ino, gboolean listed,
                              struct fuse_entry_param *entry);
/* What was read: PIECES are GBytes. */
void virfs_reply_pieces (fuse_req_t req, GPtrArray *pieces);
/* How long the kernel may keep the attributes, in seconds. */
double virfs_request_timeout (const VirfsNode *node);
