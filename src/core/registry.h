/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the registry, shared by the files of the model that make it up and by no others. */
#pragma once

#include "infra.h"
#include "kept.h"
#include "use.h"

/* What is noted of an image, and of what type that is (image_note.c). */
typedef enum {
  VIRFS_IMAGE_NOTE_SUM, /* GRefString */
  VIRFS_IMAGE_NOTE_OS,  /* VirfsOs */
  VIRFS_IMAGE_N_NOTES,
} VirfsImageNote;

struct VirfsInfra {
  VirfsObject root; /* the fleet itself, number 0 */
  const VirfsBackend *backend;
  const VirfsKeeper *keeper; /* NULL: none */
  VirfsEventLog *events;
  struct VirfsMetrics *metrics;   /* has a lock of its own, which comes before lock */
  struct VirfsHistory *history;   /* likewise, which comes after it */
  struct VirfsAlarms *alarms;     /* has a lock of its own, which comes after lock */
  struct VirfsConsoles *consoles; /* likewise; see console.h */
  VirfsUses *uses;                /* use.c; has a lock of its own, which comes before lock */
  struct VirfsFleet *fleet;       /* has a lock of its own, which comes after lock */
  struct VirfsTariff *tariff;     /* does not change once there are hosts */
  guint shutdown_timeout;
  VirfsOwner owner; /* of what belongs to nobody else */

  GMutex
    drafting; /* comes before lock: one draft, or what is kept of one guest, is changed at a time */
  GMutex config; /* comes before lock: one host is opened, closed or given a URI at a time */

  GMutex lock;         /* guards all below, and what the objects say it guards */
  GCond settled;       /* a host has answered, or a job has ended */
  gboolean stopping;   /* no more hosts */
  gboolean recalling;  /* what is told now is from the keeper */
  GArray *listeners;   /* of Listener */
  GHashTable *objects; /* number -> object; owns */
  GHashTable *hosts;   /* name -> VirfsHost* */
  GHashTable *vms;     /* uuid -> VirfsVm*, without twins */
  GHashTable *labels;  /* label -> VirfsVm* */
  GHashTable *rivals;  /* label -> GPtrArray of VirfsVm* that would like to have it */
  GPtrArray *drafts;   /* of VirfsDraftInfo*, sorted; NULL: none */
  GPtrArray *fleet_networks, *fleet_pools; /* see fleet.h; NULL: none */
  GHashTable *hidden;                      /* UUIDs of guests that are being made of drafts */
  GHashTable *kept;                        /* uuid -> VirfsKept*; owns */
  GHashTable *upkeeps;                     /* name of a host -> VirfsUpkeep*; owns */
  GHashTable *orphans;        /* key -> text: drafts of parts whose owner is not there yet */
  GPtrArray *dissolved_parts; /* of char*: keys of drafts of parts that have become something */
  GPtrArray *dissolved;       /* of char*: UUIDs of drafts that turned out to be guests */
  GHashTable *indexes[3];     /* of each VirfsIndexKey: value -> VirfsIndex* */
  GHashTable *addresses;      /* address -> GSList of VirfsVm* */
  GHashTable *owners;         /* path -> VirfsOwner*, of what has no other place for it */
  GHashTable *cpu_baselines;  /* kind of guests -> what cpu.c has made; NULL: none */
  GHashTable *images;         /* label -> VirfsImage* */
  GHashTable *image_names;    /* name of volumes -> GPtrArray of VirfsImage* */
  GHashTable *outdated;       /* set of VirfsPartInfo*: volumes that hosts do not know to be gone */
  gboolean images_named;      /* no image gets another name because another host has come */
  gboolean has_settled;       /* see virfs_infra_settle() */
  guint uploads;              /* threads of theirs */
  GPtrArray *drains;          /* of VirfsDrain*, see maintenance.c */
  guint drain_threads;        /* of them, and of those that have just ended */
  guint drain_parallel;       /* guests that one moves at a time, if nobody says more */
  GHashTable *image_pools;    /* name of a host, or "" -> name of a pool */
  /* of each VirfsImageNote: see image_note.c */
  GHashTable *image_notes[VIRFS_IMAGE_N_NOTES];
  GHashTable *parts;       /* set of VirfsPart*, by owner, class and label */
  GHashTable *alarm_names; /* name -> VirfsAlarm* */
  GHashTable *jobs;        /* number -> VirfsJob* */
  GQueue ended;            /* of VirfsJob*: jobs that have ended, the latest last */
  guint last_job;
  guint telling; /* ends of jobs that are being told to those who wait for them */
  GRefString *error;
  char *log_head; /* NULL: nobody keeps the log */
  gint64 changed[VIRFS_ROOT_N_FIELDS];
};

