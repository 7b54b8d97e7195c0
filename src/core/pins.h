/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPUs of its host each vCPU of a guest may use, as one text: a line `VCPU CPUSET` (cpuset.h) for
 * each that is pinned, in their order, without a newline behind the last; "" if none is.
 */
#pragma once

#include <glib.h>

/* What somebody wrote, for a guest that can have VCPUS; what comes later counts.  The caller owns it;
 * NULL: INVALID. */
char *virfs_pins_parse (const char *text, guint vcpus, GError **error);

/* All pinned to CPUSET, "" for none. */
char *virfs_pins_all (const char *cpuset, guint vcpus);
/* The CPUs that any of them may use; "" if one of them is not pinned. */
char *virfs_pins_cpuset (const char *pins, guint vcpus);

/* Without those that may use ALL CPUs and that NEXT does not pin: they are pinned by name alone. */
char *virfs_pins_forget (const char *pins, const char *next, guint vcpus, const GByteArray *all);

/* The cpuset of each (char *, NULL for one that is not pinned), and the way back; PINS may be NULL. */
GPtrArray *virfs_pins_split (const char *pins, guint vcpus);
char *virfs_pins_join (const GPtrArray *each);
