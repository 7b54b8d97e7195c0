/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of history:
 *
 *   history.c          its life and its thread, and those who wait for it
 *   history_sample.c   samples become rows
 *   history_take.c     and rows blocks
 *   history_read.c     and blocks become series
 *   history_compact.c  finer blocks become coarser ones, old ones are dropped
 *   history_block.c    what is in a block
 *   history_fold.c     means
 *
 * What belongs to the thread needs no lock.
 */
#pragma once

#include "history_fold.h"
#include "history_store.h"

#define MILLISECOND 1000 /* in microseconds */
#define MINUTE      (G_GINT64_CONSTANT (60) * 1000)
#define HOUR        (60 * MINUTE)
#define DAY         (24 * HOUR)

/* The span of time of a block of each level, and its steps; milliseconds. */
extern const gint64 virfs_history_spans[VIRFS_HISTORY_LEVELS];
extern const gint64 virfs_history_steps[VIRFS_HISTORY_LEVELS];

/* What is kept of what kind of object. */
typedef enum {
  VIRFS_HISTORY_VM,
  VIRFS_HISTORY_HOST,
  VIRFS_HISTORY_POOL,
  VIRFS_HISTORY_N_KINDS,
} VirfsHistoryKind;

typedef struct {
  const char *prefix; /* of keys */
  const VirfsMetricSet *set;
  const guint *recent; /* metrics of which the last hour is in memory */
  guint n_recent;
} VirfsHistoryKindInfo;

extern const VirfsHistoryKindInfo virfs_history_kinds[VIRFS_HISTORY_N_KINDS];

/* Means of minutes, the last VIRFS_HISTORY_MINUTES. */
typedef struct {
  gint64 minute; /* since the epoch: the last that has a value */
  double sum, weight;
  float means[VIRFS_HISTORY_MINUTES]; /* by minute modulo their number */
} VirfsRecent;

/* An object that is sampled. */
typedef struct {
  char *key;
  VirfsHistoryKind kind;
  gint64 last;              /* milliseconds: when it was sampled */
  gint64 span;              /* of what is being written */
  VirfsBlockWriter *writer; /* NULL: nothing is */
  VirfsRecent *recent;
  gint64 *told;  /* monotonic: when each counter was told last; NULL: none was */
  guint64 epoch; /* of its guest then */
} VirfsTaken;

/* Rows of samples that are complete and not kept yet. */
typedef struct {
  char *key;
  VirfsHistoryKind kind;
  gint64 span;
  GByteArray *rows;
} VirfsPending;

struct VirfsHistory {
  const VirfsHistoryStore *store; /* as the next two: set before there is a thread */
  VirfsHistoryOptions options;
  gint64 (*clock) (void);
  GThread *thread;
  gint on; /* atomic */

  GMutex lock;
  GCond wake;         /* of the thread */
  GCond done;         /* of who waits for it */
  GHashTable *taken;  /* under lock: key -> VirfsTaken* */
  GPtrArray *pending; /* under lock: of VirfsPending* */
  GQueue requests;    /* under lock: of Request* (history.c) */
  GHashTable
    *series;         /* under lock: what was read for files; key, index and range -> VirfsSeries* */
  gboolean stopping; /* under lock */
  guint rounds,
    wanted; /* under lock: of complete work that was done, and that somebody waits for */

  /* of the thread */
  guint layouts[VIRFS_HISTORY_N_KINDS]; /* numbers */
  gboolean has_layouts;
  GHashTable *columns;                  /* number of a layout -> names, GStrv */
  gint64 made[VIRFS_HISTORY_LEVELS];    /* span up to which blocks of a level have been made */
  gint64 dropped[VIRFS_HISTORY_LEVELS]; /* span up to which blocks of a level may be gone */
  gint64 day;      /* since the epoch: when keys were dropped that nothing is known of */
  GPtrArray *keys; /* those still to be done of span made[making]; NULL: none is */
  guint making;
  gboolean told;   /* that it cannot be written */
  gboolean failed; /* under lock: the last time */
};

/* history_take.c */

VirfsHistoryKind virfs_history_kind_of (const VirfsMetricSet *set);
VirfsHistoryKind virfs_history_kind_of_key (const char *key); /* N_KINDS: of none that is known */
void virfs_history_free_taken (gpointer taken);
void virfs_history_free_pending (gpointer pending);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsTaken, virfs_history_free_taken)
/* Rows of spans before SPAN are complete.  Under the lock. */
void virfs_history_seal (VirfsHistory *history, gint64 span);
/* Adds a row to what is known of KEY.  Under the lock. */
void virfs_history_add (VirfsHistory *history, const char *key, VirfsHistoryKind kind,
                        VirfsBlockRow *row);
/* What is known of KEY, borrowed; and what pools are kept by.  The former under the lock. */
VirfsTaken *virfs_history_taken (VirfsHistory *history, const char *key, VirfsHistoryKind kind);
char *virfs_history_pool_key (const char *host, const char *pool);
/* When that was last done, milliseconds; 0: never. */
gint64 virfs_history_last (VirfsHistory *history, const char *key);
/* The last hour of KEY, as it was kept; in the thread. */
gboolean virfs_history_recall_recent (VirfsHistory *history, const char *key, VirfsHistoryKind kind,
                                      GError **error);
/* Milliseconds since the epoch. */
gint64 virfs_history_now (const VirfsHistory *history);

/* history_read.c; of the thread */

VirfsSeries *virfs_history_load (VirfsHistory *history, const VirfsMetricSet *set, const char *key,
                                 guint index, gint64 from, gint64 to, gint64 step, GError **error);
/* Folds the rows of KEY from FROM to before TO (milliseconds) that LEVEL or, where that is not made yet, finer
 * levels tell of. */
gboolean virfs_history_fold (VirfsHistory *history, VirfsHistoryKind kind, const char *key,
                             guint level, gint64 from, gint64 to, VirfsFold *fold, GError **error);

/* history_compact.c; of the thread */

/* What the store knows of earlier runs. */
gboolean virfs_history_recall (VirfsHistory *history, GError **error);
/* Writes what is complete. */
gboolean virfs_history_write (VirfsHistory *history, GError **error);
/* A portion of the other work; *MORE: there is more. */
gboolean virfs_history_compact (VirfsHistory *history, gboolean *more, GError **error);
