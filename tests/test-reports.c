/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reports/: what tables say of a fleet that has been prepared. */
#include "fixture.h"

#include "metrics.h"
#include "tariff.h"

#include <errno.h>
#include <string.h>

#define FLEET "h1=fake:3 h2=fake:2"

/* An hour, so that nothing is sampled twice. */
static void
set_up (Fixture *f, gconstpointer data)
{
  fixture_set_up (f, data);
  virfs_metrics_set_interval (virfs_infra_metrics (f->infra), 3600);
}

static void
set_tariff (VirfsInfra *infra)
{
  VirfsTariff *tariff = virfs_tariff_new ();

  tariff->old_days = 0;
  tariff->currency = g_strdup ("EUR");
  tariff->vcpu_hour = 0.01;
  tariff->gib_hour = 0.01;
  tariff->kwh = 0.5;
  virfs_tariff_set_power (tariff, "h1", 100, 300);
  virfs_infra_set_tariff (infra, tariff);
}

static void
set_up_prices (Fixture *f, gconstpointer data)
{
  fixture_prepare = set_tariff;
  set_up (f, data);
  fixture_prepare = NULL;
}

/* Whether TABLE has a line that is LINE, from its beginning. */
static gboolean
has_line (Fixture *f, const char *table, const char *line)
{
  g_autofree char *text = cat (f, table);
  g_autofree char *wanted = g_strconcat ("\n", line, NULL);

  return text != NULL && strstr (text, wanted) != NULL;
}

static gboolean
holds (Fixture *f, const char *path, const char *words)
{
  g_autofree char *text = cat (f, path);

  return text != NULL && strstr (text, words) != NULL;
}

static void
crash (Fixture *f, const char *label)
{
  set_state (f, label, VIRFS_VM_CRASHED);
}

static void
test_attention (Fixture *f, gconstpointer data)
{
  assert_reads (f, "reports/attention.tsv", "level\tobject\twhat\tsince\n");
  crash (f, "h1-1");
  g_assert_true (
    has_line (f, "reports/attention.tsv", "critical\tvms/h1-1\tthe guest has crashed\t2"));
  turn_host (f, "h2", VIRFS_HOST_UNREACHABLE);
  g_assert_true (
    has_line (f, "reports/attention.tsv",
              "critical\thosts/h2\tcannot be reached; of its 2 guests the last known is shown\t2"));
  /* a guest of a host that is away tells nothing */
  crash (f, "h2-1");
  assert_soon (!holds (f, "reports/attention.tsv", "vms/h2-1"));
}

/* A job that ends at once, with CODE for MESSAGE; NULL: well. */
static void
run_job (Fixture *f, const char *label, const char *operation, VirfsError code, const char *message)
{
  g_autoptr (VirfsVm) vm = vm_of (f, label);
  VirfsJobSpec spec = { .operation = operation, .object = &vm->object };
  g_autoptr (VirfsJob) job = virfs_job_new (f->infra, &spec);

  virfs_job_finish (job, message ? g_error_new_literal (VIRFS_ERROR, code, message) : NULL);
}

static void
test_job (Fixture *f, gconstpointer data)
{
  run_job (f, "h1-1", "migrate to h2", VIRFS_ERROR_FAILED, "no\troute");
  assert_soon (has_line (f, "reports/attention.tsv",
                         "notice\tvms/h1-1\tmigrate to h2 has failed: no\\troute\t2"));
}

