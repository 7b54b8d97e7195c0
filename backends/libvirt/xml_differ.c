/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between a definition of a network or pool and what a host has.  All that the definition
 * says must be there; what is there beside it must be of what libvirt adds by itself.
 */
#include "xml_definition.h"

#include "device.h"
#include "xml_tools.h"

#include <arpa/inet.h>
#include <string.h>

/* What libvirt adds: paths of elements and attributes; a `*` at the end stands for what is below. */
static const char *const added[] = {
  "network/@connections",
  "network/uuid",
  "network/mac",
  "network/bridge",
  "network/bridge/@*",
  "network/forward/@dev",
  "network/forward/nat",
  "network/forward/interface",
  "network/forward/interface/@connections",
  "network/ip/@family",
  "network/vlan/@trunk",
  "network/portgroup/vlan/@trunk",
  "pool/uuid",
  "pool/capacity",
  "pool/allocation",
  "pool/available",
  "pool/source",
  "pool/source/name",
  "pool/source/format",
  "pool/target/permissions",
  "pool/target/permissions/*",
};

static gboolean
is_added (const char *path)
{
  for (guint i = 0; i < G_N_ELEMENTS (added); i++) {
    gsize n = strlen (added[i]);

    if (strcmp (added[i], path) == 0
        || (added[i][n - 1] == '*' && strncmp (added[i], path, n - 1) == 0))
      return TRUE;
  }
  return FALSE;
}

/* OUT NULL: whether there is a difference is all that is asked. */
static gboolean compare (const char *path, const xmlNode *wanted, const xmlNode *is, GString *out);

static gboolean
tell (GString *out, const char *format, ...)
{
  va_list args;

  if (out == NULL)
    return FALSE;
  if (out->len > 0)
    g_string_append_c (out, '\n');
  va_start (args, format);
  g_string_append_vprintf (out, format, args);
  va_end (args);
  return FALSE;
}

/* Libvirt writes these in small letters. */
static gboolean
has_no_case (const char *text)
{
  return g_uuid_string_is_valid (text) || virfs_mac_is_valid (text);
}

/* Addresses in whatever way they are written. */
static gboolean
is_same (const char *a, const char *b)
{
  struct in6_addr one, other;

  return strcmp (a, b) == 0 || (has_no_case (a) && g_ascii_strcasecmp (a, b) == 0)
         || (inet_pton (AF_INET6, a, &one) == 1 && inet_pton (AF_INET6, b, &other) == 1
             && memcmp (&one, &other, sizeof one) == 0);
}

static gboolean
compare_attributes (const char *path, const xmlNode *wanted, const xmlNode *is, GString *out)
{
  gboolean same = TRUE;

  for (xmlAttr *a = wanted->properties; a && (same || out); a = a->next) {
    const char *name = (const char *) a->name;
    g_autofree char *want = lv_xml_attribute (wanted, name);
    g_autofree char *have = lv_xml_attribute (is, name);

    if (have == NULL)
      same = tell (out, "%s/@%s is not there, but %s wanted", path, name, want);
    else if (!is_same (want, have))
      same = tell (out, "%s/@%s is %s, not %s", path, name, have, want);
  }
  for (xmlAttr *a = is->properties; a && (same || out); a = a->next) {
    g_autofree char *at = g_strdup_printf ("%s/@%s", path, (const char *) a->name);
    g_autofree char *have = lv_xml_attribute (is, (const char *) a->name);

    if (xmlHasProp (wanted, a->name) == NULL && !is_added (at))
      same = tell (out, "%s is %s, but not wanted", at, have);
  }
  return same;
}

static char *
trimmed (const xmlNode *node)
{
  xmlChar *content = xmlNodeGetContent (node);
  char *text = g_strstrip (g_strdup ((const char *) content));
  gsize n = strlen (text);

  xmlFree (content);
  if (n > 1 && text[n - 1] == '/') /* of a directory */
    text[n - 1] = '\0';
  return text;
}

static xmlNode *
next_element (xmlNode *node)
{
  while (node != NULL && node->type != XML_ELEMENT_NODE)
    node = node->next;
  return node;
}

static gboolean
compare_text (const char *path, const xmlNode *wanted, const xmlNode *is, GString *out)
{
  g_autofree char *want = NULL, *have = NULL;

  if (next_element (wanted->children) != NULL || next_element (is->children) != NULL)
    return TRUE;
  want = trimmed (wanted);
  have = trimmed (is);
  return is_same (want, have) || tell (out, "%s is %s, not %s", path, have, want);
}

/* The first of LIST that WANTED could be: the same if SAME, else one of its name; taken from there. */
static xmlNode *
take_match (GPtrArray *list, const char *path, const xmlNode *wanted, gboolean same)
{
  for (guint i = 0; i < list->len; i++) {
    xmlNode *is = list->pdata[i];

    if (strcmp ((const char *) is->name, (const char *) wanted->name) == 0
        && (!same || compare (path, wanted, is, NULL)))
      return g_ptr_array_steal_index (list, i);
  }
  return NULL;
}

static GPtrArray *
elements (const xmlNode *node)
{
  GPtrArray *list = g_ptr_array_new ();

  for (xmlNode *n = next_element (node->children); n; n = next_element (n->next))
    g_ptr_array_add (list, n);
  return list;
}

/* First those that have one like them, in whatever order they are. */
static gboolean
compare_children (const char *path, const xmlNode *wanted, const xmlNode *is, GString *out)
{
  g_autoptr (GPtrArray) want = elements (wanted), have = elements (is);
  gboolean same = TRUE;

  for (guint i = 0; i < want->len;) {
    xmlNode *node = want->pdata[i];
    g_autofree char *at = g_strdup_printf ("%s/%s", path, (const char *) node->name);

    /* what a host has under its UUID keeps that */
    if (take_match (have, at, node, strcmp (at, "pool/uuid") != 0) != NULL)
      g_ptr_array_remove_index (want, i);
    else
      i++;
  }
  for (guint i = 0; i < want->len && (same || out); i++) {
    xmlNode *node = want->pdata[i];
    g_autofree char *at = g_strdup_printf ("%s/%s", path, (const char *) node->name);
    xmlNode *other = take_match (have, at, node, FALSE);

    if (other == NULL)
      same = tell (out, "%s is not there", at);
    else
      same &= compare (at, node, other, out);
  }
  for (guint i = 0; i < have->len && (same || out); i++) {
    g_autofree char *at
      = g_strdup_printf ("%s/%s", path, (const char *) ((xmlNode *) have->pdata[i])->name);

    if (!is_added (at))
      same = tell (out, "%s is there, but not wanted", at);
  }
  return same;
}

static gboolean
compare (const char *path, const xmlNode *wanted, const xmlNode *is, GString *out)
{
  gboolean same = compare_attributes (path, wanted, is, out);

  if (same || out)
    same &= compare_text (path, wanted, is, out);
  if (same || out)
    same &= compare_children (path, wanted, is, out);
  return same;
}

char *
lv_xml_differ (const char *wanted, const char *is)
{
  g_autoptr (LvXml) a = lv_xml_parse (wanted, NULL);
  g_autoptr (LvXml) b = lv_xml_parse (is, NULL);
  g_autoptr (GString) out = g_string_new (NULL);

  if (a == NULL || b == NULL)
    return g_strdup ("its XML cannot be read");
  if (compare ((const char *) lv_xml_root (a)->name, lv_xml_root (a), lv_xml_root (b), out))
    return NULL;
  return g_strdup (out->str);
}
