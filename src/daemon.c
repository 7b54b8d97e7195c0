/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of the program.  The main thread serves FUSE.  The hosts are connected by a thread of its
 * own, so that the tree can be used meanwhile; another waits for a signal to end it all.
 */
#include "daemon.h"

#include "alarm.h"
#include "alarm_measure.h"
#include "console.h"
#include "files_dir.h"
#include "fleetwide.h"
#include "forecast.h"
#include "guard.h"
#include "guest_files.h"
#include "history_db.h"
#include "image.h"
#include "infra.h"
#include "libvirt.h"
#include "maintenance.h"
#include "metrics.h"
#include "mountpoint.h"
#include "store.h"
#include "tariff.h"
#include "tree.h"
#include "upkeep.h"
#include "version.h"

#include <signal.h>
#include <unistd.h>

/* How long the end waits for what is under way to be stopped. */
#define STOP_TIMEOUT (5 * G_TIME_SPAN_SECOND)

typedef struct {
  const VirfsDaemon *daemon;
  VirfsInfra *infra;
  VirfsStore *store; /* may be NULL */
} Starter;

static gpointer
connect_hosts (gpointer data)
{
  Starter *starter = data;
  const VirfsConfig *config = starter->daemon->config;

  for (guint i = 0; i < config->hosts->len; i++) {
    const VirfsConfigHost *host = config->hosts->pdata[i];
    g_autoptr (GError) error = NULL;
    g_autoptr (VirfsHost) added
      = virfs_infra_add_host (starter->infra, host->name, host->uri, &error);

    if (added == NULL)
      g_warning ("host %s: %s", host->name, error->message);
  }
  if (starter->store != NULL)
    virfs_store_restore (starter->store);
  virfs_infra_settle (starter->infra, config->connect_timeout * G_TIME_SPAN_SECOND);
  if (starter->daemon->ready != NULL)
    starter->daemon->ready (starter->daemon->data);
  return NULL;
}

/* The signals that end the program; blocked in all threads. */
static void
get_signals (sigset_t *set)
{
  sigemptyset (set);
  sigaddset (set, SIGINT);
  sigaddset (set, SIGTERM);
  sigaddset (set, SIGHUP);
}

typedef struct {
  VirfsSession *session;
  VirfsInfra *infra;
} Ender;

/* All is still served while what is under way is stopped, because who waits for it may hold locks of the
 * kernel that others wait for. */
static gpointer
wait_for_signal (gpointer data)
{
  Ender *ender = data;
  sigset_t set;
  int number;

  get_signals (&set);
  sigwait (&set, &number);
  virfs_infra_stop (ender->infra, STOP_TIMEOUT);
  virfs_session_end (ender->session);
  return NULL;
}

static gboolean
serve (VirfsSession *session, VirfsInfra *infra, VirfsStore *store, const VirfsDaemon *daemon,
       GError **error)
{
  Starter starter = { daemon, infra, store };
  Ender ender = { session, infra };
  GThread *start = g_thread_new ("connect", connect_hosts, &starter);
  GThread *end = g_thread_new ("signals", wait_for_signal, &ender);
  int result = virfs_session_run (session);

  /* it may have been unmounted by others */
  kill (getpid (), SIGTERM);
  g_thread_join (end);
  g_thread_join (start);
  virfs_guest_files_end_all (session); /* whoever waits for an appliance is answered */
  virfs_session_unmount (session);
  if (result < 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "the file system ended: %s",
                 g_strerror (-result));
  return result >= 0;
}

/* *STORE is NULL if there is to be none.  Who has chosen a place gets that or nothing; of several
 * programs at the usual place the first has the store. */
static gboolean
open_store (const VirfsConfig *config, VirfsStore **store, GError **error)
{
  g_autofree char *usual = virfs_config_default_store ();
  g_autoptr (GError) wrong = NULL;

  if (g_strcmp0 (config->store, VIRFS_STORE_NONE) == 0)
    return TRUE;
  *store = virfs_store_open (config->store ? config->store : usual, &wrong);
  if (*store != NULL)
    return TRUE;
  if (config->store == NULL && g_error_matches (wrong, VIRFS_ERROR, VIRFS_ERROR_BUSY)) {
    g_message ("%s; this one goes on without a store: hosts and drafts that are made with mkdir end"
               " with it (see store in virfs.conf(5))",
               wrong->message);
    return TRUE;
  }
  g_propagate_prefixed_error (error, g_steal_pointer (&wrong),
                              "the store cannot be used (see store in virfs.conf(5)): ");
  return FALSE;
}

/* NULL: none is kept, or none can be, which is no reason not to begin. */
static VirfsHistoryDb *
open_history (const VirfsConfig *config)
{
  g_autofree char *usual = virfs_config_default_store ();
  g_autoptr (GError) error = NULL;
  VirfsHistoryDb *db;

  if (!config->history)
    return NULL;
  db = virfs_history_db_open (config->store ? config->store : usual, &error);
  if (db == NULL)
    g_warning ("no history of metrics is kept: %s", error->message);
  return db;
}

static void
start_history (VirfsInfra *infra, VirfsHistoryDb *db, const VirfsConfig *config)
{
  VirfsHistoryOptions options = {
    .keep = { config->history_hours * G_TIME_SPAN_HOUR, config->history_days * G_TIME_SPAN_DAY,
              config->history_years * 366 * G_TIME_SPAN_DAY },
    .max_bytes = (guint64) config->history_mib << 20,
  };

  virfs_history_start (virfs_infra_history (infra), virfs_history_db_store (db), &options);
  virfs_metrics_hold (virfs_infra_metrics (infra), VIRFS_METRICS_FOR_HISTORY, TRUE);
}

