/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and times on axes. */
#include "chart_private.h"

#include <math.h>

#define SECOND G_GINT64_CONSTANT (1000000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

/* Values. */

static void
append_digits (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  double size = fabs (value);
  const char *format = size >= 99.95 || value == floor (value) ? "%.0f"
                       : size >= 9.995                         ? "%.1f"
                                                               : "%.2f";

  g_string_append (out, g_ascii_formatd (text, sizeof text, format, value));
}

static void
append_scaled (GString *out, double value, double base, const char *const *units)
{
  guint i = 0;

  while (units[i + 1] != NULL && fabs (value) >= base * 0.9995) {
    value /= base;
    i++;
  }
  append_digits (out, value);
  if (*units[i] != '\0')
    g_string_append_printf (out, " %s", units[i]);
}

static void
append_seconds (GString *out, double value, gboolean per_second)
{
  static const char *const small[] = { "ns", "µs", "ms", "s", NULL };
  static const struct {
    double length;
    const char *unit;
  } large[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" } };

  for (guint i = 0; i < G_N_ELEMENTS (large) && !per_second; i++)
    if (fabs (value) >= 2 * large[i].length) {
      append_digits (out, value / large[i].length);
      g_string_append_printf (out, " %s", large[i].unit);
      return;
    }
  if (value == 0)
    g_string_append (out, "0 s");
  else if (fabs (value) >= 1)
    append_scaled (out, value, G_MAXDOUBLE, &small[3]);
  else
    append_scaled (out, value * 1e9, 1000, small);
}

void
virfs_chart_append_value (GString *out, VirfsChartUnit unit, gboolean per_second, double value)
{
  static const char *const decimal[] = { "", "k", "M", "G", "T", "P", NULL };
  static const char *const binary[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL };

  if (isnan (value))
    return;
  switch (unit) {
  case VIRFS_CHART_BYTES:
    append_scaled (out, value, 1024, binary);
    break;
  case VIRFS_CHART_SECONDS:
    append_seconds (out, value, per_second);
    break;
  case VIRFS_CHART_PERCENT:
    append_digits (out, value);
    g_string_append (out, " %");
    break;
  default:
    append_scaled (out, value, 1000, decimal);
  }
  if (per_second)
    g_string_append (out, "/s");
}

double
virfs_chart_tick (VirfsChartUnit unit, double top, guint wanted)
{
  static const double steps[] = { 1, 2, 5, 10 };
  double least = top / wanted, base;

  if (!(least > 0) || isinf (least))
    return 1;
  if (unit == VIRFS_CHART_BYTES && least >= 1)
    return exp2 (ceil (log2 (least)));
  base = pow (10, floor (log10 (least)));
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (steps[i] * base >= least * 0.9999)
      return steps[i] * base;
  return 10 * base;
}

/* Time. */

gint64
virfs_chart_time_tick (gint64 length, guint wanted)
{
  static const gint64 ticks[] = {
    1 * SECOND, 5 * SECOND, 15 * SECOND, 60 * SECOND, 300 * SECOND, 600 * SECOND, 1800 * SECOND,
    HOUR,       2 * HOUR,   3 * HOUR,    6 * HOUR,    12 * HOUR,    DAY,          2 * DAY,
    7 * DAY,    14 * DAY,   30 * DAY,    91 * DAY,    365 * DAY,
  };
  guint i = 0;

  while (i + 1 < G_N_ELEMENTS (ticks) && ticks[i] * wanted < length)
    i++;
  return ticks[i];
}

static GDateTime *
local_time (gint64 time)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (time / SECOND);

  return g_date_time_to_local (utc);
}

gint64
virfs_chart_first_tick (gint64 from, gint64 tick)
{
  g_autoptr (GDateTime) local = local_time (from);
  gint64 offset = g_date_time_get_utc_offset (local);
  gint64 shifted = from + offset + tick - 1;

  return shifted - shifted % tick - offset;
}

void
virfs_chart_append_time (GString *out, gint64 time, gint64 tick)
{
  g_autoptr (GDateTime) local = local_time (time);
  const char *format = tick < 60 * SECOND ? "%H:%M:%S"
                       : tick < DAY       ? "%H:%M"
                       : tick < 300 * DAY ? "%e %b"
                                          : "%Y";
  g_autofree char *text = g_date_time_format (local, format);

  if (tick < DAY && tick >= 6 * HOUR && g_date_time_get_hour (local) == 0) {
    g_clear_pointer (&text, g_free);
    text = g_date_time_format (local, "%e %b");
  }
  g_string_append (out, g_strstrip (text));
}
