/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alarms: rules of what must not be, and which objects break them now.
 *
 * A rule is an object of the model, so what is known of it is an immutable info.  All that changes one is
 * done in turn by one thread (alarms.c), which keeps it (keeper.h), shows it and then tells whoever has
 * asked for it; nobody else waits for the disk.  The same thread looks at what the registry and the samples
 * tell, and at nothing as long as they tell nothing.
 */
#pragma once

#include "alarm_rule.h"
#include "infra.h"

/* An object that breaks a rule. */
typedef struct {
  guint64 object;    /* number of the guest, host or pool; it may be gone */
  VirfsKind kind;    /* of it */
  GRefString *path;  /* as in vms/web */
  GRefString *link;  /* its name in alarms/firing */
  gint64 since;      /* microseconds since the epoch, as all times here */
  GRefString *value; /* what was wrong when it was seen last */
  GRefString *by;    /* who has acknowledged it; NULL: nobody */
} VirfsFiring;

/* What files show of an alarm; a set of them (VIRFS_BIT) tells what changed. */
typedef enum {
  VIRFS_ALARM_NAME,
  VIRFS_ALARM_RULE,
  VIRFS_ALARM_STATE,
  VIRFS_ALARM_FIRING, /* which objects, with what is known of them */
  VIRFS_ALARM_OWNER,  /* who may do what with it: it is whose alarms/ is */
  VIRFS_ALARM_N_FIELDS,
} VirfsAlarmField;

typedef enum {
  VIRFS_ALARM_DRAFT, /* something of the rule is missing */
  VIRFS_ALARM_DISABLED,
  VIRFS_ALARM_OK,
  VIRFS_ALARM_PENDING, /* some object breaks the rule, but not for long enough */
  VIRFS_ALARM_FIRES,
  VIRFS_ALARM_ACKNOWLEDGED, /* all that breaks it has been */
} VirfsAlarmState;

const char *virfs_alarm_state_name (VirfsAlarmState state);

typedef struct {
  gatomicrefcount refs;
  GRefString *name; /* of its directory in alarms/ */
  VirfsRule *rule;
  VirfsAlarmState state;
  gint64 since;      /* that it is in that state */
  GPtrArray *firing; /* of VirfsFiring*, sorted by path */
  GHashTable *links; /* link -> one of these */
  gint64 changed[VIRFS_ALARM_N_FIELDS];
} VirfsAlarmInfo;

typedef struct {
  VirfsObject object;
  char *key; /* of its records; does not change */
  /* under the registry's lock */
  VirfsAlarmInfo *info;
} VirfsAlarm;

/* What is known now; the caller owns the reference. */
VirfsAlarmInfo *virfs_alarm_info (VirfsAlarm *alarm);
void virfs_alarm_info_unref (VirfsAlarmInfo *info);

/* A new reference; NULL if there is none. */
VirfsAlarm *virfs_infra_alarm (VirfsInfra *infra, const char *name);
/* FUNC runs under the registry's lock, for all alarms in no particular order. */
typedef void (*VirfsAlarmFunc) (VirfsAlarm *alarm, const VirfsAlarmInfo *info, gpointer data);
void virfs_infra_foreach_alarm (VirfsInfra *infra, VirfsAlarmFunc func, gpointer data);
/* The one of INFO whose link has that name; borrowed, NULL if there is none. */
const VirfsFiring *virfs_alarm_info_find_link (const VirfsAlarmInfo *info, const char *link);

/*
 * Changes.  DONE is called, once and from any thread, when that is kept and shown, or with the reason why it
 * is not.
 */
typedef void (*VirfsAlarmDone) (const GError *error, gpointer data);
/* EXISTS, INVALID: not a name for it. */
void virfs_infra_make_alarm (VirfsInfra *infra, const char *name, VirfsAlarmDone done,
                             gpointer data);
/* NOT_FOUND if there is none. */
void virfs_infra_remove_alarm (VirfsInfra *infra, const char *name, VirfsAlarmDone done,
                               gpointer data);
void virfs_infra_rename_alarm (VirfsInfra *infra, const char *name, const char *new_name,
                               VirfsAlarmDone done, gpointer data);
/* See virfs_rule_set(). */
void virfs_alarm_set (VirfsAlarm *alarm, VirfsRuleField field, const char *text,
                      VirfsAlarmDone done, gpointer data);
/* OBJECT: a path, or `all`; NOT_FOUND if it does not break the rule. */
void virfs_alarm_acknowledge (VirfsAlarm *alarm, const char *object, guint uid, VirfsAlarmDone done,
                              gpointer data);

/*
 * The life of it all.  Before the first host: brings back what was kept, with the rules that there are from
 * the beginning, and begins to look.  SAMPLED: samples are taken anyway, so rules that need them cost
 * nothing and are enabled.
 */
void virfs_infra_start_alarms (VirfsInfra *infra, gboolean sampled);
/* Where the tree is mounted, for hooks; and how many seconds they have. */
void virfs_infra_set_hooks (VirfsInfra *infra, const char *mountpoint, guint timeout);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsAlarmInfo, virfs_alarm_info_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsAlarm, virfs_object_unref)
