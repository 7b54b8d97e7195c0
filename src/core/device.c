/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of disks and NICs. */
#include "device.h"

#define DISK(member, type, field) VIRFS_MEMBER (VirfsDiskInfo, member, type, field)
#define NIC(member, type, field)  VIRFS_MEMBER (VirfsNicInfo, member, type, field)

static const VirfsMember disk_members[] = {
  DISK (device, WORD, CONFIG),
  DISK (type, WORD, CONFIG),
  DISK (source, TEXT, CONFIG),
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
  NIC (type, WORD, CONFIG),     NIC (mac, TEXT, CONFIG),       NIC (network, TEXT, CONFIG),
  NIC (bridge, TEXT, CONFIG),   NIC (device, TEXT, STATE),     NIC (model, WORD, CONFIG),
  NIC (filter, TEXT, CONFIG),   NIC (link_down, BOOL, CONFIG), NIC (boot, NUMBER, CONFIG),
  NIC (rx_max, NUMBER, CONFIG), NIC (tx_max, NUMBER, CONFIG),  NIC (addresses, TEXT, USE),
  NIC (live, BOOL, STATE),      NIC (persistent, BOOL, STATE),
};

const VirfsPartClass virfs_nic_class = {
  .kind = VIRFS_KIND_NIC,
  .directory = "nics",
  .size = sizeof (VirfsNicInfo),
  .members = nic_members,
  .n_members = G_N_ELEMENTS (nic_members),
};
