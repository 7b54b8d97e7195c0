/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The consoles and agents of guests of the fake: all guests that run have one.  It knows the programs echo, cat, false, and
 * hang, which runs until virfs_fake_release().
 */
#include "fake.h"

#include "error.h"

#include <string.h>

/* What the agent says first. */
static VirfsAgentInfo *
make_info (void)
{
  VirfsAgentInfo *info = virfs_agent_info_new ();

  info->asked = G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC;
  info->time = info->asked + 1500 * 1000;
  info->hostname = g_ref_string_new ("web\033[1m");
  info->timezone = g_ref_string_new ("CET");
  info->os = g_ref_string_new ("id debian\nversion_id 12\n");
  info->users = g_ref_string_new ("root 2023-11-14T22:13:20Z\n");
  info->filesystems = g_ref_string_new ("/ vda1 ext4 1000 500\n");
  info->addresses = g_ref_string_new ("eth0 52:54:00:00:00:01 10.0.0.5/24\n");
  return info;
}

void
virfs_fake_connect_agent (VirfsVmInfo *info)
{
  info->agent = VIRFS_AGENT_CONNECTED;
  info->agent_info = make_info ();
}

typedef struct {
  VirfsAgentVerb verb;
  gint64 time;
} Change;

static void
apply (VirfsVmInfo *info, gpointer data)
{
  const Change *change = data;
  VirfsAgentInfo *said = make_info ();

  if (change->verb == VIRFS_AGENT_FREEZE)
    info->frozen = TRUE;
  else if (change->verb == VIRFS_AGENT_THAW)
    info->frozen = FALSE;
  if (change->time != 0)
    said->time = change->time;
  if (change->verb == VIRFS_AGENT_REFRESH && change->time == 0)
    virfs_ref_string_set (&said->hostname, "renamed");
  virfs_agent_info_unref (info->agent_info);
  info->agent_info = said;
}

static void
carry_out (VirfsVm *vm, Change *change, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  GError *error = NULL;

  if (!virfs_fake_begin (info->host, job))
    return;
  if (g_strcmp0 (info->agent, VIRFS_AGENT_CONNECTED) == 0)
    virfs_infra_edit_vm (vm->object.infra, info->host, info->uuid, apply, change);
  else
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_AGAIN, "no agent");
  virfs_job_finish (job, error);
}

void
virfs_fake_agent_verb (VirfsVm *vm, VirfsAgentVerb verb, VirfsJob *job)
{
  carry_out (vm, &(Change){ .verb = verb }, job);
}

void
virfs_fake_agent_set_time (VirfsVm *vm, gint64 time, VirfsJob *job)
{
  carry_out (vm, &(Change){ .verb = VIRFS_AGENT_REFRESH, .time = time ? time : 1 }, job);
}

void
virfs_fake_agent_set_password (VirfsVm *vm, const char *user, const char *password, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (!virfs_fake_begin (info->host, job))
    return;
  virfs_job_finish (job, g_str_equal (user, "root") && g_str_equal (password, "a secret")
                           ? NULL
                           : g_error_new (VIRFS_ERROR, VIRFS_ERROR_FAILED, "no such user"));
}

/* Consoles. */

static GMutex lock;
static GString *pressed; /* under lock */

void
virfs_fake_keys (VirfsVm *vm, const guint *codes, guint n, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (!virfs_fake_begin (info->host, job))
    return;
  g_mutex_lock (&lock);
  if (pressed == NULL)
    pressed = g_string_new (NULL);
  for (guint i = 0; i < n - 1; i++)
    if (codes[i] != 0)
      g_string_append_printf (pressed, "%u%s", codes[i], codes[i + 1] ? "+" : " ");
  g_mutex_unlock (&lock);
  virfs_job_finish (job, NULL);
}

char *
virfs_fake_pressed (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  GString *text = g_steal_pointer (&pressed);

  return text ? g_strchomp (g_string_free (text, FALSE)) : g_strdup ("");
}

static void
take_screen (VirfsVmInfo *info, gpointer data)
{
  virfs_blob_unref (info->screen);
  info->screen = virfs_blob_new_bytes ("\211PNG\0picture", 12);
}

void
virfs_fake_screenshot (VirfsVm *vm, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (!virfs_fake_begin (info->host, job))
    return;
  virfs_infra_edit_vm (vm->object.infra, info->host, info->uuid, take_screen, NULL);
  virfs_job_finish (job, NULL);
}

/* Commands. */

static VirfsPart *hung;    /* under lock, as the next: what runs hang */
static VirfsJob *hung_job; /* both are references */

typedef struct {
  const char *status;
  VirfsBlob *output;
} Result;

static void
take_result (gpointer data, gpointer user)
{
  VirfsExecInfo *info = data;
  const Result *result = user;

  virfs_ref_string_set (&info->status, result->status);
  info->output = virfs_blob_ref (result->output);
}

static void
end_exec (VirfsPart *exec, const Result *result, VirfsJob *job)
{
  virfs_infra_edit_part (exec->object.infra, exec, take_result, (gpointer) result);
  virfs_job_finish (job, NULL);
}

void
virfs_fake_agent_exec (VirfsPart *exec, const char *const *argv, VirfsBlob *input, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info ((VirfsVm *) virfs_part_root (exec));
  g_autofree char *words = g_strjoinv (" ", (char **) argv + 1);
  g_autofree char *line = g_strconcat (words, "\n", NULL);
  g_autoptr (VirfsBlob) said = virfs_blob_new (line);
  Result result = { "0", NULL };

  if (!virfs_fake_begin (info->host, job))
    return;
  if (g_str_equal (argv[0], "hang")) {
    g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

    hung = virfs_object_ref (exec);
    hung_job = virfs_object_ref (job);
    return;
  }
  if (g_str_equal (argv[0], "echo"))
    result.output = said;
  else if (g_str_equal (argv[0], "cat"))
    result.output = input;
  else if (g_str_equal (argv[0], "false"))
    result.status = "1";
  else {
    virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "no such program"));
    return;
  }
  end_exec (exec, &result, job);
}

gboolean
virfs_fake_release (void)
{
  g_autoptr (VirfsPart) exec = NULL;
  g_autoptr (VirfsJob) job = NULL;

  g_mutex_lock (&lock);
  exec = g_steal_pointer (&hung);
  job = g_steal_pointer (&hung_job);
  g_mutex_unlock (&lock);
  if (exec != NULL)
    end_exec (exec, &(Result){ "0", NULL }, job);
  return exec != NULL;
}

/* Keys: those that somebody has written last; the user is root, who has one line at first. */

static void
take_keys (gpointer data, gpointer keys)
{
  VirfsSshUserInfo *info = data;

  virfs_ref_string_set (&info->keys, *(const char *) keys ? keys : NULL);
  info->asked = G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC;
}

void
virfs_fake_agent_ssh_keys (VirfsPart *user, const char *known, const char *keys, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info ((VirfsVm *) virfs_part_root (user));
  GError *error = NULL;

  if (!virfs_fake_begin (info->host, job))
    return;
  if (g_str_equal (user->name, "root"))
    virfs_infra_edit_part (user->object.infra, user, take_keys,
                           (gpointer) (keys ? keys : "# of the image\n"));
  else
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no user %s", user->name);
  virfs_job_finish (job, error);
}
