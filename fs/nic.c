/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/nics/<nic>/: a network interface */
#include "device_give.h"

#include <string.h>

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  if (virfs_nic_name_is_valid (name))
    virfs_device_make (call, dir, virfs_nic_draft_new (name));
  else
    virfs_call_fail (
      call, VIRFS_ERROR_INVALID,
      "\"%s\" cannot be the name of a NIC: letters, digits, - and _ only, at most 60", name);
}

const VirfsDir virfs_nics_dir = {
  .list = virfs_part_list,
  .find = virfs_part_find,
  .make = make,
  .remove = virfs_device_remove,
};

#define MEMBER(member) G_STRUCT_OFFSET (VirfsNicInfo, member)

static const VirfsWords words[] = {
  { MEMBER (model), "virtio e1000 e1000e igb rtl8139 vmxnet3 pcnet ne2k_pci i82551 usb-net"
                    " virtio-transitional virtio-non-transitional" },
};

static void
store_model (VirfsCall *call, const VirfsNode *node, const char *text)
{
  virfs_device_set_word (call, node, text, words, G_N_ELEMENTS (words));
}

/* The other NIC of the guest that has this MAC address; borrowed from INFO, NULL for none. */
static const VirfsNicInfo *
find_mac (const VirfsNode *node, const VirfsVmInfo *info, const char *mac)
{
  const VirfsPartInfo *self = node->snapshot;
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];

  for (guint i = 0; nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (strcmp (nic->part.name, self->name) != 0 && nic->mac
        && g_ascii_strcasecmp (nic->mac, mac) == 0)
      return nic;
  }
  return NULL;
}

static void
store_mac (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autofree char *mac = g_ascii_strdown (text, -1);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info ((VirfsVm *) virfs_part_root (node->object));
  const VirfsNicInfo *other = find_mac (node, info, mac);

  if (!virfs_mac_is_valid (mac))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is no MAC address of a NIC; write one as in 52:54:00:12:34:56", text);
  else if (other != NULL)
    virfs_call_fail (call, VIRFS_ERROR_EXISTS, "%s of this guest has the MAC address %s already",
                     other->part.name, mac);
  else if (virfs_nic_check_connected (call, node))
    virfs_device_set_text (call, node, mac);
}

/* network, bridge: what makes a NIC of a draft */

static gboolean
has_name (GPtrArray *names, const char *name)
{
  return names != NULL && g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL);
}

static void
attach_to (VirfsCall *call, const VirfsNode *node, const char *name)
{
  VirfsNicInfo *wanted = virfs_part_info_copy (node->snapshot);

  virfs_part_info_set (wanted, node->row->offset, 0, name);
  virfs_device_attach (call, node, wanted);
}

static gboolean
is_name (const char *text)
{
  static const char letters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.:+@ ";

  return text[strspn (text, letters)] == '\0' && strlen (text) <= 200;
}

/* NAMES: what there is on the host, NULL if that is not known. */
static void
connect_to (VirfsCall *call, const VirfsNode *node, const char *text, GPtrArray *names)
{
  const VirfsPartInfo *info = node->snapshot;

  if (*text != '\0' && virfs_device_shows (call, node, text))
    return;
  if (*text == '\0')
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "write the name of a %s", node->row->path);
  else if (names != NULL ? !has_name (names, text) : !is_name (text))
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "the host of the guest has no %s \"%s\"",
                     node->row->path, text);
  else if (info->draft)
    attach_to (call, node, text);
  else
    virfs_device_set_text (call, node, text);
}

static void
store_network (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  connect_to (call, node, text, info->networks);
}

static void
store_bridge (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  connect_to (call, node, text, info->bridges);
}

/* vf, team: a card of the host that the guest has as its own, and the NIC that takes its place meanwhile */

static void
show_vf (const VirfsNode *node, GString *out)
{
  const VirfsNicInfo *nic = node->snapshot;
  g_autofree char *name = nic->vf ? virfs_node_device_name ("pci", nic->vf) : NULL;

  if (name != NULL)
    g_string_append_printf (out, "%s\n", name);
}

/* The NIC of the guest called NAME; borrowed from INFO, NULL if there is none. */
static const VirfsNicInfo *
find_nic (const VirfsVmInfo *info, const char *name)
{
  const VirfsNicInfo *nic = virfs_part_list_find (info->parts[VIRFS_VM_NICS], name);

  return nic && !nic->part.draft ? nic : NULL;
}

/* The two of a team have one address. */
static gboolean
take_vf (const VirfsNode *node, gpointer wanted, const VirfsNodeDeviceInfo *card,
         const VirfsHostInfo *host, GError **error)
{
  VirfsNicInfo *nic = wanted;
  g_autoptr (VirfsVmInfo) info = virfs_vm_info ((VirfsVm *) virfs_part_root (node->object));
  const VirfsNicInfo *mate = nic->team ? find_nic (info, nic->team) : NULL;

  if (card->physical_function == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s is no virtual function of a network card; hostdevs/ gives other devices",
                 card->part.name);
    return FALSE;
  }
  nic->model = NULL;
  virfs_ref_string_set (&nic->vf, card->address);
  if (mate != NULL)
    virfs_ref_string_set (&nic->mac, mate->mac);
  return TRUE;
}

