/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of events. */
#include "event.h"

#include <string.h>

#define TIME_LENGTH strlen ("2026-01-01T00:00:00Z")

static char *
read_all (VirfsEventLog *log)
{
  gsize size = virfs_event_log_size (log, NULL);
  char *text = g_malloc0 (size + 1);

  g_assert_cmpuint (virfs_event_log_read (log, 0, text, size), ==, size);
  return text;
}

static void
test_lines (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (1000);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  virfs_event_log_add (log, "vms/web", "state", "value=running");
  virfs_event_log_add (log, "vms/a b\n", "added", NULL);
  virfs_event_log_add (log, "fleet", "idle", "");
  text = read_all (log);
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  g_assert_cmpstr (lines[0] + TIME_LENGTH, ==, " vms/web state value=running");
  g_assert_cmpstr (lines[1] + TIME_LENGTH, ==, " vms/a b\\n added");
  g_assert_cmpstr (lines[2] + TIME_LENGTH, ==, " fleet idle");
  g_assert_cmpstr (lines[3], ==, "");
}

static void
assert_detail (const char *value, const char *expected)
{
  g_autoptr (GString) details = g_string_new (NULL);

  virfs_event_append (details, "k", value);
  g_assert_cmpstr (details->str, ==, expected);
}

static void
test_details (void)
{
  g_autoptr (GString) details = g_string_new (NULL);

  assert_detail (NULL, "");
  assert_detail ("", "k=\"\"");
  assert_detail ("word", "k=word");
  assert_detail ("two words", "k=\"two words\"");
  assert_detail ("say \"hi\"", "k=\"say \\\"hi\\\"\"");
  assert_detail ("a\nb", "k=a\\nb");
  assert_detail ("back\\slash", "k=back\\\\slash");
  virfs_event_append (details, "a", "1");
  virfs_event_append (details, "b", NULL);
  virfs_event_append (details, "c", "x y");
  g_assert_cmpstr (details->str, ==, "a=1 c=\"x y\"");
}

static void
test_read (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (1000);
  g_autofree char *text = NULL;
  char byte;

  g_assert_cmpuint (virfs_event_log_read (log, 0, &byte, 1), ==, 0);
  virfs_event_log_add (log, "x", "y", NULL);
  text = read_all (log);
  for (gsize i = 0; i < strlen (text); i++) {
    g_assert_cmpuint (virfs_event_log_read (log, i, &byte, 1), ==, 1);
    g_assert_cmpint (byte, ==, text[i]);
  }
  g_assert_cmpuint (virfs_event_log_read (log, strlen (text), &byte, 1), ==, 0);
  g_assert_cmpuint (virfs_event_log_read (log, G_MAXINT64, &byte, 1), ==, 0);
  g_assert_cmpuint (virfs_event_log_read (log, -1, &byte, 1), ==, 0);
}

/* What is dropped are whole lines from the start, and positions go on. */
static void
test_trim (void)
{
  const gsize limit = 2000;
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (limit);
  guint64 start, end = 0;
  gsize size;

  for (guint i = 0; i < 1000; i++) {
    g_autofree char *object = g_strdup_printf ("vms/%u", i);
    g_autofree char *last = g_strdup_printf (" vms/%u state\n", i);
    g_autofree char *text = NULL;

    virfs_event_log_add (log, object, "state", NULL);
    size = virfs_event_log_size (log, &start);
    g_assert_cmpuint (size, <=, limit);
    g_assert_cmpuint (start + size, ==, end + TIME_LENGTH + strlen (last));
    end = start + size;
    text = read_all (log);
    g_assert_true (g_str_has_suffix (text, last));
    g_assert_true (g_str_has_prefix (text, "20"));
  }
  g_assert_cmpuint (start, >, 0);
}

/* One line longer than what is kept. */
static void
test_huge (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (100);
  g_autofree char *huge = g_strnfill (1000, 'x');
  g_autofree char *text = NULL;

  virfs_event_log_add (log, "a", huge, NULL);
  virfs_event_log_add (log, "b", "small", NULL);
  text = read_all (log);
  g_assert_true (g_str_has_suffix (text, " b small\n"));
}

static char *
follow (VirfsEventLog *log, guint64 *position, gsize size)
{
  g_autofree char *buffer = g_malloc0 (size + 1);
  gsize got = virfs_event_log_follow (log, position, buffer, size);

  g_assert_cmpuint (got, <=, size);
  g_assert_cmpuint (strlen (buffer), ==, got); /* no byte is NUL */
  return g_strdup (buffer);
}

static void
test_follow (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (1000);
  g_autofree char *nothing = NULL, *one = NULL, *two = NULL, *part = NULL, *rest = NULL;
  guint64 position = 0;
  gsize line = TIME_LENGTH + strlen (" a b\n");

  nothing = follow (log, &position, 100);
  g_assert_cmpstr (nothing, ==, "");
  virfs_event_log_add (log, "a", "b", NULL);
  virfs_event_log_add (log, "c", "d", NULL);
  virfs_event_log_add (log, "e", "f", NULL);
  /* room for a line and a half: one line */
  one = follow (log, &position, line + line / 2);
  g_assert_true (g_str_has_suffix (one, " a b\n"));
  g_assert_cmpuint (strlen (one), ==, line);
  /* no room for a line: its parts */
  part = follow (log, &position, line - 2);
  rest = follow (log, &position, 2);
  g_assert_cmpstr (rest, ==, "d\n");
  two = follow (log, &position, 1000);
  g_assert_true (g_str_has_suffix (two, " e f\n"));
  g_assert_cmpuint (position, ==, 3 * line);
}

/* A reader who is too slow is told how much he missed, and goes on with a whole line. */
static void
test_loss (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (1000);
  g_autofree char *told = NULL, *next = NULL, *expected = NULL;
  guint64 position = 0, start;

  for (guint i = 0; i < 100; i++)
    virfs_event_log_add (log, "vms/x", "state", NULL);
  virfs_event_log_size (log, &start);
  g_assert_cmpuint (start, >, 0);
  told = follow (log, &position, 4096);
  expected = g_strdup_printf (" events lost bytes=%" G_GUINT64_FORMAT "\n", start);
  g_assert_cmpstr (told + TIME_LENGTH, ==, expected);
  g_assert_cmpuint (position, ==, start);
  next = follow (log, &position, 4096);
  g_assert_true (g_str_has_prefix (next + TIME_LENGTH, " vms/x state\n"));
  g_assert_true (g_str_has_suffix (next, "\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/event/lines", test_lines);
  g_test_add_func ("/event/details", test_details);
  g_test_add_func ("/event/read", test_read);
  g_test_add_func ("/event/trim", test_trim);
  g_test_add_func ("/event/huge-line", test_huge);
  g_test_add_func ("/event/follow", test_follow);
  g_test_add_func ("/event/loss", test_loss);
  return g_test_run ();
}
