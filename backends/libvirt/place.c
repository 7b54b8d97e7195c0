/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking apart what a host's URI says of backups. */
#include "place.h"

#include "error.h"

#include <string.h>

/* NBD's own port, and as many as a host will have backups open at a time. */
#define FIRST_PORT 10809
#define N_PORTS    64
/* Names and numbers; without a zone (%eth0), which means something on one machine only. */
#define IN_ADDRESSES G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._:"

void
lv_place_init (LvPlace *place)
{
  *place = (LvPlace){ .port = FIRST_PORT, .n_ports = N_PORTS, .tls = TRUE };
}

void
lv_place_clear (LvPlace *place)
{
  g_free (place->directory);
  g_free (place->listen);
  g_free (place->certificates);
}

gboolean
lv_place_take_directory (LvPlace *place, const char *value, GError **error)
{
  if (!g_path_is_absolute (value)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "backup=/DIRECTORY names a directory of the host, \"%s\" is none", value);
    return FALSE;
  }
  g_free (place->directory);
  place->directory = g_strdup (value);
  return TRUE;
}

/* `PORT` or `PORT-PORT` */
static gboolean
take_ports (LvPlace *place, const char *text)
{
  g_auto (GStrv) ends = g_strsplit (text, "-", 2);
  guint64 first, last;

  if (ends[0] == NULL || !g_ascii_string_to_unsigned (ends[0], 10, 1, G_MAXUINT16, &first, NULL))
    return FALSE;
  last = first;
  if (ends[1] != NULL && !g_ascii_string_to_unsigned (ends[1], 10, first, G_MAXUINT16, &last, NULL))
    return FALSE;
  place->port = (guint) first;
  place->n_ports = (guint) (last - first) + 1;
  return TRUE;
}

/* The address is up to END; an IPv6 address stands in brackets, for its colons. */
static const char *
end_of_address (const char *value)
{
  const char *bracket = *value == '[' ? strchr (value, ']') : NULL;

  return bracket ? bracket + 1 : value + strcspn (value, ":");
}

gboolean
lv_place_take_listen (LvPlace *place, const char *value, GError **error)
{
  const char *end = end_of_address (value);
  gboolean bracketed = *value == '[' && end[-1] == ']';
  const char *from = bracketed ? value + 1 : value;
  gsize length = (gsize) (end - from) - (bracketed ? 1 : 0);

  if (length == 0 || strspn (from, IN_ADDRESSES) < length || (*end != '\0' && *end != ':')
      || (*end == ':' && !take_ports (place, end + 1))) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "backup_listen=ADDRESS, ADDRESS:PORT or ADDRESS:PORT-PORT is wanted, not \"%s\"",
                 value);
    return FALSE;
  }
  g_free (place->listen);
  place->listen = g_strndup (from, length);
  return TRUE;
}

gboolean
lv_place_take_tls (LvPlace *place, const char *value, GError **error)
{
  place->tls = !g_str_equal (value, "0");
  g_clear_pointer (&place->certificates, g_free);
  if (g_path_is_absolute (value))
    place->certificates = g_strdup (value);
  else if (!g_str_equal (value, "0") && !g_str_equal (value, "1")) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "backup_tls=1, 0 or /DIRECTORY with certificates is wanted, not \"%s\"", value);
    return FALSE;
  }
  return TRUE;
}

gboolean
lv_address_is_any (const char *address)
{
  return g_str_equal (address, "0.0.0.0") || g_str_equal (address, "::");
}
