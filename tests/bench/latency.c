/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long it takes from an event of libvirt until a file shows it:
 * `latency URI MOUNTPOINT MIRROR GUESTS`.
 *
 * This program is one more client of the host at URI, whose guests guest-00001 … the mount shows.  It
 * notes when libvirt's event comes to itself and when a file has the new value; so a time can be
 * negative when the other has got its event earlier.  Files are looked at every LOOK, because on a
 * machine with few processors a loop without rest would be what is measured.  Beside virfs, and in
 * turns with it, stands the directory MIRROR, which `peer mirror` keeps: what it takes shows what the
 * machine and libvirt allow.
 *
 * In a storm every guest is started, or stopped, as fast as the host can, and every PROBE'th of them
 * is watched.  Between two storms guests are changed one at a time.
 */
#include "bench.h"

#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK    50  /* microseconds */
#define SINGLES 500 /* changes of state, and of definitions */
#define PROBE   10
#define TIMEOUT (60 * G_TIME_SPAN_SECOND)

#define LIMIT 0.005 /* seconds, from the event to the file */

/* Numbers of guests that come and go. */
enum { N_EXTRA = 2 };

static gint64 *event_times; /* of each guest's last event, monotonic; atomic */
static guint n_guests;

/* Where the guests are watched: virfs and its peer, in turns. */
enum { OURS, PEERS, N_SIDES };
static const char *roots[N_SIDES];

/* libvirt's side. */

static gpointer
run_events (gpointer unused)
{
  for (;;)
    virEventRunDefaultImpl ();
  return NULL;
}

static guint
number_of (virDomainPtr domain)
{
  const char *name = virDomainGetName (domain);

  return g_str_has_prefix (name, "guest-") ? strtoul (name + strlen ("guest-"), NULL, 10) : 0;
}

static int
on_event (virConnectPtr conn, virDomainPtr domain, int event, int detail, void *unused)
{
  guint number = number_of (domain);

  if (number <= n_guests + N_EXTRA)
    __atomic_store_n (&event_times[number], g_get_monotonic_time (), __ATOMIC_RELEASE);
  return 0;
}

static void
nothing (void *unused)
{
}

static virConnectPtr
connect_host (const char *uri)
{
  virConnectPtr conn;

  virEventRegisterDefaultImpl ();
  g_thread_unref (g_thread_new ("events", run_events, NULL));
  conn = virConnectOpen (uri);
  if (conn == NULL
      || virConnectDomainEventRegisterAny (conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                           VIR_DOMAIN_EVENT_CALLBACK (on_event), NULL, nothing)
           < 0)
    bench_die ("no connection to %s", uri);
  return conn;
}

static virDomainPtr
look_up (virConnectPtr conn, guint number)
{
  g_autofree char *name = g_strdup_printf ("guest-%05u", number);
  virDomainPtr domain = virDomainLookupByName (conn, name);

  if (domain == NULL)
    bench_die ("there is no %s", name);
  return domain;
}

/* The side of the files. */

static char *
read_file (guint side, guint number, const char *file)
{
  g_autofree char *path = g_strdup_printf ("%s/vms/guest-%05u/%s", roots[side], number, file);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? g_strchomp (text) : g_strdup ("");
}

static gboolean
shows_state (guint side, guint number, const char *value)
{
  g_autofree char *text = read_file (side, number, "state");

  return g_str_equal (text, value);
}

/* The definition of a guest that runs has its number in it. */
static gboolean
shows_definition (guint side, guint number, const char *value)
{
  g_autofree char *text = read_file (side, number, "xml");

  return (strstr (text, " id='") != NULL) == g_str_equal (value, "running");
}

static gboolean
shows_entry (guint side, guint number, const char *value)
{
  g_autofree char *path = g_strdup_printf ("%s/vms/guest-%05u", roots[side], number);

  return g_file_test (path, G_FILE_TEST_IS_DIR) == g_str_equal (value, "there");
}

