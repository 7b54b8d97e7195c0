/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranking hosts. */
#include "placement.h"

#include "image.h"

#include "error.h"
#include "fit.h"
#include "registry.h"
#include "upkeep.h"

#include <string.h>

#define MEMORY_WEIGHT   60.0
#define PROMISES_WEIGHT 20.0
#define LOAD_WEIGHT     20.0
#define TOLERANCE       10.0

/* What cannot be had. */

static const VirfsPoolInfo *
find_pool (const VirfsHostInfo *info, const char *name)
{
  const VirfsPoolInfo *pool = virfs_part_list_find (info->parts[VIRFS_HOST_POOLS], name);

  return pool && virfs_pool_is_active (pool) ? pool : NULL;
}

static gboolean
lists (const VirfsPoolInfo *pool, const char *volume)
{
  return pool->part.parts == NULL || virfs_part_list_find (pool->part.parts, volume) != NULL;
}

static gboolean
host_lists (const VirfsHostInfo *info, const VirfsPoolInfo *pool, const char *volume)
{
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];

  for (guint i = 0; pools && i < pools->len; i++)
    if (virfs_pool_is_same (pools->pdata[i], pool)
        && virfs_part_list_find (((VirfsPartInfo *) pools->pdata[i])->parts, volume) != NULL)
      return TRUE;
  return FALSE;
}

/* What another host has made in storage that they share this one need not have heard of. */
static gboolean
pool_has (VirfsInfra *infra, const VirfsPoolInfo *pool, const char *volume)
{
  GHashTableIter iter;
  gpointer host;

  if (lists (pool, volume))
    return TRUE;
  g_hash_table_iter_init (&iter, infra->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    if (host_lists (((VirfsHost *) host)->info, pool, volume))
      return TRUE;
  return FALSE;
}

/* A file that is in a directory of no pool may be there. */
static gboolean
has_file (const VirfsHost *host, const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  GPtrArray *pools = host->info->parts[VIRFS_HOST_POOLS];

  for (guint i = 0; pools && i < pools->len; i++) {
    const VirfsPoolInfo *pool = pools->pdata[i];

    if (virfs_pool_is_active (pool) && g_strcmp0 (pool->path, directory) == 0)
      return pool_has (host->object.infra, pool, name);
  }
  return TRUE;
}

static gboolean
has_source (const VirfsHost *host, const char *source)
{
  const char *slash = strchr (source, '/');
  g_autofree char *name = NULL;
  const VirfsPoolInfo *pool;

  if (*source == '/' || slash == NULL)
    return has_file (host, source);
  name = g_strndup (source, slash - source);
  pool = find_pool (host->info, name);
  return pool != NULL && pool_has (host->object.infra, pool, slash + 1);
}

static gboolean
check_only (const VirfsWish *wish, const VirfsHost *host, GError **error)
{
  if (wish->only == NULL || wish->only == host)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "what it is made of is on %s",
               wish->only->name);
  return FALSE;
}

static gboolean
check_rights (const VirfsWish *wish, const VirfsHost *host, GError **error)
{
  const GError *refusal = wish->refused ? g_hash_table_lookup (wish->refused, host) : NULL;

  if (refusal != NULL)
    g_propagate_error (error, g_error_copy (refusal));
  return refusal == NULL;
}

static gboolean
check_sources (const VirfsWish *wish, const VirfsHost *host, GError **error)
{
  for (const char *const *p = wish->sources; p && *p; p++)
    if (!has_source (host, *p)) {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s does not have %s", host->name,
                   *p);
      return FALSE;
    }
  return TRUE;
}

static gboolean
has_image (const VirfsWish *wish, const VirfsHost *host)
{
  GPtrArray *volumes = wish->image ? wish->image->info->volumes : NULL;

  for (guint i = 0; volumes && i < volumes->len; i++)
    if (virfs_part_root (volumes->pdata[i]) == &host->object)
      return TRUE;
  return FALSE;
}

