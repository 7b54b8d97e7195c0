/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What we read from a host's capabilities. */
#include "xml.h"

#include "xml_tools.h"

#include <string.h>

static gint
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static GPtrArray *
read_guest_types (LvXml *xml)
{
  g_autoptr (GPtrArray) domains = lv_xml_nodes (xml, NULL, "/capabilities/guest/arch/domain");
  GPtrArray *types = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < domains->len; i++) {
    g_autofree char *type = lv_xml_text (xml, domains->pdata[i], "@type");
    g_autofree char *arch = lv_xml_text (xml, domains->pdata[i], "../@name");
    g_autofree char *both = g_strdup_printf ("%s %s", type, arch);

    /* a machine type each, and `hvm` and `xen` guests, tell the same again */
    if (!g_ptr_array_find_with_equal_func (types, both, g_str_equal, NULL))
      g_ptr_array_add (types, g_steal_pointer (&both));
  }
  g_ptr_array_sort (types, compare_strings);
  return types;
}

/* Each once, also those that only one of the emulators has. */
static GPtrArray *
read_machines (LvXml *xml, const char *arch)
{
  g_autofree char *path = g_strdup_printf ("/capabilities/guest/arch[@name='%s']//machine", arch);
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, path);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *machines = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < nodes->len; i++) {
    char *name = lv_xml_text (xml, nodes->pdata[i], ".");

    if (name != NULL && g_hash_table_add (names, name))
      g_ptr_array_add (machines, name);
    else
      g_free (name);
  }
  g_ptr_array_sort (machines, compare_strings);
  return machines;
}

void
lv_xml_read_capabilities (const char *text, VirfsHostInfo *info)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *arch = NULL, *model = NULL;

  if (xml == NULL)
    return;
  arch = lv_xml_text (xml, NULL, "/capabilities/host/cpu/arch");
  model = lv_xml_text (xml, NULL, "/capabilities/host/cpu/model");
  if (arch != NULL)
    virfs_ref_string_set (&info->arch, arch);
  if (model != NULL)
    virfs_ref_string_set (&info->cpu_model, model);
  g_clear_pointer (&info->guest_types, g_ptr_array_unref);
  info->guest_types = read_guest_types (xml);
  g_clear_pointer (&info->machines, g_ptr_array_unref);
  if (arch != NULL)
    info->machines = read_machines (xml, arch);
}
