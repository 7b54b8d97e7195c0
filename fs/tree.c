/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What joins the model and the engine: objects become classes, changes of the model become words to
 * the session, jobs become calls.
 */
#include "tree.h"

#include "alarm_files.h"
#include "audit.h"
#include "draft.h"
#include "files_dir.h"
#include "fleet_class.h"
#include "history_files.h"
#include "image.h"
#include "image_files.h"
#include "part_class.h"

#include <string.h>

struct VirfsTree {
  VirfsInfra *infra;
  VirfsObject *root;
  VirfsSession *session;
};

static VirfsClass *const classes[] = {
  [VIRFS_KIND_ROOT] = &virfs_root_class,
  [VIRFS_KIND_HOST] = &virfs_host_class,
  [VIRFS_KIND_VM] = &virfs_vm_class,
  [VIRFS_KIND_JOB] = &virfs_job_class,
  [VIRFS_KIND_INDEX] = &virfs_tag_class, /* and the last two */
  [VIRFS_KIND_IMAGE] = &virfs_image_files,
  [VIRFS_KIND_ALARM] = &virfs_alarm_files,
  [VIRFS_KIND_POOL] = &virfs_pool_files,
  [VIRFS_KIND_VOLUME] = &virfs_volume_files,
  [VIRFS_KIND_DISK] = &virfs_disk_files,
  [VIRFS_KIND_NIC] = &virfs_nic_files,
  [VIRFS_KIND_SNAPSHOT] = &virfs_snapshot_files,
  [VIRFS_KIND_CHECKPOINT] = &virfs_checkpoint_files,
  [VIRFS_KIND_DRAFT] = &virfs_draft_files,
  [VIRFS_KIND_BACKUP] = &virfs_backup_files,
  [VIRFS_KIND_BACKUP_DISK] = &virfs_backup_disk_files,
  [VIRFS_KIND_EXEC] = &virfs_exec_files,
  [VIRFS_KIND_SSH_USER] = &virfs_ssh_user_files,
  [VIRFS_KIND_NETWORK] = &virfs_network_files,
  [VIRFS_KIND_FILTER] = &virfs_filter_files,
  [VIRFS_KIND_FLEET_NETWORK] = &virfs_fleet_network_files,
  [VIRFS_KIND_FLEET_POOL] = &virfs_fleet_pool_files,
  [VIRFS_KIND_INTERFACE] = &virfs_interface_files,
  [VIRFS_KIND_NODE_DEVICE] = &virfs_node_device_files,
  [VIRFS_KIND_HOSTDEV] = &virfs_hostdev_files,
  &virfs_owner_class,
  &virfs_image_class,
  NULL,
};

const VirfsClass *const *
virfs_tree_classes (void)
{
  static gsize made = 0;

  if (g_once_init_enter (&made)) {
    for (guint i = 0; classes[i] != NULL; i++)
      virfs_class_init (classes[i]);
    virfs_history_init ();
    g_once_init_leave (&made, 1);
  }
  return (const VirfsClass *const *) classes;
}

const VirfsClass *
virfs_class_of (gconstpointer object)
{
  const VirfsObject *self = object;

  return self->kind == VIRFS_KIND_INDEX ? virfs_index_class (object) : classes[self->kind];
}

guint64
virfs_inode_at (const VirfsClass *class, gconstpointer object, const char *path)
{
  guint64 id = object ? ((const VirfsObject *) object)->id : 0;

  return virfs_inode (class, id, virfs_class_row (class, path));
}

/* What the session asks. */

static const VirfsClass *
find_object (gpointer data, guint64 id, gpointer *object)
{
  VirfsTree *tree = data;
  guint64 own = id & (VIRFS_BIT (VIRFS_ID_BITS) - 1);
  const VirfsClass *class;

  *object = own == 0 ? tree->root : virfs_infra_object (tree->infra, own);
  if (*object == NULL || id == own)
    return *object ? virfs_class_of (*object) : NULL;
  class = virfs_history_class (*object, (guint) (id >> VIRFS_ID_BITS));
  if (class == NULL && own != 0)
    virfs_object_unref (*object);
  return class;
}

static char *
node_path (gpointer data, const VirfsNode *node)
{
  g_autofree char *object = NULL;

  if (node->row->flags & VIRFS_ROW_OWNED)
    return virfs_object_path (node->object);
  if (node->id >> VIRFS_ID_BITS != 0)
    return virfs_history_path (node);
  if (node->class == &virfs_image_files)
    return virfs_image_path (node);
  if (*node->row->path == '/')
    return node->class == &virfs_backup_disk_files ? virfs_backup_file_path (node) : NULL;
  if (node->class == &virfs_root_class)
    return g_strdup (node->row->path);
  object = virfs_object_path (node->object);
  return *node->row->path ? g_build_filename (object, node->row->path, NULL)
                          : g_steal_pointer (&object);
}

