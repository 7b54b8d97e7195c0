/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks become series.  A range is put together of the coarse means that have been made, of finer ones where
 * these have not, and of samples up to now, those in memory too.
 */
#include "history_private.h"

#include <string.h>

#define POINT(points, i) (&g_array_index (points, VirfsHistoryPoint, i))

/* Columns. */

/* Which column tells of metric INDEX: of a plain rate its counter, which is shown as a rate. */
static guint
column_of (const VirfsMetricSet *set, guint index)
{
  const VirfsRate *rate;

  if (index < set->n)
    return index;
  rate = &set->rates[index - set->n];
  return rate->per == VIRFS_RATE_TIME && rate->unit == VIRFS_METRIC_NUMBER ? rate->counter : index;
}

VirfsMetricUnit
virfs_history_unit (const VirfsMetricSet *set, guint index, gboolean *per_second)
{
  guint column = column_of (set, index);

  *per_second = column < set->n && set->metrics[column].type == VIRFS_METRIC_COUNTER;
  return column < set->n ? set->metrics[column].unit : set->rates[column - set->n].unit;
}

/* The names of columns in a layout, borrowed; NULL if nothing is known of it. */
static GStrv
names_of (VirfsHistory *self, guint layout)
{
  GStrv names = g_hash_table_lookup (self->columns, GUINT_TO_POINTER (layout));
  g_autofree char *text = NULL;

  if (names != NULL)
    return names;
  text = self->store->layout_names (self->store->data, layout);
  if (text == NULL)
    return NULL;
  names = g_strsplit (text, " ", -1);
  g_hash_table_insert (self->columns, GUINT_TO_POINTER (layout), names);
  return names;
}

static int
find_name (const VirfsMetricSet *set, const char *name)
{
  for (guint i = 0; i < set->n + set->n_rates; i++)
    if (g_str_equal (virfs_metric_name (set, i), name))
      return (int) i;
  return -1;
}

/* Rows. */

typedef struct {
  VirfsHistory *history;
  VirfsHistoryKind kind;
  VirfsFold *fold;
  gint64 from, to;
} Reading;

static gboolean
is_within (const Reading *reading, const VirfsBlockRow *row, guint parts)
{
  gint64 time = parts == 1 ? row->time - 1 : row->time;

  return time >= reading->from && time < reading->to;
}

static void
fold_row (const Reading *reading, const VirfsBlockRow *row, guint parts)
{
  if (!is_within (reading, row, parts))
    return;
  if (parts == 1)
    virfs_fold_sample (reading->fold, row);
  else
    virfs_fold_means (reading->fold, row);
}

/* Rows of the layout that there is now. */
static void
fold_rows (const Reading *reading, guint parts, const guint8 *rows, gsize size)
{
  const VirfsMetricSet *set = virfs_history_kinds[reading->kind].set;
  g_autofree VirfsBlockReader *reader = g_new (VirfsBlockReader, 1);

  virfs_block_reader_init (reader, set->n + set->n_rates, parts, rows, size);
  while (virfs_block_reader_next (reader))
    fold_row (reading, &reader->row, parts);
}

/* Rows that another version has written. */
static void
fold_old_rows (const Reading *reading, GStrv names, guint parts, const guint8 *rows, gsize size)
{
  const VirfsMetricSet *set = virfs_history_kinds[reading->kind].set;
  g_autofree VirfsBlockReader *reader = g_new (VirfsBlockReader, 1);
  g_autofree VirfsBlockRow *row = g_new0 (VirfsBlockRow, 1);
  int columns[VIRFS_BLOCK_COLUMNS];
  guint n = MIN (g_strv_length (names), VIRFS_BLOCK_COLUMNS);

  for (guint i = 0; i < n; i++)
    columns[i] = find_name (set, names[i]);
  virfs_block_reader_init (reader, n, parts, rows, size);
  while (virfs_block_reader_next (reader)) {
    row->time = reader->row.time;
    row->covered = reader->row.covered;
    row->present = 0;
    for (guint i = 0; i < n; i++)
      if (columns[i] >= 0 && reader->row.present >> i & 1) {
        row->present |= G_GUINT64_CONSTANT (1) << columns[i];
        memcpy (row->values[columns[i]], reader->row.values[i], sizeof row->values[0]);
      }
    fold_row (reading, row, parts);
  }
}

