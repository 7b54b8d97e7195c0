/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounting, and the commands of a shell as functions. */
#include "fixture.h"

#include "alarm.h"
#include "fleetwide.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
/* The kernel tells the end of an open file later, and drops it when that is unmounted meanwhile. */
const char *__lsan_default_suppressions (void);

const char *
__lsan_default_suppressions (void)
{
  return "leak:do_opendir\nleak:do_open\n";
}
#endif

/* Another process. */

static void
ignore (int signal)
{
}

/* --write PATH TEXT: ends with the errno. */
static int
write_as_child (const char *path, const char *text)
{
  struct sigaction action = { .sa_handler = ignore };
  g_autofree char *line = g_strdup_printf ("%s\n", text);
  int fd;

  sigaction (SIGINT, &action, NULL);
  fd = open (path, O_WRONLY | O_TRUNC);
  if (fd < 0 || write (fd, line, strlen (line)) < 0 || close (fd) < 0)
    return errno;
  return 0;
}

GPid
fixture_spawn (Fixture *f, const char *text, const char *path)
{
  g_autofree char *full = at (f, path);
  char *argv[] = { (char *) "/proc/self/exe", (char *) "--write", full, (char *) text, NULL };
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  GPid pid;

  argv[0] = self;
  g_assert_true (
    g_spawn_async (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL));
  return pid;
}

int
fixture_wait (GPid pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

/* Mounting. */

/* Whether no thread of PARENT can go on: it is dead, or dies and waits for itself to answer. */
static gboolean
is_dying (const char *parent)
{
  g_autofree char *tasks = g_strdup_printf ("/proc/%s/task", parent);
  g_autoptr (GDir) dir = g_dir_open (tasks, 0, NULL);
  const char *task;

  while (dir != NULL && (task = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (tasks, task, "stat", NULL);
    g_autofree char *stat = NULL;
    const char *state;

    if (g_file_get_contents (path, &stat, NULL, NULL) && (state = strrchr (stat, ')')) != NULL
        && strchr ("RSTt", state[2]) != NULL)
      return FALSE;
  }
  return TRUE;
}

/* --watchdog DIR PARENT: unmounts should standard input end without a byte, or the parent die. */
static int
watch (const char *dir, const char *parent)
{
  struct pollfd pollfd = { .fd = 0, .events = POLLIN };
  guint bad = 0;
  char byte;

  setsid ();
  while (bad < 3)
    if (poll (&pollfd, 1, 1000) == 0)
      bad = is_dying (parent) ? bad + 1 : 0;
    else if (read (0, &byte, 1) == 1)
      return 0;
    else
      bad = 3;
  if (umount2 (dir, MNT_FORCE | MNT_DETACH) != 0)
    execlp ("fusermount3", "fusermount3", "-uz", dir, NULL);
  rmdir (dir);
  return 0;
}

static int
start_watchdog (const char *dir)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *parent = g_strdup_printf ("%d", getpid ());
  char *argv[] = { self, (char *) "--watchdog", (char *) dir, parent, NULL };
  int fd;

  g_assert_true (g_spawn_async_with_pipes (NULL, argv, NULL,
                                           G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                                           NULL, NULL, NULL, &fd, NULL, NULL, NULL));
  return fd;
}

static gpointer
serve (gpointer session)
{
  return GINT_TO_POINTER (virfs_session_run (session));
}

static void
add_hosts (Fixture *f, const char *hosts)
{
  g_auto (GStrv) words = g_strsplit (hosts, " ", -1);

  for (char **word = words; *word; word++) {
    g_auto (GStrv) pair = g_strsplit (*word, "=", 2);
    g_autoptr (GError) error = NULL;
    g_autoptr (VirfsHost) host = virfs_infra_add_host (f->infra, pair[0], pair[1], &error);

    g_assert_no_error (error);
  }
  g_assert_true (virfs_infra_settle (f->infra, PATIENCE));
}

const VirfsKeeper *fixture_keeper;
void (*fixture_prepare) (VirfsInfra *infra);

static gboolean
mount_tree (Fixture *f, const char *options, GError **error)
{
  f->dir = g_dir_make_tmp ("virfs-test-XXXXXX", error);
  if (f->dir == NULL)
    return FALSE;
  f->watchdog = start_watchdog (f->dir);
  g_atomic_int_set (&virfs_fake_delay, 0);
  f->infra = virfs_infra_new (&virfs_fake_backend, 60);
  if (fixture_keeper != NULL)
    virfs_infra_set_keeper (f->infra, fixture_keeper);
  if (fixture_prepare != NULL)
    fixture_prepare (f->infra);
  virfs_infra_start_alarms (f->infra, FALSE);
  virfs_infra_start_fleet (f->infra);
  f->tree = virfs_tree_new (f->infra);
  f->session = virfs_session_new (&virfs_tree_ops, f->tree, options, error);
  if (f->session == NULL || !virfs_session_mount (f->session, f->dir, error))
    return FALSE;
  virfs_tree_set_session (f->tree, f->session);
  f->server = g_thread_new ("server", serve, f->session);
  return TRUE;
}

/* A file that is open still is a mistake of the test, but what has been closed just now may take a
 * moment. */
static void
unmount (Fixture *f)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  g_autofree char *command = g_strdup_printf ("fusermount3 -u '%s'", f->dir);

  while (umount2 (f->dir, UMOUNT_NOFOLLOW) != 0
         && (errno != EPERM || g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL) != 0)) {
    if (g_get_monotonic_time () > end)
      g_error ("cannot unmount %s: %s", f->dir, g_strerror (errno));
    g_usleep (1000);
  }
}

