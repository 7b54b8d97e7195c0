/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vms/<draft>/: a guest that no host knows yet.  Its files are what it is to be; writing a state makes
 * the guest, and the directory becomes that of the guest.
 */
#include "draft.h"

#include "image.h"

#include "make.h"
#include "part_class.h"

#include <string.h>

static VirfsDraftInfo *
info_of (const VirfsNode *node)
{
  return (VirfsDraftInfo *) node->snapshot;
}

/* state */

static void
show_state (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "%s\n", info_of (node)->state);
}

static void
store_state (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsVmState state = virfs_vm_state_parse (text);

  if (g_str_equal (text, info_of (node)->state))
    virfs_call_finish (call, NULL);
  else if (state == VIRFS_VM_RUNNING || state == VIRFS_VM_PAUSED || state == VIRFS_VM_SHUTOFF)
    virfs_make_guest (call, node, state);
  else
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a guest cannot be made \"%s\"; write running, paused or shutoff", text);
}

/* Attributes: each is a member of the info. */

typedef struct {
  const VirfsRow *row;
  const char *text;
  guint64 number;
} Value;

static gpointer
member_of (gpointer info, const Value *value)
{
  return (char *) info + value->row->offset;
}

static void
set_text (gpointer info, gpointer data)
{
  virfs_ref_string_set (member_of (info, data), ((Value *) data)->text);
}

static void
set_word (gpointer info, gpointer data)
{
  const Value *value = data;

  *(const char **) member_of (info, data) = *value->text ? g_intern_string (value->text) : NULL;
}

static void
set_number (gpointer info, gpointer data)
{
  *(guint64 *) member_of (info, data) = ((Value *) data)->number;
}

static void
set_bool (gpointer info, gpointer data)
{
  *(gboolean *) member_of (info, data) = ((Value *) data)->number != 0;
}

static void
set_blob (gpointer info, gpointer data)
{
  VirfsBlob **blob = member_of (info, data);
  const char *text = ((Value *) data)->text;

  virfs_blob_unref (*blob);
  *blob = *text ? virfs_blob_new (text) : NULL;
}

static void
change (VirfsCall *call, const VirfsNode *node, VirfsPartEdit edit, const char *text,
        guint64 number)
{
  Value value = { node->row, text, number };
  g_autoptr (GError) error = NULL;

  virfs_infra_change_draft (virfs_node_infra (node), node->object, edit, &value, &error);
  virfs_call_finish (call, error);
}

static void
store_text (VirfsCall *call, const VirfsNode *node, const char *text)
{
  change (call, node, set_text, text, 0);
}

static void
store_number (VirfsCall *call, const VirfsNode *node, guint64 number)
{
  change (call, node, set_number, NULL, number);
}

static void
store_bool (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  change (call, node, set_bool, NULL, value);
}

static void
store_one_of (VirfsCall *call, const VirfsNode *node, const char *text, const char *const *words)
{
  g_autofree char *all = NULL;

  if (*text == '\0' || g_strv_contains (words, text)) {
    change (call, node, set_word, text, 0);
    return;
  }
  all = g_strjoinv (", ", (char **) words);
  virfs_call_fail (call, VIRFS_ERROR_INVALID, "\"%s\" is not a %s; there are: %s", text,
                   node->row->path, all);
}

static void
store_clone (VirfsCall *call, const VirfsNode *node, const char *text)
{
  store_one_of (call, node, text, (const char *const[]){ "full", "linked", NULL });
}

static void
store_boot (VirfsCall *call, const VirfsNode *node, const char *text)
{
  store_one_of (call, node, text, (const char *const[]){ "disk", "cdrom", "network", NULL });
}

static void
store_firmware (VirfsCall *call, const VirfsNode *node, const char *text)
{
  store_one_of (call, node, text, (const char *const[]){ "bios", "efi", NULL });
}

/* What is in the tree may be written as a path from wherever somebody is. */
static const char *
skip_up (const char *text)
{
  while (g_str_has_prefix (text, "../"))
    text += strlen ("../");
  return g_str_has_prefix (text, "images/") ? text + strlen ("images/") : text;
}

