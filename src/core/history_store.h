/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who keeps blocks of history (backends/store/history.c), and the life of a history that has such a keeper.
 *
 * A block has a key (of an object), a level, and the number of the span of time that it is of; what is in it is
 * the history's affair.  All functions are called by one thread, one after the other, and may wait for the disk.
 */
#pragma once

#include "history.h"

/* Levels: samples, means of 5 minutes, means of hours. */
#define VIRFS_HISTORY_LEVELS 3

typedef struct {
  char *key;
  guint level;
  gint64 span;
  GBytes *bytes;
} VirfsHistoryBlock;

typedef void (*VirfsHistoryFunc) (GBytes *block, gpointer user);
typedef void (*VirfsHistoryKeyFunc) (const char *key, gpointer user);

typedef struct {
  gpointer data;
  /* The number of the layout with these NAMES, a new one if need be; and the names of that number, which the
   * caller owns, NULL if there is none. */
  gboolean (*layout) (gpointer data, const char *names, guint *number, GError **error);
  char *(*layout_names) (gpointer data, guint number);
  /* All of BLOCKS (of VirfsHistoryBlock), or none.  One of level 0 comes beside those that there are, others
   * replace. */
  gboolean (*put) (gpointer data, GPtrArray *blocks, GError **error);
  /* Calls FUNC for the blocks of KEY from span FROM to before TO, in their order. */
  gboolean (*get) (gpointer data, const char *key, guint level, gint64 from, gint64 to,
                   VirfsHistoryFunc func, gpointer user, GError **error);
  /* Calls FUNC for each key. */
  gboolean (*keys) (gpointer data, VirfsHistoryKeyFunc func, gpointer user, GError **error);
  /* The first span of LEVEL from FROM on that has blocks; G_MAXINT64 if none has. */
  gboolean (*first) (gpointer data, guint level, gint64 from, gint64 *span, GError **error);
  /* A number that is kept by name; 0 if there is none. */
  gboolean (*mark) (gpointer data, const char *name, gint64 value, GError **error);
  gint64 (*marked) (gpointer data, const char *name);
  /* Drops some of the blocks of LEVEL before span TO, the oldest; *END is the span behind the last of them, and
   * untouched if there was none; *MORE: there are more. */
  gboolean (*drop) (gpointer data, guint level, gint64 to, gint64 *end, gboolean *more,
                    GError **error);
  /* Drops keys that have no blocks; put makes them again. */
  gboolean (*drop_keys) (gpointer data, GError **error);
  /* Bytes that are in use. */
  guint64 (*used) (gpointer data);
} VirfsHistoryStore;

typedef struct {
  gint64 keep[VIRFS_HISTORY_LEVELS]; /* microseconds */
  guint64 max_bytes;                 /* 0: as many as it takes */
} VirfsHistoryOptions;

/* For the registry. */
VirfsHistory *virfs_history_new (void);
void virfs_history_free (VirfsHistory *history);

/* From now on what is sampled is kept in STORE, which must be there until virfs_history_stop() has written the
 * last of it; that may be called more than once. */
void virfs_history_start (VirfsHistory *history, const VirfsHistoryStore *store,
                          const VirfsHistoryOptions *options);
void virfs_history_stop (VirfsHistory *history);

/* For tests: what time it is (microseconds since the epoch), and all that is to be done is done before this
 * returns.  FALSE if something could not be written. */
void virfs_history_set_clock (VirfsHistory *history, gint64 (*clock) (void));
gboolean virfs_history_flush (VirfsHistory *history);
