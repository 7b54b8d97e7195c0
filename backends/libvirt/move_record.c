/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of moves: what was to become of a disk, kept from before there is anything of that. */
#include "move_work.h"

#include "connection.h"
#include "error.h"
#include "gate.h"

#define GROUP "move"

/* The members of one, by their names in a key file. */
static const struct {
  const char *name;
  gsize member;
} members[] = {
  { "uuid", G_STRUCT_OFFSET (LvMoveRecord, uuid) },
  { "disk", G_STRUCT_OFFSET (LvMoveRecord, disk) },
  { "from", G_STRUCT_OFFSET (LvMoveRecord, from) },
  { "from-type", G_STRUCT_OFFSET (LvMoveRecord, from_type) },
  { "from-format", G_STRUCT_OFFSET (LvMoveRecord, from_format) },
  { "to", G_STRUCT_OFFSET (LvMoveRecord, to) },
  { "to-type", G_STRUCT_OFFSET (LvMoveRecord, to_type) },
  { "to-format", G_STRUCT_OFFSET (LvMoveRecord, to_format) },
  { "pool", G_STRUCT_OFFSET (LvMoveRecord, pool) },
  { "volume", G_STRUCT_OFFSET (LvMoveRecord, volume) },
  { "phase", G_STRUCT_OFFSET (LvMoveRecord, phase) },
};

#define MEMBER(record, i) G_STRUCT_MEMBER (char *, record, members[i].member)

void
lv_move_record_clear (LvMoveRecord *record)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    g_clear_pointer (&MEMBER (record, i), g_free);
}

static char *
key_of (const LvMoveRecord *record)
{
  return g_strdup_printf ("%s/%s", record->uuid, record->disk);
}

gboolean
lv_move_keep (LvLink *link, const LvMoveRecord *record, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *key = key_of (record);
  g_autofree char *text = NULL;
  VirfsHost *host = lv_gate_enter (link->connection);
  gboolean kept;

  if (host == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "the host is gone");
    return FALSE;
  }
  g_key_file_set_string (file, GROUP, "host", link->connection->name);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (MEMBER (record, i) != NULL)
      g_key_file_set_string (file, GROUP, members[i].name, MEMBER (record, i));
  text = g_key_file_to_data (file, NULL, NULL);
  kept = virfs_infra_keep (host->object.infra, VIRFS_RECORD_MOVE, key, text, error);
  lv_gate_leave (link->connection);
  return kept;
}

gboolean
lv_move_keep_phase (LvTask *task, const char *phase, GError **error)
{
  GPtrArray *disks = task->move->disks;

  for (guint i = 0; i < disks->len; i++) {
    LvMoveRecord *record = &((LvMoveDisk *) disks->pdata[i])->record;

    g_free (record->phase);
    record->phase = g_strdup (phase);
    if (!lv_move_keep (task->link, record, error))
      return FALSE;
  }
  return TRUE;
}

void
lv_move_forget (LvLink *link, const LvMoveRecord *record)
{
  g_autofree char *key = key_of (record);
  VirfsHost *host = lv_gate_enter (link->connection);
  g_autoptr (GError) error = NULL;

  if (host == NULL)
    return;
  if (!virfs_infra_forget (host->object.infra, VIRFS_RECORD_MOVE, key, &error))
    g_warning ("the record of a move of %s stays: %s", key, error->message);
  lv_gate_leave (link->connection);
}

typedef struct {
  const char *host;
  GArray *records; /* of LvMoveRecord */
} Search;

static void
add_record (const char *key, const char *text, gpointer data)
{
  Search *search = data;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *host = NULL;
  LvMoveRecord record = { 0 };

  if (!g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
    return;
  host = g_key_file_get_string (file, GROUP, "host", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    MEMBER (&record, i) = g_key_file_get_string (file, GROUP, members[i].name, NULL);
  if (g_strcmp0 (host, search->host) == 0 && record.uuid && record.disk && record.from
      && record.pool && record.volume)
    g_array_append_val (search->records, record);
  else
    lv_move_record_clear (&record);
}

GArray *
lv_move_read_records (LvLink *link)
{
  VirfsHost *host = lv_gate_enter (link->connection);
  Search search = { link->connection->name, g_array_new (FALSE, FALSE, sizeof (LvMoveRecord)) };

  g_array_set_clear_func (search.records, (GDestroyNotify) lv_move_record_clear);
  if (host == NULL)
    return search.records;
  virfs_infra_recall (host->object.infra, VIRFS_RECORD_MOVE, add_record, &search);
  lv_gate_leave (link->connection);
  for (guint i = search.records->len; i > 0; i--) {
    const LvMoveRecord *record = &g_array_index (search.records, LvMoveRecord, i - 1);

    if (lv_move_is_listed (record->uuid, record->disk))
      g_array_remove_index (search.records, i - 1);
  }
  return search.records;
}
