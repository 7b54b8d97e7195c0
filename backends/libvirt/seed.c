/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk that cloud-init's NoCloud data source looks for: a CD-ROM with the label CIDATA, see
 * https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html.
 */
#include "error.h"
#include "fail.h"
#include "iso.h"
#include "make_disk.h"

#include <stdlib.h>
#include <string.h>

#define LABEL "CIDATA"
#define CHUNK ((gsize) 256 * 1024)

static char *
default_meta_data (const VirfsDraftInfo *info)
{
  return g_strdup_printf ("instance-id: %s\nlocal-hostname: %s\n", info->uuid, info->part.name);
}

static GByteArray *
make_image (const VirfsDraftInfo *info, GError **error)
{
  g_autofree char *meta_data
    = info->meta_data ? g_strdup (info->meta_data) : default_meta_data (info);
  LvIsoFile files[] = {
    { "user-data", info->user_data ? info->user_data : "#cloud-config\n" },
    { "meta-data", meta_data },
    { "network-config", info->network_config },
  };

  return lv_iso_make (LABEL, files, G_N_ELEMENTS (files), error);
}

static gboolean
send_all (virStreamPtr stream, const GByteArray *image)
{
  for (gsize sent = 0; sent < image->len;) {
    int n = LV (
      virStreamSend (stream, (const char *) image->data + sent, MIN (CHUNK, image->len - sent)));

    if (n < 0)
      return FALSE;
    sent += n;
  }
  return LV (virStreamFinish (stream)) == 0;
}

static gboolean
upload (LvMaking *making, virStorageVolPtr volume, const GByteArray *image, GError **error)
{
  g_autoptr (virStream) stream = LV (virStreamNew (making->task->here.conn, 0));

  if (stream != NULL && LV (virStorageVolUpload (volume, stream, 0, image->len, 0)) == 0
      && send_all (stream, image))
    return TRUE;
  lv_fail (error, "cannot write the cloud-init disk of %s", making->task->name);
  if (stream != NULL)
    LV (virStreamAbort (stream));
  return FALSE;
}

gboolean
lv_making_add_seed (LvMaking *making, GError **error)
{
  const VirfsDraftInfo *info = making->creation->info;
  g_autoptr (GByteArray) image = NULL;
  virStorageVolPtr volume;

  if (info->user_data == NULL && info->meta_data == NULL && info->network_config == NULL)
    return TRUE;
  image = make_image (info, error);
  if (image == NULL)
    return FALSE;
  volume = lv_making_make_medium (making, "cloud-init", image->len, error);
  return volume != NULL && upload (making, volume, image, error)
         && lv_making_add (making, "sdz", volume, error);
}
