/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lanes of agents: who waits for whom, and what is refused, when many agents hang. */
#include "agent_lane.h"

#include "error.h"

#include <string.h>

/* More than there are threads, and than libvirtd has workers. */
#define MANY 300

typedef struct {
  LvLanes *lanes;
  gatomicrefcount refs;
  GMutex lock;
  GCond changed;
  /* under lock */
  gboolean
    hangs; /* agents whose name begins with `hung` do; with `back`: when they have answered */
  guint n_hanging, most_hanging;
  guint n_called, most_called; /* of `one` */
  guint n_asked;
} Host;

typedef struct {
  Host *host;
  const char *uuid;
  gboolean goes_on;
  /* under the host's lock */
  gboolean refused; /* and to be submitted again */
  gboolean done;
  GError *error;
} Item;

static gpointer
ref_host (gpointer data)
{
  Host *host = data;

  g_atomic_ref_count_inc (&host->refs);
  return host;
}

static void
unref_host (gpointer data)
{
  Host *host = data;

  if (!g_atomic_ref_count_dec (&host->refs))
    return;
  lv_lanes_free (host->lanes);
  g_mutex_clear (&host->lock);
  g_cond_clear (&host->changed);
  g_free (host);
}

/* As a call does: whoever hangs does until he is let go, and has not answered then. */
static gboolean
call_agent (Host *host, const char *uuid)
{
  gboolean hung = g_str_has_prefix (uuid, "hung"), back = g_str_has_prefix (uuid, "back");

  /* it answers at once, and what is wanted takes its time */
  if (back)
    lv_lanes_note (host->lanes, uuid, TRUE);
  g_mutex_lock (&host->lock);
  if (hung || back) {
    host->n_hanging++;
    host->most_hanging = MAX (host->most_hanging, host->n_hanging);
    g_cond_broadcast (&host->changed);
  }
  while ((hung || back) && host->hangs)
    g_cond_wait (&host->changed, &host->lock);
  host->n_hanging -= hung || back;
  g_mutex_unlock (&host->lock);
  lv_lanes_note (host->lanes, uuid, !hung);
  return !hung;
}

static void
finish (Item *item, GError *error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&item->host->lock);

  item->done = TRUE;
  item->error = error;
  g_cond_broadcast (&item->host->changed);
}

static void
run (gpointer data, gpointer owner)
{
  Item *item = data;
  Host *host = item->host;
  gboolean one = g_str_equal (item->uuid, "one");

  g_assert_true (owner == host);
  g_mutex_lock (&host->lock);
  host->n_called += one;
  host->most_called = MAX (host->most_called, host->n_called);
  g_mutex_unlock (&host->lock);
  if (one)
    g_usleep (1000);
  g_mutex_lock (&host->lock);
  host->n_called -= one;
  g_mutex_unlock (&host->lock);
  if (call_agent (host, item->uuid))
    finish (item, NULL);
  else
    finish (item, g_error_new (VIRFS_ERROR, VIRFS_ERROR_AGAIN, "it hangs"));
}

static void
refuse (gpointer data, GError *error)
{
  Item *item = data;

  if (!item->goes_on || error->code != VIRFS_ERROR_AGAIN) {
    finish (item, error);
    return;
  }
  g_error_free (error);
  g_mutex_lock (&item->host->lock);
  item->refused = TRUE;
  g_cond_broadcast (&item->host->changed);
  g_mutex_unlock (&item->host->lock);
}

static void
ask (gpointer owner, const char *uuid)
{
  Host *host = owner;

  call_agent (host, uuid);
  g_mutex_lock (&host->lock);
  host->n_asked++;
  g_cond_broadcast (&host->changed);
  g_mutex_unlock (&host->lock);
}

static Host *
new_host (void)
{
  static const LvLanesFuncs funcs = { ref_host, unref_host, run, refuse, ask };
  Host *host = g_new0 (Host, 1);

  g_atomic_ref_count_init (&host->refs);
  g_mutex_init (&host->lock);
  g_cond_init (&host->changed);
  host->hangs = TRUE;
  host->lanes = lv_lanes_new (&funcs, host);
  return host;
}

static void
free_host (Host *host)
{
  lv_lanes_close (host->lanes);
  unref_host (host);
}

static Item *
submit (Host *host, const char *uuid)
{
  Item *item = g_new0 (Item, 1);

  item->host = host;
  item->uuid = g_intern_string (uuid);
  lv_lanes_submit (host->lanes, uuid, uuid, FALSE, item);
  return item;
}

static Item *
submit_hung (Host *host, guint i)
{
  g_autofree char *uuid = g_strdup_printf ("hung%u", i);

  return submit (host, uuid);
}

static void
await (Host *host, const gboolean *condition)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  while (!*condition)
    g_cond_wait (&host->changed, &host->lock);
}

static gboolean
has_ended (Item *item)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&item->host->lock);

  return item->done;
}

static void
assert_ends (Item *item, int code)
{
  await (item->host, &item->done);
  if (code < 0)
    g_assert_no_error (item->error);
  else
    g_assert_error (item->error, VIRFS_ERROR, code);
  g_clear_error (&item->error);
  g_free (item);
}

