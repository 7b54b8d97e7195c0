/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading ahead, together, within a budget. */
#include "reader.h"

#include "nbd_server.h"
#include "window.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define KiB (1ull << 10)
#define MiB (1ull << 20)
#define GiB (1ull << 30)

/* What a read in order takes more than it was asked for: the blocks at its borders. */
#define ROUNDING (512 * KiB)

/* Where data are. */

static void
test_map (void)
{
  enum { SIZE = 500 };
  g_autoptr (VirfsDataMap) map = virfs_data_map_new ();
  gboolean data[SIZE + 1] = { FALSE };

  for (guint64 i = 0; i < SIZE; i++) {
    data[i] = g_test_rand_int_range (0, 3) == 0;
    virfs_data_map_add (map, i, data[i]);
  }
  for (guint64 i = 0; i < SIZE; i++) {
    guint64 until, at = i, amount = (guint64) g_test_rand_int_range (0, 50), left = amount;
    guint64 start = i, end = i + (guint64) g_test_rand_int_range (0, SIZE - (gint) i);
    guint64 first = start, last = end;

    g_assert_cmpint (virfs_data_map_at (map, i, &until), ==, data[i]);
    g_assert_cmpuint (until, >, i);
    g_assert_true (until == G_MAXUINT64 || data[until] != data[i]);
    while (at < SIZE && (left > 0 || !data[at]))
      left -= data[at++];
    g_assert_cmpuint (virfs_data_map_skip (map, i, amount), ==, at < SIZE ? at : G_MAXUINT64);
    while (first < end && !data[first])
      first++;
    while (last > first && !data[last - 1])
      last--;
    g_assert_cmpint (virfs_data_map_trim (map, &start, &end), ==, first < last);
    if (first < last) {
      g_assert_cmpuint (start, ==, first);
      g_assert_cmpuint (end, ==, last);
    }
  }
}

static void
test_no_map (void)
{
  guint64 until, start = 5, end = 6;

  g_assert_true (virfs_data_map_at (NULL, 5, &until));
  g_assert_cmpuint (until, ==, G_MAXUINT64);
  g_assert_cmpuint (virfs_data_map_skip (NULL, 5, 7), ==, 12);
  g_assert_cmpuint (virfs_data_map_skip (NULL, 5, G_MAXUINT64), ==, G_MAXUINT64);
  g_assert_true (virfs_data_map_trim (NULL, &start, &end));
  g_assert_false (virfs_data_map_trim (NULL, &start, &start));
}

/* How far to read ahead. */

static void
test_window_grows (void)
{
  VirfsWindow window = { 0 };

  for (guint i = 0; i < 400; i += 4) {
    /* a kernel sends several side by side */
    static const guint order[] = { 2, 0, 3, 1 };

    for (guint k = 0; k < G_N_ELEMENTS (order); k++)
      g_assert_true (
        virfs_window_note (&window, NULL, (i + order[k]) * 128 * KiB, 128 * KiB, 8 * MiB));
  }
  g_assert_cmpuint (window.size, ==, 8 * MiB);
}

static void
test_window_shrinks (void)
{
  VirfsWindow window = { 0, 8 * MiB, 0 };
  guint64 before = window.size;

  for (guint i = 1; i < 5; i++) {
    g_assert_false (virfs_window_note (&window, NULL, i * GiB, 4 * KiB, 8 * MiB));
    g_assert_true (window.size < before || before == 0);
    before = window.size;
  }
  g_assert_cmpuint (window.size, ==, 0);
  g_assert_true (virfs_window_note (&window, NULL, 4 * GiB + 4 * KiB, 4 * KiB, 8 * MiB));
  g_assert_cmpuint (window.size, ==, VIRFS_WINDOW_LEAST);
}

static void
test_window_again (void)
{
  VirfsWindow window = { 0 };

  for (guint i = 0; i < 100; i++)
    g_assert_true (virfs_window_note (&window, NULL, i % 2 * 64 * KiB, 64 * KiB, 8 * MiB));
  g_assert_cmpuint (window.size, ==, VIRFS_WINDOW_LEAST);
}

