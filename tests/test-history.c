/* SPDX-License-Identifier: GPL-2.0-or-later */
/* History: what is in a block, means, and what becomes of them in time. */
#include "error.h"
#include "forecast.h"
#include "history_private.h"

#include "history_db.h"
#include "vm.h"

#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SECONDS G_USEC_PER_SEC
/* A time at which spans of all levels begin: 2026-01-.. in milliseconds. */
#define BEGIN (G_GINT64_CONSTANT (2050) * 10 * DAY)

/* Blocks. */

static void
set_value (VirfsBlockRow *row, guint column, guint parts, gint64 value)
{
  row->present |= G_GUINT64_CONSTANT (1) << column;
  for (guint i = 0; i < parts; i++)
    row->values[column][i] = value + i;
}

/* Row I of what is written in the next test. */
static void
make_row (guint i, guint parts, VirfsBlockRow *row)
{
  static const gint64 extremes[]
    = { 0, 1, VIRFS_BLOCK_MAX - 2, 5, 0, VIRFS_BLOCK_MAX - 2, 127, 128, 1 };

  memset (row, 0, sizeof *row);
  row->time = BEGIN + i * 15000 + (i % 3) * 7 + (i > 100 ? HOUR : 0);
  row->covered = i == 101 ? 0 : 15000;
  set_value (row, 0, parts, 4096);
  set_value (row, 1, parts, extremes[i % G_N_ELEMENTS (extremes)]);
  if (i % 4 != 0)
    set_value (row, 17, parts, i * i);
  if (i == 30 || i == 31)
    set_value (row, 63, parts, VIRFS_BLOCK_MAX - 2);
}

static void
test_block (gconstpointer data)
{
  guint parts = GPOINTER_TO_UINT (data), layout, n_parts;
  g_autoptr (VirfsBlockWriter) writer = virfs_block_writer_new (64, parts);
  g_autoptr (GBytes) block = NULL;
  g_autoptr (GByteArray) rows = NULL;
  VirfsBlockReader reader;
  VirfsBlockRow row;

  for (guint i = 0; i < 200; i++) {
    make_row (i, parts, &row);
    virfs_block_writer_add (writer, &row);
  }
  block = virfs_block_pack (300, parts, writer->bytes->data, writer->bytes->len);
  rows = virfs_block_unpack (block, &layout, &n_parts);
  g_assert_nonnull (rows);
  g_assert_cmpuint (layout, ==, 300);
  g_assert_cmpuint (n_parts, ==, parts);
  virfs_block_reader_init (&reader, 64, parts, rows->data, rows->len);
  for (guint i = 0; i < 200; i++) {
    make_row (i, parts, &row);
    g_assert_true (virfs_block_reader_next (&reader));
    g_assert_cmpint (reader.row.time, ==, row.time);
    g_assert_cmpint (reader.row.covered, ==, row.covered);
    g_assert_cmpuint (reader.row.present, ==, row.present);
    for (guint c = 0; c < 64; c++)
      if (row.present >> c & 1)
        g_assert_cmpmem (row.values[c], parts * sizeof (gint64), reader.row.values[c],
                         parts * sizeof (gint64));
  }
  g_assert_false (virfs_block_reader_next (&reader));
}

/* Whatever is in a block, reading it ends and stays within. */
static void
test_broken_block (void)
{
  GRand *random = g_rand_new_with_seed (1);

  for (guint round = 0; round < 3000; round++) {
    guint8 bytes[64];
    guint size = (guint) g_rand_int_range (random, 0, sizeof bytes), layout, parts, n = 0;
    VirfsBlockReader reader;
    g_autoptr (GBytes) block = NULL;
    g_autoptr (GByteArray) rows = NULL;

    for (guint i = 0; i < size; i++)
      bytes[i] = (guint8) g_rand_int (random);
    virfs_block_reader_init (&reader, 64, 1 + round % 3, bytes, size);
    while (virfs_block_reader_next (&reader))
      n++;
    g_assert_cmpuint (n, <=, size);
    if (size > 0)
      bytes[0] = 1;
    block = g_bytes_new (bytes, size);
    rows = virfs_block_unpack (block, &layout, &parts);
  }
  g_rand_free (random);
}

