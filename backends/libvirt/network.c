/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be done to networks.  As a pool, one that is made is started first and defined then, so that
 * nothing is left of it if it does not start, and its draft stays a draft.
 */
#include "operate.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "network_list.h"
#include "poll.h"
#include "xml.h"
#include "xml_network.h"

#include <stdlib.h>

static virNetworkPtr
find_network (LvTask *task, GError **error)
{
  virNetworkPtr network = LV (virNetworkLookupByName (task->here.conn, task->name));

  if (network == NULL)
    lv_fail (error, "cannot find the network %s on %s", task->name, task->link->connection->name);
  return network;
}

static LvOutcome
end (LvTask *task, gboolean ok)
{
  lv_poll_resources (task->link, task->here.conn);
  return ok ? LV_DONE : LV_FAILED;
}

/* Making. */

static gboolean
check_name (LvTask *task, GError **error)
{
  g_autoptr (virNetwork) network = LV (virNetworkLookupByName (task->here.conn, task->name));

  if (network == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s has a network %s already",
               task->link->connection->name, task->name);
  return FALSE;
}

static gboolean
define (LvTask *task, const char *xml, GError **error)
{
  const VirfsNetworkInfo *wanted = (VirfsNetworkInfo *) task->wanted;
  g_autoptr (virNetwork) network = LV (virNetworkDefineXML (task->here.conn, xml));

  if (network == NULL)
    return lv_fail (error, "cannot define the network %s", task->name);
  if (wanted != NULL && wanted->autostart && LV (virNetworkSetAutostart (network, TRUE)) < 0)
    return lv_fail (error, "the network %s is made, but cannot be told to start with its host",
                    task->name);
  return TRUE;
}

static gboolean
start_new (LvTask *task, const char *xml, GError **error)
{
  g_autoptr (virNetwork) network = LV (virNetworkCreateXML (task->here.conn, xml));
  char *stored;
  gboolean ok;

  if (network == NULL)
    return lv_fail (error, "cannot start the network %s", task->name);
  stored = lv_network_definition (network);
  ok = stored ? define (task, stored, error)
              : lv_fail (error, "cannot read the new network %s", task->name);
  free (stored);
  return ok;
}

static LvOutcome
make (LvTask *task, GError **error)
{
  g_autofree char *xml = lv_xml_describe_network ((VirfsNetworkInfo *) task->wanted);

  if (xml == NULL || !check_name (task, error))
    return LV_FAILED;
  return end (task, task->action == VIRFS_NETWORK_START ? start_new (task, xml, error)
                                                        : define (task, xml, error));
}

/* Verbs. */

static int
start (virNetworkPtr network)
{
  return LV (virNetworkIsActive (network)) > 0 ? 0 : LV (virNetworkCreate (network));
}

static int
stop (virNetworkPtr network)
{
  return LV (virNetworkIsActive (network)) == 0 ? 0 : LV (virNetworkDestroy (network));
}

static int
undefine (virNetworkPtr network)
{
  return LV (virNetworkUndefine (network));
}

static const struct {
  const char *word;
  int (*call) (virNetworkPtr network);
} verbs[VIRFS_NETWORK_N_VERBS] = {
  [VIRFS_NETWORK_START] = { "start", start },
  [VIRFS_NETWORK_STOP] = { "stop", stop },
  [VIRFS_NETWORK_UNDEFINE] = { "undefine", undefine },
};

static LvOutcome
run_verb (LvTask *task, GError **error)
{
  g_autoptr (virNetwork) network = NULL;

  if (task->wanted->draft)
    return make (task, error);
  network = find_network (task, error);
  if (network == NULL)
    return end (task, FALSE);
  return end (
    task, verbs[task->action].call (network) == 0
            || lv_fail (error, "cannot %s the network %s", verbs[task->action].word, task->name));
}

void
lv_network_verb (VirfsPart *part, VirfsNetworkVerb verb, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_SHORT, run_verb, &(LvPartWork){ .action = verb });
}

/* Settings. */

static gboolean
set_autostart (LvTask *task, virNetworkPtr network, GError **error)
{
  gboolean wanted = ((VirfsNetworkInfo *) task->wanted)->autostart;

  return LV (virNetworkSetAutostart (network, wanted)) == 0
         || lv_fail (error, "cannot set autostart of the network %s", task->name);
}

