/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing devices that hosts make of others. */
#include "node_device_make.h"

#include <string.h>

void
virfs_node_device_make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) device = NULL;
  g_autoptr (GError) error = NULL;

  if (!virfs_part_check_name (call, dir, name))
    return;
  device
    = virfs_infra_make_part_draft (virfs_node_infra (dir), dir->object,
                                   virfs_part_info_new (&virfs_node_device_class, name), &error);
  virfs_call_finish (call, error);
}

static gboolean
check_trusted (VirfsCall *call)
{
  if (virfs_call_is_trusted (call))
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_DENIED,
                   "only root and the user who mounted the tree may make, start, stop and remove"
                   " devices");
  return FALSE;
}

static void
begin (VirfsCall *call, VirfsPart *device, VirfsNodeDeviceVerb verb)
{
  static const char *const words[] = { "define", "start", "stop", "remove" };
  g_autofree char *operation = g_strdup_printf ("%s device %s", words[verb], device->name);
  VirfsHost *host = (VirfsHost *) device->owner;
  g_autoptr (VirfsJob) job = virfs_call_job (call, operation, host, host, NULL);

  virfs_infra_backend (device->object.infra)->node_device_verb (device, verb, job);
}

/* Unless somebody has it; DEFINED: or is to have it. */
static void
begin_unused (VirfsCall *call, VirfsPart *device, VirfsNodeDeviceVerb verb, gboolean defined)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (device);
  g_autoptr (GError) error = NULL;

  if (virfs_node_device_check_unused ((VirfsHost *) device->owner,
                                      (const VirfsNodeDeviceInfo *) info, defined, &error))
    begin (call, device, verb);
  else
    virfs_call_finish (call, error);
}

void
virfs_node_device_remove (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) device = virfs_part_in (dir, name);
  g_autoptr (VirfsPartInfo) info = device ? virfs_part_info (device) : NULL;

  if (info == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no device %s", name);
  else if (virfs_infra_remove_part_draft (virfs_node_infra (dir), device))
    virfs_call_finish (call, NULL);
  else if (!virfs_node_device_is_made ((const VirfsNodeDeviceInfo *) info))
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED,
                     "%s is hardware of the host; only mediated devices and virtual adapters can be"
                     " removed",
                     name);
  else if (check_trusted (call))
    begin_unused (call, device, VIRFS_NODE_DEVICE_REMOVE, TRUE);
}

gboolean
virfs_node_device_ready (const VirfsNode *node)
{
  const VirfsNodeDeviceInfo *info = node->snapshot;

  return (info->part.draft || virfs_node_device_is_made (info)) && virfs_part_ready (node);
}

/* state */

void
virfs_show_node_device_state (const VirfsNode *node, GString *out)
{
  const VirfsNodeDeviceInfo *info = node->snapshot;

  g_string_append (out, info->part.draft ? "draft\n" : info->active ? "active\n" : "inactive\n");
}

static void
begin_draft (VirfsCall *call, const VirfsNode *node, gboolean start)
{
  const VirfsNodeDeviceInfo *info = node->snapshot;
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  const VirfsNodeDeviceInfo *parent
    = info->parent ? virfs_part_list_find (known->parts[VIRFS_HOST_DEVICES], info->parent) : NULL;
  g_autoptr (GError) error = NULL;

  if (!virfs_node_device_check_draft (info, parent, &error))
    virfs_call_finish (call, error);
  else if (!start && g_strcmp0 (info->type, VIRFS_NODE_DEVICE_MDEV) != 0)
    virfs_call_fail (call, VIRFS_ERROR_UNSUPPORTED,
                     "a virtual adapter is there or not; write active");
  else
    begin (call, node->object, start ? VIRFS_NODE_DEVICE_START : VIRFS_NODE_DEVICE_DEFINE);
}

