/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel has to forget.  Changes are only noted here, under whatever locks they come; two
 * threads tell them:
 *
 * - One tells inodes (attributes and pages).  That never waits for a directory's lock, so answers may
 *   stand behind it in its queue.
 * - One tells entries.  The kernel takes the directory's lock for that, which is held while a mkdir,
 *   rmdir or rename in it waits for our answer: so no answer ever waits for this thread, and
 *   directories that are known to be busy are put off.
 *
 * Those who watch by inotify(7) are told then: see touch.c.
 *
 * The kernel is told only of what it may have seen: a bit for each row of each object that was ever
 * looked up (rows that are 64 apart share one).  The bit is set before the value is read, and a change
 * is told again a little later if the kernel does not know the inode yet although something was looked
 * up just before: its reply may be on its way.
 */
#include "engine.h"

#include <errno.h>
#include <string.h>

G_STATIC_ASSERT (sizeof (gpointer) >= sizeof (guint64));

/* How long the kernel may take to make an inode from a reply, at most; told again after each. */
static const gint64 grace[] = { 20 * G_TIME_SPAN_MILLISECOND, G_TIME_SPAN_SECOND };

typedef struct {
  guint64 ino; /* 0: a step */
  guint tries;
  void (*func) (gpointer);
  gpointer data;
  gint64 due; /* in `late` */
} Item;

typedef struct {
  guint64 dir, child;
  char *name;
} Entry;

struct VirfsNotifier {
  VirfsSession *session;
  gint64 last_seen; /* monotonic; atomic enough: only its order of magnitude counts */

  GMutex lock; /* guards all below */
  GCond inodes_cond, entries_cond;
  gboolean ending;
  GHashTable *seen;     /* object number -> bits of rows */
  GHashTable *deaths;   /* object number -> how often its directory was removed by rmdir(2) */
  GQueue inodes;        /* of Item* */
  GHashTable *queued;   /* inode numbers in `inodes` */
  guint64 telling;      /* the inode number that the kernel is being told, 0: none */
  GQueue late;          /* of Item*, in the order of `due` */
  GQueue entries;       /* of Entry* */
  GHashTable *busy;     /* inode number -> how often */

  GThread *inode_thread, *entry_thread;
};

/* Noting. */

guint64
virfs_notifier_seen (VirfsNotifier *self, guint64 ino)
{
  gpointer id = (gpointer) (ino >> VIRFS_ROW_BITS);
  guint64 bits, generation;

  g_mutex_lock (&self->lock);
  generation = 1 + (guint64) g_hash_table_lookup (self->deaths, id);
  self->last_seen = g_get_monotonic_time ();
  bits = (guint64) g_hash_table_lookup (self->seen, id);
  g_hash_table_insert (self->seen, id, (gpointer) (bits | G_GUINT64_CONSTANT (1) << (ino & 63)));
  g_mutex_unlock (&self->lock);
  return generation;
}

void
virfs_notifier_died (VirfsNotifier *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gpointer id = (gpointer) (ino >> VIRFS_ROW_BITS);
  guint64 deaths = (guint64) g_hash_table_lookup (self->deaths, id);

  g_hash_table_insert (self->deaths, id, (gpointer) (deaths + 1));
}

/* Under the lock. */
static void
queue_inode (VirfsNotifier *self, guint64 ino)
{
  Item *item;

  if (!g_hash_table_add (self->queued, (gpointer) ino))
    return;
  item = g_new0 (Item, 1);
  item->ino = ino;
  g_queue_push_tail (&self->inodes, item);
  g_cond_signal (&self->inodes_cond);
}

void
virfs_notifier_inode (VirfsNotifier *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  queue_inode (self, ino);
}

gboolean
virfs_notifier_is_pending (VirfsNotifier *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->telling == ino || g_hash_table_contains (self->queued, (gpointer) ino);
}

