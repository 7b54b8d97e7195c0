/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit trail: what is done through the tree is a line of events/log, and no secret is. */
#include "fake_image.h"
#include "fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define FLEET "h1=fake:2 h2=fake:2"

/* The end of the log has, in this order, lines with each of these, `TIME` and `uid=N` left out. */
static void
assert_told (Fixture *f, const char *expected)
{
  g_autofree char *text = cat (f, "events/log");
  g_autofree char *uid = g_strdup_printf (" uid=%u", getuid ());
  g_autofree char *wanted = g_strconcat (" ", expected, "\n", NULL);
  g_auto (GStrv) parts = g_strsplit (text, uid, -1);
  g_autofree char *without = g_strjoinv ("", parts);

  if (strstr (without, wanted) == NULL)
    g_error ("events/log does not tell \"%s\":\n%s", expected, text);
}

static gboolean
is_like (Fixture *f, const char *path, const char *pattern)
{
  g_autofree char *text = cat (f, path);

  return g_regex_match_simple (pattern, text, 0, 0);
}

static void
assert_like (Fixture *f, const char *path, const char *pattern)
{
  g_autofree char *text = cat (f, path);

  if (!g_regex_match_simple (pattern, text, 0, 0))
    g_error ("%s is not like \"%s\":\n%s", path, pattern, text);
}

static void
test_write (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, 0);
  assert_told (f, "vms/h1-1/state write value=paused old=running new=paused outcome=ok");
  g_assert_cmpint (echo (f, "two words", "vms/h1-1/title"), ==, 0);
  assert_told (f, "vms/h1-1/title write value=\"two words\" old=\"\" new=\"two words\" outcome=ok");
  g_assert_cmpint (echo (f, "nonsense", "vms/h1-1/autostart"), ==, EINVAL);
  assert_told (f, "vms/h1-1/autostart write value=nonsense old=0 outcome=EINVAL"
                  " reason=\"0 or 1 is wanted\"");
  /* what a command shows is not its value */
  g_assert_cmpint (echo (f, "resume", "vms/h1-1/ctl"), ==, 0);
  assert_told (f, "vms/h1-1/ctl write value=resume outcome=ok");
}

/* Each line is a command, and told as one. */
static void
test_lines (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo_n (f, "paused\nrunning\nnowhere\n", -1, "vms/h1-1/state"), ==, EINVAL);
  assert_told (f, "vms/h1-1/state write value=paused old=running new=paused outcome=ok");
  assert_told (f, "vms/h1-1/state write value=running old=paused new=running outcome=ok");
  assert_like (f, "events/log", "write uid=[0-9]* value=nowhere old=running outcome=EINVAL");
  g_assert_cmpint (echo_n (f, "a\nb\n", -1, "vms/h1-1/tags"), ==, 0);
  assert_told (f, "vms/h1-1/tags write value=a\\nb\\n old=\"\" new=a\\nb outcome=ok");
}

static void
test_directories (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "vms/new"), ==, 0);
  assert_told (f, "vms/new make outcome=ok");
  g_assert_cmpint (mv (f, "vms/new", "vms/other"), ==, 0);
  assert_told (f, "vms/other rename from=vms/new to=vms/other outcome=ok");
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *state = at (f, "vms/h1-1/state"), *id = at (f, "vms/h1-1/id");

  g_assert_cmpint (unlink_at (f, "vms/h1-1/state"), ==, EPERM);
  assert_like (f, "events/log", "vms/h1-1/state remove uid=[0-9]* outcome=EPERM reason=");
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/new"), ==, EPERM);
  assert_like (f, "events/log", "vms/h1-1/new make uid=[0-9]* outcome=EPERM reason=");
  g_assert_cmpint (rmdir_at (f, "vms/h1-1/disks"), ==, EPERM);
  assert_like (f, "events/log", "vms/h1-1/disks remove uid=[0-9]* outcome=EPERM reason=");
  g_assert_cmpint (mv (f, "vms/h1-1/id", "vms/h1-1/number"), ==, EPERM);
  assert_like (f, "events/log", "vms/h1-1/id rename uid=[0-9]* from=vms/h1-1/id .*outcome=EPERM");
  g_assert_cmpint (symlink ("x", id) == 0 ? 0 : errno, ==, EEXIST);
  g_assert_cmpint (chmod (state, 0777) == 0 ? 0 : errno, ==, EPERM);
  assert_like (f, "events/log", "vms/h1-1/state own uid=[0-9]* outcome=EPERM reason=");
  g_assert_cmpint (rmdir_at (f, "vms/h1-1"), ==, EBUSY);
  assert_like (f, "events/log", "vms/h1-1 remove uid=[0-9]* outcome=EBUSY reason=");
}

