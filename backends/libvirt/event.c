/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop and the callbacks.  What an event says of a guest's state is told at once, so that
 * it can be seen within microseconds; then the guest is read again, which makes true whatever came
 * in the wrong order.  What is no state is a line in the log of events.
 */
#include "event_private.h"

#include "agent.h"
#include "connection.h"
#include "gate.h"
#include "move.h"
#include "operate.h"
#include "state.h"
#include "wait.h"

static gpointer
run_loop (gpointer data)
{
  for (;;)
    virEventRunDefaultImpl ();
  return NULL;
}

void
lv_events_start (void)
{
  static gsize started;

  if (g_once_init_enter (&started)) {
    virEventRegisterDefaultImpl ();
    g_thread_unref (g_thread_new ("virfs-events", run_loop, NULL));
    g_once_init_leave (&started, 1);
  }
}

/* Guests. */

static void
refresh (LvLink *link, virDomainPtr domain, gint64 born)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  virDomainGetUUIDString (domain, uuid);
  lv_connection_queue (link, uuid, born);
}

/* Something that a backup of the guest may not have survived. */
static void
look_at_backup (LvLink *link, virDomainPtr domain)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  virDomainGetUUIDString (domain, uuid);
  lv_backup_look (link, uuid, TRUE);
}

/* If the hypervisor is gone, so is what it copied, of which it can say nothing; and what is copied of a
 * guest that is shut off is of no use once it was started. */
static void
tell_moves (LvLink *link, virDomainPtr domain, int event)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  virDomainGetUUIDString (domain, uuid);
  if (event == VIR_DOMAIN_EVENT_STOPPED)
    lv_move_tell_stopped (link, uuid);
  else if (event == VIR_DOMAIN_EVENT_STARTED)
    lv_move_tell_started (link, uuid);
}

/* Takes DETAILS. */
static void
tell_details (LvLink *link, virDomainPtr domain, const char *kind, char *details)
{
  g_autofree char *taken = details;
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  virDomainGetUUIDString (domain, uuid);
  lv_gate_tell_event (link, uuid, kind, taken);
}

/* Keys, each with its value.  Names and reasons are what others chose: never put together by hand. */
#define tell(link, domain, kind, ...)                                                              \
  tell_details (link, domain, kind, virfs_event_details (__VA_ARGS__, NULL))

typedef struct {
  VirfsVmState state;
  const char *reason;
  int id;
} StateChange;

static void
take_state (VirfsVmInfo *info, gpointer data)
{
  const StateChange *change = data;

  info->state = change->state;
  info->reason = change->reason;
  info->id = change->id;
}

static int
on_lifecycle (virConnectPtr conn, virDomainPtr domain, int event, int detail, void *link)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  gboolean is_new = event == VIR_DOMAIN_EVENT_DEFINED && detail == VIR_DOMAIN_EVENT_DEFINED_ADDED;
  StateChange change = { .id = -1 };

  if (lv_state_of_event (event, detail, &change.state, &change.reason)) {
    if (change.state != VIRFS_VM_SHUTOFF)
      change.id = (int) virDomainGetID (domain);
    virDomainGetUUIDString (domain, uuid);
    lv_gate_hint_vm (link, uuid, take_state, &change);
  }
  if (event == VIR_DOMAIN_EVENT_STOPPED || event == VIR_DOMAIN_EVENT_SUSPENDED)
    look_at_backup (link, domain);
  tell_moves (link, domain, event);
  refresh (link, domain, is_new ? g_get_real_time () : 0);
  return 0;
}

static void
on_reboot (virConnectPtr conn, virDomainPtr domain, void *link)
{
  tell (link, domain, "reboot", "by", "guest");
  refresh (link, domain, 0);
}

static void
on_control_error (virConnectPtr conn, virDomainPtr domain, void *link)
{
  tell (link, domain, "control-error", "by", "hypervisor");
  refresh (link, domain, 0);
}

static void
on_rtc (virConnectPtr conn, virDomainPtr domain, long long offset, void *link)
{
  g_autofree char *seconds = g_strdup_printf ("%lld", offset);

  tell (link, domain, "clock", "offset", seconds);
  refresh (link, domain, 0);
}

static void
on_watchdog (virConnectPtr conn, virDomainPtr domain, int action, void *link)
{
  static const char *const actions[] = {
    "none", "pause", "reset", "poweroff", "shutdown", "debug", "inject-nmi",
  };

  tell (link, domain, "watchdog", "action", LV_WORD (actions, action));
  refresh (link, domain, 0);
}

static void
on_io_error (virConnectPtr conn, virDomainPtr domain, const char *path, const char *alias,
             int action, const char *reason, void *link)
{
  static const char *const actions[] = { "none", "pause", "report" };

  tell (link, domain, "io-error", "device", alias, "path", path, "action",
        LV_WORD (actions, action), "reason", reason && *reason ? reason : "unknown");
  look_at_backup (link, domain);
  refresh (link, domain, 0);
}

