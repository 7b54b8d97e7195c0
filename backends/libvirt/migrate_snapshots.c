/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking metadata off, and putting it on. */
#include "migrate_snapshots.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "snapshot_list.h"

#include <stdlib.h>

/* Reading. */

static gboolean
add_text (GPtrArray *texts, char *xml)
{
  if (xml != NULL)
    g_ptr_array_add (texts, g_strdup (xml));
  free (xml);
  return xml != NULL;
}

static gboolean
read_snapshots (LvTask *task, virDomainPtr domain, LvMoving *moving)
{
  virDomainSnapshotPtr *items = NULL;
  int n = LV (virDomainListAllSnapshots (domain, &items, VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL));
  g_autoptr (GPtrArray) snapshots = lv_take_snapshots (items, n);
  g_autoptr (virDomainSnapshot) current = NULL;

  if (snapshots == NULL) {
    lv_link_note (task->link, LV_CALL_SNAPSHOTS);
    return lv_last_missing ();
  }
  for (guint i = 0; i < snapshots->len; i++)
    if (!add_text (moving->snapshots, LV (virDomainSnapshotGetXMLDesc (
                                        snapshots->pdata[i], VIR_DOMAIN_SNAPSHOT_XML_SECURE))))
      return FALSE;
  current = snapshots->len ? LV (virDomainSnapshotCurrent (domain, 0)) : NULL;
  moving->current = current ? g_strdup (virDomainSnapshotGetName (current)) : NULL;
  return TRUE;
}

static gboolean
read_checkpoints (LvTask *task, virDomainPtr domain, LvMoving *moving)
{
  virDomainCheckpointPtr *items = NULL;
  int n = LV (virDomainListAllCheckpoints (domain, &items, VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL));
  g_autoptr (GPtrArray) checkpoints = lv_take_checkpoints (items, n);

  if (checkpoints == NULL) {
    lv_link_note (task->link, LV_CALL_CHECKPOINTS);
    return lv_last_missing ();
  }
  for (guint i = 0; i < checkpoints->len; i++)
    if (!add_text (moving->checkpoints,
                   LV (virDomainCheckpointGetXMLDesc (checkpoints->pdata[i],
                                                      VIR_DOMAIN_CHECKPOINT_XML_SECURE))))
      return FALSE;
  return TRUE;
}

LvMoving *
lv_moving_read (LvTask *task, virDomainPtr domain, GError **error)
{
  g_autoptr (LvMoving) moving = lv_moving_new ();

  moving->from = g_strdup (task->link->connection->name);
  moving->to = g_strdup (task->target->connection->name);
  if ((lv_link_lacks (task->link, LV_CALL_SNAPSHOTS) || read_snapshots (task, domain, moving))
      && (lv_link_lacks (task->link, LV_CALL_CHECKPOINTS)
          || read_checkpoints (task, domain, moving)))
    return g_steal_pointer (&moving);
  lv_fail (error, "cannot read the snapshots of %s", task->name);
  return NULL;
}

gboolean
lv_moving_is_empty (const LvMoving *moving)
{
  return moving->snapshots->len == 0 && moving->checkpoints->len == 0;
}

gboolean
lv_moving_check (const LvMoving *moving, const LvPlan *plan, GError **error)
{
  const LvCopy *copy = plan->copies->len ? plan->copies->pdata[0] : NULL;

  if (copy == NULL || moving->snapshots->len == 0)
    return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
    "%s has snapshots, which a copy of its disk %s would not have: the hosts do not share"
    " %s; move it while it is shut off, or delete the snapshots",
    plan->task->name, copy->disk ? copy->disk : copy->name, copy->path);
  return FALSE;
}

/* Putting it on. */

static gboolean
has_snapshot (virDomainPtr domain, const char *name)
{
  g_autoptr (virDomainSnapshot) known = LV (virDomainSnapshotLookupByName (domain, name, 0));

  return known != NULL;
}

static gboolean
put_snapshot (virDomainPtr domain, const char *xml, const char *current)
{
  g_autofree char *name = lv_xml_read_name (xml);
  guint flags = VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE;
  g_autoptr (virDomainSnapshot) made = NULL;

  if (name == NULL || has_snapshot (domain, name))
    return TRUE;
  if (g_strcmp0 (name, current) == 0)
    flags |= VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT;
  made = LV (virDomainSnapshotCreateXML (domain, xml, flags));
  return made != NULL;
}

static gboolean
has_checkpoint (virDomainPtr domain, const char *name)
{
  g_autoptr (virDomainCheckpoint) known = LV (virDomainCheckpointLookupByName (domain, name, 0));

  return known != NULL;
}

