/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/pools/<pool>/volumes/<volume>/: a volume, from its draft to its end. */
#include "device_class.h"
#include "use.h"
#include "verbs.h"

#include <string.h>

static VirfsPart *
pool_of (const VirfsNode *node)
{
  return (VirfsPart *) ((VirfsPart *) node->object)->owner;
}

/* Who uses it. */

/* As in `vms/web, vms/db and 3 others`; the caller owns it. */
static char *
name_users (GPtrArray *users)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < MIN (users->len, 3); i++)
    g_string_append_printf (names, "%s%s", i ? ", " : "", ((VirfsUser *) users->pdata[i])->path);
  if (users->len > 3)
    g_string_append_printf (names, " and %u others", users->len - 3);
  return g_string_free (names, FALSE);
}

/* Whether nobody uses VOLUME; else CALL has failed. */
static gboolean
check_unused (VirfsCall *call, VirfsPart *volume)
{
  g_autoptr (GPtrArray) users = virfs_volume_users (volume);
  g_autofree char *names = name_users (users);

  if (users->len == 0)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_BUSY, "the volume %s is used by %s", volume->name, names);
  return FALSE;
}

static void
show_users (const VirfsNode *node, GString *out)
{
  g_autoptr (GPtrArray) users = virfs_volume_users (node->object);
  const char *last = NULL;

  for (guint i = 0; i < users->len; i++) {
    const VirfsUser *user = users->pdata[i];

    if (g_strcmp0 (last, user->path) != 0)
      g_string_append_printf (out, "%s\n", user->path);
    last = user->path;
  }
}

/* volumes/ */

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  const VirfsPoolInfo *pool = dir->snapshot;
  g_autoptr (VirfsPart) draft = NULL;
  g_autoptr (GError) error = NULL;

  if (!virfs_pool_is_active (pool)) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "the pool %s is %s; write start to its ctl first",
                     pool->part.name, pool->part.draft ? "a draft" : pool->state);
    return;
  }
  if (!virfs_part_check_name (call, dir, name))
    return;
  draft = virfs_infra_make_part_draft (virfs_node_infra (dir), dir->object,
                                       virfs_part_info_new (&virfs_volume_class, name), &error);
  virfs_call_finish (call, error);
}

static void
remove_volume (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) volume = virfs_part_in (dir, name);
  g_autofree char *operation = g_strdup_printf ("delete volume %s", name);
  g_autoptr (VirfsJob) job = NULL;

  if (volume == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no volume %s", name);
  } else if (virfs_infra_remove_part_draft (virfs_node_infra (dir), volume)) {
    virfs_call_finish (call, NULL);
  } else if (check_unused (call, volume)) {
    job = virfs_part_job (call, dir, operation);
    virfs_node_backend (dir)->volume_verb (volume, VIRFS_VOLUME_DELETE, job);
  }
}

const VirfsDir virfs_volumes_dir = {
  .list = virfs_part_list,
  .find = virfs_part_find,
  .make = make,
  .remove = remove_volume,
};

/* Attributes of a draft. */

/* Whether it is a draft still; else CALL has failed. */
static gboolean
check_draft (VirfsCall *call, const VirfsNode *node)
{
  const VirfsVolumeInfo *info = node->snapshot;

  if (info->part.draft)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_BUSY,
                   "the volume %s is made already; its %s can be set before that, or in a copy",
                   info->part.name, node->row->path);
  return FALSE;
}

static void
store_format (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (virfs_device_shows (call, node, text) || !check_draft (call, node))
    return;
  if (*text != '\0' && !virfs_volume_check_format (text, &error))
    virfs_call_finish (call, error);
  else
    virfs_part_set_draft (call, node, 0, *text ? text : NULL);
}

