/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving a guest a device of its host. */
#include "device_give.h"

#include <string.h>

static void
attach (VirfsCall *call, const VirfsNode *node, VirfsHost *host, const VirfsNodeDeviceInfo *device,
        gboolean force, VirfsDeviceTake take)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  g_autoptr (VirfsPartInfo) wanted = virfs_part_info_copy (node->snapshot);
  VirfsVm *vm = (VirfsVm *) virfs_part_root (node->object);
  g_autoptr (GError) error = NULL;

  if (take (node, wanted, device, info, &error)
      && virfs_hostdev_check_free (vm, host, device, force, &error))
    virfs_device_attach (call, node, g_steal_pointer (&wanted));
  else
    virfs_call_finish (call, error);
}

/* The name in TEXT, which is NAME or NAME force; the caller owns it. */
static char *
split (const char *text, gboolean *force)
{
  const char *space = strchr (text, ' ');

  *force = space != NULL && strcmp (space, " force") == 0;
  return *force ? g_strndup (text, (gsize) (space - text)) : g_strdup (text);
}

void
virfs_device_give (VirfsCall *call, const VirfsNode *node, const char *text, VirfsDeviceTake take)
{
  gboolean force;
  g_autofree char *name = split (text, &force);
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsPart) part
    = virfs_infra_part (virfs_node_infra (node), host, &virfs_node_device_class, name);
  g_autoptr (VirfsPartInfo) device = part ? virfs_part_info (part) : NULL;

  if (*name != '\0' && virfs_device_shows (call, node, name))
    return;
  if (!((const VirfsPartInfo *) node->snapshot)->draft)
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "this is made already; give it back (rmdir) and make another");
  else if (device == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND,
                     "the host of the guest has no device \"%s\"; hosts/%s/devices has what there"
                     " is",
                     name, host->name);
  else
    attach (call, node, host, (const VirfsNodeDeviceInfo *) device, force, take);
}
