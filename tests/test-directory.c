/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories that change while they are read: what stays is found exactly once. */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GUESTS 200
#define FLEET  "h1=fake:200 h2=fake:1"

/* Names of drafts: some come and go, others stay, as the guests do. */
#define DRAFT "draft-"
#define STAY  "stay-"

static void
make (Fixture *f, const char *prefix, guint number)
{
  g_autofree char *path = g_strdup_printf ("vms/%s%u", prefix, number);

  g_assert_cmpint (mkdir_at (f, path), ==, 0);
}

static void
make_drafts (Fixture *f, guint first, guint n)
{
  for (guint i = first; i < first + n; i++)
    make (f, DRAFT, i);
}

/* As many of both, made in turns. */
static void
make_both (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++) {
    make (f, DRAFT, i);
    make (f, STAY, i);
  }
}

static void
remove_draft (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename ("vms", name, NULL);

  g_assert_cmpint (rmdir_at (f, path), ==, 0);
}

static int
open_dir (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);
  int fd = open (full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static DIR *
open_stream (Fixture *f, const char *path)
{
  DIR *stream = fdopendir (open_dir (f, path));

  g_assert_nonnull (stream);
  return stream;
}

/* What the kernel gives. */
typedef struct {
  guint64 ino;
  gint64 next;
  guint16 length;
  guint8 type;
  char name[];
} Dirent;

/* The next piece, of a few entries, from where FD is; their names are appended.  FALSE at the end. */
static gboolean
read_piece (int fd, GPtrArray *names)
{
  _Alignas(Dirent) char buffer[4096];
  long got = syscall (SYS_getdents64, fd, buffer, sizeof buffer);

  g_assert_cmpint (got, >=, 0);
  for (long at = 0; at < got; at += ((Dirent *) (buffer + at))->length)
    g_ptr_array_add (names, g_strdup (((Dirent *) (buffer + at))->name));
  return got > 0;
}

static guint
count (GPtrArray *names, const char *prefix)
{
  guint n = 0;

  for (guint i = 0; i < names->len; i++)
    n += g_str_has_prefix (names->pdata[i], prefix);
  return n;
}

/* No name twice. */
static void
assert_unique (GPtrArray *names)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < names->len; i++)
    if (!g_hash_table_add (seen, names->pdata[i]))
      g_error ("%s is listed twice", (const char *) names->pdata[i]);
}

static GPtrArray *
read_all (int fd)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  g_assert_cmpint (lseek (fd, 0, SEEK_SET), ==, 0);
  while (read_piece (fd, names))
    ;
  assert_unique (names);
  return names;
}

/* All guests, N_DRAFTS that may go and N_STAY, "." and ".."; as the kernel has not cached it yet, and
 * as it has. */
static void
assert_all (Fixture *f, guint n_drafts, guint n_stay)
{
  int fd = open_dir (f, "vms");

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GPtrArray) names = read_all (fd);

    g_assert_cmpuint (count (names, "h1-"), ==, GUESTS);
    g_assert_cmpuint (count (names, "h2-"), ==, 1);
    g_assert_cmpuint (count (names, DRAFT), ==, n_drafts);
    g_assert_cmpuint (count (names, STAY), ==, n_stay);
    g_assert_cmpuint (names->len, ==, GUESTS + 1 + n_drafts + n_stay + 2);
    g_assert_cmpstr (names->pdata[0], ==, ".");
    g_assert_cmpstr (names->pdata[1], ==, "..");
  }
  close (fd);
}

static void
test_pieces (Fixture *f, gconstpointer data)
{
  assert_all (f, 0, 0);
  make_drafts (f, 0, 5);
  assert_all (f, 5, 0);
  remove_draft (f, DRAFT "3");
  assert_all (f, 4, 0);
}

/* A place is the same in every stream, and whatever else came and went. */

typedef struct {
  long place;
  char *name; /* the entry there */
} Place;

static void
clear_place (gpointer place)
{
  g_free (((Place *) place)->name);
}