/* Begins OBJECT's life in the registry: its number (stepping on from WISH while that is taken) and
 * the reference that the registry owns. */
void virfs_registry_add (VirfsInfra *infra, gpointer object, VirfsKind kind, guint64 wish,
                         void (*free_func) (gpointer));
/* Ends it. */
void virfs_registry_remove (VirfsInfra *infra, gpointer object);

/* Tells the listeners. */
void virfs_registry_emit (VirfsInfra *infra, VirfsChangeKind kind, gpointer object, guint64 fields,
                          gconstpointer before, gconstpointer after);
/* Notes and tells that FIELDS of the fleet have changed. */
/* Baselines of kinds of guests that no host takes any more. */
void virfs_registry_forget_cpus (VirfsInfra *infra);
void virfs_registry_touch (VirfsInfra *infra, guint64 fields);
/* Notes and tells that FIELDS (only VIRFS_HOST_VMS so far) of HOST have changed. */
void virfs_registry_touch_host (VirfsHost *host, guint64 fields);

/* Replaces what is known of HOST or VM by INFO (taken), whose registry part is filled in already but
 * for `changed`, and tells what differs.  Returns what differs. */
guint64 virfs_registry_publish_host (VirfsHost *host, VirfsHostInfo *info);
guint64 virfs_registry_publish_vm (VirfsVm *vm, VirfsVmInfo *info);

/* Parts (registry_part.c).  OWNER's list was BEFORE and is *LIST now (NULL: as before), which is
 * replaced by what is to be published. */
void virfs_registry_sync_parts (VirfsObject *owner, GPtrArray *before, GPtrArray **list);
void virfs_registry_remove_parts (VirfsObject *owner, GPtrArray *list);
/* FIELD has changed of all of them: whether they can be changed, or by whom. */
void virfs_registry_parts_turned (VirfsObject *owner, GPtrArray *list, VirfsPartField field);
/* The part of OWNER that INFO tells of; borrowed, NULL if it is gone. */
VirfsPart *virfs_registry_part_of (VirfsObject *owner, const VirfsPartInfo *info);
guint virfs_registry_part_hash (gconstpointer part);
gboolean virfs_registry_part_equal (gconstpointer a, gconstpointer b);

/* LIST (taken) is what the fleet has of networks or pools, by CLASS.  Takes the lock. */
void virfs_registry_publish_fleet (VirfsInfra *infra, const VirfsPartClass *class, GPtrArray *list);

/* Indexes (registry_index.c).  What was known of VM and what is now, NULL before it came and after it
 * has gone; FIELDS differ. */
void virfs_registry_index_vm (VirfsVm *vm, const VirfsVmInfo *before, const VirfsVmInfo *after,
                              guint64 fields);
void virfs_registry_open_indexes (VirfsInfra *infra);
void virfs_registry_close_indexes (VirfsInfra *infra);

/* Images (registry_image*.c).  What was known of HOST and what is now; NULL: it is not there. */
void virfs_registry_follow_images (VirfsHost *host, const VirfsHostInfo *before,
                                   const VirfsHostInfo *after);
/* Gives names again to images of one name, in the order of their hosts, until all volumes have been told
 * for the first time. */
