/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be done to a guest on its host; the backend's functions, see backend.h. */
#pragma once

#include "backend.h"
#include "device.h"
#include "domain.h"
#include "task.h"

void lv_vm_bring (VirfsVm *vm, VirfsVmState state, VirfsJob *job);          /* bring.c */
void lv_vm_verb (VirfsVm *vm, VirfsVmVerb verb, VirfsJob *job);             /* verb.c */
void lv_vm_set (VirfsVm *vm, const VirfsVmSetting *setting, VirfsJob *job); /* set.c */
void lv_vm_note (VirfsVm *vm, const VirfsVmNote *note, VirfsJob *job);      /* metadata.c */
/* What TASK has in its note, to the guest whose turn it is. */
LvOutcome lv_vm_note_now (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error);
void lv_vm_isolate (VirfsVm *vm, const char *nic, gboolean isolate, VirfsJob *job); /* isolate.c */
/* A NIC that comes to a guest in quarantine, whose turn it is: what it is to be. */
gboolean lv_isolate_newcomer (LvTask *task, virDomainPtr domain, const LvFacts *facts,
                              VirfsNicInfo *nic, GError **error);
void lv_vm_define (VirfsVm *vm, const char *xml, VirfsJob *job);    /* define.c */
void lv_vm_migrate (VirfsVm *vm, VirfsHost *target, VirfsJob *job); /* migrate.c */

/* Pools (pool.c) and volumes (volume.c). */
void lv_pool_verb (VirfsPart *pool, VirfsPoolVerb verb, VirfsJob *job);
void lv_pool_set (VirfsPart *pool, const VirfsPoolInfo *wanted, VirfsJob *job);
void lv_pool_define (VirfsPart *pool, const char *xml, VirfsJob *job);
void lv_volume_create (VirfsPart *volume, const VirfsVolumeInfo *wanted, VirfsPart *source,
                       VirfsJob *job);
void lv_volume_resize (VirfsPart *volume, guint64 bytes, VirfsJob *job);
void lv_volume_verb (VirfsPart *volume, VirfsVolumeVerb verb, VirfsJob *job);
/* Networks (network.c). */
void lv_network_verb (VirfsPart *network, VirfsNetworkVerb verb, VirfsJob *job);
void lv_network_set (VirfsPart *network, const VirfsNetworkInfo *wanted, gsize member,
                     VirfsJob *job);
void lv_network_define (VirfsPart *network, const char *xml, VirfsJob *job);
/* Takes the STEPS (of LvNetworkStep*) of the list MEMBER. */
gboolean lv_network_take_steps (virNetworkPtr network, GPtrArray *steps, gsize member, guint flags,
                                GError **error);
/* Definitions that a host is to have (apply.c). */
void lv_host_apply (VirfsHost *host, GPtrArray *definitions, VirfsJob *job);
/* Network filters (filter.c). */
void lv_filter_define (VirfsPart *filter, const char *xml, VirfsJob *job);
void lv_filter_undefine (VirfsPart *filter, VirfsJob *job);
/* Devices that are made of others (node_device_make.c). */
void lv_node_device_verb (VirfsPart *device, VirfsNodeDeviceVerb verb, VirfsJob *job);
void lv_node_device_set_autostart (VirfsPart *device, gboolean autostart, VirfsJob *job);
/* snapshot.c */
void lv_snapshot_take (VirfsVm *vm, const char *name, gboolean disks, VirfsJob *job);
void lv_snapshot_delete (VirfsVm *vm, const char *name, VirfsJob *job);
void lv_snapshot_revert (VirfsVm *vm, const char *name, VirfsJob *job);
void lv_snapshot_describe (VirfsVm *vm, const char *name, const char *text, VirfsJob *job);
/* checkpoint.c */
void lv_checkpoint_make (VirfsVm *vm, const char *name, VirfsJob *job);
void lv_checkpoint_delete (VirfsVm *vm, const char *name, VirfsJob *job);
/* As virDomainCheckpointDelete().  The bitmap of one that was lost when the hypervisor crashed cannot be
 * removed, because it is not there; then what libvirt knows of it goes. */
int lv_checkpoint_remove (virDomainCheckpointPtr checkpoint);

/* console.c */
void lv_vm_keys (VirfsVm *vm, const guint *codes, guint n, VirfsJob *job);
void lv_vm_screenshot (VirfsVm *vm, VirfsJob *job);

/* graphics.c */
void lv_vm_password (VirfsVm *vm, const char *password, gboolean once, VirfsJob *job);
/* Somebody has got in at the screen of the guest: a password that was for once ends.  For events. */
void lv_password_used (LvLink *link, const char *uuid);

/* agent_task.c, agent_exec.c */
void lv_vm_agent_verb (VirfsVm *vm, VirfsAgentVerb verb, VirfsJob *job);
void lv_vm_agent_set_time (VirfsVm *vm, gint64 time, VirfsJob *job);
void lv_vm_agent_set_password (VirfsVm *vm, const char *user, const char *password, VirfsJob *job);
void lv_agent_exec (VirfsPart *exec, const char *const *argv, VirfsBlob *input, VirfsJob *job);
/* agent_keys.c */
void lv_agent_ssh_keys (VirfsPart *user, const char *known, const char *keys, VirfsJob *job);

/* backup_begin.c, backup_end.c, backup_record.c, backup_watch.c */
void lv_backup_begin (VirfsVm *vm, const VirfsBackupWish *wish, VirfsJob *job);
void lv_backup_end (VirfsVm *vm, const char *name, gboolean discard, VirfsJob *job);
/* Shows again what was open when the program or the connection ended, or ends it. */
void lv_backup_recover (LvLink *link, virConnectPtr conn);
/* From any thread: looks soon how the backup of a guest is, if one is open; NEWS: something has
 * happened. lv_backup_poll(): of all of the host. */
void lv_backup_look (LvLink *link, const char *uuid, gboolean news);
void lv_backup_poll (LvLink *link);

/* The guest that TASK is about and what it is like now, asked of its host because drivers do not
 * agree on what they say when it is not as it should be.  NULL with ERROR. */
virDomainPtr lv_operate_on (LvTask *task, LvFacts *facts, GError **error);

/* Fails if the driver is known to lack CALL. */
gboolean lv_operate_check (LvTask *task, LvCall call, const char *what, GError **error);

/* Between these only one thread changes the guest's definition or metadata, of those that read
 * it, edit it and write it back, and of those that change something in it (metadata.c).  UUID
 * must live until the end. */
void lv_operate_take_turn (const char *uuid);
void lv_operate_end_turn (const char *uuid);

/* How an operation ends: RESULT is libvirt's, < 0 for a failure of WHAT.  Tells what is now. */
LvOutcome lv_operate_end (LvTask *task, int result, LvCall call, const char *what, GError **error);
