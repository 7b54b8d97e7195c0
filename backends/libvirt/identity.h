/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In whose name a connection asks.  A host that decides by user what may be done (libvirt's
 * access_drivers) sees virfs as one user; where its URI says identity=caller, it is told who has asked
 * for an operation.  It believes only those who may do everything there.
 */
#pragma once

#include "types.h"

/* From now on CONN asks in the name of UID; HOST is for the sentence.  libvirt has no way back. */
gboolean lv_identity_take (virConnectPtr conn, guint uid, const char *host, GError **error);
