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
  g_assert_cmpstr (lines[1] + TIME_LENGTH, ==, " \"vms/a b\\n\" added");
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

/* What others have named is a value, whatever it looks like. */
static void
test_made (void)
{
  g_autofree char *none = virfs_event_details (NULL, NULL);
  g_autofree char *made
    = virfs_event_details ("name", "x\" event=started\n2026-01-01T00:00:00Z fleet forged", "event",
                           "stopped", "no", NULL, "path", "/a b", NULL);

  g_assert_cmpstr (none, ==, "");
  g_assert_cmpstr (
    made, ==,
    "name=\"x\\\" event=started\\n2026-01-01T00:00:00Z fleet forged\" event=stopped path=\"/a b\"");
}

/* One event is one line, even of details that nobody has escaped. */
static void
test_raw (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (1000);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  virfs_event_log_add (
    log, "hosts/h", "pool",
    "name=\"a \"b\n2026-01-01T00:00:00Z fleet forged\r\x1b[2J\xc2\x85\xff\" c=a\\nb");
  text = read_all (log);
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 2);
  g_assert_cmpstr (lines[0] + TIME_LENGTH, ==,
                   " hosts/h pool name=\"a \"b\\n2026-01-01T00:00:00Z fleet forged\\x0d\\x1b[2J"
                   "\\xc2\\x85\\xff\" c=a\\nb");
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

/* What is too long is cut, between characters. */
static void
test_long (void)
{
  g_autofree char *long_value = g_strnfill (3000, 'x');
  g_autoptr (GString) details = g_string_new (NULL);
  g_autoptr (GString) wide = g_string_new (NULL);

  for (guint i = 0; i < 1000; i++)
    g_string_append (wide, "…");
  virfs_event_append (details, "a", long_value);
  virfs_event_append (details, "b", wide->str);
  g_assert_cmpuint (details->len, <, 2 * (VIRFS_EVENT_VALUE_MAX + 8));
  g_assert_true (g_utf8_validate (details->str, -1, NULL));
  g_assert_true (g_str_has_suffix (details->str, "…"));
}

/* JSON. */

static void
assert_json (const char *line, const char *expected)
{
  g_autoptr (GString) out = g_string_new (NULL);

  virfs_event_line_append_json (out, line, strlen (line));
  g_assert_cmpstr (out->str, ==, expected);
}

static void
test_json_lines (void)
{
  assert_json ("T vms/web added",
               "{\"time\": \"T\", \"object\": \"vms/web\", \"kind\": \"added\"}\n");
  assert_json (
    "T \"a \\\"b\\\"\" k uid=0 job=12 bytes=x text=\"two words\" none=\"\"",
    "{\"time\": \"T\", \"object\": \"a \\\"b\\\"\", \"kind\": \"k\", \"uid\": 0, \"job\": 12,"
    " \"bytes\": \"x\", \"text\": \"two words\", \"none\": \"\"}\n");
  /* a line feed and a bell in a value; bytes that are no text keep their escapes */
  assert_json ("T o k a=x\\ny b=\\x07 c=\\xff d=back\\\\slash",
               "{\"time\": \"T\", \"object\": \"o\", \"kind\": \"k\", \"a\": \"x\\u000ay\","
               " \"b\": \"\\u0007\", \"c\": \"\\\\xff\", \"d\": \"back\\\\slash\"}\n");
  /* what is no line of ours */
  assert_json ("", "{\"time\": \"\", \"object\": \"\", \"kind\": \"\"}\n");
}

static char *
read_json (VirfsEventLog *log, gsize step)
{
  gsize size = virfs_event_log_json_size (log, NULL), got;
  g_autofree char *text = g_malloc0 (size + 1);

  for (gsize at = 0; at < size; at += got) {
    got = virfs_event_log_json_read (log, (goffset) at, text + at, step);
    g_assert_cmpuint (got, ==, MIN (step, size - at));
  }
  g_assert_cmpuint (virfs_event_log_json_read (log, (goffset) size, text, 1), ==, 0);
  return g_steal_pointer (&text);
}

