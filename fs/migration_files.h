/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * migration/ of guests and hosts (migration.c): options of migrations, each a file that is empty as long as
 * nothing is said.  The row's offset is the VirfsMigrationOption.
 */
#pragma once

#include "classes.h"
#include "migration.h"

void virfs_vm_show_migration (const VirfsNode *node, GString *out);
void virfs_vm_store_migration (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_host_show_migration (const VirfsNode *node, GString *out);
void virfs_host_store_migration (VirfsCall *call, const VirfsNode *node, const char *text);

/* clang-format off */
#define VIRFS_MIGRATION_ROW_(kind, name, option, text) \
  { "migration/" name, S_IFREG | 0640, .fields = VIRFS_MIGRATION_FIELD_##kind, \
    .offset = VIRFS_MIGRATION_##option, .show = virfs_##kind##_show_migration, \
    .store = virfs_##kind##_store_migration, .help = text }
#define VIRFS_MIGRATION_FIELD_vm   VIRFS_BIT (VIRFS_VM_KEPT)
#define VIRFS_MIGRATION_FIELD_host VIRFS_BIT (VIRFS_HOST_UPKEEP)

/* KIND: vm or host. */
#define VIRFS_MIGRATION_ROWS(kind, text) \
  { "migration", S_IFDIR | 0750, .fields = VIRFS_MIGRATION_FIELD_##kind, .help = text }, \
  VIRFS_MIGRATION_ROW_ (kind, "bandwidth", BANDWIDTH, \
    "bytes a second that a migration may take; holds for one that runs, too"), \
  VIRFS_MIGRATION_ROW_ (kind, "downtime", DOWNTIME, \
    "milliseconds that the guest may stand still at its end; holds for one that runs, too"), \
  VIRFS_MIGRATION_ROW_ (kind, "auto_converge", AUTO_CONVERGE, \
    "0: a guest that changes its memory faster than that is sent is not slowed down"), \
  VIRFS_MIGRATION_ROW_ (kind, "post_copy", POST_COPY, \
    "1: after the first pass the guest goes on at the new host and its memory follows; ready: when 1 is written"), \
  VIRFS_MIGRATION_ROW_ (kind, "parallel", PARALLEL, \
    "connections that its memory is sent through side by side; 0: one"), \
  VIRFS_MIGRATION_ROW_ (kind, "compression", COMPRESSION, "of its memory: none, mt or xbzrle"), \
  VIRFS_MIGRATION_ROW_ (kind, "tls", TLS, "1: its memory is sent encrypted"), \
  VIRFS_MIGRATION_ROW_ (kind, "peer_to_peer", PEER_TO_PEER, \
    "1: the hosts do it among themselves, and it survives the end of virfs"), \
  VIRFS_MIGRATION_ROW_ (kind, "tunnelled", TUNNELLED, \
    "1: through the connection of the libvirt daemons; implies peer_to_peer")
/* clang-format on */
