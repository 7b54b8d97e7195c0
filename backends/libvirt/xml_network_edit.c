/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks, written: a member at a time, so that what is not known here stays as it is. */
#include "xml_network.h"

#include "error.h"
#include "xml_device.h"
#include "xml_network_list.h"

#include <string.h>

#define MEMBER(member) G_STRUCT_OFFSET (VirfsNetworkInfo, member)

/* Members that are no lists. */

/* The attribute of a child of the root; TEXT NULL: the child goes. */
static void
write_child (LvXml *xml, const char *name, const char *attribute, const char *text)
{
  xmlNode *root = lv_xml_root (xml);

  if (text != NULL)
    lv_xml_set (lv_xml_need (root, name), attribute, text);
  else
    lv_xml_remove (lv_xml_child (root, name));
}

static void
write_domain (LvXml *xml, const VirfsNetworkInfo *network)
{
  write_child (xml, "domain", "name", network->domain);
}

static void
write_mtu (LvXml *xml, const VirfsNetworkInfo *network)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, network->mtu);

  write_child (xml, "mtu", "size", network->mtu ? text : NULL);
}

static void
write_bridge (LvXml *xml, const VirfsNetworkInfo *network)
{
  write_child (xml, "bridge", "name", network->bridge);
}

static void
write_vlan (LvXml *xml, const VirfsNetworkInfo *network)
{
  g_auto (GStrv) tags = network->vlan ? g_strsplit (network->vlan, " ", -1) : NULL;
  xmlNode *vlan;

  lv_xml_remove (lv_xml_child (lv_xml_root (xml), "vlan"));
  if (tags == NULL)
    return;
  vlan = lv_xml_add (lv_xml_root (xml), "vlan", NULL);
  for (char **tag = tags; *tag; tag++)
    lv_xml_set (lv_xml_add (vlan, "tag", NULL), "id", *tag);
}

static gboolean
is_one_of (const char *word, const char *words)
{
  g_auto (GStrv) each = g_strsplit (words, " ", -1);

  return g_strv_contains ((const char *const *) each, word);
}

static void
write_devices (xmlNode *forward, const VirfsNetworkInfo *network)
{
  g_auto (GStrv) devices = network->dev ? g_strsplit (network->dev, " ", -1) : NULL;
  gboolean is_pool = is_one_of (network->forward, "macvtap private vepa passthrough");
  const char *name = g_str_equal (network->forward, "hostdev") ? "pf" : "interface";

  if (devices == NULL)
    return;
  if (is_one_of (network->forward, "nat route open"))
    lv_xml_set (forward, "dev", devices[0]);
  for (char **device = devices; *device && (is_pool || device == devices); device++)
    if (is_pool || *name == 'p')
      lv_xml_set (lv_xml_add (forward, name, NULL), "dev", *device);
}

/* How it translates addresses goes with a network that does. */
static void
write_forward (LvXml *xml, const VirfsNetworkInfo *network)
{
  gboolean isolated = g_strcmp0 (network->forward, "isolated") == 0;
  gboolean macvtap = g_strcmp0 (network->forward, "macvtap") == 0;
  xmlNode *forward;

  if (isolated) {
    lv_xml_remove (lv_xml_child (lv_xml_root (xml), "forward"));
    return;
  }
  lv_xml_remove_all (xml, "/network/forward/interface | /network/forward/pf"
                          " | /network/forward/address");
  if (g_strcmp0 (network->forward, "nat") != 0)
    lv_xml_remove_all (xml, "/network/forward/nat");
  forward = lv_xml_need (lv_xml_root (xml), "forward");
  xmlUnsetProp (forward, BAD_CAST "dev");
  lv_xml_set (forward, "mode", macvtap ? "bridge" : network->forward);
  if (g_strcmp0 (network->forward, "hostdev") == 0)
    lv_xml_set (forward, "managed", "yes");
  else
    xmlUnsetProp (forward, BAD_CAST "managed");
  write_devices (forward, network);
}

