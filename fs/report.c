/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files in reports/. */
#include "report.h"

#include "report_files.h"
#include "report_trend.h"

G_STATIC_ASSERT (VIRFS_REPORT_END <= VIRFS_METRICS_N_TEXTS);

/* The table that WHICH is in some notation. */
static const struct {
  guint which;
  VirfsReportTable make;
} tables[] = {
  { VIRFS_REPORT_ATTENTION, virfs_report_attention }, { VIRFS_REPORT_SPRAWL, virfs_report_sprawl },
  { VIRFS_REPORT_PLACEMENT, virfs_report_placement }, { VIRFS_REPORT_BACKUP, virfs_report_backup },
  { VIRFS_REPORT_ENERGY, virfs_report_energy },       { VIRFS_REPORT_COST, virfs_report_cost },
};

static const struct {
  guint which;
  GString *(*make) (const VirfsReportFleet *fleet);
} pictures[] = {
  { VIRFS_REPORT_PAGE, virfs_report_page },
  { VIRFS_REPORT_CAPACITY, virfs_report_capacity },
  { VIRFS_REPORT_USAGE, virfs_report_usage },
  { VIRFS_REPORT_TREND, virfs_report_trends },
};

static GString *
make_text (VirfsInfra *infra, guint which)
{
  g_autoptr (VirfsReportFleet) fleet = virfs_report_fleet_new (infra);

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    if (which - tables[i].which < VIRFS_TABLE_N_NOTATIONS)
      return tables[i].make (fleet, which - tables[i].which);
  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++)
    if (which == pictures[i].which)
      return pictures[i].make (fleet);
  g_return_val_if_reached (g_string_new (NULL));
}

static VirfsMetrics *
metrics_of (const VirfsNode *node)
{
  return virfs_infra_metrics (virfs_node_infra (node));
}

static GBytes *
text_of (const VirfsNode *node, gboolean open)
{
  return virfs_metrics_text (metrics_of (node), (guint) node->row->offset, open, make_text);
}

gsize
virfs_report_size (const VirfsNode *node)
{
  g_autoptr (GBytes) text = text_of (node, FALSE);

  return g_bytes_get_size (text);
}

VirfsContent *
virfs_report_open (const VirfsNode *node, GError **error)
{
  return virfs_content_new_bytes (text_of (node, TRUE));
}

gboolean
virfs_report_await (const VirfsNode *node, void (*ready) (gpointer data), gpointer data)
{
  return virfs_metrics_await (metrics_of (node), NULL, ready, data);
}

typedef struct {
  VirfsInfra *infra;
  void (*ready) (gpointer data);
  gpointer data;
} Then;

/* Samples are there: now for what they were. */
static void
then_trends (gpointer data)
{
  g_autofree Then *then = data;

  if (virfs_trend_await (then->infra, then->ready, then->data))
    then->ready (then->data);
}

gboolean
virfs_report_await_trends (const VirfsNode *node, void (*ready) (gpointer data), gpointer data)
{
  Then *then = g_new (Then, 1);

  *then = (Then){ virfs_node_infra (node), ready, data };
  if (!virfs_metrics_await (metrics_of (node), NULL, then_trends, then))
    return FALSE;
  g_free (then);
  return virfs_trend_await (virfs_node_infra (node), ready, data);
}

gboolean
virfs_report_is_ready (const VirfsNode *node, void (*ready) (gpointer data), gpointer data)
{
  return TRUE;
}

gboolean
virfs_is_report (const VirfsNode *node, gint64 *changed)
{
  if (node->row->open != virfs_report_open)
    return FALSE;
  *changed = MAX (virfs_metrics_changed (metrics_of (node)),
                  virfs_infra_changed (virfs_node_infra (node), ~G_GUINT64_CONSTANT (0)));
  return TRUE;
}