/* Of one operation the last outcome; that of another is beside it. */
static void
test_job_again (Fixture *f, gconstpointer data)
{
  run_job (f, "h1-1", "start", VIRFS_ERROR_FAILED, "first");
  run_job (f, "h1-1", "start", VIRFS_ERROR_NOT_FOUND, "second");
  run_job (f, "h1-1", "save", VIRFS_ERROR_NO_SPACE, "full");
  run_job (f, "h2-1", "start", VIRFS_ERROR_FAILED, "other");
  assert_soon (has_line (f, "reports/attention.tsv",
                         "notice\tvms/h1-1\tsave has failed: full; start has failed: second\t2"));
  assert_soon (has_line (f, "reports/attention.tsv", "notice\tvms/h2-1\tstart has failed: other"));
  run_job (f, "h1-1", "start", VIRFS_ERROR_FAILED, NULL);
  assert_soon (has_line (f, "reports/attention.tsv", "notice\tvms/h1-1\tsave has failed: full\t2"));
  run_job (f, "h1-1", "save", VIRFS_ERROR_FAILED, NULL);
  assert_soon (!holds (f, "reports/attention.tsv", "vms/h1-1"));
  g_assert_true (holds (f, "reports/attention.tsv", "vms/h2-1"));
}

/* Who asked for what cannot be was told, and that makes nothing good. */
static void
test_job_mistake (Fixture *f, gconstpointer data)
{
  static const VirfsError mistakes[]
    = { VIRFS_ERROR_INVALID,   VIRFS_ERROR_BUSY,    VIRFS_ERROR_EXISTS,
        VIRFS_ERROR_NOT_EMPTY, VIRFS_ERROR_TOO_BIG, VIRFS_ERROR_DENIED,
        VIRFS_ERROR_PERMITTED, VIRFS_ERROR_CROSS,   VIRFS_ERROR_UNSUPPORTED,
        VIRFS_ERROR_CANCELLED, VIRFS_ERROR_AGAIN };

  run_job (f, "h1-1", "set vcpus", VIRFS_ERROR_HOST_DOWN, "away");
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++) {
    run_job (f, "h1-1", "set vcpus", mistakes[i], "not 900");
    run_job (f, "h1-3", "set vcpus", mistakes[i], "not 900");
  }
  assert_soon (
    has_line (f, "reports/attention.tsv", "notice\tvms/h1-1\tset vcpus has failed: away\t2"));
  g_assert_false (holds (f, "reports/attention.tsv", "900"));
}

/* What is gone needs nothing. */
static void
test_job_gone (Fixture *f, gconstpointer data)
{
  run_job (f, "h1-2", "start", VIRFS_ERROR_FAILED, "no disk");
  assert_soon (holds (f, "reports/attention.tsv", "no disk"));
  g_assert_cmpint (rmdir_at (f, "vms/h1-2"), ==, 0);
  assert_soon (!holds (f, "reports/attention.tsv", "no disk"));
}

/* Of an earlier run no more is known than what was kept. */
static void
test_job_kept (Fixture *f, gconstpointer data)
{
  VirfsJobInfo info = { .operation = "start", .state = VIRFS_JOB_FAILED, .error = "kept" };
  char *objects[] = { "vms/h1-1", "vms/gone", "hosts/h1", "hosts/h9", "vms/h1-3" };

  info.started = info.ended = g_get_real_time ();
  for (guint i = 0; i < G_N_ELEMENTS (objects); i++) {
    info.number = 1000 + i;
    info.object = objects[i];
    info.failure = i == 4 ? EINVAL : 0;
    virfs_job_restore (f->infra, &info);
  }
  assert_soon (
    has_line (f, "reports/attention.tsv", "notice\tvms/h1-1\tstart has failed: kept\t2"));
  assert_soon (
    has_line (f, "reports/attention.tsv", "notice\thosts/h1\tstart has failed: kept\t2"));
  g_assert_false (holds (f, "reports/attention.tsv", "vms/gone"));
  g_assert_false (holds (f, "reports/attention.tsv", "hosts/h9"));
  g_assert_false (holds (f, "reports/attention.tsv", "vms/h1-3"));
}

/* HOST has FREE of 8 GiB. */
static void
set_free (Fixture *f, const char *name, guint64 free)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *info = virfs_host_info_copy (known);

  info->memory_free = free;
  virfs_infra_update_host (f->infra, host, info, NULL);
}

