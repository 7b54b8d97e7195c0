/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices of the host that a guest has as its own.  One that was made here keeps its name with the guest as
 * libvirt's user alias (`ua-NAME`); the others are called by what they are, as in pci-0000-65-00-0.
 */
#pragma once

#include "infra.h"

typedef struct {
  VirfsPartInfo part;
  const char *type;    /* pci, usb, scsi, mdev; or whatever else libvirt has */
  GRefString *address; /* as VirfsNodeDeviceInfo has it; NULL: it is known by its id alone */
  GRefString *id;      /* of USB: VENDOR:PRODUCT; NULL: it is known by its address alone */
  gboolean live;       /* the running guest has it */
  gboolean persistent; /* it will have it after its next start */
} VirfsHostdevInfo;

extern const VirfsPartClass virfs_hostdev_class; /* of guests */

/* Whether HOSTDEV is DEVICE, both of one host. */
gboolean virfs_hostdev_is (const VirfsHostdevInfo *hostdev, const VirfsNodeDeviceInfo *device);
/* The device of HOST that HOSTDEV is; borrowed, NULL if that has none. */
const VirfsNodeDeviceInfo *virfs_hostdev_device (const VirfsHostdevInfo *hostdev,
                                                 const VirfsHostInfo *host);
/* Makes of HOSTDEV, not published yet, what is to be DEVICE of HOST.  INVALID: a guest cannot have that. */
gboolean virfs_hostdev_take (VirfsHostdevInfo *hostdev, const VirfsNodeDeviceInfo *device,
                             const VirfsHostInfo *host, GError **error);

/* Whether the guest has DEVICE of its host; LIVE: as it runs. */
const VirfsPartInfo *virfs_vm_has_device (const VirfsVmInfo *vm, const VirfsNodeDeviceInfo *device,
                                          gboolean live);
/* Whether the guest could go to HOST, called NAME, as far as its host devices go: none that runs takes one
 * along (UNSUPPORTED), and one that does not needs the same there (NOT_FOUND). */
gboolean virfs_hostdev_check_move (const VirfsVmInfo *vm, const char *name,
                                   const VirfsHostInfo *host, GError **error);
/* Whether VM can have DEVICE of its HOST now (hostdev_free.c); BUSY with who has it, or a part of it, or what it is
 * a part of: a guest that runs, or VM itself; or who has a device of the same IOMMU group: another guest that runs; or
 * with what the host needs it for, as far as that is known, unless FORCE. */
gboolean virfs_hostdev_check_free (VirfsVm *vm, VirfsHost *host, const VirfsNodeDeviceInfo *device,
                                   gboolean force, GError **error);
/* Whether DEVICE of HOST can go, with all that is behind it; BUSY as above.  DEFINED: guests that are to have it
 * when they start count, too. */
gboolean virfs_node_device_check_unused (VirfsHost *host, const VirfsNodeDeviceInfo *device,
                                         gboolean defined, GError **error);
