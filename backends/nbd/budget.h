/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory for what is read of disks: one budget for the whole program, which all readers share.
 * What nobody has asked for lately goes first.  It is exceeded only by what is being asked for at
 * the moment, never by what is read ahead or kept.  Reference counted.
 */
#pragma once

#include <glib.h>

typedef struct VirfsBudget VirfsBudget;

/* LIMIT in bytes. */
VirfsBudget *virfs_budget_new (gsize limit);
/* The program's, borrowed. */
VirfsBudget *virfs_budget_shared (void);
VirfsBudget *virfs_budget_ref (VirfsBudget *budget);
void virfs_budget_unref (VirfsBudget *budget);

/* Bytes that are taken now, what callers still hold included, and the most that ever were. */
gsize virfs_budget_used (VirfsBudget *budget);
gsize virfs_budget_peak (VirfsBudget *budget);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsBudget, virfs_budget_unref)
