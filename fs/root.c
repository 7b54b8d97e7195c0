/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root of the tree: the fleet as a whole, and the directories that list its objects. */
#include "access.h"
#include "alarm_files.h"
#include "cpu.h"
#include "event_files.h"
#include "fleet_class.h"
#include "image_files.h"
#include "metric_files.h"
#include "report_files.h"
#include "version.h"

#include <stdlib.h>
#include <string.h>

static void
show_version (const VirfsNode *node, GString *out)
{
  g_string_append (out, VIRFS_VERSION "\n");
}

static void
show_error (const VirfsNode *node, GString *out)
{
  virfs_infra_append_error (virfs_node_infra (node), out);
}

static void
show_cpu_baseline (const VirfsNode *node, GString *out)
{
  virfs_cpu_append_baselines (virfs_node_infra (node), out);
}

/* hosts/ */

static void
add_host (VirfsHost *host, const VirfsHostInfo *info, gpointer listing)
{
  virfs_listing_add (listing, host->name, virfs_inode_at (&virfs_host_class, host, ""), S_IFDIR);
}

static void
list_hosts (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_host (virfs_node_infra (dir), add_host, listing);
}

static guint64
find_host (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (virfs_node_infra (dir), name);

  return host ? virfs_inode_at (&virfs_host_class, host, "") : 0;
}

static void
make_host (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsHost) host = virfs_infra_make_host (virfs_node_infra (dir), name, &error);

  virfs_call_finish (call, error);
}

static void
remove_host (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (virfs_node_infra (dir), name);
  g_autoptr (GError) error = NULL;

  if (host == NULL)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "no host is named \"%s\"", name);
  else if (virfs_access_check (call, host, VIRFS_MAY_WRITE, &error))
    virfs_infra_remove_host (virfs_node_infra (dir), host, &error);
  virfs_call_finish (call, error);
}

static const VirfsDir hosts_dir = {
  .list = list_hosts,
  .find = find_host,
  .make = make_host,
  .remove = remove_host,
};

/* jobs/ */

static void
add_job (VirfsJob *job, guint number, gpointer listing)
{
  g_autofree char *name = g_strdup_printf ("%u", number);

  virfs_listing_add (listing, name, virfs_inode_at (&virfs_job_class, job, ""), S_IFDIR);
}

static void
list_jobs (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_job (virfs_node_infra (dir), add_job, listing);
}

static guint64
find_job (const VirfsNode *dir, const char *name)
{
  guint number = (guint) strtoul (name, NULL, 10);
  g_autofree char *again = g_strdup_printf ("%u", number);
  g_autoptr (VirfsJob) job = NULL;

  if (g_str_equal (name, again))
    job = virfs_infra_job (virfs_node_infra (dir), number);
  return job ? virfs_inode_at (&virfs_job_class, job, "") : 0;
}

static const VirfsDir jobs_dir = { .list = list_jobs, .find = find_job };

/* The class. */