/* What is waited for. */
typedef struct {
  gboolean (*shows) (guint side, guint number, const char *value);
  guint side;
  guint number;
  const char *value;
  gint64 seen; /* when it was there */
} Watch;

static gpointer
watch (gpointer data)
{
  Watch *self = data;
  gint64 end = g_get_monotonic_time () + TIMEOUT;

  while (!self->shows (self->side, self->number, self->value)) {
    if (g_get_monotonic_time () > end)
      bench_die ("%s: guest-%05u does not become %s", roots[self->side], self->number, self->value);
    g_usleep (LOOK);
  }
  self->seen = g_get_monotonic_time ();
  return NULL;
}

/* Seconds from the last event of the guest until it was seen. */
static double
delay (const Watch *watched)
{
  gint64 told;

  while ((told = __atomic_load_n (&event_times[watched->number], __ATOMIC_ACQUIRE)) == 0)
    g_usleep (LOOK);
  return (double) (watched->seen - told) / G_USEC_PER_SEC;
}

/* N delays of each side. */
static gboolean
print_delays (const char *what, double *delays[N_SIDES], guint n)
{
  g_autofree char *median = g_strdup_printf ("%s, %u guests: p50", what, n_guests);
  g_autofree char *p99 = g_strdup_printf ("%s, %u guests: p99", what, n_guests);

  bench_print_times (median, bench_quantile (delays[OURS], n, 0.5),
                     bench_quantile (delays[PEERS], n, 0.5), 0);
  return bench_print_times (p99, bench_quantile (delays[OURS], n, 0.99),
                            bench_quantile (delays[PEERS], n, 0.99), LIMIT);
}

/* One at a time. */

/* Seconds from the event that ACT brings until WATCHED is seen. */
static double
measure_change (int (*act) (virDomainPtr), virDomainPtr domain, Watch watched)
{
  GThread *thread;

  event_times[watched.number] = 0;
  thread = g_thread_new ("watch", watch, &watched);
  if (act (domain) < 0)
    bench_die ("guest-%05u cannot be changed", watched.number);
  g_thread_join (thread);
  return delay (&watched);
}

static void
change_state (virConnectPtr conn, guint side, guint number, double delays[2])
{
  virDomainPtr domain = look_up (conn, number);

  watch (&(Watch){ shows_state, side, number, "running" }); /* the kernel knows it */
  delays[0]
    = measure_change (virDomainSuspend, domain, (Watch){ shows_state, side, number, "paused" });
  delays[1]
    = measure_change (virDomainResume, domain, (Watch){ shows_state, side, number, "running" });
  virDomainFree (domain);
}

static gboolean
measure_states (virConnectPtr conn)
{
  double ours[SINGLES], peers[SINGLES];
  double *delays[N_SIDES] = { ours, peers };

  /* all over the fleet */
  for (guint i = 0; i < SINGLES; i += 2)
    for (guint side = 0; side < N_SIDES; side++)
      change_state (conn, side, i * MAX (n_guests / SINGLES, 1) % n_guests + 1, &delays[side][i]);
  return print_delays ("pause, resume", delays, SINGLES);
}

/* Guests are defined, renamed and undefined. */

static virConnectPtr definer;

static int
define (virDomainPtr unused)
{
  g_autofree char *xml
    = g_strdup_printf ("<domain type='test'><name>guest-%05u</name><memory unit='MiB'>512</memory>"
                       "<os><type>hvm</type></os></domain>",
                       n_guests + 1);
  virDomainPtr domain = virDomainDefineXML (definer, xml);

  return domain ? virDomainFree (domain) : -1;
}

static int
rename_it (virDomainPtr domain)
{
  g_autofree char *name = g_strdup_printf ("guest-%05u", n_guests + 2);

  return virDomainRename (domain, name, 0);
}

static void
change_definition (virConnectPtr conn, guint side, double delays[3])
{
  guint first = n_guests + 1, second = n_guests + 2;
  virDomainPtr domain;

  delays[0] = measure_change (define, NULL, (Watch){ shows_entry, side, first, "there" });
  domain = look_up (conn, first);
  delays[1] = measure_change (rename_it, domain, (Watch){ shows_entry, side, second, "there" });
  virDomainFree (domain);
  domain = look_up (conn, second);
  delays[2]
    = measure_change (virDomainUndefine, domain, (Watch){ shows_entry, side, second, "gone" });
  virDomainFree (domain);
}

