/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The backend: what the model calls, and what the program chooses. */
#include "create.h"
#include "libvirt.h"

#include "connection.h"
#include "console_stream.h"
#include "event.h"
#include "fail.h"
#include "image_open.h"
#include "local.h"
#include "move.h"
#include "operate.h"
#include "plug.h"
#include "private.h"
#include "stats.h"
#include "storage.h"
#include "uri.h"
#include "xml.h"
#include "xml_definition.h"

#include <libxml/parser.h>

static VirfsLibvirtOptions options = VIRFS_LIBVIRT_DEFAULTS;

const VirfsLibvirtOptions *
lv_options (void)
{
  return &options;
}

/* Errors are told by who asked; libvirt would print them, too. */
static void
be_silent (void *data, virErrorPtr error)
{
}

/* So would libxml2, in whatever thread libvirt uses it. */
static void G_GNUC_PRINTF (2, 3) be_silent_too (void *context, const char *format, ...)
{
}

void
virfs_libvirt_init (const VirfsLibvirtOptions *chosen)
{
  if (chosen != NULL)
    options = *chosen;
  options.poll_interval = MAX (options.poll_interval, 1);
  xmlInitParser ();
  xmlThrDefSetGenericErrorFunc (NULL, be_silent_too);
  virSetErrorFunc (NULL, be_silent);
  /* what libvirt would log by itself it also returns */
  g_setenv ("LIBVIRT_DEBUG", "4", FALSE);
  lv_events_start ();
  virInitialize ();
}

gboolean
virfs_libvirt_probe (const char *uri, GError **error)
{
  g_autoptr (virConnect) conn = NULL;

  virSetErrorFunc (NULL, be_silent);
  conn = LV (virConnectOpen (uri));
  if (conn == NULL)
    lv_fail (error, "cannot connect");
  return conn != NULL;
}

virConnectPtr
virfs_libvirt_connection (VirfsHost *host)
{
  g_autoptr (LvLink) link = lv_host_link (host, NULL);

  return link ? lv_link_events (link) : NULL;
}

static gboolean
check_uri (const char *uri, GError **error)
{
  g_autoptr (LvUri) parsed = lv_uri_parse (uri, error);

  return parsed != NULL;
}

static VirfsVmNeeds *
vm_needs (const VirfsVmInfo *info, GError **error)
{
  g_autofree char *xml = virfs_blob_text (info->xml);

  return lv_xml_read_needs (xml ? xml : "", error);
}

const VirfsBackend virfs_libvirt_backend = {
  .name = "libvirt",
  .check_uri = check_uri,
  .host_open = lv_host_open,
  .host_close = lv_host_close,
  .host_sample = lv_host_sample,
  .host_uses = lv_host_uses,
  .pools_apart = lv_pools_apart,
  .vm_needs = vm_needs,
  .vm_bring = lv_vm_bring,
  .vm_verb = lv_vm_verb,
  .vm_set = lv_vm_set,
  .vm_note = lv_vm_note,
  .vm_isolate = lv_vm_isolate,
  .vm_define = lv_vm_define,
  .vm_seed = lv_vm_seed,
  .vm_create = lv_vm_create,
  .draft_clean = lv_draft_clean,
  .vm_undefine = lv_vm_undefine,
  .vm_rename = lv_vm_rename,
  .vm_migrate = lv_vm_migrate,
  .vm_keys = lv_vm_keys,
  .vm_screenshot = lv_vm_screenshot,
  .vm_password = lv_vm_password,
  .console_open = lv_console_open,
  .console_send = lv_console_send,
  .console_leave = lv_console_leave,
  .agent_verb = lv_vm_agent_verb,
  .agent_set_time = lv_vm_agent_set_time,
  .agent_set_password = lv_vm_agent_set_password,
  .agent_exec = lv_agent_exec,
  .agent_ssh_keys = lv_agent_ssh_keys,
  .device_attach = lv_device_attach,
  .device_detach = lv_device_detach,
  .device_set = lv_device_set,
  .snapshot_take = lv_snapshot_take,
  .snapshot_delete = lv_snapshot_delete,
  .snapshot_revert = lv_snapshot_revert,
  .snapshot_describe = lv_snapshot_describe,
  .checkpoint_make = lv_checkpoint_make,
  .checkpoint_delete = lv_checkpoint_delete,
  .backup_begin = lv_backup_begin,
  .backup_end = lv_backup_end,
  .disks_move = lv_disks_move,
  .pool_verb = lv_pool_verb,
  .pool_set = lv_pool_set,
  .pool_define = lv_pool_define,
  .volume_create = lv_volume_create,
  .volume_resize = lv_volume_resize,
  .volume_verb = lv_volume_verb,
  .volume_rename = lv_volume_rename,
  .network_verb = lv_network_verb,
  .network_set = lv_network_set,
  .network_define = lv_network_define,
  .filter_define = lv_filter_define,
  .filter_undefine = lv_filter_undefine,
  .node_device_verb = lv_node_device_verb,
  .node_device_set_autostart = lv_node_device_set_autostart,
  .host_apply = lv_host_apply,
  .definition_check = lv_xml_check_definition,
  .definition_read = lv_xml_read_definition,
  .definition_write = lv_xml_write_definition,
  .definition_made = lv_xml_definition_made,
  .definition_differ = lv_xml_differ,
  .volume_file = lv_volume_file,
  .volume_read = lv_volume_read,
  .volume_write = lv_volume_write,
};