#define F(field)     VIRFS_BIT (VIRFS_ROOT_##field)
#define STATE(state) VIRFS_BIT (VIRFS_ROOT_STATES + VIRFS_VM_##state)
#define INDEX(key)   VIRFS_BIT (VIRFS_ROOT_INDEXES + VIRFS_INDEX_##key), .offset = VIRFS_INDEX_##key
#define BY_STATE(name, state)                                                                      \
  {                                                                                                \
    "by/state/" name, S_IFDIR | 0550, .fields = STATE (state), .dir = &virfs_by_state_dir,         \
                                      .offset = VIRFS_VM_##state,                                  \
                                      .help = "links to the guests whose state is " name           \
  }

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0755, .help = "the virtual infrastructure as a tree of files" },
  { "README", S_IFREG | 0444, .show = virfs_show_readme, .help = "how to use the tree" },
  { "version", S_IFREG | 0444, .show = show_version, .help = "version of virfs" },
  { "error", S_IFREG | 0400, VIRFS_ROW_MEASURED | VIRFS_ROW_PRIVATE, .fields = F (ERROR),
    .show = show_error,
    .help = "what was refused or failed last: time, file, user and the reason" },
  { "hosts", S_IFDIR | 0755, .fields = F (HOSTS), .dir = &hosts_dir,
    .help = "the hosts; mkdir adds one, rmdir forgets it (its guests run on)" },
  { "cpu_baseline", S_IFREG | 0440, .fields = F (CPUS), .show = show_cpu_baseline,
    .help = "the best CPU that all hosts have, as <cpu> for definitions, of each kind of guests" },
  { "vms", S_IFDIR | 0755, .fields = F (VMS), .dir = &virfs_vms_dir,
    .help = "the guests of all hosts; mkdir drafts one, rmdir undefines one, mv renames it" },
  { "networks", S_IFDIR | 0750, .fields = F (NETWORKS), .dir = &virfs_fleet_networks_dir,
    .help = "networks of the fleet; mkdir drafts one, writing its xml gives it to all hosts" },
  { "pools", S_IFDIR | 0750, .fields = F (POOLS), .dir = &virfs_fleet_pools_dir,
    .help = "storage pools of the fleet; mkdir drafts one, writing its xml gives it to all hosts" },
  { "images", S_IFDIR | 0755, .fields = F (IMAGES), .dir = &virfs_images_dir,
    .help
    = "the images of all hosts as files: cp in and out; a dot before the name: not published" },
  { "jobs", S_IFDIR | 0555, .fields = F (JOBS), .dir = &jobs_dir,
    .help = "operations that run, and the last 100 that have ended" },
  { "alarms", S_IFDIR | 0750, .fields = F (ALARMS), .dir = &virfs_alarms_dir,
    .help
    = "rules of what must not be; mkdir makes one, rmdir removes it, mv gives it another name" },
  { "alarms/firing", S_IFDIR | 0550, .fields = F (FIRING), .dir = &virfs_firing_dir,
    .help = "links to what breaks a rule now" },
  { "alarms/metrics", S_IFREG | 0440, .show = virfs_show_measures,
    .help = "what rules can be about: objects, metric, unit and what it is, with tabs between" },
  VIRFS_EVENTS_ROWS (F (EVENTS), F (HEAD)),
  VIRFS_FLEET_ROWS,
  VIRFS_REPORT_ROWS,
  { "by", S_IFDIR | 0755, .help = "guests by what they are: links to them" },
  { "by/state", S_IFDIR | 0550, .help = "guests by state" },
  BY_STATE ("running", RUNNING),
  BY_STATE ("paused", PAUSED),
  BY_STATE ("shutdown", SHUTDOWN),
  BY_STATE ("shutoff", SHUTOFF),
  BY_STATE ("crashed", CRASHED),
  BY_STATE ("pmsuspended", PMSUSPENDED),
  BY_STATE ("unknown", UNKNOWN),
  { "by/host", S_IFDIR | 0550, .fields = F (HOSTS), .dir = &virfs_by_host_dir,
    .help = "guests by host" },
  { "by/tag", S_IFDIR | 0755, .fields = INDEX (TAG), .dir = &virfs_by_tag_dir,
    .help = "guests by tag; mkdir makes one that no guest has yet" },
  { "by/owner", S_IFDIR | 0555, .fields = INDEX (OWNER), .dir = &virfs_by_index_dir,
    .help = "guests by the user that they belong to" },
  { "by/image", S_IFDIR | 0555, .fields = INDEX (IMAGE), .dir = &virfs_by_index_dir,
    .help = "guests by what they were made from" },
  { "by/ip", S_IFDIR | 0555, .fields = F (ADDRESSES), .dir = &virfs_by_ip_dir,
    .help = "guests by address, as far as addresses are known" },
  { "by/uuid", S_IFDIR | 0550, .fields = F (VMS), .dir = &virfs_by_uuid_dir,
    .help = "guests by UUID" },
};

static gconstpointer
snapshot (gpointer object)
{
  return object;
}

static void
unref_none (gpointer object)
{
}

static gint64
changed (const VirfsNode *node, guint64 fields)
{
  gint64 made;

  if (virfs_is_report (node, &made))
    return made;
  return virfs_infra_changed (virfs_node_infra (node), fields ? fields : F (BIRTH));
}

/* Rights are given for the directories at the top, each with all that is in it; and for the top itself
 * with its files, whose key is a dot. */
static char *
given_path (const VirfsNode *node, const VirfsRow **row)
{
  g_autofree char *top = g_strndup (node->row->path, strcspn (node->row->path, "/"));

  *row = virfs_class_row (&virfs_root_class, top);
  if (*top != '\0' && S_ISDIR ((*row)->mode))
    return g_steal_pointer (&top);
  *row = virfs_class_row (&virfs_root_class, "");
  return g_strdup (".");
}

static void
owner (const VirfsNode *node, VirfsOwner *owner_of_it)
{
  const VirfsRow *row;
  g_autofree char *path = given_path (node, &row);

  virfs_infra_default_owner (virfs_node_infra (node), owner_of_it);
  owner_of_it->mode = row->mode & VIRFS_MODE_BITS;
  virfs_infra_owner_at (virfs_node_infra (node), path, owner_of_it);
}

static void
set_owner (VirfsCall *call, const VirfsNode *node, const VirfsOwner *wanted)
{
  const VirfsRow *row;
  g_autofree char *path = given_path (node, &row);
  g_autoptr (GError) error = NULL;
  VirfsOwner is;

  owner (node, &is);
  if (row != node->row)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "this belongs to whom %s belongs: chown and chmod that", path);
  else if (virfs_access_check_give (call, &is, wanted, &error))
    virfs_infra_give (virfs_node_infra (node), NULL, path, wanted, &error);
  virfs_call_finish (call, error);
}

VirfsClass virfs_root_class = {
  .path = "",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .unref = unref_none,
  .snapshot = snapshot,
  .release = virfs_release_none,
  .changed = changed,
  .owner = owner,
  .set_owner = set_owner,
};
