/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks and NICs that come, go and are set: the backend's device_attach, device_detach, device_set. */
#pragma once

#include "backend.h"
#include "device.h"
#include "operate.h"

void lv_device_attach (VirfsPart *draft, gconstpointer wanted, VirfsJob *job);
void lv_device_detach (VirfsPart *device, VirfsJob *job);
void lv_device_set (VirfsPart *device, const VirfsDeviceSetting *setting,
                    VirfsJob *job); /* plug_set.c */

/* What they have been given, for as long as their task lives. */
typedef struct LvPlug {
  VirfsPart *device;
  VirfsPartInfo *wanted; /* what it is to be; NULL: gone */
  gsize member;          /* the one that is to be set */
  guint64 number;
  char *text;
  char *alias; /* of the device that the guest has been asked for; NULL: it has not */
} LvPlug;

void lv_plug_free (LvPlug *plug);
/* A task about the guest of DEVICE; NULL: JOB has ended already. */
LvTask *lv_plug_task (VirfsPart *device, VirfsJob *job, LvTaskFunc run);
/* VIR_DOMAIN_AFFECT_*: what there is of a guest. */
guint lv_plug_flags (const LvFacts *facts);
/* A definition; NULL: ERROR.  FLAGS as of virDomainGetXMLDesc().  To be freed with free(). */
char *lv_plug_xml (LvTask *task, virDomainPtr domain, guint flags, GError **error);

/* Whether there is the filter that NIC is to have; NOT_FOUND. */
gboolean lv_plug_check_filter (LvTask *task, const VirfsNicInfo *nic, GError **error);
/* Asks how large the disks of DOMAIN are now, and tells it, also of the volume that has the path SOURCE
 * (NULL: none). */
void lv_plug_measure (LvTask *task, virDomainPtr domain, const char *source);

/* The link of NIC, of the running guest and of its definition, as far as they have it; it is the guest's turn
 * (plug_set.c). */
gboolean lv_plug_set_link (LvTask *task, virDomainPtr domain, const LvFacts *facts,
                           const VirfsNicInfo *nic, gboolean down, GError **error);

/* The source of a disk that is to be (plug_source.c): finds it, and fills in its type, format and path
 * as libvirt wants them; BUSY if another guest that runs has it.  One that is to be made is *MADE. */
gboolean lv_plug_source (LvTask *task, VirfsDiskInfo *disk, virStorageVolPtr *made, GError **error);
