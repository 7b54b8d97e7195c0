/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listings of made-up directories, without a mount: positions, and which listing a reader gets. */
#include "engine.h"

#include <string.h>

/* An object of any number is a directory with one file and the entries of `names`. */

static const char *const *names;
static gboolean gone;
static gint64 changed;

static void
list_names (const VirfsNode *dir, VirfsListing *listing)
{
  for (guint i = 0; names[i] != NULL; i++)
    virfs_listing_add (listing, names[i], 1000 + i, S_IFREG | 0644);
}

static gconstpointer
get_nothing (gpointer object)
{
  return NULL;
}

static gint64
get_changed (const VirfsNode *node, guint64 fields)
{
  return changed;
}

static const VirfsDir names_dir = { .list = list_names };
static const VirfsRow rows[] = {
  { .path = "", .mode = S_IFDIR | 0755, .dir = &names_dir },
  { .path = "zz", .mode = S_IFREG | 0644 },
};
static VirfsClass class = { .path = "/",
                            .rows = rows,
                            .n_rows = G_N_ELEMENTS (rows),
                            .snapshot = get_nothing,
                            .changed = get_changed };

static const VirfsClass *
find (gpointer tree, guint64 id, gpointer *object)
{
  return gone ? NULL : &class;
}

static const VirfsTreeOps ops = { .find = find };

typedef struct {
  VirfsSession session;
} Fixture;

static void
set_up (Fixture *f, gconstpointer unused)
{
  static const char *const none[] = { NULL };

  names = none;
  gone = FALSE;
  changed = 1;
  f->session = (VirfsSession){ .ops = &ops, .listings = virfs_listings_new () };
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  virfs_listings_free (f->session.listings);
}

static guint64
directory (guint64 id)
{
  return virfs_inode (&class, id, &rows[0]);
}

static VirfsListing *
get (Fixture *f, guint64 id, gboolean begins)
{
  VirfsListing *listing = virfs_listings_get (&f->session, directory (id), begins);

  g_assert_nonnull (listing);
  return listing;
}

/* Where NAME is; the positions before it are all smaller, and each leads to the next. */
static guint64
position_of (const VirfsListing *listing, const char *name)
{
  VirfsEntry entry;
  guint64 position = 0;

  for (guint i = 0; virfs_listing_get (listing, i, &entry); i++) {
    g_assert_cmpuint (virfs_listing_find (listing, position), ==, i);
    if (g_str_equal (entry.name, name))
      return position;
    g_assert_cmpuint (entry.next, >, position);
    position = entry.next;
  }
  g_assert_cmpuint (position, ==, VIRFS_LISTING_END);
  return VIRFS_LISTING_END;
}

static void
test_positions (Fixture *f, gconstpointer data)
{
  static const char *const few[] = { "b", "a", "c", NULL };
  static const char *const many[] = { "e", "c", "A", "a", "d", NULL };
  g_autoptr (VirfsListing) before = NULL, after = NULL;
  VirfsEntry entry;

  names = few;
  before = get (f, 1, TRUE);
  names = many;
  after = get (f, 1, TRUE);
  for (const char *const *name = (const char *const[]){ ".", "..", "zz", "a", "c", NULL }; *name;
       name++)
    g_assert_cmpuint (position_of (before, *name), ==, position_of (after, *name));
  g_assert_cmpuint (position_of (after, "."), ==, 0);
  g_assert_cmpuint (position_of (after, "b"), ==, VIRFS_LISTING_END);
  g_assert_cmpuint (virfs_listing_find (after, VIRFS_LISTING_END), ==, 8);
  /* where "b" was, something that comes behind it is */
  g_assert_true (
    virfs_listing_get (after, virfs_listing_find (after, position_of (before, "b")), &entry));
  g_assert_cmpuint (position_of (after, entry.name), >, position_of (before, "b"));
}

/* What a row is, as readdir(3) tells it. */
static void
test_entries (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsListing) listing = get (f, 7, TRUE);
  VirfsEntry entry;

  g_assert_true (virfs_listing_get (listing, 2, &entry));
  g_assert_cmpstr (entry.name, ==, "zz");
  g_assert_cmpuint (entry.ino, ==, virfs_inode (&class, 7, &rows[1]));
  g_assert_cmpuint (entry.type, ==, S_IFREG);
  g_assert_cmpuint (entry.next, ==, VIRFS_LISTING_END);
  g_assert_false (virfs_listing_get (listing, 3, &entry));
  gone = TRUE;
  g_assert_null (virfs_listings_get (&f->session, directory (7), TRUE));
}