static void
test_means (void)
{
  static const double values[] = { 0, 1e-9, 0.001, 1, 1.5, 99.99, 4096, 67108864, 1.5e12, 1e18 };
  gint64 last = -1;

  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    gint64 number = virfs_fold_number_of_mean (values[i]);

    g_assert_cmpfloat_with_epsilon (virfs_fold_mean (number), values[i], values[i] * 5e-5 + 1e-30);
    g_assert_cmpint (number, >, last);
    last = number;
  }
  g_assert_cmpfloat (virfs_fold_mean (virfs_fold_number_of_mean (4294967296.0)), ==, 4294967296.0);
  g_assert_cmpint (virfs_fold_number_of_mean (-1), ==, 0);
  g_assert_cmpint (virfs_fold_number_of_mean (NAN), ==, 0);
}

/* A history that is kept in a directory, at a time that a test says. */

static gint64 now; /* milliseconds; the history's thread looks, too */

static void
set_now (gint64 time)
{
  __atomic_store_n (&now, time, __ATOMIC_RELAXED);
}

static gint64
read_clock (void)
{
  return __atomic_load_n (&now, __ATOMIC_RELAXED) * MILLISECOND;
}

typedef struct {
  char *directory;
  VirfsHistoryDb *db;
  VirfsHistory *history;
  VirfsHistoryOptions options;
} Fixture;

static void
begin (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  f->db = virfs_history_db_open (f->directory, &error);
  g_assert_no_error (error);
  f->history = virfs_history_new ();
  virfs_history_set_clock (f->history, read_clock);
  virfs_history_start (f->history, virfs_history_db_store (f->db), &f->options);
}

static void
end (Fixture *f)
{
  g_clear_pointer (&f->history, virfs_history_free);
  g_clear_pointer (&f->db, virfs_history_db_close);
}

static void
begin_again (Fixture *f, gint64 samples, gint64 minutes, guint64 max_bytes)
{
  end (f);
  f->options.keep[0] = samples * MILLISECOND;
  f->options.keep[1] = minutes * MILLISECOND;
  f->options.max_bytes = max_bytes;
  begin (f);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->directory = g_dir_make_tmp ("virfs-history-XXXXXX", NULL);
  f->options = (VirfsHistoryOptions){ .keep = { 24 * HOUR * MILLISECOND, 90 * DAY * MILLISECOND,
                                                1800 * DAY * MILLISECOND } };
  set_now (BEGIN);
  begin (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "history.db", "history.db-wal", "history.db-shm" };

  end (f);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (f->directory, names[i], NULL);

    g_unlink (path);
  }
  g_assert_cmpint (g_rmdir (f->directory), ==, 0);
  g_free (f->directory);
}

/* A row of a guest at the present: it writes BYTES, a counter, and has MEMORY, a gauge. */
static void
add (Fixture *f, const char *key, gint64 covered, guint64 bytes, guint64 memory)
{
  g_autofree VirfsBlockRow *row = g_new0 (VirfsBlockRow, 1);

  row->time = now;
  row->covered = covered;
  if (covered > 0)
    set_value (row, VIRFS_VM_METRIC_DISK_WRITE_BYTES, 1, (gint64) bytes);
  set_value (row, VIRFS_VM_METRIC_MEMORY_RSS, 1, (gint64) memory);
  g_mutex_lock (&f->history->lock);
  virfs_history_add (f->history, key, VIRFS_HISTORY_VM, row);
  g_mutex_unlock (&f->history->lock);
}

/* Every 15 s up to TO: it writes as many bytes each time as minutes have gone since BEGIN. */
static void
run_until (Fixture *f, const char *key, gint64 to)
{
  while (now + 15000 <= to) {
    set_now (now + 15000);
    add (f, key, 15000, (guint64) ((now - BEGIN) / MINUTE), 1 << 20);
  }
}

