/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hash chain over the log of events.  The hash of a line is the SHA-256 of
 *
 *     PREVIOUS-HASH POSITION LINE
 *
 * and a newline, where the hash before the first of all is 64 zeros: so nothing can be changed, taken
 * out, put in or moved without all hashes behind it being others.  Hashes are texts, in hexadecimal.
 */
#pragma once

#include <glib.h>

#define STORE_HASH_LENGTH 64

/* How far a chain goes: to a position in the log, and the hash of the line that ends there. */
typedef struct {
  guint64 position;
  char hash[STORE_HASH_LENGTH + 1];
} StoreLink;

/* Before the first line of all. */
void store_link_init (StoreLink *link);
/* LINK goes one line further, which begins at POSITION; without its newline. */
void store_link_add (StoreLink *link, guint64 position, const char *line);
/* Sets LINK; FALSE if HASH is none. */
gboolean store_link_set (StoreLink *link, guint64 position, const char *hash);
