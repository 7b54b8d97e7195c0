/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One guest at a time, through whatever connection the caller has. */
#include "domain.h"

#include "agent.h"
#include "connection.h"
#include "console_stream.h"
#include "cpuset.h"
#include "fail.h"
#include "gate.h"
#include "isolation.h"
#include "snapshot_list.h"
#include "measure.h"
#include "node.h"
#include "pins.h"
#include "state.h"
#include "xml.h"

#include <stdlib.h>

/* A guest that changes all the time while it is read. */
#define ATTEMPTS 3

gboolean
lv_domain_ask_facts (virDomainPtr domain, LvFacts *facts)
{
  int state, reason, autostart = 0;

  if (LV (virDomainGetState (domain, &state, &reason, 0)) < 0)
    return FALSE;
  *facts = (LvFacts){ .state = lv_state (state), .reason = lv_state_reason (state, reason) };
  facts->persistent = LV (virDomainIsPersistent (domain)) != 0;
  facts->autostart = LV (virDomainGetAutostart (domain, &autostart)) == 0 && autostart != 0;
  if (!virfs_vm_state_active (facts->state))
    facts->saved = LV (virDomainHasManagedSaveImage (domain, 0)) > 0;
  return TRUE;
}

static VirfsBlob *
read_xml (virDomainPtr domain, guint flags, VirfsVmInfo *info, LvDevices *devices)
{
  char *xml = LV (virDomainGetXMLDesc (domain, flags));
  VirfsBlob *blob = NULL;

  if (xml != NULL) {
    blob = virfs_blob_new (xml);
    if (info != NULL || devices != NULL)
      lv_xml_read_domain (xml, info, devices);
    free (xml);
  }
  return blob;
}

/* A guest that crashed may have kept its process; then it has two definitions, too. */
static gboolean
has_process (virDomainPtr domain)
{
  return virDomainGetID (domain) != (unsigned int) -1;
}

static VirfsBlob *
read_inactive_xml (virDomainPtr domain, gboolean persistent, VirfsBlob *xml, VirfsVmInfo *info,
                   LvDevices *devices)
{
  if (!has_process (domain))
    return virfs_blob_ref (xml);
  return persistent ? read_xml (domain, VIR_DOMAIN_XML_INACTIVE, info, devices) : NULL;
}

/* Pins cannot be taken from a running guest: it is given all CPUs.  Where its definition has none
 * they are none. */
static void
forget_pins (LvLink *link, virDomainPtr domain, VirfsVmInfo *info, const VirfsVmInfo *next)
{
  g_autoptr (GByteArray) all = NULL;
  g_autofree char *pins = NULL;

  if (g_strcmp0 (info->vcpu_pins, next->vcpu_pins) == 0
      && g_strcmp0 (info->emulator_cpuset, next->emulator_cpuset) == 0)
    return;
  all = virfs_cpuset_first (lv_node_cpus (link, virDomainGetConnect (domain)));
  pins = virfs_pins_forget (info->vcpu_pins, next->vcpu_pins, info->vcpus_max, all);
  virfs_ref_string_set (&info->vcpu_pins, pins);
  if (next->emulator_cpuset == NULL && virfs_cpuset_text_covers (info->emulator_cpuset, all))
    virfs_ref_string_set (&info->emulator_cpuset, NULL);
}

/* What INFO, of a running guest, tells of its definition, which NEXT is read from. */
static void
tell_next (LvLink *link, virDomainPtr domain, VirfsVmInfo *info, VirfsVmInfo *next)
{
  forget_pins (link, domain, info, next);
  g_clear_pointer (&info->boot, g_ref_string_release);
  info->boot = g_steal_pointer (&next->boot);
}

static void
read_definitions (LvLink *link, virDomainPtr domain, VirfsVmInfo *info)
{
  g_auto (LvDevices) devices = { 0 };
  g_auto (LvDevices) next_devices = { 0 };
  g_autoptr (VirfsVmInfo) next = virfs_vm_info_new (info->uuid, info->name);

  lv_devices_init (&devices);
  lv_devices_init (&next_devices);
  info->xml = read_xml (domain, 0, info, &devices);
  info->xml_inactive = read_inactive_xml (domain, info->persistent, info->xml, next, &next_devices);
  if (has_process (domain)) {
    info->agent = devices.agent;
    virfs_ref_string_set (&info->graphics, devices.graphics ? devices.graphics->str : NULL);
  }
  if (has_process (domain))
    lv_devices_tell (&devices, &next_devices, info);
  else
    lv_devices_tell (NULL, &devices, info);
  if (info->isolation != NULL)
    virfs_isolation_mark (info);
  if (has_process (domain) && info->xml != NULL && info->xml_inactive != NULL) {
    tell_next (link, domain, info, next);
    lv_devices_tell_boot (&next_devices, info);
  } else {
    lv_devices_tell_boot (&devices, info);
  }
}

