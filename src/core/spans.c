/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of numbers that are mostly consecutive. */
#include "spans.h"

GArray *
virfs_spans_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (VirfsSpan));
}

guint64
virfs_spans_total (GArray *spans)
{
  const VirfsSpan *last = spans->len ? VIRFS_SPAN (spans, spans->len - 1) : NULL;

  return last ? last->before + last->count : 0;
}

void
virfs_spans_add (GArray *spans, guint64 first, guint64 count)
{
  VirfsSpan *last = spans->len ? VIRFS_SPAN (spans, spans->len - 1) : NULL;
  VirfsSpan span = { first, count, virfs_spans_total (spans) };

  if (last != NULL && first <= last->first + last->count)
    last->count = MAX (last->count, first + count - last->first);
  else if (count > 0)
    g_array_append_val (spans, span);
}

void
virfs_spans_add_groups (GArray *spans, guint64 first, guint64 count, guint64 size)
{
  virfs_spans_add (spans, first / size, virfs_parts (first + count, size) - first / size);
}

guint
virfs_spans_from (GArray *spans, guint64 number)
{
  guint low = 0, high = spans->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;
    const VirfsSpan *span = VIRFS_SPAN (spans, middle);

    if (span->first + span->count <= number)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const VirfsSpan *
virfs_spans_nth (GArray *spans, guint64 n)
{
  guint low = 0, high = spans->len - 1;

  while (low < high) {
    guint middle = low + (high - low + 1) / 2;

    if (VIRFS_SPAN (spans, middle)->before <= n)
      low = middle;
    else
      high = middle - 1;
  }
  return VIRFS_SPAN (spans, low);
}
