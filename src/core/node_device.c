/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a host's devices, and which of them guests can have. */
#include "node_device.h"

#include "error.h"

#include <string.h>

#define MEMBER(member, type, field) VIRFS_MEMBER (VirfsNodeDeviceInfo, member, type, field)

static const VirfsMember members[] = {
  MEMBER (type, WORD, CONFIG),
  MEMBER (active, BOOL, STATE),
  MEMBER (vendor, TEXT, CONFIG),
  MEMBER (product, TEXT, CONFIG),
  MEMBER (id, TEXT, CONFIG),
  MEMBER (device_class, TEXT, CONFIG),
  MEMBER (driver, TEXT, STATE),
  MEMBER (iommu_group, TEXT, CONFIG),
  MEMBER (iommu_devices, TEXT, CONFIG),
  MEMBER (numa_node, TEXT, CONFIG),
  MEMBER (parent, TEXT, CONFIG),
  MEMBER (path, TEXT, CONFIG),
  MEMBER (node, TEXT, CONFIG),
  MEMBER (links, TEXT, CONFIG),
  MEMBER (interface, TEXT, CONFIG),
  MEMBER (link, WORD, STATE),
  MEMBER (address, TEXT, CONFIG),
  MEMBER (size, NUMBER, SIZE),
  MEMBER (physical_function, TEXT, CONFIG),
  MEMBER (virtual_functions, TEXT, CONFIG),
  MEMBER (mdev_types, TEXT, CONFIG),
  MEMBER (mdev_type, TEXT, CONFIG),
  MEMBER (persistent, BOOL, STATE),
  MEMBER (autostart, BOOL, CONFIG),
  MEMBER (wwnn, TEXT, CONFIG),
  MEMBER (wwpn, TEXT, CONFIG),
  MEMBER (vport_ops, BOOL, CONFIG),
  MEMBER (vports, NUMBER, STATE),
  MEMBER (vports_max, NUMBER, CONFIG),
  MEMBER (xml, BLOB, XML),
};

const VirfsPartClass virfs_node_device_class = {
  .kind = VIRFS_KIND_NODE_DEVICE,
  .directory = "devices",
  .size = sizeof (VirfsNodeDeviceInfo),
  .members = members,
  .n_members = G_N_ELEMENTS (members),
};

static const struct {
  const char *type, *kind;
} kinds[] = {
  { "pci", "pci" },
  { "usb_device", "usb" },
  { "scsi", "scsi" },
  { "mdev", "mdev" },
};

/* Bridges, with what is behind them, are the host's own. */
static gboolean
is_bridge (const VirfsNodeDeviceInfo *device)
{
  return device->device_class != NULL && g_str_has_prefix (device->device_class, "0x06");
}

/* The host's end of a USB bus: the Linux Foundation is its vendor. */
static gboolean
is_hub (const VirfsNodeDeviceInfo *device)
{
  return g_strcmp0 (device->type, "usb_device") == 0 && device->id != NULL
         && g_str_has_prefix (device->id, "1d6b:");
}

const char *
virfs_node_device_kind (const VirfsNodeDeviceInfo *device, const char **why)
{
  const char *unused;

  why = why ? why : &unused;
  *why = device->part.draft ? "it is a draft, to be made first" : NULL;
  if (*why != NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (g_strcmp0 (device->type, kinds[i].type) != 0)
      continue;
    if (device->address == NULL)
      *why = "its address is not known";
    else if (is_bridge (device))
      *why = "a bridge of the PCI bus belongs to the host";
    else if (is_hub (device))
      *why = "the hub of a USB bus belongs to the host";
    return *why ? NULL : kinds[i].kind;
  }
  *why = "guests can have PCI, USB, SCSI and mediated devices only";
  return NULL;
}

gboolean
virfs_node_device_passes (const VirfsNodeDeviceInfo *device)
{
  const char *kind = virfs_node_device_kind (device, NULL);

  return kind != NULL && (strcmp (kind, "pci") != 0 || device->iommu_group != NULL);
}

char *
virfs_node_device_name (const char *prefix, const char *address)
{
  char *name = g_strconcat (prefix, "_", address, NULL);

  for (char *p = name; *p; p++)
    if (!g_ascii_isalnum (*p))
      *p = '_';
  return name;
}

/* Those that are made of others. */

gboolean
virfs_node_device_is_made (const VirfsNodeDeviceInfo *device)
{
  if (g_strcmp0 (device->type, VIRFS_NODE_DEVICE_MDEV) == 0)
    return TRUE;
  /* other adapters are at a bus */
  return g_strcmp0 (device->type, VIRFS_NODE_DEVICE_VHBA) == 0 && device->wwpn != NULL
         && device->parent != NULL && g_str_has_prefix (device->parent, "scsi_host");
}

const char *
virfs_node_device_makes (const VirfsNodeDeviceInfo *parent)
{
  if (parent->mdev_types != NULL)
    return VIRFS_NODE_DEVICE_MDEV;
  return parent->vport_ops ? VIRFS_NODE_DEVICE_VHBA : NULL;
}

/* PARENT has lines of ID AVAILABLE NAME. */
static gboolean
check_mdev (const char *type, const VirfsNodeDeviceInfo *parent, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (parent->mdev_types ? parent->mdev_types : "", "\n", -1);

  for (char **line = lines; type && *line; line++) {
    g_auto (GStrv) words = g_strsplit (*line, " ", 3);

    if (g_strcmp0 (words[0], type) != 0)
      continue;
    if (g_strcmp0 (words[1], "0") != 0)
      return TRUE;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s can make no more mediated devices %s",
                 parent->part.name, type);
    return FALSE;
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "write to mdev_type what %s is to make; its mdev_types has the types",
               parent->part.name);
  return FALSE;
}

static gboolean
check_vhba (const VirfsNodeDeviceInfo *draft, const VirfsNodeDeviceInfo *parent, GError **error)
{
  if ((draft->wwnn == NULL) != (draft->wwpn == NULL))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "write both wwnn and wwpn, or none of them: then libvirt makes them up");
  else if (draft->autostart)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a virtual adapter does not start with its host: write 0 to autostart");
  else if (parent->vports_max > 0 && parent->vports >= parent->vports_max)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s can make no more virtual adapters",
                 parent->part.name);
  else
    return TRUE;
  return FALSE;
}

gboolean
virfs_node_device_check_draft (const VirfsNodeDeviceInfo *draft, const VirfsNodeDeviceInfo *parent,
                               GError **error)
{
  const char *type = parent ? virfs_node_device_makes (parent) : NULL;

  if (g_strcmp0 (type, VIRFS_NODE_DEVICE_MDEV) == 0)
    return check_mdev (draft->mdev_type, parent, error);
  if (type != NULL)
    return check_vhba (draft, parent, error);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "write to made_of what it is to be made of: the name of a device that has"
               " mdev_types or vports");
  return FALSE;
}
