/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions. */
#pragma once

#include "task.h"

/* Defines, validated where the driver can; NULL: libvirt's last error says why not. */
virDomainPtr lv_define (LvTask *task, virConnectPtr conn, const char *xml);
