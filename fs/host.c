/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/: a host, and the guests that it has. */
#include "access.h"
#include "event_files.h"
#include "history_files.h"
#include "maintenance_files.h"
#include "metric_files.h"
#include "migration_files.h"
#include "part_class.h"
#include "profile_files.h"

#include <string.h>

static void
show_uri (const VirfsNode *node, GString *out)
{
  const VirfsHostInfo *info = node->snapshot;
  g_autofree char *uri = info->uri ? virfs_host_info_masked_uri (info) : NULL;

  if (uri != NULL)
    g_string_append_printf (out, "%s\n", uri);
}

static void
store_uri (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsHostInfo *info = node->snapshot;
  g_autofree char *shown = virfs_host_info_masked_uri (info);
  g_autoptr (VirfsJob) job = NULL;

  /* what was read can be written back, also where a password is not shown */
  if (info->uri != NULL && g_str_equal (text, shown)) {
    virfs_call_finish (call, NULL);
    return;
  }
  job = virfs_call_job (call, "connect", node->object, NULL, NULL);
  virfs_infra_set_host_uri (virfs_node_infra (node), node->object, text, job);
}

static void
show_state (const VirfsNode *node, GString *out)
{
  const VirfsHostInfo *info = node->snapshot;

  g_string_append_printf (out, "%s\n", virfs_host_state_name (info->state));
}

/* Numbers are 0 as long as the host has not told them. */
static void
show_known_uint (const VirfsNode *node, GString *out)
{
  if (*(const guint *) ((const char *) node->snapshot + node->row->offset) != 0)
    virfs_show_uint (node, out);
}

static void
show_cpu_load (const VirfsNode *node, GString *out)
{
  const VirfsHostInfo *info = node->snapshot;

  if (info->cpu_load >= 0)
    g_string_append_printf (out, "%d\n", info->cpu_load);
}

/* vms/ */

#define VM_LINK    "/hosts/<host>/vms/<vm>"
#define BY_DIR     "/by/host/<host>"
#define BY_VM_LINK "/by/host/<host>/<vm>"

/* The directory is there twice, as hosts/<host>/vms and as by/host/<host>, with links of its own. */
static const char *
link_row (const VirfsNode *dir)
{
  return g_str_equal (dir->row->path, BY_DIR) ? BY_VM_LINK : VM_LINK;
}

typedef struct {
  VirfsListing *listing;
  const char *row;
} OnHost;

static void
add_vm (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  OnHost *on = data;

  virfs_listing_add (on->listing, info->label, virfs_inode_at (&virfs_vm_class, vm, on->row),
                     S_IFLNK);
}

static void
list_vms (const VirfsNode *dir, VirfsListing *listing)
{
  OnHost on = { listing, link_row (dir) };

  virfs_infra_foreach_vm (virfs_node_infra (dir), dir->object, add_vm, &on);
}

/* The guest NAME of the directory's host, with what is known of it; NULL if it is not there. */
static VirfsVm *
get_vm (const VirfsNode *dir, const char *name, VirfsVmInfo **info)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);
  g_autoptr (VirfsVmInfo) now = vm ? virfs_vm_info (vm) : NULL;

  if (now == NULL || now->host != dir->object)
    return NULL;
  *info = g_steal_pointer (&now);
  return g_steal_pointer (&vm);
}

/* A guest that is on its way here is found, though not listed: mv(1) looks at what it has moved. */
static guint64
find_vm (const VirfsNode *dir, const char *name)
{
  VirfsInfra *infra = virfs_node_infra (dir);
  g_autoptr (VirfsVm) vm = virfs_infra_vm (infra, name);
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

  if (info == NULL
      || (info->host != dir->object && !virfs_infra_is_coming (infra, vm, dir->object)))
    return 0;
  return virfs_inode_at (&virfs_vm_class, vm, link_row (dir));
}

/* `mv` of a guest into another host's vms/.  The kernel holds both directories and all renames of the
 * mount until it is answered, so that is when the migration has begun. */
static void
move_vm (VirfsCall *call, const VirfsNode *dir, const char *name, const VirfsNode *to,
         const char *new_name)
{
  g_autoptr (VirfsVmInfo) info = NULL;
  g_autoptr (VirfsVm) vm = get_vm (dir, name, &info);

  if (vm == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "no guest \"%s\" is on this host", name);
  else if (to->row != dir->row || !g_str_equal (name, new_name))
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED,
                     "a guest moves to another host's vms/ and keeps its name");
  else
    virfs_vm_migrate (call, vm, info, ((VirfsHost *) to->object)->name, FALSE);
}

const VirfsDir virfs_host_vms_dir = { .list = list_vms, .find = find_vm, .move = move_vm };

static void
link_from_firing (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "../../hosts/%s", ((const VirfsHost *) node->object)->name);
}

/* The class. */

