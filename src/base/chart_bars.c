/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bars side by side in segments, and sparklines. */
#include "chart_private.h"

#include <math.h>

#define TOP    32
#define BOTTOM 30
#define ROW    24
#define LABEL  150
#define VALUE  150

static double
sum (const VirfsChartBars *bars, const VirfsChartBar *bar)
{
  double all = 0;

  for (guint i = 0; i < bars->n_segments; i++)
    all += isnan (bar->segments[i]) ? 0 : bar->segments[i];
  return all;
}

static double
greatest (const VirfsChartBars *bars)
{
  double top = 0;

  for (guint i = 0; i < bars->n_bars; i++)
    top = fmax (top, fmax (sum (bars, &bars->bars[i]), bars->bars[i].total));
  return top > 0 ? top : 1;
}

static void
append_box (GString *out, const char *class, double x, double y, double width, double height)
{
  const double numbers[] = { x, y, width, height };
  static const char *const names[] = { "x", "y", "width", "height" };

  g_string_append_printf (out, "<rect class=\"%s\"", class);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    g_string_append_printf (out, " %s=\"", names[i]);
    virfs_chart_append_number (out, numbers[i]);
    g_string_append_c (out, '"');
  }
  g_string_append (out, "/>\n");
}

/* Used of total, in words. */
static void
append_amount (const VirfsChartBars *bars, const VirfsChartBar *bar, GString *out)
{
  virfs_chart_append_value (out, bars->unit, FALSE, sum (bars, bar));
  if (isnan (bar->total) || bars->unit == VIRFS_CHART_PERCENT)
    return;
  g_string_append (out, " of ");
  virfs_chart_append_value (out, bars->unit, FALSE, bar->total);
}

static void
append_bar (const VirfsChartBars *bars, const VirfsChartBar *bar, double y, double scale,
            GString *out)
{
  g_autoptr (GString) amount = g_string_new (NULL);
  double x = LABEL;

  virfs_chart_append_label (out, LABEL - 8, y + 13, "end", bar->label);
  for (guint i = 0; i < bars->n_segments; i++) {
    double width = isnan (bar->segments[i]) ? 0 : bar->segments[i] * scale;
    char class[8];

    g_snprintf (class, sizeof class, "s%u", i % VIRFS_CHART_COLOURS);
    if (width > 0)
      append_box (out, class, x, y + 2, width, ROW - 8);
    x += MAX (width, 0);
  }
  if (!isnan (bar->total))
    append_box (out, "f", LABEL, y + 2, bar->total * scale, ROW - 8);
  append_amount (bars, bar, amount);
  virfs_chart_append_label (out,
                            fmax (x, LABEL + (isnan (bar->total) ? 0 : bar->total * scale)) + 8,
                            y + 13, "start", amount->str);
}

static char *
describe (const VirfsChartBars *bars)
{
  GString *text = g_string_new (bars->description);

  for (guint i = 0; i < bars->n_bars && bars->description == NULL; i++) {
    g_string_append_printf (text, "%s: ", bars->bars[i].label);
    append_amount (bars, &bars->bars[i], text);
    g_string_append (text, ". ");
  }
  return g_strchomp (g_string_free (text, FALSE));
}

void
virfs_chart_append_bars (GString *out, const VirfsChartBars *bars)
{
  guint width = bars->width ? bars->width : 720, height = TOP + ROW * bars->n_bars + BOTTOM;
  double scale = MAX ((double) width - LABEL - VALUE, 1) / greatest (bars);
  g_autofree char *description = describe (bars);

  virfs_chart_begin (out, width, height, bars->title, description);
  g_string_append (out, "<g class=\"t\">");
  virfs_chart_append_label (out, 12, 20, "start", bars->title);
  g_string_append (out, "</g>\n");
  for (guint i = 0; i < bars->n_bars; i++)
    append_bar (bars, &bars->bars[i], TOP + i * ROW, scale, out);
  virfs_chart_append_legend (out, LABEL, height - 10, bars->names, bars->n_segments);
  g_string_append (out, "</svg>\n");
}

/* Sparklines. */

static double
top_of (const double *values, guint n, double top)
{
  if (isnan (top))
    for (guint i = 0; i < n; i++)
      top = fmax (top, values[i]);
  return top > 0 ? top : 1;
}

void
virfs_chart_append_spark (GString *out, const double *values, guint n, double top, guint width,
                          guint height, const char *label)
{
  double max = top_of (values, n, top);
  gboolean joined = FALSE;

  g_string_append_printf (out,
                          "<svg class=\"spark\" role=\"img\" width=\"%u\" height=\"%u\""
                          " viewBox=\"0 0 %u %u\" aria-label=\"",
                          width, height, width, height);
  virfs_chart_append_text (out, label);
  g_string_append (out, "\"><path fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.2\""
                        " stroke-linecap=\"round\" d=\"");
  for (guint i = 0; i < n; i++) {
    if (!isnan (values[i])) {
      gboolean alone = !joined && (i + 1 == n || isnan (values[i + 1]));

      g_string_append_c (out, joined ? 'L' : 'M');
      virfs_chart_append_number (out, 1 + (width - 2.0) * i / MAX (n - 1, 1));
      g_string_append_c (out, ' ');
      virfs_chart_append_number (out,
                                 height - 1 - (height - 2.0) * CLAMP (values[i], 0, max) / max);
      g_string_append (out, alone ? "h0" : "");
    }
    joined = !isnan (values[i]);
  }
  g_string_append (out, "\"/></svg>");
}
