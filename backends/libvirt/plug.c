/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaching and detaching.  libvirt changes a running guest and its definition in one call when
 * something is attached.  When something is detached it would take it from the definition before the
 * guest has let go of it; so the guest comes first here, and the definition when it has.
 */
#include "plug.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "hostdev.h"
#include "inventory.h"
#include "measure.h"
#include "wait.h"
#include "xml.h"

#include <stdlib.h>

/* Seconds that a guest has to let go of a device. */
#define DETACH_TIMEOUT 20

void
lv_plug_free (LvPlug *plug)
{
  if (plug == NULL)
    return;
  virfs_object_unref (plug->device);
  virfs_part_info_unref (plug->wanted);
  g_free (plug->text);
  g_free (plug->alias);
  g_free (plug);
}

LvTask *
lv_plug_task (VirfsPart *device, VirfsJob *job, LvTaskFunc run)
{
  LvTask *task = lv_task_new ((VirfsVm *) virfs_part_root (device), job, LV_LANE_SHORT, run);

  if (task == NULL)
    return NULL;
  task->plug = g_new0 (LvPlug, 1);
  task->plug->device = virfs_object_ref (device);
  return task;
}

guint
lv_plug_flags (const LvFacts *facts)
{
  return (virfs_vm_state_active (facts->state) ? VIR_DOMAIN_AFFECT_LIVE : 0)
         | (facts->persistent ? VIR_DOMAIN_AFFECT_CONFIG : 0);
}

char *
lv_plug_xml (LvTask *task, virDomainPtr domain, guint flags, GError **error)
{
  char *xml = LV (virDomainGetXMLDesc (domain, flags));

  if (xml == NULL)
    lv_fail (error, "cannot read the definition of %s", task->name);
  return xml;
}

static const VirfsPartInfo *
find_device (const LvTask *task, const VirfsVmInfo *info)
{
  const VirfsPart *device = task->plug->device;

  return info ? virfs_part_list_find (info->parts[virfs_vm_part (device->class)], device->name)
              : NULL;
}

/* Attaching. */

/* libvirt would take one for a disk and stumble over what is not in it. */
static gboolean
check_drive (LvTask *task, const VirfsDiskInfo *disk, guint flags, GError **error)
{
  if (disk->source != NULL || disk->size != 0 || !(flags & VIR_DOMAIN_AFFECT_LIVE))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s runs: it can get an empty drive only while it is shut off", task->name);
  return FALSE;
}

/* The first disk on a SCSI bus brings its controller, of the kind that guests have drivers for. */
static gboolean
bring_controller (LvTask *task, virDomainPtr domain, guint flags, GError **error)
{
  g_autofree char *controller = lv_xml_make_controller ("scsi", "virtio-scsi");
  char *xml = lv_plug_xml (task, domain, 0, error);
  gboolean there = xml == NULL || lv_xml_has_controller (xml, "scsi");

  if (xml == NULL)
    return FALSE;
  free (xml);
  if (there || LV (virDomainAttachDeviceFlags (domain, controller, flags)) == 0)
    return TRUE;
  return lv_fail (error, "cannot attach a SCSI controller to %s", task->name);
}

static gboolean
prepare_disk (LvTask *task, virDomainPtr domain, guint flags, virStorageVolPtr *made,
              GError **error)
{
  VirfsDiskInfo *disk = (VirfsDiskInfo *) task->plug->wanted;

  if (!check_drive (task, disk, flags, error))
    return FALSE;
  if (g_strcmp0 (disk->bus, "scsi") == 0 && !bring_controller (task, domain, flags, error))
    return FALSE;
  return lv_plug_source (task, disk, made, error);
}

gboolean
lv_plug_check_filter (LvTask *task, const VirfsNicInfo *nic, GError **error)
{
  virNWFilterPtr filter;

  if (nic->filter == NULL)
    return TRUE;
  filter = LV (virNWFilterLookupByName (task->here.conn, nic->filter));
  if (filter == NULL)
    return lv_last_missing () || lv_fail (error, "there is no filter %s", nic->filter);
  virNWFilterFree (filter);
  return TRUE;
}

