/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clones of guests.
 *
 * A snapshot of the disks alone is in files that nobody writes to any more: these are its disks.  One
 * that is inside of the disks can be read by nothing but qemu-img on the host, which libvirt runs only
 * to bring a guest back to it.  So the disks are copied with all that is in them, and the new guest
 * goes back to the snapshot, which is deleted in it then.
 */
#include "clone.h"

#include "claim.h"
#include "connection.h"
#include "domain.h"
#include "error.h"
#include "fail.h"
#include "xml_snapshot.h"

#include <stdlib.h>

static gboolean
check_shut_off (virDomainPtr domain, GError **error)
{
  LvFacts facts;

  if (!lv_domain_ask_facts (domain, &facts))
    return lv_fail (error, "cannot tell the state of %s", lv_domain_name (domain));
  if (!virfs_vm_state_active (facts.state))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s is %s, and its disks cannot be cloned meanwhile; shut it off first, or clone a"
               " snapshot of its disks (kind disk)",
               virDomainGetName (domain), virfs_vm_state_name (facts.state));
  return FALSE;
}

static char *
read_guest (virDomainPtr domain, GError **error)
{
  char *xml;

  if (!check_shut_off (domain, error))
    return NULL;
  xml = lv_domain_xml (domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
  if (xml == NULL)
    lv_fail (error, "cannot read the definition of %s", lv_domain_name (domain));
  return xml;
}

/* Snapshots. */

static char *
read_snapshot (virDomainSnapshotPtr snapshot)
{
  char *text = LV (virDomainSnapshotGetXMLDesc (snapshot, VIR_DOMAIN_SNAPSHOT_XML_SECURE));
  char *xml = g_strdup (text);

  free (text);
  return xml;
}

static const char *
kind_of (const char *xml)
{
  g_autoptr (VirfsPartInfo) info = (VirfsPartInfo *) lv_xml_read_snapshot (xml);

  return info ? ((VirfsSnapshotInfo *) info)->kind : NULL;
}

/* The others that will be in the copies, and of no use there. */
static void
add_others (LvMaking *making, virDomainPtr domain)
{
  virDomainSnapshotPtr *all = NULL;
  int n = LV (virDomainListAllSnapshots (domain, &all, VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL));

  for (int i = 0; i < n; i++) {
    char *xml = g_strcmp0 (virDomainSnapshotGetName (all[i]), making->creation->snapshot) == 0
                  ? NULL
                  : read_snapshot (all[i]);

    if (xml != NULL)
      g_ptr_array_add (making->snapshots, xml);
    LV (virDomainSnapshotFree (all[i]));
  }
  free (all);
}

static gboolean
prepare_inside (LvMaking *making, virDomainPtr domain, const char *xml, GError **error)
{
  const VirfsDraftInfo *info = making->creation->info;

  if (info->disk_size != 0 || g_strcmp0 (info->clone, "linked") == 0) {
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
      "the snapshot %s is inside of the disks of %s, so a clone of it is a full one of the"
      " same size; write an empty line to %s",
      making->creation->snapshot, virDomainGetName (domain),
      info->disk_size ? "disk_size, and resize its disk then" : "clone");
    return FALSE;
  }
  if (!check_shut_off (domain, error))
    return FALSE;
  making->snapshots = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (making->snapshots, g_strdup (xml));
  add_others (making, domain);
  return TRUE;
}

static gboolean
prepare_outside (LvMaking *making, virDomainPtr domain, GError **error)
{
  if (g_strcmp0 (making->creation->info->clone, "linked") != 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "a linked clone of the snapshot %s would break when that is deleted, which writes to"
               " the files of %s; write full to clone",
               making->creation->snapshot, virDomainGetName (domain));
  return FALSE;
}