static GArray *
read_places (Fixture *f)
{
  GArray *places = g_array_new (FALSE, FALSE, sizeof (Place));
  DIR *stream = open_stream (f, "vms");
  struct dirent *entry;
  Place place;

  g_array_set_clear_func (places, clear_place);
  while (place.place = telldir (stream), (entry = readdir (stream)) != NULL) {
    place.name = g_strdup (entry->d_name);
    g_array_append_val (places, place);
  }
  closedir (stream);
  return places;
}

/* In an order of its own; of the drafts only the places are there for sure, not the names. */
static void
assert_places (Fixture *f, GArray *places)
{
  DIR *stream = open_stream (f, "vms");

  for (guint i = 0; i < places->len; i++) {
    const Place *place = &g_array_index (places, Place, i * 7 % places->len);
    struct dirent *entry;

    if (g_str_has_prefix (place->name, DRAFT))
      continue;
    seekdir (stream, place->place);
    while ((entry = readdir (stream)) != NULL && g_str_has_prefix (entry->d_name, DRAFT))
      ;
    g_assert_nonnull (entry);
    g_assert_cmpstr (entry->d_name, ==, place->name);
  }
  closedir (stream);
}

static void
test_places (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) places = NULL;

  make_both (f, 20);
  places = read_places (f);
  g_assert_cmpuint (places->len, ==, GUESTS + 1 + 40 + 2);
  g_assert_cmpuint (places->len % 7, !=, 0);
  assert_places (f, places);
  make_drafts (f, 20, 20);
  assert_places (f, places);
  for (guint i = 0; i < 40; i += 2) {
    g_autofree char *name = g_strdup_printf (DRAFT "%u", i);

    remove_draft (f, name);
  }
  assert_places (f, places);
}

static gboolean
stream_has (DIR *stream, const char *name)
{
  struct dirent *entry;

  while ((entry = readdir (stream)) != NULL)
    if (g_str_equal (entry->d_name, name))
      return TRUE;
  return FALSE;
}

static void
test_rewind (Fixture *f, gconstpointer data)
{
  DIR *stream = open_stream (f, "vms");

  g_assert_false (stream_has (stream, DRAFT "1"));
  make_drafts (f, 1, 1);
  rewinddir (stream);
  g_assert_true (stream_has (stream, DRAFT "1"));
  remove_draft (f, DRAFT "1");
  rewinddir (stream);
  g_assert_false (stream_has (stream, DRAFT "1"));
  closedir (stream);
}

/* What rm -r does, while others look, for whom listings are made anew. */
static void
test_remove_while_reading (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  int fd;

  make_both (f, 100);
  fd = open_dir (f, "vms");
  for (guint done = 0; read_piece (fd, names);) {
    g_autofree char *all = NULL;

    for (; done < names->len; done++)
      if (g_str_has_prefix (names->pdata[done], DRAFT))
        remove_draft (f, names->pdata[done]);
    all = ls (f, "vms");
  }
  close (fd);
  assert_unique (names);
  g_assert_cmpuint (count (names, "h1-"), ==, GUESTS);
  g_assert_cmpuint (count (names, STAY), ==, 100);
  g_assert_cmpuint (count (names, DRAFT), ==, 100);
  assert_all (f, 0, 100);
}

static void
test_tools (Fixture *f, gconstpointer data)
{
  make_drafts (f, 0, 200);
  g_assert_cmpint (sh (f, "find vms -maxdepth 1 -name '" DRAFT "1*' -exec rmdir {} \\;", NULL), ==,
                   0);
  assert_all (f, 200 - 111, 0);
  g_assert_cmpint (sh (f, "rmdir vms/" DRAFT "*", NULL), ==, 0);
  assert_all (f, 0, 0);
}

/* Others, all the time. */

typedef struct {
  Fixture *f;
  gint ending;
} Others;

static gpointer
come_and_go (gpointer data)
{
  Others *others = data;

  for (guint i = 0; !g_atomic_int_get (&others->ending); i = (i + 1) % 50) {
    g_autofree char *name = g_strdup_printf (DRAFT "%u", i);

    make_drafts (others->f, i, 1);
    remove_draft (others->f, name);
  }
  return NULL;
}