static VirfsSeries *
read_series (Fixture *f, const char *key, guint index, gint64 from, gint64 to, gint64 step)
{
  g_autoptr (GError) error = NULL;
  VirfsSeries *series
    = virfs_history_read (f->history, &virfs_vm_metrics, key, index, from * MILLISECOND,
                          to * MILLISECOND, step * MILLISECOND, &error);

  g_assert_no_error (error);
  return series;
}

static double
total (Fixture *f, const char *key, gint64 from, gint64 to, gint64 step)
{
  g_autoptr (VirfsSeries) series
    = read_series (f, key, VIRFS_VM_METRIC_DISK_WRITE_BYTES, from, to, step);

  return virfs_series_total (series);
}

/* What run_until() has written in the time from A to B. */
static double
written (gint64 a, gint64 b)
{
  double sum = 0;

  for (gint64 time = a + 15000; time <= b; time += 15000)
    sum += (double) ((time - BEGIN) / MINUTE);
  return sum;
}

#define POINT(series, i) (&g_array_index ((series)->points, VirfsHistoryPoint, i))

static void
test_memory (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsSeries) series = NULL, none = NULL, memory = NULL;

  run_until (f, "vm/a", BEGIN + 12 * MINUTE);
  series = read_series (f, "vm/a", VIRFS_VM_METRIC_DISK_WRITE_BYTES, now - HOUR, now, 0);
  g_assert_cmpuint (series->points->len, ==, 48);
  g_assert_cmpint (POINT (series, 0)->time, ==, BEGIN * MILLISECOND);
  g_assert_cmpint (POINT (series, 47)->covered, ==, 15 * SECONDS);
  g_assert_cmpfloat_with_epsilon (POINT (series, 47)->mean, 12 / 15.0, 1e-9);
  g_assert_cmpint (virfs_series_gap (series), ==, 375 * SECONDS / 10);
  /* the rate of bytes is the counter's */
  none = read_series (f, "vm/a", VIRFS_VM_N_METRICS + VIRFS_VM_RATE_DISK_WRITE_RATE, now - HOUR,
                      now, 0);
  g_assert_cmpuint (none->points->len, ==, 48);
  g_clear_pointer (&none, virfs_series_unref);
  none = read_series (f, "vm/b", VIRFS_VM_METRIC_DISK_WRITE_BYTES, now - HOUR, now, 0);
  g_assert_cmpuint (none->points->len, ==, 0);
  memory = read_series (f, "vm/a", VIRFS_VM_METRIC_MEMORY_RSS, now - HOUR, now, 5 * MINUTE);
  g_assert_cmpuint (memory->points->len, ==, 3);
  g_assert_cmpfloat (POINT (memory, 1)->mean, ==, 1 << 20);
}

/* The same numbers come out of samples, of means of 5 minutes and of hours, and all of them are right. */
static void
test_levels (Fixture *f, gconstpointer data)
{
  gint64 to = BEGIN + 11 * DAY + 3 * HOUR;
  static const gint64 steps[] = { 5 * MINUTE, 30 * MINUTE, 2 * HOUR, DAY };

  begin_again (f, 100 * DAY, 100 * DAY, 0);
  run_until (f, "vm/a", to);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpint (f->history->made[1], ==, (BEGIN + 11 * DAY) / virfs_history_spans[1]);
  g_assert_cmpint (f->history->made[2], ==, (BEGIN + 10 * DAY) / virfs_history_spans[2]);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    gint64 step = steps[i], n = (to - BEGIN + step - 1) / step;
    g_autoptr (VirfsSeries) series
      = read_series (f, "vm/a", VIRFS_VM_METRIC_DISK_WRITE_BYTES, BEGIN, to, step);

    g_assert_cmpuint (series->points->len, ==, n);
    for (gint64 j = 0; j < n; j++) {
      const VirfsHistoryPoint *point = POINT (series, j);
      gint64 a = BEGIN + j * step, b = MIN (a + step, to);

      g_assert_cmpint (point->time, ==, a * MILLISECOND);
      g_assert_cmpint (point->covered, ==, (b - a) * MILLISECOND);
      g_assert_cmpfloat_with_epsilon (point->mean, written (a, b) / (double) (b - a) * 1000,
                                      1e-4 * point->mean + 1e-9);
      g_assert_cmpfloat_with_epsilon (point->min, (double) ((a + 15000 - BEGIN) / MINUTE) / 15,
                                      1e-4 * point->min + 1e-9);
      g_assert_cmpfloat_with_epsilon (point->max, (double) ((b - BEGIN) / MINUTE) / 15,
                                      1e-4 * point->max + 1e-9);
    }
    g_assert_cmpfloat_with_epsilon (virfs_series_total (series), written (BEGIN, to),
                                    1e-4 * written (BEGIN, to));
  }
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, to, 0), written (BEGIN, to), 1);
}

