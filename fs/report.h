/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reports/: tables, pictures and a page of the whole fleet, made when they are read, of what is known and of
 * the last samples.  report_fleet.c gathers that, without a lock held while something is made of it.
 */
#pragma once

#include "classes.h"
#include "metrics.h"
#include "table.h"
#include "tariff.h"

/* What a report is made of. */

typedef struct {
  VirfsHost *host;
  VirfsHostInfo *info;
  VirfsPromise promised;
  VirfsSample *sample; /* NULL: none, as of a host that is away */
  guint guests;
} VirfsReportHost;

typedef struct {
  VirfsVm *vm;
  VirfsVmInfo *info;
  const VirfsReportHost *host; /* NULL: it has just come */
  VirfsSample *sample;
} VirfsReportVm;

typedef struct {
  VirfsInfra *infra;
  gint64 now;       /* microseconds since the epoch */
  GPtrArray *hosts; /* of VirfsReportHost*, sorted by name */
  GPtrArray *vms;   /* of VirfsReportVm*, likewise */
} VirfsReportFleet;

VirfsReportFleet *virfs_report_fleet_new (VirfsInfra *infra);
/* The same without its guests. */
VirfsReportFleet *virfs_report_fleet_new_hosts (VirfsInfra *infra);
void virfs_report_fleet_free (VirfsReportFleet *fleet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsReportFleet, virfs_report_fleet_free)

/* Busy CPUs in percent, of the last sample, or of the last look at the host; NAN: not known. */
double virfs_report_host_cpu (const VirfsReportHost *host);
/* Of its own CPUs. */
double virfs_report_vm_cpu (const VirfsReportVm *vm);
/* CPUs of its host that are busy with it, as a number of CPUs. */
double virfs_report_vm_cpus (const VirfsReportVm *vm);
/* Bytes that are used; VIRFS_ABSENT: not known. */
guint64 virfs_report_host_memory_used (const VirfsReportHost *host);
/* How full it is, by memory that is used or promised, whichever is more: 1 is full. */
double virfs_report_host_fullness (const VirfsReportHost *host);
/* All of its disks, as big as it sees them, in bytes. */
guint64 virfs_report_vm_storage (const VirfsReportVm *vm);
/* Pools that are one storage are one: calls FUNC once for each, with the first host that has it. */
typedef void (*VirfsReportPoolFunc) (const VirfsReportHost *host, const VirfsPoolInfo *pool,
                                     gpointer data);
void virfs_report_foreach_pool (const VirfsReportFleet *fleet, VirfsReportPoolFunc func,
                                gpointer data);

/* What needs attention (report_attention.c), the worst first. */
typedef enum { VIRFS_CRITICAL, VIRFS_WARNING, VIRFS_NOTICE } VirfsFindingLevel;

typedef struct {
  VirfsFindingLevel level;
  double weight; /* among those of its level */
  char *object;  /* its path */
  char *text;
  gint64 since; /* microseconds since the epoch; 0: not known */
} VirfsFinding;

const char *virfs_finding_level_name (VirfsFindingLevel level);
/* Of VirfsFinding*; the caller owns it. */
GPtrArray *virfs_report_findings (const VirfsReportFleet *fleet);

/* Tables, one file each. */
typedef GString *(*VirfsReportTable) (const VirfsReportFleet *fleet, VirfsTableNotation notation);
GString *virfs_report_attention (const VirfsReportFleet *fleet, VirfsTableNotation notation);
GString *virfs_report_sprawl (const VirfsReportFleet *fleet, VirfsTableNotation notation);
GString *virfs_report_placement (const VirfsReportFleet *fleet, VirfsTableNotation notation);
GString *virfs_report_backup (const VirfsReportFleet *fleet, VirfsTableNotation notation);
GString *virfs_report_energy (const VirfsReportFleet *fleet, VirfsTableNotation notation);
GString *virfs_report_cost (const VirfsReportFleet *fleet, VirfsTableNotation notation);

/* Pictures, and the page. */
GString *virfs_report_capacity (const VirfsReportFleet *fleet);
GString *virfs_report_usage (const VirfsReportFleet *fleet);
GString *virfs_report_trends (const VirfsReportFleet *fleet);
GString *virfs_report_page (const VirfsReportFleet *fleet);
