/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: its options, and the way into the background.  See virfs(8). */
#include "config.h"
#include "daemon.h"
#include "demo.h"
#include "libvirt.h"
#include "log.h"
#include "verify.h"
#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

typedef struct {
  char *config;
  char **options; /* of each -o */
  char **names;   /* what is no option */
  gboolean foreground, demo, verbose, version, verify;
  char *saved; /* with --verify-log; NULL: nothing */
} Arguments;

static void
clear_arguments (Arguments *arguments)
{
  g_free (arguments->config);
  g_free (arguments->saved);
  g_strfreev (arguments->options);
  g_strfreev (arguments->names);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, clear_arguments)

static gboolean
take_verify (const char *name, const char *value, gpointer data, GError **error)
{
  Arguments *arguments = data;

  arguments->verify = TRUE;
  g_free (arguments->saved);
  arguments->saved = g_strdup (value);
  return TRUE;
}

static gboolean
parse_arguments (int *argc, char ***argv, Arguments *to, GError **error)
{
  const GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &to->config,
      "read FILE instead of /etc/virfs.conf (or ~/.config/virfs.conf)", "FILE" },
    { "demo", 0, 0, G_OPTION_ARG_NONE, &to->demo,
      "show an embedded fleet: needs no hosts, no root and no configuration", NULL },
    { "foreground", 'f', 0, G_OPTION_ARG_NONE, &to->foreground,
      "stay in the foreground and log to stderr", NULL },
    { "options", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &to->options,
      "mount options, as allow_other; see mount.fuse3(8)", "OPTIONS" },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &to->verbose, "log more", NULL },
    { "verify-log", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK, (gpointer) take_verify,
      "mount nothing: check the stored log of events, and that HEAD (from events/head) is in it",
      "HEAD" },
    { "version", 'V', 0, G_OPTION_ARG_NONE, &to->version, "print the version", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &to->names, NULL, "MOUNTPOINT" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  GOptionGroup *group = g_option_group_new ("", "", "", to, NULL);

  g_option_group_add_entries (group, entries);
  g_option_context_set_main_group (context, group);
  g_option_context_set_summary (
    context, "Mounts hosts and virtual machines as a tree of files.  Unmount with umount(8) or\n"
             "`fusermount3 -u MOUNTPOINT`.");
  g_option_context_set_description (
    context, "Without a configuration the local hypervisor is shown (qemu:///system, else\n"
             "qemu:///session).  A first look: virfs --demo MOUNTPOINT; then read its README.\n"
             "Manual: virfs(8), virfs(7), virfs.conf(5).");
  return g_option_context_parse (context, argc, argv, error);
}

/* mount(8) calls `mount.virfs SPEC DIRECTORY -o OPTIONS`: the spec is the configuration file, or any
 * word without a slash for the usual one. */
static gboolean
take_mount_spec (Arguments *arguments)
{
  char **names = arguments->names;

  if (names == NULL || g_strv_length (names) != 2)
    return FALSE;
  if (strchr (names[0], '/') != NULL && arguments->config == NULL)
    arguments->config = g_strdup (names[0]);
  g_free (names[0]);
  names[0] = names[1];
  names[1] = NULL;
  return TRUE;
}

/* What fstab may say to mount(8) itself is not for FUSE. */
static gboolean
is_for_mount (const char *option)
{
  static const char *const words[] = { "auto",  "noauto", "nofail", "_netdev", "user",
                                       "users", "nouser", "owner",  "group",   "defaults" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (option, words[i]))
      return TRUE;
  return g_str_has_prefix (option, "x-") || *option == '\0';
}

static char *
fuse_options (char **given)
{
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  g_autofree char *all = given ? g_strjoinv (",", given) : g_strdup ("");
  g_auto (GStrv) options = g_strsplit (all, ",", -1);

  for (char **option = options; *option; option++)
    if (!is_for_mount (*option))
      g_ptr_array_add (kept, *option);
  g_ptr_array_add (kept, NULL);
  return kept->len > 1 ? g_strjoinv (",", (char **) kept->pdata) : NULL;
}

/* Without configuration: the hypervisor of this machine. */
static gboolean
use_local_hypervisor (VirfsConfig *config, const char *file, GError **error)
{
  static const char *const uris[] = { "qemu:///system", "qemu:///session" };
  g_autofree char *name = g_strndup (g_get_host_name (), strcspn (g_get_host_name (), "."));
  g_autoptr (GString) reasons = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (uris); i++) {
    g_autoptr (GError) wrong = NULL;

    if (virfs_libvirt_probe (uris[i], &wrong)) {
      virfs_config_add_host (config, name, uris[i]);
      return TRUE;
    }
    g_string_append_printf (reasons, "\n  %s: %s", uris[i], wrong->message);
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
               "there is no %s, and no hypervisor answers on this machine:%s\n"
               "Write a configuration (see virfs.conf(5)), or try `virfs --demo MOUNTPOINT`.",
               file, reasons->str);
  return FALSE;
}

