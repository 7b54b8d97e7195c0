/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backend.h"

#include "error.h"

#include <glib/gstdio.h>

const VirfsKeeper *backend_keeper;

void
backend_open_uri (Backend *f, const char *uri)
{
  f->infra = virfs_infra_new (&virfs_libvirt_backend, 5);
  if (backend_keeper != NULL)
    virfs_infra_set_keeper (f->infra, backend_keeper);
  f->host = virfs_infra_add_host (f->infra, "h1", uri, NULL);
  g_assert_nonnull (f->host);
  g_assert_true (virfs_infra_settle (f->infra, PATIENCE));
}

void
backend_open (Backend *f, const char *xml, const char *parameters)
{
  g_autofree char *uri = NULL;
  int fd = g_file_open_tmp ("virfs-backend-XXXXXX.xml", &f->path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (f->path, xml, -1, NULL));
  uri = g_strconcat ("test://", f->path, parameters, NULL);
  backend_open_uri (f, uri);
}

void
backend_close (Backend *f, gconstpointer data)
{
  virfs_object_unref (f->host);
  virfs_infra_stop (f->infra, PATIENCE);
  virfs_infra_free (f->infra);
  if (f->path != NULL)
    g_unlink (f->path);
  g_free (f->path);
}

/* Jobs. */

static struct {
  GMutex lock;
  GCond changed;
  guint under_way;
  GError *error; /* the first; until another job is begun when there is none */
} outcome;

static void
on_done (VirfsJob *job, const GError *error, gpointer data)
{
  g_mutex_lock (&outcome.lock);
  outcome.under_way--;
  if (error != NULL && outcome.error == NULL)
    outcome.error = g_error_copy (error);
  g_cond_signal (&outcome.changed);
  g_mutex_unlock (&outcome.lock);
}

VirfsJob *
backend_begin (VirfsInfra *infra, const VirfsJobSpec *spec)
{
  VirfsJobSpec told = *spec;

  told.operation = "test";
  told.done = on_done;
  g_mutex_lock (&outcome.lock);
  if (outcome.under_way++ == 0)
    g_clear_error (&outcome.error);
  g_mutex_unlock (&outcome.lock);
  return virfs_job_new (infra, &told);
}

VirfsJob *
backend_begin_host (Backend *f)
{
  VirfsJobSpec spec = { .object = &f->host->object, .host = &f->host->object };

  return backend_begin (f->infra, &spec);
}

int
backend_end (VirfsJob *job)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&outcome.lock);
  while (outcome.under_way > 0)
    g_assert_true (g_cond_wait_until (&outcome.changed, &outcome.lock, deadline));
  g_mutex_unlock (&outcome.lock);
  if (job != NULL)
    virfs_object_unref (job);
  if (outcome.error != NULL)
    g_test_message ("%s", outcome.error->message);
  return virfs_error_to_errno (outcome.error);
}

const char *
backend_message (void)
{
  return outcome.error ? outcome.error->message : NULL;
}
