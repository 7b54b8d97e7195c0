/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a network or a pool is defined as it is to be, or removed, or put back as it was. */
#include "apply.h"

#include "connection.h"
#include "fail.h"
#include "xml_definition.h"

#include <stdlib.h>

/* One of a host; nothing if OBJECT is NULL. */
typedef struct {
  const LvDefinable *kind;
  gpointer object;
} Defined;

static void
clear_defined (Defined *self)
{
  if (self->object != NULL)
    self->kind->free (self->object);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Defined, clear_defined)

static char *
describe (const Defined *self, gboolean stored)
{
  char *xml = self->kind->describe (self->object, stored);
  char *copy = g_strdup (xml);

  free (xml);
  return copy;
}

/* What is to go. */

/* Somebody may use it since it was said that it is to go. */
static gboolean
remove_it (const Defined *known, const VirfsDefinition *wanted, GError **error)
{
  const LvDefinable *kind = known->kind;
  gboolean persistent = known->object && kind->is_persistent (known->object) > 0;
  g_autofree char *live = known->object ? describe (known, FALSE) : NULL;

  if (known->object == NULL)
    return TRUE;
  if (live != NULL && kind->check_unused && !kind->check_unused (live, wanted, error))
    return FALSE;
  if (kind->is_active (known->object) > 0 && kind->stop (known->object) < 0)
    return lv_fail (error, "cannot stop the %s %s", kind->word, wanted->name);
  return !persistent || kind->undefine (known->object) == 0
         || lv_fail (error, "cannot undefine the %s %s", kind->word, wanted->name);
}

/* What was there before. */

typedef struct {
  char *xml; /* as it was defined, or ran if it was not; NULL: there was nothing */
  gboolean persistent, active, autostart;
} Stood;

static void
clear_stood (Stood *stood)
{
  g_free (stood->xml);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stood, clear_stood)

static gboolean
read_stood (const Defined *known, Stood *stood, GError **error)
{
  int autostart = 0;

  if (known->object == NULL)
    return TRUE;
  stood->persistent = known->kind->is_persistent (known->object) > 0;
  stood->active = known->kind->is_active (known->object) > 0;
  known->kind->get_autostart (known->object, &autostart);
  stood->autostart = autostart != 0;
  stood->xml = describe (known, stood->persistent);
  return stood->xml != NULL || lv_fail (error, "cannot read what is there now");
}

static gboolean
put_back_transient (virConnectPtr conn, const Defined *now, const Stood *stood, GError **error)
{
  g_auto (Defined) back = { now->kind, NULL };
  gboolean runs = now->kind->is_active (now->object) > 0;

  if (now->kind->undefine (now->object) < 0)
    return lv_fail (error, "its definition cannot be removed");
  if (!runs)
    back.object = now->kind->create (conn, stood->xml);
  return runs || back.object != NULL || lv_fail (error, "it does not start again");
}

static gboolean
put_back (virConnectPtr conn, const Defined *now, const Stood *stood, GError **error)
{
  g_auto (Defined) back = { now->kind, NULL };

  if (!stood->persistent)
    return put_back_transient (conn, now, stood, error);
  back.object = now->kind->define (conn, stood->xml);
  if (back.object == NULL)
    return lv_fail (error, "it cannot be defined again");
  now->kind->set_autostart (back.object, stood->autostart);
  return !stood->active || now->kind->is_active (back.object) > 0
         || now->kind->start (back.object) == 0 || lv_fail (error, "it does not start again");
}

/* Nobody else has it any more. */
static void
log_stood (const LvTask *task, const VirfsDefinition *wanted, const Stood *stood)
{
  g_warning ("hosts/%s/%s/%s could not be put back as it was; its definition was: %s",
             task->link->connection->name, virfs_defined_name (wanted->kind), wanted->name,
             stood->xml);
}

/* ERROR says why what is WANTED does not start.  Puts back what stood, and adds what there is now. */
static void
give_up (LvTask *task, const Defined *now, const VirfsDefinition *wanted, const Stood *stood,
         GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = NULL;

  if (stood->xml == NULL)
    text = g_strdup ("; it is defined, and stays stopped");
  else if (put_back (task->here.conn, now, stood, &failure))
    text = g_strdup_printf ("; what was there before is defined again%s",
                            stood->active ? ", and runs" : "");
  else
    text = g_strdup_printf ("; nor is what was there before as it was, for %s; the log has its"
                            " definition",
                            failure->message);
  if (failure != NULL)
    log_stood (task, wanted, stood);
  lv_fail_add (error, text);
}

/* What is wanted. */

/* Whether what runs is as it is defined now; in *LIVE how it runs, NULL: not known. */
static gboolean
runs_as_wanted (const Defined *now, const char *wanted, char **live)
{
  g_autofree char *stored = describe (now, TRUE);
  g_autofree char *made = stored ? lv_xml_definition_made (wanted, stored) : NULL;
  g_autofree char *differ = NULL;

  *live = describe (now, FALSE);
  differ = made && *live ? lv_xml_differ (made, *live) : NULL;
  return differ == NULL;
}

/* *START: it does not run, or not any more, because it was not as it is to be. */
static gboolean
make_way (const Defined *now, const VirfsDefinition *wanted, const char *xml, gboolean *start,
          GError **error)
{
  g_autofree char *before = NULL, *live = NULL;

  *start = wanted->active;
  if (!wanted->active || now->kind->is_active (now->object) <= 0)
    return TRUE;
  *start = !runs_as_wanted (now, xml, &before);
  if (!*start)
    return TRUE;
  if (now->kind->update != NULL)
    now->kind->update (now->object, xml);
  *start = !runs_as_wanted (now, xml, &live);
  if (!*start)
    return TRUE;
  if (!now->kind->check_restart (live, wanted, error))
    return FALSE;
  now->kind->stop (now->object);
  return TRUE;
}

static gpointer
define (LvTask *task, const Defined *known, const char *text)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autofree char *xml = NULL;

  if (known->object != NULL)
    known->kind->get_uuid (known->object, uuid);
  xml = lv_xml_identify (text, known->object ? uuid : NULL);
  return known->kind->define (task->here.conn, xml);
}

gboolean
lv_apply_definable (const LvDefinable *kind, LvTask *task, const VirfsDefinition *wanted,
                    const char *text, GError **error)
{
  g_auto (Defined) known = { kind, kind->look_up (task->here.conn, wanted->name) };
  g_auto (Defined) now = { kind, NULL };
  g_auto (Stood) stood = { 0 };
  gboolean start;

  if (wanted->remove)
    return remove_it (&known, wanted, error);
  if (!read_stood (&known, &stood, error))
    return FALSE;
  now.object = define (task, &known, text);
  if (now.object == NULL)
    return lv_fail (error, "cannot define the %s %s", kind->word, wanted->name);
  if (kind->set_autostart (now.object, wanted->autostart) < 0)
    lv_fail (error, "cannot set autostart of the %s %s", kind->word, wanted->name);
  else if (!make_way (&now, wanted, text, &start, error))
    return FALSE;
  else if (!start || kind->start (now.object) == 0)
    return TRUE;
  else
    lv_fail (error, "cannot start the %s %s", kind->word, wanted->name);
  give_up (task, &now, wanted, &stood, error);
  return FALSE;
}
