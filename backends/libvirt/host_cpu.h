/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CPUs a host can give to guests, and what is common to those of the fleet. */
#pragma once

#include "link.h"

/* Looks what of that is not known yet; asks the host only then. */
void lv_cpu_poll (LvLink *link, virConnectPtr conn);
