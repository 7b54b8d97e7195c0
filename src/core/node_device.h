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
  gboolean persistent;           /* of a mediated device: it is defined */
  gboolean autostart;            /* likewise: it starts with its host */
  GRefString *wwnn, *wwpn; /* of a Fibre Channel adapter: its names, 16 hexadecimal digits each */
  gboolean vport_ops;      /* virtual adapters can be made of it */
  guint64 vports, vports_max; /* how many are, and can be; 0: not known */
  VirfsBlob *xml;
} VirfsNodeDeviceInfo;

extern const VirfsPartClass virfs_node_device_class; /* of hosts */

/* The kind of host device that it can be to a guest: pci, usb, scsi, mdev; NULL: none, with the reason as a
 * sentence in *WHY (static, may be NULL). */
const char *virfs_node_device_kind (const VirfsNodeDeviceInfo *device, const char **why);
/* Whether it could be given to a guest that runs: it is of such a kind, and in an IOMMU group if it needs
 * one. */
gboolean virfs_node_device_passes (const VirfsNodeDeviceInfo *device);

/* What can be done to devices that are made of others; see virfs_node_device_is_made(). */
typedef enum {
  VIRFS_NODE_DEVICE_DEFINE, /* makes an inactive one of a draft */
  VIRFS_NODE_DEVICE_START,  /* of a draft, too */
  VIRFS_NODE_DEVICE_STOP,   /* one that is defined stays so */
  VIRFS_NODE_DEVICE_REMOVE, /* stops it, and removes its definition */
} VirfsNodeDeviceVerb;

/* Types of them. */
#define VIRFS_NODE_DEVICE_MDEV "mdev"
#define VIRFS_NODE_DEVICE_VHBA "scsi_host"

/* Whether it is made of its parent, as a mediated device or a virtual adapter (vHBA, by NPIV) is. */
gboolean virfs_node_device_is_made (const VirfsNodeDeviceInfo *device);
/* The type of those that can be made of PARENT; NULL: none. */
const char *virfs_node_device_makes (const VirfsNodeDeviceInfo *parent);
/* Whether DRAFT can be made of PARENT (NULL: there is no such device) now; INVALID with what is missing, BUSY
 * if PARENT has no more. */
gboolean virfs_node_device_check_draft (const VirfsNodeDeviceInfo *draft,
                                        const VirfsNodeDeviceInfo *parent, GError **error);

/* Names of libvirt's from addresses, as in pci_0000_65_00_0; the caller owns it. */
char *virfs_node_device_name (const char *prefix, const char *address);
