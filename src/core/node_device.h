/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices of a host; see libvirt's formatnode for the words.  Those that a guest can have as its own are
 * known by their address, of the same form as guests' definitions have it (hostdev.h).
 */
#pragma once

#include "part.h"

typedef struct {
  VirfsPartInfo part;
  const char *type; /* pci, usb_device, usb, scsi_host, scsi, storage, net, mdev, system … */
  gboolean active;  /* a mediated device may be defined only */
  GRefString *vendor, *product;  /* in words; NULL: not known, as of all texts here */
  GRefString *id;                /* VENDOR:PRODUCT, four hexadecimal digits each */
  GRefString *device_class;      /* of a PCI device: 0xCCSSPP */
  GRefString *driver;            /* of the host's kernel */
  GRefString *iommu_group;       /* a number */
  GRefString *iommu_devices;     /* the others in it that go with it: names, one a line */
  GRefString *numa_node;         /* a number */
  GRefString *parent;            /* name of a device */
  GRefString *path;              /* in sysfs */
  GRefString *node;              /* in /dev */
  GRefString *links;             /* other names of that, one a line */
  GRefString *interface;         /* the name of a network interface */
  const char *link;              /* of that, when it was read: up, down, unknown … */
  GRefString *address;           /* see above */
  guint64 size;                  /* bytes, of storage; 0: none or not known */
  GRefString *physical_function; /* of a VF: name of the device that it is a part of */
  GRefString *virtual_functions; /* the VFs: names, one a line */
  GRefString *mdev_types;        /* that it can make: ID AVAILABLE NAME, one a line */
  GRefString *mdev_type;         /* of a mediated device */
  VirfsBlob *xml;
} VirfsNodeDeviceInfo;

extern const VirfsPartClass virfs_node_device_class; /* of hosts */

/* The kind of host device that it can be to a guest: pci, usb, scsi, mdev; NULL: none, with the reason as a
 * sentence in *WHY (static, may be NULL). */
const char *virfs_node_device_kind (const VirfsNodeDeviceInfo *device, const char **why);
/* Whether it could be given to a guest that runs: it is of such a kind, and in an IOMMU group if it needs
 * one. */
gboolean virfs_node_device_passes (const VirfsNodeDeviceInfo *device);

/* Names of libvirt's from addresses, as in pci_0000_65_00_0; the caller owns it. */
char *virfs_node_device_name (const char *prefix, const char *address);
