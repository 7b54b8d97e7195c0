/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's hardware is made of in libvirt's XML: read (xml_resource.c, see xml_stream.h), changed
 * (xml_resource_edit.c), and what hosts offer (xml_offer.c).
 */
#pragma once

#include "vm.h"

/* Kinds of devices to boot from, in our words and libvirt's. */
typedef struct {
  const char *ours, *libvirt;
} LvBootKind;

#define LV_N_BOOT_KINDS 4
extern const LvBootKind lv_boot_kinds[LV_N_BOOT_KINDS];

/* XML, a definition of the guest that KNOWN tells of, with FIELD as TEXT says: VCPU_PINS, EMULATOR_CPUSET
 * to MACHINE, as in VirfsVmInfo; CPU_SHARES to CPU_PERIOD: without it.  The caller owns it; NULL: it is
 * broken. */
char *lv_xml_edit_resource (const char *xml, const VirfsVmInfo *known, VirfsVmField field,
                            const char *text);

/* What a guest was made for: to be asked of its host. */
typedef struct {
  char *emulator, *arch, *machine, *type; /* NULL: not said */
} LvPlatform;

void lv_xml_read_platform (const char *xml, LvPlatform *platform);
void lv_platform_clear (LvPlatform *platform);

/* Out of a host's CAPABILITIES: the machine types for PLATFORM, those without a version first; of
 * char*, owned. */
GPtrArray *lv_xml_offered_machines (const char *capabilities, const LvPlatform *platform);
/* What NAME, one of them, stands for: with its version.  The caller owns it. */
char *lv_xml_canonical_machine (const char *capabilities, const LvPlatform *platform,
                                const char *name);
/* The NUMA nodes of the host; NULL: not told. */
GByteArray *lv_xml_offered_nodes (const char *capabilities);
/* Out of the domain capabilities for a platform: whether there is that firmware. */
gboolean lv_xml_offers_firmware (const char *capabilities, const char *firmware);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LvPlatform, lv_platform_clear)
