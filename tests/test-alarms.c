/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alarms in a mounted tree. */
#include "fixture.h"

#include "alarm.h"
#include "metrics.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLEET "h1=fake:3 h2=fake:2"

#define DEFAULTS                                                                                   \
  "backup-old firing guest-crashed guest-disk-errors guest-io-error guest-looping host-cpu"        \
  " host-lost host-memory host-overcommitted metrics pool-filling pool-full-soon"

static void
make (Fixture *f, const char *name, const char *metric, const char *objects, const char *condition)
{
  g_autofree char *dir = g_strconcat ("alarms/", name, NULL);
  g_autofree char *metric_file = g_strconcat (dir, "/metric", NULL);
  g_autofree char *objects_file = g_strconcat (dir, "/objects", NULL);
  g_autofree char *condition_file = g_strconcat (dir, "/condition", NULL);

  g_assert_cmpint (mkdir_at (f, dir), ==, 0);
  g_assert_cmpint (echo (f, metric, metric_file), ==, 0);
  g_assert_cmpint (echo (f, objects, objects_file), ==, 0);
  g_assert_cmpint (echo (f, condition, condition_file), ==, 0);
}

/* The fake's checkpoints are old. */
static void
set_up (Fixture *f, gconstpointer hosts)
{
  fixture_set_up (f, hosts);
  g_assert_cmpint (echo (f, "0", "alarms/backup-old/enabled"), ==, 0);
}

/* Rules. */

static void
test_rule (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "alarms/off"), ==, 0);
  assert_lists (f, "alarms/off",
                "ack clear condition description duration enabled firing hook metric objects"
                " severity since state");
  assert_reads (f, "alarms/off/state", "draft\n");
  assert_reads (f, "alarms/off/enabled", "1\n");
  assert_reads (f, "alarms/off/metric", "");
  g_assert_cmpint (echo (f, "state", "alarms/off/metric"), ==, 0);
  assert_reads (f, "alarms/off/objects", ""); /* hosts and pools have one, too */
  g_assert_cmpint (echo (f, "!= running", "alarms/off/condition"), ==, 0);
  assert_reads (f, "alarms/off/state", "draft\n");
  g_assert_cmpint (echo (f, "vms", "alarms/off/objects"), ==, 0);
  /* two guests of the fake do not run */
  assert_reads (f, "alarms/off/state", "firing\n");
  assert_reads (f, "alarms/off/clear", "== running\n");
  assert_lists (f, "alarms/firing", "off~h1-2 off~h2-2");
  assert_leads (f, "alarms/firing/off~h1-2", "../../vms/h1-2");
  assert_reads (f, "alarms/firing/off~h1-2/state", "shutoff\n");
  assert_reads (f, "vms/h1-2/alarms", "off\n");
  assert_reads (f, "vms/h1-1/alarms", "");
  assert_reads (f, "alarms/off/ack", "all\nvms/h1-2\nvms/h2-2\n");
  g_assert_true (says (f, "alarms/off/firing", "vms/h1-2\t20"));
  g_assert_true (says (f, "alarms/off/firing", "Z\tshutoff\t\n"));

  /* it follows what happens */
  set_state (f, "h1-2", VIRFS_VM_RUNNING);
  assert_soon (!exists (f, "alarms/firing/off~h1-2"));
  assert_soon_reads (f, "vms/h1-2/alarms", "");
  assert_lists (f, "alarms/firing", "off~h2-2");
  g_assert_true (says (f, "events/log",
                       " vms/h1-2 alarm value=raised name=off severity=warning"
                       " metric=state is=shutoff condition=\"!= running\"\n"));
  assert_soon (says (f, "events/log",
                     " vms/h1-2 alarm value=cleared name=off severity=warning"
                     " metric=state is=running"));
  rename_vm (f, "h2-2", "other");
  assert_soon (exists (f, "alarms/firing/off~other") && !exists (f, "alarms/firing/off~h2-2"));

  /* and what is written */
  g_assert_cmpint (echo (f, "reason", "alarms/off/metric"), ==, 0);
  assert_reads (f, "alarms/off/condition", "!= running\n");
  assert_lists (f, "alarms/firing", "off~h1-1 off~h1-2 off~h1-3 off~h2-1 off~other");
  g_assert_cmpint (echo (f, "state", "alarms/off/metric"), ==, 0);
  assert_lists (f, "alarms/firing", "off~other");
  g_assert_cmpint (echo (f, "vms/h1-*", "alarms/off/objects"), ==, 0);
  assert_lists (f, "alarms/firing", "");
  assert_reads (f, "alarms/off/state", "ok\n");
  g_assert_cmpint (echo (f, "tag:keep\nvms/other", "alarms/off/objects"), ==, 0);
  assert_lists (f, "alarms/firing", "off~other");
  g_assert_cmpint (echo (f, "0", "alarms/off/enabled"), ==, 0);
  assert_reads (f, "alarms/off/state", "disabled\n");
  assert_lists (f, "alarms/firing", "");
  assert_reads (f, "vms/other/alarms", "");
}