/* A busy guest of which CPU time is told in every 4th sample only, for HOURS up to now; a second every 15. */
static void
sample_busy_guest (Fixture *f, gint64 hours)
{
  VirfsVm vm = { .object.kind = VIRFS_KIND_VM, .uuid = "a" };
  gint64 end = g_get_monotonic_time ();
  g_autoptr (VirfsSample) raw_before = NULL, before = NULL;

  for (guint i = 0; i <= hours * 240; i++) {
    VirfsSample *raw = virfs_sample_new (1), *shown;

    raw->time = end - (hours * 240 - i) * 15 * SECONDS;
    raw->epoch = 1;
    raw->values[VIRFS_VM_METRIC_VCPUS] = 2;
    if (i % 4 == 0)
      raw->values[VIRFS_VM_METRIC_CPU_TIME] = i * G_GUINT64_CONSTANT (1000000000);
    shown = virfs_sample_merge (&virfs_vm_metrics, raw_before, before, raw);
    virfs_history_take (f->history, &vm, before, shown);
    virfs_sample_unref (raw_before);
    virfs_sample_unref (before);
    raw_before = raw;
    before = shown;
  }
}

static void
assert_busy (Fixture *f, gint64 hours, gint64 step)
{
  g_autoptr (VirfsSeries) series
    = read_series (f, "vm/a", VIRFS_VM_METRIC_CPU_TIME, BEGIN - HOUR, now, step);

  g_assert_cmpfloat_with_epsilon (virfs_series_total (series), (double) hours * 240, 0.1);
  for (guint i = 0; i < series->points->len; i++) {
    g_assert_cmpfloat (POINT (series, i)->mean, <=, 1.001 / 15);
    g_assert_cmpfloat (POINT (series, i)->max, <=, 1.001 / 15);
  }
}

/* What counters add is neither lost nor counted twice where some samples do not tell of them. */
static void
test_untold (Fixture *f, gconstpointer data)
{
  /* the second is after what the thread does when it begins */
  g_assert_true (virfs_history_flush (f->history) && virfs_history_flush (f->history));
  set_now (BEGIN + 8 * HOUR);
  sample_busy_guest (f, 8);
  assert_busy (f, 8, 0);
  assert_busy (f, 8, 5 * MINUTE);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpint (f->history->made[1], >, BEGIN / virfs_history_spans[1]);
  assert_busy (f, 8, HOUR);
  set_now (BEGIN + 11 * DAY);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpint (f->history->made[2], >, BEGIN / virfs_history_spans[2]);
  set_now (BEGIN + 8 * HOUR);
  assert_busy (f, 8, HOUR);
}

