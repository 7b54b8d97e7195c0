/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a guest could run, and moving it there: `migrate`, `placement` and `migrate_verdict` of vms/<vm>/. */
#include "agent_files.h"

#include "access.h"
#include "fit.h"
#include "placement.h"
#include "text.h"
#include "upkeep.h"

static gboolean
fits (const VirfsVmInfo *vm, const VirfsVmNeeds *needs, VirfsHost *host, GError **error)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  return virfs_fit (vm, needs, host, info, error);
}

/* What the guest needs is read from its XML, so once for all HOSTS, and not where there is but one: a
 * walk asks for the sizes of these files for each guest.  NULL also if it cannot be read. */
static VirfsVmNeeds *
read_needs (const VirfsNode *node, GPtrArray *hosts)
{
  return hosts->len > 1 ? virfs_node_backend (node)->vm_needs (node->snapshot, NULL) : NULL;
}

void
virfs_vm_show_migrate (const VirfsNode *node, GString *out)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (virfs_node_infra (node));
  g_autoptr (VirfsVmNeeds) needs = read_needs (node, hosts);

  for (guint i = 0; needs != NULL && i < hosts->len; i++)
    if (fits (node->snapshot, needs, hosts->pdata[i], NULL))
      g_string_append_printf (out, "%s\n", ((VirfsHost *) hosts->pdata[i])->name);
}

void
virfs_vm_show_placement (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (virfs_node_infra (node));
  g_autoptr (VirfsVmNeeds) needs = read_needs (node, hosts);
  g_autoptr (GPtrArray) places = virfs_placement_rank_vm (virfs_node_infra (node), info, needs);

  virfs_placement_print (places, info->host, out);
}

/* migrate_verdict */

static void
append_reasons (GString *out, GPtrArray *obstacles)
{
  for (guint i = 0; i < obstacles->len; i++) {
    g_string_append (out, i ? "; " : "");
    virfs_text_escape_rest (out, ((GError *) obstacles->pdata[i])->message);
  }
}

static void
append_verdict (GString *out, const VirfsVmInfo *vm, const VirfsVmNeeds *needs, VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  g_autoptr (GPtrArray) obstacles = virfs_fit_obstacles (vm, needs, host, info);

  g_string_append_printf (out, "%s\t%s\t", host->name, obstacles->len ? "no" : "yes");
  append_reasons (out, obstacles);
  g_string_append_c (out, '\n');
}

void
virfs_vm_show_verdict (const VirfsNode *node, GString *out)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (virfs_node_infra (node));
  g_autoptr (VirfsVmNeeds) needs = read_needs (node, hosts);

  g_string_append (out, "host\tverdict\treason\n");
  for (guint i = 0; needs != NULL && i < hosts->len; i++)
    append_verdict (out, node->snapshot, needs, hosts->pdata[i]);
}

gboolean
virfs_vm_check_host_open (VirfsCall *call, const VirfsVmInfo *info)
{
  g_autoptr (VirfsHostInfo) host = virfs_host_info (info->host);
  g_autoptr (GError) error = NULL;

  if (virfs_upkeep_check (info->host->name, host, &error))
    return TRUE;
  g_prefix_error (&error, "%s does not start: ", virfs_vm_shown_as (info));
  virfs_call_finish (call, error);
  return FALSE;
}

/* migrate */

static void
refuse_host (VirfsCall *call, VirfsInfra *infra, const char *name)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (infra);
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

/* What failed in post-copy. */

/* A daemon that was lost meanwhile may say it of one side alone. */
static gboolean
is_half_way (VirfsVm *vm, const VirfsVmInfo *info)
{
  g_autoptr (VirfsHost) source = virfs_infra_post_copy_source (vm->object.infra, vm);

  return source != NULL || g_strcmp0 (info->reason, VIRFS_VM_POST_COPY_FAILED) == 0;
}

static void
resume (VirfsCall *call, VirfsVm *vm, VirfsHost *target, const char *operation)
{
  g_autoptr (VirfsHost) source = virfs_infra_post_copy_source (vm->object.infra, vm);
  g_autoptr (VirfsJob) job = NULL;

  if (source == NULL) {
    virfs_call_fail (
      call, VIRFS_ERROR_HOST_DOWN,
      "no host has what is missing of its memory: it goes on only until it needs that");
    return;
  }
  job = virfs_call_job (call, operation, vm, source, target);
  virfs_infra_backend (vm->object.infra)->vm_migrate (vm, target, job);
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
  } else if (target == info->host && wait && is_half_way (vm, info)) {
    resume (call, vm, target, operation);
  } else if (target == info->host) {
    virfs_call_finish (call, NULL);
  } else if (!virfs_vm_check_thawed (call, info)) {
    return;
  } else if ((needs = virfs_infra_backend (infra)->vm_needs (info, &error)) == NULL
             || !fits (info, needs, target, &error)) {
    g_prefix_error (&error, "%s cannot go to %s: ", virfs_vm_shown_as (info), name);
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

void
virfs_vm_store_migrate (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (virfs_vm_check_settled (call, node->object))
    virfs_vm_migrate (call, node->object, node->snapshot, text, TRUE);
}
