/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for what happens: poll(2), inotify(7), events/stream, tail -f. */
#include "fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLEET "h1=fake:3 h2=fake:0"

static int
open_at (Fixture *f, const char *path, int flags)
{
  g_autofree char *full = at (f, path);
  int fd = open (full, flags | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* Whether FD becomes readable in at most TIMEOUT milliseconds. */
static gboolean
wakes (int fd, int timeout)
{
  struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLPRI };

  return poll (&pollfd, 1, timeout) == 1 && pollfd.revents & POLLIN;
}

static const int long_enough = PATIENCE / 1000;

typedef struct {
  Fixture *f;
  VirfsVmState state;
} Later;

/* When poll(2) has begun to wait, most likely; if not yet it must not wait at all. */
static gpointer
change_later (gpointer data)
{
  Later *later = data;

  g_usleep (50000);
  set_state (later->f, "h1-1", later->state);
  return NULL;
}

static void
test_poll (Fixture *f, gconstpointer data)
{
  int fd = open_at (f, "vms/h1-1/state", O_RDONLY);
  static const VirfsVmState states[] = { VIRFS_VM_PAUSED, VIRFS_VM_RUNNING, VIRFS_VM_CRASHED };
  char buffer[32];

  g_assert_false (wakes (fd, 0));
  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    Later later = { f, states[i] };
    GThread *thread = g_thread_new ("later", change_later, &later);
    g_autofree char *expected = g_strdup_printf ("%s\n", virfs_vm_state_name (states[i]));
    gssize got;

    g_assert_true (wakes (fd, long_enough));
    got = pread (fd, buffer, sizeof buffer - 1, 0);
    buffer[MAX (got, 0)] = '\0';
    g_assert_cmpstr (buffer, ==, expected);
    g_assert_false (wakes (fd, 0)); /* once a change */
    g_thread_join (thread);
  }
  /* what does not change this file does not wake */
  set_title (f, "h1-1", "a title");
  g_assert_false (wakes (fd, 50));
  close (fd);
}

/* Everybody who waits is told. */
static void
test_poll_many (Fixture *f, gconstpointer data)
{
  struct pollfd fds[8];

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++) {
    fds[i] = (struct pollfd){ .fd = open_at (f, "vms/h1-1/state", O_RDONLY), .events = POLLIN };
    g_assert_false (wakes (fds[i].fd, 0));
  }
  set_state (f, "h1-1", VIRFS_VM_PAUSED);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++) {
    g_assert_true (wakes (fds[i].fd, long_enough));
    close (fds[i].fd);
  }
}

static void
test_poll_gone (Fixture *f, gconstpointer data)
{
  int fd = open_at (f, "vms/h1-1/state", O_RDONLY);
  struct pollfd pollfd = { .fd = fd, .events = POLLIN };
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  g_assert_cmpint (poll (&pollfd, 1, 0), ==, 0);
  virfs_infra_remove_vm (f->infra, info->host, info->uuid);
  g_assert_cmpint (poll (&pollfd, 1, long_enough), ==, 1);
  g_assert_true (pollfd.revents & (POLLERR | POLLHUP));
  close (fd);
}

/* inotify */

static gboolean
sees (int fd, guint32 event)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;

  while (g_get_monotonic_time () < end) {
    char buffer[4096] __attribute__ ((aligned (8)));
    gssize got = read (fd, buffer, sizeof buffer);

    for (gssize i = 0; i < got;) {
      const struct inotify_event *one = (const struct inotify_event *) (buffer + i);

      if (one->mask & event)
        return TRUE;
      i += sizeof *one + one->len;
    }
    g_usleep (1000);
  }
  return FALSE;
}

static void
test_inotify (Fixture *f, gconstpointer data)
{
  int fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  g_autofree char *file = at (f, "vms/h1-1/state");
  g_autofree char *dir = at (f, "vms/h1-2");

  g_assert_cmpint (inotify_add_watch (fd, file, IN_ATTRIB), >=, 0);
  set_state (f, "h1-1", VIRFS_VM_PAUSED);
  g_assert_true (sees (fd, IN_ATTRIB));
  g_assert_cmpint (echo (f, "running", "vms/h1-1/state"), ==, 0);
  g_assert_true (sees (fd, IN_ATTRIB));
  close (fd);

  /* a watcher of the directory too, for the files that were ever looked at */
  fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  g_assert_cmpint (inotify_add_watch (fd, dir, IN_ATTRIB), >=, 0);
  assert_reads (f, "vms/h1-2/state", "shutoff\n");
  set_state (f, "h1-2", VIRFS_VM_RUNNING);
  g_assert_true (sees (fd, IN_ATTRIB));
  close (fd);
}

