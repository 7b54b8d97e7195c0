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
take_identity (LvUri *self, const char *value, GError **error)
{
  self->as_caller = g_str_equal (value, "caller");
  if (self->as_caller)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "\"identity=%s\" is not known; identity=caller asks in the name of who asks", value);
  return FALSE;
}

static gboolean
take_images (LvUri *self, const char *value, GError **error)
{
  self->streams = g_str_equal (value, "stream");
  if (self->streams)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "\"images=%s\" is not known; images=stream has images read and written by libvirt",
               value);
  return FALSE;
}

static gboolean
take_backup (LvUri *self, const char *value, GError **error)
{
  return lv_place_take_directory (&self->place, value, error);
}

static gboolean
take_backup_listen (LvUri *self, const char *value, GError **error)
{
  return lv_place_take_listen (&self->place, value, error);
}

static gboolean
take_backup_tls (LvUri *self, const char *value, GError **error)
{
  return lv_place_take_tls (&self->place, value, error);
}

static const struct {
  const char *name; /* with what separates it from its value */
  gboolean (*take) (LvUri *self, const char *value, GError **error);
} parameters[] = {
  { "identity=", take_identity },
  { "images=", take_images },
  { "backup=", take_backup },
  { "backup_listen=", take_backup_listen },
  { "backup_tls=", take_backup_tls },
};

/* *OURS: it is not for libvirt. */
static gboolean
take_parameter (LvUri *self, const char *parameter, gboolean *ours, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++)
    if (g_str_has_prefix (parameter, parameters[i].name)) {
      g_autofree char *value
        = g_uri_unescape_string (parameter + strlen (parameters[i].name), NULL);

      *ours = TRUE;
      return parameters[i].take (self, value ? value : "", error);
    }
  *ours = FALSE;
  return TRUE;
}

/* `…?a=1&identity=caller&b=2` becomes `…?a=1&b=2`; what is ours may hold what no URI may, as brackets.  The
 * caller owns it; NULL with ERROR. */
static char *
take_parameters (LvUri *self, const char *text, GError **error)
{
  const char *mark = strchr (text, '?');
  g_auto (GStrv) list = mark ? g_strsplit (mark + 1, "&", -1) : NULL;
  GString *rest = g_string_new_len (text, mark ? mark - text : -1);
  char separator = '?';

  for (char **parameter = list; parameter && *parameter; parameter++) {
    gboolean ours;

    if (!take_parameter (self, *parameter, &ours, error)) {
      g_string_free (rest, TRUE);
      return NULL;
    }
    if (ours)
      continue;
    g_string_append_printf (rest, "%c%s", separator, *parameter);
    separator = '&';
  }
  return g_string_free (rest, FALSE);
}

LvUri *
lv_uri_parse (const char *text, GError **error)
{
  g_autoptr (LvUri) self = g_new0 (LvUri, 1);
  xmlChar *plain;
  xmlURI *uri;

  lv_place_init (&self->place);
  self->plain = take_parameters (self, text, error);
  if (self->plain == NULL)
    return NULL;
  uri = xmlParseURI (self->plain);
  if (uri == NULL || uri->scheme == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a libvirt URI is wanted, as in qemu:///system or qemu+ssh://root@h1/system");
    xmlFreeURI (uri);
    return NULL;
  }
  self->local = is_local (uri);
  self->host = uri->server && *uri->server ? g_strdup (uri->server) : NULL;
  take_password (self, uri);
  if (self->password != NULL) {
    plain = xmlSaveUri (uri);
    g_free (self->plain);
    self->plain = g_strdup ((char *) plain);
    xmlFree (plain);
  }
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
  g_free (uri->host);
  lv_place_clear (&uri->place);
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
