/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists that networks have, as users write them: addresses, ranges, reservations, names. */
#include "network.h"

#include "device.h"
#include "error.h"
#include "text.h"

#include <arpa/inet.h>
#include <string.h>

#define MEMBER(member) G_STRUCT_OFFSET (VirfsNetworkInfo, member)

/* IP addresses: 4 bytes or 16. */
typedef struct {
  guint8 bytes[16];
  gsize n;
} Address;

static gboolean
read_address (const char *text, Address *address)
{
  gboolean v6 = strchr (text, ':') != NULL;

  memset (address, 0, sizeof *address);
  address->n = v6 ? 16 : 4;
  return inet_pton (v6 ? AF_INET6 : AF_INET, text, address->bytes) == 1;
}

/* ADDRESS/PREFIX. */
static gboolean
read_subnet (const char *text, Address *address, guint *bits)
{
  const char *slash = strchr (text, '/');
  g_autofree char *before = slash ? g_strndup (text, (gsize) (slash - text)) : NULL;
  guint64 prefix;

  if (before == NULL || !read_address (before, address)
      || !g_ascii_string_to_unsigned (slash + 1, 10, 1, address->n * 8, &prefix, NULL))
    return FALSE;
  *bits = (guint) prefix;
  return TRUE;
}

static gboolean
is_in (const Address *address, const Address *subnet, guint bits)
{
  guint whole = bits / 8, rest = bits % 8;

  if (address->n != subnet->n || memcmp (address->bytes, subnet->bytes, whole) != 0)
    return FALSE;
  return rest == 0 || (address->bytes[whole] ^ subnet->bytes[whole]) >> (8 - rest) == 0;
}

int
virfs_network_subnet (const char *addresses, const char *ip)
{
  g_auto (GStrv) lines = g_strsplit (addresses ? addresses : "", "\n", -1);
  Address address, subnet;
  guint bits;

  if (!read_address (ip, &address))
    return -1;
  for (int i = 0; lines[i] != NULL; i++)
    if (read_subnet (lines[i], &subnet, &bits) && is_in (&address, &subnet, bits))
      return i;
  return -1;
}

/* Lines: each takes its words, and says what it wants instead. */

static gboolean
is_ip (const char *text)
{
  Address address;

  return read_address (text, &address);
}

