/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: their order of things, and that the first outcome counts. */
#include "fleet.h"

#include "error.h"

#include <string.h>

/* What the one who asked was told. */
typedef struct {
  guint times;
  int code; /* of the error, -1 for success */
} Outcome;

static void
done (VirfsJob *job, const GError *error, gpointer data)
{
  Outcome *outcome = data;

  outcome->times++;
  outcome->code = error ? error->code : -1;
}

static VirfsJob *
new_job (Fleet *f, VirfsHost *target, Outcome *outcome)
{
  VirfsJobSpec spec = { .operation = "test",
                        .host = &f->h1->object,
                        .target = target ? &target->object : NULL,
                        .uid = 42,
                        .done = done,
                        .data = outcome };

  *outcome = (Outcome){ 0 };
  return virfs_job_new (f->infra, &spec);
}

#define assert_state(job, expected)                                                                \
  do {                                                                                             \
    g_autoptr (VirfsJobInfo) info_ = virfs_job_info (job);                                         \
    g_assert_cmpstr (virfs_job_state_name (info_->state), ==, expected);                           \
  } while (0)

#define assert_told(outcome, expected_code)                                                        \
  do {                                                                                             \
    g_assert_cmpuint ((outcome).times, ==, 1);                                                     \
    g_assert_cmpint ((outcome).code, ==, expected_code);                                           \
  } while (0)

static void
cancel (VirfsJob *job, gpointer times)
{
  ++*(guint *) times;
}

static void
test_success (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);
  g_autoptr (VirfsJob) found = virfs_infra_job (f->infra, virfs_job_number (job));
  g_autoptr (VirfsJobInfo) info = NULL;

  g_assert_true (found == job);
  assert_state (job, "queued");
  g_assert_true (virfs_job_start (job, NULL, NULL));
  g_assert_false (virfs_job_start (job, NULL, NULL)); /* once */
  assert_state (job, "running");
  g_assert_cmpuint (outcome.times, ==, 0);
  virfs_job_finish (job, NULL);
  assert_told (outcome, -1);
  info = virfs_job_info (job);
  g_assert_cmpint (virfs_job_info_percent (info), ==, 100);
  g_assert_cmpstr (info->operation, ==, "test");
  g_assert_cmpstr (info->object, ==, "fleet");
  g_assert_cmpuint (info->uid, ==, 42);
  g_assert_cmpint (info->ended, >=, info->started);
  g_assert_null (info->error);
}

static void
test_failure (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);
  g_autoptr (VirfsJobInfo) info = NULL;

  virfs_job_start (job, NULL, NULL);
  virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_BUSY, "it is busy"));
  assert_told (outcome, VIRFS_ERROR_BUSY);
  info = virfs_job_info (job);
  g_assert_cmpint (info->state, ==, VIRFS_JOB_FAILED);
  g_assert_cmpstr (info->error, ==, "it is busy");
}

/* What went wrong may name a place with its password. */
static void
test_failure_secret (Fleet *f, gconstpointer data)
{
  VirfsEventLog *log = virfs_infra_events (f->infra);
  Outcome outcome;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);
  g_autoptr (VirfsJobInfo) info = NULL;
  g_autofree char *text = g_malloc0 (VIRFS_EVENT_BYTES);

  virfs_job_start (job, NULL, NULL);
  virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_FAILED,
                                      "no answer of qemu+libssh2://me:s3cret@h/system"));
  info = virfs_job_info (job);
  g_assert_cmpstr (info->error, ==, "no answer of qemu+libssh2://me:***@h/system");
  virfs_event_log_read (log, 0, text, VIRFS_EVENT_BYTES - 1);
  g_assert_nonnull (strstr (text, "reason=\"no answer of qemu+libssh2://me:***@h/system\""));
  g_assert_null (strstr (text, "s3cret"));
}

static void
test_finish_twice (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);

  virfs_job_start (job, NULL, NULL);
  virfs_job_finish (job, NULL);
  virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_FAILED, "too late"));
  virfs_job_cancel (job);
  assert_told (outcome, -1);
  assert_state (job, "done");
}

static void
test_cancel_queued (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  guint asked = 0;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);

  virfs_job_cancel (job);
  assert_told (outcome, VIRFS_ERROR_CANCELLED);
  assert_state (job, "cancelled");
  g_assert_false (virfs_job_start (job, cancel, &asked));
  g_assert_true (virfs_job_is_cancelled (job));
  g_assert_cmpuint (asked, ==, 0);
}

