/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backend without hypervisors.  A host's URI is `fake:N`: it comes up with N guests, called
 * HOST-1, HOST-2 …; every second one runs.  Tests change things behind the tree's back by the
 * functions of infra.h.
 */
#pragma once

#include "infra.h"

extern const VirfsBackend virfs_fake_backend;

/* The connection to HOST is broken: what goes on there fails. */
void virfs_fake_cut (VirfsHost *host);

/* How long an operation takes, in microseconds; it can be cancelled meanwhile. */
extern guint virfs_fake_delay;
/* No operation can be cancelled any more (atomic). */
extern gint virfs_fake_stubborn;

/* Starts JOB, of an operation on HOST that takes no time.  FALSE: it has ended, because it was cancelled or
 * HOST does not answer. */
gboolean virfs_fake_begin (VirfsHost *host, VirfsJob *job);

/* A guest as the fake makes it; to be published. */
VirfsVmInfo *virfs_fake_vm (const char *name, guint number, VirfsVmState state);

/* Disks and NICs (fake_device.c); see backend.h. */
void virfs_fake_attach (VirfsPart *draft, gconstpointer wanted, VirfsJob *job);
void virfs_fake_detach (VirfsPart *device, VirfsJob *job);
void virfs_fake_set_device (VirfsPart *device, const VirfsDeviceSetting *setting, VirfsJob *job);

/* Guests that are made and go (fake_create.c). */
void virfs_fake_create (VirfsHost *host, const VirfsCreation *creation, VirfsJob *job);
void virfs_fake_draft_clean (VirfsHost *host, VirfsPart *draft, VirfsJob *job);
void virfs_fake_seed (VirfsVm *vm, const VirfsSeed *seed, VirfsJob *job);
void virfs_fake_undefine (VirfsVm *vm, gboolean purge, VirfsJob *job);
void virfs_fake_rename (VirfsVm *vm, const char *name, VirfsJob *job);

/* What is kept with a guest (fake_note.c). */
void virfs_fake_note (VirfsVm *vm, const VirfsVmNote *note, VirfsJob *job);
void virfs_fake_isolate (VirfsVm *vm, const char *nic, gboolean isolate, VirfsJob *job);

/* Of its snapshots and checkpoints (fake_snapshot.c). */
void virfs_fake_snapshot_take (VirfsVm *vm, const char *name, gboolean disks, VirfsJob *job);
void virfs_fake_snapshot_delete (VirfsVm *vm, const char *name, VirfsJob *job);
void virfs_fake_snapshot_revert (VirfsVm *vm, const char *name, VirfsJob *job);
void virfs_fake_snapshot_describe (VirfsVm *vm, const char *name, const char *text, VirfsJob *job);
void virfs_fake_checkpoint_make (VirfsVm *vm, const char *name, VirfsJob *job);
void virfs_fake_backup_begin (VirfsVm *vm, const VirfsBackupWish *wish, VirfsJob *job);
void virfs_fake_backup_end (VirfsVm *vm, const char *name, gboolean discard, VirfsJob *job);
void virfs_fake_checkpoint_delete (VirfsVm *vm, const char *name, VirfsJob *job);

/* Metrics (fake_metrics.c), all atomic: how many samples were taken; how much guests have used (bytes, packets
 * and time are multiples of it); the host that does not answer, NULL for none. */
extern gint virfs_fake_samples, virfs_fake_used;
extern const char *virfs_fake_hung;
void virfs_fake_sample (VirfsHost *host);
/* What a test has to say of the raw sample of a guest, in addition; to be set before there are readers. */
extern void (*virfs_fake_measure) (const VirfsVmInfo *info, gpointer sample);

/* The consoles and agents of guests that run (fake_agent.c); see backend.h. */
void virfs_fake_keys (VirfsVm *vm, const guint *codes, guint n, VirfsJob *job);
void virfs_fake_screenshot (VirfsVm *vm, VirfsJob *job);
void virfs_fake_password (VirfsVm *vm, const char *password, gboolean once, VirfsJob *job);
/* What was pressed since this was called last, as `29+56+111 30`; the caller owns it. */
char *virfs_fake_pressed (void);
/* A guest says again what is said to it; `quit` on a line of its own ends it.  BUSY, if somebody else has it. */
extern gint virfs_fake_console_busy; /* atomic */
void virfs_fake_console_open (VirfsVm *vm, VirfsJob *job);
void virfs_fake_console_send (VirfsVm *vm);
void virfs_fake_console_leave (VirfsVm *vm);
void virfs_fake_connect_agent (VirfsVmInfo *info);
void virfs_fake_agent_verb (VirfsVm *vm, VirfsAgentVerb verb, VirfsJob *job);
void virfs_fake_agent_set_time (VirfsVm *vm, gint64 time, VirfsJob *job);
void virfs_fake_agent_set_password (VirfsVm *vm, const char *user, const char *password,
                                    VirfsJob *job);
