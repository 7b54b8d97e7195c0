/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks that are reached by TLS alone: qemu-nbd speaks it for libguestfs, which does not.  It gets a socket
 * that listens already, as systemd passes it (sd_listen_fds(3)), so nobody has to wait until it is up.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SCHEME      "nbds:"
#define LISTEN_FD   3 /* SD_LISTEN_FDS_START */
#define NBD_PORT    10809
#define CONNECTIONS "16"

/* Where libnbd looks, see nbd_set_tls_certificates(3). */
static char *
find_certificates (void)
{
  const char *home = g_get_home_dir ();
  const char *places[] = { "/etc/pki/libnbd", ".pki/libnbd", ".config/pki/libnbd" };

  for (guint i = geteuid () == 0 ? 0 : 1; i < (geteuid () == 0 ? 1 : G_N_ELEMENTS (places)); i++) {
    g_autofree char *place = g_build_filename (i == 0 ? "/" : home, places[i], NULL);

    if (g_file_test (place, G_FILE_TEST_IS_DIR))
      return g_steal_pointer (&place);
  }
  return NULL;
}

static char *
certificates_in (const char *directory, GError **error)
{
  char *found = directory && *directory ? g_strdup (directory) : find_certificates ();

  if (found == NULL)
    helper_fail (error, EOPNOTSUPP,
                 "there is no directory with certificates: it is given by backup_tls=DIRECTORY in"
                 " the host's uri, see virfs.conf(5)");
  return found;
}

static int
listen_at (const char *path, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path
      && bind (fd, (struct sockaddr *) &address, sizeof address) == 0 && listen (fd, 16) == 0)
    return fd;
  helper_fail (error, EIO, "%s: a socket cannot be made there", path);
  if (fd >= 0)
    close (fd);
  return -1;
}

/* In the arguments of QEMU's programs a comma ends a value, and two are one. */
static char *
quote (const char *value)
{
  g_autoptr (GString) quoted = g_string_new (value);

  g_string_replace (quoted, ",", ",,", 0);
  return g_string_free (g_steal_pointer (&quoted), FALSE);
}

static char **
make_arguments (GUri *uri, const char *certificates)
{
  g_autofree char *directory = quote (certificates);
  g_autofree char *host = quote (g_uri_get_host (uri));
  g_autofree char *export = quote (g_uri_get_path (uri) + (*g_uri_get_path (uri) == '/'));
  int port = g_uri_get_port (uri);
  g_autofree char *object
    = g_strdup_printf ("tls-creds-x509,id=tls,endpoint=client,dir=%s", directory);
  g_autofree char *image
    = g_strdup_printf ("driver=raw,file.driver=nbd,file.server.type=inet,file.server.host=%s,"
                       "file.server.port=%d,file.export=%s,file.tls-creds=tls",
                       host, port > 0 ? port : NBD_PORT, export);
  const char *arguments[] = { "qemu-nbd", "--read-only", "--persistent", "--shared=" CONNECTIONS,
                              "--object", object,        "--image-opts", image,
                              NULL };

  return g_strdupv ((char **) arguments);
}

/* In the child, where nothing may be allocated.  PID is a place for its number in ENVIRONMENT. */
static void
become (char **arguments, char **environment, char *pid, gsize size, int fd)
{
  g_snprintf (pid, size, "LISTEN_PID=%d", (int) getpid ());
  if (fd == LISTEN_FD)
    fcntl (fd, F_SETFD, 0);
  else
    dup2 (fd, LISTEN_FD);
  execvpe (arguments[0], arguments, environment);
  _exit (127);
}

static gboolean
spawn (char **arguments, int fd, GError **error)
{
  char pid[32] = "";
  g_auto (GStrv) own
    = g_environ_unsetenv (g_environ_unsetenv (g_get_environ (), "LISTEN_PID"), "LISTEN_FDS");
  g_autoptr (GPtrArray) environment = g_ptr_array_new ();
  int child;

  for (char **entry = own; *entry; entry++)
    g_ptr_array_add (environment, *entry);
  g_ptr_array_add (environment, (char *) "LISTEN_FDS=1");
  g_ptr_array_add (environment, pid);
  g_ptr_array_add (environment, NULL);
  child = fork ();
  if (child == 0)
    become (arguments, (char **) environment->pdata, pid, sizeof pid, fd);
  if (child < 0)
    helper_fail (error, errno, "fork: %s", g_strerror (errno));
  return child > 0;
}

gboolean
helper_proxy (char **uri, const char *certificates, const char *directory, GError **error)
{
  static guint number;
  g_autofree char *name = g_strdup_printf ("tls%u", number);
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *found = NULL;
  g_autoptr (GUri) parsed = NULL;
  g_auto (GStrv) arguments = NULL;
  gboolean spawned;
  int fd;

  if (!g_str_has_prefix (*uri, SCHEME))
    return TRUE;
  parsed = g_uri_parse (*uri, G_URI_FLAGS_NONE, NULL);
  if (parsed == NULL || g_uri_get_host (parsed) == NULL) {
    helper_fail (error, EINVAL, "%s is no address", *uri);
    return FALSE;
  }
  found = certificates_in (certificates, error);
  fd = found != NULL ? listen_at (path, error) : -1;
  if (fd < 0)
    return FALSE;
  arguments = make_arguments (parsed, found);
  spawned = spawn (arguments, fd, error);
  close (fd);
  if (!spawned)
    return FALSE;
  number++;
  g_free (*uri);
  *uri = g_strdup_printf ("nbd+unix:///?socket=%s", path);
  return TRUE;
}
