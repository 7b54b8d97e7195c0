/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network filters of a host (filter.c); what is done to them is in operate.h. */
#pragma once

#include "link.h"

/* Looks which there are and tells it.  They have no events. */
void lv_filters_poll (LvLink *link, virConnectPtr conn);