/* Whose `error` tells of what was done at PATH to an entry of NODE, or to that: a reference, NULL for the
 * fleet's alone. */
static gpointer
concerned (VirfsTree *tree, const VirfsNode *node, const char *path)
{
  gpointer vm;

  if (node->class != &virfs_root_class)
    return virfs_object_ref (node->object);
  if (node->row->dir != &virfs_vms_dir || !g_str_has_prefix (path, "vms/"))
    return NULL;
  path += strlen ("vms/");
  vm = virfs_infra_vm (tree->infra, path);
  return vm ? vm : virfs_infra_part (tree->infra, tree->root, &virfs_draft_class, path);
}

static void
take_deed (gpointer data, const VirfsNode *node, const VirfsDeed *deed, const GError *error)
{
  VirfsTree *tree = data;
  g_autoptr (GError) safe = virfs_audit_error (deed, error);
  gpointer object;

  virfs_audit (tree->infra, deed, safe);
  if (safe == NULL)
    return;
  object = concerned (tree, node, deed->path);
  virfs_infra_report (tree->infra, object, deed->path, deed->uid, safe);
  virfs_object_unref (object);
}

static void
settle (gpointer data, void (*func) (gpointer user), gpointer user)
{
  virfs_infra_settle_events (((VirfsTree *) data)->infra, func, user);
}

const VirfsTreeOps virfs_tree_ops
  = { .find = find_object, .done = take_deed, .settle = settle, .path = node_path };

/* What the model tells: under its lock, so this only passes it on. */

/* The kernel is told which inode a name no longer leads to only of links.  A directory that it was told
 * to be deleted stays dead for as long as somebody is in it, also when it is back under another name. */
static void
vanish (VirfsTree *tree, const VirfsClass *dir_class, gconstpointer dir, const char *path,
        const char *name, const VirfsVm *vm, const char *row)
{
  virfs_session_vanished (tree->session, virfs_inode_at (dir_class, dir, path), name,
                          *row ? virfs_inode_at (&virfs_vm_class, vm, row) : 0);
}

static void
vanish_from_state (VirfsTree *tree, const VirfsVm *vm, const VirfsVmInfo *before)
{
  g_autofree char *path = g_strdup_printf ("by/state/%s", virfs_vm_state_name (before->state));

  vanish (tree, &virfs_root_class, NULL, path, before->label, vm, "/by/state/<state>/<vm>");
}

static void
vanish_from_host (VirfsTree *tree, const VirfsVm *vm, const VirfsVmInfo *before)
{
  vanish (tree, &virfs_host_class, before->host, "vms", before->label, vm,
          "/hosts/<host>/vms/<vm>");
  vanish (tree, &virfs_host_class, before->host, "/by/host/<host>", before->label, vm,
          "/by/host/<host>/<vm>");
}

/* The link to a snapshot is there as long as there is a current one. */
static void
snapshots_changed (VirfsTree *tree, const VirfsVm *vm, const VirfsVmInfo *before,
                   const VirfsVmInfo *after)
{
  if (virfs_snapshot_current (before->parts[VIRFS_VM_SNAPSHOTS]) != NULL
      && virfs_snapshot_current (after->parts[VIRFS_VM_SNAPSHOTS]) == NULL)
    virfs_session_vanished (tree->session, virfs_inode_at (&virfs_vm_class, vm, "snapshots"),
                            "current", virfs_inode_at (&virfs_vm_class, vm, "snapshots/current"));
}

/* Several may have had an address: who looks for it again finds the next. */
static void
addresses_changed (VirfsTree *tree, const VirfsVmInfo *before, const VirfsVmInfo *after)
{
  g_auto (GStrv) addresses = NULL;

  if (after != NULL && before->parts[VIRFS_VM_NICS] == after->parts[VIRFS_VM_NICS])
    return;
  addresses = virfs_vm_addresses (before);
  for (char **address = addresses; *address; address++)
    virfs_session_vanished (tree->session, virfs_inode_at (&virfs_root_class, NULL, "by/ip"),
                            *address, 0);
}