static void
await_hanging (Host *host, guint n)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  while (host->n_hanging < n)
    g_cond_wait (&host->changed, &host->lock);
}

static void
let_go (Host *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  host->hangs = FALSE;
  g_cond_broadcast (&host->changed);
}

/* They have hung for some time: each has been called twice in vain. */
static void
make_silent (Host *host)
{
  for (guint i = 0; i < MANY; i++) {
    g_autofree char *uuid = g_strdup_printf ("hung%u", i);

    lv_lanes_note (host->lanes, uuid, FALSE);
    lv_lanes_note (host->lanes, uuid, FALSE);
  }
}

static void
test_one_at_a_time (void)
{
  Host *host = new_host ();
  Item *items[LV_AGENT_WAITING];

  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    items[i] = submit (host, "one");
  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    assert_ends (items[i], -1);
  g_assert_cmpuint (host->most_called, ==, 1);
  free_host (host);
}

/* What is wanted of one agent that hangs waits or is refused, and ends when it is known to be silent. */
static void
test_one_hangs (void)
{
  Host *host = new_host ();
  Item *items[LV_AGENT_WAITING + 1];

  items[0] = submit (host, "hung");
  await_hanging (host, 1);
  for (guint i = 1; i < G_N_ELEMENTS (items); i++)
    items[i] = submit (host, "hung");
  assert_ends (submit (host, "hung"), VIRFS_ERROR_BUSY);
  assert_ends (submit (host, "one"), -1);
  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    g_assert_false (has_ended (items[i]));
  let_go (host);
  for (guint i = 0; i < G_N_ELEMENTS (items); i++)
    assert_ends (items[i], VIRFS_ERROR_AGAIN);
  g_assert_cmpuint (lv_lanes_failures (host->lanes, "hung"), ==, 2);
  free_host (host);
}

/* However many are silent, who writes to them is told at once, and others are answered. */
static void
test_many_silent (void)
{
  Host *host = new_host ();

  make_silent (host);
  for (guint i = 0; i < MANY; i++) {
    assert_ends (submit_hung (host, i), VIRFS_ERROR_AGAIN);
    assert_ends (submit (host, "one"), -1);
  }
  g_assert_cmpuint (host->most_hanging, ==, 0);
  free_host (host);
}

/* Nobody knows of these yet that they hang, or it is time to try them: a few take their time, others go on. */
static void
test_few_are_tried (void)
{
  Host *host = new_host ();
  Item *tried[LV_AGENT_TRIES];

  for (guint i = 0; i < MANY; i++) {
    g_autofree char *uuid = g_strdup_printf ("hung%u", i);

    lv_lanes_note (host->lanes, uuid, FALSE);
    lv_lanes_due (host->lanes, uuid, 0);
  }
  await_hanging (host, LV_AGENT_SILENT_ASKERS);
  for (guint i = 0; i < G_N_ELEMENTS (tried); i++)
    tried[i] = submit_hung (host, MANY - 1 - i);
  await_hanging (host, LV_AGENT_SILENT_ASKERS + LV_AGENT_TRIES);
  for (guint i = 0; i < MANY - LV_AGENT_TRIES; i++)
    assert_ends (submit_hung (host, i), VIRFS_ERROR_AGAIN);
  for (guint i = 0; i < 100; i++)
    assert_ends (submit (host, "one"), -1);
  lv_lanes_ask (host->lanes, "one");
  g_mutex_lock (&host->lock);
  while (host->n_asked == 0)
    g_cond_wait (&host->changed, &host->lock);
  g_mutex_unlock (&host->lock);
  g_assert_cmpuint (host->most_hanging, ==, LV_AGENT_SILENT_ASKERS + LV_AGENT_TRIES);
  let_go (host);
  for (guint i = 0; i < G_N_ELEMENTS (tried); i++)
    assert_ends (tried[i], VIRFS_ERROR_AGAIN);
  free_host (host);
}

/* All at once, and nothing was known: no more calls than libvirtd can do with, and all end. */
static void
test_all_hang_at_once (void)
{
  Host *host = new_host ();
  Item *items[MANY];

  for (guint i = 0; i < MANY; i++)
    items[i] = submit_hung (host, i);
  await_hanging (host, LV_AGENT_CALLS);
  let_go (host);
  for (guint i = 0; i < MANY; i++)
    assert_ends (items[i], VIRFS_ERROR_AGAIN);
  g_assert_cmpuint (host->most_hanging, ==, LV_AGENT_CALLS);
  free_host (host);
}

static void
test_comes_back (void)
{
  Host *host = new_host ();

  lv_lanes_note (host->lanes, "one", FALSE);
  lv_lanes_note (host->lanes, "one", FALSE);
  assert_ends (submit (host, "one"), VIRFS_ERROR_AGAIN);
  lv_lanes_forgive (host->lanes, "one");
  assert_ends (submit (host, "one"), -1);
  g_assert_cmpuint (lv_lanes_failures (host->lanes, "one"), ==, 0);
  free_host (host);
}

static void
set_hangs (Host *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  host->hangs = TRUE;
}