/* As many objects as lines, wherever the pieces begin, also after the older half has gone. */
static void
test_json_log (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (3000);
  guint64 position = virfs_event_log_json_size (log, NULL);

  for (guint i = 0; i < 200; i++) {
    g_autofree char *object = g_strdup_printf ("vms/%u", i), *last = NULL, *text = NULL,
                    *all = NULL;
    g_autofree char *big = NULL, *small = NULL;
    char buffer[512];
    gsize got;

    virfs_event_log_add (log, object, "state", i % 3 ? "value=running" : NULL);
    big = read_json (log, 100000);
    small = read_json (log, 7);
    g_assert_cmpstr (big, ==, small);
    all = read_all (log);
    text = g_strdup_printf ("\"object\": \"%s\"", object);
    last = strrchr (g_strstrip (big), '\n') ? g_strdup (strrchr (big, '\n')) : g_strdup (big);
    g_assert_nonnull (strstr (last, text));
    got = virfs_event_log_json_follow (log, &position, buffer, sizeof buffer - 1);
    buffer[got] = '\0';
    g_assert_nonnull (strstr (buffer, text));
    g_assert_cmpuint (virfs_event_log_json_follow (log, &position, buffer, sizeof buffer), ==, 0);
  }
}

static void
test_json_loss (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (1000);
  guint64 position = virfs_event_log_json_size (log, NULL), start;
  char buffer[4096] = "";
  gsize got;

  for (guint i = 0; i < 100; i++)
    virfs_event_log_add (log, "vms/x", "state", NULL);
  got = virfs_event_log_json_follow (log, &position, buffer, sizeof buffer - 1);
  buffer[got] = '\0';
  g_assert_nonnull (strstr (buffer, "\"kind\": \"lost\", \"bytes\": "));
  virfs_event_log_json_size (log, &start);
  g_assert_cmpuint (position, ==, start);
  g_assert_cmpuint (virfs_event_log_json_follow (log, &position, buffer, sizeof buffer), >, 0);
}

/* Objects. */

static void
assert_of (VirfsEventLog *log, const char *object, const char *kinds)
{
  gsize size = virfs_event_log_size_of (log, object);
  g_autofree char *text = g_malloc0 (size + 1), *pieces = g_malloc0 (size + 1);
  g_autoptr (GString) is = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;

  g_assert_cmpuint (virfs_event_log_read_of (log, object, 0, text, size + 1), ==, size);
  for (gsize at = 0; at < size; at += 3)
    virfs_event_log_read_of (log, object, (goffset) at, pieces + at, MIN (3, size - at));
  g_assert_cmpstr (pieces, ==, text);
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line && **line; line++) {
    VirfsEventLine parsed;

    virfs_event_line_parse (*line, strlen (*line), &parsed);
    g_string_append_printf (is, "%s%.*s", is->len ? " " : "", (int) parsed.kind.length,
                            parsed.kind.start);
  }
  g_assert_cmpstr (is->str, ==, kinds);
}