static void
write_rate (xmlNode *direction, const char *attribute, guint64 bytes)
{
  g_autofree char *kib = g_strdup_printf ("%" G_GUINT64_FORMAT, lv_kib (bytes));

  if (bytes != 0)
    lv_xml_set (direction, attribute, kib);
  else
    xmlUnsetProp (direction, BAD_CAST attribute);
}

static void
write_direction (LvXml *xml, const char *name, guint64 max, guint64 peak, guint64 burst)
{
  xmlNode *bandwidth = lv_xml_need (lv_xml_root (xml), "bandwidth");
  xmlNode *direction = lv_xml_need (bandwidth, name);

  write_rate (direction, "average", max);
  write_rate (direction, "peak", peak);
  write_rate (direction, "burst", burst);
  if (direction->properties == NULL)
    lv_xml_remove (direction);
  if (lv_xml_child (bandwidth, "inbound") == NULL && lv_xml_child (bandwidth, "outbound") == NULL)
    lv_xml_remove (bandwidth);
}

static void
write_rates (LvXml *xml, const VirfsNetworkInfo *network)
{
  write_direction (xml, "inbound", network->rx_max, network->rx_peak, network->rx_burst);
  write_direction (xml, "outbound", network->tx_max, network->tx_peak, network->tx_burst);
}

static const struct {
  gsize member;
  void (*write) (LvXml *xml, const VirfsNetworkInfo *network);
} members[] = {
  { MEMBER (forward), write_forward }, { MEMBER (dev), write_forward },
  { MEMBER (bridge), write_bridge },   { MEMBER (domain), write_domain },
  { MEMBER (mtu), write_mtu },         { MEMBER (vlan), write_vlan },
  { MEMBER (rx_max), write_rates },    { MEMBER (rx_peak), write_rates },
  { MEMBER (rx_burst), write_rates },  { MEMBER (tx_max), write_rates },
  { MEMBER (tx_peak), write_rates },   { MEMBER (tx_burst), write_rates },
};

/* Lists: elements whose line stays are left as they are. */

static const char *
text_of (const VirfsNetworkInfo *network, gsize member)
{
  const char *text = G_STRUCT_MEMBER (const char *, network, member);

  return text ? text : "";
}

static xmlNode *
subnet_node (LvXml *xml, int subnet)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, "/network/ip");

  return subnet >= 0 && (guint) subnet < nodes->len ? nodes->pdata[subnet] : NULL;
}

/* Which <ip> of the document has the address; the first, for none. */
static int
find_subnet (LvXml *xml, const char *ip)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, "/network/ip");
  const LvNetworkList *list = lv_network_list (MEMBER (address));

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *address = list->line (xml, nodes->pdata[i]);

    if (strcmp (ip, "-") == 0 || virfs_network_subnet (address, ip) >= 0)
      return (int) i;
  }
  return -1;
}

/* Where an element with WORDS goes; NULL: INVALID. */
static xmlNode *
find_parent (LvXml *xml, const LvNetworkList *list, char **words, int *subnet, GError **error)
{
  xmlNode *root = lv_xml_root (xml);

  *subnet = -1;
  if (list->place < 0)
    return list->member == MEMBER (dns) ? lv_xml_need (root, "dns") : root;
  *subnet = find_subnet (xml, words[list->place]);
  if (*subnet >= 0)
    return lv_xml_need (subnet_node (xml, *subnet), "dhcp");
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "%s is in no subnet of the network",
               words[list->place]);
  return NULL;
}

static int
subnet_of (LvXml *xml, const LvNetworkList *list, xmlNode *node)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, "/network/ip");
  guint i = 0;

  if (list->place < 0 || !g_ptr_array_find (nodes, node->parent->parent, &i))
    return -1;
  return (int) i;
}

void
lv_network_step_free (LvNetworkStep *step)
{
  g_free (step->element);
  g_free (step);
}

static void
add_step (GPtrArray *steps, int how, LvXml *xml, xmlNode *node, int subnet)
{
  LvNetworkStep *step = g_new0 (LvNetworkStep, 1);

  step->how = how;
  step->element = lv_xml_print (xml, node);
  step->subnet = subnet;
  g_ptr_array_add (steps, step);
}