static void
test_cancel_running (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  guint asked = 0;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);

  virfs_job_start (job, cancel, &asked);
  virfs_job_cancel (job);
  virfs_job_cancel (job);
  g_assert_cmpuint (asked, ==, 1);
  g_assert_cmpuint (outcome.times, ==, 0); /* it ends when it has stopped */
  assert_state (job, "running");
  virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "stopped"));
  assert_told (outcome, VIRFS_ERROR_CANCELLED);
  assert_state (job, "cancelled");
}

/* It came too late: what was done is done. */
static void
test_cancel_too_late (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  guint asked = 0;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);

  virfs_job_start (job, cancel, &asked);
  virfs_job_cancel (job);
  virfs_job_finish (job, NULL);
  assert_told (outcome, -1);
  assert_state (job, "done");
}

/* Nobody waits any more for what cannot be stopped; the job still tells how it ended. */
static void
test_cancel_unstoppable (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);

  virfs_job_start (job, NULL, NULL);
  virfs_job_cancel (job);
  assert_told (outcome, VIRFS_ERROR_CANCELLED);
  assert_state (job, "running");
  virfs_job_finish (job, NULL);
  assert_told (outcome, VIRFS_ERROR_CANCELLED);
  assert_state (job, "done");
}

static void
test_set_cancel (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  guint first = 0, second = 0, third = 0;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);

  virfs_job_start (job, cancel, &first);
  virfs_job_set_cancel (job, cancel, &second);
  virfs_job_cancel (job);
  g_assert_cmpuint (first, ==, 0);
  g_assert_cmpuint (second, ==, 1);
  virfs_job_set_cancel (job, cancel, &third); /* has been cancelled: at once */
  g_assert_cmpuint (third, ==, 1);
  virfs_job_finish (job, NULL);
  virfs_job_set_cancel (job, cancel, &first);
  g_assert_cmpuint (first, ==, 0);
}

static void
test_host_lost (Fleet *f, gconstpointer data)
{
  Outcome on_host, to_target, elsewhere;
  g_autoptr (VirfsJob) a = new_job (f, NULL, &on_host);
  g_autoptr (VirfsJob) b = new_job (f, f->h2, &to_target);
  g_autoptr (VirfsJob) c = new_job (f, f->h3, &elsewhere);

  virfs_job_start (b, NULL, NULL);
  virfs_job_start (c, NULL, NULL);
  fleet_turn (f, f->h2, VIRFS_HOST_UNREACHABLE);
  assert_told (to_target, VIRFS_ERROR_HOST_DOWN);
  g_assert_cmpuint (on_host.times + elsewhere.times, ==, 0);
  fleet_turn (f, f->h1, VIRFS_HOST_UNREACHABLE);
  assert_told (on_host, VIRFS_ERROR_HOST_DOWN);
  assert_told (elsewhere, VIRFS_ERROR_HOST_DOWN);
  /* what the workers say later is dropped */
  g_assert_false (virfs_job_start (a, NULL, NULL));
  virfs_job_finish (c, NULL);
  assert_told (elsewhere, VIRFS_ERROR_HOST_DOWN);
  assert_state (c, "failed");
}

static void
test_busy_host (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsJob) job = new_job (f, f->h2, &outcome);

  g_assert_false (virfs_infra_remove_host (f->infra, f->h2, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY);
  g_assert_cmpint (fleet_set_uri (f, f->h2, "fake:1"), ==, VIRFS_ERROR_BUSY);
  virfs_job_finish (job, NULL);
  g_assert_true (virfs_infra_remove_host (f->infra, f->h2, NULL));
}

static void
test_progress (Fleet *f, gconstpointer data)
{
  Outcome outcome;
  g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);
  static const struct {
    guint64 done, total;
    int percent;
  } steps[]
    = { { 0, 0, -1 }, { 0, 1000, 0 }, { 10, 1000, 1 }, { 999, 1000, 99 }, { 2000, 1000, 100 } };

  virfs_job_start (job, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_autoptr (VirfsJobInfo) info = NULL;

    virfs_job_progress (job, steps[i].done, steps[i].total);
    info = virfs_job_info (job);
    g_assert_cmpint (virfs_job_info_percent (info), ==, steps[i].percent);
  }
  virfs_job_finish (job, NULL);
}