static void
test_bad_input (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "alarms/firing"), ==, EEXIST);
  g_assert_cmpint (mkdir_at (f, "alarms/metrics"), ==, EEXIST);
  g_assert_cmpint (rmdir_at (f, "alarms/firing"), ==, EPERM);
  assert_says (f, "error", "this directory cannot be removed");
  g_assert_cmpint (mv (f, "alarms/firing", "alarms/x"), ==, EPERM);
  g_assert_cmpint (mkdir_at (f, "alarms/a~b"), ==, EINVAL);
  g_assert_cmpint (mkdir_at (f, "alarms/host-lost"), ==, EEXIST);
  g_assert_cmpint (mkdir_at (f, "alarms/firing/x"), ==, EPERM);
  g_assert_cmpint (mkdir_at (f, "alarms/x"), ==, 0);
  g_assert_cmpint (echo (f, "nonsense", "alarms/x/metric"), ==, EINVAL);
  assert_says (f, "error", "alarms/metrics lists them");
  g_assert_cmpint (echo (f, "usage", "alarms/x/metric"), ==, 0);
  assert_reads (f, "alarms/x/objects", "pools\n");
  g_assert_cmpint (echo (f, "vms", "alarms/x/objects"), ==, EINVAL);
  g_assert_cmpint (echo (f, "90", "alarms/x/condition"), ==, EINVAL);
  g_assert_cmpint (echo (f, "== full", "alarms/x/condition"), ==, EINVAL);
  g_assert_cmpint (echo (f, "> 90", "alarms/x/condition"), ==, 0);
  g_assert_cmpint (echo (f, "soon", "alarms/x/duration"), ==, EINVAL);
  g_assert_cmpint (echo (f, "bad", "alarms/x/severity"), ==, EINVAL);
  g_assert_cmpint (echo (f, "2", "alarms/x/enabled"), ==, EINVAL);
  g_assert_cmpint (echo (f, "vms/h1-1", "alarms/x/ack"), ==, ENOENT);
  g_assert_cmpint (echo (f, "all", "alarms/x/ack"), ==, 0);
  g_assert_cmpint (echo (f, "mail", "alarms/x/hook"), ==, EINVAL);
  g_assert_cmpint (echo (f, "/nowhere/at/all", "alarms/x/hook"), ==, ENOENT);
  g_assert_cmpint (echo (f, "/etc/passwd", "alarms/x/hook"), ==, EINVAL);
  g_assert_cmpint (unlink_at (f, "alarms/x/metric"), ==, EPERM);
  assert_reads (f, "alarms/x/hook", "");
  g_assert_cmpint (rmdir_at (f, "alarms/y"), ==, ENOENT);
  g_assert_true (says (f, "alarms/metrics", "\nvms\tcpu_percent\tpercent\t"));
}

