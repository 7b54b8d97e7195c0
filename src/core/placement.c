/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranking hosts. */
#include "placement_private.h"

#include "error.h"
#include "fit.h"
#include "registry.h"

#include <string.h>

#define MEMORY_WEIGHT   60.0
#define PROMISES_WEIGHT 20.0
#define LOAD_WEIGHT     20.0
#define TOLERANCE       10.0

/* What a host has to give. */

static guint64
minus (guint64 a, guint64 b)
{
  return a > b ? a - b : 0;
}

/* Memory that is really free, less what was promised since that was measured, as far as is known:
 * what is being made. */
static guint64
real_memory (const VirfsHostInfo *info, const VirfsPromise *making)
{
  return info->memory_free ? minus (info->memory_free, making->memory) : info->memory;
}

static double
share (double part, double whole)
{
  return whole > 0 ? CLAMP (part / whole, 0, 1) : 0;
}

static void
weigh (VirfsPlace *place, const VirfsWish *wish, const VirfsHostInfo *info,
       const VirfsPromise *promised, const VirfsPromise *making)
{
  gboolean here = place->host == wish->present;
  double memory = promised->memory + making->memory + (here ? 0 : wish->memory);
  double vcpus = promised->vcpus + making->vcpus + (here ? 0 : wish->vcpus);
  guint64 real = minus (real_memory (info, making), here ? 0 : wish->memory);
  double left = MIN ((double) real, MAX ((double) info->memory - memory, 0));

  place->guests = promised->guests + making->guests;
  place->promised = info->memory ? memory / (double) info->memory : 0;
  place->memory_left = real;
  place->score = MEMORY_WEIGHT * share (left, (double) info->memory)
                 + PROMISES_WEIGHT * (1 - share (vcpus, info->cpus))
                 + LOAD_WEIGHT * (1 - MAX (info->cpu_load, 0) / 100.0);
}

/* Under the registry's lock, as the next. */
static VirfsPromise
all_that_comes (const VirfsHost *host, const VirfsWish *wish)
{
  const VirfsPromise *planned = wish->planned ? g_hash_table_lookup (wish->planned, host) : NULL;
  VirfsPromise all = host->making;

  if (planned != NULL) {
    all.memory += planned->memory;
    all.vcpus += planned->vcpus;
    all.guests += planned->guests;
  }
  return all;
}

static VirfsPlace *
look_at (VirfsHost *host, const VirfsWish *wish)
{
  const VirfsHostInfo *info = host->info;
  VirfsPlace *place = g_new0 (VirfsPlace, 1);
  const VirfsPromise making = all_that_comes (host, wish);

  place->host = virfs_object_ref (host);
  place->has_image = virfs_place_has_image (wish, host);
  weigh (place, wish, info, &host->promised, &making);
  virfs_place_check (wish, host, real_memory (info, &making), &place->refusal);
  return place;
}

static void
free_place (gpointer data)
{
  VirfsPlace *place = data;

  virfs_object_unref (place->host);
  g_clear_error (&place->refusal);
  g_free (place);
}

/* The order. */

static gint
compare (gconstpointer a, gconstpointer b, gpointer best)
{
  const VirfsPlace *p = *(VirfsPlace *const *) a, *q = *(VirfsPlace *const *) b;
  double enough = *(double *) best - TOLERANCE;
  gboolean good_p = p->score >= enough, good_q = q->score >= enough;

  if ((p->refusal != NULL) != (q->refusal != NULL))
    return p->refusal ? 1 : -1;
  if (p->refusal == NULL && good_p != good_q)
    return good_p ? -1 : 1;
  if (p->refusal == NULL && good_p && p->has_image != q->has_image)
    return p->has_image ? -1 : 1;
  if (p->refusal == NULL && good_p && p->promised != q->promised)
    return p->promised < q->promised ? -1 : 1;
  if (p->refusal == NULL && p->score != q->score)
    return p->score > q->score ? -1 : 1;
  return strcmp (p->host->name, q->host->name);
}

static void
sort (GPtrArray *places)
{
  double best = 0;

  for (guint i = 0; i < places->len; i++) {
    const VirfsPlace *place = places->pdata[i];

    if (place->refusal == NULL)
      best = MAX (best, place->score);
  }
  g_ptr_array_sort_with_data (places, compare, &best);
}

/* Under the registry's lock. */
static GPtrArray *
rank (VirfsInfra *infra, const VirfsWish *wish)
{
  GPtrArray *places = g_ptr_array_new_with_free_func (free_place);
  GHashTableIter iter;
  gpointer host;

  g_hash_table_iter_init (&iter, infra->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    g_ptr_array_add (places, look_at (host, wish));
  sort (places);
  return places;
}

GPtrArray *
virfs_placement_rank (VirfsInfra *infra, const VirfsWish *wish)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  return rank (infra, wish);
}

static GPtrArray *
rank_vm (VirfsInfra *infra, const VirfsVmInfo *vm, const VirfsVmNeeds *needs, const VirfsWish *wish)
{
  GPtrArray *places = virfs_placement_rank (infra, wish);

  for (guint i = 0; i < places->len; i++) {
    VirfsPlace *place = places->pdata[i];
    g_autoptr (VirfsHostInfo) info = virfs_host_info (place->host);

    if (place->refusal != NULL || place->host == vm->host)
      continue;
    if (needs == NULL)
      g_set_error (&place->refusal, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                   "what the guest needs is not known");
    else
      virfs_fit (vm, needs, place->host, info, &place->refusal);
  }
  sort (places);
  return places;
}

