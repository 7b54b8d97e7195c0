/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an export from its beginning to its end through the reader, one read after the other as
 * somebody does who copies a file.
 *
 *   nbdread URI SIZE [FILE]     reads of SIZE bytes; written to FILE, holes left out
 */
#include "bench.h"
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define LIMIT (64 << 20)

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

static GPtrArray *
read_now (VirfsReaderFile *file, guint64 offset, gsize length)
{
  Answer answer = { 0 };

  virfs_reader_read (file, offset, length, on_read, &answer);
  g_mutex_lock (&answer.lock);
  while (!answer.done)
    g_cond_wait (&answer.ended, &answer.lock);
  g_mutex_unlock (&answer.lock);
  if (answer.error)
    bench_die ("read at %" G_GUINT64_FORMAT ": %s", offset, g_strerror (answer.error));
  return answer.pieces;
}

static void
write_pieces (int fd, const GPtrArray *pieces, guint64 offset)
{
  g_autofree struct iovec *parts = g_new (struct iovec, pieces->len);
  gsize length = 0;

  for (guint i = 0; i < pieces->len; i++) {
    parts[i].iov_base = (void *) g_bytes_get_data (pieces->pdata[i], &parts[i].iov_len);
    length += parts[i].iov_len;
  }
  if (pwritev (fd, parts, (int) pieces->len, (off_t) offset) != (gssize) length)
    bench_die ("writing: %s", g_strerror (errno));
}

/* What is not zero. */
static VirfsDataMap *
map_of (VirfsNbd *nbd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) runs = virfs_nbd_map (nbd, VIRFS_NBD_ALLOCATION, NULL, &error);
  VirfsDataMap *map = virfs_data_map_new ();

  if (runs == NULL)
    bench_die ("%s", error->message);
  for (guint i = 0; i < runs->len; i++) {
    const VirfsNbdRun *run = &g_array_index (runs, VirfsNbdRun, i);

    if (!(run->flags & VIRFS_NBD_ZERO))
      virfs_data_map_add (map, run->start, run->length);
  }
  return map;
}

/* To a file it is written as cp does it, which asks where the data are; else all is read. */
static void
copy (VirfsReaderFile *file, const VirfsDataMap *map, guint64 size, gsize length, int fd)
{
  guint64 offset = 0;

  while (offset < size) {
    guint64 until;

    if (fd < 0 || virfs_data_map_at (map, offset, &until)) {
      g_autoptr (GPtrArray) pieces = read_now (file, offset, length);

      if (fd >= 0)
        write_pieces (fd, pieces, offset);
      offset += length;
    } else {
      offset = until;
    }
  }
}

int
main (int argc, char **argv)
{
  VirfsNbdSpec spec = { .uri = argv[1] };
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsBudget) budget = virfs_budget_new (LIMIT);
  g_autoptr (VirfsDataMap) map = NULL;
  g_autoptr (VirfsReader) reader = NULL;
  g_autoptr (VirfsReaderFile) file = NULL;
  VirfsNbd *nbd;
  int fd = -1;

  if (argc < 3)
    bench_die ("usage: nbdread URI SIZE [FILE]");
  nbd = virfs_nbd_open (&spec, &error);
  if (nbd == NULL)
    bench_die ("%s", error->message);
  reader = virfs_reader_new (nbd, budget);
  map = map_of (nbd);
  file = virfs_reader_open (reader, map);
  if (argc > 3
      && ((fd = open (argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600)) < 0
          || ftruncate (fd, (off_t) virfs_nbd_size (nbd)) < 0))
    bench_die ("%s: %s", argv[3], g_strerror (errno));
  copy (file, map, virfs_nbd_size (nbd), strtoul (argv[2], NULL, 10), fd);
  return 0;
}