static void
test_names (Fixture *f, gconstpointer data)
{
  struct stat before;

  assert_lists (f, "alarms", DEFAULTS);
  make (f, "off", "state", "vms", "== shutoff");
  before = stat_at (f, "alarms/off");
  g_assert_cmpint (mv (f, "alarms/off", "alarms/halted"), ==, 0);
  g_assert_cmpuint (stat_at (f, "alarms/halted").st_ino, ==, before.st_ino);
  g_assert_false (exists (f, "alarms/off"));
  assert_reads (f, "alarms/halted/condition", "== shutoff\n");
  assert_lists (f, "alarms/firing", "halted~h1-2 halted~h2-2");
  assert_reads (f, "vms/h1-2/alarms", "halted\n");
  g_assert_cmpint (mv (f, "alarms/halted", "alarms/host-lost"), ==, EEXIST);
  g_assert_cmpint (mv (f, "alarms/halted", "vms/halted"), ==, EPERM);
  /* what was made under that name first is another */
  make (f, "off", "state", "vms", "== paused");
  assert_reads (f, "alarms/halted/condition", "== shutoff\n");
  g_assert_cmpint (rmdir_at (f, "alarms/halted"), ==, 0);
  g_assert_false (exists (f, "alarms/halted"));
  assert_lists (f, "alarms/firing", "");
  assert_reads (f, "vms/h1-2/alarms", "");
  g_assert_true (says (f, "events/log", "vms/h1-2 alarm value=cleared name=halted"));
}

static void
test_hosts (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "0", "alarms/host-lost/duration"), ==, 0);
  turn_host (f, "h2", VIRFS_HOST_UNREACHABLE);
  assert_soon (exists (f, "alarms/firing/host-lost~h2"));
  assert_leads (f, "alarms/firing/host-lost~h2", "../../hosts/h2");
  assert_soon_reads (f, "hosts/h2/alarms", "host-lost\n");
  assert_reads (f, "alarms/host-lost/severity", "critical\n");
  turn_host (f, "h2", VIRFS_HOST_UP);
  assert_soon_reads (f, "alarms/host-lost/state", "ok\n");
  assert_soon_reads (f, "hosts/h2/alarms", "");

  /* what guests were promised */
  g_assert_cmpint (echo (f, "> 10", "alarms/host-overcommitted/condition"), ==, 0);
  assert_reads (f, "hosts/h1/alarms", "host-overcommitted\n"); /* two of 512 MiB on 8 GiB */
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_soon_reads (f, "hosts/h1/alarms", "");
}

static void
test_pools (Fixture *f, gconstpointer data)
{
  make (f, "little", "available", "pools", "< 1E");
  assert_lists (f, "alarms/firing", "little~h1~default little~h2~default");
  assert_leads (f, "alarms/firing/little~h1~default", "../../hosts/h1/pools/default");
  assert_reads (f, "hosts/h1/alarms", "little\n");
  g_assert_cmpint (echo (f, "hosts/h2/pools/*", "alarms/little/objects"), ==, 0);
  assert_reads (f, "hosts/h1/alarms", "");
  assert_lists (f, "alarms/firing", "little~h2~default");
}

/* A guest that goes takes its alarms along. */
static void
test_gone (Fixture *f, gconstpointer data)
{
  make (f, "off", "state", "vms", "== shutoff");
  assert_lists (f, "alarms/firing", "off~h1-2 off~h2-2");
  g_assert_cmpint (rmdir_at (f, "vms/h1-2"), ==, 0);
  assert_soon (!exists (f, "alarms/firing/off~h1-2"));
  assert_soon (says (f, "events/log", "alarms/off alarm value=cleared name=off object=vms/h1-2"));
  move_vm (f, "h2-2", "h1");
  assert_lists (f, "alarms/firing", "off~h2-2");
}

static void
test_acknowledge (Fixture *f, gconstpointer data)
{
  g_autofree char *expected = NULL;

  make (f, "off", "state", "vms", "== shutoff");
  g_assert_cmpint (echo (f, "vms/h1-2", "alarms/off/ack"), ==, 0);
  assert_reads (f, "alarms/off/state", "firing\n");
  assert_reads (f, "alarms/off/ack", "all\nvms/h2-2\n");
  expected = g_strdup_printf ("Z\tshutoff\t%s\n", virfs_user_name (getuid ()));
  g_assert_true (says (f, "alarms/off/firing", expected));
  g_assert_cmpint (echo (f, "vms/h1-2", "alarms/off/ack"), ==, 0);
  g_assert_cmpint (echo (f, "all", "alarms/off/ack"), ==, 0);
  assert_reads (f, "alarms/off/state", "acknowledged\n");
  assert_reads (f, "alarms/off/ack", "");
  assert_soon (says (f, "events/log", "vms/h2-2 alarm value=acknowledged name=off"));
  /* what breaks it again is news */
  set_state (f, "h1-2", VIRFS_VM_RUNNING);
  assert_soon (!exists (f, "alarms/firing/off~h1-2"));
  set_state (f, "h1-2", VIRFS_VM_SHUTOFF);
  assert_soon_reads (f, "alarms/off/ack", "all\nvms/h1-2\n");
}

