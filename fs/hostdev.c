/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/hostdevs/<hostdev>/: a device of the host that the guest has as its own. */
#include "device_give.h"

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  if (virfs_nic_name_is_valid (name))
    virfs_device_make (call, dir, virfs_part_info_new (&virfs_hostdev_class, name));
  else
    virfs_call_fail (
      call, VIRFS_ERROR_INVALID,
      "\"%s\" cannot be the name of a device: letters, digits, - and _ only, at most 60", name);
}

const VirfsDir virfs_hostdevs_dir = {
  .list = virfs_part_list,
  .find = virfs_part_find,
  .make = make,
  .remove = virfs_device_remove,
};

/* device: what makes one of a draft */

static void
show_device (const VirfsNode *node, GString *out)
{
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  const VirfsNodeDeviceInfo *device = virfs_hostdev_device (node->snapshot, info);
  g_autofree char *label
    = device ? virfs_part_label (&virfs_node_device_class, device->part.name) : NULL;

  if (label != NULL)
    g_string_append_printf (out, "%s\n", label);
}

static gboolean
take (const VirfsNode *node, gpointer wanted, const VirfsNodeDeviceInfo *device,
      const VirfsHostInfo *host, GError **error)
{
  return virfs_hostdev_take (wanted, device, host, error);
}

static void
store_device (VirfsCall *call, const VirfsNode *node, const char *text)
{
  virfs_device_give (call, node, text, take);
}

/* The class. */

#define F(field)                      VIRFS_BIT (VIRFS_PART_##field)
#define MEMBER(member)                G_STRUCT_OFFSET (VirfsHostdevInfo, member)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)
#define READ                          S_IFREG | 0440, .fields =

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a device of the host that the guest has" },
  { "device", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_TRUSTED | VIRFS_ROW_MEASURED,
    F (READY) | F (CONFIG), .show = show_device, .store = store_device,
    .help
    = "its name in hosts/<host>/devices; makes one of a draft; nothing: the host has it not" },
  { "type", READ SHOW (virfs_show_text, CONFIG, type), .help = "pci, usb, scsi, mdev" },
  { "address", READ SHOW (virfs_show_text, CONFIG, address),
    .help = "its address on the host; nothing: it is known by its id" },
  { "id", READ SHOW (virfs_show_text, CONFIG, id), .help = "of USB: VENDOR:PRODUCT" },
  { "live", READ SHOW (virfs_show_bool, STATE, live), .help = "1: the running guest has it" },
  { "persistent", READ SHOW (virfs_show_bool, STATE, persistent),
    .help = "1: the guest will have it after its next start" },
};

VirfsClass virfs_hostdev_files = {
  .path = "vms/<vm>/hostdevs/<hostdev>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
