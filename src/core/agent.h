/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent in a guest has said of it when it was last asked, and commands that it runs there.
 *
 * A guest says what it likes: whoever makes an info bounds and escapes its texts.
 */
#pragma once

#include "blob.h"
#include "part.h"

/* Immutable once it is published.  NULL for a text that the agent has not told. */
typedef struct {
  gatomicrefcount refs;
  gint64 asked; /* when it answered, as the next: microseconds since the epoch */
  gint64 time;  /* of its clock then; 0: not known */
  GRefString *hostname;
  GRefString *timezone;
  GRefString *os;          /* `key value` a line */
  GRefString *users;       /* `NAME TIME` a line: who has logged in, and when */
  GRefString *filesystems; /* `MOUNTPOINT DEVICE TYPE SIZE USED` a line */
  GRefString *addresses;   /* `INTERFACE MAC ADDRESS/PREFIX` a line */
} VirfsAgentInfo;

VirfsAgentInfo *virfs_agent_info_new (void);
VirfsAgentInfo *virfs_agent_info_ref (VirfsAgentInfo *info);
/* NULL is allowed. */
void virfs_agent_info_unref (VirfsAgentInfo *info);
/* Which fields of a guest (VirfsVmField) differ; NULL tells nothing. */
guint64 virfs_agent_info_diff (const VirfsAgentInfo *a, const VirfsAgentInfo *b);

#define VIRFS_AGENT_CONNECTED    "connected"
#define VIRFS_AGENT_DISCONNECTED "disconnected"

/* What can be asked of an agent beside what has a value. */
typedef enum {
  VIRFS_AGENT_REFRESH, /* to say all again */
  VIRFS_AGENT_FREEZE,  /* the file systems; they are thawed after a while, whatever happens */
  VIRFS_AGENT_THAW,
  VIRFS_AGENT_TRIM, /* to tell the disks what is not in use */
  VIRFS_AGENT_N_VERBS,
} VirfsAgentVerb;

/* A command that runs in a guest, or has: a draft (part.h) as long as it is there. */
typedef struct {
  VirfsPartInfo part;
  GRefString *command; /* as it was written; NULL: not yet */
  gboolean running;
  GRefString *status;         /* exit status, or `signal N`; NULL: it has not ended */
  gboolean truncated;         /* there was more output */
  VirfsBlob *input;           /* what it reads; NULL: nothing */
  VirfsBlob *output, *errors; /* what it has written; any bytes */
} VirfsExecInfo;

extern const VirfsPartClass virfs_exec_class; /* of guests */

/* A user of a guest, and who gets in there as him: a draft, too. */
typedef struct {
  VirfsPartInfo part;
  GRefString *keys; /* lines of authorized_keys (ssh_key.h), as the agent said; NULL: none */
  gint64 asked;     /* when; microseconds since the epoch; 0: never */
} VirfsSshUserInfo;

extern const VirfsPartClass virfs_ssh_user_class; /* of guests */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsAgentInfo, virfs_agent_info_unref)
