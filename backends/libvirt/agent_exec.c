/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands in guests, by the agent's guest-exec, which libvirt passes on.  Nothing tells when a command has ended,
 * so the agent is asked, less and less often; meanwhile no thread waits, and others have its lane.
 */
#include "agent.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"

#include <json-glib/json-glib.h>
#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

/* Milliseconds between two looks, first and last. */
#define FIRST_PAUSE 20
#define LAST_PAUSE  1000

/* What the agent is asked, as JSON. */

static JsonBuilder *
begin_command (const char *name)
{
  JsonBuilder *builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "execute");
  json_builder_add_string_value (builder, name);
  json_builder_set_member_name (builder, "arguments");
  json_builder_begin_object (builder);
  return builder;
}

/* Takes BUILDER. */
static char *
end_command (JsonBuilder *taken)
{
  g_autoptr (JsonBuilder) builder = taken;
  g_autoptr (JsonNode) root = NULL;

  json_builder_end_object (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

static void
add_input (JsonBuilder *builder, VirfsBlob *input)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *coded = NULL;

  virfs_blob_append (input, text);
  coded = g_base64_encode ((const guchar *) text->str, text->len);
  json_builder_set_member_name (builder, "input-data");
  json_builder_add_string_value (builder, coded);
}

static char *
print_exec (const char *const *argv, VirfsBlob *input)
{
  JsonBuilder *builder = begin_command ("guest-exec");

  json_builder_set_member_name (builder, "path");
  json_builder_add_string_value (builder, argv[0]);
  json_builder_set_member_name (builder, "arg");
  json_builder_begin_array (builder);
  for (guint i = 1; argv[i] != NULL; i++)
    json_builder_add_string_value (builder, argv[i]);
  json_builder_end_array (builder);
  if (input != NULL)
    add_input (builder, input);
  json_builder_set_member_name (builder, "capture-output");
  json_builder_add_boolean_value (builder, TRUE);
  return end_command (builder);
}

static char *
print_status (gint64 pid)
{
  JsonBuilder *builder = begin_command ("guest-exec-status");

  json_builder_set_member_name (builder, "pid");
  json_builder_add_int_value (builder, pid);
  return end_command (builder);
}

/* What it answers: whatever a guest likes to. */

static JsonObject *
object_of (JsonNode *node)
{
  return node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static JsonNode *
value_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && JSON_NODE_HOLDS_VALUE (node) ? node : NULL;
}

static gint64
number_in (JsonObject *object, const char *name, gint64 otherwise)
{
  JsonNode *node = value_of (object, name);

  return node && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node)
                                                                 : otherwise;
}

static gboolean
is_true (JsonObject *object, const char *name)
{
  JsonNode *node = value_of (object, name);

  return node && json_node_get_value_type (node) == G_TYPE_BOOLEAN && json_node_get_boolean (node);
}

/* The caller owns it; NULL: nothing. */
static VirfsBlob *
bytes_in (JsonObject *object, const char *name)
{
  JsonNode *node = value_of (object, name);
  const char *coded
    = node && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
  g_autofree guchar *bytes = NULL;
  gsize size = 0;

  if (coded == NULL || *coded == '\0')
    return NULL;
  bytes = g_base64_decode (coded, &size);
  return size ? virfs_blob_new_bytes (bytes, size) : NULL;
}

/* The object that the agent returns to COMMAND, alive as long as PARSER; NULL with ERROR. */
static JsonObject *
ask (LvTask *task, virDomainPtr domain, const char *command, JsonParser *parser, GError **error)
{
  char *answer = LV (virDomainQemuAgentCommand (domain, command, LV_AGENT_TIMEOUT, 0));
  gboolean answered = answer || lv_last_code () != VIR_ERR_AGENT_UNRESPONSIVE;
  gboolean parsed = answer && json_parser_load_from_data (parser, answer, -1, NULL);
  JsonObject *object = parsed ? object_of (json_parser_get_root (parser)) : NULL;

  if (answer == NULL)
    lv_fail (error, "cannot run a command in %s", task->name);
  lv_lanes_note (task->link->agents, task->uuid, answered);
  free (answer);
  object = object ? object_of (json_object_get_member (object, "return")) : NULL;
  if (object == NULL && parsed)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "the agent in %s speaks nonsense",
                 task->name);
  else if (object == NULL && error != NULL && *error == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "the agent in %s speaks no JSON",
                 task->name);
  return object;
}

/* Telling. */