static void
count_job (VirfsJob *job, guint number, gpointer data)
{
  guint *range = data;

  range[0]++;
  range[1] = MIN (range[1], number);
}

/* The last 100 that ended stay, and all that run. */
static void
test_last_stay (Fleet *f, gconstpointer data)
{
  Outcome outcome, running_outcome;
  g_autoptr (VirfsJob) running = new_job (f, NULL, &running_outcome);
  guint range[] = { 0, G_MAXUINT };

  for (guint i = 0; i < 250; i++) {
    g_autoptr (VirfsJob) job = new_job (f, NULL, &outcome);

    virfs_job_finish (job, NULL);
  }
  virfs_infra_foreach_job (f->infra, count_job, range);
  g_assert_cmpuint (range[0], ==, 101);
  g_assert_cmpuint (range[1], ==, virfs_job_number (running));
  g_assert_null (virfs_infra_job (f->infra, virfs_job_number (running) + 150));
  {
    g_autoptr (VirfsJob) kept = virfs_infra_job (f->infra, virfs_job_number (running) + 151);

    g_assert_nonnull (kept);
  }
  virfs_job_finish (running, NULL);
}

/* The end of the program. */

typedef struct {
  GMutex lock;
  GCond cond;
  gboolean in_done, finished;
} Slow;

static void
done_slowly (VirfsJob *job, const GError *error, gpointer data)
{
  Slow *slow = data;

  g_mutex_lock (&slow->lock);
  slow->in_done = TRUE;
  g_cond_signal (&slow->cond);
  g_mutex_unlock (&slow->lock);
  g_usleep (50000);
  g_atomic_int_set (&slow->finished, TRUE);
}

static gpointer
finish (gpointer job)
{
  virfs_job_finish (job, NULL);
  return NULL;
}

/* Who is told of an end still uses what is freed after the stop. */
static void
test_stop_waits_for_done (Fleet *f, gconstpointer data)
{
  Slow slow = { 0 };
  VirfsJobSpec spec = { .operation = "slow", .done = done_slowly, .data = &slow };
  g_autoptr (VirfsJob) job = virfs_job_new (f->infra, &spec);
  GThread *thread = g_thread_new ("worker", finish, job);

  g_mutex_lock (&slow.lock);
  while (!slow.in_done)
    g_cond_wait (&slow.cond, &slow.lock);
  g_mutex_unlock (&slow.lock);
  virfs_infra_stop (f->infra, 60 * G_USEC_PER_SEC);
  g_assert_true (g_atomic_int_get (&slow.finished));
  g_thread_join (thread);
}

static void
test_stop_cancels (Fleet *f, gconstpointer data)
{
  Outcome queued, stuck;
  g_autoptr (VirfsJob) a = new_job (f, NULL, &queued);
  g_autoptr (VirfsJob) b = new_job (f, NULL, &stuck);
  guint asked = 0;

  virfs_job_start (b, cancel, &asked);
  virfs_infra_stop (f->infra, 1000); /* the worker never answers */
  assert_told (queued, VIRFS_ERROR_CANCELLED);
  assert_told (stuck, VIRFS_ERROR_CANCELLED);
  g_assert_cmpuint (asked, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fleet_add ("/job/success", test_success);
  fleet_add ("/job/failure", test_failure);
  fleet_add ("/job/failure-secret", test_failure_secret);
  fleet_add ("/job/finish-twice", test_finish_twice);
  fleet_add ("/job/cancel-queued", test_cancel_queued);
  fleet_add ("/job/cancel-running", test_cancel_running);
  fleet_add ("/job/cancel-too-late", test_cancel_too_late);
  fleet_add ("/job/cancel-unstoppable", test_cancel_unstoppable);
  fleet_add ("/job/set-cancel", test_set_cancel);
  fleet_add ("/job/host-lost", test_host_lost);
  fleet_add ("/job/busy-host", test_busy_host);
  fleet_add ("/job/progress", test_progress);
  fleet_add ("/job/last-stay", test_last_stay);
  fleet_add ("/job/stop-waits-for-done", test_stop_waits_for_done);
  fleet_add ("/job/stop-cancels", test_stop_cancels);
  return g_test_run ();
}
