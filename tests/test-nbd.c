/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading from NBD servers: good ones, slow ones, and such as go away or lie. */
#include "nbd.h"

#include "error.h"
#include "nbd_server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define KiB (1ull << 10)
#define MiB (1ull << 20)
#define GiB (1ull << 30)
#define TiB (1ull << 40)

static VirfsNbd *
open_with (const NbdServer *server, VirfsNbdSpec spec)
{
  g_autoptr (GError) error = NULL;
  VirfsNbd *nbd;

  spec.uri = server->uri;
  nbd = virfs_nbd_open (&spec, &error);
  g_assert_no_error (error);
  return nbd;
}

/* Reads that are under way, and whoever waits for them. */
typedef struct {
  GMutex lock;
  GCond ended;
  guint pending; /* under lock */
} Batch;

typedef struct {
  Batch *batch;
  guint8 *bytes;
  gsize length;
  guint64 offset;
  int error;
} Read;

static void
on_read (int error, gpointer data)
{
  Read *read = data;
  Batch *batch = read->batch;

  g_mutex_lock (&batch->lock);
  read->error = error;
  batch->pending--;
  g_cond_signal (&batch->ended);
  g_mutex_unlock (&batch->lock);
}

static Read *
begin (VirfsNbd *nbd, Batch *batch, gsize length, guint64 offset)
{
  Read *read = g_new (Read, 1);

  *read = (Read){ batch, g_malloc (length), length, offset, -1 };
  g_mutex_lock (&batch->lock);
  batch->pending++;
  g_mutex_unlock (&batch->lock);
  virfs_nbd_read (nbd, read->bytes, length, offset, on_read, read);
  return read;
}

static void
wait_for (Batch *batch)
{
  g_mutex_lock (&batch->lock);
  while (batch->pending > 0)
    g_cond_wait (&batch->ended, &batch->lock);
  g_mutex_unlock (&batch->lock);
}

static void
read_free (Read *read)
{
  g_free (read->bytes);
  g_free (read);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Read, read_free)

static Read *
read_now (VirfsNbd *nbd, gsize length, guint64 offset)
{
  Batch batch = { 0 };
  Read *read = begin (nbd, &batch, length, offset);

  wait_for (&batch);
  return read;
}

static int
errno_now (VirfsNbd *nbd, gsize length, guint64 offset)
{
  g_autoptr (Read) read = read_now (nbd, length, offset);

  return read->error;
}

/* nbdkit's pattern: each eight bytes are their offset, big-endian. */
static void
assert_pattern (const Read *read)
{
  g_assert_cmpint (read->error, ==, 0);
  for (gsize i = 0; i < read->length; i++) {
    guint64 at = read->offset + i;

    if (read->bytes[i] != (guint8) ((at & ~7ull) >> (56 - at % 8 * 8)))
      g_error ("wrong byte at %" G_GUINT64_FORMAT, at);
  }
}

static void
assert_reads_pattern (VirfsNbd *nbd, gsize length, guint64 offset)
{
  g_autoptr (Read) read = read_now (nbd, length, offset);

  assert_pattern (read);
}

static void
test_parallel (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (VirfsNbd) nbd = NULL;
  g_autoptr (GPtrArray) reads = g_ptr_array_new_with_free_func ((GDestroyNotify) read_free);
  Batch batch = { 0 };

  if (!nbd_has ("nbdkit"))
    return;
  server = nbd_server_new ();
  nbd_server_start (server, "nbdkit -f pattern size=3T");
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  g_assert_cmpuint (virfs_nbd_size (nbd), ==, 3 * TiB);
  for (guint i = 0; i < 500; i++) {
    gsize length = (gsize) g_test_rand_int_range (0, i % 10 ? 5000 : 1 << 20);
    guint64 offset = (guint64) (g_test_rand_double () * (double) (3 * TiB - length));

    g_ptr_array_add (reads, begin (nbd, &batch, length, offset));
  }
  wait_for (&batch);
  for (guint i = 0; i < reads->len; i++)
    assert_pattern (reads->pdata[i]);
  /* the server allows it, so it comes */
  while (virfs_nbd_connections (nbd) < VIRFS_NBD_CONNECTIONS)
    g_usleep (1000);
  assert_reads_pattern (nbd, 100, 3 * TiB - 100);
}

