/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of the store: where it is, who may read it, and what becomes of a broken one. */
#pragma once

#include "database.h"

/* See virfs_store_open(). */
StoreDb *store_file_open (const char *directory, GError **error);
