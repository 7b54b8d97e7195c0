/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compressed texts. */
#include "blob.h"

#include <string.h>

static void
assert_keeps (const char *text)
{
  g_autoptr (VirfsBlob) blob = virfs_blob_new (text);
  g_autoptr (VirfsBlob) same = virfs_blob_new (text);
  g_autofree char *back = virfs_blob_text (blob);
  g_autoptr (GString) out = g_string_new ("before ");

  g_assert_cmpuint (virfs_blob_size (blob), ==, strlen (text));
  g_assert_cmpstr (back, ==, text);
  virfs_blob_append (blob, out);
  g_assert_true (g_str_has_prefix (out->str, "before "));
  g_assert_cmpstr (out->str + strlen ("before "), ==, text);
  g_assert_true (virfs_blob_equal (blob, same));
}

static void
test_texts (void)
{
  g_autofree char *long_text = g_strnfill (1 << 20, 'x');
  g_autoptr (GString) noise = g_string_new (NULL);

  for (int i = 0; i < 5000; i++)
    g_string_append_c (noise, (char) g_test_rand_int_range (1, 256));
  assert_keeps ("");
  assert_keeps ("x");
  assert_keeps ("<domain type='kvm'><name>web</name></domain>\n");
  assert_keeps (long_text);
  assert_keeps (noise->str);
}

static void
test_bytes (void)
{
  guint8 bytes[3000] = { 1, 0, 2, 0xff };
  g_autoptr (VirfsBlob) blob = virfs_blob_new_bytes (bytes, sizeof bytes);
  g_autoptr (GString) out = g_string_new (NULL);

  virfs_blob_append (blob, out);
  g_assert_cmpmem (out->str, out->len, bytes, sizeof bytes);
}

static void
test_null (void)
{
  g_autoptr (VirfsBlob) empty = virfs_blob_new ("");
  g_autoptr (GString) out = g_string_new ("x");

  g_assert_cmpuint (virfs_blob_size (NULL), ==, 0);
  virfs_blob_append (NULL, out);
  g_assert_cmpstr (out->str, ==, "x");
  g_assert_null (virfs_blob_text (NULL));
  g_assert_true (virfs_blob_equal (NULL, NULL));
  g_assert_false (virfs_blob_equal (NULL, empty));
  g_assert_false (virfs_blob_equal (empty, NULL));
}

static void
test_equal (void)
{
  g_autofree char *text = g_strnfill (4000, 'a');
  g_autoptr (VirfsBlob) a = virfs_blob_new (text);
  g_autoptr (VirfsBlob) shorter = virfs_blob_new (text + 1);
  g_autoptr (VirfsBlob) other = NULL;

  text[2000] = 'b';
  other = virfs_blob_new (text);
  g_assert_true (virfs_blob_equal (a, a));
  g_assert_false (virfs_blob_equal (a, shorter));
  g_assert_false (virfs_blob_equal (a, other));
}

static gpointer
make_many (gpointer data)
{
  for (int i = 0; i < 300; i++) {
    g_autofree char *text = g_strdup_printf ("%s %d %s", (char *) data, i, (char *) data);

    assert_keeps (text);
  }
  return NULL;
}

static void
test_threads (void)
{
  static const char *const texts[] = { "one", "two", "three", "four" };
  GThread *threads[G_N_ELEMENTS (texts)];

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    threads[i] = g_thread_new ("blobs", make_many, (gpointer) texts[i]);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/blob/texts", test_texts);
  g_test_add_func ("/blob/bytes", test_bytes);
  g_test_add_func ("/blob/null", test_null);
  g_test_add_func ("/blob/equal", test_equal);
  g_test_add_func ("/blob/threads", test_threads);
  return g_test_run ();
}
