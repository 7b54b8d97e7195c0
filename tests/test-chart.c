/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Charts: numbers for people, ticks, and that what comes out is XML that says what it is to say. */
#include "chart_private.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <math.h>
#include <string.h>

#define MINUTE (G_GINT64_CONSTANT (60) * G_USEC_PER_SEC)
#define DAY    (1440 * MINUTE)

static void
assert_value (VirfsChartUnit unit, gboolean per_second, double value, const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);

  virfs_chart_append_value (out, unit, per_second, value);
  g_assert_cmpstr (out->str, ==, text);
}

static void
test_values (void)
{
  assert_value (VIRFS_CHART_NUMBER, FALSE, 0, "0");
  assert_value (VIRFS_CHART_NUMBER, FALSE, 999, "999");
  assert_value (VIRFS_CHART_NUMBER, FALSE, 1500, "1.50 k");
  assert_value (VIRFS_CHART_BYTES, FALSE, 0, "0 B");
  assert_value (VIRFS_CHART_BYTES, FALSE, 1023.9, "1.00 KiB");
  assert_value (VIRFS_CHART_BYTES, TRUE, 1536, "1.50 KiB/s");
  assert_value (VIRFS_CHART_BYTES, FALSE, 107374182400.0, "100 GiB");
  assert_value (VIRFS_CHART_SECONDS, FALSE, 0, "0 s");
  assert_value (VIRFS_CHART_SECONDS, FALSE, 0.0125, "12.5 ms");
  assert_value (VIRFS_CHART_SECONDS, FALSE, 0.0000015, "1.50 µs");
  assert_value (VIRFS_CHART_SECONDS, FALSE, 7200, "2 h");
  assert_value (VIRFS_CHART_SECONDS, TRUE, 1, "1 s/s");
  assert_value (VIRFS_CHART_PERCENT, FALSE, 7.25, "7.25 %");
  assert_value (VIRFS_CHART_PERCENT, FALSE, 100, "100 %");
  assert_value (VIRFS_CHART_NUMBER, FALSE, NAN, "");
}

static void
test_ticks (void)
{
  g_assert_cmpfloat (virfs_chart_tick (VIRFS_CHART_NUMBER, 10, 5), ==, 2);
  g_assert_cmpfloat (virfs_chart_tick (VIRFS_CHART_PERCENT, 100, 5), ==, 20);
  g_assert_cmpfloat (virfs_chart_tick (VIRFS_CHART_BYTES, 1 << 30, 4), ==, 1 << 28);
  g_assert_cmpfloat (virfs_chart_tick (VIRFS_CHART_BYTES, 3000, 4), ==, 1024);
  g_assert_cmpfloat_with_epsilon (virfs_chart_tick (VIRFS_CHART_SECONDS, 0.004, 4), 0.001, 1e-9);
  g_assert_cmpfloat (virfs_chart_tick (VIRFS_CHART_NUMBER, 0, 4), ==, 1);
  g_assert_cmpint (virfs_chart_time_tick (60 * MINUTE, 6), ==, 10 * MINUTE);
  g_assert_cmpint (virfs_chart_time_tick (DAY, 8), ==, 180 * MINUTE);
  g_assert_cmpint (virfs_chart_time_tick (366 * DAY, 8), ==, 91 * DAY);
  g_assert_cmpint (virfs_chart_first_tick (61 * MINUTE, 60 * MINUTE) % (60 * MINUTE), ==, 0);
}

/* The number of nodes that EXPRESSION finds in TEXT, which must be XML. */
static int
count (const GString *text, const char *expression)
{
  xmlDoc *document = xmlReadMemory (text->str, (int) text->len, "chart.svg", NULL, XML_PARSE_NONET);
  xmlXPathContext *context;
  xmlXPathObject *found;
  int n;

  g_assert_nonnull (document);
  context = xmlXPathNewContext (document);
  xmlXPathRegisterNs (context, (const xmlChar *) "s",
                      (const xmlChar *) "http://www.w3.org/2000/svg");
  found = xmlXPathEvalExpression ((const xmlChar *) expression, context);
  g_assert_nonnull (found);
  n = found->nodesetval ? found->nodesetval->nodeNr : 0;
  xmlXPathFreeObject (found);
  xmlXPathFreeContext (context);
  xmlFreeDoc (document);
  return n;
}

/* N points, a gap of an hour after the first half, and what is not known. */
static void
make_points (VirfsChartPoint *points, guint n)
{
  for (guint i = 0; i < n; i++) {
    double value = 50 + 40 * sin (i / 9.0);

    points[i] = (VirfsChartPoint){ 1000 * DAY + i * 5 * MINUTE + (i >= n / 2 ? 60 * MINUTE : 0),
                                   value, value * 0.8, value * 1.1 };
  }
}

static void
save (const char *name, const GString *text)
{
  const char *directory = g_getenv ("VIRFS_TEST_CHARTS");
  g_autofree char *path = directory ? g_build_filename (directory, name, NULL) : NULL;

  if (path != NULL)
    g_assert_true (g_file_set_contents (path, text->str, (gssize) text->len, NULL));
}

