/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From samples to means, and from means to coarser ones: rows go in, in the order of time, and for each step one
 * comes out.
 */
#pragma once

#include "history.h"
#include "history_block.h"

typedef struct {
  double sum, weight, min, max;
} VirfsFoldColumn;

/* What is known of one step. */
typedef struct {
  gint64 time, covered; /* milliseconds */
  guint64 present;
  VirfsFoldColumn columns[VIRFS_BLOCK_COLUMNS];
} VirfsFoldStep;

typedef struct VirfsFold VirfsFold;
struct VirfsFold {
  const VirfsMetricSet *set;
  gint64 step;    /* milliseconds; 0: each row is one */
  guint64 wanted; /* set of columns */
  void (*emit) (const VirfsFold *fold, gpointer data);
  gpointer data;
  VirfsFoldStep now; /* what is being summed up */
  gint64 last;       /* time of the last row of samples */
};

/* Row of samples: numbers as they were taken. */
void virfs_fold_sample (VirfsFold *fold, const VirfsBlockRow *row);
/* Row of means. */
void virfs_fold_means (VirfsFold *fold, const VirfsBlockRow *row);
/* That was all: what is there is emitted. */
void virfs_fold_end (VirfsFold *fold);
/* The mean of a column that is present.  Of a counter it is what was added by all that is covered, whether it was
 * told of all of that or not, so that mean times covered is exact. */
double virfs_fold_mean_of (const VirfsFold *fold, guint index);
/* What is there as a row of means. */
void virfs_fold_row (const VirfsFold *fold, VirfsBlockRow *row);

/* A value of the kind that INDEX is, as a number of a sample: counters in what was added, seconds as
 * nanoseconds, of rates two places; and back, of a sample that covers so many milliseconds. */
gint64 virfs_fold_number_of_rate (const VirfsMetricSet *set, guint index, double value);
double virfs_fold_value (const VirfsMetricSet *set, guint index, gint64 number, gint64 covered);
/* A mean: five digits, in the order of the values. */
gint64 virfs_fold_number_of_mean (double value);
double virfs_fold_mean (gint64 number);
