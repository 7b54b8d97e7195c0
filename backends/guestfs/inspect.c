/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking what is installed. */
#include "guest_tree.h"

#include "error.h"

#include <errno.h>

/* Keys and values; no guest has as many packages. */
#define PAIRS_MAX (2 * 1024 * 1024)

typedef struct {
  VirfsFiles *files; /* a reference */
  GPtrArray *pairs;
  gboolean bad;
  VirfsFilesInspected done;
  gpointer data;
} Inspection;

static gboolean
add_pairs (const GByteArray *answer, GPtrArray *pairs)
{
  VirfsWireReader in = virfs_wire_reader (answer);

  while (!in.bad && in.at < in.end && pairs->len < PAIRS_MAX) {
    g_autofree char *key = virfs_wire_get_text (&in, VIRFS_WIRE_NAME_MAX);
    g_autofree char *value = virfs_wire_get_text (&in, VIRFS_WIRE_TEXT_MAX);

    if (key != NULL && value != NULL) {
      g_ptr_array_add (pairs, g_steal_pointer (&key));
      g_ptr_array_add (pairs, g_steal_pointer (&value));
    }
  }
  return virfs_wire_at_end (&in);
}

static void
inspected (int number, GByteArray *answer, gboolean more, gpointer data)
{
  Inspection *self = data;
  g_autoptr (GError) error = NULL;

  if (number == 0 && !add_pairs (answer, self->pairs))
    self->bad = TRUE;
  if (more)
    return;
  if (number == ENOENT)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "no operating system was found");
  else if (number != 0 || self->bad)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "the inspection has failed");
  self->done (error, self->pairs, self->data);
  g_ptr_array_unref (self->pairs);
  virfs_files_unref (self->files);
  g_free (self);
}

void
virfs_tree_inspect (VirfsFiles *files, VirfsFilesInspected done, gpointer data)
{
  Inspection *self = g_new (Inspection, 1);

  *self = (Inspection){ virfs_files_ref (files), g_ptr_array_new_with_free_func (g_free), FALSE,
                        done, data };
  if (!virfs_appliance_ask (((Tree *) files)->appliance, VIRFS_WIRE_INSPECT, g_byte_array_new (),
                            TRUE, inspected, self))
    inspected (ESTALE, NULL, FALSE, self);
}