static void
check_size (gsize size)
{
  g_autoptr (NbdServer) server = nbd_server_new ();
  g_autoptr (VirfsNbd) nbd = NULL;
  g_autoptr (GArray) map = NULL;

  nbd_server_start (server, "nbdkit -f pattern size=%" G_GSIZE_FORMAT, size);
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  g_assert_cmpuint (virfs_nbd_size (nbd), ==, size);
  assert_reads_pattern (nbd, size, 0);
  assert_reads_pattern (nbd, 0, size);
  if (size > 0)
    assert_reads_pattern (nbd, 1, size - 1);
  g_assert_cmpint (errno_now (nbd, 1, size), ==, EINVAL);
  g_assert_cmpint (errno_now (nbd, size + 1, 0), ==, EINVAL);
  g_assert_cmpint (errno_now (nbd, 0, size + 1), ==, EINVAL);
  map = virfs_nbd_map (nbd, VIRFS_NBD_ALLOCATION, NULL, NULL);
  g_assert_cmpuint (map->len, ==, size > 0);
}

static void
test_sizes (void)
{
  if (!nbd_has ("nbdkit"))
    return;
  check_size (0);
  check_size (1);
  check_size (511);
  check_size (64 * KiB + 3);
  check_size (40 * MiB + 1); /* more than a request holds */
}

/* A server that takes whole blocks only, and not many at once. */
static void
test_blocks (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (VirfsNbd) nbd = NULL;

  if (!nbd_has ("nbdkit"))
    return;
  server = nbd_server_new ();
  nbd_server_start (server, "nbdkit -f --filter=blocksize-policy pattern size=64M "
                            "blocksize-error-policy=error blocksize-minimum=4096 "
                            "blocksize-preferred=4096 blocksize-maximum=64K");
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  assert_reads_pattern (nbd, 1, 0);
  assert_reads_pattern (nbd, 1, 4095);
  assert_reads_pattern (nbd, 2, 4095);
  assert_reads_pattern (nbd, 1, 64 * MiB - 1);
  assert_reads_pattern (nbd, 64 * KiB, 4096);
  assert_reads_pattern (nbd, 5 * MiB, 123);
}

/* As text: `start+length:flags …`. */
static char *
map_text (VirfsNbd *nbd, VirfsNbdContext context, guint64 unit)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) map = virfs_nbd_map (nbd, context, NULL, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < map->len; i++) {
    const VirfsNbdRun *run = &g_array_index (map, VirfsNbdRun, i);

    g_assert_cmpuint (run->start % unit, ==, 0);
    g_assert_cmpuint (run->length % unit, ==, 0);
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT ":%u", i ? " " : "",
                            run->start / unit, run->length / unit, run->flags);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
assert_map (VirfsNbd *nbd, VirfsNbdContext context, guint64 unit, const char *expected)
{
  g_autofree char *text = map_text (nbd, context, unit);
  g_autofree char *again = map_text (nbd, context, unit);

  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpstr (again, ==, expected);
}

/* What qemu-nbd says of an image: written, a bitmap, written again. */
static void
test_maps (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (VirfsNbd) nbd = NULL;

  if (!nbd_has ("qemu-nbd") || !nbd_has ("qemu-img") || !nbd_has ("qemu-io"))
    return;
  server = nbd_server_new ();
  nbd_shell (server, "qemu-img create -f qcow2 image 20G");
  nbd_shell (server, "qemu-io -c 'write -P 1 1M 3M' -c 'write -P 1 5G 1M' image");
  nbd_shell (server, "qemu-img bitmap --add -g 65536 image changes");
  nbd_shell (server, "qemu-io -c 'write -P 2 2M 1M' -c 'write -P 2 19G 64M' image");
  nbd_server_start (server, "qemu-nbd -t -r -f qcow2 -e 8 -B changes image");
  nbd = open_with (server, (VirfsNbdSpec){ .bitmap = "changes" });
  assert_map (nbd, VIRFS_NBD_CHANGES, MiB, "0+2:0 2+1:1 3+19453:0 19456+64:1 19520+960:0");
  assert_map (nbd, VIRFS_NBD_ALLOCATION, MiB,
              "0+1:3 1+3:0 4+5116:3 5120+1:0 5121+14335:3 19456+64:0 19520+960:3");
}