void
virfs_store_node_device_state (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsNodeDeviceInfo *info = node->snapshot;
  gboolean start = g_str_equal (text, "active");

  if (virfs_device_shows (call, node, text))
    return;
  if (!start && !g_str_equal (text, "inactive"))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a device cannot be brought to \"%s\"; write active or inactive", text);
  else if (info->part.draft)
    begin_draft (call, node, start);
  else if (!virfs_node_device_is_made (info))
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED, "%s is hardware of the host", info->part.name);
  else if (start)
    begin (call, node->object, VIRFS_NODE_DEVICE_START);
  else if (!info->persistent)
    virfs_call_fail (call, VIRFS_ERROR_UNSUPPORTED,
                     "%s is not defined, so it would be gone; rmdir removes it", info->part.name);
  else
    begin_unused (call, node->object, VIRFS_NODE_DEVICE_STOP, FALSE);
}

/* What a draft is to be. */

static gboolean
check_draft (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (virfs_device_shows (call, node, text))
    return FALSE;
  if (((const VirfsPartInfo *) node->snapshot)->draft)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_BUSY, "the device is made already; make another");
  return FALSE;
}

void
virfs_show_made_of (const VirfsNode *node, GString *out)
{
  const VirfsNodeDeviceInfo *info = node->snapshot;
  gboolean shown = info->parent && (info->part.draft || virfs_node_device_is_made (info));
  g_autofree char *label = shown ? virfs_part_label (&virfs_node_device_class, info->parent) : NULL;

  if (label != NULL)
    g_string_append_printf (out, "%s\n", label);
}

static void
take_parent (gpointer info, gpointer data)
{
  VirfsNodeDeviceInfo *draft = info;
  const VirfsNodeDeviceInfo *parent = data;
  g_autofree char *uuid = g_uuid_string_random ();

  virfs_ref_string_set (&draft->parent, parent->part.name);
  draft->type = virfs_node_device_makes (parent);
  virfs_ref_string_set (&draft->address,
                        g_str_equal (draft->type, VIRFS_NODE_DEVICE_MDEV) ? uuid : NULL);
}

void
virfs_store_made_of (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsInfra *infra = virfs_node_infra (node);
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsPart) part = virfs_infra_part (infra, host, &virfs_node_device_class, text);
  g_autoptr (VirfsPartInfo) parent = part ? virfs_part_info (part) : NULL;
  g_autoptr (GError) error = NULL;

  if (!check_draft (call, node, text))
    return;
  if (parent == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "the host has no device \"%s\"", text);
  } else if (virfs_node_device_makes ((const VirfsNodeDeviceInfo *) parent) == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "%s makes no other devices: its mdev_types and its vports are empty", text);
  } else {
    virfs_infra_change_part_draft (infra, node->object, take_parent, parent, &error);
    virfs_call_finish (call, error);
  }
}

void
virfs_store_mdev_type (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (!check_draft (call, node, text))
    return;
  if (strpbrk (text, " \t/") != NULL)
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is no type of mediated devices, as in nvidia-11", text);
  else
    virfs_part_set_draft (call, node, 0, *text ? text : NULL);
}

void
virfs_store_wwn (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autofree char *name = g_ascii_strdown (text, -1);

  if (!check_draft (call, node, name))
    return;
  if (*name != '\0' && (strlen (name) != 16 || name[strspn (name, "0123456789abcdef")] != '\0'))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is no name of Fibre Channel: write 16 hexadecimal digits", text);
  else
    virfs_part_set_draft (call, node, 0, *name ? name : NULL);
}

void
virfs_store_node_device_autostart (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  const VirfsNodeDeviceInfo *info = node->snapshot;
  g_autofree char *operation = g_strdup_printf ("set autostart of device %s", info->part.name);
  g_autoptr (VirfsJob) job = NULL;

  if (info->autostart == value) {
    virfs_call_finish (call, NULL);
  } else if (info->part.draft) {
    virfs_part_set_draft (call, node, (guint64) value, NULL);
  } else if (!info->persistent) {
    virfs_call_fail (call, VIRFS_ERROR_UNSUPPORTED,
                     "only mediated devices that are defined start with their host");
  } else {
    job = virfs_part_job (call, node, operation);
    virfs_node_backend (node)->node_device_set_autostart (node->object, value, job);
  }
}
