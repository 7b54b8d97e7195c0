/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of virConnectGetAllDomainStats() as samples. */
#include "stats.h"

#include "device.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *key;
  guint metric;
  guint64 unit; /* bytes or nanoseconds that 1 stands for */
} Key;

static const Key own_keys[] = {
  { "cpu.time", VIRFS_VM_METRIC_CPU_TIME, 1 },
  { "cpu.user", VIRFS_VM_METRIC_CPU_USER, 1 },
  { "cpu.system", VIRFS_VM_METRIC_CPU_SYSTEM, 1 },
  { "vcpu.current", VIRFS_VM_METRIC_VCPUS, 1 },
  { "balloon.current", VIRFS_VM_METRIC_MEMORY_CURRENT, 1024 },
  { "balloon.maximum", VIRFS_VM_METRIC_MEMORY_MAX, 1024 },
  { "balloon.rss", VIRFS_VM_METRIC_MEMORY_RSS, 1024 },
  { "balloon.available", VIRFS_VM_METRIC_MEMORY_AVAILABLE, 1024 },
  { "balloon.unused", VIRFS_VM_METRIC_MEMORY_UNUSED, 1024 },
  { "balloon.usable", VIRFS_VM_METRIC_MEMORY_USABLE, 1024 },
  { "balloon.disk_caches", VIRFS_VM_METRIC_MEMORY_CACHES, 1024 },
  { "balloon.swap_in", VIRFS_VM_METRIC_SWAP_IN, 1024 },
  { "balloon.swap_out", VIRFS_VM_METRIC_SWAP_OUT, 1024 },
  { "balloon.major_fault", VIRFS_VM_METRIC_MAJOR_FAULTS, 1 },
};

/* Of each virtual CPU; they are added up. */
static const Key vcpu_keys[] = {
  { "wait", VIRFS_VM_METRIC_VCPU_WAIT, 1 },
  { "delay", VIRFS_VM_METRIC_VCPU_STEAL, 1 },
};

static const Key disk_keys[] = {
  { "rd.bytes", VIRFS_DISK_METRIC_READ_BYTES, 1 },
  { "rd.reqs", VIRFS_DISK_METRIC_READ_REQUESTS, 1 },
  { "rd.times", VIRFS_DISK_METRIC_READ_TIME, 1 },
  { "wr.bytes", VIRFS_DISK_METRIC_WRITE_BYTES, 1 },
  { "wr.reqs", VIRFS_DISK_METRIC_WRITE_REQUESTS, 1 },
  { "wr.times", VIRFS_DISK_METRIC_WRITE_TIME, 1 },
  { "fl.reqs", VIRFS_DISK_METRIC_FLUSH_REQUESTS, 1 },
  { "fl.times", VIRFS_DISK_METRIC_FLUSH_TIME, 1 },
  { "errors", VIRFS_DISK_METRIC_ERRORS, 1 },
  { "capacity", VIRFS_DISK_METRIC_CAPACITY, 1 },
  { "allocation", VIRFS_DISK_METRIC_ALLOCATION, 1 },
  { "physical", VIRFS_DISK_METRIC_PHYSICAL, 1 },
};

static const Key nic_keys[] = {
  { "rx.bytes", VIRFS_NIC_METRIC_RX_BYTES, 1 }, { "rx.pkts", VIRFS_NIC_METRIC_RX_PACKETS, 1 },
  { "rx.errs", VIRFS_NIC_METRIC_RX_ERRORS, 1 }, { "rx.drop", VIRFS_NIC_METRIC_RX_DROPS, 1 },
  { "tx.bytes", VIRFS_NIC_METRIC_TX_BYTES, 1 }, { "tx.pkts", VIRFS_NIC_METRIC_TX_PACKETS, 1 },
  { "tx.errs", VIRFS_NIC_METRIC_TX_ERRORS, 1 }, { "tx.drop", VIRFS_NIC_METRIC_TX_DROPS, 1 },
};

/* FALSE: it is no number, or a negative one. */
static gboolean
number_of (virTypedParameterPtr param, guint64 *value)
{
  switch (param->type) {
  case VIR_TYPED_PARAM_INT:
    *value = (guint64) param->value.i;
    return param->value.i >= 0;
  case VIR_TYPED_PARAM_UINT:
    *value = param->value.ui;
    return TRUE;
  case VIR_TYPED_PARAM_LLONG:
    *value = (guint64) param->value.l;
    return param->value.l >= 0;
  case VIR_TYPED_PARAM_ULLONG:
    *value = param->value.ul;
    return TRUE;
  default:
    return FALSE;
  }
}

/* Adds what PARAM tells by the name NAME to VALUES. */
static void
take (const Key *keys, guint n, const char *name, virTypedParameterPtr param, guint64 *values)
{
  guint64 value;

  for (guint i = 0; i < n; i++)
    if (strcmp (keys[i].key, name) == 0 && number_of (param, &value)) {
      guint64 *to = &values[keys[i].metric];

      *to = (*to == VIRFS_ABSENT ? 0 : *to) + value * keys[i].unit;
      return;
    }
}

