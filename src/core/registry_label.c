/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of guests in vms/: the label of one that is shown there, NULL of others.
 *
 * The first to come keeps a name, a rival is called NAME~HOST until the name becomes free.  All
 * static functions run under the registry's lock.
 */
#include "registry_vm.h"

#include "text.h"

#include <string.h>

/* Rivals. */

static void
add_rival (VirfsInfra *infra, const char *label, VirfsVm *vm)
{
  GPtrArray *rivals = g_hash_table_lookup (infra->rivals, label);

  if (rivals == NULL) {
    rivals = g_ptr_array_new ();
    g_hash_table_insert (infra->rivals, g_strdup (label), rivals);
  }
  g_ptr_array_add (rivals, vm);
}

static void
remove_rival (VirfsInfra *infra, const char *label, VirfsVm *vm)
{
  GPtrArray *rivals = g_hash_table_lookup (infra->rivals, label);

  if (rivals != NULL && g_ptr_array_remove_fast (rivals, vm) && rivals->len == 0)
    g_hash_table_remove (infra->rivals, label);
}

/* Whether VM bears the name of its host because another has the name that it would like. */
static gboolean
is_rival (VirfsVm *vm)
{
  g_autofree char *plain = virfs_name_encode (vm->info->name);
  GPtrArray *rivals = g_hash_table_lookup (vm->object.infra->rivals, plain);

  return rivals != NULL && g_ptr_array_find (rivals, vm, NULL);
}

static gint
compare_hosts (gconstpointer a, gconstpointer b)
{
  const VirfsVm *const *p = a, *const *q = b;

  return strcmp ((*p)->info->host->name, (*q)->info->host->name);
}

static gboolean
is_namesake (VirfsVm *other, const VirfsVmInfo *vm, VirfsHost *host)
{
  return other->info->host == host && g_str_equal (other->info->name, vm->name)
         && !g_str_equal (other->uuid, vm->uuid);
}

/* All of one name are among those who would like the same label, or have it. */
gboolean
virfs_infra_has_namesake (VirfsInfra *infra, const VirfsVmInfo *vm, VirfsHost *host)
{
  g_autofree char *plain = virfs_name_encode (vm->name);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GPtrArray *rivals = g_hash_table_lookup (infra->rivals, plain);
  VirfsVm *holder = g_hash_table_lookup (infra->labels, plain);

  if (holder != NULL && is_namesake (holder, vm, host))
    return TRUE;
  for (guint i = 0; rivals != NULL && i < rivals->len; i++)
    if (is_namesake (rivals->pdata[i], vm, host))
      return TRUE;
  return FALSE;
}

/* Names. */

static gboolean
is_shown (VirfsVm *vm, const VirfsVmInfo *info)
{
  if (g_hash_table_contains (vm->object.infra->hidden, vm->uuid))
    return FALSE;
  return !vm->twin
         || (!virfs_vm_state_active (info->state) && virfs_registry_primary (vm)->moving == 0);
}

static gboolean
is_taken (VirfsInfra *infra, const char *label)
{
  return g_hash_table_contains (infra->labels, label)
         || virfs_registry_draft (infra, label) != NULL;
}

/* A free name for VM: NAME, NAME~HOST, or one with the UUID and, for twins, a number. */
static GRefString *
choose_label (VirfsVm *vm, const VirfsVmInfo *info)
{
  VirfsInfra *infra = vm->object.infra;
  g_autofree char *plain = virfs_name_encode (info->name);
  g_autofree char *with_host = g_strdup_printf ("%s~%.*s", plain, 60, info->host->name);
  g_autoptr (GString) with_uuid = NULL;

  if (!is_taken (infra, plain))
    return g_ref_string_new (plain);
  add_rival (infra, plain, vm);
  if (!is_taken (infra, with_host))
    return g_ref_string_new (with_host);
  with_uuid = g_string_new (NULL);
  g_string_printf (with_uuid, "%s~%s", plain, info->uuid);
  for (guint i = 2; is_taken (infra, with_uuid->str); i++)
    g_string_printf (with_uuid, "%s~%s~%u", plain, info->uuid, i);
  return g_ref_string_new (with_uuid->str);
}

