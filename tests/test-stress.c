/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes behind the tree while others look: nothing stale stays, nobody waits for ever. */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FLEET "h1=fake:6 h2=fake:6 h3=fake:0"

#define SECONDS 3

/* How long a change may take to be seen; sanitizers slow everything down. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define VISIBLE_AFTER (10 * G_USEC_PER_SEC)
#else
#define VISIBLE_AFTER G_USEC_PER_SEC
#endif

static gint ending;

/* Readers: what they get may be old or new, but is always whole. */

/* To the end, as cat does: who reads as much as stat(2) said gets no more when it has grown. */
static char *
read_text (const char *path)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  char buffer[4096];
  gssize got;

  while ((got = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, got);
  if (fd >= 0)
    close (fd);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
assert_whole (const char *path)
{
  g_autofree char *text = read_text (path);

  if (*text != '\0' && !g_str_has_suffix (text, "\n"))
    g_error ("%s ends in the middle of a line: \"%s\"", path, text);
}

static void
look_at (const char *dir, int depth)
{
  DIR *stream = opendir (dir);
  struct dirent *entry;

  if (stream == NULL)
    return; /* went away meanwhile */
  while ((entry = readdir (stream)) != NULL && !g_atomic_int_get (&ending)) {
    g_autofree char *path = g_build_filename (dir, entry->d_name, NULL);
    struct stat st;

    if (*entry->d_name == '.' || lstat (path, &st) != 0)
      continue;
    if (S_ISDIR (st.st_mode) && depth > 0) {
      look_at (path, depth - 1);
    } else if (S_ISREG (st.st_mode)) {
      assert_whole (path);
    }
  }
  closedir (stream);
}

static gpointer
look_around (gpointer dir)
{
  while (!g_atomic_int_get (&ending))
    look_at (dir, 3);
  return NULL;
}

/* Changes. */

static char *
any_vm (Fixture *f)
{
  g_autofree char *names = ls (f, "vms");
  g_auto (GStrv) each = g_strsplit (names, " ", -1);

  return g_strdup (each[g_random_int_range (0, g_strv_length (each))]);
}

/* Known by its UUID, for it may have been renamed. */
static void
add_or_remove (Fixture *f)
{
  g_autofree char *name = g_strdup_printf ("new-%d", g_random_int_range (0, 5));
  g_autoptr (VirfsVmInfo) fresh = virfs_fake_vm (name, 1, VIRFS_VM_RUNNING);
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, fresh->uuid);
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h3");

  if (vm == NULL) {
    virfs_infra_update_vm (f->infra, host, g_steal_pointer (&fresh));
  } else {
    g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

    virfs_infra_remove_vm (f->infra, info->host, info->uuid);
  }
}

/* Changes something and waits until it is seen. */
static void
change (Fixture *f, guint round)
{
  g_autofree char *label = any_vm (f);
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);
  g_autofree char *expected = NULL, *path = NULL;
  gint64 start = g_get_monotonic_time ();
  static const char *const hosts[] = { "h1", "h2", "h3" };

  if (vm == NULL)
    return;
  switch (g_random_int_range (0, 5)) {
  case 0:
    path = g_strdup_printf ("vms/%s/title", label);
    expected = g_strdup_printf ("%*u\n", (int) (round % 50 + 1), round);
    {
      g_autofree char *title = g_strchomp (g_strdup (expected));

      set_title (f, label, title);
    }
    break;
  case 1: {
    VirfsVmState state = (VirfsVmState) g_random_int_range (1, VIRFS_VM_N_STATES);

    path = g_strdup_printf ("vms/%s/state", label);
    expected = g_strdup_printf ("%s\n", virfs_vm_state_name (state));
    set_state (f, label, state);
    break;
  }
  case 2: {
    g_autofree char *name = g_strdup_printf ("vm-%u", round);

    path = g_strdup_printf ("vms/%s/uuid", name);
    expected = g_strdup_printf ("%s\n", vm->uuid);
    rename_vm (f, label, name);
    break;
  }
  case 3: {
    const char *host = hosts[g_random_int_range (0, G_N_ELEMENTS (hosts))];
    g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

    path = g_strdup_printf ("hosts/%s/vms/%s/uuid", host, label);
    expected = g_strdup_printf ("%s\n", vm->uuid);
    if (!g_str_equal (info->host->name, host))
      move_vm (f, label, host);
    break;
  }
  default:
    add_or_remove (f);
    return;
  }
  while (!reads (f, path, expected))
    if (g_get_monotonic_time () - start > VISIBLE_AFTER) {
      g_autofree char *got = cat (f, path);

      g_error ("%s still reads \"%s\" (%s), not \"%s\"", path, got, g_strerror (errno), expected);
    }
}

/* Everything is as the model says. */

