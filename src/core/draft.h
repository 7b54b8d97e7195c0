/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drafts of guests: directories that somebody has made in vms/ and that no host knows yet.  What is
 * written to one is kept (keeper.h) until it is brought to a state: then a host makes a guest of it,
 * which has the same UUID and takes its name over.
 *
 * A draft is a part of the fleet itself (part.h), so its info is a VirfsPartInfo.
 */
#pragma once

#include "infra.h"

struct VirfsDraftInfo {
  VirfsPartInfo part; /* its name is the guest's */
  GRefString *uuid;
  const char *state; /* draft, or creating */
  GRefString *
    image; /* the name of an image, PATH, POOL/VOLUME, vms/GUEST or vms/GUEST/snapshots/SNAPSHOT; NULL: none */
  const char *clone;    /* full or linked; NULL: full */
  guint64 disk_size;    /* bytes; 0: that of the image, and without one no disk */
  GRefString *pool;     /* for its disk; NULL: `default` */
  GRefString *network;  /* NULL: `default` where the host has it; `none` */
  GRefString *iso;      /* PATH or POOL/VOLUME of an installer; NULL: none */
  const char *boot;     /* disk, cdrom or network; NULL: the first of these that it has */
  const char *firmware; /* bios or efi; NULL: the hypervisor's choice */
  GRefString *machine;  /* NULL: the hypervisor's choice */
  GRefString *kernel, *initrd, *cmdline; /* paths on the host; NULL: it starts by itself */
  GRefString *host;                      /* where it is to be made; NULL: wherever is best */
  GRefString *title, *description;
  gboolean autostart;
  guint64 vcpus, vcpus_max;                           /* max 0: as vcpus */
  guint64 memory, memory_max;                         /* bytes; likewise */
  GRefString *user_data, *meta_data, *network_config; /* cloud-init's; NULL: none */
  VirfsBlob *xml; /* a whole definition that is used in place of most of the above; NULL: none */
  guint64 uid, gid, mode; /* who may do what with it, and with the guest: see owner.h */
  GRefString *made;       /* what its creation has made so far: `HOST POOL VOLUME`, one a line */
  GRefString *error;
};

extern const VirfsPartClass virfs_draft_class;

/* What a guest has that is made of nothing that says otherwise. */
#define VIRFS_DRAFT_VCPUS  1
#define VIRFS_DRAFT_MEMORY (G_GUINT64_CONSTANT (1) << 30)

void virfs_draft_owner (const VirfsDraftInfo *info, VirfsOwner *owner);

/* As a record, and back; the caller owns both.  NULL: INVALID. */
char *virfs_draft_print (const VirfsDraftInfo *info);
VirfsDraftInfo *virfs_draft_parse (const char *uuid, const char *text, GError **error);

/* Whether TEXT could be the definition of a guest: well-formed, and a `domain`.  The host that gets it
 * will say what else is wrong.  INVALID. */
gboolean virfs_draft_check_xml (const char *text, GError **error);

/* Every draft; see virfs_infra_foreach_vm(). */
typedef void (*VirfsDraftFunc) (VirfsPart *draft, gpointer data);
void virfs_infra_foreach_draft (VirfsInfra *infra, VirfsDraftFunc func, gpointer data);
/* Whether a guest could have that name: INVALID, or EXISTS. */
gboolean virfs_infra_check_vm_name (VirfsInfra *infra, const char *name, GError **error);

/* A draft of that name, kept; EXISTS if a guest or a draft has it, INVALID if no guest can. */
VirfsPart *virfs_infra_make_draft (VirfsInfra *infra, const char *name, guint uid, guint gid,
                                   GError **error);
/* One that was kept. */
void virfs_infra_restore_draft (VirfsInfra *infra, const char *uuid, const char *text);
/* Changes it, and keeps the change; EDIT gets a copy.  BUSY while a guest is made of it. */
gboolean virfs_infra_change_draft (VirfsInfra *infra, VirfsPart *draft, VirfsPartEdit edit,
                                   gpointer data, GError **error);
gboolean virfs_infra_give_draft (VirfsInfra *infra, VirfsPart *draft, const VirfsOwner *owner,
                                 GError **error);
gboolean virfs_infra_rename_draft (VirfsInfra *infra, VirfsPart *draft, const char *name,
                                   GError **error);
gboolean virfs_infra_remove_draft (VirfsInfra *infra, VirfsPart *draft, GError **error);

/* Brackets the making of a guest: meanwhile the guest with its UUID is not shown.  BUSY if it is
 * being made already. */
gboolean virfs_infra_begin_making (VirfsInfra *infra, VirfsPart *draft, GError **error);
/* MADE: the draft goes, and the guest takes its name. */
void virfs_infra_end_making (VirfsInfra *infra, VirfsPart *draft, gboolean made);
/* For the backend, before it makes a volume: kept, so that it is found again whatever happens. */
gboolean virfs_infra_note_made (VirfsInfra *infra, VirfsPart *draft, const char *line,
                                GError **error);
void virfs_infra_forget_made (VirfsInfra *infra, VirfsPart *draft, const char *line);