static void
fold_block (GBytes *block, gpointer data)
{
  const Reading *reading = data;
  VirfsHistory *self = reading->history;
  guint layout, parts;
  g_autoptr (GByteArray) rows = virfs_block_unpack (block, &layout, &parts);
  GStrv names;

  if (rows == NULL)
    return;
  if (layout == self->layouts[reading->kind]) {
    fold_rows (reading, parts, rows->data, rows->len);
    return;
  }
  names = names_of (self, layout);
  if (names != NULL)
    fold_old_rows (reading, names, parts, rows->data, rows->len);
}

/* Rows that are not kept yet; copies, since they are being added to. */
static GPtrArray *
rows_in_memory (VirfsHistory *self, const char *key)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const VirfsTaken *taken = g_hash_table_lookup (self->taken, key);

  for (guint i = 0; i < self->pending->len; i++) {
    const VirfsPending *pending = self->pending->pdata[i];

    if (g_str_equal (pending->key, key))
      g_ptr_array_add (all, g_bytes_new (pending->rows->data, pending->rows->len));
  }
  if (taken != NULL && taken->writer != NULL)
    g_ptr_array_add (all, g_bytes_new (taken->writer->bytes->data, taken->writer->bytes->len));
  return all;
}

static void
fold_memory (const Reading *reading, const char *key)
{
  g_autoptr (GPtrArray) all = rows_in_memory (reading->history, key);

  for (guint i = 0; i < all->len; i++) {
    gsize size;
    const guint8 *rows = g_bytes_get_data (all->pdata[i], &size);

    fold_rows (reading, 1, rows, size);
  }
}

gboolean
virfs_history_fold (VirfsHistory *self, VirfsHistoryKind kind, const char *key, guint level,
                    gint64 from, gint64 to, VirfsFold *fold, GError **error)
{
  const VirfsHistoryStore *store = self->store;

  for (int l = (int) level; l >= 0 && from < to; l--) {
    gint64 span = virfs_history_spans[l];
    gint64 end = l > 0 ? MIN (to, self->made[l] * span) : to;
    Reading reading = { self, kind, fold, from, end };

    if (from < end
        && !store->get (store->data, key, (guint) l, from / span, (end - 1) / span + 1, fold_block,
                        &reading, error))
      return FALSE;
    if (l == 0)
      fold_memory (&reading, key);
    from = MAX (from, end);
  }
  virfs_fold_end (fold);
  return TRUE;
}

/* Series. */

static void
add_point (const VirfsFold *fold, gpointer data)
{
  guint column = (guint) g_bit_nth_lsf (fold->wanted, -1);
  const VirfsFoldColumn *of = &fold->now.columns[column];
  VirfsHistoryPoint point = { fold->now.time * MILLISECOND, fold->now.covered * MILLISECOND,
                              virfs_fold_mean_of (fold, column), of->min, of->max };

  g_array_append_val (((VirfsSeries *) data)->points, point);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const VirfsHistoryPoint *p = a, *q = b;

  return p->time < q->time ? -1 : p->time > q->time;
}

/* A clock that was put back has made two of some. */
static void
sort (VirfsSeries *series)
{
  GArray *points = series->points;

  g_array_sort (points, compare);
  for (guint i = points->len; i-- > 1;) {
    VirfsHistoryPoint *a = &g_array_index (points, VirfsHistoryPoint, i - 1), *b = a + 1;
    double weight = (double) MAX (a->covered + b->covered, 1);

    if (a->time != b->time)
      continue;
    if (a->covered + b->covered > 0)
      a->mean = (a->mean * (double) a->covered + b->mean * (double) b->covered) / weight;
    a->min = MIN (a->min, b->min);
    a->max = MAX (a->max, b->max);
    a->covered += b->covered;
    g_array_remove_index (points, i);
  }
}

static guint
level_of (gint64 step)
{
  guint level = VIRFS_HISTORY_LEVELS - 1;

  while (level > 0 && step < virfs_history_steps[level])
    level--;
  return level;
}

static VirfsSeries *
new_series (gint64 from, gint64 to, gint64 step)
{
  VirfsSeries *series = g_new0 (VirfsSeries, 1);

  g_atomic_ref_count_init (&series->refs);
  series->from = from;
  series->to = to;
  series->step = step;
  series->made = g_get_monotonic_time ();
  series->points = g_array_new (FALSE, FALSE, sizeof (VirfsHistoryPoint));
  return series;
}

