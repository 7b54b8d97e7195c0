/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes of disks and NICs: one row for each that can be set in a running guest. */
#include "plug.h"

#include "connection.h"
#include "define.h"
#include "error.h"
#include "fail.h"
#include "storage.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

/* A setting as it is carried out. */
typedef struct {
  LvTask *task;
  virDomainPtr domain;
  LvFacts facts;
  const VirfsPartInfo *known; /* the device as it is */
  VirfsPartInfo *wanted;      /* and as it is to be */
  gsize member;
} Setting;

/* What there is of the guest and has the device. */
static guint
flags_of (const Setting *set)
{
  const VirfsDiskInfo *disk = (const VirfsDiskInfo *) set->known;
  const VirfsNicInfo *nic = (const VirfsNicInfo *) set->known;
  gboolean is_disk = set->known->class == &virfs_disk_class;
  gboolean live = is_disk ? disk->live : nic->live;
  gboolean persistent = is_disk ? disk->persistent : nic->persistent;

  return lv_plug_flags (&set->facts)
         & ((live ? VIR_DOMAIN_AFFECT_LIVE : 0) | (persistent ? VIR_DOMAIN_AFFECT_CONFIG : 0));
}

static gboolean
fail (const Setting *set, GError **error)
{
  return lv_fail (error, "cannot set %s of %s", set->known->name, set->task->name);
}

/* By an element of its XML. */

static gboolean
update (const Setting *set, guint xml_flags, guint flags, GError **error)
{
  char *xml = lv_plug_xml (set->task, set->domain, xml_flags, error);
  g_autofree char *element
    = xml ? lv_xml_edit_device (xml, set->known, set->wanted, set->member) : NULL;

  free (xml);
  if (xml == NULL)
    return FALSE;
  /* the running guest or the definition may not have it */
  if (element == NULL || LV (virDomainUpdateDeviceFlags (set->domain, element, flags)) == 0)
    return TRUE;
  return fail (set, error);
}

/* They are two calls, because each has more in its XML than the other may have. */
static gboolean
set_element (const Setting *set, GError **error)
{
  guint flags = flags_of (set);

  if (flags & VIR_DOMAIN_AFFECT_LIVE && !update (set, 0, VIR_DOMAIN_AFFECT_LIVE, error))
    return FALSE;
  if (!(flags & VIR_DOMAIN_AFFECT_CONFIG)
      || update (set, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE, VIR_DOMAIN_AFFECT_CONFIG,
                 error))
    return TRUE;
  if (flags & VIR_DOMAIN_AFFECT_LIVE)
    g_prefix_error (error, "(the running guest was changed) ");
  return FALSE;
}

gboolean
lv_plug_set_link (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsNicInfo *nic,
                  gboolean down, GError **error)
{
  VirfsNicInfo *wanted = virfs_part_info_copy (nic);
  g_autoptr (VirfsPartInfo) owned = &wanted->part;
  Setting set = { .task = task,
                  .domain = domain,
                  .facts = *facts,
                  .known = &nic->part,
                  .wanted = owned,
                  .member = G_STRUCT_OFFSET (VirfsNicInfo, link_down) };

  wanted->link_down = down;
  return set_element (&set, error);
}

static gboolean
set_filter (const Setting *set, GError **error)
{
  return lv_plug_check_filter (set->task, (const VirfsNicInfo *) set->wanted, error)
         && set_element (set, error);
}

/* A NIC is in a network or at a bridge. */
static gboolean
set_place (const Setting *set, GError **error)
{
  VirfsNicInfo *nic = (VirfsNicInfo *) set->wanted;

  if (set->member == G_STRUCT_OFFSET (VirfsNicInfo, network))
    virfs_ref_string_set (&nic->bridge, NULL);
  else
    virfs_ref_string_set (&nic->network, NULL);
  return set_element (set, error);
}

/* By a new definition. */

static gboolean
check_off (const Setting *set, GError **error)
{
  if (!virfs_vm_state_active (set->facts.state))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "cannot set this of %s: only while %s is shut off, it is %s", set->known->name,
               set->task->name, virfs_vm_state_name (set->facts.state));
  return FALSE;
}

static char *
edit (const char *xml, gconstpointer data)
{
  const Setting *set = data;

  return lv_xml_edit_definition (xml, set->known, set->wanted, set->member);
}

