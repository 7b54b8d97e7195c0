/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is noted of images: checksums, and what is installed there.  By the storage and the name of each
 * of their volumes; a note counts as long as the file is as it was then.
 */
#include "registry_image.h"

#include "pool.h"

#include <string.h>

/* The kinds of values. */

static gpointer
load_sum (const char *text)
{
  return g_ref_string_new (text);
}

static gpointer
load_os (const char *text)
{
  return virfs_os_load (text);
}

static char *
save_os (gconstpointer os)
{
  return virfs_os_save (os);
}

static char *
save_sum (gconstpointer sum)
{
  return g_strdup (sum);
}

static const struct {
  const char *record, *what;
  gpointer (*load) (const char *text);
  char *(*save) (gconstpointer value);
  gpointer (*ref) (gpointer value);
  void (*unref) (gpointer value);
} kinds[] = {
  [VIRFS_IMAGE_NOTE_SUM]
  = { VIRFS_RECORD_SUM, "checksum", load_sum, save_sum,
      (gpointer (*) (gpointer)) g_ref_string_acquire, (void (*) (gpointer)) g_ref_string_release },
  [VIRFS_IMAGE_NOTE_OS]
  = { VIRFS_RECORD_OS, "inspection", load_os, save_os, (gpointer (*) (gpointer)) virfs_os_ref,
      (void (*) (gpointer)) virfs_os_unref },
};

G_STATIC_ASSERT (G_N_ELEMENTS (kinds) == VIRFS_IMAGE_N_NOTES);

typedef struct {
  VirfsImageNote kind;
  char *stamp; /* of the file that it is true of */
  gpointer value;
} Note;

static void
free_note (gpointer data)
{
  Note *note = data;

  g_free (note->stamp);
  kinds[note->kind].unref (note->value);
  g_free (note);
}

void
virfs_registry_open_image_notes (VirfsInfra *infra)
{
  for (guint i = 0; i < VIRFS_IMAGE_N_NOTES; i++)
    infra->image_notes[i] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_note);
}

void
virfs_registry_close_image_notes (VirfsInfra *infra)
{
  for (guint i = 0; i < VIRFS_IMAGE_N_NOTES; i++)
    g_hash_table_unref (infra->image_notes[i]);
}

/* What a note is kept by, and when it counts; the caller owns them. */

static char *
key_of (const VirfsPoolInfo *pool, const char *volume)
{
  return g_strdup_printf ("%s/%s", pool->uuid ? pool->uuid : pool->part.name, volume);
}

static char *
stamp_of (const VirfsVolumeInfo *volume)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT "/%s", volume->length,
                          volume->modified ? volume->modified : "");
}

gpointer
virfs_registry_image_note (VirfsInfra *infra, VirfsImageNote kind, const VirfsPoolInfo *pool,
                           const VirfsVolumeInfo *volume)
{
  g_autofree char *key = key_of (pool, volume->part.name);
  g_autofree char *stamp = stamp_of (volume);
  const Note *note = g_hash_table_lookup (infra->image_notes[kind], key);

  if (note == NULL || volume->modified == NULL || !g_str_equal (note->stamp, stamp))
    return NULL;
  return note->value;
}

/* Noting. */

/* Under the registry's lock; VALUE is borrowed, NULL: it is not known any more. */
static void
set_note (VirfsInfra *infra, VirfsImageNote kind, const char *key, const char *stamp,
          gpointer value)
{
  Note *note;

  if (value == NULL) {
    g_hash_table_remove (infra->image_notes[kind], key);
    return;
  }
  note = g_new (Note, 1);
  *note = (Note){ kind, g_strdup (stamp), kinds[kind].ref (value) };
  g_hash_table_insert (infra->image_notes[kind], g_strdup (key), note);
}

static void
keep_note (VirfsInfra *infra, VirfsImageNote kind, const char *key, const char *stamp,
           gconstpointer value)
{
  g_autofree char *text = value ? kinds[kind].save (value) : NULL;
  g_autofree char *record = text ? g_strdup_printf ("%s %s", stamp, text) : NULL;
  g_autoptr (GError) error = NULL;

  if (record ? !virfs_infra_keep (infra, kinds[kind].record, key, record, &error)
             : !virfs_infra_forget (infra, kinds[kind].record, key, &error))
    g_message ("the %s of %s is not kept: %s", kinds[kind].what, key, error->message);
}

