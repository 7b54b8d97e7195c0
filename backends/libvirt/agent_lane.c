/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose turn it is, and the threads.  The lock comes last: under it nothing is called. */
#include "agent_lane.h"

#include "error.h"

/* Seconds that a silent agent is left alone after it has not answered twice, doubled each time. */
#define FIRST_PAUSE 2
#define LAST_PAUSE  32

/* The agent of a guest. */
typedef struct {
  char *uuid;
  GQueue waiting;  /* items: what somebody wants of it */
  gboolean due;    /* it is to be asked, when nobody wants more */
  gboolean called; /* by a thread */
  gboolean tried;  /* somebody wants something though it was silent */
  gint64 asked;    /* when it was last to be asked; monotonic time, as all times here; 0: never */
  gint64 silent;   /* since when it has not answered; 0: it has, or nobody knows */
  gint64 again;    /* when it may be called again */
  guint failures;  /* how often it has not answered since then; not 0 if and only if it is silent */
} Agent;

struct LvLanes {
  const LvLanesFuncs *funcs;
  gpointer owner;
  GMutex lock;
  /* under lock */
  gboolean closed;
  guint n_threads;
  guint n_asking, n_asking_silent; /* agents that are asked now; those that were silent */
  guint n_tried;                   /* silent ones of which somebody wants something */
  GHashTable *agents;              /* UUID -> Agent* */
  /* of Agent* that nobody calls: of which somebody wants something; which are due; and those that are silent */
  GQueue wanted, due, late;
};

static void
free_agent (gpointer data)
{
  Agent *agent = data;

  g_free (agent->uuid);
  g_free (agent);
}

LvLanes *
lv_lanes_new (const LvLanesFuncs *funcs, gpointer owner)
{
  LvLanes *self = g_new0 (LvLanes, 1);

  self->funcs = funcs;
  self->owner = owner;
  g_mutex_init (&self->lock);
  self->agents = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_agent);
  g_queue_init (&self->wanted);
  g_queue_init (&self->due);
  g_queue_init (&self->late);
  return self;
}

