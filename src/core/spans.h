/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of numbers that are mostly consecutive, as clusters that have data are: arrays (GArray) of
 * spans in their order, with a gap between any two.  Which numbers are in the set and which is the
 * Nth of them are both found by binary search.
 */
#pragma once

#include <glib.h>

typedef struct {
  guint64 first, count;
  guint64 before; /* how many numbers there are in the spans before */
} VirfsSpan;

#define VIRFS_SPAN(spans, i) (&g_array_index ((spans), VirfsSpan, (i)))

GArray *virfs_spans_new (void);
/* COUNT numbers from FIRST on.  They come in their order, but some may be there already. */
void virfs_spans_add (GArray *spans, guint64 first, guint64 count);
/* The numbers of the groups that these are in, when each SIZE of them are a group. */
void virfs_spans_add_groups (GArray *spans, guint64 first, guint64 count, guint64 size);

/* How many numbers there are. */
guint64 virfs_spans_total (GArray *spans);
/* The index of the first span that ends behind NUMBER; how many there are, if none does. */
guint virfs_spans_from (GArray *spans, guint64 number);
/* The span that the Nth of all numbers is in, from 0 on; there must be as many. */
const VirfsSpan *virfs_spans_nth (GArray *spans, guint64 n);

/* How many parts of PART each it takes to hold SIZE. */
static inline guint64
virfs_parts (guint64 size, guint64 part)
{
  return (size + part - 1) / part;
}
