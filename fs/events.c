/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events/, and the files `events` of hosts and guests: what happens, and what was done. */
#include "event_files.h"

#include "event.h"
#include "infra.h"

/* Of the whole fleet. */

static VirfsEventLog *
events_of (const VirfsNode *node)
{
  return virfs_infra_events (virfs_node_infra (node));
}

gsize
virfs_log_size (const VirfsNode *node)
{
  return virfs_event_log_size (events_of (node), NULL);
}

gsize
virfs_log_read (const VirfsNode *node, goffset offset, char *buffer, gsize size)
{
  return virfs_event_log_read (events_of (node), offset, buffer, size);
}

guint64
virfs_stream_from (const VirfsNode *node)
{
  guint64 start;
  gsize size = virfs_event_log_size (events_of (node), &start);

  return start + size;
}

gsize
virfs_stream_follow (const VirfsNode *node, guint64 *position, char *buffer, gsize size)
{
  return virfs_event_log_follow (events_of (node), position, buffer, size);
}

gsize
virfs_json_log_size (const VirfsNode *node)
{
  return virfs_event_log_json_size (events_of (node), NULL);
}

gsize
virfs_json_log_read (const VirfsNode *node, goffset offset, char *buffer, gsize size)
{
  return virfs_event_log_json_read (events_of (node), offset, buffer, size);
}

guint64
virfs_json_stream_from (const VirfsNode *node)
{
  guint64 start;
  gsize size = virfs_event_log_json_size (events_of (node), &start);

  return start + size;
}

gsize
virfs_json_stream_follow (const VirfsNode *node, guint64 *position, char *buffer, gsize size)
{
  return virfs_event_log_json_follow (events_of (node), position, buffer, size);
}

void
virfs_show_log_head (const VirfsNode *node, GString *out)
{
  virfs_infra_append_log_head (virfs_node_infra (node), out);
}

/* Of one object. */

static VirfsEventLog *
log_of (const VirfsNode *node, char **path)
{
  *path = virfs_object_path (node->object);
  return virfs_infra_events (virfs_node_infra (node));
}

gsize
virfs_events_size (const VirfsNode *node)
{
  g_autofree char *path = NULL;
  VirfsEventLog *log = log_of (node, &path);

  return virfs_event_log_size_of (log, path);
}

gsize
virfs_events_read (const VirfsNode *node, goffset offset, char *buffer, gsize size)
{
  g_autofree char *path = NULL;
  VirfsEventLog *log = log_of (node, &path);

  return virfs_event_log_read_of (log, path, offset, buffer, size);
}

gboolean
virfs_is_events (const VirfsNode *node, gint64 *changed)
{
  g_autofree char *path = NULL;
  VirfsEventLog *log;

  if (node->row->read != virfs_events_read)
    return FALSE;
  log = log_of (node, &path);
  *changed = virfs_event_log_changed_of (log, path);
  return TRUE;
}