typedef struct {
  char *status;
  gboolean truncated;
  VirfsBlob *output, *errors;
} Result;

static void
take_result (gpointer data, gpointer user)
{
  VirfsExecInfo *info = data;
  Result *result = user;

  virfs_ref_string_set (&info->status, result->status);
  info->truncated = result->truncated;
  virfs_blob_unref (info->output);
  virfs_blob_unref (info->errors);
  info->output = virfs_blob_ref (result->output);
  info->errors = virfs_blob_ref (result->errors);
}

static void
tell_result (LvTask *task, JsonObject *answer)
{
  VirfsHost *host = lv_gate_enter (task->link->connection);
  gint64 signal = number_in (answer, "signal", 0);
  Result result
    = { .truncated = is_true (answer, "out-truncated") || is_true (answer, "err-truncated"),
        .output = bytes_in (answer, "out-data"),
        .errors = bytes_in (answer, "err-data") };

  result.status = signal ? g_strdup_printf ("signal %" G_GINT64_FORMAT, signal)
                         : g_strdup_printf ("%" G_GINT64_FORMAT, number_in (answer, "exitcode", 0));
  if (host != NULL) {
    virfs_infra_edit_part (host->object.infra, task->part, take_result, &result);
    lv_gate_leave (task->link->connection);
  }
  virfs_blob_unref (result.output);
  virfs_blob_unref (result.errors);
  g_free (result.status);
}

/* Running: the task runs once to begin, and again for each look, its process then in `number` and the pause after a
 * look, in milliseconds, in `action`. */

/* The caller owns it. */
static GError *
cancelled_error (LvTask *task)
{
  return g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
                      "cancelled: the command goes on in %s as process %" G_GUINT64_FORMAT,
                      task->name, task->number);
}

/* From libvirt's thread of events.  Whoever cancels does not wait for the agent. */
static void
look_again (int timer, void *data)
{
  LvTask *task = data;

  virEventRemoveTimeout (timer);
  if (lv_task_is_cancelled (task))
    lv_task_finish (task, cancelled_error (task));
  else
    lv_task_submit (lv_task_ref (task));
}

static void
drop_task (void *task)
{
  lv_task_unref (task);
}

/* Less and less often. */
static LvOutcome
look_later (LvTask *task, GError **error)
{
  task->action = task->action ? MIN (2 * task->action, LAST_PAUSE) : FIRST_PAUSE;
  lv_task_leave (task);
  if (lv_task_set_timer (task, task->action, look_again, drop_task))
    return LV_WAITS;
  lv_fail (error, "cannot wait for the command in %s", task->name);
  return LV_FAILED;
}

static LvOutcome
look (LvTask *task, virDomainPtr domain, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *command = print_status ((gint64) task->number);
  JsonObject *answer = ask (task, domain, command, parser, error);

  if (answer == NULL)
    return LV_FAILED;
  if (!is_true (answer, "exited"))
    return look_later (task, error);
  tell_result (task, answer);
  return LV_DONE;
}

static LvOutcome
begin (LvTask *task, virDomainPtr domain, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *answer = lv_agent_call (task->link, domain, error)
                         ? ask (task, domain, task->text, parser, error)
                         : NULL;

  if (answer == NULL)
    return LV_FAILED;
  task->number = (guint64) MAX (0, number_in (answer, "pid", 0));
  lv_task_allow_cancel (task, TRUE);
  return look_later (task, error);
}

static LvOutcome
run_exec (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = NULL;

  if (lv_task_is_cancelled (task)) {
    g_propagate_error (error, cancelled_error (task));
    return LV_FAILED;
  }
  domain = lv_task_domain (task, error);
  if (domain == NULL)
    return LV_FAILED;
  return task->action == 0 ? begin (task, domain, error) : look (task, domain, error);
}

/* An agent that is silent for a while has the result when it answers again. */
gboolean
lv_agent_exec_goes_on (LvTask *task)
{
  return task->run == run_exec && task->action != 0 && look_later (task, NULL) == LV_WAITS;
}

void
lv_agent_exec (VirfsPart *exec, const char *const *argv, VirfsBlob *input, VirfsJob *job)
{
  LvTask *task = lv_task_new ((VirfsVm *) virfs_part_root (exec), job, LV_LANE_AGENT, run_exec);

  if (task == NULL)
    return;
  task->part = virfs_object_ref (exec);
  task->text = print_exec (argv, input);
  lv_task_submit (task);
}
