/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/networks/<network>/: a network of a host, from its draft to its end. */
#include "device_class.h"

#include "part_use.h"
#include "verbs.h"

#include <string.h>

/* networks/ */

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  VirfsNetworkInfo *draft;
  g_autoptr (VirfsPart) network = NULL;
  g_autoptr (GError) error = NULL;

  if (!virfs_part_check_name (call, dir, name))
    return;
  draft = virfs_part_info_new (&virfs_network_class, name);
  draft->forward = "isolated";
  network = virfs_infra_make_part_draft (virfs_node_infra (dir), dir->object, draft, &error);
  virfs_call_finish (call, error);
}

/* Whether no guest that runs has a NIC in the network; else CALL has failed. */
static gboolean
check_unused (VirfsCall *call, VirfsPart *network)
{
  g_autofree char *user = virfs_network_live_user (network);

  if (user != NULL)
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "%s runs and has a NIC in the network %s", user,
                     network->name);
  return user == NULL;
}

static void
remove_network (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) network = virfs_part_in (dir, name);
  g_autoptr (VirfsPartInfo) info = network ? virfs_part_info (network) : NULL;
  g_autofree char *operation = g_strdup_printf ("undefine network %s", name);
  g_autoptr (VirfsJob) job = NULL;

  if (info == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no network %s", name);
  } else if (virfs_infra_remove_part_draft (virfs_node_infra (dir), network)) {
    virfs_call_finish (call, NULL);
  } else if (((VirfsNetworkInfo *) info)->active) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "the network %s is active; write stop to its ctl first", name);
  } else if (check_unused (call, network)) {
    job = virfs_call_job (call, operation, dir->object, dir->object, NULL);
    virfs_node_backend (dir)->network_verb (network, VIRFS_NETWORK_UNDEFINE, job);
  }
}

const VirfsDir virfs_networks_dir = {
  .list = virfs_part_list,
  .find = virfs_part_find,
  .make = make,
  .remove = remove_network,
};

/* ctl */

enum { IN_DRAFT = 1, IN_INACTIVE = 2, IN_ACTIVE = 4 };

static const VirfsVerb verbs[] = {
  { "define", VIRFS_NETWORK_DEFINE, IN_DRAFT },
  { "start", VIRFS_NETWORK_START, IN_DRAFT | IN_INACTIVE },
  { "stop", VIRFS_NETWORK_STOP, IN_ACTIVE, .unused = TRUE },
  { "destroy", VIRFS_NETWORK_STOP, IN_ACTIVE },
  { NULL },
};

static guint
state_of (const VirfsNetworkInfo *info)
{
  if (info->part.draft)
    return IN_DRAFT;
  return info->active ? IN_ACTIVE : IN_INACTIVE;
}

static const char *
state_name (const VirfsNetworkInfo *info)
{
  return info->part.draft ? "draft" : info->active ? "active" : "inactive";
}

static void
show_ctl (const VirfsNode *node, GString *out)
{
  virfs_verbs_show (verbs, state_of (node->snapshot), out);
}

static gboolean
check_making (VirfsCall *call, const VirfsNetworkInfo *info, GError **error)
{
  if (virfs_call_is_trusted (call))
    return virfs_network_check (info, error);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_DENIED,
               "only root and the user who mounted the tree may make a network: it changes what the"
               " host is connected to");
  return FALSE;
}

static void
begin_verb (VirfsCall *call, const VirfsNode *node, VirfsNetworkVerb verb, const char *word)
{
  const VirfsNetworkInfo *info = node->snapshot;
  g_autofree char *operation = g_strdup_printf ("%s network %s", word, info->part.name);
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsJob) job = NULL;

  if (info->part.draft && !check_making (call, info, &error)) {
    virfs_call_finish (call, error);
    return;
  }
  job = virfs_part_job (call, node, operation);
  virfs_node_backend (node)->network_verb (node->object, verb, job);
}

static void
store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autofree char *what = g_strdup_printf ("the network is %s", state_name (node->snapshot));
  const VirfsVerb *verb
    = virfs_verbs_choose (call, verbs, state_of (node->snapshot), what, text);

  if (verb != NULL && (!verb->unused || check_unused (call, node->object)))
    begin_verb (call, node, (VirfsNetworkVerb) verb->number, text);
}

/* state */

static void
show_state (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "%s\n", state_name (node->snapshot));
}

