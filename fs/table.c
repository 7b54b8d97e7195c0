/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include "text.h"

#include <math.h>
#include <string.h>

typedef struct {
  const char *begin, *row, *between, *end_row, *next_row, *end;
  gboolean header;
  /* One value: NAME is its column; NUMBER: it is one. */
  void (*field) (GString *out, const char *name, const char *value, gboolean number);
} Notation;

struct VirfsTable {
  const Notation *notation;
  const char *const *columns;
  guint n_columns;
  guint column, row; /* of the next value */
  GString *out;
};

static void
tsv_field (GString *out, const char *name, const char *value, gboolean number)
{
  virfs_text_escape (out, value);
}

static void
csv_field (GString *out, const char *name, const char *value, gboolean number)
{
  g_auto (GStrv) parts = NULL;
  g_autofree char *doubled = NULL;

  if (strpbrk (value, ",\"\r\n") == NULL) {
    g_string_append (out, value);
    return;
  }
  parts = g_strsplit (value, "\"", -1);
  doubled = g_strjoinv ("\"\"", parts);
  g_string_append_printf (out, "\"%s\"", doubled);
}

static void
append_json_text (GString *out, const char *value)
{
  g_string_append_c (out, '"');
  for (const char *p = value; *p; p++)
    if (*p == '"' || *p == '\\')
      g_string_append_printf (out, "\\%c", *p);
    else if ((guchar) *p < 0x20 || *p == 0x7f)
      g_string_append_printf (out, "\\u%04x", (guint) *p);
    else
      g_string_append_c (out, *p);
  g_string_append_c (out, '"');
}

static void
json_field (GString *out, const char *name, const char *value, gboolean number)
{
  g_string_append_printf (out, "\"%s\": ", name);
  if (number)
    g_string_append (out, *value ? value : "null");
  else
    append_json_text (out, value);
}

static const Notation notations[VIRFS_TABLE_N_NOTATIONS] = {
  [VIRFS_TABLE_TSV] = { "", "", "\t", "\n", "", "", TRUE, tsv_field },
  [VIRFS_TABLE_CSV] = { "", "", ",", "\r\n", "", "", TRUE, csv_field },
  [VIRFS_TABLE_JSON] = { "[\n", "  { ", ", ", " }", ",\n", "\n]\n", FALSE, json_field },
};

VirfsTable *
virfs_table_new (VirfsTableNotation notation, const char *const *columns)
{
  VirfsTable *table = g_new0 (VirfsTable, 1);

  table->notation = &notations[notation];
  table->columns = columns;
  table->n_columns = g_strv_length ((char **) columns);
  table->out = g_string_new (table->notation->begin);
  for (guint i = 0; table->notation->header && i < table->n_columns; i++)
    g_string_append_printf (table->out, "%s%s", i ? table->notation->between : "", columns[i]);
  if (table->notation->header)
    g_string_append (table->out, table->notation->end_row);
  return table;
}

static void
add (VirfsTable *table, const char *value, gboolean number)
{
  const Notation *notation = table->notation;

  if (table->column > 0)
    g_string_append (table->out, notation->between);
  else
    g_string_append_printf (table->out, "%s%s", table->row ? notation->next_row : "",
                            notation->row);
  notation->field (table->out, table->columns[table->column], value ? value : "", number);
  if (++table->column < table->n_columns)
    return;
  g_string_append (table->out, notation->end_row);
  table->column = 0;
  table->row++;
}

void
virfs_table_add_text (VirfsTable *table, const char *text)
{
  add (table, text, FALSE);
}

void
virfs_table_add_digits (VirfsTable *table, const char *digits)
{
  add (table, digits, TRUE);
}

void
virfs_table_add_number (VirfsTable *table, guint64 number)
{
  char digits[24];

  g_snprintf (digits, sizeof digits, "%" G_GUINT64_FORMAT, number);
  add (table, digits, TRUE);
}

void
virfs_table_add_known (VirfsTable *table, guint64 number)
{
  if (number > 0)
    virfs_table_add_number (table, number);
  else
    add (table, NULL, TRUE);
}

void
virfs_table_add_real (VirfsTable *table, double number, guint decimals)
{
  char format[8], digits[G_ASCII_DTOSTR_BUF_SIZE + 16];

  g_snprintf (format, sizeof format, "%%.%uf", decimals);
  add (table, isnan (number) ? NULL : g_ascii_formatd (digits, sizeof digits, format, number),
       TRUE);
}

void
virfs_table_add_time (VirfsTable *table, gint64 time)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (time > 0)
    virfs_text_append_time (text, time);
  add (table, text->str, FALSE);
}

GString *
virfs_table_end (VirfsTable *table)
{
  GString *out = table->out;

  g_string_append (out, table->notation->end);
  g_free (table);
  return out;
}