static void
test_owner (Fixture *f, gconstpointer data)
{
  g_autofree char *vm = at (f, "vms/h1-1");
  g_autofree char *expected
    = g_strdup_printf ("vms/h1-1 own value=\"%u:%u 0700\" old=\"%u:%u 0750\" outcome=ok", getuid (),
                       getgid (), getuid (), getgid ());

  g_assert_cmpint (chmod (vm, 0700), ==, 0);
  assert_told (f, expected);
}

static void
test_links (Fixture *f, gconstpointer data)
{
  g_autofree char *link = at (f, "by/tag/blue/h1-1");

  g_assert_cmpint (mkdir_at (f, "by/tag/blue"), ==, 0);
  assert_told (f, "by/tag/blue make outcome=ok");
  g_assert_cmpint (symlink ("../../../vms/h1-1", link), ==, 0);
  assert_told (f, "by/tag/blue/h1-1 link to=../../../vms/h1-1 outcome=ok");
  g_assert_cmpint (unlink_at (f, "by/tag/blue/h1-1"), ==, 0);
  assert_told (f, "by/tag/blue/h1-1 remove outcome=ok");
}

static void
test_jobs (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, 0);
  assert_like (f, "events/log", "vms/h1-1 begun job=[0-9]* uid=[0-9]* operation=");
  assert_like (f, "events/log", "vms/h1-1 done job=[0-9]* uid=[0-9]* operation=");
}

static void
set_up_images (Fixture *f, gconstpointer hosts)
{
  virfs_fake_images = g_dir_make_tmp ("virfs-images-XXXXXX", NULL);
  __atomic_store_n (&virfs_fake_room, G_MAXUINT64, __ATOMIC_RELEASE);
  fixture_set_up (f, hosts);
}

static void
tear_down_images (Fixture *f, gconstpointer hosts)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  fixture_tear_down (f, hosts);
  dir = g_dir_open (virfs_fake_images, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (virfs_fake_images, name, NULL);

    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (virfs_fake_images), ==, 0);
  g_clear_pointer (&virfs_fake_images, g_free);
}

static void
test_images (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (sh_quietly (f, "head -c 100000 /dev/urandom > images/new.raw"), ==, 0);
  assert_told (f, "images/new.raw create outcome=ok");
  assert_soon (is_like (f, "events/log", "images/new.raw done job=[0-9]* uid=[0-9]* operation="));
  g_assert_cmpint (mv (f, "images/new.raw", "images/old.raw"), ==, 0);
  assert_told (f, "images/old.raw rename from=images/new.raw to=images/old.raw outcome=ok");
  g_assert_cmpint (unlink_at (f, "images/old.raw"), ==, 0);
  assert_told (f, "images/old.raw remove outcome=ok");
}

/* Secrets are nowhere in it, whoever writes them where. */
static void
test_secrets (Fixture *f, gconstpointer data)
{
  g_autofree char *huge = g_strnfill (60000, 'y');
  g_autofree char *text = NULL, *json = NULL;

  g_assert_cmpint (mkdir_at (f, "hosts/h3"), ==, 0);
  echo (f, "esx://root:s3cret@h3/", "hosts/h3/uri");
  echo (f, "root:s3cret@h3", "hosts/h3/uri");
  echo (f, "esx://root:a/s3cret@h3/", "hosts/h3/uri");
  echo (f, "see esx://root:my s3cret@h3/", "vms/h1-1/title");
  echo (f, "esx://root:s3cret@h3/", "vms/h1-1/state");
  echo_n (f, "#cloud-config\npassword: s3cret\n", -1, "vms/h1-2/cloud-init/user-data");
  echo_n (f, "<domain s3cret='1'/>", -1, "vms/h1-1/xml");
  text = cat (f, "events/log");
  json = cat (f, "events/log.json");
  if (strstr (text, "s3cret") != NULL)
    g_error ("a secret is told:\n%s", text);
  g_assert_null (strstr (json, "s3cret"));
  assert_like (f, "events/log", "hosts/h3/uri write uid=");
  assert_like (f, "events/log", "vms/h1-2/cloud-init/user-data write uid=[0-9]* outcome=ok");
  assert_like (f, "events/log", "vms/h1-1/state write uid=[0-9]* value=esx://root:\\*\\*\\*@h3/");

  /* nor anything without end */
  g_assert_cmpint (echo (f, huge, "vms/h1-1/description"), ==, 0);
  g_clear_pointer (&text, g_free);
  text = cat (f, "events/log");
  g_assert_cmpuint (strlen (text), <, 20000);
}