void
virfs_notifier_changed (VirfsNotifier *self, const VirfsClass *class, guint64 id, guint64 fields)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  guint64 seen = (guint64) g_hash_table_lookup (self->seen, (gpointer) id);

  if (seen == 0)
    return;
  for (guint i = 0; i < class->n_rows; i++) {
    guint64 ino = virfs_inode (class, id, &class->rows[i]);

    if ((fields == VIRFS_ALL_FIELDS || class->rows[i].fields & fields)
        && seen & G_GUINT64_CONSTANT (1) << (ino & 63))
      queue_inode (self, ino);
  }
}

void
virfs_notifier_entry (VirfsNotifier *self, guint64 dir, const char *name, guint64 child)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Entry *entry = g_new (Entry, 1);

  *entry = (Entry){ dir, child, g_strdup (name) };
  g_queue_push_tail (&self->entries, entry);
  g_cond_signal (&self->entries_cond);
}

void
virfs_notifier_then (VirfsNotifier *self, void (*func) (gpointer), gpointer data)
{
  Item *item = NULL;

  g_mutex_lock (&self->lock);
  if (!self->ending) {
    item = g_new0 (Item, 1);
    item->func = func;
    item->data = data;
    g_queue_push_tail (&self->inodes, item);
    g_cond_signal (&self->inodes_cond);
  }
  g_mutex_unlock (&self->lock);
  /* at the end there is nothing left that it would have to wait for */
  if (item == NULL)
    func (data);
}

void
virfs_notifier_busy (VirfsNotifier *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (self->busy, (gpointer) ino));

  g_hash_table_insert (self->busy, (gpointer) ino, GUINT_TO_POINTER (count + 1));
}

gboolean
virfs_notifier_is_busy (VirfsNotifier *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_hash_table_contains (self->busy, (gpointer) ino);
}

void
virfs_notifier_idle (VirfsNotifier *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (self->busy, (gpointer) ino));

  if (count > 1)
    g_hash_table_insert (self->busy, (gpointer) ino, GUINT_TO_POINTER (count - 1));
  else
    g_hash_table_remove (self->busy, (gpointer) ino);
  if (count <= 1)
    virfs_toucher_resume (self->session->toucher, ino);
  g_cond_signal (&self->entries_cond);
}

/* What is done when all that was queued before has been told. */
typedef struct {
  VirfsNotifier *notifier;
  guint64 id;
} Forget;

static void
forget (gpointer data)
{
  g_autofree Forget *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->notifier->lock);

  g_hash_table_remove (self->notifier->seen, (gpointer) self->id);
}

void
virfs_notifier_removed (VirfsNotifier *self, guint64 id)
{
  Forget *data = g_new (Forget, 1);

  *data = (Forget){ self, id };
  virfs_notifier_then (self, forget, data);
}

/* Telling inodes. */

/* Under the lock: the next item, waiting for it; NULL at the end.  Steps are all carried out first. */
static Item *
next_item (VirfsNotifier *self)
{
  for (;;) {
    Item *late = g_queue_peek_head (&self->late);

    if (late != NULL && (late->due <= g_get_monotonic_time () || self->ending))
      return g_queue_pop_head (&self->late);
    if (self->inodes.length > 0)
      return g_queue_pop_head (&self->inodes);
    if (self->ending)
      return NULL;
    if (late != NULL)
      g_cond_wait_until (&self->inodes_cond, &self->lock, late->due);
    else
      g_cond_wait (&self->inodes_cond, &self->lock);
  }
}

/* Under the lock: delays ITEM if the kernel may learn of the inode only now.  Returns whether. */
static gboolean
delay (VirfsNotifier *self, Item *item, int result)
{
  gint64 now = g_get_monotonic_time ();

  if (result != -ENOENT || item->tries >= G_N_ELEMENTS (grace) || self->ending
      || now - self->last_seen > grace[G_N_ELEMENTS (grace) - 1])
    return FALSE;
  item->due = now + grace[item->tries++];
  /* the queue stays in order: there are two delays only */
  if (item->tries == 1)
    g_queue_push_head (&self->late, item);
  else
    g_queue_push_tail (&self->late, item);
  return TRUE;
}

static gboolean
is_ending (VirfsNotifier *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->ending;
}

