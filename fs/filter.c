/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/nwfilters/<filter>/: a network filter, which NICs name. */
#include "filter.h"

#include "device_class.h"

#include <string.h>

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) filter = NULL;
  g_autoptr (GError) error = NULL;

  if (!virfs_part_check_name (call, dir, name))
    return;
  filter = virfs_infra_make_part_draft (virfs_node_infra (dir), dir->object,
                                        virfs_part_info_new (&virfs_filter_class, name), &error);
  virfs_call_finish (call, error);
}

typedef struct {
  const char *filter;
  char *user;
} Search;

static void
look_at (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Search *search = data;
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];

  for (guint i = 0; search->user == NULL && nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (!nic->part.draft && g_strcmp0 (nic->filter, search->filter) == 0)
      search->user = g_strdup_printf ("vms/%s/nics/%s", info->label, nic->part.name);
  }
}

/* A guest whose filter is gone does not start; those that other filters name libvirt keeps itself. */
static gboolean
check_unused (VirfsCall *call, VirfsPart *filter)
{
  Search search = { filter->name, NULL };
  g_autofree char *user = NULL;

  virfs_infra_foreach_vm (filter->object.infra, (VirfsHost *) filter->owner, look_at, &search);
  user = search.user;
  if (user != NULL)
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "the filter %s is that of %s", filter->name, user);
  return user == NULL;
}

static gboolean
check_trusted (VirfsCall *call)
{
  if (virfs_call_is_trusted (call))
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_DENIED,
                   "only root and the user who mounted the tree may remove a filter");
  return FALSE;
}

static void
remove_filter (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) filter = virfs_part_in (dir, name);
  g_autofree char *operation = g_strdup_printf ("undefine nwfilter %s", name);
  g_autoptr (VirfsJob) job = NULL;

  if (filter == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no filter %s", name);
  } else if (virfs_infra_remove_part_draft (virfs_node_infra (dir), filter)) {
    virfs_call_finish (call, NULL);
  } else if (check_trusted (call) && check_unused (call, filter)) {
    job = virfs_call_job (call, operation, dir->object, dir->object, NULL);
    virfs_node_backend (dir)->filter_undefine (filter, job);
  }
}

const VirfsDir virfs_filters_dir = {
  .list = virfs_part_list,
  .find = virfs_part_find,
  .make = make,
  .remove = remove_filter,
};

/* What was read can be written back. */
static void
store_xml (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsFilterInfo *info = node->snapshot;
  g_autofree char *shown = info->xml ? g_strchomp (virfs_blob_text (info->xml)) : NULL;
  g_autofree char *written = g_strchomp (g_strdup (text));
  g_autofree char *operation = g_strdup_printf ("define nwfilter %s", info->part.name);
  g_autoptr (VirfsJob) job = NULL;

  if (g_strcmp0 (shown, written) == 0) {
    virfs_call_finish (call, NULL);
    return;
  }
  job = virfs_part_job (call, node, operation);
  virfs_node_backend (node)->filter_define (node->object, text, job);
}

#define F(field)       VIRFS_BIT (VIRFS_PART_##field)
#define MEMBER(member) G_STRUCT_OFFSET (VirfsFilterInfo, member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a network filter" },
  { "uuid", S_IFREG | 0440, .fields = F (CONFIG), .show = virfs_show_text, .offset = MEMBER (uuid),
    .help = "what libvirt knows it by; nothing, of a draft" },
  { "xml", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_DOCUMENT | VIRFS_ROW_TRUSTED,
    F (READY) | F (XML), .show = virfs_show_blob, .offset = MEMBER (xml),
    .size = virfs_size_of_blob, .store = store_xml,
    .help
    = "libvirt's XML of it; write a whole one to define it: NICs that have it follow at once" },
};

VirfsClass virfs_filter_files = {
  .path = "hosts/<host>/nwfilters/<filter>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
