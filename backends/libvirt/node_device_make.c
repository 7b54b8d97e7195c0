/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that a host makes of others: mediated devices, which may be defined only, and virtual adapters
 * (vHBA), which are there or not.
 */
#include "node_device.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "operate.h"
#include "part_draft.h"
#include "xml.h"

LV_DEFINE_AUTOPTR (virNodeDevice, virNodeDeviceFree)

/* Tells what has become of the device NAME (NULL: none) and of what it is made of. */
static LvOutcome
end (LvTask *task, const char *name, gboolean ok)
{
  const VirfsNodeDeviceInfo *wanted = (VirfsNodeDeviceInfo *) task->wanted;

  if (name != NULL)
    lv_node_device_queue (task->link, name);
  if (wanted->parent != NULL)
    lv_node_device_queue (task->link, wanted->parent);
  lv_node_devices_refresh (task->link, task->here.conn);
  return ok ? LV_DONE : LV_FAILED;
}

/* One that does not start is not defined either. */
static virNodeDevicePtr
define (LvTask *task, const char *xml, GError **error)
{
  const VirfsNodeDeviceInfo *wanted = (VirfsNodeDeviceInfo *) task->wanted;
  g_autoptr (virNodeDevice) device = LV (virNodeDeviceDefineXML (task->here.conn, xml, 0));
  const char *what = NULL;

  if (device == NULL)
    what = "define";
  else if (wanted->autostart && LV (virNodeDeviceSetAutostart (device, TRUE)) < 0)
    what = "set autostart of";
  else if (task->action == VIRFS_NODE_DEVICE_START && LV (virNodeDeviceCreate (device, 0)) < 0)
    what = "start";
  if (what == NULL)
    return g_steal_pointer (&device);
  lv_fail (error, "cannot %s a mediated device of %s", what, wanted->parent);
  if (device != NULL)
    LV (virNodeDeviceUndefine (device, 0));
  return NULL;
}

static LvOutcome
make (LvTask *task, GError **error)
{
  const VirfsNodeDeviceInfo *wanted = (VirfsNodeDeviceInfo *) task->wanted;
  gboolean mediated = g_strcmp0 (wanted->type, VIRFS_NODE_DEVICE_MDEV) == 0;
  g_autofree char *xml = lv_xml_make_node_device (wanted);
  g_autoptr (virNodeDevice) device
    = mediated ? define (task, xml, error) : LV (virNodeDeviceCreateXML (task->here.conn, xml, 0));

  if (device == NULL && !mediated)
    lv_fail (error, "cannot make a virtual adapter of %s", wanted->parent);
  if (device == NULL)
    return end (task, NULL, FALSE);
  end (task, virNodeDeviceGetName (device), TRUE);
  virfs_infra_remove_part_draft (task->part->object.infra, task->part);
  return LV_DONE;
}

static int
stop (virNodeDevicePtr device)
{
  return LV (virNodeDeviceDestroy (device));
}

static int
start (virNodeDevicePtr device)
{
  return LV (virNodeDeviceCreate (device, 0));
}

static int
change (LvTask *task, virNodeDevicePtr device)
{
  const VirfsNodeDeviceInfo *known = (VirfsNodeDeviceInfo *) task->wanted;
  /* drivers that cannot tell have only what is there */
  gboolean active = LV (virNodeDeviceIsActive (device)) != 0;

  if (task->action == VIRFS_NODE_DEVICE_START)
    return active ? 0 : start (device);
  if (active && stop (device) < 0)
    return -1;
  return task->action == VIRFS_NODE_DEVICE_REMOVE && known->persistent
           ? LV (virNodeDeviceUndefine (device, 0))
           : 0;
}

static LvOutcome
run_verb (LvTask *task, GError **error)
{
  static const char *const words[] = { "define", "start", "stop", "remove" };
  g_autoptr (virNodeDevice) device = NULL;

  if (task->wanted->draft)
    return make (task, error);
  device = LV (virNodeDeviceLookupByName (task->here.conn, task->name));
  return end (task, task->name,
              (device != NULL && change (task, device) == 0)
                || lv_fail (error, "cannot %s the device %s", words[task->action], task->name));
}

void
lv_node_device_verb (VirfsPart *part, VirfsNodeDeviceVerb verb, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_SHORT, run_verb, &(LvPartWork){ .action = verb });
}

static LvOutcome
run_autostart (LvTask *task, GError **error)
{
  g_autoptr (virNodeDevice) device = LV (virNodeDeviceLookupByName (task->here.conn, task->name));
  int autostart = (int) task->number;

  return end (task, task->name,
              (device != NULL && LV (virNodeDeviceSetAutostart (device, autostart)) == 0)
                || lv_fail (error, "cannot set autostart of %s", task->name));
}

void
lv_node_device_set_autostart (VirfsPart *part, gboolean autostart, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_SHORT, run_autostart, &(LvPartWork){ .number = autostart });
}