static gboolean
load_config (VirfsConfig *config, const Arguments *arguments, GError **error)
{
  g_autofree char *standard = virfs_config_default_file ();
  g_autoptr (GError) wrong = NULL;

  if (arguments->config != NULL)
    return virfs_config_load (config, arguments->config, error);
  if (virfs_config_load (config, standard, &wrong))
    return TRUE;
  if (g_error_matches (wrong, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND))
    return use_local_hypervisor (config, standard, error);
  g_propagate_error (error, g_steal_pointer (&wrong));
  return FALSE;
}

/* The background: the parent stays until the child says that the tree is ready, or is gone. */

typedef struct {
  int fd; /* of the pipe to the parent; -1 in the foreground */
  char *demo;
} Start;

static void
become_ready (gpointer data)
{
  Start *start = data;

  if (start->demo != NULL)
    virfs_demo_clean (start->demo);
  g_clear_pointer (&start->demo, g_free);
  if (start->fd >= 0) {
    int null = open ("/dev/null", O_RDWR);

    setsid ();
    virfs_log_to_system ();
    dup2 (null, STDIN_FILENO);
    dup2 (null, STDOUT_FILENO);
    dup2 (null, STDERR_FILENO);
    close (null);
    if (write (start->fd, "", 1) != 1)
      g_warning ("the parent is gone");
    close (start->fd);
  }
}

/* In the parent: does not return. */
static void
wait_for_child (pid_t child, int fd)
{
  char byte;
  ssize_t got;
  int status = 0;

  do
    got = read (fd, &byte, 1);
  while (got < 0 && errno == EINTR);
  if (got == 1)
    _exit (EXIT_SUCCESS);
  waitpid (child, &status, 0);
  _exit (WIFEXITED (status) && WEXITSTATUS (status) ? WEXITSTATUS (status) : EXIT_FAILURE);
}

/* Returns in the child, with the pipe's end. */
static int
go_to_background (GError **error)
{
  int fds[2];
  pid_t child;

  if (pipe2 (fds, O_CLOEXEC) < 0 || (child = fork ()) < 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "fork: %s", g_strerror (errno));
    return -1;
  }
  if (child > 0) {
    close (fds[1]);
    wait_for_child (child, fds[0]);
  }
  close (fds[0]);
  return fds[1];
}

/* Without a configuration: the store that there is then. */
static int
verify (const Arguments *arguments)
{
  g_autoptr (VirfsConfig) config = virfs_config_new ();
  g_autofree char *standard = virfs_config_default_file ();
  const char *file = arguments->config ? arguments->config : standard;
  g_autoptr (GError) error = NULL;

  if (virfs_config_load (config, file, &error)
      || (arguments->config == NULL && g_error_matches (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND)))
    return virfs_verify_log (config, arguments->saved);
  g_printerr ("virfs: %s\n", error->message);
  return VIRFS_VERIFY_UNKNOWN;
}

static gboolean
run (const Arguments *arguments, GError **error)
{
  g_autoptr (VirfsConfig) config = virfs_config_new ();
  g_autofree char *options = fuse_options (arguments->options);
  g_autofree char *mountpoint = g_canonicalize_filename (arguments->names[0], NULL);
  Start start = { .fd = -1 };
  VirfsDaemon daemon = { config, mountpoint, options, become_ready, &start };
  gboolean done;

  if (!arguments->foreground && (start.fd = go_to_background (error)) < 0)
    return FALSE;
  if (arguments->demo) {
    start.demo = virfs_demo_prepare (config, error);
    config->store = g_strdup (VIRFS_STORE_NONE);
  }
  if (arguments->demo ? start.demo == NULL : !load_config (config, arguments, error))
    return FALSE;
  if (!arguments->foreground && chdir ("/") < 0)
    g_warning ("cannot leave the current directory: %s", g_strerror (errno));
  done = virfs_daemon_run (&daemon, error);
  if (start.demo != NULL)
    virfs_demo_clean (start.demo);
  g_free (start.demo);
  return done;
}

int
main (int argc, char **argv)
{
  g_autofree char *called = g_path_get_basename (argv[0]);
  g_auto (Arguments) arguments = { 0 };
  g_autoptr (GError) error = NULL;

  virfs_log_to_stderr ();
  if (!parse_arguments (&argc, &argv, &arguments, &error)) {
    g_printerr ("virfs: %s; try virfs --help\n", error->message);
    return EXIT_USAGE;
  }
  if (arguments.version) {
    g_print ("virfs " VIRFS_VERSION "\n");
    return EXIT_SUCCESS;
  }
  if (arguments.verbose)
    virfs_log_verbosely ();
  if (arguments.verify && arguments.names != NULL) {
    g_printerr ("virfs: --verify-log mounts nothing and takes no directory; try virfs --help\n");
    return EXIT_USAGE;
  }
  if (arguments.verify)
    return verify (&arguments);
  if (g_str_equal (called, "mount.virfs") && !take_mount_spec (&arguments)) {
    g_printerr ("mount.virfs: a configuration file and a directory are wanted\n");
    return EXIT_USAGE;
  }
  if (arguments.names == NULL || g_strv_length (arguments.names) != 1) {
    g_printerr ("virfs: one directory to mount at is wanted; try virfs --help\n");
    return EXIT_USAGE;
  }
  if (!run (&arguments, &error)) {
    g_printerr ("virfs: %s\n", error->message);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
