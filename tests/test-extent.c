/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of extents, held against a kind for each byte of a small disk, and spans. */
#include "extent.h"
#include "spans.h"

#include <string.h>

#define D VIRFS_EXTENT_DATA
#define Z VIRFS_EXTENT_ZERO
#define U VIRFS_EXTENT_UNCHANGED

/* A list of runs, as in "D3 Z1 U10". */
static VirfsExtents *
parse (const char *text)
{
  VirfsExtents *extents = virfs_extents_new ();
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  for (char **word = words; *word && **word; word++)
    virfs_extents_append (extents, g_ascii_strtoull (*word + 1, NULL, 10),
                          **word == 'D'   ? D
                          : **word == 'Z' ? Z
                                          : U);
  return extents;
}

static void
assert_is (const VirfsExtents *extents, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize n;
  const VirfsExtent *list = virfs_extents_list (extents, &n);

  for (gsize i = 0; i < n; i++)
    g_string_append_printf (text, "%s%c%" G_GUINT64_FORMAT, i ? " " : "", "DZU"[list[i].kind],
                            list[i].length);
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_append (void)
{
  g_autoptr (VirfsExtents) extents = parse ("D0 D3 D4 Z0 D1 Z5 U6 U1");
  g_autoptr (VirfsExtents) none = parse ("");
  gsize n;

  assert_is (extents, "D8 Z5 U7");
  g_assert_cmpuint (virfs_extents_size (extents), ==, 20);
  g_assert_cmpuint (virfs_extents_bytes (extents, D), ==, 8);
  g_assert_cmpuint (virfs_extents_bytes (extents, Z), ==, 5);
  g_assert_cmpuint (virfs_extents_bytes (extents, U), ==, 7);
  virfs_extents_list (none, &n);
  g_assert_cmpuint (n, ==, 0);
  g_assert_cmpuint (virfs_extents_size (none), ==, 0);
  g_assert_null (virfs_extents_find (none, 0));
  g_assert_cmpuint (virfs_extents_next_data (none, 0), ==, 0);
  g_assert_cmpuint (virfs_extents_next_hole (none, 0), ==, 0);
}

static void
test_seek (void)
{
  g_autoptr (VirfsExtents) extents = parse ("Z2 D3 U1 Z4 D1");
  static const guint64 data[] = { 2, 2, 2, 3, 4, 5, 10, 10, 10, 10, 10, 11, 11 };
  static const guint64 holes[] = { 0, 1, 6, 6, 6, 6, 6, 7, 8, 9, 11, 11, 11 };

  for (guint64 i = 0; i < G_N_ELEMENTS (data); i++) {
    g_assert_cmpuint (virfs_extents_next_data (extents, i), ==, data[i]);
    g_assert_cmpuint (virfs_extents_next_hole (extents, i), ==, holes[i]);
  }
}

static void
test_changed (void)
{
  static const char *const cases[][3] = {
    { "", "", "" },
    { "D4 Z4", "U8", "U8" },
    { "D4 Z4", "D8", "D4 Z4" },
    { "D4 Z4", "U3 D2 U3", "U3 D1 Z1 U3" },
    { "Z4 D4", "D2 U4 D2", "Z2 U4 D2" },
    /* a map that ends early: nobody knows what is behind it */
    { "D4 Z4", "U2", "U2 D2 Z4" },
    { "D4 Z4", "", "D4 Z4" },
    { "D4", "D2 U8", "D2 U2" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VirfsExtents) allocation = parse (cases[i][0]);
    g_autoptr (VirfsExtents) dirty = parse (cases[i][1]);
    g_autoptr (VirfsExtents) changed = virfs_extents_changed (allocation, dirty);

    assert_is (changed, cases[i][2]);
  }
}

static void
test_units (void)
{
  static const char *const cases[][2] = {
    { "", "" },
    { "D1", "D1" },
    { "Z3", "Z3" },
    { "Z4 D4", "Z4 D4" },
    { "Z5 D3", "Z4 D4" },
    { "D1 Z7", "D4 Z4" },
    { "Z1 U7", "D4 U4" },
    { "Z1 U1 Z1 U1 Z1", "D4 Z1" },
    { "U9 D1 U3", "U8 D4 U1" },
    { "U9 D3 U3", "U8 D4 U3" },
    { "U9 Z2", "U8 D3" },
    { "Z8 U2", "Z8 U2" },
    { "U2 D4 Z4 U4 D1", "D15" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VirfsExtents) extents = parse (cases[i][0]);
    g_autoptr (VirfsExtents) whole = virfs_extents_in_units (extents, 4);

    assert_is (whole, cases[i][1]);
  }
}

#define MOST 200

/* A kind for each byte; returns how many. */
static gsize
random_kinds (GRand *rand, guint8 *kinds)
{
  gsize size = g_rand_int_range (rand, 0, MOST);

  for (gsize i = 0; i < size; i++)
    kinds[i]
      = i > 0 && g_rand_int_range (rand, 0, 5) > 0 ? kinds[i - 1] : g_rand_int_range (rand, 0, 3);
  return size;
}

static VirfsExtents *
from_kinds (const guint8 *kinds, gsize size)
{
  VirfsExtents *extents = virfs_extents_new ();

  for (gsize i = 0; i < size; i++)
    virfs_extents_append (extents, 1, kinds[i]);
  return extents;
}

static void
assert_kinds (const VirfsExtents *extents, const guint8 *kinds, gsize size)
{
  gsize n;
  const VirfsExtent *list = virfs_extents_list (extents, &n);

  g_assert_cmpuint (virfs_extents_size (extents), ==, size);
  for (gsize i = 1; i < n; i++) {
    g_assert_cmpuint (list[i].start, ==, list[i - 1].start + list[i - 1].length);
    g_assert_cmpint (list[i].kind, !=, list[i - 1].kind);
  }
  for (gsize i = 0; i < size; i++) {
    const VirfsExtent *found = virfs_extents_find (extents, i);

    g_assert_cmpuint (i - found->start, <, found->length);
    g_assert_cmpint (found->kind, ==, kinds[i]);
  }
  g_assert_null (virfs_extents_find (extents, size));
}

static void
assert_seeks (const VirfsExtents *extents, const guint8 *kinds, gsize size)
{
  for (gsize i = 0; i <= size; i++) {
    gsize data = i, hole = i;

    while (data < size && kinds[data] == Z)
      data++;
    while (hole < size && kinds[hole] != Z)
      hole++;
    g_assert_cmpuint (virfs_extents_next_data (extents, i), ==, data);
    g_assert_cmpuint (virfs_extents_next_hole (extents, i), ==, hole);
  }
}

static void
assert_in_units (const VirfsExtents *extents, const guint8 *kinds, gsize size, gsize unit)
{
  g_autoptr (VirfsExtents) whole = virfs_extents_in_units (extents, unit);
  guint8 expected[MOST];

  for (gsize i = 0; i < size; i += unit) {
    gsize length = MIN (unit, size - i);
    gboolean mixed = FALSE;

    for (gsize j = 1; j < length; j++)
      mixed |= kinds[i + j] != kinds[i];
    memset (expected + i, mixed ? D : kinds[i], length);
  }
  assert_kinds (whole, expected, size);
}

static void
assert_changed (const VirfsExtents *extents, const guint8 *kinds, gsize size,
                const VirfsExtents *dirty, const guint8 *dirty_kinds, gsize dirty_size)
{
  g_autoptr (VirfsExtents) changed = virfs_extents_changed (extents, dirty);
  guint8 expected[MOST];

  for (gsize i = 0; i < size; i++)
    expected[i] = i < dirty_size && dirty_kinds[i] == U ? U : kinds[i];
  assert_kinds (changed, expected, size);
}

static void
test_random (void)
{
  for (guint seed = 0; seed < 2000; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    guint8 kinds[MOST], dirty_kinds[MOST];
    gsize size = random_kinds (rand, kinds), dirty_size = random_kinds (rand, dirty_kinds);
    g_autoptr (VirfsExtents) extents = from_kinds (kinds, size);
    g_autoptr (VirfsExtents) dirty = from_kinds (dirty_kinds, dirty_size);

    assert_kinds (extents, kinds, size);
    assert_seeks (extents, kinds, size);
    assert_in_units (extents, kinds, size, g_rand_int_range (rand, 1, 20));
    assert_changed (extents, kinds, size, dirty, dirty_kinds, dirty_size);
  }
}

/* Which numbers are in them; the groups of 7, likewise. */
static void
fill_spans (GRand *rand, GArray *spans, gboolean *there, GArray *groups, gboolean *groups_there)
{
  for (guint first = 0; first < MOST - 20; first += g_rand_int_range (rand, 0, 20)) {
    guint count = g_rand_int_range (rand, 1, 20);

    virfs_spans_add (spans, first, count);
    virfs_spans_add_groups (groups, first, count, 7);
    for (guint i = first; i < first + count; i++)
      there[i] = groups_there[i / 7] = TRUE;
  }
}

static void
assert_spans (GArray *spans, const gboolean *there)
{
  guint64 n = 0;

  for (guint i = 0; i < MOST; i++) {
    guint index = virfs_spans_from (spans, i);
    const VirfsSpan *span = index < spans->len ? VIRFS_SPAN (spans, index) : NULL;

    g_assert_cmpint (span != NULL && i >= span->first, ==, there[i]);
    if (there[i]) {
      g_assert_cmpuint (i - span->first, <, span->count);
      g_assert_cmpuint (span->before + i - span->first, ==, n);
      g_assert_true (virfs_spans_nth (spans, n) == span);
      n++;
    }
  }
  g_assert_cmpuint (virfs_spans_total (spans), ==, n);
  for (guint i = 1; i < spans->len; i++)
    g_assert_cmpuint (VIRFS_SPAN (spans, i)->first, >,
                      VIRFS_SPAN (spans, i - 1)->first + VIRFS_SPAN (spans, i - 1)->count);
}

static void
test_spans (void)
{
  for (guint seed = 0; seed < 500; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    g_autoptr (GArray) spans = virfs_spans_new (), groups = virfs_spans_new ();
    gboolean there[MOST] = { FALSE }, groups_there[MOST] = { FALSE };

    assert_spans (spans, there);
    fill_spans (rand, spans, there, groups, groups_there);
    assert_spans (spans, there);
    assert_spans (groups, groups_there);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/extent/append", test_append);
  g_test_add_func ("/extent/seek", test_seek);
  g_test_add_func ("/extent/changed", test_changed);
  g_test_add_func ("/extent/units", test_units);
  g_test_add_func ("/extent/random", test_random);
  g_test_add_func ("/spans/random", test_spans);
  return g_test_run ();
}
