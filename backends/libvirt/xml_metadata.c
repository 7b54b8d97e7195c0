/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our element in a guest's metadata. */
#include "xml_metadata.h"

#include "isolation.h"
#include "tags.h"

#include <string.h>

#define IMAGE_BYTES  1024
#define TIMEOUT_MOST (7 * 24 * 3600)

static char *
content (xmlNode *node)
{
  xmlChar *text = xmlNodeGetContent (node);
  char *copy = g_strdup (text ? (const char *) text : "");

  xmlFree (text);
  return g_strstrip (copy);
}

static gboolean
is_element (xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && strcmp ((const char *) node->name, name) == 0;
}

static gboolean
is_ours (xmlNode *node)
{
  return is_element (node, "guest") && node->ns != NULL
         && g_strcmp0 ((const char *) node->ns->href, LV_METADATA_URI) == 0;
}

/* Reading. */

static gboolean
read_attribute (xmlNode *node, const char *name, guint base, guint most, guint *value)
{
  xmlChar *text = xmlGetNoNsProp (node, BAD_CAST name);
  guint64 number;
  gboolean valid
    = text && g_ascii_string_to_unsigned ((const char *) text, base, 0, most, &number, NULL);

  if (valid)
    *value = (guint) number;
  xmlFree (text);
  return valid;
}

static void
read_owner (xmlNode *node, VirfsVmInfo *info)
{
  VirfsOwner owner;

  if (!read_attribute (node, "uid", 10, G_MAXUINT32 - 1, &owner.uid)
      || !read_attribute (node, "gid", 10, G_MAXUINT32 - 1, &owner.gid)
      || !read_attribute (node, "mode", 8, VIRFS_MODE_BITS, &owner.mode))
    return;
  info->owner = owner;
  info->owned = TRUE;
}

static void
read_tag (xmlNode *node, VirfsVmInfo *info)
{
  g_autofree char *tag = content (node);
  g_autofree char *all = g_strconcat (info->tags ? info->tags : "", "\n", tag, NULL);
  g_autofree char *tags = virfs_tags_salvage (all);

  virfs_ref_string_set (&info->tags, tags);
}

static void
read_image (xmlNode *node, VirfsVmInfo *info)
{
  g_autofree char *image = content (node);

  if (strlen (image) <= IMAGE_BYTES)
    virfs_ref_string_set (&info->image, image);
}

static void
read_protect (xmlNode *node, VirfsVmInfo *info)
{
  g_autofree char *text = content (node);

  info->protect = strcmp (text, "1") == 0;
}

static void
read_record (xmlNode *node, VirfsVmInfo *info)
{
  g_autofree char *text = content (node);

  info->record = strcmp (text, "1") == 0;
}

static void
read_timeout (xmlNode *node, VirfsVmInfo *info)
{
  g_autofree char *text = content (node);
  guint64 seconds;

  if (g_ascii_string_to_unsigned (text, 10, 1, TIMEOUT_MOST, &seconds, NULL))
    info->shutdown_timeout = (guint) seconds;
}

static void
read_isolation (xmlNode *node, VirfsVmInfo *info)
{
  g_autofree char *text = content (node);
  g_autofree char *isolation = virfs_isolation_salvage (text);

  virfs_ref_string_set (&info->isolation, isolation);
}

static const struct {
  VirfsVmField field;
  const char *name;
  void (*read) (xmlNode *node, VirfsVmInfo *info);
} members[] = {
  { VIRFS_VM_OWNER, "owner", read_owner },
  { VIRFS_VM_TAGS, "tag", read_tag },
  { VIRFS_VM_PROTECT, "protect", read_protect },
  { VIRFS_VM_IMAGE, "image", read_image },
  { VIRFS_VM_SHUTDOWN_TIMEOUT, "shutdown_timeout", read_timeout },
  { VIRFS_VM_ISOLATION, "isolation", read_isolation },
  { VIRFS_VM_RECORD, "record", read_record },
};

static void
read_member (xmlNode *node, VirfsVmInfo *info)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (is_element (node, members[i].name))
      members[i].read (node, info);
}

static void
read_guest (xmlNode *guest, VirfsVmInfo *info)
{
  for (xmlNode *node = guest->children; node; node = node->next)
    read_member (node, info);
}

void
lv_xml_read_metadata (xmlTextReader *reader, VirfsVmInfo *info)
{
  xmlNode *metadata = xmlTextReaderExpand (reader);

  for (xmlNode *node = metadata ? metadata->children : NULL; node; node = node->next)
    if (is_ours (node))
      read_guest (node, info);
}

/* Changing. */

static void
remove_members (xmlNode *guest, const char *name)
{
  for (xmlNode *node = guest->children, *next; node; node = next) {
    next = node->next;
    if (is_element (node, name))
      lv_xml_remove (node);
  }
}

static void
add_number (xmlNode *parent, const char *name, guint number)
{
  g_autofree char *text = g_strdup_printf ("%u", number);

  if (number != 0)
    lv_xml_add (parent, name, text);
}