/* A volume that TEXT names, with what is known of it; NULL: CALL has failed. */
static VirfsPart *
find_volume (VirfsCall *call, const VirfsNode *node, const char *text, VirfsPartInfo **info)
{
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsPart) volume = virfs_volume_find (host, pool_of (node), text, &error);

  if (volume == NULL) {
    virfs_call_finish (call, error);
    return NULL;
  }
  if (!virfs_access_check_volume (call, volume, VIRFS_MAY_READ, &error)) {
    virfs_call_finish (call, error);
    return NULL;
  }
  *info = virfs_part_info (volume);
  if (!(*info)->draft)
    return g_steal_pointer (&volume);
  virfs_part_info_unref (g_steal_pointer (info));
  virfs_call_fail (call, VIRFS_ERROR_BUSY, "the volume %s is a draft only", text);
  return NULL;
}

static void
store_backing (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsPartInfo) base = NULL;
  g_autoptr (VirfsPart) volume = NULL;
  const VirfsVolumeInfo *info = node->snapshot;

  if (g_strcmp0 (info->backing, *text ? text : NULL) == 0) {
    virfs_call_finish (call, NULL);
    return;
  }
  if (!check_draft (call, node))
    return;
  if (*text == '\0') {
    virfs_part_set_draft (call, node, 0, NULL);
    return;
  }
  volume = find_volume (call, node, text, &base);
  if (volume != NULL)
    virfs_part_set_draft (call, node, 0, ((VirfsVolumeInfo *) base)->path);
}

static void
store_allocation (VirfsCall *call, const VirfsNode *node, guint64 bytes)
{
  const VirfsVolumeInfo *info = node->snapshot;

  if (info->allocation == bytes)
    virfs_call_finish (call, NULL);
  else if (check_draft (call, node))
    virfs_part_set_draft (call, node, bytes, NULL);
}

/* size, clone: what makes a volume of a draft */

static const char *
default_format (const VirfsNode *node)
{
  g_autoptr (VirfsPartInfo) pool = virfs_part_info (pool_of (node));

  return virfs_pool_has_files ((VirfsPoolInfo *) pool) ? "qcow2" : NULL;
}

/* Whether a draft with a backing file can have WANTED's size and format; else CALL has failed. */
static gboolean
check_backing (VirfsCall *call, const VirfsNode *node, const VirfsVolumeInfo *wanted)
{
  g_autoptr (VirfsPartInfo) found = NULL;
  g_autoptr (VirfsPart) base = NULL;
  const VirfsVolumeInfo *backing;

  if (wanted->backing == NULL)
    return TRUE;
  base = find_volume (call, node, wanted->backing, &found);
  if (base == NULL)
    return FALSE;
  backing = (VirfsVolumeInfo *) found;
  if (wanted->size < backing->size)
    virfs_call_fail (
      call, VIRFS_ERROR_INVALID,
      "the volume cannot be smaller than what it is based on, which has %" G_GUINT64_FORMAT
      " bytes",
      backing->size);
  else if (wanted->format == NULL || g_str_equal (wanted->format, "raw"))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a raw volume cannot be based on another; write qcow2 to its format, or use"
                     " clone");
  else
    return TRUE;
  return FALSE;
}

static void
create (VirfsCall *call, const VirfsNode *node, guint64 bytes)
{
  VirfsVolumeInfo *wanted = virfs_part_info_copy (node->snapshot);
  g_autoptr (VirfsPartInfo) owned = &wanted->part;
  g_autofree char *operation = g_strdup_printf ("create volume %s", wanted->part.name);
  g_autoptr (VirfsJob) job = NULL;

  wanted->size = bytes;
  if (wanted->format == NULL)
    wanted->format = default_format (node);
  if (!check_backing (call, node, wanted))
    return;
  job = virfs_part_job (call, node, operation);
  virfs_node_backend (node)->volume_create (node->object, wanted, NULL, job);
}