/* What was not sampled is not there, and is no zero; what was added meanwhile is not counted twice. */
static void
test_gaps (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsSeries) series = NULL, hours = NULL;

  run_until (f, "vm/a", BEGIN + 30 * MINUTE);
  set_now (BEGIN + 90 * MINUTE);
  add (f, "vm/a", 0, 0, 1 << 20);
  run_until (f, "vm/a", BEGIN + 120 * MINUTE);
  g_assert_true (virfs_history_flush (f->history));
  series = read_series (f, "vm/a", VIRFS_VM_METRIC_DISK_WRITE_BYTES, BEGIN, now, 5 * MINUTE);
  g_assert_cmpuint (series->points->len, ==, 12);
  g_assert_cmpint (POINT (series, 6)->time - POINT (series, 5)->time, >, virfs_series_gap (series));
  set_now (BEGIN + 7 * HOUR);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpfloat_with_epsilon (
    total (f, "vm/a", BEGIN, now, HOUR),
    written (BEGIN, BEGIN + 30 * MINUTE) + written (BEGIN + 90 * MINUTE, BEGIN + 120 * MINUTE), 1);
  hours = read_series (f, "vm/a", VIRFS_VM_METRIC_DISK_WRITE_BYTES, BEGIN, now, HOUR);
  g_assert_cmpint (POINT (hours, 0)->covered, ==, 30 * MINUTE * MILLISECOND);
}

static void
test_restart (Fixture *f, gconstpointer data)
{
  double before;

  run_until (f, "vm/a", BEGIN + 13 * HOUR);
  before = total (f, "vm/a", BEGIN, now, 0);
  end (f);
  begin (f);
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, now, 0), before, 1e-6);
  run_until (f, "vm/a", BEGIN + 20 * HOUR);
  end (f);
  begin (f);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, now, 0), written (BEGIN, now), 1);
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, now, HOUR), written (BEGIN, now),
                                  1e-4 * written (BEGIN, now));
}

/* Of what is known of each at a time. */
static void
test_sum (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_autoptr (VirfsSeries) sum = NULL;
  gint64 from = BEGIN * MILLISECOND;

  g_ptr_array_add (keys, (char *) "vm/a");
  g_ptr_array_add (keys, (char *) "vm/none");
  g_ptr_array_add (keys, (char *) "vm/b");
  run_until (f, "vm/a", BEGIN + 30 * MINUTE);
  set_now (BEGIN + 10 * MINUTE);
  run_until (f, "vm/b", BEGIN + 40 * MINUTE);
  sum = virfs_history_read_sum (f->history, &virfs_vm_metrics, keys, VIRFS_VM_METRIC_MEMORY_RSS,
                                from, now * MILLISECOND, 5 * MINUTE * MILLISECOND, NULL);
  g_assert_cmpuint (sum->points->len, ==, 8);
  g_assert_cmpfloat (POINT (sum, 1)->mean, ==, 1 << 20);
  g_assert_cmpfloat (POINT (sum, 2)->mean, ==, 2 << 20);
  g_assert_cmpfloat (POINT (sum, 5)->max, ==, 2 << 20);
  g_assert_cmpfloat (POINT (sum, 6)->mean, ==, 1 << 20);
}

/* The last hour is in memory again after a restart. */
static void
test_recent (Fixture *f, gconstpointer data)
{
  VirfsVm vm = { .object.kind = VIRFS_KIND_VM, .uuid = "a" };
  double minutes[VIRFS_HISTORY_MINUTES], again[VIRFS_HISTORY_MINUTES];

  run_until (f, "vm/a", BEGIN + 10 * MINUTE);
  set_now (BEGIN + 15 * MINUTE);
  run_until (f, "vm/a", BEGIN + 20 * MINUTE);
  g_assert_true (virfs_history_recent (f->history, &vm, VIRFS_VM_METRIC_DISK_WRITE_BYTES, minutes));
  end (f);
  begin (f);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_true (virfs_history_recent (f->history, &vm, VIRFS_VM_METRIC_DISK_WRITE_BYTES, again));
  for (guint i = 0; i < VIRFS_HISTORY_MINUTES; i++) {
    gint64 minute = (now - HOUR) / MINUTE + i - BEGIN / MINUTE;

    g_assert_true (minutes[i] == again[i] || (isnan (minutes[i]) && isnan (again[i])));
    g_assert_cmpint (!isnan (minutes[i]), ==,
                     (minute >= 0 && minute < 10) || (minute >= 15 && minute < 20));
  }
  g_assert_cmpfloat_with_epsilon (minutes[VIRFS_HISTORY_MINUTES - 1], (3 * 19 + 20) / 60.0, 1e-4);
}

