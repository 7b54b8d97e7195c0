/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a guest of a draft: its disks, its definition, its first start. */
#include "create.h"

#include "clone.h"
#include "connection.h"
#include "define.h"
#include "domain.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "make_disk.h"
#include "operate.h"
#include "resource.h"

#include <string.h>

void
lv_creation_free (LvCreation *creation)
{
  if (creation == NULL)
    return;
  virfs_object_unref (creation->draft);
  virfs_part_info_unref (creation->info);
  virfs_object_unref (creation->source);
  g_free (creation->snapshot);
  g_free (creation->image);
  g_free (creation);
}

static gboolean
check_cancelled (LvTask *task, GError **error)
{
  if (!lv_task_is_cancelled (task))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "cancelled: %s was not made", task->name);
  return FALSE;
}

/* The hypervisor. */

/* The best type for ARCH that the host has: KVM where it works. */
static const char *
best_type (const VirfsHostInfo *host, const char *arch)
{
  static const char *const types[] = { "kvm", "hvf", "qemu", "xen", "test" };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autofree char *both = g_strconcat (types[i], " ", arch, NULL);

    if (host->guest_types != NULL
        && g_ptr_array_find_with_equal_func (host->guest_types, both, g_str_equal, NULL))
      return types[i];
  }
  return NULL;
}

/* The network of its only NIC; NULL for none. */
static const char *
choose_network (const VirfsDraftInfo *info, const VirfsHostInfo *host)
{
  if (g_strcmp0 (info->network, "none") == 0)
    return NULL;
  if (info->network != NULL)
    return info->network;
  return host->networks != NULL
             && g_ptr_array_find_with_equal_func (host->networks, "default", g_str_equal, NULL)
           ? "default"
           : NULL;
}

/* The definition. */

static gboolean
add_media (LvMaking *making, GError **error)
{
  return lv_making_add_iso (making, error) && lv_making_add_seed (making, error);
}

/* libvirt's own words for a machine that it does not have lead nowhere. */
static gboolean
check_hardware (LvMaking *making, const char *type, const char *arch, GError **error)
{
  const VirfsDraftInfo *info = making->creation->info;
  LvTask *task = making->task;
  LvPlatform platform
    = { .arch = (char *) arch, .type = (char *) type, .machine = (char *) info->machine };
  g_autofree char *canonical = NULL;

  return (info->machine == NULL
          || lv_resource_find_machine (task, task->here.conn, &platform, info->machine, &canonical,
                                       error))
         && (info->firmware == NULL
             || lv_resource_find_firmware (task, task->here.conn, &platform, info->firmware,
                                           error));
}

static VirfsPartInfo *
with_defaults (const VirfsDraftInfo *info)
{
  VirfsDraftInfo *filled = virfs_part_info_copy (info);

  if (filled->vcpus == 0)
    filled->vcpus = VIRFS_DRAFT_VCPUS;
  if (filled->memory == 0)
    filled->memory = VIRFS_DRAFT_MEMORY;
  return &filled->part;
}

static char *
new_definition (LvMaking *making, GError **error)
{
  const VirfsDraftInfo *info = making->creation->info;
  g_autoptr (VirfsPartInfo) filled = NULL;
  g_autoptr (VirfsHostInfo) host = lv_gate_copy_host (making->task->link->connection);
  const char *type = host && host->arch ? best_type (host, host->arch) : NULL;

  if (type == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "it is not known what guests %s can run; write a whole definition to xml",
                 making->task->link->connection->name);
    return NULL;
  }
  if (!check_hardware (making, type, host->arch, error) || !lv_making_add_disk (making, error)
      || !add_media (making, error))
    return NULL;
  filled = with_defaults (info);
  return lv_xml_new_domain ((VirfsDraftInfo *) filled, type, host->arch, making->disks,
                            choose_network (info, host));
}

static char *
cloned_definition (LvMaking *making, GError **error)
{
  g_autofree char *xml = lv_making_clone (making, error);

  if (xml == NULL || !add_media (making, error))
    return NULL;
  return lv_xml_clone_domain (xml, making->creation->info, making->disks, error);
}

static char *
given_definition (LvMaking *making, GError **error)
{
  const VirfsDraftInfo *info = making->creation->info;
  g_autoptr (GString) xml = g_string_new (NULL);

  virfs_blob_append (info->xml, xml);
  if (!lv_making_add_disk (making, error) || !add_media (making, error))
    return NULL;
  return lv_xml_clone_domain (xml->str, info, making->disks, error);
}

static char *
make_definition (LvMaking *making, GError **error)
{
  if (making->creation->info->xml != NULL)
    return given_definition (making, error);
  if (making->creation->source != NULL)
    return cloned_definition (making, error);
  return new_definition (making, error);
}

