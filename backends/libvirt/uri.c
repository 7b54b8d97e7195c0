/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking URIs apart. */
#include "uri.h"

#include "error.h"

#include <libxml/uri.h>
#include <string.h>

static gboolean
is_local (const xmlURI *uri)
{
  return uri->server == NULL || !*uri->server || g_str_has_prefix (uri->server, "localhost")
         || strstr (uri->scheme, "+unix") != NULL;
}

/* `user:password` becomes `user`. */
static void
take_password (LvUri *self, xmlURI *uri)
{
  g_auto (GStrv) parts = uri->user ? g_strsplit (uri->user, ":", 2) : NULL;

  if (parts == NULL || parts[0] == NULL)
    return;
  self->user = g_strdup (parts[0]);
  self->password = g_strdup (parts[1]);
  if (parts[1] != NULL) {
    xmlFree (uri->user);
    uri->user = (char *) xmlStrdup (BAD_CAST parts[0]);
  }
}

static gboolean
take_parameter (LvUri *self, const char *parameter, GError **error)
{
  if (g_str_equal (parameter, "identity=caller")) {
    self->as_caller = TRUE;
    return TRUE;
  }
  if (g_str_has_prefix (parameter, "backup=/")) {
    g_free (self->backup_dir);
    self->backup_dir = g_uri_unescape_string (parameter + strlen ("backup="), NULL);
    return TRUE;
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "\"%s\" is not known; identity=caller asks in the name of who asks,"
               " backup=/DIRECTORY has what backups need",
               parameter);
  return FALSE;
}

static gboolean
is_ours (const char *parameter)
{
  return g_str_has_prefix (parameter, "identity=") || g_str_has_prefix (parameter, "backup=");
}

/* `a=1&identity=caller&b=2` becomes `a=1&b=2`. */
static gboolean
take_parameters (LvUri *self, xmlURI *uri, GError **error)
{
  g_auto (GStrv) parameters = uri->query_raw ? g_strsplit (uri->query_raw, "&", -1) : NULL;
  g_autoptr (GString) rest = g_string_new (NULL);

  for (char **parameter = parameters; parameter && *parameter; parameter++)
    if (!is_ours (*parameter))
      g_string_append_printf (rest, "%s%s", rest->len ? "&" : "", *parameter);
    else if (!take_parameter (self, *parameter, error))
      return FALSE;
  if (self->as_caller || self->backup_dir != NULL) {
    xmlFree (uri->query_raw);
    uri->query_raw = rest->len ? (char *) xmlStrdup (BAD_CAST rest->str) : NULL;
    g_clear_pointer (&uri->query, xmlFree);
  }
  return TRUE;
}

LvUri *
lv_uri_parse (const char *text, GError **error)
{
  xmlURI *uri = xmlParseURI (text);
  g_autoptr (LvUri) self = NULL;
  xmlChar *plain;

  if (uri == NULL || uri->scheme == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a libvirt URI is wanted, as in qemu:///system or qemu+ssh://root@h1/system");
    xmlFreeURI (uri);
    return NULL;
  }
  self = g_new0 (LvUri, 1);
  self->local = is_local (uri);
  take_password (self, uri);
  if (!take_parameters (self, uri, error)) {
    xmlFreeURI (uri);
    return NULL;
  }
  plain = self->password || self->as_caller || self->backup_dir ? xmlSaveUri (uri) : NULL;
  self->plain = g_strdup (plain ? (char *) plain : text);
  xmlFree (plain);
  xmlFreeURI (uri);
  return g_steal_pointer (&self);
}

void
lv_uri_free (LvUri *uri)
{
  if (uri == NULL)
    return;
  g_free (uri->plain);
  g_free (uri->user);
  g_free (uri->password);
  g_free (uri->backup_dir);
  g_free (uri);
}

static int
answer (virConnectCredentialPtr questions, unsigned int n, void *data)
{
  const LvUri *uri = data;

  for (unsigned int i = 0; i < n; i++) {
    gboolean is_name
      = questions[i].type == VIR_CRED_AUTHNAME || questions[i].type == VIR_CRED_USERNAME;
    const char *text = is_name ? uri->user : uri->password;

    if (text == NULL)
      return -1;
    questions[i].result = strdup (text);
    questions[i].resultlen = strlen (text);
  }
  return 0;
}

virConnectAuthPtr
lv_uri_auth (LvUri *uri)
{
  static int kinds[]
    = { VIR_CRED_USERNAME, VIR_CRED_AUTHNAME, VIR_CRED_PASSPHRASE, VIR_CRED_NOECHOPROMPT };

  uri->auth = (virConnectAuth){ kinds, G_N_ELEMENTS (kinds), answer, uri };
  return &uri->auth;
}
