/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hosts have for guests of a kind. */
#include "xml_resource.h"

#include "cpuset.h"
#include "xml_tools.h"

#include <string.h>

void
lv_xml_read_platform (const char *text, LvPlatform *platform)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  if (xml == NULL)
    return;
  platform->emulator = lv_xml_text (xml, NULL, "/domain/devices/emulator");
  platform->arch = lv_xml_text (xml, NULL, "/domain/os/type/@arch");
  platform->machine = lv_xml_text (xml, NULL, "/domain/os/type/@machine");
  platform->type = lv_xml_text (xml, NULL, "/domain/@type");
}

void
lv_platform_clear (LvPlatform *platform)
{
  g_clear_pointer (&platform->emulator, g_free);
  g_clear_pointer (&platform->arch, g_free);
  g_clear_pointer (&platform->machine, g_free);
  g_clear_pointer (&platform->type, g_free);
}

/* The elements <machine>: those of the hypervisor, or if it has none of its own those of the
 * architecture. */
static GPtrArray *
find_machines (LvXml *xml, const LvPlatform *platform)
{
  g_autoptr (GPtrArray) arches = lv_xml_nodes (xml, NULL, "/capabilities/guest/arch");
  GPtrArray *all = g_ptr_array_new ();

  for (guint i = 0; i < arches->len; i++) {
    g_autofree char *arch = lv_xml_attribute (arches->pdata[i], "name");
    g_autofree char *path = g_strdup_printf ("domain[@type='%s']/machine", platform->type);
    g_autoptr (GPtrArray) machines = NULL;

    if (g_strcmp0 (arch, platform->arch) != 0)
      continue;
    machines = lv_xml_nodes (xml, arches->pdata[i], path);
    if (machines->len == 0) {
      g_ptr_array_unref (machines);
      machines = lv_xml_nodes (xml, arches->pdata[i], "machine");
    }
    g_ptr_array_extend (all, machines, NULL, NULL);
  }
  return all;
}

static void
add_name (LvXml *xml, GPtrArray *names, xmlNode *node)
{
  char *name = lv_xml_text (xml, node, ".");

  if (name && !g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
    g_ptr_array_add (names, name);
  else
    g_free (name);
}

GPtrArray *
lv_xml_offered_machines (const char *capabilities, const LvPlatform *platform)
{
  g_autoptr (LvXml) xml = lv_xml_parse (capabilities, NULL);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) nodes = xml ? find_machines (xml, platform) : g_ptr_array_new ();

  for (guint i = 0; i < nodes->len; i++)
    if (xmlHasProp (nodes->pdata[i], BAD_CAST "canonical"))
      add_name (xml, names, nodes->pdata[i]);
  for (guint i = 0; i < nodes->len; i++)
    add_name (xml, names, nodes->pdata[i]);
  return names;
}

char *
lv_xml_canonical_machine (const char *capabilities, const LvPlatform *platform, const char *name)
{
  g_autoptr (LvXml) xml = lv_xml_parse (capabilities, NULL);
  g_autoptr (GPtrArray) nodes = xml ? find_machines (xml, platform) : g_ptr_array_new ();

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *its = lv_xml_text (xml, nodes->pdata[i], ".");
    char *canonical
      = g_strcmp0 (its, name) == 0 ? lv_xml_attribute (nodes->pdata[i], "canonical") : NULL;

    if (canonical != NULL)
      return canonical;
  }
  return g_strdup (name);
}

GByteArray *
lv_xml_offered_nodes (const char *capabilities)
{
  g_autoptr (LvXml) xml = lv_xml_parse (capabilities, NULL);
  g_autoptr (GPtrArray) cells
    = xml ? lv_xml_nodes (xml, NULL, "/capabilities/host/topology/cells/cell") : NULL;
  GByteArray *nodes;

  if (cells == NULL || cells->len == 0)
    return NULL;
  nodes = g_byte_array_new ();
  for (guint i = 0; i < cells->len; i++) {
    g_autofree char *id = lv_xml_attribute (cells->pdata[i], "id");
    g_autoptr (GByteArray) one = virfs_cpuset_parse (id ? id : "", NULL);

    if (one != NULL)
      virfs_cpuset_add (nodes, one);
  }
  return nodes;
}

gboolean
lv_xml_offers_firmware (const char *capabilities, const char *firmware)
{
  g_autoptr (LvXml) xml = lv_xml_parse (capabilities, NULL);
  g_autofree char *path
    = g_strdup_printf ("/domainCapabilities/os/enum[@name='firmware']/value[.='%s']", firmware);

  return xml != NULL && lv_xml_node (xml, NULL, path) != NULL;
}
