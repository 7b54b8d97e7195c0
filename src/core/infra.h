/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registry: the hosts, the guests, the jobs and the events of the fleet, and the one place where
 * a change is told.
 *
 * One lock guards the tables and which snapshot each object shows; it is held for moments only and
 * never while something else is called but the listeners, which must do no more than take note.
 * Snapshots are immutable, so readers format them without any lock.
 */
#pragma once

#include "backend.h"
#include "event.h"
#include "host.h"
#include "job.h"
#include "keeper.h"
#include "part.h"
#include "vm.h"

typedef enum {
  VIRFS_INDEX_TAG,
  VIRFS_INDEX_OWNER, /* by virfs_user_name() */
  VIRFS_INDEX_IMAGE, /* by the file's name, or a guest's path: see registry_index.c */
  VIRFS_N_INDEXES,
} VirfsIndexKey;

/* What the fleet as a whole shows; a set of them (VIRFS_BIT) tells what changed. */
typedef enum {
  VIRFS_ROOT_BIRTH, /* what never changes */
  VIRFS_ROOT_HOSTS, /* which hosts there are */
  VIRFS_ROOT_VMS,
  VIRFS_ROOT_JOBS,
  VIRFS_ROOT_EVENTS,
  VIRFS_ROOT_HEAD, /* up to where the log of events is kept for good */
  VIRFS_ROOT_ERROR,
  VIRFS_ROOT_ADDRESSES,
  VIRFS_ROOT_OWNER,    /* who may do what in one of its directories */
  VIRFS_ROOT_IMAGES,   /* which there are */
  VIRFS_ROOT_ALARMS,   /* which there are */
  VIRFS_ROOT_FIRING,   /* which fire for what */
  VIRFS_ROOT_NETWORKS, /* which there are */
  VIRFS_ROOT_POOLS,
  VIRFS_ROOT_CPUS,    /* see cpu.h */
  VIRFS_ROOT_INDEXES, /* which values there are of the first of the indexes; + VirfsIndexKey */
  /* which guests are in the first of the states; + VirfsVmState */
  VIRFS_ROOT_STATES = VIRFS_ROOT_INDEXES + VIRFS_N_INDEXES,
  VIRFS_ROOT_N_FIELDS = VIRFS_ROOT_STATES + VIRFS_VM_N_STATES,
} VirfsRootField;

typedef enum { VIRFS_ADDED, VIRFS_REMOVED, VIRFS_CHANGED } VirfsChangeKind;

typedef struct {
  VirfsChangeKind kind;
  VirfsObject *object;
  guint64 fields;       /* of the object's kind */
  gconstpointer before; /* VirfsVmInfo, VirfsHostInfo; NULL when added and for other kinds */
  gconstpointer after;  /* likewise; NULL when removed */
} VirfsChange;

/* Runs under the registry's lock, in the order of the changes: must only take note. */
typedef void (*VirfsListener) (const VirfsChange *change, gpointer data);

/* SHUTDOWN_TIMEOUT: seconds, of guests that say nothing else. */
VirfsInfra *virfs_infra_new (const VirfsBackend *backend, guint shutdown_timeout);
/* Cancels what runs, waits for it at most TIMEOUT microseconds, and lets go of all hosts; once more does
 * no harm. */
void virfs_infra_stop (VirfsInfra *infra, gint64 timeout);
/* After virfs_infra_stop(), and when nobody has a reference to any of its objects. */
void virfs_infra_free (VirfsInfra *infra);
const VirfsBackend *virfs_infra_backend (VirfsInfra *infra);
VirfsEventLog *virfs_infra_events (VirfsInfra *infra);
/* The fleet itself as an object, of kind ROOT and with number 0; borrowed. */
VirfsObject *virfs_infra_root (VirfsInfra *infra);

/* Who keeps what would be lost with the program (borrowed); to be set before the first host.  NULL:
 * nobody does, and all is kept in memory only. */
void virfs_infra_set_keeper (VirfsInfra *infra, const VirfsKeeper *keeper);
/* As the keeper's functions; success where there is none.  They wait for the disk. */
gboolean virfs_infra_keep (VirfsInfra *infra, const char *kind, const char *key, const char *text,
                           GError **error);
gboolean virfs_infra_forget (VirfsInfra *infra, const char *kind, const char *key, GError **error);
/* The same for pairs of a key and a text, see VirfsKeeper. */
gboolean virfs_infra_keep_all (VirfsInfra *infra, const char *kind, GPtrArray *pairs,
                               GError **error);

/* Calls FUNC for each record of KIND that is kept. */
void virfs_infra_recall (VirfsInfra *infra, const char *kind, VirfsRecordFunc func, gpointer data);

/* FUNC is called with DATA, once and in any thread, when all events so far are kept, as far as they can be;
 * before this returns where nobody keeps them. */
