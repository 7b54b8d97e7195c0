/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backend without hypervisors.  A host's URI is `fake:N`: it comes up with N guests, called
 * HOST-1, HOST-2 …; every second one runs.  Tests change things behind the tree's back by the
 * functions of infra.h.
 */
#pragma once

#include "infra.h"

extern const VirfsBackend virfs_fake_backend;

/* How long an operation takes, in microseconds; it can be cancelled meanwhile. */
extern guint virfs_fake_delay;

/* A guest as the fake makes it; to be published. */
VirfsVmInfo *virfs_fake_vm (const char *name, guint number, VirfsVmState state);
