/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of CPUs, and which vCPU may use which. */
#include "cpuset.h"
#include "error.h"
#include "pins.h"

static void
test_cpuset (void)
{
  static const char *const cases[][2] = {
    { "", "" },           { "0", "0" },         { "3,1", "1,3" },
    { "0-3,8", "0-3,8" }, { "1,2,3", "1-3" },   { "7-7", "7" },
    { "0-4,2-8", "0-8" }, { "16383", "16383" }, { "6-9,16,17", "6-9,16-17" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GByteArray) set = virfs_cpuset_parse (cases[i][0], NULL);
    g_autofree char *text = virfs_cpuset_print (set);

    g_assert_cmpstr (text, ==, cases[i][1]);
  }
}

static void
test_cpuset_refused (void)
{
  static const char *const cases[] = { "x",  "-1",  "1-",   ",",     "1,",  ",1",          "3-1",
                                       "^1", "1 2", "1 ,2", "16384", "0-x", "0-999999999", "1--2" };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (virfs_cpuset_parse (cases[i], &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  }
}

static void
test_covers (void)
{
  g_autoptr (GByteArray) some = virfs_cpuset_parse ("0-2,9", NULL);
  g_autoptr (GByteArray) four = virfs_cpuset_first (4);
  g_autoptr (GByteArray) three = virfs_cpuset_first (3);

  g_assert_false (virfs_cpuset_covers (some, four));
  g_assert_true (virfs_cpuset_covers (some, three));
  g_assert_false (virfs_cpuset_covers (three, some));
  virfs_cpuset_add (three, some);
  g_assert_true (virfs_cpuset_covers (three, some));
  g_assert_true (virfs_cpuset_has (three, 9));
  g_assert_false (virfs_cpuset_has (three, 10));
  g_assert_false (virfs_cpuset_has (three, 8000));
}

static void
test_pins (void)
{
  static const char *const cases[][2] = {
    { "", "" },
    { "\n \n", "" },
    { "1 3", "1 3" },
    { "2 1,0\n0\t4-5\n", "0 4-5\n2 0-1" },
    { "0 1\n1 1\n0 7", "0 7\n1 1" }, /* as when something is added to what there is */
    { "  3   2  ", "3 2" },
  };
  static const char *const wrong[] = { "0", "4 1", "x 1", "0 x", "0 1 2", "-1 0", "0 1\n9", "1  " };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *pins = virfs_pins_parse (cases[i][0], 4, NULL);

    g_assert_cmpstr (pins, ==, cases[i][1]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (virfs_pins_parse (wrong[i], 4, &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  }
}

static void
assert_cpuset (const char *pins, guint vcpus, const char *expected)
{
  g_autofree char *cpuset = virfs_pins_cpuset (pins, vcpus);

  g_assert_cmpstr (cpuset, ==, expected);
}

static void
test_all (void)
{
  g_autofree char *all = virfs_pins_all ("0-1", 3);
  g_autofree char *none = virfs_pins_all ("", 3);
  g_autoptr (GPtrArray) each = virfs_pins_split (all, 2);

  g_assert_cmpstr (all, ==, "0 0-1\n1 0-1\n2 0-1");
  g_assert_cmpstr (none, ==, "");
  /* a guest that can have less than it could once */
  g_assert_cmpuint (each->len, ==, 2);
  g_assert_cmpstr (each->pdata[1], ==, "0-1");
  assert_cpuset (all, 3, "0-1");
  assert_cpuset (all, 4, "");
  assert_cpuset ("0 1\n1 5-6", 2, "1,5-6");
  assert_cpuset (NULL, 2, "");
  assert_cpuset ("", 2, "");
}

static void
test_forget (void)
{
  g_autoptr (GByteArray) all = virfs_cpuset_first (2);
  g_autofree char *some = virfs_pins_forget ("0 0-1\n1 0-1\n2 1\n3 0-7", "1 0-1", 4, all);
  g_autofree char *none = virfs_pins_forget (NULL, NULL, 4, all);

  g_assert_cmpstr (some, ==, "1 0-1\n2 1");
  g_assert_cmpstr (none, ==, "");
  g_assert_false (virfs_cpuset_text_covers (NULL, all));
  g_assert_false (virfs_cpuset_text_covers ("nonsense", all));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cpuset/parse", test_cpuset);
  g_test_add_func ("/cpuset/refused", test_cpuset_refused);
  g_test_add_func ("/cpuset/covers", test_covers);
  g_test_add_func ("/pins/parse", test_pins);
  g_test_add_func ("/pins/all", test_all);
  g_test_add_func ("/pins/forget", test_forget);
  return g_test_run ();
}
