/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots and checkpoints. */
#include "xml_snapshot.h"

#include "xml_metadata.h"
#include "xml_tools.h"

#include <string.h>

/* Reading. */

/* libvirt's words for the state of a guest in a snapshot. */
static const char *
state_word (const char *text)
{
  static const char *const words[]
    = { "nostate", "running", "blocked",     "paused",       "shutdown",
        "shutoff", "crashed", "pmsuspended", "disk-snapshot" };

  for (guint i = 0; text && i < G_N_ELEMENTS (words); i++)
    if (strcmp (words[i], text) == 0)
      return words[i];
  return NULL;
}

static const char *
snapshot_kind (LvXml *xml)
{
  if (lv_xml_node (xml, NULL, "/domainsnapshot/memory[@snapshot='external']") != NULL)
    return VIRFS_SNAPSHOT_EXTERNAL;
  if (lv_xml_node (xml, NULL, "/domainsnapshot/disks/disk[@snapshot='external']") != NULL)
    return VIRFS_SNAPSHOT_DISK;
  return VIRFS_SNAPSHOT_FULL;
}

static void
read_text (LvXml *xml, const char *path, GRefString **text)
{
  g_autofree char *value = lv_xml_text (xml, NULL, path);

  virfs_ref_string_set (text, value);
}

/* Microseconds since the epoch. */
static guint64
read_created (LvXml *xml)
{
  g_autofree char *seconds = lv_xml_text (xml, NULL, "/*/creationTime");

  return seconds ? g_ascii_strtoull (seconds, NULL, 10) * G_USEC_PER_SEC : 0;
}

char *
lv_xml_read_name (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  return xml ? lv_xml_text (xml, NULL, "/*/name") : NULL;
}

VirfsSnapshotInfo *
lv_xml_read_snapshot (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *name = xml ? lv_xml_text (xml, NULL, "/domainsnapshot/name") : NULL;
  g_autofree char *state = NULL;
  VirfsSnapshotInfo *info;

  if (name == NULL)
    return NULL;
  info = virfs_part_info_new (&virfs_snapshot_class, name);
  state = lv_xml_text (xml, NULL, "/domainsnapshot/state");
  info->state = state_word (state);
  info->kind = snapshot_kind (xml);
  read_text (xml, "/domainsnapshot/parent/name", &info->parent);
  read_text (xml, "/domainsnapshot/description", &info->description);
  info->created = read_created (xml);
  info->xml = virfs_blob_new (text);
  return info;
}

VirfsCheckpointInfo *
lv_xml_read_checkpoint (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *name = xml ? lv_xml_text (xml, NULL, "/domaincheckpoint/name") : NULL;
  VirfsCheckpointInfo *info;

  if (name == NULL)
    return NULL;
  info = virfs_part_info_new (&virfs_checkpoint_class, name);
  read_text (xml, "/domaincheckpoint/parent/name", &info->parent);
  read_text (xml, "/domaincheckpoint/description", &info->description);
  info->created = read_created (xml);
  info->xml = virfs_blob_new (text);
  return info;
}

/* Writing. */

static LvXml *
begin (const char *root, const char *name, xmlNode **disks)
{
  LvXml *xml = lv_xml_create (root);
  xmlNode *top = lv_xml_node (xml, NULL, "/*");

  lv_xml_add (top, "name", name);
  *disks = lv_xml_add (top, "disks", NULL);
  return xml;
}

/* What is not named libvirt takes a snapshot of, and makes no checkpoint of: all are named. */
static void
add_disk (xmlNode *disks, const LvDisk *disk, const char *attribute, const char *value)
{
  xmlNode *node = lv_xml_add (disks, "disk", NULL);

  lv_xml_set (node, "name", disk->target);
  lv_xml_set (node, attribute, value);
}

char *
lv_xml_make_snapshot (const char *name, GPtrArray *disks, gboolean outside)
{
  xmlNode *nodes;
  g_autoptr (LvXml) xml = begin ("domainsnapshot", name, &nodes);

  for (guint i = 0; i < disks->len; i++) {
    const LvDisk *disk = disks->pdata[i];

    add_disk (nodes, disk, "snapshot", disk->readonly ? "no" : outside ? "external" : "internal");
  }
  return lv_xml_print (xml, NULL);
}

gboolean
lv_disk_is_qcow2 (const LvDisk *disk)
{
  return !disk->readonly && g_strcmp0 (disk->format, "qcow2") == 0;
}

char *
lv_xml_make_checkpoint (const char *name, GPtrArray *disks)
{
  xmlNode *nodes;
  g_autoptr (LvXml) xml = begin ("domaincheckpoint", name, &nodes);
  gboolean any = FALSE;

  for (guint i = 0; i < disks->len; i++) {
    gboolean can = lv_disk_is_qcow2 (disks->pdata[i]);

    add_disk (nodes, disks->pdata[i], "checkpoint", can ? "bitmap" : "no");
    any |= can;
  }
  return any ? lv_xml_print (xml, NULL) : NULL;
}

