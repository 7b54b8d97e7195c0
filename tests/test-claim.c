/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims of a guest's disks: what goes with what, and who waits for whom. */
#include "fleet.h"

#include "claim.h"
#include "error.h"
#include "job.h"

#include <string.h>

static VirfsVm *
make_guest (Fleet *f)
{
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_SHUTOFF);
  return virfs_infra_vm_by_uuid (f->infra, fleet_uuid (1));
}

/* Of a job on VM, or if it is NULL on something else. */
static VirfsJob *
new_job (Fleet *f, VirfsVm *vm)
{
  VirfsJobSpec spec = { .operation = "test", .object = vm ? &vm->object : NULL };

  return virfs_job_new (f->infra, &spec);
}

/* A claim in a thread of its own, because it may wait. */
typedef struct {
  VirfsVm *vm;
  VirfsClaim what;
  VirfsJob *job;
  GError *error;
  gint done; /* atomic */
} Claimer;

static gpointer
claim (gpointer data)
{
  Claimer *self = data;

  virfs_claim_begin (self->vm, self->what, self->job, &self->error);
  g_atomic_int_set (&self->done, 1);
  return NULL;
}

static void
assert_claim (VirfsVm *vm, VirfsClaim what, VirfsJob *job)
{
  g_autoptr (GError) error = NULL;

  virfs_claim_begin (vm, what, job, &error);
  g_assert_no_error (error);
}

/* The guest shows WHAT of JOB (NULL: none). */
static void
assert_shown (VirfsVm *vm, VirfsClaim what, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  g_assert_cmpint (info->claim, ==, what);
  g_assert_cmpuint (info->claim_job, ==, job ? virfs_job_number (job) : 0);
}

/* What somebody is told who wants something that does not go with it. */
static void
test_told (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = make_guest (f);
  g_autoptr (VirfsJob) job = new_job (f, vm);
  g_autofree char *where = g_strdup_printf ("jobs/%u", virfs_job_number (job));
  g_autoptr (VirfsVmInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  assert_shown (vm, VIRFS_CLAIM_NONE, NULL);
  assert_claim (vm, VIRFS_CLAIM_COPY, job);
  assert_shown (vm, VIRFS_CLAIM_COPY, job);
  info = virfs_vm_info (vm);
  g_assert_true (virfs_claim_check (info, VIRFS_CLAIM_CLONE, NULL));
  g_assert_false (virfs_claim_check (info, VIRFS_CLAIM_COPY, NULL));
  g_assert_false (virfs_claim_check (info, VIRFS_CLAIM_NONE, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "its disks are being moved"));
  g_assert_nonnull (strstr (error->message, where));
  /* what is told of the guest by its host does not change that */
  fleet_tell (f, f->h1, "web", 1, VIRFS_VM_RUNNING);
  assert_shown (vm, VIRFS_CLAIM_COPY, job);
  virfs_claim_end (vm, job);
  assert_shown (vm, VIRFS_CLAIM_NONE, NULL);
  virfs_job_finish (job, NULL);
}

/* Several may read what nobody writes to, and copy disks of one guest. */
static void
test_beside (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = make_guest (f);
  g_autoptr (VirfsJob) one = new_job (f, NULL), two = new_job (f, NULL);

  assert_claim (vm, VIRFS_CLAIM_CLONE, one);
  assert_claim (vm, VIRFS_CLAIM_READ, two);
  assert_shown (vm, VIRFS_CLAIM_CLONE, one);
  virfs_claim_end (vm, one);
  assert_shown (vm, VIRFS_CLAIM_READ, two);
  virfs_claim_end (vm, two);
  assert_claim (vm, VIRFS_CLAIM_COPY, one);
  assert_claim (vm, VIRFS_CLAIM_COPY, two);
  virfs_claim_end (vm, one);
  virfs_claim_end (vm, two);
  virfs_job_finish (one, NULL);
  virfs_job_finish (two, NULL);
}

static GThread *
begin_claim (Claimer *claimer)
{
  GThread *thread = g_thread_new ("claim", claim, claimer);

  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  return thread;
}

static void
end_claim (Claimer *claimer, GThread *thread)
{
  g_thread_join (thread);
  g_assert_no_error (claimer->error);
  assert_shown (claimer->vm, claimer->what, claimer->job);
  virfs_claim_end (claimer->vm, claimer->job);
  virfs_job_finish (claimer->job, NULL);
}

/* Whoever comes second has it when the first has ended, and not before. */
static void
test_wait (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = make_guest (f);
  g_autoptr (VirfsJob) first = new_job (f, vm), second = new_job (f, vm);
  Claimer claimer = { .vm = vm, .what = VIRFS_CLAIM_RESTORE, .job = second };
  GThread *thread;

  assert_claim (vm, VIRFS_CLAIM_COPY, first);
  thread = begin_claim (&claimer);
  g_assert_cmpint (g_atomic_int_get (&claimer.done), ==, 0);
  virfs_claim_end (vm, first);
  virfs_job_finish (first, NULL);
  end_claim (&claimer, thread);
}

/* Nothing else is done to it: a job that has begun before may start it.  One that waits for its own claim does
 * not. */
static void
test_alone (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = make_guest (f);
  g_autoptr (VirfsJob) start = new_job (f, vm), one = new_job (f, vm), two = new_job (f, vm);
  Claimer claimers[] = { { .vm = vm, .what = VIRFS_CLAIM_MOVE, .job = one },
                         { .vm = vm, .what = VIRFS_CLAIM_MOVE, .job = two } };
  GThread *threads[2];
  guint first;

  for (guint i = 0; i < 2; i++)
    threads[i] = begin_claim (&claimers[i]);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (g_atomic_int_get (&claimers[i].done), ==, 0);
  virfs_job_finish (start, NULL);
  while (!g_atomic_int_get (&claimers[0].done) && !g_atomic_int_get (&claimers[1].done))
    g_thread_yield ();
  first = g_atomic_int_get (&claimers[0].done) ? 0 : 1;
  g_assert_cmpint (g_atomic_int_get (&claimers[!first].done), ==, 0);
  for (guint i = 0; i < 2; i++)
    end_claim (&claimers[first ^ i], threads[first ^ i]);
}

/* The first waits for the job of the second, until that claims: no other end wakes it. */
static void
test_two (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = make_guest (f);
  g_autoptr (VirfsJob) one = new_job (f, vm), two = new_job (f, vm);
  Claimer first = { .vm = vm, .what = VIRFS_CLAIM_MOVE, .job = one };
  Claimer second = { .vm = vm, .what = VIRFS_CLAIM_MOVE, .job = two };
  GThread *threads[2];

  threads[0] = begin_claim (&first);
  g_assert_cmpint (g_atomic_int_get (&first.done), ==, 0);
  threads[1] = begin_claim (&second);
  g_thread_join (threads[0]);
  g_assert_no_error (first.error);
  g_assert_cmpint (g_atomic_int_get (&second.done), ==, 0);
  virfs_claim_end (vm, one);
  virfs_job_finish (one, NULL);
  end_claim (&second, threads[1]);
}

/* Nor does it wait on while the guest is taken to another host. */
static void
test_moving (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = make_guest (f);
  g_autoptr (VirfsJob) start = new_job (f, vm), job = new_job (f, vm);
  Claimer claimer = { .vm = vm, .what = VIRFS_CLAIM_MOVE, .job = job };
  GThread *thread = begin_claim (&claimer);

  virfs_infra_begin_move (f->infra, vm);
  g_thread_join (thread);
  g_assert_error (claimer.error, VIRFS_ERROR, VIRFS_ERROR_BUSY);
  g_clear_error (&claimer.error);
  virfs_infra_end_move (f->infra, vm);
  virfs_job_finish (start, NULL);
  virfs_job_finish (job, NULL);
}

/* What was begun first goes first, although it claims last. */
static void
test_order (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = make_guest (f);
  g_autoptr (VirfsJob) restore = new_job (f, vm), clone = new_job (f, NULL);
  Claimer claimer = { .vm = vm, .what = VIRFS_CLAIM_CLONE, .job = clone };
  GThread *thread = begin_claim (&claimer);

  g_assert_cmpint (g_atomic_int_get (&claimer.done), ==, 0);
  assert_claim (vm, VIRFS_CLAIM_RESTORE, restore);
  g_assert_cmpint (g_atomic_int_get (&claimer.done), ==, 0);
  virfs_claim_end (vm, restore);
  virfs_job_finish (restore, NULL);
  end_claim (&claimer, thread);
}

static void
note_cancel (VirfsJob *job, gpointer unused)
{
}

/* It is cancelled, or ends because its host is LOST. */
static void
give_up (VirfsJob *job, gboolean lost)
{
  if (lost) {
    virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "lost"));
    return;
  }
  virfs_job_start (job, note_cancel, NULL);
  virfs_job_cancel (job);
}