/* Who leaves out the holes reads in order. */
static void
test_window_skips (void)
{
  g_autoptr (VirfsDataMap) map = virfs_data_map_new ();
  VirfsWindow window = { 0 };

  for (guint64 i = 0; i < 100; i++)
    virfs_data_map_add (map, i * GiB, 64 * KiB);
  for (guint64 i = 0; i < 100; i++)
    g_assert_true (virfs_window_note (&window, map, i * GiB, 64 * KiB, 8 * MiB));
  g_assert_cmpuint (window.size, >=, 2 * MiB);
  g_assert_false (virfs_window_note (&window, map, 10 * GiB, 64 * KiB, 8 * MiB));
}

/* Reads. */

typedef struct {
  GMutex lock;
  GCond ended;
  gboolean done;
  int error;
  GPtrArray *pieces;
} Answer;

static void
on_read (int error, GPtrArray *pieces, gpointer data)
{
  Answer *answer = data;

  g_mutex_lock (&answer->lock);
  answer->error = error;
  answer->pieces = pieces ? g_ptr_array_ref (pieces) : NULL;
  answer->done = TRUE;
  g_cond_signal (&answer->ended);
  g_mutex_unlock (&answer->lock);
}

static int
wait_for (Answer *answer)
{
  g_mutex_lock (&answer->lock);
  while (!answer->done)
    g_cond_wait (&answer->ended, &answer->lock);
  g_mutex_unlock (&answer->lock);
  return answer->error;
}

static int
read_now (VirfsReaderFile *file, guint64 offset, gsize length, GPtrArray **pieces)
{
  Answer answer = { 0 };

  virfs_reader_read (file, offset, length, on_read, &answer);
  wait_for (&answer);
  *pieces = answer.pieces;
  return answer.error;
}

static gsize
length_of (const GPtrArray *pieces)
{
  gsize length = 0;

  for (guint i = 0; i < pieces->len; i++)
    length += g_bytes_get_size (pieces->pdata[i]);
  return length;
}

/* nbdkit's pattern: each eight bytes are their offset, big-endian. */
static void
assert_pattern (const GPtrArray *pieces, guint64 offset, gsize length)
{
  g_assert_cmpuint (length_of (pieces), ==, length);
  for (guint p = 0; p < pieces->len; p++) {
    gsize size;
    const guint8 *bytes = g_bytes_get_data (pieces->pdata[p], &size);

    for (gsize i = 0; i < size; i++, offset++)
      if (bytes[i] != (guint8) ((offset & ~7ull) >> (56 - offset % 8 * 8)))
        g_error ("wrong byte at %" G_GUINT64_FORMAT, offset);
  }
}

static void
assert_reads (VirfsReaderFile *file, guint64 offset, gsize length)
{
  g_autoptr (GPtrArray) pieces = NULL;

  g_assert_cmpint (read_now (file, offset, length, &pieces), ==, 0);
  assert_pattern (pieces, offset, length);
}

static int
errno_of (VirfsReaderFile *file, guint64 offset, gsize length)
{
  g_autoptr (GPtrArray) pieces = NULL;

  return read_now (file, offset, length, &pieces);
}

typedef struct {
  NbdServer *server;
  VirfsBudget *budget;
  VirfsReader *reader;
} Fixture;

/* SERVER is nbdkit with its arguments, and what it is asked for goes to its log. */
static gboolean
set_up (Fixture *f, gsize limit, const char *server)
{
  g_autoptr (GError) error = NULL;
  VirfsNbdSpec spec = { .timeout = 5 };
  VirfsNbd *nbd;

  if (!nbd_has ("nbdkit"))
    return FALSE;
  f->server = nbd_server_new ();
  nbd_server_start (f->server, "nbdkit -f --filter=log %s logfile=requests", server);
  spec.uri = f->server->uri;
  nbd = virfs_nbd_open (&spec, &error);
  g_assert_no_error (error);
  f->budget = virfs_budget_new (limit);
  f->reader = virfs_reader_new (nbd, f->budget);
  return TRUE;
}

/* Nothing is left of what was read. */
static void
tear_down (Fixture *f)
{
  if (f->server == NULL)
    return;
  g_clear_pointer (&f->reader, virfs_reader_free);
  g_assert_cmpuint (virfs_budget_used (f->budget), ==, 0);
  virfs_budget_unref (f->budget);
  nbd_server_free (f->server);
}

