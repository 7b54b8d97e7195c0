/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making guests of drafts: where, of what, and what is left of attempts that were cut off. */
#include "make.h"

#include "access.h"
#include "draft.h"
#include "image_job.h"
#include "placement.h"
#include "seed.h"
#include "snapshot.h"

#include <string.h>

static VirfsDraftInfo *
info_of (const VirfsNode *node)
{
  return (VirfsDraftInfo *) node->snapshot;
}

/* A name alone is one of images/. */
static gboolean
names_image (const char *image)
{
  return image != NULL && strchr (image, '/') == NULL;
}

static gboolean
names_guest (const char *image)
{
  return image != NULL && g_str_has_prefix (image, "vms/");
}

/* What it is to be made of if it is a guest, or a snapshot of one: then *SNAPSHOT is its name. */
static VirfsVm *
find_source (VirfsInfra *infra, const char *image, char **snapshot)
{
  g_auto (GStrv) words = g_strsplit (image, "/", 4); /* vms GUEST snapshots SNAPSHOT */
  g_autoptr (VirfsVm) vm = words[1] ? virfs_infra_vm (infra, words[1]) : NULL;
  g_autoptr (VirfsPart) part = NULL;

  if (vm == NULL || words[2] == NULL)
    return g_steal_pointer (&vm);
  if (g_str_equal (words[2], "snapshots") && words[3] != NULL)
    part = virfs_infra_part (infra, vm, &virfs_snapshot_class, words[3]);
  if (part == NULL)
    return NULL;
  *snapshot = g_strdup (part->name);
  return g_steal_pointer (&vm);
}

/* What it wants of a host. */

typedef struct {
  VirfsWish wish;
  VirfsVmNeeds *needs; /* of the definition that it is made of; NULL: there is none */
  VirfsVm *source;     /* a reference; NULL: it is made of no guest */
  char *snapshot;
  VirfsHost *host;        /* where the source is */
  const char *sources[5]; /* the wish's */
  GHashTable *refused;    /* likewise; owned, NULL: none */
  VirfsImage *image;      /* likewise; a reference, NULL: it is made of none */
} Want;

static void
free_want (Want *want)
{
  g_clear_pointer (&want->needs, virfs_vm_needs_free);
  g_clear_pointer (&want->source, virfs_object_unref);
  g_clear_pointer (&want->host, virfs_object_unref);
  g_clear_pointer (&want->image, virfs_object_unref);
  g_clear_pointer (&want->refused, g_hash_table_unref);
  g_free (want->snapshot);
  g_free (want);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Want, free_want)

static const VirfsVmInfo *
source_info (Want *want, VirfsInfra *infra, const VirfsDraftInfo *info, VirfsVmInfo **known)
{
  if (names_guest (info->image))
    want->source = find_source (infra, info->image, &want->snapshot);
  *known = want->source ? virfs_vm_info (want->source) : NULL;
  if (*known != NULL)
    want->host = virfs_object_ref ((*known)->host);
  return *known;
}

/* The definition that it begins with, if there is one; the caller owns the reference. */
static VirfsVmInfo *
base_of (Want *want, VirfsInfra *infra, const VirfsDraftInfo *info)
{
  VirfsVmInfo *base;

  if (info->xml != NULL) {
    base = virfs_vm_info_new (info->uuid, info->part.name);
    base->xml = virfs_blob_ref (info->xml);
    base->xml_inactive = virfs_blob_ref (info->xml);
    return base;
  }
  source_info (want, infra, info, &base);
  return base;
}

static void
add_sources (Want *want, const VirfsDraftInfo *info)
{
  guint n = 0;

  if (info->image != NULL && !names_guest (info->image) && !names_image (info->image))
    want->sources[n++] = info->image;
  if (info->iso != NULL)
    want->sources[n++] = info->iso;
  if (info->kernel != NULL)
    want->sources[n++] = info->kernel;
  if (info->initrd != NULL)
    want->sources[n++] = info->initrd;
  want->wish.sources = want->sources;
}

static const char *
pool_of (const VirfsDraftInfo *info)
{
  return info->pool ? info->pool : "default";
}

static gboolean
makes_disk (const VirfsDraftInfo *info)
{
  return info->xml == NULL && (info->image != NULL || info->disk_size > 0);
}

/* FALSE: NOT_FOUND, or BUSY. */
static gboolean
find_image (Want *want, VirfsInfra *infra, const char *name, GError **error)
{
  g_autoptr (VirfsImageInfo) info = NULL;

  if (!names_image (name))
    return TRUE;
  want->image = want->wish.image = virfs_infra_image (infra, name);
  if (want->image == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no images/%s", name);
    return FALSE;
  }
  info = virfs_image_info (want->image);
  if (!info->written)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "the image %s is being written", name);
  return FALSE;
}

