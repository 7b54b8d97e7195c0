/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks and NICs of a guest; see libvirt's formatdomain for the words.  A running guest shows what it
 * has now, and also what it will have after its next start.
 */
#pragma once

#include "part.h"

typedef struct {
  VirfsPartInfo part; /* its name is the target: vda */
  const char *device; /* disk, cdrom, floppy, lun */
  const char *type;   /* file, block, volume, network … */
  GRefString *source; /* path, POOL/VOLUME or URL; NULL: no medium */
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

typedef struct {
  VirfsPartInfo part; /* its name: see virfs_nic_name() */
  const char *type;   /* network, bridge, direct, user, ethernet … */
  GRefString *mac;
  GRefString *network; /* libvirt network; NULL for none */
  GRefString *bridge;  /* bridge or interface of the host */
  GRefString *device;  /* the tap on the host, while it runs */
  const char *model;   /* virtio, e1000 … */
  GRefString *filter;  /* nwfilter; NULL for none */
  gboolean link_down;
  guint64 boot;
  guint64 rx_max, tx_max; /* bytes a second that the guest gets and sends; 0: no limit */
  GRefString *addresses;  /* one a line; NULL: none is known */
  gboolean live;
  gboolean persistent;
} VirfsNicInfo;

extern const VirfsPartClass virfs_disk_class; /* of guests, as all here */
extern const VirfsPartClass virfs_nic_class;
