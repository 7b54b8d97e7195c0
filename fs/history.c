/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history/: its directories and files. */
#include "history_files.h"

#include "error.h"

#include <string.h>

static VirfsHistory *
history_of (const VirfsNode *node)
{
  return virfs_infra_history (virfs_node_infra (node));
}

static VirfsRange
range_of (const VirfsNode *node)
{
  return (VirfsRange) ((node->id >> VIRFS_ID_BITS) - 1);
}

/* Files. */

static gboolean
await (const VirfsNode *node, void (*ready) (gpointer data), gpointer data)
{
  return virfs_history_await (history_of (node), node->object, (guint) node->row->offset,
                              range_of (node), ready, data);
}

static VirfsSeries *
series_of (const VirfsNode *node)
{
  return virfs_history_series (history_of (node), node->object, (guint) node->row->offset,
                               range_of (node));
}

/* SERIES may be NULL: then there is nothing to be shown. */
static GString *
make_text (const VirfsNode *node, const VirfsSeries *series, gboolean picture)
{
  const VirfsMetricSet *set = virfs_history_set_of (node->object);
  guint index = (guint) node->row->offset;
  GString *text = g_string_new (NULL);

  if (picture) {
    g_autofree char *path = virfs_object_path (node->object);

    virfs_history_append_svg (text, set, index, path, range_of (node), series);
  } else {
    virfs_history_append_tsv (text, set, index, series);
  }
  return text;
}

static gsize
size_of (const VirfsNode *node, gboolean picture)
{
  g_autoptr (VirfsSeries) series = series_of (node);
  g_autoptr (GString) text = make_text (node, series, picture);

  return text->len;
}

/* Where there is a history, nothing to be shown means that it could not be read. */
static VirfsContent *
open_text (const VirfsNode *node, gboolean picture, GError **error)
{
  g_autoptr (VirfsSeries) series = series_of (node);

  if (series == NULL && virfs_history_is_on (history_of (node))) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED,
                 "what is stored cannot be read: virfs says why in its log");
    return NULL;
  }
  return virfs_content_new_bytes (g_string_free_to_bytes (make_text (node, series, picture)));
}

static gsize
tsv_size (const VirfsNode *node)
{
  return size_of (node, FALSE);
}

static gsize
svg_size (const VirfsNode *node)
{
  return size_of (node, TRUE);
}

static VirfsContent *
tsv_open (const VirfsNode *node, GError **error)
{
  return open_text (node, FALSE, error);
}

static VirfsContent *
svg_open (const VirfsNode *node, GError **error)
{
  return open_text (node, TRUE, error);
}

/* Tables: the directory of a range, and a row for each notation of each metric. */

