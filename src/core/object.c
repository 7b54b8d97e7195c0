/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References and numbers of objects. */
#include "object.h"

gpointer
virfs_object_ref (gpointer object)
{
  VirfsObject *self = object;

  g_atomic_ref_count_inc (&self->refs);
  return object;
}

void
virfs_object_unref (gpointer object)
{
  VirfsObject *self = object;

  if (self != NULL && g_atomic_ref_count_dec (&self->refs))
    self->free (self);
}

/* FNV-1a, 64 bits (RFC 9923): the same everywhere and for ever, unlike g_str_hash(). */
static guint64
fnv1a (guint64 hash, const char *text)
{
  for (const char *p = text; *p; p++)
    hash = (hash ^ (guchar) *p) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash;
}

guint64
virfs_object_hash_id (VirfsKind kind, const char *key)
{
  guint64 hash = fnv1a (G_GUINT64_CONSTANT (0xcbf29ce484222325) + kind, key);

  hash ^= hash >> 32;
  return MAX (hash & (VIRFS_BIT (VIRFS_ID_BITS) - 1), 1);
}

gint64
virfs_latest_change (const gint64 *changed, guint n, guint64 fields)
{
  gint64 latest = 0;

  for (guint i = 0; i < n; i++)
    if (fields & VIRFS_BIT (i))
      latest = MAX (latest, changed[i]);
  return latest;
}
