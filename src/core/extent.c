/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of extents. */
#include "extent.h"

struct VirfsExtents {
  GArray *list; /* of VirfsExtent */
  guint64 size;
};

#define EXTENT(extents, i) (&g_array_index ((extents)->list, VirfsExtent, i))

static guint64
end_of (const VirfsExtent *extent)
{
  return extent->start + extent->length;
}

VirfsExtents *
virfs_extents_new (void)
{
  VirfsExtents *extents = g_new0 (VirfsExtents, 1);

  extents->list = g_array_new (FALSE, FALSE, sizeof (VirfsExtent));
  return extents;
}

void
virfs_extents_free (VirfsExtents *extents)
{
  if (extents == NULL)
    return;
  g_array_unref (extents->list);
  g_free (extents);
}

void
virfs_extents_append (VirfsExtents *extents, guint64 length, VirfsExtentKind kind)
{
  VirfsExtent next = { extents->size, length, kind };
  guint n = extents->list->len;

  if (length == 0)
    return;
  extents->size += length;
  if (n > 0 && EXTENT (extents, n - 1)->kind == kind)
    EXTENT (extents, n - 1)->length += length;
  else
    g_array_append_val (extents->list, next);
}

/* The index of the one that OFFSET lies in; how many there are for an offset behind the end. */
static guint
index_of (const VirfsExtents *extents, guint64 offset)
{
  guint low = 0, high = extents->list->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (end_of (EXTENT (extents, middle)) <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

VirfsExtents *
virfs_extents_changed (const VirfsExtents *allocation, const VirfsExtents *dirty)
{
  VirfsExtents *changed = virfs_extents_new ();
  guint a = 0, d = 0;

  while (changed->size < allocation->size) {
    const VirfsExtent *now = EXTENT (allocation, a);
    const VirfsExtent *then = d < dirty->list->len ? EXTENT (dirty, d) : NULL;
    guint64 end = then ? MIN (end_of (now), end_of (then)) : end_of (now);
    gboolean same = then && then->kind == VIRFS_EXTENT_UNCHANGED;

    virfs_extents_append (changed, end - changed->size, same ? VIRFS_EXTENT_UNCHANGED : now->kind);
    a += end == end_of (now);
    d += then && end == end_of (then);
  }
  return changed;
}

VirfsExtents *
virfs_extents_in_units (const VirfsExtents *extents, guint64 unit)
{
  VirfsExtents *whole = virfs_extents_new ();

  for (guint i = 0; i < extents->list->len; i++) {
    const VirfsExtent *extent = EXTENT (extents, i);
    guint64 end = end_of (extent);
    guint64 units_end = end < extents->size ? end - end % unit : end;

    if (units_end > whole->size)
      virfs_extents_append (whole, units_end - whole->size, extent->kind);
    /* the rest shares a unit with the next, which is of another kind */
    if (end > whole->size)
      virfs_extents_append (whole, MIN (unit, extents->size - whole->size), VIRFS_EXTENT_DATA);
  }
  return whole;
}

guint64
virfs_extents_size (const VirfsExtents *extents)
{
  return extents->size;
}

guint64
virfs_extents_bytes (const VirfsExtents *extents, VirfsExtentKind kind)
{
  guint64 bytes = 0;

  for (guint i = 0; i < extents->list->len; i++)
    if (EXTENT (extents, i)->kind == kind)
      bytes += EXTENT (extents, i)->length;
  return bytes;
}

const VirfsExtent *
virfs_extents_list (const VirfsExtents *extents, gsize *number)
{
  *number = extents->list->len;
  return (const VirfsExtent *) extents->list->data;
}

const VirfsExtent *
virfs_extents_find (const VirfsExtents *extents, guint64 offset)
{
  return offset < extents->size ? EXTENT (extents, index_of (extents, offset)) : NULL;
}

/* The first offset from OFFSET on that is in a hole, or in none, as HOLE says. */
static guint64
next (const VirfsExtents *extents, guint64 offset, gboolean hole)
{
  for (guint i = index_of (extents, offset); i < extents->list->len; i++)
    if ((EXTENT (extents, i)->kind == VIRFS_EXTENT_ZERO) == hole)
      return MAX (offset, EXTENT (extents, i)->start);
  return extents->size;
}

guint64
virfs_extents_next_data (const VirfsExtents *extents, guint64 offset)
{
  return next (extents, offset, FALSE);
}

guint64
virfs_extents_next_hole (const VirfsExtents *extents, guint64 offset)
{
  return next (extents, offset, TRUE);
}
