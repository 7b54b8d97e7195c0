/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cloud-init in a guest finds.  The guest has it as a disk, which nobody but the guest reads; so
 * that it can be read here it is kept as well, after the guest got its disk.
 */
#include "seed.h"

#include "kept.h"

#include <string.h>

/* As it was written: no newline is added. */
void
virfs_seed_show (const VirfsNode *node, GString *out)
{
  const VirfsKept *kept = ((const VirfsVmInfo *) node->snapshot)->kept;
  const char *text = kept ? *(char *const *) ((const char *) kept + node->row->offset) : NULL;

  if (text != NULL)
    g_string_append (out, text);
}

typedef struct {
  VirfsCall *call;
  VirfsVm *vm;
  gsize member; /* of VirfsKept */
  char *text;
} Seeding;

static void
set_text (VirfsKept *kept, gpointer data)
{
  const Seeding *seeding = data;
  GRefString **text = (GRefString **) ((char *) kept + seeding->member);

  virfs_ref_string_set (text, *seeding->text ? seeding->text : NULL);
}

static void
end_seeding (VirfsJob *job, const GError *failure, gpointer data)
{
  Seeding *seeding = data;
  g_autoptr (GError) error = NULL;

  if (failure == NULL)
    virfs_infra_change_kept (seeding->vm->object.infra, seeding->vm->uuid, set_text, seeding,
                             &error);
  virfs_call_finish (seeding->call, failure ? failure : error);
  virfs_object_unref (seeding->vm);
  g_free (seeding->text);
  g_free (seeding);
}

/* What the guest is to have when TEXT takes the place of the member; all borrowed. */
static VirfsSeed
wanted (const VirfsVmInfo *info, const Seeding *seeding)
{
  const VirfsKept *kept = info->kept;
  const char *text = *seeding->text ? seeding->text : NULL;
  VirfsSeed seed = { 0 };

  if (kept != NULL)
    seed = (VirfsSeed){ kept->user_data, kept->meta_data, kept->network_config };
  if (seeding->member == G_STRUCT_OFFSET (VirfsKept, user_data))
    seed.user_data = text;
  else if (seeding->member == G_STRUCT_OFFSET (VirfsKept, meta_data))
    seed.meta_data = text;
  else
    seed.network_config = text;
  return seed;
}

void
virfs_seed_store (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;
  VirfsVm *vm = node->object;
  Seeding *seeding;
  VirfsSeed seed;
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, vm))
    return;
  seeding = g_new0 (Seeding, 1);
  /* an empty line is nothing */
  *seeding = (Seeding){ call, virfs_object_ref (vm), node->row->offset,
                        g_strdup (strspn (text, " \n\t") == strlen (text) ? "" : text) };
  seed = wanted (info, seeding);
  job = virfs_call_job_then (call, "set cloud-init", vm, info->host, end_seeding, seeding);
  virfs_infra_backend (vm->object.infra)->vm_seed (vm, &seed, job);
}

static void
take_seed (VirfsKept *kept, gpointer data)
{
  const VirfsDraftInfo *info = data;

  virfs_ref_string_set (&kept->user_data, info->user_data);
  virfs_ref_string_set (&kept->meta_data, info->meta_data);
  virfs_ref_string_set (&kept->network_config, info->network_config);
}

void
virfs_seed_keep (VirfsInfra *infra, const VirfsDraftInfo *info)
{
  g_autoptr (GError) error = NULL;

  if (info->user_data == NULL && info->meta_data == NULL && info->network_config == NULL)
    return;
  if (!virfs_infra_change_kept (infra, info->uuid, take_seed, (gpointer) info, &error))
    g_warning ("vms/%s/cloud-init is not kept: %s", info->part.name, error->message);
}
