/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hosts that are emptied, and filled again. */
#include "fixture.h"

#include "kept.h"
#include "maintenance.h"
#include "registry.h"
#include "upkeep.h"

#include <signal.h>
#include <string.h>

#define FLEET "h1=fake:6 h2=fake:0 h3=fake:0"

/* What is kept, for one restart. */
static GMutex lock;
static GHashTable *kept; /* under lock: kind and key -> text */

static gboolean
keep (gpointer data, const char *kind, const char *key, const char *text, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_hash_table_replace (kept, g_strconcat (kind, " ", key, NULL), g_strdup (text));
  return TRUE;
}

static gboolean
forget (gpointer data, const char *kind, const char *key, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  g_autofree char *name = g_strconcat (kind, " ", key, NULL);

  g_hash_table_remove (kept, name);
  return TRUE;
}

static gboolean
recall (gpointer data, const char *kind, VirfsRecordFunc func, gpointer user, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  g_autofree char *prefix = g_strconcat (kind, " ", NULL);
  GHashTableIter iter;
  gpointer key, text;

  g_hash_table_iter_init (&iter, kept);
  while (g_hash_table_iter_next (&iter, &key, &text))
    if (g_str_has_prefix (key, prefix))
      func ((char *) key + strlen (prefix), text, user);
  return TRUE;
}

static const VirfsKeeper keeper = { .keep = keep, .forget = forget, .recall = recall };

static void
set_up (Fixture *f, gconstpointer hosts)
{
  kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  fixture_keeper = &keeper;
  fixture_prepare = virfs_infra_restore_upkeep;
  fixture_set_up (f, hosts);
}

static void
tear_down (Fixture *f, gconstpointer hosts)
{
  g_atomic_int_set (&virfs_fake_delay, 0);
  g_atomic_int_set (&virfs_fake_stubborn, FALSE);
  fixture_tear_down (f, hosts);
  g_clear_pointer (&kept, g_hash_table_unref);
}

/* A job of that operation; the caller owns its path. */
static char *
job_of (Fixture *f, const char *operation)
{
  g_autofree char *command
    = g_strdup_printf ("grep -lx '%s' jobs/*/operation | tail -n 1", operation);
  g_autofree char *path = NULL;

  if (sh (f, command, &path) != 0)
    return NULL;
  path[strcspn (path, "\n")] = '\0';
  return g_strndup (path, strlen (path) - strlen ("/operation"));
}

static void
test_drain (Fixture *f, gconstpointer data)
{
  g_autofree char *job = NULL, *parts = NULL;

  assert_reads (f, "hosts/h1/maintenance", "0\n");
  assert_says (f, "hosts/h1/drain_plan",
               "guest\tstate\tmemory\tto\treason\nh1-1\trunning\t536870912\th");
  g_assert_cmpint (
    sh_quietly (f, "[ $(grep running hosts/h1/drain_plan | cut -f 4 | sort -u | wc -l) = 2 ]"), ==,
    0);
  g_assert_cmpint (echo (f, "1", "hosts/h1/maintenance"), ==, 0);
  assert_reads (f, "hosts/h1/maintenance", "1\n");
  assert_lists (f, "hosts/h1/vms", "");
  assert_lists (f, "vms", "h1-1 h1-2 h1-3 h1-4 h1-5 h1-6");
  assert_reads (f, "vms/h1-1/state", "running\n");
  assert_reads (f, "vms/h1-2/state", "shutoff\n");
  assert_reads (f, "hosts/h1/drain_plan", "guest\tstate\tmemory\tto\treason\n");
  g_assert_cmpint (sh_quietly (f, "[ $(wc -l < hosts/h1/drained) = 6 ]"), ==, 0);
  job = job_of (f, "drain");
  parts = g_build_filename (job, "parts", NULL);
  assert_says (f, parts, "\tdone\t100\tvms/h1-1\tmigrate to h");
  g_assert_cmpint (sh_quietly (f, "[ $(cat jobs/*/parent | sort -u | wc -l) = 1 ]"), ==, 0);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "1", "hosts/h3/maintenance"), ==, 0);
  assert_reads (f, "vms/h1-1/migrate", "h2\n");
  assert_says (f, "vms/h1-1/migrate_verdict",
               "h2\tyes\t\nh3\tno\th3 is in maintenance: write 0 to");
  g_assert_cmpint (echo (f, "h3", "vms/h1-1/migrate"), ==, EBUSY);
  assert_says (f, "vms/h1-1/error", "h3 is in maintenance");
  g_assert_cmpint (mkdir_at (f, "vms/new"), ==, 0);
  g_assert_cmpint (echo (f, "h3", "vms/new/host"), ==, 0);
  g_assert_cmpint (echo (f, "shutoff", "vms/new/state"), ==, EBUSY);
  move_vm (f, "h1-2", "h3");
  g_assert_cmpint (echo (f, "running", "vms/h1-2/state"), ==, EBUSY);
  g_assert_cmpint (echo (f, "start", "vms/h1-2/ctl"), ==, EBUSY);
  assert_says (f, "vms/h1-2/error", "does not start: h3 is in maintenance");
  g_assert_cmpint (echo (f, "0", "hosts/h3/maintenance"), ==, 0);
  g_assert_cmpint (echo (f, "running", "vms/h1-2/state"), ==, 0);
  g_assert_cmpint (echo (f, "shutoff", "vms/new/state"), ==, 0);
  g_assert_cmpint (echo (f, "nonsense", "hosts/h3/maintenance"), ==, EINVAL);
}

