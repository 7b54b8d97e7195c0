/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a guest as a record that outlives the program: an a{sv} with a key for each member
 * that has a value, so that what a later version adds is ignored by an earlier one, and what that did
 * not write is as if it were not known.  The XML is not in it: blobs are kept as they are.
 */
#pragma once

#include "vm.h"

/* The same for the same info.  The caller owns the (not floating) reference. */
GVariant *virfs_vm_record_new (const VirfsVmInfo *info);
/* The info of guest UUID, without XML; the caller owns it.  NULL if RECORD has no name. */
VirfsVmInfo *virfs_vm_record_read (GVariant *record, const char *uuid);