/* A server that tells nothing of its blocks: all data, and no bitmap to be had. */
static void
test_no_map (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (VirfsNbd) nbd = NULL;
  g_autoptr (GError) error = NULL;

  if (!nbd_has ("nbdkit"))
    return;
  server = nbd_server_new ();
  nbd_server_start (server, "nbdkit -f --no-sr memory 6G");
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  assert_map (nbd, VIRFS_NBD_ALLOCATION, GiB, "0+6:0");
  g_assert_null (virfs_nbd_map (nbd, VIRFS_NBD_CHANGES, NULL, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED);
}

static gpointer
cancel (gpointer cancellable)
{
  g_usleep (50000); /* so that somebody waits; if not, it is no less right */
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* The server takes its time, but who waits need not. */
static void
test_cancelled_map (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (VirfsNbd) nbd = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread;

  if (!nbd_has ("nbdkit"))
    return;
  server = nbd_server_new ();
  nbd_server_start (server, "nbdkit -f --filter=delay memory 16T delay-extents=60");
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  g_test_timer_start ();
  thread = g_thread_new ("cancel", cancel, cancellable);
  g_assert_null (virfs_nbd_map (nbd, VIRFS_NBD_ALLOCATION, cancellable, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED);
  g_assert_cmpfloat (g_test_timer_elapsed (), <, VIRFS_NBD_TIMEOUT / 2);
  g_thread_join (thread);
}

static void
test_large_map (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (VirfsNbd) nbd = NULL;

  if (!nbd_has ("nbdkit"))
    return;
  server = nbd_server_new ();
  nbd_server_start (server, "nbdkit -f memory 4T");
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  assert_map (nbd, VIRFS_NBD_ALLOCATION, TiB, "0+4:3");
}

/* Fails what is under way, and what comes later. */
static void
check_loss (int signal)
{
  g_autoptr (NbdServer) server = nbd_server_new ();
  g_autoptr (VirfsNbd) nbd = NULL;
  g_autoptr (GPtrArray) reads = g_ptr_array_new_with_free_func ((GDestroyNotify) read_free);
  g_autoptr (GError) error = NULL;
  g_autofree char *failure = NULL;
  Batch batch = { 0 };

  nbd_server_start (server, "nbdkit -f --filter=delay pattern size=1G rdelay=60");
  nbd = open_with (server, (VirfsNbdSpec){ .timeout = 1 });
  for (guint i = 0; i < 100; i++)
    g_ptr_array_add (reads, begin (nbd, &batch, 64 * KiB, i * 64 * KiB));
  nbd_server_signal (server, signal);
  wait_for (&batch);
  for (guint i = 0; i < reads->len; i++)
    g_assert_cmpint (((Read *) reads->pdata[i])->error, ==, EIO);
  /* each connection finds out for itself */
  while (virfs_nbd_connections (nbd) > 0)
    g_assert_cmpint (errno_now (nbd, 1, 0), ==, EIO);
  g_assert_cmpint (errno_now (nbd, 1, 0), ==, EIO);
  g_assert_null (virfs_nbd_map (nbd, VIRFS_NBD_ALLOCATION, NULL, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED);
  failure = virfs_nbd_failure (nbd);
  g_assert_nonnull (strstr (failure, server->uri));
}

static void
test_killed (void)
{
  if (nbd_has ("nbdkit"))
    check_loss (SIGKILL);
}

static void
test_stopped (void)
{
  if (nbd_has ("nbdkit"))
    check_loss (SIGSTOP);
}

static void
test_closed (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (GPtrArray) reads = g_ptr_array_new_with_free_func ((GDestroyNotify) read_free);
  VirfsNbd *nbd;
  Batch batch = { 0 };

  if (!nbd_has ("nbdkit"))
    return;
  server = nbd_server_new ();
  nbd_server_start (server, "nbdkit -f --filter=delay pattern size=1G rdelay=60");
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  for (guint i = 0; i < 100; i++)
    g_ptr_array_add (reads, begin (nbd, &batch, 64 * KiB, i * 64 * KiB));
  virfs_nbd_close (nbd);
  g_assert_cmpuint (batch.pending, ==, 0);
  for (guint i = 0; i < reads->len; i++)
    g_assert_cmpint (((Read *) reads->pdata[i])->error, ==, EIO);
}

/* What the server refuses does not end the connection. */
static void
test_errors (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (VirfsNbd) nbd = NULL;

  if (!nbd_has ("nbdkit"))
    return;
  server = nbd_server_new ();
  nbd_shell (server, "touch broken");
  nbd_server_start (server, "nbdkit -f --filter=error pattern size=1G error-pread=ENOMEM "
                            "error-pread-rate=1 error-pread-file=broken");
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  g_assert_cmpint (errno_now (nbd, 100, 0), ==, ENOMEM);
  g_assert_cmpint (errno_now (nbd, 50 * MiB, 0), ==, ENOMEM);
  nbd_shell (server, "rm broken");
  assert_reads_pattern (nbd, 50 * MiB, 0);
}

static void
assert_refused (const NbdServer *server, VirfsNbdSpec spec, VirfsError code)
{
  g_autoptr (GError) error = NULL;

  spec.uri = spec.uri ? spec.uri : server->uri;
  g_assert_null (virfs_nbd_open (&spec, &error));
  g_assert_error (error, VIRFS_ERROR, (int) code);
}

static void
test_refused (void)
{
  g_autoptr (NbdServer) server = nbd_server_new ();

  assert_refused (server, (VirfsNbdSpec){ 0 }, VIRFS_ERROR_NOT_FOUND);
  assert_refused (server, (VirfsNbdSpec){ .uri = "http://h/" }, VIRFS_ERROR_INVALID);
  assert_refused (server, (VirfsNbdSpec){ .uri = "nbd://127.0.0.1:1/" }, VIRFS_ERROR_HOST_DOWN);
  if (!nbd_has ("nbdkit"))
    return;
  nbd_server_start (server, "nbdkit -f memory 1M");
  assert_refused (server, (VirfsNbdSpec){ .bitmap = "no" }, VIRFS_ERROR_NOT_FOUND);
  nbd_server_signal (server, SIGSTOP);
  assert_refused (server, (VirfsNbdSpec){ .timeout = 1 }, VIRFS_ERROR_TIMED_OUT);
}

/* DIRECTORY has what server and client need of an authority of its own. */
static void
make_certificates (const NbdServer *server, const char *directory)
{
  const char *key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

  nbd_shell (server, "mkdir %s", directory);
  nbd_shell (server,
             "cd %s && openssl req -x509 %s -subj /CN=ca -keyout ca-key.pem -out ca-cert.pem",
             directory, key);
  for (guint i = 0; i < 2; i++) {
    const char *who = i ? "client" : "server";

    nbd_shell (server, "cd %s && openssl req %s -subj /CN=%s -keyout %s-key.pem -out request",
               directory, key, who, who);
    nbd_shell (server,
               "cd %s && openssl x509 -req -in request -CA ca-cert.pem -CAkey ca-key.pem "
               "-CAcreateserial -out %s-cert.pem",
               directory, who);
  }
}

static void
test_tls (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (VirfsNbd) nbd = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = NULL, *ours = NULL, *theirs = NULL;

  if (!nbd_has ("nbdkit") || !nbd_has ("openssl"))
    return;
  server = nbd_server_new ();
  uri = g_strconcat ("nbds", server->uri + strlen ("nbd"), NULL);
  ours = g_build_filename (server->directory, "ours", NULL);
  theirs = g_build_filename (server->directory, "theirs", NULL);
  make_certificates (server, "ours");
  make_certificates (server, "theirs");
  nbd_server_start (server,
                    "nbdkit -f --tls=require --tls-verify-peer --tls-certificates=%s "
                    "pattern size=100M",
                    ours);
  assert_refused (server, (VirfsNbdSpec){ 0 }, VIRFS_ERROR_UNSUPPORTED);
  assert_refused (server, (VirfsNbdSpec){ .uri = uri }, VIRFS_ERROR_FAILED);
  assert_refused (server, (VirfsNbdSpec){ .uri = uri, .tls_certificates = theirs },
                  VIRFS_ERROR_FAILED);
  nbd = virfs_nbd_open (&(VirfsNbdSpec){ .uri = uri, .tls_certificates = ours }, &error);
  g_assert_no_error (error);
  assert_reads_pattern (nbd, 50 * MiB, 12345);
}

/* It says that there may be several connections, and lets in only one. */
static void
test_one_connection (void)
{
  g_autoptr (NbdServer) server = NULL;
  g_autoptr (VirfsNbd) nbd = NULL;

  if (!nbd_has ("qemu-nbd"))
    return;
  server = nbd_server_new ();
  nbd_shell (server, "truncate -s 10M image");
  nbd_server_start (server, "qemu-nbd -t -r -f raw image");
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  for (guint i = 0; i < 20; i++)
    g_assert_cmpint (errno_now (nbd, 5 * MiB, i * 4096), ==, 0);
}

/* Whatever the server sends: that, zeroes or an error, never what was in memory before. */
static void
check_lie (int expected, const NbdChunk *lie)
{
  g_autoptr (NbdServer) server = nbd_server_new ();
  g_autoptr (VirfsNbd) nbd = NULL;
  guint8 bytes[1000];
  Batch batch = { .pending = 1 };
  Read read = { &batch, bytes, sizeof bytes, 5000, -1 };

  memset (bytes, 'S', sizeof bytes);
  nbd_server_lie (server, lie);
  nbd = open_with (server, (VirfsNbdSpec){ 0 });
  virfs_nbd_read (nbd, read.bytes, read.length, read.offset, on_read, &read);
  wait_for (&batch);
  g_assert_cmpint (read.error, ==, expected);
  for (guint i = 0; i < sizeof bytes && !expected; i++)
    g_assert_true (bytes[i] == 'L' || bytes[i] == 0);
  g_clear_pointer (&nbd, virfs_nbd_close);
}

static void
test_liars (void)
{
  check_lie (0, (NbdChunk[]){ { 0, 1000 }, { 0 } });
  check_lie (0, (NbdChunk[]){ { 0, 400 }, { 400, 600 }, { 0 } });
  check_lie (0, (NbdChunk[]){ { 600, 400 }, { 0, 600 }, { 0 } });
  check_lie (0, (NbdChunk[]){ { 0, 500 }, { 0, 500 }, { 0 } });   /* one half twice */
  check_lie (EIO, (NbdChunk[]){ { 0, 999 }, { 0 } });             /* too little */
  check_lie (EIO, (NbdChunk[]){ { 0, 999 }, { 0, 999 }, { 0 } }); /* too much */
  check_lie (EIO, (NbdChunk[]){ { 500, 1000 }, { 0 } });          /* beyond the end */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nbd/parallel", test_parallel);
  g_test_add_func ("/nbd/sizes", test_sizes);
  g_test_add_func ("/nbd/blocks", test_blocks);
  g_test_add_func ("/nbd/maps", test_maps);
  g_test_add_func ("/nbd/no-map", test_no_map);
  g_test_add_func ("/nbd/large-map", test_large_map);
  g_test_add_func ("/nbd/cancelled-map", test_cancelled_map);
  g_test_add_func ("/nbd/killed", test_killed);
  g_test_add_func ("/nbd/stopped", test_stopped);
  g_test_add_func ("/nbd/closed", test_closed);
  g_test_add_func ("/nbd/errors", test_errors);
  g_test_add_func ("/nbd/refused", test_refused);
  g_test_add_func ("/nbd/tls", test_tls);
  g_test_add_func ("/nbd/one-connection", test_one_connection);
  g_test_add_func ("/nbd/liars", test_liars);
  return g_test_run ();
}