/* Samples go first, then means; each when it is old. */
static void
test_retention (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsSeries) day = NULL, week = NULL, all = NULL;

  begin_again (f, 6 * HOUR, 11 * DAY, 0);
  run_until (f, "vm/a", BEGIN + 23 * DAY);
  g_assert_true (virfs_history_flush (f->history));
  day = read_series (f, "vm/a", VIRFS_VM_METRIC_MEMORY_RSS, BEGIN, now, 0);
  g_assert_cmpint (POINT (day, 0)->time, >=, (now - 13 * HOUR) * MILLISECOND);
  g_assert_cmpint (POINT (day, 0)->time, <=, (now - 6 * HOUR) * MILLISECOND);
  week = read_series (f, "vm/a", VIRFS_VM_METRIC_MEMORY_RSS, BEGIN, now, 5 * MINUTE);
  g_assert_cmpint (POINT (week, 0)->time, >=, (now - 12 * DAY) * MILLISECOND);
  g_assert_cmpint (POINT (week, 0)->time, <=, (now - 11 * DAY) * MILLISECOND);
  all = read_series (f, "vm/a", VIRFS_VM_METRIC_MEMORY_RSS, BEGIN, now, HOUR);
  g_assert_cmpint (POINT (all, 0)->time, ==, BEGIN * MILLISECOND);
}

static void
count_key (const char *key, gpointer count)
{
  ++*(guint *) count;
}

static guint
n_keys (Fixture *f)
{
  const VirfsHistoryStore *store = virfs_history_db_store (f->db);
  guint n = 0;

  g_assert_true (store->keys (store->data, count_key, &n, NULL));
  return n;
}

/* Nothing stays of objects that are gone; one that comes back has a history again. */
static void
test_keys (Fixture *f, gconstpointer data)
{
  f->options.keep[2] = 20 * DAY * MILLISECOND;
  begin_again (f, DAY, 11 * DAY, 0);
  run_until (f, "vm/gone", BEGIN + HOUR);
  run_until (f, "vm/a", BEGIN + 2 * HOUR);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpuint (n_keys (f), ==, 2);
  set_now (BEGIN + 50 * DAY);
  run_until (f, "vm/a", now + HOUR);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpuint (n_keys (f), ==, 1);
  add (f, "vm/gone", 15000, 4096, 1 << 20);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpuint (n_keys (f), ==, 2);
  end (f);
  begin (f);
  g_assert_cmpfloat_with_epsilon (total (f, "vm/gone", BEGIN, now, 0), 4096, 1e-6);
}

static void
test_limit (Fixture *f, gconstpointer data)
{
  const VirfsHistoryStore *store;
  g_autoptr (VirfsSeries) all = NULL;

  begin_again (f, DAY, 90 * DAY, 300 * 1024);
  store = virfs_history_db_store (f->db);
  for (guint i = 0; i < 40; i++) {
    run_until (f, "vm/a", now + 12 * HOUR);
    g_assert_true (virfs_history_flush (f->history));
    g_assert_cmpuint (store->used (store->data), <=, 310 * 1024);
  }
  /* the coarse ones are there from the beginning */
  all = read_series (f, "vm/a", VIRFS_VM_METRIC_MEMORY_RSS, BEGIN, now, HOUR);
  g_assert_cmpint (POINT (all, 0)->time, ==, BEGIN * MILLISECOND);
}

/* A clock that is put back makes neither steps nor loses anything. */
static void
test_clock (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsSeries) series = NULL;

  run_until (f, "vm/a", BEGIN + 20 * MINUTE);
  set_now (now - 7 * MINUTE);
  for (guint i = 0; i < 40; i++) {
    set_now (now + 15000);
    add (f, "vm/a", 15000, 1000, 1 << 20);
  }
  g_assert_true (virfs_history_flush (f->history));
  series = read_series (f, "vm/a", VIRFS_VM_METRIC_DISK_WRITE_BYTES, BEGIN, now, 5 * MINUTE);
  for (guint i = 1; i < series->points->len; i++)
    g_assert_cmpint (POINT (series, i)->time, >, POINT (series, i - 1)->time);
  g_assert_cmpfloat_with_epsilon (virfs_series_total (series),
                                  written (BEGIN, BEGIN + 20 * MINUTE) + 40000, 10);
}

