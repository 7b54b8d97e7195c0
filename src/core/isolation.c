/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of isolation: reading it, and what it is when something changes. */
#include "isolation.h"

#include "device.h"

#include <string.h>

#define QUARANTINE "quarantine"
#define MOST       256 /* NICs that are taken from a text */

/* What is kept of one NIC. */
typedef struct {
  gboolean down;  /* its link was */
  gboolean alone; /* it is isolated by itself */
} Entry;

/* As a table: MAC address in lower case -> Entry*. */
typedef struct {
  gboolean quarantine;
  GHashTable *nics;
} Isolation;

static void
clear (Isolation *self)
{
  g_clear_pointer (&self->nics, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Isolation, clear)

static void
put (Isolation *self, const char *mac, gboolean down, gboolean alone)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->down = down;
  entry->alone = alone;
  g_hash_table_insert (self->nics, g_ascii_strdown (mac, -1), entry);
}

static Entry *
get (const Isolation *self, const char *mac)
{
  g_autofree char *key = mac ? g_ascii_strdown (mac, -1) : NULL;

  return key ? g_hash_table_lookup (self->nics, key) : NULL;
}

/* What makes no sense is left out. */
static void
read_word (Isolation *self, const char *word)
{
  g_autofree char *mac = g_strndup (word, 17);
  const char *link = strlen (word) > 17 ? word + 17 : "";
  gboolean down = g_str_has_prefix (link, "=down"), up = g_str_has_prefix (link, "=up");
  const char *rest = link + (down ? strlen ("=down") : strlen ("=up"));

  if (strcmp (word, QUARANTINE) == 0)
    self->quarantine = TRUE;
  else if ((up || down) && (*rest == '\0' || strcmp (rest, "+") == 0) && strlen (mac) == 17
           && virfs_mac_is_valid (mac) && g_hash_table_size (self->nics) < MOST)
    put (self, mac, down, *rest == '+');
}

static void
read_text (Isolation *self, const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text ? text : "", " \t\n", -1);

  self->quarantine = FALSE;
  self->nics = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (char **word = words; *word; word++)
    read_word (self, *word);
}

static char *
print (const Isolation *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GList *macs = g_list_sort (g_hash_table_get_keys (self->nics), (GCompareFunc) strcmp);

  for (GList *l = macs; l; l = l->next) {
    const Entry *entry = g_hash_table_lookup (self->nics, l->data);

    g_string_append_printf (text, "%s%s=%s%s", text->len ? " " : "", (char *) l->data,
                            entry->down ? "down" : "up", entry->alone ? "+" : "");
  }
  if (self->quarantine)
    g_string_append_printf (text, "%s" QUARANTINE, text->len ? " " : "");
  g_list_free (macs);
  return g_strdup (text->str);
}

gboolean
virfs_isolation_is_quarantine (const char *isolation)
{
  g_auto (Isolation) self = { 0 };

  read_text (&self, isolation);
  return self.quarantine;
}

gboolean
virfs_isolation_has (const char *isolation, const char *mac, gboolean *down)
{
  g_auto (Isolation) self = { 0 };
  const Entry *entry;

  read_text (&self, isolation);
  entry = get (&self, mac);
  if (entry != NULL && down != NULL)
    *down = entry->down;
  return entry != NULL;
}

/* The entry of NIC, made if there is none. */
static Entry *
need (Isolation *self, const VirfsNicInfo *nic)
{
  if (get (self, nic->mac) == NULL)
    put (self, nic->mac, nic->link_down, FALSE);
  return get (self, nic->mac);
}

/* Takes over from BEFORE what goes on for NIC, which is MEANT by the change or is not. */
static void
change_nic (Isolation *self, const Isolation *before, const VirfsNicInfo *nic, gboolean meant,
            gboolean isolate)
{
  const Entry *entry = get (before, nic->mac);
  gboolean alone = meant ? isolate : entry != NULL && entry->alone;

  if (entry != NULL && (alone || self->quarantine))
    put (self, nic->mac, entry->down, alone);
  else if (alone || self->quarantine)
    need (self, nic)->alone = alone;
}

char *
virfs_isolation_change (const VirfsVmInfo *info, const char *name, gboolean isolate)
{
  g_auto (Isolation) before = { 0 };
  g_auto (Isolation) after = { 0 };
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];

  read_text (&before, info->isolation);
  read_text (&after, NULL);
  after.quarantine = name == NULL ? isolate : before.quarantine;
  for (guint i = 0; nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (!nic->part.draft && nic->mac != NULL)
      change_nic (&after, &before, nic, g_strcmp0 (nic->part.name, name) == 0, isolate);
  }
  return print (&after);
}

char *
virfs_isolation_join (const VirfsVmInfo *info, const char *mac, gboolean down)
{
  g_auto (Isolation) self = { 0 };

  read_text (&self, info->isolation);
  put (&self, mac, down, FALSE);
  return print (&self);
}

char *
virfs_isolation_salvage (const char *text)
{
  g_auto (Isolation) self = { 0 };

  read_text (&self, text);
  return print (&self);
}

void
virfs_isolation_mark (VirfsVmInfo *info)
{
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];
  g_auto (Isolation) self = { 0 };
  GPtrArray *list;

  if (nics == NULL || nics->len == 0)
    return;
  read_text (&self, info->isolation);
  list = virfs_part_list_new ();
  for (guint i = 0; i < nics->len; i++) {
    VirfsNicInfo *nic = virfs_part_info_copy (nics->pdata[i]);

    nic->isolated = nic->link_down && get (&self, nic->mac) != NULL;
    g_ptr_array_add (list, nic);
  }
  virfs_part_lists_set (info->parts, VIRFS_VM_NICS, list);
}
