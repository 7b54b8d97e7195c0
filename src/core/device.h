/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks and NICs of a guest; see libvirt's formatdomain for the words.  A running guest shows what it
 * has now, and also what it will have after its next start.
 *
 * A disk is known by its target (vda), which is unique in a guest.  A NIC has no such name: one that
 * was made here keeps its name with the guest as libvirt's user alias (`ua-NAME`); the others are eth0,
 * eth1 … in the order of the definition, and those that only the running guest has come after them.
 */
#pragma once

#include "part.h"

typedef struct {
  VirfsPartInfo part; /* its name is the target: vda */
  const char *device; /* disk, cdrom, floppy, lun */
  const char *type;   /* file, block, volume, network … */
  GRefString *source; /* path, POOL/VOLUME or URL; NULL: no medium */
  GRefString *pool;   /* of that volume; of a draft: where its volume is to be made; NULL: none */
  const char *format; /* raw, qcow2 … */
  const char *bus;    /* virtio, sata, scsi, ide, usb … */
  const char *cache;  /* libvirt's cache modes; NULL: the hypervisor's default, as below */
  const char *discard;
  const char *io;
  GRefString *serial;
  gboolean readonly;
  gboolean shareable;
  guint64 boot;       /* order from 1; 0: none */
  guint64 size;       /* bytes that the guest sees; 0: not known */
  guint64 allocation; /* bytes that it takes on its host */
  guint64 read_bytes_max, write_bytes_max, total_bytes_max; /* a second; 0: no limit */
  guint64 read_iops_max, write_iops_max, total_iops_max;
  gboolean live;       /* the running guest has it */
  gboolean persistent; /* it will have it after its next start */
} VirfsDiskInfo;

/* Of a NIC that stays with the guest when the card that it goes with is taken away to migrate. */
#define VIRFS_TEAM_PERSISTENT "persistent"

typedef struct {
  VirfsPartInfo part; /* its name: see below */
  const char *type;   /* network, bridge, direct, user, ethernet … */
  GRefString *mac;
  GRefString *network; /* libvirt network; NULL for none */
  GRefString *bridge;  /* bridge or interface of the host */
  GRefString *vf;      /* address of the host's card that it is itself; NULL: it is none */
  GRefString *team;    /* VIRFS_TEAM_PERSISTENT, or the name of such a one that it goes with; NULL: none */
  GRefString *device;  /* the tap on the host, while it runs */
  const char *model;   /* virtio, e1000 … */
  GRefString *filter;  /* nwfilter; NULL for none */
  gboolean link_down;
  gboolean isolated; /* see isolation.h */
  guint64 boot;
  guint64 rx_max, tx_max; /* bytes a second that the guest gets and sends; 0: no limit */
  GRefString *addresses;  /* one a line; NULL: none is known */
  gboolean live;
  gboolean persistent;
} VirfsNicInfo;

/* Whether NAME can be a disk's target, or a NIC's name. */
gboolean virfs_disk_name_is_valid (const char *name);
gboolean virfs_nic_name_is_valid (const char *name);
/* What a draft is if nobody says otherwise; the caller owns it. */
VirfsDiskInfo *virfs_disk_draft_new (const char *target);
VirfsNicInfo *virfs_nic_draft_new (const char *name);
/* Whether its medium can be changed: a CD-ROM or floppy drive. */
gboolean virfs_disk_is_removable (const VirfsDiskInfo *disk);
/* A MAC address (six pairs of hexadecimal digits with colons) of one device, not of a group. */
gboolean virfs_mac_is_valid (const char *mac);

extern const VirfsPartClass virfs_disk_class; /* of guests, as all here */
extern const VirfsPartClass virfs_nic_class;
