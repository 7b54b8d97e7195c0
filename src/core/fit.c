/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a host can take a guest, as far as the model knows. */
#include "fit_needs.h"

#include "claim.h"
#include "cpu.h"
#include "error.h"
#include "hostdev.h"
#include "kept.h"
#include "migration.h"
#include "upkeep.h"

#include <string.h>

/* What may keep a guest from going to a host: one function for each, with the reason. */

typedef struct {
  const VirfsVmInfo *vm;
  const VirfsVmNeeds *needs;
  const VirfsHostInfo *source; /* what is known of the guest's host */
  VirfsHost *host;
  const VirfsHostInfo *info; /* and of the other */
} Way;

static gboolean
is_elsewhere (const Way *way, GError **error)
{
  if (way->vm->host != way->host)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "the guest is on %s already",
               way->host->name);
  return FALSE;
}

static gboolean
is_up (const VirfsHost *host, const VirfsHostInfo *info, GError **error)
{
  if (info->state == VIRFS_HOST_UP)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is %s", host->name,
               virfs_host_state_name (info->state));
  return FALSE;
}

/* Both hosts take part. */
static gboolean
are_up (const Way *way, GError **error)
{
  return is_up (way->vm->host, way->source, error) && is_up (way->host, way->info, error);
}

static gboolean
takes_guests (const Way *way, GError **error)
{
  return virfs_upkeep_check (way->host->name, way->info, error);
}

/* What serves its disks cannot go with it. */
static gboolean
has_no_backup (const Way *way, GError **error)
{
  GPtrArray *open = way->vm->parts[VIRFS_VM_BACKUPS];

  if (open == NULL || open->len == 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "a backup of it is open: %s",
               ((VirfsPartInfo *) open->pdata[0])->name);
  return FALSE;
}

/* A hypervisor that copies one can do nothing else with it, and who reads it, reads it there.  A migration
 * that is under way says nothing of where the guest could be. */
static gboolean
has_idle_disks (const Way *way, GError **error)
{
  return way->vm->claim == VIRFS_CLAIM_MIGRATE
         || virfs_claim_check (way->vm, VIRFS_CLAIM_NONE, error);
}

static gboolean
has_movable_state (const Way *way, GError **error)
{
  const VirfsVmInfo *vm = way->vm;

  if (vm->state == VIRFS_VM_CRASHED || vm->state == VIRFS_VM_SHUTDOWN)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "it is %s: bring it to shutoff first",
                 vm->state == VIRFS_VM_CRASHED ? "crashed" : "on its way down");
  else if (vm->state == VIRFS_VM_SHUTOFF && vm->saved)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "it has saved memory, which cannot move: start it, or write discard to its ctl");
  else if (vm->state == VIRFS_VM_SHUTOFF && way->needs->tpm)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "it has a TPM, whose contents cannot move while it is shut off: start it first");
  else if (vm->frozen)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "its file systems are frozen: write thaw to its guest/ctl");
  else
    return TRUE;
  return FALSE;
}

/* One that failed in post-copy runs on without the rest, and must not leave before it has that. */
static gboolean
has_its_memory (const Way *way, GError **error)
{
  const char *reason = way->vm->reason;
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (way->host->object.infra, way->vm->uuid);
  g_autoptr (VirfsHost) source = NULL;

  if (vm == NULL || reason == NULL || !g_str_has_prefix (reason, VIRFS_VM_POST_COPY))
    return TRUE;
  source = virfs_infra_post_copy_source (vm->object.infra, vm);
  if (source == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "its memory is still on %s: write %s to migrate first", source->name,
               way->vm->host->name);
  return FALSE;
}

static gboolean
has_no_namesake (const Way *way, GError **error)
{
  if (!virfs_infra_has_namesake (way->host->object.infra, way->vm, way->host))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s has another guest named %s",
               way->host->name, way->vm->name);
  return FALSE;
}

static gboolean
has_hypervisor (const Way *way, GError **error)
{
  return virfs_fit_hypervisor (way->needs, way->host->name, way->info, error);
}

/* Those of other architectures than the host's own are not known. */
static gboolean
has_machine (const Way *way, GError **error)
{
  const char *machine = way->needs->machine;
  GPtrArray *have = way->info->machines;
  gsize n = way->info->arch ? strlen (way->info->arch) : 0;

  if (machine == NULL || have == NULL || n == 0 || strncmp (machine, way->info->arch, n) != 0
      || machine[n] != ' '
      || g_ptr_array_find_with_equal_func (have, machine + n + 1, g_str_equal, NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "%s cannot run machines of type %s, which the guest is", way->host->name,
               machine + n + 1);
  return FALSE;
}

/* Who has it just as it is goes on with no other. */
static gboolean
has_same_cpu (const Way *way, GError **error)
{
  if (!virfs_vm_state_active (way->vm->state) || way->source->cpu == NULL || way->info->cpu == NULL
      || g_str_equal (way->source->cpu, way->info->cpu))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "%s has another CPU than %s, which the guest has just as it is (host-passthrough)",
               way->host->name, way->vm->host->name);
  return FALSE;
}

static gboolean
has_cpu (const Way *way, GError **error)
{
  const char *cpu = way->vm->cpu;
  const char *reason;

  if (cpu == NULL)
    return TRUE;
  if (g_str_has_suffix (cpu, VIRFS_CPU_PASSTHROUGH))
    return has_same_cpu (way, error);
  reason = virfs_cpu_verdict (way->info, cpu);
  if (reason == NULL || *reason == '\0')
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, "%s: %s", way->host->name, reason);
  return FALSE;
}

static gboolean
has_networks (const Way *way, GError **error)
{
  return virfs_fit_networks (way->needs, way->host->name, way->info, error);
}