static void
test_stay (Fixture *f, gconstpointer data)
{
  set_state (f, "h1-3", VIRFS_VM_CRASHED);
  assert_says (f, "hosts/h1/drain_plan", "h1-3\tcrashed\t536870912\t-\tit is crashed");
  g_assert_cmpint (echo (f, "1", "hosts/h1/maintenance"), ==, EBUSY);
  assert_lists (f, "hosts/h1/vms", "h1-3");
  assert_says (f, "hosts/h1/error", "1 of 6 guests stay on h1: vms/h1-3: it is crashed");
  assert_reads (f, "hosts/h1/maintenance", "1\n");
  set_state (f, "h1-3", VIRFS_VM_SHUTOFF);
  g_assert_cmpint (echo (f, "1", "hosts/h1/maintenance"), ==, 0);
  assert_lists (f, "hosts/h1/vms", "");
}

static void
test_nowhere (Fixture *f, gconstpointer data)
{
  turn_host (f, "h2", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (echo (f, "1", "hosts/h3/maintenance"), ==, 0);
  g_assert_cmpint (echo (f, "1", "hosts/h1/maintenance"), ==, EBUSY);
  assert_says (f, "hosts/h1/error", "6 of 6 guests stay on h1: vms/h1-1: ");
  assert_says (f, "hosts/h1/error", "h2 is unreachable");
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3 h1-4 h1-5 h1-6");
  assert_reads (f, "hosts/h1/drained", "");
}

static void
test_return (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "1", "hosts/h1/return"), ==, 0);
  g_assert_cmpint (echo (f, "1", "hosts/h1/maintenance"), ==, 0);
  move_vm (f, "h1-1", "h1"); /* somebody else has brought it */
  set_state (f, "h1-5", VIRFS_VM_CRASHED);
  g_assert_cmpint (echo (f, "0", "hosts/h1/maintenance"), ==, EBUSY);
  assert_says (f, "hosts/h1/error",
               "1 of 5 guests did not come back to h1: vms/h1-5: it is crashed");
  assert_reads (f, "hosts/h1/maintenance", "0\n");
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3 h1-4 h1-6");
  set_state (f, "h1-5", VIRFS_VM_RUNNING);
  g_assert_cmpint (echo (f, "0", "hosts/h1/maintenance"), ==, 0);
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3 h1-4 h1-5 h1-6");
  assert_reads (f, "hosts/h1/drained", "");
}

static void
test_no_return (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "1", "hosts/h1/maintenance"), ==, 0);
  g_assert_cmpint (echo (f, "0", "hosts/h1/maintenance"), ==, 0);
  assert_lists (f, "hosts/h1/vms", "");
  assert_reads (f, "hosts/h1/drained", "");
}