/* The line of LINES that begins with the first word of LINE; NULL: none. */
static const char *
find_key (char **lines, const char *line)
{
  gsize n = strcspn (line, " ");

  for (char **one = lines; *one; one++)
    if (strncmp (*one, line, n) == 0 && ((*one)[n] == ' ' || (*one)[n] == '\0'))
      return *one;
  return NULL;
}

/* Takes from the document what is not in WANTED any more, and from WANTED what is there. */
static void
remove_lines (LvXml *xml, const LvNetworkList *list, char **wanted, GPtrArray *steps)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, list->path);

  for (guint i = 0; i < nodes->len; i++) {
    xmlNode *node = nodes->pdata[i];
    g_autofree char *line = list->line (xml, node);
    char *same = (char *) (list->keyed ? find_key (wanted, line) : NULL);
    int subnet = subnet_of (xml, list, node);

    if (g_strv_contains ((const char *const *) wanted, line)) {
      for (char **one = wanted; *one; one++)
        if (strcmp (*one, line) == 0)
          **one = '\0';
    } else if (same != NULL) {
      g_auto (GStrv) words = g_strsplit (same, " ", -1);

      list->fill (node, words);
      add_step (steps, LV_STEP_CHANGE, xml, node, subnet);
      *same = '\0';
    } else {
      add_step (steps, LV_STEP_REMOVE, xml, node, subnet);
      lv_xml_remove (node);
    }
  }
}

static gboolean
add_line (LvXml *xml, const LvNetworkList *list, const char *line, GPtrArray *steps, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  int subnet;
  xmlNode *parent = find_parent (xml, list, words, &subnet, error);
  xmlNode *node = parent ? lv_xml_add (parent, list->name, NULL) : NULL;

  if (node == NULL)
    return FALSE;
  list->fill (node, words);
  add_step (steps, LV_STEP_ADD, xml, node, subnet);
  return TRUE;
}

/* Steps that lead there; NULL: INVALID. */
static GPtrArray *
write_list (LvXml *xml, const LvNetworkList *list, const VirfsNetworkInfo *network, GError **error)
{
  g_autoptr (GPtrArray) steps
    = g_ptr_array_new_with_free_func ((GDestroyNotify) lv_network_step_free);
  g_auto (GStrv) lines = g_strsplit (text_of (network, list->member), "\n", -1);

  remove_lines (xml, list, lines, steps);
  for (char **line = lines; *line; line++)
    if (**line != '\0' && !add_line (xml, list, *line, steps, error))
      return NULL;
  return g_steal_pointer (&steps);
}

GPtrArray *
lv_xml_network_steps (const char *text, const VirfsNetworkInfo *wanted, gsize member,
                      GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);

  return xml ? write_list (xml, lv_network_list (member), wanted, error) : NULL;
}

/* Whole networks. */

static gboolean
write_lists (LvXml *xml, const VirfsNetworkInfo *network, GError **error)
{
  guint n;
  const LvNetworkList *lists = lv_network_lists (&n);

  /* addresses come first, which others have their place in */
  for (guint i = 0; i < n; i++) {
    g_autoptr (GPtrArray) steps = write_list (xml, &lists[i], network, error);

    if (steps == NULL)
      return FALSE;
  }
  return TRUE;
}

char *
lv_xml_describe_network (const VirfsNetworkInfo *network)
{
  g_autoptr (LvXml) xml = lv_xml_create ("network");

  lv_xml_add (lv_xml_root (xml), "name", network->part.name);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    members[i].write (xml, network);
  return write_lists (xml, network, NULL) ? lv_xml_print (xml, NULL) : NULL;
}

char *
lv_xml_edit_network (const char *text, const VirfsNetworkInfo *wanted, gsize member, GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);

  if (xml == NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (members[i].member == member)
      members[i].write (xml, wanted);
  /* what an address had in it that goes has its place in another */
  if (lv_network_list (member) != NULL && !write_lists (xml, wanted, error))
    return NULL;
  return lv_xml_print (xml, NULL);
}