static void
add_name (VirfsVm *vm, const VirfsVmInfo *info, gpointer names)
{
  g_ptr_array_add (names, g_strdup (info->label));
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static GPtrArray *
names_of (Fixture *f, VirfsHost *host)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  virfs_infra_foreach_vm (f->infra, host, add_name, names);
  g_ptr_array_sort (names, compare);
  return names;
}

static gboolean
lists (Fixture *f, const char *path, const char *names)
{
  g_autofree char *got = ls (f, path);

  return g_strcmp0 (got, names) == 0;
}

static void
assert_lists_names (Fixture *f, const char *path, GPtrArray *names)
{
  g_autofree char *expected = NULL;

  g_ptr_array_add (names, NULL);
  expected = g_strjoinv (" ", (char **) names->pdata);
  g_ptr_array_set_size (names, names->len - 1);
  assert_soon (lists (f, path, expected));
}

static void
assert_vm_true (Fixture *f, const char *label)
{
  g_autoptr (VirfsVm) vm = vm_of (f, label);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autofree char *state = g_strdup_printf ("vms/%s/state", label);
  g_autofree char *title = g_strdup_printf ("vms/%s/title", label);
  g_autofree char *host = g_strdup_printf ("vms/%s/host", label);
  g_autofree char *state_text = g_strdup_printf ("%s\n", virfs_vm_state_name (info->state));
  g_autofree char *title_text
    = g_strdup_printf ("%s%s", info->title ? info->title : "", info->title ? "\n" : "");
  g_autofree char *host_text = g_strdup_printf ("../../hosts/%s", info->host->name);

  assert_soon_reads (f, state, state_text);
  assert_soon_reads (f, title, title_text);
  assert_soon (stat_at (f, title).st_size == (off_t) strlen (title_text));
  assert_leads (f, host, host_text);
}

static void
assert_all_true (Fixture *f)
{
  static const char *const hosts[] = { "h1", "h2", "h3" };
  g_autoptr (GPtrArray) all = names_of (f, NULL);

  assert_lists_names (f, "vms", all);
  for (guint i = 0; i < all->len; i++)
    assert_vm_true (f, all->pdata[i]);
  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++) {
    g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, hosts[i]);
    g_autoptr (GPtrArray) names = names_of (f, host);
    g_autofree char *vms = g_strdup_printf ("hosts/%s/vms", hosts[i]);
    g_autofree char *by = g_strdup_printf ("by/host/%s", hosts[i]);

    assert_lists_names (f, vms, names);
    assert_lists_names (f, by, names);
  }
  for (VirfsVmState state = 0; state < VIRFS_VM_N_STATES; state++) {
    g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
    g_autofree char *dir = g_strdup_printf ("by/state/%s", virfs_vm_state_name (state));

    for (guint i = 0; i < all->len; i++) {
      g_autoptr (VirfsVm) vm = vm_of (f, all->pdata[i]);
      g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

      if (info->state == state)
        g_ptr_array_add (names, g_strdup (all->pdata[i]));
    }
    assert_lists_names (f, dir, names);
  }
}

