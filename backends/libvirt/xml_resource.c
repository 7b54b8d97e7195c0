/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPUs, tuning, NUMA and firmware in a guest's definition, read. */
#include "xml_resource.h"

#include "cpuset.h"
#include "pins.h"
#include "xml_stream.h"

#include <string.h>

static char *
content (const xmlNode *node)
{
  xmlChar *value = node ? xmlNodeGetContent (node) : NULL;
  char *text = g_strdup ((char *) value);

  xmlFree (value);
  return text;
}

static guint64
number (const xmlNode *node)
{
  g_autofree char *text = content (node);

  return text ? g_ascii_strtoull (text, NULL, 10) : 0;
}

/* A set in its shortest form; NULL if there is none.  The caller owns it. */
static char *
cpuset (const xmlNode *node, const char *name)
{
  g_autofree char *text = lv_xml_attribute (node, name);
  g_autoptr (GByteArray) set = text ? virfs_cpuset_parse (text, NULL) : NULL;

  return set && set->len ? virfs_cpuset_print (set) : NULL;
}

/* Many guests have the same. */
static void
share (GRefString **field, const char *text)
{
  g_clear_pointer (field, g_ref_string_release);
  if (text != NULL && *text != '\0')
    *field = g_ref_string_new_intern (text);
}

/* The cpuset of <vcpu> is that of all that have none of their own. */
void
lv_xml_stream_vcpu (xmlTextReader *reader, VirfsVmInfo *info)
{
  xmlNode *node = xmlTextReaderExpand (reader);
  g_autofree char *current = lv_xml_attribute (node, "current");
  g_autofree char *common = cpuset (node, "cpuset");
  g_autofree char *pins = NULL;

  info->vcpus_max = (guint) number (node);
  info->vcpus = current ? (guint) g_ascii_strtoull (current, NULL, 10) : info->vcpus_max;
  if (common == NULL)
    return;
  pins = virfs_pins_all (common, info->vcpus_max);
  virfs_ref_string_set (&info->vcpu_pins, pins);
  virfs_ref_string_set (&info->emulator_cpuset, common);
}

static void
read_pin (const xmlNode *node, GPtrArray *each)
{
  g_autofree char *vcpu = lv_xml_attribute (node, "vcpu");
  guint64 i = vcpu ? g_ascii_strtoull (vcpu, NULL, 10) : G_MAXUINT64;
  char *set = cpuset (node, "cpuset");

  if (set == NULL || i >= each->len) {
    g_free (set);
    return;
  }
  g_free (each->pdata[i]);
  each->pdata[i] = set;
}

static void
read_pins (const xmlNode *cputune, VirfsVmInfo *info)
{
  g_autoptr (GPtrArray) each = NULL;
  g_autofree char *pins = NULL;

  if (lv_xml_child (cputune, "vcpupin") == NULL)
    return;
  each = virfs_pins_split (info->vcpu_pins, info->vcpus_max);
  for (const xmlNode *node = cputune->children; node; node = node->next)
    if (node->type == XML_ELEMENT_NODE && strcmp ((const char *) node->name, "vcpupin") == 0)
      read_pin (node, each);
  pins = virfs_pins_join (each);
  virfs_ref_string_set (&info->vcpu_pins, pins);
}

void
lv_xml_stream_cputune (xmlTextReader *reader, VirfsVmInfo *info)
{
  xmlNode *node = xmlTextReaderExpand (reader);
  g_autofree char *quota = content (lv_xml_child (node, "quota"));
  g_autofree char *emulator = cpuset (lv_xml_child (node, "emulatorpin"), "cpuset");

  info->cpu_shares = number (lv_xml_child (node, "shares"));
  info->cpu_period = number (lv_xml_child (node, "period"));
  info->cpu_quota = quota ? MAX (g_ascii_strtoll (quota, NULL, 10), -1) : 0;
  if (emulator != NULL)
    virfs_ref_string_set (&info->emulator_cpuset, emulator);
  read_pins (node, info);
}

/* Without a mode it is strict. */
void
lv_xml_stream_numatune (xmlTextReader *reader, VirfsVmInfo *info)
{
  xmlNode *memory = lv_xml_child (xmlTextReaderExpand (reader), "memory");
  g_autofree char *mode = lv_xml_attribute (memory, "mode");
  g_autofree char *nodes = cpuset (memory, "nodeset");

  if (nodes == NULL)
    return;
  virfs_ref_string_set (&info->numa_nodeset, nodes);
  info->numa_mode = mode ? g_intern_string (mode) : "strict";
}

/* What boots without being told how is a PC with a BIOS. */
static const char *
firmware_of (const xmlNode *os)
{
  g_autofree char *chosen = lv_xml_attribute (os, "firmware");
  g_autofree char *loader = lv_xml_attribute (lv_xml_child (os, "loader"), "type");
  g_autofree char *arch = lv_xml_attribute (lv_xml_child (os, "type"), "arch");
  g_autofree char *type = content (lv_xml_child (os, "type"));

  if (chosen != NULL)
    return g_intern_string (chosen);
  if (g_strcmp0 (loader, "pflash") == 0)
    return "efi";
  if (g_strcmp0 (type, "hvm") == 0
      && (g_strcmp0 (arch, "x86_64") == 0 || g_strcmp0 (arch, "i686") == 0))
    return "bios";
  return NULL;
}

static const char *
boot_word (const char *device)
{
  for (guint i = 0; i < LV_N_BOOT_KINDS; i++)
    if (strcmp (lv_boot_kinds[i].libvirt, device) == 0)
      return lv_boot_kinds[i].ours;
  return device;
}

static void
read_boot (const xmlNode *os, VirfsVmInfo *info)
{
  g_autoptr (GString) order = g_string_new (NULL);

  for (const xmlNode *node = os ? os->children : NULL; node; node = node->next) {
    g_autofree char *device = NULL;

    if (node->type != XML_ELEMENT_NODE || strcmp ((const char *) node->name, "boot") != 0)
      continue;
    device = lv_xml_attribute (node, "dev");
    if (device != NULL)
      g_string_append_printf (order, "%s%s", order->len ? "\n" : "", boot_word (device));
  }
  share (&info->boot, order->str);
}

void
lv_xml_stream_os (xmlTextReader *reader, VirfsVmInfo *info)
{
  xmlNode *os = xmlTextReaderExpand (reader);
  g_autofree char *machine = lv_xml_attribute (lv_xml_child (os, "type"), "machine");

  share (&info->machine, machine);
  info->firmware = firmware_of (os);
  read_boot (os, info);
}
