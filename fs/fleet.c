/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What networks/ and pools/ have in common: their directories, and how their files are written. */
#include "fleet_class.h"

#include "part_class.h"
#include "text.h"

#include <string.h>

static void
finish (const GError *error, gpointer call)
{
  virfs_call_finish (call, error);
}

static VirfsFleetWish
wish_for (VirfsCall *call, const VirfsPartClass *class, const char *name)
{
  return (VirfsFleetWish){
    .class = class, .name = name, .uid = virfs_call_uid (call), .done = finish, .data = call
  };
}

static VirfsFleetWish
wish_of (VirfsCall *call, const VirfsNode *node)
{
  const VirfsPart *part = node->object;

  return wish_for (call, part->class, part->name);
}

/* networks/ and pools/ */

static const VirfsPartClass *
class_in (const VirfsNode *dir)
{
  return g_str_equal (dir->row->path, virfs_fleet_pool_class.directory)
           ? &virfs_fleet_pool_class
           : &virfs_fleet_network_class;
}

static VirfsPart *
part_in (const VirfsNode *dir, const char *name)
{
  return virfs_infra_part (virfs_node_infra (dir), dir->object, class_in (dir), name);
}

static void
list (const VirfsNode *dir, VirfsListing *listing)
{
  g_autoptr (GPtrArray) parts = virfs_infra_fleet (virfs_node_infra (dir), class_in (dir));

  for (guint i = 0; parts && i < parts->len; i++) {
    const VirfsPartInfo *info = parts->pdata[i];
    g_autofree char *label = virfs_part_label (info->class, info->name);
    g_autoptr (VirfsPart) part = part_in (dir, label);

    if (part != NULL)
      virfs_listing_add (listing, label, virfs_inode_at (virfs_class_of (part), part, ""), S_IFDIR);
  }
}

static guint64
find (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) part = part_in (dir, name);

  return part ? virfs_inode_at (virfs_class_of (part), part, "") : 0;
}

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  VirfsFleetWish wish = wish_for (call, class_in (dir), name);
  g_autofree char *label = virfs_part_label (wish.class, name);

  if (g_str_equal (label, name))
    virfs_fleet_make (virfs_node_infra (dir), &wish);
  else
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "this cannot be a name in %s/: it is too long, begins with a dot, or has a %%"
                     " or a control character in it",
                     dir->row->path);
}

static void
remove_part (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) part = part_in (dir, name);
  g_autoptr (VirfsPartInfo) info = part ? virfs_part_info (part) : NULL;
  VirfsFleetWish wish = wish_for (call, class_in (dir), part ? part->name : name);

  if (info == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no %s in %s/", name, dir->row->path);
  else if (g_str_equal (virfs_fleet_facts (info)->state, VIRFS_FLEET_SEEN))
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "the fleet does not define %s, hosts have it: rmdir hosts/HOST/%s/%s", name,
                     dir->row->path, name);
  else if (!g_str_equal (virfs_fleet_facts (info)->state, VIRFS_FLEET_DRAFT)
           && !virfs_call_is_trusted (call))
    virfs_call_fail (call, VIRFS_ERROR_DENIED,
                     "only root and the user who mounted the tree may take %s from hosts", name);
  else
    virfs_fleet_remove (virfs_node_infra (dir), &wish);
}

const VirfsDir virfs_fleet_networks_dir
  = { .list = list, .find = find, .make = make, .remove = remove_part };
const VirfsDir virfs_fleet_pools_dir
  = { .list = list, .find = find, .make = make, .remove = remove_part };

guint64
virfs_fleet_parent (const VirfsNode *node)
{
  const VirfsPart *part = node->object;

  return virfs_inode_at (&virfs_root_class, NULL, part->class->directory);
}

/* ctl */

static void
define (VirfsInfra *infra, const VirfsFleetWish *wish)
{
  VirfsFleetWish as_drafted = *wish;

  as_drafted.text = NULL;
  virfs_fleet_define (infra, &as_drafted);
}

static const struct {
  const char *verb, *state;
  gboolean for_host; /* the name of a host may follow */
  void (*run) (VirfsInfra *infra, const VirfsFleetWish *wish);
} verbs[] = {
  { "define", VIRFS_FLEET_DRAFT, FALSE, define },
  { "repair", VIRFS_FLEET_DEFINED, TRUE, virfs_fleet_repair },
  { "forget", VIRFS_FLEET_DEFINED, FALSE, virfs_fleet_forget },
  { "adopt", VIRFS_FLEET_SEEN, TRUE, virfs_fleet_adopt },
  { "adopt", VIRFS_FLEET_DEFINED, TRUE, virfs_fleet_adopt },
};

