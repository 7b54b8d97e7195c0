/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alarms/: rules of what must not be.  mkdir makes one, rmdir removes it, mv gives it another name; what breaks
 * one is in alarms/firing/, as links.  All that changes an alarm is done by the model's thread, which
 * answers the call.
 */
#include "alarm_files.h"

#include "access.h"
#include "alarm_hook.h"
#include "part_class.h"
#include "text.h"

#include <string.h>

static const VirfsAlarmInfo *
info_of (const VirfsNode *node)
{
  return node->snapshot;
}

static void
finish (const GError *error, gpointer call)
{
  virfs_call_finish (call, error);
}

/* The rule: each file is a field, the row's offset. */

static void
show_rule (const VirfsNode *node, GString *out)
{
  g_autoptr (GString) text = g_string_new (NULL);

  virfs_rule_append (info_of (node)->rule, node->row->offset, text);
  if (text->len == 0)
    return;
  if (node->row->flags & VIRFS_ROW_LIST)
    g_string_append (out, text->str);
  else
    virfs_text_escape (out, text->str);
  g_string_append_c (out, '\n');
}

static void
store_rule (VirfsCall *call, const VirfsNode *node, const char *text)
{
  virfs_alarm_set (node->object, node->row->offset, text, finish, call);
}

static void
store_hook (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (*text == '\0' || virfs_hook_check (text, &error))
    store_rule (call, node, text);
  else
    virfs_call_finish (call, error);
}

/* What it does. */

static void
show_state (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "%s\n", virfs_alarm_state_name (info_of (node)->state));
}

static void
show_firing (const VirfsNode *node, GString *out)
{
  const GPtrArray *firing = info_of (node)->firing;

  for (guint i = 0; i < firing->len; i++) {
    const VirfsFiring *one = firing->pdata[i];

    virfs_text_escape (out, one->path);
    g_string_append_c (out, '\t');
    virfs_text_append_time (out, one->since);
    g_string_append_c (out, '\t');
    virfs_text_escape (out, one->value);
    g_string_append_c (out, '\t');
    virfs_text_escape (out, one->by ? one->by : "");
    g_string_append_c (out, '\n');
  }
}

/* What can be acknowledged. */
static void
show_ack (const VirfsNode *node, GString *out)
{
  const GPtrArray *firing = info_of (node)->firing;
  gsize start = out->len;

  for (guint i = 0; i < firing->len; i++) {
    const VirfsFiring *one = firing->pdata[i];

    if (one->by != NULL)
      continue;
    virfs_text_escape (out, one->path);
    g_string_append_c (out, '\n');
  }
  if (out->len > start)
    g_string_insert (out, (gssize) start, "all\n");
}

static void
store_ack (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *object = virfs_text_unescape (text, &error);

  if (object == NULL)
    virfs_call_finish (call, error);
  else
    virfs_alarm_acknowledge (node->object, object, virfs_call_uid (call), finish, call);
}

/* alarms/ */

static void
add_alarm (VirfsAlarm *alarm, const VirfsAlarmInfo *info, gpointer listing)
{
  virfs_listing_add (listing, info->name, virfs_inode_at (&virfs_alarm_files, alarm, ""), S_IFDIR);
}

static void
list_alarms (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_alarm (virfs_node_infra (dir), add_alarm, listing);
}

static guint64
find_alarm (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsAlarm) alarm = virfs_infra_alarm (virfs_node_infra (dir), name);

  return alarm ? virfs_inode_at (&virfs_alarm_files, alarm, "") : 0;
}

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  virfs_infra_make_alarm (virfs_node_infra (dir), name, finish, call);
}

static void
remove_alarm (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  virfs_infra_remove_alarm (virfs_node_infra (dir), name, finish, call);
}

static void
move (VirfsCall *call, const VirfsNode *dir, const char *name, const VirfsNode *to,
      const char *new_name)
{
  if (to->row != dir->row)
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED, "an alarm stays in alarms/");
  else
    virfs_infra_rename_alarm (virfs_node_infra (dir), name, new_name, finish, call);
}

const VirfsDir virfs_alarms_dir = {
  .list = list_alarms,
  .find = find_alarm,
  .make = make,
  .remove = remove_alarm,
  .move = move,
};

void
virfs_show_measures (const VirfsNode *node, GString *out)
{
  virfs_measures_print (out);
}

/* alarms/firing/: an object has one link, under as many names as there are alarms that fire for it. */

guint64
virfs_firing_link (const VirfsFiring *firing)
{
  const VirfsClass *class = firing->kind == VIRFS_KIND_VM     ? &virfs_vm_class
                            : firing->kind == VIRFS_KIND_POOL ? &virfs_pool_files
                                                              : &virfs_host_class;
  const char *path = firing->kind == VIRFS_KIND_VM     ? "/alarms/firing/<alarm>~<vm>"
                     : firing->kind == VIRFS_KIND_POOL ? "/alarms/firing/<alarm>~<host>~<pool>"
                                                       : "/alarms/firing/<alarm>~<host>";

  return firing->object ? virfs_inode (class, firing->object, virfs_class_row (class, path)) : 0;
}

