/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What virfs keeps with a guest, written: to the running guest and to its definition.  libvirt stores
 * the element as a whole, so one change of a guest at a time reads and writes it.
 */
#include "error.h"
#include "fail.h"
#include "operate.h"
#include "xml_metadata.h"

#include <stdlib.h>

/* Any setting of the metadata tells of all whether the driver has such a call. */
#define CALL_METADATA (LV_CALL_SET + VIRFS_VM_TAGS)

static GMutex turns_lock;
static GCond turns_changed;
static GHashTable *turns; /* under turns_lock; set of UUIDs of guests that somebody changes */

void
lv_operate_take_turn (const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&turns_lock);

  if (turns == NULL)
    turns = g_hash_table_new (g_str_hash, g_str_equal);
  while (!g_hash_table_add (turns, (gpointer) uuid))
    g_cond_wait (&turns_changed, &turns_lock);
}

void
lv_operate_end_turn (const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&turns_lock);

  g_hash_table_remove (turns, uuid);
  g_cond_broadcast (&turns_changed);
}

/* FALSE: it cannot be told; *ELEMENT is NULL where there is none.  The caller frees it. */
static gboolean
read_element (virDomainPtr domain, guint flags, char **element)
{
  *element
    = LV (virDomainGetMetadata (domain, VIR_DOMAIN_METADATA_ELEMENT, LV_METADATA_URI, flags));
  return *element != NULL || lv_last_code () == VIR_ERR_NO_DOMAIN_METADATA;
}

static int
write_element (virDomainPtr domain, const char *element, guint flags)
{
  return LV (virDomainSetMetadata (domain, VIR_DOMAIN_METADATA_ELEMENT, *element ? element : NULL,
                                   LV_METADATA_KEY, LV_METADATA_URI, flags));
}

/* Some drivers change one of the running guest and its definition at a time. */
static int
write_both (virDomainPtr domain, const char *element, guint flags)
{
  int result = write_element (domain, element, flags);

  if (result < 0 && flags == (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
      && lv_last_refused_flags ()) {
    result = write_element (domain, element, VIR_DOMAIN_AFFECT_LIVE);
    if (result >= 0)
      result = write_element (domain, element, VIR_DOMAIN_AFFECT_CONFIG);
  }
  return result;
}

/* What was saved of a guest begins with a definition of its own, which the guest has again when it goes on.
 * Not every driver has one. */
static gboolean
change_saved (LvTask *task, virDomainPtr domain, GError **error)
{
  char *saved = LV (virDomainManagedSaveGetXMLDesc (domain, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE));
  g_autofree char *changed = NULL;

  if (saved == NULL)
    return lv_last_missing () || lv_fail (error, "cannot read what was saved of %s", task->name);
  changed = lv_xml_note_definition (saved, &task->note, error);
  free (saved);
  if (changed == NULL)
    return FALSE;
  return LV (virDomainManagedSaveDefineXML (domain, changed, 0)) == 0
         || lv_fail (error, "cannot change what was saved of %s", task->name);
}

LvOutcome
lv_vm_note_now (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  gboolean live = virfs_vm_state_active (facts->state);
  guint flags = live ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
  g_autofree char *changed = NULL;
  char *element;

  if (!lv_operate_check (task, CALL_METADATA, "change the metadata of", error))
    return LV_FAILED;
  if (!read_element (domain, flags, &element))
    return lv_operate_end (task, -1, CALL_METADATA, "read the metadata of", error);
  changed = lv_xml_edit_metadata (element, &task->note, error);
  free (element);
  if (changed == NULL || (facts->saved && !change_saved (task, domain, error)))
    return LV_FAILED;
  if (facts->persistent)
    flags |= VIR_DOMAIN_AFFECT_CONFIG;
  return lv_operate_end (task, write_both (domain, changed, flags), CALL_METADATA,
                         "change the metadata of", error);
}

static LvOutcome
run_note (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  LvOutcome outcome;

  if (domain == NULL)
    return LV_FAILED;
  lv_operate_take_turn (task->uuid);
  outcome = lv_vm_note_now (task, domain, &facts, error);
  lv_operate_end_turn (task->uuid);
  return outcome;
}

void
lv_vm_note (VirfsVm *vm, const VirfsVmNote *note, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_note);

  if (task == NULL)
    return;
  task->text = g_strdup (note->text ? note->text : "");
  task->note = *note;
  task->note.text = task->text;
  lv_task_submit (task);
}