/* Of a clock that was far ahead for a while no more is lost than what is too old by it. */
static void
test_clock_ahead (Fixture *f, gconstpointer data)
{
  begin_again (f, 30 * DAY, 90 * DAY, 0);
  run_until (f, "vm/a", BEGIN + 7 * HOUR);
  set_now (BEGIN + 15 * DAY);
  g_assert_true (virfs_history_flush (f->history));
  set_now (BEGIN + 7 * HOUR);
  g_assert_true (virfs_history_flush (f->history));
  run_until (f, "vm/a", BEGIN + 14 * HOUR);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, now, 5 * MINUTE), written (BEGIN, now),
                                  1e-4 * written (BEGIN, now));
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, now, 2 * HOUR), written (BEGIN, now),
                                  1e-4 * written (BEGIN, now));
}

/* A clock that was far back for a while: means of samples that are gone stay what they were. */
static void
test_clock_back (Fixture *f, gconstpointer data)
{
  gint64 end = BEGIN + 23 * HOUR + 30 * MINUTE;

  begin_again (f, 6 * HOUR, 90 * DAY, 0);
  run_until (f, "vm/a", end);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpint (f->history->dropped[0], >, (BEGIN + 17 * HOUR) / virfs_history_spans[0]);
  begin_again (f, 6 * HOUR, 90 * DAY, 0); /* it is remembered */
  set_now (DAY);
  add (f, "vm/a", 0, 0, 1 << 20);
  g_assert_true (virfs_history_flush (f->history));
  set_now (DAY + HOUR);
  g_assert_true (virfs_history_flush (f->history));
  set_now (end);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, end, 5 * MINUTE), written (BEGIN, end),
                                  1e-4 * written (BEGIN, end));
}

/* Killed at any time it has what was written, and at most the last minutes are lost. */

/* Of the test, which both processes know. */
static char *
directory_of (pid_t test)
{
  return g_strdup_printf ("%s/virfs-history-of-%d", g_get_tmp_dir (), (int) test);
}

static void
run_and_die (Fixture *f)
{
  tear_down (f, NULL);
  f->directory = directory_of (getppid ());
  begin (f);
  run_until (f, "vm/a", BEGIN + HOUR);
  virfs_history_flush (f->history);
  run_until (f, "vm/a", now + 4 * MINUTE);
  kill (getpid (), SIGKILL);
}

static void
test_killed (Fixture *f, gconstpointer data)
{
  if (g_test_subprocess ())
    run_and_die (f);
  tear_down (f, NULL);
  f->directory = directory_of (getpid ());
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_assert_false (g_test_trap_has_passed ());
  begin (f);
  set_now (BEGIN + 2 * HOUR);
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, now, 0), written (BEGIN, BEGIN + HOUR),
                                  1e-6);
}

/* A store that cannot be written. */

static gboolean full;
static VirfsHistoryStore real;

static gboolean
put_if_not_full (gpointer data, GPtrArray *blocks, GError **error)
{
  if (!g_atomic_int_get (&full))
    return real.put (data, blocks, error);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE, "no space left");
  return FALSE;
}

static void
test_full (Fixture *f, gconstpointer data)
{
  VirfsHistoryStore store = *virfs_history_db_store (f->db);

  g_clear_pointer (&f->history, virfs_history_free);
  real = store;
  store.put = put_if_not_full;
  f->history = virfs_history_new ();
  virfs_history_set_clock (f->history, read_clock);
  virfs_history_start (f->history, &store, &f->options);
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*cannot be stored: no space left*");
  g_atomic_int_set (&full, TRUE);
  run_until (f, "vm/a", BEGIN + 30 * MINUTE);
  g_assert_false (virfs_history_flush (f->history));
  g_assert_false (virfs_history_flush (f->history)); /* told once */
  g_test_assert_expected_messages ();
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, now, 0), written (BEGIN, now), 1e-6);
  run_until (f, "vm/a", BEGIN + 45 * MINUTE);
  g_atomic_int_set (&full, FALSE);
  g_assert_true (virfs_history_flush (f->history));
  g_assert_cmpuint (f->history->pending->len, ==, 0);
  g_assert_cmpfloat_with_epsilon (total (f, "vm/a", BEGIN, now, 0), written (BEGIN, now), 1e-6);
  g_clear_pointer (&f->history, virfs_history_free);
}