void virfs_fake_agent_exec (VirfsPart *exec, const char *const *argv, VirfsBlob *input,
                            VirfsJob *job);
void virfs_fake_agent_ssh_keys (VirfsPart *user, const char *known, const char *keys,
                                VirfsJob *job);
/* Ends what runs `hang`; FALSE: nothing does. */
gboolean virfs_fake_release (void);
/* Ends JOB with ERROR (taken); if that is NULL and the host answers, it has INFO (taken, NULL: nothing) in place of
 * PART. */
void virfs_fake_tell_part (VirfsPart *part, gpointer info, GError *error, VirfsJob *job);
/* Networks (fake_network.c); see backend.h.  One, `default` (with that UUID). */
GPtrArray *virfs_fake_networks (const char *uuid);
void virfs_fake_network_verb (VirfsPart *network, VirfsNetworkVerb verb, VirfsJob *job);
void virfs_fake_network_set (VirfsPart *network, const VirfsNetworkInfo *wanted, gsize member,
                             VirfsJob *job);
void virfs_fake_network_define (VirfsPart *network, const char *xml, VirfsJob *job);

/* Definitions (fake_fleet.c); see backend.h.  HOST is given what one says, or rid of it. */
void virfs_fake_give (VirfsHost *host, const VirfsDefinition *definition);
void virfs_fake_apply (VirfsHost *host, GPtrArray *definitions, VirfsJob *job);
char *virfs_fake_definition_check (VirfsDefined kind, const char *name, const char *xml,
                                   gboolean shared, GError **error);
gpointer virfs_fake_definition_read (VirfsDefined kind, const char *xml);
char *virfs_fake_definition_write (VirfsDefined kind, gconstpointer wanted, const char *xml,
                                   gsize member, GError **error);
char *virfs_fake_definition_made (const char *wanted, const char *is);
char *virfs_fake_definition_differ (const char *wanted, const char *is);

/* Network filters (fake_network.c): one, `clean`. */
GPtrArray *virfs_fake_filters (void);
void virfs_fake_filter_define (VirfsPart *filter, const char *xml, VirfsJob *job);
void virfs_fake_filter_undefine (VirfsPart *filter, VirfsJob *job);

/* Interfaces and devices (fake_hardware.c); SLAVES of the bond as its info has them. */
GPtrArray *virfs_fake_interfaces (const char *slaves);
GPtrArray *virfs_fake_devices (void);
/* Devices that are made of others; the adapter whose names are all f is refused. */
void virfs_fake_node_device_verb (VirfsPart *device, VirfsNodeDeviceVerb verb, VirfsJob *job);
void virfs_fake_node_device_set_autostart (VirfsPart *device, gboolean autostart, VirfsJob *job);
/* /dev/sdb is mounted. */
char *virfs_fake_host_uses (VirfsHost *host, const char *node);

/* Pools and volumes (fake_storage.c); see backend.h.  One of each, `default` (with that UUID) and
 * `disk.qcow2`. */
GPtrArray *virfs_fake_pools (const char *uuid);
void virfs_fake_pool_verb (VirfsPart *pool, VirfsPoolVerb verb, VirfsJob *job);
void virfs_fake_pool_set (VirfsPart *pool, const VirfsPoolInfo *wanted, VirfsJob *job);
void virfs_fake_pool_define (VirfsPart *pool, const char *xml, VirfsJob *job);
void virfs_fake_disks_move (VirfsVm *vm, const char *disk, const char *pool, VirfsJob *job);
void virfs_fake_volume_create (VirfsPart *volume, const VirfsVolumeInfo *wanted, VirfsPart *source,
                               VirfsJob *job);
void virfs_fake_volume_resize (VirfsPart *volume, guint64 bytes, VirfsJob *job);
void virfs_fake_volume_verb (VirfsPart *volume, VirfsVolumeVerb verb, VirfsJob *job);
