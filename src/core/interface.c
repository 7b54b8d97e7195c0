/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of interfaces, and how they belong together. */
#include "interface.h"

#include "host.h"

#include <string.h>

#define MEMBER(member, type, field) VIRFS_MEMBER (VirfsInterfaceInfo, member, type, field)

static const VirfsMember members[] = {
  MEMBER (type, WORD, CONFIG),   MEMBER (state, WORD, STATE),  MEMBER (mac, TEXT, CONFIG),
  MEMBER (speed, NUMBER, STATE), MEMBER (mtu, NUMBER, CONFIG), MEMBER (mode, WORD, CONFIG),
  MEMBER (master, TEXT, CONFIG), MEMBER (slaves, TEXT, STATE), MEMBER (addresses, TEXT, CONFIG),
  MEMBER (xml, BLOB, XML),
};

const VirfsPartClass virfs_interface_class = {
  .kind = VIRFS_KIND_INTERFACE,
  .directory = "interfaces",
  .size = sizeof (VirfsInterfaceInfo),
  .members = members,
  .n_members = G_N_ELEMENTS (members),
};

gboolean
virfs_interface_is_hidden (const char *name)
{
  /* libvirt keeps these for itself */
  static const char *const prefixes[] = { "vnet", "macvtap", "macvlan", "vif" };

  if (strcmp (name, "lo") == 0)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++) {
    const char *rest = name + strlen (prefixes[i]);

    if (g_str_has_prefix (name, prefixes[i]) && *rest != '\0'
        && rest[strspn (rest, G_CSET_DIGITS)] == '\0')
      return TRUE;
  }
  return FALSE;
}

/* The name of slave LINE, and its state behind it; NULL: none. */
static const char *
split_slave (char *line)
{
  char *space = strchr (line, ' ');

  if (space == NULL)
    return NULL;
  *space = '\0';
  return space + 1;
}

char **
virfs_interface_slaves (const VirfsInterfaceInfo *self)
{
  char **lines = g_strsplit (self->slaves ? self->slaves : "", "\n", -1);

  for (char **line = lines; *line; line++)
    split_slave (*line);
  return lines;
}

char *
virfs_interface_failed (const VirfsInterfaceInfo *bond)
{
  g_auto (GStrv) lines = g_strsplit (bond->slaves ? bond->slaves : "", "\n", -1);
  g_autoptr (GString) failed = g_string_new (NULL);

  for (char **line = lines; *line; line++) {
    const char *state = split_slave (*line);

    if (state != NULL && strcmp (state, VIRFS_INTERFACE_UP) != 0)
      g_string_append_printf (failed, "%s%s", failed->len ? ", " : "", *line);
  }
  return failed->len ? g_strdup (failed->str) : NULL;
}

static void
set_masters (GPtrArray *interfaces, const VirfsInterfaceInfo *master)
{
  g_auto (GStrv) slaves = virfs_interface_slaves (master);

  for (char **name = slaves; *name; name++) {
    VirfsInterfaceInfo *slave = virfs_part_list_find (interfaces, *name);

    if (slave != NULL)
      virfs_ref_string_set (&slave->master, master->part.name);
  }
}

void
virfs_interfaces_relate (GPtrArray *interfaces)
{
  for (guint i = 0; i < interfaces->len; i++) {
    VirfsInterfaceInfo *self = interfaces->pdata[i];
    g_autofree char *failed = virfs_interface_failed (self);

    set_masters (interfaces, self);
    if (failed != NULL && g_strcmp0 (self->type, "bond") == 0
        && g_strcmp0 (self->state, VIRFS_INTERFACE_UP) == 0)
      self->state = VIRFS_INTERFACE_DEGRADED;
  }
}
