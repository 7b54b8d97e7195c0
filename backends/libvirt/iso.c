/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libisofs makes the image in a thread of its own and gives it as a stream of sectors. */
#include "iso.h"

#include "error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* they need the above */
#include <libburn/libburn.h>
#include <libisofs/libisofs.h>

#define SECTOR 2048

static gboolean
fail (int code, GError **error)
{
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "cannot make a CD-ROM image: %s",
               iso_error_to_msg (code));
  return FALSE;
}

static gboolean
add_file (IsoImage *image, const LvIsoFile *file, GError **error)
{
  gsize size = strlen (file->text);
  IsoStream *stream = NULL;
  IsoFile *node = NULL;
  /* the stream frees what it is given */
  int code = iso_memory_stream_new ((unsigned char *) strdup (file->text), size, &stream);

  if (code >= 0)
    code = iso_tree_add_new_file (iso_image_get_root (image), file->name, stream, &node);
  if (code < 0)
    return fail (code, error);
  iso_node_set_permissions (ISO_NODE (node), S_IFREG | 0400);
  return TRUE;
}

static GByteArray *
read_all (struct burn_source *source, GError **error)
{
  GByteArray *bytes = g_byte_array_new ();
  unsigned char sector[SECTOR];
  int n;

  while ((n = source->read_xt (source, sector, sizeof sector)) > 0)
    g_byte_array_append (bytes, sector, n);
  if (n == 0)
    return bytes;
  g_byte_array_unref (bytes);
  fail (n, error);
  return NULL;
}

static GByteArray *
write_image (IsoImage *image, GError **error)
{
  IsoWriteOpts *options = NULL;
  struct burn_source *source = NULL;
  GByteArray *bytes = NULL;
  int code = iso_write_opts_new (&options, 2);

  if (code >= 0) {
    iso_write_opts_set_joliet (options, 1);
    code = iso_image_create_burn_source (image, options, &source);
  }
  if (code < 0)
    fail (code, error);
  else
    bytes = read_all (source, error);
  if (source != NULL) {
    source->free_data (source);
    free (source);
  }
  iso_write_opts_free (options);
  return bytes;
}

static gboolean
begin (GError **error)
{
  static gsize begun = 0;

  if (g_once_init_enter (&begun)) {
    int code = iso_init ();

    if (code >= 0)
      iso_set_msgs_severities ("NEVER", "NEVER", "");
    g_once_init_leave (&begun, code < 0 ? 2 : 1);
  }
  return begun == 1 || fail (ISO_OUT_OF_MEM, error);
}

GByteArray *
lv_iso_make (const char *label, const LvIsoFile *files, guint n, GError **error)
{
  IsoImage *image = NULL;
  GByteArray *bytes = NULL;
  gboolean ok;

  if (!begin (error))
    return NULL;
  ok = iso_image_new (label, &image) >= 0 || fail (ISO_OUT_OF_MEM, error);
  for (guint i = 0; ok && i < n; i++)
    ok = files[i].text == NULL || add_file (image, &files[i], error);
  if (ok)
    bytes = write_image (image, error);
  if (image != NULL)
    iso_image_unref (image);
  return bytes;
}