/* What is based on another image is not copied, for that would have to be copied, too. */
static gboolean
check_image (const VirfsWish *wish, const VirfsHost *host, GError **error)
{
  const VirfsVolumeInfo *volume
    = wish->image ? (const VirfsVolumeInfo *) wish->image->info->volume : NULL;

  if (wish->image == NULL || has_image (wish, host)
      || (virfs_image_pool (host, host->info) != NULL && volume && volume->backing == NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s does not have the image %s, and %s",
               host->name, wish->image->label,
               volume && volume->backing ? "it is based on another" : "no pool for images");
  return FALSE;
}

static gboolean
check_pool (const VirfsWish *wish, const char *name, const VirfsHostInfo *info, GError **error)
{
  const VirfsPoolInfo *pool;

  if (wish->pool == NULL || info->parts[VIRFS_HOST_POOLS] == NULL)
    return TRUE;
  pool = find_pool (info, wish->pool);
  if (pool != NULL && pool->available >= wish->pool_bytes)
    return TRUE;
  if (pool == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s has no active pool %s", name,
                 wish->pool);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE,
                 "the pool %s of %s has %" G_GUINT64_FORMAT " bytes left, %" G_GUINT64_FORMAT
                 " are wanted",
                 wish->pool, name, pool->available, wish->pool_bytes);
  return FALSE;
}

static gboolean
check_network (const VirfsWish *wish, const char *name, const VirfsHostInfo *info, GError **error)
{
  if (wish->network == NULL || info->networks == NULL
      || g_ptr_array_find_with_equal_func (info->networks, wish->network, g_str_equal, NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s has no active network %s", name,
               wish->network);
  return FALSE;
}

static gboolean
check_needs (const VirfsWish *wish, const char *name, const VirfsHostInfo *info, GError **error)
{
  return wish->needs == NULL || virfs_fit_needs (wish->needs, name, info, error);
}

static gboolean
check_arch (const VirfsWish *wish, const char *name, const VirfsHostInfo *info, GError **error)
{
  for (guint i = 0; info->guest_types && wish->arch && i < info->guest_types->len; i++) {
    const char *arch = strchr (info->guest_types->pdata[i], ' ');

    if (arch != NULL && g_str_equal (arch + 1, wish->arch))
      return TRUE;
  }
  if (wish->arch == NULL || info->guest_types == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, "%s cannot run guests for %s", name,
               wish->arch);
  return FALSE;
}

static gboolean
check_state (const char *name, const VirfsHostInfo *info, GError **error)
{
  if (info->state == VIRFS_HOST_UP)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is %s", name,
               virfs_host_state_name (info->state));
  return FALSE;
}

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

static gboolean
check_memory (const VirfsWish *wish, const char *name, const VirfsHostInfo *info,
              const VirfsPromise *making, GError **error)
{
  g_autofree char *wanted = NULL, *free = NULL;
  guint64 there = real_memory (info, making);

  if (wish->memory <= there || info->memory == 0)
    return TRUE;
  wanted = g_format_size_full (wish->memory, G_FORMAT_SIZE_IEC_UNITS);
  free = g_format_size_full (there, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE, "%s has %s of memory free, %s is wanted",
               name, free, wanted);
  return FALSE;
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
  GError **error = &place->refusal;
  const VirfsPromise making = all_that_comes (host, wish);

  place->host = virfs_object_ref (host);
  place->has_image = has_image (wish, host);
  weigh (place, wish, info, &host->promised, &making);
  if (check_rights (wish, host, error) && check_state (host->name, info, error)
      && (host == wish->present || virfs_upkeep_check (host->name, info, error))
      && check_only (wish, host, error) && check_arch (wish, host->name, info, error)
      && check_network (wish, host->name, info, error)
      && check_needs (wish, host->name, info, error) && check_pool (wish, host->name, info, error)
      && check_sources (wish, host, error) && check_image (wish, host, error)
      && host != wish->present)
    check_memory (wish, host->name, info, &making, error);
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
