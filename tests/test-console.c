/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and pictures. */
#include "fixture.h"

#include <string.h>

#define CONSOLE "vms/h1-1/console"

static void
test_keys (Fixture *f, gconstpointer data)
{
  assert_lists (f, CONSOLE, "ctl graphics keys screen.png");
  g_assert_true (says (f, CONSOLE "/keys", "delete\n"));
  g_assert_cmpint (echo (f, "ctrl-alt-delete", CONSOLE "/keys"), ==, 0);
  assert_same (virfs_fake_pressed (), "29+56+111");
  g_assert_cmpint (echo (f, "shift-h i  enter", CONSOLE "/keys"), ==, 0);
  assert_same (virfs_fake_pressed (), "42+35 23 28");
  /* it may have been a password */
  g_assert_cmpint (sh_quietly (f, "grep -r 'shift-h' events jobs vms/h1-1"), ==, 1);
}

/* Nothing is pressed of a line that has a fault. */
static void
test_wrong_keys (Fixture *f, gconstpointer data)
{
  static const char *const wrong[]
    = { "a ctrl-nonsense", "ctrl-", "-", "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a", "A" };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (echo (f, wrong[i], CONSOLE "/keys"), ==, EINVAL);
  assert_same (virfs_fake_pressed (), "");
  assert_says (f, "error", "is no key");
}

static void
test_screen (Fixture *f, gconstpointer data)
{
  assert_reads (f, CONSOLE "/screen.png", "");
  assert_reads (f, CONSOLE "/ctl", "screenshot\n");
  g_assert_cmpint (echo (f, "screenshot", CONSOLE "/ctl"), ==, 0);
  g_assert_cmpint (stat_at (f, CONSOLE "/screen.png").st_size, ==, 12);
  g_assert_cmpint (sh_quietly (f, "printf '\\211PNG\\0picture' | cmp - " CONSOLE "/screen.png"), ==,
                   0);
  assert_reads (f, CONSOLE "/ctl", "screenshot\nforget\n");
  /* it is of a guest that runs */
  set_title (f, "h1-1", "another");
  g_assert_cmpint (stat_at (f, CONSOLE "/screen.png").st_size, ==, 12);
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_reads (f, CONSOLE "/screen.png", "");
  assert_reads (f, CONSOLE "/ctl", "");
}

static void
test_forget (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "screenshot", CONSOLE "/ctl"), ==, 0);
  g_assert_cmpint (echo (f, "forget", CONSOLE "/ctl"), ==, 0);
  assert_reads (f, CONSOLE "/screen.png", "");
  assert_reads (f, CONSOLE "/ctl", "screenshot\n");
  g_assert_cmpint (echo (f, "paint", CONSOLE "/ctl"), ==, EINVAL);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(path, func) fixture_add (path, "h1=fake:2", func)
  ADD ("/console/keys", test_keys);
  ADD ("/console/wrong-keys", test_wrong_keys);
  ADD ("/console/screen", test_screen);
  ADD ("/console/forget", test_forget);
  return g_test_run ();
}
