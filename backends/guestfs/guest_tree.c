/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a tree of a guest's files. */
#include "guest_tree.h"

#include "error.h"
#include "slots.h"

#include <errno.h>

/* Who reads a tree pauses between two questions for less than this. */
#define PAUSE (30 * G_TIME_SPAN_SECOND)
/* How long to wait for an appliance: longer than a pause. */
#define WAIT (90 * G_TIME_SPAN_SECOND)

#ifndef VIRFS_GUESTFS_HELPER
#error "where the helper is installed"
#endif

/* Beside the program, as in a build tree, or where it is installed; the caller owns it. */
static char *
find_helper (void)
{
  static const char *const places[] = { "virfs-guestfs", "backends/guestfs/virfs-guestfs" };
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *directory = program ? g_path_get_dirname (program) : NULL;

  for (guint i = 0; directory != NULL && i < G_N_ELEMENTS (places); i++) {
    g_autofree char *helper = g_build_filename (directory, places[i], NULL);

    if (g_file_test (helper, G_FILE_TEST_IS_EXECUTABLE))
      return g_steal_pointer (&helper);
  }
  return g_strdup (VIRFS_GUESTFS_HELPER);
}

void
virfs_guestfs_init (const VirfsGuestfsOptions *options)
{
  g_autofree char *helper = options->helper ? g_strdup (options->helper) : find_helper ();

  virfs_slots_init (options->appliances ? options->appliances : VIRFS_GUESTFS_APPLIANCES, PAUSE,
                    WAIT);
  virfs_appliance_init (helper, options->idle ? options->idle : VIRFS_GUESTFS_IDLE);
}

/* Its end. */

static void
free_tree (VirfsFiles *files)
{
  Tree *tree = (Tree *) files;

  virfs_appliance_free (tree->appliance);
  g_hash_table_unref (tree->directories);
  g_hash_table_unref (tree->pieces);
  g_mutex_clear (&tree->lock);
  g_free (tree);
}

typedef struct {
  Tree *tree;
  VirfsFilesStopped stopped;
  gpointer data;
} Stop;

static void
stopped (gpointer data)
{
  g_autofree Stop *stop = data;

  stop->stopped (stop->data);
  virfs_files_unref (&stop->tree->files);
}

static void
stop_tree (VirfsFiles *files, VirfsFilesStopped done, gpointer data)
{
  Stop *stop = g_new (Stop, 1);

  *stop = (Stop){ (Tree *) virfs_files_ref (files), done, data };
  virfs_appliance_stop (stop->tree->appliance, stopped, stop);
}

/* Its beginning. */

static const VirfsFilesClass files_class = {
  .list = virfs_tree_list,
  .find = virfs_tree_find,
  .xattrs = virfs_tree_xattrs,
  .open = virfs_tree_open,
  .inspect = virfs_tree_inspect,
  .stop = stop_tree,
  .free = free_tree,
};

/* It has been started, for the first time or again. */
static void
up (const GError *error, GPtrArray *notes, gpointer data)
{
  Tree *tree = data;

  if (error != NULL && tree->opened != NULL)
    g_steal_pointer (&tree->opened) (error, NULL, NULL, tree->opened_data);
  else if (error != NULL)
    g_message ("files of a guest: %s", error->message);
  else if (tree->opened != NULL)
    tree->notes = g_ptr_array_ref (notes);
}

static void
root_answered (int number, GByteArray *answer, gboolean more, gpointer data)
{
  Tree *tree = data;
  VirfsFilesOpened opened = g_steal_pointer (&tree->opened);
  g_autoptr (GError) error = NULL;
  gpointer root = NULL;

  if (number == 0 && !virfs_answer_get_infos (answer, &root, 1))
    number = EIO;
  if (root == NULL)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "its root cannot be read: %s",
                 g_strerror (number ? number : ENOENT));
  if (opened != NULL)
    opened (error, root, tree->notes, tree->opened_data);
  virfs_info_free (root);
  g_clear_pointer (&tree->notes, g_ptr_array_unref);
  virfs_files_unref (&tree->files);
}

static void
ask_root (Tree *tree)
{
  GByteArray *payload = g_byte_array_new ();

  virfs_wire_put_text (payload, "/");
  virfs_wire_put_u32 (payload, 1);
  virfs_wire_put_text (payload, ".");
  virfs_files_ref (&tree->files);
  virfs_appliance_ask (tree->appliance, VIRFS_WIRE_STATS, payload, TRUE, root_answered, tree);
}

VirfsFiles *
virfs_guestfs_open (GPtrArray *disks, VirfsFilesOpened done, gpointer data)
{
  Tree *tree = g_new0 (Tree, 1);

  tree->files.class = &files_class;
  g_atomic_ref_count_init (&tree->files.refs);
  tree->opened = done;
  tree->opened_data = data;
  g_mutex_init (&tree->lock);
  tree->directories = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, virfs_directory_free);
  tree->pieces = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, virfs_piece_free);
  tree->appliance = virfs_appliance_new (disks, up, tree);
  ask_root (tree);
  return &tree->files;
}

int
virfs_guestfs_pid (VirfsFiles *files)
{
  return virfs_appliance_pid (((Tree *) files)->appliance);
}
