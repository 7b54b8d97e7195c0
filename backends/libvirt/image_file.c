/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volumes that are written: how they are made, told of and given up.
 *
 * libvirt cannot rename a volume.  Where its file can be reached from here a new volume has a name that
 * nobody is told of and is renamed when it is complete.  Elsewhere it has the name that it is to have
 * from the start; if there is a volume of that name already it has another, and can only be copied.
 */
#include "image_file.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "inventory.h"
#include "upload.h"
#include "xml.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static gboolean
take_seat (LvFile *self, GError **error)
{
  g_autoptr (LvLink) link = NULL;

  if (self->seat.link != NULL)
    return TRUE;
  link = lv_host_link (self->host, error);
  return link != NULL && lv_seat_take (&self->seat, link, error);
}

gboolean
lv_file_reach (LvFile *self, GError **error)
{
  g_autoptr (virStoragePool) pool = NULL;

  if (self->volume != NULL)
    return TRUE;
  if (!take_seat (self, error))
    return FALSE;
  pool = LV (virStoragePoolLookupByName (self->seat.conn, self->pool));
  self->volume = pool ? LV (virStorageVolLookupByName (pool, self->name)) : NULL;
  return self->volume != NULL
         || lv_fail (error, "cannot find the volume %s in %s", self->name, self->pool);
}

void
lv_file_leave (LvFile *self)
{
  if (self->volume != NULL)
    LV (virStorageVolFree (g_steal_pointer (&self->volume)));
  lv_seat_leave (&self->seat);
}

/* Making. */

static void
set_name (LvFile *self, const char *name)
{
  g_free (self->name);
  self->name = g_strdup (name);
}

static gboolean
create (LvFile *self, const char *name, GError **error)
{
  g_autofree char *xml = lv_xml_make_volume (name, "raw", 0);
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByName (self->seat.conn, self->pool));

  if (pool == NULL)
    return lv_fail (error, "cannot find the pool %s", self->pool);
  if (!lv_image_note (self->host, self->pool, name, error))
    return FALSE;
  set_name (self, name);
  self->noted = TRUE;
  self->volume = LV (virStorageVolCreateXML (pool, xml, 0));
  if (self->volume != NULL)
    return TRUE;
  lv_fail (error, "cannot make a volume in the pool %s of %s", self->pool, self->host->name);
  lv_image_forget (self->host, self->pool, name);
  self->noted = FALSE;
  return FALSE;
}

static gboolean
create_hidden (LvFile *self, GError **error)
{
  g_autofree char *name
    = g_strdup_printf (LV_IMAGE_HIDDEN "%08x%08x", g_random_int (), g_random_int ());

  return create (self, name, error);
}

static void delete (LvFile *self)
{
  if (LV (virStorageVolDelete (self->volume, 0)) < 0 && lv_last_code () != VIR_ERR_NO_STORAGE_VOL) {
    lv_image_abandon (self->host, self->pool, self->name); /* it stays noted */
  } else if (self->noted) {
    lv_image_forget (self->host, self->pool, self->name);
  }
  self->noted = FALSE;
  LV (virStorageVolFree (g_steal_pointer (&self->volume)));
}

static gboolean
make (LvFile *self, const char *label, GError **error)
{
  g_autofree char *name = virfs_upload_final_name (label);
  g_autoptr (GError) taken = NULL;

  if (!take_seat (self, error) || !create_hidden (self, error))
    return FALSE;
  self->fd = lv_image_open (self->seat.link, self->volume, O_RDWR, &self->path);
  if (self->fd >= 0)
    return TRUE;
  delete (self);
  if (create (self, name, &taken))
    return TRUE;
  if (g_error_matches (taken, VIRFS_ERROR, VIRFS_ERROR_EXISTS))
    return create_hidden (self, error);
  g_propagate_error (error, g_steal_pointer (&taken));
  return FALSE;
}

static gboolean
find (LvFile *self, const char *name, GError **error)
{
  char *xml;
  g_autoptr (VirfsPartInfo) info = NULL;

  set_name (self, name);
  if (!lv_file_reach (self, error))
    return FALSE;
  xml = LV (virStorageVolGetXMLDesc (self->volume, 0));
  info = xml ? (VirfsPartInfo *) lv_xml_read_volume (xml) : NULL;
  free (xml);
  if (info == NULL)
    return lv_fail (error, "cannot read the volume %s", name);
  self->size = ((VirfsVolumeInfo *) info)->length;
  self->fd = lv_image_open (self->seat.link, self->volume, O_RDWR, &self->path);
  return TRUE;
}

static void
free_file (LvFile *self)
{
  lv_file_leave (self);
  if (self->fd >= 0)
    close (self->fd);
  virfs_object_unref (self->host);
  g_free (self->pool);
  g_free (self->name);
  g_free (self->path);
  g_free (self);
}

VirfsFile *
lv_volume_write (VirfsHost *host, const char *pool, const char *name, gboolean new, GError **error)
{
  LvFile *self = g_new0 (LvFile, 1);

  self->host = virfs_object_ref (host);
  self->pool = g_strdup (pool);
  self->fd = -1;
  if (new ? !make (self, name, error) : !find (self, name, error)) {
    free_file (self);
    return NULL;
  }
  self->file.class = self->fd >= 0 ? &lv_direct_class : &lv_stream_class;
  self->file.size = self->size;
  if (self->fd >= 0)
    lv_file_leave (self);
  return &self->file;
}

/* Telling. */

/* While a volume is being made in it a pool does not look, and there is no event for the end of that. */
static void
look (LvFile *self)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByName (self->seat.conn, self->pool));
  gint64 pause = G_TIME_SPAN_SECOND / 20;

  while (pool != NULL && LV (virStoragePoolRefresh (pool, 0)) < 0
         && LV (virStoragePoolIsActive (pool)) == 1 && pause < 20 * G_TIME_SPAN_SECOND) {
    g_usleep ((gulong) pause);
    pause *= 2;
  }
}

void
lv_file_tell (VirfsFile *file)
{
  LvFile *self = (LvFile *) file;

  if (!take_seat (self, NULL))
    return;
  look (self);
  lv_inventory_refresh (self->seat.link, self->seat.conn, self->pool, self->name);
  lv_file_leave (self);
}

void
lv_file_settle (LvFile *self, const char *name)
{
  if (self->noted)
    lv_image_forget (self->host, self->pool, self->name);
  self->noted = FALSE;
  set_name (self, name);
}

void
lv_file_close (VirfsFile *file, gboolean discard)
{
  LvFile *self = (LvFile *) file;

  if (self->stream != NULL) {
    LV (virStreamAbort (self->stream));
    LV (virStreamFree (g_steal_pointer (&self->stream)));
  }
  if (discard && lv_file_reach (self, NULL))
    delete (self);
  else if (self->noted)
    lv_image_abandon (self->host, self->pool, self->name);
  free_file (self);
}