/* Bytes that the server was asked for; the export is closed for it, so that all is in the log. */
static guint64
bytes_asked_for (Fixture *f)
{
  g_autofree char *file = g_build_filename (f->server->directory, "requests", NULL);
  g_autofree char *text = NULL;
  guint64 bytes = 0;

  g_clear_pointer (&f->reader, virfs_reader_free);
  g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
  for (const char *at = text; (at = strstr (at, " Read id=")) != NULL; at++)
    bytes += g_ascii_strtoull (strstr (at, "count=0x") + strlen ("count=0x"), NULL, 16);
  return bytes;
}

static void
test_in_order (void)
{
  const gsize size = 100 * MiB + 77, length = 100 * KiB;
  Fixture f = { 0 };
  g_autoptr (VirfsReaderFile) file = NULL;
  g_autoptr (GPtrArray) behind = NULL;

  if (!set_up (&f, 16 * MiB, "pattern size=104857677"))
    return;
  file = virfs_reader_open (f.reader, NULL);
  for (gsize at = 0; at < size; at += length)
    assert_reads (file, at, MIN (length, size - at));
  g_assert_cmpint (read_now (file, size, 1, &behind), ==, 0);
  g_assert_cmpuint (behind->len, ==, 0);
  g_clear_pointer (&file, virfs_reader_close);
  g_assert_cmpuint (virfs_budget_peak (f.budget), <=, 16 * MiB + length + ROUNDING);
  g_assert_cmpuint (bytes_asked_for (&f), ==, size);
  tear_down (&f);
}

/* It shows in the memory that is taken. */
static void
test_ahead (void)
{
  Fixture f = { 0 };
  g_autoptr (VirfsReaderFile) file = NULL;
  gsize used;

  if (!set_up (&f, 64 * MiB, "pattern size=1G"))
    return;
  file = virfs_reader_open (f.reader, NULL);
  for (guint i = 0; i < 8; i++)
    assert_reads (file, i * MiB, MiB);
  used = virfs_budget_used (f.budget);
  g_assert_cmpuint (used, >=, 10 * MiB);
  /* whoever does not go on there has no use for more */
  for (guint i = 1; i < 5; i++)
    assert_reads (file, i * 200 * MiB, 1);
  used = virfs_budget_used (f.budget);
  for (guint i = 1; i < 5; i++)
    assert_reads (file, i * 150 * MiB, 1);
  /* a byte may not have been given back yet */
  g_assert_cmpuint (virfs_budget_used (f.budget) / KiB, ==, used / KiB);
  g_clear_pointer (&file, virfs_reader_close);
  tear_down (&f);
}

static void
test_random (void)
{
  Fixture f = { 0 };
  g_autoptr (VirfsReaderFile) file = NULL;
  guint64 bytes = 0;

  if (!set_up (&f, 16 * MiB, "pattern size=1T"))
    return;
  file = virfs_reader_open (f.reader, NULL);
  for (guint i = 0; i < 300; i++) {
    gsize length = (gsize) g_test_rand_int_range (1, 300 * KiB);
    guint64 offset = (300 - i) * GiB + (guint64) g_test_rand_int_range (0, 1 << 29);

    assert_reads (file, offset, length);
    bytes += length;
  }
  g_clear_pointer (&file, virfs_reader_close);
  g_assert_cmpuint (bytes_asked_for (&f), ==, bytes);
  tear_down (&f);
}

/* Several files read the same at once: it is asked for once. */
static void
test_joined (void)
{
  enum { FILES = 5 };
  Fixture f = { 0 };
  VirfsReaderFile *files[FILES];

  if (!set_up (&f, 64 * MiB, "pattern size=20M"))
    return;
  for (guint i = 0; i < FILES; i++)
    files[i] = virfs_reader_open (f.reader, NULL);
  for (gsize at = 0; at < 20 * MiB; at += MiB) {
    Answer answers[FILES] = { 0 };

    for (guint i = 0; i < FILES; i++)
      virfs_reader_read (files[i], at, MiB, on_read, &answers[i]);
    for (guint i = 0; i < FILES; i++) {
      g_assert_cmpint (wait_for (&answers[i]), ==, 0);
      assert_pattern (answers[i].pieces, at, MiB);
      g_ptr_array_unref (answers[i].pieces);
    }
  }
  for (guint i = 0; i < FILES; i++)
    virfs_reader_close (files[i]);
  g_assert_cmpuint (bytes_asked_for (&f), ==, 20 * MiB);
  tear_down (&f);
}