char *
lv_domain_xml (virDomainPtr domain, guint flags)
{
  char *text = LV (virDomainGetXMLDesc (domain, flags));
  char *xml = g_strdup (text);

  free (text);
  return xml;
}

VirfsVmInfo *
lv_domain_read (LvLink *link, virDomainPtr domain, const LvFacts *facts)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autoptr (VirfsVmInfo) info = NULL;

  virDomainGetUUIDString (domain, uuid);
  info = virfs_vm_info_new (uuid, virDomainGetName (domain));
  info->id = has_process (domain) ? (int) virDomainGetID (domain) : -1;
  info->state = facts->state;
  info->reason = facts->reason;
  info->autostart = facts->autostart;
  info->persistent = facts->persistent;
  info->saved = facts->saved;
  /* a backup ends with the QEMU that serves it */
  if (!virfs_vm_state_active (info->state))
    virfs_part_lists_set (info->parts, VIRFS_VM_BACKUPS, virfs_part_list_new ());
  info->frozen = virfs_vm_state_active (info->state) && lv_agent_is_frozen (uuid);
  read_definitions (link, domain, info);
  if (info->xml == NULL && lv_last_code () == VIR_ERR_NO_DOMAIN)
    return NULL;
  return g_steal_pointer (&info);
}

static void
read_snapshots (LvLink *link, virDomainPtr domain, VirfsVmInfo *info)
{
  g_autoptr (VirfsVmInfo) known = lv_gate_known_vm (link, info->uuid);

  lv_snapshots_read (link, domain, known, info);
}

/* FALSE: nothing is known, neither that it is there nor that it is gone. */
static gboolean
look_up (LvLink *link, virConnectPtr conn, const char *uuid, VirfsVmInfo **info)
{
  g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (conn, uuid));
  LvFacts facts;

  *info = NULL;
  if (domain != NULL && lv_domain_ask_facts (domain, &facts)) {
    *info = lv_domain_read (link, domain, &facts);
    if (*info != NULL)
      read_snapshots (link, domain, *info);
    return *info != NULL || lv_last_code () == VIR_ERR_NO_DOMAIN;
  }
  return lv_last_code () == VIR_ERR_NO_DOMAIN;
}

static gboolean
attempt (LvLink *link, virConnectPtr conn, const char *uuid, gint64 born)
{
  guint64 ticket = lv_gate_begin_reading (link);
  g_autoptr (VirfsVmInfo) known = lv_gate_known_vm (link, uuid);
  VirfsVmInfo *info;
  gboolean done = TRUE;

  if (look_up (link, conn, uuid, &info)) {
    if (info != NULL)
      lv_agent_look (link, known, info);
    if (info != NULL)
      lv_measure_new (link, conn, info);
    /* the registry keeps it from one info to the next */
    if (info != NULL && born != 0)
      info->created = lv_gate_created (link, uuid, born);
    done = lv_gate_tell_vm (link, ticket, uuid, info);
    lv_console_look (link, uuid);
  }
  lv_gate_end_reading (link);
  return done;
}

void
lv_domain_refresh (LvLink *link, virConnectPtr conn, const char *uuid, gint64 born)
{
  for (int i = 0; i < ATTEMPTS && !g_atomic_int_get (&link->dead); i++)
    if (attempt (link, conn, uuid, born))
      return;
  /* whoever reads it next, maybe through another link, will have the truth */
  lv_connection_queue (link, uuid, born);
}

void
lv_domain_check (LvLink *link, virConnectPtr conn, virDomainPtr domain)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autoptr (VirfsVmInfo) known = NULL;
  g_autoptr (VirfsBlob) xml = NULL;
  g_autoptr (VirfsBlob) inactive = NULL;

  virDomainGetUUIDString (domain, uuid);
  known = lv_gate_known_vm (link, uuid);
  if (known == NULL)
    return;
  xml = read_xml (domain, 0, NULL, NULL);
  inactive = read_inactive_xml (domain, known->persistent, xml, NULL, NULL);
  if (!virfs_blob_equal (xml, known->xml) || !virfs_blob_equal (inactive, known->xml_inactive))
    lv_domain_refresh (link, conn, uuid, 0);
}