/* VOLUMES (VirfsPart*) are of that NAME.  Of hosts that share a file the first knows best what it is like now. */
static void
note (VirfsInfra *infra, VirfsImageNote kind, GPtrArray *volumes, const char *name, gpointer value)
{
  g_autoptr (GHashTable) stamps = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer key, stamp;

  for (guint i = 0; i < volumes->len; i++) {
    VirfsPart *volume = volumes->pdata[i];
    g_autoptr (VirfsPartInfo) info = virfs_part_info (volume);
    g_autoptr (VirfsPartInfo) pool = virfs_part_info ((VirfsPart *) volume->owner);
    g_autofree char *place = key_of ((const VirfsPoolInfo *) pool, info->name);

    if (!g_hash_table_contains (stamps, place))
      g_hash_table_insert (stamps, g_steal_pointer (&place),
                           stamp_of ((const VirfsVolumeInfo *) info));
  }
  g_mutex_lock (&infra->lock);
  g_hash_table_iter_init (&iter, stamps);
  while (g_hash_table_iter_next (&iter, &key, &stamp))
    set_note (infra, kind, key, stamp, value);
  virfs_registry_regroup (infra, name);
  g_mutex_unlock (&infra->lock);
  g_hash_table_iter_init (&iter, stamps);
  while (g_hash_table_iter_next (&iter, &key, &stamp))
    keep_note (infra, kind, key, stamp, value);
}

static void
note_image (VirfsImage *image, VirfsImageNote kind, gpointer value)
{
  g_autoptr (VirfsImageInfo) info = virfs_image_info (image);

  note (image->object.infra, kind, info->volumes, image->name, value);
}

void
virfs_image_note_sum (VirfsImage *image, const char *sha256)
{
  g_autoptr (GRefString) sum = sha256 ? g_ref_string_new (sha256) : NULL;

  note_image (image, VIRFS_IMAGE_NOTE_SUM, sum);
}

void
virfs_image_note_os (VirfsImage *image, VirfsOs *os)
{
  note_image (image, VIRFS_IMAGE_NOTE_OS, os);
}

void
virfs_volume_note_sum (VirfsPart *volume, const char *sha256)
{
  g_autoptr (GPtrArray) volumes = g_ptr_array_new ();
  g_autoptr (GRefString) sum = sha256 ? g_ref_string_new (sha256) : NULL;

  g_ptr_array_add (volumes, volume);
  note (volume->object.infra, VIRFS_IMAGE_NOTE_SUM, volumes, volume->name, sum);
}

void
virfs_volume_forget_notes (VirfsPart *volume)
{
  g_autoptr (GPtrArray) volumes = g_ptr_array_new ();

  g_ptr_array_add (volumes, volume);
  for (guint i = 0; i < VIRFS_IMAGE_N_NOTES; i++)
    note (volume->object.infra, i, volumes, volume->name, NULL);
}

/* What was kept. */

typedef struct {
  VirfsInfra *infra;
  VirfsImageNote kind;
} Restoring;

static void
restore (const char *key, const char *record, gpointer data)
{
  const Restoring *restoring = data;
  const char *space = strchr (record, ' ');
  g_autofree char *stamp = space ? g_strndup (record, (gsize) (space - record)) : NULL;
  gpointer value = space ? kinds[restoring->kind].load (space + 1) : NULL;

  if (value == NULL)
    return;
  set_note (restoring->infra, restoring->kind, key, stamp, value);
  kinds[restoring->kind].unref (value);
}

void
virfs_infra_restore_image_notes (VirfsInfra *infra)
{
  for (guint i = 0; i < VIRFS_IMAGE_N_NOTES; i++) {
    Restoring restoring = { infra, i };

    virfs_infra_recall (infra, kinds[i].record, restore, &restoring);
  }
}