/* It does not wait for what it does not need any more; DATA: its host was lost. */
static void
test_given_up (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = make_guest (f);
  g_autoptr (VirfsJob) first = new_job (f, vm), second = new_job (f, vm);
  Claimer claimer = { .vm = vm, .what = VIRFS_CLAIM_RESTORE, .job = second };
  GThread *thread;

  assert_claim (vm, VIRFS_CLAIM_COPY, first);
  thread = begin_claim (&claimer);
  give_up (second, data != NULL);
  g_thread_join (thread);
  g_assert_error (claimer.error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED);
  g_clear_error (&claimer.error);
  assert_shown (vm, VIRFS_CLAIM_COPY, first);
  virfs_claim_end (vm, first);
  virfs_job_finish (first, NULL);
  virfs_job_finish (second, NULL);
}

/* It is on another host then. */
static void
test_migrated (Fleet *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = make_guest (f);
  g_autoptr (VirfsJob) job = new_job (f, vm);
  g_autoptr (GError) error = NULL;

  virfs_infra_begin_move (f->infra, vm);
  assert_shown (vm, VIRFS_CLAIM_MIGRATE, NULL);
  g_assert_false (virfs_claim_begin (vm, VIRFS_CLAIM_MOVE, job, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "it is being migrated"));
  virfs_infra_end_move (f->infra, vm);
  assert_shown (vm, VIRFS_CLAIM_NONE, NULL);
  assert_claim (vm, VIRFS_CLAIM_MOVE, job);
  /* it may be lost meanwhile */
  fleet_lose (f, f->h1, 1);
  virfs_claim_end (vm, job);
  virfs_job_finish (job, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fleet_add ("/claim/told", test_told);
  fleet_add ("/claim/beside", test_beside);
  fleet_add ("/claim/wait", test_wait);
  fleet_add ("/claim/alone", test_alone);
  fleet_add ("/claim/two", test_two);
  fleet_add ("/claim/moving", test_moving);
  fleet_add ("/claim/order", test_order);
  g_test_add ("/claim/cancelled", Fleet, NULL, fleet_set_up, test_given_up, fleet_tear_down);
  g_test_add ("/claim/lost", Fleet, GINT_TO_POINTER (TRUE), fleet_set_up, test_given_up,
              fleet_tear_down);
  fleet_add ("/claim/migrated", test_migrated);
  return g_test_run ();
}
