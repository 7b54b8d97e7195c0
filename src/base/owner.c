/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owners as modes, as text and as names. */
#include "owner.h"

#include "error.h"
#include "text.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

gboolean
virfs_owner_equal (const VirfsOwner *a, const VirfsOwner *b)
{
  return a->uid == b->uid && a->gid == b->gid && a->mode == b->mode;
}

/* The owner's bits of MODE say what is possible; each of owner, group and others gets what OWNER has
 * for him.  To read or to go through directories is decided bit by bit, as it is for the object's. */
mode_t
virfs_owner_apply (const VirfsOwner *owner, mode_t mode)
{
  mode_t possible = mode >> 6 & 07;

  if (S_ISLNK (mode))
    return mode;
  possible |= possible << 3 | possible << 6;
  return (mode & S_IFMT) | (possible & owner->mode & VIRFS_MODE_BITS);
}

char *
virfs_owner_print (const VirfsOwner *owner)
{
  return g_strdup_printf ("%u %u %04o", owner->uid, owner->gid, owner->mode);
}

gboolean
virfs_owner_parse (const char *text, VirfsOwner *owner, GError **error)
{
  VirfsOwner read;
  int end = 0;

  if (sscanf (text, "%u %u %o%n", &read.uid, &read.gid, &read.mode, &end) == 3 && text[end] == '\0'
      && (read.mode & ~VIRFS_MODE_BITS) == 0) {
    *owner = read;
    return TRUE;
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "\"%s\" is not `UID GID MODE` with the mode in octal", text);
  return FALSE;
}

/* Names of users. */

static GMutex names_lock;
static GHashTable *names; /* under names_lock; uid -> interned name */

static const char *
remembered (guint uid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&names_lock);

  return names ? g_hash_table_lookup (names, GUINT_TO_POINTER (uid)) : NULL;
}

static const char *
number (guint uid)
{
  char text[16];

  g_snprintf (text, sizeof text, "%u", uid);
  return g_intern_string (text);
}

static const char *
ask (guint uid)
{
  char buffer[4096];
  struct passwd entry, *found = NULL;
  g_autofree char *encoded = NULL;

  if (getpwuid_r (uid, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL
      || *entry.pw_name == '\0')
    return number (uid);
  encoded = virfs_name_encode (entry.pw_name);
  return g_intern_string (encoded);
}

void
virfs_user_learn (guint uid)
{
  const char *name;

  if (remembered (uid) != NULL)
    return;
  name = ask (uid);
  g_mutex_lock (&names_lock);
  if (names == NULL)
    names = g_hash_table_new (NULL, NULL);
  if (!g_hash_table_contains (names, GUINT_TO_POINTER (uid)))
    g_hash_table_insert (names, GUINT_TO_POINTER (uid), (gpointer) name);
  g_mutex_unlock (&names_lock);
}

const char *
virfs_user_name (guint uid)
{
  const char *name = remembered (uid);

  return name ? name : number (uid);
}