static void
assert_zeroes (GPtrArray *pieces, gsize length)
{
  g_assert_cmpuint (length_of (pieces), ==, length);
  for (guint p = 0; p < pieces->len; p++) {
    gsize size;
    const guint8 *bytes = g_bytes_get_data (pieces->pdata[p], &size);

    g_assert_true (bytes[0] == 0 && memcmp (bytes, bytes + 1, size - 1) == 0);
  }
}

/* 64 KiB each 4 MiB of a disk: a file that knows it asks for no more, another can still read all.
 * */
static void
test_holes (void)
{
  const guint64 step = 4 * MiB, data = 64 * KiB, size = 1024 * MiB;
  Fixture f = { 0 };
  g_autoptr (VirfsDataMap) map = virfs_data_map_new ();
  g_autoptr (VirfsReaderFile) file = NULL, other = NULL;

  if (!set_up (&f, 16 * MiB, "pattern size=1G"))
    return;
  for (guint64 at = 0; at < size; at += step)
    virfs_data_map_add (map, at + 8 * KiB, data);
  file = virfs_reader_open (f.reader, map);
  for (guint64 at = 0; at < size; at += step) {
    g_autoptr (GPtrArray) zeroes = NULL, mixed = NULL;

    assert_reads (file, at + 8 * KiB, data);
    g_assert_cmpint (read_now (file, at + 8 * KiB + data, 3 * MiB, &zeroes), ==, 0);
    assert_zeroes (zeroes, 3 * MiB);
    g_assert_cmpint (read_now (file, at, 9 * KiB, &mixed), ==, 0);
    g_assert_cmpuint (mixed->len, ==, 2);
    assert_pattern ((GPtrArray[]){ { mixed->pdata + 1, 1 } }, at + 8 * KiB, KiB);
  }
  other = virfs_reader_open (f.reader, NULL);
  assert_reads (other, size - step, step);
  g_clear_pointer (&other, virfs_reader_close);
  g_clear_pointer (&file, virfs_reader_close);
  g_assert_cmpuint (bytes_asked_for (&f), <=, size / step * data + step + ROUNDING);
  tear_down (&f);
}

/* A file that is not there any more needs no memory. */
static void
test_idle (void)
{
  Fixture f = { 0 };
  VirfsReaderFile *file;

  if (!set_up (&f, 64 * MiB, "-t 1 --filter=delay pattern size=1G rdelay=20ms"))
    return;
  file = virfs_reader_open (f.reader, NULL);
  assert_reads (file, 0, MiB);
  g_assert_cmpuint (virfs_budget_used (f.budget), ==, MiB + VIRFS_WINDOW_LEAST);
  virfs_reader_close (file);
  /* what was under way goes when it comes */
  while (virfs_budget_used (f.budget) > 0)
    g_usleep (1000);
  tear_down (&f);
}

/* What callers hold counts, also when all else has gone. */
static void
test_held (void)
{
  Fixture f = { 0 };
  VirfsReaderFile *file;
  g_autoptr (GPtrArray) pieces = NULL;

  if (!set_up (&f, 16 * MiB, "pattern size=20M"))
    return;
  file = virfs_reader_open (f.reader, NULL);
  g_assert_cmpint (read_now (file, 0, MiB, &pieces), ==, 0);
  virfs_reader_close (file);
  g_clear_pointer (&f.reader, virfs_reader_free);
  assert_pattern (pieces, 0, MiB);
  g_assert_cmpuint (virfs_budget_used (f.budget), ==, MiB);
  g_clear_pointer (&pieces, g_ptr_array_unref);
  tear_down (&f);
}

/* Many readers at once, in order and not, with a budget that is much too small. */

enum { READERS = 8, LONGEST = 300 << 10 };

