/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drafts of guests: their records, and their lives.
 *
 * A change is kept before it is shown.  Changes of one draft come one after the other (the
 * drafting lock), because each keeps the whole of it.
 */
#include "draft.h"

#include "error.h"
#include "registry.h"
#include "text.h"

#include <string.h>

static const VirfsMember members[] = {
#define MEMBER(member, type, field) VIRFS_MEMBER (VirfsDraftInfo, member, type, field)
  MEMBER (uuid, TEXT, BIRTH),
  MEMBER (state, WORD, STATE),
  MEMBER (image, TEXT, CONFIG),
  MEMBER (clone, WORD, CONFIG),
  MEMBER (disk_size, NUMBER, CONFIG),
  MEMBER (pool, TEXT, CONFIG),
  MEMBER (network, TEXT, CONFIG),
  MEMBER (iso, TEXT, CONFIG),
  MEMBER (boot, WORD, CONFIG),
  MEMBER (firmware, WORD, CONFIG),
  MEMBER (machine, TEXT, CONFIG),
  MEMBER (kernel, TEXT, CONFIG),
  MEMBER (initrd, TEXT, CONFIG),
  MEMBER (cmdline, TEXT, CONFIG),
  MEMBER (host, TEXT, CONFIG),
  MEMBER (title, TEXT, CONFIG),
  MEMBER (description, TEXT, CONFIG),
  MEMBER (autostart, BOOL, CONFIG),
  MEMBER (vcpus, NUMBER, CONFIG),
  MEMBER (vcpus_max, NUMBER, CONFIG),
  MEMBER (memory, NUMBER, CONFIG),
  MEMBER (memory_max, NUMBER, CONFIG),
  MEMBER (user_data, TEXT, CONFIG),
  MEMBER (meta_data, TEXT, CONFIG),
  MEMBER (network_config, TEXT, CONFIG),
  MEMBER (xml, BLOB, XML),
  MEMBER (uid, NUMBER, OWNER),
  MEMBER (gid, NUMBER, OWNER),
  MEMBER (mode, NUMBER, OWNER),
  MEMBER (made, TEXT, USE),
  MEMBER (error, TEXT, STATE),
#undef MEMBER
};

const VirfsPartClass virfs_draft_class = {
  .kind = VIRFS_KIND_DRAFT,
  .directory = "vms",
  .size = sizeof (VirfsDraftInfo),
  .members = members,
  .n_members = G_N_ELEMENTS (members),
};

#define GROUP "draft"

static const char draft_state[] = "draft";
static const char creating[] = "creating";

void
virfs_draft_owner (const VirfsDraftInfo *info, VirfsOwner *owner)
{
  *owner = (VirfsOwner){ (guint) info->uid, (guint) info->gid, (guint) info->mode };
}

char *
virfs_draft_print (const VirfsDraftInfo *info)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  g_key_file_set_string (file, GROUP, "name", info->part.name);
  virfs_part_info_save (info, file, GROUP);
  return g_key_file_to_data (file, NULL, NULL);
}

static VirfsDraftInfo *
new_info (const char *name, const char *uuid)
{
  VirfsDraftInfo *info = virfs_part_info_new (&virfs_draft_class, name);

  info->uuid = g_ref_string_new (uuid);
  info->state = draft_state;
  info->mode = VIRFS_OWNER_MODE;
  return info;
}

VirfsDraftInfo *
virfs_draft_parse (const char *uuid, const char *text, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *name = NULL;
  VirfsDraftInfo *info;

  if (g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
    name = g_key_file_get_string (file, GROUP, "name", NULL);
  if (name == NULL || *name == '\0') {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "the record of the draft %s is broken",
                 uuid);
    return NULL;
  }
  info = new_info (name, uuid);
  virfs_part_info_load (info, file, GROUP);
  info->state = draft_state;
  virfs_ref_string_set (&info->uuid, uuid);
  return info;
}

static void
check_root (GMarkupParseContext *context, const char *name, const char **names, const char **values,
            gpointer data, GError **error)
{
  if (g_markup_parse_context_get_element_stack (context)->next == NULL
      && !g_str_equal (name, "domain"))
    g_set_error (error, G_MARKUP_ERROR, G_MARKUP_ERROR_UNKNOWN_ELEMENT,
                 "its root is \"%s\", not \"domain\"", name);
}

gboolean
virfs_draft_check_xml (const char *text, GError **error)
{
  static const GMarkupParser parser = { .start_element = check_root };
  GMarkupParseContext *context
    = g_markup_parse_context_new (&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, NULL, NULL);
  g_autoptr (GError) reason = NULL;
  gboolean fine = g_markup_parse_context_parse (context, text, -1, &reason)
                  && g_markup_parse_context_end_parse (context, &reason);

  g_markup_parse_context_free (context);
  if (!fine)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "this is no definition of a guest: %s",
                 reason->message);
  return fine;
}