/* PREFIX.N.REST: N, and REST in *NAME; -1 if it is not like that. */
static int
indexed (const char *field, const char *prefix, const char **name)
{
  gsize length = strlen (prefix);
  char *end;
  long n;

  if (strncmp (field, prefix, length) != 0 || !g_ascii_isdigit (field[length]))
    return -1;
  n = strtol (field + length, &end, 10);
  *name = *end == '.' ? end + 1 : end;
  return n < G_MAXINT ? (int) n : -1;
}

/* libvirt tells the tap; the tree has a name that stays. */
static const char *
nic_name (const VirfsVmInfo *info, const char *tap)
{
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];

  for (guint i = 0; nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (g_strcmp0 (nic->device, tap) == 0)
      return nic->part.name;
  }
  return tap;
}

/* The devices of one kind: their names come before what is told of them. */
static void
take_device (VirfsSample *sample, VirfsSampleDevices kind, const char *name, int index,
             virTypedParameterPtr param, const VirfsVmInfo *info)
{
  gboolean disk = kind == VIRFS_SAMPLE_DISKS;
  GArray *devices;

  if (strcmp (name, "name") == 0 && param->type == VIR_TYPED_PARAM_STRING) {
    virfs_sample_add (sample, kind, disk ? param->value.s : nic_name (info, param->value.s));
    return;
  }
  devices = sample->devices[kind];
  if (devices == NULL || devices->len == 0 || (guint) index >= devices->len)
    return;
  take (disk ? disk_keys : nic_keys, disk ? G_N_ELEMENTS (disk_keys) : G_N_ELEMENTS (nic_keys),
        name, param, g_array_index (devices, VirfsDeviceSample, index).values);
}

static void
take_param (VirfsSample *sample, virTypedParameterPtr param, const VirfsVmInfo *info)
{
  const char *field = param->field, *name;
  int index;

  if (strcmp (field, "block.count") == 0)
    virfs_sample_tell (sample, VIRFS_SAMPLE_DISKS);
  else if (strcmp (field, "net.count") == 0)
    virfs_sample_tell (sample, VIRFS_SAMPLE_NICS);
  else if ((index = indexed (field, "block.", &name)) >= 0)
    take_device (sample, VIRFS_SAMPLE_DISKS, name, index, param, info);
  else if ((index = indexed (field, "net.", &name)) >= 0)
    take_device (sample, VIRFS_SAMPLE_NICS, name, index, param, info);
  else if (sample->epoch != 0 && indexed (field, "vcpu.", &name) >= 0)
    take (vcpu_keys, G_N_ELEMENTS (vcpu_keys), name, param, sample->values);
  else
    take (own_keys, G_N_ELEMENTS (own_keys), field, param, sample->values);
}

/* What a guest that does not run is said to use is somebody else's. */
static void
drop_idle (VirfsSample *sample)
{
  static const VirfsVmMetric of_process[]
    = { VIRFS_VM_METRIC_CPU_TIME, VIRFS_VM_METRIC_CPU_USER, VIRFS_VM_METRIC_CPU_SYSTEM,
        VIRFS_VM_METRIC_MEMORY_RSS, VIRFS_VM_METRIC_MEMORY_CURRENT };

  for (guint i = 0; i < G_N_ELEMENTS (of_process); i++)
    sample->values[of_process[i]] = VIRFS_ABSENT;
}

/* The guest's own part is only there when its balloon has told it once. */
static void
drop_untold (virDomainStatsRecordPtr record, VirfsSample *sample)
{
  unsigned long long last = 1;

  virTypedParamsGetULLong (record->params, record->nparams, "balloon.last-update", &last);
  for (guint i = VIRFS_VM_METRIC_MEMORY_AVAILABLE; last == 0 && i <= VIRFS_VM_METRIC_MAJOR_FAULTS;
       i++)
    sample->values[i] = VIRFS_ABSENT;
}

VirfsSample *
lv_stats_read (virDomainStatsRecordPtr record, VirfsHost *host, VirfsVm *vm,
               const VirfsVmInfo *info)
{
  VirfsSample *sample = virfs_sample_new (vm->object.id);
  guint id = virDomainGetID (record->dom);

  /* on another host, or started again, it counts from the beginning */
  if (id != 0 && id != G_MAXUINT)
    sample->epoch = host->object.id * 31 + id;
  for (int i = 0; i < record->nparams; i++)
    take_param (sample, &record->params[i], info);
  drop_untold (record, sample);
  if (sample->epoch == 0)
    drop_idle (sample);
  if (sample->values[VIRFS_VM_METRIC_VCPUS] == VIRFS_ABSENT)
    sample->values[VIRFS_VM_METRIC_VCPUS] = info->vcpus;
  if (sample->values[VIRFS_VM_METRIC_MEMORY_MAX] == VIRFS_ABSENT)
    sample->values[VIRFS_VM_METRIC_MEMORY_MAX] = info->memory_max;
  return sample;
}
