/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what with an object, as for a directory: its owner, its group and nine bits.  The
 * object's files follow them: where the bits let somebody read, he may read the files that can be read,
 * where they let him write, he may write those that can be written.
 */
#pragma once

#include <glib.h>
#include <sys/stat.h>

#define VIRFS_OWNER_MODE 0750 /* of what nobody has given a mode */
#define VIRFS_MODE_BITS  0777 /* there are no others */

typedef struct {
  guint uid, gid;
  guint mode; /* VIRFS_MODE_BITS */
} VirfsOwner;

gboolean virfs_owner_equal (const VirfsOwner *a, const VirfsOwner *b);
/* The mode (type and permissions) of a file whose own mode says what can be done with it at all. */
mode_t virfs_owner_apply (const VirfsOwner *owner, mode_t mode);

/* As text, `UID GID MODE`, the mode in octal; the caller owns it. */
char *virfs_owner_print (const VirfsOwner *owner);
/* INVALID for anything else. */
gboolean virfs_owner_parse (const char *text, VirfsOwner *owner, GError **error);

/* The name of the user UID as a name of the tree, or its number; interned.  It is looked up where that
 * may take its time, and told from memory where it must not. */
void virfs_user_learn (guint uid);
const char *virfs_user_name (guint uid);
