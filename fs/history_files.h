/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history/ of guests, hosts and pools: for each range of time (day, week …) a directory, and in it a table and a
 * picture of each metric.  Ranges can be opened by name but are not listed, so that a walk over a fleet does not
 * draw a million pictures.
 *
 * A range of an object is a class of its own; in the number of its nodes the range stands above VIRFS_ID_BITS.
 */
#pragma once

#include "classes.h"
#include "history.h"

/* For the tables of those that have one, at PREFIX. */
#define VIRFS_HISTORY_ROWS(prefix)                                                                 \
  { prefix "history", S_IFDIR | 0550, .dir = &virfs_history_dir,                                   \
    .help = "what was: hour, day, week, month and year can be opened but are not listed" },        \
  {                                                                                                \
    prefix "history/README", S_IFREG | 0440,                                                       \
      .show = virfs_show_history_readme,                                                           \
      .help = "which files there are in each of these directories"                                 \
  }

extern const VirfsDir virfs_history_dir;
void virfs_show_history_readme (const VirfsNode *node, GString *out);

/* For the tree: the class of range NUMBER (1 is the first) of OBJECT, NULL if there is none; and where a node
 * of such a class is. */
void virfs_history_init (void);
const VirfsClass *virfs_history_class (gconstpointer object, guint number);
char *virfs_history_path (const VirfsNode *node);

/* history_text.c: SERIES of metric INDEX; nothing if it is NULL. */
void virfs_history_append_tsv (GString *out, const VirfsMetricSet *set, guint index,
                               const VirfsSeries *series);
void virfs_history_append_svg (GString *out, const VirfsMetricSet *set, guint index,
                               const char *object, VirfsRange range, const VirfsSeries *series);