static void
test_memory (Fixture *f, gconstpointer data)
{
  set_free (f, "h1", G_GUINT64_CONSTANT (700) << 20);
  g_assert_true (
    has_line (f, "reports/attention.tsv", "warning\thosts/h1\tmemory is used up: 9 % is free\t\n"));
  set_free (f, "h1", 100 << 20);
  assert_soon (has_line (f, "reports/attention.tsv",
                         "critical\thosts/h1\tmemory is used up: 1 % is free\t\n"));
  set_free (f, "h1", 0); /* not known */
  assert_soon (!holds (f, "reports/attention.tsv", "hosts/h1"));
}

static void
test_sprawl (Fixture *f, gconstpointer data)
{
  g_assert_true (
    has_line (f, "reports/sprawl.tsv",
              "orphan\thosts/h1/pools/default/volumes/disk.qcow2\tqcow2\t\t1048576\n"));
  assert_soon (!holds (f, "reports/sprawl.tsv", "\noff\t"));
  assert_soon (!holds (f, "reports/sprawl.tsv", "\nownerless\t"));
}

/* All is old. */
static void
test_old (Fixture *f, gconstpointer data)
{
  assert_soon (has_line (f, "reports/sprawl.tsv", "off\tvms/h1-2\tshut off\t2"));
  assert_soon (!holds (f, "reports/sprawl.tsv", "\noff\tvms/h1-1\t"));
  /* it is nobody's as soon as others are somebody's */
  g_assert_cmpint (sh_quietly (f, "chmod 700 vms/h1-1"), ==, 0);
  assert_soon (has_line (f, "reports/sprawl.tsv", "ownerless\tvms/h1-2\t"));
  assert_soon (!holds (f, "reports/sprawl.tsv", "\nownerless\tvms/h1-1\t"));
}

static void
test_placement (Fixture *f, gconstpointer data)
{
  /* h1 has promised twice as much */
  assert_soon (has_line (
    f, "reports/placement.tsv",
    "h2\tup\t2\t1\t2\t4\t0.50\t\t536870912\t8589934592\t8589934592\t1\twould be chosen next: "));
  assert_soon (has_line (f, "reports/placement.tsv", "h1\tup\t3\t2\t4\t4\t1.00\t"));
  turn_host (f, "h2", VIRFS_HOST_UNREACHABLE);
  assert_soon (has_line (f, "reports/placement.tsv", "h2\tunreachable\t2\t"));
  assert_soon (holds (f, "reports/placement.tsv", "\t1\twould be chosen next"));
}

static void
test_backup (Fixture *f, gconstpointer data)
{
  g_assert_true (
    has_line (f, "reports/backup.tsv", "h1-1\th1\trunning\tsat\t2023-11-14T22:13:20Z\t"));
  assert_soon (holds (f, "reports/backup.tsv", "\tfull\t\tclosed\tsat\n"));
  g_assert_cmpint (rmdir_at (f, "vms/h1-1/checkpoints/sat"), ==, 0);
  assert_soon (has_line (f, "reports/backup.tsv", "h1-1\th1\trunning\t\t\tnone\t\t\tnone\n"));
}

static void
set_load (Fixture *f, const char *name, gint load)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *info = virfs_host_info_copy (known);

  info->cpu_load = load;
  virfs_infra_update_host (f->infra, host, info, NULL);
}

/* A head alone, as long as nobody has set anything. */
static void
test_no_prices (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (sh_quietly (f, "test $(cat reports/cost.tsv reports/energy.tsv | wc -l) = 2"),
                   ==, 0);
  assert_reads (f, "reports/cost.json", "[\n\n]\n");
}

