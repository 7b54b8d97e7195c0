/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of alarms, all of which belongs to its thread but for what its lock guards: alarms.c is the
 * thread, alarm_task.c what others want of it, alarm_see.c and alarm_watch.c look at objects, alarm_show.c
 * makes what is shown, alarm_record.c brings back and keeps, registry_alarm.c shows.
 */
#pragma once

#include "alarm_case.h"
#include "alarm_hook.h"
#include "alarms.h"
#include "registry.h"

/* An object that breaks a rule, or has to be looked at again. */
typedef struct {
  VirfsCase c;
  guint64 id;
  VirfsKind kind;
  guint64 host; /* number of a pool's */
  char *key;    /* what it is known by for ever: vm/UUID, of a twin vm/UUID@HOST, else its path */
  char *path, *value, *by;
} VirfsWatched;

void virfs_watched_free (gpointer watched);

/* An alarm, and what is known of objects. */
typedef struct {
  VirfsAlarm *alarm;   /* a reference */
  GHashTable *watched; /* id -> VirfsWatched* */
  GHashTable *dormant; /* key -> VirfsWatched*: objects of an earlier run that have not come yet */
  gint64 due;          /* of the watched, the first; monotonic */
  gboolean changed;    /* is to be shown, as the next are */
  gboolean unsaved;    /* what fires */
} VirfsAlarmEntry;

/* Something that somebody has asked for. */
typedef struct VirfsAlarmTask VirfsAlarmTask;

struct VirfsAlarms {
  VirfsInfra *infra;
  GThread *thread;
  VirfsHooks *hooks;
  GMutex lock; /* may be taken under the registry's and the metrics'; none is taken under it */
  GCond wake;
  /* under lock */
  GQueue tasks;        /* of VirfsAlarmTask* */
  GHashTable *noted;   /* ids of objects whose facts may be others now */
  GHashTable *sampled; /* ids of hosts */
  gboolean running, stopping;
  gboolean settled, poked; /* see virfs_alarms_settle(); that has not been looked at */
  /* of the thread */
  GPtrArray *entries;  /* of VirfsAlarmEntry* */
  GHashTable *touched; /* ids of objects that other alarms fire for than before */
  GHashTable *samples; /* id -> the last two, if a rule wants to know what has grown */
  GPtrArray *news;     /* of VirfsAlarmNews*, to be told when all is shown */
  gboolean rules_changed;
};

/* alarms.c */
VirfsAlarmEntry *virfs_alarm_entry_new (VirfsAlarms *self, const char *key, const char *name,
                                        VirfsRule *rule);
void virfs_alarm_entry_free (gpointer entry);
VirfsAlarmEntry *virfs_alarms_find (VirfsAlarms *self, const VirfsAlarm *alarm);

/* alarm_show.c.  Shows all entries that are changed, and at objects what fires for them. */
void virfs_alarms_show (VirfsAlarms *self);

/* alarm_task.c.  Runs it; then, when all is shown, answers and frees it. */
void virfs_alarm_task_run (VirfsAlarms *self, VirfsAlarmTask *task);
void virfs_alarm_task_end (VirfsAlarmTask *task);
void virfs_alarm_task_refuse (VirfsAlarmTask *task);

/* alarm_watch.c */
typedef enum {
  VIRFS_LOOK_FACTS = 1 << 0,
  VIRFS_LOOK_METRICS = 1 << 1,
  VIRFS_LOOK_ALL = VIRFS_LOOK_FACTS | VIRFS_LOOK_METRICS,
} VirfsLook;

/* Looks at the object ID under all rules that want to know that, or only under ENTRY's. */
void virfs_alarms_look (VirfsAlarms *self, guint64 id, VirfsLook look, VirfsAlarmEntry *entry,
                        const VirfsMoment *now);
/* At HOST and its guests, which were sampled. */
void virfs_alarms_look_sampled (VirfsAlarms *self, guint64 host, const VirfsMoment *now);
/* At all objects that ENTRY's rule can be about: it is another. */
void virfs_alarms_look_all (VirfsAlarms *self, VirfsAlarmEntry *entry, const VirfsMoment *now);
/* At those that are due.  When the next is. */
gint64 virfs_alarms_look_due (VirfsAlarms *self, const VirfsMoment *now);
/* Nothing fires any more. */
void virfs_alarm_entry_end (VirfsAlarms *self, VirfsAlarmEntry *entry);
/* Objects of an earlier run that do not come back. */
void virfs_alarms_drop_dormant (VirfsAlarms *self);
void virfs_alarm_note_news (VirfsAlarms *self, VirfsAlarmEntry *entry, const VirfsWatched *watched,
                            const char *what);
void virfs_alarm_pair_free (gpointer pair);

/* alarm_news.c */
typedef struct VirfsAlarmNews VirfsAlarmNews;
void virfs_alarm_news_free (gpointer news);
void virfs_alarms_tell_news (VirfsAlarms *self);

/* alarm_record.c.  Brings back and shows, before the thread begins. */
void virfs_alarms_restore (VirfsAlarms *self, gboolean sampled);
gboolean virfs_alarm_keep_rule (VirfsInfra *infra, const char *key, const char *name,
                                const VirfsRule *rule, GError **error);
gboolean virfs_alarm_forget_rule (VirfsInfra *infra, const char *key, GError **error);
/* Whether there is, or was, one with that key. */
gboolean virfs_alarm_key_is_taken (VirfsAlarms *self, const char *key);
gboolean virfs_alarm_keep_firing (VirfsAlarms *self, VirfsAlarmEntry *entry, GError **error);

/* registry_alarm.c; all take the registry's lock. */
VirfsAlarm *virfs_registry_add_alarm (VirfsInfra *infra, const char *key, VirfsAlarmInfo *info);
void virfs_registry_remove_alarm (VirfsAlarm *alarm);
/* INFO is taken; `changed` is filled in. */
void virfs_registry_publish_alarm (VirfsAlarm *alarm, VirfsAlarmInfo *info);
/* The alarms that fire for the guest or host ID: names, one a line; "" for none. */
void virfs_registry_set_alarms (VirfsInfra *infra, guint64 id, const char *names);
VirfsAlarmInfo *virfs_alarm_info_new (const char *name, VirfsRule *rule);
VirfsFiring *virfs_firing_new (const VirfsWatched *watched, const char *alarm);
void virfs_firing_free (gpointer firing);