static gpointer
read_much (gpointer data)
{
  VirfsReader *reader = data;
  g_autoptr (VirfsReaderFile) file = virfs_reader_open (reader, NULL);
  g_autoptr (GRand) rand = g_rand_new ();
  guint64 at = 0, size = virfs_nbd_size (virfs_reader_nbd (reader));

  for (guint i = 0; i < 200; i++) {
    gsize length = (gsize) g_rand_int_range (rand, 1, LONGEST);

    if (i % 50 == 0 || at + length > size)
      at = (guint64) (g_rand_double (rand) * (double) (size - length));
    assert_reads (file, at, length);
    at += length;
  }
  return NULL;
}

static void
test_budget (void)
{
  const gsize limit = 2 * MiB;
  Fixture f = { 0 };
  GThread *threads[READERS];

  if (!set_up (&f, limit, "pattern size=64M"))
    return;
  for (guint i = 0; i < READERS; i++)
    threads[i] = g_thread_new ("reader", read_much, f.reader);
  for (guint i = 0; i < READERS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (virfs_budget_peak (f.budget), <=, limit + READERS * (LONGEST + ROUNDING));
  /* all that can be dropped is, when there is need */
  g_assert_cmpuint (virfs_budget_used (f.budget), <=, limit + READERS * (LONGEST + ROUNDING));
  tear_down (&f);
}

/* One bad sector: reads of it fail, reads of all around it do not. */
static void
test_bad_sector (void)
{
  Fixture f = { 0 };
  g_autoptr (VirfsReaderFile) file = NULL;
  g_autoptr (GPtrArray) pieces = NULL;

  if (!set_up (
        &f, 16 * MiB,
        "eval get_size='echo 4M' pread='if [ $4 -le 1048576 ] && [ $(($4 + $3)) -gt 1048576 ]; "
        "then echo EIO bad >&2; exit 1; fi; head -c $3 /dev/zero'"))
    return;
  file = virfs_reader_open (f.reader, NULL);
  for (guint64 at = 0; at < 4 * MiB; at += 64 * KiB)
    g_assert_cmpint (errno_of (file, at, 64 * KiB), ==, at == MiB ? EIO : 0);
  g_assert_cmpint (errno_of (file, MiB, 512), ==, EIO);
  g_assert_cmpint (errno_of (file, MiB + 512, 512), ==, 0);
  g_clear_pointer (&file, virfs_reader_close);
  tear_down (&f);
}

static void
test_killed (void)
{
  enum { READS = 50 };
  Fixture f = { 0 };
  g_autoptr (VirfsReaderFile) file = NULL;
  Answer answers[READS] = { 0 };

  if (!set_up (&f, 16 * MiB, "--filter=delay pattern size=1G rdelay=60"))
    return;
  file = virfs_reader_open (f.reader, NULL);
  for (guint i = 0; i < READS; i++)
    virfs_reader_read (file, i * 128 * KiB, 128 * KiB, on_read, &answers[i]);
  nbd_server_signal (f.server, SIGKILL);
  for (guint i = 0; i < READS; i++)
    g_assert_cmpint (wait_for (&answers[i]), ==, EIO);
  g_assert_cmpint (errno_of (file, 0, 1), ==, EIO);
  g_clear_pointer (&file, virfs_reader_close);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/map/random", test_map);
  g_test_add_func ("/map/none", test_no_map);
  g_test_add_func ("/window/grows", test_window_grows);
  g_test_add_func ("/window/shrinks", test_window_shrinks);
  g_test_add_func ("/window/again", test_window_again);
  g_test_add_func ("/window/skips", test_window_skips);
  g_test_add_func ("/reader/in-order", test_in_order);
  g_test_add_func ("/reader/ahead", test_ahead);
  g_test_add_func ("/reader/random", test_random);
  g_test_add_func ("/reader/joined", test_joined);
  g_test_add_func ("/reader/holes", test_holes);
  g_test_add_func ("/reader/idle", test_idle);
  g_test_add_func ("/reader/held", test_held);
  g_test_add_func ("/reader/budget", test_budget);
  g_test_add_func ("/reader/bad-sector", test_bad_sector);
  g_test_add_func ("/reader/killed", test_killed);
  return g_test_run ();
}
