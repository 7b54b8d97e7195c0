/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts the calls of libvirt that a walk makes: `calls URI MOUNTPOINT COMMAND…`.
 *
 * Mounts the host at URI in this process, which polls nothing, and runs each command in the mount,
 * with a line of the table for each: how many calls were made meanwhile.  The exit status tells
 * whether it was none.
 */
#include "bench.h"

#include "infra.h"
#include "libvirt.h"
#include "tree.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEVER 1000000 /* seconds */

typedef struct {
  VirfsInfra *infra;
  VirfsTree *tree;
  VirfsSession *session;
  GThread *thread;
} Mount;

static gpointer
serve (gpointer session)
{
  virfs_session_run (session);
  return NULL;
}

static void
mount_host (Mount *mount, const char *uri, const char *mountpoint)
{
  VirfsLibvirtOptions options = VIRFS_LIBVIRT_DEFAULTS;
  g_autoptr (GError) error = NULL;

  options.poll_interval = NEVER;
  virfs_libvirt_init (&options);
  mount->infra = virfs_infra_new (&virfs_libvirt_backend, 60);
  mount->tree = virfs_tree_new (mount->infra);
  mount->session = virfs_session_new (&virfs_tree_ops, mount->tree, NULL, &error);
  if (mount->session == NULL || !virfs_session_mount (mount->session, mountpoint, &error))
    bench_die ("%s", error->message);
  virfs_tree_set_session (mount->tree, mount->session);
  mount->thread = g_thread_new ("serve", serve, mount->session);
  virfs_object_unref (virfs_infra_add_host (mount->infra, "bench", uri, &error));
  virfs_infra_settle (mount->infra, 60 * G_TIME_SPAN_SECOND);
}

static void
unmount (Mount *mount, const char *mountpoint)
{
  g_autofree char *line = g_strdup_printf ("fusermount3 -u '%s'", mountpoint);

  if (system (line) != 0)
    bench_die ("%s cannot be unmounted", mountpoint);
  g_thread_join (mount->thread);
  virfs_infra_stop (mount->infra, G_TIME_SPAN_SECOND);
  virfs_tree_set_session (mount->tree, NULL);
  virfs_session_free (mount->session);
}

/* The calls that were made while COMMAND ran. */
static guint64
count (const char *mountpoint, const char *command)
{
  g_autofree char *line = g_strdup_printf ("cd '%s' && %s", mountpoint, command);
  guint64 before = virfs_libvirt_calls ();

  if (system (line) != 0)
    bench_die ("this failed: %s", command);
  return virfs_libvirt_calls () - before;
}

int
main (int argc, char **argv)
{
  Mount mount;
  gboolean none = TRUE;

  if (argc < 4)
    bench_die ("usage: see the head of calls.c");
  mount_host (&mount, argv[1], argv[2]);
  for (int i = 3; i < argc; i++) {
    g_autofree char *what = g_strdup_printf ("calls of libvirt: %.27s", argv[i]);

    none &= bench_print_value (what, (double) count (argv[2], argv[i]), "", 0);
  }
  unmount (&mount, argv[2]);
  return none ? EXIT_SUCCESS : EXIT_FAILURE;
}