/* It is the guest's turn already. */
static gboolean
set_definition (const Setting *set, GError **error)
{
  return check_off (set, error)
         && (lv_redefine (set->task, set->domain, edit, set) == 0 || fail (set, error));
}

/* source */

static gboolean
set_source (const Setting *set, GError **error)
{
  VirfsDiskInfo *disk = (VirfsDiskInfo *) set->wanted;

  if (!virfs_disk_is_removable (disk) && !check_off (set, error))
    return FALSE;
  disk->format = NULL;
  if (!lv_plug_source (set->task, disk, NULL, error))
    return FALSE;
  return virfs_disk_is_removable (disk) ? set_element (set, error) : set_definition (set, error);
}

/* size */

/* NULL: there is none; *POOL has to last as long as it. */
static virStorageVolPtr
find_volume (const Setting *set, LvPool **pool)
{
  const VirfsDiskInfo *disk = (const VirfsDiskInfo *) set->known;

  if (disk->pool != NULL) {
    *pool = lv_pool_by_name (&set->task->here, disk->pool, NULL);
    return *pool ? lv_pool_fresh_volume (*pool, disk->source + strlen (disk->pool) + 1) : NULL;
  }
  return disk->source ? lv_pool_find_path (&set->task->here, disk->source, pool) : NULL;
}

static gboolean
resize_volume (const Setting *set, guint64 bytes, GError **error)
{
  const VirfsDiskInfo *disk = (const VirfsDiskInfo *) set->known;
  g_autoptr (LvPool) pool = NULL;
  g_autoptr (virStorageVol) volume = find_volume (set, &pool);

  if (volume == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "cannot resize %s of %s while it is shut off: %s is in no running pool",
                 disk->part.name, set->task->name, disk->source ? disk->source : "nothing");
    return FALSE;
  }
  return LV (virStorageVolResize (volume, bytes, 0)) == 0 || fail (set, error);
}

static gboolean
check_growth (const Setting *set, guint64 bytes, GError **error)
{
  virDomainBlockInfo info;

  if (LV (virDomainGetBlockInfo (set->domain, set->known->name, &info, 0)) < 0)
    return lv_fail (error, "cannot tell the size of %s of %s", set->known->name, set->task->name);
  if (bytes >= info.capacity)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "a disk cannot shrink: %s of %s has %llu bytes", set->known->name, set->task->name,
               info.capacity);
  return FALSE;
}

static gboolean
set_size (const Setting *set, GError **error)
{
  guint64 bytes = ((VirfsDiskInfo *) set->wanted)->size;

  /* libvirt would shrink it while it is in use, but not as a volume */
  if (!(flags_of (set) & VIR_DOMAIN_AFFECT_LIVE))
    return resize_volume (set, bytes, error);
  if (!check_growth (set, bytes, error))
    return FALSE;
  return LV (virDomainBlockResize (set->domain, set->known->name, bytes,
                                   VIR_DOMAIN_BLOCK_RESIZE_BYTES))
           == 0
         || fail (set, error);
}

/* Limits. */

typedef struct {
  gsize member;
  const char *name; /* libvirt's */
} Limit;

/* Of each three libvirt wants all, and takes one that it does not get for none. */
static const Limit limits[][3] = {
  {
    { G_STRUCT_OFFSET (VirfsDiskInfo, total_bytes_max), VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC },
    { G_STRUCT_OFFSET (VirfsDiskInfo, read_bytes_max), VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC },
    { G_STRUCT_OFFSET (VirfsDiskInfo, write_bytes_max), VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC },
  },
  {
    { G_STRUCT_OFFSET (VirfsDiskInfo, total_iops_max), VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC },
    { G_STRUCT_OFFSET (VirfsDiskInfo, read_iops_max), VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC },
    { G_STRUCT_OFFSET (VirfsDiskInfo, write_iops_max), VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC },
  },
};

static guint64
limit_of (const Setting *set, const Limit *limit)
{
  return *(const guint64 *) ((const char *) set->wanted + limit->member);
}

static const Limit *
find_limits (gsize member)
{
  for (guint i = 0; i < 3; i++)
    if (limits[0][i].member == member)
      return limits[0];
  return limits[1];
}

