/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines over time.  Where there are more points than it is wide, several share a pixel: of these the band has the
 * extremes, and the line the mean.
 */
#include "chart_private.h"

#include <math.h>
#include <string.h>

#define LEFT   72
#define RIGHT  14
#define TOP    32
#define BOTTOM 26
#define LEGEND 22

/* Where things are on the page. */
typedef struct {
  const VirfsChart *chart;
  double left, top, width, height;
  double max; /* of the axis */
  double tick;
} Plot;

static double
x_of (const Plot *plot, gint64 time)
{
  const VirfsChart *chart = plot->chart;

  return plot->left
         + plot->width * (double) (time - chart->from) / (double) MAX (chart->to - chart->from, 1);
}

static double
y_of (const Plot *plot, double value)
{
  return plot->top + plot->height * (1 - CLAMP (value, 0, plot->max) / plot->max);
}

static void
append_at (const Plot *plot, GString *out, char command, gint64 time, double value)
{
  g_string_append_c (out, command);
  virfs_chart_append_number (out, x_of (plot, time));
  g_string_append_c (out, ' ');
  virfs_chart_append_number (out, y_of (plot, value));
}

static double
greater (double a, double b)
{
  return isnan (a) || b > a ? b : a;
}

static double
greatest (const VirfsChart *chart)
{
  double top = greater (chart->top, chart->limit);

  for (guint i = 0; i < chart->n_lines; i++)
    for (guint j = 0; j < chart->lines[i].n; j++) {
      const VirfsChartPoint *point = &chart->lines[i].points[j];

      top = greater (top, greater (point->value, point->high));
    }
  return top;
}

static Plot
make_plot (const VirfsChart *chart, guint width, guint height)
{
  Plot plot = { .chart = chart, .left = LEFT, .top = TOP };
  gboolean legend = chart->n_lines > 1;
  double top = greatest (chart);

  plot.width = MAX ((double) width - LEFT - RIGHT, 1);
  plot.height = MAX ((double) height - TOP - BOTTOM - (legend ? LEGEND : 0), 1);
  if (!(top > 0))
    top = 1;
  plot.tick = virfs_chart_tick (chart->unit, top, MAX ((guint) (plot.height / 38), 2));
  plot.max = ceil (top / plot.tick - 1e-9) * plot.tick;
  return plot;
}

/* Axes. */

static void
append_rule (GString *out, const char *class, double x1, double y1, double x2, double y2)
{
  g_string_append_printf (out, "<path class=\"%s\" d=\"M", class);
  virfs_chart_append_number (out, x1);
  g_string_append_c (out, ' ');
  virfs_chart_append_number (out, y1);
  g_string_append_c (out, 'L');
  virfs_chart_append_number (out, x2);
  g_string_append_c (out, ' ');
  virfs_chart_append_number (out, y2);
  g_string_append (out, "\"/>\n");
}

static void
append_values (const Plot *plot, GString *out)
{
  guint n = (guint) (plot->max / plot->tick + 0.5);

  for (guint i = 0; i <= n; i++) {
    double value = i * plot->tick, y = y_of (plot, value);
    g_autoptr (GString) label = g_string_new (NULL);

    virfs_chart_append_value (label, plot->chart->unit, plot->chart->per_second, value);
    append_rule (out, "g", plot->left, y, plot->left + plot->width, y);
    virfs_chart_append_label (out, plot->left - 6, y + 4, "end", label->str);
  }
}

static void
append_times (const Plot *plot, GString *out)
{
  const VirfsChart *chart = plot->chart;
  gint64 tick
    = virfs_chart_time_tick (chart->to - chart->from, MAX ((guint) (plot->width / 80), 2));
  double bottom = plot->top + plot->height;

  for (gint64 time = virfs_chart_first_tick (chart->from, tick); time <= chart->to; time += tick) {
    g_autoptr (GString) label = g_string_new (NULL);
    double x = x_of (plot, time);

    virfs_chart_append_time (label, time, tick);
    append_rule (out, "g", x, bottom, x, bottom + 4);
    if (x > plot->left + plot->width - RIGHT) /* it would be cut off */
      virfs_chart_append_label (out, x + RIGHT - 2, bottom + 18, "end", label->str);
    else
      virfs_chart_append_label (out, x, bottom + 18, "middle", label->str);
  }
}

/* Lines. */

/* The number of points from FIRST on that are joined. */
static guint
run_length (const VirfsChartLine *line, guint first)
{
  guint n = first;

  if (isnan (line->points[first].value))
    return 0;
  while (n + 1 < line->n && !isnan (line->points[n + 1].value)
         && (line->gap == 0 || line->points[n + 1].time - line->points[n].time <= line->gap))
    n++;
  return n - first + 1;
}

static void
append_band (const Plot *plot, GString *out, const VirfsChartPoint *points, guint n, guint colour)
{
  if (isnan (points[0].low) || isnan (points[0].high))
    return;
  g_string_append_printf (out, "<path class=\"b s%u\" d=\"", colour);
  for (guint i = 0; i < n; i++)
    append_at (plot, out, i ? 'L' : 'M', points[i].time, points[i].high);
  for (guint i = n; i-- > 0;)
    append_at (plot, out, 'L', points[i].time, points[i].low);
  g_string_append (out, "Z\"/>\n");
}

static void
append_area (const Plot *plot, GString *out, const VirfsChartPoint *points, guint n, guint colour)
{
  g_string_append_printf (out, "<path class=\"a s%u\" d=\"", colour);
  append_at (plot, out, 'M', points[0].time, 0);
  for (guint i = 0; i < n; i++)
    append_at (plot, out, 'L', points[i].time, points[i].value);
  append_at (plot, out, 'L', points[n - 1].time, 0);
  g_string_append (out, "Z\"/>\n");
}

