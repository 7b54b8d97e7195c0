/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The classes of parts (src/core/part.h), one file each: pool.c, volume.c, network.c, filter.c, interface.c, node_device.c, disk.c, nic.c, hostdev.c, snapshot.c,
 * checkpoint.c, backup.c, exec.c, ssh_keys.c.  A directory of parts is a row of their owner whose path is the class's `directory`.
 */
#pragma once

#include "access.h"
#include "agent.h"
#include "backup.h"
#include "classes.h"
#include "device.h"
#include "hostdev.h"
#include "part_draft.h"
#include "pool.h"
#include "snapshot.h"

extern VirfsClass virfs_pool_files;
extern VirfsClass virfs_volume_files;
extern VirfsClass virfs_network_files;
extern VirfsClass virfs_filter_files;
extern VirfsClass virfs_interface_files;
extern VirfsClass virfs_node_device_files;
extern VirfsClass virfs_disk_files;
extern VirfsClass virfs_nic_files;
extern VirfsClass virfs_hostdev_files;
extern VirfsClass virfs_snapshot_files;
extern VirfsClass virfs_checkpoint_files;
extern VirfsClass virfs_backup_files;
extern VirfsClass virfs_backup_disk_files;
extern VirfsClass virfs_exec_files;
extern VirfsClass virfs_ssh_user_files;

/* What owners of parts put in their tables. */
extern const VirfsDir virfs_pools_dir;
extern const VirfsDir virfs_volumes_dir;
extern const VirfsDir virfs_networks_dir;
extern const VirfsDir virfs_filters_dir;
extern const VirfsDir virfs_interfaces_dir;
extern const VirfsDir virfs_node_devices_dir;
extern const VirfsDir virfs_disks_dir;
extern const VirfsDir virfs_nics_dir;
extern const VirfsDir virfs_hostdevs_dir;
extern const VirfsDir virfs_snapshots_dir;
extern const VirfsDir virfs_checkpoints_dir;
extern const VirfsDir virfs_backups_dir;
extern const VirfsDir virfs_backup_disks_dir;
extern const VirfsDir virfs_execs_dir;
extern const VirfsDir virfs_ssh_users_dir;
/* The files of its disks, beside what a backup has (backup_disk.c). */
extern const VirfsDir virfs_backup_images_dir;
/* Where one of them is; the caller owns it. */
char *virfs_backup_file_path (const VirfsNode *node);

/* Files beside the snapshots of a guest (snapshot.c). */
void virfs_show_snapshot_kind (const VirfsNode *node, GString *out);
void virfs_store_snapshot_kind (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_link_snapshot_current (const VirfsNode *node, GString *out);

/* The files beside the backups of a guest (backup.c). */
void virfs_show_backup_base (const VirfsNode *node, GString *out);
void virfs_store_backup_base (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_show_backup_backing (const VirfsNode *node, GString *out);
void virfs_store_backup_backing (VirfsCall *call, const VirfsNode *node, const char *text);

/* Isolation of NICs (isolation.c); an isolated one has its link and its address: FALSE: CALL has failed. */
void virfs_nic_show_isolation (const VirfsNode *node, GString *out);
void virfs_nic_store_isolation (VirfsCall *call, const VirfsNode *node, const char *text);
gboolean virfs_nic_check_connected (VirfsCall *call, const VirfsNode *node);

/* The directory DIR of parts: their class, one of them (a new reference, NULL if there is none), and
 * the functions of its VirfsDir. */
const VirfsPartClass *virfs_part_class_in (const VirfsNode *dir);
VirfsPart *virfs_part_in (const VirfsNode *dir, const char *name);
void virfs_part_list (const VirfsNode *dir, VirfsListing *listing);
guint64 virfs_part_find (const VirfsNode *dir, const char *name);

/* Whether NAME can be that of a new one in DIR; else CALL has failed. */
gboolean virfs_part_check_name (VirfsCall *call, const VirfsNode *dir, const char *name);

/* Sets the member that NODE's row shows, of a draft; CALL ends with it. */
void virfs_part_set_draft (VirfsCall *call, const VirfsNode *node, guint64 number,
                           const char *text);

/* What all classes of parts have in their VirfsClass. */
gconstpointer virfs_part_snapshot (gpointer object);
gint64 virfs_part_changed (const VirfsNode *node, guint64 fields);
gboolean virfs_part_ready (const VirfsNode *node);
guint64 virfs_part_parent (const VirfsNode *node);

/* What a backup has, as JSON (manifest.c). */
void virfs_show_manifest (const VirfsNode *node, GString *out);

#define VIRFS_PART_CLASS                                                                           \
  .parent = virfs_part_parent, .unref = virfs_object_unref, .snapshot = virfs_part_snapshot,       \
  .release = virfs_part_info_unref, .changed = virfs_part_changed, .ready = virfs_part_ready,      \
  .owner = virfs_access_owner

/* The host that the part is on, for a part of a guest the guest's; a new reference. */
VirfsHost *virfs_part_host (const VirfsNode *node);
/* A job for CALL about the host or guest that the part belongs to. */
VirfsJob *virfs_part_job (VirfsCall *call, const VirfsNode *node, const char *operation);