static gboolean
is_name (const char *text)
{
  return (g_ascii_isalnum (*text) || *text == '_') && strlen (text) <= 253
         && text[strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._")] == '\0';
}

/* Pairs of hexadecimal digits with colons. */
static gboolean
is_duid (const char *text)
{
  return strchr (text, ':') != NULL && strlen (text) <= 390
         && text[strspn (text, G_CSET_DIGITS "abcdefABCDEF:")] == '\0';
}

static gboolean
is_tag (const char *text)
{
  guint64 tag;

  return g_ascii_string_to_unsigned (text, 10, 0, 4095, &tag, NULL);
}

static gboolean
check_address (char **words, guint n)
{
  Address address;
  guint bits;

  return n == 1 && read_subnet (words[0], &address, &bits);
}

static gboolean
check_range (char **words, guint n)
{
  Address first, last;

  return n == 2 && read_address (words[0], &first) && read_address (words[1], &last)
         && first.n == last.n && memcmp (first.bytes, last.bytes, first.n) <= 0;
}

static gboolean
check_reservation (char **words, guint n)
{
  gboolean none = n > 0 && strcmp (words[0], "-") == 0;
  gboolean v6 = n > 1 && strchr (words[1], ':') != NULL;

  if (n < 2 || n > 3 || (n == 3 && !is_name (words[2])))
    return FALSE;
  if (strcmp (words[1], "-") == 0) /* any address, but this name */
    return n == 3 && virfs_mac_is_valid (words[0]);
  if (!is_ip (words[1]))
    return FALSE;
  if (none) /* then the name tells whose it is */
    return n == 3;
  return v6 ? is_duid (words[0]) : virfs_mac_is_valid (words[0]);
}

static gboolean
check_names (char **words, guint n)
{
  for (guint i = 1; i < n; i++)
    if (!is_name (words[i]))
      return FALSE;
  return n >= 2 && is_ip (words[0]);
}

static gboolean
check_tags (char **words, guint n)
{
  for (guint i = 0; i < n; i++)
    if (!is_tag (words[i]))
      return FALSE;
  return TRUE;
}

static gboolean
check_portgroup (char **words, guint n)
{
  gboolean is_default = n > 1 && strcmp (words[n - 1], "default") == 0;

  return is_name (words[0]) && check_tags (words + 1, n - 1 - is_default);
}

/* Interfaces of the host. */
static gboolean
check_devices (char **words, guint n)
{
  static const char letters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._:@";

  for (guint i = 0; i < n; i++)
    if (strlen (words[i]) > 15 || words[i][strspn (words[i], letters)] != '\0')
      return FALSE;
  return TRUE;
}

static gboolean
check_device (char **words, guint n)
{
  return n == 1 && check_devices (words, n);
}

static gboolean
check_domain (char **words, guint n)
{
  return n == 1 && is_name (words[0]);
}

static const struct {
  gsize member;
  gboolean (*check) (char **words, guint n);
  gboolean lines;     /* else it is one */
  const char *unique; /* numbers of words that no other line has */
  const char *wanted;
} rows[] = {
  { MEMBER (address), check_address, TRUE, "",
    "an address with its prefix, as in 192.168.150.1/24" },
  { MEMBER (dhcp), check_range, TRUE, "",
    "the first and the last address of a range, as in 192.168.150.10 192.168.150.99" },
  { MEMBER (hosts), check_reservation, TRUE, "01",
    "MAC, IP and maybe a name, as in 52:54:00:12:34:56 192.168.150.5 web (in IPv6 a DUID for the"
    " MAC; - for none)" },
  { MEMBER (dns), check_names, TRUE, "0", "an IP and its names, as in 192.168.150.5 web www" },
  { MEMBER (portgroups), check_portgroup, TRUE, "0",
    "a name, its VLAN tags and maybe the word default, as in office 10 20 default" },
  { MEMBER (vlan), check_tags, FALSE, "", "VLAN tags, numbers up to 4095" },
  { MEMBER (dev), check_devices, FALSE, "", "names of interfaces of the host, as in eth0" },
  { MEMBER (bridge), check_device, FALSE,
    "the name of a bridge, as in br0: 15 characters at most" },
  { MEMBER (domain), check_domain, FALSE, "", "a domain of names, as in lab.example" },
};

/* The words of LINE with one space between them; the caller owns it, NULL if there are none. */
static char *
tidy (const char *line, char ***words)
{
  g_auto (GStrv) raw = g_strsplit_set (line, " \t", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();

  for (char **word = raw; *word; word++)
    if (**word != '\0')
      g_ptr_array_add (kept, *word);
  if (kept->len == 0)
    return NULL;
  g_ptr_array_add (kept, NULL);
  *words = g_strdupv ((char **) kept->pdata);
  return g_strjoinv (" ", *words);
}

static gboolean
check_unique (guint row, char **words, GPtrArray *kept, GError **error)
{
  for (guint i = 0; i < kept->len; i++) {
    g_auto (GStrv) other = g_strsplit (kept->pdata[i], " ", -1);

    for (const char *n = rows[row].unique; *n; n++)
      if (strcmp (words[*n - '0'], "-") != 0
          && g_ascii_strcasecmp (words[*n - '0'], other[*n - '0']) == 0) {
        g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "two lines have %s", words[*n - '0']);
        return FALSE;
      }
  }
  return TRUE;
}

static gboolean
take_line (guint row, const char *line, GPtrArray *kept, GError **error)
{
  g_auto (GStrv) words = NULL;
  g_autofree char *tidied = tidy (line, &words);

  if (tidied == NULL)
    return TRUE;
  if (!rows[row].check (words, g_strv_length (words))) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "\"%s\" is not right here: write %s",
                 tidied, rows[row].wanted);
    return FALSE;
  }
  if (g_ptr_array_find_with_equal_func (kept, tidied, g_str_equal, NULL))
    return TRUE;
  if (!check_unique (row, words, kept, error))
    return FALSE;
  g_ptr_array_add (kept, g_steal_pointer (&tidied));
  return TRUE;
}

char *
virfs_network_parse (gsize member, const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_free);
  guint row = 0;

  while (row < G_N_ELEMENTS (rows) - 1 && rows[row].member != member)
    row++;
  for (char **line = lines; *line; line++)
    if (!take_line (row, *line, kept, error))
      return NULL;
  g_ptr_array_add (kept, NULL);
  return g_strjoinv (rows[row].lines ? "\n" : " ", (char **) kept->pdata);
}
