/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files in metrics/: of a guest or host for their tables, made from the list of metrics, and of the fleet.
 * Opening one wakes sampling and waits a moment for the first sample.
 */
#pragma once

#include "classes.h"
#include "metrics.h"
#include "table.h"

/* Of a guest or host: the value at the row's offset, and all of them. */
void virfs_show_metric (const VirfsNode *node, GString *out);
void virfs_show_metrics (const VirfsNode *node, GString *out);
gboolean virfs_await_metric (const VirfsNode *node, void (*ready) (gpointer data), gpointer data);
/* Whether NODE shows metrics of its object; *CHANGED is when they last changed then, as far as there are
 * any. */
gboolean virfs_is_metric (const VirfsNode *node, gint64 *changed);

/* Of the fleet; the row's offset is a VirfsFleetText. */
typedef enum {
  VIRFS_FLEET_VMS, /* in the first notation, as the next; + VirfsTableNotation */
  VIRFS_FLEET_HOSTS = VIRFS_FLEET_VMS + VIRFS_TABLE_N_NOTATIONS,
  VIRFS_FLEET_OPENMETRICS = VIRFS_FLEET_HOSTS + VIRFS_TABLE_N_NOTATIONS,
  VIRFS_FLEET_N_TEXTS,
} VirfsFleetText;

gsize virfs_fleet_size (const VirfsNode *node);
VirfsContent *virfs_fleet_open (const VirfsNode *node, GError **error);
gboolean virfs_fleet_await (const VirfsNode *node, void (*ready) (gpointer data), gpointer data);

/* metric_fleet.c: what the tables are made of, sorted by name; samples are NULL where there are none. */
typedef struct {
  char *name;        /* in hosts/ or vms/ */
  char *labels;      /* for Prometheus, escaped and without braces */
  const char *host;  /* its host's name, interned; of a host NULL */
  const char *state; /* static */
  char uuid[37];
  gboolean up;      /* of a host */
  GPtrArray *pools; /* of a host: VirfsPoolInfo*, or NULL */
  VirfsSample *sample;
} VirfsFleetLine;

/* Adds NAME="VALUE" to LABELS. */
void virfs_fleet_append_label (GString *labels, const char *name, const char *value);
GPtrArray *virfs_fleet_vms (VirfsInfra *infra);
GPtrArray *virfs_fleet_hosts (VirfsInfra *infra);

/* metric_text.c and metric_table.c */
GString *virfs_fleet_openmetrics (VirfsInfra *infra);
GString *virfs_fleet_vms_table (VirfsInfra *infra, VirfsTableNotation notation);
GString *virfs_fleet_hosts_table (VirfsInfra *infra, VirfsTableNotation notation);

/* Rows: of the directory, of each metric and of each rate. */
/* clang-format off */
#define VIRFS_METRIC_ROW_(path, index, text) \
  { "metrics/" path, S_IFREG | 0440, VIRFS_ROW_MEASURED, .show = virfs_show_metric, \
    .offset = index, .await = virfs_await_metric, .help = text },
#define VIRFS_METRIC_UNIT_NUMBER  ""
#define VIRFS_METRIC_UNIT_BYTES   ", in bytes"
#define VIRFS_METRIC_UNIT_SECONDS ", in seconds"
#define VIRFS_METRIC_UNIT_PERCENT ", in percent"