void virfs_infra_settle_events (VirfsInfra *infra, void (*func) (gpointer data), gpointer data);

/* Any number of listeners; to be added before the first host and removed before they go. */
void virfs_infra_listen (VirfsInfra *infra, VirfsListener listener, gpointer data);
void virfs_infra_unlisten (VirfsInfra *infra, VirfsListener listener, gpointer data);
/* For listeners: whether a host has told of the change of a guest; it has not when the registry is
 * being stopped, or shows what the keeper knew. */
gboolean virfs_infra_is_news (VirfsInfra *infra);

/* Looking things up.  What is returned is a new reference, NULL if there is none. */
gpointer virfs_infra_object (VirfsInfra *infra, guint64 id); /* any kind but ROOT */
VirfsHost *virfs_infra_host (VirfsInfra *infra, const char *name);
VirfsVm *virfs_infra_vm (VirfsInfra *infra, const char *label);
VirfsVm *virfs_infra_vm_by_uuid (VirfsInfra *infra, const char *uuid);
VirfsVm *virfs_infra_vm_on_host (VirfsInfra *infra, VirfsHost *host, const char *uuid);
/* Of type VirfsPart: what OWNER (a host, guest or part) has of that name. */
gpointer virfs_infra_part (VirfsInfra *infra, gpointer owner, const VirfsPartClass *class,
                           const char *label);
VirfsJob *virfs_infra_job (VirfsInfra *infra, guint number);
/* All hosts, sorted by name; the caller owns the array and the references in it. */
GPtrArray *virfs_infra_hosts (VirfsInfra *infra);

/* Walking: FUNC runs under the registry's lock, in no particular order, and sees what it gets only
 * for the time of the call.  HOST may be NULL: guests of all hosts.  Guests that vms/ does not show
 * are left out. */
typedef void (*VirfsHostFunc) (VirfsHost *host, const VirfsHostInfo *info, gpointer data);
typedef void (*VirfsVmFunc) (VirfsVm *vm, const VirfsVmInfo *info, gpointer data);
typedef void (*VirfsJobFunc) (VirfsJob *job, guint number, gpointer data);
void virfs_infra_foreach_host (VirfsInfra *infra, VirfsHostFunc func, gpointer data);
void virfs_infra_foreach_vm (VirfsInfra *infra, VirfsHost *host, VirfsVmFunc func, gpointer data);
void virfs_infra_foreach_job (VirfsInfra *infra, VirfsJobFunc func, gpointer data);
/* Whether there is a job that has not ended yet and is to bring VM to HOST. */
gboolean virfs_infra_is_coming (VirfsInfra *infra, VirfsVm *vm, VirfsHost *host);
/* Whether HOST has another guest of the same name. */
gboolean virfs_infra_has_namesake (VirfsInfra *infra, const VirfsVmInfo *vm, VirfsHost *host);

/* When FIELDS (of VirfsRootField) last changed, microseconds since the epoch. */
gint64 virfs_infra_changed (VirfsInfra *infra, guint64 fields);

/* Hosts come and go at run time.  NAME must be a plain name of the tree (INVALID), URI one that the
 * backend takes (INVALID), or NULL: not known yet.  A host with a URI begins to connect at once. */
VirfsHost *virfs_infra_add_host (VirfsInfra *infra, const char *name, const char *uri,
                                 GError **error);
/* The same for a host that somebody makes at run time: it is kept (virfs_infra_keep()), and so are the
 * URIs that it is given, until it is removed. */
VirfsHost *virfs_infra_make_host (VirfsInfra *infra, const char *name, GError **error);
/* The same for one that was made in an earlier run and is kept already. */
VirfsHost *virfs_infra_restore_host (VirfsInfra *infra, const char *name, const char *uri,
                                     GError **error);
/* EBUSY while jobs run on it.  Its guests disappear from the tree and go on running. */
gboolean virfs_infra_remove_host (VirfsInfra *infra, VirfsHost *host, GError **error);
/* Connects to another place from now on.  JOB ends when the host has answered or could not be reached;
 * attempts go on then. */
void virfs_infra_set_host_uri (VirfsInfra *infra, VirfsHost *host, const char *uri, VirfsJob *job);
/* Waits until every host has answered or failed to, at most TIMEOUT microseconds; then gives guests
 * of one name their names in the order of their hosts.  FALSE if some host has not answered. */
gboolean virfs_infra_settle (VirfsInfra *infra, gint64 timeout);

/* For backends: what was found out.  All take the info that they are given. */

/* A host that leaves VIRFS_HOST_UP fails its jobs with HOST_DOWN.  FAILURE (borrowed, may be NULL)
 * is what its `error` file tells. */
void virfs_infra_update_host (VirfsInfra *infra, VirfsHost *host, VirfsHostInfo *info,
                              const GError *failure);
