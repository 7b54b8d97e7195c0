/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file. */
#include "config.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  char *file;
  VirfsConfig *config;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  int fd = g_file_open_tmp ("virfs-test-XXXXXX", &f->file, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  f->config = virfs_config_new ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  virfs_config_free (f->config);
  g_unlink (f->file);
  g_free (f->file);
}

static gboolean
load (Fixture *f, const char *text, GError **error)
{
  g_assert_true (g_file_set_contents (f->file, text, -1, NULL));
  return virfs_config_load (f->config, f->file, error);
}

static void
test_good (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const VirfsConfigHost *host;

  g_assert_cmpuint (f->config->poll_interval, ==, 10);
  g_assert_cmpuint (f->config->hosts->len, ==, 0);
  load (f,
        "# a comment\n[virfs]\npoll_interval = 5\nshutdown_timeout=604800\nimages=pictures\n"
        "currency=EUR\nprice_kwh = 0.25\n\n"
        "[host h1]\nuri = qemu+ssh://root@h1/system\nimages=its own\nwatts_idle=90.5\n[host  h2 "
        "]\nuri=test:///default\n",
        &error);
  g_assert_no_error (error);
  g_assert_cmpuint (f->config->poll_interval, ==, 5);
  g_assert_cmpuint (f->config->shutdown_timeout, ==, 604800);
  g_assert_cmpuint (f->config->connect_timeout, ==, 10);
  g_assert_cmpuint (f->config->hosts->len, ==, 2);
  host = f->config->hosts->pdata[0];
  g_assert_cmpstr (host->name, ==, "h1");
  g_assert_cmpstr (host->uri, ==, "qemu+ssh://root@h1/system");
  g_assert_cmpstr (host->images, ==, "its own");
  g_assert_cmpfloat (host->watts_idle, ==, 90.5);
  g_assert_cmpfloat (host->watts_max, ==, 0);
  g_assert_cmpfloat (f->config->price_kwh, ==, 0.25);
  g_assert_cmpfloat (f->config->price_vcpu_hour, ==, 0);
  g_assert_cmpstr (f->config->currency, ==, "EUR");
  g_assert_cmpstr (f->config->images, ==, "pictures");
  host = f->config->hosts->pdata[1];
  g_assert_cmpstr (host->name, ==, "h2");
  g_assert_cmpstr (host->uri, ==, "test:///default");
  g_assert_null (host->images);
}

static void
test_empty (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (load (f, "", &error));
  g_assert_no_error (error);
}

/* The sentence names the file and the place. */
static void
test_bad (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *text, *place;
  } bad[] = {
    { "[virfs]\npoll_interval = 0\n", "poll_interval" },
    { "[virfs]\npoll_interval = 86401\n", "poll_interval" },
    { "[virfs]\npoll_interval = soon\n", "poll_interval" },
    { "[virfs]\npoll_interval = -1\n", "poll_interval" },
    { "[virfs]\npoll_interval = 5s\n", "poll_interval" },
    { "[virfs]\npoll_interval =\n", "poll_interval" },
    { "[virfs]\nkeepalive_count = 99999999999999999999\n", "keepalive_count" },
    { "[virfs]\nimages = a/b\n", "images" },
    { "[virfs]\nprice_kwh = -0.1\n", "price_kwh" },
    { "[virfs]\nprice_kwh = cheap\n", "price_kwh" },
    { "[virfs]\ncurrency = \n", "currency" },
    { "[host h1]\nuri = test:///default\nwatts_max = 1kW\n", "watts_max" },
    { "[host h1]\nuri = test:///default\nimages =\n", "images" },
    { "[host h1]\n", "host h1" },
    { "[host h1]\nuri =\n", "host h1" },
    { "[host ]\nuri = test:///default\n", "host " },
    { "[hosts]\nuri = x\n", "hosts" },
    { "uri = x\n", "" },
    { "nonsense", "" },
    { "[virfs]\nbinary = \xff\xfe\n[host x", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (load (f, bad[i].text, &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, f->file));
    g_assert_nonnull (strstr (error->message, bad[i].place));
  }
}

static void
test_missing (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (virfs_config_load (f->config, "/nonexistent/virfs.conf", &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "/nonexistent/virfs.conf"));
}

static void
test_unknown (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*colour*");
  g_assert_true (load (f, "[virfs]\ncolour = blue\npoll_interval = 3\n", &error));
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
  g_assert_cmpuint (f->config->poll_interval, ==, 3);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/config/good", test_good);
  ADD ("/config/empty", test_empty);
  ADD ("/config/bad", test_bad);
  ADD ("/config/missing", test_missing);
  ADD ("/config/unknown", test_unknown);
  return g_test_run ();
}
