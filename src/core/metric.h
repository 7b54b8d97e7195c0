/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics: what there are (metric_list.h), and samples of them.
 *
 * A sample is what one look at a guest or host has told.  A backend fills in a raw one; what is shown is
 * merged from that and the one before, so that counters never fall though a guest starts again, moves or
 * loses a disk.  What was not told is absent, which is not zero.
 */
#pragma once

#include "metric_list.h"

#include <glib.h>

typedef enum { VIRFS_METRIC_COUNTER, VIRFS_METRIC_GAUGE } VirfsMetricType;

/* In samples seconds are nanoseconds, and in rates seconds. */
typedef enum {
  VIRFS_METRIC_NUMBER,
  VIRFS_METRIC_BYTES,
  VIRFS_METRIC_SECONDS,
  VIRFS_METRIC_PERCENT, /* only of rates */
} VirfsMetricUnit;

typedef struct {
  const char *name;
  VirfsMetricType type;
  VirfsMetricUnit unit;
  const char *help;
} VirfsMetric;

typedef struct {
  const char *name;
  VirfsMetricUnit unit;
  guint counter; /* index of a value */
  guint per;     /* likewise; VIRFS_RATE_TIME: seconds */
  const char *help;
} VirfsRate;

#define VIRFS_RATE_TIME G_MAXUINT

typedef struct {
  const char *prefix; /* of names for Prometheus: `virfs_vm_` */
  const VirfsMetric *metrics;
  guint n;
  const VirfsRate *rates;
  guint n_rates;
} VirfsMetricSet;

/* clang-format off */
#define VIRFS_ENUM_(id, name, type, unit, help) VIRFS_ENUM_PREFIX (id),
typedef enum {
#define VIRFS_ENUM_PREFIX(id) VIRFS_DISK_METRIC_##id
  VIRFS_DISK_METRICS (VIRFS_ENUM_)
#undef VIRFS_ENUM_PREFIX
  VIRFS_DISK_N_METRICS,
} VirfsDiskMetric;

typedef enum {
#define VIRFS_ENUM_PREFIX(id) VIRFS_NIC_METRIC_##id
  VIRFS_NIC_METRICS (VIRFS_ENUM_)
#undef VIRFS_ENUM_PREFIX
  VIRFS_NIC_N_METRICS,
} VirfsNicMetric;

typedef enum {
#define VIRFS_ENUM_PREFIX(id) VIRFS_VM_METRIC_##id
  VIRFS_VM_OWN_METRICS (VIRFS_ENUM_)
#undef VIRFS_ENUM_PREFIX
#define VIRFS_ENUM_PREFIX(id) VIRFS_VM_METRIC_DISK_##id
  VIRFS_DISK_METRICS (VIRFS_ENUM_) /* in the order of VirfsDiskMetric */
#undef VIRFS_ENUM_PREFIX
#define VIRFS_ENUM_PREFIX(id) VIRFS_VM_METRIC_NET_##id
  VIRFS_NIC_METRICS (VIRFS_ENUM_) /* in the order of VirfsNicMetric */
#undef VIRFS_ENUM_PREFIX
  VIRFS_VM_N_METRICS,
  VIRFS_VM_METRIC_DISKS = VIRFS_VM_METRIC_DISK_READ_BYTES,
  VIRFS_VM_METRIC_NICS = VIRFS_VM_METRIC_NET_RX_BYTES,
} VirfsVmMetric;

typedef enum {
#define VIRFS_ENUM_PREFIX(id) VIRFS_HOST_METRIC_##id
  VIRFS_HOST_METRICS (VIRFS_ENUM_)
#undef VIRFS_ENUM_PREFIX
  VIRFS_HOST_N_METRICS,
} VirfsHostMetric;

typedef enum {
#define VIRFS_ENUM_PREFIX(id) VIRFS_POOL_METRIC_##id
  VIRFS_POOL_METRICS (VIRFS_ENUM_)
#undef VIRFS_ENUM_PREFIX
  VIRFS_POOL_N_METRICS,
} VirfsPoolMetric;
#undef VIRFS_ENUM_

