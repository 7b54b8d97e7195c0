/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/: a guest, its attributes, and what can be done to it. */
#include "access.h"
#include "device.h"
#include "fit.h"
#include "kept.h"
#include "part_class.h"
#include "placement.h"
#include "seed.h"
#include "tags.h"
#include "use.h"
#include "vm_resource.h"

#include <string.h>

static const VirfsBackend *
backend_of (const VirfsNode *node)
{
  return virfs_infra_backend (virfs_node_infra (node));
}

static const char *
label_of (const VirfsVmInfo *info)
{
  return info->label ? info->label : info->uuid;
}

/* A job on the guest of NODE, for CALL. */
static VirfsJob *
vm_job (VirfsCall *call, const VirfsNode *node, const char *operation)
{
  const VirfsVmInfo *info = node->snapshot;

  return virfs_call_job (call, operation, node->object, info->host, NULL);
}

gboolean
virfs_vm_check_settled (VirfsCall *call, VirfsVm *vm)
{
  g_autoptr (VirfsVmInfo) info = NULL;

  if (!virfs_infra_is_moving (vm->object.infra, vm))
    return TRUE;
  info = virfs_vm_info (vm);
  virfs_call_fail (call, VIRFS_ERROR_BUSY,
                   "%s is being migrated; wait until that is over, or cancel it in jobs/",
                   label_of (info));
  return FALSE;
}

gboolean
virfs_vm_check_unprotected (VirfsCall *call, const VirfsVmInfo *info, const char *what)
{
  if (!info->protect)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_PERMITTED,
                   "%s is protected from being stopped or deleted (%s): write 0 to protect first",
                   label_of (info), what);
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
                       overlay, disk->part.name, label_of (info));
      return FALSE;
    }
  }
  return TRUE;
}

/* state */

static void
show_state (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  g_string_append_printf (out, "%s\n", virfs_vm_state_name (info->state));
}

static gboolean
is_up (const VirfsVmInfo *info)
{
  return info->state != VIRFS_VM_SHUTOFF;
}

static void
store_state (VirfsCall *call, const VirfsNode *node, const char *text)
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
          && !check_no_base (call, node->snapshot)))
    return;
  job = vm_job (call, node, operation);
  backend_of (node)->vm_bring (node->object, state, job);
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
  gboolean marks;        /* says what goes with it when it is undefined: */
  gboolean purge;
} Verb;

static const Verb verbs[] = {
  { "start", VIRFS_VERB_START, IN (SHUTOFF) | IN (CRASHED), .harmless = TRUE },
  { "shutdown", VIRFS_VERB_SHUTDOWN, IN (RUNNING) },
  { "destroy", VIRFS_VERB_DESTROY, IN_ACTIVE | IN (CRASHED), .while_moving = TRUE },
  { "reboot", VIRFS_VERB_REBOOT, IN (RUNNING), .harmless = TRUE },
  { "reset", VIRFS_VERB_RESET, IN (RUNNING) | IN (PAUSED) },
  { "suspend", VIRFS_VERB_SUSPEND, IN (RUNNING), .while_moving = TRUE, .harmless = TRUE },
  { "resume", VIRFS_VERB_RESUME, IN (PAUSED), .harmless = TRUE },
  { "save", VIRFS_VERB_SAVE, IN (RUNNING) | IN (PAUSED) },
  { "restore", VIRFS_VERB_RESTORE, IN (SHUTOFF), .saved = TRUE, .harmless = TRUE },
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

static void
show_ctl (const VirfsNode *node, GString *out)
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

static void
store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
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
             || (verb->verb == VIRFS_VERB_START && !check_no_base (call, info))) {
    return;
  } else if (verb->while_moving || virfs_vm_check_settled (call, node->object)) {
    job = vm_job (call, node, verb->name);
    backend_of (node)->vm_verb (node->object, verb->verb, job);
  }
}

/* host, migrate */

static void
link_host (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  g_string_append_printf (out, "../../hosts/%s", info->host->name);
}