/* Time alone raises it. */
static void
test_duration (Fixture *f, gconstpointer data)
{
  make (f, "off", "state", "vms/h1-1", "== shutoff");
  g_assert_cmpint (echo (f, "1", "alarms/off/duration"), ==, 0);
  assert_reads (f, "alarms/off/state", "ok\n");
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_soon_reads (f, "alarms/off/state", "pending\n");
  assert_soon_reads (f, "alarms/off/state", "firing\n");
  g_assert_cmpint (echo (f, "3600", "alarms/off/duration"), ==, 0);
  assert_reads (f, "alarms/off/state", "firing\n"); /* it fires already */
  set_state (f, "h1-1", VIRFS_VM_RUNNING);
  assert_soon_reads (f, "alarms/off/state", "ok\n");
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_soon_reads (f, "alarms/off/state", "pending\n");
  set_state (f, "h1-1", VIRFS_VM_RUNNING);
  assert_soon_reads (f, "alarms/off/state", "ok\n");
}

/* Sampling goes on as long as a rule wants it, and no longer. */
static void
test_metrics (Fixture *f, gconstpointer data)
{
  int samples;

  g_atomic_int_set (&virfs_fake_samples, 0);
  g_atomic_int_set (&virfs_fake_used, 1);
  virfs_metrics_set_interval (virfs_infra_metrics (f->infra), 1);
  g_usleep (1500000);
  g_assert_cmpint (g_atomic_int_get (&virfs_fake_samples), ==, 0);
  make (f, "wrote", "disk_write_bytes", "vms", "> 1000");
  assert_soon (g_atomic_int_get (&virfs_fake_samples) >= 4);
  assert_reads (f, "alarms/wrote/state", "ok\n"); /* it does not grow */
  g_atomic_int_set (&virfs_fake_used, 1000);
  assert_soon (exists (f, "alarms/firing/wrote~h1-1"));
  g_assert_false (exists (f, "alarms/firing/wrote~h1-2")); /* it does not run */
  assert_soon (!exists (f, "alarms/firing/wrote~h1-1"));
  g_assert_cmpint (echo (f, "0", "alarms/wrote/enabled"), ==, 0);
  virfs_metrics_set_interval (virfs_infra_metrics (f->infra), 1);
  do {
    samples = g_atomic_int_get (&virfs_fake_samples);
    g_usleep (2500000);
  } while (g_atomic_int_get (&virfs_fake_samples) != samples);
}

static void
test_backups (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "1", "alarms/backup-old/enabled"), ==, 0);
  assert_reads (f, "alarms/backup-old/state", "firing\n");
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/backups/now"), ==, 0);
  assert_soon (!exists (f, "alarms/firing/backup-old~h1-1"));
  g_assert_true (exists (f, "alarms/firing/backup-old~h1-2"));
}

/* Rights. */

static void
test_rights (Fixture *f, gconstpointer data)
{
  struct stat st;

  make (f, "off", "state", "vms", "== shutoff");
  st = stat_at (f, "alarms/off/metric");
  g_assert_cmpuint (st.st_mode & 0777, ==, 0640);
  g_assert_cmpint (sh_quietly (f, "chmod 0770 alarms"), ==, 0);
  st = stat_at (f, "alarms/off/metric");
  g_assert_cmpuint (st.st_mode & 0777, ==, 0660);
  st = stat_at (f, "alarms/off/hook");
  g_assert_cmpuint (st.st_mode & 0022, ==, 0);
  g_assert_cmpint (sh_quietly (f, "chmod 0777 alarms/off 2> /dev/null"), !=, 0);
}

/* Hooks. */

typedef struct {
  char *dir, *program, *out;
} Hook;

static Hook
make_hook (const char *script)
{
  Hook hook = { .dir = g_dir_make_tmp ("virfs-hook-XXXXXX", NULL) };
  g_autofree char *text = NULL;

  hook.program = g_build_filename (hook.dir, "hook", NULL);
  hook.out = g_build_filename (hook.dir, "out", NULL);
  text = g_strdup_printf ("#!/bin/sh\nout='%s'\n%s\n", hook.out, script);
  g_assert_true (g_file_set_contents (hook.program, text, -1, NULL));
  g_assert_cmpint (g_chmod (hook.program, 0755), ==, 0);
  return hook;
}

