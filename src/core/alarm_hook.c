/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks: who may be run, and the threads that wait for them. */
#include "alarm_hook.h"

#include "alarm.h"
#include "error.h"
#include "hook_process.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_ONCE    4
#define MOST_WAIT  1000
#define LONGEST    1024 /* bytes of a value */
#define STOP_GRACE (2 * G_USEC_PER_SEC)

typedef struct {
  char *program, *alarm, *object;
  char **environment;
  guint timeout; /* seconds */
  VirfsHookProcess *process; /* under lock; NULL: it does not run */
} Run;

struct VirfsHooks {
  VirfsInfra *infra;
  GMutex lock;
  GCond ended;
  /* under lock */
  char *mountpoint;
  guint timeout;
  GQueue waiting; /* of Run* */
  GList *running; /* of Run* */
  guint threads, dropped;
  gboolean stopping;
};

/* Who may be run. */

static gboolean
is_ours (const struct stat *st)
{
  return (st->st_uid == 0 || st->st_uid == geteuid ()) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Whether others cannot put something else in its place. */
static gboolean
check_directories (const char *path, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (path);
  struct stat st;

  if (stat (dir, &st) != 0 || !(is_ours (&st) || (st.st_mode & S_ISVTX && st.st_uid == 0))) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "others can change what is in %s, so nothing in it is run", dir);
    return FALSE;
  }
  return g_str_equal (dir, "/") || check_directories (dir, error);
}

static gboolean
check_program (const char *path, GError **error)
{
  struct stat st;

  if (stat (path, &st) != 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s: %s", path, g_strerror (errno));
  else if (!S_ISREG (st.st_mode) || faccessat (AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "%s is not a program", path);
  else if (!is_ours (&st))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "%s belongs to, or can be changed by, others than root and who runs virfs", path);
  else
    return check_directories (path, error);
  return FALSE;
}

/* Where links lead may be for others to say, so what is run is what they lead to when it is looked at. */
static char *
resolve (const char *path, GError **error)
{
  g_autofree char *real = NULL;

  if (!g_path_is_absolute (path)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a hook is a program by its full path, as in /usr/local/bin/alarm-mail");
    return NULL;
  }
  real = realpath (path, NULL);
  if (real == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s: %s", path, g_strerror (errno));
    return NULL;
  }
  return check_program (real, error) ? g_steal_pointer (&real) : NULL;
}

gboolean
virfs_hook_check (const char *path, GError **error)
{
  g_autofree char *program = resolve (path, error);

  return program != NULL;
}

/* Running. */

static void
free_run (Run *run)
{
  g_free (run->program);
  g_free (run->alarm);
  g_free (run->object);
  g_strfreev (run->environment);
  g_free (run);
}

static void
tell (VirfsHooks *self, const Run *run, const char *output, const GError *failure)
{
  g_autofree char *file = g_strdup_printf ("alarms/%s/hook", run->alarm);
  g_autoptr (VirfsAlarm) alarm = virfs_infra_alarm (self->infra, run->alarm);
  g_autoptr (GString) details = g_string_new (NULL);

  if (failure == NULL && *output == '\0')
    return;
  virfs_event_append (details, "value", failure ? "failed" : "done");
  virfs_event_append (details, "object", run->object);
  virfs_event_append (details, "reason", failure ? failure->message : NULL);
  virfs_event_append (details, "output", *output ? output : NULL);
  virfs_infra_event (self->infra, alarm, "hook", details->str);
  if (failure != NULL)
    virfs_infra_report (self->infra, NULL, file, geteuid (), failure);
}

static void
set_process (VirfsHooks *self, Run *run, VirfsHookProcess *process)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  run->process = process;
  if (process != NULL && self->stopping)
    virfs_hook_process_kill (process);
}

/* What was allowed when it was set may have been changed since. */
static void
carry_out (VirfsHooks *self, Run *run)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL;
  g_autofree char *program = resolve (run->program, &error);
  VirfsHookProcess *process
    = program ? virfs_hook_process_new (program, run->environment, &error) : NULL;

  if (process != NULL) {
    set_process (self, run, process);
    output = virfs_hook_process_wait (process, run->timeout, &error);
    set_process (self, run, NULL);
    virfs_hook_process_free (process);
  }
  tell (self, run, output ? output : "", error);
}

