/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The screens of a guest, in its definition. */
#pragma once

#include <glib.h>

/* Adds the elements of those of TYPE, vnc or spice, with this password until then (UTC, as libvirt has it), to
 * ELEMENTS; of char*. */
void lv_xml_graphics_with_password (GPtrArray *elements, const char *definition, const char *type,
                                    const char *password, const char *until);
