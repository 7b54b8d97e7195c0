/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the tests of this library: a way behind its back. */
#pragma once

#include "host.h"

#include <libvirt/libvirt.h>

/* The connection that HOST's events come through; the caller owns a reference.  NULL if there is
 * none.  With the test driver it is the only one that sees the host's state. */
virConnectPtr virfs_libvirt_connection (VirfsHost *host);