static gboolean
is_running (VirfsHooks *self, const Run *wanted)
{
  for (GList *l = self->running; l; l = l->next) {
    const Run *run = l->data;

    if (g_str_equal (run->alarm, wanted->alarm) && g_str_equal (run->object, wanted->object))
      return TRUE;
  }
  return FALSE;
}

/* The first that does not have to wait for another of its kind. */
static Run *
take_next (VirfsHooks *self)
{
  for (GList *l = self->waiting.head; l && !self->stopping; l = l->next) {
    Run *run = l->data;

    if (is_running (self, run))
      continue;
    g_queue_delete_link (&self->waiting, l);
    self->running = g_list_prepend (self->running, run);
    return run;
  }
  return NULL;
}

static gpointer
run_hooks (gpointer data)
{
  VirfsHooks *self = data;
  Run *run;

  g_mutex_lock (&self->lock);
  while ((run = take_next (self)) != NULL) {
    g_mutex_unlock (&self->lock);
    carry_out (self, run);
    g_mutex_lock (&self->lock);
    self->running = g_list_remove (self->running, run);
    free_run (run);
  }
  self->threads--;
  g_cond_broadcast (&self->ended);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static char *
variable (const char *name, const char *value)
{
  g_autoptr (GString) escaped = g_string_new (NULL);
  g_autofree char *cut = NULL;

  virfs_text_escape (escaped, value);
  if (escaped->len > LONGEST) {
    g_string_truncate (escaped, LONGEST);
    cut = g_utf8_make_valid (escaped->str, -1);
  }
  return g_strconcat (name, "=", cut ? cut : escaped->str, NULL);
}

static char **
environment_of (VirfsHooks *self, const char *const *facts)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *mountpoint = variable ("VIRFS_MOUNTPOINT", self->mountpoint);

  g_strv_builder_add (builder, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  g_strv_builder_add (builder, "LC_ALL=C.UTF-8");
  g_strv_builder_add (builder, mountpoint);
  for (; *facts; facts += 2) {
    g_autofree char *text = variable (facts[0], facts[1]);

    g_strv_builder_add (builder, text);
  }
  return g_strv_builder_end (builder);
}

void
virfs_hooks_run (VirfsHooks *self, const char *program, const char *alarm, const char *object,
                 const char *const *facts)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Run *run;

  if (self->stopping)
    return;
  if (self->waiting.length >= MOST_WAIT) {
    if (self->dropped++ == 0)
      g_message ("%d hooks wait to be run: others are left out", MOST_WAIT);
    return;
  }
  self->dropped = 0;
  run = g_new0 (Run, 1);
  run->program = g_strdup (program);
  run->alarm = g_strdup (alarm);
  run->object = g_strdup (object);
  run->environment = environment_of (self, facts);
  run->timeout = self->timeout;
  g_queue_push_tail (&self->waiting, run);
  if (self->threads == AT_ONCE)
    return;
  self->threads++;
  g_thread_unref (g_thread_new ("virfs-hook", run_hooks, self));
}

/* Life. */

VirfsHooks *
virfs_hooks_new (VirfsInfra *infra)
{
  VirfsHooks *self = g_new0 (VirfsHooks, 1);

  self->infra = infra;
  self->mountpoint = g_strdup ("");
  self->timeout = VIRFS_HOOK_TIMEOUT;
  g_mutex_init (&self->lock);
  g_cond_init (&self->ended);
  g_queue_init (&self->waiting);
  return self;
}

void
virfs_hooks_set (VirfsHooks *self, const char *mountpoint, guint timeout)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_free (self->mountpoint);
  self->mountpoint = g_canonicalize_filename (mountpoint, NULL);
  self->timeout = timeout;
}

static void
kill_all (VirfsHooks *self)
{
  for (GList *l = self->running; l; l = l->next)
    if (((Run *) l->data)->process != NULL)
      virfs_hook_process_kill (((Run *) l->data)->process);
}

void
virfs_hooks_stop (VirfsHooks *self)
{
  gint64 end = g_get_monotonic_time () + STOP_GRACE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_queue_clear_full (&self->waiting, (GDestroyNotify) free_run);
  while (self->threads > 0 && g_cond_wait_until (&self->ended, &self->lock, end))
    ;
  self->stopping = TRUE;
  kill_all (self);
  while (self->threads > 0)
    g_cond_wait (&self->ended, &self->lock);
}

void
virfs_hooks_free (VirfsHooks *self)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->ended);
  g_free (self->mountpoint);
  g_free (self);
}