static gboolean
measure_definitions (virConnectPtr conn)
{
  double ours[SINGLES / 3 * 3], peers[SINGLES / 3 * 3];
  double *delays[N_SIDES] = { ours, peers };

  definer = conn;
  for (guint i = 0; i < G_N_ELEMENTS (ours); i += 3)
    for (guint side = 0; side < N_SIDES; side++)
      change_definition (conn, side, &delays[side][i]);
  return print_delays ("define, rename, undefine", delays, G_N_ELEMENTS (ours));
}

/* The storm. */

typedef struct {
  virDomainPtr *domains; /* from 1 */
  int (*act) (virDomainPtr domain);
  const char *value; /* what it makes of them */
} Storm;

static void
rage (Storm *storm)
{
  for (guint i = 1; i <= n_guests; i++)
    if (storm->act (storm->domains[i]) < 0)
      bench_die ("guest-%05u cannot be changed", i);
}

static gpointer
rage_thread (gpointer storm)
{
  rage (storm);
  return NULL;
}

static void
print_since (gint64 start, double parts, const char *what, const char *more)
{
  g_autofree char *line = g_strdup_printf ("%s, %u guests: %s", what, n_guests, more);

  bench_print_value (line, (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC / parts, "s",
                     -1);
}

static gboolean
watch_storm (Storm *storm, const char *what)
{
  guint probes = n_guests / PROBE / N_SIDES;
  g_autofree double *ours = g_new (double, probes), *peers = g_new (double, probes);
  double *delays[N_SIDES] = { ours, peers };
  gint64 start = g_get_monotonic_time ();
  GThread *thread;

  memset (event_times, 0, (n_guests + 1) * sizeof *event_times);
  thread = g_thread_new ("storm", rage_thread, storm);
  for (guint i = 0; i < probes * N_SIDES; i++) {
    Watch watched = { shows_state, i % N_SIDES, (i + 1) * PROBE, storm->value };

    watch (&watched);
    delays[i % N_SIDES][i / N_SIDES] = delay (&watched);
  }
  g_thread_join (thread);
  print_since (start, n_guests, what, "each");
  start = g_get_monotonic_time ();
  watch (&(Watch){ shows_definition, OURS, n_guests, storm->value });
  print_since (start, 1, what, "xml is behind");
  return print_delays (what, delays, probes);
}

/* A few guests make no storm, but are started and stopped, too. */
static gboolean
run_storm (virConnectPtr conn, const char *what, int (*act) (virDomainPtr), const char *value)
{
  Storm storm = { g_new0 (virDomainPtr, n_guests + 1), act, value };
  gboolean met = TRUE;

  for (guint i = 1; i <= n_guests; i++)
    storm.domains[i] = look_up (conn, i);
  if (n_guests >= 100 * PROBE)
    met = watch_storm (&storm, what);
  else
    rage (&storm);
  for (guint i = 1; i <= n_guests; i++)
    virDomainFree (storm.domains[i]);
  g_free (storm.domains);
  return met;
}

int
main (int argc, char **argv)
{
  virConnectPtr conn;
  gboolean met;

  if (argc != 5)
    bench_die ("usage: see the head of latency.c");
  roots[OURS] = argv[2];
  roots[PEERS] = argv[3];
  n_guests = strtoul (argv[4], NULL, 10);
  event_times = g_new0 (gint64, n_guests + N_EXTRA + 1);
  conn = connect_host (argv[1]);
  met = run_storm (conn, "storm of starts", virDomainCreate, "running");
  met &= measure_states (conn);
  met &= measure_definitions (conn);
  met &= run_storm (conn, "storm of stops", virDomainDestroy, "shutoff");
  return met ? EXIT_SUCCESS : EXIT_FAILURE;
}