static void
add_links (VirfsAlarm *alarm, const VirfsAlarmInfo *info, gpointer listing)
{
  for (guint i = 0; i < info->firing->len; i++) {
    const VirfsFiring *firing = info->firing->pdata[i];

    if (firing->object != 0)
      virfs_listing_add (listing, firing->link, virfs_firing_link (firing), S_IFLNK);
  }
}

static void
list_firing (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_alarm (virfs_node_infra (dir), add_links, listing);
}

typedef struct {
  const char *name;
  guint64 ino;
} Wanted;

static void
find_link (VirfsAlarm *alarm, const VirfsAlarmInfo *info, gpointer data)
{
  Wanted *wanted = data;
  const VirfsFiring *firing = virfs_alarm_info_find_link (info, wanted->name);

  if (firing != NULL)
    wanted->ino = virfs_firing_link (firing);
}

static guint64
find_firing (const VirfsNode *dir, const char *name)
{
  Wanted wanted = { name, 0 };

  virfs_infra_foreach_alarm (virfs_node_infra (dir), find_link, &wanted);
  return wanted.ino;
}

const VirfsDir virfs_firing_dir = { .list = list_firing, .find = find_firing };

/* The class. */

#define F(field)    VIRFS_BIT (VIRFS_ALARM_##field)
#define RULE(field) F (RULE), .show = show_rule, .offset = VIRFS_RULE_##field
#define SET(field)  RULE (field), .store = store_rule

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (NAME),
    .help = "an alarm: what must not be, of which objects" },
  { "metric", S_IFREG | 0640, .fields = SET (METRIC),
    .help = "what is looked at; alarms/metrics lists what there is" },
  { "objects", S_IFREG | 0640, VIRFS_ROW_LIST, .fields = SET (OBJECTS),
    .help
    = "of which: vms, hosts, pools, vms/web*, hosts/h1, pools/default, tag:prod; !vms/x: not" },
  { "condition", S_IFREG | 0640, .fields = SET (CONDITION),
    .help = "what is wrong: > 90, >= 2d, < 1G, <= 0.5, == crashed, != running" },
  { "clear", S_IFREG | 0640, .fields = SET (CLEAR),
    .help = "what ends the alarm: < 85, or 85; nothing: 5 % off the condition" },
  { "duration", S_IFREG | 0640, .fields = SET (DURATION),
    .help = "seconds that the condition must hold before the alarm is raised" },
  { "severity", S_IFREG | 0640, .fields = SET (SEVERITY), .help = "info, warning or critical" },
  { "description", S_IFREG | 0640, .fields = RULE (DESCRIPTION), .store_text = store_rule,
    .help = "what it is about, on one line" },
  { "enabled", S_IFREG | 0640, .fields = SET (ENABLED), .help = "0: nobody looks" },
  { "hook", S_IFREG | 0640, VIRFS_ROW_TRUSTED, .fields = RULE (HOOK), .store = store_hook,
    .help = "full path of a program to run when it is raised or cleared; an empty line: none" },
  { "state", S_IFREG | 0440, .fields = F (STATE), .show = show_state,
    .help = "draft (metric, objects or condition is missing), disabled, ok, pending, firing, "
            "acknowledged" },
  { "since", S_IFREG | 0440, .fields = F (STATE), .show = virfs_show_time,
    .offset = G_STRUCT_OFFSET (VirfsAlarmInfo, since), .help = "since when its state is that" },
  { "firing", S_IFREG | 0440, .fields = F (FIRING), .show = show_firing,
    .help = "lines: object, since when, what it is, who has acknowledged it; with tabs between" },
  { "ack", S_IFREG | 0640, .fields = F (FIRING), .show = show_ack, .store = store_ack,
    .help = "what it fires for and nobody has seen to; write one of these, or all" },
};

static gconstpointer
snapshot (gpointer object)
{
  return virfs_alarm_info (object);
}

static void
release (gconstpointer info)
{
  virfs_alarm_info_unref ((VirfsAlarmInfo *) info);
}

static gint64
changed (const VirfsNode *node, guint64 fields)
{
  return virfs_latest_change (info_of (node)->changed, VIRFS_ALARM_N_FIELDS,
                              fields ? fields : F (NAME));
}

static guint64
parent (const VirfsNode *node)
{
  return virfs_inode_at (&virfs_root_class, NULL, "alarms");
}

VirfsClass virfs_alarm_files = {
  .path = "alarms/<alarm>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = parent,
  .unref = virfs_object_unref,
  .snapshot = snapshot,
  .release = release,
  .changed = changed,
  .owner = virfs_access_owner,
};
