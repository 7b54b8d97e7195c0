/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists in a network's XML: which elements they are of, and the line that stands for each. */
#include "xml_network_list.h"

#include "network.h"
#include "text.h"

#include <string.h>

#define MEMBER(member) G_STRUCT_OFFSET (VirfsNetworkInfo, member)

/* Adds TEXT (taken) as a word; `-` for none. */
static void
add_word (GString *line, char *text)
{
  if (line->len > 0)
    g_string_append_c (line, ' ');
  if (text != NULL && *text != '\0')
    virfs_text_escape (line, text);
  else
    g_string_append_c (line, '-');
  g_free (text);
}

static guint
mask_bits (const char *mask)
{
  g_auto (GStrv) bytes = g_strsplit (mask, ".", -1);
  guint bits = 0;

  for (char **byte = bytes; *byte; byte++)
    for (guint64 b = g_ascii_strtoull (*byte, NULL, 10) & 0xff; b != 0; b &= b - 1)
      bits++;
  return bits;
}

/* What libvirt takes where nothing is said is the prefix of the address's class. */
static guint
class_bits (const char *address)
{
  guint64 first = g_ascii_strtoull (address, NULL, 10);

  if (strchr (address, ':') != NULL)
    return 64;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

static char *
address_line (LvXml *xml, xmlNode *node)
{
  g_autofree char *address = lv_xml_attribute (node, "address");
  g_autofree char *prefix = lv_xml_attribute (node, "prefix");
  g_autofree char *mask = lv_xml_attribute (node, "netmask");
  guint bits = prefix    ? (guint) g_ascii_strtoull (prefix, NULL, 10)
               : mask    ? mask_bits (mask)
               : address ? class_bits (address)
                         : 0;
  g_autoptr (GString) line = g_string_new (NULL);

  add_word (line, g_steal_pointer (&address));
  g_string_append_printf (line, "/%u", bits);
  return g_strdup (line->str);
}

static void
fill_address (xmlNode *node, char **words)
{
  g_auto (GStrv) halves = g_strsplit (words[0], "/", 2);

  lv_xml_set (node, "family", strchr (halves[0], ':') ? "ipv6" : "ipv4");
  lv_xml_set (node, "address", halves[0]);
  lv_xml_set (node, "prefix", halves[1]);
}

static char *
range_line (LvXml *xml, xmlNode *node)
{
  g_autoptr (GString) line = g_string_new (NULL);

  add_word (line, lv_xml_attribute (node, "start"));
  add_word (line, lv_xml_attribute (node, "end"));
  return g_strdup (line->str);
}

static void
fill_range (xmlNode *node, char **words)
{
  lv_xml_set (node, "start", words[0]);
  lv_xml_set (node, "end", words[1]);
}

static char *
host_line (LvXml *xml, xmlNode *node)
{
  g_autoptr (GString) line = g_string_new (NULL);
  char *mac = lv_xml_attribute (node, "mac"), *name = lv_xml_attribute (node, "name");

  add_word (line, mac ? mac : lv_xml_attribute (node, "id"));
  add_word (line, lv_xml_attribute (node, "ip"));
  if (name != NULL)
    add_word (line, name);
  return g_strdup (line->str);
}

static void
fill_host (xmlNode *node, char **words)
{
  if (strcmp (words[0], "-") != 0)
    lv_xml_set (node, strchr (words[1], ':') ? "id" : "mac", words[0]);
  if (strcmp (words[1], "-") != 0)
    lv_xml_set (node, "ip", words[1]);
  if (words[2] != NULL)
    lv_xml_set (node, "name", words[2]);
}

static char *
names_line (LvXml *xml, xmlNode *node)
{
  g_autoptr (GPtrArray) names = lv_xml_nodes (xml, node, "hostname");
  g_autoptr (GString) line = g_string_new (NULL);

  add_word (line, lv_xml_attribute (node, "ip"));
  for (guint i = 0; i < names->len; i++)
    add_word (line, lv_xml_text (xml, names->pdata[i], "."));
  return g_strdup (line->str);
}

static void
fill_names (xmlNode *node, char **words)
{
  lv_xml_set (node, "ip", words[0]);
  for (char **name = words + 1; *name; name++)
    lv_xml_add (node, "hostname", *name);
}

static char *
portgroup_line (LvXml *xml, xmlNode *node)
{
  g_autoptr (GPtrArray) tags = lv_xml_nodes (xml, node, "vlan/tag");
  g_autofree char *is_default = lv_xml_attribute (node, "default");
  g_autoptr (GString) line = g_string_new (NULL);

  add_word (line, lv_xml_attribute (node, "name"));
  for (guint i = 0; i < tags->len; i++)
    add_word (line, lv_xml_attribute (tags->pdata[i], "id"));
  if (g_strcmp0 (is_default, "yes") == 0)
    g_string_append (line, " default");
  return g_strdup (line->str);
}

static void
fill_portgroup (xmlNode *node, char **words)
{
  guint n = g_strv_length (words);
  gboolean is_default = n > 1 && strcmp (words[n - 1], "default") == 0;
  xmlNode *vlan;

  lv_xml_remove (lv_xml_child (node, "vlan"));
  lv_xml_set (node, "name", words[0]);
  lv_xml_set (node, "default", is_default ? "yes" : "no");
  if (n - is_default == 1)
    return;
  vlan = lv_xml_add (node, "vlan", NULL);
  for (guint i = 1; i < n - is_default; i++)
    lv_xml_set (lv_xml_add (vlan, "tag", NULL), "id", words[i]);
}

static const LvNetworkList lists[] = {
  { MEMBER (address), "/network/ip", "ip", address_line, fill_address, -1, FALSE },
  { MEMBER (dhcp), "/network/ip/dhcp/range", "range", range_line, fill_range, 0, FALSE },
  { MEMBER (hosts), "/network/ip/dhcp/host", "host", host_line, fill_host, 1, FALSE },
  { MEMBER (dns), "/network/dns/host", "host", names_line, fill_names, -1, FALSE },
  { MEMBER (portgroups), "/network/portgroup", "portgroup", portgroup_line, fill_portgroup, -1,
    TRUE },
};

const LvNetworkList *
lv_network_lists (guint *n)
{
  *n = G_N_ELEMENTS (lists);
  return lists;
}

const LvNetworkList *
lv_network_list (gsize member)
{
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    if (lists[i].member == member)
      return &lists[i];
  return NULL;
}