static gboolean
is_valid (guint i, const VirfsNode *node)
{
  return g_strcmp0 (verbs[i].state, virfs_fleet_facts (node->snapshot)->state) == 0;
}

void
virfs_fleet_show_ctl (const VirfsNode *node, GString *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (is_valid (i, node))
      g_string_append_printf (out, "%s\n", verbs[i].verb);
}

static void
refuse_verb (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GString) valid = g_string_new (NULL);
  gboolean known = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++) {
    known |= g_str_equal (verbs[i].verb, text);
    if (is_valid (i, node))
      g_string_append_printf (valid, " %s", verbs[i].verb);
  }
  virfs_call_fail (call, known ? VIRFS_ERROR_BUSY : VIRFS_ERROR_INVALID,
                   "\"%s\" cannot be done; now there are:%s", text, valid->str);
}

void
virfs_fleet_store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", 2);
  VirfsFleetWish wish = wish_of (call, node);
  guint i = 0;

  wish.text = words[0] && words[1] ? words[1] : "";
  while (i < G_N_ELEMENTS (verbs)
         && (g_strcmp0 (verbs[i].verb, words[0]) != 0 || !is_valid (i, node)))
    i++;
  if (i == G_N_ELEMENTS (verbs))
    refuse_verb (call, node, words[0] ? words[0] : "");
  else if (*wish.text != '\0' && !verbs[i].for_host)
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "nothing goes with %s", words[0]);
  else
    verbs[i].run (virfs_node_infra (node), &wish);
}

/* Attributes. */

void
virfs_fleet_store_member (VirfsCall *call, const VirfsNode *node, guint64 number, const char *text)
{
  VirfsFleetWish wish = wish_of (call, node);

  wish.member = node->row->offset;
  wish.number = number;
  wish.text = text;
  virfs_fleet_set (virfs_node_infra (node), &wish);
}

void
virfs_fleet_store_bool (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  virfs_fleet_store_member (call, node, (guint64) value, NULL);
}

void
virfs_fleet_show_hosts (const VirfsNode *node, GString *out)
{
  const VirfsFleetFacts *facts = virfs_fleet_facts (node->snapshot);
  g_auto (GStrv) names = facts->wanted ? g_strsplit (facts->wanted, " ", -1) : NULL;

  if (names == NULL && g_strcmp0 (facts->state, VIRFS_FLEET_SEEN) != 0)
    g_string_append (out, "all\n");
  for (char **name = names; name && *name; name++)
    g_string_append_printf (out, "%s\n", *name);
}

static gboolean
check_hosts (VirfsCall *call, VirfsInfra *infra, GPtrArray *names)
{
  for (guint i = 0; i < names->len; i++) {
    g_autoptr (VirfsHost) host = virfs_infra_host (infra, names->pdata[i]);

    if (host != NULL)
      continue;
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "no host is named \"%s\"",
                     (char *) names->pdata[i]);
    return FALSE;
  }
  return TRUE;
}

void
virfs_fleet_store_hosts (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsFleetWish wish = wish_of (call, node);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_auto (GStrv) words = g_strsplit_set (text, " \n\t", -1);
  g_autofree char *list = NULL;
  g_autofree char *stripped = g_strstrip (g_strdup (text));
  gboolean all = g_str_equal (stripped, "all");

  for (char **word = words; !all && *word; word++)
    if (**word != '\0')
      g_ptr_array_add (names, *word);
  if (!check_hosts (call, virfs_node_infra (node), names))
    return;
  if (!all && names->len == 0) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "write all, or names of hosts");
    return;
  }
  g_ptr_array_add (names, NULL);
  list = g_strjoinv (" ", (char **) names->pdata);
  wish.text = list;
  virfs_fleet_set_hosts (virfs_node_infra (node), &wish);
}

void
virfs_fleet_store_xml (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsFleetWish wish = wish_of (call, node);
  VirfsBlob *xml = virfs_fleet_xml (node->snapshot);
  g_autofree char *shown = xml ? g_strchomp (virfs_blob_text (xml)) : NULL;
  g_autofree char *written = g_strchomp (g_strdup (text));

  wish.text = text;
  if (g_strcmp0 (shown, written) == 0)
    virfs_call_finish (call, NULL);
  else
    virfs_fleet_define (virfs_node_infra (node), &wish);
}
