/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where backups are served to us, and where what they set aside is: parameters of a host's URI. */
#pragma once

#include <glib.h>

typedef struct {
  char *directory; /* on the host, for what is set aside and sockets; NULL: libvirt's own places */
  char *listen;    /* address of the host that QEMU listens on; NULL: a socket */
  guint port;      /* the first of its ports */
  guint n_ports;
  gboolean tls;
  char *certificates; /* a directory here; NULL: the system's */
} LvPlace;

void lv_place_init (LvPlace *place);
void lv_place_clear (LvPlace *place);
/* Take what the parameter of that name says: a directory, ADDRESS[:PORT[-PORT]], 0, 1 or a
 * directory.  FALSE: INVALID. */
gboolean lv_place_take_directory (LvPlace *place, const char *value, GError **error);
gboolean lv_place_take_listen (LvPlace *place, const char *value, GError **error);
gboolean lv_place_take_tls (LvPlace *place, const char *value, GError **error);
/* Whether that stands for all addresses of a host. */
gboolean lv_address_is_any (const char *address);