static gboolean
has_pools (const Way *way, GError **error)
{
  return virfs_fit_pools (way->needs, way->host->name, way->info, error);
}

static gboolean
has_files (const Way *way, GError **error)
{
  const char *file = virfs_fit_missing_file (way->source, way->needs, way->info);

  if (file != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
                 "%s has no active storage pool in the directory of %s", way->host->name, file);
  return file == NULL;
}

static gboolean
has_media (const Way *way, GError **error)
{
  const char *file = virfs_vm_state_active (way->vm->state)
                       ? virfs_fit_missing_medium (way->source, way->needs, way->info)
                       : NULL;

  if (file != NULL)
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
      "%s has no %s, which the guest only reads: eject it, or copy it there and write refresh to"
      " its pool's ctl",
      way->host->name, file);
  return file == NULL;
}

/* One directory may be mounted on both by others than libvirt, and grow between two looks: it is not enough that
 * nothing says it is the same, nor that the sizes differ.  Who believes us deletes a file. */
static gboolean
are_apart (const Way *way, const VirfsFitPlace *place)
{
  const VirfsBackend *backend = virfs_infra_backend (way->host->object.infra);

  return !virfs_pool_is_same (place->from, place->to) && backend->pools_apart != NULL
         && backend->pools_apart (way->vm->host, place->from, way->host, place->to);
}

void
virfs_fit_refuse_volume (const char *host, const char *pool, const char *volume, GError **error)
{
  g_autofree char *owner = virfs_part_label (&virfs_pool_class, pool);
  g_autofree char *label = virfs_part_label (&virfs_volume_class, volume);

  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS,
               "%s has another %s in the pool %s already: if that is what an earlier migration left"
               " behind, rmdir hosts/%s/pools/%s/volumes/%s",
               host, volume, pool, host, owner, label);
}

/* Of a disk that is not there either nothing is copied; a guest that runs has it. */
static gboolean
has_place (const Way *way, const char *disk, GError **error)
{
  VirfsFitPlace place;

  if (!virfs_fit_place (way->source, way->info, disk, &place) || place.there == NULL
      || place.there->draft || (place.here == NULL && !virfs_vm_state_active (way->vm->state))
      || !are_apart (way, &place))
    return TRUE;
  virfs_fit_refuse_volume (way->host->name, place.to->part.name, place.there->name, error);
  return FALSE;
}

/* Nothing is overwritten.  While a migration is under way it is that which has made what is there. */
static gboolean
has_places (const Way *way, GError **error)
{
  GPtrArray *disks = way->needs->disks;

  for (guint i = 0; way->vm->claim != VIRFS_CLAIM_MIGRATE && i < disks->len; i++)
    if (!has_place (way, disks->pdata[i], error))
      return FALSE;
  return TRUE;
}

/* What is said of the guest and of its host may be right alone and contradict each other. */
static gboolean
has_sound_options (const Way *way, GError **error)
{
  VirfsMigrationPlan plan;

  if (!virfs_vm_state_active (way->vm->state))
    return TRUE;
  virfs_migration_plan (way->vm->kept ? way->vm->kept->migration : NULL,
                        way->source->upkeep ? way->source->upkeep->migration : NULL, &plan);
  return virfs_migration_check (&plan, VIRFS_MIGRATION_N_OPTIONS, error);
}

static gboolean
has_memory (const Way *way, GError **error)
{
  g_autofree char *wanted = NULL, *free = NULL;

  if (!virfs_vm_state_active (way->vm->state) || way->info->memory_free == 0
      || way->vm->memory <= way->info->memory_free)
    return TRUE;
  wanted = g_format_size_full (way->vm->memory, G_FORMAT_SIZE_IEC_UNITS);
  free = g_format_size_full (way->info->memory_free, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE,
               "%s has %s of memory free, the guest has %s", way->host->name, free, wanted);
  return FALSE;
}

static gboolean
has_movable_devices (const Way *way, GError **error)
{
  return virfs_hostdev_check_move (way->vm, way->host->name, way->info, error);
}

/* Behind what is decisive nothing else is worth to be told. */
static const struct {
  gboolean (*check) (const Way *way, GError **error);
  gboolean decisive;
} checks[] = {
  { is_elsewhere, TRUE },
  { has_its_memory, TRUE },
  { are_up, TRUE },
  { takes_guests },
  { has_no_backup },
  { has_idle_disks },
  { has_movable_state },
  { has_movable_devices },
  { has_sound_options },
  { has_no_namesake },
  { has_hypervisor },
  { has_machine },
  { has_cpu },
  { has_networks },
  { has_pools },
  { has_memory },
  { has_files },
  { has_media },
  { has_places },
};

gboolean
virfs_fit (const VirfsVmInfo *vm, const VirfsVmNeeds *needs, VirfsHost *host,
           const VirfsHostInfo *info, GError **error)
{
  g_autoptr (VirfsHostInfo) source = virfs_host_info (vm->host);
  Way way = { vm, needs, source, host, info };

  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    if (!checks[i].check (&way, error))
      return FALSE;
  return TRUE;
}

GPtrArray *
virfs_fit_obstacles (const VirfsVmInfo *vm, const VirfsVmNeeds *needs, VirfsHost *host,
                     const VirfsHostInfo *info)
{
  g_autoptr (VirfsHostInfo) source = virfs_host_info (vm->host);
  GPtrArray *obstacles = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  Way way = { vm, needs, source, host, info };

  for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
    GError *error = NULL;

    if (checks[i].check (&way, &error))
      continue;
    g_ptr_array_add (obstacles, error);
    if (checks[i].decisive)
      break;
  }
  return obstacles;
}