/* Tells what is in the pool of VOLUME now. */
static void
tell_volume (LvTask *task, virStorageVolPtr volume)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByVolume (volume));

  if (pool != NULL)
    lv_inventory_refresh (task->link, task->here.conn, virStoragePoolGetName (pool),
                          virStorageVolGetName (volume));
}

/* Nobody would know what it is for, unless half of it was done. */
static void
undo (LvTask *task, virStorageVolPtr made, GError **error)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (task->vm);
  const VirfsPartInfo *device = find_device (task, info);

  if ((device != NULL && !device->draft) || LV (virStorageVolDelete (made, 0)) < 0)
    g_prefix_error (error, "(the new volume %s is left) ", virStorageVolGetName (made));
  tell_volume (task, made);
}

void
lv_plug_measure (LvTask *task, virDomainPtr domain, const char *source)
{
  g_autoptr (GPtrArray) domains = g_ptr_array_new ();
  g_autoptr (virStorageVol) volume
    = source && *source == '/' ? LV (virStorageVolLookupByPath (task->here.conn, source)) : NULL;
  virStorageVolInfo info;

  g_ptr_array_add (domains, domain);
  lv_measure_disks (task->link, domains, TRUE);
  if (volume == NULL)
    return;
  tell_volume (task, volume);
  /* a disk that the running guest does not have yet cannot be asked of the guest */
  if (LV (virStorageVolGetInfo (volume, &info)) == 0)
    lv_measure_tell (task->link, domain, task->plug->device->name, info.capacity, info.allocation);
}

static gboolean
attach (LvTask *task, virDomainPtr domain, const char *xml, guint flags, GError **error)
{
  return LV (virDomainAttachDeviceFlags (domain, xml, flags)) == 0
         || lv_fail (error, "cannot attach %s to %s", task->plug->wanted->name, task->name);
}

static gboolean
attach_nic (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  VirfsNicInfo *nic = (VirfsNicInfo *) task->plug->wanted;
  g_autofree char *xml = NULL;
  gboolean done = lv_plug_check_filter (task, nic, error)
                  && lv_isolate_newcomer (task, domain, facts, nic, error);

  if (done) {
    xml = lv_xml_make_nic (nic);
    done = attach (task, domain, xml, lv_plug_flags (facts), error);
  }

  lv_task_refresh (task);
  return done;
}

static gboolean
attach_disk (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  guint flags = lv_plug_flags (facts);
  VirfsDiskInfo *disk = (VirfsDiskInfo *) task->plug->wanted;
  g_autoptr (virStorageVol) made = NULL;
  g_autofree char *xml = NULL;
  gboolean done = prepare_disk (task, domain, flags, &made, error);

  if (done) {
    xml = lv_xml_make_disk (disk);
    done = attach (task, domain, xml, flags, error);
  }
  lv_task_refresh (task);
  if (!done && made != NULL)
    undo (task, made, error);
  if (done)
    lv_plug_measure (task, domain, disk->source);
  return done;
}

static gboolean
attach_hostdev (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  g_autofree char *xml = lv_xml_make_hostdev (task->plug->wanted);
  gboolean done = attach (task, domain, xml, lv_plug_flags (facts), error);

  lv_task_refresh (task);
  return done;
}

typedef gboolean (*Attach) (LvTask *task, virDomainPtr domain, const LvFacts *facts,
                            GError **error);

static Attach
how_to_attach (const VirfsPartInfo *wanted)
{
  if (wanted->class == &virfs_disk_class)
    return attach_disk;
  return wanted->class == &virfs_hostdev_class ? attach_hostdev : attach_nic;
}

static LvOutcome
run_attach (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  gboolean done;

  if (domain == NULL)
    return LV_FAILED;
  lv_operate_take_turn (task->uuid);
  done = how_to_attach (task->plug->wanted) (task, domain, &facts, error);
  lv_operate_end_turn (task->uuid);
  return done ? LV_DONE : LV_FAILED;
}

