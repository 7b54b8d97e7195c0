/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk that cloud-init's NoCloud data source looks for: a CD-ROM with the label CIDATA, see
 * https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html.
 *
 * A guest that has one gets another medium, which is a new file, so nobody can read half of one.
 */
#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "inventory.h"
#include "iso.h"
#include "make_disk.h"
#include "operate.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

#define LABEL "CIDATA"
#define WHAT  "cloud-init"
#define CHUNK ((gsize) 256 * 1024)

/* What is on it. */

static gboolean
is_empty (const VirfsSeed *seed)
{
  return seed->user_data == NULL && seed->meta_data == NULL && seed->network_config == NULL;
}

/* cloud-init does what it does for a new instance only when the ID is another. */
static char *
default_meta_data (const VirfsSeed *seed, const char *uuid, const char *name)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  const char *const texts[] = { seed->user_data, seed->network_config };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (texts[i] != NULL)
      g_checksum_update (sum, (const guchar *) texts[i], (gssize) strlen (texts[i]) + 1);
  return g_strdup_printf ("instance-id: %s-%.8s\nlocal-hostname: %s\n", uuid,
                          g_checksum_get_string (sum), name);
}

static GByteArray *
make_image (const VirfsSeed *seed, const char *uuid, const char *name, GError **error)
{
  g_autofree char *meta_data
    = seed->meta_data ? g_strdup (seed->meta_data) : default_meta_data (seed, uuid, name);
  LvIsoFile files[] = {
    { "user-data", seed->user_data ? seed->user_data : "#cloud-config\n" },
    { "meta-data", meta_data },
    { "network-config", seed->network_config },
  };

  return lv_iso_make (LABEL, files, G_N_ELEMENTS (files), error);
}

static gboolean
send_all (virStreamPtr stream, const GByteArray *image)
{
  for (gsize sent = 0; sent < image->len;) {
    int n = LV (
      virStreamSend (stream, (const char *) image->data + sent, MIN (CHUNK, image->len - sent)));

    if (n < 0)
      return FALSE;
    sent += n;
  }
  return LV (virStreamFinish (stream)) == 0;
}

static gboolean
upload (LvTask *task, virStorageVolPtr volume, const GByteArray *image, GError **error)
{
  g_autoptr (virStream) stream = LV (virStreamNew (task->here.conn, 0));

  if (stream != NULL && LV (virStorageVolUpload (volume, stream, 0, image->len, 0)) == 0
      && send_all (stream, image))
    return TRUE;
  lv_fail (error, "cannot write the cloud-init disk of %s", task->name);
  if (stream != NULL)
    LV (virStreamAbort (stream));
  return FALSE;
}

/* A guest that is being made. */

gboolean
lv_making_add_seed (LvMaking *making, GError **error)
{
  const VirfsDraftInfo *info = making->creation->info;
  LvTask *task = making->task;
  VirfsSeed seed = { info->user_data, info->meta_data, info->network_config };
  g_autoptr (GByteArray) image = NULL;
  g_autoptr (LvPool) pool = NULL;
  g_autofree char *name = NULL;
  g_autofree char *xml = NULL;
  virStorageVolPtr volume;

  if (is_empty (&seed))
    return TRUE;
  image = make_image (&seed, info->uuid, info->part.name, error);
  pool = image ? lv_pool_by_name (&task->here, info->pool ? info->pool : "default", error) : NULL;
  if (pool == NULL)
    return FALSE;
  name = lv_pool_free_name (pool, info->part.name, WHAT, ".iso");
  xml = lv_xml_make_volume (name, "raw", image->len);
  volume = lv_making_create_volume (making, pool, name, xml, NULL, error);
  return volume != NULL && lv_making_add (making, LV_SEED_TARGET, volume, error)
         && upload (task, volume, image, error);
}

/* A guest that there is. */

typedef struct {
  LvTask *task;
  virDomainPtr domain;
  char *xml, *live_xml; /* LIVE_XML: NULL if it is shut off */
  LvDisk *old;          /* its medium; NULL: none */
} Seeding;

static LvDisk *
find_medium (const char *xml)
{
  g_autoptr (GPtrArray) disks = lv_xml_read_disks (xml);

  for (guint i = 0; i < disks->len; i++)
    if (((LvDisk *) disks->pdata[i])->seed)
      return g_ptr_array_steal_index (disks, i);
  return NULL;
}

/* Beside the one that it has, or where its first disk is. */
static LvPool *
find_pool (const Seeding *seeding, GError **error)
{
  LvSeat *seat = &seeding->task->here;
  g_autoptr (GPtrArray) disks = lv_xml_read_disks (seeding->xml);
  const LvDisk *disk = seeding->old ? seeding->old : disks->len > 0 ? disks->pdata[0] : NULL;
  LvPool *pool = NULL;

  if (disk != NULL && disk->pool != NULL)
    pool = lv_pool_by_name (seat, disk->pool, NULL);
  else if (disk != NULL && disk->path != NULL)
    pool = lv_pool_by_path (seat, disk->path, NULL);
  return pool ? pool : lv_pool_by_name (seat, "default", error);
}