static void
add_host (VirfsHost *host, const VirfsHostInfo *info, gpointer hosts)
{
  g_ptr_array_add (hosts, virfs_object_ref (host));
}

static gint
compare_hosts (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(VirfsHost *const *) a)->name, (*(VirfsHost *const *) b)->name);
}

static GPtrArray *
all_hosts (VirfsInfra *infra)
{
  GPtrArray *hosts = g_ptr_array_new_with_free_func (virfs_object_unref);

  virfs_infra_foreach_host (infra, add_host, hosts);
  g_ptr_array_sort (hosts, compare_hosts);
  return hosts;
}

static gboolean
fits (const VirfsVmInfo *vm, const VirfsVmNeeds *needs, VirfsHost *host, GError **error)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  return virfs_fit (vm, needs, host, info, error);
}

/* What the guest needs is read from its XML, so once for all hosts, and not where there is but one:
 * a walk asks for the size of this file for each guest. */
static void
show_migrate (const VirfsNode *node, GString *out)
{
  g_autoptr (GPtrArray) hosts = all_hosts (virfs_node_infra (node));
  g_autoptr (VirfsVmNeeds) needs
    = hosts->len > 1 ? backend_of (node)->vm_needs (node->snapshot, NULL) : NULL;

  for (guint i = 0; needs != NULL && i < hosts->len; i++)
    if (fits (node->snapshot, needs, hosts->pdata[i], NULL))
      g_string_append_printf (out, "%s\n", ((VirfsHost *) hosts->pdata[i])->name);
}

static void
show_placement (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;
  g_autoptr (VirfsVmNeeds) needs = backend_of (node)->vm_needs (info, NULL);
  g_autoptr (GPtrArray) places = NULL;

  if (needs == NULL)
    return;
  places = virfs_placement_rank_vm (virfs_node_infra (node), info, needs);
  virfs_placement_print (places, info->host, out);
}

static void
refuse_host (VirfsCall *call, VirfsInfra *infra, const char *name)
{
  g_autoptr (GPtrArray) hosts = all_hosts (infra);
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < hosts->len && i < 20; i++)
    g_string_append_printf (names, "%s%s", i ? ", " : "", ((VirfsHost *) hosts->pdata[i])->name);
  if (hosts->len > 20)
    g_string_append (names, " …");
  virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "no host is named \"%s\"; there are: %s", name,
                   names->str);
}

/* Of a migration that nobody waits for. */
static void
report_end (VirfsJob *job, const GError *error, gpointer data)
{
  VirfsObject *vm = virfs_job_object (job);
  g_autofree char *path = virfs_object_path (vm);

  if (error != NULL)
    virfs_infra_report (vm->infra, vm, path, GPOINTER_TO_UINT (data), error);
}

void
virfs_vm_migrate (VirfsCall *call, VirfsVm *vm, const VirfsVmInfo *info, const char *name,
                  gboolean wait)
{
  VirfsInfra *infra = vm->object.infra;
  g_autoptr (VirfsHost) target = virfs_infra_host (infra, name);
  g_autofree char *operation = g_strdup_printf ("migrate to %s", name);
  g_autoptr (VirfsVmNeeds) needs = NULL;
  g_autoptr (VirfsJob) job = NULL;
  g_autoptr (GError) error = NULL;

  if (target == NULL) {
    refuse_host (call, infra, name);
  } else if (!virfs_access_check (call, vm, VIRFS_MAY_WRITE, &error)
             || !virfs_access_check (call, target, VIRFS_MAY_WRITE, &error)) {
    virfs_call_finish (call, error);
  } else if (target == info->host) {
    virfs_call_finish (call, NULL);
  } else if ((needs = virfs_infra_backend (infra)->vm_needs (info, &error)) == NULL
             || !fits (info, needs, target, &error)) {
    g_prefix_error (&error, "%s cannot go to %s: ", label_of (info), name);
    virfs_call_finish (call, error);
  } else if (wait) {
    job = virfs_call_job (call, operation, vm, info->host, target);
    virfs_infra_backend (infra)->vm_migrate (vm, target, job);
  } else {
    VirfsJobSpec spec = { .operation = operation,
                          .object = &vm->object,
                          .host = &info->host->object,
                          .target = &target->object,
                          .uid = virfs_call_uid (call),
                          .done = report_end,
                          .data = GUINT_TO_POINTER (virfs_call_uid (call)) };

    job = virfs_job_new (infra, &spec);
    virfs_infra_backend (infra)->vm_migrate (vm, target, job);
    virfs_call_finish (call, NULL);
  }
}