/* A full clone can be made on another host, if that was written: its disks are brought there. */
static void
place_clone (Want *want, const VirfsDraftInfo *info)
{
  gboolean away = info->host != NULL && want->host != NULL
                  && !g_str_equal (info->host, want->host->name)
                  && g_strcmp0 (info->clone, "linked") != 0;

  if (!away) {
    want->wish.only = want->host;
  } else if (want->needs != NULL) {
    g_ptr_array_set_size (want->needs->pools, 0);
    g_ptr_array_set_size (want->needs->files, 0);
  }
}

static Want *
want_of (VirfsInfra *infra, const VirfsDraftInfo *info, GError **error)
{
  g_autoptr (Want) want = g_new0 (Want, 1);
  g_autoptr (VirfsVmInfo) base = base_of (want, infra, info);

  if (names_guest (info->image) && want->source == NULL && info->xml == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no %s", info->image);
    return NULL;
  }
  if (!find_image (want, infra, info->image, error))
    return NULL;
  if (base != NULL) {
    want->needs = virfs_infra_backend (infra)->vm_needs (base, error);
    if (want->needs == NULL)
      return NULL;
  }
  want->wish.memory = info->memory ? info->memory : base ? base->memory : VIRFS_DRAFT_MEMORY;
  want->wish.vcpus = info->vcpus ? info->vcpus : base ? base->vcpus : VIRFS_DRAFT_VCPUS;
  if (info->network != NULL && !g_str_equal (info->network, "none"))
    want->wish.network = info->network;
  if (info->network != NULL && want->needs != NULL) {
    g_ptr_array_set_size (want->needs->networks, 0);
    g_ptr_array_set_size (want->needs->bridges, 0);
  }
  want->wish.needs = want->needs;
  if (makes_disk (info))
    want->wish.pool = pool_of (info);
  place_clone (want, info);
  add_sources (want, info);
  return g_steal_pointer (&want);
}

/* Rights. */

static gboolean
makes_volumes (const VirfsDraftInfo *info)
{
  return info->image != NULL || info->disk_size > 0 || info->user_data != NULL
         || info->meta_data != NULL || info->network_config != NULL;
}

static gboolean
may_have (VirfsCall *call, VirfsHost *host, const VirfsDraftInfo *info, const Want *want,
          GError **error)
{
  if (!virfs_access_check (call, host, VIRFS_MAY_WRITE, error)
      || (makes_volumes (info)
          && !virfs_access_check_pool (call, host, pool_of (info), VIRFS_MAY_WRITE, error)))
    return FALSE;
  for (const char *const *source = want->sources; *source; source++)
    if (!virfs_access_check_source (call, host, *source, VIRFS_MAY_READ, error))
      return FALSE;
  return TRUE;
}

/* Whether the caller may read the guest that WANT is made of; notes the hosts where he may not make it. */
static gboolean
check_access (VirfsCall *call, const VirfsNode *node, Want *want, GError **error)
{
  g_autoptr (GPtrArray) hosts = NULL;

  if (virfs_call_is_trusted (call))
    return TRUE;
  if (want->source != NULL && !virfs_access_check (call, want->source, VIRFS_MAY_READ, error))
    return FALSE;
  if (want->image != NULL && !virfs_access_check (call, want->image, VIRFS_MAY_READ, error))
    return FALSE;
  want->refused
    = g_hash_table_new_full (NULL, NULL, virfs_object_unref, (GDestroyNotify) g_error_free);
  hosts = virfs_infra_hosts (virfs_node_infra (node));
  for (guint i = 0; i < hosts->len; i++) {
    GError *refusal = NULL;

    if (!may_have (call, hosts->pdata[i], info_of (node), want, &refusal))
      g_hash_table_insert (want->refused, virfs_object_ref (hosts->pdata[i]), refusal);
  }
  want->wish.refused = want->refused;
  return TRUE;
}

/* Cleaning up. */

typedef struct {
  VirfsCall *call;
  VirfsPart *draft;
  VirfsMakeNext next;
  gpointer data;
} Cleaning;

static void
end_cleaning (Cleaning *cleaning, const GError *error)
{
  cleaning->next (cleaning->call, cleaning->draft, cleaning->data, error);
  virfs_object_unref (cleaning->draft);
  g_free (cleaning);
}

/* The first host on which something is noted to have been left; NULL for none. */
static VirfsHost *
first_host (VirfsPart *draft)
{
  VirfsInfra *infra = draft->object.infra;
  g_autoptr (VirfsPartInfo) known = virfs_part_info (draft);
  const char *made = ((VirfsDraftInfo *) known)->made;
  g_auto (GStrv) lines = g_strsplit (made ? made : "", "\n", -1);

  for (char **p = lines; *p; p++) {
    g_autofree char *name = g_strndup (*p, strcspn (*p, "\t"));
    VirfsHost *host = **p ? virfs_infra_host (infra, name) : NULL;

    if (host != NULL)
      return host;
    /* a host that was removed is nobody's any more */
    virfs_infra_forget_made (infra, draft, *p);
  }
  return NULL;
}

static void clean_host (Cleaning *cleaning);

static void
cleaned_host (VirfsJob *job, const GError *error, gpointer data)
{
  if (error != NULL)
    end_cleaning (data, error);
  else
    clean_host (data);
}