#define VIRFS_VM_ROW_(id, name, type, unit, help) \
  VIRFS_METRIC_ROW_ (name, VIRFS_VM_METRIC_##id, help VIRFS_METRIC_UNIT_##unit)
#define VIRFS_DISK_ROW_(id, name, type, unit, help) \
  VIRFS_METRIC_ROW_ ("disk_" name, VIRFS_VM_METRIC_DISK_##id, "all its disks: " help VIRFS_METRIC_UNIT_##unit)
#define VIRFS_NIC_ROW_(id, name, type, unit, help) \
  VIRFS_METRIC_ROW_ ("net_" name, VIRFS_VM_METRIC_NET_##id, "all its NICs: " help VIRFS_METRIC_UNIT_##unit)
#define VIRFS_VM_RATE_ROW_(id, name, unit, counter, per, help) \
  VIRFS_METRIC_ROW_ (name, VIRFS_VM_N_METRICS + VIRFS_VM_RATE_##id, help VIRFS_METRIC_UNIT_##unit)
#define VIRFS_HOST_ROW_(id, name, type, unit, help) \
  VIRFS_METRIC_ROW_ (name, VIRFS_HOST_METRIC_##id, help VIRFS_METRIC_UNIT_##unit)
#define VIRFS_HOST_RATE_ROW_(id, name, unit, counter, per, help) \
  VIRFS_METRIC_ROW_ (name, VIRFS_HOST_N_METRICS + VIRFS_HOST_RATE_##id, help VIRFS_METRIC_UNIT_##unit)

#define VIRFS_METRICS_DIR_(text) \
  { "metrics", S_IFDIR | 0750, .help = text },
#define VIRFS_METRICS_ALL_ \
  { "metrics/all", S_IFREG | 0440, VIRFS_ROW_MEASURED, .show = virfs_show_metrics, \
    .await = virfs_await_metric, .help = "all that are known now: a name and a value a line" }

#define VIRFS_VM_METRIC_ROWS \
  VIRFS_METRICS_DIR_ ("what it uses: one value a file, sampled while somebody reads") \
  VIRFS_VM_OWN_METRICS (VIRFS_VM_ROW_) VIRFS_DISK_METRICS (VIRFS_DISK_ROW_) \
  VIRFS_NIC_METRICS (VIRFS_NIC_ROW_) VIRFS_VM_RATES (VIRFS_VM_RATE_ROW_) VIRFS_METRICS_ALL_
#define VIRFS_HOST_METRIC_ROWS \
  VIRFS_METRICS_DIR_ ("how it is used: one value a file, sampled while somebody reads") \
  VIRFS_HOST_METRICS (VIRFS_HOST_ROW_) VIRFS_HOST_RATES (VIRFS_HOST_RATE_ROW_) VIRFS_METRICS_ALL_

#define VIRFS_FLEET_ROW_(name, table, row_flags, text) \
  { "metrics/" name, S_IFREG | 0440, VIRFS_ROW_MEASURED | row_flags, .size = virfs_fleet_size, \
    .open = virfs_fleet_open, .offset = VIRFS_FLEET_##table, .await = virfs_fleet_await, .help = text }
#define VIRFS_FLEET_ROWS \
  { "metrics", S_IFDIR | 0550, .help = "what the whole fleet uses" }, \
  VIRFS_FLEET_ROW_ ("openmetrics", OPENMETRICS, 0, "all metrics of all hosts, guests, disks, NICs and pools, for Prometheus"), \
  VIRFS_FLEET_ROW_ ("vms.tsv", VMS + VIRFS_TABLE_TSV, 0, "a table of all guests, the first line has names, columns end in tabs"), \
  VIRFS_FLEET_ROW_ ("hosts.tsv", HOSTS + VIRFS_TABLE_TSV, 0, "a table of all hosts, the first line has names, columns end in tabs"), \
  VIRFS_FLEET_ROW_ ("vms.csv", VMS + VIRFS_TABLE_CSV, VIRFS_ROW_UNLISTED, "vms.tsv with commas (RFC 4180)"), \
  VIRFS_FLEET_ROW_ ("hosts.csv", HOSTS + VIRFS_TABLE_CSV, VIRFS_ROW_UNLISTED, "hosts.tsv with commas (RFC 4180)"), \
  VIRFS_FLEET_ROW_ ("vms.json", VMS + VIRFS_TABLE_JSON, VIRFS_ROW_UNLISTED, "vms.tsv as an array of objects"), \
  VIRFS_FLEET_ROW_ ("hosts.json", HOSTS + VIRFS_TABLE_JSON, VIRFS_ROW_UNLISTED, "hosts.tsv as an array of objects")
/* clang-format on */
