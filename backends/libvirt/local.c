/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt does not tell what a host has mounted.  If it is this machine, the kernel does: what is mounted and
 * swapped to, and which block devices lie on which (sysfs).  Nothing of that waits for a disk.
 */
#include "local.h"

#include "uri.h"

#include <libmount.h>
#include <string.h>
#include <sys/sysmacros.h>

#define SYSFS "/sys/class/block"

typedef struct libmnt_table Table;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Table, mnt_unref_table)

static void
add_name (GPtrArray *names, const char *name)
{
  if (!g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
    g_ptr_array_add (names, g_strdup (name));
}

/* What is in DIRECTORY of the device NAME, as far as it has a file MARK (NULL: all). */
static void
add_listed (GPtrArray *names, const char *name, const char *directory, const char *mark)
{
  g_autofree char *path = g_build_filename (SYSFS, name, directory, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = mark ? g_build_filename (path, entry, mark, NULL) : NULL;

    if (file == NULL || g_file_test (file, G_FILE_TEST_EXISTS))
      add_name (names, entry);
  }
}

/* The disk NAME, its partitions, and what lies on these: LVM, RAID, encryption. */
static GPtrArray *
find_layers (const char *name)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  add_name (names, name);
  for (guint i = 0; i < names->len; i++) {
    add_listed (names, names->pdata[i], ".", "partition");
    add_listed (names, names->pdata[i], "holders", NULL);
  }
  return names;
}

static dev_t
number_of (const char *name)
{
  g_autofree char *path = g_build_filename (SYSFS, name, "dev", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  words = g_strsplit (text, ":", 2);
  return words[0] && words[1] ? makedev ((guint) g_ascii_strtoull (words[0], NULL, 10),
                                         (guint) g_ascii_strtoull (words[1], NULL, 10))
                              : 0;
}

static char *
use_of (Table *mounts, Table *swaps, const char *name)
{
  g_autofree char *path = g_build_filename ("/dev", name, NULL);
  dev_t number = number_of (name);
  struct libmnt_fs *mount = number ? mnt_table_find_devno (mounts, number, MNT_ITER_FORWARD) : NULL;

  if (mount == NULL)
    mount = mnt_table_find_srcpath (mounts, path, MNT_ITER_FORWARD);
  if (mount != NULL)
    return g_strdup_printf ("is mounted at %s", mnt_fs_get_target (mount));
  return mnt_table_find_srcpath (swaps, path, MNT_ITER_FORWARD) ? g_strdup ("it swaps to") : NULL;
}

char *
lv_local_use (const char *node)
{
  g_autofree char *name = g_path_get_basename (node);
  g_autoptr (GPtrArray) layers = find_layers (name);
  g_autoptr (Table) mounts = mnt_new_table_from_file ("/proc/self/mountinfo");
  g_autoptr (Table) swaps = mnt_new_table ();
  char *use = NULL;

  if (mounts == NULL || swaps == NULL)
    return NULL;
  mnt_table_parse_swaps (swaps, NULL);
  for (guint i = 0; i < layers->len && use == NULL; i++)
    use = use_of (mounts, swaps, layers->pdata[i]);
  for (guint i = 0; i < layers->len && use == NULL; i++) {
    g_autoptr (GPtrArray) holders = g_ptr_array_new_with_free_func (g_free);

    add_listed (holders, layers->pdata[i], "holders", NULL);
    if (holders->len > 0)
      use = g_strdup_printf ("has /dev/%s on it", (char *) holders->pdata[0]);
  }
  return use;
}

char *
lv_host_uses (VirfsHost *host, const char *node)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  g_autoptr (LvUri) uri = info->uri ? lv_uri_parse (info->uri, NULL) : NULL;
  gboolean made_up = info->uri && g_str_has_prefix (info->uri, "test:");

  return uri != NULL && uri->local && !made_up ? lv_local_use (node) : NULL;
}
