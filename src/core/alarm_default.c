/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an administrator would want to be told of.  That a guest's or host's clock is off is not among it:
 * libvirt tells no host's time, and a guest's only if its agent is asked each time.
 */
#include "alarm_default.h"

#define METRIC      [VIRFS_RULE_METRIC]
#define OBJECTS     [VIRFS_RULE_OBJECTS]
#define CONDITION   [VIRFS_RULE_CONDITION]
#define CLEAR       [VIRFS_RULE_CLEAR]
#define DURATION    [VIRFS_RULE_DURATION]
#define SEVERITY    [VIRFS_RULE_SEVERITY]
#define DESCRIPTION [VIRFS_RULE_DESCRIPTION]

const VirfsDefaultAlarm virfs_default_alarms[] = {
  { "backup-old",
    { METRIC = "backup_age", OBJECTS = "vms", CONDITION = "> 2d",
      DESCRIPTION = "it had backups, but none for two days" } },
  { "guest-crashed",
    { METRIC = "crashed", OBJECTS = "vms", CONDITION = "== 1", SEVERITY = "critical",
      DESCRIPTION = "it has crashed" } },
  { "guest-disk-errors",
    { METRIC = "disk_errors", OBJECTS = "vms", CONDITION = "> 0",
      DESCRIPTION = "requests to its disks fail" } },
  { "guest-io-error",
    { METRIC = "reason", OBJECTS = "vms", CONDITION = "== I/O error", SEVERITY = "critical",
      DESCRIPTION = "it is paused because a disk of it could not be read or written" } },
  { "guest-looping",
    { METRIC = "cpu_percent", OBJECTS = "vms", CONDITION = "> 95", CLEAR = "< 80", DURATION = "600",
      DESCRIPTION = "all its virtual CPUs have been busy for ten minutes" } },
  { "host-cpu",
    { METRIC = "cpu_load", OBJECTS = "hosts", CONDITION = "> 90", CLEAR = "< 80", DURATION = "600",
      DESCRIPTION = "its CPUs have been busy for ten minutes" } },
  { "host-lost",
    { METRIC = "state", OBJECTS = "hosts", CONDITION = "== unreachable", DURATION = "60",
      SEVERITY = "critical", DESCRIPTION = "it has not answered for a minute" } },
  { "host-memory",
    { METRIC = "memory_used", OBJECTS = "hosts", CONDITION = "> 95", CLEAR = "< 90",
      DURATION = "300", DESCRIPTION = "it has had hardly any memory left for five minutes" } },
  { "host-overcommitted",
    { METRIC = "memory_committed", OBJECTS = "hosts", CONDITION = "> 100", CLEAR = "<= 100",
      DESCRIPTION = "its guests were promised more memory than it has" } },
  { "pool-filling",
    { METRIC = "usage", OBJECTS = "pools", CONDITION = "> 90", CLEAR = "< 85",
      DESCRIPTION = "it is nearly full" } },
  { "pool-full-soon",
    { METRIC = "full_in", OBJECTS = "pools", CONDITION = "< 7d", CLEAR = "> 8d",
      DESCRIPTION = "it will be full within a week if it goes on so" } },
};

const guint virfs_n_default_alarms = G_N_ELEMENTS (virfs_default_alarms);

VirfsRule *
virfs_default_alarm_rule (const VirfsDefaultAlarm *alarm, gboolean sampled)
{
  g_autoptr (VirfsRule) rule = virfs_rule_new ();

  for (guint i = 0; i < VIRFS_RULE_N_FIELDS; i++) {
    VirfsRule *with = NULL;

    if (alarm->fields[i] == NULL)
      continue;
    with = virfs_rule_set (rule, i, alarm->fields[i], NULL);
    g_assert (with != NULL);
    virfs_rule_unref (rule);
    rule = with;
  }
  rule->enabled = sampled || !virfs_measure_is_sampled (rule->measure);
  return g_steal_pointer (&rule);
}
