/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alarm_see.h"

typedef struct {
  VirfsSample *last, *before;
} Pair;

void
virfs_seen_clear (VirfsSeen *seen)
{
  g_free (seen->path);
  virfs_object_unref (seen->object);
  g_clear_pointer (&seen->vm, virfs_vm_info_unref);
  g_clear_pointer (&seen->host_info, virfs_host_info_unref);
  g_clear_pointer (&seen->pool, virfs_part_info_unref);
  virfs_sample_unref (seen->sample);
}

/* Taking what is known. */

static void
see_host (VirfsSeen *seen, VirfsHost *host)
{
  seen->host = host->object.id;
  seen->host_info = virfs_host_info (host);
  seen->subject.host = seen->host_info;
  seen->subject.reachable = seen->host_info->state == VIRFS_HOST_UP;
}

static gboolean
see_vm (VirfsSeen *seen, VirfsVm *vm)
{
  seen->vm = virfs_vm_info (vm);
  if (seen->vm->label == NULL)
    return FALSE;
  seen->subject.vm = seen->vm;
  seen->tags = seen->vm->tags;
  seen->path = g_strconcat ("vms/", seen->vm->label, NULL);
  see_host (seen, seen->vm->host);
  return TRUE;
}

static void
see_promises (VirfsSeen *seen, VirfsHost *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->object.infra->lock);

  seen->subject.promised = host->promised;
}

static void
see_pool (VirfsSeen *seen, VirfsPart *pool)
{
  VirfsHost *host = (VirfsHost *) pool->owner;

  seen->pool = virfs_part_info (pool);
  seen->subject.pool = pool;
  seen->subject.pool_info = (const VirfsPoolInfo *) seen->pool;
  seen->path = g_strdup_printf ("hosts/%s/pools/%s", host->name, pool->label);
  see_host (seen, host);
}

gboolean
virfs_alarms_see (VirfsAlarms *self, guint64 id, const VirfsMoment *now, VirfsSeen *seen)
{
  seen->id = id;
  seen->subject.now = now->real;
  seen->object = virfs_infra_object (self->infra, id);
  if (seen->object == NULL)
    return FALSE;
  seen->subject.kind = seen->object->kind;
  if (seen->object->kind == VIRFS_KIND_VM)
    return see_vm (seen, (VirfsVm *) seen->object);
  if (seen->object->kind == VIRFS_KIND_POOL) {
    see_pool (seen, (VirfsPart *) seen->object);
    return !seen->pool->draft;
  }
  if (seen->object->kind != VIRFS_KIND_HOST)
    return FALSE;
  see_host (seen, (VirfsHost *) seen->object);
  see_promises (seen, (VirfsHost *) seen->object);
  seen->path = g_strconcat ("hosts/", ((VirfsHost *) seen->object)->name, NULL);
  return TRUE;
}

char *
virfs_seen_key (const VirfsSeen *seen)
{
  if (seen->subject.kind != VIRFS_KIND_VM)
    return g_strdup (seen->path);
  if (((const VirfsVm *) seen->object)->twin)
    return g_strdup_printf ("vm/%s@%s", seen->vm->uuid, seen->vm->host->name);
  return g_strconcat ("vm/", seen->vm->uuid, NULL);
}

/* Samples.  The one before the last is kept only where a rule wants to know what has grown. */

void
virfs_alarm_pair_free (gpointer data)
{
  Pair *pair = data;

  virfs_sample_unref (pair->last);
  virfs_sample_unref (pair->before);
  g_free (pair);
}

void
virfs_alarms_see_sample (VirfsAlarms *self, VirfsSeen *seen)
{
  if (seen->sample == NULL)
    seen->sample = virfs_metrics_sample (virfs_infra_metrics (self->infra), seen->object);
  seen->subject.sample = seen->sample;
}

void
virfs_alarms_see_growth (VirfsAlarms *self, VirfsSeen *seen)
{
  Pair *pair = g_hash_table_lookup (self->samples, &seen->id);

  if (seen->sample == NULL || seen->subject.before != NULL)
    return;
  if (pair == NULL) {
    pair = g_new0 (Pair, 1);
    g_hash_table_insert (self->samples, g_memdup2 (&seen->id, sizeof seen->id), pair);
  }
  if (pair->last != seen->sample) {
    virfs_sample_unref (pair->before);
    pair->before = pair->last;
    pair->last = virfs_sample_ref (seen->sample);
  }
  seen->subject.before = pair->before;
}