static void
end_tree (Fixture *f)
{
  if (f->infra != NULL)
    virfs_infra_stop (f->infra, PATIENCE);
  if (f->server != NULL) {
    virfs_session_end (f->session);
    g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (g_steal_pointer (&f->server))), ==, 0);
    virfs_session_unmount (f->session);
  }
  if (f->tree != NULL)
    virfs_tree_set_session (f->tree, NULL);
  if (f->session != NULL)
    virfs_session_free (f->session);
  g_clear_pointer (&f->tree, virfs_tree_free);
  g_clear_pointer (&f->infra, virfs_infra_free);
  g_assert_cmpint (write (f->watchdog, "\n", 1), ==, 1);
  close (f->watchdog);
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_clear_pointer (&f->dir, g_free);
}

static void
set_up (Fixture *f, const char *options, const char *hosts)
{
  g_autoptr (GError) error = NULL;

  mount_tree (f, options, &error);
  g_assert_no_error (error);
  if (hosts != NULL)
    add_hosts (f, hosts);
}

void
fixture_set_up (Fixture *f, gconstpointer hosts)
{
  set_up (f, NULL, hosts);
}

void
fixture_set_up_for_all (Fixture *f, gconstpointer hosts)
{
  set_up (f, "allow_other", hosts);
}

void
fixture_tear_down (Fixture *f, gconstpointer hosts)
{
  unmount (f);
  end_tree (f);
}

/* 77 tells meson that a test was skipped. */
static void
skip_unless_mountable (void)
{
  Fixture f = { 0 };
  g_autoptr (GError) error = NULL;
  int fd = open ("/dev/fuse", O_RDWR | O_CLOEXEC);

  if (fd < 0) {
    g_print ("skipped: /dev/fuse cannot be used: %s\n", g_strerror (errno));
    exit (77);
  }
  close (fd);
  if (!mount_tree (&f, NULL, &error)) {
    g_print ("skipped: %s\n", error->message);
    end_tree (&f);
    exit (77);
  }
  fixture_tear_down (&f, NULL);
}

/* What is told as a message is expected here; anything worse ends the test. */
static GLogWriterOutput
drop_messages (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (level & (G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG))
    return G_LOG_WRITER_HANDLED;
  return g_log_writer_default (level, fields, n_fields, data);
}

void
fixture_init (int *argc, char ***argv)
{
  sigset_t set;

  if (*argc == 4 && g_str_equal ((*argv)[1], "--write"))
    _exit (write_as_child ((*argv)[2], (*argv)[3]));
  if (*argc == 4 && g_str_equal ((*argv)[1], "--watchdog"))
    _exit (watch ((*argv)[2], (*argv)[3]));
  g_test_init (argc, argv, NULL);
  g_log_set_writer_func (drop_messages, NULL, NULL);
  sigemptyset (&set);
  sigaddset (&set, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  skip_unless_mountable ();
}

/* Commands. */

char *
at (Fixture *f, const char *path)
{
  return g_build_filename (f->dir, path, NULL);
}

int
echo_n (Fixture *f, const char *text, gssize size, const char *path)
{
  g_autofree char *full = at (f, path);
  int fd = open (full, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0666);
  int copy, error = 0;

  if (fd < 0)
    return errno;
  /* a shell flushes before it writes: it closes what it has duplicated */
  copy = fcntl (fd, F_DUPFD_CLOEXEC, 10);
  close (fd);
  if (size < 0)
    size = strlen (text);
  while (size > 0 && error == 0) {
    gssize done = write (copy, text, size);

    if (done < 0)
      error = errno;
    text += done;
    size -= done;
  }
  if (close (copy) != 0 && error == 0)
    error = errno;
  return error;
}

int
echo (Fixture *f, const char *text, const char *path)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  return echo_n (f, line, -1, path);
}

int
mkdir_at (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);

  return mkdir (full, 0777) == 0 ? 0 : errno;
}

