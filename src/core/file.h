/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A volume that is open to be written, as a backend gives it.  Its functions wait for the host, and are
 * called by one thread, of whoever has opened it (upload_run.c).
 */
#pragma once

#include "part.h"

typedef struct VirfsFile VirfsFile;

typedef struct {
  gboolean (*write) (VirfsFile *file, guint64 offset, const guint8 *data, gsize length,
                     GError **error);
  /* LENGTH bytes that are 0, and need not take any; also behind the end. */
  gboolean (*zero) (VirfsFile *file, guint64 offset, guint64 length, GError **error);
  /* As many as there are, -1 for an error. */
  gssize (*read) (VirfsFile *file, guint64 offset, guint8 *data, gsize length, GError **error);
  gboolean (*cut) (VirfsFile *file, guint64 size, GError **error);
  /* Nothing is left on its way; DISK: it is to outlive the host's end. */
  gboolean (*flush) (VirfsFile *file, gboolean disk, GError **error);
  /* Microseconds since the epoch; where that is not possible nothing happens. */
  void (*set_modified) (VirfsFile *file, gint64 modified);
  /* Of a new one: gives it its name, in place of a volume of that name if there is one.  CROSS: it can
   * only be copied there. */
  gboolean (*rename) (VirfsFile *file, const char *name, GError **error);
  /* The model shows it as it is now, under its name. */
  void (*tell) (VirfsFile *file);
  /* DISCARD: nothing of it stays. */
  void (*close) (VirfsFile *file, gboolean discard);
} VirfsFileClass;

struct VirfsFile {
  const VirfsFileClass *class;
  guint64 size; /* bytes that it had when it was opened */
};

/* Whether all LENGTH bytes are 0. */
gboolean virfs_is_zero (const guint8 *data, gsize length);
/* Writes, and what is 0 by `zero`. */
gboolean virfs_file_write_sparse (VirfsFile *file, guint64 offset, const guint8 *data, gsize length,
                                  GError **error);
