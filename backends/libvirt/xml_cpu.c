/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs of guests and hosts. */
#include "cpu.h"
#include "xml.h"
#include "xml_stream.h"

#include <string.h>

/* NODE as text; the caller owns it. */
static char *
print (xmlNode *node)
{
  xmlBuffer *buffer = xmlBufferCreate ();
  char *text;

  xmlNodeDump (buffer, node->doc, node, 0, 0);
  text = g_strdup ((const char *) xmlBufferContent (buffer));
  xmlBufferFree (buffer);
  return text;
}

static void
share (GRefString **field, const char *type, const char *separator, const char *text)
{
  g_autofree char *all = g_strconcat (type, separator, text, NULL);

  g_clear_pointer (field, g_ref_string_release);
  *field = g_ref_string_new_intern (all);
}

/* What libvirt does not check, or makes of the host's when the guest starts, any host has. */
void
lv_xml_stream_cpu (xmlTextReader *reader, VirfsVmInfo *info)
{
  xmlNode *cpu = xmlTextReaderExpand (reader);
  g_autofree char *mode = cpu ? lv_xml_attribute (cpu, "mode") : NULL;
  g_autofree char *check = cpu ? lv_xml_attribute (cpu, "check") : NULL;
  g_autofree char *type = cpu ? lv_xml_attribute (cpu->parent, "type") : NULL;
  g_autofree char *text = NULL;

  if (type == NULL)
    return;
  if (g_strcmp0 (mode, "host-passthrough") == 0 || g_strcmp0 (mode, "maximum") == 0) {
    share (&info->cpu, type, " ", VIRFS_CPU_PASSTHROUGH);
  } else if (g_strcmp0 (mode, "host-model") != 0 && g_strcmp0 (check, "none") != 0
             && lv_xml_child (cpu, "model") != NULL) {
    text = print (cpu);
    share (&info->cpu, type, "\n", text);
  }
}

char *
lv_xml_read_host_cpu (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  xmlNode *mode = xml ? lv_xml_node (xml, NULL,
                                     "/domainCapabilities/cpu/mode[@name='host-model'"
                                     " and @supported='yes']")
                      : NULL;

  if (mode == NULL || lv_xml_child (mode, "model") == NULL)
    return NULL;
  xmlNodeSetName (mode, BAD_CAST "cpu");
  while (mode->properties != NULL)
    xmlRemoveProp (mode->properties);
  return print (mode);
}
