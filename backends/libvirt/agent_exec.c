/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands in guests, by the agent's guest-exec, which libvirt passes on.  Nothing tells when a command has ended,
 * so the agent is asked, less and less often.
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

/* Microseconds between two looks, first and last. */
#define FIRST_PAUSE (20 * 1000)
#define LAST_PAUSE  G_TIME_SPAN_SECOND

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
  gboolean parsed = answer && json_parser_load_from_data (parser, answer, -1, NULL);
  JsonObject *object = parsed ? object_of (json_parser_get_root (parser)) : NULL;

  if (answer == NULL)
    lv_fail (error, "cannot run a command in %s", task->name);
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

/* Running. */

/* Whether it has ended; FALSE also with ERROR. */
static gboolean
look (LvTask *task, virDomainPtr domain, const char *command, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *answer = ask (task, domain, command, parser, error);

  if (answer == NULL || !is_true (answer, "exited"))
    return FALSE;
  tell_result (task, answer);
  return TRUE;
}

static LvOutcome
await_end (LvTask *task, virDomainPtr domain, gint64 pid, GError **error)
{
  g_autofree char *command = print_status (pid);
  gint64 pause = FIRST_PAUSE;
  GError *failure = NULL;

  lv_task_allow_cancel (task, TRUE);
  while (!look (task, domain, command, &failure)) {
    if (failure != NULL) {
      g_propagate_error (error, failure);
      return LV_FAILED;
    }
    lv_task_sleep (task, pause);
    pause = MIN (2 * pause, LAST_PAUSE);
    if (!lv_task_is_cancelled (task))
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
                 "cancelled: the command goes on in %s as process %" G_GINT64_FORMAT, task->name,
                 pid);
    return LV_FAILED;
  }
  return LV_DONE;
}

static LvOutcome
run_exec (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = lv_task_domain (task, error);
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *answer = domain ? ask (task, domain, task->text, parser, error) : NULL;
  gint64 pid = answer ? number_in (answer, "pid", -1) : -1;

  if (answer == NULL)
    return LV_FAILED;
  return await_end (task, domain, pid, error);
}

void
lv_agent_exec (VirfsPart *exec, const char *const *argv, VirfsBlob *input, VirfsJob *job)
{
  LvTask *task = lv_task_new ((VirfsVm *) virfs_part_root (exec), job, LV_LANE_EXEC, run_exec);

  if (task == NULL)
    return;
  task->part = virfs_object_ref (exec);
  task->text = print_exec (argv, input);
  lv_task_submit (task);
}
