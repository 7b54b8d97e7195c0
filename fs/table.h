/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables in three notations: values are added one by one, row by row.  A row ends with its last column.
 */
#pragma once

#include <glib.h>

typedef enum {
  VIRFS_TABLE_TSV,  /* names, then values, between tabs; text is escaped (virfs_text_escape()) */
  VIRFS_TABLE_CSV,  /* the same with commas (RFC 4180) */
  VIRFS_TABLE_JSON, /* an array of objects */
  VIRFS_TABLE_N_NOTATIONS,
} VirfsTableNotation;

typedef struct VirfsTable VirfsTable;

/* COLUMNS: their names, NULL behind the last; borrowed until the end. */
VirfsTable *virfs_table_new (VirfsTableNotation notation, const char *const *columns);
/* Text is UTF-8; NULL: nothing. */
void virfs_table_add_text (VirfsTable *table, const char *text);
/* A number that is text already; NULL or "": nothing. */
void virfs_table_add_digits (VirfsTable *table, const char *digits);
void virfs_table_add_number (VirfsTable *table, guint64 number);
/* NAN: nothing. */
void virfs_table_add_real (VirfsTable *table, double number, guint decimals);
void virfs_table_add_known (VirfsTable *table, guint64 number); /* 0: nothing */
void virfs_table_add_time (VirfsTable *table, gint64 time);     /* microseconds; 0: nothing */
/* All of it; the table is no more. */
GString *virfs_table_end (VirfsTable *table);
