/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords of guests' screens: of the guest that runs alone, and for a while. */
#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "xml_graphics.h"

#include <string.h>

typedef struct {
  const char *password;
  gint64 until;
} Password;

static void
take_password (VirfsVmInfo *info, gpointer data)
{
  const Password *password = data;

  virfs_ref_string_set (&info->password, password->password);
  info->password_until = password->until;
}

static void
tell (LvTask *task, Password *password)
{
  guint64 ticket = lv_gate_begin_reading (task->link);

  lv_gate_edit_vm (task->link, ticket, task->uuid, take_password, password);
  lv_gate_end_reading (task->link);
}

/* As libvirt wants it: in UTC, and without saying so. */
static char *
print_time (gint64 time)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);

  return g_date_time_format (date, "%Y-%m-%dT%H:%M:%S");
}

/* Nobody gets in with one that has run out. */
static GPtrArray *
elements_with (virDomainPtr domain, const Password *password)
{
  g_autofree char *xml = lv_domain_xml (domain, VIR_DOMAIN_XML_SECURE);
  g_autofree char *until = print_time (password->until);

  return lv_xml_graphics_with_password (xml ? xml : "", *password->password ? password->password : "-",
                                        until);
}

static gboolean
update (LvTask *task, virDomainPtr domain, const Password *password, GError **error)
{
  g_autoptr (GPtrArray) elements = elements_with (domain, password);

  if (elements->len == 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s has no screen that could have a password", task->name);
    return FALSE;
  }
  for (guint i = 0; i < elements->len; i++)
    if (LV (virDomainUpdateDeviceFlags (domain, elements->pdata[i], VIR_DOMAIN_AFFECT_LIVE)) < 0)
      return lv_fail (error,
                      "cannot set the password of the screen of %s; it must have been started with one in"
                      " the <graphics> of its definition",
                      task->name);
  return TRUE;
}

static LvOutcome
run_password (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  Password password = { task->text, G_USEC_PER_SEC };
  gboolean done;

  if (domain == NULL)
    return LV_FAILED;
  if (!virfs_vm_state_active (facts.state)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s does not run", task->name);
    return LV_FAILED;
  }
  if (*task->text != '\0')
    password.until = g_get_real_time () + lv_options ()->password_timeout * G_TIME_SPAN_SECOND;
  lv_operate_take_turn (task->uuid);
  done = update (task, domain, &password, error);
  lv_operate_end_turn (task->uuid);
  if (done)
    tell (task, &password);
  return done ? LV_DONE : LV_FAILED;
}

void
lv_vm_password (VirfsVm *vm, const char *password, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_password);

  if (task == NULL)
    return;
  task->text = g_strdup (password);
  lv_task_submit (task);
}
