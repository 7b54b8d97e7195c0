/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only file that includes Nettle's header. */
#include "sum.h"

#include <nettle/sha2.h>

struct VirfsSum {
  struct sha256_ctx context;
};

VirfsSum *
virfs_sum_new (void)
{
  VirfsSum *sum = g_new (VirfsSum, 1);

  sha256_init (&sum->context);
  return sum;
}

void
virfs_sum_free (VirfsSum *sum)
{
  g_free (sum);
}

void
virfs_sum_add (VirfsSum *sum, const guint8 *data, gsize length)
{
  sha256_update (&sum->context, length, data);
}

void
virfs_sum_add_zeros (VirfsSum *sum, guint64 length)
{
  static const guint8 zeros[64 * 1024];

  for (gsize n; length > 0; length -= n) {
    n = (gsize) MIN (length, sizeof zeros);
    virfs_sum_add (sum, zeros, n);
  }
}

char *
virfs_sum_text (const VirfsSum *sum)
{
  struct sha256_ctx copy = sum->context;
  guint8 digest[SHA256_DIGEST_SIZE];
  GString *text = g_string_sized_new (2 * sizeof digest);

  sha256_digest (&copy, sizeof digest, digest);
  for (guint i = 0; i < sizeof digest; i++)
    g_string_append_printf (text, "%02x", digest[i]);
  return g_string_free (text, FALSE);
}
