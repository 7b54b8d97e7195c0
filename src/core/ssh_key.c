/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading them.  The key begins with its type once more, which so must be the one before it (RFC 4253 6.6). */
#include "ssh_key.h"

#include "text.h"

#include <string.h>

static gboolean
is_type (const char *word, gsize length)
{
  static const char *const types[] = {
    "ssh-ed25519",
    "ssh-rsa",
    "ssh-dss",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-ed25519-cert-v01@openssh.com",
    "ssh-rsa-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (strlen (types[i]) == length && memcmp (types[i], word, length) == 0)
      return TRUE;
  return FALSE;
}

static const char *
skip_blanks (const char *p)
{
  return p + strspn (p, " \t");
}

/* The end of the word at P; within quotes, as options have, blanks are of it. */
static const char *
end_of_word (const char *p)
{
  gboolean quoted = FALSE;

  for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++)
    if (*p == '\\' && p[1] == '"')
      p++;
    else if (*p == '"')
      quoted = !quoted;
  return p;
}

/* Whether the SIZE bytes of KEY are one of TYPE, and no more than its name. */
static gboolean
is_key (const guchar *key, gsize size, const char *type, gsize length)
{
  return size > 4 + length && key[0] == 0 && key[1] == 0 && (gsize) (key[2] << 8 | key[3]) == length
         && memcmp (key + 4, type, length) == 0;
}

/* Unpadded, as OpenSSH prints it. */
static void
append_fingerprint (GString *out, const guchar *key, gsize size)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;
  g_autofree char *coded = NULL;

  g_checksum_update (sum, key, (gssize) size);
  g_checksum_get_digest (sum, digest, &length);
  coded = g_base64_encode (digest, length);
  coded[strcspn (coded, "=")] = '\0';
  g_string_append_printf (out, "SHA256:%s", coded);
}

char *
virfs_ssh_key_describe (const char *line)
{
  const char *type = skip_blanks (line), *end = end_of_word (type), *coded, *comment;
  g_autofree char *word = NULL, *again = NULL;
  g_autofree guchar *key = NULL;
  gsize size = 0;
  GString *out;

  if (*type != '#' && !is_type (type, (gsize) (end - type))) {
    type = skip_blanks (end);
    end = end_of_word (type);
  }
  coded = skip_blanks (end);
  comment = coded + strcspn (coded, " \t");
  word = g_strndup (coded, (gsize) (comment - coded));
  key = g_base64_decode (word, &size);
  again = g_base64_encode (key, size);
  if (!is_type (type, (gsize) (end - type)) || !g_str_equal (word, again)
      || !is_key (key, size, type, (gsize) (end - type)))
    return NULL;
  out = g_string_new (NULL);
  append_fingerprint (out, key, size);
  comment = skip_blanks (comment);
  if (*comment)
    g_string_append_c (out, ' ');
  virfs_text_escape (out, comment);
  return g_string_free (out, FALSE);
}
