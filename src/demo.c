/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The embedded fleet.  libvirt's test driver reads its description from a file only. */
#include "demo.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

static const char *const names[] = { "h1", "h2", "h3" };

static char *
file_of (const char *directory, const char *name)
{
  return g_strdup_printf ("%s/%s.xml", directory, name);
}

char *
virfs_demo_prepare (VirfsConfig *config, GError **error)
{
  g_autofree char *directory = g_dir_make_tmp ("virfs-demo-XXXXXX", error);

  for (guint i = 0; directory && i < G_N_ELEMENTS (names); i++) {
    g_autofree char *resource = g_strdup_printf ("/virfs/demo/%s.xml", names[i]);
    g_autofree char *file = file_of (directory, names[i]);
    g_autofree char *uri = g_strdup_printf ("test://%s", file);
    g_autoptr (GBytes) xml
      = g_resources_lookup_data (resource, G_RESOURCE_LOOKUP_FLAGS_NONE, error);

    if (xml == NULL
        || !g_file_set_contents (file, g_bytes_get_data (xml, NULL), g_bytes_get_size (xml),
                                 error)) {
      virfs_demo_clean (directory);
      return NULL;
    }
    virfs_config_add_host (config, names[i], uri);
  }
  return g_steal_pointer (&directory);
}

void
virfs_demo_clean (const char *directory)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *file = file_of (directory, names[i]);

    g_unlink (file);
  }
  g_rmdir (directory);
}
