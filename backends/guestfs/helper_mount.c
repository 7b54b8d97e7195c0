/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file system is where: if an operating system is found, all are mounted as it would; else each in
 * a directory that has the name of its disk or partition.
 */
#include "helper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* File systems that are looked at where there is no operating system. */
#define FILE_SYSTEMS_MAX 256

/* Names. */

char *
helper_device_name (Helper *helper, const char *device)
{
  static const char prefix[] = "/dev/sd";
  g_autofree char *name = NULL;
  guint disk;

  if (g_str_has_prefix (device, prefix) && g_ascii_islower (device[sizeof prefix - 1])
      && !g_ascii_islower (device[sizeof prefix])) {
    disk = device[sizeof prefix - 1] - 'a';
    if (disk < helper->targets->len)
      return g_strconcat (helper->targets->pdata[disk], device + sizeof prefix, NULL);
  }
  name = g_strdup (g_str_has_prefix (device, "/dev/") ? device + strlen ("/dev/") : device);
  return g_strdelimit (g_steal_pointer (&name), "/", '-');
}

static void
add_note (Helper *helper, GPtrArray *notes, const char *device)
{
  g_autofree char *name = helper_device_name (helper, device);
  const char *why = guestfs_last_error (helper->g);

  g_ptr_array_add (notes, g_strdup_printf ("%s is not mounted: %s", name, why ? why : "?"));
}

/* Encryption. */

static gboolean
is_encrypted (Helper *helper, const char *device)
{
  g_autofree char *type = guestfs_vfs_type (helper->g, device);

  return type != NULL && (g_str_equal (type, "crypto_LUKS") || g_str_equal (type, "BitLocker"));
}

/* The first of DEVICES (taken; NULL: none) that is encrypted, by its name; NULL: none. */
static char *
find_encrypted_of (Helper *helper, HelperStrings taken)
{
  g_auto (HelperStrings) devices = taken;

  for (guint i = 0; devices != NULL && devices[i] != NULL; i++)
    if (is_encrypted (helper, devices[i]))
      return helper_device_name (helper, devices[i]);
  return NULL;
}

static char *
find_encrypted (Helper *helper)
{
  char *found = find_encrypted_of (helper, guestfs_list_partitions (helper->g));

  if (found == NULL)
    found = find_encrypted_of (helper, guestfs_list_devices (helper->g));
  return found ? found : find_encrypted_of (helper, guestfs_lvs (helper->g));
}

/* An operating system. */

static gint
compare_lengths (gconstpointer a, gconstpointer b)
{
  return (gint) strlen (*(char *const *) a) - (gint) strlen (*(char *const *) b);
}

/* What lies in others comes after them. */
static gboolean
mount_system (Helper *helper, const char *root, GPtrArray *notes, GError **error)
{
  g_auto (HelperStrings) pairs = guestfs_inspect_get_mountpoints (helper->g, root);
  g_autoptr (GHashTable) devices = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) places = g_ptr_array_new ();

  for (guint i = 0; pairs != NULL && pairs[i] != NULL && pairs[i + 1] != NULL; i += 2) {
    if (g_hash_table_insert (devices, pairs[i], pairs[i + 1]))
      g_ptr_array_add (places, pairs[i]);
  }
  g_ptr_array_sort (places, compare_lengths);
  for (guint i = 0; i < places->len; i++) {
    const char *place = places->pdata[i];
    const char *device = g_hash_table_lookup (devices, place);

    if (guestfs_mount_ro (helper->g, device, place) == 0)
      continue;
    if (g_str_equal (place, "/")) {
      helper_fail_last (helper, error, "the root file system cannot be mounted: ");
      return FALSE;
    }
    add_note (helper, notes, device);
  }
  return places->len > 0;
}

/* File systems on their own. */

static gboolean
mount_one (Helper *helper, const char *device, GPtrArray *notes)
{
  g_autofree char *name = helper_device_name (helper, device);
  g_autofree char *place = g_strconcat ("/", name, NULL);

  if (guestfs_mkmountpoint (helper->g, place) == 0) {
    if (guestfs_mount_ro (helper->g, device, place) == 0)
      return TRUE;
    add_note (helper, notes, device);
    guestfs_rmmountpoint (helper->g, place);
  }
  return FALSE;
}

static gboolean
is_file_system (const char *type)
{
  return !g_str_equal (type, "swap") && !g_str_equal (type, "unknown")
         && !g_str_equal (type, "crypto_LUKS") && !g_str_equal (type, "BitLocker") && *type != '\0';
}

static gboolean
mount_all (Helper *helper, GPtrArray *notes, GError **error)
{
  g_auto (HelperStrings) pairs = guestfs_list_filesystems (helper->g);
  g_autofree char *encrypted = find_encrypted (helper);
  guint mounted = 0, tried = 0;

  if (encrypted != NULL) {
    helper_fail (error, ENOTSUP, "%s is encrypted", encrypted);
    return FALSE;
  }
  for (guint i = 0; pairs != NULL && pairs[i] != NULL && pairs[i + 1] != NULL; i += 2)
    if (is_file_system (pairs[i + 1]) && tried++ < FILE_SYSTEMS_MAX)
      mounted += mount_one (helper, pairs[i], notes);
  if (mounted > 0)
    return TRUE;
  if (notes->len > 0)
    helper_fail (error, EIO, "%s", (char *) notes->pdata[0]);
  else
    helper_fail (error, ENOENT, "there is no file system");
  return FALSE;
}

gboolean
helper_mount (Helper *helper, GPtrArray *notes, GError **error)
{
  g_auto (HelperStrings) roots = guestfs_inspect_os (helper->g);

  if (roots != NULL && roots[0] != NULL)
    return mount_system (helper, roots[0], notes, error);
  return mount_all (helper, notes, error);
}
