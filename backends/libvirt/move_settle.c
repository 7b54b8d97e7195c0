/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How moves end.  A record says what was to become of a disk; what has become of it, its guest
 * tells: a disk that is at its new place has moved, and any other has not.
 */
#include "move_work.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "volume_use.h"
#include "xml.h"

#include <stdlib.h>

/* What the guest has. */

/* What the disk names in that definition; the caller owns it, NULL: nothing.  FALSE: it cannot
 * be read. */
static gboolean
read_source (virDomainPtr domain, guint flags, const char *disk, char **source)
{
  g_autofree char *xml = lv_domain_xml (domain, flags);
  g_autoptr (GPtrArray) disks = xml ? lv_xml_read_disks (xml) : NULL;

  *source = NULL;
  for (guint i = 0; disks && i < disks->len; i++) {
    const LvDisk *it = disks->pdata[i];

    if (g_strcmp0 (it->target, disk) == 0 && *source == NULL)
      *source = it->pool ? g_strdup_printf ("%s/%s", it->pool, it->volume) : g_strdup (it->path);
  }
  return xml != NULL;
}

gboolean
lv_move_names_old (virDomainPtr domain, const LvMoveRecord *record)
{
  g_autofree char *next = NULL;

  return read_source (domain, VIR_DOMAIN_XML_INACTIVE, record->disk, &next)
         && g_strcmp0 (next, record->from) == 0;
}

char *
lv_move_edit (const char *xml, const LvMoveRecord *record, gboolean back)
{
  VirfsDiskInfo *disk = virfs_part_info_new (&virfs_disk_class, record->disk);
  g_autoptr (VirfsPartInfo) owned = &disk->part;

  disk->type = g_intern_string (back ? record->from_type : record->to_type);
  disk->format = g_intern_string (back ? record->from_format : record->to_format);
  virfs_ref_string_set (&disk->source, back ? record->from : record->to);
  return lv_xml_edit_definition (xml, owned, owned, G_STRUCT_OFFSET (VirfsDiskInfo, source));
}

/* The next start is to find what the running guest has. */
static gboolean
follow_guest (virDomainPtr domain, const LvMoveRecord *record, gboolean moved)
{
  g_autofree char *next = NULL;
  g_autofree char *xml = NULL, *edited = NULL;
  g_autoptr (virDomain) defined = NULL;

  if (!read_source (domain, VIR_DOMAIN_XML_INACTIVE, record->disk, &next))
    return FALSE;
  if (virDomainIsPersistent (domain) != 1 || next == NULL
      || g_strcmp0 (next, moved ? record->from : record->to) != 0)
    return TRUE;
  xml = lv_domain_xml (domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
  edited = xml ? lv_move_edit (xml, record, !moved) : NULL;
  defined = edited ? LV (virDomainDefineXML (virDomainGetConnect (domain), edited)) : NULL;
  if (defined == NULL)
    g_warning ("%s runs with %s as its %s, and its definition names %s", virDomainGetName (domain),
               moved ? record->to : record->from, record->disk, next);
  return defined != NULL;
}

/* A copy that goes on would go on for ever.  *FOUND: there was one, so the guest has never gone on with
 * it. */
static gboolean
end_copy (virDomainPtr domain, const LvMoveRecord *record, gboolean *found)
{
  virDomainBlockJobInfo info;

  if (LV (virDomainGetBlockJobInfo (domain, record->disk, &info, 0)) != 1
      || info.type != VIR_DOMAIN_BLOCK_JOB_TYPE_COPY)
    return lv_last_code () != VIR_ERR_OPERATION_TIMEOUT;
  *found = TRUE;
  return LV (virDomainBlockJobAbort (domain, record->disk, 0)) == 0;
}

/* Volumes. */

/* USER: who has it, NULL: nobody is known to.  The guest may be gone. */
static void
tell_left (LvLink *link, const LvMoveRecord *record, const char *path, const char *user)
{
  g_autofree char *details = virfs_event_details ("host", link->connection->name, "path", path,
                                                  user ? "used-by" : NULL, user, NULL);
  g_autoptr (VirfsVmInfo) known = lv_gate_known_vm (link, record->uuid);

  lv_gate_tell_event (link, known ? record->uuid : NULL, "left-behind", details);
}

static void
tell_new_left (LvLink *link, const LvMoveRecord *record, const char *user)
{
  g_autofree char *path
    = record->to ? g_strdup (record->to) : g_strdup_printf ("%s/%s", record->pool, record->volume);

  tell_left (link, record, path, user);
}

/* Whether nobody else has a volume.  What this process is making it shows to nobody (lv_inventory_hide()). */
static gboolean
is_free (LvLink *link, const LvMoveRecord *record, virStorageVolPtr volume, gboolean hidden,
         char **user)
{
  LvUse use;

  *user = NULL;
  if (!hidden && !lv_volumes_look (link, virStorageVolGetConnect (volume)))
    return FALSE;
  use = lv_volume_use (link, record->uuid, volume, user);
  return use == LV_USE_NONE || (use == LV_USE_UNKNOWN && hidden);
}

/* TRUE if it is not there any more, or somebody else has it by now. */
static gboolean
remove_new (LvLink *link, virConnectPtr conn, const LvMoveRecord *record)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByName (conn, record->pool));
  g_autoptr (virStorageVol) volume = NULL;
  g_autofree char *user = NULL;

  if (pool == NULL)
    return lv_last_code () == VIR_ERR_NO_STORAGE_POOL;
  LV (virStoragePoolRefresh (pool, 0));
  volume = LV (virStorageVolLookupByName (pool, record->volume));
  if (volume == NULL)
    return lv_last_code () == VIR_ERR_NO_STORAGE_VOL;
  if (is_free (link, record, volume, lv_move_is_listed (record->uuid, record->disk), &user))
    return LV (virStorageVolDelete (volume, 0)) == 0;
  tell_new_left (link, record, user);
  return TRUE;
}

