/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading NVRAM files, as volumes: their directory is libvirt's own, which is in no pool and
 * only here where the host is.
 */
#include "nvram.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "storage.h"
#include "xml.h"

/* Bytes; firmware has less than this. */
#define MOST ((gsize) 64 << 20)

static int
add_bytes (virStreamPtr stream, const char *data, size_t length, void *bytes)
{
  GByteArray *array = bytes;

  if (array->len + length > MOST)
    return -1;
  g_byte_array_append (array, (const guint8 *) data, length);
  return (int) length;
}

static gboolean
download (virConnectPtr conn, virStorageVolPtr volume, GByteArray *bytes)
{
  g_autoptr (virStream) stream = LV (virStreamNew (conn, 0));

  if (stream == NULL || LV (virStorageVolDownload (volume, stream, 0, 0, 0)) < 0)
    return FALSE;
  if (LV (virStreamRecvAll (stream, add_bytes, bytes)) == 0)
    return LV (virStreamFinish (stream)) == 0;
  lv_keep_error ();
  virStreamAbort (stream);
  return FALSE;
}

gboolean
lv_nvram_read (LvSeat *seat, const char *xml, VirfsBlob **blob, GError **error)
{
  g_autoptr (LvDisk) file = lv_xml_read_nvram (xml);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (LvPool) pool = NULL;
  g_autoptr (virStorageVol) volume = NULL;

  *blob = NULL;
  if (file == NULL || file->path == NULL)
    return TRUE;
  volume = lv_pool_find_path (seat, file->path, &pool);
  if (volume == NULL || !download (seat->conn, volume, bytes))
    return lv_fail (error, "cannot read %s of %s", file->path, seat->link->connection->name);
  *blob = virfs_blob_new_bytes (bytes->data, bytes->len);
  return TRUE;
}