static void
test_interrupt (Fixture *f, gconstpointer data)
{
  g_autofree char *job = NULL, *state = NULL;
  GPid pid;

  g_assert_cmpint (echo (f, "1", "hosts/h1/drain_parallel"), ==, 0);
  g_assert_cmpint (echo (f, "9", "hosts/h1/drain_parallel"), ==, EINVAL);
  g_assert_cmpint (echo (f, "1", "hosts/h1/return"), ==, 0);
  g_atomic_int_set (&virfs_fake_delay, 60 * G_USEC_PER_SEC);
  pid = fixture_spawn (f, "1", "hosts/h1/maintenance");
  assert_soon (sh_quietly (f, "[ $(grep -lx running jobs/*/state | wc -l) = 2 ]") == 0);
  assert_reads (f, "hosts/h1/maintenance", "1\n");
  kill (pid, SIGINT);
  g_assert_cmpint (fixture_wait (pid), ==, EINTR);
  assert_says (f, "hosts/h1/error", "cancelled: 0 of 6 guests have left h1");
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3 h1-4 h1-5 h1-6");
  job = job_of (f, "drain");
  state = g_build_filename (job, "state", NULL);
  assert_reads (f, state, "cancelled\n");
  g_assert_cmpint (sh_quietly (f, "grep -lxE 'running|queued' jobs/*/state"), ==, 1);
  g_assert_cmpint (echo (f, "", "hosts/h1/drain_parallel"), ==, 0);
  assert_reads (f, "hosts/h1/drain_parallel", "2\n");
}

/* As another program finds it that is started then. */
static void
start_again (Fixture *f, gconstpointer hosts)
{
  fixture_tear_down (f, hosts);
  memset (f, 0, sizeof *f);
  fixture_set_up (f, hosts);
}

static void
test_restart (Fixture *f, gconstpointer hosts)
{
  GPid pid;

  g_assert_cmpint (echo (f, "1", "hosts/h1/return"), ==, 0);
  g_assert_cmpint (echo (f, "20M", "hosts/h1/migration/bandwidth"), ==, 0);
  g_atomic_int_set (&virfs_fake_delay, 60 * G_USEC_PER_SEC);
  pid = fixture_spawn (f, "1", "hosts/h1/maintenance");
  assert_soon (sh_quietly (f, "[ $(grep -lx running jobs/*/state | wc -l) = 3 ]") == 0);
  virfs_infra_stop (f->infra, PATIENCE);
  g_assert_cmpint (fixture_wait (pid), ==, EINTR);
  start_again (f, hosts);
  assert_reads (f, "hosts/h1/maintenance", "1\n");
  assert_reads (f, "hosts/h1/migration/bandwidth", "20971520\n");
  assert_reads (f, "hosts/h1/return", "1\n");
  assert_soon (sh_quietly (f, "[ -z \"$(ls hosts/h1/vms)\" ]") == 0);
  assert_soon (sh_quietly (f, "! grep -lx running jobs/*/state") == 0);
  g_assert_cmpint (echo (f, "0", "hosts/h1/maintenance"), ==, 0);
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3 h1-4 h1-5 h1-6");
}

static void
test_host_lost (Fixture *f, gconstpointer data)
{
  g_autofree char *job = NULL, *ctl = NULL;
  GPid pid;

  g_atomic_int_set (&virfs_fake_delay, 60 * G_USEC_PER_SEC);
  pid = fixture_spawn (f, "1", "hosts/h1/maintenance");
  assert_soon (sh_quietly (f, "grep -lx running jobs/*/state") == 0);
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (fixture_wait (pid), ==, EHOSTDOWN);
  assert_soon (sh_quietly (f, "! grep -lxE 'running|queued' jobs/*/state") == 0);
  /* its guests went on there; when it answers again so does this */
  turn_host (f, "h1", VIRFS_HOST_UP);
  assert_soon (sh_quietly (f, "[ $(grep -lx running jobs/*/state | wc -l) = 3 ]") == 0);
  g_assert_cmpint (echo (f, "0", "hosts/h1/maintenance"), ==, EBUSY);
  assert_says (f, "hosts/h1/error", "are being moved already: see jobs/");
  job = job_of (f, "drain");
  ctl = g_build_filename (job, "ctl", NULL);
  g_assert_cmpint (echo (f, "cancel", ctl), ==, 0);
  assert_soon (sh_quietly (f, "! grep -lxE 'running|queued' jobs/*/state") == 0);
  assert_says (f, "hosts/h1/error", "cancelled: 0 of 6 guests have left h1");
  g_atomic_int_set (&virfs_fake_delay, 0);
  g_assert_cmpint (echo (f, "1", "hosts/h1/maintenance"), ==, 0);
  assert_soon (sh_quietly (f, "[ -z \"$(ls hosts/h1/vms)\" ]") == 0);
}

