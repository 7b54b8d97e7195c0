/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept of a host by us (keeper.h): whether it is in maintenance, which guests were moved away for that,
 * and how guests are migrated away from it.
 */
#pragma once

#include "infra.h"
#include "migration.h"

/* What was begun and is to go on when the program is started again. */
typedef enum {
  VIRFS_UPKEEP_REST,
  VIRFS_UPKEEP_DRAIN,  /* its guests are being moved away */
  VIRFS_UPKEEP_RETURN, /* and brought back */
} VirfsUpkeepWork;

typedef struct VirfsUpkeep {
  gatomicrefcount refs;
  gboolean maintenance; /* it takes no guests */
  gboolean comes_back;  /* what was moved away, when maintenance ends */
  guint parallel;       /* guests that are moved at a time; 0: as configured */
  VirfsUpkeepWork work;
  guint uid;                 /* who wanted that */
  GRefString *moved;         /* UUIDs of the guests that were moved away, one a line; NULL: none */
  VirfsMigration *migration; /* of its guests, as far as they say nothing else; NULL: nothing */
} VirfsUpkeep;

VirfsUpkeep *virfs_upkeep_ref (VirfsUpkeep *upkeep);
/* NULL is allowed. */
void virfs_upkeep_unref (VirfsUpkeep *upkeep);

/* FALSE: BUSY, HOST (of which INFO is known) is in maintenance. */
gboolean virfs_upkeep_check (const char *host, const VirfsHostInfo *info, GError **error);

/* Changes what is kept of HOST, then shows it; EDIT gets a copy.  Waits for the disk. */
typedef void (*VirfsUpkeepEdit) (VirfsUpkeep *upkeep, gpointer data);
gboolean virfs_infra_change_upkeep (VirfsHost *host, VirfsUpkeepEdit edit, gpointer data,
                                    GError **error);
/* The host is no more. */
void virfs_infra_forget_upkeep (VirfsInfra *infra, const char *host);
/* All that is kept of hosts; to be called before there are any. */
void virfs_infra_restore_upkeep (VirfsInfra *infra);

/* What was moved away: the UUID is among it or not. */
void virfs_upkeep_add_moved (VirfsUpkeep *upkeep, const char *uuid);
void virfs_upkeep_remove_moved (VirfsUpkeep *upkeep, const char *uuid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsUpkeep, virfs_upkeep_unref)