static void
end_hook (Hook *hook)
{
  g_unlink (hook->program);
  g_unlink (hook->out);
  g_assert_cmpint (g_rmdir (hook->dir), ==, 0);
  g_free (hook->dir);
  g_free (hook->program);
  g_free (hook->out);
}

static gboolean
wrote (const Hook *hook, const char *words)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (hook->out, &text, NULL, NULL) && strstr (text, words) != NULL;
}

/* What has ended and was not waited for yet is not. */
static gboolean
is_alive (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && strstr (text, ") Z ") == NULL;
}

static void
test_hook (Fixture *f, gconstpointer data)
{
  Hook hook = make_hook ("{ env | sort; cat; pwd; echo end; } >> $out; echo it was mailed");

  virfs_infra_set_hooks (f->infra, f->dir, 30);
  make (f, "off", "state", "vms/h1-1", "== shutoff");
  g_assert_cmpint (echo (f, "a\\nb $(reboot)", "alarms/off/description"), ==, 0);
  g_assert_cmpint (echo (f, hook.program, "alarms/off/hook"), ==, 0);
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_soon (wrote (&hook, "\nend\n"));
  g_assert_true (wrote (&hook, "VIRFS_ALARM=off\nVIRFS_CONDITION=== shutoff\n"
                               "VIRFS_DESCRIPTION=a\\nb $(reboot)\nVIRFS_METRIC=state\n"));
  g_assert_true (wrote (&hook, "\nVIRFS_OBJECT=vms/h1-1\nVIRFS_SEVERITY=warning\n"));
  g_assert_true (wrote (&hook, "\nVIRFS_STATE=raised\nVIRFS_VALUE=shutoff\n/\nend\n"));
  g_assert_true (wrote (&hook, f->dir));
  assert_soon (
    says (f, "events/log", "alarms/off hook value=done object=vms/h1-1 output=\"it was mailed\""));
  set_state (f, "h1-1", VIRFS_VM_RUNNING);
  assert_soon (wrote (&hook, "\nVIRFS_STATE=cleared\n"));
  g_assert_cmpint (echo (f, "", "alarms/off/hook"), ==, 0);
  assert_reads (f, "alarms/off/hook", "");
  end_hook (&hook);
}

static void
test_hook_fails (Fixture *f, gconstpointer data)
{
  Hook hook = make_hook ("echo no mail today; exit 3");

  make (f, "off", "state", "vms/h1-1", "== shutoff");
  g_assert_cmpint (echo (f, hook.program, "alarms/off/hook"), ==, 0);
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_soon (says (f, "error", "alarms/off/hook uid="));
  assert_says (f, "error", "status 3");
  assert_soon (says (f, "events/log", "output=\"no mail today\""));
  /* what others could change is not run, whatever it was before */
  g_assert_cmpint (g_chmod (hook.program, 0775), ==, 0);
  set_state (f, "h1-1", VIRFS_VM_RUNNING);
  assert_soon (says (f, "error", "can be changed by"));
  g_assert_cmpint (echo (f, hook.program, "alarms/off/hook"), ==, EPERM);
  g_assert_cmpint (g_chmod (hook.program, 0755), ==, 0);
  g_assert_cmpint (g_chmod (hook.dir, 0777), ==, 0);
  g_assert_cmpint (echo (f, hook.program, "alarms/off/hook"), ==, EPERM);
  assert_says (f, "error", "so nothing in it is run");
  g_assert_cmpint (g_chmod (hook.dir, 0700), ==, 0);
  g_unlink (hook.program);
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_soon (says (f, "error", "No such file"));
  end_hook (&hook);
}

static void
test_hook_hangs (Fixture *f, gconstpointer data)
{
  Hook hook = make_hook ("echo begun >> $out; sleep 1000");

  virfs_infra_set_hooks (f->infra, f->dir, 1);
  make (f, "off", "state", "vms/h1-1", "== shutoff");
  g_assert_cmpint (echo (f, hook.program, "alarms/off/hook"), ==, 0);
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_soon (says (f, "error", "was killed"));
  /* and one that hangs at the end holds nobody up for long */
  virfs_infra_set_hooks (f->infra, f->dir, 3600);
  g_unlink (hook.out);
  set_state (f, "h1-1", VIRFS_VM_RUNNING);
  assert_soon (wrote (&hook, "begun"));
  virfs_infra_stop (f->infra, G_USEC_PER_SEC);
  end_hook (&hook);
}