/* Those that stay after all are not to be brought back. */
static void
test_target_lost (Fixture *f, gconstpointer data)
{
  GPid pid;

  g_atomic_int_set (&virfs_fake_delay, 60 * G_USEC_PER_SEC);
  pid = fixture_spawn (f, "1", "hosts/h1/maintenance");
  assert_soon (sh_quietly (f, "[ $(grep -lx running jobs/*/state | wc -l) = 3 ]") == 0);
  turn_host (f, "h3", VIRFS_HOST_UNREACHABLE);
  turn_host (f, "h2", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (fixture_wait (pid), ==, EBUSY);
  assert_says (f, "hosts/h1/error", "6 of 6 guests stay on h1");
  g_atomic_int_set (&virfs_fake_delay, 0);
  g_assert_cmpint (echo (f, "1", "hosts/h1/maintenance"), ==, EBUSY); /* none is moved any more */
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3 h1-4 h1-5 h1-6");
  turn_host (f, "h2", VIRFS_HOST_UP);
  for (guint i = 1; i <= 6; i++) { /* on purpose */
    g_autofree char *name = g_strdup_printf ("h1-%u", i);

    move_vm (f, name, "h2");
  }
  assert_reads (f, "hosts/h1/drained", "");
}

/* The host is back before what it interrupted has ended. */
static void
test_flap (Fixture *f, gconstpointer data)
{
  g_atomic_int_set (&virfs_fake_delay, 60 * G_USEC_PER_SEC);
  fixture_wait (fixture_spawn (f, "1", "hosts/h1/drain_parallel"));
  g_assert_cmpint (echo (f, "1", "hosts/h1/return"), ==, 0);
  for (guint i = 0; i < 30; i++) {
    GPid pid = i == 0 ? fixture_spawn (f, "1", "hosts/h1/maintenance") : 0;

    assert_soon (sh_quietly (f, "grep -lx running $(grep -lx 'migrate to h[23]' jobs/*/operation"
                                " | sed s/operation/state/)")
                 == 0);
    turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
    turn_host (f, "h1", VIRFS_HOST_UP);
    if (pid != 0)
      g_assert_cmpint (fixture_wait (pid), ==, EHOSTDOWN);
    assert_reads (f, "hosts/h1/maintenance", "1\n");
  }
  g_atomic_int_set (&virfs_fake_delay, 0);
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  turn_host (f, "h1", VIRFS_HOST_UP);
  assert_soon (sh_quietly (f, "[ -z \"$(ls hosts/h1/vms)\" ]") == 0);
  assert_soon (sh_quietly (f, "! grep -lxE 'running|queued' jobs/*/state") == 0);
  g_assert_cmpint (sh_quietly (f, "[ $(wc -l < hosts/h1/drained) = 6 ]"), ==, 0);
  g_assert_cmpint (echo (f, "0", "hosts/h1/maintenance"), ==, 0);
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3 h1-4 h1-5 h1-6");
}

/* As at a start, when others have not answered yet. */
static void
unsettle (VirfsInfra *infra, gboolean settled)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  infra->has_settled = settled;
  g_cond_broadcast (&infra->settled);
}

static void
test_flap_at_start (Fixture *f, gconstpointer data)
{
  GPid pid;

  g_atomic_int_set (&virfs_fake_delay, 60 * G_USEC_PER_SEC);
  pid = fixture_spawn (f, "1", "hosts/h1/maintenance");
  assert_soon (sh_quietly (f, "[ $(grep -lx running jobs/*/state | wc -l) = 3 ]") == 0);
  unsettle (f->infra, FALSE);
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (fixture_wait (pid), ==, EHOSTDOWN);
  g_atomic_int_set (&virfs_fake_delay, 0);
  /* it waits; the host goes once more, and comes */
  turn_host (f, "h1", VIRFS_HOST_UP);
  assert_soon (sh_quietly (f, "[ $(grep -lx running jobs/*/state | wc -l) = 1 ]") == 0);
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  assert_reads (f, "hosts/h1/maintenance", "1\n");
  turn_host (f, "h1", VIRFS_HOST_UP);
  assert_soon (sh_quietly (f, "[ $(grep -lx running jobs/*/state | wc -l) = 1 ]") == 0);
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3 h1-4 h1-5 h1-6");
  unsettle (f->infra, TRUE);
  assert_soon (sh_quietly (f, "[ -z \"$(ls hosts/h1/vms)\" ]") == 0);
  assert_soon (sh_quietly (f, "! grep -lxE 'running|queued' jobs/*/state") == 0);
  assert_reads (f, "hosts/h1/maintenance", "1\n");
}