static char *
read_of_snapshot (LvMaking *making, virDomainPtr domain, GError **error)
{
  const char *name = making->creation->snapshot;
  g_autoptr (virDomainSnapshot) snapshot = LV (virDomainSnapshotLookupByName (domain, name, 0));
  g_autofree char *xml = snapshot ? read_snapshot (snapshot) : NULL;
  const char *kind = xml ? kind_of (xml) : NULL;
  char *definition = NULL;

  if (kind == NULL) {
    lv_fail (error, "cannot read the snapshot %s of %s", name, lv_domain_name (domain));
    return NULL;
  }
  if (g_str_equal (kind, VIRFS_SNAPSHOT_FULL) ? prepare_inside (making, domain, xml, error)
                                              : prepare_outside (making, domain, error)) {
    definition = lv_xml_snapshot_domain (xml);
    if (definition == NULL)
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                   "the snapshot %s of %s does not tell what the guest was like", name,
                   virDomainGetName (domain));
  }
  return definition;
}

static char *
read_source (LvMaking *making, GError **error)
{
  LvCreation *creation = making->creation;
  g_autoptr (virDomain) domain
    = LV (virDomainLookupByUUIDString (making->from->conn, creation->source->uuid));

  if (domain == NULL) {
    lv_fail (error, "cannot find the guest that it is to be a clone of on %s",
             making->from->link->connection->name);
    return NULL;
  }
  return creation->snapshot ? read_of_snapshot (making, domain, error) : read_guest (domain, error);
}

/* Disks. */

/* Its host is another: what is in the file comes, and not what that is on top of. */
static gboolean
bring_disk (LvMaking *making, const LvDisk *disk, virStorageVolPtr image, guint64 size,
            GError **error)
{
  char *xml = LV (virStorageVolGetXMLDesc (image, 0));
  g_autofree char *backing = xml ? lv_xml_volume_backing (xml) : NULL;
  virStorageVolInfo facts = { 0 };

  free (xml);
  if (backing != NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "the disk %s is on top of %s, which stays on %s: make a full clone there, and"
                 " migrate that",
                 disk->target, backing, making->from->link->connection->name);
    return FALSE;
  }
  if (size != 0 && LV (virStorageVolGetInfo (image, &facts)) == 0 && size < facts.capacity) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "disk_size is less than the disk has: %llu bytes", facts.capacity);
    return FALSE;
  }
  return lv_making_copy_disk (making, disk->target, image,
                              g_intern_string (disk->format ? disk->format : "raw"), size, error);
}

static gboolean
clone_disk (LvMaking *making, const LvDisk *disk, GError **error)
{
  g_autofree char *source
    = disk->pool ? g_strconcat (disk->pool, "/", disk->volume, NULL) : g_strdup (disk->path);
  g_autoptr (virStorageVol) image = NULL;
  guint64 size = making->disks->len == 0 ? making->creation->info->disk_size : 0;

  if (disk->encrypted || source == NULL
      || (!g_str_equal (disk->type, "file") && !g_str_equal (disk->type, "volume")
          && !g_str_equal (disk->type, "block"))) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "the disk %s cannot be cloned: it is %s", disk->target,
                 disk->encrypted ? "encrypted" : "no volume");
    return FALSE;
  }
  image = lv_making_find_image (making, making->from, source, error);
  if (image == NULL)
    return FALSE;
  if (making->task->target != NULL)
    return bring_disk (making, disk, image, size, error);
  return making->snapshots ? lv_making_copy_disk (making, disk->target, image, "qcow2", 0, error)
                           : lv_making_make_disk (making, disk->target, image, size, error);
}

/* Who is not held up by our claim may have started it, and it may be off again. */
static gboolean
check_unchanged (LvMaking *making, gint64 since, GError **error)
{
  VirfsVm *source = making->creation->source;
  g_autoptr (virDomain) domain
    = LV (virDomainLookupByUUIDString (making->from->conn, source->uuid));
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (source);

  if (domain == NULL)
    return lv_fail (error, "%s was taken away while its disks were read", info->name);
  if (!check_shut_off (domain, error))
    return FALSE;
  virfs_vm_info_unref (info);
  info = virfs_vm_info (source);
  if (info->changed[VIRFS_VM_STATE] == since)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s was started while its disks were read: what was read may be neither the one nor"
               " the other",
               info->name);
  return FALSE;
}