/* AFTER is NULL for a guest that is gone. */
static void
vm_changed (VirfsTree *tree, const VirfsVm *vm, const VirfsVmInfo *before, const VirfsVmInfo *after)
{
  gboolean renamed;

  if (before == NULL || before->label == NULL)
    return;
  if (after != NULL)
    snapshots_changed (tree, vm, before, after);
  addresses_changed (tree, before, after);
  renamed = after == NULL || g_strcmp0 (before->label, after->label) != 0;
  if (renamed)
    vanish (tree, &virfs_root_class, NULL, "vms", before->label, vm, "");
  if (renamed || before->state != after->state)
    vanish_from_state (tree, vm, before);
  if (renamed || before->host != after->host)
    vanish_from_host (tree, vm, before);
  if (after == NULL && !vm->twin)
    vanish (tree, &virfs_root_class, NULL, "by/uuid", vm->uuid, vm, "/by/uuid/<uuid>");
}

static void
host_gone (VirfsTree *tree, const VirfsHost *host)
{
  virfs_session_vanished (tree->session, virfs_inode_at (&virfs_root_class, NULL, "hosts"),
                          host->name, 0);
  virfs_session_vanished (tree->session, virfs_inode_at (&virfs_root_class, NULL, "by/host"),
                          host->name, 0);
}

/* BEFORE: of a guest that has left, NULL if none has.  Its links share an inode, so it is not told. */
static void
index_changed (VirfsTree *tree, const VirfsIndex *index, const VirfsVmInfo *before)
{
  if (before != NULL)
    virfs_session_vanished (tree->session, virfs_inode_at (virfs_index_class (index), index, ""),
                            before->label, 0);
}

static void
index_gone (VirfsTree *tree, const VirfsIndex *index)
{
  g_autofree char *dir = g_strconcat ("by/", virfs_index_key_name (index->key), NULL);

  virfs_session_vanished (tree->session, virfs_inode_at (&virfs_root_class, NULL, dir),
                          index->value, 0);
}

/* Who looked for a guest where it was to come has found it there; it may not have come. */
static void
job_changed (VirfsTree *tree, VirfsJob *job, guint64 fields)
{
  VirfsObject *target = virfs_job_target (job);
  const char *path = virfs_job_path (job);

  if (fields & VIRFS_BIT (VIRFS_JOB_STATE) && target != NULL && g_str_has_prefix (path, "vms/")) {
    path += strlen ("vms/");
    vanish (tree, &virfs_host_class, target, "vms", path, NULL, "");
    vanish (tree, &virfs_host_class, target, "/by/host/<host>", path, NULL, "");
  }
}

static void
job_gone (VirfsTree *tree, VirfsJob *job)
{
  g_autofree char *name = g_strdup_printf ("%u", virfs_job_number (job));

  virfs_session_vanished (tree->session, virfs_inode_at (&virfs_root_class, NULL, "jobs"), name, 0);
}

static void
image_gone (VirfsTree *tree, const VirfsImage *image)
{
  guint64 dir = virfs_inode_at (&virfs_root_class, NULL, "images");
  g_autofree char *described = g_strconcat (image->label, ".d", NULL);

  virfs_session_vanished (tree->session, dir, image->label,
                          virfs_inode_at (&virfs_image_files, image, "/images/<file>"));
  virfs_session_vanished (tree->session, dir, described, 0);
  virfs_guest_files_gone ((gpointer) image);
}

/* AFTER is NULL for one that is gone. */
static void
alarm_changed (VirfsTree *tree, const VirfsAlarmInfo *before, const VirfsAlarmInfo *after)
{
  guint64 dir = virfs_inode_at (&virfs_root_class, NULL, "alarms/firing");

  if (before == NULL)
    return;
  if (after == NULL || strcmp (before->name, after->name) != 0)
    virfs_session_vanished (tree->session, virfs_inode_at (&virfs_root_class, NULL, "alarms"),
                            before->name, 0);
  for (guint i = 0; i < before->firing->len; i++) {
    const VirfsFiring *firing = before->firing->pdata[i];

    if (after == NULL || virfs_alarm_info_find_link (after, firing->link) == NULL)
      virfs_session_vanished (tree->session, dir, firing->link, virfs_firing_link (firing));
  }
}

static void
part_gone (VirfsTree *tree, const VirfsPart *part)
{
  guint64 dir = virfs_inode_at (virfs_class_of (part->owner), part->owner, part->class->directory);

  virfs_session_vanished (tree->session, dir, part->label, 0);
  virfs_guest_files_gone ((gpointer) part);
}

