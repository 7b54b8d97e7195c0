/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks in libvirt's XML, read (xml_network.c) and written (xml_network_edit.c). */
#pragma once

#include "backend.h"

/* All but its leases and what is not in its definition; the caller owns it.  NULL: broken. */
VirfsNetworkInfo *lv_xml_read_network (const char *xml);

/* A definition of the network that a draft describes (virfs_network_check()). */
char *lv_xml_describe_network (const VirfsNetworkInfo *network);
/* XML with the MEMBER at that offset as it is in WANTED, which is consistent; NULL: INVALID. */
char *lv_xml_edit_network (const char *xml, const VirfsNetworkInfo *wanted, gsize member,
                           GError **error);
/* One step from one list to another, for virNetworkUpdate(). */
typedef struct {
  enum { LV_STEP_REMOVE, LV_STEP_ADD, LV_STEP_CHANGE } how;
  char *element;
  int subnet; /* which <ip> it is in; -1: none */
} LvNetworkStep;

void lv_network_step_free (LvNetworkStep *step);
/* What leads from the list MEMBER of the network XML to that of WANTED, in order; of LvNetworkStep*, the
 * caller owns it.  NULL: INVALID. */
GPtrArray *lv_xml_network_steps (const char *xml, const VirfsNetworkInfo *wanted, gsize member,
                                 GError **error);
