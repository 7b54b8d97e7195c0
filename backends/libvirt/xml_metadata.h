/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What virfs keeps with a guest: one element in its <metadata>, which libvirt stores, shows and moves
 * with it:
 *
 *     <virfs:guest xmlns:virfs='https://virfs.org/xmlns/guest/1'>
 *       <owner uid='1000' gid='100' mode='0770'/>
 *       <tag>prod</tag>
 *       <protect>1</protect>
 *       <image>debian-12.qcow2</image>
 *       <shutdown_timeout>60</shutdown_timeout>
 *       <record>1</record>
 *       <isolation>52:54:00:12:34:56=up quarantine</isolation>
 *     </virfs:guest>
 *
 * Anybody who can define guests may have written it: what makes no sense is left out when it is read.
 * What is not known here is left as it is.  Those that take and give texts are for all, the others for
 * xml*.c.
 */
#pragma once

#include "backend.h"
#include "xml_tools.h"

#define LV_METADATA_URI "https://virfs.org/xmlns/guest/1"
#define LV_METADATA_KEY "virfs"

/* READER stands at <metadata>. */
void lv_xml_read_metadata (xmlTextReader *reader, VirfsVmInfo *info);

/* The element (NULL for none) changed by NOTE; the caller owns it, "" if nothing is left in it.  NULL:
 * INVALID. */
char *lv_xml_edit_metadata (const char *element, const VirfsVmNote *note, GError **error);

/* A whole definition changed by NOTE; the caller owns it.  NULL: INVALID. */
char *lv_xml_note_definition (const char *xml, const VirfsVmNote *note, GError **error);

/* The definition DOMAIN in XML has what STORED (NULL: nothing) has of it, whatever it had. */
void lv_xml_keep_metadata (LvXml *xml, xmlNode *domain, LvXml *stored);
/* A new definition is given what NOTE says. */
gboolean lv_xml_note (LvXml *xml, const VirfsVmNote *note, GError **error);
