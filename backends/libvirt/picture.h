/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of screens. */
#pragma once

#include "blob.h"

/* BYTES, of type MIME (image/png or image/x-portable-pixmap), as a PNG; the caller owns it.  NULL with
 * ERROR: it is no such picture. */
VirfsBlob *lv_picture_png (GByteArray *bytes, const char *mime, GError **error);
