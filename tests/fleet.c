/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet.h"

#include <string.h>

static VirfsHost *
add_host (Fleet *f, const char *name)
{
  g_autoptr (GError) error = NULL;
  VirfsHost *host = virfs_infra_add_host (f->infra, name, "fake:0", &error);

  g_assert_no_error (error);
  return host;
}

void
fleet_set_up (Fleet *f, gconstpointer data)
{
  f->infra = virfs_infra_new (&virfs_fake_backend, 60);
  f->h1 = add_host (f, "h1");
  f->h2 = add_host (f, "h2");
  f->h3 = add_host (f, "h3");
}

void
fleet_tear_down (Fleet *f, gconstpointer data)
{
  virfs_object_unref (f->h1);
  virfs_object_unref (f->h2);
  virfs_object_unref (f->h3);
  virfs_infra_stop (f->infra, G_USEC_PER_SEC);
  virfs_infra_free (f->infra);
}

const char *
fleet_uuid (guint number)
{
  static char uuid[37];

  g_snprintf (uuid, sizeof uuid, "%08x-0000-4000-8000-000000000000", number);
  return uuid;
}

void
fleet_tell (Fleet *f, VirfsHost *host, const char *name, guint number, VirfsVmState state)
{
  VirfsVmInfo *info = virfs_fake_vm (name, number, state);

  g_strlcpy (info->uuid, fleet_uuid (number), sizeof info->uuid);
  virfs_infra_update_vm (f->infra, host, info);
}

void
fleet_lose (Fleet *f, VirfsHost *host, guint number)
{
  virfs_infra_remove_vm (f->infra, host, fleet_uuid (number));
}

void
fleet_turn (Fleet *f, VirfsHost *host, VirfsHostState state)
{
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *info = virfs_host_info_copy (known);

  info->state = state;
  virfs_infra_update_host (f->infra, host, info, NULL);
}

static void
keep_code (VirfsJob *job, const GError *error, gpointer code)
{
  *(int *) code = error ? error->code : -1;
}

int
fleet_set_uri (Fleet *f, VirfsHost *host, const char *uri)
{
  int code = G_MAXINT;
  VirfsJobSpec spec = { .operation = "connect", .done = keep_code, .data = &code };
  g_autoptr (VirfsJob) job = virfs_job_new (f->infra, &spec);

  virfs_infra_set_host_uri (f->infra, host, uri, job);
  g_assert_cmpint (code, !=, G_MAXINT); /* the fake answers at once */
  return code;
}

static void
add_line (VirfsVm *vm, const VirfsVmInfo *info, gpointer lines)
{
  g_ptr_array_add (lines, g_strdup_printf ("%s=%s:%s", info->label, info->host->name,
                                           virfs_vm_state_name (info->state)));
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char *
fleet_show (Fleet *f)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);

  virfs_infra_foreach_vm (f->infra, NULL, add_line, lines);
  g_ptr_array_sort (lines, compare);
  g_ptr_array_add (lines, NULL);
  return g_strjoinv (" ", (char **) lines->pdata);
}