static void
on_graphics (virConnectPtr conn, virDomainPtr domain, int phase,
             const virDomainEventGraphicsAddress *local,
             const virDomainEventGraphicsAddress *remote, const char *scheme,
             const virDomainEventGraphicsSubject *subject, void *link)
{
  static const char *const phases[] = { "connect", "initialize", "disconnect" };

  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  tell (link, domain, "graphics", "phase", LV_WORD (phases, phase), "from",
        remote && remote->node ? remote->node : "unknown");
  virDomainGetUUIDString (domain, uuid);
  if (phase == VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE)
    lv_password_used (link, uuid);
}

static void
on_block_job (virConnectPtr conn, virDomainPtr domain, const char *disk, int type, int status,
              void *link)
{
  static const char *const types[] = { NULL, "pull", "copy", "commit", "active-commit", "backup" };
  static const char *const statuses[] = { "completed", "failed", "canceled", "ready" };
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  virDomainGetUUIDString (domain, uuid);
  if (type == VIR_DOMAIN_BLOCK_JOB_TYPE_COPY)
    lv_move_tell (link, uuid, disk, status);
  tell (link, domain, "block-job", "disk", disk, "type", LV_WORD (types, type), "status",
        LV_WORD (statuses, status));
  refresh (link, domain, 0);
}

static void
on_disk_change (virConnectPtr conn, virDomainPtr domain, const char *old, const char *new,
                const char *alias, int reason, void *link)
{
  tell (link, domain, "disk-change", "device", alias);
  refresh (link, domain, 0);
}

static void
on_tray (virConnectPtr conn, virDomainPtr domain, const char *alias, int reason, void *link)
{
  static const char *const reasons[] = { "open", "close" };

  tell (link, domain, "tray", "device", alias, "value", LV_WORD (reasons, reason));
  refresh (link, domain, 0);
}

static void
on_power (virConnectPtr conn, virDomainPtr domain, int reason, void *link)
{
  refresh (link, domain, 0);
}

static void
on_balloon (virConnectPtr conn, virDomainPtr domain, unsigned long long kib, void *link)
{
  refresh (link, domain, 0);
}

static void
on_device_added (virConnectPtr conn, virDomainPtr domain, const char *alias, void *link)
{
  tell (link, domain, "device-added", "device", alias);
  refresh (link, domain, 0);
}

static void
on_device_removed (virConnectPtr conn, virDomainPtr domain, const char *alias, void *link)
{
  tell (link, domain, "device-removed", "device", alias);
  refresh (link, domain, 0);
}

static void
on_removal_failed (virConnectPtr conn, virDomainPtr domain, const char *alias, void *link)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  tell (link, domain, "device-removal-failed", "device", alias);
  virDomainGetUUIDString (domain, uuid);
  lv_wait_refuse (((LvLink *) link)->connection, uuid, alias);
}

static void
on_tunable (virConnectPtr conn, virDomainPtr domain, virTypedParameterPtr params, int n, void *link)
{
  refresh (link, domain, 0);
}

static void
take_agent (VirfsVmInfo *info, gpointer agent)
{
  info->agent = agent;
}

/* Whoever is new has to say something, also if nobody has seen the one before leave. */
static void
take_agent_state (LvLink *link, virDomainPtr domain, int state)
{
  gboolean connected = state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED;
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  virDomainGetUUIDString (domain, uuid);
  lv_gate_hint_vm (link, uuid, take_agent,
                   connected ? VIRFS_AGENT_CONNECTED : VIRFS_AGENT_DISCONNECTED);
  if (connected)
    lv_agent_queue (link, uuid);
}

static void
on_agent (virConnectPtr conn, virDomainPtr domain, int state, int reason, void *link)
{
  static const char *const states[] = { NULL, "connected", "disconnected" };

  tell (link, domain, "agent", "value", LV_WORD (states, state));
  take_agent_state (link, domain, state);
  refresh (link, domain, 0);
}

static void
on_migration_iteration (virConnectPtr conn, virDomainPtr domain, int iteration, void *link)
{
  g_autofree char *number = g_strdup_printf ("%d", iteration);

  tell (link, domain, "migration-iteration", "number", number);
}

static void
on_job_completed (virConnectPtr conn, virDomainPtr domain, virTypedParameterPtr params, int n,
                  void *link)
{
  static const char *const operations[] = {
    "unknown",  "start",           "save", "restore", "migration-in",    "migration-out",
    "snapshot", "snapshot-revert", "dump", "backup",  "snapshot-delete",
  };
  int operation = 0, success = 1;

  virTypedParamsGetInt (params, n, VIR_DOMAIN_JOB_OPERATION, &operation);
  virTypedParamsGetBoolean (params, n, VIR_DOMAIN_JOB_SUCCESS, &success);
  tell (link, domain, "hypervisor-job", "operation", LV_WORD (operations, operation), "success",
        success ? "1" : "0");
  lv_link_job_ended (link);
  if (operation == VIR_DOMAIN_JOB_OPERATION_BACKUP)
    look_at_backup (link, domain);
  refresh (link, domain, 0);
}