static void
resize (VirfsCall *call, const VirfsNode *node, guint64 bytes)
{
  const VirfsVolumeInfo *info = node->snapshot;
  g_autoptr (GPtrArray) users = virfs_volume_users (node->object);
  const VirfsUser *user = virfs_users_active (virfs_node_infra (node), users);
  g_autofree char *operation = g_strdup_printf ("resize volume %s", info->part.name);
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsJob) job = NULL;

  if (bytes < info->size) {
    virfs_call_fail (
      call, VIRFS_ERROR_INVALID,
      "a volume cannot shrink, that would lose what is in it: it has %" G_GUINT64_FORMAT " bytes",
      info->size);
  } else if (user != NULL) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "%s runs with it; write the size to %s/disks/%s/size instead", user->path,
                     user->path, user->target);
  } else if (!virfs_access_check_volume (call, node->object, VIRFS_MAY_WRITE, &error)) {
    virfs_call_finish (call, error);
  } else {
    job = virfs_part_job (call, node, operation);
    virfs_node_backend (node)->volume_resize (node->object, bytes, job);
  }
}

static void
store_size (VirfsCall *call, const VirfsNode *node, guint64 bytes)
{
  const VirfsVolumeInfo *info = node->snapshot;

  if (bytes == 0)
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "the size of a volume is a number of bytes, as in"
                     " 10G, and not 0");
  else if (info->part.draft)
    create (call, node, bytes);
  else if (bytes == info->size)
    virfs_call_finish (call, NULL);
  else
    resize (call, node, bytes);
}

/* Copies SOURCE, whose info is FROM; what a running guest writes to would be torn. */
static void
copy (VirfsCall *call, const VirfsNode *node, VirfsPart *source, const VirfsVolumeInfo *from)
{
  VirfsVolumeInfo *wanted = virfs_part_info_copy (node->snapshot);
  g_autoptr (VirfsPartInfo) owned = &wanted->part;
  g_autoptr (GPtrArray) users = virfs_volume_users (source);
  const VirfsUser *user = virfs_users_active (virfs_node_infra (node), users);
  g_autofree char *operation
    = g_strdup_printf ("copy volume %s to %s", source->name, wanted->part.name);
  g_autoptr (VirfsJob) job = NULL;

  if (user != NULL) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "%s runs with the volume %s; shut it off first",
                     user->path, source->name);
  } else if (wanted->backing != NULL) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a copy is based on nothing; write an empty line to backing first");
  } else {
    wanted->size = from->size;
    if (wanted->format == NULL)
      wanted->format = default_format (node) ? from->format : NULL;
    job = virfs_part_job (call, node, operation);
    virfs_node_backend (node)->volume_create (node->object, wanted, source, job);
  }
}

static void
store_clone (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsPartInfo) from = NULL;
  g_autoptr (VirfsPart) source = NULL;

  if (!check_draft (call, node))
    return;
  source = find_volume (call, node, text, &from);
  if (source != NULL)
    copy (call, node, source, (VirfsVolumeInfo *) from);
}

static void
append_volumes (GString *out, const VirfsPoolInfo *pool)
{
  g_autofree char *owner = virfs_part_label (&virfs_pool_class, pool->part.name);

  for (guint i = 0; pool->part.parts && i < pool->part.parts->len; i++) {
    const VirfsPartInfo *volume = pool->part.parts->pdata[i];
    g_autofree char *label = virfs_part_label (&virfs_volume_class, volume->name);

    if (!volume->draft)
      g_string_append_printf (out, "%s/%s\n", owner, label);
  }
}

static void
show_clone (const VirfsNode *node, GString *out)
{
  const VirfsPartInfo *info = node->snapshot;
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  GPtrArray *pools = known->parts[VIRFS_HOST_POOLS];

  for (guint i = 0; info->draft && pools && i < pools->len; i++)
    append_volumes (out, pools->pdata[i]);
}

/* ctl */

/* A draft knows none. */
enum { IS_DRAFT = 1, IS_MADE = 2 };

static const VirfsVerb verbs[] = {
  { "refresh", VIRFS_VOLUME_REFRESH, IS_MADE },
  { "wipe", VIRFS_VOLUME_WIPE, IS_MADE, .unused = TRUE },
  { NULL },
};