static gboolean
redefine (LvTask *task, virNetworkPtr network, GError **error)
{
  char *stored = lv_network_definition (network);
  g_autofree char *xml
    = stored ? lv_xml_edit_network (stored, (VirfsNetworkInfo *) task->wanted, task->number, error)
             : NULL;
  g_autoptr (virNetwork) defined = NULL;

  if (stored == NULL)
    lv_fail (error, "cannot read the network %s", task->name);
  free (stored);
  if (xml == NULL)
    return FALSE;
  defined = LV (virNetworkDefineXML (task->here.conn, xml));
  return defined != NULL || lv_fail (error, "cannot define the network %s anew", task->name);
}

static guint
section_of (gsize member)
{
  if (member == G_STRUCT_OFFSET (VirfsNetworkInfo, dhcp))
    return VIR_NETWORK_SECTION_IP_DHCP_RANGE;
  if (member == G_STRUCT_OFFSET (VirfsNetworkInfo, hosts))
    return VIR_NETWORK_SECTION_IP_DHCP_HOST;
  return member == G_STRUCT_OFFSET (VirfsNetworkInfo, dns) ? VIR_NETWORK_SECTION_DNS_HOST
                                                           : VIR_NETWORK_SECTION_PORTGROUP;
}

gboolean
lv_network_take_steps (virNetworkPtr network, GPtrArray *steps, gsize member, guint flags,
                       GError **error)
{
  static const guint commands[] = {
    [LV_STEP_REMOVE] = VIR_NETWORK_UPDATE_COMMAND_DELETE,
    [LV_STEP_ADD] = VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
    [LV_STEP_CHANGE] = VIR_NETWORK_UPDATE_COMMAND_MODIFY,
  };
  guint section = section_of (member);

  for (guint i = 0; i < steps->len; i++) {
    const LvNetworkStep *step = steps->pdata[i];

    if (LV (virNetworkUpdate (network, commands[step->how], section, step->subnet, step->element,
                              flags))
        == 0)
      continue;
    lv_fail (error, "cannot change the network %s at %s", virNetworkGetName (network),
             step->element);
    if (i > 0)
      g_prefix_error (error, "(of %u changes %u were made) ", steps->len, i);
    return FALSE;
  }
  return TRUE;
}

static gboolean
update (LvTask *task, virNetworkPtr network, GError **error)
{
  guint flags
    = VIR_NETWORK_UPDATE_AFFECT_LIVE
      | (LV (virNetworkIsPersistent (network)) > 0 ? VIR_NETWORK_UPDATE_AFFECT_CONFIG : 0);
  char *xml = LV (virNetworkGetXMLDesc (network, 0));
  g_autoptr (GPtrArray) steps
    = xml ? lv_xml_network_steps (xml, (VirfsNetworkInfo *) task->wanted, task->number, error)
          : NULL;

  if (xml == NULL)
    lv_fail (error, "cannot read the network %s", task->name);
  free (xml);
  return steps != NULL && lv_network_take_steps (network, steps, task->number, flags, error);
}

static gboolean
check_stopped (LvTask *task, GError **error)
{
  if (virfs_network_is_live (task->number))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "the network %s is active: this can be set while it is inactive", task->name);
  return FALSE;
}

static gboolean
set (LvTask *task, virNetworkPtr network, GError **error)
{
  if (task->number == G_STRUCT_OFFSET (VirfsNetworkInfo, autostart))
    return set_autostart (task, network, error);
  if (LV (virNetworkIsActive (network)) == 0)
    return redefine (task, network, error);
  return check_stopped (task, error) && update (task, network, error);
}

static LvOutcome
run_set (LvTask *task, GError **error)
{
  g_autoptr (virNetwork) network = find_network (task, error);

  return end (task, network != NULL && set (task, network, error));
}

void
lv_network_set (VirfsPart *part, const VirfsNetworkInfo *wanted, gsize member, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_SHORT, run_set,
              &(LvPartWork){ .wanted = wanted, .number = member });
}

static LvOutcome
run_define (LvTask *task, GError **error)
{
  g_autoptr (virNetwork) known = LV (virNetworkLookupByName (task->here.conn, task->name));
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autofree char *xml = NULL;

  if (known != NULL)
    virNetworkGetUUIDString (known, uuid);
  xml = lv_xml_adopt (task->text, "network", task->name, known ? uuid : NULL, error);
  return end (task, xml != NULL && define (task, xml, error));
}

void
lv_network_define (VirfsPart *part, const char *xml, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_SHORT, run_define, &(LvPartWork){ .text = xml });
}
