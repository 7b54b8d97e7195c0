/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large disks are. */
#include "measure.h"

#include "device.h"
#include "fail.h"
#include "gate.h"

typedef struct {
  guint64 size, allocation; /* bytes */
} Extent;

/* Takes over what is known. */

static gboolean
same_disk (const VirfsDiskInfo *a, const VirfsDiskInfo *b)
{
  return g_strcmp0 (a->source, b->source) == 0;
}

static void
recall_disks (GPtrArray *disks, GPtrArray *known)
{
  for (guint i = 0; disks && i < disks->len; i++) {
    VirfsDiskInfo *disk = disks->pdata[i], *before = virfs_part_list_find (known, disk->part.name);

    if (before != NULL && disk->size == 0 && same_disk (disk, before)) {
      disk->size = before->size;
      disk->allocation = before->allocation;
    }
  }
}

static void
recall_nics (GPtrArray *nics, GPtrArray *known)
{
  for (guint i = 0; nics && i < nics->len; i++) {
    VirfsNicInfo *nic = nics->pdata[i], *before = virfs_part_list_find (known, nic->part.name);

    if (before != NULL && nic->live && nic->addresses == NULL
        && g_strcmp0 (nic->mac, before->mac) == 0)
      virfs_ref_string_set (&nic->addresses, before->addresses);
  }
}

void
lv_measure_keep (const VirfsVmInfo *known, VirfsVmInfo *info)
{
  recall_disks (info->parts[VIRFS_VM_DISKS], known->parts[VIRFS_VM_DISKS]);
  recall_nics (info->parts[VIRFS_VM_NICS], known->parts[VIRFS_VM_NICS]);
}

/* Asks. */

static guint64
number_of (virDomainStatsRecordPtr record, int i, const char *name)
{
  g_autofree char *key = g_strdup_printf ("block.%d.%s", i, name);
  unsigned long long value = 0;

  virTypedParamsGetULLong (record->params, record->nparams, key, &value);
  return value;
}

static void
add_extent (GHashTable *extents, virDomainStatsRecordPtr record, int i)
{
  g_autofree char *key = g_strdup_printf ("block.%d.name", i);
  guint64 physical = number_of (record, i, "physical");
  const char *name = NULL;
  Extent extent = { .size = number_of (record, i, "capacity") };

  /* a running guest's `allocation` is how far it has written since it started */
  extent.allocation = physical ? physical : number_of (record, i, "allocation");
  virTypedParamsGetString (record->params, record->nparams, key, &name);
  if (name != NULL && extent.size != 0)
    g_hash_table_insert (extents, g_strdup (name), g_memdup2 (&extent, sizeof extent));
}

static GHashTable *
new_extents (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

/* By target; the caller owns them. */
static GHashTable *
read_record (virDomainStatsRecordPtr record)
{
  GHashTable *extents = new_extents ();
  unsigned int count = 0;

  virTypedParamsGetUInt (record->params, record->nparams, "block.count", &count);
  for (guint i = 0; i < count; i++)
    add_extent (extents, record, (int) i);
  return extents;
}

/* One by one, where the driver cannot tell them together; then it has no guests that one could have to
 * wait for. */
static GHashTable *
ask_each (virDomainPtr domain, GPtrArray *disks)
{
  GHashTable *extents = new_extents ();

  for (guint i = 0; disks && i < disks->len; i++) {
    const char *target = ((VirfsPartInfo *) disks->pdata[i])->name;
    virDomainBlockInfo info;

    if (LV (virDomainGetBlockInfo (domain, target, &info, 0)) == 0) {
      Extent extent = { info.capacity, info.physical ? info.physical : info.allocation };

      g_hash_table_insert (extents, g_strdup (target), g_memdup2 (&extent, sizeof extent));
    }
  }
  return extents;
}

/* N >= 0 records, or -1.  Without NOWAIT a guest in a long job would block us. */
static int
ask_together (LvLink *link, virDomainPtr *domains, gboolean wait, virDomainStatsRecordPtr **records)
{
  guint flags = VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
                | (wait ? 0 : VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
  int n;

  if (lv_link_lacks (link, LV_CALL_BLOCK_STATS))
    return -1;
  n = LV (virDomainListGetStats (domains, VIR_DOMAIN_STATS_BLOCK, records, flags));
  if (n < 0)
    lv_link_note (link, LV_CALL_BLOCK_STATS);
  return n;
}

/* Fills in and tells. */

static gboolean
differs (const VirfsDiskInfo *disk, const Extent *extent)
{
  return extent != NULL && (disk->size != extent->size || disk->allocation != extent->allocation);
}

static gboolean
any_differs (GPtrArray *disks, GHashTable *extents)
{
  for (guint i = 0; disks && i < disks->len; i++)
    if (differs (disks->pdata[i],
                 g_hash_table_lookup (extents, ((VirfsPartInfo *) disks->pdata[i])->name)))
      return TRUE;
  return FALSE;
}

/* Replaces the list, so that it can be published again. */
static void
take_extents (VirfsVmInfo *info, gpointer data)
{
  GPtrArray *disks = info->parts[VIRFS_VM_DISKS], *list = virfs_part_list_new ();

  for (guint i = 0; disks && i < disks->len; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];
    const Extent *extent = g_hash_table_lookup (data, disk->part.name);
    VirfsDiskInfo *copy = virfs_part_info_copy (disk);

    if (extent != NULL) {
      copy->size = extent->size;
      copy->allocation = extent->allocation;
    }
    g_ptr_array_add (list, copy);
  }
  virfs_part_lists_set (info->parts, VIRFS_VM_DISKS, list);
}

static gboolean
has_unknown (GPtrArray *disks)
{
  for (guint i = 0; disks && i < disks->len; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];

    if (disk->size == 0 && disk->source != NULL)
      return TRUE;
  }
  return FALSE;
}