typedef struct {
  Fixture *f;
  gint ended; /* atomic */
} Restless;

static gpointer
change_all_the_time (gpointer data)
{
  Restless *self = data;

  for (guint i = 0; !g_atomic_int_get (&self->ended); i++)
    set_state (self->f, "h1-1", i % 2 ? VIRFS_VM_PAUSED : VIRFS_VM_RUNNING);
  return NULL;
}

/* Telling watchers keeps the file system busy for moments, but not those in which umount(8) has asked for
 * its statfs(2).  MNT_EXPIRE tells whether it is busy without unmounting it the first time. */
static void
test_not_busy (Fixture *f, gconstpointer data)
{
  int fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  g_autofree char *file = at (f, "vms/h1-1/state");
  Restless restless = { .f = f };
  struct statvfs st;
  GThread *thread;

  if (geteuid () != 0) {
    close (fd);
    g_test_skip ("only root can unmount");
    return;
  }
  g_assert_cmpint (inotify_add_watch (fd, file, IN_ATTRIB), >=, 0);
  thread = g_thread_new ("restless", change_all_the_time, &restless);
  for (guint i = 0; i < 6; i++) {
    g_assert_true (sees (fd, IN_ATTRIB));
    /* the watch itself is of an inode, and keeps no mount */
    g_assert_cmpint (statvfs (f->dir, &st), ==, 0);
    g_assert_cmpint (umount2 (f->dir, MNT_EXPIRE), ==, -1);
    g_assert_cmpint (errno, ==, EAGAIN);
  }
  g_atomic_int_set (&restless.ended, TRUE);
  g_thread_join (thread);
  close (fd);
}

/* events/stream */

/* Up to and with the next that has WORDS in it; others may come meanwhile, as those of alarms. */
static char *
next_events (int fd, const char *words)
{
  g_autoptr (GString) all = g_string_new (NULL);
  char buffer[4096];

  do {
    gssize got = read (fd, buffer, sizeof buffer);

    g_assert_cmpint (got, >, 0);
    g_string_append_len (all, buffer, got);
  } while (strstr (all->str, words) == NULL);
  return g_string_free (g_steal_pointer (&all), FALSE);
}

static void
test_stream (Fixture *f, gconstpointer data)
{
  g_autofree char *now = NULL, *later_text = NULL;
  Later later = { f, VIRFS_VM_RUNNING };
  GThread *thread;
  g_autofree char *names = ls (f, "events");
  int fd;

  g_assert_cmpstr (names, ==, "head log");
  set_state (f, "h1-2", VIRFS_VM_PAUSED);
  fd = open_at (f, "events/stream", O_RDONLY);
  set_state (f, "h1-1", VIRFS_VM_PAUSED);
  g_assert_true (wakes (fd, long_enough));
  now = next_events (fd, " vms/h1-1 state value=paused reason=booted\n");
  g_assert_null (strstr (now, " vms/h1-2 state")); /* what was before is not told */
  thread = g_thread_new ("later", change_later, &later);
  later_text = next_events (fd, " vms/h1-1 state value=running reason=booted\n"); /* waits */
  g_thread_join (thread);
  close (fd);
}

static void
test_stream_json (Fixture *f, gconstpointer data)
{
  g_autofree char *later_text = NULL;
  Later later = { f, VIRFS_VM_PAUSED };
  GThread *thread;
  int fd;

  set_state (f, "h1-2", VIRFS_VM_PAUSED);
  fd = open_at (f, "events/stream.json", O_RDONLY);
  thread = g_thread_new ("later", change_later, &later);
  later_text = next_events (fd, "\"object\": \"vms/h1-1\", \"kind\": \"state\","
                                " \"value\": \"paused\", \"reason\": \"booted\"}\n"); /* waits */
  g_assert_true (g_str_has_prefix (later_text, "{\"time\": \"20"));
  g_assert_null (strstr (later_text, "\"vms/h1-2\", \"kind\": \"state\"")); /* what was before */
  g_thread_join (thread);
  close (fd);
}