#define F(field)                      VIRFS_BIT (VIRFS_HOST_##field)
#define MEMBER(member)                G_STRUCT_OFFSET (VirfsHostInfo, member)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)
#define SHOW_BLOB(field, member)      SHOW (virfs_show_blob, field, member), .size = virfs_size_of_blob

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (STATE),
    .help = "a host: a machine, or whatever a libvirt URI leads to" },
  { "uri", S_IFREG | 0640, VIRFS_ROW_TRUSTED | VIRFS_ROW_SECRET, .fields = F (URI),
    .show = show_uri, .store = store_uri,
    .help = "libvirt URI of its driver, as in qemu+ssh://root@h1/system; a write connects to it and"
            " returns when it has answered" },
  { "state", S_IFREG | 0440, .fields = F (STATE), .show = show_state,
    .help = "unconfigured, connecting, up, or unreachable (then its guests show what was last"
            " known)" },
  { "hostname", S_IFREG | 0440, .fields = SHOW (virfs_show_text, HOSTNAME, hostname),
    .help = "what the host calls itself" },
  { "hypervisor", S_IFREG | 0440, .fields = SHOW (virfs_show_text, HYPERVISOR, hypervisor),
    .help = "hypervisor and its version" },
  { "arch", S_IFREG | 0440, .fields = SHOW (virfs_show_text, ARCH, arch),
    .help = "architecture, as in x86_64" },
  { "cpus", S_IFREG | 0440, .fields = SHOW (show_known_uint, CPUS, cpus),
    .help = "logical CPUs that are online" },
  { "cpu_model", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CPU_MODEL, cpu_model),
    .help = "CPU model in libvirt's words" },
  { "cpu_load", S_IFREG | 0440, .fields = F (CPU_LOAD), .show = show_cpu_load,
    .help = "how busy all CPUs were over the last polling interval, in percent" },
  { "memory", S_IFREG | 0440, .fields = SHOW (virfs_show_known, MEMORY, memory),
    .help = "memory in bytes" },
  { "memory_free", S_IFREG | 0440, .fields = SHOW (virfs_show_known, MEMORY_FREE, memory_free),
    .help = "memory in bytes that guests could have: free or page cache" },
  { "capabilities.xml", S_IFREG | 0440, .fields = SHOW_BLOB (CAPABILITIES, capabilities),
    .help = "libvirt's capabilities of the host" },
  { "sysinfo.xml", S_IFREG | 0440, .fields = SHOW_BLOB (SYSINFO, sysinfo),
    .help = "libvirt's sysinfo of the host (SMBIOS), where the driver has it" },
  VIRFS_MAINTENANCE_ROWS,
  VIRFS_MIGRATION_ROWS (host, "how its guests are migrated away, as far as they say nothing else"),
  VIRFS_HOST_METRIC_ROWS,
  VIRFS_HISTORY_ROWS ("metrics/"),
  VIRFS_EVENTS_ROW (F (EVENTS)),
  { "error", S_IFREG | 0440, .fields = SHOW (virfs_show_text, ERROR, error),
    .help = "what was refused or failed last, or why it cannot be reached" },
  { "vms", S_IFDIR | 0750, .fields = F (VMS), .dir = &virfs_host_vms_dir,
    .help = "links to its guests; mv one into another host's vms to migrate it" },
  { "pools", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_pools_dir,
    .help = "its storage pools" },
  { "networks", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_networks_dir,
    .help = "its networks; mkdir makes one" },
  { "nwfilters", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_filters_dir,
    .help = "network filters, for NICs to have; mkdir, then xml, makes one" },
  VIRFS_PROFILE_ROWS,
  { "interfaces", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_interfaces_dir,
    .help = "its network cards, and the bonds and bridges that are made of them" },
  { "devices", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_node_devices_dir,
    .help
    = "its PCI, USB, SCSI and other devices, by libvirt's names; mkdir makes one of another" },
  { "alarms", S_IFREG | 0440, .fields = SHOW (virfs_show_lines, ALARMS, alarms),
    .help = "the alarms that fire for it or its pools, one a line" },
  { "/alarms/firing/<alarm>~<host>", S_IFLNK | 0777, .fields = F (URI), .link = link_from_firing,
    .help = "a host that an alarm fires for" },
  { BY_DIR, S_IFDIR | 0555, VIRFS_ROW_PUBLIC, .fields = F (VMS), .dir = &virfs_host_vms_dir,
    .help = "links to the guests of a host" },
};

static gconstpointer
snapshot (gpointer object)
{
  return virfs_host_info (object);
}

static void
release (gconstpointer info)
{
  virfs_host_info_unref ((VirfsHostInfo *) info);
}

static gint64
changed (const VirfsNode *node, guint64 fields)
{
  const VirfsHostInfo *info = node->snapshot;
  gint64 known;

  if (virfs_is_metric (node, &known) || (virfs_is_events (node, &known) && known != 0))
    return known;
  return virfs_latest_change (info->changed, VIRFS_HOST_N_FIELDS, fields ? fields : F (URI));
}

static guint64
parent (const VirfsNode *node)
{
  return virfs_inode (&virfs_root_class, 0, virfs_class_row (&virfs_root_class, "hosts"));
}

VirfsClass virfs_host_class = {
  .path = "hosts/<host>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = parent,
  .unref = virfs_object_unref,
  .snapshot = snapshot,
  .release = release,
  .changed = changed,
  .owner = virfs_access_owner,
  .set_owner = virfs_access_set_owner,
};