/* A part that cannot be stopped when all is cancelled is remembered. */
static void
test_goes_on (Fixture *f, gconstpointer data)
{
  GPid pid;

  g_assert_cmpint (echo (f, "1", "hosts/h1/return"), ==, 0);
  g_atomic_int_set (&virfs_fake_stubborn, TRUE);
  g_atomic_int_set (&virfs_fake_delay, 2 * G_USEC_PER_SEC);
  pid = fixture_spawn (f, "1", "hosts/h1/maintenance");
  assert_soon (sh_quietly (f, "[ $(grep -lx running jobs/*/state | wc -l) = 3 ]") == 0);
  kill (pid, SIGINT);
  g_assert_cmpint (fixture_wait (pid), ==, EINTR);
  g_atomic_int_set (&virfs_fake_delay, 0);
  /* also who comes before they have gone waits for them */
  g_assert_cmpint (echo (f, "0", "hosts/h1/maintenance"), ==, 0);
  assert_soon (sh_quietly (f, "! grep -lxE 'running|queued' jobs/*/state") == 0);
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3 h1-4 h1-5 h1-6");
  assert_reads (f, "hosts/h1/drained", "");
  g_assert_cmpint (sh_quietly (f, "grep -q '^.*migrate to h1' jobs/*/operation"), ==, 0);
}

/* Options. */

static void
count (const char *key, const char *text, gpointer n)
{
  ++*(guint *) n;
}

static void
test_options (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *name, *text, *reads, *wrong;
  } options[] = {
    { "bandwidth", "100M", "104857600\n", "1000" },
    { "downtime", "500", "500\n", "0" },
    { "auto_converge", "0", "0\n", "yes" },
    { "post_copy", "1", "1\n", "2" },
    { "post_copy", "ready", "ready\n", "Ready" },
    { "parallel", "4", "4\n", "256" },
    { "compression", "xbzrle", "xbzrle\n", "zip" },
    { "tls", "1", "1\n", "on" },
    { "peer_to_peer", "1", "1\n", "-" },
    { "tunnelled", "0", "0\n", "nonsense" },
  };
  guint n = 0;
  static const char *const places[] = { "vms/h1-1/migration", "hosts/h1/migration" };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (options); i++) {
    guint k = i / 2;
    g_autofree char *path = g_build_filename (places[i % 2], options[k].name, NULL);

    assert_reads (f, path, "");
    g_assert_cmpint (echo (f, options[k].text, path), ==, 0);
    assert_reads (f, path, options[k].reads);
    g_assert_cmpint (echo (f, options[k].wrong, path), ==, EINVAL);
    assert_reads (f, path, options[k].reads);
    g_assert_cmpint (echo (f, "", path), ==, 0);
    assert_reads (f, path, "");
  }
  /* nothing is kept of what says nothing */
  recall (NULL, VIRFS_RECORD_UPKEEP, count, &n, NULL);
  recall (NULL, VIRFS_RECORD_GUEST, count, &n, NULL);
  g_assert_cmpuint (n, ==, 0);
}

/* Each pair that does not go together, written to one place and by the guest to what its host says; neither write
 * changes anything, and 0 makes way. */
static void
test_contradictions (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *first, *value, *second, *other;
  } pairs[] = {
    { "tunnelled", "1", "parallel", "2" },    { "tunnelled", "1", "post_copy", "ready" },
    { "tunnelled", "1", "tls", "1" },         { "post_copy", "1", "parallel", "2" },
    { "compression", "mt", "parallel", "2" }, { "compression", "xbzrle", "parallel", "2" },
  };
  static const char *const places[] = { "vms/h1-1/migration", "hosts/h1/migration" };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (pairs); i++) {
    const char *guest = places[0], *place = places[i % 2];
    g_autofree char *first = g_build_filename (place, pairs[i / 2].first, NULL);
    g_autofree char *second = g_build_filename (guest, pairs[i / 2].second, NULL);
    g_autofree char *says = g_strdup_printf ("%s does not go with ", pairs[i / 2].first);

    g_assert_cmpint (echo (f, pairs[i / 2].value, first), ==, 0);
    g_assert_cmpint (echo (f, pairs[i / 2].other, second), ==, EOPNOTSUPP);
    assert_says (f, "vms/h1-1/error", says);
    assert_reads (f, second, "");
    g_assert_cmpint (echo (f, "0", second), ==, 0);
    g_assert_cmpint (echo (f, "", first), ==, 0);
    g_assert_cmpint (echo (f, pairs[i / 2].other, second), ==, 0);
    g_assert_cmpint (echo (f, "", second), ==, 0);
  }
  g_assert_cmpint (echo (f, "xbzrle", "vms/h1-1/migration/compression"), ==, 0);
  g_assert_cmpint (echo (f, "1", "vms/h1-1/migration/post_copy"), ==, 0);
}

