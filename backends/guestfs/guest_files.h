/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files on the disks of a guest, and what is installed there: by appliances of libguestfs, small
 * virtual machines that mount what is on the disks, read-only.
 *
 * Each has a process of its own (helper.h), so that whatever a disk does to it ends there.  There are
 * as many appliances at a time as VirfsGuestfsOptions allows; one that nobody uses for a while is
 * ended, and started again for the next question.  A tree has a thread, which alone talks to its helper.
 */
#pragma once

#include "files.h"

typedef struct {
  const char *helper; /* the program; NULL: beside this one, or where it is installed */
  guint appliances;   /* at most at a time; 0: VIRFS_GUESTFS_APPLIANCES */
  guint idle;         /* seconds after which one is ended; 0: VIRFS_GUESTFS_IDLE */
} VirfsGuestfsOptions;

#define VIRFS_GUESTFS_APPLIANCES 2
#define VIRFS_GUESTFS_IDLE       600

/* Once, before all else; strings are copied. */
void virfs_guestfs_init (const VirfsGuestfsOptions *options);

/* A VirfsFilesOpener.  The tree is up when DONE says so.  UNSUPPORTED: something is encrypted, or is an image
 * of a kind that is not looked into; PERMITTED: an image leads to another file than its disk says;
 * NOT_FOUND: no file system, no such disk; BUSY: too many appliances; FAILED. */
VirfsFiles *virfs_guestfs_open (GPtrArray *disks, VirfsFilesOpened done, gpointer data);

/* For tests and for messages: the process of the helper of FILES, 0 if there is none now. */
int virfs_guestfs_pid (VirfsFiles *files);