static void
store_migrate (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (virfs_vm_check_settled (call, node->object))
    virfs_vm_migrate (call, node->object, node->snapshot, text, TRUE);
}

/* Attributes. */

static void
show_id (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  if (info->id >= 0)
    g_string_append_printf (out, "%d\n", info->id);
}

static void
show_uuid (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  g_string_append_printf (out, "%s\n", info->uuid);
}

static const VirfsBlob *
blob_of (const VirfsNode *node)
{
  return *(VirfsBlob *const *) ((const char *) node->snapshot + node->row->offset);
}

static void
show_blob (const VirfsNode *node, GString *out)
{
  virfs_blob_append (blob_of (node), out);
}

static gsize
blob_size (const VirfsNode *node)
{
  return virfs_blob_size (blob_of (node));
}

void
virfs_vm_set (VirfsCall *call, const VirfsNode *node, guint64 number, const char *text)
{
  VirfsVmSetting setting = { .field = (VirfsVmField) g_bit_nth_lsf (node->row->fields, -1),
                             .number = number,
                             .text = text };
  g_autofree char *operation = g_strdup_printf ("set %s", node->row->path);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, node->object))
    return;
  job = vm_job (call, node, operation);
  backend_of (node)->vm_set (node->object, &setting, job);
}

static void
store_number (VirfsCall *call, const VirfsNode *node, guint64 value)
{
  virfs_vm_set (call, node, value, NULL);
}

static void
store_bool (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  virfs_vm_set (call, node, value, NULL);
}

static void
store_text (VirfsCall *call, const VirfsNode *node, const char *value)
{
  virfs_vm_set (call, node, 0, value);
}

static void
store_xml (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, node->object))
    return;
  job = vm_job (call, node, "define");
  backend_of (node)->vm_define (node->object, text, job);
}

void
virfs_vm_note (VirfsCall *call, VirfsVm *vm, const char *operation, const VirfsVmNote *change)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, vm))
    return;
  job = virfs_call_job (call, operation, vm, info->host, NULL);
  virfs_infra_backend (vm->object.infra)->vm_note (vm, change, job);
}

static void
note (VirfsCall *call, const VirfsNode *node, const VirfsVmNote *change)
{
  g_autofree char *operation = g_strdup_printf ("set %s", node->row->path);

  virfs_vm_note (call, node->object, operation, change);
}

static void
store_timeout (VirfsCall *call, const VirfsNode *node, guint64 seconds)
{
  if (seconds == 0 || seconds > 7 * 24 * 3600) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "a number of seconds is wanted, 1 to a week");
    return;
  }
  note (call, node,
        &(VirfsVmNote){ .field = VIRFS_VM_SHUTDOWN_TIMEOUT, .number = (guint) seconds });
}

/* Tags, protection, owner. */

/* What the file shows, several lines. */
static void
show_tags (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  if (info->tags != NULL)
    g_string_append_printf (out, "%s\n", info->tags);
}

static void
store_tags (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;
  g_autoptr (GError) error = NULL;
  g_autofree char *tags = virfs_tags_parse (text, &error);

  if (tags == NULL || g_str_equal (tags, info->tags ? info->tags : ""))
    virfs_call_finish (call, error);
  else
    note (call, node, &(VirfsVmNote){ .field = VIRFS_VM_TAGS, .text = tags });
}

static void
store_protect (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  note (call, node, &(VirfsVmNote){ .field = VIRFS_VM_PROTECT, .number = value });
}

static void
owner (const VirfsNode *node, VirfsOwner *owner_of_it)
{
  *owner_of_it = ((const VirfsVmInfo *) node->snapshot)->owner;
}

