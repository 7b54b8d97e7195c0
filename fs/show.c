/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tables of several classes show, and the engine knows nothing of. */
#include "blob.h"
#include "classes.h"

static const VirfsBlob *
blob_of (const VirfsNode *node)
{
  return *(VirfsBlob *const *) ((const char *) node->snapshot + node->row->offset);
}

void
virfs_show_blob (const VirfsNode *node, GString *out)
{
  virfs_blob_append (blob_of (node), out);
}

gsize
virfs_size_of_blob (const VirfsNode *node)
{
  return virfs_blob_size (blob_of (node));
}
