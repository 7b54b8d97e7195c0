/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of disks and NICs, and what they are when nobody has said anything yet. */
#include "device.h"

#include <string.h>

#define DISK(member, type, field) VIRFS_MEMBER (VirfsDiskInfo, member, type, field)
#define NIC(member, type, field)  VIRFS_MEMBER (VirfsNicInfo, member, type, field)

static const VirfsMember disk_members[] = {
  DISK (device, WORD, CONFIG),
  DISK (type, WORD, CONFIG),
  DISK (source, TEXT, CONFIG),
  DISK (pool, TEXT, CONFIG),
  DISK (format, WORD, CONFIG),
  DISK (bus, WORD, CONFIG),
  DISK (cache, WORD, CONFIG),
  DISK (discard, WORD, CONFIG),
  DISK (io, WORD, CONFIG),
  DISK (serial, TEXT, CONFIG),
  DISK (readonly, BOOL, CONFIG),
  DISK (shareable, BOOL, CONFIG),
  DISK (boot, NUMBER, CONFIG),
  DISK (size, NUMBER, SIZE),
  DISK (allocation, NUMBER, USE),
  DISK (read_bytes_max, NUMBER, CONFIG),
  DISK (write_bytes_max, NUMBER, CONFIG),
  DISK (total_bytes_max, NUMBER, CONFIG),
  DISK (read_iops_max, NUMBER, CONFIG),
  DISK (write_iops_max, NUMBER, CONFIG),
  DISK (total_iops_max, NUMBER, CONFIG),
  DISK (live, BOOL, STATE),
  DISK (persistent, BOOL, STATE),
};

const VirfsPartClass virfs_disk_class = {
  .kind = VIRFS_KIND_DISK,
  .directory = "disks",
  .size = sizeof (VirfsDiskInfo),
  .members = disk_members,
  .n_members = G_N_ELEMENTS (disk_members),
};

static const VirfsMember nic_members[] = {
  NIC (type, WORD, CONFIG),   NIC (mac, TEXT, CONFIG),       NIC (network, TEXT, CONFIG),
  NIC (bridge, TEXT, CONFIG), NIC (device, TEXT, STATE),     NIC (model, WORD, CONFIG),
  NIC (filter, TEXT, CONFIG), NIC (link_down, BOOL, CONFIG), NIC (isolated, BOOL, CONFIG),
  NIC (boot, NUMBER, CONFIG), NIC (rx_max, NUMBER, CONFIG),  NIC (tx_max, NUMBER, CONFIG),
  NIC (vf, TEXT, CONFIG),     NIC (team, TEXT, CONFIG),      NIC (addresses, TEXT, USE),
  NIC (live, BOOL, STATE),    NIC (persistent, BOOL, STATE),
};

const VirfsPartClass virfs_nic_class = {
  .kind = VIRFS_KIND_NIC,
  .directory = "nics",
  .size = sizeof (VirfsNicInfo),
  .members = nic_members,
  .n_members = G_N_ELEMENTS (nic_members),
};

/* What libvirt concludes from the first letters of a target, too. */
static const struct {
  const char *prefix, *bus, *device;
} targets[] = {
  { "vd", "virtio", "disk" }, { "sd", "scsi", "disk" }, { "hd", "ide", "disk" },
  { "fd", "fdc", "floppy" },  { "xvd", "xen", "disk" },
};

static guint
find_target (const char *name)
{
  guint i = 0;

  while (i < G_N_ELEMENTS (targets) && !g_str_has_prefix (name, targets[i].prefix))
    i++;
  return i;
}

gboolean
virfs_disk_name_is_valid (const char *name)
{
  guint i = find_target (name);
  const char *letters = i < G_N_ELEMENTS (targets) ? name + strlen (targets[i].prefix) : "";
  gsize n = strspn (letters, "abcdefghijklmnopqrstuvwxyz");

  return n >= 1 && n <= 3 && letters[n] == '\0';
}

/* libvirt's rule for user aliases. */
gboolean
virfs_nic_name_is_valid (const char *name)
{
  gsize n = strlen (name);

  return n >= 1 && n <= 60 && strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-") == n;
}

VirfsDiskInfo *
virfs_disk_draft_new (const char *target)
{
  VirfsDiskInfo *disk = virfs_part_info_new (&virfs_disk_class, target);
  guint i = find_target (target);

  disk->device = targets[i].device;
  disk->bus = targets[i].bus;
  return disk;
}

static char *
make_mac (void)
{
  guint32 random = g_random_int ();

  /* of those that belong to QEMU */
  return g_strdup_printf ("52:54:00:%02x:%02x:%02x", random & 0xff, random >> 8 & 0xff,
                          random >> 16 & 0xff);
}

VirfsNicInfo *
virfs_nic_draft_new (const char *name)
{
  VirfsNicInfo *nic = virfs_part_info_new (&virfs_nic_class, name);
  g_autofree char *mac = make_mac ();

  nic->model = "virtio";
  nic->mac = g_ref_string_new (mac);
  return nic;
}

gboolean
virfs_disk_is_removable (const VirfsDiskInfo *disk)
{
  return g_strcmp0 (disk->device, "cdrom") == 0 || g_strcmp0 (disk->device, "floppy") == 0;
}

gboolean
virfs_mac_is_valid (const char *mac)
{
  for (guint i = 0; i < 17; i++)
    if (i % 3 == 2 ? mac[i] != ':' : !g_ascii_isxdigit (mac[i]))
      return FALSE;
  return mac[17] == '\0' && g_ascii_xdigit_value (mac[1]) % 2 == 0;
}
