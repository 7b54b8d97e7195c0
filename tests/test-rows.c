/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds for every file of the tree, whatever it is about: made from the tables of rows. */
#include "fixture.h"

#include "metrics.h"

#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FLEET "h1=fake:2 h2=fake:0"

static void
own (VirfsVmInfo *info, gpointer data)
{
  info->owned = TRUE;
  info->owner = (VirfsOwner){ 0, 0, 0750 };
}

/* So that there is a directory whose name is known. */
static void
give_to_root (Fixture *f)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-2");
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  virfs_user_learn (0);
  virfs_infra_edit_vm (f->infra, info->host, info->uuid, own, NULL);
}

/* One object of each class has values that are not empty. */
static void
set_up (Fixture *f, gconstpointer data)
{
  fixture_set_up (f, data);
  g_assert_cmpint (echo (f, "a title", "vms/h1-1/title"), ==, 0);
  g_assert_cmpint (echo (f, "first\\nsecond \\\\ \\x1b", "vms/h1-1/description"), ==, 0);
  g_assert_cmpint (echo (f, "512", "vms/h1-1/cpu_shares"), ==, 0);
  g_assert_cmpint (echo (f, "-1", "vms/h1-1/cpu_quota"), ==, 0);
  g_assert_cmpint (echo (f, "100000", "vms/h1-1/cpu_period"), ==, 0);
  g_assert_cmpint (echo (f, "0 1-3\n1 1-2", "vms/h1-1/vcpu_pins"), ==, 0);
  g_assert_cmpint (echo (f, "0", "vms/h1-1/emulator_cpuset"), ==, 0);
  g_assert_cmpint (echo (f, "0-1", "vms/h1-1/numa_nodeset"), ==, 0);
  g_assert_cmpint (echo (f, "strict", "vms/h1-1/numa_mode"), ==, 0);
  g_assert_cmpint (echo (f, "disks/vda nics/net0", "vms/h1-1/boot"), ==, 0);
  g_assert_cmpint (echo (f, "efi", "vms/h1-1/firmware"), ==, 0);
  g_assert_cmpint (echo (f, "q35", "vms/h1-1/machine"), ==, 0);
  g_assert_cmpint (echo (f, "prod", "vms/h1-1/tags"), ==, 0);
  give_to_root (f);
  g_assert_cmpint (echo (f, "nonsense", "vms/h1-1/state"), ==, EINVAL);
  g_assert_cmpint (mkdir_at (f, "vms/draft"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "networks/lan"), ==, 0);
  g_assert_cmpint (echo (f, "h1 h2", "networks/lan/hosts"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "pools/fast"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/backups/mon"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/hostdevs/gpu"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_65_00_0", "vms/h1-1/hostdevs/gpu/device"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "alarms/test"), ==, 0);
  g_assert_cmpint (echo (f, "cpu_percent", "alarms/test/metric"), ==, 0);
  g_assert_cmpint (echo (f, "vms", "alarms/test/objects"), ==, 0);
  g_assert_cmpint (echo (f, "> 90", "alarms/test/condition"), ==, 0);
  g_assert_cmpint (echo (f, "0", "alarms/test/enabled"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/guest/exec/a"), ==, 0);
  g_assert_cmpint (echo (f, "echo a", "vms/h1-1/guest/exec/a/command"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/guest/ssh_keys/root"), ==, 0);
}

/* Old jobs are forgotten. */
static char *
any_job (Fixture *f)
{
  g_autofree char *names = ls (f, "jobs");

  return g_build_filename ("jobs", strrchr (names, ' ') ? strrchr (names, ' ') + 1 : names, NULL);
}

/* Where the rows of CLASS are for our object of it; NULL for those that are elsewhere. */
static char *
row_path (Fixture *f, const VirfsClass *class, const VirfsRow *row)
{
  g_autofree char *job = any_job (f);
  const char *const objects[][2]
    = { { "", "" },
        { "hosts/<host>", "hosts/h1" },
        { "vms/<vm>", "vms/h1-1" },
        { "vms/<draft>", "vms/draft" },
        { "jobs/<id>", job },
        { "by/tag/<tag>", "by/tag/prod" },
        { "by/owner/<user>", "by/owner/root" },
        { "by/image/<image>", "by/image/debian.qcow2" },
        { "hosts/<host>/pools/<pool>", "hosts/h1/pools/default" },
        { "hosts/<host>/networks/<network>", "hosts/h1/networks/default" },
        { "networks/<network>", "networks/lan" },
        { "pools/<pool>", "pools/fast" },
        { "hosts/<host>/nwfilters/<filter>", "hosts/h1/nwfilters/clean" },
        { "vms/<vm>/hostdevs/<hostdev>", "vms/h1-1/hostdevs/gpu" },
        { "hosts/<host>/interfaces/<interface>", "hosts/h1/interfaces/eth1" },
        { "hosts/<host>/devices/<device>", "hosts/h1/devices/mdev_4b20d080" },
        { "hosts/<host>/pools/<pool>/volumes/<volume>",
          "hosts/h1/pools/default/volumes/disk.qcow2" },
        { "images/<file>.d", "images/disk.qcow2.d" },
        { "alarms/<alarm>", "alarms/test" },
        { "vms/<vm>/disks/<disk>", "vms/h1-1/disks/vda" },
        { "vms/<vm>/nics/<nic>", "vms/h1-1/nics/net0" },
        { "vms/<vm>/snapshots/<snapshot>", "vms/h1-1/snapshots/first" },
        { "vms/<vm>/checkpoints/<checkpoint>", "vms/h1-1/checkpoints/sat" },
        { "vms/<vm>/guest/exec/<exec>", "vms/h1-1/guest/exec/a" },
        { "vms/<vm>/guest/ssh_keys/<user>", "vms/h1-1/guest/ssh_keys/root" },
        { "vms/<vm>/backups/<backup>", "vms/h1-1/backups/mon" },
        { "vms/<vm>/backups/<backup>/nbd/<disk>", "vms/h1-1/backups/mon/nbd/vda" } };

  if (*row->path == '/')
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (objects); i++)
    if (g_str_equal (class->path, objects[i][0]))
      return g_build_filename (objects[i][1], row->path, NULL);
  g_error ("no object of class %s is tested", class->path);
}

typedef void (*RowFunc) (Fixture *f, const VirfsClass *class, const VirfsRow *row,
                         const char *path);

static void
foreach_row (Fixture *f, RowFunc func)
{
  guint n = 0;

  for (const VirfsClass *const *class = virfs_tree_classes (); *class != NULL; class ++)
    for (guint i = 0; i < (*class)->n_rows; i++) {
      g_autofree char *path = row_path (f, *class, &(*class)->rows[i]);

      if (path == NULL)
        continue;
      func (f, *class, &(*class)->rows[i], path);
      n++;
    }
  g_assert_cmpuint (n, >, 60);
}

/* The tables. */

static void
test_help (void)
{
  for (const VirfsClass *const *class = virfs_tree_classes (); *class != NULL; class ++)
    for (guint i = 0; i < (*class)->n_rows; i++) {
      const VirfsRow *row = &(*class)->rows[i];

      if (row->help == NULL || *row->help == '\0' || strpbrk (row->help, "\n\t") != NULL
          || g_utf8_strlen (row->help, -1) > 120)
        g_error ("the help of %s/%s is missing, or more than a line of 120 characters",
                 (*class)->path, row->path);
      for (guint j = 0; j < i; j++)
        g_assert_cmpstr (row->path, !=, (*class)->rows[j].path);
    }
}

/* Permissions in the table say what the functions can. */
static void
test_modes (void)
{
  for (const VirfsClass *const *class = virfs_tree_classes (); *class != NULL; class ++)
    for (guint i = 0; i < (*class)->n_rows; i++) {
      const VirfsRow *row = &(*class)->rows[i];

      if (S_ISREG (row->mode) && virfs_row_is_writable (row) != ((row->mode & 0222) != 0))
        g_error ("%s/%s: its mode and its functions differ", (*class)->path, row->path);
      if (S_ISREG (row->mode))
        g_assert_true (row->show || row->follow || row->talk
                       || ((row->read || row->open) && row->size));
      if (S_ISLNK (row->mode))
        g_assert_nonnull (row->link);
    }
}

/* Each file in the mount. */

static void
check_stat (Fixture *f, const VirfsClass *class, const VirfsRow *row, const char *path)
{
  struct stat st = stat_at (f, path);
  g_autofree char *full = at (f, path);
  char help[512] = "";

  /* who else may do what is for the rights of the object to say */
  g_assert_cmpuint (st.st_mode & (S_IFMT | 0700), ==, row->mode & (S_IFMT | 0700));
  g_assert_cmpuint (st.st_mode & 022 & ~row->mode, ==, 0);
  g_assert_cmpuint (st.st_uid, ==, getuid ());
  g_assert_cmpint (st.st_mtim.tv_sec, >, 0);
  if (!S_ISLNK (row->mode)) {
    g_assert_cmpint (getxattr (full, "user.virfs.help", help, sizeof help - 1), >, 0);
    g_assert_cmpstr (help, ==, row->help);
  }
}

static void
check_listed (Fixture *f, const VirfsClass *class, const VirfsRow *row, const char *path)
{
  g_autofree char *dir = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *names = *path ? ls (f, dir) : g_strdup (".");
  g_auto (GStrv) each = g_strsplit (names, " ", -1);
  guint count = 0;

  for (char **p = each; *p; p++)
    count += g_str_equal (*p, name);
  g_assert_cmpuint (count, ==, row->flags & VIRFS_ROW_UNLISTED ? 0 : 1);
}

/* What is for others to read: it is shown as it was written. */
static gboolean
takes_any_text (const VirfsRow *row)
{
  return row->store_text != NULL || g_str_has_prefix (row->path, "cloud-init/")
         || g_str_equal (row->path, "stdin");
}

static void
check_read (Fixture *f, const VirfsClass *class, const VirfsRow *row, const char *path)
{
  g_autofree char *text = NULL;
  g_autofree char *full = at (f, path);

  if (S_ISREG (row->mode) && row->flags & VIRFS_ROW_UNLISTED) {
    int fd = open (full, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    g_assert_cmpint (fd, >=, 0);
    close (fd);
  }
  if (!S_ISREG (row->mode) || row->flags & VIRFS_ROW_UNLISTED)
    return;
  text = cat (f, path);
  if (text == NULL)
    g_error ("%s: %s", path, g_strerror (errno));
  if (*text != '\0' && !takes_any_text (row) && !g_str_has_suffix (text, "\n"))
    g_error ("%s does not end in a newline: \"%s\"", path, text);
  if (stat_at (f, path).st_size != (off_t) strlen (text))
    g_error ("%s has %zu bytes, stat says %ld", path, strlen (text),
             (long) stat_at (f, path).st_size);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *p = text; *p; p = g_utf8_next_char (p))
    g_assert_true (*p == '\n' || *p == '\t' || !g_unichar_iscntrl (g_utf8_get_char (p)));
}

/* Control files do something else with what they show, and a terminal takes whatever it is told. */
static gboolean
is_value (const VirfsRow *row)
{
  return S_ISREG (row->mode) && virfs_row_is_writable (row) && !g_str_has_suffix (row->path, "ctl")
         && !g_str_equal (row->path, "migrate") && row->talk == NULL;
}

static void
check_store_back (Fixture *f, const VirfsClass *class, const VirfsRow *row, const char *path)
{
  g_autofree char *text = NULL;
  int error;

  if (!is_value (row))
    return;
  text = cat (f, path);
  if (*text == '\0')
    return;
  error = echo_n (f, text, -1, path);
  if (error != 0)
    g_error ("%s shows \"%s\" and does not take it: %s", path, text, g_strerror (error));
  assert_reads (f, path, text);
}

static void
test_each (Fixture *f, gconstpointer data)
{
  foreach_row (f, check_stat);
  foreach_row (f, check_listed);
  foreach_row (f, check_read);
  foreach_row (f, check_store_back);
  foreach_row (f, check_read);
}

/* Garbage. */

static GString *
make_garbage (GRand *rand)
{
  static const gsize lengths[] = { 1, 2, 5, 20, 300, 5000, 70000 };
  GString *garbage = g_string_new (NULL);
  gsize length = lengths[g_rand_int_range (rand, 0, G_N_ELEMENTS (lengths))];
  int kind = g_rand_int_range (rand, 0, 4);

  for (gsize i = 0; i < length; i++) {
    if (kind == 0) /* any byte but a newline */
      g_string_append_c (garbage, (char) g_rand_int_range (rand, 11, 267));
    else if (kind == 1) /* letters */
      g_string_append_c (garbage, (char) g_rand_int_range (rand, 'a', 'z' + 1));
    else if (kind == 2) /* what paths, formats and quotes are made of */
      g_string_append_c (garbage, "%/.\\'\"$`<>&;~-+ \t"[g_rand_int_range (rand, 0, 18)]);
    else /* nearly text: UTF-8 with a stray byte */
      g_string_append (garbage, i == length / 2 ? "\xff" : "é");
  }
  /* never by chance a number, nor white space alone, and with a NUL now and then */
  g_string_prepend_c (garbage, '?');
  if (g_rand_int_range (rand, 0, 4) == 0)
    g_string_insert_c (garbage, g_rand_int_range (rand, 0, (int) garbage->len), '\0');
  if (g_rand_boolean (rand))
    g_string_append_c (garbage, '\n');
  return garbage;
}

static gboolean
is_refusal (int error)
{
  return error == EINVAL || error == ENOENT || error == EFBIG || error == EBUSY;
}

static void
check_garbage (Fixture *f, const VirfsClass *class, const VirfsRow *row, const char *path)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1234);

  if (!S_ISREG (row->mode) || !virfs_row_is_writable (row) || row->talk != NULL)
    return;
  for (guint round = 0; round < 100; round++) {
    g_autoptr (GString) garbage = make_garbage (rand);
    g_autofree char *before = cat (f, path);
    int error = echo_n (f, garbage->str, (gssize) garbage->len, path);

    if (error == 0 && takes_any_text (row))
      continue;
    if (!is_refusal (error))
      g_error ("%s says %s to garbage: %s", path, error ? g_strerror (error) : "nothing",
               garbage->str);
    assert_reads (f, path, before);
  }
}

static void
test_garbage (Fixture *f, gconstpointer data)
{
  g_autofree char *vms = ls (f, "vms");
  g_autofree char *state = cat (f, "vms/h1-1/state");

  foreach_row (f, check_garbage);
  assert_lists (f, "vms", vms);
  assert_reads (f, "vms/h1-1/state", state);
  assert_reads (f, "hosts/h1/uri", "fake:2\n");
  foreach_row (f, check_read);
}

/* Tools over the whole mount. */

static void
test_tools (Fixture *f, gconstpointer data)
{
  static const char *const commands[] = {
    "tar cf - . | tar tf - | grep vms/h1-1/state > /dev/null",
    "find . -ls > /dev/null",
    "ls -lR > /dev/null",
    "grep -r running . > /dev/null",
    "d=$(mktemp -d) && rsync -a ./ $d/ && test -s $d/vms/h1-1/state; e=$?; rm -rf $d; exit $e",
    /* what was copied is what is there: a second run finds nothing to do */
    "d=$(mktemp -d) && rsync -a --exclude=/events ./ $d/ && rsync -ai --exclude=/events ./ $d/;"
    " e=$?; rm -rf $d; exit $e",
    "d=$(mktemp -d) && cp -a . $d/ && diff -r --no-dereference --exclude=events . $d; e=$?;"
    " rm -rf $d; exit $e",
    "du -s . > /dev/null && df . > /dev/null",
    "find . -type f -exec cat {} + > /dev/null",
  };

  /* it would fire on a machine that takes a minute for this, while a copy is being looked at */
  g_assert_cmpint (echo (f, "0", "alarms/host-lost/enabled"), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autofree char *out = NULL;
    int status = sh (f, commands[i], &out);

    if (status != 0 || *out != '\0')
      g_error ("%s ends with %d: %s", commands[i], status, out);
  }
}

/* Also while things happen: nothing fails, but a file may have gone. */
static void
test_tools_host_down (Fixture *f, gconstpointer data)
{
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  test_tools (f, data);
}

#define ADD(path, func) g_test_add (path, Fixture, FLEET, set_up, func, fixture_tear_down)

/* So that what is measured is the same for as long as a copy is being looked at. */
static void
measure_once (VirfsInfra *infra)
{
  virfs_metrics_set_interval (virfs_infra_metrics (infra), 3600);
}

int
main (int argc, char **argv)
{
  fixture_prepare = measure_once;
  fixture_init (&argc, &argv);
  g_test_add_func ("/rows/help", test_help);
  g_test_add_func ("/rows/modes", test_modes);
  ADD ("/rows/each", test_each);
  ADD ("/rows/garbage", test_garbage);
  ADD ("/rows/tools", test_tools);
  ADD ("/rows/tools-host-down", test_tools_host_down);
  return g_test_run ();
}
