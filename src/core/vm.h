/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest.  It keeps its identity (and with it its inode numbers, open files and jobs) when it
 * moves to another host or is renamed; its UUID is what it is known by.
 *
 * A backend tells what it finds out as a new VirfsVmInfo; see virfs_infra_update_vm().
 */
#pragma once

#include "agent.h"
#include "blob.h"
#include "host.h"
#include "owner.h"
#include "part.h"

/* Reasons: the guest goes on at one host, paused at another that has memory which it lacks (migration.h). */
#define VIRFS_VM_POST_COPY "post-copy"
#define VIRFS_VM_POST_COPY_FAILED "post-copy failed"

/* libvirt's virDomainState, with BLOCKED (Xen) told as RUNNING. */
typedef enum {
  VIRFS_VM_UNKNOWN,
  VIRFS_VM_RUNNING,
  VIRFS_VM_PAUSED,
  VIRFS_VM_SHUTDOWN, /* on its way down */
  VIRFS_VM_SHUTOFF,
  VIRFS_VM_CRASHED,
  VIRFS_VM_PMSUSPENDED,
  VIRFS_VM_N_STATES,
} VirfsVmState;

const char *virfs_vm_state_name (VirfsVmState state);
/* N_STATES if there is none of that name. */
VirfsVmState virfs_vm_state_parse (const char *name);
/* Whether a guest in STATE has a process, memory and devices. */
gboolean virfs_vm_state_active (VirfsVmState state);

/* What is done to a guest's disks (claim.h), in the order of what goes with it. */
typedef enum {
  VIRFS_CLAIM_NONE,
  VIRFS_CLAIM_READ, /* a snapshot is read, in files that the guest does not write to */
  VIRFS_CLAIM_COPY, /* they move, and the guest runs meanwhile */
  /* from here on nobody starts it, or does anything else to it */
  VIRFS_CLAIM_CLONE,
  VIRFS_CLAIM_MOVE,
  VIRFS_CLAIM_RESTORE,
  VIRFS_CLAIM_PURGE, /* they go, with the guest */
  VIRFS_CLAIM_MIGRATE,
} VirfsClaim;

/* What can be done to a guest beside bringing it to a state. */
typedef enum {
  VIRFS_VERB_START,
  VIRFS_VERB_SHUTDOWN, /* asks the guest; done when it has been asked */
  VIRFS_VERB_DESTROY,
  VIRFS_VERB_REBOOT,
  VIRFS_VERB_RESET,
  VIRFS_VERB_SUSPEND,
  VIRFS_VERB_RESUME,
  VIRFS_VERB_SAVE, /* libvirt's managed save: memory to disk, then off */
  VIRFS_VERB_RESTORE,
  VIRFS_VERB_DISCARD, /* drop what was saved */
  VIRFS_VERB_NMI,
  VIRFS_VERB_PMSUSPEND,
  VIRFS_VERB_WAKEUP,
  VIRFS_VM_N_VERBS,
} VirfsVmVerb;

/* The fields of a guest; a set of them (VIRFS_BIT) tells what changed. */
typedef enum {
  VIRFS_VM_NAME,
  VIRFS_VM_HOST,
  VIRFS_VM_STATE,
  VIRFS_VM_REASON,
  VIRFS_VM_ID,
  VIRFS_VM_TITLE,
  VIRFS_VM_DESCRIPTION,
  VIRFS_VM_AUTOSTART,
  VIRFS_VM_PERSISTENT,
  VIRFS_VM_SAVED,
  VIRFS_VM_CREATED,
  VIRFS_VM_VCPUS,
  VIRFS_VM_VCPU_PINS, /* the row that sets it shows the next, too, see virfs_vm_set() */
  VIRFS_VM_VCPUS_MAX,
  VIRFS_VM_MEMORY,
  VIRFS_VM_MEMORY_MAX,
  VIRFS_VM_CPU_SHARES,
  VIRFS_VM_CPU_QUOTA,
  VIRFS_VM_CPU_PERIOD,
  VIRFS_VM_EMULATOR_CPUSET,
  VIRFS_VM_NUMA_MODE,
  VIRFS_VM_NUMA_NODESET,
  VIRFS_VM_BOOT,
  VIRFS_VM_FIRMWARE,
  VIRFS_VM_MACHINE,
  VIRFS_VM_XML,
  VIRFS_VM_XML_INACTIVE,
  VIRFS_VM_OWNER,
  VIRFS_VM_TAGS,
  VIRFS_VM_PROTECT,
  VIRFS_VM_IMAGE,
  VIRFS_VM_SHUTDOWN_TIMEOUT,
  VIRFS_VM_ISOLATION,
  VIRFS_VM_SNAPSHOT_KIND,
  VIRFS_VM_KEPT,
  VIRFS_VM_AGENT,  /* whether the agent in it is connected */
  VIRFS_VM_FROZEN, /* its file systems are, because somebody wanted that */
  VIRFS_VM_GUEST_HOSTNAME,
  VIRFS_VM_GUEST_TIMEZONE,
  VIRFS_VM_GUEST_OS,
  VIRFS_VM_GUEST_USERS,
  VIRFS_VM_GUEST_FILESYSTEMS,
  VIRFS_VM_GUEST_ADDRESSES,
  VIRFS_VM_GUEST_CLOCK,
  VIRFS_VM_SCREEN,
  VIRFS_VM_GRAPHICS,
  VIRFS_VM_RECORD,
  VIRFS_VM_CONSOLE, /* what it writes there, and its state; not in its info (console.h) */
  VIRFS_VM_PARTS,   /* which parts it has, and what is known of them */
  VIRFS_VM_ERROR,
  VIRFS_VM_ALARMS,
  VIRFS_VM_EVENTS, /* what is told of it; not in its info */
  VIRFS_VM_READY,  /* whether its host is up, so that it can be changed */
  VIRFS_VM_N_FIELDS,
} VirfsVmField;

