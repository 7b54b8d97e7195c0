/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libvirt says when it fails, as an error of ours. */
#pragma once

#include <glib.h>
#include <libvirt/virterror.h>

/* Sets ERROR from libvirt's last error in this thread: `FORMAT: libvirt's message`.  Returns FALSE.
 * To be called before the next LV(), for that forgets the error. */
gboolean lv_fail (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* TEXT follows what ERROR (set) says. */
void lv_fail_add (GError **error, const char *text);

/* The last failure in this thread; NULL if there was none (types.c). */
const virError *lv_last_error (void);

/* Its code (virErrorNumber). */
int lv_last_code (void);

/* Whether the last call failed because the driver has no such call at all. */
gboolean lv_last_missing (void);

/* Whether it failed because the driver does not know a flag that it was given, or not two of
 * them at once. */
gboolean lv_last_refused_flags (void);