/* An image of the tree, a path of the host, POOL/VOLUME, or a guest of the tree. */
static void
store_image (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const char *name = skip_up (text);
  g_autoptr (VirfsImage) image = virfs_infra_image (virfs_node_infra (node), name);

  if (*text == '\0' || strchr (name, '/') != NULL)
    change (call, node, set_text, g_str_has_prefix (name, "vms/") ? name : text, 0);
  else if (image != NULL && *name != '.')
    change (call, node, set_text, name, 0);
  else
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is not an image; write a name of images/, POOL/VOLUME, a path on the"
                     " hosts, vms/GUEST or vms/GUEST/snapshots/SNAPSHOT",
                     text);
}

static void
store_host (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (virfs_node_infra (node), text);

  if (*text == '\0' || host != NULL)
    change (call, node, set_text, text, 0);
  else
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "no host is named \"%s\"", text);
}

/* An empty line is nothing. */
static void
store_document (VirfsCall *call, const VirfsNode *node, const char *text)
{
  change (call, node, set_text, strspn (text, " \n\t") == strlen (text) ? "" : text, 0);
}

/* As it was written: no newline is added. */
static void
show_document (const VirfsNode *node, GString *out)
{
  const char *text = *(char *const *) ((const char *) node->snapshot + node->row->offset);

  if (text != NULL)
    g_string_append (out, text);
}

static void
store_xml (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (*text == '\0' || virfs_draft_check_xml (text, &error))
    change (call, node, set_blob, text, 0);
  else
    virfs_call_finish (call, error);
}

static void
owner (const VirfsNode *node, VirfsOwner *owner_of_it)
{
  virfs_draft_owner (info_of (node), owner_of_it);
}

static void
set_owner (VirfsCall *call, const VirfsNode *node, const VirfsOwner *wanted)
{
  g_autoptr (GError) error = NULL;
  VirfsOwner is;

  owner (node, &is);
  if (*node->row->path != '\0')
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "this belongs to whom the draft belongs: chown and chmod that");
  else if (virfs_access_check_give (call, &is, wanted, &error))
    virfs_infra_give_draft (virfs_node_infra (node), node->object, wanted, &error);
  virfs_call_finish (call, error);
}

/* The class. */

