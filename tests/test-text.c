/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text: escapes, names of the tree, numbers, times. */
#include "error.h"
#include "text.h"

#include <string.h>

static char *
escape (const char *value)
{
  GString *out = g_string_new (NULL);

  virfs_text_escape (out, value);
  return g_string_free (out, FALSE);
}

static void
assert_escapes (const char *value, const char *expected)
{
  g_autofree char *escaped = escape (value);

  g_assert_cmpstr (escaped, ==, expected);
}

static void
test_escape (void)
{
  assert_escapes (NULL, "");
  assert_escapes ("", "");
  assert_escapes ("plain text", "plain text");
  assert_escapes ("two\nlines\tand a tab", "two\\nlines\\tand a tab");
  assert_escapes ("C:\\new", "C:\\\\new");
  assert_escapes ("\033[2J\177", "\\x1b[2J\\x7f");
  assert_escapes ("grün €", "grün €");
  /* C1: CSI as one character moves the cursor too */
  assert_escapes ("a\xc2\x9b"
                  "2J",
                  "a\\xc2\\x9b2J");
  assert_escapes ("latin1 \xe9", "latin1 \\xe9");
  assert_escapes ("cut \xe2\x82", "cut \\xe2\\x82");
}

static void
test_round_trip (void)
{
  for (int round = 0; round < 2000; round++) {
    g_autoptr (GString) value = g_string_new (NULL);
    g_autofree char *escaped = NULL, *back = NULL;
    int length = g_test_rand_int_range (0, 60);

    for (int i = 0; i < length; i++)
      g_string_append_c (value, (char) g_test_rand_int_range (1, 256));
    escaped = escape (value->str);
    g_assert_true (g_utf8_validate (escaped, -1, NULL));
    for (const char *p = escaped; *p; p = g_utf8_next_char (p))
      g_assert_false (g_unichar_iscntrl (g_utf8_get_char (p)));

    back = virfs_text_unescape (escaped, NULL);
    if (g_utf8_validate (value->str, -1, NULL))
      g_assert_cmpstr (back, ==, value->str);
    else
      g_assert_null (back); /* what is set must be text */
  }
}

static void
test_unescape_refuses (void)
{
  static const char *const broken[]
    = { "\\", "a\\", "\\q", "\\x", "\\x4", "\\xg0", "\\x00", "\\xe9" };

  for (guint i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *value = virfs_text_unescape (broken[i], &error);

    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
    g_assert_null (value);
  }
}

static void
assert_name (const char *name, const char *expected)
{
  g_autofree char *encoded = virfs_name_encode (name);

  g_assert_cmpstr (encoded, ==, expected);
}

static void
test_name (void)
{
  assert_name ("web", "web");
  assert_name ("web 1 (old)~x", "web 1 (old)~x");
  assert_name ("a/b", "a%2Fb");
  assert_name ("100%", "100%25");
  assert_name (".hidden", "%2Ehidden");
  assert_name ("v1.2.", "v1.2.");
  assert_name (".", "%2E");
  assert_name ("..", "%2E.");
  assert_name ("a\nb\x7f", "a%0Ab%7F");
  assert_name ("a\xc2\x85z", "a%C2%85z");
  assert_name ("caf\xe9", "caf%E9");
  assert_name ("café", "café");
}

/* Whatever is encoded can be a name of the tree, and two names never meet. */
static void
test_name_random (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  for (int round = 0; round < 5000; round++) {
    static const char *const pieces[]
      = { "/", "%", ".", "..", "a", "%2F", "\n", "é", "\xe9", "\xc2\x9b" };
    g_autoptr (GString) name = g_string_new (NULL);
    g_autofree char *encoded = NULL;
    int length = g_test_rand_int_range (1, 8);
    const char *other;

    for (int i = 0; i < length; i++)
      g_string_append (name, pieces[g_test_rand_int_range (0, G_N_ELEMENTS (pieces))]);
    encoded = virfs_name_encode (name->str);
    g_assert_cmpuint (strlen (encoded), <=, VIRFS_NAME_MAX);
    g_assert_null (strchr (encoded, '/'));
    g_assert_cmpint (*encoded, !=, '.');
    g_assert_true (g_utf8_validate (encoded, -1, NULL));
    other = g_hash_table_lookup (names, encoded);
    if (other != NULL)
      g_assert_cmpstr (other, ==, name->str);
    else
      g_hash_table_insert (names, g_steal_pointer (&encoded), g_strdup (name->str));
  }
}

static void
test_name_long (void)
{
  g_autofree char *a = g_strnfill (300, 'a');
  g_autofree char *b = g_strnfill (301, 'a');
  g_autofree char *encoded_a = virfs_name_encode (a);
  g_autofree char *again = virfs_name_encode (a);
  g_autofree char *encoded_b = virfs_name_encode (b);

  g_assert_cmpuint (strlen (encoded_a), <=, VIRFS_NAME_MAX);
  g_assert_cmpstr (encoded_a, ==, again);
  g_assert_cmpstr (encoded_a, !=, encoded_b);
  /* also where the cut would go through a character */
  for (guint shift = 0; shift < 4; shift++) {
    g_autoptr (GString) name = g_string_new ("xxxx");
    g_autofree char *encoded = NULL;

    g_string_truncate (name, shift);
    while (name->len < 400)
      g_string_append (name, "€");
    encoded = virfs_name_encode (name->str);
    g_assert_cmpuint (strlen (encoded), <=, VIRFS_NAME_MAX - 64);
    g_assert_true (g_utf8_validate (encoded, -1, NULL));
  }
}

