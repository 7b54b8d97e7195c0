/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the data are.  Each stretch knows how much there is before it, so all is found by bisection.
 */
#include "data_map.h"

typedef struct {
  guint64 start, end;
  guint64 before; /* bytes of data ahead of it */
} Stretch;

struct VirfsDataMap {
  gatomicrefcount refs;
  GArray *stretches;
};

VirfsDataMap *
virfs_data_map_new (void)
{
  VirfsDataMap *map = g_new (VirfsDataMap, 1);

  g_atomic_ref_count_init (&map->refs);
  map->stretches = g_array_new (FALSE, FALSE, sizeof (Stretch));
  return map;
}

VirfsDataMap *
virfs_data_map_ref (VirfsDataMap *map)
{
  if (map != NULL)
    g_atomic_ref_count_inc (&map->refs);
  return map;
}

void
virfs_data_map_unref (VirfsDataMap *map)
{
  if (map == NULL || !g_atomic_ref_count_dec (&map->refs))
    return;
  g_array_unref (map->stretches);
  g_free (map);
}

static const Stretch *
nth (const VirfsDataMap *map, guint i)
{
  return &g_array_index (map->stretches, Stretch, i);
}

static guint64
amount_after (const Stretch *stretch)
{
  return stretch->before + (stretch->end - stretch->start);
}

void
virfs_data_map_add (VirfsDataMap *map, guint64 start, guint64 length)
{
  guint n = map->stretches->len;
  Stretch *last = n ? &g_array_index (map->stretches, Stretch, n - 1) : NULL;
  Stretch stretch = { start, start + length, last ? amount_after (last) : 0 };

  g_return_if_fail (last == NULL || start >= last->end);
  if (length == 0)
    return;
  if (last != NULL && last->end == start)
    last->end = stretch.end;
  else
    g_array_append_val (map->stretches, stretch);
}

/* The first stretch of which IS_AHEAD_OF is not true, or how many there are. */
static guint
bisect (const VirfsDataMap *map, gboolean (*is_ahead_of) (const Stretch *, guint64), guint64 value)
{
  guint low = 0, high = map->stretches->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (is_ahead_of (nth (map, middle), value))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static gboolean
ends_before (const Stretch *stretch, guint64 offset)
{
  return stretch->end <= offset;
}

static gboolean
is_passed (const Stretch *stretch, guint64 amount)
{
  return amount_after (stretch) <= amount;
}

static gboolean
begins_before (const Stretch *stretch, guint64 offset)
{
  return stretch->start < offset;
}

gboolean
virfs_data_map_at (const VirfsDataMap *map, guint64 offset, guint64 *until)
{
  guint i = map ? bisect (map, ends_before, offset) : 0;

  if (map == NULL || i == map->stretches->len) {
    *until = G_MAXUINT64;
    return map == NULL;
  }
  if (nth (map, i)->start <= offset) {
    *until = nth (map, i)->end;
    return TRUE;
  }
  *until = nth (map, i)->start;
  return FALSE;
}

guint64
virfs_data_map_skip (const VirfsDataMap *map, guint64 offset, guint64 bytes)
{
  guint64 amount;
  guint i;

  if (map == NULL)
    return offset > G_MAXUINT64 - bytes ? G_MAXUINT64 : offset + bytes;
  i = bisect (map, ends_before, offset);
  if (i == map->stretches->len)
    return G_MAXUINT64;
  amount = nth (map, i)->before + bytes;
  if (offset > nth (map, i)->start)
    amount += offset - nth (map, i)->start;
  i = bisect (map, is_passed, amount);
  return i == map->stretches->len ? G_MAXUINT64
                                  : nth (map, i)->start + (amount - nth (map, i)->before);
}

gboolean
virfs_data_map_trim (const VirfsDataMap *map, guint64 *start, guint64 *end)
{
  guint last;

  if (map == NULL)
    return *start < *end;
  *start = virfs_data_map_skip (map, *start, 0);
  if (*start >= *end)
    return FALSE;
  last = bisect (map, begins_before, *end) - 1;
  *end = MIN (*end, nth (map, last)->end);
  return TRUE;
}