static gboolean
set_limits (const Setting *set, GError **error)
{
  const Limit *three = find_limits (set->member);
  g_auto (LvParams) params = { 0 };

  if (limit_of (set, &three[0]) != 0
      && (limit_of (set, &three[1]) != 0 || limit_of (set, &three[2]) != 0)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a disk has a total limit, or one for reads and one for writes;"
                 " write 0 to the others first");
    return FALSE;
  }
  for (guint i = 0; i < 3; i++)
    virTypedParamsAddULLong (&params.items, &params.n, &params.allocated, three[i].name,
                             limit_of (set, &three[i]));
  return LV (virDomainSetBlockIoTune (set->domain, set->known->name, params.items, params.n,
                                      flags_of (set)))
           == 0
         || fail (set, error);
}

static gboolean
set_rate (const Setting *set, GError **error)
{
  const VirfsNicInfo *nic = (VirfsNicInfo *) set->wanted;
  gboolean in = set->member == G_STRUCT_OFFSET (VirfsNicInfo, rx_max);
  guint64 kib = lv_kib (in ? nic->rx_max : nic->tx_max);
  g_auto (LvParams) params = { 0 };

  if (kib > G_MAXUINT) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "no NIC is that fast; 0 is no limit");
    return FALSE;
  }
  virTypedParamsAddUInt (&params.items, &params.n, &params.allocated,
                         in ? VIR_DOMAIN_BANDWIDTH_IN_AVERAGE : VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE,
                         (unsigned) kib);
  return LV (virDomainSetInterfaceParameters (set->domain, nic->mac, params.items, params.n,
                                              flags_of (set)))
           == 0
         || fail (set, error);
}

/* The table. */

#define DISK(member) &virfs_disk_class, G_STRUCT_OFFSET (VirfsDiskInfo, member)
#define NIC(member)  &virfs_nic_class, G_STRUCT_OFFSET (VirfsNicInfo, member)

static const struct {
  const VirfsPartClass *class;
  gsize member;
  gboolean (*set) (const Setting *set, GError **error);
} rows[] = {
  { DISK (source), set_source },
  { DISK (size), set_size },
  { DISK (read_bytes_max), set_limits },
  { DISK (write_bytes_max), set_limits },
  { DISK (total_bytes_max), set_limits },
  { DISK (read_iops_max), set_limits },
  { DISK (write_iops_max), set_limits },
  { DISK (total_iops_max), set_limits },
  { NIC (network), set_place },
  { NIC (bridge), set_place },
  { NIC (link_down), set_element },
  { NIC (filter), set_filter },
  { NIC (rx_max), set_rate },
  { NIC (tx_max), set_rate },
};

static gboolean
is_member (const Setting *set, const VirfsPartClass *class, gsize member)
{
  return set->known->class == class && set->member == member;
}

static gboolean
carry_out (const Setting *set, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (is_member (set, rows[i].class, rows[i].member))
      return rows[i].set (set, error);
  return set_definition (set, error);
}

static LvOutcome
run_set (LvTask *task, GError **error)
{
  LvPlug *plug = task->plug;
  Setting set = { .task = task, .member = plug->member };
  g_autoptr (virDomain) domain = lv_operate_on (task, &set.facts, error);
  g_autoptr (VirfsPartInfo) known = NULL;
  g_autoptr (VirfsPartInfo) wanted = NULL;
  gboolean done;

  if (domain == NULL)
    return LV_FAILED;
  lv_task_refresh (task);
  known = virfs_part_info (plug->device);
  wanted = virfs_part_info_copy (known);
  virfs_part_info_set (wanted, plug->member, plug->number, plug->text);
  set.domain = domain;
  set.known = known;
  set.wanted = wanted;
  lv_operate_take_turn (task->uuid);
  done = carry_out (&set, error);
  lv_operate_end_turn (task->uuid);
  lv_task_refresh (task);
  if (done
      && (is_member (&set, &virfs_disk_class, G_STRUCT_OFFSET (VirfsDiskInfo, size))
          || is_member (&set, &virfs_disk_class, G_STRUCT_OFFSET (VirfsDiskInfo, source))))
    lv_plug_measure (task, domain, ((VirfsDiskInfo *) wanted)->source);
  return done ? LV_DONE : LV_FAILED;
}

void
lv_device_set (VirfsPart *device, const VirfsDeviceSetting *setting, VirfsJob *job)
{
  LvTask *task = lv_plug_task (device, job, run_set);

  if (task == NULL)
    return;
  task->plug->member = setting->member;
  task->plug->number = setting->number;
  task->plug->text = g_strdup (setting->text);
  lv_task_submit (task);
}
