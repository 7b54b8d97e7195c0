/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drafts of devices, and how devices are made, set and removed. */
#include "device_class.h"

#include <string.h>

void
virfs_device_make (VirfsCall *call, const VirfsNode *dir, gpointer taken)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsPart) draft
    = virfs_infra_make_part_draft (virfs_node_infra (dir), dir->object, taken, &error);

  virfs_call_finish (call, error);
}

void
virfs_device_remove (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) device = virfs_part_in (dir, name);
  VirfsVm *vm = dir->object;
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autofree char *operation = g_strdup_printf ("detach %s", name);
  g_autoptr (VirfsJob) job = NULL;

  if (device == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no %s", name);
  } else if (virfs_infra_remove_part_draft (virfs_node_infra (dir), device)) {
    virfs_call_finish (call, NULL);
  } else if (virfs_vm_check_unprotected (call, info, operation)
             && virfs_vm_check_settled (call, vm)) {
    job = virfs_call_job (call, operation, vm, info->host, NULL);
    virfs_node_backend (dir)->device_detach (device, job);
  }
}

void
virfs_device_attach (VirfsCall *call, const VirfsNode *node, gpointer taken)
{
  g_autoptr (VirfsPartInfo) wanted = taken;
  g_autofree char *operation = g_strdup_printf ("attach %s", wanted->name);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, (VirfsVm *) virfs_part_root (node->object)))
    return;
  job = virfs_part_job (call, node, operation);
  virfs_node_backend (node)->device_attach (node->object, wanted, job);
}

/* Setting. */

static void
set (VirfsCall *call, const VirfsNode *node, guint64 number, const char *text)
{
  VirfsDeviceSetting setting = { .member = node->row->offset, .number = number, .text = text };
  const VirfsPartInfo *info = node->snapshot;
  g_autofree char *operation = g_strdup_printf ("set %s of %s", node->row->path, info->name);
  g_autoptr (VirfsJob) job = NULL;

  if (info->draft) {
    virfs_part_set_draft (call, node, number, text);
  } else if (virfs_vm_check_settled (call, (VirfsVm *) virfs_part_root (node->object))) {
    job = virfs_part_job (call, node, operation);
    virfs_node_backend (node)->device_set (node->object, &setting, job);
  }
}

gboolean
virfs_device_shows (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GString) shown = g_string_new (NULL);
  gsize length = strlen (text);

  node->row->show (node, shown);
  if (shown->len == 0 ? length != 0
                      : shown->len != length + 1 || strncmp (shown->str, text, length) != 0)
    return FALSE;
  virfs_call_finish (call, NULL);
  return TRUE;
}

void
virfs_device_set_number (VirfsCall *call, const VirfsNode *node, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  if (!virfs_device_shows (call, node, text))
    set (call, node, number, NULL);
}

void
virfs_device_set_bool (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  virfs_device_set_number (call, node, value ? 1 : 0);
}

void
virfs_device_set_text (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (!virfs_device_shows (call, node, text))
    set (call, node, 0, *text ? text : NULL);
}

static gboolean
has_word (const VirfsWords *words, const char *text)
{
  g_auto (GStrv) each = g_strsplit (words->words, " ", -1);

  return *text ? g_strv_contains ((const char *const *) each, text) : words->may_be_no;
}

void
virfs_device_set_word (VirfsCall *call, const VirfsNode *node, const char *text,
                       const VirfsWords *table, guint n)
{
  guint i = 0;

  while (i < n - 1 && table[i].member != node->row->offset)
    i++;
  if (virfs_device_shows (call, node, text))
    return;
  if (has_word (&table[i], text))
    set (call, node, 0, *text ? text : NULL);
  else
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" cannot be the %s of a device; write one of%s %s", text,
                     node->row->path, table[i].may_be_no ? " (or nothing)" : "", table[i].words);
}
