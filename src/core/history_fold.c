/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Means are kept as the upper bits of a float: 8 of exponent, 14 of mantissa.  As whole numbers these are in the
 * order of the values, and small differences of the one are small differences of the other.
 */
#include "history_fold.h"

#include <math.h>
#include <string.h>

#define DROPPED_BITS 9

/* Numbers. */

gint64
virfs_fold_number_of_rate (const VirfsMetricSet *set, guint index, double value)
{
  double scale = set->rates[index - set->n].unit == VIRFS_METRIC_SECONDS ? 1e9 : 100;

  return (gint64) CLAMP (value * scale + 0.5, 0, (double) (VIRFS_BLOCK_MAX / 2));
}

double
virfs_fold_value (const VirfsMetricSet *set, guint index, gint64 number, gint64 covered)
{
  double value = (double) number;

  if (index >= set->n)
    return value / (set->rates[index - set->n].unit == VIRFS_METRIC_SECONDS ? 1e9 : 100);
  if (set->metrics[index].unit == VIRFS_METRIC_SECONDS)
    value /= 1e9;
  if (set->metrics[index].type == VIRFS_METRIC_COUNTER)
    value /= (double) MAX (covered, 1) / 1000;
  return value;
}

gint64
virfs_fold_number_of_mean (double value)
{
  float part = (float) MIN (value, (double) G_MAXINT64);
  guint32 bits;

  if (!(value > 0))
    return 0;
  memcpy (&bits, &part, sizeof bits);
  return (bits + (1u << (DROPPED_BITS - 1))) >> DROPPED_BITS;
}

double
virfs_fold_mean (gint64 number)
{
  guint32 bits = (guint32) number << DROPPED_BITS;
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

/* Summing up. */

static void
emit (VirfsFold *self)
{
  if (self->now.present != 0 || self->now.covered > 0)
    self->emit (self, self->data);
  self->now.present = 0;
  self->now.covered = 0;
}

/* What comes next is of the step that begins at TIME. */
static void
go_to (VirfsFold *self, gint64 time)
{
  if (self->now.time == time && self->step != 0)
    return;
  emit (self);
  self->now.time = time;
}

static void
add (VirfsFold *self, guint i, double mean, double min, double max, gint64 covered)
{
  VirfsFoldColumn *column = &self->now.columns[i];
  guint64 bit = G_GUINT64_CONSTANT (1) << i;
  double weight = (double) MAX (covered, 1);

  if (!(self->now.present & bit))
    *column = (VirfsFoldColumn){ 0, 0, min, max };
  self->now.present |= bit;
  column->sum += mean * weight;
  column->weight += weight;
  column->min = MIN (column->min, min);
  column->max = MAX (column->max, max);
}

/* It tells of the time before it, so one at the very end of a step belongs to that. */
void
virfs_fold_sample (VirfsFold *self, const VirfsBlockRow *row)
{
  guint64 wanted = row->present & self->wanted;

  if (wanted == 0)
    return;
  go_to (self, self->step ? (row->time - 1) / self->step * self->step : row->time - row->covered);
  /* one of the same time tells of other columns (history_sample.c) */
  if (self->step == 0 || row->time != self->last)
    self->now.covered += row->covered;
  self->last = row->time;
  for (guint i = 0; wanted != 0; i++, wanted >>= 1)
    if (wanted & 1) {
      double value = virfs_fold_value (self->set, i, row->values[i][0], row->covered);

      add (self, i, value, value, value, row->covered);
    }
}

void
virfs_fold_means (VirfsFold *self, const VirfsBlockRow *row)
{
  guint64 wanted = row->present & self->wanted;

  if (wanted == 0)
    return;
  go_to (self, self->step ? row->time / self->step * self->step : row->time);
  self->now.covered += row->covered;
  for (guint i = 0; wanted != 0; i++, wanted >>= 1)
    if (wanted & 1)
      add (self, i, virfs_fold_mean (row->values[i][0]), virfs_fold_mean (row->values[i][1]),
           virfs_fold_mean (row->values[i][2]), row->covered);
}

void
virfs_fold_end (VirfsFold *self)
{
  emit (self);
}

double
virfs_fold_mean_of (const VirfsFold *self, guint index)
{
  const VirfsFoldColumn *column = &self->now.columns[index];
  gboolean counter = index < self->set->n && self->set->metrics[index].type == VIRFS_METRIC_COUNTER;

  return column->sum / (counter ? (double) MAX (self->now.covered, 1) : column->weight);
}

void
virfs_fold_row (const VirfsFold *self, VirfsBlockRow *row)
{
  guint64 present = self->now.present;

  row->time = self->now.time;
  row->covered = self->now.covered;
  row->present = present;
  for (guint i = 0; present != 0; i++, present >>= 1)
    if (present & 1) {
      const VirfsFoldColumn *column = &self->now.columns[i];

      row->values[i][0] = virfs_fold_number_of_mean (virfs_fold_mean_of (self, i));
      row->values[i][1] = virfs_fold_number_of_mean (column->min);
      row->values[i][2] = virfs_fold_number_of_mean (column->max);
    }
}