static gboolean
change_device (const Seeding *seeding, const char *xml, const char *path, guint flags,
               GError **error)
{
  gboolean has = FALSE;
  g_autofree char *device = lv_xml_put_seed (xml, path, &has, error);

  if (device == NULL)
    return FALSE;
  /* a drive cannot be plugged into a guest that runs */
  if (!has && flags == VIR_DOMAIN_AFFECT_LIVE)
    return TRUE;
  if ((has ? LV (virDomainUpdateDeviceFlags (seeding->domain, device, flags))
           : LV (virDomainAttachDeviceFlags (seeding->domain, device, flags)))
      == 0)
    return TRUE;
  return lv_fail (error, "cannot change the cloud-init disk of %s", seeding->task->name);
}

/* The running guest first: it may hold on to its medium. */
static gboolean
change_medium (const Seeding *seeding, const char *path, GError **error)
{
  return (seeding->live_xml == NULL
          || change_device (seeding, seeding->live_xml, path, VIR_DOMAIN_AFFECT_LIVE, error))
         && change_device (seeding, seeding->xml, path, VIR_DOMAIN_AFFECT_CONFIG, error);
}

static void
delete_old (const Seeding *seeding)
{
  LvTask *task = seeding->task;
  g_autoptr (virStorageVol) volume
    = seeding->old && seeding->old->path
        ? LV (virStorageVolLookupByPath (task->here.conn, seeding->old->path))
        : NULL;
  g_autoptr (virStoragePool) pool = volume ? LV (virStoragePoolLookupByVolume (volume)) : NULL;

  if (pool == NULL)
    return;
  if (LV (virStorageVolDelete (volume, 0)) < 0)
    g_message ("%s: the old cloud-init disk %s is left", task->name, seeding->old->path);
  lv_inventory_refresh (task->link, task->here.conn, virStoragePoolGetName (pool), NULL);
}

static gboolean
insert (const Seeding *seeding, GError **error)
{
  LvTask *task = seeding->task;
  g_autoptr (LvPool) pool = find_pool (seeding, error);
  g_autofree char *name = pool ? lv_pool_free_name (pool, task->name, WHAT, ".iso") : NULL;
  g_autofree char *xml = name ? lv_xml_make_volume (name, "raw", task->image->len) : NULL;
  g_autoptr (virStorageVol) volume = NULL;
  char *path;
  gboolean ok;

  if (pool == NULL)
    return FALSE;
  volume = LV (virStorageVolCreateXML (pool->pool, xml, 0));
  path = volume ? LV (virStorageVolGetPath (volume)) : NULL;
  if (path == NULL)
    return lv_fail (error, "cannot make %s in the pool %s", name, pool->name);
  ok = upload (task, volume, task->image, error) && change_medium (seeding, path, error);
  if (!ok)
    LV (virStorageVolDelete (volume, 0));
  free (path);
  lv_inventory_refresh (task->link, task->here.conn, pool->name, ok ? name : NULL);
  return ok;
}

static gboolean
replace (LvTask *task, virDomainPtr domain, gboolean active, GError **error)
{
  g_autofree char *xml = lv_domain_xml (domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);
  g_autofree char *live_xml = active ? lv_domain_xml (domain, VIR_DOMAIN_XML_SECURE) : NULL;
  g_autoptr (LvDisk) old = xml ? find_medium (xml) : NULL;
  Seeding seeding = { task, domain, xml, live_xml, old };
  gboolean ok;

  if (xml == NULL)
    return lv_fail (error, "cannot read the definition of %s", task->name);
  ok = task->image != NULL ? insert (&seeding, error)
                           : old == NULL || change_medium (&seeding, NULL, error);
  if (ok)
    delete_old (&seeding);
  return ok;
}

static LvOutcome
run_seed (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  gboolean ok;

  if (domain == NULL)
    return LV_FAILED;
  lv_operate_take_turn (task->uuid);
  ok = replace (task, domain, virfs_vm_state_active (facts.state), error);
  lv_operate_end_turn (task->uuid);
  lv_task_refresh (task);
  return ok ? LV_DONE : LV_FAILED;
}

void
lv_vm_seed (VirfsVm *vm, const VirfsSeed *seed, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_seed);
  GError *error = NULL;

  if (task == NULL)
    return;
  if (!is_empty (seed))
    task->image = make_image (seed, vm->uuid, task->name, &error);
  if (error == NULL) {
    lv_task_submit (task);
    return;
  }
  lv_task_finish (task, error);
  lv_task_unref (task);
}