static void
set_image_pools (VirfsInfra *infra, const VirfsConfig *config)
{
  if (config->images != NULL)
    virfs_infra_set_image_pool (infra, NULL, config->images);
  for (guint i = 0; i < config->hosts->len; i++) {
    const VirfsConfigHost *host = config->hosts->pdata[i];

    if (host->images != NULL)
      virfs_infra_set_image_pool (infra, host->name, host->images);
  }
}

static void
set_tariff (VirfsInfra *infra, const VirfsConfig *config)
{
  VirfsTariff *tariff = virfs_tariff_new ();

  tariff->currency = g_strdup (config->currency);
  tariff->kwh = config->price_kwh;
  tariff->vcpu_hour = config->price_vcpu_hour;
  tariff->gib_hour = config->price_gib_hour;
  tariff->gib_month = config->price_gib_month;
  tariff->old_days = config->report_days;
  for (guint i = 0; i < config->hosts->len; i++) {
    const VirfsConfigHost *host = config->hosts->pdata[i];

    if (host->watts_idle > 0 || host->watts_max > 0)
      virfs_tariff_set_power (tariff, host->name, host->watts_idle, host->watts_max);
  }
  virfs_infra_set_tariff (infra, tariff);
}

static gboolean
mount_and_serve (VirfsInfra *infra, VirfsStore *store, const VirfsDaemon *daemon, int *hold,
                 GError **error)
{
  g_autoptr (VirfsTree) tree = virfs_tree_new (infra);
  VirfsSession *session = virfs_session_new (&virfs_tree_ops, tree, daemon->options, error);
  gboolean served = FALSE;

  if (session == NULL)
    return FALSE;
  if (virfs_session_mount (session, daemon->mountpoint, error)) {
    int guard = virfs_guard_start (daemon->mountpoint);

    virfs_mountpoint_release (hold);
    virfs_tree_set_session (tree, session);
    served = serve (session, infra, store, daemon, error);
    virfs_tree_set_session (tree, NULL);
    virfs_guard_end (guard);
  }
  virfs_session_free (session);
  return served;
}

/* What is the same for all hosts and guests. */
static void
init_backends (const VirfsConfig *config)
{
  VirfsLibvirtOptions options = {
    .poll_interval = config->poll_interval,
    .move_mib = config->move_mib,
    .keepalive_interval = config->keepalive_interval,
    .keepalive_count = config->keepalive_count,
    .reconnect_max = config->reconnect_max,
    .freeze_timeout = config->freeze_timeout,
    .agent_interval = config->agent_interval,
    .password_timeout = config->password_timeout,
  };
  VirfsGuestfsOptions guestfs
    = { .appliances = config->appliances, .idle = config->appliance_idle };

  virfs_guestfs_init (&guestfs);
  virfs_guest_files_set_opener (virfs_guestfs_open);
  virfs_libvirt_init (&options);
}

/* STORE may be NULL. */
static gboolean
restore_infra (VirfsInfra *infra, VirfsStore *store, const VirfsConfig *config, GError **error)
{
  virfs_console_set_limit (infra, config->console_log);
  virfs_metrics_set_interval (virfs_infra_metrics (infra), config->metrics_interval);
  if (store != NULL)
    virfs_store_set_events_keep (store, (guint64) config->events_keep << 20);
  if (store != NULL && !virfs_store_attach (store, infra, error))
    return FALSE;
  virfs_infra_restore_image_notes (infra);
  virfs_infra_restore_upkeep (infra);
  virfs_infra_set_drain_parallel (infra, config->drain_parallel);
  return TRUE;
}

static void
start_infra (VirfsInfra *infra, const VirfsDaemon *daemon, gboolean history)
{
  virfs_measure_set_forecast (virfs_forecast_pool_full);
  virfs_infra_set_hooks (infra, daemon->mountpoint, daemon->config->hook_timeout);
  virfs_infra_start_alarms (infra, history);
  virfs_infra_start_fleet (infra);
  set_image_pools (infra, daemon->config);
  virfs_infra_event (infra, NULL, "started", "version=" VIRFS_VERSION);
  set_tariff (infra, daemon->config);
}

/* HOLD: of the mountpoint; given up when it is mounted. */
static gboolean
run (const VirfsDaemon *daemon, int *hold, GError **error)
{
  const VirfsConfig *config = daemon->config;
  g_autoptr (VirfsHistoryDb) history = NULL; /* used until the end of infra */
  g_autoptr (VirfsInfra) infra = NULL;
  g_autoptr (VirfsStore) store = NULL;
  sigset_t signals;
  gboolean served;

  get_signals (&signals);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  if (!open_store (config, &store, error))
    return FALSE;
  init_backends (config);
  infra = virfs_infra_new (&virfs_libvirt_backend, config->shutdown_timeout);
  if (!restore_infra (infra, store, config, error))
    return FALSE;
  history = store ? open_history (config) : NULL;
  if (history != NULL)
    start_history (infra, history, config);
  start_infra (infra, daemon, history != NULL);
  served = mount_and_serve (infra, store, daemon, hold, error);
  /* what has begun before it could be mounted; after serve() there is nothing left to stop */
  virfs_infra_stop (infra, STOP_TIMEOUT);
  virfs_infra_event (infra, NULL, "stopped", NULL);
  g_clear_pointer (&store, virfs_store_close);
  return served;
}

gboolean
virfs_daemon_run (const VirfsDaemon *daemon, GError **error)
{
  int hold;
  gboolean done;

  /* first of all: the store is another's as long as the mountpoint is */
  if (!virfs_mountpoint_take (daemon->mountpoint, &hold, error))
    return FALSE;
  done = run (daemon, &hold, error);
  virfs_mountpoint_release (&hold);
  return done;
}