VirfsSeries *
virfs_history_load (VirfsHistory *self, const VirfsMetricSet *set, const char *key, guint index,
                    gint64 from, gint64 to, gint64 step, GError **error)
{
  g_autoptr (VirfsSeries) series = new_series (from, to, step);
  g_autofree VirfsFold *fold = g_new0 (VirfsFold, 1);

  *fold = (VirfsFold){ .set = set,
                       .step = step / MILLISECOND,
                       .wanted = G_GUINT64_CONSTANT (1) << column_of (set, index),
                       .emit = add_point,
                       .data = series };
  if (!virfs_history_fold (self, virfs_history_kind_of (set), key, level_of (fold->step),
                           from / MILLISECOND, to / MILLISECOND + 1, fold, error))
    return NULL;
  sort (series);
  return g_steal_pointer (&series);
}

/* Sums. */

/* Both are in the order of time. */
static GArray *
add_points (GArray *sum, GArray *points)
{
  GArray *both
    = g_array_sized_new (FALSE, FALSE, sizeof (VirfsHistoryPoint), sum->len + points->len);
  guint i = 0, j = 0;

  while (i < sum->len || j < points->len) {
    const VirfsHistoryPoint *a = i < sum->len ? POINT (sum, i) : NULL;
    const VirfsHistoryPoint *b = j < points->len ? POINT (points, j) : NULL;
    VirfsHistoryPoint point;

    if (a == NULL || (b != NULL && b->time < a->time)) {
      point = *b;
      j++;
    } else if (b == NULL || a->time < b->time) {
      point = *a;
      i++;
    } else {
      point = (VirfsHistoryPoint){ a->time, MAX (a->covered, b->covered), a->mean + b->mean,
                                   a->min + b->min, a->max + b->max };
      i++, j++;
    }
    g_array_append_val (both, point);
  }
  g_array_unref (sum);
  return both;
}

VirfsSeries *
virfs_history_read_sum (VirfsHistory *self, const VirfsMetricSet *set, GPtrArray *keys, guint index,
                        gint64 from, gint64 to, gint64 step, GError **error)
{
  g_autoptr (VirfsSeries) sum = new_series (from, to, step);

  for (guint i = 0; i < keys->len; i++) {
    g_autoptr (VirfsSeries) one
      = virfs_history_read (self, set, keys->pdata[i], index, from, to, step, error);

    if (one == NULL)
      return NULL;
    sum->points = add_points (sum->points, one->points);
  }
  return g_steal_pointer (&sum);
}

VirfsSeries *
virfs_series_ref (VirfsSeries *series)
{
  g_atomic_ref_count_inc (&series->refs);
  return series;
}

void
virfs_series_unref (VirfsSeries *series)
{
  if (series == NULL || !g_atomic_ref_count_dec (&series->refs))
    return;
  g_array_unref (series->points);
  g_free (series);
}

double
virfs_series_total (const VirfsSeries *series)
{
  double total = 0;

  for (guint i = 0; i < series->points->len; i++) {
    const VirfsHistoryPoint *point = &g_array_index (series->points, VirfsHistoryPoint, i);

    total += point->mean * (double) point->covered / G_USEC_PER_SEC;
  }
  return total;
}

static gint
compare_intervals (gconstpointer a, gconstpointer b)
{
  const gint64 *p = a, *q = b;

  return *p < *q ? -1 : *p > *q;
}

/* Of samples the usual distance is what half of them have. */
gint64
virfs_series_gap (const VirfsSeries *series)
{
  g_autoptr (GArray) intervals = g_array_new (FALSE, FALSE, sizeof (gint64));
  const VirfsHistoryPoint *points = (const VirfsHistoryPoint *) series->points->data;

  if (series->step != 0)
    return series->step * 3 / 2;
  for (guint i = 1; i < series->points->len; i++) {
    gint64 interval = points[i].time - points[i - 1].time;

    g_array_append_val (intervals, interval);
  }
  if (intervals->len == 0)
    return 0;
  g_array_sort (intervals, compare_intervals);
  return g_array_index (intervals, gint64, intervals->len / 2) * 5 / 2;
}
