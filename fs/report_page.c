/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index.html: one file that needs no other, of the template, its style, its scripts and the data.
 *
 * Only this style and these scripts are allowed by the page's own policy, by their checksums; the data is a
 * block that is no script, in which no tag can begin or end.
 */
#include "report_page.h"

#include "page-resources.h"
#include "version.h"

#include <string.h>

#define FOLDER "/virfs/page/"

static const char *const scripts[] = { "elements.js", "charts.js", "guests.js", "page.js", NULL };

static GString *
load (const char *const *names)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *path = g_strconcat (FOLDER, names[i], NULL);
    g_autoptr (GBytes) bytes = g_resource_lookup_data (virfs_page_get_resource (), path,
                                                       G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

    g_string_append_len (text, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
  }
  return text;
}

/* As in the Content Security Policy: 'sha256-…'. */
static void
append_checksum (GString *out, const GString *text)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize size = sizeof digest;
  g_autofree char *encoded = NULL;

  g_checksum_update (sum, (const guchar *) text->str, (gssize) text->len);
  g_checksum_get_digest (sum, digest, &size);
  encoded = g_base64_encode (digest, size);
  g_string_append_printf (out, "'sha256-%s'", encoded);
}

static void
append_policy (GString *out, const GString *style, const GString *script)
{
  g_string_append (out, "default-src 'none'; base-uri 'none'; form-action 'none'; "
                        "connect-src 'self'; img-src data:; style-src ");
  append_checksum (out, style);
  g_string_append (out, "; script-src ");
  append_checksum (out, script);
}

/* What would end the block, or begin another, is written in JSON's other way. */
static void
append_data (GString *out, const VirfsReportFleet *fleet)
{
  g_autoptr (JsonNode) root = virfs_report_json (fleet);
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autofree char *text = NULL;
  const char *rest;

  json_generator_set_root (generator, root);
  rest = text = json_generator_to_data (generator, NULL);
  for (const char *found; (found = strpbrk (rest, "<>&")) != NULL; rest = found + 1) {
    g_string_append_len (out, rest, found - rest);
    g_string_append_printf (out, "\\u%04x", (guint) *found);
  }
  g_string_append (out, rest);
}

GString *
virfs_report_page (const VirfsReportFleet *fleet)
{
  static const char *const page[] = { "page.html", NULL }, *const styles[] = { "page.css", NULL };
  g_autofree char *template = g_string_free (load (page), FALSE);
  g_autoptr (GString) style = load (styles), script = load (scripts);
  GString *out = g_string_new (NULL);
  char *rest = template;

  /* markers are `{{name}}` */
  for (char *mark; (mark = strstr (rest, "{{")) != NULL; rest = strstr (mark, "}}") + 2) {
    g_string_append_len (out, rest, mark - rest);
    if (g_str_has_prefix (mark, "{{policy}}"))
      append_policy (out, style, script);
    else if (g_str_has_prefix (mark, "{{style}}"))
      g_string_append_len (out, style->str, (gssize) style->len);
    else if (g_str_has_prefix (mark, "{{script}}"))
      g_string_append_len (out, script->str, (gssize) script->len);
    else if (g_str_has_prefix (mark, "{{version}}"))
      g_string_append (out, VIRFS_VERSION);
    else
      append_data (out, fleet);
  }
  g_string_append (out, rest);
  return out;
}
