/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples of libvirt's hosts: records of QEMU's that are made up, and the test driver as it is. */
#include "backend.h"

#include "metrics.h"
#include "private.h"
#include "stats.h"

#include <string.h>

static const char node[]
  = "<node>"
    "<domain type='test'><name>web</name><uuid>11111111-2222-4333-8444-000000000001</uuid>"
    "<memory>524288</memory><vcpu>2</vcpu><os><type>hvm</type></os><devices>"
    "<disk type='file' device='disk'><source file='/v'/><target dev='vda'/></disk>"
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/>"
    "<target dev='tap0'/></interface></devices></domain>"
    "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
    "<test:runstate>5</test:runstate>"
    "<name>off</name><uuid>11111111-2222-4333-8444-000000000002</uuid>"
    "<memory>524288</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>"
    "<network><name>default</name><bridge name='virbr0'/></network></node>";

static void
set_up (Backend *f, gconstpointer data)
{
  backend_open (f, node, NULL);
  virfs_metrics_set_interval (virfs_infra_metrics (f->infra), 1);
}

static void
set_flag (gpointer flag)
{
  g_atomic_int_set ((gint *) flag, TRUE);
}

/* What is shown of OBJECT, when there is something. */
static VirfsSample *
sample_of (Backend *f, gconstpointer object)
{
  VirfsMetrics *metrics = virfs_infra_metrics (f->infra);
  gint ready = FALSE;

  if (!virfs_metrics_await (metrics, f->host, set_flag, &ready))
    while (!g_atomic_int_get (&ready))
      g_usleep (1000);
  return virfs_metrics_sample (metrics, object);
}

static void
test_driver (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsVm) web = virfs_infra_vm (f->infra, "web");
  g_autoptr (VirfsVm) off = virfs_infra_vm (f->infra, "off");
  g_autoptr (VirfsSample) of_web = sample_of (f, web);
  g_autoptr (VirfsSample) of_off = sample_of (f, off);
  g_autoptr (VirfsSample) of_host = sample_of (f, f->host);
  const VirfsDeviceSample *disk, *nic;

  g_assert_nonnull (of_web);
  disk = virfs_sample_device (of_web, VIRFS_SAMPLE_DISKS, "vda");
  nic = virfs_sample_device (of_web, VIRFS_SAMPLE_NICS, "eth0");
  g_assert_nonnull (disk);
  g_assert_nonnull (nic);
  g_assert_cmpuint (disk->values[VIRFS_DISK_METRIC_WRITE_BYTES], !=, VIRFS_ABSENT);
  g_assert_cmpuint (nic->values[VIRFS_NIC_METRIC_RX_BYTES], !=, VIRFS_ABSENT);
  g_assert_cmpuint (of_web->values[VIRFS_VM_METRIC_DISK_WRITE_BYTES], ==,
                    disk->values[VIRFS_DISK_METRIC_WRITE_BYTES]);
  g_assert_cmpuint (of_web->values[VIRFS_VM_METRIC_MEMORY_CURRENT], ==, 512 << 20);
  g_assert_cmpuint (of_web->values[VIRFS_VM_METRIC_VCPUS], ==, 2);
  g_assert_cmpuint (of_off->values[VIRFS_VM_METRIC_CPU_TIME], ==, VIRFS_ABSENT);
  g_assert_cmpuint (of_host->values[VIRFS_HOST_METRIC_VCPUS_PROMISED], ==, 2);
  g_assert_cmpuint (of_host->values[VIRFS_HOST_METRIC_CPU_IDLE], !=, VIRFS_ABSENT);
}

/* Nobody reads: nobody asks, however long that goes on. */
static void
test_idle (Backend *f, gconstpointer data)
{
  VirfsMetrics *metrics = virfs_infra_metrics (f->infra);
  guint64 serial = virfs_metrics_serial (metrics);
  g_autoptr (VirfsSample) sample = NULL;

  g_usleep (2500000);
  g_assert_cmpuint (virfs_metrics_serial (metrics), ==, serial);
  sample = sample_of (f, f->host);
  g_assert_cmpuint (virfs_metrics_serial (metrics), >, serial);
}

/* Records. */

typedef struct {
  virTypedParameterPtr items;
  int n, allocated;
} Params;

static void
add (Params *params, const char *field, guint64 value)
{
  g_assert_cmpint (
    virTypedParamsAddULLong (&params->items, &params->n, &params->allocated, field, value), ==, 0);
}

