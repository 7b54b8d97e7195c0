/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread of the fleet's definitions, and those who wake it: the registry, by taking note of what hosts have;
 * whoever wants something; jobs that have ended.
 */
#include "fleet_private.h"

#include "error.h"

#define HOST_FIELDS (VIRFS_BIT (VIRFS_HOST_STATE) | VIRFS_BIT (VIRFS_HOST_PARTS))

/* Taking note, under the registry's lock. */
static void
listen (const VirfsChange *change, gpointer data)
{
  VirfsFleet *self = data;
  g_autoptr (GMutexLocker) locker = NULL;

  if (change->object->kind != VIRFS_KIND_HOST && change->object->kind != VIRFS_KIND_VM)
    return;
  locker = g_mutex_locker_new (&self->lock);
  if (!self->running)
    return;
  virfs_profile_note (self, change);
  if (change->object->kind != VIRFS_KIND_HOST
      || (change->kind == VIRFS_CHANGED && !(change->fields & HOST_FIELDS)))
    return;
  self->poked = TRUE;
  g_cond_signal (&self->wake);
}

/* The thread. */

static void
new_news (VirfsProfileNews *news)
{
  GHashTable **sets[] = { &news->arrived, &news->altered, &news->departed, &news->accepted };

  for (guint i = 0; i < G_N_ELEMENTS (sets); i++)
    *sets[i] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
clear_news (VirfsProfileNews *news)
{
  g_hash_table_unref (news->arrived);
  g_hash_table_unref (news->altered);
  g_hash_table_unref (news->departed);
  g_hash_table_unref (news->accepted);
}

/* What has arrived is not left for later, for it is compared with what was there before. */
static void
take_news (VirfsFleet *self, VirfsProfileNews *news)
{
  gboolean due = self->due != 0 && g_get_monotonic_time () >= self->due;
  GHashTable *later = due ? NULL : g_hash_table_ref (self->news.altered);

  *news = self->news;
  new_news (&self->news);
  if (due) {
    self->due = 0;
    return;
  }
  g_hash_table_unref (self->news.altered);
  self->news.altered = later;
  g_hash_table_unref (news->altered);
  news->altered = g_hash_table_new (g_str_hash, g_str_equal);
}

/* What there is to do, but for what is due later. */
typedef struct {
  GQueue tasks, ended;
  VirfsProfileNews news;
} Work;

static gboolean
has_work (VirfsFleet *self)
{
  return self->poked || self->tasks.length > 0 || self->ended.length > 0
         || g_hash_table_size (self->news.arrived) > 0
         || g_hash_table_size (self->news.departed) > 0
         || g_hash_table_size (self->news.accepted) > 0
         || (self->due != 0 && g_get_monotonic_time () >= self->due);
}

static void
take_work (VirfsFleet *self, Work *work)
{
  work->tasks = self->tasks;
  work->ended = self->ended;
  g_queue_init (&self->tasks);
  g_queue_init (&self->ended);
  self->poked = FALSE;
  take_news (self, &work->news);
}

/* Those whose last job has ended are told when what they wanted is shown. */
static void
take_ends (VirfsFleet *self, GQueue *ended, GPtrArray *waits)
{
  VirfsFleetApply *apply;

  while ((apply = g_queue_pop_head (ended)) != NULL) {
    virfs_fleet_take_end (self, apply);
    if (apply->wait != NULL && apply->wait->left == 0)
      g_ptr_array_add (waits, apply->wait);
    virfs_fleet_apply_free (apply);
  }
}

static void
carry_out (VirfsFleet *self, Work *work)
{
  g_autoptr (GPtrArray) waits = g_ptr_array_new ();
  VirfsFleetTask *task;

  take_ends (self, &work->ended, waits);
  virfs_profile_look (self, &work->news);
  virfs_fleet_look (self);
  for (guint i = 0; i < waits->len; i++)
    virfs_fleet_wait_settle (waits->pdata[i]);
  while ((task = g_queue_pop_head (&work->tasks)) != NULL)
    virfs_fleet_task_run (self, task);
  clear_news (&work->news);
}

static gpointer
run (gpointer data)
{
  VirfsFleet *self = data;

  g_mutex_lock (&self->lock);
  while (!self->stopping || has_work (self)) {
    Work work;

    if (!has_work (self)) {
      if (self->due == 0)
        g_cond_wait (&self->wake, &self->lock);
      else
        g_cond_wait_until (&self->wake, &self->lock, self->due);
      continue;
    }
    take_work (self, &work);
    g_mutex_unlock (&self->lock);
    carry_out (self, &work);
    g_mutex_lock (&self->lock);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* Its life. */

VirfsFleet *
virfs_fleet_new (VirfsInfra *infra)
{
  VirfsFleet *self = g_new0 (VirfsFleet, 1);

  self->infra = infra;
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  g_queue_init (&self->tasks);
  g_queue_init (&self->ended);
  self->entries = g_ptr_array_new_with_free_func (virfs_fleet_entry_free);
  self->profiles
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  self->emptied = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->suspects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  new_news (&self->news);
  return self;
}

void
virfs_infra_start_fleet (VirfsInfra *infra)
{
  VirfsFleet *self = infra->fleet;

  virfs_fleet_restore (self);
  virfs_profile_restore (self);
  self->running = self->poked = TRUE;
  self->thread = g_thread_new ("virfs-fleet", run, self);
  virfs_infra_listen (infra, listen, self);
}

void
virfs_fleet_drain (VirfsFleet *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->draining = TRUE;
}

void
virfs_fleet_stop (VirfsFleet *self)
{
  if (self->thread == NULL)
    return;
  virfs_infra_unlisten (self->infra, listen, self);
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  self->running = FALSE;
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
  g_thread_join (g_steal_pointer (&self->thread));
}

void
virfs_fleet_free (VirfsFleet *self)
{
  g_ptr_array_unref (self->entries);
  g_hash_table_unref (self->profiles);
  g_hash_table_unref (self->emptied);
  g_hash_table_unref (self->suspects);
  clear_news (&self->news);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_free (self);
}