/* Where QEMU runs it can be asked whether the disks have the bitmaps. */
static gboolean
put_checkpoint (virDomainPtr domain, const char *xml)
{
  g_autofree char *name = lv_xml_read_name (xml);
  guint flags = VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE;
  g_autoptr (virDomainCheckpoint) made = NULL;

  if (name == NULL || has_checkpoint (domain, name))
    return TRUE;
  if (LV (virDomainIsActive (domain)) == 1)
    flags |= VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE;
  made = LV (virDomainCheckpointCreateXML (domain, xml, flags));
  return made != NULL;
}

gboolean
lv_moving_put_on (const LvMoving *moving, virDomainPtr domain, GError **error)
{
  for (guint i = 0; i < moving->snapshots->len; i++)
    if (!put_snapshot (domain, moving->snapshots->pdata[i], moving->current))
      return lv_fail (error, "cannot define the snapshots of %s again", lv_domain_name (domain));
  for (guint i = 0; i < moving->checkpoints->len; i++)
    if (!put_checkpoint (domain, moving->checkpoints->pdata[i]))
      return lv_fail (error, "cannot define the checkpoints of %s again", lv_domain_name (domain));
  return TRUE;
}

/* Taking it off: children first. */

static gboolean
take_off_snapshot (virDomainPtr domain, const char *xml)
{
  g_autofree char *name = lv_xml_read_name (xml);
  g_autoptr (virDomainSnapshot) snapshot
    = LV (virDomainSnapshotLookupByName (domain, name ? name : "", 0));

  return snapshot != NULL
         && LV (virDomainSnapshotDelete (snapshot, VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)) == 0;
}

static gboolean
take_off_checkpoint (virDomainPtr domain, const char *xml)
{
  g_autofree char *name = lv_xml_read_name (xml);
  g_autoptr (virDomainCheckpoint) checkpoint
    = LV (virDomainCheckpointLookupByName (domain, name ? name : "", 0));

  return checkpoint != NULL
         && LV (virDomainCheckpointDelete (checkpoint, VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY))
              == 0;
}

static gboolean
take_off_all (const LvMoving *moving, virDomainPtr domain)
{
  for (guint i = moving->checkpoints->len; i > 0; i--)
    if (!take_off_checkpoint (domain, moving->checkpoints->pdata[i - 1]))
      return FALSE;
  for (guint i = moving->snapshots->len; i > 0; i--)
    if (!take_off_snapshot (domain, moving->snapshots->pdata[i - 1]))
      return FALSE;
  return TRUE;
}

/* What is kept passes the gate, too: the registry is there as long as somebody is in it. */

static gboolean
keep (const LvMoving *moving, LvTask *task, GError **error)
{
  g_autofree char *text = lv_xml_print_moving (moving);
  VirfsHost *host = lv_gate_enter (task->link->connection);
  gboolean kept;

  if (host == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s was closed", moving->from);
    return FALSE;
  }
  kept = virfs_infra_keep (host->object.infra, VIRFS_RECORD_MOVING, task->uuid, text, error);
  lv_gate_leave (task->link->connection);
  return kept;
}

/* A record that stays does no harm: what it has is there already when it is found again. */
static void
forget (LvLink *link, const char *uuid)
{
  VirfsHost *host = lv_gate_enter (link->connection);
  g_autoptr (GError) error = NULL;

  if (host == NULL)
    return;
  if (!virfs_infra_forget (host->object.infra, VIRFS_RECORD_MOVING, uuid, &error))
    g_warning ("the snapshots of a guest that has moved are kept on: %s", error->message);
  lv_gate_leave (link->connection);
}

gboolean
lv_moving_take_off (const LvMoving *moving, LvTask *task, virDomainPtr domain, GError **error)
{
  if (lv_moving_is_empty (moving))
    return TRUE;
  if (!keep (moving, task, error))
    return FALSE;
  if (take_off_all (moving, domain))
    return TRUE;
  lv_fail (error, "cannot take the snapshots of %s along", task->name);
  if (lv_moving_put_on (moving, domain, NULL))
    forget (task->link, task->uuid);
  return FALSE;
}

static void
tell_missing (LvTask *task, const GError *error)
{
  g_autoptr (GString) details = g_string_new (NULL);

  virfs_event_append (details, "reason", error->message);
  lv_gate_tell_event (task->link, task->uuid, "snapshots-missing", details->str);
}