/* Whoever is given an object is given all of its files. */
static guint64
shown_fields (const VirfsObject *object, guint64 fields)
{
  static const guint64 owners[] = {
    [VIRFS_KIND_ROOT] = VIRFS_BIT (VIRFS_ROOT_OWNER),
    [VIRFS_KIND_HOST] = VIRFS_BIT (VIRFS_HOST_OWNER),
    [VIRFS_KIND_VM] = VIRFS_BIT (VIRFS_VM_OWNER),
    [VIRFS_KIND_JOB] = 0,
    [VIRFS_KIND_INDEX] = 0,
    [VIRFS_KIND_IMAGE] = VIRFS_BIT (VIRFS_IMAGE_OWNER),
    [VIRFS_KIND_ALARM] = VIRFS_BIT (VIRFS_ALARM_OWNER),
  };
  guint64 owner
    = virfs_object_is_part (object) ? VIRFS_BIT (VIRFS_PART_OWNER) : owners[object->kind];

  return fields & owner ? VIRFS_ALL_FIELDS : fields;
}

static void
model_changed (const VirfsChange *change, gpointer data)
{
  VirfsTree *tree = data;
  const VirfsClass *class = virfs_class_of (change->object);

  if (change->object->kind == VIRFS_KIND_VM)
    vm_changed (tree, (VirfsVm *) change->object, change->before, change->after);
  if (change->object->kind == VIRFS_KIND_ALARM)
    alarm_changed (tree, change->before, change->after);
  if (change->kind == VIRFS_CHANGED && change->object->kind == VIRFS_KIND_INDEX)
    index_changed (tree, (VirfsIndex *) change->object, change->before);
  if (change->kind == VIRFS_REMOVED && change->object->kind == VIRFS_KIND_INDEX)
    index_gone (tree, (VirfsIndex *) change->object);
  if (change->kind == VIRFS_CHANGED && change->object->kind == VIRFS_KIND_JOB)
    job_changed (tree, (VirfsJob *) change->object, change->fields);
  if (change->kind == VIRFS_REMOVED && change->object->kind == VIRFS_KIND_HOST)
    host_gone (tree, (VirfsHost *) change->object);
  if (change->kind == VIRFS_REMOVED && change->object->kind == VIRFS_KIND_JOB)
    job_gone (tree, (VirfsJob *) change->object);
  if (change->kind == VIRFS_REMOVED && change->object->kind == VIRFS_KIND_IMAGE)
    image_gone (tree, (VirfsImage *) change->object);
  if (change->kind == VIRFS_REMOVED && virfs_object_is_part (change->object))
    part_gone (tree, (VirfsPart *) change->object);
  if (change->kind == VIRFS_REMOVED)
    virfs_session_removed (tree->session, class, change->object->id);
  else if (change->kind == VIRFS_CHANGED)
    virfs_session_changed (tree->session, class, change->object->id,
                           shown_fields (change->object, change->fields));
}

/* Jobs as calls. */

static void
finish_call (VirfsJob *job, const GError *error, gpointer call)
{
  virfs_call_finish (call, error);
}

static void
cancel_job (gpointer job)
{
  virfs_job_cancel (job);
}

static VirfsJob *
new_job (VirfsCall *call, VirfsJobSpec *spec)
{
  VirfsJob *job;

  spec->uid = virfs_call_uid (call);
  job = virfs_job_new (spec->object->infra, spec);
  virfs_call_on_interrupt (call, cancel_job, virfs_object_ref (job), virfs_object_unref);
  return job;
}

VirfsJob *
virfs_call_job (VirfsCall *call, const char *operation, gpointer object, VirfsHost *host,
                VirfsHost *target)
{
  VirfsJobSpec spec = { .operation = operation,
                        .object = object,
                        .host = host ? &host->object : NULL,
                        .target = target ? &target->object : NULL,
                        .done = finish_call,
                        .data = call };

  return new_job (call, &spec);
}

VirfsJob *
virfs_call_job_then (VirfsCall *call, const char *operation, gpointer object, VirfsHost *host,
                     VirfsJobDone done, gpointer data)
{
  VirfsJobSpec spec = {
    .operation = operation, .object = object, .host = &host->object, .done = done, .data = data
  };

  return new_job (call, &spec);
}

/* The tree. */

VirfsTree *
virfs_tree_new (VirfsInfra *infra)
{
  VirfsTree *tree = g_new0 (VirfsTree, 1);

  virfs_tree_classes ();
  tree->infra = infra;
  tree->root = virfs_infra_root (infra);
  return tree;
}

void
virfs_tree_free (VirfsTree *tree)
{
  virfs_tree_set_session (tree, NULL);
  g_free (tree);
}

void
virfs_tree_set_session (VirfsTree *tree, VirfsSession *session)
{
  /* the listener does not run while it is not registered */
  if (tree->session != NULL) {
    virfs_infra_unlisten (tree->infra, model_changed, tree);
    virfs_guest_files_end_all (tree->session);
  }
  tree->session = session;
  if (session != NULL)
    virfs_infra_listen (tree->infra, model_changed, tree);
}
