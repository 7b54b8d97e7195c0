/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The audit trail.  Secrets are not in it: neither what files for the owner alone are told, nor a
 * password within a URI, wherever somebody writes one; nor does a reason repeat them.
 */
#include "audit.h"

#include "classes.h"
#include "text.h"

#include <errno.h>
#include <string.h>

/* Bytes of a value that are told. */
#define VALUE_MAX 200
/* Bytes of what is taken for a secret. */
#define SECRET_MIN 4

/* What somebody has written is one value: a password in it may have anything. */
static char *
mask (const char *value)
{
  return value ? virfs_text_mask (value, "\n") : NULL;
}

static void
append_value (GString *details, const char *key, const char *value)
{
  g_autofree char *masked = mask (value);
  char *end;

  if (masked != NULL && strlen (masked) > VALUE_MAX) {
    end = g_utf8_find_prev_char (masked, masked + VALUE_MAX - strlen ("…"));
    strcpy (end, "…");
  }
  virfs_event_append (details, key, masked);
}

GError *
virfs_audit_error (const VirfsDeed *deed, const GError *error)
{
  g_autofree char *shown = deed->secret ? g_strdup ("***") : mask (deed->value);
  g_autoptr (GString) message = NULL;

  /* what is shorter is no secret, but in every sentence */
  if (error == NULL || deed->value == NULL || strlen (deed->value) < SECRET_MIN)
    return error ? g_error_copy (error) : NULL;
  message = g_string_new (error->message);
  g_string_replace (message, deed->value, shown, 0);
  return g_error_new_literal (error->domain, error->code, message->str);
}

void
virfs_audit (VirfsInfra *infra, const VirfsDeed *deed, const GError *error)
{
  g_autoptr (GString) details = g_string_new (NULL);
  gboolean moved = g_str_equal (deed->verb, "rename");
  const char *path = deed->path;

  g_string_append_printf (details, "uid=%u", deed->uid);
  if (moved)
    virfs_event_append (details, "from", deed->path);
  virfs_event_append (details, "to", deed->to);
  append_value (details, "value", deed->secret ? NULL : deed->value);
  append_value (details, "old", deed->old);
  append_value (details, "new", deed->new);
  virfs_event_append (details, "outcome",
                      error ? strerrorname_np (virfs_error_to_errno (error)) : "ok");
  virfs_event_append (details, "reason", error ? error->message : NULL);
  /* what was moved is told of where it is then */
  if (moved && error == NULL && deed->to != NULL)
    path = deed->to;
  virfs_infra_log (infra, *path ? path : "fleet", deed->verb, details->str);
}