static void
test_others (Fixture *f, gconstpointer data)
{
  Others others = { f };
  int fd = open_dir (f, "vms");
  GThread *thread;

  make_both (f, 50);
  g_assert_cmpint (sh (f, "rmdir vms/" DRAFT "*", NULL), ==, 0);
  thread = g_thread_new ("others", come_and_go, &others);

  for (guint i = 0; i < 200; i++) {
    g_autoptr (GPtrArray) names = read_all (fd);

    g_assert_cmpuint (count (names, "h1-"), ==, GUESTS);
    g_assert_cmpuint (count (names, STAY), ==, 50);
  }
  g_atomic_int_set (&others.ending, 1);
  g_thread_join (thread);
  close (fd);
  assert_all (f, 0, 50);
}

/* With many readers, who share listings, a change is still seen at once by who has made it. */

static gpointer
read_on (gpointer data)
{
  Others *others = data;
  int fd = open_dir (others->f, "vms");

  while (!g_atomic_int_get (&others->ending)) {
    g_autoptr (GPtrArray) names = read_all (fd);
  }
  close (fd);
  return NULL;
}

static void
test_readers (Fixture *f, gconstpointer data)
{
  Others others = { f };
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_on, &others);
  for (guint i = 0; i < 100; i++) {
    make_drafts (f, i, 1);
    if (i >= 10) {
      g_autofree char *name = g_strdup_printf (DRAFT "%u", i - 10);

      remove_draft (f, name);
    }
    if (i % 10 == 9) {
      g_autofree char *all = ls (f, "vms");
      g_autofree char *newest = g_strdup_printf (DRAFT "%u", i);

      g_assert_nonnull (strstr (all, newest));
    }
  }
  g_atomic_int_set (&others.ending, 1);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  assert_all (f, 10, 0);
}

static const char *
first_unread (GPtrArray *read)
{
  static char name[16];

  for (guint i = 1; i <= GUESTS; i++) {
    g_snprintf (name, sizeof name, "h1-%u", i);
    if (!g_ptr_array_find_with_equal_func (read, name, g_str_equal, NULL))
      return name;
  }
  g_assert_not_reached ();
}

/* A name that is listed with its attributes is cached by the kernel: none that had gone by then. */
static void
test_renamed (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  int fd = open_dir (f, "vms");
  const char *name;
  g_autofree char *path = NULL;

  g_assert_true (read_piece (fd, names));
  name = first_unread (names);
  path = g_build_filename ("vms", name, NULL);
  rename_vm (f, name, "other");
  assert_soon (exists (f, "vms/other") && !exists (f, path));
  do { /* who looks at what he reads, as `ls -l` does, is given the attributes of the next */
    g_autofree char *last
      = g_build_filename ("vms", g_ptr_array_index (names, names->len - 1), NULL);

    exists (f, last);
  } while (read_piece (fd, names));
  close (fd);
  g_assert_false (exists (f, path));
  g_assert_true (exists (f, "vms/other"));
}

/* Who is in the middle of a directory when that goes comes to its end: a walk does not fail. */
static void
test_gone (Fixture *f, gconstpointer data)
{
  DIR *stream = open_stream (f, "hosts/h1/vms");
  g_autofree char *all = NULL;
  guint n = 0;

  for (; n < 10; n++)
    g_assert_nonnull (readdir (stream));
  all = ls (f, "hosts/h1/vms"); /* to its end, so nothing is kept for us */
  g_assert_cmpint (rmdir_at (f, "hosts/h1"), ==, 0);
  for (errno = 0; readdir (stream) != NULL; n++)
    ;
  g_assert_cmpint (errno, ==, 0);
  g_assert_cmpuint (n, <=, GUESTS + 2);
  closedir (stream);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add ("/directory/pieces", FLEET, test_pieces);
  fixture_add ("/directory/places", FLEET, test_places);
  fixture_add ("/directory/rewind", FLEET, test_rewind);
  fixture_add ("/directory/remove-while-reading", FLEET, test_remove_while_reading);
  fixture_add ("/directory/tools", FLEET, test_tools);
  fixture_add ("/directory/others", FLEET, test_others);
  fixture_add ("/directory/readers", FLEET, test_readers);
  fixture_add ("/directory/renamed", FLEET, test_renamed);
  fixture_add ("/directory/gone", FLEET, test_gone);
  return g_test_run ();
}
