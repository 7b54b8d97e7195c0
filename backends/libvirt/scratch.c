/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much is put aside for backups, and how much can be. */
#include "scratch.h"

#include "fail.h"
#include "storage.h"
#include "xml_backup.h"

#include <stdlib.h>
#include <sys/statvfs.h>

/* What is kept free, for what the guest writes until the backup has ended: this, or a part of the whole. */
#define RESERVE      ((guint64) 256 << 20)
#define RESERVE_PART 8
/* Less than this is not halved any more. */
#define STEP ((guint64) 2 << 20)

typedef struct {
  const char *device; /* as libvirt names it */
  const char *path;
  guint64 taken; /* bytes of the file system */
  guint64 end;   /* bytes, how far it has been written */
} File;

/* What it takes. */

static guint64
number_of (virDomainStatsRecordPtr record, guint i, const char *name)
{
  g_autofree char *key = g_strdup_printf ("block.%u.%s", i, name);
  unsigned long long value = 0;

  virTypedParamsGetULLong (record->params, record->nparams, key, &value);
  return value;
}

static gboolean
describes (virDomainStatsRecordPtr record, guint i, const char *device)
{
  g_autofree char *name_key = g_strdup_printf ("block.%u.name", i);
  g_autofree char *index_key = g_strdup_printf ("block.%u.backingIndex", i);
  g_autofree char *full = NULL;
  const char *name = NULL;
  unsigned int index = 0;

  virTypedParamsGetString (record->params, record->nparams, name_key, &name);
  virTypedParamsGetUInt (record->params, record->nparams, index_key, &index);
  full = g_strdup_printf ("%s[%u]", name ? name : "", index);
  return g_str_equal (full, device);
}

static void
measure_file (virDomainStatsRecordPtr record, File *file)
{
  unsigned int count = 0;

  virTypedParamsGetUInt (record->params, record->nparams, "block.count", &count);
  for (guint i = 0; i < count; i++)
    if (describes (record, i, file->device)) {
      file->taken = number_of (record, i, "physical");
      file->end = number_of (record, i, "allocation");
    }
}

static GArray *
list_files (GHashTable *scratch, virDomainStatsRecordPtr record)
{
  GArray *files = g_array_new (FALSE, TRUE, sizeof (File));
  GHashTableIter iter;
  File file = { 0 };

  g_hash_table_iter_init (&iter, scratch);
  while (g_hash_table_iter_next (&iter, (gpointer *) &file.device, (gpointer *) &file.path)) {
    measure_file (record, &file);
    g_array_append_val (files, file);
  }
  return files;
}

/* What is left. */

/* A file that is here is the same there: such names have a UUID. */
static gboolean
ask_here (const char *path, guint64 *bytes)
{
  struct statvfs stat;

  if (statvfs (path, &stat) < 0)
    return FALSE;
  *bytes = (guint64) stat.f_bavail * stat.f_frsize;
  return TRUE;
}

static gboolean
ask_host (LvSeat *seat, const char *path, guint64 *bytes)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autoptr (LvPool) pool = lv_pool_by_directory (seat, directory, FALSE, NULL);
  virStoragePoolInfo info;

  if (pool == NULL || LV (virStoragePoolRefresh (pool->pool, 0)) < 0
      || LV (virStoragePoolGetInfo (pool->pool, &info)) < 0)
    return FALSE;
  *bytes = info.available;
  return TRUE;
}

/* Whether the event can be expected in time. */
static gboolean
order_event (virDomainPtr domain, const File *file, guint64 bytes)
{
  return LV (virDomainSetBlockThreshold (domain, file->device,
                                         file->end + (bytes > STEP ? bytes / 2 : bytes), 0))
         == 0;
}

/* Of N files, which may all be on the same file system. */
static void
judge (virDomainPtr domain, const File *file, guint n, guint64 left, LvRoom *room)
{
  guint64 reserve = MIN (RESERVE, (left + file->taken) / RESERVE_PART);

  if (left <= reserve)
    room->full = TRUE;
  else
    order_event (domain, file, (left - reserve) / n);
}

static void
measure_room (LvSeat *seat, virDomainPtr domain, GArray *files, gboolean thorough, LvRoom *room)
{
  room->known = files->len > 0;
  room->left = G_MAXUINT64;
  for (guint i = 0; i < files->len; i++) {
    const File *file = &g_array_index (files, File, i);
    guint64 left = 0;

    room->taken += file->taken;
    if (!ask_here (file->path, &left) && !(thorough && ask_host (seat, file->path, &left))) {
      room->known = FALSE;
      continue;
    }
    room->left = MIN (room->left, left);
    judge (domain, file, files->len, left, room);
  }
}

static void
free_text (char **text)
{
  free (*text);
}

gboolean
lv_scratch_measure (LvSeat *seat, virDomainPtr domain, gboolean thorough, LvRoom *room)
{
  const guint flags = VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING;
  virDomainPtr domains[] = { domain, NULL };
  g_autoptr (virDomainStatsRecordPtr) records = NULL;
  g_autoptr (GHashTable) scratch = NULL;
  g_autoptr (GArray) files = NULL;
  __attribute__ ((cleanup (free_text))) char *xml = LV (virDomainBackupGetXMLDesc (domain, 0));

  *room = (LvRoom){ 0 };
  if (xml == NULL
      || LV (virDomainListGetStats (domains, VIR_DOMAIN_STATS_BLOCK, &records, flags)) != 1)
    return FALSE;
  scratch = lv_xml_read_scratch (xml);
  files = list_files (scratch, records[0]);
  measure_room (seat, domain, files, thorough, room);
  return TRUE;
}
