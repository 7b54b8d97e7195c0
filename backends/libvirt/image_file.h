/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of volumes that are written: image_file.c, and the two ways to do it. */
#pragma once

#include "image_open.h"

typedef struct {
  VirfsFile file;
  VirfsHost *host; /* a reference */
  char *pool, *name;
  gboolean noted; /* see lv_image_note(); nobody is told of it meanwhile */
  guint64 size;
  /* as a file */
  int fd;
  char *path;
  /* by streams; they end with each flush */
  LvSeat seat;
  virStorageVolPtr volume;
  virStreamPtr stream; /* an upload that has come to POSITION; NULL: none */
  guint64 position;
} LvFile;

extern const VirfsFileClass lv_direct_class; /* image_direct.c */
extern const VirfsFileClass lv_stream_class; /* image_stream.c */

/* The volume through a connection of its own; FALSE with ERROR. */
gboolean lv_file_reach (LvFile *self, GError **error);
/* Gives that back. */
void lv_file_leave (LvFile *self);
/* What both classes share. */
void lv_file_tell (VirfsFile *file);
void lv_file_close (VirfsFile *file, gboolean discard);
/* It has its name, and nothing is to be removed any more. */
void lv_file_settle (LvFile *self, const char *name);
