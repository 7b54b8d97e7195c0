/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims of guests' disks.  One holds from the moment when none that holds is in its way, nor one that waits
 * for a job begun before its own; what is asked of the guest meanwhile is refused for it already.
 */
#include "claim.h"

#include "error.h"
#include "registry.h"

/* How long what was begun before may take still. */
#define PATIENCE (60 * G_TIME_SPAN_SECOND)

typedef struct {
  VirfsClaim what;
  VirfsJob *job; /* a reference */
  gboolean held; /* it does not wait any more */
} Claim;

static const struct {
  const char *text;
  guint beside;   /* claims (1 << claim) that it goes with */
  gboolean alone; /* no job does anything else to the guest */
} claims[] = {
  [VIRFS_CLAIM_READ]
  = { "a snapshot of it is being cloned", 1 << VIRFS_CLAIM_READ | 1 << VIRFS_CLAIM_CLONE },
  [VIRFS_CLAIM_COPY] = { "its disks are being moved", 1 << VIRFS_CLAIM_COPY },
  [VIRFS_CLAIM_CLONE]
  = { "it is being cloned", 1 << VIRFS_CLAIM_READ | 1 << VIRFS_CLAIM_CLONE, .alone = TRUE },
  [VIRFS_CLAIM_MOVE] = { "its disks are being moved", .alone = TRUE },
  [VIRFS_CLAIM_RESTORE] = { "a disk of it is being restored", .alone = TRUE },
  [VIRFS_CLAIM_PURGE] = { "it is being removed with its disks", .alone = TRUE },
  [VIRFS_CLAIM_MIGRATE] = { "it is being migrated" },
};

void
virfs_claim_free (gpointer data)
{
  Claim *claim = data;

  virfs_object_unref (claim->job);
  g_free (claim);
}

static void
refuse (VirfsClaim claim, guint job, GError **error)
{
  if (job != 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "%s: wait until that is over, or cancel jobs/%u", claims[claim].text, job);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s: wait until that is over",
                 claims[claim].text);
}

gboolean
virfs_claim_check (const VirfsVmInfo *vm, VirfsClaim from, GError **error)
{
  if (vm->claim == VIRFS_CLAIM_NONE || vm->claim < from)
    return TRUE;
  refuse (vm->claim, vm->claim_job, error);
  return FALSE;
}

/* Under the lock, all that follows. */

/* Of several of a kind one that holds: the others wait for that. */
void
virfs_claim_show (VirfsVm *vm, VirfsVmInfo *info)
{
  info->claim = vm->moving > 0 ? VIRFS_CLAIM_MIGRATE : VIRFS_CLAIM_NONE;
  info->claim_job = 0;
  for (GList *l = vm->claims; l; l = l->next) {
    const Claim *claim = l->data;

    if (claim->what < info->claim
        || (claim->what == info->claim && info->claim_job != 0 && !claim->held))
      continue;
    info->claim = claim->what;
    info->claim_job = virfs_job_number (claim->job);
  }
}

void
virfs_claim_publish (VirfsVm *vm)
{
  VirfsVmInfo *info = vm->removed ? NULL : virfs_vm_info_copy (vm->info);

  /* who waits for what a job has not claimed may have waited for this one */
  g_cond_broadcast (&vm->object.infra->settled);
  virfs_registry_stir_drains (vm->object.infra);
  if (info == NULL)
    return;
  virfs_claim_show (vm, info);
  virfs_registry_publish_vm (vm, info);
}

static gint
compare_job (gconstpointer claim, gconstpointer job)
{
  return ((const Claim *) claim)->job == job ? 0 : 1;
}

/* Those that wait go in the order of their jobs: what was begun first may have been at it for hours. */
static gboolean
goes_before (const Claim *other, const Claim *claim)
{
  return other->held || virfs_job_number (other->job) < virfs_job_number (claim->job);
}

/* What goes before CLAIM and not with it; NULL: nothing. */
static const Claim *
find_rival (VirfsVm *vm, const Claim *claim)
{
  for (GList *l = vm->claims; l; l = l->next) {
    const Claim *other = l->data;

    if (other != claim && goes_before (other, claim)
        && (claims[claim->what].beside & 1u << other->what) == 0)
      return other;
  }
  return NULL;
}

/* Who waits for a claim of his own does nothing yet, or has seen to it that we go with him. */
static gboolean
has_rival (VirfsVm *vm, const Claim *claim)
{
  return find_rival (vm, claim) != NULL
         || (claims[claim->what].alone
             && virfs_registry_has_job (&vm->object, vm->claims, compare_job));
}

static void
refuse_for (VirfsVm *vm, const Claim *claim, GError **error)
{
  const Claim *rival = find_rival (vm, claim);

  if (virfs_registry_job_is_cancelled (claim->job))
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
      "cancelled while it waited for what else is done to the guest: nothing was changed");
  else if (rival != NULL)
    refuse (rival->what, virfs_job_number (rival->job), error);
  else if (vm->moving > 0)
    refuse (VIRFS_CLAIM_MIGRATE, 0, error);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "something else is being done to the guest, wait until that is over: see jobs/");
}

static gboolean
await (VirfsVm *vm, Claim *claim, GError **error)
{
  VirfsInfra *infra = vm->object.infra;
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  /* if it moves the guest is on another host then */
  while (has_rival (vm, claim) && vm->moving == 0 && !virfs_registry_job_is_cancelled (claim->job)
         && g_cond_wait_until (&infra->settled, &infra->lock, deadline))
    ;
  claim->held = vm->moving == 0 && !has_rival (vm, claim);
  if (!claim->held)
    refuse_for (vm, claim, error);
  return claim->held;
}

static void
drop (VirfsVm *vm, GList *link)
{
  virfs_claim_free (link->data);
  vm->claims = g_list_delete_link (vm->claims, link);
  virfs_claim_publish (vm);
}

/* Without the lock. */

gboolean
virfs_claim_begin (VirfsVm *vm, VirfsClaim what, VirfsJob *job, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vm->object.infra->lock);
  Claim *claim = g_new (Claim, 1);

  *claim = (Claim){ what, virfs_object_ref (job), FALSE };
  vm->claims = g_list_append (vm->claims, claim);
  virfs_claim_publish (vm);
  if (await (vm, claim, error)) {
    virfs_claim_publish (vm);
    return TRUE;
  }
  drop (vm, g_list_find (vm->claims, claim));
  return FALSE;
}

void
virfs_claim_end (VirfsVm *vm, VirfsJob *job)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vm->object.infra->lock);
  GList *link = g_list_find_custom (vm->claims, job, compare_job);

  if (link != NULL)
    drop (vm, link);
}
