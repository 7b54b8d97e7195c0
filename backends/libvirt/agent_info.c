/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What virDomainGetGuestInfo() tells, as texts.  It is what somebody in the guest likes to say: lists and
 * words are bounded, and words escaped.
 */
#include "agent.h"

#include "text.h"

#include <string.h>

/* Items of a list, and bytes of a word, at most. */
#define MOST_ITEMS 256
#define MOST_BYTES 1024

typedef LvParams Params;

static const char *
string_of (const Params *params, const char *key)
{
  const char *value = NULL;

  return virTypedParamsGetString (params->items, params->n, key, &value) == 1 ? value : NULL;
}

static gboolean
number_of (const Params *params, const char *key, unsigned long long *value)
{
  return virTypedParamsGetULLong (params->items, params->n, key, value) == 1;
}

static guint
count_of (const Params *params, const char *key)
{
  unsigned int n = 0;

  virTypedParamsGetUInt (params->items, params->n, key, &n);
  return MIN (n, MOST_ITEMS);
}

/* The key of item I of a list, as in `fs.0.name`; the caller owns it. */
static char *
key_of (const char *list, guint i, const char *what)
{
  return g_strdup_printf ("%s.%u.%s", list, i, what);
}

static const char *
string_in (const Params *params, const char *list, guint i, const char *what)
{
  g_autofree char *key = key_of (list, i, what);

  return string_of (params, key);
}

static gboolean
number_in (const Params *params, const char *list, guint i, const char *what,
           unsigned long long *value)
{
  g_autofree char *key = key_of (list, i, what);

  return number_of (params, key, value);
}

static void
append_bounded (GString *out, const char *value)
{
  g_autofree char *bounded = g_strndup (value, MOST_BYTES);

  virfs_text_escape (out, bounded);
}

/* A word among others: with its spaces escaped, and `-` for none. */
static void
append_word (GString *out, const char *value)
{
  gsize start = out->len;

  append_bounded (out, value && *value ? value : "-");
  for (gsize i = start; i < out->len; i++)
    if (out->str[i] == ' ') {
      g_string_erase (out, (gssize) i, 1);
      g_string_insert (out, (gssize) i, "\\x20");
    }
}

static void
append_number (GString *out, gboolean known, unsigned long long value)
{
  if (known)
    g_string_append_printf (out, " %llu", value);
  else
    g_string_append (out, " -");
}

/* What is in LINES, which is emptied; NULL: nothing. */
static GRefString *
take_lines (GString *lines)
{
  GRefString *text = lines->len ? g_ref_string_new (lines->str) : NULL;

  g_string_truncate (lines, 0);
  return text;
}

static void
append_os (const Params *params, GString *out)
{
  static const char *const keys[]
    = { "id",      "name",       "pretty-name", "version",        "version-id",
        "variant", "variant-id", "machine",     "kernel-release", "kernel-version" };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autofree char *key = g_strconcat ("os.", keys[i], NULL);
    const char *value = string_of (params, key);

    if (value == NULL || *value == '\0')
      continue;
    g_string_append (out, g_strdelimit (key + strlen ("os."), "-", '_'));
    g_string_append_c (out, ' ');
    append_bounded (out, value);
    g_string_append_c (out, '\n');
  }
}

static void
append_users (const Params *params, GString *out)
{
  guint n = count_of (params, "user.count");

  for (guint i = 0; i < n; i++) {
    const char *domain = string_in (params, "user", i, "domain");
    unsigned long long login; /* milliseconds */

    if (domain != NULL && *domain) {
      append_word (out, domain);
      g_string_append (out, "\\\\");
    }
    append_word (out, string_in (params, "user", i, "name"));
    g_string_append_c (out, ' ');
    if (number_in (params, "user", i, "login-time", &login) && login < G_MAXINT64 / 1000)
      virfs_text_append_time (out, (gint64) login * 1000);
    else
      g_string_append_c (out, '-');
    g_string_append_c (out, '\n');
  }
}

static void
append_filesystems (const Params *params, GString *out)
{
  static const char *const words[] = { "mountpoint", "name", "fstype" };
  static const char *const numbers[] = { "total-bytes", "used-bytes" };
  guint n = count_of (params, "fs.count");

  for (guint i = 0; i < n; i++) {
    for (guint j = 0; j < G_N_ELEMENTS (words); j++) {
      if (j > 0)
        g_string_append_c (out, ' ');
      append_word (out, string_in (params, "fs", i, words[j]));
    }
    for (guint j = 0; j < G_N_ELEMENTS (numbers); j++) {
      unsigned long long value = 0;
      gboolean known = number_in (params, "fs", i, numbers[j], &value);

      append_number (out, known, value);
    }
    g_string_append_c (out, '\n');
  }
}

static void
append_address (const Params *params, guint i, guint j, GString *out)
{
  g_autofree char *addr = g_strdup_printf ("if.%u.addr.%u.addr", i, j);
  g_autofree char *prefix = g_strdup_printf ("if.%u.addr.%u.prefix", i, j);
  unsigned int bits = 0;

  append_word (out, string_in (params, "if", i, "name"));
  g_string_append_c (out, ' ');
  append_word (out, string_in (params, "if", i, "hwaddr"));
  g_string_append_c (out, ' ');
  append_word (out, string_of (params, addr));
  if (virTypedParamsGetUInt (params->items, params->n, prefix, &bits) == 1)
    g_string_append_printf (out, "/%u", bits);
  g_string_append_c (out, '\n');
}

static void
append_addresses (const Params *params, GString *out)
{
  guint n = count_of (params, "if.count"), left = MOST_ITEMS;

  for (guint i = 0; i < n; i++) {
    g_autofree char *key = key_of ("if", i, "addr.count");
    guint addresses = MIN (count_of (params, key), left);

    for (guint j = 0; j < addresses; j++)
      append_address (params, i, j, out);
    left -= addresses;
  }
}

static GRefString *
take_string (const Params *params, const char *key)
{
  const char *value = string_of (params, key);
  g_autofree char *bounded = value && *value ? g_strndup (value, MOST_BYTES) : NULL;

  return bounded ? g_ref_string_new (bounded) : NULL;
}

VirfsAgentInfo *
lv_agent_info_read (LvParams *params)
{
  VirfsAgentInfo *info = virfs_agent_info_new ();
  g_autoptr (GString) lines = g_string_new (NULL);

  info->hostname = take_string (params, "hostname");
  info->timezone = take_string (params, "timezone.name");
  append_os (params, lines);
  info->os = take_lines (lines);
  append_users (params, lines);
  info->users = take_lines (lines);
  append_filesystems (params, lines);
  info->filesystems = take_lines (lines);
  append_addresses (params, lines);
  info->addresses = take_lines (lines);
  return info;
}
