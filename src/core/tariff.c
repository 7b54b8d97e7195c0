/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tariff.h"

#include "registry.h"

VirfsTariff *
virfs_tariff_new (void)
{
  VirfsTariff *tariff = g_new0 (VirfsTariff, 1);

  tariff->old_days = VIRFS_TARIFF_OLD_DAYS;
  tariff->power = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return tariff;
}

void
virfs_tariff_free (VirfsTariff *tariff)
{
  g_free (tariff->currency);
  g_hash_table_unref (tariff->power);
  g_free (tariff);
}

void
virfs_tariff_set_power (VirfsTariff *tariff, const char *name, double idle, double most)
{
  VirfsPower power = { idle, MAX (idle, most) };

  g_hash_table_replace (tariff->power, g_strdup (name), g_memdup2 (&power, sizeof power));
}

const VirfsPower *
virfs_tariff_power (const VirfsTariff *tariff, const char *name)
{
  return g_hash_table_lookup (tariff->power, name);
}

double
virfs_power_at (const VirfsPower *power, double percent)
{
  return power->idle + (power->most - power->idle) * CLAMP (percent, 0, 100) / 100;
}

const VirfsTariff *
virfs_infra_tariff (VirfsInfra *infra)
{
  return infra->tariff;
}

void
virfs_infra_set_tariff (VirfsInfra *infra, VirfsTariff *tariff)
{
  virfs_tariff_free (infra->tariff);
  infra->tariff = tariff;
}
