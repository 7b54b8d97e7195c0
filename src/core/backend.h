/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the model wants of those who manage hypervisors: a struct of functions.  The program has one
 * (libvirt's); tests bring their own.
 *
 * None of these functions may block unless it says so: they run in threads that serve the file system.  Operations
 * are queued and end their job (virfs_job_finish()) when the model already shows the outcome, so that
 * what was written is what is read next.
 */
#pragma once

#include "agent.h"
#include "backup.h"
#include "content.h"
#include "definition.h"
#include "file.h"
#include "host.h"
#include "job.h"
#include "part.h"
#include "vm.h"

/* One attribute of a guest, to be set live and for its next start. */
typedef struct {
  VirfsVmField field; /* TITLE, DESCRIPTION, AUTOSTART, VCPUS, VCPUS_MAX, MEMORY, MEMORY_MAX,
                         CPU_SHARES to MACHINE */
  guint64 number;     /* units as in VirfsVmInfo; CPU_QUOTA as a gint64 */
  const char *text;   /* of what is a text there: "" for none */
} VirfsVmSetting;

/* One thing of what virfs keeps with a guest. */
typedef struct {
  VirfsVmField field; /* OWNER, TAGS, PROTECT, IMAGE, SHUTDOWN_TIMEOUT, ISOLATION or RECORD */
  enum { VIRFS_NOTE_SET, VIRFS_NOTE_ADD, VIRFS_NOTE_REMOVE } how; /* of TAGS: one of them */
  VirfsOwner owner;
  guint number;     /* PROTECT, SHUTDOWN_TIMEOUT, RECORD */
  const char *text; /* TAGS (see tags.h), IMAGE, ISOLATION; "" for none */
} VirfsVmNote;

/* One attribute of a disk or NIC. */
typedef struct {
  gsize member;     /* its offset in VirfsDiskInfo or VirfsNicInfo */
  guint64 number;   /* for numbers and booleans, units as there */
  const char *text; /* for the others; NULL: none */
} VirfsDeviceSetting;

/* What a guest needs of the host that it is to run on; see fit.h. */
typedef struct {
  char *guest_type;    /* `TYPE ARCH`, as in `kvm x86_64` */
  char *machine;       /* `ARCH MACHINE`, as in `x86_64 pc-q35-7.2` */
  gboolean tpm;        /* has a TPM whose contents its host keeps */
  GPtrArray *networks; /* of char*: libvirt networks by name */
  GPtrArray *bridges;  /* of char*: bridges or interfaces of the host */
  GPtrArray *pools;    /* of char*: pools that its disks name (`<disk type='volume'>`) */
  GPtrArray *files;    /* of char*: paths of its other disks that are files */
  GPtrArray *media;    /* of char*: those that it only reads, as CD-ROMs: nobody copies them */
  GPtrArray *disks;    /* of char*: those that it writes to: paths, or POOL/VOLUME */
} VirfsVmNeeds;

VirfsVmNeeds *virfs_vm_needs_new (void);
void virfs_vm_needs_free (VirfsVmNeeds *needs);

typedef struct VirfsDraftInfo VirfsDraftInfo;

/* A guest to be made (draft.h); all is borrowed. */
typedef struct {
  VirfsPart *draft; /* whose volumes are noted before they are made */
  const VirfsDraftInfo *info;
  VirfsVm *source;      /* the guest that it is a clone of; NULL: none */
  const char *snapshot; /* of SOURCE; NULL: as it is now */
  const char *image;    /* POOL/VOLUME in place of what INFO says; NULL: that */
  VirfsVmState state;   /* RUNNING, PAUSED or SHUTOFF: what it is brought to */
} VirfsCreation;

/* What cloud-init is to find (user data, meta data, network configuration); NULL: nothing. */
typedef struct {
  const char *user_data, *meta_data, *network_config;
} VirfsSeed;

typedef struct VirfsBackend {
  const char *name;

  /* Whether URI is one to connect to; INVALID otherwise.  Makes no connection. */
  gboolean (*check_uri) (const char *uri, GError **error);
  /* Begins to keep HOST (whose info has the URI) and its guests true in the registry, for as long as
   * the host is there: connects, reconnects, follows events. */
  void (*host_open) (VirfsHost *host);
  /* Stops it.  Nothing of HOST is told to the registry after it has returned. */
  void (*host_close) (VirfsHost *host);

  /* Begins to take one sample of HOST and its guests, which ends in virfs_metrics_tell(); nothing, if the
   * last is still under way.  NULL: there are no metrics. */
  void (*host_sample) (VirfsHost *host);

  /* What HOST itself does with its block device NODE, or a part of that, as in `is mounted at /srv`, as far as it can
   * be told without asking it; the caller owns it.  NULL: nothing that is known. */
  char *(*host_uses) (VirfsHost *host, const char *node);
  /* Whether POOL_A of A and POOL_B of B have been seen to be two storages, as far as it is known without asking
   * them.  NULL: that is never known. */
  gboolean (*pools_apart) (VirfsHost *a, const VirfsPoolInfo *pool_a, VirfsHost *b,
                           const VirfsPoolInfo *pool_b);

  /* From what is known already, without asking the host. */
  VirfsVmNeeds *(*vm_needs) (const VirfsVmInfo *info, GError **error);

  /* Brings the guest to RUNNING, PAUSED or SHUTOFF from whatever state it is in; success at once
   * where it is there already.  SHUTOFF asks the guest and waits (shutdown_timeout). */
  void (*vm_bring) (VirfsVm *vm, VirfsVmState state, VirfsJob *job);
  void (*vm_verb) (VirfsVm *vm, VirfsVmVerb verb, VirfsJob *job);
  void (*vm_set) (VirfsVm *vm, const VirfsVmSetting *setting, VirfsJob *job);
  /* Changes what is kept with the guest, for ever and for the guest as it runs; two at the same time do
   * not take from each other. */
  void (*vm_note) (VirfsVm *vm, const VirfsVmNote *note, VirfsJob *job);
  /* Isolates the NIC of that name (NULL: the guest), or not any more; see isolation.h.  NICs that cannot be
   * are told, the others are. */
  void (*vm_isolate) (VirfsVm *vm, const char *nic, gboolean isolate, VirfsJob *job);
  /* Replaces the definition; XML must describe this guest (its name and UUID). */
  void (*vm_define) (VirfsVm *vm, const char *xml, VirfsJob *job);
  /* Gives the guest another disk for cloud-init, now where it has one and else at its next start;
   * none if all of SEED is NULL. */
  void (*vm_seed) (VirfsVm *vm, const VirfsSeed *seed, VirfsJob *job);
  /* Makes a guest of a draft; when it fails nothing is left of it. */
  void (*vm_create) (VirfsHost *host, const VirfsCreation *creation, VirfsJob *job);
  /* Removes what attempts to make a guest of DRAFT that were cut off have left on HOST, and forgets it
   * there (virfs_infra_forget_made()). */
  void (*draft_clean) (VirfsHost *host, VirfsPart *draft, VirfsJob *job);
  /* Of a guest that is shut off.  PURGE: with the volumes of its disks that nobody else uses. */
  void (*vm_undefine) (VirfsVm *vm, gboolean purge, VirfsJob *job);
  void (*vm_rename) (VirfsVm *vm, const char *name, VirfsJob *job);
  /* Live if it runs, its definition alone if not. */
  void (*vm_migrate) (VirfsVm *vm, VirfsHost *target, VirfsJob *job);

  /* Snapshots and checkpoints of a guest, by name.  A snapshot is of memory (where there is any) and
   * disks, or of the DISKS alone. */
  void (*snapshot_take) (VirfsVm *vm, const char *name, gboolean disks, VirfsJob *job);
  void (*snapshot_delete) (VirfsVm *vm, const char *name, VirfsJob *job);
  void (*snapshot_revert) (VirfsVm *vm, const char *name, VirfsJob *job);
  void (*snapshot_describe) (VirfsVm *vm, const char *name, const char *text, VirfsJob *job);
  void (*checkpoint_make) (VirfsVm *vm, const char *name, VirfsJob *job);
  void (*checkpoint_delete) (VirfsVm *vm, const char *name, VirfsJob *job);

  /* Opens a backup of all disks that the guest can write to; one that is shut off is started, paused,
   * until the backup is closed.  The part shows it (backup.h). */
  void (*backup_begin) (VirfsVm *vm, const VirfsBackupWish *wish, VirfsJob *job);
  /* Closes it; DISCARD: its checkpoint goes, too. */
  void (*backup_end) (VirfsVm *vm, const char *name, gboolean discard, VirfsJob *job);

  /* Presses keys: Linux key codes (linux/input-event-codes.h), those that are pressed together ended by a 0, and
   * all by another; N is how many there are with these. */
  void (*vm_keys) (VirfsVm *vm, const guint *codes, guint n, VirfsJob *job);
  /* Takes a picture of its screen, which its info shows. */
  void (*vm_screenshot) (VirfsVm *vm, VirfsJob *job);

  /* Gives its screen a password, for a while, which its info shows; "": nobody gets in any more.  ONCE: nor does
   * anybody when somebody has got in with it, who stays. */
  void (*vm_password) (VirfsVm *vm, const char *password, gboolean once, VirfsJob *job);
  /* Opens the console of the guest (console.h) for those who talk to it, unless it is open; BUSY if somebody
   * else has it.  As long as the guest's `record` says so it is opened by itself whenever that is possible. */
  void (*console_open) (VirfsVm *vm, VirfsJob *job);
  /* There is something to be sent (virfs_console_pull()). */
  void (*console_send) (VirfsVm *vm);
  /* Nobody talks to it any more. */
  void (*console_leave) (VirfsVm *vm);

  /* Whatever the agent in the guest does: AGAIN if it does not answer. */
  void (*agent_verb) (VirfsVm *vm, VirfsAgentVerb verb, VirfsJob *job);
  /* Its clock; microseconds since the epoch, 0: the time here. */
  void (*agent_set_time) (VirfsVm *vm, gint64 time, VirfsJob *job);
  void (*agent_set_password) (VirfsVm *vm, const char *user, const char *password, VirfsJob *job);
  /* Runs ARGV (without a shell) with INPUT (NULL: none) until it ends, and tells EXEC, a VirfsExecInfo of the
   * guest, its status and output.  What is cancelled goes on in the guest. */
  void (*agent_exec) (VirfsPart *exec, const char *const *argv, VirfsBlob *input, VirfsJob *job);
  /* Asks who gets in as USER, a VirfsSshUserInfo of the guest, and tells him; KEYS, lines each with its newline, if not
   * NULL: first makes it these.  AGAIN if there were others than KNOWN, which whoever writes has seen (NULL: none);
   * they are told. */
  void (*agent_ssh_keys) (VirfsPart *user, const char *known, const char *keys, VirfsJob *job);

  /* Disks and NICs: of the running guest and of its definition, as far as there are both.  Makes of a
   * draft what WANTED (borrowed, of its class) says.  A disk without source gets a new volume of its
   * size; BUSY if another running guest has that source. */
  void (*device_attach) (VirfsPart *draft, gconstpointer wanted, VirfsJob *job);
  /* A running guest is asked to let go of it, and waited for: TIMED_OUT if it does not.  What is in
   * a disk stays. */
  void (*device_detach) (VirfsPart *device, VirfsJob *job);
  void (*device_set) (VirfsPart *device, const VirfsDeviceSetting *setting, VirfsJob *job);

  /* Brings the DISK of that name, or if it is NULL all that come along (disk_move.h), to POOL of the
   * guest's host, while it runs or is shut off; what is there already stays.  All of them or none; what
   * nobody else needs of the old volumes is removed. */
  void (*disks_move) (VirfsVm *vm, const char *disk, const char *pool, VirfsJob *job);

  /* Storage.  A draft of a pool or volume that could not be made stays one. */
  void (*pool_verb) (VirfsPart *pool, VirfsPoolVerb verb, VirfsJob *job);
  /* Makes the pool what WANTED (borrowed) says: autostart, and while it is inactive path and source. */
  void (*pool_set) (VirfsPart *pool, const VirfsPoolInfo *wanted, VirfsJob *job);
  /* Defines the draft or the inactive pool by XML, which must describe it (its name and UUID). */
  void (*pool_define) (VirfsPart *pool, const char *xml, VirfsJob *job);
  /* Makes of the draft VOLUME what WANTED (borrowed) says, or a copy of SOURCE (NULL: none), a volume
   * of the same host. */
  void (*volume_create) (VirfsPart *volume, const VirfsVolumeInfo *wanted, VirfsPart *source,
                         VirfsJob *job);
  /* To more BYTES than it has. */
  void (*volume_resize) (VirfsPart *volume, guint64 bytes, VirfsJob *job);
  void (*volume_verb) (VirfsPart *volume, VirfsVolumeVerb verb, VirfsJob *job);
  /* Gives an unused volume another name, in place of the unused one that has it; CROSS where it can
   * only be copied. */
  void (*volume_rename) (VirfsPart *volume, const char *name, VirfsJob *job);

  /* Networks.  A draft that could not be made stays one. */
  void (*network_verb) (VirfsPart *network, VirfsNetworkVerb verb, VirfsJob *job);
  /* Makes the MEMBER at that offset what it is in WANTED (borrowed): in the running network, too, if
   * virfs_network_is_live(). */
  void (*network_set) (VirfsPart *network, const VirfsNetworkInfo *wanted, gsize member,
                       VirfsJob *job);
  /* Defines the draft or the inactive network by XML, which must describe it (its name and UUID). */
  void (*network_define) (VirfsPart *network, const char *xml, VirfsJob *job);

  /* Network filters: of the draft or the one that there is by XML, which must describe it. */
  void (*filter_define) (VirfsPart *filter, const char *xml, VirfsJob *job);
  void (*filter_undefine) (VirfsPart *filter, VirfsJob *job);

  /* Devices that hosts make of others.  A draft that could not be made stays one; what is made has the name that
   * libvirt gives it. */
  void (*node_device_verb) (VirfsPart *device, VirfsNodeDeviceVerb verb, VirfsJob *job);
  void (*node_device_set_autostart) (VirfsPart *device, gboolean autostart, VirfsJob *job);

  /* Makes HOST have what the definitions (of VirfsDefinition*, borrowed) say, one after the other; one that
   * fails does not keep the others.  A guest or secret that is there is left alone. */
  void (*host_apply) (VirfsHost *host, GPtrArray *definitions, VirfsJob *job);
  /* Networks and pools, without asking a host.  XML as a definition of NAME that several hosts can have: without
   * what each has of its own.  SHARED: a pool's UUID stays, so that it is one storage.  NULL: INVALID. */
  char *(*definition_check) (VirfsDefined kind, const char *name, const char *xml, gboolean shared,
                             GError **error);
  /* What such a definition says: a VirfsNetworkInfo or VirfsPoolInfo; the caller owns it.  NULL: broken. */
  gpointer (*definition_read) (VirfsDefined kind, const char *xml);
  /* XML (NULL: a new one) with the MEMBER at that offset as it is in WANTED (of the same type); NULL:
   * INVALID. */
  char *(*definition_write) (VirfsDefined kind, gconstpointer wanted, const char *xml, gsize member,
                             GError **error);
  /* What a host that has been given WANTED makes of that, as it has it (IS), without what WANTED leaves to each
   * host; the caller owns it.  NULL: broken. */
  char *(*definition_made) (const char *wanted, const char *is);
  /* What differs of what a host has from what is WANTED, one thing a line; NULL: nothing that matters. */
  char *(*definition_differ) (const char *wanted, const char *is);

  /* The path of VOLUME, if it is a file of this machine as well; the caller owns it.  NULL: it cannot be
   * reached from here. */
  char *(*volume_file) (VirfsPart *volume);
  /* What is in VOLUME, byte by byte as its file has it.  Does not wait. */
  VirfsContent *(*volume_read) (VirfsPart *volume, GError **error);
  /* Opens the volume NAME of POOL to be written; MAKE: a new one, which nobody is told of before it is
   * told (file.h), and which is removed at the next start if the program ends before it is renamed.  This
   * waits for the host, as all that is done with the file. */
  VirfsFile *(*volume_write) (VirfsHost *host, const char *pool, const char *name, gboolean make,
                              GError **error);
} VirfsBackend;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsVmNeeds, virfs_vm_needs_free)
