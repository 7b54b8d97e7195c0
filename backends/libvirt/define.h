/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions. */
#pragma once

#include "task.h"

/* Defines, validated where the driver can; NULL: libvirt's last error says why not. */
virDomainPtr lv_define (LvTask *task, virConnectPtr conn, const char *xml);

/* The whole text of a definition, changed; the caller owns it, NULL: it cannot be. */
typedef char *(*LvEdit) (const char *xml, gconstpointer data);
/* Reads the definition, has it changed and defines it: -1 with libvirt's last error.  For who has taken the
 * guest's turn (operate.h). */
int lv_redefine (LvTask *task, virDomainPtr domain, LvEdit edit, gconstpointer data);
