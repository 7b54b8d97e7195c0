/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all charts have: the document, its style, texts. */
#include "chart_private.h"

#include <math.h>

/* The colours can be told apart by who does not see red and green alike (after Okabe and Ito), and stand out from
 * white and from black. */
static const char style[]
  = "<style>"
    ".virfs-chart{--ink:#1b1f24;--dim:#57606a;--grid:#d8dee4;--page:#fff;"
    "--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b5588f;--c4:#8a6d00;--c5:#2b8cbe;--c6:#7a4fbf;"
    "--c7:#6e7781;font:12px system-ui,sans-serif;background:var(--page)}"
    "@media(prefers-color-scheme:dark){.virfs-chart{--ink:#e6edf3;--dim:#9da7b1;--grid:#30363d;"
    "--page:#0d1117;--c0:#56b4e9;--c1:#f0883e;--c2:#3fcf9f;--c3:#e09ac4;--c4:#e3c34a;--c5:#8ecbef;"
    "--c6:#b59cf0;--c7:#9da7b1}}"
    ".virfs-chart text{fill:var(--dim)}.virfs-chart "
    ".t text{fill:var(--ink);font-weight:600;font-size:13px}"
    ".virfs-chart .g{stroke:var(--grid);fill:none}.virfs-chart .l{fill:none;stroke-width:1.5;"
    "stroke-linejoin:round;stroke-linecap:round}.virfs-chart .m{stroke:var(--c1);fill:none;"
    "stroke-dasharray:2 3}.virfs-chart .b{opacity:.2;stroke:none}.virfs-chart .a{opacity:.15;"
    "stroke:none}.virfs-chart .d{stroke-dasharray:5 4}.virfs-chart .f{fill:none;stroke:var(--dim)}";

void
virfs_chart_append_text (GString *out, const char *text)
{
  for (const char *p = text; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char_validated (p, -1);

    if (c == (gunichar) -1 || c == (gunichar) -2)
      return;
    if (c == '&')
      g_string_append (out, "&amp;");
    else if (c == '<')
      g_string_append (out, "&lt;");
    else if (c == '>')
      g_string_append (out, "&gt;");
    else if (c == '"')
      g_string_append (out, "&quot;");
    else if (c >= ' ' && c != 0xfffe && c != 0xffff)
      g_string_append_unichar (out, c);
  }
}

void
virfs_chart_append_number (GString *out, double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (number == floor (number))
    g_ascii_formatd (text, sizeof text, "%.0f", number);
  else
    g_ascii_formatd (text, sizeof text, "%.1f", number);
  g_string_append (out, text);
}

void
virfs_chart_begin (GString *out, guint width, guint height, const char *title,
                   const char *description)
{
  g_string_append_printf (
    out,
    "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"virfs-chart\" role=\"img\""
    " width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\">\n<title>",
    width, height, width, height);
  virfs_chart_append_text (out, title);
  g_string_append (out, "</title>\n<desc>");
  virfs_chart_append_text (out, description);
  g_string_append (out, "</desc>\n");
  g_string_append (out, style);
  for (guint i = 0; i < VIRFS_CHART_COLOURS; i++)
    g_string_append_printf (
      out, ".virfs-chart .c%u{stroke:var(--c%u)}.virfs-chart .s%u{fill:var(--c%u)}", i, i, i, i);
  g_string_append (out, "</style>\n"
                        "<rect width=\"100%\" height=\"100%\" style=\"fill:var(--page)\"/>\n");
}

void
virfs_chart_append_label (GString *out, double x, double y, const char *anchor, const char *text)
{
  g_string_append (out, "<text x=\"");
  virfs_chart_append_number (out, x);
  g_string_append (out, "\" y=\"");
  virfs_chart_append_number (out, y);
  g_string_append_printf (out, "\" text-anchor=\"%s\">", anchor);
  virfs_chart_append_text (out, text);
  g_string_append (out, "</text>\n");
}

void
virfs_chart_append_legend (GString *out, double x, double y, const char *const *names, guint n)
{
  for (guint i = 0; i < n; i++) {
    if (names[i] == NULL)
      continue;
    g_string_append_printf (out, "<rect class=\"s%u\" width=\"10\" height=\"10\" rx=\"2\" x=\"",
                            i % VIRFS_CHART_COLOURS);
    virfs_chart_append_number (out, x);
    g_string_append (out, "\" y=\"");
    virfs_chart_append_number (out, y - 9);
    g_string_append (out, "\"/>\n");
    virfs_chart_append_label (out, x + 15, y, "start", names[i]);
    x += 15 + 7.0 * (double) g_utf8_strlen (names[i], -1) + 14;
  }
}
