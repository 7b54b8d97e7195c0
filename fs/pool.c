/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/pools/<pool>/: a storage pool, from its draft to its end. */
#include "device_class.h"
#include "history_files.h"
#include "verbs.h"

#include <string.h>

/* pools/ */

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  VirfsPoolInfo *draft;
  g_autofree char *path = NULL;
  g_autoptr (VirfsPart) pool = NULL;
  g_autoptr (GError) error = NULL;

  if (!virfs_part_check_name (call, dir, name))
    return;
  path = g_strdup_printf ("hosts/%s/pools/%s", ((VirfsHost *) dir->object)->name, name);
  /* one of that name may have gone without anybody's telling */
  virfs_infra_disown (virfs_node_infra (dir), path);
  draft = virfs_part_info_new (&virfs_pool_class, name);
  draft->type = "dir";
  pool = virfs_infra_make_part_draft (virfs_node_infra (dir), dir->object, draft, &error);
  virfs_call_finish (call, error);
}

static void
remove_pool (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) pool = virfs_part_in (dir, name);
  g_autoptr (VirfsPartInfo) info = pool ? virfs_part_info (pool) : NULL;
  g_autofree char *operation = g_strdup_printf ("undefine pool %s", name);
  g_autoptr (VirfsJob) job = NULL;
  g_autoptr (GError) error = NULL;

  if (info == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no pool %s", name);
  } else if (!virfs_access_check (call, pool, VIRFS_MAY_WRITE, &error)) {
    virfs_call_finish (call, error);
  } else if (virfs_infra_remove_part_draft (virfs_node_infra (dir), pool)) {
    virfs_call_finish (call, NULL);
  } else if (virfs_pool_is_active ((VirfsPoolInfo *) info)) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "the pool %s is %s; write stop to its ctl first", name,
                     ((VirfsPoolInfo *) info)->state);
  } else {
    job = virfs_call_job (call, operation, dir->object, dir->object, NULL);
    virfs_node_backend (dir)->pool_verb (pool, VIRFS_POOL_UNDEFINE, job);
  }
}

const VirfsDir virfs_pools_dir = {
  .list = virfs_part_list,
  .find = virfs_part_find,
  .make = make,
  .remove = remove_pool,
};

/* ctl */

enum { IN_DRAFT = 1, IN_INACTIVE = 2, IN_ACTIVE = 4 };

static const VirfsVerb verbs[] = {
  { "define", VIRFS_POOL_DEFINE, IN_DRAFT },
  { "start", VIRFS_POOL_START, IN_DRAFT | IN_INACTIVE },
  { "stop", VIRFS_POOL_STOP, IN_ACTIVE },
  { "refresh", VIRFS_POOL_REFRESH, IN_ACTIVE },
  { "build", VIRFS_POOL_BUILD, IN_INACTIVE },
  { "delete", VIRFS_POOL_DELETE, IN_INACTIVE },
  { NULL },
};

static guint
state_of (const VirfsPoolInfo *info)
{
  if (info->part.draft)
    return IN_DRAFT;
  return virfs_pool_is_active (info) ? IN_ACTIVE : IN_INACTIVE;
}

static const char *
state_name (const VirfsPoolInfo *info)
{
  return info->part.draft ? "draft" : info->state;
}

static void
show_ctl (const VirfsNode *node, GString *out)
{
  virfs_verbs_show (verbs, state_of (node->snapshot), out);
}

/* Some types need no more than a name to reach a whole disk of the host. */
static gboolean
check_making (VirfsCall *call, const VirfsPoolInfo *info, GError **error)
{
  if (virfs_call_is_trusted (call))
    return virfs_pool_check_draft (info, error);
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_DENIED,
    "only root and the user who mounted the tree may make a pool: it reaches whatever the"
    " host has");
  return FALSE;
}

static void
begin_verb (VirfsCall *call, const VirfsNode *node, VirfsPoolVerb verb, const char *word)
{
  const VirfsPoolInfo *info = node->snapshot;
  g_autofree char *operation = g_strdup_printf ("%s pool %s", word, info->part.name);
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsJob) job = NULL;

  if ((info->part.draft && !check_making (call, info, &error))
      || (verb == VIRFS_POOL_BUILD && !virfs_pool_check_build (info, &error))) {
    virfs_call_finish (call, error);
    return;
  }
  job = virfs_part_job (call, node, operation);
  virfs_node_backend (node)->pool_verb (node->object, verb, job);
}