static void
store_state (VirfsCall *call, const VirfsNode *node, const char *text)
{
  guint now = state_of (node->snapshot);
  gboolean start = g_str_equal (text, "active");

  if (virfs_device_shows (call, node, text))
    return;
  if (!start && !g_str_equal (text, "inactive"))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a network cannot be brought to \"%s\"; write active or inactive", text);
  else if (start)
    begin_verb (call, node, VIRFS_NETWORK_START, "start");
  else if (now == IN_DRAFT)
    begin_verb (call, node, VIRFS_NETWORK_DEFINE, "define");
  else if (check_unused (call, node->object))
    begin_verb (call, node, VIRFS_NETWORK_STOP, "stop");
}

/* Attributes: of a draft they are its own; an inactive network is defined anew, and some can be changed in
 * an active one. */

static void
set (VirfsCall *call, const VirfsNode *node, guint64 number, const char *text)
{
  const VirfsNetworkInfo *info = node->snapshot;
  g_autoptr (VirfsPartInfo) wanted = virfs_part_info_copy (info);
  g_autofree char *operation
    = g_strdup_printf ("set %s of network %s", node->row->path, info->part.name);
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsJob) job = NULL;

  virfs_part_info_set (wanted, node->row->offset, number, text);
  if (info->part.draft) {
    virfs_part_set_draft (call, node, number, text);
  } else if (info->active && !virfs_network_is_live (node->row->offset)) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "the network is active, its %s can be changed only while it is inactive; write"
                     " stop to its ctl first",
                     node->row->path);
  } else if (!virfs_network_check ((VirfsNetworkInfo *) wanted, &error)) {
    virfs_call_finish (call, error);
  } else {
    job = virfs_part_job (call, node, operation);
    virfs_node_backend (node)->network_set (node->object, (VirfsNetworkInfo *) wanted,
                                            node->row->offset, job);
  }
}

static void
store_autostart (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  if (((const VirfsNetworkInfo *) node->snapshot)->autostart == value)
    virfs_call_finish (call, NULL);
  else
    set (call, node, (guint64) value, NULL);
}

static void
store_number (VirfsCall *call, const VirfsNode *node, guint64 number)
{
  if (G_STRUCT_MEMBER (guint64, node->snapshot, node->row->offset) == number)
    virfs_call_finish (call, NULL);
  else
    set (call, node, number, NULL);
}

static void
store_mtu (VirfsCall *call, const VirfsNode *node, guint64 bytes)
{
  if (bytes != 0 && (bytes < 68 || bytes > 65535))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "an MTU is 68 to 65535 bytes; 0 leaves it to the"
                     " hypervisor");
  else
    store_number (call, node, bytes);
}

static void
store_rate (VirfsCall *call, const VirfsNode *node, guint64 bytes)
{
  if (bytes > G_MAXUINT32 * G_GUINT64_CONSTANT (1024))
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "no network is that fast; 0 is no limit");
  else /* as it will be shown */
    store_number (call, node, (bytes + 1023) / 1024 * 1024);
}

static void
store_forward (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (virfs_device_shows (call, node, text))
    return;
  if (virfs_network_check_forward (text, &error))
    set (call, node, 0, text);
  else
    virfs_call_finish (call, error);
}

static void
store_list (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const char *shown = G_STRUCT_MEMBER (const char *, node->snapshot, node->row->offset);
  g_autoptr (GError) error = NULL;
  g_autofree char *list = virfs_network_parse (node->row->offset, text, &error);

  if (list == NULL || g_str_equal (list, shown ? shown : ""))
    virfs_call_finish (call, error);
  else
    set (call, node, 0, *list ? list : NULL);
}

/* What was read can be written back, of an active network too. */
static void
store_xml (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsNetworkInfo *info = node->snapshot;
  g_autofree char *shown = info->xml ? g_strchomp (virfs_blob_text (info->xml)) : NULL;
  g_autofree char *written = g_strchomp (g_strdup (text));
  g_autofree char *operation = g_strdup_printf ("define network %s", info->part.name);
  g_autoptr (VirfsJob) job = NULL;

  if (g_strcmp0 (shown, written) == 0) {
    virfs_call_finish (call, NULL);
  } else if (info->active) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "the network is active; write stop to its ctl before it is defined anew");
  } else {
    job = virfs_part_job (call, node, operation);
    virfs_node_backend (node)->network_define (node->object, text, job);
  }
}

/* The class. */

