/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The listings of directories that are being read.  The kernel does not say who opens and closes a
 * directory, and asks for a large one in many pieces: its listing is kept from the first piece to the
 * last, so that it is not made for each.
 *
 * All readers of a directory share the newest listing, for as long as the directory does not change:
 * a name that has gone must not be listed any more, for the kernel may cache it as if looked up, after
 * it was told that it is gone.  (Of what goes from now on it is told when it has taken the piece: it
 * holds the directory's lock.)  Nor may anybody get a piece of an older listing than that which he
 * began with: the kernel would keep the whole for what was there at the beginning.  So a ticket is
 * drawn before a listing is made, and none comes in place of one with a later ticket.  Few are kept;
 * where one is missing, for its reader was slow or another came first to the end, it is made anew.
 */
#include "engine.h"

/* As many as are read at once, more or less. */
#define KEPT 8

struct VirfsListings {
  GMutex lock; /* guards all below */
  guint64 last_ticket, dropped_ticket;
  GQueue kept; /* of VirfsListing*, the one used last first; at most one of each directory */
};

VirfsListings *
virfs_listings_new (void)
{
  VirfsListings *self = g_new0 (VirfsListings, 1);

  g_mutex_init (&self->lock);
  g_queue_init (&self->kept);
  return self;
}

void
virfs_listings_free (VirfsListings *self)
{
  g_queue_clear_full (&self->kept, (GDestroyNotify) virfs_listing_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Under the lock. */
static GList *
find (VirfsListings *self, guint64 dir)
{
  for (GList *l = self->kept.head; l != NULL; l = l->next)
    if (virfs_listing_dir (l->data) == dir)
      return l;
  return NULL;
}

/* Under the lock. */
static void
drop (VirfsListings *self, GList *l)
{
  VirfsListing *listing = l->data;

  self->dropped_ticket = MAX (self->dropped_ticket, virfs_listing_ticket (listing));
  g_queue_delete_link (&self->kept, l);
  virfs_listing_unref (listing);
}

/* A reference to the listing of DIR; NULL if there is none. */
static VirfsListing *
find_kept (VirfsListings *self, guint64 dir)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GList *l = find (self, dir);

  return l ? virfs_listing_ref (l->data) : NULL;
}

static guint64
draw_ticket (VirfsListings *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return ++self->last_ticket;
}

VirfsListing *
virfs_listings_get (VirfsSession *session, guint64 ino, gboolean begins)
{
  g_autoptr (VirfsListing) kept = begins ? NULL : find_kept (session->listings, ino);
  guint64 ticket = draw_ticket (session->listings);
  g_auto (VirfsNode) dir = { 0 };

  if (!virfs_node_get (session, ino, &dir))
    return NULL;
  if (kept != NULL && virfs_listing_holds (kept, &dir))
    return g_steal_pointer (&kept);
  return virfs_listing_new (&dir, ticket);
}

void
virfs_listings_go_on (VirfsListings *self, VirfsListing *listing)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GList *l = find (self, virfs_listing_dir (listing));

  if (l != NULL && virfs_listing_ticket (l->data) >= virfs_listing_ticket (listing)) {
    g_queue_unlink (&self->kept, l);
    g_queue_push_head_link (&self->kept, l);
    return;
  }
  /* there may have been a newer one meanwhile */
  if (virfs_listing_ticket (listing) < self->dropped_ticket)
    return;
  if (l != NULL)
    drop (self, l);
  else if (self->kept.length >= KEPT)
    drop (self, self->kept.tail);
  g_queue_push_head (&self->kept, virfs_listing_ref (listing));
}

void
virfs_listings_end (VirfsListings *self, VirfsListing *listing)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GList *l = find (self, virfs_listing_dir (listing));

  if (l != NULL && l->data == listing)
    drop (self, l);
}