/* Fails if PARSE takes any of them. */
#define assert_refuses(parse, type, ...)                                                           \
  do {                                                                                             \
    static const char *const wrong[] = { __VA_ARGS__ };                                            \
    for (guint i_ = 0; i_ < G_N_ELEMENTS (wrong); i_++) {                                          \
      g_autoptr (GError) error_ = NULL;                                                            \
      type value_ = 77;                                                                            \
      if (parse (wrong[i_], &value_, &error_))                                                     \
        g_error (#parse " takes \"%s\"", wrong[i_]);                                               \
      g_assert_error (error_, VIRFS_ERROR, VIRFS_ERROR_INVALID);                                   \
    }                                                                                              \
  } while (0)

static void
test_numbers (void)
{
  guint64 number;
  gint64 signed_number;
  gboolean flag;

  g_assert_true (virfs_parse_u64 ("0", &number, NULL));
  g_assert_cmpuint (number, ==, 0);
  g_assert_true (virfs_parse_u64 ("18446744073709551615", &number, NULL));
  g_assert_cmpuint (number, ==, G_MAXUINT64);
  assert_refuses (virfs_parse_u64, guint64, "", " ", "-1", "+1", " 1", "1 ", "1x", "0x10", "1.5",
                  "18446744073709551616", "99999999999999999999999", "１");

  g_assert_true (virfs_parse_i64 ("-1", &signed_number, NULL));
  g_assert_cmpint (signed_number, ==, -1);
  g_assert_true (virfs_parse_i64 ("9223372036854775807", &signed_number, NULL));
  g_assert_cmpint (signed_number, ==, G_MAXINT64);
  assert_refuses (virfs_parse_i64, gint64, "", "-", "--1", "1x", " 1", "9223372036854775808");

  g_assert_true (virfs_parse_bool ("1", &flag, NULL) && flag);
  g_assert_true (virfs_parse_bool ("0", &flag, NULL) && !flag);
  assert_refuses (virfs_parse_bool, gboolean, "", "2", "01", "yes", "true", "1 ");
}

static void
assert_size (const char *text, guint64 expected)
{
  g_autoptr (GError) error = NULL;
  guint64 bytes = 0;

  g_assert_true (virfs_parse_size (text, &bytes, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (bytes, ==, expected);
}

static void
test_sizes (void)
{
  assert_size ("0", 0);
  assert_size ("536870912", 536870912);
  assert_size ("512M", 512u << 20);
  assert_size ("2g", G_GUINT64_CONSTANT (2) << 30);
  assert_size ("1K", 1024);
  assert_size ("3KiB", 3 * 1024);
  assert_size ("3KB", 3 * 1024);
  assert_size ("1T", G_GUINT64_CONSTANT (1) << 40);
  assert_size ("1P", G_GUINT64_CONSTANT (1) << 50);
  assert_size ("7E", G_GUINT64_CONSTANT (7) << 60);
  assert_size ("9223372036854775807", G_MAXINT64);
  assert_refuses (virfs_parse_size, guint64, "", "M", "-1", "1X", "1Mx", "1 M", "1.5G", "512MiBB",
                  "1ii", "8E", "9223372036854775808", "18446744073709551616",
                  "99999999999999999999999999", "8589934592G", "+1");
}

static void
test_time (void)
{
  g_autoptr (GString) out = g_string_new (NULL);

  virfs_text_append_time (out, G_GINT64_CONSTANT (1700000000999999));
  g_assert_cmpstr (out->str, ==, "2023-11-14T22:13:20Z");
  g_string_truncate (out, 0);
  virfs_text_append_time (out, G_MAXINT64); /* no such date: nothing, and no crash */
  g_assert_cmpstr (out->str, ==, "");
}

static void
assert_masked (const char *text, const char *ends, const char *expected)
{
  g_autofree char *masked = virfs_text_mask (text, ends);

  g_assert_cmpstr (masked, ==, expected);
}

static void
test_mask (void)
{
  assert_masked ("", " ", "");
  assert_masked ("nothing: a@b", " ", "nothing: a@b");
  assert_masked ("qemu+ssh://root@h1/system", " ", "qemu+ssh://root@h1/system");
  assert_masked ("esx://root:pw@h1/", " ", "esx://root:***@h1/");
  assert_masked ("esx://root:p/w@x@h1/", " ", "esx://root:***@h1/");
  assert_masked ("a://b:c@d e://f:g@h i", " ", "a://b:***@d e://f:***@h i");
  assert_masked ("a://b:c c@d", " ", "a://b:c c@d");
  assert_masked ("a://b:c c@d", "\n", "a://b:***@d");
  assert_masked ("a://:@d", " ", "a://:***@d");
  assert_masked ("://", " ", "://");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/escape", test_escape);
  g_test_add_func ("/text/round-trip", test_round_trip);
  g_test_add_func ("/text/unescape-refuses", test_unescape_refuses);
  g_test_add_func ("/name/encode", test_name);
  g_test_add_func ("/name/random", test_name_random);
  g_test_add_func ("/name/long", test_name_long);
  g_test_add_func ("/parse/numbers", test_numbers);
  g_test_add_func ("/parse/sizes", test_sizes);
  g_test_add_func ("/text/time", test_time);
  g_test_add_func ("/text/mask", test_mask);
  return g_test_run ();
}