static void
clean_host (Cleaning *cleaning)
{
  g_autoptr (VirfsHost) host = first_host (cleaning->draft);
  g_autoptr (VirfsJob) job = NULL;

  if (host == NULL) {
    end_cleaning (cleaning, NULL);
    return;
  }
  job = virfs_call_job_then (cleaning->call, "clean up", cleaning->draft, host, cleaned_host,
                             cleaning);
  virfs_infra_backend (host->object.infra)->draft_clean (host, cleaning->draft, job);
}

void
virfs_make_clean (VirfsCall *call, VirfsPart *draft, VirfsMakeNext next, gpointer data)
{
  Cleaning *cleaning = g_new0 (Cleaning, 1);

  *cleaning = (Cleaning){ call, virfs_object_ref (draft), next, data };
  clean_host (cleaning);
}

/* Making. */

typedef struct {
  VirfsDraftInfo *info;
  VirfsVmState state;
  Want *want;
  VirfsHost *host; /* NULL: not chosen yet */
  VirfsCall *call;
  VirfsPart *draft;
} Making;

static void
end_making (VirfsJob *job, const GError *error, gpointer data)
{
  Making *making = data;
  VirfsInfra *infra = making->draft->object.infra;

  if (error == NULL)
    virfs_seed_keep (infra, making->info);
  virfs_infra_end_making (infra, making->draft, error == NULL);
  if (making->host != NULL)
    virfs_placement_release (making->host, &making->want->wish);
  virfs_call_finish (making->call, error);
  virfs_part_info_unref (making->info);
  virfs_object_unref (making->draft);
  virfs_object_unref (making->host);
  free_want (making->want);
  g_free (making);
}

/* The image is on the host, or there is none. */
static void
create (Making *making)
{
  VirfsInfra *infra = making->draft->object.infra;
  const Want *want = making->want;
  g_autoptr (VirfsPart) volume
    = want->image ? virfs_image_on_host (want->image, making->host) : NULL;
  g_autofree char *image
    = volume ? g_strdup_printf ("%s/%s", ((VirfsPart *) volume->owner)->name, volume->name) : NULL;
  VirfsCreation creation = { .draft = making->draft,
                             .info = making->info,
                             .source = want->source,
                             .snapshot = want->snapshot,
                             .image = image,
                             .state = making->state };
  g_autoptr (VirfsJob) job
    = virfs_call_job_then (making->call, "create", making->draft, making->host, end_making, making);

  virfs_infra_backend (infra)->vm_create (making->host, &creation, job);
}

static void
copied_image (VirfsJob *job, const GError *error, gpointer data)
{
  Making *making = data;
  g_autoptr (VirfsPart) there = virfs_image_on_host (making->want->image, making->host);

  /* another guest may have had it brought meanwhile */
  if (error != NULL && there == NULL)
    end_making (job, error, making);
  else
    create (making);
}

static void
bring_image (Making *making)
{
  VirfsImage *image = making->want->image;
  g_autofree char *operation = g_strdup_printf ("copy image to %s", making->host->name);
  g_autoptr (VirfsJob) job
    = virfs_call_job_then (making->call, operation, image, making->host, copied_image, making);

  virfs_image_copy (image, making->host, job);
}

static void
make_now (VirfsCall *call, VirfsPart *draft, gpointer data, const GError *failure)
{
  Making *making = data;
  VirfsInfra *infra = draft->object.infra;
  const Want *want = making->want;
  g_autoptr (VirfsPart) there = NULL;
  g_autoptr (GError) error = NULL;

  if (failure == NULL)
    making->host = virfs_placement_reserve (infra, &want->wish, making->info->host, &error);
  if (making->host == NULL) {
    end_making (NULL, failure ? failure : error, making);
    return;
  }
  there = want->image ? virfs_image_on_host (want->image, making->host) : NULL;
  if (want->image != NULL && there == NULL)
    bring_image (making);
  else
    create (making);
}

void
virfs_make_guest (VirfsCall *call, const VirfsNode *node, VirfsVmState state)
{
  VirfsInfra *infra = virfs_node_infra (node);
  g_autoptr (GError) error = NULL;
  g_autoptr (Want) want = want_of (infra, info_of (node), &error);
  Making *making;

  if (want == NULL || !check_access (call, node, want, &error)
      || !virfs_infra_begin_making (infra, node->object, &error)) {
    virfs_call_finish (call, error);
    return;
  }
  making = g_new0 (Making, 1);
  *making
    = (Making){ virfs_part_info_ref (info_of (node)), state, g_steal_pointer (&want), NULL, call,
                virfs_object_ref (node->object) };
  virfs_make_clean (call, node->object, make_now, making);
}

/* Where it would be made. */

void
virfs_make_show_placement (const VirfsNode *node, GString *out)
{
  VirfsInfra *infra = virfs_node_infra (node);
  g_autoptr (Want) want = want_of (infra, info_of (node), NULL);
  g_autoptr (GPtrArray) places = want ? virfs_placement_rank (infra, &want->wish) : NULL;

  if (places != NULL)
    virfs_placement_print (places, NULL, out);
}