static gboolean
keep (VirfsInfra *infra, const VirfsDraftInfo *info, GError **error)
{
  g_autofree char *text = virfs_draft_print (info);

  return virfs_infra_keep (infra, VIRFS_RECORD_DRAFT, info->uuid, text, error);
}

/* Lives. */

static gboolean
check_name (const char *name, GError **error)
{
  g_autofree char *label = virfs_name_encode (name);

  if (g_str_equal (label, name))
    return TRUE;
  if (strlen (name) > VIRFS_NAME_OWN_MAX)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "\"%s\" cannot be the name of a guest: it has %zu bytes, more than %d", name,
                 strlen (name), VIRFS_NAME_OWN_MAX);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "\"%s\" cannot be the name of a guest: no leading dot, no %%, no control"
                 " characters",
                 name);
  return FALSE;
}

gboolean
virfs_infra_check_vm_name (VirfsInfra *infra, const char *name, GError **error)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (infra, name);
  g_autoptr (VirfsPart) draft = virfs_infra_part (infra, &infra->root, &virfs_draft_class, name);

  if (!check_name (name, error))
    return FALSE;
  if (vm != NULL || draft != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "there is a %s of that name",
                 vm ? "guest" : "draft");
  return vm == NULL && draft == NULL;
}

void
virfs_infra_foreach_draft (VirfsInfra *infra, VirfsDraftFunc func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  for (guint i = 0; infra->drafts && i < infra->drafts->len; i++)
    func (virfs_registry_draft (infra, ((VirfsPartInfo *) infra->drafts->pdata[i])->name), data);
}

/* Under the drafting lock; INFO is taken. */
static VirfsPart *
add (VirfsInfra *infra, VirfsDraftInfo *info, GError **error)
{
  VirfsPart *draft = virfs_infra_add_draft (infra, &infra->root, virfs_part_info_ref (info), error);

  if (draft != NULL && !keep (infra, info, error)) {
    virfs_infra_drop_draft (infra, draft);
    g_clear_pointer (&draft, virfs_object_unref);
  }
  virfs_part_info_unref (info);
  return draft;
}

VirfsPart *
virfs_infra_make_draft (VirfsInfra *infra, const char *name, guint uid, guint gid, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autofree char *uuid = g_uuid_string_random ();
  VirfsDraftInfo *info;

  if (!virfs_infra_check_vm_name (infra, name, error))
    return NULL;
  info = new_info (name, uuid);
  info->uid = uid;
  info->gid = gid;
  return add (infra, info, error);
}

void
virfs_infra_restore_draft (VirfsInfra *infra, const char *uuid, const char *text)
{
  g_autoptr (GError) error = NULL;
  VirfsDraftInfo *info = virfs_draft_parse (uuid, text, &error);
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (infra, uuid);
  g_autoptr (VirfsPart) draft = NULL;

  if (vm != NULL) {
    virfs_part_info_unref (info);
    virfs_infra_forget (infra, VIRFS_RECORD_DRAFT, uuid, NULL);
    return;
  }
  if (info != NULL)
    draft = virfs_infra_add_draft (infra, &infra->root, info, &error);
  if (draft == NULL)
    g_warning ("a draft is lost: %s", error->message);
}

static gboolean
check_idle (const VirfsDraftInfo *info, GError **error)
{
  if (info->state != creating)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s is being made; wait until that is over, or cancel it in jobs/", info->part.name);
  return FALSE;
}

static void
replace_all (gpointer info, gpointer data)
{
  VirfsDraftInfo *self = info;
  const VirfsDraftInfo *from = data;

  virfs_part_info_assign (self, from);
}

/* Under the drafting lock: keeps a changed copy and shows it. */
static gboolean
change (VirfsInfra *infra, VirfsPart *draft, VirfsPartEdit edit, gpointer data, GError **error)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (draft);
  g_autoptr (VirfsPartInfo) changed = virfs_part_info_copy (known);

  edit (changed, data);
  if (!keep (infra, (VirfsDraftInfo *) changed, error))
    return FALSE;
  if (virfs_infra_edit_part (infra, draft, replace_all, changed))
    return TRUE;
  virfs_infra_forget (infra, VIRFS_RECORD_DRAFT, ((VirfsDraftInfo *) changed)->uuid, NULL);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "the draft is gone");
  return FALSE;
}

gboolean
virfs_infra_change_draft (VirfsInfra *infra, VirfsPart *draft, VirfsPartEdit edit, gpointer data,
                          GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (VirfsPartInfo) known = virfs_part_info (draft);

  return check_idle ((VirfsDraftInfo *) known, error) && change (infra, draft, edit, data, error);
}

static void
set_owner (gpointer info, gpointer data)
{
  VirfsDraftInfo *self = info;
  const VirfsOwner *owner = data;

  self->uid = owner->uid;
  self->gid = owner->gid;
  self->mode = owner->mode;
}

gboolean
virfs_infra_give_draft (VirfsInfra *infra, VirfsPart *draft, const VirfsOwner *owner,
                        GError **error)
{
  return virfs_infra_change_draft (infra, draft, set_owner, (gpointer) owner, error);
}

