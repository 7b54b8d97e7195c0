/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is installed: of the first operating system that is found. */
#include "helper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PART_BYTES (256 * 1024)

typedef struct guestfs_application2_list Applications;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Applications, guestfs_free_application2_list)

static void
put_pair (GByteArray *out, const char *key, const char *value)
{
  g_autofree char *bounded = g_strndup (value, VIRFS_WIRE_TEXT_MAX);

  virfs_wire_put_text (out, key);
  virfs_wire_put_text (out, bounded);
}

static const struct {
  const char *key;
  char *(*get) (guestfs_h *g, const char *root);
} texts[] = {
  { "type", guestfs_inspect_get_type },
  { "distribution", guestfs_inspect_get_distro },
  { "product", guestfs_inspect_get_product_name },
  { "variant", guestfs_inspect_get_product_variant },
  { "hostname", guestfs_inspect_get_hostname },
  { "arch", guestfs_inspect_get_arch },
  { "package_format", guestfs_inspect_get_package_format },
  { "osinfo", guestfs_inspect_get_osinfo },
};

static void
put_version (Helper *helper, const char *root, GByteArray *out)
{
  int major = guestfs_inspect_get_major_version (helper->g, root);
  int minor = guestfs_inspect_get_minor_version (helper->g, root);
  g_autofree char *version = g_strdup_printf ("%d.%d", major, minor);

  if (major > 0 || minor > 0)
    put_pair (out, "version", version);
}

static void
put_mountpoints (Helper *helper, const char *root, GByteArray *out)
{
  g_auto (HelperStrings) pairs = guestfs_inspect_get_mountpoints (helper->g, root);

  for (guint i = 0; pairs != NULL && pairs[i] != NULL && pairs[i + 1] != NULL; i += 2) {
    g_autofree char *name = helper_device_name (helper, pairs[i + 1]);
    g_autofree char *line = g_strdup_printf ("%s\t%s", pairs[i], name);

    put_pair (out, "mountpoint", line);
  }
}

/* name, version, architecture */
static void
put_packages (Helper *helper, const char *root, GByteArray *out)
{
  g_autoptr (Applications) list = guestfs_inspect_list_applications2 (helper->g, root);

  for (guint i = 0; list != NULL && i < list->len; i++) {
    const struct guestfs_application2 *app = &list->val[i];
    g_autofree char *epoch = app->app2_epoch > 0 ? g_strdup_printf ("%d:", app->app2_epoch) : NULL;
    g_autofree char *line
      = g_strdup_printf ("%s\t%s%s%s%s\t%s", app->app2_name, epoch ? epoch : "", app->app2_version,
                         *app->app2_release ? "-" : "", app->app2_release, app->app2_arch);

    put_pair (out, "package", line);
    if (out->len > PART_BYTES)
      helper_more (helper, out);
  }
}

gboolean
helper_inspect (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error)
{
  g_auto (HelperStrings) roots = guestfs_inspect_get_roots (helper->g);

  if (roots == NULL || roots[0] == NULL) {
    helper_fail (error, ENOENT, "no operating system was found");
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree char *value = texts[i].get (helper->g, roots[0]);

    if (value != NULL && !g_str_equal (value, "unknown"))
      put_pair (out, texts[i].key, value);
  }
  put_version (helper, roots[0], out);
  put_mountpoints (helper, roots[0], out);
  put_packages (helper, roots[0], out);
  return TRUE;
}
