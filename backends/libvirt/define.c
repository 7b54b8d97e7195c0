/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacing a guest's definition. */
#include "define.h"

#include "error.h"
#include "fail.h"
#include "operate.h"
#include "xml.h"

#include <stdlib.h>

/* The definition with what it holds that is shown to nobody; NULL if there is none or we may
 * not. */
static char *
read_stored (virDomainPtr domain)
{
  return LV (virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE));
}

static char *
prepare (LvTask *task, virDomainPtr domain, GError **error)
{
  char *stored = read_stored (domain);
  char *xml = lv_xml_adopt_definition (task->text, stored, task->name, task->uuid, error);

  free (stored);
  if (xml == NULL)
    g_prefix_error (error, "cannot define %s: ", task->name);
  return xml;
}

/* Drivers and versions that do not know how to validate check what they can. */
virDomainPtr
lv_define (LvTask *task, virConnectPtr conn, const char *xml)
{
  virDomainPtr domain = NULL;

  if (!lv_link_lacks (task->link, LV_CALL_VALIDATE)) {
    domain = LV (virDomainDefineXMLFlags (conn, xml, VIR_DOMAIN_DEFINE_VALIDATE));
    if (domain != NULL || !(lv_last_missing () || lv_last_refused_flags ()))
      return domain;
    lv_link_note (task->link, LV_CALL_VALIDATE);
  }
  return LV (virDomainDefineXML (conn, xml));
}

int
lv_redefine (LvTask *task, virDomainPtr domain, LvEdit edit, gconstpointer data)
{
  char *stored = read_stored (domain);
  g_autofree char *xml = stored ? edit (stored, data) : NULL;
  g_autoptr (virDomain) defined = NULL;

  free (stored);
  defined = xml ? lv_define (task, virDomainGetConnect (domain), xml) : NULL;
  return defined ? 0 : -1;
}

/* Returns whether it is defined; *TRIED: whether that was tried. */
static gboolean
define (LvTask *task, virDomainPtr domain, gboolean *tried, GError **error)
{
  g_autofree char *xml = prepare (task, domain, error);
  g_autoptr (virDomain) defined = NULL;

  *tried = xml != NULL;
  if (xml == NULL)
    return FALSE;
  defined = lv_define (task, virDomainGetConnect (domain), xml);
  return defined || lv_fail (error, "cannot define %s", task->name);
}

static LvOutcome
run_define (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = lv_task_domain (task, error);
  gboolean tried, defined;

  if (domain == NULL)
    return LV_FAILED;
  lv_operate_take_turn (task->uuid);
  defined = define (task, domain, &tried, error);
  lv_operate_end_turn (task->uuid);
  if (tried)
    lv_task_refresh (task);
  return defined ? LV_DONE : LV_FAILED;
}

void
lv_vm_define (VirfsVm *vm, const char *xml, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_define);

  if (task == NULL)
    return;
  task->text = g_strdup (xml);
  lv_task_submit (task);
}
