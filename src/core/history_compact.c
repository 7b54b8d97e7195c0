/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done with blocks in time.  A span of a level is made of the level below it when it has passed, for some
 * objects at a time, so that who reads need not wait long; a span that was not finished is made again.  What
 * is too old goes, and where there is too much the oldest goes first: samples, then the finer means, then the
 * coarser.
 */
#include "history_private.h"

#include <string.h>

/* How long after its end a span is made: then all of it is written. */
#define LATENESS (10 * MINUTE)
/* Objects of one portion. */
#define PORTION 32
/* Blocks that wait to be written while that is not possible: as many objects for an hour. */
#define PENDING_MAX 12

static const char *const marks[VIRFS_HISTORY_LEVELS] = { NULL, "made 5 minutes", "made hours" };
static const char *const drop_marks[VIRFS_HISTORY_LEVELS]
  = { "dropped samples", "dropped 5 minutes", "dropped hours" };
#define KEYS_MARK "dropped keys"

static char *
layout_of (const VirfsMetricSet *set)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < set->n + set->n_rates; i++)
    g_string_append_printf (names, "%s%s", i ? " " : "", virfs_metric_name (set, i));
  return g_string_free (names, FALSE);
}

static void
take_key (const char *key, gpointer keys)
{
  g_ptr_array_add (keys, g_strdup (key));
}