static void
add_owner (xmlNode *guest, const VirfsOwner *owner)
{
  xmlNode *node = lv_xml_add (guest, "owner", NULL);
  g_autofree char *uid = g_strdup_printf ("%u", owner->uid);
  g_autofree char *gid = g_strdup_printf ("%u", owner->gid);
  g_autofree char *mode = g_strdup_printf ("%04o", owner->mode);

  lv_xml_set (node, "uid", uid);
  lv_xml_set (node, "gid", gid);
  lv_xml_set (node, "mode", mode);
}

static void
add_tags (xmlNode *guest, const char *tags)
{
  g_auto (GStrv) lines = g_strsplit (tags, "\n", -1);

  for (char **tag = lines; *tag; tag++)
    lv_xml_add (guest, "tag", *tag);
}

/* The tags that NOTE makes of those that there are. */
static char *
new_tags (xmlNode *guest, const VirfsVmNote *note, GError **error)
{
  g_autoptr (VirfsVmInfo) now = virfs_vm_info_new ("", "");

  if (note->how == VIRFS_NOTE_SET)
    return g_strdup (note->text);
  read_guest (guest, now);
  return note->how == VIRFS_NOTE_ADD ? virfs_tags_with (now->tags, note->text, error)
                                     : virfs_tags_without (now->tags, note->text);
}

static gboolean
replace_tags (xmlNode *guest, const VirfsVmNote *note, GError **error)
{
  g_autofree char *tags = new_tags (guest, note, error);

  if (tags == NULL)
    return FALSE;
  remove_members (guest, "tag");
  add_tags (guest, tags);
  return TRUE;
}

static const char *
member_name (VirfsVmField field)
{
  guint i = 0;

  while (i < G_N_ELEMENTS (members) - 1 && members[i].field != field)
    i++;
  return members[i].name;
}

static gboolean
change (xmlNode *guest, const VirfsVmNote *note, GError **error)
{
  const char *name = member_name (note->field);

  if (note->field == VIRFS_VM_TAGS)
    return replace_tags (guest, note, error);
  remove_members (guest, name);
  if (note->field == VIRFS_VM_OWNER)
    add_owner (guest, &note->owner);
  else if (note->field != VIRFS_VM_IMAGE && note->field != VIRFS_VM_ISOLATION)
    add_number (guest, name, note->number);
  else if (*note->text != '\0')
    lv_xml_add (guest, name, note->text);
  return TRUE;
}

static gboolean
is_empty (xmlNode *guest)
{
  for (xmlNode *node = guest->children; node; node = node->next)
    if (node->type == XML_ELEMENT_NODE)
      return FALSE;
  return TRUE;
}

char *
lv_xml_edit_metadata (const char *element, const VirfsVmNote *note, GError **error)
{
  g_autoptr (LvXml) xml = element ? lv_xml_parse (element, NULL) : NULL;
  xmlNode *guest;

  if (xml == NULL)
    xml = lv_xml_create ("guest");
  guest = lv_xml_root (xml);
  if (!change (guest, note, error))
    return NULL;
  return is_empty (guest) ? g_strdup ("") : lv_xml_print (xml, guest);
}

/* In whole definitions. */

static xmlNode *
find_guest (LvXml *xml, xmlNode *domain)
{
  return lv_xml_node (xml, domain,
                      "metadata/*[local-name() = 'guest'"
                      " and namespace-uri() = '" LV_METADATA_URI "']");
}

static xmlNode *
get_metadata (LvXml *xml, xmlNode *domain)
{
  xmlNode *metadata = lv_xml_node (xml, domain, "metadata");

  return metadata ? metadata : lv_xml_add (domain, "metadata", NULL);
}

void
lv_xml_keep_metadata (LvXml *xml, xmlNode *domain, LvXml *stored)
{
  xmlNode *old = stored ? lv_xml_node (stored, NULL, "/domain") : NULL;
  xmlNode *kept = old ? find_guest (stored, old) : NULL;
  xmlNode *guest;

  while ((guest = find_guest (xml, domain)) != NULL)
    lv_xml_remove (guest);
  if (kept != NULL)
    xmlAddChild (get_metadata (xml, domain), xmlDocCopyNode (kept, xml->doc, 1));
}

gboolean
lv_xml_note (LvXml *xml, const VirfsVmNote *note, GError **error)
{
  xmlNode *domain = lv_xml_node (xml, NULL, "/domain");
  xmlNode *guest = find_guest (xml, domain);

  if (guest == NULL) {
    guest = lv_xml_add (get_metadata (xml, domain), "guest", NULL);
    xmlSetNs (guest, xmlNewNs (guest, BAD_CAST LV_METADATA_URI, BAD_CAST LV_METADATA_KEY));
  }
  return change (guest, note, error);
}

char *
lv_xml_note_definition (const char *text, const VirfsVmNote *note, GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);

  return xml && lv_xml_note (xml, note, error) ? lv_xml_print (xml, NULL) : NULL;
}