static void
tell_inode (VirfsNotifier *self, Item *item)
{
  int result;

  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->queued, (gpointer) item->ino);
  self->telling = item->ino;
  g_mutex_unlock (&self->lock);

  result = is_ending (self) ? 0 : virfs_kernel_forget_inode (self->session, item->ino);
  g_mutex_lock (&self->lock);
  self->telling = 0;
  g_mutex_unlock (&self->lock);
  virfs_open_wake (self->session, item->ino);
  if (result == 0)
    virfs_toucher_touch (self->session->toucher, item->ino);

  g_mutex_lock (&self->lock);
  if (!delay (self, item, result))
    g_free (item);
  g_mutex_unlock (&self->lock);
}

static gpointer
tell_inodes (gpointer data)
{
  VirfsNotifier *self = data;
  Item *item;

  for (;;) {
    g_mutex_lock (&self->lock);
    item = next_item (self);
    g_mutex_unlock (&self->lock);
    if (item == NULL)
      return NULL;
    if (item->func == NULL) {
      tell_inode (self, item);
    } else {
      item->func (item->data);
      g_free (item);
    }
  }
}

/* Telling entries. */

/* Under the lock: the first whose directory is not busy; NULL at the end. */
static Entry *
next_entry (VirfsNotifier *self)
{
  while (!self->ending) {
    for (GList *l = self->entries.head; l; l = l->next) {
      Entry *entry = l->data;

      if (!g_hash_table_contains (self->busy, (gpointer) entry->dir)) {
        g_queue_delete_link (&self->entries, l);
        return entry;
      }
    }
    g_cond_wait (&self->entries_cond, &self->lock);
  }
  return NULL;
}

static void
free_entry (gpointer data)
{
  Entry *entry = data;

  g_free (entry->name);
  g_free (entry);
}

static gpointer
tell_entries (gpointer data)
{
  VirfsNotifier *self = data;
  Entry *entry;

  for (;;) {
    g_mutex_lock (&self->lock);
    entry = next_entry (self);
    g_mutex_unlock (&self->lock);
    if (entry == NULL)
      return NULL;
    virfs_kernel_forget_entry (self->session, entry->dir, entry->name, entry->child);
    free_entry (entry);
  }
}

VirfsNotifier *
virfs_notifier_new (VirfsSession *session)
{
  VirfsNotifier *self = g_new0 (VirfsNotifier, 1);

  self->session = session;
  g_mutex_init (&self->lock);
  g_cond_init (&self->inodes_cond);
  g_cond_init (&self->entries_cond);
  self->seen = g_hash_table_new (NULL, NULL);
  self->deaths = g_hash_table_new (NULL, NULL);
  self->queued = g_hash_table_new (NULL, NULL);
  self->busy = g_hash_table_new (NULL, NULL);
  g_queue_init (&self->inodes);
  g_queue_init (&self->late);
  g_queue_init (&self->entries);
  self->inode_thread = g_thread_new ("inodes", tell_inodes, self);
  self->entry_thread = g_thread_new ("entries", tell_entries, self);
  return self;
}

void
virfs_notifier_stop (VirfsNotifier *self)
{
  gboolean stopped;

  g_mutex_lock (&self->lock);
  stopped = self->ending;
  self->ending = TRUE;
  g_cond_broadcast (&self->inodes_cond);
  g_cond_broadcast (&self->entries_cond);
  g_mutex_unlock (&self->lock);
  if (stopped)
    return;
  g_thread_join (self->inode_thread);
  g_thread_join (self->entry_thread);
  virfs_toucher_stop (self->session->toucher);
}

void
virfs_notifier_free (VirfsNotifier *self)
{
  virfs_notifier_stop (self);
  g_queue_clear_full (&self->entries, free_entry);
  g_hash_table_unref (self->seen);
  g_hash_table_unref (self->deaths);
  g_hash_table_unref (self->queued);
  g_hash_table_unref (self->busy);
  g_cond_clear (&self->inodes_cond);
  g_cond_clear (&self->entries_cond);
  g_mutex_clear (&self->lock);
  g_free (self);
}
