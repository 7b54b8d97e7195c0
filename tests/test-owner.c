/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owners and tags as text. */
#include "error.h"
#include "owner.h"
#include "tags.h"

#include <string.h>
#include <unistd.h>

static void
test_apply (void)
{
  static const struct {
    guint owner, file, result;
  } rows[] = {
    { 0750, 0640, 0640 }, { 0750, 0440, 0440 }, { 0770, 0640, 0660 }, { 0777, 0440, 0444 },
    { 0700, 0640, 0600 }, { 0750, 0750, 0750 }, { 0777, 0750, 0777 }, { 0000, 0640, 0000 },
    { 0070, 0640, 0060 }, { 0755, 0550, 0555 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    VirfsOwner owner = { 1, 1, rows[i].owner };

    g_assert_cmphex (virfs_owner_apply (&owner, S_IFREG | rows[i].file), ==,
                     S_IFREG | rows[i].result);
  }
  /* links are for all */
  g_assert_cmphex (virfs_owner_apply (&(VirfsOwner){ 1, 1, 0700 }, S_IFLNK | 0777), ==,
                   S_IFLNK | 0777);
}

static void
test_print (void)
{
  VirfsOwner owner = { 1000, 4294967294u, 0640 }, read;
  g_autofree char *text = virfs_owner_print (&owner);

  g_assert_cmpstr (text, ==, "1000 4294967294 0640");
  g_assert_true (virfs_owner_parse (text, &read, NULL));
  g_assert_true (virfs_owner_equal (&owner, &read));
}

static void
test_parse_refuses (void)
{
  static const char *const texts[]
    = { "", "1", "1 2", "1 2 999", "1 2 07777", "1 2 0640 x", "a b c" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    VirfsOwner read;

    g_assert_false (virfs_owner_parse (texts[i], &read, &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  }
}

static void
test_names (void)
{
  virfs_user_learn (0);
  g_assert_cmpstr (virfs_user_name (0), ==, "root");
  virfs_user_learn (3999999999u);
  g_assert_cmpstr (virfs_user_name (3999999999u), ==, "3999999999");
  g_assert_cmpstr (virfs_user_name (3999999998u), ==, "3999999998");
}

/* Tags. */

static void
assert_parses (const char *text, const char *tags)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *read = virfs_tags_parse (text, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (read, ==, tags);
}

static void
assert_refused (const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (virfs_tags_parse (text, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
}

/* Each is one of NUMBER; the caller owns it. */
static char *
many (guint number, guint lines)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < lines; i++)
    g_string_append_printf (text, "t%03u\n", i % number);
  return g_string_free (text, FALSE);
}

static void
test_tags (void)
{
  g_autofree char *most = many (VIRFS_TAGS_MOST, VIRFS_TAGS_MOST * 2);
  g_autofree char *more = many (VIRFS_TAGS_MOST + 1, VIRFS_TAGS_MOST + 1);
  g_autofree char *read = virfs_tags_parse (most, NULL);
  g_autofree char *again = virfs_tags_with (read, "t000", NULL);
  g_autofree char *salvaged = virfs_tags_salvage (more);

  assert_parses ("", "");
  assert_parses ("\n \n", "");
  assert_parses ("web\n  prod \nweb\n", "prod\nweb");
  assert_parses ("a=b:c@d+e-f_g.h", "a=b:c@d+e-f_g.h");
  assert_parses ("größe", "größe");
  assert_refused ("two words");
  assert_refused (".hidden");
  assert_refused ("a/b");
  assert_refused ("ok\n-not");
  assert_refused (more);
  g_assert_cmpstr (again, ==, read);
  g_assert_cmpstr (salvaged, ==, read);
}

static void
test_tag_length (void)
{
  g_autofree char *longest = g_strnfill (VIRFS_TAG_BYTES, 'x');
  g_autofree char *longer = g_strnfill (VIRFS_TAG_BYTES + 1, 'x');

  g_assert_true (virfs_tag_check (longest, NULL));
  g_assert_false (virfs_tag_check (longer, NULL));
}

static void
test_with (void)
{
  g_autofree char *two = virfs_tags_with ("b", "a", NULL);
  g_autofree char *several = virfs_tags_with (two, "d\nc\na", NULL);
  g_autofree char *without = virfs_tags_without (several, "b");
  g_autofree char *none = virfs_tags_without ("a", "a");
  g_autofree char *salvaged = virfs_tags_salvage ("fine\nnot fine\n/\n\xff");

  g_assert_cmpstr (two, ==, "a\nb");
  g_assert_cmpstr (several, ==, "a\nb\nc\nd");
  g_assert_cmpstr (without, ==, "a\nc\nd");
  g_assert_cmpstr (none, ==, "");
  g_assert_cmpstr (salvaged, ==, "fine");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/owner/apply", test_apply);
  g_test_add_func ("/owner/print", test_print);
  g_test_add_func ("/owner/parse-refuses", test_parse_refuses);
  g_test_add_func ("/owner/names", test_names);
  g_test_add_func ("/owner/tags", test_tags);
  g_test_add_func ("/owner/tag-length", test_tag_length);
  g_test_add_func ("/owner/with", test_with);
  return g_test_run ();
}