static void
store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autofree char *what = g_strdup_printf ("the pool is %s", state_name (node->snapshot));
  const VirfsVerb *verb
    = virfs_verbs_choose (call, verbs, state_of (node->snapshot), what, text);

  if (verb != NULL)
    begin_verb (call, node, (VirfsPoolVerb) verb->number, text);
}

/* state */

static void
show_state (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "%s\n", state_name (node->snapshot));
}

static void
store_state (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsPoolInfo *info = node->snapshot;
  guint now = state_of (info);
  gboolean start = g_str_equal (text, "running");

  if (virfs_device_shows (call, node, text))
    return;
  if (!start && !g_str_equal (text, "inactive"))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a pool cannot be brought to \"%s\"; write running or inactive", text);
  else if (start ? now == IN_ACTIVE : now == IN_INACTIVE)
    virfs_call_finish (call, NULL);
  else if (start)
    begin_verb (call, node, VIRFS_POOL_START, "start");
  else if (now == IN_DRAFT)
    begin_verb (call, node, VIRFS_POOL_DEFINE, "define");
  else
    begin_verb (call, node, VIRFS_POOL_STOP, "stop");
}

/* Attributes: of a draft they are its own, an inactive pool is defined anew. */

static void
set (VirfsCall *call, const VirfsNode *node, guint64 number, const char *text)
{
  const VirfsPoolInfo *info = node->snapshot;
  g_autoptr (VirfsPartInfo) wanted = virfs_part_info_copy (info);
  g_autofree char *operation
    = g_strdup_printf ("set %s of pool %s", node->row->path, info->part.name);
  g_autoptr (VirfsJob) job = NULL;

  if (info->part.draft) {
    virfs_part_set_draft (call, node, number, text);
  } else {
    virfs_part_info_set (wanted, node->row->offset, number, text);
    job = virfs_part_job (call, node, operation);
    virfs_node_backend (node)->pool_set (node->object, (VirfsPoolInfo *) wanted, job);
  }
}

static void
store_autostart (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  const VirfsPoolInfo *info = node->snapshot;

  if (info->autostart == value)
    virfs_call_finish (call, NULL);
  else
    set (call, node, (guint64) value, NULL);
}

/* Whether CALL may change the row now; else it has ended. */
static gboolean
check_change (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsPoolInfo *info = node->snapshot;

  if (g_strcmp0 (G_STRUCT_MEMBER (const char *, info, node->row->offset), *text ? text : NULL)
      == 0) {
    virfs_call_finish (call, NULL);
    return FALSE;
  }
  if (state_of (info) != IN_ACTIVE)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_BUSY,
                   "the pool is %s, its %s can be changed only while it is inactive; write stop to"
                   " its ctl first",
                   info->state, node->row->path);
  return FALSE;
}

static void
store_type (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsPoolInfo *info = node->snapshot;
  g_autoptr (GError) error = NULL;

  if (!check_change (call, node, text))
    return;
  if (!virfs_pool_check_type (text, &error))
    virfs_call_finish (call, error);
  else if (!info->part.draft)
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "the pool is there already and stays %s", info->type);
  else
    set (call, node, 0, text);
}

static void
store_path (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (!check_change (call, node, text))
    return;
  if (*text != '/')
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is not the absolute path of a directory on the host", text);
  else
    set (call, node, 0, text);
}

/* The type of a draft may be written later, then it is checked again. */
static void
store_source (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsPoolInfo *info = node->snapshot;
  g_autofree char *host = NULL, *rest = NULL;
  g_autoptr (GError) error = NULL;

  if (!check_change (call, node, text))
    return;
  if (!virfs_pool_split_source (info->type, *text ? text : NULL, &host, &rest, &error))
    virfs_call_finish (call, error);
  else
    set (call, node, 0, *text ? text : NULL);
}