gboolean
virfs_infra_rename_draft (VirfsInfra *infra, VirfsPart *draft, const char *name, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (VirfsPartInfo) known = virfs_part_info (draft);
  g_autoptr (VirfsPart) renamed = NULL;
  VirfsDraftInfo *info;

  if (!check_idle ((VirfsDraftInfo *) known, error)
      || !virfs_infra_check_vm_name (infra, name, error))
    return FALSE;
  info = virfs_part_info_copy (known);
  virfs_ref_string_set (&info->part.name, name);
  /* one record, by the UUID: it has one name or the other */
  renamed = add (infra, info, error);
  return renamed != NULL && virfs_infra_drop_draft (infra, draft);
}

gboolean
virfs_infra_remove_draft (VirfsInfra *infra, VirfsPart *draft, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (VirfsPartInfo) known = virfs_part_info (draft);
  const VirfsDraftInfo *info = (VirfsDraftInfo *) known;

  if (!check_idle (info, error)
      || !virfs_infra_forget (infra, VIRFS_RECORD_DRAFT, info->uuid, error))
    return FALSE;
  virfs_infra_drop_draft (infra, draft);
  virfs_registry_offer (infra, draft->label);
  return TRUE;
}

/* Making. */

static void
set_state (gpointer info, gpointer state)
{
  ((VirfsDraftInfo *) info)->state = state;
}

gboolean
virfs_infra_begin_making (VirfsInfra *infra, VirfsPart *draft, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (VirfsPartInfo) known = virfs_part_info (draft);
  const VirfsDraftInfo *info = (VirfsDraftInfo *) known;

  if (!check_idle (info, error))
    return FALSE;
  virfs_registry_hide (infra, info->uuid, TRUE);
  if (virfs_infra_edit_part (infra, draft, set_state, (gpointer) creating))
    return TRUE;
  virfs_registry_hide (infra, info->uuid, FALSE);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "the draft is gone");
  return FALSE;
}

void
virfs_infra_end_making (VirfsInfra *infra, VirfsPart *draft, gboolean made)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (VirfsPartInfo) known = virfs_part_info (draft);
  const VirfsDraftInfo *info = (VirfsDraftInfo *) known;
  g_autoptr (GError) error = NULL;

  if (!made)
    virfs_infra_edit_part (infra, draft, set_state, (gpointer) draft_state);
  /* a record that stays goes when the guest is seen at the next start */
  else if (!virfs_infra_forget (infra, VIRFS_RECORD_DRAFT, info->uuid, &error))
    g_warning ("the draft of %s stays in the store: %s", info->part.name, error->message);
  if (made)
    virfs_infra_drop_draft (infra, draft);
  virfs_registry_hide (infra, info->uuid, FALSE);
}

static void
add_made (gpointer info, gpointer line)
{
  VirfsDraftInfo *self = info;
  g_autofree char *all = g_strconcat (self->made ? self->made : "", line, "\n", NULL);

  virfs_ref_string_set (&self->made, all);
}

gboolean
virfs_infra_note_made (VirfsInfra *infra, VirfsPart *draft, const char *line, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);

  return change (infra, draft, add_made, (gpointer) line, error);
}

static void
remove_made (gpointer info, gpointer line)
{
  VirfsDraftInfo *self = info;
  g_auto (GStrv) lines = g_strsplit (self->made ? self->made : "", "\n", -1);
  g_autoptr (GString) left = g_string_new (NULL);

  for (char **p = lines; *p; p++)
    if (**p && !g_str_equal (*p, line))
      g_string_append_printf (left, "%s\n", *p);
  virfs_ref_string_set (&self->made, left->str);
}

void
virfs_infra_forget_made (VirfsInfra *infra, VirfsPart *draft, const char *line)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);

  change (infra, draft, remove_made, (gpointer) line, NULL);
}

void
virfs_registry_dissolve_draft (VirfsInfra *infra, const char *uuid)
{
  VirfsPart *draft = infra->drafts && !g_hash_table_contains (infra->hidden, uuid)
                       ? virfs_registry_draft_by_uuid (infra, uuid)
                       : NULL;

  if (draft == NULL)
    return;
  g_ptr_array_add (infra->dissolved, g_strdup (uuid));
  virfs_registry_drop_draft (draft);
}

void
virfs_registry_forget_dissolved (VirfsInfra *infra)
{
  g_autoptr (GPtrArray) uuids = g_ptr_array_new_with_free_func (g_free);

  g_mutex_lock (&infra->lock);
  while (infra->dissolved->len > 0)
    g_ptr_array_add (uuids, g_ptr_array_steal_index (infra->dissolved, 0));
  g_mutex_unlock (&infra->lock);
  for (guint i = 0; i < uuids->len; i++)
    virfs_infra_forget (infra, VIRFS_RECORD_DRAFT, uuids->pdata[i], NULL);
  virfs_registry_forget_dissolved_parts (infra);
  virfs_registry_adopt_drafts (infra);
}
