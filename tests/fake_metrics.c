/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples: what guests use is what a test says. */
#include "fake.h"

#include "metrics.h"

gint virfs_fake_samples;
gint virfs_fake_used = 1;
const char *virfs_fake_hung;
void (*virfs_fake_measure) (const VirfsVmInfo *info, gpointer sample);

static void
add_vm (VirfsVm *vm, const VirfsVmInfo *info, gpointer samples)
{
  VirfsSample *sample = virfs_sample_new (vm->object.id);
  guint64 used = (guint64) g_atomic_int_get (&virfs_fake_used);

  sample->values[VIRFS_VM_METRIC_VCPUS] = info->vcpus;
  if (virfs_vm_state_active (info->state)) {
    VirfsDeviceSample *disk = virfs_sample_add (sample, VIRFS_SAMPLE_DISKS, "vda");
    VirfsDeviceSample *nic = virfs_sample_add (sample, VIRFS_SAMPLE_NICS, "net0");

    sample->epoch = info->host->object.id + (guint64) info->id;
    sample->values[VIRFS_VM_METRIC_CPU_TIME] = used * 1500000000;
    disk->values[VIRFS_DISK_METRIC_WRITE_BYTES] = used * 4096;
    disk->values[VIRFS_DISK_METRIC_CAPACITY] = 1 << 30;
    nic->values[VIRFS_NIC_METRIC_RX_PACKETS] = used * 3;
  }
  if (virfs_fake_measure != NULL)
    virfs_fake_measure (info, sample);
  g_ptr_array_add (samples, sample);
}

void
virfs_fake_sample (VirfsHost *host)
{
  VirfsInfra *infra = host->object.infra;
  GPtrArray *samples;
  VirfsSample *of_host;

  if (g_strcmp0 (g_atomic_pointer_get (&virfs_fake_hung), host->name) == 0)
    return;
  g_atomic_int_inc (&virfs_fake_samples);
  of_host = virfs_sample_new (0);
  of_host->values[VIRFS_HOST_METRIC_CPU_IDLE] = 7000000000;
  samples = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_sample_unref);
  virfs_infra_foreach_vm (infra, host, add_vm, samples);
  virfs_metrics_tell (virfs_infra_metrics (infra), host, of_host, samples);
}
