/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "chain.h"

#include "sum.h"

#include <string.h>

void
store_link_init (StoreLink *link)
{
  link->position = 0;
  memset (link->hash, '0', STORE_HASH_LENGTH);
  link->hash[STORE_HASH_LENGTH] = '\0';
}

gboolean
store_link_set (StoreLink *link, guint64 position, const char *hash)
{
  if (hash == NULL || strlen (hash) != STORE_HASH_LENGTH
      || strspn (hash, "0123456789abcdef") != STORE_HASH_LENGTH)
    return FALSE;
  link->position = position;
  g_strlcpy (link->hash, hash, sizeof link->hash);
  return TRUE;
}

void
store_link_add (StoreLink *link, guint64 position, const char *line)
{
  g_autoptr (VirfsSum) sum = virfs_sum_new ();
  g_autofree char *hash = NULL;
  char start[STORE_HASH_LENGTH + 32];
  gsize length = strlen (line);

  g_snprintf (start, sizeof start, "%s %" G_GUINT64_FORMAT " ", link->hash, position);
  virfs_sum_add (sum, (const guint8 *) start, strlen (start));
  virfs_sum_add (sum, (const guint8 *) line, length);
  virfs_sum_add (sum, (const guint8 *) "\n", 1);
  hash = virfs_sum_text (sum);
  store_link_set (link, position + length + 1, hash);
}