static void
test_cost (Fixture *f, gconstpointer data)
{
  set_load (f, "h1", 50);
  assert_soon (
    has_line (f, "reports/energy.tsv", "host\thosts/h1\t50.0\t200.0\t4.800\t2.4000\tEUR\n"));
  assert_soon (!holds (f, "reports/energy.tsv", "hosts/h2"));
  /* 2 vCPUs and half a GiB for 730 hours; shut off: nothing but its disks */
  assert_soon (holds (f, "reports/cost.tsv", "\t14.60\t3.65\t\t\t18.25\tEUR\n"));
  assert_soon (holds (f, "reports/cost.tsv", "\t0.00\t0.00\t\t0.00\t0.00\tEUR\n"));
}

/* The same in all notations, and what sizes say is what is read. */
static void
test_notations (Fixture *f, gconstpointer data)
{
  static const char *const tables[]
    = { "attention", "sprawl", "placement", "backup", "energy", "cost" };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++) {
    g_autofree char *command = g_strdup_printf (
      "test $(awk -F '\\t' '{ print NF }' reports/%1$s.tsv | uniq | wc -l) = 1 &&"
      " python3 -m json.tool reports/%1$s.json > /dev/null && head -n 1 reports/%1$s.csv | grep ,",
      tables[i]);

    g_assert_cmpint (sh_quietly (f, command), ==, 0);
  }
  g_assert_cmpint (
    sh_quietly (f, "test $(stat -c %s reports/index.html) = $(wc -c < reports/index.html)"), ==, 0);
  g_assert_cmpint (sh_quietly (f, "tar cf - reports | tar tf - > /dev/null"), ==, 0);
}

/* A title that would end the block of data, were it not written otherwise. */
static void
test_page (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  const char *block;

  set_title (f, "h1-1", "</script><script>alert(1)</script>");
  text = cat (f, "reports/index.html");
  g_assert_nonnull (text);
  g_assert_true (g_str_has_prefix (text, "<!DOCTYPE html>"));
  g_assert_null (strstr (text, "alert(1)</script>"));
  g_assert_null (strstr (text, "{{"));
  block = strstr (text, "<script type=\"application/json\" id=\"data\">");
  g_assert_nonnull (block);
  g_assert_nonnull (strstr (block, "\\u003c/script\\u003e"));
  g_assert_cmpint (
    sh_quietly (f, "sed -n 's,.*id=\"data\">\\(.*\\)</script>.*,\\1,p' reports/index.html |"
                   " python3 -m json.tool > /dev/null"),
    ==, 0);
}

/* Who reads what is not sampled has nothing sampled. */
static void
test_cheap (Fixture *f, gconstpointer data)
{
  gint before = g_atomic_int_get (&virfs_fake_samples);

  g_assert_cmpint (sh_quietly (f, "cat reports/backup.tsv && ls -l reports"), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&virfs_fake_samples), ==, before);
  g_assert_cmpint (sh_quietly (f, "tar cf - reports | tar tf - > /dev/null"), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&virfs_fake_samples), ==, before + 2);
}

#define ADD(path, func) g_test_add (path, Fixture, FLEET, set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/reports/attention", test_attention);
  ADD ("/reports/job", test_job);
  ADD ("/reports/job/again", test_job_again);
  ADD ("/reports/job/mistake", test_job_mistake);
  ADD ("/reports/job/gone", test_job_gone);
  ADD ("/reports/job/kept", test_job_kept);
  ADD ("/reports/memory", test_memory);
  ADD ("/reports/sprawl", test_sprawl);
  ADD ("/reports/placement", test_placement);
  ADD ("/reports/backup", test_backup);
  ADD ("/reports/no-prices", test_no_prices);
  g_test_add ("/reports/cost", Fixture, FLEET, set_up_prices, test_cost, fixture_tear_down);
  g_test_add ("/reports/old", Fixture, FLEET, set_up_prices, test_old, fixture_tear_down);
  ADD ("/reports/notations", test_notations);
  ADD ("/reports/page", test_page);
  ADD ("/reports/cheap", test_cheap);
  return g_test_run ();
}