static gboolean
clone_disks (LvMaking *making, const char *xml, GError **error)
{
  g_autoptr (GPtrArray) disks = lv_xml_read_disks (xml);

  for (guint i = 0; i < disks->len; i++) {
    const LvDisk *disk = disks->pdata[i];

    /* what nobody writes to can be shared */
    if (!disk->readonly && !clone_disk (making, disk, error))
      return FALSE;
  }
  return TRUE;
}

/* Snapshots of the disks alone stay as they are. */
static VirfsClaim
claim_of (const LvCreation *creation, const VirfsVmInfo *source)
{
  const VirfsSnapshotInfo *snapshot
    = creation->snapshot
        ? virfs_part_list_find (source->parts[VIRFS_VM_SNAPSHOTS], creation->snapshot)
        : NULL;

  return snapshot == NULL || g_strcmp0 (snapshot->kind, VIRFS_SNAPSHOT_FULL) == 0
           ? VIRFS_CLAIM_CLONE
           : VIRFS_CLAIM_READ;
}

static char *
clone_claimed (LvMaking *making, gint64 since, GError **error)
{
  gboolean kept = making->creation->snapshot != NULL;
  g_autofree char *xml = read_source (making, error);

  /* one that is inside of the disks is copied with all that is in them */
  if (xml == NULL || !clone_disks (making, xml, error)
      || ((!kept || making->snapshots != NULL) && !check_unchanged (making, since, error)))
    return NULL;
  return g_steal_pointer (&xml);
}

char *
lv_making_clone (LvMaking *making, GError **error)
{
  LvCreation *creation = making->creation;
  g_autoptr (VirfsVmInfo) source = virfs_vm_info (creation->source);

  making->claimed
    = virfs_claim_begin (creation->source, claim_of (creation, source), making->task->job, error);
  if (!making->claimed)
    return NULL;
  virfs_vm_info_unref (source);
  source = virfs_vm_info (creation->source);
  return clone_claimed (making, source->changed[VIRFS_VM_STATE], error);
}

void
lv_making_end_clone (LvMaking *making)
{
  if (making->claimed)
    virfs_claim_end (making->creation->source, making->task->job);
  making->claimed = FALSE;
}

/* Going back. */

/* Makes libvirt know of a snapshot that came with the disks. */
static virDomainSnapshotPtr
adopt (virDomainPtr domain, const char *xml, const char *definition)
{
  g_autofree char *adopted = lv_xml_snapshot_of (xml, definition);

  return adopted
           ? LV (virDomainSnapshotCreateXML (domain, adopted, VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE))
           : NULL;
}

static gboolean
revert (LvMaking *making, virDomainPtr domain, const char *definition, GError **error)
{
  g_autoptr (virDomainSnapshot) snapshot = adopt (domain, making->snapshots->pdata[0], definition);

  if (snapshot == NULL || LV (virDomainRevertToSnapshot (snapshot, 0)) < 0
      || LV (virDomainSnapshotDelete (snapshot, 0)) < 0)
    return lv_fail (error, "cannot bring %s to the snapshot %s", making->task->name,
                    making->creation->snapshot);
  return TRUE;
}

/* They take room, no more. */
static void
delete_others (LvMaking *making, virDomainPtr domain, const char *definition)
{
  for (guint i = 1; i < making->snapshots->len; i++) {
    g_autoptr (virDomainSnapshot) other = adopt (domain, making->snapshots->pdata[i], definition);

    if (other != NULL && LV (virDomainSnapshotDelete (other, 0)) < 0)
      LV (virDomainSnapshotDelete (other, VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY));
  }
}

gboolean
lv_making_revert (LvMaking *making, virDomainPtr domain, GError **error)
{
  char *definition;
  gboolean ok;

  if (making->snapshots == NULL)
    return TRUE;
  definition = LV (virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE));
  if (definition == NULL)
    return lv_fail (error, "cannot read the definition of %s", making->task->name);
  ok = revert (making, domain, definition, error);
  if (ok)
    delete_others (making, domain, definition);
  free (definition);
  return ok;
}