/* A try that finds an agent that answers, and somebody wants more of it while that goes on: nothing of it is left. */
static void
test_tries_end (void)
{
  Host *host = new_host ();
  Item *tried, *more;

  for (guint i = 0; i <= LV_AGENT_TRIES; i++) {
    g_autofree char *uuid = g_strdup_printf ("back%u", i);

    set_hangs (host);
    lv_lanes_note (host->lanes, uuid, FALSE);
    tried = submit (host, uuid);
    await_hanging (host, 1);
    more = submit (host, uuid);
    let_go (host);
    assert_ends (tried, -1);
    assert_ends (more, -1);
  }
  set_hangs (host);
  lv_lanes_note (host->lanes, "hung", FALSE);
  tried = submit (host, "hung");
  await_hanging (host, 1);
  let_go (host);
  assert_ends (tried, VIRFS_ERROR_AGAIN);
  free_host (host);
}

static Item *
submit_again (Host *host, const char *uuid)
{
  Item *item = g_new0 (Item, 1);

  item->host = host;
  item->uuid = g_intern_string (uuid);
  item->goes_on = TRUE;
  lv_lanes_submit (host->lanes, uuid, uuid, TRUE, item);
  return item;
}

/* What was begun before is refused while the agent is silent, also when it waited already; it can come again. */
static void
test_goes_on (void)
{
  Host *host = new_host ();
  Item *called, *waiting, *late;

  lv_lanes_note (host->lanes, "back", FALSE);
  called = submit (host, "back");
  await_hanging (host, 1);
  waiting = submit_again (host, "back");
  lv_lanes_note (host->lanes, "back", FALSE);
  g_assert_false (has_ended (waiting));
  lv_lanes_note (host->lanes, "back", FALSE);
  await (host, &waiting->refused);
  late = submit_again (host, "back");
  await (host, &late->refused);
  let_go (host);
  assert_ends (called, -1);
  lv_lanes_forgive (host->lanes, "back");
  lv_lanes_submit (host->lanes, "back", "back", TRUE, waiting);
  lv_lanes_submit (host->lanes, "back", "back", TRUE, late);
  assert_ends (waiting, -1);
  assert_ends (late, -1);
  free_host (host);
}

/* Nobody is asked from time to time: a silent one is not either. */
static void
test_no_interval (void)
{
  Host *host = new_host ();

  let_go (host);
  lv_lanes_note (host->lanes, "hung", FALSE);
  lv_lanes_due (host->lanes, "hung", G_MAXINT64);
  lv_lanes_due (host->lanes, "other", G_MAXINT64);
  g_mutex_lock (&host->lock);
  while (host->n_asked == 0)
    g_cond_wait (&host->changed, &host->lock);
  g_assert_cmpuint (host->most_hanging, ==, 0);
  g_mutex_unlock (&host->lock);
  free_host (host);
}

/* What was known of one that is no more here is not known of who comes later. */
static void
test_forgets (void)
{
  Host *host = new_host ();
  g_autoptr (GHashTable) here = g_hash_table_new (g_str_hash, g_str_equal);
  Item *called = submit (host, "hung");

  await_hanging (host, 1);
  g_hash_table_add (here, (gpointer) "here");
  for (guint i = 0; i < 2; i++) {
    lv_lanes_note (host->lanes, "here", FALSE);
    lv_lanes_note (host->lanes, "gone", FALSE);
  }
  lv_lanes_forget_others (host->lanes, here);
  g_assert_cmpuint (lv_lanes_failures (host->lanes, "here"), ==, 2);
  g_assert_cmpuint (lv_lanes_failures (host->lanes, "gone"), ==, 0);
  assert_ends (submit (host, "gone"), -1);
  let_go (host);
  assert_ends (called, VIRFS_ERROR_AGAIN);
  free_host (host);
}

static void
test_close (void)
{
  Host *host = new_host ();
  Item *called = submit (host, "hung"), *waiting;

  await_hanging (host, 1);
  waiting = submit (host, "hung");
  lv_lanes_close (host->lanes);
  assert_ends (waiting, VIRFS_ERROR_HOST_DOWN);
  assert_ends (submit (host, "one"), VIRFS_ERROR_HOST_DOWN);
  let_go (host);
  assert_ends (called, VIRFS_ERROR_AGAIN);
  unref_host (host);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lanes/one-at-a-time", test_one_at_a_time);
  g_test_add_func ("/lanes/one-hangs", test_one_hangs);
  g_test_add_func ("/lanes/many-silent", test_many_silent);
  g_test_add_func ("/lanes/few-are-tried", test_few_are_tried);
  g_test_add_func ("/lanes/all-hang-at-once", test_all_hang_at_once);
  g_test_add_func ("/lanes/comes-back", test_comes_back);
  g_test_add_func ("/lanes/tries-end", test_tries_end);
  g_test_add_func ("/lanes/goes-on", test_goes_on);
  g_test_add_func ("/lanes/no-interval", test_no_interval);
  g_test_add_func ("/lanes/forgets", test_forgets);
  g_test_add_func ("/lanes/close", test_close);
  return g_test_run ();
}
