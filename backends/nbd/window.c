/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far to read ahead. */
#include "window.h"

/* Who skips holes reads in order, too. */
static gboolean
is_in_order (const VirfsWindow *window, const VirfsDataMap *map, guint64 offset)
{
  guint64 slack = VIRFS_WINDOW_SLACK + window->size;
  guint64 farthest = virfs_data_map_skip (map, window->next, slack);

  return offset + slack >= window->next && (offset <= window->next + slack || offset <= farthest);
}

static void
shrink (VirfsWindow *window)
{
  window->size /= 4;
  if (window->size < VIRFS_WINDOW_LEAST)
    window->size = 0;
  window->used = 0;
}

static void
grow (VirfsWindow *window, gsize length)
{
  window->used += length;
  if (window->size == 0)
    window->size = VIRFS_WINDOW_LEAST;
  else if (window->used >= window->size)
    window->size *= 2;
  else
    return;
  window->used = 0;
}

gboolean
virfs_window_note (VirfsWindow *window, const VirfsDataMap *map, guint64 offset, gsize length,
                   guint64 most)
{
  guint64 end = offset + length;
  gboolean in_order = is_in_order (window, map, offset);

  if (!in_order) {
    shrink (window);
    window->next = end;
  } else if (end > window->next) {
    grow (window, length);
    window->next = end;
  }
  window->size = MIN (window->size, most);
  return in_order;
}