static gboolean
recall_recent (VirfsHistory *self, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);

  if (!self->store->keys (self->store->data, take_key, keys, error))
    return FALSE;
  for (guint i = 0; i < keys->len; i++) {
    VirfsHistoryKind kind = virfs_history_kind_of_key (keys->pdata[i]);

    if (kind != VIRFS_HISTORY_N_KINDS
        && !virfs_history_recall_recent (self, keys->pdata[i], kind, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
virfs_history_recall (VirfsHistory *self, GError **error)
{
  for (guint i = 0; i < VIRFS_HISTORY_N_KINDS; i++) {
    g_autofree char *names = layout_of (virfs_history_kinds[i].set);

    if (!self->store->layout (self->store->data, names, &self->layouts[i], error))
      return FALSE;
  }
  for (guint level = 1; level < VIRFS_HISTORY_LEVELS; level++)
    self->made[level] = self->store->marked (self->store->data, marks[level]);
  for (guint level = 0; level < VIRFS_HISTORY_LEVELS; level++)
    self->dropped[level] = self->store->marked (self->store->data, drop_marks[level]);
  self->day = self->store->marked (self->store->data, KEYS_MARK);
  if (!recall_recent (self, error))
    return FALSE;
  self->has_layouts = TRUE;
  return TRUE;
}

/* Writing. */

static void
free_block (gpointer data)
{
  VirfsHistoryBlock *block = data;

  g_free (block->key);
  g_bytes_unref (block->bytes);
  g_free (block);
}

static void
add_block (GPtrArray *blocks, const char *key, guint level, gint64 span, GBytes *bytes)
{
  VirfsHistoryBlock *block = g_new (VirfsHistoryBlock, 1);

  *block = (VirfsHistoryBlock){ g_strdup (key), level, span, bytes };
  g_ptr_array_add (blocks, block);
}

/* The oldest are given up when they become too many. */
static void
bound_pending (VirfsHistory *self)
{
  guint most = PENDING_MAX * MAX (g_hash_table_size (self->taken), 1);

  if (self->pending->len > most)
    g_ptr_array_remove_range (self->pending, 0, self->pending->len - most);
}

gboolean
virfs_history_write (VirfsHistory *self, GError **error)
{
  g_autoptr (GPtrArray) blocks = g_ptr_array_new_with_free_func (free_block);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  guint n = self->pending->len;
  gboolean written;

  /* only this thread takes any away */
  for (guint i = 0; i < n; i++) {
    const VirfsPending *pending = self->pending->pdata[i];

    add_block (
      blocks, pending->key, 0, pending->span,
      virfs_block_pack (self->layouts[pending->kind], 1, pending->rows->data, pending->rows->len));
  }
  g_mutex_unlock (&self->lock);
  written = n == 0 || self->store->put (self->store->data, blocks, error);
  g_mutex_lock (&self->lock);
  if (written && n > 0)
    g_ptr_array_remove_range (self->pending, 0, n);
  else
    bound_pending (self);
  return written;
}

/* Making. */

static void
write_step (const VirfsFold *fold, gpointer writer)
{
  g_autofree VirfsBlockRow *row = g_new0 (VirfsBlockRow, 1);

  virfs_fold_row (fold, row);
  virfs_block_writer_add (writer, row);
}

static gboolean
make_block (VirfsHistory *self, const char *key, guint level, GPtrArray *blocks, GError **error)
{
  VirfsHistoryKind kind = virfs_history_kind_of_key (key);
  gint64 length = virfs_history_spans[level], from = self->made[level] * length;
  const VirfsMetricSet *set;
  g_autoptr (VirfsBlockWriter) writer = NULL;
  g_autofree VirfsFold *fold = g_new0 (VirfsFold, 1);

  if (kind == VIRFS_HISTORY_N_KINDS)
    return TRUE;
  set = virfs_history_kinds[kind].set;
  writer = virfs_block_writer_new (set->n + set->n_rates, VIRFS_BLOCK_PARTS);
  *fold = (VirfsFold){ .set = set,
                       .step = virfs_history_steps[level],
                       .wanted = ~G_GUINT64_CONSTANT (0),
                       .emit = write_step,
                       .data = writer };
  if (!virfs_history_fold (self, kind, key, level - 1, from, from + length, fold, error))
    return FALSE;
  if (writer->rows > 0)
    add_block (blocks, key, level, self->made[level],
               virfs_block_pack (self->layouts[kind], VIRFS_BLOCK_PARTS, writer->bytes->data,
                                 writer->bytes->len));
  return TRUE;
}

/* The beginning of what is not written yet, milliseconds. */
static gint64
oldest_pending (VirfsHistory *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 span = G_MAXINT64 / virfs_history_spans[0];

  for (guint i = 0; i < self->pending->len; i++)
    span = MIN (span, ((const VirfsPending *) self->pending->pdata[i])->span);
  return span * virfs_history_spans[0];
}

/* Begins the next span of LEVEL that has passed and has anything in it; *BEGUN: there is one. */
static gboolean
begin_span (VirfsHistory *self, guint level, gboolean *begun, GError **error)
{
  gint64 length = virfs_history_spans[level], finer = virfs_history_spans[level - 1];
  gint64 now = MIN (virfs_history_now (self) - LATENESS, oldest_pending (self)), first;
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);

  /* of what is not made itself yet nothing can be made */
  if (level > 1)
    now = MIN (now, self->made[level - 1] * finer);
  *begun = FALSE;
  if ((self->made[level] + 1) * length > now)
    return TRUE;
  if (!self->store->first (self->store->data, level - 1, self->made[level] * length / finer, &first,
                           error))
    return FALSE;
  /* where there is nothing in between, there is nothing to be made of it */
  self->made[level] = MIN (
    first == G_MAXINT64 ? first : MAX (first * finer / length, self->made[level]), now / length);
  if ((self->made[level] + 1) * length > now)
    return TRUE;
  if (!self->store->keys (self->store->data, take_key, keys, error))
    return FALSE;
  self->keys = g_steal_pointer (&keys);
  self->making = level;
  *begun = TRUE;
  return TRUE;
}

static gboolean
go_on (VirfsHistory *self, GError **error)
{
  g_autoptr (GPtrArray) blocks = g_ptr_array_new_with_free_func (free_block);
  guint level = self->making;

  for (guint i = 0; i < PORTION && i < self->keys->len; i++)
    if (!make_block (self, self->keys->pdata[self->keys->len - 1 - i], level, blocks, error))
      return FALSE;
  if (blocks->len > 0 && !self->store->put (self->store->data, blocks, error))
    return FALSE;
  g_ptr_array_set_size (self->keys, (int) (self->keys->len - MIN (PORTION, self->keys->len)));
  if (self->keys->len > 0)
    return TRUE;
  if (!self->store->mark (self->store->data, marks[level], self->made[level] + 1, error))
    return FALSE;
  self->made[level]++;
  g_clear_pointer (&self->keys, g_ptr_array_unref);
  return TRUE;
}

/* Dropping. */

/* Before which span nothing of LEVEL is wanted any more; what coarser means are still to be made of is. */
static gint64
oldest_wanted (VirfsHistory *self, guint level)
{
  gint64 keep = self->options.keep[level] / MILLISECOND;
  gint64 oldest = (virfs_history_now (self) - keep) / virfs_history_spans[level];

  if (level + 1 < VIRFS_HISTORY_LEVELS)
    oldest = MIN (oldest, self->made[level + 1] * virfs_history_spans[level + 1]
                            / virfs_history_spans[level]);
  return oldest;
}

/* The same, if there is too much of it. */
static gint64
oldest_possible (VirfsHistory *self, guint level)
{
  if (level + 1 == VIRFS_HISTORY_LEVELS)
    return virfs_history_now (self) / virfs_history_spans[level];
  return self->made[level + 1] * virfs_history_spans[level + 1] / virfs_history_spans[level];
}

static gboolean
drop_before (VirfsHistory *self, guint level, gint64 span, gboolean *more, GError **error)
{
  const VirfsHistoryStore *store = self->store;
  gint64 end = 0;

  if (!store->drop (store->data, level, span, &end, more, error))
    return FALSE;
  if (end <= self->dropped[level])
    return TRUE;
  self->dropped[level] = end;
  return store->mark (store->data, drop_marks[level], end, error);
}

static gboolean
drop (VirfsHistory *self, gboolean *more, GError **error)
{
  const VirfsHistoryStore *store = self->store;
  gboolean too_much
    = self->options.max_bytes != 0 && store->used (store->data) > self->options.max_bytes;

  for (guint level = 0; level < VIRFS_HISTORY_LEVELS && !*more; level++)
    if (!drop_before (self, level, oldest_wanted (self, level), more, error))
      return FALSE;
  for (guint level = 0; level < VIRFS_HISTORY_LEVELS && too_much && !*more; level++) {
    gint64 first;

    if (!store->first (store->data, level, 0, &first, error))
      return FALSE;
    if (first >= oldest_possible (self, level))
      continue;
    if (!drop_before (self, level, first + 1, more, error))
      return FALSE;
    *more = TRUE;
  }
  return TRUE;
}

/* Once a day: of objects that are gone for so long that nothing is known of them any more. */
static gboolean
drop_keys (VirfsHistory *self, GError **error)
{
  gint64 today = virfs_history_now (self) / DAY;

  if (today == self->day)
    return TRUE;
  if (!self->store->drop_keys (self->store->data, error)
      || !self->store->mark (self->store->data, KEYS_MARK, today, error))
    return FALSE;
  self->day = today;
  return TRUE;
}

/* The first span of LEVEL of which nothing was dropped below. */
static gint64
first_whole (const VirfsHistory *self, guint level)
{
  gint64 length = virfs_history_spans[level];

  return (self->dropped[level - 1] * virfs_history_spans[level - 1] + length - 1) / length;
}

/*
 * Where the clock was put back, what is sampled now is of spans that have been made: they are made again.
 * But none is of which finer blocks have been dropped, however far back the clock was: what was made when all
 * of them were there is never replaced by means of a part of them.
 */
static void
follow_clock (VirfsHistory *self)
{
  for (guint level = 1; level < VIRFS_HISTORY_LEVELS; level++) {
    gint64 span = virfs_history_now (self) / virfs_history_spans[level];

    self->made[level] = MIN (self->made[level], MAX (span, first_whole (self, level)));
  }
}

gboolean
virfs_history_compact (VirfsHistory *self, gboolean *more, GError **error)
{
  *more = TRUE;
  if (self->keys != NULL)
    return go_on (self, error);
  follow_clock (self);
  for (guint level = 1; level < VIRFS_HISTORY_LEVELS; level++) {
    gboolean begun;

    if (!begin_span (self, level, &begun, error))
      return FALSE;
    if (begun)
      return TRUE;
  }
  *more = FALSE;
  return drop (self, more, error) && (*more || drop_keys (self, error));
}