void
virfs_registry_take_label (VirfsVm *vm, VirfsVmInfo *info)
{
  if (!is_shown (vm, info))
    return;
  info->label = choose_label (vm, info);
  g_hash_table_insert (vm->object.infra->labels, info->label, vm);
}

void
virfs_registry_release_label (VirfsVm *vm)
{
  g_autofree char *plain = virfs_name_encode (vm->info->name);

  remove_rival (vm->object.infra, plain, vm);
  if (vm->info->label != NULL)
    g_hash_table_remove (vm->object.infra->labels, vm->info->label);
}

/* Chooses VM's name again. */
static void relabel (VirfsVm *vm);

void
virfs_registry_offer_label (VirfsInfra *infra, const char *label)
{
  GPtrArray *rivals = g_hash_table_lookup (infra->rivals, label);

  if (rivals == NULL)
    return;
  g_ptr_array_sort (rivals, compare_hosts);
  relabel (rivals->pdata[0]);
}

void
virfs_registry_offer (VirfsInfra *infra, const char *label)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  if (!is_taken (infra, label))
    virfs_registry_offer_label (infra, label);
}

/* Publishes INFO (taken), which has no name yet, with one that is chosen now. */
static void
publish_renamed (VirfsVm *vm, VirfsVmInfo *info)
{
  g_autofree char *old = g_strdup (vm->info->label);

  virfs_registry_release_label (vm);
  virfs_registry_take_label (vm, info);
  virfs_registry_publish_vm (vm, info);
  if (old != NULL && g_strcmp0 (old, info->label) != 0)
    virfs_registry_offer_label (vm->object.infra, old);
}

static void
relabel (VirfsVm *vm)
{
  VirfsVmInfo *info = virfs_vm_info_copy (vm->info);

  g_clear_pointer (&info->label, g_ref_string_release);
  publish_renamed (vm, info);
}

/* Whether the name that VM has goes with INFO. */
static gboolean
keeps_label (VirfsVm *vm, const VirfsVmInfo *info)
{
  const VirfsVmInfo *known = vm->info;

  return known->label != NULL && g_str_equal (known->name, info->name)
         && (known->host == info->host || !is_rival (vm)) && is_shown (vm, info);
}

void
virfs_registry_publish_named (VirfsVm *vm, VirfsVmInfo *info)
{
  if (!keeps_label (vm, info)) {
    publish_renamed (vm, info);
    return;
  }
  info->label = g_ref_string_acquire (vm->info->label);
  virfs_registry_publish_vm (vm, info);
}

/* HOLDER gives up LABEL: as a rival it frees the name, and the first in line takes it. */
static void
step_back (VirfsVm *holder, const char *label)
{
  VirfsInfra *infra = holder->object.infra;
  VirfsVmInfo *info = virfs_vm_info_copy (holder->info);
  g_autofree char *wish = virfs_name_encode (info->name);

  remove_rival (infra, wish, holder); /* if its wish was another name */
  g_clear_pointer (&info->label, g_ref_string_release);
  info->label = choose_label (holder, info);
  g_hash_table_insert (infra->labels, info->label, holder);
  g_hash_table_remove (infra->labels, label);
  virfs_registry_publish_vm (holder, info);
  virfs_registry_offer_label (infra, label);
}

void
virfs_registry_rename_rivals (VirfsInfra *infra)
{
  g_autoptr (GPtrArray) groups = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer label;

  g_hash_table_iter_init (&iter, infra->rivals);
  while (g_hash_table_iter_next (&iter, &label, NULL))
    g_ptr_array_add (groups, g_strdup (label));
  for (guint i = 0; i < groups->len; i++) {
    GPtrArray *rivals = g_hash_table_lookup (infra->rivals, groups->pdata[i]);
    VirfsVm *holder = g_hash_table_lookup (infra->labels, groups->pdata[i]);

    if (rivals == NULL || holder == NULL)
      continue;
    g_ptr_array_sort (rivals, compare_hosts);
    if (compare_hosts (&rivals->pdata[0], &holder) < 0)
      step_back (holder, groups->pdata[i]);
  }
}

gboolean
virfs_registry_show_or_hide (VirfsVm *vm)
{
  if (is_shown (vm, vm->info) == (vm->info->label != NULL))
    return FALSE;
  relabel (vm);
  return TRUE;
}