static void
test_changes (Fixture *f, gconstpointer data)
{
  GThread *threads[4];
  gint64 end = g_get_monotonic_time () + SECONDS * G_USEC_PER_SEC;
  guint round = 0;

  g_atomic_int_set (&ending, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", look_around, f->dir);
  while (g_get_monotonic_time () < end)
    change (f, round++);
  g_atomic_int_set (&ending, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_test_message ("%u changes", round);
  assert_all_true (f);
}

/* As fast as they can come, without anybody who waits for each. */
static void
test_storm (Fixture *f, gconstpointer data)
{
  GThread *threads[3];

  g_atomic_int_set (&ending, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", look_around, f->dir);
  for (guint i = 0; i < 3000; i++) {
    g_autofree char *from = g_strdup_printf (i ? "storm-%u" : "h1-1", i - 1);
    g_autofree char *to = g_strdup_printf ("storm-%u", i);

    rename_vm (f, from, to);
    set_state (f, to, i % 2 ? VIRFS_VM_RUNNING : VIRFS_VM_PAUSED);
    if (i % 7 == 0)
      move_vm (f, to, i % 2 ? "h2" : "h3");
    if (i % 5 == 0)
      add_or_remove (f);
  }
  g_atomic_int_set (&ending, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  assert_all_true (f);
}

/* Two names change places, over and over: each name always leads to the guest that has it. */
static void
test_swap (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 300; i++) {
    g_autoptr (VirfsVm) a = vm_of (f, "h1-1");
    g_autofree char *uuid = g_strdup_printf ("%s\n", a->uuid);

    rename_vm (f, "h1-1", "spare");
    rename_vm (f, "h1-2", "h1-1");
    rename_vm (f, "spare", "h1-2");
    assert_soon_reads (f, "vms/h1-2/uuid", uuid);
    assert_soon_reads (f, "hosts/h1/vms/h1-2/uuid", uuid);
  }
  assert_all_true (f);
}

static gpointer
write_states (gpointer data)
{
  Fixture *f = data;
  static const char *const states[] = { "paused", "running", "shutoff" };

  for (guint i = 0; i < 60; i++) {
    const char *state = states[i % G_N_ELEMENTS (states)];
    g_autofree char *text = g_strdup_printf ("%s\n", state);

    g_assert_cmpint (echo (f, state, "vms/h2-1/state"), ==, 0);
    assert_reads (f, "vms/h2-1/state", text); /* at once, not soon */
    g_assert_cmpint (stat_at (f, "vms/h2-1/state").st_size, ==, (int) strlen (text));
  }
  return NULL;
}

/* What was written is what is read next, whatever others do. */
static void
test_read_own_writes (Fixture *f, gconstpointer data)
{
  GThread *reader, *writer;

  g_atomic_int_set (&ending, FALSE);
  reader = g_thread_new ("reader", look_around, f->dir);
  writer = g_thread_new ("writer", write_states, f);
  for (guint i = 0; i < 200; i++) {
    g_autofree char *title = g_strdup_printf ("title %u", i);

    set_title (f, "h2-1", title);
    g_usleep (1000);
  }
  g_thread_join (writer);
  g_atomic_int_set (&ending, TRUE);
  g_thread_join (reader);
  assert_all_true (f);
}

static gpointer
change_hosts (gpointer data)
{
  Fixture *f = data;

  while (!g_atomic_int_get (&ending)) {
    g_assert_cmpint (mkdir_at (f, "hosts/h9"), ==, 0);
    g_assert_cmpint (echo (f, "fake:3", "hosts/h9/uri"), ==, 0);
    assert_reads (f, "hosts/h9/state", "up\n");
    g_assert_true (exists (f, "vms/h9-1"));
    g_assert_cmpint (rmdir_at (f, "hosts/h9"), ==, 0);
    g_assert_false (exists (f, "hosts/h9"));
  }
  return NULL;
}

static gpointer
move_around (gpointer data)
{
  Fixture *f = data;

  for (guint i = 0; !g_atomic_int_get (&ending); i++) {
    const char *from = i % 2 ? "hosts/h3/vms/h1-1" : "hosts/h1/vms/h1-1";
    const char *to = i % 2 ? "hosts/h1/vms/h1-1" : "hosts/h3/vms/h1-1";

    g_assert_cmpint (mv (f, from, to), ==, 0);
    /* the kernel shows it at its new place until it is told that it is on its way only */
    assert_soon (leads (f, "vms/h1-1/host", i % 2 ? "../../hosts/h1" : "../../hosts/h3"));
    assert_soon (exists (f, to));
    assert_soon (!exists (f, from));
  }
  return NULL;
}

/* mkdir, rmdir and mv hold directories' locks while others walk and things change. */
static void
test_directories (Fixture *f, gconstpointer data)
{
  GThread *threads[4] = { 0 };
  gint64 end = g_get_monotonic_time () + SECONDS * G_USEC_PER_SEC;

  g_atomic_int_set (&ending, FALSE);
  threads[0] = g_thread_new ("hosts", change_hosts, f);
  threads[1] = g_thread_new ("mover", move_around, f);
  threads[2] = g_thread_new ("reader", look_around, f->dir);
  for (guint i = 0; g_get_monotonic_time () < end; i++) {
    set_title (f, "h2-2", i % 2 ? "one" : "two");
    set_state (f, "h2-1", i % 2 ? VIRFS_VM_RUNNING : VIRFS_VM_PAUSED);
    g_usleep (500);
  }
  g_atomic_int_set (&ending, TRUE);
  for (guint i = 0; threads[i] != NULL; i++)
    g_thread_join (threads[i]);
  assert_soon (!exists (f, "vms/h9-1"));
  assert_all_true (f);
}

static void
test_two_walks (Fixture *f, gconstpointer data)
{
  g_autofree char *out = NULL;

  g_assert_cmpint (sh (f, "ls -lR > /dev/null & p=$!; ls -lR > /dev/null && wait $p", &out), ==, 0);
  g_assert_cmpstr (out, ==, "");
}

#define ADD(path, func) fixture_add (path, FLEET, func)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/stress/changes", test_changes);
  ADD ("/stress/storm", test_storm);
  ADD ("/stress/swap", test_swap);
  ADD ("/stress/read-own-writes", test_read_own_writes);
  ADD ("/stress/directories", test_directories);
  ADD ("/stress/two-walks", test_two_walks);
  return g_test_run ();
}
