/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of index.html: report_page.c puts it together of the files in fs/page, report_json.c has the data. */
#pragma once

#include "report.h"

#include <json-glib/json-glib.h>

/* The caller owns it. */
JsonNode *virfs_report_json (const VirfsReportFleet *fleet);
/* Adds `alarms` (report_alarms.c). */
void virfs_report_add_alarms (JsonBuilder *json, const VirfsReportFleet *fleet);
