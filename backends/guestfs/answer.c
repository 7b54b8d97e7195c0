/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the helper says of files.  It is not believed: see virfs_wire_is_name() and fix(). */
#include "guest_tree.h"

#include <dirent.h>
#include <string.h>

/* No directory that means well has as many entries. */
#define ENTRIES_MAX (4 * 1024 * 1024)

gboolean
virfs_answer_add_names (const GByteArray *answer, VirfsNames *names)
{
  VirfsWireReader in = virfs_wire_reader (answer);

  while (!in.bad && in.at < in.end && names->entries->len < ENTRIES_MAX) {
    g_autofree char *name = virfs_wire_get_text (&in, VIRFS_WIRE_NAME_MAX);
    VirfsFilesEntry entry = { NULL, virfs_wire_get_u64 (&in), virfs_wire_get_u32 (&in) };

    if (name == NULL || !virfs_wire_is_name (name))
      return FALSE;
    g_string_append_len (names->names, name, strlen (name) + 1);
    g_array_append_val (names->entries, entry);
  }
  return virfs_wire_at_end (&in);
}

/* Attributes. */

static struct timespec
get_time (VirfsWireReader *in)
{
  gint64 seconds = virfs_wire_get_u64 (in);
  guint64 nanoseconds = virfs_wire_get_u64 (in);

  return (struct timespec){ seconds, nanoseconds % 1000000000 };
}

/* The kernel would not take these. */
static void
fix (struct stat *st)
{
  st->st_mode &= S_IFMT | 07777;
  if (st->st_size < 0)
    st->st_size = 0;
  if (st->st_blocks < 0)
    st->st_blocks = 0;
  if (st->st_nlink == 0)
    st->st_nlink = 1;
}

static gboolean
is_type (mode_t mode)
{
  return S_ISREG (mode) || S_ISDIR (mode) || S_ISLNK (mode) || S_ISCHR (mode) || S_ISBLK (mode)
         || S_ISFIFO (mode) || S_ISSOCK (mode);
}

static VirfsFilesInfo *
get_info (VirfsWireReader *in)
{
  VirfsFilesInfo *info = g_new0 (VirfsFilesInfo, 1);
  struct stat *st = &info->st;
  g_autofree char *target = NULL;

  st->st_dev = virfs_wire_get_u64 (in);
  st->st_ino = virfs_wire_get_u64 (in);
  st->st_mode = virfs_wire_get_u64 (in);
  st->st_nlink = virfs_wire_get_u64 (in);
  st->st_uid = virfs_wire_get_u64 (in);
  st->st_gid = virfs_wire_get_u64 (in);
  st->st_rdev = virfs_wire_get_u64 (in);
  st->st_size = virfs_wire_get_u64 (in);
  st->st_blksize = virfs_wire_get_u64 (in);
  st->st_blocks = virfs_wire_get_u64 (in);
  st->st_atim = get_time (in);
  st->st_mtim = get_time (in);
  st->st_ctim = get_time (in);
  target = virfs_wire_get_text (in, VIRFS_WIRE_TEXT_MAX);
  fix (st);
  if (S_ISLNK (st->st_mode))
    info->target = g_steal_pointer (&target);
  if (in->bad || !is_type (st->st_mode))
    g_clear_pointer (&info, virfs_info_free);
  return info;
}

void
virfs_info_free (gpointer data)
{
  VirfsFilesInfo *info = data;

  if (info != NULL)
    g_free ((char *) info->target);
  g_free (info);
}

gboolean
virfs_answer_get_infos (const GByteArray *answer, gpointer *infos, guint n)
{
  VirfsWireReader in = virfs_wire_reader (answer);

  for (guint i = 0; i < n && !in.bad; i++)
    if (virfs_wire_get_u32 (&in))
      infos[i] = get_info (&in);
  return virfs_wire_at_end (&in);
}

/* Extended attributes. */

static GHashTable *
get_table (VirfsWireReader *in)
{
  GHashTable *table
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  guint32 n = virfs_wire_get_count (in, 8);

  for (guint32 i = 0; i < n && !in->bad; i++) {
    g_autofree char *name = virfs_wire_get_text (in, VIRFS_WIRE_NAME_MAX);
    gsize length;
    const guint8 *value = virfs_wire_get_bytes (in, VIRFS_WIRE_VALUE_MAX, &length);

    if (name != NULL && *name != '\0' && !in->bad)
      g_hash_table_insert (table, g_steal_pointer (&name), g_bytes_new (value, length));
  }
  return table;
}

gboolean
virfs_answer_get_xattrs (const GByteArray *answer, gpointer *tables, guint *from, guint n)
{
  VirfsWireReader in = virfs_wire_reader (answer);

  while (*from < n && !in.bad && in.at < in.end)
    tables[(*from)++] = get_table (&in);
  return virfs_wire_at_end (&in);
}