static void
test_objects (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (100000);

  virfs_event_log_add (log, "vms/web", "one", NULL);
  virfs_event_log_add (log, "vms/web2", "other", NULL);
  virfs_event_log_add (log, "vms/web/state", "two", "outcome=ok");
  virfs_event_log_add (log, "vms", "none", NULL);
  virfs_event_log_add (log, "vms/web/disks/vda", "remove", "outcome=ok");
  assert_of (log, "vms/web", "one two remove");
  assert_of (log, "vms/web2", "other");
  assert_of (log, "vms/we", "");
  g_assert_cmpint (virfs_event_log_changed_of (log, "vms/web"), >, 0);
  g_assert_cmpint (virfs_event_log_changed_of (log, "vms/we"), ==, 0);

  virfs_event_log_add (log, "vms/www", "renamed", "from=web to=www");
  assert_of (log, "vms/web", "");
  assert_of (log, "vms/www", "one two remove renamed");
  virfs_event_log_add (log, "vms/b c", "rename", "uid=0 from=vms/www to=\"vms/b c\" outcome=EBUSY");
  assert_of (log, "vms/www", "one two remove renamed");
  virfs_event_log_add (log, "vms/d e", "rename", "uid=0 from=vms/www to=\"vms/d e\" outcome=ok");
  assert_of (log, "vms/d e", "one two remove renamed rename");
  assert_of (log, "vms/www", "");

  /* the end of a renaming is told of the old name */
  virfs_event_log_add (log, "vms/f", "renamed", "from=\"d e\" to=f");
  virfs_event_log_add (log, "vms/d e", "done", NULL);
  virfs_event_log_add (log, "vms/f", "rename", "uid=0 from=\"vms/d e\" to=vms/f outcome=ok");
  assert_of (log, "vms/f", "one two remove renamed rename renamed done rename");
  assert_of (log, "vms/d e", "");
  virfs_event_log_add (log, "vms/d e", "renamed", "from=f to=\"d e\"");
  virfs_event_log_add (log, "vms/x", "one", NULL);
  virfs_event_log_add (log, "vms/y", "two", NULL);
  virfs_event_log_add (log, "vms/x", "renamed", "from=y to=x");
  assert_of (log, "vms/x", "one two renamed");

  /* what is gone is not told of another of its name */
  virfs_event_log_add (log, "vms/d e", "remove", "uid=0 outcome=EBUSY");
  assert_of (log, "vms/d e", "one two remove renamed rename renamed done rename renamed remove");
  virfs_event_log_add (log, "vms/d e", "removed", NULL);
  assert_of (log, "vms/d e", "");
  virfs_event_log_add (log, "vms/d e", "added", NULL);
  assert_of (log, "vms/d e", "added");
}

static gsize
sum_of_all (VirfsEventLog *log, guint n)
{
  gsize sum = 0;

  for (guint i = 0; i < n; i++) {
    g_autofree char *object = g_strdup_printf ("vms/%u", i);

    sum += virfs_event_log_size_of (log, object);
  }
  return sum;
}

/* When lines go they go from their objects, and only then; and they are there again. */
static void
test_objects_trim (void)
{
  g_autoptr (VirfsEventLog) log = virfs_event_log_new (5000);
  g_autoptr (VirfsEventLog) again = virfs_event_log_new (5000);
  g_autofree char *text = NULL;
  guint64 start;
  gsize size;

  for (guint i = 0; i < 1000; i++) {
    g_autofree char *object = g_strdup_printf ("vms/%u", i * 7 % 31);
    gsize before = virfs_event_log_size (log, NULL);
    gboolean cut = virfs_event_log_add (log, object, "state", NULL);

    g_assert_true (cut == (virfs_event_log_size (log, NULL) < before));
    g_assert_cmpuint (sum_of_all (log, 31), ==, virfs_event_log_size (log, NULL));
  }
  text = read_all (log);
  size = virfs_event_log_size (log, &start);
  virfs_event_log_restore (again, start, text, size, 1);
  g_assert_cmpuint (sum_of_all (again, 31), ==, size);
  assert_of (again, "vms/30", "state state state");
  g_assert_cmpint (virfs_event_log_changed_of (again, "vms/30"), >, G_USEC_PER_SEC);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/event/lines", test_lines);
  g_test_add_func ("/event/details", test_details);
  g_test_add_func ("/event/made", test_made);
  g_test_add_func ("/event/raw", test_raw);
  g_test_add_func ("/event/read", test_read);
  g_test_add_func ("/event/trim", test_trim);
  g_test_add_func ("/event/huge-line", test_huge);
  g_test_add_func ("/event/follow", test_follow);
  g_test_add_func ("/event/loss", test_loss);
  g_test_add_func ("/event/long", test_long);
  g_test_add_func ("/event/json-lines", test_json_lines);
  g_test_add_func ("/event/json-log", test_json_log);
  g_test_add_func ("/event/json-loss", test_json_loss);
  g_test_add_func ("/event/objects", test_objects);
  g_test_add_func ("/event/objects-trim", test_objects_trim);
  return g_test_run ();
}
