/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The screens of a guest, in its definition. */
#pragma once

#include <glib.h>

/* The elements of those that can have a password, with this one until then (UTC, as libvirt has it); of
 * char*. */
GPtrArray *lv_xml_graphics_with_password (const char *definition, const char *password,
                                          const char *until);