#define VIRFS_ENUM_(id, name, unit, counter, per, help) VIRFS_VM_RATE_##id,
typedef enum { VIRFS_VM_RATES (VIRFS_ENUM_) VIRFS_VM_N_RATES } VirfsVmRate;
#undef VIRFS_ENUM_
#define VIRFS_ENUM_(id, name, unit, counter, per, help) VIRFS_HOST_RATE_##id,
typedef enum { VIRFS_HOST_RATES (VIRFS_ENUM_) VIRFS_HOST_N_RATES } VirfsHostRate;
#undef VIRFS_ENUM_
/* clang-format on */

extern const VirfsMetricSet virfs_vm_metrics; /* with the sums of its devices */
extern const VirfsMetricSet virfs_disk_metrics;
extern const VirfsMetricSet virfs_nic_metrics;
extern const VirfsMetricSet virfs_host_metrics;
extern const VirfsMetricSet virfs_pool_metrics; /* of which there are no samples, only a history */

#define VIRFS_ABSENT G_MAXUINT64

typedef enum { VIRFS_SAMPLE_DISKS, VIRFS_SAMPLE_NICS, VIRFS_SAMPLE_N_DEVICES } VirfsSampleDevices;

/* One disk or NIC. */
typedef struct {
  char *name; /* as in the tree: vda, eth0 */
  guint64 values[VIRFS_DISK_N_METRICS];
} VirfsDeviceSample;

typedef struct {
  gatomicrefcount refs;
  guint64 object; /* number of the guest; 0: of a host */
  guint64 epoch;  /* other than before: all counters have begun again.  0: it does not run */
  gint64 time;    /* monotonic: when it was taken */
  gint64 changed; /* of a merged one: microseconds since the epoch, when a value last changed */
  guint64 told;   /* of a merged one: set of the values that this sample has told */
  guint64 values[VIRFS_VM_N_METRICS];      /* VIRFS_ABSENT: not known */
  double rates[VIRFS_VM_N_RATES];          /* NAN: not known */
  GArray *devices[VIRFS_SAMPLE_N_DEVICES]; /* of VirfsDeviceSample; NULL: not told */
} VirfsSample;

/* An empty one of the guest OBJECT, taken now; the caller owns it. */
VirfsSample *virfs_sample_new (guint64 object);
VirfsSample *virfs_sample_ref (VirfsSample *sample);
void virfs_sample_unref (VirfsSample *sample);
/* One more device, to be filled in; borrowed until the next.  NAME is libvirt's. */
VirfsDeviceSample *virfs_sample_add (VirfsSample *sample, VirfsSampleDevices kind,
                                     const char *name);
/* The same for one whose name is as in the tree already. */
VirfsDeviceSample *virfs_sample_add_named (VirfsSample *sample, VirfsSampleDevices kind,
                                           const char *name);
/* That there are devices of that kind is known, even if there are none. */
void virfs_sample_tell (VirfsSample *sample, VirfsSampleDevices kind);
/* Borrowed; NULL if there is none. */
const VirfsDeviceSample *virfs_sample_device (const VirfsSample *sample, VirfsSampleDevices kind,
                                              const char *name);
const VirfsMetricSet *virfs_sample_devices (VirfsSampleDevices kind);

/*
 * What is to be shown after RAW.  RAW_BEFORE and BEFORE are the last of each, NULL the first time; RAW takes
 * over what it lacks, to be RAW_BEFORE the next time.  The caller owns it.
 */
VirfsSample *virfs_sample_merge (const VirfsMetricSet *set, const VirfsSample *raw_before,
                                 const VirfsSample *before, VirfsSample *raw);

/* Value INDEX, or from SET->n on a rate, as text; FALSE and nothing if it is absent. */
gboolean virfs_sample_append (const VirfsMetricSet *set, const VirfsSample *sample, guint index,
                              GString *out);
/* VALUE, not absent, of UNIT as text. */
void virfs_metric_append (VirfsMetricUnit unit, guint64 value, GString *out);
/* The name of value or rate INDEX. */
const char *virfs_metric_name (const VirfsMetricSet *set, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsSample, virfs_sample_unref)
