/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which images there are.  Whoever publishes a host's info gives what was known before and what is now;
 * of each name whose volumes differ the images are made up anew.  All static functions run under the
 * registry's lock.
 */
#include "registry_image.h"

#include "text.h"

#include <string.h>

/* Which volumes are one image. */

typedef struct {
  VirfsHost *host;
  const VirfsPoolInfo *pool;
  VirfsVolumeInfo *volume;
  VirfsPart *part;
  guint group;
} Member;

static GPtrArray *
volumes_of (const VirfsHost *host, const VirfsHostInfo *info)
{
  VirfsPoolInfo *pool = info && info->state == VIRFS_HOST_UP ? virfs_image_pool (host, info) : NULL;

  return pool ? pool->part.parts : NULL;
}

static gboolean
is_image (const VirfsVolumeInfo *volume)
{
  return volume && !volume->part.draft && g_strcmp0 (volume->type, "dir") != 0
         && g_strcmp0 (volume->type, "netdir") != 0;
}

static gint
compare_hosts (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(VirfsHost *const *) a)->name, (*(VirfsHost *const *) b)->name);
}

static GPtrArray *
sorted_hosts (VirfsInfra *infra)
{
  GPtrArray *hosts = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer host;

  g_hash_table_iter_init (&iter, infra->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    g_ptr_array_add (hosts, host);
  g_ptr_array_sort (hosts, compare_hosts);
  return hosts;
}

static gboolean
are_one (VirfsInfra *infra, const Member *a, const Member *b)
{
  const char *sum, *other;

  if (virfs_pool_is_same (a->pool, b->pool))
    return TRUE;
  sum = virfs_registry_image_note (infra, VIRFS_IMAGE_NOTE_SUM, a->pool, a->volume);
  other = virfs_registry_image_note (infra, VIRFS_IMAGE_NOTE_SUM, b->pool, b->volume);
  return sum != NULL && g_strcmp0 (sum, other) == 0;
}

static void
add_member (VirfsInfra *infra, GArray *members, VirfsHost *host, const char *name)
{
  VirfsPoolInfo *pool = virfs_image_pool (host, host->info);
  Member member = { host, pool, virfs_part_list_find (pool->part.parts, name), NULL, members->len };
  VirfsPart *owner = virfs_registry_part_of (&host->object, &pool->part);

  if (!is_image (member.volume) || owner == NULL
      || g_hash_table_contains (infra->outdated, member.volume))
    return;
  member.part = virfs_registry_part_of (&owner->object, &member.volume->part);
  if (member.part == NULL)
    return;
  for (guint i = 0; i < members->len && member.group == members->len; i++)
    if (are_one (infra, &g_array_index (members, Member, i), &member))
      member.group = g_array_index (members, Member, i).group;
  g_array_append_val (members, member);
}

/* Those of the name, in the order of their hosts; a group is called by the index of its first. */
static GArray *
find_members (VirfsInfra *infra, GPtrArray *hosts, const char *name)
{
  GArray *members = g_array_new (FALSE, FALSE, sizeof (Member));

  for (guint i = 0; i < hosts->len; i++) {
    VirfsHost *host = hosts->pdata[i];

    if (virfs_part_list_find (volumes_of (host, host->info), name) != NULL)
      add_member (infra, members, host, name);
  }
  return members;
}

static gint64
parse_time (const char *text)
{
  char *end = NULL;
  gint64 seconds = text ? g_ascii_strtoll (text, &end, 10) : 0;
  g_autofree char *padded = end && *end == '.' ? g_strdup_printf ("%-6.6s", end + 1) : NULL;

  return seconds * G_USEC_PER_SEC
         + (padded ? g_ascii_strtoll (g_strdelimit (padded, " ", '0'), NULL, 10) : 0);
}

/* What is installed it is enough to know of one copy. */
static void
add_volume (VirfsInfra *infra, VirfsImageInfo *info, const Member *member)
{
  VirfsOs *os
    = virfs_registry_image_note (infra, VIRFS_IMAGE_NOTE_OS, member->pool, member->volume);

  g_ptr_array_add (info->volumes, virfs_object_ref (member->part));
  if (info->os == NULL && os != NULL)
    info->os = virfs_os_ref (os);
}

static VirfsImageInfo *
info_of_group (VirfsInfra *infra, GArray *members, guint group)
{
  const Member *first = &g_array_index (members, Member, group);
  VirfsImageInfo *info = virfs_registry_image_info_new (first->pool->part.name);
  GRefString *sum
    = virfs_registry_image_note (infra, VIRFS_IMAGE_NOTE_SUM, first->pool, first->volume);

  for (guint i = group; i < members->len; i++) {
    const Member *member = &g_array_index (members, Member, i);

    if (member->group == group)
      add_volume (infra, info, member);
  }
  info->volume = virfs_part_info_ref (first->volume);
  info->length = first->volume->length;
  info->modified = first->volume->modified ? parse_time (first->volume->modified)
                                           : first->volume->part.changed[VIRFS_PART_CONFIG];
  info->sha256 = sum ? g_ref_string_acquire (sum) : NULL;
  return info;
}

static gboolean
has_volume (const VirfsImage *image, const VirfsPart *part)
{
  for (guint i = 0; i < image->info->volumes->len; i++)
    if (image->info->volumes->pdata[i] == part)
      return TRUE;
  return FALSE;
}

/* An upload becomes the image that is told of on its host. */
static gboolean
claims (const VirfsImage *image, const Member *member)
{
  return has_volume (image, member->part)
         || (image->upload != NULL && image->info->volumes->len == 0
             && virfs_upload_is_published (image->upload, member->host));
}

/* The group that IMAGE goes on as, which nobody has TAKEN; G_MAXUINT for none. */
static guint
find_group (const VirfsImage *image, GArray *members, GHashTable *taken)
{
  for (guint i = 0; i < members->len; i++) {
    const Member *member = &g_array_index (members, Member, i);

    if (claims (image, member) && g_hash_table_add (taken, GUINT_TO_POINTER (member->group + 1)))
      return member->group;
  }
  return G_MAXUINT;
}

/* A dot is shown as it is, and what ends in .d is not to be taken for an image's directory. */
static char *
plain_label (const char *name)
{
  gboolean dot = *name == '.';
  g_autofree char *rest = virfs_name_encode (name + dot);
  g_autofree char *label = g_strconcat (dot ? "." : "", rest, NULL);

  if (!g_str_has_suffix (label, ".d"))
    return g_steal_pointer (&label);
  label[strlen (label) - 2] = '\0';
  return g_strconcat (label, "%2Ed", NULL);
}

static char *
free_label (VirfsInfra *infra, const Member *first)
{
  char *label = plain_label (first->volume->part.name);

  while (g_hash_table_contains (infra->images, label)) {
    char *longer = g_strdup_printf ("%s~%s", label, first->host->name);

    g_free (label);
    label = longer;
  }
  return label;
}

static void
add_groups (VirfsInfra *infra, GArray *members, GHashTable *taken)
{
  for (guint i = 0; i < members->len; i++) {
    const Member *first = &g_array_index (members, Member, i);
    g_autofree char *label = NULL;

    if (first->group != i || !g_hash_table_add (taken, GUINT_TO_POINTER (i + 1)))
      continue;
    label = free_label (infra, first);
    virfs_registry_add_image (infra, label, first->volume->part.name,
                              info_of_group (infra, members, i));
  }
}

static void
regroup (VirfsInfra *infra, GPtrArray *hosts, const char *name)
{
  g_autoptr (GArray) members = find_members (infra, hosts, name);
  g_autoptr (GHashTable) taken = g_hash_table_new (NULL, NULL);
  GPtrArray *namesakes = g_hash_table_lookup (infra->image_names, name);
  g_autoptr (GPtrArray) images = g_ptr_array_new ();

  for (guint i = 0; namesakes && i < namesakes->len; i++)
    g_ptr_array_add (images, namesakes->pdata[i]);
  for (guint i = 0; i < images->len; i++) {
    VirfsImage *image = images->pdata[i];
    guint group = find_group (image, members, taken);

    if (group != G_MAXUINT)
      virfs_registry_publish_image (image, info_of_group (infra, members, group));
    else if (image->info->volumes->len > 0)
      virfs_registry_remove_image (image);
  }
  add_groups (infra, members, taken);
}

/* Following. */

/* What a host tells anew it knows. */
static void
forget_outdated (VirfsInfra *infra, GPtrArray *old, GPtrArray *new)
{
  for (guint i = 0; g_hash_table_size (infra->outdated) > 0 && old && i < old->len; i++)
    if (virfs_part_list_find (new, ((VirfsPartInfo *) old->pdata[i])->name) != old->pdata[i])
      g_hash_table_remove (infra->outdated, old->pdata[i]);
}

static void
add_changed (GHashTable *names, GPtrArray *list, GPtrArray *other)
{
  for (guint i = 0; list && i < list->len; i++) {
    const VirfsPartInfo *info = list->pdata[i];

    if (virfs_part_list_find (other, info->name) != info)
      g_hash_table_add (names, g_strdup (info->name));
  }
}

void
virfs_registry_follow_images (VirfsHost *host, const VirfsHostInfo *before,
                              const VirfsHostInfo *after)
{
  GPtrArray *old = volumes_of (host, before), *new = volumes_of (host, after);
  g_autoptr (GHashTable) names = NULL;
  g_autoptr (GPtrArray) hosts = NULL;
  GHashTableIter iter;
  gpointer name;

  if (old == new)
    return;
  names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  forget_outdated (host->object.infra, old, new);
  add_changed (names, old, new);
  add_changed (names, new, old);
  hosts = sorted_hosts (host->object.infra);
  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    regroup (host->object.infra, hosts, name);
  virfs_registry_rename_images (host->object.infra);
}

/* Whether their names depend on who came first. */
static gboolean
are_rivals (GPtrArray *images)
{
  for (guint i = 0; i < images->len; i++)
    if (((VirfsImage *) images->pdata[i])->upload != NULL)
      return FALSE;
  return images->len > 1;
}

/* Whether HOST has told its volumes, or will not. */
static gboolean
is_known (const VirfsHost *host)
{
  const VirfsPoolInfo *pool = virfs_image_pool (host, host->info);

  if (host->info->uri == NULL || (host->answered && host->info->state != VIRFS_HOST_UP))
    return TRUE;
  return host->answered && host->info->parts[VIRFS_HOST_POOLS] != NULL
         && (pool == NULL || pool->part.parts != NULL);
}

static gboolean
are_all_known (GPtrArray *hosts)
{
  for (guint i = 0; i < hosts->len; i++)
    if (!is_known (hosts->pdata[i]))
      return FALSE;
  return TRUE;
}

void
virfs_registry_rename_images (VirfsInfra *infra)
{
  g_autoptr (GPtrArray) hosts = sorted_hosts (infra);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer name, images;

  if (infra->images_named)
    return;
  g_hash_table_iter_init (&iter, infra->image_names);
  while (g_hash_table_iter_next (&iter, &name, &images))
    if (are_rivals (images))
      g_ptr_array_add (names, g_strdup (name));
  for (guint i = 0; i < names->len; i++) {
    while ((images = g_hash_table_lookup (infra->image_names, names->pdata[i])) != NULL)
      virfs_registry_remove_image (((GPtrArray *) images)->pdata[0]);
    regroup (infra, hosts, names->pdata[i]);
  }
  infra->images_named = infra->has_settled && are_all_known (hosts);
}

void
virfs_registry_regroup (VirfsInfra *infra, const char *name)
{
  g_autoptr (GPtrArray) hosts = sorted_hosts (infra);

  regroup (infra, hosts, name);
}