/* One guest of HOST, new or known. */
void virfs_infra_update_vm (VirfsInfra *infra, VirfsHost *host, VirfsVmInfo *info);
void virfs_infra_remove_vm (VirfsInfra *infra, VirfsHost *host, const char *uuid);
/* All guests of HOST (of VirfsVmInfo*, taken): what is not among them is gone. */
void virfs_infra_sync_vms (VirfsInfra *infra, VirfsHost *host, GPtrArray *infos);
/* A change of a few fields: EDIT changes a copy of what is known now; FALSE if the guest is not
 * known on that host. */
typedef void (*VirfsVmEdit) (VirfsVmInfo *info, gpointer data);
gboolean virfs_infra_edit_vm (VirfsInfra *infra, VirfsHost *host, const char *uuid,
                              VirfsVmEdit edit, gpointer data);
/* Brackets a migration: while it lasts the same UUID on the other host is not shown as a second
 * guest. */
void virfs_infra_begin_move (VirfsInfra *infra, VirfsVm *vm);
void virfs_infra_end_move (VirfsInfra *infra, VirfsVm *vm);
gboolean virfs_infra_is_moving (VirfsInfra *infra, VirfsVm *vm);
/* The other host, which has what VM lacks since its post-copy failed, a reference; NULL: there is none. */
VirfsHost *virfs_infra_post_copy_source (VirfsInfra *infra, VirfsVm *vm);

/* Parts.  A draft of OWNER, whose INFO is taken: a reference to it, or NULL if there is something of
 * that name (EXISTS). */
gpointer virfs_infra_add_draft (VirfsInfra *infra, gpointer owner, gpointer info, GError **error);
/* Changes what is known of a part, of a draft mostly: EDIT gets a copy.  FALSE if it is gone. */
typedef void (*VirfsPartEdit) (gpointer info, gpointer data);
gboolean virfs_infra_edit_part (VirfsInfra *infra, VirfsPart *part, VirfsPartEdit edit,
                                gpointer data);
/* FALSE if it is none (any more). */
gboolean virfs_infra_drop_draft (VirfsInfra *infra, VirfsPart *part);

/* Whether the next snapshot of VM is of its disks alone. */
void virfs_infra_set_snapshot_disks (VirfsInfra *infra, VirfsVm *vm, gboolean disks);

/* Who may do what with an object.  A guest says it itself; a host, a pool and the directories of the
 * fleet are what virfs_infra_give() has made them, by their paths; parts follow what they belong to, and
 * jobs are of who asked for them. */
void virfs_object_owner (gpointer object, VirfsOwner *owner);
/* Of what the fleet has at PATH; FALSE if that has been given to nobody. */
gboolean virfs_infra_owner_at (VirfsInfra *infra, const char *path, VirfsOwner *owner);
/* Who mounted, and VIRFS_OWNER_MODE. */
void virfs_infra_default_owner (VirfsInfra *infra, VirfsOwner *owner);
/* Gives and keeps what has no other place for it: a host, a pool, or if OBJECT is NULL a directory of the
 * fleet, at PATH. */
gboolean virfs_infra_give (VirfsInfra *infra, gpointer object, const char *path,
                           const VirfsOwner *owner, GError **error);
/* What was kept, TEXT, at the start; a broken one is dropped. */
void virfs_infra_restore_owner (VirfsInfra *infra, const char *path, const char *text);
/* What was at PATH and below it is gone for good: what comes there belongs to nobody else. */
void virfs_infra_disown (VirfsInfra *infra, const char *path);

/* The path of an object in the tree, as in `vms/web`: what users call it.  The caller owns it. */
char *virfs_object_path (gpointer object);

/* The number of the newest job; those of an earlier run are not given again. */
guint virfs_infra_last_job (VirfsInfra *infra);
void virfs_infra_set_last_job (VirfsInfra *infra, guint number);

/* A line for the log of events; OBJECT may be NULL: the fleet.  DETAILS: `key=value …`, or NULL. */
void virfs_infra_event (VirfsInfra *infra, gpointer object, const char *kind, const char *details);
/* The same about the file or object at PATH. */
void virfs_infra_log (VirfsInfra *infra, const char *path, const char *kind, const char *details);

/* The log of events is kept for good up to POSITION, and HASH says what it is; see virfs_log_verify().  `append`
 * adds both, nothing if nobody keeps it. */
void virfs_infra_set_log_head (VirfsInfra *infra, guint64 position, const char *hash);
void virfs_infra_append_log_head (VirfsInfra *infra, GString *out);

/* Tells a failure where users look for it: the `error` file of the fleet and, if there is an OBJECT,
 * its own; the journal.  FILE is the path of the file that was used. */
void virfs_infra_report (VirfsInfra *infra, gpointer object, const char *file, guint uid,
                         const GError *error);
/* The last failure of the fleet, one line with its newline; nothing if there was none. */
void virfs_infra_append_error (VirfsInfra *infra, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsInfra, virfs_infra_free)
