/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading interfaces.  They have no events of their own: each look reads them all. */
#include "interface.h"

#include "fail.h"
#include "gate.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

/* NULL if it is gone meanwhile. */
static VirfsInterfaceInfo *
read_interface (virInterfacePtr interface, gboolean active)
{
  char *xml = LV (virInterfaceGetXMLDesc (interface, 0));
  VirfsInterfaceInfo *info = xml ? lv_xml_read_interface (xml, active) : NULL;

  free (xml);
  return info;
}

static GPtrArray *
list_some (virConnectPtr conn, guint flags)
{
  virInterfacePtr *items = NULL;
  int n = LV (virConnectListAllInterfaces (conn, &items, flags));

  return lv_take_interfaces (items, n);
}

/* FALSE: they cannot be listed. */
static gboolean
list_active (virConnectPtr conn, GPtrArray *names)
{
  g_autoptr (GPtrArray) active = list_some (conn, VIR_CONNECT_LIST_INTERFACES_ACTIVE);

  for (guint i = 0; active && i < active->len; i++)
    g_ptr_array_add (names, g_strdup (virInterfaceGetName (active->pdata[i])));
  return active != NULL;
}

static gboolean
has_name (GPtrArray *names, const char *name)
{
  return g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL);
}

static gboolean
is_in (GPtrArray *list, const char *name)
{
  for (guint i = 0; i < list->len; i++)
    if (strcmp (((VirfsPartInfo *) list->pdata[i])->name, name) == 0)
      return TRUE;
  return FALSE;
}

static void
add_slave (virConnectPtr conn, const char *name, GPtrArray *list)
{
  virInterfacePtr slave = LV (virInterfaceLookupByName (conn, name));
  VirfsInterfaceInfo *info = slave ? read_interface (slave, TRUE) : NULL;

  if (info != NULL)
    g_ptr_array_add (list, info);
  if (slave != NULL)
    virInterfaceFree (slave);
}

/* Those that are in others may not be listed themselves. */
static void
add_slaves (virConnectPtr conn, GPtrArray *list)
{
  guint listed = list->len;

  for (guint i = 0; i < listed; i++) {
    g_auto (GStrv) slaves = virfs_interface_slaves (list->pdata[i]);

    for (char **name = slaves; *name; name++)
      if (!is_in (list, *name))
        add_slave (conn, *name, list);
  }
}

GPtrArray *
lv_interfaces_read (LvLink *link, virConnectPtr conn, GPtrArray *active)
{
  g_autoptr (GPtrArray) interfaces = NULL;
  GPtrArray *list;

  if (lv_link_lacks (link, LV_CALL_INTERFACES))
    return NULL;
  interfaces = list_active (conn, active) ? list_some (conn, 0) : NULL;
  if (interfaces == NULL) {
    lv_link_note (link, LV_CALL_INTERFACES);
    return NULL;
  }
  list = virfs_part_list_new ();
  for (guint i = 0; i < interfaces->len; i++) {
    const char *name = virInterfaceGetName (interfaces->pdata[i]);
    VirfsInterfaceInfo *info = virfs_interface_is_hidden (name)
                                 ? NULL
                                 : read_interface (interfaces->pdata[i], has_name (active, name));

    if (info != NULL)
      g_ptr_array_add (list, info);
  }
  add_slaves (conn, list);
  virfs_part_list_sort (list);
  virfs_interfaces_relate (list);
  return list;
}

static void
tell_state (LvLink *link, const VirfsInterfaceInfo *info)
{
  g_autofree char *failed = virfs_interface_failed (info);
  gboolean degraded = g_strcmp0 (info->state, VIRFS_INTERFACE_DEGRADED) == 0;
  g_autofree char *details = virfs_event_details ("name", info->part.name, "event", info->state,
                                                  degraded ? "slaves" : NULL, failed, NULL);

  lv_gate_tell_event (link, NULL, "interface", details);
}

void
lv_interfaces_tell (LvLink *link, GPtrArray *before, GPtrArray *after)
{
  for (guint i = 0; before && after && i < after->len; i++) {
    const VirfsInterfaceInfo *now = after->pdata[i];
    const VirfsInterfaceInfo *then = virfs_part_list_find (before, now->part.name);

    if (then != NULL && g_strcmp0 (then->state, now->state) != 0)
      tell_state (link, now);
  }
}
