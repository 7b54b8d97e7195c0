/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/guest/: what the agent in a guest has said, and what it is asked to do. */
#include "agent_files.h"

#include "text.h"

#include <string.h>

/* What it has said. */

static const VirfsAgentInfo *
said (const VirfsNode *node)
{
  return ((const VirfsVmInfo *) node->snapshot)->agent_info;
}

static gconstpointer
member (const VirfsNode *node)
{
  const VirfsAgentInfo *info = said (node);

  return info ? (const char *) info + node->row->offset : NULL;
}

void
virfs_guest_show_text (const VirfsNode *node, GString *out)
{
  GRefString *const *text = member (node);

  if (text == NULL || *text == NULL)
    return;
  virfs_text_escape (out, *text);
  g_string_append_c (out, '\n');
}

/* They were escaped when they were made. */
void
virfs_guest_show_lines (const VirfsNode *node, GString *out)
{
  GRefString *const *lines = member (node);

  if (lines != NULL && *lines != NULL)
    g_string_append (out, *lines);
}

void
virfs_guest_show_time (const VirfsNode *node, GString *out)
{
  const gint64 *time = member (node);

  if (time == NULL || *time == 0)
    return;
  virfs_text_append_time (out, *time);
  g_string_append_c (out, '\n');
}

void
virfs_guest_show_offset (const VirfsNode *node, GString *out)
{
  const VirfsAgentInfo *info = said (node);
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (info == NULL || info->time == 0)
    return;
  g_ascii_formatd (text, sizeof text, "%.3f", (double) (info->time - info->asked) / G_USEC_PER_SEC);
  g_string_append_printf (out, "%s\n", text);
}

void
virfs_guest_show_agent (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  if (info->agent != NULL)
    g_string_append_printf (out, "%s\n", info->agent);
}

void
virfs_guest_show_nothing (const VirfsNode *node, GString *out)
{
}

/* ctl */

static const struct {
  const char *name, *operation;
  gboolean always;
  gboolean frozen; /* valid while the file systems are frozen; if not, while they are not */
} verbs[] = {
  [VIRFS_AGENT_REFRESH] = { "refresh", "ask the agent", .always = TRUE },
  [VIRFS_AGENT_FREEZE] = { "freeze", "freeze" },
  [VIRFS_AGENT_THAW] = { "thaw", "thaw", .frozen = TRUE },
  [VIRFS_AGENT_TRIM] = { "trim", "trim" },
};

G_STATIC_ASSERT (G_N_ELEMENTS (verbs) == VIRFS_AGENT_N_VERBS);

void
virfs_guest_show_ctl (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  if (g_strcmp0 (info->agent, VIRFS_AGENT_CONNECTED) != 0)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (verbs[i].always || verbs[i].frozen == info->frozen)
      g_string_append_printf (out, "%s\n", verbs[i].name);
}

gboolean
virfs_vm_check_agent (VirfsCall *call, const VirfsVmInfo *info)
{
  if (g_strcmp0 (info->agent, VIRFS_AGENT_CONNECTED) == 0)
    return TRUE;
  virfs_call_fail (
    call, VIRFS_ERROR_BUSY,
    "no agent is connected in %s: qemu-guest-agent must run in it, and its definition have"
    " a channel to it",
    virfs_vm_shown_as (info));
  return FALSE;
}

/* While it moves nobody could say whose agent answers. */
static VirfsJob *
begin (VirfsCall *call, const VirfsNode *node, const char *operation)
{
  if (!virfs_vm_check_agent (call, node->snapshot) || !virfs_vm_check_settled (call, node->object))
    return NULL;
  return virfs_vm_job (call, node, operation);
}

void
virfs_guest_store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsJob) job = NULL;
  guint verb = 0;

  while (verb < VIRFS_AGENT_N_VERBS && !g_str_equal (verbs[verb].name, text))
    verb++;
  if (verb == VIRFS_AGENT_N_VERBS) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is not a verb; an agent knows refresh, freeze, thaw and trim", text);
    return;
  }
  job = begin (call, node, verbs[verb].operation);
  if (job != NULL)
    virfs_node_backend (node)->agent_verb (node->object, (VirfsAgentVerb) verb, job);
}

gboolean
virfs_vm_check_thawed (VirfsCall *call, const VirfsVmInfo *info)
{
  if (!info->frozen)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_BUSY,
                   "the file systems of %s are frozen; write thaw to its guest/ctl first",
                   virfs_vm_shown_as (info));
  return FALSE;
}

/* time */

static gboolean
parse_time (const char *text, gint64 *time)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (text, NULL);
  guint64 seconds;

  *time = 0;
  if (g_str_equal (text, "now"))
    return TRUE;
  if (date != NULL)
    *time = g_date_time_to_unix (date) * G_USEC_PER_SEC;
  else if (virfs_parse_u64 (text, &seconds, NULL) && seconds < G_MAXINT64 / G_USEC_PER_SEC)
    *time = (gint64) seconds * G_USEC_PER_SEC;
  return *time > 0;
}

void
virfs_guest_store_time (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsJob) job = NULL;
  gint64 time;

  if (!parse_time (text, &time)) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is no time; write now, seconds since 1970, or a time as in"
                     " 2024-05-01T12:00:00Z",
                     text);
    return;
  }
  job = begin (call, node, "set the clock");
  if (job != NULL)
    virfs_node_backend (node)->agent_set_time (node->object, time, job);
}

/* password: never in an error or an operation, which others may see. */

void
virfs_guest_store_password (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const char *space = strchr (text, ' ');
  g_autofree char *user = space ? g_strndup (text, (gsize) (space - text)) : NULL;
  g_autoptr (VirfsJob) job = NULL;

  if (user == NULL || *user == '\0' || strchr (text, '\n') != NULL) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "the name of a user, a space and his new password are wanted");
    return;
  }
  job = begin (call, node, "set a password");
  if (job != NULL)
    virfs_node_backend (node)->agent_set_password (node->object, user, space + 1, job);
}