/* The lists of its parts. */
typedef enum {
  VIRFS_VM_DISKS,
  VIRFS_VM_NICS,
  VIRFS_VM_SNAPSHOTS,
  VIRFS_VM_CHECKPOINTS,
  VIRFS_VM_BACKUPS,
  VIRFS_VM_EXECS,
  VIRFS_VM_SSH_USERS,
  VIRFS_VM_HOSTDEVS,
  VIRFS_VM_N_PARTS,
} VirfsVmPart;

/* Where a guest keeps parts of CLASS. */
VirfsVmPart virfs_vm_part (const VirfsPartClass *class);

typedef struct {
  gatomicrefcount refs;

  /* what a backend fills in */
  char uuid[37]; /* in lower case, with hyphens (RFC 4122) */
  GRefString *name;
  GRefString *title;       /* NULL for none, like all texts here */
  GRefString *description; /* may hold newlines and worse: escape it when shown */
  VirfsVmState state;
  const char *reason; /* static: libvirt's word for why the state is as it is; NULL: none */
  int id;             /* hypervisor's number of a running guest, -1 for none */
  gboolean autostart;
  gboolean persistent; /* has a definition that outlives the running guest */
  gboolean saved;      /* its memory was saved and will be restored by the next start */
  gint64 created;      /* microseconds since the epoch; 0: not known */
  guint vcpus, vcpus_max;
  guint64 memory, memory_max;  /* bytes */
  guint64 cpu_shares;          /* 0: hypervisor's default */
  gint64 cpu_quota;            /* microseconds a period, -1: no limit; 0: hypervisor's default */
  guint64 cpu_period;          /* microseconds; 0: hypervisor's default */
  GRefString *vcpu_pins;       /* see pins.h */
  GRefString *emulator_cpuset; /* CPUs of the host for its hypervisor's other threads */
  const char *numa_mode;       /* interned, as the next: how it gets memory from numa_nodeset */
  GRefString *numa_nodeset;
  GRefString *boot;     /* where its next start looks for a system: kinds of devices (`disk`) or
                           devices (`disks/vda`), one a line */
  const char *firmware; /* interned: bios or efi */
  GRefString *machine;
  GRefString *cpu;      /* that its host must have: `TYPE` and a <cpu>, or see cpu.h; NULL: any */
  GRefString *graphics; /* where its screen can be reached: `TYPE ADDRESS PORT` a line */
  VirfsBlob *screen;    /* a picture of it (PNG); NULL: as it was */
  GRefString *password; /* of its screen, until then: microseconds since the epoch; 0: never */
  gint64 password_until;
  gboolean password_once;
  const char *agent;          /* VIRFS_AGENT_…; NULL: there is no way to one */
  gboolean frozen;            /* its file systems are, because somebody wanted that */
  VirfsAgentInfo *agent_info; /* what the agent said last; NULL: as it was */
  /* what virfs keeps with the guest itself, so that it goes wherever that goes */
  gboolean owned;         /* somebody has been given it; else the registry fills in the next */
  VirfsOwner owner;       /* who may do what with it */
  GRefString *tags;       /* see tags.h */
  GRefString *image;      /* what it was made from */
  gboolean protect;       /* it is not to be stopped or deleted */
  GRefString *isolation;  /* see isolation.h */
  gboolean record;        /* its console is open as long as it runs */
  guint shutdown_timeout; /* seconds that `shutoff` waits for it; 0: the registry fills it in */
  GPtrArray *parts[VIRFS_VM_N_PARTS]; /* of VirfsPartInfo*, sorted; NULL: as they were */
  VirfsBlob *xml;                     /* of the guest as it is now */
  VirfsBlob *xml_inactive; /* as it will start next; the same blob as xml if it is shut off */

  /* what the registry fills in and keeps from one info to the next */
  GRefString *label; /* its name in vms/; NULL: not shown there */
  VirfsHost *host;
  struct VirfsKept *kept;            /* see kept.h; NULL: nothing */
  gboolean snapshot_disks;           /* the next snapshot is of the disks alone */
  VirfsClaim claim;                  /* the last in order of those that there are */
  guint claim_job;                   /* number of its job; 0: none */
  GRefString *error;                 /* last failure; NULL for none */
  GRefString *alarms;                /* that fire for it, one a line; NULL for none */
  gint64 changed[VIRFS_VM_N_FIELDS]; /* microseconds since the epoch */
} VirfsVmInfo;

/* An info with nothing in it (id -1), to be filled in; the caller owns it. */
VirfsVmInfo *virfs_vm_info_new (const char *uuid, const char *name);
/* A copy that may be changed before it is published; shares all texts. */
VirfsVmInfo *virfs_vm_info_copy (const VirfsVmInfo *info);
void virfs_vm_info_unref (VirfsVmInfo *info);

/* Which fields differ. */
guint64 virfs_vm_info_diff (const VirfsVmInfo *a, const VirfsVmInfo *b);

typedef struct {
  VirfsObject object;
  char uuid[37];
  /* under the registry's lock */
  VirfsVmInfo *info;
  GPtrArray *twins; /* of VirfsVm*: the same UUID on other hosts; NULL for none */
  gboolean twin;    /* is in the twins of another */
  gboolean removed;
  guint moving;  /* migrations of it that run: its twins are not shown */
  GList *claims; /* see claim.c */
} VirfsVm;

/* What is known now; the caller owns the reference. */
VirfsVmInfo *virfs_vm_info (VirfsVm *vm);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsVmInfo, virfs_vm_info_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsVm, virfs_object_unref)