void
lv_device_attach (VirfsPart *draft, gconstpointer wanted, VirfsJob *job)
{
  LvTask *task = lv_plug_task (draft, job, run_attach);

  if (task == NULL)
    return;
  task->plug->wanted = virfs_part_info_copy (wanted);
  lv_task_submit (task);
}

/* Detaching. */

static gboolean
is_live (const VirfsPartInfo *info)
{
  if (info->class == &virfs_disk_class)
    return ((const VirfsDiskInfo *) info)->live;
  return info->class == &virfs_hostdev_class ? ((const VirfsHostdevInfo *) info)->live
                                             : ((const VirfsNicInfo *) info)->live;
}

static gboolean
has_let_go (const LvTask *task, const VirfsVmInfo *info)
{
  const VirfsPartInfo *device = find_device (task, info);

  return device == NULL || !is_live (device);
}

static LvOutcome
wait_until_gone (LvTask *task)
{
  LvWish wish = {
    .is_done = has_let_go, .device = task->plug->alias, .seconds = DETACH_TIMEOUT, .again = TRUE
  };

  wish.what = "let go of the device";
  wish.hint = "it needs a running system for that, which may still do it; nothing is lost";
  return lv_wait_add (task, &wish);
}

/* By its alias the guest is only asked; otherwise libvirt would wait some seconds here. */
static gboolean
call_detach (virDomainPtr domain, const char *element, const char *alias, guint flags)
{
  if (alias != NULL && LV (virDomainDetachDeviceAlias (domain, alias, flags)) == 0)
    return TRUE;
  return (alias == NULL || lv_last_missing ())
         && LV (virDomainDetachDeviceFlags (domain, element, flags)) == 0;
}

/* Takes it from the running guest or from the definition; XML (taken) is the one or the other. */
static gboolean
detach (LvTask *task, virDomainPtr domain, const VirfsPartInfo *device, char *xml, guint flags,
        GError **error)
{
  gboolean live = flags == VIR_DOMAIN_AFFECT_LIVE;
  g_autofree char *element = NULL, *alias = NULL;

  if (xml == NULL)
    return FALSE;
  element = lv_xml_find_device (xml, device);
  alias = live ? lv_xml_device_alias (xml, device) : NULL;
  free (xml);
  if (element != NULL && !call_detach (domain, element, alias, flags))
    return lv_fail (error, "cannot detach %s from %s", device->name, task->name);
  if (live)
    task->plug->alias = g_steal_pointer (&alias);
  return TRUE;
}

static LvOutcome
detach_live (LvTask *task, virDomainPtr domain, const VirfsPartInfo *device, GError **error)
{
  char *xml = lv_plug_xml (task, domain, 0, error);
  gboolean asked = detach (task, domain, device, xml, VIR_DOMAIN_AFFECT_LIVE, error);

  lv_task_refresh (task);
  return asked ? wait_until_gone (task) : LV_FAILED;
}

static LvOutcome
detach_config (LvTask *task, virDomainPtr domain, const VirfsPartInfo *device, GError **error)
{
  char *xml;
  gboolean done;

  lv_operate_take_turn (task->uuid);
  xml = lv_plug_xml (task, domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE, error);
  done = detach (task, domain, device, xml, VIR_DOMAIN_AFFECT_CONFIG, error);
  lv_operate_end_turn (task->uuid);
  lv_task_refresh (task);
  if (!done && task->plug->alias != NULL)
    g_prefix_error (error, "(the running guest has let go of it) ");
  return done ? LV_DONE : LV_FAILED;
}

/* Runs again when the guest has let go of it. */
static LvOutcome
run_detach (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  g_autoptr (VirfsVmInfo) info = NULL;
  const VirfsPartInfo *device;

  if (domain == NULL)
    return LV_FAILED;
  lv_task_refresh (task);
  info = virfs_vm_info (task->vm);
  device = find_device (task, info);
  if (device == NULL)
    return LV_DONE;
  return is_live (device) ? detach_live (task, domain, device, error)
                          : detach_config (task, domain, device, error);
}

void
lv_device_detach (VirfsPart *device, VirfsJob *job)
{
  LvTask *task = lv_plug_task (device, job, run_detach);

  if (task != NULL)
    lv_task_submit (task);
}