/* It was closed, and no thread is there. */
void
lv_lanes_free (LvLanes *self)
{
  g_hash_table_unref (self->agents);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static GError *
closed_error (void)
{
  return g_error_new (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "its host is not reachable");
}

static void
take_waiting (Agent *agent, GQueue *taken)
{
  gpointer item;

  while ((item = g_queue_pop_head (&agent->waiting)) != NULL)
    g_queue_push_tail (taken, item);
}

/* Items that were taken, not under the lock. */
static void
refuse_all (LvLanes *self, GQueue *items, const GError *error)
{
  gpointer item;

  while ((item = g_queue_pop_head (items)) != NULL)
    self->funcs->refuse (item, g_error_copy (error));
}

void
lv_lanes_close (LvLanes *self)
{
  g_autoptr (GError) error = closed_error ();
  GQueue items = G_QUEUE_INIT;
  GHashTableIter iter;
  gpointer agent;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  g_queue_clear (&self->wanted);
  g_queue_clear (&self->due);
  g_queue_clear (&self->late);
  g_hash_table_iter_init (&iter, self->agents);
  while (g_hash_table_iter_next (&iter, NULL, &agent)) {
    take_waiting (agent, &items);
    ((Agent *) agent)->due = FALSE;
  }
  g_mutex_unlock (&self->lock);
  refuse_all (self, &items, error);
}

/* All of these are called under the lock. */

static Agent *
agent_of (LvLanes *self, const char *uuid)
{
  Agent *agent = g_hash_table_lookup (self->agents, uuid);

  if (agent != NULL)
    return agent;
  agent = g_new0 (Agent, 1);
  agent->uuid = g_strdup (uuid);
  g_queue_init (&agent->waiting);
  g_hash_table_insert (self->agents, agent->uuid, agent);
  return agent;
}

/* Where it waits for a thread, if it does. */
static GQueue *
queue_of (LvLanes *self, Agent *agent)
{
  if (agent->called)
    return NULL;
  if (agent->waiting.length != 0)
    return &self->wanted;
  if (!agent->due)
    return NULL;
  return agent->silent ? &self->late : &self->due;
}

/* What is wanted of it may have changed since it was in BEFORE. */
static void
put (LvLanes *self, Agent *agent, GQueue *before)
{
  GQueue *now = queue_of (self, agent);

  if (now == before)
    return;
  if (before != NULL)
    g_queue_remove (before, agent);
  if (now != NULL)
    g_queue_push_tail (now, agent);
}

typedef struct {
  Agent *agent;
  gpointer item; /* NULL: it is asked what it has to say */
  gboolean silent;
} Call;

/* The next that is to be called; FALSE: none, or as many are called as may be. */
static gboolean
next (LvLanes *self, Call *call)
{
  Agent *agent = g_queue_pop_head (&self->wanted);

  if (agent == NULL && self->n_asking < LV_AGENT_ASKERS) {
    agent = g_queue_pop_head (&self->due);
    if (agent == NULL && self->n_asking_silent < LV_AGENT_SILENT_ASKERS)
      agent = g_queue_pop_head (&self->late);
  }
  if (agent == NULL)
    return FALSE;
  *call = (Call){ agent, g_queue_pop_head (&agent->waiting), agent->silent != 0 };
  agent->called = TRUE;
  if (call->item != NULL)
    return TRUE;
  agent->due = FALSE;
  self->n_asking++;
  self->n_asking_silent += call->silent;
  return TRUE;
}

static void
end_try (LvLanes *self, Agent *agent)
{
  self->n_tried -= agent->tried;
  agent->tried = FALSE;
}

static void
end (LvLanes *self, const Call *call)
{
  Agent *agent = call->agent;

  if (call->item == NULL) {
    self->n_asking--;
    self->n_asking_silent -= call->silent;
  } else {
    end_try (self, agent);
  }
  agent->called = FALSE;
  put (self, agent, NULL);
}

/* Threads. */

static gpointer
run (gpointer data)
{
  LvLanes *self = data;
  gpointer owner = self->owner;
  Call call;

  g_mutex_lock (&self->lock);
  while (next (self, &call)) {
    g_mutex_unlock (&self->lock);
    if (call.item != NULL)
      self->funcs->run (call.item, owner);
    else
      self->funcs->ask (owner, call.agent->uuid);
    g_mutex_lock (&self->lock);
    end (self, &call);
  }
  self->n_threads--;
  g_mutex_unlock (&self->lock);
  self->funcs->unref (owner);
  return NULL;
}

/* There is one for each that can be called: whoever ends one goes on with the next. */
static void
start (LvLanes *self)
{
  if (self->n_threads == LV_AGENT_CALLS)
    return;
  self->n_threads++;
  self->funcs->ref (self->owner);
  g_thread_unref (g_thread_new ("virfs-agent", run, self));
}

/* From any thread. */

static GError *
silent_error (const Agent *agent, const char *name, gint64 now)
{
  return g_error_new (VIRFS_ERROR, VIRFS_ERROR_AGAIN,
                      "the agent in %s has not answered for %" G_GINT64_FORMAT
                      " s; it can be tried again in %" G_GINT64_FORMAT " s",
                      name, (now - agent->silent) / G_USEC_PER_SEC,
                      MAX (1, (agent->again - now + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC));
}

/* Why nothing can be wanted of it now; NULL: it can.  Under the lock. */
static GError *
check (LvLanes *self, const Agent *agent, const char *name, gboolean goes_on)
{
  gint64 now = g_get_monotonic_time ();

  if (self->closed)
    return closed_error ();
  if (agent->silent && (agent->called || agent->tried || now < agent->again))
    return silent_error (agent, name, now);
  if (agent->silent && self->n_tried == LV_AGENT_TRIES)
    return g_error_new (VIRFS_ERROR, VIRFS_ERROR_AGAIN,
                        "the agent in %s has not answered for %" G_GINT64_FORMAT
                        " s, and too many others that have not are being tried; try it again later",
                        name, (now - agent->silent) / G_USEC_PER_SEC);
  if (agent->waiting.length >= LV_AGENT_WAITING && !goes_on)
    return g_error_new (
      VIRFS_ERROR, VIRFS_ERROR_BUSY,
      "the agent in %s has not done yet what %u others want of it; try it again later", name,
      agent->waiting.length);
  return NULL;
}

void
lv_lanes_submit (LvLanes *self, const char *uuid, const char *name, gboolean goes_on, gpointer item)
{
  Agent *agent;
  GQueue *before;
  GError *error;

  g_mutex_lock (&self->lock);
  agent = agent_of (self, uuid);
  before = queue_of (self, agent);
  error = check (self, agent, name, goes_on);
  if (error == NULL) {
    if (agent->silent) {
      agent->tried = TRUE;
      self->n_tried++;
    }
    g_queue_push_tail (&agent->waiting, item);
    put (self, agent, before);
    start (self);
  }
  g_mutex_unlock (&self->lock);
  if (error != NULL)
    self->funcs->refuse (item, error);
}

/* Under the lock. */
static void
make_due (LvLanes *self, Agent *agent)
{
  GQueue *before = queue_of (self, agent);

  if (self->closed || agent->due)
    return;
  agent->due = TRUE;
  agent->asked = g_get_monotonic_time ();
  put (self, agent, before);
  start (self);
}

void
lv_lanes_ask (LvLanes *self, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  make_due (self, agent_of (self, uuid));
}

void
lv_lanes_due (LvLanes *self, const char *uuid, gint64 age)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Agent *agent = agent_of (self, uuid);
  gint64 now = g_get_monotonic_time ();

  if (agent->silent ? age != G_MAXINT64 && now >= agent->again
                    : agent->asked == 0 || now - agent->asked >= age)
    make_due (self, agent);
}

/* Under the lock. */
static void
set_answered (LvLanes *self, Agent *agent)
{
  GQueue *before = queue_of (self, agent);

  agent->silent = agent->again = 0;
  agent->failures = 0;
  put (self, agent, before);
}

void
lv_lanes_forgive (LvLanes *self, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  set_answered (self, agent_of (self, uuid));
}

/* Once may be an accident: whoever waits for it is still heard.  Under the lock. */
static void
set_silent (LvLanes *self, Agent *agent, GQueue *refused)
{
  GQueue *before = queue_of (self, agent);
  gint64 now = g_get_monotonic_time ();

  if (agent->silent == 0)
    agent->silent = agent->again = now;
  if (agent->failures++ > 0) {
    agent->again
      = now + (MIN (FIRST_PAUSE << MIN (agent->failures - 2, 8), LAST_PAUSE)) * G_USEC_PER_SEC;
    take_waiting (agent, refused);
    if (!agent->called)
      end_try (self, agent);
  }
  put (self, agent, before);
}

void
lv_lanes_note (LvLanes *self, const char *uuid, gboolean answered)
{
  g_autoptr (GError) error = NULL;
  GQueue refused = G_QUEUE_INIT;
  Agent *agent;

  g_mutex_lock (&self->lock);
  agent = answered ? g_hash_table_lookup (self->agents, uuid) : agent_of (self, uuid);
  if (!answered)
    set_silent (self, agent, &refused);
  else if (agent != NULL)
    set_answered (self, agent);
  if (refused.length > 0)
    error = silent_error (agent, "the guest", g_get_monotonic_time ());
  g_mutex_unlock (&self->lock);
  if (error != NULL)
    refuse_all (self, &refused, error);
}

guint
lv_lanes_failures (LvLanes *self, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const Agent *agent = g_hash_table_lookup (self->agents, uuid);

  return agent ? agent->failures : 0;
}

void
lv_lanes_forget_others (LvLanes *self, GHashTable *uuids)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GHashTableIter iter;
  gpointer data;

  g_hash_table_iter_init (&iter, self->agents);
  while (g_hash_table_iter_next (&iter, NULL, &data)) {
    const Agent *agent = data;

    if (!agent->called && !agent->due && agent->waiting.length == 0
        && !g_hash_table_contains (uuids, agent->uuid))
      g_hash_table_iter_remove (&iter);
  }
}
