/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit trail: what is done through the tree, as lines of the log of events. */
#pragma once

#include "infra.h"
#include "session.h"

/* ERROR without what of DEED must not be told; NULL for NULL.  The caller owns it. */
GError *virfs_audit_error (const VirfsDeed *deed, const GError *error);

/* DEED has been done, or has failed with ERROR, of the function above. */
void virfs_audit (VirfsInfra *infra, const VirfsDeed *deed, const GError *error);
