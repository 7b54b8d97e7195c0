/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a guest, and how it is changed: `state` and `ctl` of vms/<vm>/.  What a guest is asked
 * has to go with the state that it is in, with its protection, and with the clones that are based on its
 * disks.
 */
#include "agent_files.h"

#include "device.h"
#include "kept.h"
#include "use.h"

gboolean
virfs_vm_check_unprotected (VirfsCall *call, const VirfsVmInfo *info, const char *what)
{
  if (!info->protect)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_PERMITTED,
                   "%s is protected from being stopped or deleted (%s): write 0 to protect first",
                   virfs_vm_shown_as (info), what);
  return FALSE;
}

/* A guest would write to its disks when it starts. */
static gboolean
check_no_base (VirfsCall *call, const VirfsVmInfo *info)
{
  GPtrArray *disks = info->parts[VIRFS_VM_DISKS];

  for (guint i = 0; disks && i < disks->len; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];
    g_autoptr (VirfsPart) volume
      = disk->source && !disk->readonly && g_str_equal (disk->device, "disk")
          ? virfs_volume_find (info->host, NULL, disk->source, NULL)
          : NULL;
    g_autofree char *overlay = volume ? virfs_volume_overlay (volume) : NULL;

    if (overlay != NULL) {
      virfs_call_fail (call, VIRFS_ERROR_BUSY,
                       "%s is based on the disk %s of %s, which must not change therefore; a full"
                       " clone of it can be started",
                       overlay, disk->part.name, virfs_vm_shown_as (info));
      return FALSE;
    }
  }
  return TRUE;
}

/* state */

void
virfs_vm_show_state (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  g_string_append_printf (out, "%s\n", virfs_vm_state_name (info->state));
}

static gboolean
is_up (const VirfsVmInfo *info)
{
  return info->state != VIRFS_VM_SHUTOFF;
}

void
virfs_vm_store_state (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsVmState state = virfs_vm_state_parse (text);
  g_autofree char *operation = g_strdup_printf ("bring to %s", text);
  g_autoptr (VirfsJob) job = NULL;

  if (state != VIRFS_VM_RUNNING && state != VIRFS_VM_PAUSED && state != VIRFS_VM_SHUTOFF) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a guest cannot be brought to \"%s\"; write running, paused or shutoff", text);
    return;
  }
  if (!virfs_vm_check_settled (call, node->object)
      || (state == VIRFS_VM_SHUTOFF && is_up (node->snapshot)
          && !virfs_vm_check_unprotected (call, node->snapshot, operation))
      || (state != VIRFS_VM_SHUTOFF && !is_up (node->snapshot)
          && !(check_no_base (call, node->snapshot)
               && virfs_vm_check_host_open (call, node->snapshot))))
    return;
  job = virfs_vm_job (call, node, operation);
  virfs_node_backend (node)->vm_bring (node->object, state, job);
}

/* ctl */

#define IN(state) (1u << VIRFS_VM_##state)
#define IN_ACTIVE (IN (RUNNING) | IN (PAUSED) | IN (SHUTDOWN) | IN (PMSUSPENDED) | IN (UNKNOWN))

typedef struct {
  const char *name;
  VirfsVmVerb verb;
  guint states;          /* it is valid in */
  gboolean saved;        /* only when its memory was saved */
  gboolean while_moving; /* also while it is being migrated */
  gboolean harmless;     /* also to a guest that is protected */
  gboolean starts;       /* the guest, which its host has to take */
  gboolean marks;        /* says what goes with it when it is undefined: */
  gboolean purge;
} Verb;