static void
add_text (Params *params, const char *field, const char *value)
{
  g_assert_cmpint (
    virTypedParamsAddString (&params->items, &params->n, &params->allocated, field, value), ==, 0);
}

static VirfsSample *
read_params (Backend *f, Params *params)
{
  g_autoptr (virConnect) conn = virfs_libvirt_connection (f->host);
  g_autoptr (virDomain) domain = virDomainLookupByName (conn, "web");
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, "web");
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  virDomainStatsRecord record = { domain, params->items, params->n };
  VirfsSample *sample = lv_stats_read (&record, f->host, vm, info);

  virTypedParamsFree (params->items, params->n);
  return sample;
}

static void
test_record (Backend *f, gconstpointer data)
{
  Params params = { 0 };
  g_autoptr (VirfsSample) sample = NULL;
  const VirfsDeviceSample *disk, *nic;

  add (&params, "cpu.time", 5000);
  add (&params, "balloon.rss", 7);
  add (&params, "balloon.unused", 3);
  add (&params, "balloon.last-update", 12);
  add (&params, "vcpu.current", 2);
  add (&params, "vcpu.0.delay", 10);
  add (&params, "vcpu.3.delay", 5);
  add (&params, "net.count", 1);
  add_text (&params, "net.0.name", "tap0");
  add (&params, "net.0.rx.bytes", 99);
  add (&params, "block.count", 2);
  add_text (&params, "block.0.name", "vda");
  add (&params, "block.0.wr.bytes", 4096);
  add_text (&params, "block.1.name", "sda");
  add (&params, "block.1.rd.reqs", 8);
  sample = read_params (f, &params);
  disk = virfs_sample_device (sample, VIRFS_SAMPLE_DISKS, "sda");
  nic = virfs_sample_device (sample, VIRFS_SAMPLE_NICS, "eth0");
  g_assert_cmpuint (sample->values[VIRFS_VM_METRIC_CPU_TIME], ==, 5000);
  g_assert_cmpuint (sample->values[VIRFS_VM_METRIC_MEMORY_RSS], ==, 7 * 1024);
  g_assert_cmpuint (sample->values[VIRFS_VM_METRIC_MEMORY_UNUSED], ==, 3 * 1024);
  g_assert_cmpuint (sample->values[VIRFS_VM_METRIC_VCPU_STEAL], ==, 15);
  g_assert_cmpuint (sample->values[VIRFS_VM_METRIC_VCPU_WAIT], ==, VIRFS_ABSENT);
  g_assert_cmpuint (disk->values[VIRFS_DISK_METRIC_READ_REQUESTS], ==, 8);
  g_assert_cmpuint (disk->values[VIRFS_DISK_METRIC_WRITE_BYTES], ==, VIRFS_ABSENT);
  g_assert_cmpuint (nic->values[VIRFS_NIC_METRIC_RX_BYTES], ==, 99);
}

/* What makes no sense is left out. */
static void
test_strange (Backend *f, gconstpointer data)
{
  Params params = { 0 };
  g_autoptr (VirfsSample) sample = NULL;

  add (&params, "block.count", 1);
  add (&params, "block.0.wr.bytes", 1); /* before its name */
  add (&params, "block.99999999999.rd.bytes", 1);
  add (&params, "block.x.rd.bytes", 1);
  add (&params, "net.7.rx.bytes", 1);
  add (&params, "vcpu.0", 1);
  add_text (&params, "cpu.time", "text");
  add (&params, "balloon.unused", 3); /* never told by the guest */
  add (&params, "balloon.last-update", 0);
  sample = read_params (f, &params);
  g_assert_cmpuint (sample->devices[VIRFS_SAMPLE_DISKS]->len, ==, 0);
  g_assert_null (sample->devices[VIRFS_SAMPLE_NICS]);
  g_assert_cmpuint (sample->values[VIRFS_VM_METRIC_CPU_TIME], ==, VIRFS_ABSENT);
  g_assert_cmpuint (sample->values[VIRFS_VM_METRIC_MEMORY_UNUSED], ==, VIRFS_ABSENT);
}

#define ADD(path, func) g_test_add (path, Backend, NULL, set_up, func, backend_close)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  virfs_libvirt_init (NULL);
  ADD ("/metrics/driver", test_driver);
  ADD ("/metrics/idle", test_idle);
  ADD ("/metrics/record", test_record);
  ADD ("/metrics/strange", test_strange);
  return g_test_run ();
}