#define F(field)                      VIRFS_BIT (VIRFS_PART_##field)
#define MEMBER(member)                G_STRUCT_OFFSET (VirfsNetworkInfo, member)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)
#define WRITE                         S_IFREG | 0640, VIRFS_ROW_NEEDS, F (READY)
#define WRITE_TRUSTED                 S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_TRUSTED, F (READY)
#define WRITE_LIST                    S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_LIST, F (READY)
#define COMMAND                       S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, F (READY)
#define READ                          S_IFREG | 0440, .fields =
#define RATE(name, text)                                                                           \
  {                                                                                                \
#name, WRITE | SHOW(virfs_show_u64, CONFIG, name), .store_size = store_rate, .help = text      \
  }

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a network" },
  { "state", WRITE | F (STATE), .show = show_state, .store = store_state,
    .help = "draft, active, inactive; write one of the last two" },
  { "ctl", COMMAND | F (STATE), .show = show_ctl, .store = store_ctl,
    .help = "what can be done to it now, one verb a line; write one of them" },
  { "forward", WRITE_TRUSTED | SHOW (virfs_show_text, CONFIG, forward), .store = store_forward,
    .help = "isolated, nat, route, open, bridge, macvtap, private, vepa, passthrough or hostdev" },
  { "dev", WRITE_TRUSTED | SHOW (virfs_show_text, CONFIG, dev), .store = store_list,
    .help = "interfaces of the host that it goes out by; set it while it is inactive" },
  { "bridge", WRITE_TRUSTED | SHOW (virfs_show_text, CONFIG, bridge), .store = store_list,
    .help = "the bridge on the host: its own, or with forward = bridge one that is there" },
  { "domain", WRITE | SHOW (virfs_show_text, CONFIG, domain), .store = store_list,
    .help = "the domain of its names; set it while it is inactive" },
  { "mtu", WRITE | SHOW (virfs_show_u64, CONFIG, mtu), .store_size = store_mtu,
    .help = "bytes a packet; 0: the hypervisor's choice; set it while it is inactive" },
  { "address", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_LIST | VIRFS_ROW_TRUSTED,
    F (READY) | SHOW (virfs_show_lines, CONFIG, address), .store = store_list,
    .help
    = "the host's addresses in it, as in 192.168.150.1/24, one a line; while it is inactive" },
  { "dhcp", WRITE_LIST | SHOW (virfs_show_lines, CONFIG, dhcp), .store = store_list,
    .help = "ranges of addresses for its guests, lines of FIRST LAST; can be changed live" },
  { "hosts", WRITE_LIST | SHOW (virfs_show_lines, CONFIG, hosts), .store = store_list,
    .help = "reservations, lines of MAC IP NAME: > writes a new list, >> adds to it; live" },
  { "dns", WRITE_LIST | SHOW (virfs_show_lines, CONFIG, dns), .store = store_list,
    .help = "names that its guests can look up, lines of IP NAME...; live" },
  { "vlan", WRITE | SHOW (virfs_show_text, CONFIG, vlan), .store = store_list,
    .help = "tags of its VLANs, where the bridge or card knows of such; while it is inactive" },
  { "portgroups", WRITE_LIST | SHOW (virfs_show_lines, CONFIG, portgroups), .store = store_list,
    .help = "groups that NICs can be in, lines of NAME, VLAN tags, and default for one; live" },
  RATE (rx_max, "bytes a second that its guests get at most, altogether; 0: no limit"),
  RATE (rx_peak, "bytes a second that they may get for a while; 0: no limit"),
  RATE (rx_burst, "bytes that may come at that speed; 0: no limit"),
  RATE (tx_max, "bytes a second that its guests send at most, altogether; 0: no limit"),
  RATE (tx_peak, "bytes a second that they may send for a while; 0: no limit"),
  RATE (tx_burst, "bytes that may go at that speed; 0: no limit"),
  { "autostart", WRITE | SHOW (virfs_show_bool, CONFIG, autostart), .store_bool = store_autostart,
    .help = "1: starts with its host" },
  { "persistent", READ SHOW (virfs_show_bool, CONFIG, persistent),
    .help = "0: vanishes when it stops" },
  { "uuid", READ SHOW (virfs_show_text, CONFIG, uuid), .help = "what libvirt knows it by" },
  { "leases", READ SHOW (virfs_show_lines, USE, leases),
    .help = "addresses that were given, lines of EXPIRY MAC IP NAME" },
  { "xml", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_DOCUMENT | VIRFS_ROW_TRUSTED,
    F (READY) | SHOW (virfs_show_blob, XML, xml), .size = virfs_size_of_blob, .store = store_xml,
    .help = "libvirt's XML of it; write a whole one to define a draft or an inactive network" },
  { "used_by", S_IFDIR | 0750, VIRFS_ROW_MEASURED, F (CONFIG), .dir = &virfs_part_users_dir,
    .help = "links to the guests that have a NIC in it" },
};

VirfsClass virfs_network_files = {
  .path = "hosts/<host>/networks/<network>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
