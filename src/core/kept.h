/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept of a guest by us (keeper.h) and not with the guest: marks for our own use, and what
 * others who can read its definition must not see.
 */
#pragma once

#include "infra.h"
#include "migration.h"

typedef struct VirfsKept {
  gatomicrefcount refs;
  gboolean purge;                           /* its disks go with it */
  GRefString *backup_base, *backup_backing; /* what the next backup is to have; see backup.h */
  VirfsMigration *migration;                /* how it is migrated; NULL: nothing is said */
  GRefString *user_data, *meta_data, *network_config; /* cloud-init's; NULL: none */
} VirfsKept;

VirfsKept *virfs_kept_ref (VirfsKept *kept);
/* NULL is allowed. */
void virfs_kept_unref (VirfsKept *kept);

/* Whether its disks go with it when it is undefined. */
gboolean virfs_vm_info_purge (const VirfsVmInfo *info);

/* Changes what is kept of the guest with that UUID, then shows it; EDIT gets a copy. */
typedef void (*VirfsKeptEdit) (VirfsKept *kept, gpointer data);
gboolean virfs_infra_change_kept (VirfsInfra *infra, const char *uuid, VirfsKeptEdit edit,
                                  gpointer data, GError **error);
/* The guest is no more. */
void virfs_infra_forget_kept (VirfsInfra *infra, const char *uuid);
/* A record that was kept. */
void virfs_infra_restore_kept (VirfsInfra *infra, const char *uuid, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsKept, virfs_kept_unref)
