/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What power and room cost, and when something is old, for reports; as somebody has said. */
#pragma once

#include <glib.h>

typedef struct VirfsInfra VirfsInfra;

/* What a host takes. */
typedef struct {
  double idle, most; /* watts; with nothing to do, and with all CPUs busy */
} VirfsPower;

typedef struct VirfsTariff {
  char *currency;             /* NULL: none */
  double kwh;                 /* prices; 0: not known */
  double vcpu_hour, gib_hour; /* of a guest that runs: a vCPU, and memory */
  double gib_month;           /* of disks */
  guint old_days;             /* after which a guest that is off, or a snapshot, is old */
  GHashTable *power;          /* name of the host -> VirfsPower* */
} VirfsTariff;

#define VIRFS_TARIFF_OLD_DAYS 30 /* if nobody says otherwise */

VirfsTariff *virfs_tariff_new (void);
void virfs_tariff_free (VirfsTariff *tariff);
/* Watts of the host NAME. */
void virfs_tariff_set_power (VirfsTariff *tariff, const char *name, double idle, double most);
/* NULL: not known; borrowed. */
const VirfsPower *virfs_tariff_power (const VirfsTariff *tariff, const char *name);
/* Watts at PERCENT of all CPUs. */
double virfs_power_at (const VirfsPower *power, double percent);

/* That of the fleet, borrowed; it is taken when it is set, before there are readers. */
const VirfsTariff *virfs_infra_tariff (VirfsInfra *infra);
void virfs_infra_set_tariff (VirfsInfra *infra, VirfsTariff *tariff);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsTariff, virfs_tariff_free)
