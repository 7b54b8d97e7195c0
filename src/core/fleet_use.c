/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which guest uses a network or pool, wherever it is. */
#include "fleet_private.h"

#include "device.h"

#include <string.h>

typedef struct {
  const char *name;
  char *user;
} Search;

static void
look_at_nics (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Search *search = data;
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];

  for (guint i = 0; nics && search->user == NULL && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (!nic->part.draft && g_strcmp0 (nic->network, search->name) == 0)
      search->user = g_strconcat ("vms/", info->label, NULL);
  }
}

/* The first guest that has a volume of the pool as a disk. */
static char *
user_of_pool (VirfsInfra *infra, VirfsHost *host, VirfsPart *pool)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (pool);

  for (guint i = 0; info->parts && i < info->parts->len; i++) {
    const VirfsPartInfo *known = info->parts->pdata[i];
    g_autofree char *label = virfs_part_label (&virfs_volume_class, known->name);
    g_autoptr (VirfsPart) volume = virfs_infra_part (infra, pool, &virfs_volume_class, label);
    g_autoptr (GPtrArray) users = volume ? virfs_volume_users (volume) : NULL;

    for (guint j = 0; users && j < users->len; j++)
      if (((VirfsUser *) users->pdata[j])->target != NULL)
        return g_strdup (((VirfsUser *) users->pdata[j])->path);
  }
  return NULL;
}

char *
virfs_fleet_user (VirfsInfra *infra, VirfsDefined kind, const char *name)
{
  Search search = { name, NULL };
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (infra);
  g_autofree char *label = virfs_part_label (&virfs_pool_class, name);

  if (kind == VIRFS_DEFINED_NETWORK) {
    virfs_infra_foreach_vm (infra, NULL, look_at_nics, &search);
    return search.user;
  }
  for (guint i = 0; search.user == NULL && i < hosts->len; i++) {
    g_autoptr (VirfsPart) pool
      = virfs_infra_part (infra, hosts->pdata[i], &virfs_pool_class, label);

    if (pool != NULL)
      search.user = user_of_pool (infra, hosts->pdata[i], pool);
  }
  return search.user;
}