/* What was read can be written back, of a running pool too. */
static void
store_xml (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsPoolInfo *info = node->snapshot;
  g_autofree char *shown = info->xml ? g_strchomp (virfs_blob_text (info->xml)) : NULL;
  g_autofree char *written = g_strchomp (g_strdup (text));
  g_autofree char *operation = g_strdup_printf ("define pool %s", info->part.name);
  g_autoptr (VirfsJob) job = NULL;

  if (g_strcmp0 (shown, written) == 0) {
    virfs_call_finish (call, NULL);
  } else if (state_of (info) == IN_ACTIVE) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "the pool is %s; write stop to its ctl before it is defined anew",
                     info->state);
  } else {
    job = virfs_part_job (call, node, operation);
    virfs_node_backend (node)->pool_define (node->object, text, job);
  }
}

static void
show_active_u64 (const VirfsNode *node, GString *out)
{
  if (virfs_pool_is_active (node->snapshot))
    virfs_show_u64 (node, out);
}

static void
link_from_firing (const VirfsNode *node, GString *out)
{
  g_autofree char *path = virfs_object_path (node->object);

  g_string_append_printf (out, "../../%s", path);
}

/* The class. */

#define F(field)                      VIRFS_BIT (VIRFS_PART_##field)
#define MEMBER(member)                G_STRUCT_OFFSET (VirfsPoolInfo, member)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)
#define WRITE                         S_IFREG | 0640, VIRFS_ROW_NEEDS, F (READY)
#define COMMAND                       S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, F (READY)
#define WRITE_TRUSTED                 S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_TRUSTED, F (READY)
#define READ                          S_IFREG | 0440, .fields =

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a storage pool" },
  { "state", WRITE | F (STATE), .show = show_state, .store = store_state,
    .help
    = "draft, running, inactive, building, degraded, inaccessible; write running or inactive" },
  { "ctl", COMMAND | F (STATE), .show = show_ctl, .store = store_ctl,
    .help = "what can be done to it now, one verb a line; write one of them" },
  { "type", WRITE | SHOW (virfs_show_text, CONFIG, type), .store = store_type,
    .help = "dir, fs, netfs, logical, disk, iscsi; a pool made by xml may have another type" },
  { "path", WRITE_TRUSTED | SHOW (virfs_show_text, CONFIG, path), .store_text = store_path,
    .help = "the directory on the host where its volumes are; can be set while it is inactive" },
  { "source", WRITE_TRUSTED | SHOW (virfs_show_text, CONFIG, source), .store_text = store_source,
    .help = "where its storage is: a device, HOST:DIRECTORY of netfs, HOST:TARGET of iscsi; while "
            "inactive" },
  { "autostart", WRITE | SHOW (virfs_show_bool, CONFIG, autostart), .store_bool = store_autostart,
    .help = "1: starts with its host" },
  { "uuid", READ SHOW (virfs_show_text, CONFIG, uuid),
    .help = "pools of several hosts with one UUID are one storage" },
  { "persistent", READ SHOW (virfs_show_bool, CONFIG, persistent),
    .help = "0: vanishes when it stops" },
  { "capacity", READ F (STATE) | SHOW (show_active_u64, SIZE, capacity),
    .help = "size in bytes; df of this directory shows it too" },
  { "allocation", READ F (STATE) | SHOW (show_active_u64, USE, allocation),
    .help = "bytes that are taken" },
  { "available", READ F (STATE) | SHOW (show_active_u64, USE, available),
    .help = "bytes that are free" },
  { "xml", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_DOCUMENT | VIRFS_ROW_TRUSTED,
    F (READY) | SHOW (virfs_show_blob, XML, xml), .size = virfs_size_of_blob, .store = store_xml,
    .help = "libvirt's XML of it; write a whole one to define a draft or an inactive pool" },
  { "volumes", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_volumes_dir,
    .help = "its volumes; mkdir, then size or clone, makes one" },
  VIRFS_HISTORY_ROWS (""),
  { "/alarms/firing/<alarm>~<host>~<pool>", S_IFLNK | 0777, .fields = F (BIRTH),
    .link = link_from_firing, .help = "a pool that an alarm fires for" },
};

static gboolean
capacity (const VirfsNode *node, guint64 *bytes, guint64 *unused)
{
  const VirfsPoolInfo *info = node->snapshot;

  *bytes = info->capacity;
  *unused = info->available;
  return virfs_pool_is_active (info);
}

VirfsClass virfs_pool_files = {
  .path = "hosts/<host>/pools/<pool>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .capacity = capacity,
  VIRFS_PART_CLASS,
  .set_owner = virfs_access_set_owner,
};