static const Verb verbs[] = {
  { "start", VIRFS_VERB_START, IN (SHUTOFF) | IN (CRASHED), .harmless = TRUE, .starts = TRUE },
  { "shutdown", VIRFS_VERB_SHUTDOWN, IN (RUNNING) },
  { "destroy", VIRFS_VERB_DESTROY, IN_ACTIVE | IN (CRASHED), .while_moving = TRUE },
  { "reboot", VIRFS_VERB_REBOOT, IN (RUNNING), .harmless = TRUE },
  { "reset", VIRFS_VERB_RESET, IN (RUNNING) | IN (PAUSED) },
  { "suspend", VIRFS_VERB_SUSPEND, IN (RUNNING), .while_moving = TRUE, .harmless = TRUE },
  { "resume", VIRFS_VERB_RESUME, IN (PAUSED), .harmless = TRUE },
  { "save", VIRFS_VERB_SAVE, IN (RUNNING) | IN (PAUSED) },
  { "restore", VIRFS_VERB_RESTORE, IN (SHUTOFF), .saved = TRUE, .harmless = TRUE, .starts = TRUE },
  { "discard", VIRFS_VERB_DISCARD, IN (SHUTOFF), .saved = TRUE },
  { "nmi", VIRFS_VERB_NMI, IN (RUNNING), .harmless = TRUE },
  { "pmsuspend", VIRFS_VERB_PMSUSPEND, IN (RUNNING), .harmless = TRUE },
  { "wakeup", VIRFS_VERB_WAKEUP, IN (PMSUSPENDED), .harmless = TRUE },
  { "purge", VIRFS_VM_N_VERBS, IN (SHUTOFF) | IN (CRASHED), .marks = TRUE, .purge = TRUE },
  { "keep", VIRFS_VM_N_VERBS, IN (SHUTOFF) | IN (CRASHED), .marks = TRUE },
};

static gboolean
is_valid (const Verb *verb, const VirfsVmInfo *info)
{
  return verb->states & (1u << info->state) && (!verb->saved || info->saved);
}

/* Marking a guest again as it is would change nothing. */
static gboolean
is_worth_it (const Verb *verb, const VirfsVmInfo *info)
{
  return is_valid (verb, info) && (!verb->marks || verb->purge != virfs_vm_info_purge (info));
}

static void
append_verbs (GString *out, const VirfsVmInfo *info, const char *before, const char *after)
{
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (is_worth_it (&verbs[i], info))
      g_string_append_printf (out, "%s%s%s", before, verbs[i].name, after);
}

void
virfs_vm_show_ctl (const VirfsNode *node, GString *out)
{
  append_verbs (out, node->snapshot, "", "\n");
}

static const Verb *
find_verb (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verbs[i].name, name))
      return &verbs[i];
  return NULL;
}

static void
set_purge (VirfsKept *kept, gpointer purge)
{
  kept->purge = GPOINTER_TO_INT (purge);
}

static void
mark (VirfsCall *call, VirfsVm *vm, gboolean purge)
{
  g_autoptr (GError) error = NULL;

  virfs_infra_change_kept (vm->object.infra, vm->uuid, set_purge, GINT_TO_POINTER (purge), &error);
  virfs_call_finish (call, error);
}

void
virfs_vm_store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;
  const Verb *verb = find_verb (text);
  g_autoptr (GString) valid = g_string_new (NULL);
  g_autoptr (VirfsJob) job = NULL;

  append_verbs (valid, info, " ", "");
  if (verb == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "\"%s\" is not a verb; now there are:%s", text,
                     valid->str);
  } else if (!is_valid (verb, info)) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "the guest is %s%s, which does not go with %s; now there"
                     " are:%s",
                     virfs_vm_state_name (info->state),
                     verb->saved ? " and nothing is saved of it" : "", text, valid->str);
  } else if (verb->marks) {
    mark (call, node->object, verb->purge);
  } else if ((!verb->harmless && !virfs_vm_check_unprotected (call, info, verb->name))
             || (verb->starts
                 && !(check_no_base (call, info) && virfs_vm_check_host_open (call, info)))
             || (verb->verb == VIRFS_VERB_SAVE
                 && !(virfs_vm_check_thawed (call, info)
                      && virfs_vm_check_claims (call, node->object, VIRFS_CLAIM_COPY)))) {
    return;
  } else if (verb->while_moving || virfs_vm_check_settled (call, node->object)) {
    job = virfs_vm_job (call, node, verb->name);
    virfs_node_backend (node)->vm_verb (node->object, verb->verb, job);
  }
}
