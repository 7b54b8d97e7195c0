/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys with which one gets into a guest.  What is to be is made of what was shown; somebody in the guest may have
 * changed that, so it is asked first, and whoever wrote is told to look again.
 */
#include "agent.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of all keys of a user at most, as more cannot be written back either. */
#define MOST_BYTES (64 * 1024)

/* Lines as a guest gives them: what is no text is none of ours, nor what would be two lines.  The caller owns it. */
static char *
join_taken (char **keys, int n)
{
  GString *text = g_string_new (NULL);

  for (int i = 0; i < n; i++) {
    if (g_utf8_validate (keys[i], -1, NULL) && strpbrk (keys[i], "\r\n") == NULL
        && *g_strstrip (keys[i]) && text->len + strlen (keys[i]) < MOST_BYTES)
      g_string_append_printf (text, "%s\n", keys[i]);
    free (keys[i]);
  }
  free (keys);
  return g_string_free (text, FALSE);
}

/* The agent has no code for what is not there, only words. */
static gboolean
has_said (const char *words)
{
  return lv_last_error () && strstr (lv_last_error ()->message, words) != NULL;
}

static char *
fail (LvTask *task, const char *what, GError **error)
{
  if (has_said ("failed to lookup user"))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no user %s in %s",
                 task->part->name, task->name);
  else
    lv_fail (error, "cannot %s the SSH keys of %s in %s", what, task->part->name, task->name);
  return NULL;
}

/* Who has no file has no keys.  NULL with ERROR. */
static char *
get (LvTask *task, virDomainPtr domain, GError **error)
{
  char **keys = NULL;
  int n = LV (virDomainAuthorizedSSHKeysGet (domain, task->part->name, &keys, 0));

  if (n >= 0)
    return join_taken (keys, n);
  return has_said ("No such file") ? g_strdup ("") : fail (task, "ask for", error);
}

/* The lines of TEXT that are not in KNOWN; the caller owns it. */
static GStrv
split (const char *text, const char *known)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1), old = g_strsplit (known, "\n", -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (char **p = lines; *p; p++)
    if (**p && !g_strv_contains ((const char *const *) old, *p))
      g_strv_builder_add (builder, *p);
  return g_strv_builder_end (builder);
}

/* Agents tell them in another order than that in which they were given. */
static gboolean
is_same (const char *a, const char *b)
{
  g_auto (GStrv) more = split (a, b), less = split (b, a);

  return *more == NULL && *less == NULL;
}

/* What is only added leaves the rest of the file as it is, with its comments. */
static gboolean
set (LvTask *task, virDomainPtr domain, const char *now, GError **error)
{
  g_auto (GStrv) gone = split (now, task->text);
  gboolean adds = *gone == NULL;
  g_auto (GStrv) keys = split (task->text, adds ? now : "");
  guint n = g_strv_length (keys);
  guint flags = adds ? VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND : 0;

  if (n == 0 && adds)
    return TRUE;
  if (LV (virDomainAuthorizedSSHKeysSet (domain, task->part->name, (const char **) keys, n, flags))
      >= 0)
    return TRUE;
  fail (task, "set", error);
  return FALSE;
}

static void
take_keys (gpointer data, gpointer keys)
{
  VirfsSshUserInfo *info = data;

  virfs_ref_string_set (&info->keys, *(const char *) keys ? keys : NULL);
  info->asked = g_get_real_time ();
}

static void
tell (LvTask *task, const char *keys)
{
  VirfsHost *host = lv_gate_enter (task->link->connection);

  if (host == NULL)
    return;
  virfs_infra_edit_part (host->object.infra, task->part, take_keys, (gpointer) keys);
  lv_gate_leave (task->link->connection);
}

/* Whether they are still what whoever writes has seen. */
static gboolean
check_known (LvTask *task, const char *now, GError **error)
{
  const char *known = task->text + strlen (task->text) + 1;

  if (is_same (known, now))
    return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_AGAIN,
    "somebody in %s has changed the SSH keys of %s; what there are is shown now: write again",
    task->name, task->part->name);
  return FALSE;
}

/* What there is after a write; who cannot be asked any more has what was written. */
static void
tell_written (LvTask *task, virDomainPtr domain)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *then = get (task, domain, &error);

  if (then == NULL)
    g_debug ("%s", error->message);
  tell (task, then && !is_same (then, task->text) ? then : task->text);
}

static LvOutcome
run_keys (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = lv_task_domain (task, error);
  g_autofree char *now = NULL;

  if (domain == NULL || !lv_agent_call (task->link, domain, error))
    return LV_FAILED;
  now = get (task, domain, error);
  if (now == NULL)
    return LV_FAILED;
  if (task->text != NULL && check_known (task, now, error) && set (task, domain, now, error)) {
    tell_written (task, domain);
    return LV_DONE;
  }
  tell (task, now);
  return task->text == NULL ? LV_DONE : LV_FAILED;
}

/* Both in one text, each with its NUL: what was shown may be another until it is this one's turn. */
static char *
join_both (const char *keys, const char *known)
{
  GString *both = g_string_new (keys);

  g_string_append_c (both, '\0');
  g_string_append (both, known ? known : "");
  return g_string_free (both, FALSE);
}

void
lv_agent_ssh_keys (VirfsPart *user, const char *known, const char *keys, VirfsJob *job)
{
  LvTask *task = lv_task_new ((VirfsVm *) virfs_part_root (user), job, LV_LANE_AGENT, run_keys);

  if (task == NULL)
    return;
  task->part = virfs_object_ref (user);
  task->text = keys ? join_both (keys, known) : NULL;
  lv_task_submit (task);
}