/* A file that nobody has put into a pool is not ours to remove. */
static virStorageVolPtr
find_old (virConnectPtr conn, const LvMoveRecord *record)
{
  g_auto (GStrv) names = *record->from == '/' ? NULL : g_strsplit (record->from, "/", 2);
  g_autofree char *directory = g_path_get_dirname (record->from);
  g_autofree char *name = g_path_get_basename (record->from);
  g_autoptr (virStoragePool) pool = names ? LV (virStoragePoolLookupByName (conn, names[0]))
                                          : LV (virStoragePoolLookupByTargetPath (conn, directory));

  if (pool == NULL)
    return *record->from == '/' ? LV (virStorageVolLookupByPath (conn, record->from)) : NULL;
  LV (virStoragePoolRefresh (pool, 0));
  return LV (virStorageVolLookupByName (pool, names ? names[1] : name));
}

static void
remove_old (LvLink *link, virConnectPtr conn, const LvMoveRecord *record)
{
  g_autoptr (virStorageVol) volume = find_old (conn, record);
  g_autofree char *user = NULL;

  if (volume != NULL && is_free (link, record, volume, FALSE, &user)
      && LV (virStorageVolDelete (volume, 0)) == 0)
    return;
  tell_left (link, record, record->from, user);
}

/* Settling. */

/* Whichever it has written to last: nothing is removed. */
static LvMoveEnd
leave_both (LvLink *link, const LvMoveRecord *record)
{
  tell_left (link, record, record->from, NULL);
  tell_new_left (link, record, NULL);
  return LV_MOVE_LEFT;
}

static LvMoveEnd
settle_guest (LvLink *link, virDomainPtr domain, const LvMoveRecord *record)
{
  virConnectPtr conn = virDomainGetConnect (domain);
  gboolean active = LV (virDomainIsActive (domain)) == 1;
  gboolean copied = FALSE;
  g_autofree char *now = NULL;
  gboolean moved;

  if ((active && !end_copy (domain, record, &copied))
      || !read_source (domain, 0, record->disk, &now))
    return LV_MOVE_OPEN;
  moved = now != NULL && g_strcmp0 (now, record->to) == 0;
  /* it may have gone on with the new one, and stopped before its definition named that */
  if (!moved && !copied && g_strcmp0 (record->phase, LV_MOVE_SWITCHING) == 0)
    return leave_both (link, record);
  if (active && !follow_guest (domain, record, moved))
    return LV_MOVE_OPEN;
  if (!moved)
    return remove_new (link, conn, record) ? LV_MOVE_BACK : LV_MOVE_OPEN;
  remove_old (link, conn, record);
  return LV_MOVE_DONE;
}

/* Undefined, or on another host by now.  What was not yet to be gone on with is no more than a part of
 * a copy. */
static LvMoveEnd
settle_gone (LvLink *link, virConnectPtr conn, const LvMoveRecord *record)
{
  if (record->phase != NULL)
    return leave_both (link, record);
  return remove_new (link, conn, record) ? LV_MOVE_BACK : LV_MOVE_OPEN;
}

LvMoveEnd
lv_move_settle (LvLink *link, virConnectPtr conn, const LvMoveRecord *record)
{
  g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (conn, record->uuid));
  LvMoveEnd end = LV_MOVE_OPEN;

  if (domain != NULL)
    end = settle_guest (link, domain, record);
  else if (lv_last_code () == VIR_ERR_NO_DOMAIN)
    end = settle_gone (link, conn, record);
  if (end != LV_MOVE_OPEN)
    lv_move_forget (link, record);
  return end;
}

/* After an end of the program, or of the connection. */

static void
tell_recovered (LvLink *link, const LvMoveRecord *record, LvMoveEnd end)
{
  g_autofree char *details = virfs_event_details ("disk", record->disk, "from", record->from, "to",
                                                  record->to ? record->to : record->pool, NULL);
  g_autoptr (GError) error = g_error_new (
    VIRFS_ERROR, VIRFS_ERROR_FAILED,
    end == LV_MOVE_LEFT
      ? "the move of %s to %s was cut off, and it cannot be told which of both the guest has"
        " written to last: look at both before one is removed"
      : "the move of %s to %s was cut off: it is where it was, and what had been copied is"
        " removed",
    record->disk, record->pool);

  if (end == LV_MOVE_OPEN)
    return;
  if (end == LV_MOVE_DONE) {
    lv_gate_tell_event (link, record->uuid, "disk-moved", details);
  } else {
    lv_gate_tell_event (link, record->uuid, "disk-move-lost", details);
    lv_gate_report (link, record->uuid, error);
  }
  lv_connection_queue (link, record->uuid, 0);
}

/* In the guest's turn: what was read before may have been settled since. */
static void
recover_guest (LvLink *link, virConnectPtr conn, const char *uuid)
{
  g_autoptr (GArray) records = lv_move_read_records (link);

  for (guint i = 0; i < records->len; i++) {
    const LvMoveRecord *record = &g_array_index (records, LvMoveRecord, i);

    if (g_str_equal (record->uuid, uuid))
      tell_recovered (link, record, lv_move_settle (link, conn, record));
  }
}

void
lv_move_recover (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GArray) records = lv_move_read_records (link);

  for (guint i = 0; i < records->len; i++) {
    const char *uuid = g_array_index (records, LvMoveRecord, i).uuid;

    lv_operate_take_turn (uuid);
    recover_guest (link, conn, uuid);
    lv_operate_end_turn (uuid);
  }
}
