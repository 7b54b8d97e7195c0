/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of reports/, for the root's table, and how their files are read (report.c). */
#pragma once

#include "metric_files.h"

/* The row's offset; a table is there in each notation (+ VirfsTableNotation). */
typedef enum {
  VIRFS_REPORT_ATTENTION = VIRFS_FLEET_N_TEXTS,
  VIRFS_REPORT_SPRAWL = VIRFS_REPORT_ATTENTION + VIRFS_TABLE_N_NOTATIONS,
  VIRFS_REPORT_PLACEMENT = VIRFS_REPORT_SPRAWL + VIRFS_TABLE_N_NOTATIONS,
  VIRFS_REPORT_BACKUP = VIRFS_REPORT_PLACEMENT + VIRFS_TABLE_N_NOTATIONS,
  VIRFS_REPORT_ENERGY = VIRFS_REPORT_BACKUP + VIRFS_TABLE_N_NOTATIONS,
  VIRFS_REPORT_COST = VIRFS_REPORT_ENERGY + VIRFS_TABLE_N_NOTATIONS,
  VIRFS_REPORT_PAGE = VIRFS_REPORT_COST + VIRFS_TABLE_N_NOTATIONS,
  VIRFS_REPORT_CAPACITY,
  VIRFS_REPORT_USAGE,
  VIRFS_REPORT_TREND,
  VIRFS_REPORT_END,
} VirfsReport;

gsize virfs_report_size (const VirfsNode *node);
VirfsContent *virfs_report_open (const VirfsNode *node, GError **error);
/* Of those that show what was sampled. */
gboolean virfs_report_await (const VirfsNode *node, void (*ready) (gpointer data), gpointer data);
/* And what was in days and months. */
gboolean virfs_report_await_trends (const VirfsNode *node, void (*ready) (gpointer data),
                                    gpointer data);
/* Of the others. */
gboolean virfs_report_is_ready (const VirfsNode *node, void (*ready) (gpointer data),
                                gpointer data);
/* Whether NODE is a report; then *CHANGED is when something of the fleet last changed or was sampled,
 * microseconds since the epoch. */
gboolean virfs_is_report (const VirfsNode *node, gint64 *changed);

/* clang-format off */
#define VIRFS_REPORT_ROW_(name, report, row_flags, wait, text) \
  { "reports/" name, S_IFREG | 0440, VIRFS_ROW_MEASURED | row_flags, .size = virfs_report_size, \
    .open = virfs_report_open, .offset = VIRFS_REPORT_##report, .await = wait, .help = text }
#define VIRFS_REPORT_TABLE_(name, report, wait, text) \
  VIRFS_REPORT_ROW_ (name ".tsv", report + VIRFS_TABLE_TSV, 0, wait, text), \
  VIRFS_REPORT_ROW_ (name ".csv", report + VIRFS_TABLE_CSV, VIRFS_ROW_UNLISTED, wait, name ".tsv with commas (RFC 4180)"), \
  VIRFS_REPORT_ROW_ (name ".json", report + VIRFS_TABLE_JSON, VIRFS_ROW_UNLISTED, wait, name ".tsv as an array of objects")
#define VIRFS_REPORT_ROWS \
  { "reports", S_IFDIR | 0550, .help = "the whole fleet as a page, pictures and tables, made when read" }, \
  VIRFS_REPORT_ROW_ ("index.html", PAGE, 0, virfs_report_await_trends, "a page for browsers that needs no other file and refreshes itself"), \
  VIRFS_REPORT_ROW_ ("capacity.svg", CAPACITY, 0, virfs_report_is_ready, "how much of their memory and room hosts and pools have used and promised"), \
  VIRFS_REPORT_ROW_ ("usage.svg", USAGE, 0, virfs_report_await_trends, "what the fleet used in the last day"), \
  VIRFS_REPORT_ROW_ ("trend.svg", TREND, 0, virfs_report_await_trends, "memory and storage of the last month, and when they run out"), \
  VIRFS_REPORT_TABLE_ ("attention", ATTENTION, virfs_report_await, "what needs attention, the worst first"), \
  VIRFS_REPORT_TABLE_ ("sprawl", SPRAWL, virfs_report_await, "guests, snapshots and volumes that may be there for nothing"), \
  VIRFS_REPORT_TABLE_ ("placement", PLACEMENT, virfs_report_await, "what hosts have and have promised; the first would be chosen next"), \
  VIRFS_REPORT_TABLE_ ("backup", BACKUP, virfs_report_is_ready, "the last backup of each guest"), \
  VIRFS_REPORT_TABLE_ ("energy", ENERGY, virfs_report_await, "power that hosts take, and the part of each guest"), \
  VIRFS_REPORT_TABLE_ ("cost", COST, virfs_report_await, "what each guest costs a month")
/* clang-format on */
