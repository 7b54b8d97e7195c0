/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reports/index.html in a browser.  This prepares the fleet: one host is fuller than the others, one guest
 * misbehaves, and some have names that nobody should have.  page.py drives the browser.
 */
#include "fixture.h"

#include "metrics.h"

#include <string.h>

#define MISSING 77 /* page.py: the machine has no browser, or nothing to drive it */
#define GUEST   "h2-7"

/* All that run use a tenth of their CPUs, one all of them, and has to wait for them. */
static void
measure (const VirfsVmInfo *info, gpointer data)
{
  VirfsSample *sample = data;
  gboolean wild = g_str_equal (info->name, GUEST);
  guint64 time = (guint64) g_get_monotonic_time () * 1000 * info->vcpus;

  if (!virfs_vm_state_active (info->state))
    return;
  sample->values[VIRFS_VM_METRIC_CPU_TIME] = wild ? time : time / 10;
  sample->values[VIRFS_VM_METRIC_VCPU_STEAL] = wild ? time * 4 / 10 : 0;
  sample->values[VIRFS_VM_METRIC_MEMORY_RSS] = info->memory / 2;
}

static void
set_free (Fixture *f, const char *name, guint64 free)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *info = virfs_host_info_copy (known);

  info->memory = G_GUINT64_CONSTANT (64) << 30;
  info->memory_free = free << 30;
  virfs_infra_update_host (f->infra, host, info, NULL);
}

static void
prepare (Fixture *f, gconstpointer hosts)
{
  virfs_fake_measure = measure;
  fixture_set_up (f, hosts);
  virfs_metrics_set_interval (virfs_infra_metrics (f->infra), 1);
}

static void
make_bad_names (Fixture *f)
{
  rename_vm (f, "h1-1", "<img src=x onerror=document.title='owned'>");
  set_title (f, "h1-3", "</script><script>document.title='owned'</script>");
  set_title (f, "h1-5", "\u202Etxt.exe\nsecond line\t&amp;");
  rename_vm (
    f, "h1-7",
    "a name that is rather long for one that has to go into a column of a table, and has no end");
}

/* Runs WHAT of page.py. */
static void
drive (Fixture *f, const char *what)
{
  g_autofree char *command = g_strdup_printf ("exec /usr/bin/python3 '%s' %s \"$PWD\"",
                                              g_getenv ("VIRFS_PAGE_DRIVER"), what);
  g_autofree char *out = NULL;
  int status = sh (f, command, &out);

  if (status == MISSING)
    g_test_skip (out);
  else if (status != 0)
    g_error ("%s", out);
}

static void
test_fleet (Fixture *f, gconstpointer data)
{
  for (guint i = 1; i <= 5; i++) {
    g_autofree char *name = g_strdup_printf ("h%u", i);

    set_free (f, name, i == 3 ? 5 : 20 + i);
  }
  make_bad_names (f);
  drive (f, "fleet");
}

static void
test_many (Fixture *f, gconstpointer data)
{
  drive (f, "many");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add ("/page/fleet", Fixture, "h1=fake:40 h2=fake:40 h3=fake:40 h4=fake:40 h5=fake:40",
              prepare, test_fleet, fixture_tear_down);
  g_test_add ("/page/many", Fixture, "h1=fake:5000 h2=fake:5000", prepare, test_many,
              fixture_tear_down);
  return g_test_run ();
}
