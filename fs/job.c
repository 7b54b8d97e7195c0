/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs/<id>/: an operation that runs or has ended. */
#include "access.h"

#include "text.h"

static void
show_state (const VirfsNode *node, GString *out)
{
  const VirfsJobInfo *info = node->snapshot;

  g_string_append_printf (out, "%s\n", virfs_job_state_name (info->state));
}

/* Values of which -1 says that they are not known. */
static void
show_known (GString *out, gint64 value)
{
  if (value >= 0)
    g_string_append_printf (out, "%" G_GINT64_FORMAT "\n", value);
}

static void
show_progress (const VirfsNode *node, GString *out)
{
  show_known (out, virfs_job_info_percent (node->snapshot));
}

static void
show_eta (const VirfsNode *node, GString *out)
{
  show_known (out, virfs_job_info_eta (node->snapshot));
}

static void
show_total (const VirfsNode *node, GString *out)
{
  const VirfsJobInfo *info = node->snapshot;

  show_known (out, info->total > 0 ? (gint64) info->total : -1);
}

static gboolean
is_over (const VirfsJobInfo *info)
{
  return info->ended != 0;
}

static void
show_ctl (const VirfsNode *node, GString *out)
{
  if (!is_over (node->snapshot))
    g_string_append (out, "cancel\n");
}

static void
store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (!g_str_equal (text, "cancel"))
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "\"%s\" is not a verb; a job knows only: cancel",
                     text);
  else if (is_over (node->snapshot))
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "the job has ended already");
  else {
    virfs_job_cancel (node->object);
    virfs_call_finish (call, NULL);
  }
}

/* Parts. */

static void
show_parent (const VirfsNode *node, GString *out)
{
  VirfsJob *parent = virfs_job_parent (node->object);

  if (parent != NULL)
    g_string_append_printf (out, "%u\n", virfs_job_number (parent));
}

typedef struct {
  VirfsJob *parent;
  GPtrArray *parts;
} Parts;

static void
collect_part (VirfsJob *job, guint number, gpointer data)
{
  Parts *parts = data;

  if (virfs_job_parent (job) == parts->parent)
    g_ptr_array_add (parts->parts, virfs_object_ref (job));
}

static gint
compare_jobs (gconstpointer a, gconstpointer b)
{
  guint p = virfs_job_number (*(VirfsJob *const *) a),
        q = virfs_job_number (*(VirfsJob *const *) b);

  return p < q ? -1 : p > q;
}

static void
show_parts (const VirfsNode *node, GString *out)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (virfs_object_unref);

  virfs_infra_foreach_job (virfs_node_infra (node), collect_part, &(Parts){ node->object, parts });
  g_ptr_array_sort (parts, compare_jobs);
  for (guint i = 0; i < parts->len; i++) {
    g_autoptr (VirfsJobInfo) info = virfs_job_info (parts->pdata[i]);

    g_string_append_printf (out, "%u\t%s\t%d\t", info->number, virfs_job_state_name (info->state),
                            MAX (virfs_job_info_percent (info), 0));
    virfs_text_escape (out, info->object);
    g_string_append_c (out, '\t');
    virfs_text_escape (out, info->operation);
    g_string_append_c (out, '\n');
  }
}

#define F(field)                      VIRFS_BIT (VIRFS_JOB_##field)
#define MEMBER(member)                G_STRUCT_OFFSET (VirfsJobInfo, member)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0550, .fields = F (STATE), .help = "an operation that runs, or has ended" },
  { "operation", S_IFREG | 0440, .fields = SHOW (virfs_show_text, STATE, operation),
    .help = "what is done" },
  { "object", S_IFREG | 0440, .fields = SHOW (virfs_show_text, STATE, object),
    .help = "what it is done to: a path in the tree" },
  { "owner", S_IFREG | 0440, .fields = SHOW (virfs_show_uint, STATE, uid),
    .help = "user ID of the one who asked for it" },
  { "state", S_IFREG | 0440, .fields = F (STATE), .show = show_state,
    .help = "queued, running, done, failed or cancelled" },
  { "started", S_IFREG | 0440, .fields = SHOW (virfs_show_time, STATE, started),
    .help = "when it was asked for" },
  { "ended", S_IFREG | 0440, .fields = SHOW (virfs_show_time, STATE, ended),
    .help = "when it ended" },
  { "progress", S_IFREG | 0440, .fields = F (PROGRESS) | F (STATE), .show = show_progress,
    .help = "how far it is, in percent" },
  { "done", S_IFREG | 0440, .fields = SHOW (virfs_show_u64, PROGRESS, done),
    .help = "bytes that were transferred" },
  { "total", S_IFREG | 0440, .fields = F (PROGRESS), .show = show_total,
    .help = "bytes that there are to transfer, as far as known" },
  { "eta", S_IFREG | 0440, .fields = F (PROGRESS) | F (STATE), .show = show_eta,
    .help = "seconds that it will take still" },
  { "error", S_IFREG | 0440, .fields = SHOW (virfs_show_text, STATE, error),
    .help = "why it failed" },
  { "parent", S_IFREG | 0440, .fields = F (STATE), .show = show_parent,
    .help = "the number of the job that it is a part of" },
  { "parts", S_IFREG | 0440, VIRFS_ROW_MEASURED, .fields = F (PROGRESS), .show = show_parts,
    .help = "its parts, one a line: number, state, percent, object and operation" },
  { "ctl", S_IFREG | 0640, VIRFS_ROW_COMMAND, .fields = F (STATE), .show = show_ctl,
    .store = store_ctl, .help = "write cancel to stop it" },
};

static gconstpointer
snapshot (gpointer object)
{
  return virfs_job_info (object);
}

static void
release (gconstpointer info)
{
  virfs_job_info_free ((VirfsJobInfo *) info);
}

static gint64
changed (const VirfsNode *node, guint64 fields)
{
  const VirfsJobInfo *info = node->snapshot;

  return virfs_latest_change (info->changed, VIRFS_JOB_N_FIELDS, fields);
}

static guint64
parent (const VirfsNode *node)
{
  return virfs_inode (&virfs_root_class, 0, virfs_class_row (&virfs_root_class, "jobs"));
}

VirfsClass virfs_job_class = {
  .path = "jobs/<id>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = parent,
  .unref = virfs_object_unref,
  .snapshot = snapshot,
  .release = release,
  .changed = changed,
  .owner = virfs_access_owner,
};