#define F(field)          VIRFS_BIT (VIRFS_PART_##field)
#define AT(member)        F (CONFIG), .offset = G_STRUCT_OFFSET (VirfsDraftInfo, member)
#define FILE(name, help_) name, S_IFREG | 0640, .help = help_, .fields
#define TEXT(member)      AT (member), .show = virfs_show_text, .store_text = store_text
#define WORD(member)      AT (member), .show = virfs_show_text
#define SIZE(member)      AT (member), .show = virfs_show_known, .store_size = store_number
#define NUMBER(member)    AT (member), .show = virfs_show_known, .store_number = store_number
#define DOCUMENT(member)  AT (member), .show = show_document, .store = store_document
#define SECRET(name, help_)                                                                        \
  name, S_IFREG | 0600, VIRFS_ROW_DOCUMENT | VIRFS_ROW_PRIVATE, .help = help_, .fields

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH),
    .help = "a draft: a guest that is not made yet; write to its files, then a state" },
  { "state", S_IFREG | 0640, .fields = F (STATE), .show = show_state, .store = store_state,
    .help = "draft, or creating; write running, paused or shutoff to make the guest" },
  { "uuid", S_IFREG | 0440, .fields = F (BIRTH), .show = virfs_show_text,
    .offset = G_STRUCT_OFFSET (VirfsDraftInfo, uuid), .help = "the UUID that the guest will have" },
  { FILE ("image", "what its disk is made of: an image of images/, POOL/VOLUME, a path, vms/GUEST "
                   "or a snapshot of"
                   " one")
    = WORD (image),
    .store_text = store_image },
  { FILE ("clone", "full: the disk is a copy of the image; linked: it holds what differs")
    = WORD (clone),
    .store_text = store_clone },
  { FILE ("disk_size", "bytes of its disk; without an image, of an empty one") = SIZE (disk_size) },
  { FILE ("pool", "pool for its disk; nothing: default") = TEXT (pool) },
  { FILE ("network", "libvirt network for its NIC, or none; nothing: default where there is one")
    = TEXT (network) },
  { FILE ("iso", "an installer's CD-ROM: POOL/VOLUME or a path") = TEXT (iso) },
  { FILE ("boot", "what it starts from first: disk, cdrom or network") = WORD (boot),
    .store_text = store_boot },
  { FILE ("firmware", "bios or efi; nothing: the hypervisor's choice") = WORD (firmware),
    .store_text = store_firmware },
  { FILE ("machine", "machine type, as in q35; nothing: the best for its hypervisor")
    = TEXT (machine) },
  { FILE ("kernel", "path of a kernel on the host that is started in place of a boot loader")
    = TEXT (kernel) },
  { FILE ("initrd", "path of the initial RAM disk that goes with the kernel") = TEXT (initrd) },
  { FILE ("cmdline", "the kernel's command line") = TEXT (cmdline) },
  { FILE ("host", "where it is to be made; nothing: on the first host of placement") = WORD (host),
    .store_text = store_host },
  { "placement", S_IFREG | 0440, VIRFS_ROW_MEASURED, .fields = F (CONFIG),
    .show = virfs_make_show_placement,
    .help = "the hosts as places for it, the best first, with the reasons" },
  { FILE ("title", "a short title") = TEXT (title) },
  { FILE ("description", "a longer description, on one line: \\n stands for a new line")
    = TEXT (description) },
  { "autostart", S_IFREG | 0640, .fields = AT (autostart), .show = virfs_show_bool,
    .store_bool = store_bool, .help = "1: starts with its host" },
  { FILE ("vcpus", "virtual CPUs; nothing: 1, or those of the guest that it is made of")
    = NUMBER (vcpus) },
  { FILE ("vcpus_max", "virtual CPUs that it can be given while it runs; nothing: as vcpus")
    = NUMBER (vcpus_max) },
  { FILE ("memory", "bytes; nothing: 1 GiB, or that of the guest that it is made of")
    = SIZE (memory) },
  { FILE ("memory_max", "bytes that it can be given while it runs; nothing: as memory")
    = SIZE (memory_max) },
  { "cloud-init", S_IFDIR | 0700, VIRFS_ROW_PRIVATE, .fields = F (CONFIG),
    .help = "what cloud-init in the guest finds when it starts first (NoCloud)" },
  { SECRET ("cloud-init/user-data", "cloud-init's user data, as in #cloud-config")
    = DOCUMENT (user_data) },
  { SECRET ("cloud-init/meta-data", "its meta data; nothing: instance ID and host name")
    = DOCUMENT (meta_data) },
  { SECRET ("cloud-init/network-config", "its network configuration") = DOCUMENT (network_config) },
  { "xml", S_IFREG | 0640, VIRFS_ROW_DOCUMENT | VIRFS_ROW_TRUSTED, .fields = F (XML),
    .show = virfs_show_blob, .size = virfs_size_of_blob,
    .offset = G_STRUCT_OFFSET (VirfsDraftInfo, xml), .store = store_xml,
    .help = "a whole definition of libvirt's, in place of most of the others" },
  { "error", S_IFREG | 0440, .fields = F (STATE), .show = virfs_show_text,
    .offset = G_STRUCT_OFFSET (VirfsDraftInfo, error),
    .help = "what was refused or failed last: time, file, user and the reason" },
};

VirfsClass virfs_draft_files = {
  .path = "vms/<draft>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = virfs_part_parent,
  .unref = virfs_object_unref,
  .snapshot = virfs_part_snapshot,
  .release = virfs_part_info_unref,
  .changed = virfs_part_changed,
  .owner = owner,
  .set_owner = set_owner,
};