static void
append_run (const Plot *plot, GString *out, const VirfsChartLine *line,
            const VirfsChartPoint *points, guint n, guint colour)
{
  append_band (plot, out, points, n, colour);
  if (line->area)
    append_area (plot, out, points, n, colour);
  g_string_append_printf (out, "<path class=\"l c%u%s\" d=\"", colour, line->dashed ? " d" : "");
  for (guint i = 0; i < n; i++)
    append_at (plot, out, i ? 'L' : 'M', points[i].time, points[i].value);
  /* one alone is a dot */
  g_string_append (out, n == 1 ? "h0\"/>\n" : "\"/>\n");
}

static VirfsChartPoint
join (const VirfsChartPoint *points, guint n)
{
  VirfsChartPoint all = points[0];

  for (guint i = 1; i < n; i++) {
    all.value += points[i].value;
    all.low = MIN (all.low, points[i].low);
    all.high = MAX (all.high, points[i].high);
  }
  all.value /= n;
  return all;
}

/* As many points as there are pixels; the caller owns them. */
static GArray *
thin_out (const Plot *plot, const VirfsChartPoint *points, guint n)
{
  GArray *thin = g_array_new (FALSE, FALSE, sizeof (VirfsChartPoint));

  for (guint i = 0; i < n;) {
    guint end = i + 1;
    VirfsChartPoint joined;

    while (end < n && floor (x_of (plot, points[end].time)) == floor (x_of (plot, points[i].time)))
      end++;
    joined = join (&points[i], end - i);
    g_array_append_val (thin, joined);
    i = end;
  }
  return thin;
}

static void
append_line (const Plot *plot, GString *out, guint number)
{
  const VirfsChartLine *line = &plot->chart->lines[number];

  for (guint i = 0; i < line->n;) {
    guint n = run_length (line, i);
    g_autoptr (GArray) points = NULL;

    if (n > 0) {
      points = thin_out (plot, &line->points[i], n);
      append_run (plot, out, line, (const VirfsChartPoint *) points->data, points->len,
                  number % VIRFS_CHART_COLOURS);
    }
    i += MAX (n, 1);
  }
}

static void
append_limit (const Plot *plot, GString *out)
{
  const VirfsChart *chart = plot->chart;
  double y;

  if (isnan (chart->limit))
    return;
  y = y_of (plot, chart->limit);
  append_rule (out, "m", plot->left, y, plot->left + plot->width, y);
  if (chart->limit_label != NULL)
    virfs_chart_append_label (out, plot->left + plot->width - 4, y + (y - plot->top < 16 ? 14 : -5),
                              "end", chart->limit_label);
}

/* What a line looks like, in words. */
static void
describe_line (const VirfsChart *chart, const VirfsChartLine *line, GString *out)
{
  double least = NAN, most = NAN, last = NAN;

  for (guint i = 0; i < line->n; i++) {
    const VirfsChartPoint *point = &line->points[i];
    double low = isnan (point->low) ? point->value : point->low;

    most = greater (most, greater (point->value, point->high));
    least = isnan (least) || low < least ? low : least;
    last = isnan (point->value) ? last : point->value;
  }
  if (line->label != NULL)
    g_string_append_printf (out, "%s: ", line->label);
  if (isnan (last)) {
    g_string_append (out, "nothing is known. ");
    return;
  }
  virfs_chart_append_value (out, chart->unit, chart->per_second, least);
  g_string_append (out, " to ");
  virfs_chart_append_value (out, chart->unit, chart->per_second, most);
  g_string_append (out, ", last ");
  virfs_chart_append_value (out, chart->unit, chart->per_second, last);
  g_string_append (out, ". ");
}

static char *
describe (const VirfsChart *chart)
{
  GString *text = g_string_new (chart->description);

  for (guint i = 0; i < chart->n_lines && chart->description == NULL; i++)
    describe_line (chart, &chart->lines[i], text);
  return g_strchomp (g_string_free (text, FALSE));
}

static void
append_names (const VirfsChart *chart, double y, GString *out)
{
  g_autofree const char **names = g_new0 (const char *, chart->n_lines);

  for (guint i = 0; i < chart->n_lines; i++)
    names[i] = chart->lines[i].label;
  virfs_chart_append_legend (out, LEFT, y, names, chart->n_lines);
}

static gboolean
is_empty (const VirfsChart *chart)
{
  for (guint i = 0; i < chart->n_lines; i++)
    if (chart->lines[i].n > 0)
      return FALSE;
  return TRUE;
}

void
virfs_chart_append (GString *out, const VirfsChart *chart)
{
  guint width = chart->width ? chart->width : 720, height = chart->height ? chart->height : 240;
  g_autofree char *description = describe (chart);
  Plot plot = make_plot (chart, width, height);

  virfs_chart_begin (out, width, height, chart->title, description);
  g_string_append (out, "<g class=\"t\">");
  virfs_chart_append_label (out, 12, 20, "start", chart->title);
  g_string_append (out, "</g>\n");
  append_values (&plot, out);
  append_times (&plot, out);
  for (guint i = 0; i < chart->n_lines; i++)
    append_line (&plot, out, i);
  append_limit (&plot, out);
  if (is_empty (chart))
    virfs_chart_append_label (out, plot.left + plot.width / 2, plot.top + plot.height / 2, "middle",
                              "nothing is known of this time");
  if (chart->n_lines > 1)
    append_names (chart, height - 8, out);
  g_string_append (out, "</svg>\n");
}
