/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions of networks and pools that several hosts are to have (xml_definition.c, xml_differ.c). */
#pragma once

#include "backend.h"

/* See definition_check, definition_read, definition_write and definition_made of the backend. */
char *lv_xml_check_definition (VirfsDefined kind, const char *name, const char *xml,
                               gboolean shared, GError **error);
gpointer lv_xml_read_definition (VirfsDefined kind, const char *xml);
char *lv_xml_write_definition (VirfsDefined kind, gconstpointer wanted, const char *xml,
                               gsize member, GError **error);

char *lv_xml_definition_made (const char *wanted, const char *is);

/* XML, with that UUID (NULL: as it is). */
char *lv_xml_identify (const char *xml, const char *uuid);
/* How many guests are in the network, as its XML says while it runs. */
guint lv_xml_network_connections (const char *xml);

/* What differs of IS, one thing a line; NULL: nothing that matters.  The caller owns it. */
char *lv_xml_differ (const char *wanted, const char *is);
