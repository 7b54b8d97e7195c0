/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUs of hosts and guests, as libvirt describes them: which guest can have the CPU of which host, and the best
 * that all hosts have.  A backend finds both out beside its polls; reading them asks nobody.
 */
#pragma once

#include "infra.h"

/* What VirfsVmInfo's cpu says of a guest that has its host's CPU just as it is: `TYPE` and this. */
#define VIRFS_CPU_PASSTHROUGH "host-passthrough"

/* CPUs that guests of the fleet want and that INFO's host has no verdict on, of char* (as VirfsVmInfo's cpu); the
 * caller owns it. */
GPtrArray *virfs_cpu_unknown (VirfsInfra *infra, const VirfsHostInfo *info);
/* A copy of VERDICTS (NULL: none) with one more: CPU can be had if REASON is "". */
GHashTable *virfs_cpu_verdicts_with (GHashTable *verdicts, const char *cpu, const char *reason);
/* A copy of VERDICTS with those alone that guests of the fleet want; NULL: that is all of them. */
GHashTable *virfs_cpu_verdicts_wanted (VirfsInfra *infra, GHashTable *verdicts);
/* Why INFO's host cannot give CPU to a guest, "" if it can; NULL: not known.  Borrowed from INFO. */
const char *virfs_cpu_verdict (const VirfsHostInfo *info, const char *cpu);

/* The hosts of one kind of guests, as in `kvm x86_64`. */
typedef struct {
  GPtrArray *cpus;  /* of char*: their <cpu>, each once; borrowed from the next */
  GPtrArray *infos; /* of VirfsHostInfo* */
  char *hosts;      /* their names with spaces between */
} VirfsCpuGroup;

VirfsCpuGroup *virfs_cpu_group (VirfsInfra *infra, const char *kind);
void virfs_cpu_group_free (VirfsCpuGroup *group);
/* Whether the baseline of KIND that is known is that of GROUP. */
gboolean virfs_cpu_has_baseline (VirfsInfra *infra, const char *kind, const VirfsCpuGroup *group);
/* It is TEXT, a <cpu>; "": they have none in common. */
void virfs_cpu_set_baseline (VirfsInfra *infra, const char *kind, const VirfsCpuGroup *group,
                             const char *text);
/* All baselines, each behind a comment that names its kind and hosts. */
void virfs_cpu_append_baselines (VirfsInfra *infra, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsCpuGroup, virfs_cpu_group_free)
