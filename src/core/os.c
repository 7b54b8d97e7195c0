/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is installed.  Saved it is a line for each thing known: `KEY<tab>FIELD<tab>FIELD…`, each field escaped. */
#include "os.h"

#include "error.h"
#include "text.h"

#include <string.h>

#define MOST_BYTES      (16 * 1024 * 1024)
#define PACKAGES_HEADER "name\tversion\tarch\n"

static const struct {
  const char *key;
  gsize offset;
} texts[] = {
  { "type", G_STRUCT_OFFSET (VirfsOs, type) },
  { "distribution", G_STRUCT_OFFSET (VirfsOs, distribution) },
  { "product", G_STRUCT_OFFSET (VirfsOs, product) },
  { "variant", G_STRUCT_OFFSET (VirfsOs, variant) },
  { "version", G_STRUCT_OFFSET (VirfsOs, version) },
  { "hostname", G_STRUCT_OFFSET (VirfsOs, hostname) },
  { "arch", G_STRUCT_OFFSET (VirfsOs, arch) },
  { "osinfo", G_STRUCT_OFFSET (VirfsOs, osinfo) },
  { "package_format", G_STRUCT_OFFSET (VirfsOs, package_format) },
};

static GRefString **
member (const VirfsOs *os, guint i)
{
  return (GRefString **) ((char *) os + texts[i].offset);
}

/* While it is made. */
typedef struct {
  VirfsOs *os;
  GString *mountpoints, *packages;
} Builder;

static void
add (Builder *builder, const char *key, const char *escaped)
{
  if (g_str_equal (key, "mountpoint"))
    g_string_append_printf (builder->mountpoints, "%s\n", escaped);
  if (g_str_equal (key, "package"))
    g_string_append_printf (builder->packages, "%s\n", escaped);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_str_equal (key, texts[i].key) && *member (builder->os, i) == NULL)
      *member (builder->os, i) = g_ref_string_new (escaped);
}

static Builder
begin (void)
{
  Builder builder = { g_new0 (VirfsOs, 1), g_string_new (NULL), g_string_new (PACKAGES_HEADER) };

  g_atomic_ref_count_init (&builder.os->refs);
  return builder;
}

static VirfsOs *
end (Builder *builder)
{
  if (builder->mountpoints->len > 0)
    builder->os->mountpoints = virfs_blob_new (builder->mountpoints->str);
  if (builder->packages->len > strlen (PACKAGES_HEADER))
    builder->os->packages = virfs_blob_new (builder->packages->str);
  g_string_free (builder->mountpoints, TRUE);
  g_string_free (builder->packages, TRUE);
  return builder->os;
}

static void
escape_fields (GString *out, const char *value)
{
  g_auto (GStrv) fields = g_strsplit (value, "\t", -1);

  for (guint i = 0; fields[i] != NULL; i++) {
    if (i > 0)
      g_string_append_c (out, '\t');
    virfs_text_escape (out, fields[i]);
  }
}

VirfsOs *
virfs_os_new (GPtrArray *pairs, GError **error)
{
  Builder builder = begin ();
  gsize bytes = 0;

  for (guint i = 0; i + 1 < pairs->len && bytes <= MOST_BYTES; i += 2) {
    g_autoptr (GString) escaped = g_string_new (NULL);

    escape_fields (escaped, pairs->pdata[i + 1]);
    add (&builder, pairs->pdata[i], escaped->str);
    bytes += escaped->len;
  }
  if (bytes <= MOST_BYTES)
    return end (&builder);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "it says that more is installed than any system has");
  virfs_os_unref (end (&builder));
  return NULL;
}

VirfsOs *
virfs_os_ref (VirfsOs *os)
{
  g_atomic_ref_count_inc (&os->refs);
  return os;
}

void
virfs_os_unref (VirfsOs *os)
{
  if (os == NULL || !g_atomic_ref_count_dec (&os->refs))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (member (os, i), g_ref_string_release);
  virfs_blob_unref (os->mountpoints);
  virfs_blob_unref (os->packages);
  g_free (os);
}

/* Saving. */

static void
save_lines (GString *out, const char *key, const VirfsBlob *blob, const char *header)
{
  g_autofree char *text = virfs_blob_text (blob);
  g_auto (GStrv) lines = text ? g_strsplit (text + strlen (header), "\n", -1) : NULL;

  for (guint i = 0; lines != NULL && lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      g_string_append_printf (out, "%s\t%s\n", key, lines[i]);
}

char *
virfs_os_save (const VirfsOs *os)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (*member (os, i) != NULL)
      g_string_append_printf (out, "%s\t%s\n", texts[i].key, *member (os, i));
  save_lines (out, "mountpoint", os->mountpoints, "");
  save_lines (out, "package", os->packages, PACKAGES_HEADER);
  return g_string_free (out, FALSE);
}

VirfsOs *
virfs_os_load (const char *text)
{
  Builder builder = begin ();
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    char *tab = strchr (lines[i], '\t');

    if (tab == NULL)
      continue;
    *tab = '\0';
    add (&builder, lines[i], tab + 1);
  }
  return end (&builder);
}
