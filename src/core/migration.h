/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a guest is migrated: options that say nothing by default.  Those of the guest come before those of the
 * host that it leaves, and these before libvirt's and ours.
 */
#pragma once

#include "error.h"

typedef enum {
  VIRFS_MIGRATION_BANDWIDTH, /* bytes a second, at most */
  VIRFS_MIGRATION_DOWNTIME,  /* milliseconds that the guest may stand still at the end */
  VIRFS_MIGRATION_AUTO_CONVERGE,
  VIRFS_MIGRATION_POST_COPY,
  VIRFS_MIGRATION_PARALLEL, /* connections; 0: one that is not parallel */
  VIRFS_MIGRATION_COMPRESSION,
  VIRFS_MIGRATION_TLS,
  VIRFS_MIGRATION_PEER_TO_PEER,
  VIRFS_MIGRATION_TUNNELLED,
  VIRFS_MIGRATION_N_OPTIONS,
} VirfsMigrationOption;

/* Texts as they are written and shown; NULL: nothing is said. */
typedef struct {
  char *values[VIRFS_MIGRATION_N_OPTIONS];
} VirfsMigration;

/* As in `bandwidth`. */
const char *virfs_migration_name (VirfsMigrationOption option);
/* What of TEXT is kept of OPTION, "" for nothing; the caller owns it.  NULL: INVALID. */
char *virfs_migration_parse (VirfsMigrationOption option, const char *text, GError **error);

/* A copy of MIGRATION (NULL: nothing) in which OPTION is VALUE ("": nothing); NULL if nothing is left. */
VirfsMigration *virfs_migration_with (const VirfsMigration *migration, VirfsMigrationOption option,
                                      const char *value);
VirfsMigration *virfs_migration_copy (const VirfsMigration *migration);
void virfs_migration_free (VirfsMigration *migration);

/* To and from the group `migration` of a file. */
void virfs_migration_save (const VirfsMigration *migration, GKeyFile *file);
VirfsMigration *virfs_migration_load (GKeyFile *file);

/* What holds for a guest with the options FIRST (NULL: none) that leaves a host with the options SECOND. */
typedef struct {
  guint64 bandwidth, downtime; /* 0: libvirt's choice */
  gboolean auto_converge, tls, peer_to_peer, tunnelled;
  gboolean may_post_copy, post_copy; /* it can be told to; it is to */
  guint parallel;
  char compression[8]; /* "": none */
} VirfsMigrationPlan;

void virfs_migration_plan (const VirfsMigration *first, const VirfsMigration *second,
                           VirfsMigrationPlan *plan);
/* UNSUPPORTED: two of its options contradict each other, of which WRITTEN is one (VIRFS_MIGRATION_N_OPTIONS:
 * any): so who writes one can mend what others have said. */
gboolean virfs_migration_check (const VirfsMigrationPlan *plan, VirfsMigrationOption written,
                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsMigration, virfs_migration_free)
