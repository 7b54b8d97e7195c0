/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host: a machine, or whatever a libvirt URI leads to, on which guests run.
 *
 * A backend tells what it finds out as a new VirfsHostInfo; see virfs_infra_update_host().
 */
#pragma once

#include "blob.h"
#include "definition.h"
#include "filter.h"
#include "interface.h"
#include "network.h"
#include "node_device.h"
#include "pool.h"

typedef enum {
  VIRFS_HOST_UNCONFIGURED, /* made with mkdir, has no URI yet */
  VIRFS_HOST_CONNECTING,   /* never answered so far, or not asked yet in this run */
  VIRFS_HOST_UP,
  VIRFS_HOST_UNREACHABLE, /* answered once, does not now; its guests show what was last known */
} VirfsHostState;

const char *virfs_host_state_name (VirfsHostState state);

/* The fields of a host; a set of them (VIRFS_BIT) tells what changed. */
typedef enum {
  VIRFS_HOST_URI,
  VIRFS_HOST_STATE,
  VIRFS_HOST_HOSTNAME,
  VIRFS_HOST_HYPERVISOR,
  VIRFS_HOST_ARCH,
  VIRFS_HOST_CPUS,
  VIRFS_HOST_CPU_MODEL,
  VIRFS_HOST_MEMORY,
  VIRFS_HOST_MEMORY_FREE,
  VIRFS_HOST_CPU_LOAD,
  VIRFS_HOST_CAPABILITIES,
  VIRFS_HOST_SYSINFO,
  VIRFS_HOST_RESOURCES, /* networks, bridges */
  VIRFS_HOST_PARTS,     /* which parts it has, and what is known of them */
  VIRFS_HOST_VMS,       /* which guests there are */
  VIRFS_HOST_ERROR,
  VIRFS_HOST_ALARMS,
  VIRFS_HOST_OWNER,  /* who may do what with it; see virfs_object_owner() */
  VIRFS_HOST_EVENTS, /* what is told of it; not in its info */
  VIRFS_HOST_UPKEEP, /* maintenance, and what belongs to it */
  VIRFS_HOST_SECRETS,
  VIRFS_HOST_PROFILE, /* what is kept of it; see profile.h */
  VIRFS_HOST_N_FIELDS,
} VirfsHostField;

/* The lists of its parts. */
typedef enum {
  VIRFS_HOST_POOLS,
  VIRFS_HOST_NETWORKS,
  VIRFS_HOST_FILTERS,
  VIRFS_HOST_INTERFACES,
  VIRFS_HOST_DEVICES,
  VIRFS_HOST_N_PARTS
} VirfsHostPart;

/* Where a host keeps parts of CLASS. */
VirfsHostPart virfs_host_part (const VirfsPartClass *class);

typedef struct {
  gatomicrefcount refs;

  /* what a backend fills in */
  VirfsHostState state;
  GRefString *uri; /* as configured, may hold a password: never show it unmasked */
  GRefString *hostname;
  GRefString *hypervisor; /* with version, as in `QEMU 7.2.0` */
  GRefString *arch;       /* libvirt's name: x86_64, aarch64 … */
  GRefString *cpu_model;
  /* see cpu.h: of guests like `kvm x86_64`, the best CPU that they can have here, a <cpu>; and the CPUs of guests of
   * the fleet (of VirfsVmInfo) -> why not, "" if they can be had.  NULL: not known */
  GRefString *cpu_kind, *cpu;
  GHashTable *cpu_verdicts;
  guint cpus;          /* logical CPUs, online */
  guint64 memory;      /* bytes */
  guint64 memory_free; /* bytes that guests could have: free and page cache */
  gint cpu_load;       /* percent of all CPUs over the last interval, -1 if not known */
  VirfsBlob *capabilities;
  VirfsBlob *sysinfo;
  /* what migration looks at; sorted, elements owned */
  GPtrArray *guest_types; /* of char*: `TYPE ARCH` as in `kvm x86_64`; NULL: not known */
  GPtrArray *machines;    /* of char*: of its own architecture, as in `pc-q35-7.2`; NULL: not known */
  GPtrArray *networks;    /* of char*: names of active networks; NULL: not known */
  GPtrArray *bridges; /* of char*: names of bridges and other host interfaces; NULL: not known */
  GPtrArray *parts[VIRFS_HOST_N_PARTS]; /* of VirfsPartInfo*, sorted; NULL: not known */
  GPtrArray *secrets; /* of VirfsDefinition*, without their values; NULL: not known */

  /* what the registry fills in */
  GRefString *error;  /* last failure; NULL for none */
  GPtrArray *profile; /* of VirfsDefinition*, see profile.h; NULL: not known */
  gboolean emptied;   /* it has come back empty: that is what it had */
  GRefString *alarms; /* that fire for it and its pools, one a line; NULL for none */
  struct VirfsUpkeep *upkeep; /* see upkeep.h; NULL: nothing */
  gint64 changed[VIRFS_HOST_N_FIELDS]; /* microseconds since the epoch */
} VirfsHostInfo;

/* An info with nothing in it, to be filled in; the caller owns it. */
VirfsHostInfo *virfs_host_info_new (void);
/* A copy that may be changed before it is published; shares all texts. */
VirfsHostInfo *virfs_host_info_copy (const VirfsHostInfo *info);
void virfs_host_info_unref (VirfsHostInfo *info);

/* Sets an owned string field to a copy of VALUE (NULL or "" clears it). */
void virfs_ref_string_set (GRefString **field, const char *value);

/* Which fields differ. */
guint64 virfs_host_info_diff (const VirfsHostInfo *a, const VirfsHostInfo *b);
/* The URI without a password that may be in it; the caller owns it. */
char *virfs_host_info_masked_uri (const VirfsHostInfo *info);

/* What guests were promised. */
typedef struct {
  gint64 memory; /* bytes */
  gint64 vcpus;
  gint guests;
} VirfsPromise;

typedef struct {
  VirfsObject object;
  char *name; /* as configured, a valid name of the tree; does not change */
  /* under the registry's lock */
  VirfsHostInfo *info;
  GHashTable *vms;       /* uuid -> VirfsVm*: the guests that this host has */
  VirfsPromise promised; /* to those that have a process */
  VirfsPromise making;   /* to those that are being made, see placement.h */
  gboolean answered;     /* or failed to, so that nobody need wait for it at the start */
  gboolean removed;
  gboolean told;       /* something of its guests in this run */
  gboolean kept;       /* made at run time: the keeper has it; does not change */
  gpointer connecting; /* VirfsJob: somebody waits for it to answer; NULL for nobody */
  /* the backend's own; it sets it in host_open and ends it in host_close */
  gpointer connection;
} VirfsHost;

/* What is known now; the caller owns the reference. */
VirfsHostInfo *virfs_host_info (VirfsHost *host);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsHostInfo, virfs_host_info_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsHost, virfs_object_unref)
