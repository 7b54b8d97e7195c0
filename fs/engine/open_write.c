/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written to an open file.
 *
 * It is kept until a line is complete; a document is kept until the file is closed.  A list is kept
 * as long as it is open, and carried out whenever a line is complete: so a shell that writes line by line
 * has written all of it in the end, and sees each error.
 */
#include "open_private.h"

#include <string.h>

/* The longest line, and the largest document: what fits into a libvirt message is 4 MiB. */
#define LINE_MAX_BYTES     (64 * 1024)
#define DOCUMENT_MAX_BYTES (4 * 1024 * 1024)

static gboolean
keep_written (VirfsOpen *open, const char *data, gsize size, goffset offset, gboolean document,
              GError **error)
{
  gsize at = document ? (gsize) offset : open->written->len;
  gsize limit = document ? DOCUMENT_MAX_BYTES : LINE_MAX_BYTES;

  if (open->spoilt || at > limit || size > limit - at) {
    open->spoilt = TRUE;
    open->dirty = FALSE;
    g_string_truncate (open->written, 0);
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_TOO_BIG,
                 "more than the %" G_GSIZE_FORMAT " bytes that this file takes", limit);
    return FALSE;
  }
  if (at > open->written->len) {
    gsize gap = open->written->len;

    g_string_set_size (open->written, at);
    memset (open->written->str + gap, ' ', at - gap);
  }
  g_string_overwrite_len (open->written, at, data, size);
  open->dirty = TRUE;
  return TRUE;
}

/* What is written at the beginning is a new list; all else is added to what was written so far or, if
 * that is nothing, to what the file shows. */
static void
begin_list (VirfsOpen *open, const VirfsNode *node, goffset offset)
{
  if (offset == 0)
    g_string_truncate (open->written, 0);
  else if (open->written->len == 0)
    node->row->show (node, open->written);
}

static gboolean
check_text (const char *text, gsize size, GError **error)
{
  if (g_utf8_validate_len (text, size, NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "what was written is not UTF-8 text");
  return FALSE;
}

/* Complete lines leave the buffer, whatever becomes of them, unless they are a list's. */
static char *
take_lines (VirfsOpen *open, gboolean list)
{
  const char *end = memrchr (open->written->str, '\n', open->written->len);
  gsize length = end ? (gsize) (end + 1 - open->written->str) : 0;
  char *lines = length ? g_strndup (open->written->str, length) : NULL;

  if (!list)
    g_string_erase (open->written, 0, length);
  else if (length == open->written->len)
    open->dirty = FALSE;
  return lines;
}

gboolean
virfs_open_write (VirfsOpen *open, const VirfsNode *node, const char *data, gsize size,
                  goffset offset, char **lines, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&open->lock);
  gboolean list = node->row->flags & VIRFS_ROW_LIST;
  gboolean document = node->row->flags & VIRFS_ROW_DOCUMENT;

  *lines = NULL;
  if (list)
    begin_list (open, node, offset);
  if (!keep_written (open, data, size, offset, document, error))
    return FALSE;
  if (document)
    return TRUE;
  if (memchr (data, '\n', size) != NULL
      && !check_text (open->written->str, open->written->len, error)) {
    g_string_truncate (open->written, 0);
    return FALSE;
  }
  *lines = take_lines (open, list);
  return TRUE;
}

gboolean
virfs_open_take_rest (VirfsOpen *open, const VirfsNode *node, char **rest, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&open->lock);
  gboolean valid;

  *rest = NULL;
  if (open->written == NULL || open->written->len == 0 || !open->dirty)
    return TRUE;
  open->dirty = FALSE;
  valid = check_text (open->written->str, open->written->len, error);
  if (valid)
    *rest = g_strndup (open->written->str, open->written->len);
  /* a document may be continued by another process that has the same file open */
  if (!(node->row->flags & (VIRFS_ROW_DOCUMENT | VIRFS_ROW_LIST)))
    g_string_truncate (open->written, 0);
  return valid;
}