static void
test_lines (void)
{
  VirfsChartPoint points[200];
  VirfsChartLine lines[2]
    = { { .label = "used <&>", .points = points, .n = 200, .gap = 8 * MINUTE, .area = TRUE },
        { .label = "expected", .points = points, .n = 2, .dashed = TRUE } };
  VirfsChart chart = { .title = "a \"title\" & <more>\x01",
                       .unit = VIRFS_CHART_PERCENT,
                       .from = 1000 * DAY,
                       .to = 1001 * DAY,
                       .top = NAN,
                       .limit = 95,
                       .limit_label = "full",
                       .lines = lines,
                       .n_lines = 2 };
  g_autoptr (GString) out = g_string_new (NULL);

  make_points (points, 200);
  virfs_chart_append (out, &chart);
  save ("lines.svg", out);
  g_assert_cmpint (count (out, "/s:svg[@role='img']/s:title[.='a \"title\" & <more>']"), ==, 1);
  g_assert_cmpint (count (out, "//s:desc[contains(., 'used <&>: 8.00 % to 99.0 %, last ')]"), ==, 1);
  g_assert_cmpint (count (out, "//s:path[contains(@class, 'l c0')]"), ==,
                   2); /* one for each side */
  g_assert_cmpint (count (out, "//s:path[@class='b s0']"), ==, 2);
  g_assert_cmpint (count (out, "//s:path[@class='l c1 d']"), ==, 1);
  g_assert_cmpint (count (out, "//s:text[.='100 %']"), ==, 1);
  g_assert_cmpint (count (out, "//s:text[.='full']"), ==, 1);
  g_assert_cmpint (count (out, "//s:text[.='expected']"), ==, 1);
  g_assert_null (strstr (out->str, "nan"));
}

static void
test_empty (void)
{
  VirfsChartPoint point = { DAY, 0, NAN, NAN };
  VirfsChartLine line = { .points = &point };
  VirfsChart chart = { .title = "none",
                       .from = DAY,
                       .to = DAY,
                       .top = NAN,
                       .limit = NAN,
                       .lines = &line,
                       .n_lines = 1,
                       .width = 10,
                       .height = 10 };
  g_autoptr (GString) out = g_string_new (NULL), one = g_string_new (NULL);

  virfs_chart_append (out, &chart);
  g_assert_cmpint (count (out, "//s:text[.='nothing is known of this time']"), ==, 1);
  line.n = 1;
  virfs_chart_append (one, &chart);
  g_assert_cmpint (count (one, "//s:path[contains(@class, 'l c0')]"), ==, 1);
  g_assert_null (strstr (one->str, "nan"));
}

/* A year of samples is no larger than it is wide. */
static void
test_many (void)
{
  g_autofree VirfsChartPoint *points = g_new (VirfsChartPoint, 100000);
  VirfsChartLine line = { .points = points, .n = 100000 };
  VirfsChart chart = { .title = "many",
                       .from = 1000 * DAY,
                       .to = 1348 * DAY,
                       .top = NAN,
                       .limit = NAN,
                       .lines = &line,
                       .n_lines = 1 };
  g_autoptr (GString) out = g_string_new (NULL);

  make_points (points, 100000);
  virfs_chart_append (out, &chart);
  g_assert_cmpuint (out->len, <, 60000);
  g_assert_cmpint (count (out, "//s:path[contains(@class, 'l c0')]"), ==, 1);
}

static void
test_bars (void)
{
  static const double first[] = { 10e9, 5e9 }, second[] = { NAN, 40e9 };
  static const char *const names[] = { "used", "promised" };
  static const VirfsChartBar bars[] = { { "h1", first, 32e9 }, { "h<2>", second, NAN } };
  VirfsChartBars chart = { .title = "memory",
                           .unit = VIRFS_CHART_BYTES,
                           .names = names,
                           .n_segments = 2,
                           .bars = bars,
                           .n_bars = 2 };
  g_autoptr (GString) out = g_string_new (NULL);

  virfs_chart_append_bars (out, &chart);
  save ("bars.svg", out);
  g_assert_cmpint (count (out, "//s:rect[@class='f']"), ==, 1);
  g_assert_cmpint (count (out, "//s:rect[@class='s1' and @width]"), ==, 3); /* with the legend's */
  g_assert_cmpint (count (out, "//s:text[.='14.0 GiB of 29.8 GiB']"), ==, 1);
  g_assert_cmpint (count (out, "//s:text[.='h<2>']"), ==, 1);
}

static void
test_spark (void)
{
  static const double values[] = { NAN, 1, 2, NAN, 4, NAN };
  g_autoptr (GString) out = g_string_new (NULL), none = g_string_new (NULL);

  virfs_chart_append_spark (out, values, G_N_ELEMENTS (values), NAN, 100, 20, "CPU of \"web\"");
  g_assert_nonnull (strstr (out->str, "aria-label=\"CPU of &quot;web&quot;\""));
  g_assert_nonnull (strstr (out->str, "d=\"M20.6 14.5L40.2 10M79.4 1h0\""));
  virfs_chart_append_spark (none, NULL, 0, NAN, 100, 20, "none");
  g_assert_nonnull (strstr (none->str, "d=\"\""));
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chart/values", test_values);
  g_test_add_func ("/chart/ticks", test_ticks);
  g_test_add_func ("/chart/lines", test_lines);
  g_test_add_func ("/chart/empty", test_empty);
  g_test_add_func ("/chart/many", test_many);
  g_test_add_func ("/chart/bars", test_bars);
  g_test_add_func ("/chart/spark", test_spark);
  return g_test_run ();
}