static void
set_owner (VirfsCall *call, const VirfsNode *node, const VirfsOwner *wanted)
{
  const VirfsVmInfo *info = node->snapshot;
  VirfsVmNote change = { .field = VIRFS_VM_OWNER, .owner = *wanted };
  g_autoptr (GError) error = NULL;

  if (*node->row->path != '\0')
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED,
                     "this belongs to whom vms/%s belongs: chown and chmod that", label_of (info));
  else if (!virfs_access_check_give (call, &info->owner, wanted, &error))
    virfs_call_finish (call, error);
  else
    virfs_vm_note (call, node->object, "give", &change);
}

/* Links to the guest, elsewhere in the tree. */

static void
link_from_depth_3 (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "../../../vms/%s", label_of (node->snapshot));
}

static void
link_from_depth_2 (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "../../vms/%s", label_of (node->snapshot));
}

/* The class. */

#define F(field) VIRFS_BIT (VIRFS_VM_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsVmInfo, member)
#define SHOW_BLOB(field, member) SHOW (show_blob, field, member), .size = blob_size
/* What the host must be up for.  READY is the last bit: the first is the field that a row sets. */
#define WRITE S_IFREG | 0640, VIRFS_ROW_NEEDS, F (READY)

#define SEED(name, member)                                                                         \
  name, S_IFREG | 0600, VIRFS_ROW_NEEDS | VIRFS_ROW_DOCUMENT | VIRFS_ROW_PRIVATE,                  \
    .fields = F (READY) | F (KEPT), .show = virfs_seed_show,                                       \
    .offset = G_STRUCT_OFFSET (VirfsKept, member), .store = virfs_seed_store

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (STATE), .help = "a guest" },
  { "state", WRITE | F (STATE), .show = show_state, .store = store_state,
    .help = "running, paused, shutdown (on its way down), shutoff, crashed, pmsuspended, unknown;"
            " write running, paused, shutoff" },
  { "reason", S_IFREG | 0440, .fields = SHOW (virfs_show_text, REASON, reason),
    .help = "why it is in this state, in libvirt's words" },
  { "ctl", WRITE | F (STATE) | F (SAVED) | F (KEPT), .show = show_ctl, .store = store_ctl,
    .help = "what can be done to it now, one verb a line; write one of them" },
  { "host", S_IFLNK | 0777, .fields = F (HOST), .link = link_host,
    .help = "the host that it is on" },
  { "migrate", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_MEASURED, .fields = F (READY) | F (HOST),
    .show = show_migrate, .store = store_migrate,
    .help = "hosts that could take it now; write one to move it there, live if it runs" },
  { "placement", S_IFREG | 0440, VIRFS_ROW_MEASURED, .fields = F (HOST), .show = show_placement,
    .help = "how good each host would be for it, and why: a table, the best first" },
  { "uuid", S_IFREG | 0440, .show = show_uuid, .help = "what it is known by for ever" },
  { "id", S_IFREG | 0440, .fields = F (ID), .show = show_id,
    .help = "its number on its host while it runs" },
  { "title", WRITE | SHOW (virfs_show_text, TITLE, title), .store_text = store_text,
    .help = "a short title; an empty line removes it" },
  { "description", WRITE | SHOW (virfs_show_text, DESCRIPTION, description),
    .store_text = store_text,
    .help = "a longer description, on one line: \\n stands for a new line" },
  { "autostart", WRITE | SHOW (virfs_show_bool, AUTOSTART, autostart), .store_bool = store_bool,
    .help = "1: starts with its host" },
  { "persistent", S_IFREG | 0440, .fields = SHOW (virfs_show_bool, PERSISTENT, persistent),
    .help = "0: vanishes when it stops" },
  { "created", S_IFREG | 0440, .fields = SHOW (virfs_show_time, CREATED, created),
    .help = "when it was made, where that is known" },
  { "vcpus", WRITE | SHOW (virfs_show_uint, VCPUS, vcpus), .store_number = store_number,
    .help = "virtual CPUs; hot up to vcpus_max" },
  { "vcpus_max", WRITE | SHOW (virfs_show_uint, VCPUS_MAX, vcpus_max), .store_number = store_number,
    .help = "virtual CPUs at most; can be set while it is shut off" },
  { "memory", WRITE | SHOW (virfs_show_u64, MEMORY, memory), .store_size = store_number,
    .help = "memory in bytes; hot up to memory_max where the guest has a balloon" },
  { "memory_max", WRITE | SHOW (virfs_show_u64, MEMORY_MAX, memory_max), .store_size = store_number,
    .help = "memory in bytes at most; can be set while it is shut off" },
  { "cpu_shares", WRITE | SHOW (virfs_vm_show_tuned, CPU_SHARES, cpu_shares),
    .store_signed = virfs_vm_store_tuned,
    .help
    = "weight among the guests of its host when CPU time is scarce; 0: the hypervisor's choice" },
  { "cpu_quota", WRITE | SHOW (virfs_vm_show_tuned, CPU_QUOTA, cpu_quota),
    .store_signed = virfs_vm_store_tuned,
    .help
    = "microseconds of CPU time for each virtual CPU in a cpu_period; -1: no limit; 0: likewise" },
  { "cpu_period", WRITE | SHOW (virfs_vm_show_tuned, CPU_PERIOD, cpu_period),
    .store_signed = virfs_vm_store_tuned,
    .help = "microseconds of the period that cpu_quota is about; 0: the hypervisor's choice" },
  { "cpuset", WRITE | F (VCPUS_MAX) | SHOW (virfs_vm_show_cpuset, VCPU_PINS, vcpu_pins),
    .store = virfs_vm_store_cpuset,
    .help = "CPUs of its host that its virtual CPUs may use, as in 0-3,8; nothing: all" },
  { "vcpu_pins", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_LIST,
    .fields = F (READY) | SHOW (virfs_vm_show_lines, VCPU_PINS, vcpu_pins),
    .store = virfs_vm_store_vcpu_pins,
    .help
    = "the same for each virtual CPU, lines as in `0 0-3,8`: > writes a new list, >> adds to it" },
  { "emulator_cpuset", WRITE | SHOW (virfs_show_text, EMULATOR_CPUSET, emulator_cpuset),
    .store = virfs_vm_store_numbers,
    .help = "CPUs of its host that its hypervisor's other threads may use; nothing: all" },
  { "numa_nodeset", WRITE | SHOW (virfs_show_text, NUMA_NODESET, numa_nodeset),
    .store = virfs_vm_store_numbers,
    .help = "NUMA nodes of its host that its memory is taken from, as in 0-1; nothing: any" },
  { "numa_mode", WRITE | SHOW (virfs_show_text, NUMA_MODE, numa_mode),
    .store = virfs_vm_store_numa_mode,
    .help = "strict, preferred, interleave or restrictive: how; can be set while it is shut off" },
  { "boot", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_LIST,
    .fields = F (READY) | SHOW (virfs_vm_show_lines, BOOT, boot), .store = virfs_vm_store_boot,
    .help = "where its next start looks for a system: disk, cdrom, network, or disks/vda, nics/…" },
  { "firmware", WRITE | SHOW (virfs_show_text, FIRMWARE, firmware),
    .store = virfs_vm_store_firmware, .help = "bios or efi; can be set while it is shut off" },
  { "machine", WRITE | SHOW (virfs_show_text, MACHINE, machine), .store = virfs_vm_store_machine,
    .help = "machine type, as in pc-q35-7.2, or q35 for its newest; set it while it is shut off" },
  { "tags", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_LIST, .fields = F (READY) | F (TAGS),
    .show = show_tags, .store = store_tags,
    .help = "words to find it by, one a line: > writes a new list, >> adds to it; see by/tag" },
  { "protect", WRITE | SHOW (virfs_show_bool, PROTECT, protect), .store_bool = store_protect,
    .help = "1: it is neither stopped nor deleted through these files" },
  { "image", S_IFREG | 0440, .fields = SHOW (virfs_show_text, IMAGE, image),
    .help = "what it was made from" },
  { "shutdown_timeout", WRITE | SHOW (virfs_show_uint, SHUTDOWN_TIMEOUT, shutdown_timeout),
    .store_number = store_timeout,
    .help = "seconds that shutoff, written to state, waits for the guest" },
  { "cloud-init", S_IFDIR | 0700, VIRFS_ROW_PRIVATE, .fields = F (KEPT),
    .help = "what cloud-init in it finds at its next start (NoCloud)" },
  { SEED ("cloud-init/user-data", user_data),
    .help = "cloud-init's user data, as in #cloud-config; a change makes it a new instance" },
  { SEED ("cloud-init/meta-data", meta_data),
    .help = "its meta data; nothing: instance ID and host name" },
  { SEED ("cloud-init/network-config", network_config), .help = "its network configuration" },
  { "xml", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_DOCUMENT | VIRFS_ROW_TRUSTED,
    .fields = F (READY) | SHOW_BLOB (XML, xml), .store = store_xml,
    .help = "libvirt's XML of the guest as it is now; write a whole one to define it anew" },
  { "xml_inactive", S_IFREG | 0440, .fields = SHOW_BLOB (XML_INACTIVE, xml_inactive),
    .help = "libvirt's XML of the guest as it will start next" },
  { "disks", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_disks_dir, .help = "its disks" },
  { "nics", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_nics_dir,
    .help = "its network interfaces" },
  { "snapshots", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_snapshots_dir,
    .help = "its snapshots; mkdir takes one, rmdir deletes it" },
  { "snapshots/kind", S_IFREG | 0640, .fields = F (SNAPSHOT_KIND), .show = virfs_show_snapshot_kind,
    .store = virfs_store_snapshot_kind,
    .help
    = "what the next mkdir takes: full (disks, and memory if it runs) or disk (disks alone)" },
  { "snapshots/current", S_IFLNK | 0777, .fields = F (PARTS), .link = virfs_link_snapshot_current,
    .help = "the snapshot that it has gone on from; not there if there is none" },
  { "checkpoints", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_checkpoints_dir,
    .help = "what incremental backups are relative to; mkdir makes one, rmdir deletes it" },
  { "error", S_IFREG | 0440, .fields = SHOW (virfs_show_text, ERROR, error),
    .help = "what was refused or failed last: time, file, user and the reason" },
  { "/hosts/<host>/vms/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest of this host; mv it into another host's vms to migrate it" },
  { "/by/state/<state>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest in this state" },
  { "/by/host/<host>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest of this host" },
  { "/by/tag/<tag>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest with this tag" },
  { "/by/owner/<user>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest of this user" },
  { "/by/image/<image>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest that was made from this image" },
  { "/by/ip/<address>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_2,
    .help = "the guest with this address" },
  { "/by/uuid/<uuid>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_2,
    .help = "the guest with this UUID" },
};

static gconstpointer
snapshot (gpointer object)
{
  return virfs_vm_info (object);
}

static void
release (gconstpointer info)
{
  virfs_vm_info_unref ((VirfsVmInfo *) info);
}

static gint64
changed (const VirfsNode *node, guint64 fields)
{
  const VirfsVmInfo *info = node->snapshot;

  return virfs_latest_change (info->changed, VIRFS_VM_N_FIELDS, fields ? fields : F (NAME));
}

static gboolean
ready (const VirfsNode *node)
{
  const VirfsVmInfo *info = node->snapshot;
  g_autoptr (VirfsHostInfo) host = virfs_host_info (info->host);

  return host->state == VIRFS_HOST_UP;
}

static guint64
parent (const VirfsNode *node)
{
  return virfs_inode (&virfs_root_class, 0, virfs_class_row (&virfs_root_class, "vms"));
}

VirfsClass virfs_vm_class = {
  .path = "vms/<vm>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = parent,
  .unref = virfs_object_unref,
  .snapshot = snapshot,
  .release = release,
  .changed = changed,
  .ready = ready,
  .owner = owner,
  .set_owner = set_owner,
};