/* Of one object. */
static void
test_objects (Fixture *f, gconstpointer data)
{
  g_autofree char *mine = NULL, *renamed = NULL, *host = NULL, *sorted = NULL;

  g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, 0);
  g_assert_cmpint (
    sh (f, "grep -E '^[^ ]* vms/h1-1[ /]' events/log | diff - vms/h1-1/events", &mine), ==, 0);
  g_assert_cmpstr (mine, ==, "");
  g_assert_cmpint (
    sh (f, "grep -E '^[^ ]* hosts/h1[ /]' events/log | diff - hosts/h1/events", &host), ==, 0);
  assert_like (f, "hosts/h1/events", "hosts/h1 state value=up");
  g_assert_cmpint (sh_quietly (f, "! grep -v ' alarm ' vms/h2-2/events"), ==, 0);
  g_assert_cmpint (sh_quietly (f, "grep -q h1-1 vms/h2-2/events"), !=, 0);
  /* sizes are exact, and what is new is seen at once */
  for (guint i = 0; i < 20; i++) {
    g_autofree char *text = NULL;

    g_assert_cmpint (echo (f, i % 2 ? "paused" : "running", "vms/h1-1/state"), ==, 0);
    text = cat (f, "vms/h1-1/events");
    g_assert_true (g_str_has_suffix (text, "outcome=ok\n"));
    g_assert_cmpint (stat_at (f, "vms/h1-1/events").st_size, ==, strlen (text));
  }
  g_assert_cmpint (echo (f, "shutoff", "vms/h1-1/state"), ==, 0);
  g_assert_cmpint (mv (f, "vms/h1-1", "vms/www"), ==, 0);
  assert_like (f, "vms/www/events", "vms/h1-1/state write uid=[0-9]* value=shutoff");
  g_assert_cmpint (rmdir_at (f, "vms/www"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/www"), ==, 0);
}

static void
test_json (Fixture *f, gconstpointer data)
{
  g_autofree char *python = g_find_program_in_path ("python3");
  g_autofree char *names = NULL, *out = NULL;
  const char *check = "python3 -c 'import json\n"
                      "lines = open(\"events/log\").read().splitlines()\n"
                      "objects = [json.loads(line) for line in open(\"events/log.json\")]\n"
                      "assert len(lines) == len(objects), (len(lines), len(objects))\n"
                      "for line, o in zip(lines, objects):\n"
                      "  assert line.startswith(o[\"time\"] + \" \" + o[\"object\"] + \" \" + "
                      "o[\"kind\"]), (line, o)\n"
                      "last = [o for o in objects if o[\"kind\"] == \"write\"][-1]\n"
                      "assert last[\"value\"] == \"a \\\"b\\\"\", last\n"
                      "assert last[\"uid\"] == " G_STRINGIFY (UID_PLACE) ", last'";
  g_auto (GStrv) parts = g_strsplit (check, G_STRINGIFY (UID_PLACE), -1);
  g_autofree char *uid = g_strdup_printf ("%u", getuid ()), *command = g_strjoinv (uid, parts);

  if (python == NULL) {
    g_test_skip ("there is no python3");
    return;
  }
  g_assert_cmpint (echo (f, "a \"b\"", "vms/h1-1/title"), ==, 0);
  g_assert_cmpint (sh (f, command, &out), ==, 0);
  names = ls (f, "events");
  g_assert_null (strstr (names, "json"));
}

static void
add (const char *path, void (*func) (Fixture *, gconstpointer))
{
  fixture_add (path, FLEET, func);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  add ("/audit/write", test_write);
  add ("/audit/lines", test_lines);
  add ("/audit/directories", test_directories);
  add ("/audit/refused", test_refused);
  add ("/audit/owner", test_owner);
  add ("/audit/links", test_links);
  add ("/audit/jobs", test_jobs);
  g_test_add ("/audit/images", Fixture, FLEET, set_up_images, test_images, tear_down_images);
  add ("/audit/secrets", test_secrets);
  add ("/audit/objects", test_objects);
  add ("/audit/json", test_json);
  return g_test_run ();
}