/* The guest. */

static gboolean
start (LvMaking *making, virDomainPtr domain, GError **error)
{
  VirfsVmState state = making->creation->state;
  guint flags = state == VIRFS_VM_PAUSED ? VIR_DOMAIN_START_PAUSED : 0;

  if (making->creation->info->autostart && LV (virDomainSetAutostart (domain, 1)) < 0)
    return lv_fail (error, "cannot set autostart of %s", making->task->name);
  if (state == VIRFS_VM_SHUTOFF || LV (virDomainCreateWithFlags (domain, flags)) == 0)
    return TRUE;
  return lv_fail (error, "cannot start %s", making->task->name);
}

static gboolean
define_and_start (LvMaking *making, const char *xml, GError **error)
{
  LvTask *task = making->task;
  g_autoptr (virDomain) domain = lv_define (task, task->here.conn, xml);

  if (domain == NULL)
    return lv_fail (error, "cannot define %s", task->name);
  if (lv_making_revert (making, domain, error) && start (making, domain, error))
    return TRUE;
  LV (virDomainUndefineFlags (domain,
                              VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA));
  return FALSE;
}

static gboolean
make_guest (LvMaking *making, GError **error)
{
  LvTask *task = making->task;
  g_autofree char *xml = NULL;

  xml = make_definition (making, error);
  if (xml == NULL || !check_cancelled (task, error))
    return FALSE;
  lv_task_allow_cancel (task, FALSE);
  return define_and_start (making, xml, error);
}

static LvOutcome
run_create (LvTask *task, GError **error)
{
  LvMaking making = { .task = task, .creation = task->creation };
  gboolean made;

  making.disks = g_ptr_array_new_with_free_func (lv_new_disk_free);
  making.made = lv_take_volumes (NULL, 0);
  making.pools = g_ptr_array_new_with_free_func ((GDestroyNotify) lv_pool_free);
  making.from = task->target ? &task->there : &task->here;
  lv_task_allow_cancel (task, TRUE);
  made
    = (task->target == NULL || lv_task_reach_target (task, error)) && make_guest (&making, error);
  lv_task_allow_cancel (task, FALSE);
  if (made)
    lv_making_keep (&making);
  else
    lv_making_undo (&making);
  lv_making_end_clone (&making);
  g_ptr_array_unref (making.made);
  g_ptr_array_unref (making.pools);
  g_ptr_array_unref (making.disks);
  g_clear_pointer (&making.snapshots, g_ptr_array_unref);
  lv_domain_refresh (task->link, task->here.conn, task->uuid, g_get_real_time ());
  return made ? LV_DONE : LV_FAILED;
}

static LvOutcome
run_clean (LvTask *task, GError **error)
{
  gboolean ok;

  lv_task_allow_cancel (task, TRUE);
  ok = lv_draft_clean_volumes (task, task->creation->draft, error);
  lv_task_allow_cancel (task, FALSE);
  return ok ? LV_DONE : LV_FAILED;
}

void
lv_draft_clean (VirfsHost *host, VirfsPart *draft, VirfsJob *job)
{
  LvTask *task = lv_task_new_for_host (host, job, LV_LANE_LONG, run_clean);

  if (task == NULL)
    return;
  task->creation = g_new0 (LvCreation, 1);
  task->creation->draft = virfs_object_ref (draft);
  lv_task_submit (task);
}

/* What it is a clone of may be on another host. */
static gboolean
reach_source (LvTask *task, VirfsHost *host)
{
  VirfsVm *source = task->creation->source;
  g_autoptr (VirfsVmInfo) info = source ? virfs_vm_info (source) : NULL;

  return info == NULL || info->host == host || lv_task_set_target (task, info->host);
}

void
lv_vm_create (VirfsHost *host, const VirfsCreation *wanted, VirfsJob *job)
{
  LvTask *task = lv_task_new_for_host (host, job, LV_LANE_LONG, run_create);
  LvCreation *creation;

  if (task == NULL)
    return;
  creation = g_new0 (LvCreation, 1);
  creation->draft = virfs_object_ref (wanted->draft);
  creation->info = virfs_part_info_ref (wanted->info);
  creation->source = wanted->source ? virfs_object_ref (wanted->source) : NULL;
  creation->snapshot = g_strdup (wanted->snapshot);
  creation->image = g_strdup (wanted->image);
  creation->state = wanted->state;
  task->creation = creation;
  g_free (task->name);
  task->name = g_strdup (wanted->info->part.name);
  task->uuid = g_strdup (wanted->info->uuid);
  if (reach_source (task, host))
    lv_task_submit (task);
  else
    lv_task_unref (task);
}
