/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CD-ROM images of a few small files (ISO 9660 with Rock Ridge and Joliet). */
#pragma once

#include <glib.h>

typedef struct {
  const char *name;
  const char *text; /* NULL: not there */
} LvIsoFile;

/* An image with that volume label; the caller owns it. */
GByteArray *lv_iso_make (const char *label, const LvIsoFile *files, guint n, GError **error);