/* What the guest and its host say contradicts itself more than once: whoever writes gets out of it, step by
 * step, and what has nothing to do with it can be written meanwhile. */
static void
test_way_out (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "1", "vms/h1-1/migration/tunnelled"), ==, 0);
  g_assert_cmpint (echo (f, "mt", "vms/h1-1/migration/compression"), ==, 0);
  g_assert_cmpint (echo (f, "2", "hosts/h1/migration/parallel"), ==, 0);
  g_assert_cmpint (echo (f, "1", "hosts/h1/migration/tls"), ==, 0);
  g_assert_cmpint (echo (f, "100M", "vms/h1-1/migration/bandwidth"), ==, 0);
  g_assert_cmpint (echo (f, "3", "vms/h1-1/migration/parallel"), ==, EOPNOTSUPP);
  assert_says (f, "vms/h1-1/error", "write 0 to migration/tunnelled");
  g_assert_cmpint (echo (f, "0", "vms/h1-1/migration/tunnelled"), ==, 0);
  g_assert_cmpint (echo (f, "3", "vms/h1-1/migration/parallel"), ==, EOPNOTSUPP);
  assert_says (f, "vms/h1-1/error", "write none to migration/compression");
  g_assert_cmpint (echo (f, "none", "vms/h1-1/migration/compression"), ==, 0);
  g_assert_cmpint (echo (f, "3", "vms/h1-1/migration/parallel"), ==, 0);
}

static void
test_plan (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsMigration) guest = virfs_migration_with (NULL, VIRFS_MIGRATION_DOWNTIME, "100");
  g_autoptr (VirfsMigration) half = virfs_migration_with (NULL, VIRFS_MIGRATION_DOWNTIME, "200");
  g_autoptr (VirfsMigration) host = virfs_migration_with (half, VIRFS_MIGRATION_TUNNELLED, "1");
  VirfsMigrationPlan plan;

  virfs_migration_plan (NULL, NULL, &plan);
  g_assert_true (plan.auto_converge && !plan.peer_to_peer && plan.bandwidth == 0);
  g_assert_true (virfs_migration_check (&plan, VIRFS_MIGRATION_N_OPTIONS, NULL));
  virfs_migration_plan (guest, host, &plan);
  g_assert_cmpuint (plan.downtime, ==, 100);
  g_assert_true (plan.tunnelled && plan.peer_to_peer);
  g_assert_null (virfs_migration_with (guest, VIRFS_MIGRATION_DOWNTIME, ""));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(path, func) g_test_add (path, Fixture, FLEET, set_up, func, tear_down)
  ADD ("/maintenance/drain", test_drain);
  ADD ("/maintenance/refused", test_refused);
  ADD ("/maintenance/stay", test_stay);
  ADD ("/maintenance/nowhere", test_nowhere);
  ADD ("/maintenance/return", test_return);
  ADD ("/maintenance/no-return", test_no_return);
  ADD ("/maintenance/interrupt", test_interrupt);
  ADD ("/maintenance/restart", test_restart);
  ADD ("/maintenance/host-lost", test_host_lost);
  ADD ("/maintenance/flap", test_flap);
  ADD ("/maintenance/target-lost", test_target_lost);
  ADD ("/maintenance/flap-at-start", test_flap_at_start);
  ADD ("/maintenance/goes-on", test_goes_on);
  ADD ("/migration/options", test_options);
  ADD ("/migration/way-out", test_way_out);
  ADD ("/migration/contradictions", test_contradictions);
  ADD ("/migration/plan", test_plan);
  return g_test_run ();
}