void
lv_measure_new (LvLink *link, virConnectPtr conn, VirfsVmInfo *info)
{
  g_autoptr (VirfsVmInfo) known = lv_gate_known_vm (link, info->uuid);
  g_autoptr (virDomain) domain = NULL;
  g_autoptr (GHashTable) extents = NULL;
  g_autoptr (virDomainStatsRecordPtr) records = NULL;

  if (known != NULL)
    lv_measure_keep (known, info);
  if (!has_unknown (info->parts[VIRFS_VM_DISKS]))
    return;
  domain = LV (virDomainLookupByUUIDString (conn, info->uuid));
  if (domain == NULL)
    return;
  if (ask_together (link, (virDomainPtr[]){ domain, NULL }, FALSE, &records) == 1)
    extents = read_record (records[0]);
  else if (lv_link_lacks (link, LV_CALL_BLOCK_STATS))
    extents = ask_each (domain, info->parts[VIRFS_VM_DISKS]);
  if (extents != NULL)
    take_extents (info, extents);
}

/* The ticket is drawn after the asking: no definition tells this, so nobody knows better. */
static void
tell (LvLink *link, virDomainPtr domain, GHashTable *extents)
{
  guint64 ticket = lv_gate_begin_reading (link);
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autoptr (VirfsVmInfo) known = NULL;

  virDomainGetUUIDString (domain, uuid);
  known = lv_gate_known_vm (link, uuid);
  if (known != NULL && any_differs (known->parts[VIRFS_VM_DISKS], extents))
    lv_gate_edit_vm (link, ticket, uuid, take_extents, extents);
  lv_gate_end_reading (link);
}

void
lv_measure_tell (LvLink *link, virDomainPtr domain, const char *target, guint64 size,
                 guint64 allocation)
{
  g_autoptr (GHashTable) extents = new_extents ();
  Extent extent = { size, allocation };

  g_hash_table_insert (extents, g_strdup (target), g_memdup2 (&extent, sizeof extent));
  tell (link, domain, extents);
}

static void
tell_each (LvLink *link, GPtrArray *domains)
{
  for (guint i = 0; i < domains->len; i++) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    g_autoptr (VirfsVmInfo) known = NULL;
    g_autoptr (GHashTable) extents = NULL;

    virDomainGetUUIDString (domains->pdata[i], uuid);
    known = lv_gate_known_vm (link, uuid);
    if (known == NULL)
      continue;
    extents = ask_each (domains->pdata[i], known->parts[VIRFS_VM_DISKS]);
    tell (link, domains->pdata[i], extents);
  }
}

void
lv_measure_disks (LvLink *link, GPtrArray *domains, gboolean wait)
{
  g_autofree virDomainPtr *all = g_new0 (virDomainPtr, domains->len + 1);
  g_autoptr (virDomainStatsRecordPtr) records = NULL;
  int n;

  for (guint i = 0; i < domains->len; i++)
    all[i] = domains->pdata[i];
  n = domains->len ? ask_together (link, all, wait, &records) : 0;
  for (int i = 0; i < n; i++) {
    g_autoptr (GHashTable) extents = read_record (records[i]);

    tell (link, records[i]->dom, extents);
  }
  if (n < 0 && lv_link_lacks (link, LV_CALL_BLOCK_STATS))
    tell_each (link, domains);
}