GPtrArray *
virfs_placement_rank_vm (VirfsInfra *infra, const VirfsVmInfo *vm, const VirfsVmNeeds *needs)
{
  gboolean active = virfs_vm_state_active (vm->state);
  VirfsWish wish = { .memory = vm->memory, .vcpus = vm->vcpus };

  /* only while it runs does its host give what it wants */
  wish.present = active ? vm->host : NULL;
  return rank_vm (infra, vm, needs, &wish);
}

/* Why each of them cannot; a few of many. */
static void
refuse_all (GPtrArray *places, const VirfsHost *present, GError **error)
{
  g_autoptr (GString) reasons = g_string_new (NULL);
  int code = VIRFS_ERROR_NOT_FOUND;

  for (guint i = 0, n = 0; i < places->len && n < 5; i++) {
    const VirfsPlace *place = places->pdata[i];

    if (place->host == present)
      continue;
    code = n ? code : place->refusal->code;
    /* what is about the guest is the same everywhere */
    if (strstr (reasons->str, place->refusal->message) != NULL)
      continue;
    g_string_append_printf (reasons, "%s%s", n++ ? "; " : "", place->refusal->message);
  }
  g_set_error (error, VIRFS_ERROR, code, "%s",
               reasons->len ? reasons->str : "there is no other host");
}

VirfsHost *
virfs_placement_choose (VirfsInfra *infra, const VirfsVmInfo *vm, const VirfsVmNeeds *needs,
                        GHashTable *planned, GError **error)
{
  gboolean active = virfs_vm_state_active (vm->state);
  VirfsWish wish = { .memory = active ? vm->memory : 0,
                     .vcpus = active ? vm->vcpus : 0,
                     .present = vm->host,
                     .planned = planned };
  g_autoptr (GPtrArray) places = rank_vm (infra, vm, needs, &wish);

  for (guint i = 0; i < places->len; i++) {
    const VirfsPlace *place = places->pdata[i];

    if (place->refusal == NULL && place->host != vm->host)
      return virfs_object_ref (place->host);
  }
  refuse_all (places, vm->host, error);
  return NULL;
}

static const char *
verdict (const VirfsPlace *place, guint rank, const VirfsHost *present)
{
  if (place->refusal != NULL)
    return place->refusal->message;
  if (place->host == present)
    return rank == 0 ? "it is here, and nowhere better" : "it is here";
  return rank == 0 ? "best" : "would do";
}

void
virfs_placement_print (GPtrArray *places, const VirfsHost *present, GString *out)
{
  g_string_append (out, "host\tscore\tmemory_left\tpromised\tguests\treason\n");
  for (guint i = 0; i < places->len; i++) {
    const VirfsPlace *place = places->pdata[i];

    g_string_append_printf (out, "%s\t%.0f\t%" G_GUINT64_FORMAT "\t%.0f%%\t%u\t%s\n",
                            place->host->name, place->refusal ? 0 : place->score,
                            place->memory_left, place->promised * 100, place->guests,
                            verdict (place, i, present));
  }
}

/* Reserving. */

static VirfsPlace *
choose (GPtrArray *places, const char *name)
{
  for (guint i = 0; i < places->len; i++) {
    VirfsPlace *place = places->pdata[i];

    if (name == NULL || g_str_equal (place->host->name, name))
      return place;
  }
  return NULL;
}

static void
refuse (GPtrArray *places, const VirfsPlace *chosen, const char *name, GError **error)
{
  g_autoptr (GString) reasons = g_string_new (NULL);

  if (chosen == NULL && name != NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "no host is named \"%s\"", name);
    return;
  }
  if (chosen == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
                 "there is no host; mkdir hosts/NAME and write its uri");
    return;
  }
  for (guint i = 0; name == NULL && i < MIN (places->len, 5); i++)
    g_string_append_printf (reasons, "%s%s", i ? "; " : "",
                            ((VirfsPlace *) places->pdata[i])->refusal->message);
  g_set_error (error, VIRFS_ERROR, chosen->refusal->code, "no host can have it: %s",
               name ? chosen->refusal->message : reasons->str);
}

static void
promise (VirfsHost *host, const VirfsWish *wish, int sign)
{
  host->making.memory += sign * wish->memory;
  host->making.vcpus += sign * wish->vcpus;
  host->making.guests += sign;
}

VirfsHost *
virfs_placement_reserve (VirfsInfra *infra, const VirfsWish *wish, const char *name, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  g_autoptr (GPtrArray) places = rank (infra, wish);
  VirfsPlace *chosen = choose (places, name);

  if (chosen == NULL || chosen->refusal != NULL) {
    refuse (places, chosen, name, error);
    return NULL;
  }
  promise (chosen->host, wish, 1);
  return virfs_object_ref (chosen->host);
}

void
virfs_placement_promise (VirfsHost *host, const VirfsWish *wish)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->object.infra->lock);

  promise (host, wish, 1);
}

void
virfs_placement_release (VirfsHost *host, const VirfsWish *wish)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->object.infra->lock);

  promise (host, wish, -1);
}