/* What one leaves behind ends with it. */
static void
test_hook_leaves (Fixture *f, gconstpointer data)
{
  Hook hook = make_hook ("sleep 1000 & echo $! > $out; echo it was mailed");
  g_autofree char *pid = NULL;

  make (f, "off", "state", "vms/h1-1", "== shutoff");
  g_assert_cmpint (echo (f, hook.program, "alarms/off/hook"), ==, 0);
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_soon (says (f, "events/log", "alarms/off hook value=done"));
  g_assert_true (g_file_get_contents (hook.out, &pid, NULL, NULL));
  assert_soon (!is_alive (atoi (pid)));
  end_hook (&hook);
}

/* Records in memory, as a store keeps them. */

static GHashTable *records; /* "KIND/KEY" -> text; under lock */
static GMutex lock;

static gboolean
keep (gpointer data, const char *kind, const char *key, const char *text, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_hash_table_replace (records, g_strdup_printf ("%s/%s", kind, key), g_strdup (text));
  return TRUE;
}

static gboolean
forget (gpointer data, const char *kind, const char *key, GError **error)
{
  g_autofree char *record = g_strdup_printf ("%s/%s", kind, key);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_hash_table_remove (records, record);
  return TRUE;
}

static gboolean
recall (gpointer data, const char *kind, VirfsRecordFunc func, gpointer user, GError **error)
{
  g_autofree char *prefix = g_strconcat (kind, "/", NULL);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  GHashTableIter iter;
  gpointer key, text;

  g_hash_table_iter_init (&iter, records);
  while (g_hash_table_iter_next (&iter, &key, &text))
    if (g_str_has_prefix (key, prefix))
      func ((const char *) key + strlen (prefix), text, user);
  return TRUE;
}

static GPtrArray *
recall_vms (gpointer data, const char *host)
{
  return NULL;
}

static const VirfsKeeper keeper
  = { .keep = keep, .forget = forget, .recall = recall, .recall_vms = recall_vms };

static void
set_up_kept (Fixture *f, gconstpointer hosts)
{
  records = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  fixture_keeper = &keeper;
  set_up (f, hosts);
}

static void
tear_down_kept (Fixture *f, gconstpointer hosts)
{
  fixture_tear_down (f, hosts);
  fixture_keeper = NULL;
  g_hash_table_unref (records);
}

static void
test_restart (Fixture *f, gconstpointer hosts)
{
  g_autofree char *firing = NULL;
  Hook hook = make_hook ("echo $VIRFS_OBJECT $VIRFS_STATE >> $out");

  make (f, "off", "state", "vms", "== shutoff");
  g_assert_cmpint (echo (f, hook.program, "alarms/off/hook"), ==, 0);
  g_assert_cmpint (echo (f, "vms/h1-2", "alarms/off/ack"), ==, 0);
  g_assert_cmpint (mv (f, "alarms/off", "alarms/halted"), ==, 0);
  g_assert_cmpint (rmdir_at (f, "alarms/host-cpu"), ==, 0);
  g_assert_cmpint (echo (f, "> 80", "alarms/pool-filling/condition"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "alarms/draft"), ==, 0);
  firing = cat (f, "alarms/halted/firing");
  fixture_tear_down (f, hosts);
  fixture_set_up (f, hosts);

  assert_reads (f, "alarms/halted/condition", "== shutoff\n");
  assert_reads (f, "alarms/halted/firing", firing);
  assert_reads (f, "alarms/halted/ack", "all\nvms/h2-2\n");
  assert_reads (f, "alarms/draft/state", "draft\n");
  assert_reads (f, "alarms/pool-filling/condition", "> 80\n");
  g_assert_false (exists (f, "alarms/host-cpu"));
  assert_soon_reads (f, "vms/h1-2/alarms", "halted\n");
  assert_soon (exists (f, "alarms/firing/halted~h1-2"));
  /* it is not raised anew */
  g_assert_false (says (f, "events/log", "name=halted"));
  set_state (f, "h1-2", VIRFS_VM_RUNNING);
  assert_soon (wrote (&hook, "vms/h1-2 cleared\n"));
  g_assert_false (wrote (&hook, "raised"));
  /* what was removed can be made again, and is another */
  make (f, "host-cpu", "cpu_load", "hosts", "> 5");
  fixture_tear_down (f, hosts);
  fixture_set_up (f, hosts);
  assert_reads (f, "alarms/host-cpu/condition", "> 5\n");
  end_hook (&hook);
}