static void
on_metadata (virConnectPtr conn, virDomainPtr domain, int type, const char *uri, void *link)
{
  refresh (link, domain, 0);
}

static void
on_block_threshold (virConnectPtr conn, virDomainPtr domain, const char *disk, const char *path,
                    unsigned long long threshold, unsigned long long excess, void *link)
{
  g_autofree char *at = g_strdup_printf ("%llu", threshold);
  g_autofree char *over = g_strdup_printf ("%llu", excess);

  tell (link, domain, "block-threshold", "disk", disk, "threshold", at, "excess", over);
  look_at_backup (link, domain);
}

static void
on_memory_failure (virConnectPtr conn, virDomainPtr domain, int recipient, int action,
                   unsigned int flags, void *link)
{
  static const char *const recipients[] = { "hypervisor", "guest" };
  static const char *const actions[] = { "ignore", "inject", "fatal", "reset" };

  tell (link, domain, "memory-failure", "recipient", LV_WORD (recipients, recipient), "action",
        LV_WORD (actions, action));
}

static void
on_memory_device (virConnectPtr conn, virDomainPtr domain, const char *alias,
                  unsigned long long kib, void *link)
{
  refresh (link, domain, 0);
}

/* IO_ERROR and BLOCK_JOB say less of what their successors in this table say, too. */
static const struct {
  int kind;
  virConnectDomainEventGenericCallback callback;
} kinds[] = {
  { VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK (on_lifecycle) },
  { VIR_DOMAIN_EVENT_ID_REBOOT, on_reboot },
  { VIR_DOMAIN_EVENT_ID_RTC_CHANGE, VIR_DOMAIN_EVENT_CALLBACK (on_rtc) },
  { VIR_DOMAIN_EVENT_ID_WATCHDOG, VIR_DOMAIN_EVENT_CALLBACK (on_watchdog) },
  { VIR_DOMAIN_EVENT_ID_GRAPHICS, VIR_DOMAIN_EVENT_CALLBACK (on_graphics) },
  { VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, VIR_DOMAIN_EVENT_CALLBACK (on_io_error) },
  { VIR_DOMAIN_EVENT_ID_CONTROL_ERROR, on_control_error },
  { VIR_DOMAIN_EVENT_ID_DISK_CHANGE, VIR_DOMAIN_EVENT_CALLBACK (on_disk_change) },
  { VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, VIR_DOMAIN_EVENT_CALLBACK (on_tray) },
  { VIR_DOMAIN_EVENT_ID_PMWAKEUP, VIR_DOMAIN_EVENT_CALLBACK (on_power) },
  { VIR_DOMAIN_EVENT_ID_PMSUSPEND, VIR_DOMAIN_EVENT_CALLBACK (on_power) },
  { VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, VIR_DOMAIN_EVENT_CALLBACK (on_power) },
  { VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK (on_balloon) },
  { VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK (on_device_added) },
  { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK (on_device_removed) },
  { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, VIR_DOMAIN_EVENT_CALLBACK (on_removal_failed) },
  { VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, VIR_DOMAIN_EVENT_CALLBACK (on_block_job) },
  { VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD, VIR_DOMAIN_EVENT_CALLBACK (on_block_threshold) },
  { VIR_DOMAIN_EVENT_ID_TUNABLE, VIR_DOMAIN_EVENT_CALLBACK (on_tunable) },
  { VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK (on_agent) },
  { VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, VIR_DOMAIN_EVENT_CALLBACK (on_migration_iteration) },
  { VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK (on_job_completed) },
  { VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK (on_metadata) },
  { VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE, VIR_DOMAIN_EVENT_CALLBACK (on_memory_failure) },
  { VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE, VIR_DOMAIN_EVENT_CALLBACK (on_memory_device) },
};

/* Registering. */

void
lv_events_unref_link (void *link)
{
  lv_link_unref (link);
}

void
lv_events_note (LvLink *link, int (*deregister) (virConnectPtr, int), int id)
{
  LvRegistration registration = { deregister, id };

  if (id >= 0)
    g_array_append_val (link->registrations, registration);
  else
    lv_link_unref (link);
}

void
lv_events_register (LvLink *link, virConnectPtr conn)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    int id = LV (virConnectDomainEventRegisterAny (conn, NULL, kinds[i].kind, kinds[i].callback,
                                                   lv_link_ref (link), lv_events_unref_link));

    lv_events_note (link, virConnectDomainEventDeregisterAny, id);
    link->has_events |= id >= 0 && kinds[i].kind == VIR_DOMAIN_EVENT_ID_LIFECYCLE;
  }
  lv_events_register_host (link, conn);
}
