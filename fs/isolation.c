/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/isolation and vms/<vm>/nics/<nic>/isolation: cutting guests and NICs off, and lifting it. */
#include "isolation.h"

#include "part_class.h"
#include "vm_files.h"

static void
begin (VirfsCall *call, VirfsVm *vm, const char *nic, gboolean isolate)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autofree char *operation = nic ? g_strdup_printf ("%s %s", isolate ? "isolate" : "connect", nic)
                                   : g_strdup (isolate ? "quarantine" : "lift quarantine");
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, vm))
    return;
  job = virfs_call_job (call, operation, vm, info->host, NULL);
  virfs_infra_backend (vm->object.infra)->vm_isolate (vm, nic, isolate, job);
}

/* The guest. */

void
virfs_vm_show_isolation (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  g_string_append (out,
                   virfs_isolation_is_quarantine (info->isolation) ? "quarantine\n" : "none\n");
}

/* Written once more it holds for a link, too, that somebody else has set meanwhile. */
void
virfs_vm_store_isolation (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;
  gboolean isolate = g_str_equal (text, "quarantine");

  if (!isolate && !g_str_equal (text, "none"))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a guest cannot be isolated as \"%s\"; write quarantine, or none to lift it",
                     text);
  else if (!isolate && !virfs_isolation_is_quarantine (info->isolation))
    virfs_call_finish (call, NULL);
  else
    begin (call, node->object, NULL, isolate);
}

gboolean
virfs_vm_check_no_quarantine (VirfsCall *call, const VirfsVmInfo *info, const char *what)
{
  if (!virfs_isolation_is_quarantine (info->isolation))
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_BUSY,
                   "the guest is in quarantine, which goes before %s; write none to its isolation"
                   " first",
                   what);
  return FALSE;
}

/* NICs. */

void
virfs_nic_show_isolation (const VirfsNode *node, GString *out)
{
  const VirfsNicInfo *nic = node->snapshot;

  g_string_append (out, nic->isolated ? "isolated\n" : "none\n");
}

void
virfs_nic_store_isolation (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsNicInfo *nic = node->snapshot;
  VirfsVm *vm = (VirfsVm *) virfs_part_root (node->object);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  gboolean isolate = g_str_equal (text, "isolated");

  if (!isolate && !g_str_equal (text, "none"))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a NIC cannot be isolated as \"%s\"; write isolated, or none to lift it",
                     text);
  else if (nic->part.draft && isolate)
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "%s is a draft; it is not connected yet",
                     nic->part.name);
  else if (!isolate && !virfs_isolation_has (info->isolation, nic->mac, NULL))
    virfs_call_finish (call, NULL);
  else if (isolate || virfs_vm_check_no_quarantine (call, info, "its NICs"))
    begin (call, vm, nic->part.name, isolate);
}

gboolean
virfs_nic_check_connected (VirfsCall *call, const VirfsNode *node)
{
  const VirfsNicInfo *nic = node->snapshot;
  g_autoptr (VirfsVmInfo) info = virfs_vm_info ((VirfsVm *) virfs_part_root (node->object));

  if (nic->part.draft || !virfs_isolation_has (info->isolation, nic->mac, NULL))
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_BUSY,
                   "%s is isolated, and its %s stays until none is written to its isolation, or to"
                   " that of its guest",
                   nic->part.name, node->row->path);
  return FALSE;
}