/* A guest that went meanwhile is not waited for. */
static void
test_restart_gone (Fixture *f, gconstpointer hosts)
{
  make (f, "off", "state", "vms", "== shutoff");
  assert_lists (f, "alarms/firing", "off~h1-2 off~h2-2");
  fixture_tear_down (f, hosts);
  fixture_set_up (f, "h1=fake:3 h2=fake:1");
  g_assert_true (says (f, "alarms/off/firing", "h1-2"));
  assert_soon (!says (f, "alarms/off/firing", "h2-2"));
  g_assert_true (says (f, "alarms/off/firing", "h1-2"));
  assert_soon (says (f, "events/log", "alarms/off alarm value=cleared name=off object=vms/h2-2"));
  g_assert_false (says (f, "events/log", "value=raised name=off"));
}

/* FIRING, of alarms/RULE, is the same after a restart, before any host has come. */
static void
assert_outlives (Fixture *f, const char *rule, const char *words)
{
  g_autofree char *path = g_strdup_printf ("alarms/%s/firing", rule);
  g_autofree char *firing = NULL;

  assert_soon (says (f, path, words));
  firing = cat (f, path);
  fixture_tear_down (f, NULL);
  fixture_set_up (f, NULL);
  assert_reads (f, path, firing);
}

static void
test_restart_pool (Fixture *f, gconstpointer hosts)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h1");
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *info = virfs_host_info_copy (known);
  GPtrArray *pools = virfs_fake_pools ("h1");
  VirfsPoolInfo *pool = virfs_part_info_new (&virfs_pool_class, "a[b]");

  pool->state = "running";
  pool->capacity = pool->available = 1000;
  g_ptr_array_add (pools, pool);
  virfs_part_list_sort (pools);
  virfs_part_lists_set (info->parts, VIRFS_HOST_POOLS, pools);
  virfs_infra_update_host (f->infra, host, info, NULL);
  make (f, "little", "available", "pools", "< 1E");
  assert_outlives (f, "little", "hosts/h1/pools/a[b]");
}

/* A definition that was left behind on another host. */
static void
test_restart_twin (Fixture *f, gconstpointer hosts)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h2");

  virfs_infra_update_vm (f->infra, host, virfs_fake_vm ("h1-2", 2, VIRFS_VM_SHUTOFF));
  make (f, "off", "state", "vms/h1-2*", "== shutoff");
  assert_outlives (f, "off", "vms/h1-2~h2");
}

#define ADD_KEPT(path, func) g_test_add (path, Fixture, FLEET, set_up_kept, func, tear_down_kept)
#define ADD(path, func)      g_test_add (path, Fixture, FLEET, set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/alarms/rule", test_rule);
  ADD ("/alarms/bad-input", test_bad_input);
  ADD ("/alarms/names", test_names);
  ADD ("/alarms/hosts", test_hosts);
  ADD ("/alarms/pools", test_pools);
  ADD ("/alarms/gone", test_gone);
  ADD ("/alarms/acknowledge", test_acknowledge);
  ADD ("/alarms/duration", test_duration);
  ADD ("/alarms/metrics", test_metrics);
  ADD ("/alarms/backups", test_backups);
  ADD ("/alarms/rights", test_rights);
  ADD ("/alarms/hook", test_hook);
  ADD ("/alarms/hook-fails", test_hook_fails);
  ADD ("/alarms/hook-hangs", test_hook_hangs);
  ADD ("/alarms/hook-leaves", test_hook_leaves);
  ADD_KEPT ("/alarms/restart", test_restart);
  ADD_KEPT ("/alarms/restart-gone", test_restart_gone);
  ADD_KEPT ("/alarms/restart-pool", test_restart_pool);
  ADD_KEPT ("/alarms/restart-twin", test_restart_twin);
  return g_test_run ();
}