void
lv_moving_settle (const LvMoving *moving, LvTask *task, gboolean moved)
{
  virConnectPtr conn = moved ? task->there.conn : task->here.conn;
  g_autoptr (virDomain) domain = NULL;
  g_autoptr (GError) error = NULL;

  if (lv_moving_is_empty (moving))
    return;
  domain = LV (virDomainLookupByUUIDString (conn, task->uuid));
  if (domain == NULL)
    lv_fail (&error, "cannot find %s", task->name);
  if (domain != NULL && lv_moving_put_on (moving, domain, &error)) {
    forget (task->link, task->uuid);
    return;
  }
  tell_missing (task, error);
  g_atomic_int_set (&task->link->recovers, TRUE);
  g_atomic_int_set (&task->target->recovers, TRUE);
}

/* After a restart. */

static void
add_record (const char *key, const char *text, gpointer records)
{
  g_ptr_array_add (records, g_strdup (key));
  g_ptr_array_add (records, g_strdup (text));
}

/* Keys and texts, in turn. */
static GPtrArray *
list_records (LvLink *link)
{
  GPtrArray *records = g_ptr_array_new_with_free_func (g_free);
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return records;
  virfs_infra_recall (host->object.infra, VIRFS_RECORD_MOVING, add_record, records);
  lv_gate_leave (link->connection);
  return records;
}

/* Whether the guest is here, and nobody moves it now. */
static gboolean
is_here (LvLink *link, const char *uuid, const LvMoving *moving)
{
  const char *here = link->connection->name;
  g_autoptr (VirfsVm) vm = NULL;
  VirfsHost *host;
  gboolean is;

  if (!g_str_equal (moving->from, here) && !g_str_equal (moving->to, here))
    return FALSE;
  host = lv_gate_enter (link->connection);
  if (host == NULL)
    return FALSE;
  vm = virfs_infra_vm_on_host (host->object.infra, host, uuid);
  is = vm != NULL && !virfs_infra_is_moving (host->object.infra, vm);
  lv_gate_leave (link->connection);
  return is;
}

/* Whether the host of that name has the guest, too, or may turn out to have it: then one of the two
 * loses it, with all that was put on. */
static gboolean
may_be_on (LvLink *link, const char *name, const char *uuid)
{
  VirfsHost *own = lv_gate_enter (link->connection);
  g_autoptr (VirfsHost) host = own ? virfs_infra_host (own->object.infra, name) : NULL;
  g_autoptr (VirfsHostInfo) info = host ? virfs_host_info (host) : NULL;
  g_autoptr (VirfsVm) vm = host ? virfs_infra_vm_on_host (own->object.infra, host, uuid) : NULL;

  if (own != NULL)
    lv_gate_leave (link->connection);
  return own == NULL || vm != NULL || (info != NULL && info->state != VIRFS_HOST_UP);
}

static gboolean
put_on_here (LvLink *link, virConnectPtr conn, const char *uuid, const LvMoving *moving)
{
  g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (conn, uuid));
  g_autoptr (GError) error = NULL;

  if (domain == NULL)
    return FALSE;
  if (!lv_moving_put_on (moving, domain, &error)) {
    g_debug ("%s: %s", link->connection->name, error->message);
    return FALSE;
  }
  lv_snapshots_refresh (link, domain);
  return TRUE;
}

/* FALSE: it is to be tried again. */
static gboolean
recover (LvLink *link, virConnectPtr conn, const char *uuid, const char *text)
{
  g_autoptr (LvMoving) moving = lv_xml_read_moving (text);
  const char *other;

  if (moving == NULL || !is_here (link, uuid, moving))
    return TRUE;
  other = g_str_equal (moving->from, link->connection->name) ? moving->to : moving->from;
  if (!put_on_here (link, conn, uuid, moving) || may_be_on (link, other, uuid))
    return FALSE;
  forget (link, uuid);
  return TRUE;
}

void
lv_moving_recover (LvLink *link)
{
  g_autoptr (GPtrArray) records = NULL;
  LvSeat seat = { 0 };
  gboolean done = TRUE;

  if (!g_atomic_int_compare_and_exchange (&link->recovers, TRUE, FALSE))
    return;
  records = list_records (link);
  /* libvirt may let us wait for a guest */
  if (records->len > 0 && lv_seat_take (&seat, link, NULL)) {
    for (guint i = 0; i < records->len; i += 2)
      done &= recover (link, seat.conn, records->pdata[i], records->pdata[i + 1]);
    lv_seat_leave (&seat);
  }
  if (!done)
    g_atomic_int_set (&link->recovers, TRUE);
}