/* Entries whose names have the same hash: reading always gets on, and finds each once. */
static void
test_collision (Fixture *f, gconstpointer data)
{
  static const char *const same[] = { "twin", "twin", "other", "twin", NULL };
  g_autoptr (VirfsListing) listing = NULL;
  VirfsEntry entry;
  guint twins = 0;

  names = same;
  listing = get (f, 1, TRUE);
  for (guint64 position = 0; position != VIRFS_LISTING_END; position = entry.next) {
    g_assert_true (virfs_listing_get (listing, virfs_listing_find (listing, position), &entry));
    g_assert_cmpuint (entry.next, >, position);
    twins += g_str_equal (entry.name, "twin");
  }
  g_assert_cmpuint (twins, ==, 3);
}

static void
test_shared (Fixture *f, gconstpointer data)
{
  VirfsListings *listings = f->session.listings;
  g_autoptr (VirfsListing) first = get (f, 1, TRUE);
  g_autoptr (VirfsListing) second = NULL, third = NULL, other = NULL, anew = NULL;

  virfs_listings_go_on (listings, first);
  second = get (f, 1, FALSE);
  g_assert_true (second == first);
  other = get (f, 2, FALSE);
  g_assert_true (other != first);
  /* who begins gets what is there now, and so does from then on who goes on */
  third = get (f, 1, TRUE);
  g_assert_true (third != first);
  virfs_listings_go_on (listings, third);
  g_clear_pointer (&second, virfs_listing_unref);
  second = get (f, 1, FALSE);
  g_assert_true (second == third);
  /* the end of another is not ours, but its own is */
  virfs_listings_end (listings, first);
  g_clear_pointer (&second, virfs_listing_unref);
  second = get (f, 1, FALSE);
  g_assert_true (second == third);
  virfs_listings_end (listings, third);
  anew = get (f, 1, FALSE);
  g_assert_true (anew != third);
}

/* Only as long as it is true. */
static void
test_changed (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsListing) before = get (f, 1, TRUE);
  g_autoptr (VirfsListing) after = NULL, again = NULL;

  virfs_listings_go_on (f->session.listings, before);
  changed++;
  after = get (f, 1, FALSE);
  g_assert_true (after != before);
  virfs_listings_go_on (f->session.listings, after);
  again = get (f, 1, FALSE);
  g_assert_true (again == after);
}

/* Nobody gets an older one than he had. */
static void
test_never_older (Fixture *f, gconstpointer data)
{
  VirfsListings *listings = f->session.listings;
  g_autoptr (VirfsListing) old = get (f, 1, TRUE);
  g_autoptr (VirfsListing) new = get (f, 1, TRUE);
  g_autoptr (VirfsListing) got = NULL;

  virfs_listings_go_on (listings, new);
  virfs_listings_go_on (listings, old); /* a slow thread */
  got = get (f, 1, FALSE);
  g_assert_true (got == new);
  virfs_listings_end (listings, new);
  virfs_listings_go_on (listings, old);
  g_clear_pointer (&got, virfs_listing_unref);
  got = get (f, 1, FALSE);
  g_assert_true (got != old && got != new);
}

/* Those whose readers went away do not pile up; the one that was not used for longest goes. */
static void
test_bounded (Fixture *f, gconstpointer data)
{
  enum { MANY = 100 };
  g_autoptr (VirfsListing) used = get (f, 1, TRUE);
  guint kept = 0;

  for (guint id = 2; id < MANY; id++) {
    g_autoptr (VirfsListing) listing = get (f, id, TRUE);

    virfs_listings_go_on (f->session.listings, used);
    virfs_listings_go_on (f->session.listings, listing);
  }
  for (guint id = 1; id < MANY; id++) {
    g_autoptr (VirfsListing) before = get (f, id, FALSE);
    g_autoptr (VirfsListing) after = get (f, id, FALSE);

    kept += before == after;
    g_assert_true (id > 1 || before == used);
  }
  g_assert_cmpuint (kept, >, 1);
  g_assert_cmpuint (kept, <, 20);
}

#define ADD(path, func) g_test_add ("/listing/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  virfs_class_init (&class);
  ADD ("positions", test_positions);
  ADD ("entries", test_entries);
  ADD ("collision", test_collision);
  ADD ("shared", test_shared);
  ADD ("changed", test_changed);
  ADD ("never-older", test_never_older);
  ADD ("bounded", test_bounded);
  return g_test_run ();
}