/* Forecasts. */

static void
fill (VirfsHistoryPoint *points, guint n, double from, double per_day, double noise)
{
  GRand *random = g_rand_new_with_seed (7);

  for (guint i = 0; i < n; i++)
    points[i] = (VirfsHistoryPoint){ .time = (BEGIN + i * HOUR) * MILLISECOND,
                                     .covered = HOUR * MILLISECOND,
                                     .mean = from + per_day * i / 24
                                             + noise * g_rand_double_range (random, -1, 1) };
  g_rand_free (random);
}

static void
test_forecast (void)
{
  VirfsHistoryPoint points[240];
  VirfsForecast forecast;

  fill (points, 240, 100e9, 2e9, 0.5e9);
  virfs_forecast (points, 240, 150e9, &forecast);
  g_assert_true (forecast.grows);
  g_assert_cmpfloat_with_epsilon (forecast.per_day, 2e9, 0.1e9);
  g_assert_cmpfloat (forecast.fit, >, 0.95);
  g_assert_cmpint (ABS (forecast.reaches - (BEGIN + 25 * DAY) * MILLISECOND), <, DAY * MILLISECOND);
  /* away from the limit */
  virfs_forecast (points, 240, 90e9, &forecast);
  g_assert_false (forecast.grows);
  g_assert_cmpint (forecast.reaches, ==, 0);
  /* too far away to be told */
  virfs_forecast (points, 240, 100e12, &forecast);
  g_assert_true (forecast.grows);
  g_assert_cmpint (forecast.reaches, ==, 0);
  /* noise */
  fill (points, 240, 100e9, 0, 5e9);
  virfs_forecast (points, 240, 110e9, &forecast);
  g_assert_false (forecast.grows);
  /* what stays the same */
  fill (points, 240, 100e9, 0, 0);
  virfs_forecast (points, 240, 110e9, &forecast);
  g_assert_false (forecast.grows);
  /* down to a limit */
  fill (points, 240, 100e9, -5e9, 1e9);
  virfs_forecast (points, 240, 0, &forecast);
  g_assert_true (forecast.grows);
  g_assert_cmpint (ABS (forecast.reaches - (BEGIN + 20 * DAY) * MILLISECOND), <, DAY * MILLISECOND);
  /* too little is known */
  g_assert_true (forecast.known);
  virfs_forecast (points, 11, 0, &forecast);
  g_assert_false (forecast.known);
  g_assert_false (forecast.grows);
  virfs_forecast (points, 0, 0, &forecast);
  g_assert_false (forecast.grows);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/history/block/samples", GUINT_TO_POINTER (1), test_block);
  g_test_add_data_func ("/history/block/means", GUINT_TO_POINTER (3), test_block);
  g_test_add_func ("/history/block/broken", test_broken_block);
  g_test_add_func ("/history/numbers", test_means);
  g_test_add_func ("/history/forecast", test_forecast);
#define ADD(name, func) g_test_add ("/history/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("memory", test_memory);
  ADD ("levels", test_levels);
  ADD ("gaps", test_gaps);
  ADD ("untold", test_untold);
  ADD ("restart", test_restart);
  ADD ("sum", test_sum);
  ADD ("recent", test_recent);
  ADD ("retention", test_retention);
  ADD ("keys", test_keys);
  ADD ("limit", test_limit);
  ADD ("clock", test_clock);
  ADD ("clock-ahead", test_clock_ahead);
  ADD ("clock-back", test_clock_back);
  ADD ("killed", test_killed);
  ADD ("full", test_full);
  return g_test_run ();
}
