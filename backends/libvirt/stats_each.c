/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers that tell no more than states in bulk are asked guest by guest. */
#include "stats.h"

#include "device.h"
#include "fail.h"

static guint64
known (long long value)
{
  return value < 0 ? VIRFS_ABSENT : (guint64) value;
}

static void
ask_memory (virDomainPtr domain, VirfsSample *sample)
{
  static const struct {
    int tag;
    VirfsVmMetric metric;
    guint64 unit;
  } tags[] = {
    { VIR_DOMAIN_MEMORY_STAT_RSS, VIRFS_VM_METRIC_MEMORY_RSS, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_AVAILABLE, VIRFS_VM_METRIC_MEMORY_AVAILABLE, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_UNUSED, VIRFS_VM_METRIC_MEMORY_UNUSED, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_USABLE, VIRFS_VM_METRIC_MEMORY_USABLE, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, VIRFS_VM_METRIC_MEMORY_CACHES, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_SWAP_IN, VIRFS_VM_METRIC_SWAP_IN, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, VIRFS_VM_METRIC_SWAP_OUT, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, VIRFS_VM_METRIC_MAJOR_FAULTS, 1 },
  };
  virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
  int n = LV (virDomainMemoryStats (domain, stats, G_N_ELEMENTS (stats), 0));

  for (int i = 0; i < n; i++)
    for (guint j = 0; j < G_N_ELEMENTS (tags); j++)
      if (stats[i].tag == tags[j].tag)
        sample->values[tags[j].metric] = stats[i].val * tags[j].unit;
}

static void
ask_disk (virDomainPtr domain, const VirfsDiskInfo *disk, VirfsSample *sample)
{
  VirfsDeviceSample *device;
  virDomainBlockStatsStruct stats;
  virDomainBlockInfo extent;

  if (!disk->live)
    return;
  device = virfs_sample_add (sample, VIRFS_SAMPLE_DISKS, disk->part.name);
  if (LV (virDomainBlockStats (domain, disk->part.name, &stats, sizeof stats)) == 0) {
    device->values[VIRFS_DISK_METRIC_READ_BYTES] = known (stats.rd_bytes);
    device->values[VIRFS_DISK_METRIC_READ_REQUESTS] = known (stats.rd_req);
    device->values[VIRFS_DISK_METRIC_WRITE_BYTES] = known (stats.wr_bytes);
    device->values[VIRFS_DISK_METRIC_WRITE_REQUESTS] = known (stats.wr_req);
    device->values[VIRFS_DISK_METRIC_ERRORS] = known (stats.errs);
  }
  if (LV (virDomainGetBlockInfo (domain, disk->part.name, &extent, 0)) == 0) {
    device->values[VIRFS_DISK_METRIC_CAPACITY] = extent.capacity;
    device->values[VIRFS_DISK_METRIC_ALLOCATION] = extent.allocation;
    device->values[VIRFS_DISK_METRIC_PHYSICAL] = extent.physical;
  }
}

static void
ask_nic (virDomainPtr domain, const VirfsNicInfo *nic, VirfsSample *sample)
{
  const char *name = nic->device ? nic->device : nic->mac;
  VirfsDeviceSample *device;
  virDomainInterfaceStatsStruct stats;

  if (!nic->live || name == NULL)
    return;
  device = virfs_sample_add (sample, VIRFS_SAMPLE_NICS, nic->part.name);
  if (LV (virDomainInterfaceStats (domain, name, &stats, sizeof stats)) != 0)
    return;
  device->values[VIRFS_NIC_METRIC_RX_BYTES] = known (stats.rx_bytes);
  device->values[VIRFS_NIC_METRIC_RX_PACKETS] = known (stats.rx_packets);
  device->values[VIRFS_NIC_METRIC_RX_ERRORS] = known (stats.rx_errs);
  device->values[VIRFS_NIC_METRIC_RX_DROPS] = known (stats.rx_drop);
  device->values[VIRFS_NIC_METRIC_TX_BYTES] = known (stats.tx_bytes);
  device->values[VIRFS_NIC_METRIC_TX_PACKETS] = known (stats.tx_packets);
  device->values[VIRFS_NIC_METRIC_TX_ERRORS] = known (stats.tx_errs);
  device->values[VIRFS_NIC_METRIC_TX_DROPS] = known (stats.tx_drop);
}

void
lv_stats_ask (virDomainPtr domain, const VirfsVmInfo *info, VirfsSample *sample)
{
  GPtrArray *disks = info->parts[VIRFS_VM_DISKS], *nics = info->parts[VIRFS_VM_NICS];
  virDomainInfo about;

  if (LV (virDomainGetInfo (domain, &about)) == 0) {
    sample->values[VIRFS_VM_METRIC_CPU_TIME] = about.cpuTime;
    sample->values[VIRFS_VM_METRIC_VCPUS] = about.nrVirtCpu;
    sample->values[VIRFS_VM_METRIC_MEMORY_CURRENT] = (guint64) about.memory * 1024;
    sample->values[VIRFS_VM_METRIC_MEMORY_MAX] = (guint64) about.maxMem * 1024;
  }
  ask_memory (domain, sample);
  for (guint i = 0; disks && i < disks->len; i++)
    ask_disk (domain, disks->pdata[i], sample);
  for (guint i = 0; nics && i < nics->len; i++)
    ask_nic (domain, nics->pdata[i], sample);
}