static void
store_vf (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (!virfs_device_shows (call, node, text)) /* of most NICs nothing */
    virfs_device_give (call, node, text, take_vf);
}

static void
store_team (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsNicInfo *nic = node->snapshot;
  g_autoptr (VirfsVmInfo) info = virfs_vm_info ((VirfsVm *) virfs_part_root (node->object));
  const VirfsNicInfo *mate = find_nic (info, text);
  gboolean stays = g_str_equal (text, VIRFS_TEAM_PERSISTENT);

  if (virfs_device_shows (call, node, text))
    return;
  if (stays && (nic->vf != NULL || g_strcmp0 (nic->model, "virtio") != 0))
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "the NIC of a team that stays is a virtio one");
  else if (stays || *text == '\0')
    virfs_device_set_text (call, node, text);
  else if (mate == NULL || g_strcmp0 (mate->team, VIRFS_TEAM_PERSISTENT) != 0)
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "write persistent, or the name of another NIC whose team is persistent");
  else if (!nic->part.draft)
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "a card joins a team when it is made: team first, then vf");
  else
    virfs_device_set_text (call, node, text);
}

/* link, filter, addresses */

static void
show_link (const VirfsNode *node, GString *out)
{
  const VirfsNicInfo *nic = node->snapshot;

  g_string_append (out, nic->link_down ? "down\n" : "up\n");
}

static void
store_link (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (virfs_device_shows (call, node, text))
    return;
  if (!g_str_equal (text, "up") && !g_str_equal (text, "down"))
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "a link is up or down, not \"%s\"", text);
  else if (virfs_nic_check_connected (call, node))
    virfs_device_set_bool (call, node, g_str_equal (text, "down"));
}

static void
store_filter (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (!is_name (text))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" cannot be the name of a network filter, as in clean-traffic", text);
  else
    virfs_device_set_text (call, node, text);
}

/* The class. */

#define F(field)                      VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)
#define WRITE                         S_IFREG | 0640, VIRFS_ROW_NEEDS, F (READY)
#define WRITE_TRUSTED                 S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_TRUSTED, F (READY)
#define READ                          S_IFREG | 0440, .fields =

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a network interface" },
  { "mac", WRITE | SHOW (virfs_show_text, CONFIG, mac), .store = store_mac,
    .help = "its MAC address; can be set while the guest is shut off" },
  { "network", WRITE | SHOW (virfs_show_text, CONFIG, network), .store = store_network,
    .help = "the libvirt network that it is in; makes a NIC of a draft; can be changed live" },
  { "bridge", WRITE_TRUSTED | SHOW (virfs_show_text, CONFIG, bridge), .store = store_bridge,
    .help = "the host's bridge or interface that it is at, if it is in no network; can be changed live" },
  { "vf", WRITE_TRUSTED | SHOW (show_vf, CONFIG, vf), .store = store_vf,
    .help
    = "the host's virtual function (SR-IOV) that it is itself, as in hosts/<host>/devices; makes"
      " a NIC of a draft" },
  { "team", WRITE | SHOW (virfs_show_text, CONFIG, team), .store = store_team,
    .help
    = "persistent: it stays when the guest migrates; of a vf: the NIC that stands in for it" },
  { "model", WRITE | SHOW (virfs_show_text, CONFIG, model), .store = store_model,
    .help = "what the guest sees: virtio, e1000 …; can be set while it is shut off" },
  { "link", WRITE | SHOW (show_link, CONFIG, link_down), .store = store_link,
    .help = "up or down: whether the cable is plugged in" },
  { "isolation", WRITE | SHOW (virfs_nic_show_isolation, CONFIG, isolated),
    .store = virfs_nic_store_isolation,
    .help = "isolated: it is cut off, now and wherever the guest is; write none to lift it" },
  { "rx_max", WRITE | SHOW (virfs_show_u64, CONFIG, rx_max), .store_size = virfs_device_set_number,
    .help = "bytes a second that the guest gets at most, in steps of 1024; 0: no limit" },
  { "tx_max", WRITE | SHOW (virfs_show_u64, CONFIG, tx_max), .store_size = virfs_device_set_number,
    .help = "bytes a second that the guest sends at most, in steps of 1024; 0: no limit" },
  { "filter", WRITE | SHOW (virfs_show_text, CONFIG, filter), .store = store_filter,
    .help = "libvirt's network filter, as in clean-traffic; an empty line removes it" },
  { "boot", WRITE | SHOW (virfs_show_u64, CONFIG, boot), .store_number = virfs_device_set_number,
    .help = "its place in the order of devices to boot from, from 1; 0: none" },
  { "addresses", READ SHOW (virfs_show_lines, USE, addresses),
    .help
    = "its IP addresses, one a line: from leases, the guest's agent or the host's ARP table" },
  { "device", READ SHOW (virfs_show_text, STATE, device),
    .help = "the host's end of it while the guest runs, as in vnet0" },
  { "type", READ SHOW (virfs_show_text, CONFIG, type),
    .help = "network, bridge, direct, user …: libvirt's type" },
  { "live", READ SHOW (virfs_show_bool, STATE, live), .help = "1: the running guest has it" },
  { "persistent", READ SHOW (virfs_show_bool, STATE, persistent),
    .help = "1: the guest will have it after its next start" },
};

VirfsClass virfs_nic_files = {
  .path = "vms/<vm>/nics/<nic>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