static guint
state_of (const VirfsPartInfo *info)
{
  return info->draft ? IS_DRAFT : IS_MADE;
}

static void
show_ctl (const VirfsNode *node, GString *out)
{
  virfs_verbs_show (verbs, state_of (node->snapshot), out);
}

static void
store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsPartInfo *info = node->snapshot;
  g_autofree char *operation = g_strdup_printf ("%s volume %s", text, info->name);
  g_autoptr (VirfsJob) job = NULL;
  const VirfsVerb *verb
    = virfs_verbs_choose (call, verbs, state_of (info),
                          "the volume is a draft (write its size, or what it is to be a clone of)",
                          text);

  if (verb == NULL || (verb->unused && !check_unused (call, node->object)))
    return;
  job = virfs_part_job (call, node, operation);
  virfs_node_backend (node)->volume_verb (node->object, (VirfsVolumeVerb) verb->number, job);
}

/* The class. */

#define F(field)                      VIRFS_BIT (VIRFS_PART_##field)
#define MEMBER(member)                G_STRUCT_OFFSET (VirfsVolumeInfo, member)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)
#define WRITE                         S_IFREG | 0640, VIRFS_ROW_NEEDS, F (READY)
#define COMMAND                       S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, F (READY)
#define READ                          S_IFREG | 0440, .fields =

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH) | F (STATE) | F (USE),
    .help = "a volume; du of this directory shows what it takes" },
  { "size", WRITE | SHOW (virfs_show_known, SIZE, size), .store_size = store_size,
    .help
    = "bytes that a guest sees; makes an empty volume of a draft; an unused volume can grow" },
  { "clone", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_MEASURED, F (READY) | F (STATE),
    .show = show_clone, .store = store_clone,
    .help = "of a draft: volumes that it could be a copy of; write one to make it, in its format" },
  { "format", WRITE | SHOW (virfs_show_text, CONFIG, format), .store = store_format,
    .help = "raw, qcow2, qed, vmdk, vdi, vpc; can be set in a draft, where nothing means qcow2" },
  { "backing", WRITE | SHOW (virfs_show_text, CONFIG, backing), .store_text = store_backing,
    .help
    = "path of the volume that it is based on; in a draft write a name, POOL/VOLUME or a path" },
  { "allocation", WRITE | SHOW (virfs_show_u64, USE, allocation), .store_size = store_allocation,
    .help = "bytes that it takes; in a draft: that it is to take from the start" },
  { "type", READ SHOW (virfs_show_text, CONFIG, type),
    .help = "file, block, dir, network …: libvirt's type of it" },
  { "path", READ SHOW (virfs_show_text, CONFIG, path), .help = "what a disk of a guest names" },
  { "used_by", S_IFREG | 0440, VIRFS_ROW_MEASURED, F (USE), .show = show_users,
    .help = "guests that have it as a disk, and volumes that are based on it, one a line" },
  { "ctl", COMMAND | F (STATE), .show = show_ctl, .store = store_ctl,
    .help = "what can be done to it, one verb a line; write one of them" },
  { "xml", READ SHOW (virfs_show_blob, XML, xml), .size = virfs_size_of_blob,
    .help = "libvirt's XML of it" },
};

/* That of its pool. */
static gboolean
capacity (const VirfsNode *node, guint64 *bytes, guint64 *unused)
{
  g_autoptr (VirfsPartInfo) owner = virfs_part_info (pool_of (node));
  const VirfsPoolInfo *pool = (VirfsPoolInfo *) owner;

  *bytes = pool->capacity;
  *unused = pool->available;
  return virfs_pool_is_active (pool);
}

static guint64
allocation (const VirfsNode *node)
{
  const VirfsVolumeInfo *info = node->snapshot;

  return info->part.draft ? 0 : info->allocation;
}

VirfsClass virfs_volume_files = {
  .path = "hosts/<host>/pools/<pool>/volumes/<volume>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .capacity = capacity,
  .allocation = allocation,
  VIRFS_PART_CLASS,
};