/* Of the object's owner these directories, which are not listed, are not told: nothing of them is cached. */
/* clang-format off */
#define DIR_ROW { "", S_IFDIR | 0550, VIRFS_ROW_MEASURED, .help = "each metric as a table (tsv) and a picture (svg)" },
#define FILE_ROW(name, index, notation, text) \
  { name "." #notation, S_IFREG | 0440, VIRFS_ROW_MEASURED | VIRFS_ROW_AWAITED, \
    .size = notation##_size, .open = notation##_open, .offset = index, .await = await, .help = text },
#define ROWS(name, index, text) FILE_ROW (name, index, tsv, text) FILE_ROW (name, index, svg, text)

#define VM_ROW(id, name, type, unit, help) ROWS (name, VIRFS_VM_METRIC_##id, help)
#define DISK_ROW(id, name, type, unit, help) ROWS ("disk_" name, VIRFS_VM_METRIC_DISK_##id, help)
#define NIC_ROW(id, name, type, unit, help) ROWS ("net_" name, VIRFS_VM_METRIC_NET_##id, help)
#define VM_RATE_ROW(id, name, unit, counter, per, help) ROWS (name, VIRFS_VM_N_METRICS + VIRFS_VM_RATE_##id, help)
#define HOST_ROW(id, name, type, unit, help) ROWS (name, VIRFS_HOST_METRIC_##id, help)
#define HOST_RATE_ROW(id, name, unit, counter, per, help) ROWS (name, VIRFS_HOST_N_METRICS + VIRFS_HOST_RATE_##id, help)
#define POOL_ROW(id, name, type, unit, help) ROWS (name, VIRFS_POOL_METRIC_##id, help)

static const VirfsRow vm_rows[] = {
  DIR_ROW VIRFS_VM_OWN_METRICS (VM_ROW) VIRFS_DISK_METRICS (DISK_ROW) VIRFS_NIC_METRICS (NIC_ROW)
  VIRFS_VM_RATES (VM_RATE_ROW)
};
static const VirfsRow host_rows[] = {
  DIR_ROW VIRFS_HOST_METRICS (HOST_ROW) VIRFS_HOST_RATES (HOST_RATE_ROW)
};
static const VirfsRow pool_rows[] = { DIR_ROW VIRFS_POOL_METRICS (POOL_ROW) };
/* clang-format on */

/* Classes: all that is not theirs is the object's. */

static const char *
directory_of (gconstpointer object)
{
  return ((const VirfsObject *) object)->kind == VIRFS_KIND_POOL ? "history" : "metrics/history";
}

static VirfsNode
node_of_object (const VirfsNode *node)
{
  VirfsNode own = *node;

  own.class = virfs_class_of (node->object);
  own.row = own.class->rows;
  own.id = node->id & (VIRFS_BIT (VIRFS_ID_BITS) - 1);
  return own;
}

static gint64
changed (const VirfsNode *node, guint64 fields)
{
  VirfsNode own = node_of_object (node);
  gint64 sampled = node->row->await ? virfs_history_changed (history_of (node), node->object) : 0;

  return sampled ? sampled : own.class->changed (&own, own.row->fields);
}

static void
owner (const VirfsNode *node, VirfsOwner *of_it)
{
  VirfsNode own = node_of_object (node);

  own.class->owner (&own, of_it);
}

static guint64
parent (const VirfsNode *node)
{
  return virfs_inode_at (virfs_class_of (node->object), node->object, directory_of (node->object));
}

static gconstpointer
vm_snapshot (gpointer object)
{
  return virfs_vm_info (object);
}

static gconstpointer
host_snapshot (gpointer object)
{
  return virfs_host_info (object);
}

static gconstpointer
pool_snapshot (gpointer object)
{
  return virfs_part_info (object);
}

static void
release_vm (gconstpointer info)
{
  virfs_vm_info_unref ((VirfsVmInfo *) info);
}

static void
release_host (gconstpointer info)
{
  virfs_host_info_unref ((VirfsHostInfo *) info);
}

#define CLASS(kind, where, release_info)                                                           \
  static VirfsClass kind##_class = {                                                               \
    .path = where "history/<range>",                                                               \
    .rows = kind##_rows,                                                                           \
    .n_rows = G_N_ELEMENTS (kind##_rows),                                                          \
    .parent = parent,                                                                              \
    .unref = virfs_object_unref,                                                                   \
    .snapshot = kind##_snapshot,                                                                   \
    .release = release_info,                                                                       \
    .changed = changed,                                                                            \
    .owner = owner,                                                                                \
  }

CLASS (vm, "vms/<vm>/metrics/", release_vm);
CLASS (host, "hosts/<host>/metrics/", release_host);
CLASS (pool, "hosts/<host>/pools/<pool>/", virfs_part_info_unref);

void
virfs_history_init (void)
{
  virfs_class_init (&vm_class);
  virfs_class_init (&host_class);
  virfs_class_init (&pool_class);
}

const VirfsClass *
virfs_history_class (gconstpointer object, guint number)
{
  if (number == 0 || number > VIRFS_N_RANGES)
    return NULL;
  switch (((const VirfsObject *) object)->kind) {
  case VIRFS_KIND_VM:
    return &vm_class;
  case VIRFS_KIND_HOST:
    return &host_class;
  case VIRFS_KIND_POOL:
    return &pool_class;
  default:
    return NULL;
  }
}

char *
virfs_history_path (const VirfsNode *node)
{
  g_autofree char *object = virfs_object_path (node->object);

  return g_build_filename (object, directory_of (node->object), virfs_range_name (range_of (node)),
                           *node->row->path ? node->row->path : NULL, NULL);
}

/* The directory of ranges. */

static void
list_ranges (const VirfsNode *dir, VirfsListing *listing)
{
}

static guint64
find_range (const VirfsNode *dir, const char *name)
{
  for (guint i = 0; i < VIRFS_N_RANGES; i++) {
    const VirfsClass *class = virfs_history_class (dir->object, i + 1);

    if (g_str_equal (name, virfs_range_name ((VirfsRange) i)))
      return virfs_inode (class, dir->id | (guint64) (i + 1) << VIRFS_ID_BITS, class->rows);
  }
  return 0;
}

const VirfsDir virfs_history_dir = { .list = list_ranges, .find = find_range };

void
virfs_show_history_readme (const VirfsNode *node, GString *out)
{
  const VirfsMetricSet *set = virfs_history_set_of (node->object);
  gsize start;

  g_string_append (
    out, "hour, day, week, month and year are directories here that are not listed, so\n"
         "that no walk goes through them.  In each there are, of each of these metrics,\n"
         "a table (METRIC.tsv: time in seconds since 1970, mean, min, max) and a picture\n"
         "(METRIC.svg).\n");
  start = out->len;
  for (guint i = 0; i < set->n + set->n_rates; i++) {
    const char *name = virfs_metric_name (set, i);

    if (i == 0 || out->len - start + strlen (name) > 78) {
      g_string_append (out, "\n   ");
      start = out->len - 3;
    }
    g_string_append_printf (out, " %s", name);
  }
  g_string_append_c (out, '\n');
}