void virfs_registry_rename_images (VirfsInfra *infra);
/* Ends what is written, and waits for it until DEADLINE (monotonic time).  Takes the lock. */
void virfs_registry_stop_uploads (VirfsInfra *infra, gint64 deadline);
void virfs_registry_open_images (VirfsInfra *infra);
void virfs_registry_close_images (VirfsInfra *infra);

/* As virfs_object_owner(), for those who hold the lock. */
void virfs_registry_owner (gpointer object, VirfsOwner *owner);

/* The one of several guests with VM's UUID that is the guest. */
VirfsVm *virfs_registry_primary (VirfsVm *vm);

/* HOST leaves the registry, but nobody forgets it.  Under the config lock. */
gboolean virfs_registry_drop_host (VirfsInfra *infra, VirfsHost *host, GError **error);
/* HOST shows the guests that the keeper knows of it, unless it has told some itself meanwhile.  Without
 * the lock. */
void virfs_registry_recall_vms (VirfsHost *host);
/* All guests of HOST leave the registry. */
void virfs_registry_forget_vms (VirfsHost *host);
/* HOST has come or gone: its guests can be changed or not, and among guests of one UUID another may
 * be the most alive. */
void virfs_registry_host_turned (VirfsHost *host);
/* While the guest with that UUID is made of a draft it is not shown.  Takes the lock. */
void virfs_registry_hide (VirfsInfra *infra, const char *uuid, gboolean hide);
/* Nobody has that name any more: who would like to gets it.  Takes the lock. */
void virfs_registry_offer (VirfsInfra *infra, const char *label);
/* The guest with that UUID is there: was it a draft, and nobody makes it now, then it was made when virfs
 * ended, and the draft goes. */
void virfs_registry_dissolve_draft (VirfsInfra *infra, const char *uuid);
/* Drafts of guests that are there were kept by mistake; without the lock. */
void virfs_registry_forget_dissolved (VirfsInfra *infra);
/* The draft of that name, or with that UUID; borrowed. */
VirfsPart *virfs_registry_draft (VirfsInfra *infra, const char *label);
VirfsPart *virfs_registry_draft_by_uuid (VirfsInfra *infra, const char *uuid);
void virfs_registry_drop_draft (VirfsPart *draft);
void virfs_registry_set_draft_error (VirfsPart *draft, const char *line);
/* Drafts of parts (part_draft.c): one has become something, under the lock; what follows from that and
 * from new owners, without it. */
char *virfs_registry_draft_key (VirfsObject *owner, const VirfsPartClass *class, const char *name);
void virfs_registry_dissolve_part (VirfsPart *part);
void virfs_registry_forget_dissolved_parts (VirfsInfra *infra);
void virfs_registry_adopt_drafts (VirfsInfra *infra);
/* Gives names again to guests of one name, in the order of their hosts. */
void virfs_registry_rename_rivals (VirfsInfra *infra);

/* The unfinished jobs that need HOST; the caller owns the references.  NULL: all. */
GPtrArray *virfs_registry_jobs_of (VirfsInfra *infra, VirfsHost *host);

/* Under the lock. */
gboolean virfs_registry_job_has_ended (VirfsJob *job);
/* As virfs_job_is_cancelled(). */
gboolean virfs_registry_job_is_cancelled (VirfsJob *job);

/* A guest may be free for them that was not.  Under the lock. */
void virfs_registry_stir_drains (VirfsInfra *infra);
/* Waits, until DEADLINE (monotonic time), for the threads of maintenance.c, whose jobs have ended.  Takes the
 * lock. */
void virfs_registry_await_drains (VirfsInfra *infra, gint64 deadline);

/* As the public functions without `registry_`, for those who hold the lock. */
char *virfs_registry_path (gpointer object);
void virfs_registry_event (VirfsInfra *infra, gpointer object, const char *kind,
                           const char *details);
/* A line for the log of events about the file or object at PATH. */
void virfs_registry_log (VirfsInfra *infra, const char *path, const char *kind,
                         const char *details);
