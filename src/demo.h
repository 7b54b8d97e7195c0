/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The embedded fleet of --demo: three hosts of libvirt's test driver, in this process. */
#pragma once

#include "config.h"

/* Adds the hosts to CONFIG; their descriptions are written to a new directory, which the caller owns
 * and gives to virfs_demo_clean() when they have been read. */
char *virfs_demo_prepare (VirfsConfig *config, GError **error);
void virfs_demo_clean (const char *directory);
