/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords of guests' screens: of the guest that runs alone, and for a while or for one who gets in. */
#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "seat.h"
#include "xml_graphics.h"

#include <string.h>

/* For a viewer of SPICE, from its first channel to its last. */
#define CHANNELS_TIME (10 * G_TIME_SPAN_SECOND)
/* Between attempts to reach the host. */
#define SEAT_PAUSE G_TIME_SPAN_SECOND

typedef struct {
  const char *password;
  gint64 until;
  gboolean once;
} Password;

/* Nobody gets in with one that ran out long ago. */
static const Password nobody = { .password = "", .until = G_USEC_PER_SEC };

static void
take_password (VirfsVmInfo *info, gpointer data)
{
  const Password *password = data;

  virfs_ref_string_set (&info->password, password->password);
  info->password_until = password->until;
  info->password_once = password->once;
}

static void
tell (LvLink *link, const char *uuid, const Password *password)
{
  guint64 ticket = lv_gate_begin_reading (link);

  lv_gate_edit_vm (link, ticket, uuid, take_password, (gpointer) password);
  lv_gate_end_reading (link);
}

/* As libvirt wants it: in UTC, and without saying so. */
static char *
print_time (gint64 time)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);

  return g_date_time_format (date, "%Y-%m-%dT%H:%M:%S");
}

/* One there must be; whoever is in stays. */
static void
add_elements (GPtrArray *elements, const char *xml, const char *type, const Password *password)
{
  g_autofree char *until = print_time (password->until);

  lv_xml_graphics_with_password (elements, xml ? xml : "", type,
                                 *password->password ? password->password : "-", until);
}

static gboolean
update (virDomainPtr domain, const Password *vnc, const Password *spice, GError **error)
{
  g_autofree char *xml = lv_domain_xml (domain, VIR_DOMAIN_XML_SECURE);
  g_autoptr (GPtrArray) elements = g_ptr_array_new_with_free_func (g_free);

  add_elements (elements, xml, "vnc", vnc);
  add_elements (elements, xml, "spice", spice);
  if (elements->len == 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s has no screen that could have a password", lv_domain_name (domain));
    return FALSE;
  }
  for (guint i = 0; i < elements->len; i++)
    if (LV (virDomainUpdateDeviceFlags (domain, elements->pdata[i], VIR_DOMAIN_AFFECT_LIVE)) < 0)
      return lv_fail (
        error,
        "cannot set the password of the screen of %s; it must have been started with one in"
        " the <graphics> of its definition",
        lv_domain_name (domain));
  return TRUE;
}

static LvOutcome
run_password (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  Password password = { task->text, nobody.until, task->number != 0 };
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
  done = update (domain, &password, &password, error);
  if (done)
    tell (task->link, task->uuid, &password);
  lv_operate_end_turn (task->uuid);
  return done ? LV_DONE : LV_FAILED;
}

void
lv_vm_password (VirfsVm *vm, const char *password, gboolean once, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_password);

  if (task == NULL)
    return;
  task->text = g_strdup (password);
  task->number = once;
  lv_task_submit (task);
}

/* One that was for once, and has been used. */

typedef struct {
  LvLink *link; /* a reference */
  char *uuid;
  VirfsVmInfo *info; /* with the password; a reference */
} Used;

/* Another one may have been set meanwhile.  In the guest's turn. */
static gboolean
is_still (const Used *used)
{
  g_autoptr (VirfsVmInfo) info = lv_gate_known_vm (used->link, used->uuid);

  return info != NULL && info->password_until == used->info->password_until
         && g_strcmp0 (info->password, used->info->password) == 0;
}

/* A guest that has stopped has no password any more.  A viewer of SPICE comes in by several channels, one after the
 * other, of which the first has told. */
static void
end_now (const Used *used, virConnectPtr conn)
{
  g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (conn, used->uuid));
  gint64 soon = g_get_real_time () + CHANNELS_TIME;
  Password rest = { used->info->password, MIN (soon, used->info->password_until), FALSE };
  g_autoptr (GError) error = NULL;

  if (domain == NULL || !is_still (used))
    return;
  if (update (domain, &nobody, &rest, &error))
    tell (used->link, used->uuid, &nobody);
  else if (LV (virDomainIsActive (domain)) == 1)
    g_warning ("a password that was for once stays until it runs out: %s", error->message);
}

/* Tries it as long as somebody could still get in. */
static gboolean
take_seat (LvSeat *seat, const Used *used)
{
  g_autoptr (GError) error = NULL;

  if (lv_seat_take (seat, used->link, &error))
    return TRUE;
  g_warning ("a password that was for once stays until its host is reached: %s", error->message);
  while (lv_link_is_alive (used->link) && g_get_real_time () < used->info->password_until) {
    g_usleep (SEAT_PAUSE);
    if (lv_seat_take (seat, used->link, NULL))
      return TRUE;
  }
  return FALSE;
}

static gpointer
end_used (gpointer data)
{
  Used *used = data;
  LvSeat seat = { 0 };

  if (take_seat (&seat, used)) {
    lv_operate_take_turn (used->uuid);
    end_now (used, seat.conn);
    lv_operate_end_turn (used->uuid);
    lv_seat_leave (&seat);
  }
  lv_link_unref (used->link);
  virfs_vm_info_unref (used->info);
  g_free (used->uuid);
  g_free (used);
  return NULL;
}

/* Events may not wait, and nobody waits for this; so it has a thread. */
void
lv_password_used (LvLink *link, const char *uuid)
{
  g_autoptr (VirfsVmInfo) info = lv_gate_known_vm (link, uuid);
  Used *used;

  if (info == NULL || !info->password_once)
    return;
  used = g_new0 (Used, 1);
  used->link = lv_link_ref (link);
  used->uuid = g_strdup (uuid);
  used->info = g_steal_pointer (&info);
  g_thread_unref (g_thread_new ("virfs-password", end_used, used));
}