static void
test_stream_nonblock (Fixture *f, gconstpointer data)
{
  int fd = open_at (f, "events/stream", O_RDONLY | O_NONBLOCK);
  char byte;

  while (read (fd, &byte, 1) == 1)
    ; /* others come, too */
  g_assert_cmpint (errno, ==, EAGAIN);
  set_state (f, "h1-1", VIRFS_VM_PAUSED);
  g_assert_true (wakes (fd, long_enough));
  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  close (fd);
}

/* As a shell's `read` does it: byte by byte. */
static void
test_stream_bytes (Fixture *f, gconstpointer data)
{
  int fd = open_at (f, "events/stream", O_RDONLY);
  g_autoptr (GString) line = g_string_new (NULL);
  char byte = '\0';

  set_state (f, "h1-1", VIRFS_VM_PAUSED);
  while (byte != '\n') {
    g_assert_cmpint (read (fd, &byte, 1), ==, 1);
    g_string_append_c (line, byte);
  }
  g_assert_true (g_str_has_suffix (line->str, " vms/h1-1 state value=paused reason=booted\n"));
  close (fd);
}

/* A reader that waits can be killed, and nobody else waits with it. */
static void
test_stream_interrupt (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (sh_quietly (f, "timeout -s INT 0.3 cat events/stream"), !=, 0);
  g_assert_cmpint (sh_quietly (f, "timeout -s KILL 0.3 cat events/stream"), !=, 0);
  g_assert_cmpint (sh_quietly (f, "timeout 0.3 cat events/stream & cat vms/h1-1/state; wait"), ==,
                   0);
}

static GPid
spawn_tail (Fixture *f, const char *path, int *out)
{
  char *argv[] = { (char *) "tail", (char *) "-n0", (char *) "-f", (char *) path, NULL };
  GPid pid;

  g_assert_true (g_spawn_async_with_pipes (f->dir, argv, NULL,
                                           G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                           NULL, &pid, NULL, out, NULL, NULL));
  return pid;
}

static void
test_tail (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) seen = g_string_new (NULL);
  gint64 end = g_get_monotonic_time () + PATIENCE;
  int out;
  GPid pid = spawn_tail (f, "events/log", &out);

  for (guint i = 0; strstr (seen->str, "value=crashed") == NULL; i++) {
    char buffer[4096];
    gssize got;

    g_assert_cmpint (g_get_monotonic_time (), <, end);
    /* again and again, because nobody tells when tail has begun */
    set_state (f, "h1-1", i % 2 ? VIRFS_VM_CRASHED : VIRFS_VM_PAUSED);
    if (wakes (out, 200) && (got = read (out, buffer, sizeof buffer)) > 0)
      g_string_append_len (seen, buffer, got);
  }
  kill (pid, SIGTERM);
  waitpid (pid, NULL, 0);
  close (out);
}

static gboolean
log_is_whole (Fixture *f)
{
  g_autofree char *text = cat (f, "events/log");

  return g_str_has_prefix (text, "20") && g_str_has_suffix (text, "\n")
         && strlen (text) == (gsize) stat_at (f, "events/log").st_size;
}

/* The log loses its older half: what is read is still whole, as stat says. */
static void
test_log_wraps (Fixture *f, gconstpointer data)
{
  g_autofree char *details = g_strnfill (60000, 'x');

  for (guint i = 0; i < 100; i++)
    virfs_infra_event (f->infra, NULL, "test", details);
  assert_soon (stat_at (f, "events/log").st_size < 4 << 20);
  assert_soon (log_is_whole (f));
}

#define ADD(path, func) fixture_add (path, FLEET, func)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/watch/poll", test_poll);
  ADD ("/watch/poll-many", test_poll_many);
  ADD ("/watch/poll-gone", test_poll_gone);
  ADD ("/watch/inotify", test_inotify);
  ADD ("/watch/not-busy", test_not_busy);
  ADD ("/watch/stream", test_stream);
  ADD ("/watch/stream-json", test_stream_json);
  ADD ("/watch/stream-nonblock", test_stream_nonblock);
  ADD ("/watch/stream-bytes", test_stream_bytes);
  ADD ("/watch/stream-interrupt", test_stream_interrupt);
  ADD ("/watch/tail", test_tail);
  ADD ("/watch/log-wraps", test_log_wraps);
  return g_test_run ();
}