int
rmdir_at (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);

  return rmdir (full) == 0 ? 0 : errno;
}

int
unlink_at (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);

  return unlink (full) == 0 ? 0 : errno;
}

int
mv (Fixture *f, const char *from, const char *to)
{
  g_autofree char *full_from = at (f, from);
  g_autofree char *full_to = at (f, to);

  return rename (full_from, full_to) == 0 ? 0 : errno;
}

char *
cat (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);
  g_autoptr (GString) text = g_string_new (NULL);
  int fd = open (full, O_RDONLY | O_CLOEXEC);
  char buffer[4096];
  gssize got;

  if (fd < 0)
    return NULL;
  while ((got = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, got);
  if (got < 0) {
    int error = errno;

    close (fd);
    errno = error;
    return NULL;
  }
  close (fd);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
reads (Fixture *f, const char *path, const char *text)
{
  g_autofree char *got = cat (f, path);

  return g_strcmp0 (got, text) == 0;
}

char *
readlink_at (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);

  return g_file_read_link (full, NULL);
}

gboolean
says (Fixture *f, const char *path, const char *words)
{
  g_autofree char *got = cat (f, path);

  return got != NULL && strstr (got, words) != NULL;
}

gboolean
leads (Fixture *f, const char *path, const char *target)
{
  g_autofree char *got = readlink_at (f, path);

  return g_strcmp0 (got, target) == 0;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char *
ls (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  DIR *dir = opendir (full);
  struct dirent *entry;

  if (dir == NULL)
    return NULL;
  while ((entry = readdir (dir)) != NULL)
    if (*entry->d_name != '.')
      g_ptr_array_add (names, g_strdup (entry->d_name));
  closedir (dir);
  g_ptr_array_sort (names, compare);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (char **) names->pdata);
}

struct stat
stat_at (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);
  struct stat st;

  if (lstat (full, &st) != 0)
    g_error ("%s: %s", path, g_strerror (errno));
  return st;
}

gboolean
exists (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);
  struct stat st;

  return lstat (full, &st) == 0;
}

int
sh (Fixture *f, const char *command, char **out)
{
  g_autofree char *all = g_strdup_printf ("exec 2>&1; %s", command);
  char *argv[] = { (char *) "sh", (char *) "-c", all, NULL };
  int status;

  g_assert_true (
    g_spawn_sync (f->dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, out, NULL, &status, NULL));
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

int
sh_quietly (Fixture *f, const char *command)
{
  g_autofree char *out = NULL;

  return sh (f, command, &out);
}

/* Behind the tree. */

VirfsVm *
vm_of (Fixture *f, const char *label)
{
  VirfsVm *vm = virfs_infra_vm (f->infra, label);

  if (vm == NULL)
    g_error ("there is no %s", label);
  return vm;
}

typedef struct {
  VirfsVmState state; /* N_STATES: keep */
  const char *name, *title;
} Edit;

static void
edit (VirfsVmInfo *info, gpointer data)
{
  const Edit *to = data;

  if (to->state != VIRFS_VM_N_STATES)
    info->state = to->state;
  if (to->name != NULL)
    virfs_ref_string_set (&info->name, to->name);
  if (to->title != NULL)
    virfs_ref_string_set (&info->title, to->title);
}

static void
edit_vm (Fixture *f, const char *label, Edit to)
{
  g_autoptr (VirfsVm) vm = vm_of (f, label);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  g_assert_true (virfs_infra_edit_vm (f->infra, info->host, info->uuid, edit, &to));
}

void
set_state (Fixture *f, const char *label, VirfsVmState state)
{
  edit_vm (f, label, (Edit){ .state = state });
}

void
set_title (Fixture *f, const char *label, const char *title)
{
  edit_vm (f, label, (Edit){ .state = VIRFS_VM_N_STATES, .title = title });
}

void
rename_vm (Fixture *f, const char *label, const char *name)
{
  edit_vm (f, label, (Edit){ .state = VIRFS_VM_N_STATES, .name = name });
}

void
move_vm (Fixture *f, const char *label, const char *host)
{
  g_autoptr (VirfsVm) vm = vm_of (f, label);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autoptr (VirfsHost) target = virfs_infra_host (f->infra, host);

  virfs_infra_begin_move (f->infra, vm);
  virfs_infra_update_vm (f->infra, target, virfs_vm_info_copy (info));
  virfs_infra_remove_vm (f->infra, info->host, info->uuid);
  virfs_infra_end_move (f->infra, vm);
}

void
turn_host (Fixture *f, const char *name, VirfsHostState state)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *info = virfs_host_info_copy (known);

  info->state = state;
  virfs_infra_update_host (f->infra, host, info, NULL);
  if (state != VIRFS_HOST_UP)
    virfs_fake_cut (host);
}
