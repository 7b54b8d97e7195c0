/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alarms [GUESTS [RULES]]: how long it takes to look at all guests of a host that were sampled, under that
 * many rules, and when something changes of each of them; in CPU time.
 */
#include "alarms_private.h"
#include "bench.h"
#include "fake.h"

#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 21 };

static void
keep_answer (const GError *error, gpointer data)
{
  if (error != NULL)
    bench_die ("%s", error->message);
  g_atomic_int_inc ((gint *) data);
}

static void
wait_for (gint *answers, gint n)
{
  while (g_atomic_int_get (answers) < n)
    g_usleep (1000);
}

/* Rules that hold for none, as most do. */
static void
add_rules (VirfsInfra *infra, guint n)
{
  static const char *const rules[][2] = { { "cpu_percent", "> 200" },
                                          { "memory_rss", "> 1E" },
                                          { "disk_write_bytes", "> 1E" },
                                          { "state", "== pmsuspended" } };
  gint answers = 0;

  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf ("rule%u", i);
    g_autoptr (VirfsAlarm) alarm = NULL;
    const char *const *rule = rules[i % G_N_ELEMENTS (rules)];

    answers = 0;
    virfs_infra_make_alarm (infra, name, keep_answer, &answers);
    wait_for (&answers, 1);
    alarm = virfs_infra_alarm (infra, name);
    virfs_alarm_set (alarm, VIRFS_RULE_METRIC, rule[0], keep_answer, &answers);
    virfs_alarm_set (alarm, VIRFS_RULE_OBJECTS, "vms\n!vms/not-this*", keep_answer, &answers);
    virfs_alarm_set (alarm, VIRFS_RULE_CONDITION, rule[1], keep_answer, &answers);
    wait_for (&answers, 4);
  }
}

typedef struct {
  VirfsAlarms *alarms;
  VirfsHost *host;
  GArray *ids;
} Bench;

static void
look_sampled (Bench *bench)
{
  VirfsMoment now = { g_get_monotonic_time (), g_get_real_time () };

  virfs_alarms_look_sampled (bench->alarms, bench->host->object.id, &now);
}

static void
look_changed (Bench *bench)
{
  VirfsMoment now = { g_get_monotonic_time (), g_get_real_time () };

  for (guint i = 0; i < bench->ids->len; i++)
    virfs_alarms_look (bench->alarms, g_array_index (bench->ids, guint64, i), VIRFS_LOOK_FACTS,
                       NULL, &now);
}

/* Of this thread: what else the machine does does not count. */
static double
cpu_seconds (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static void
measure (const char *what, Bench *bench, void (*func) (Bench *bench))
{
  double seconds[ROUNDS];

  for (guint i = 0; i < ROUNDS; i++) {
    double start = cpu_seconds ();

    func (bench);
    seconds[i] = cpu_seconds () - start;
  }
  bench_print_value (what, bench_quantile (seconds, ROUNDS, 0.5), "s", 0.03);
}

static void
add_id (VirfsVm *vm, const VirfsVmInfo *info, gpointer ids)
{
  g_array_append_val ((GArray *) ids, vm->object.id);
}

int
main (int argc, char **argv)
{
  guint guests = argc > 1 ? (guint) atoi (argv[1]) : 10000;
  guint rules = argc > 2 ? (guint) atoi (argv[2]) : 12;
  g_autofree char *uri = g_strdup_printf ("fake:%u", guests);
  VirfsInfra *infra = virfs_infra_new (&virfs_fake_backend, 60);
  gint answers = 0;
  Bench bench = { .alarms = infra->alarms, .ids = g_array_new (FALSE, FALSE, sizeof (guint64)) };

  virfs_metrics_set_interval (infra->metrics, 1);
  virfs_infra_start_alarms (infra, TRUE);
  bench.host = virfs_infra_add_host (infra, "h1", uri, NULL);
  add_rules (infra, rules);
  /* the fake's checkpoints are old */
  virfs_infra_remove_alarm (infra, "backup-old", keep_answer, &answers);
  wait_for (&answers, 1);
  while (virfs_metrics_serial (infra->metrics) == 0)
    g_usleep (1000);
  virfs_metrics_set_interval (infra->metrics, 3600);
  virfs_infra_foreach_vm (infra, NULL, add_id, bench.ids);
  /* the thread has ended then, and what it knew is ours */
  virfs_alarms_stop (infra->alarms);
  bench_print_head ("alarms");
  measure ("a sampled round", &bench, look_sampled);
  measure ("a change of each guest", &bench, look_changed);
  virfs_object_unref (bench.host);
  g_array_unref (bench.ids);
  virfs_infra_stop (infra, G_USEC_PER_SEC);
  virfs_infra_free (infra);
  return 0;
}
