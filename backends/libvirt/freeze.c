/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezing, and the watch over it.  The call that a guest is frozen for may hang: because of the
 * guest, its host, or the way there.  So a thread with a connection of its own, which there must
 * be before, thaws it when the time is up, and when whoever froze it could not, until it has.
 *
 * It goes on until the link has ended; then whoever connects again does it, see backup_record.c.
 */
#include "freeze.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "seat.h"

/* Seconds that the agent in a guest may take to answer. */
#define AGENT_TIMEOUT 5
/* Between attempts of the thread. */
#define PAUSE G_TIME_SPAN_SECOND

struct LvFreeze {
  gatomicrefcount refs;
  LvSeat seat; /* the thread's */
  virDomainPtr domain, watched;
  char *name;
  gboolean frozen; /* the agent has said so */
  char uuid[VIR_UUID_STRING_BUFLEN];
  LvFreezeThawed thawed; /* NULL: whoever began it asks */

  GMutex lock;
  GCond changed;
  /* under lock */
  gboolean over;   /* it has been thawed, for certain */
  gboolean late;   /* by the thread */
  gint64 deadline; /* monotonic time */
};

static void
unref (LvFreeze *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  if (self->domain != NULL)
    virDomainFree (self->domain);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->name);
  g_free (self);
}

/* Under the lock. */
static gboolean
wait_for_deadline (LvFreeze *self)
{
  while (!self->over && g_get_monotonic_time () < self->deadline)
    g_cond_wait_until (&self->changed, &self->lock, self->deadline);
  return !self->over;
}

/* Nothing is frozen in a guest that does not run. */
static gboolean
has_stopped (void)
{
  return lv_last_code () == VIR_ERR_NO_DOMAIN || lv_last_code () == VIR_ERR_OPERATION_INVALID;
}

static void
thaw_late (LvFreeze *self)
{
  gboolean done;

  g_mutex_unlock (&self->lock);
  done = LV (virDomainFSThaw (self->watched, NULL, 0, 0)) >= 0 || has_stopped ();
  g_mutex_lock (&self->lock);
  self->deadline = g_get_monotonic_time () + PAUSE;
  if (!done || self->over)
    return;
  self->over = self->late = TRUE;
  g_message ("%s was frozen for too long, and has been thawed", self->name);
}

static gpointer
watch (gpointer data)
{
  LvFreeze *self = data;
  gboolean tells;

  g_mutex_lock (&self->lock);
  while (wait_for_deadline (self) && lv_link_is_alive (self->seat.link))
    thaw_late (self);
  tells = self->late && self->thawed != NULL;
  g_mutex_unlock (&self->lock);
  if (tells)
    self->thawed (self->seat.link, self->uuid);
  virDomainFree (self->watched);
  lv_seat_leave (&self->seat);
  unref (self);
  return NULL;
}

/* NULL: then it is better not to freeze it. */
static virDomainPtr
look_up (LvFreeze *self, LvLink *link, virDomainPtr domain)
{
  virDomainPtr watched;

  virDomainGetUUIDString (domain, self->uuid);
  if (!lv_seat_take (&self->seat, link, NULL))
    return NULL;
  watched = LV (virDomainLookupByUUIDString (self->seat.conn, self->uuid));
  if (watched == NULL)
    lv_seat_leave (&self->seat);
  return watched;
}

static LvFreeze *
new_freeze (LvLink *link, virDomainPtr domain)
{
  LvFreeze *self = g_new0 (LvFreeze, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->name = g_strdup (virDomainGetName (domain));
  self->watched = look_up (self, link, domain);
  if (self->watched != NULL)
    return self;
  unref (self);
  return NULL;
}

static void
begin_watch (LvFreeze *self, gint64 microseconds)
{
  self->deadline = g_get_monotonic_time () + microseconds;
  g_atomic_ref_count_inc (&self->refs);
  g_thread_unref (g_thread_new ("virfs-freeze", watch, self));
}

static gboolean
freeze (LvFreeze *self, virDomainPtr domain)
{
  LV (virDomainAgentSetResponseTimeout (domain, AGENT_TIMEOUT, 0));
  begin_watch (self, lv_options ()->freeze_timeout * G_TIME_SPAN_SECOND);
  return LV (virDomainFSFreeze (domain, NULL, 0, 0)) >= 0;
}

LvFreeze *
lv_freeze_begin (LvLink *link, virDomainPtr domain)
{
  LvFreeze *self = new_freeze (link, domain);

  if (self == NULL)
    return NULL;
  virDomainRef (domain);
  self->domain = domain;
  self->frozen = freeze (self, domain);
  return self;
}

/* An agent that did not answer in time may have frozen it all the same. */
gboolean
lv_freeze_end (LvFreeze *self, gboolean *thawed)
{
  gboolean done, quiet;

  *thawed = TRUE;
  if (self == NULL)
    return FALSE;
  done = LV (virDomainFSThaw (self->domain, NULL, 0, 0)) >= 0
         || (!self->frozen && lv_last_code () == VIR_ERR_AGENT_UNRESPONSIVE);
  g_mutex_lock (&self->lock);
  quiet = self->frozen && !self->late;
  self->over |= done;
  *thawed = self->over;
  self->deadline = g_get_monotonic_time ();
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  unref (self);
  return quiet;
}

/* For as long as somebody likes. */

/* OVER: the thread has nothing more to do; if not, it is to thaw now. */
static void
hurry (LvFreeze *self, gboolean over)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->over |= over;
  self->deadline = g_get_monotonic_time ();
  g_cond_signal (&self->changed);
}

LvFreeze *
lv_freeze_begin_for (LvLink *link, virDomainPtr domain, LvFreezeThawed thawed, GError **error)
{
  LvFreeze *self = new_freeze (link, domain);
  gboolean unsure;

  if (self == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "nobody could watch over it");
    return NULL;
  }
  self->thawed = thawed;
  if (freeze (self, domain))
    return self;
  unsure = lv_last_code () == VIR_ERR_AGENT_UNRESPONSIVE;
  lv_fail (error, "its agent");
  hurry (self, !unsure);
  unref (self);
  return NULL;
}

LvFreeze *
lv_freeze_adopt (LvLink *link, virDomainPtr domain, LvFreezeThawed thawed)
{
  LvFreeze *self = new_freeze (link, domain);

  if (self == NULL)
    return NULL;
  self->thawed = thawed;
  LV (virDomainAgentSetResponseTimeout (domain, AGENT_TIMEOUT, 0));
  begin_watch (self, 0);
  return self;
}

void
lv_freeze_is_over (LvFreeze *self)
{
  hurry (self, TRUE);
}

void
lv_freeze_leave (LvFreeze *self)
{
  unref (self);
}