char *
lv_xml_describe (const char *text, const char *description)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  if (xml == NULL)
    return NULL;
  lv_xml_remove (lv_xml_node (xml, NULL, "/*/description"));
  if (*description != '\0')
    lv_xml_add (lv_xml_node (xml, NULL, "/*"), "description", description);
  return lv_xml_print (xml, NULL);
}

char *
lv_xml_snapshot_domain (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  xmlNode *node = xml ? lv_xml_node (xml, NULL, "/domainsnapshot/inactiveDomain") : NULL;

  if (node == NULL && xml != NULL)
    node = lv_xml_node (xml, NULL, "/domainsnapshot/domain");
  if (node == NULL)
    return NULL;
  xmlNodeSetName (node, BAD_CAST "domain");
  return lv_xml_print (xml, node);
}

char *
lv_xml_snapshot_of (const char *text, const char *domain_text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autoptr (LvXml) domain = lv_xml_parse (domain_text, NULL);
  xmlNode *root;

  if (xml == NULL || domain == NULL)
    return NULL;
  lv_xml_remove_all (xml, "/domainsnapshot/parent | /domainsnapshot/memory | /domainsnapshot/state"
                          " | /domainsnapshot/domain | /domainsnapshot/inactiveDomain"
                          " | /domainsnapshot/cookie");
  root = lv_xml_node (xml, NULL, "/domainsnapshot");
  lv_xml_add (root, "state", "shutoff");
  lv_xml_set (lv_xml_add (root, "memory", NULL), "snapshot", "no");
  xmlAddChild (root, xmlDocCopyNode (lv_xml_root (domain), xml->doc, 1));
  return lv_xml_print (xml, NULL);
}

char *
lv_xml_adopt_snapshot (const char *text, const char *guest)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autoptr (LvXml) now = lv_xml_parse (guest, NULL);
  g_autoptr (GPtrArray) domains = NULL;

  if (xml == NULL || now == NULL)
    return NULL;
  domains = lv_xml_nodes (xml, NULL, "/domainsnapshot/domain | /domainsnapshot/inactiveDomain");
  for (guint i = 0; i < domains->len; i++)
    lv_xml_keep_metadata (xml, domains->pdata[i], now);
  return lv_xml_print (xml, NULL);
}

gboolean
lv_xml_has_agent (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  return xml != NULL
         && lv_xml_node (xml, NULL,
                         "/domain/devices/channel/target[@name='org.qemu.guest_agent.0']"
                         "[@state='connected']")
              != NULL;
}

/* Moving. */

LvMoving *
lv_moving_new (void)
{
  LvMoving *moving = g_new0 (LvMoving, 1);

  moving->snapshots = g_ptr_array_new_with_free_func (g_free);
  moving->checkpoints = g_ptr_array_new_with_free_func (g_free);
  return moving;
}

void
lv_moving_free (LvMoving *moving)
{
  if (moving == NULL)
    return;
  g_ptr_array_unref (moving->snapshots);
  g_ptr_array_unref (moving->checkpoints);
  g_free (moving->from);
  g_free (moving->to);
  g_free (moving->current);
  g_free (moving);
}

static void
add_texts (xmlNode *top, const char *name, GPtrArray *texts)
{
  for (guint i = 0; i < texts->len; i++)
    lv_xml_add (top, name, texts->pdata[i]);
}

char *
lv_xml_print_moving (const LvMoving *moving)
{
  g_autoptr (LvXml) xml = lv_xml_create ("moving");
  xmlNode *top = lv_xml_node (xml, NULL, "/moving");

  lv_xml_set (top, "from", moving->from);
  lv_xml_set (top, "to", moving->to);
  if (moving->current != NULL)
    lv_xml_set (top, "current", moving->current);
  add_texts (top, "snapshot", moving->snapshots);
  add_texts (top, "checkpoint", moving->checkpoints);
  return lv_xml_print (xml, NULL);
}

static void
take_texts (LvXml *xml, const char *path, GPtrArray *texts)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, path);

  for (guint i = 0; i < nodes->len; i++)
    g_ptr_array_add (texts, lv_xml_text (xml, nodes->pdata[i], "."));
}

LvMoving *
lv_xml_read_moving (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autoptr (LvMoving) moving = lv_moving_new ();

  if (xml == NULL)
    return NULL;
  moving->from = lv_xml_text (xml, NULL, "/moving/@from");
  moving->to = lv_xml_text (xml, NULL, "/moving/@to");
  moving->current = lv_xml_text (xml, NULL, "/moving/@current");
  take_texts (xml, "/moving/snapshot", moving->snapshots);
  take_texts (xml, "/moving/checkpoint", moving->checkpoints);
  return moving->from && moving->to ? g_steal_pointer (&moving) : NULL;
}
