/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of disks and NICs share (device_class.c): a draft keeps what it is set to until the
 * attribute is written that makes it; a device is set by its backend.  What is shown already is taken
 * without doing anything.
 */
#pragma once

#include "part_class.h"

/* Of directories: a new draft (taken); a draft is dropped and a device detached. */
void virfs_device_make (VirfsCall *call, const VirfsNode *dir, gpointer draft);
void virfs_device_remove (VirfsCall *call, const VirfsNode *dir, const char *name);

/* Makes of the draft of NODE what WANTED (taken) says. */
void virfs_device_attach (VirfsCall *call, const VirfsNode *node, gpointer wanted);

/* Set the member at the row's offset; those with a VirfsCall as in row.h. */
void virfs_device_set_number (VirfsCall *call, const VirfsNode *node, guint64 number);
void virfs_device_set_bool (VirfsCall *call, const VirfsNode *node, gboolean value);
/* TEXT may be empty: none. */
void virfs_device_set_text (VirfsCall *call, const VirfsNode *node, const char *text);

/* The words that a member can be set to. */
typedef struct {
  gsize member;
  const char *words;  /* with spaces between them */
  gboolean may_be_no; /* an empty line leaves it to the hypervisor */
} VirfsWords;

/* Sets the member to TEXT if that is one of its words in the table of N rows, which has it. */
void virfs_device_set_word (VirfsCall *call, const VirfsNode *node, const char *text,
                            const VirfsWords *table, guint n);

/* Whether the file shows TEXT: then CALL has ended with success. */
gboolean virfs_device_shows (VirfsCall *call, const VirfsNode *node, const char *text);
