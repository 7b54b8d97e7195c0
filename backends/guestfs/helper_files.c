/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories and contents.  A call to the appliance takes as long as some hundred bytes take
 * to copy a thousand times, so each asks for a whole directory, or for as much as fits into an
 * answer.
 */
#include "helper.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A part of an answer is sent when it has become as long. */
#define PART_BYTES (256 * 1024)
/* Files that the appliance is asked about at once. */
#define AT_ONCE 10000

typedef struct guestfs_dirent_list Dirents;
typedef struct guestfs_statns_list Stats;
typedef struct guestfs_xattr_list Xattrs;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Dirents, guestfs_free_dirent_list)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stats, guestfs_free_statns_list)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Xattrs, guestfs_free_xattr_list)

/* Names. */

static guint
type_of (char type)
{
  static const struct {
    char letter;
    guint8 type;
  } types[] = {
    { 'b', DT_BLK }, { 'c', DT_CHR }, { 'd', DT_DIR },  { 'f', DT_FIFO },
    { 'l', DT_LNK }, { 'r', DT_REG }, { 's', DT_SOCK },
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].letter == type)
      return types[i].type;
  return DT_UNKNOWN;
}

static void
put_name (Helper *helper, GByteArray *out, const char *name, gint64 ino, guint type)
{
  if (!virfs_wire_is_name (name))
    return;
  virfs_wire_put_text (out, name);
  virfs_wire_put_u64 (out, (guint64) ino);
  virfs_wire_put_u32 (out, type);
  if (out->len > PART_BYTES)
    helper_more (helper, out);
}

/* The first N of NAMES, or as many as there are: how many. */
static guint
put_some (Helper *helper, const char *directory, char **names, guint n, GByteArray *out)
{
  g_autoptr (GPtrArray) some = g_ptr_array_new ();
  g_autoptr (Stats) stats = NULL;

  while (some->len < n && names[some->len] != NULL)
    g_ptr_array_add (some, names[some->len]);
  n = some->len;
  g_ptr_array_add (some, NULL);
  stats = guestfs_lstatnslist (helper->g, directory, (char **) some->pdata);
  if (stats == NULL || stats->len != n)
    return 0;
  for (guint i = 0; i < n; i++)
    if (stats->val[i].st_ino != -1)
      put_name (helper, out, names[i], stats->val[i].st_ino, IFTODT (stats->val[i].st_mode));
  return n;
}

/* Names come in any number; what they are, in as many as an answer of the appliance can have. */
static gboolean
list_large (Helper *helper, const char *directory, GByteArray *out, GError **error)
{
  g_auto (HelperStrings) names = guestfs_ls (helper->g, directory);

  for (guint at = 0, n; names != NULL && names[at] != NULL; at += n) {
    n = put_some (helper, directory, names + at, AT_ONCE, out);
    if (n == 0) {
      helper_fail_last (helper, error, "");
      return FALSE;
    }
  }
  if (names == NULL)
    helper_fail_last (helper, error, "");
  return names != NULL;
}

gboolean
helper_list (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error)
{
  g_autofree char *directory = virfs_wire_get_text (in, VIRFS_WIRE_TEXT_MAX);
  g_autoptr (Dirents) entries = in->bad ? NULL : guestfs_readdir (helper->g, directory);

  if (in->bad) {
    helper_fail (error, EPROTO, "this is no path");
    return FALSE;
  }
  /* with some 100,000 entries it is too much for one answer, and no error says so */
  if (entries == NULL)
    return list_large (helper, directory, out, error);
  for (guint i = 0; i < entries->len; i++)
    put_name (helper, out, entries->val[i].name, entries->val[i].ino,
              type_of (entries->val[i].ftyp));
  return TRUE;
}

/* A directory and names in it, as a vector that ends with NULL; NULL with ERROR if it is no such. */
static char **
read_names (VirfsWireReader *in, char **directory, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  guint32 n;

  *directory = virfs_wire_get_text (in, VIRFS_WIRE_TEXT_MAX);
  n = virfs_wire_get_count (in, 4);
  for (guint32 i = 0; i < MIN (n, VIRFS_WIRE_NAMES_MAX); i++)
    g_ptr_array_add (names, virfs_wire_get_text (in, VIRFS_WIRE_NAME_MAX));
  if (!virfs_wire_at_end (in) || n == 0) {
    helper_fail (error, EPROTO, "these are no names");
    return NULL;
  }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static char *
path_of (const char *directory, const char *name)
{
  return g_strconcat (directory, g_str_has_suffix (directory, "/") ? "" : "/", name, NULL);
}

/* Targets of links. */

/* All at once; if the answer would be too long, one by one.  Those without a target are "". */
static void
read_targets (Helper *helper, const char *directory, GPtrArray *links, GPtrArray *targets)
{
  g_auto (HelperStrings) all = NULL;
  guint n = links->len;

  if (n == 0)
    return;
  g_ptr_array_add (links, NULL);
  all = guestfs_readlinklist (helper->g, directory, (char **) links->pdata);
  for (guint i = 0; i < n; i++) {
    g_autofree char *path = path_of (directory, links->pdata[i]);
    g_autofree char *one = all ? NULL : guestfs_readlink (helper->g, path);
    const char *target = all ? all[i] : one;

    g_ptr_array_add (targets, g_strdup (target ? target : ""));
  }
}

/* Attributes. */

static void
put_attributes (GByteArray *out, const struct guestfs_statns *st, const char *target)
{
  const guint64 numbers[] = {
    st->st_dev,       st->st_ino,        st->st_mode,      st->st_nlink,
    st->st_uid,       st->st_gid,        st->st_rdev,      st->st_size,
    st->st_blksize,   st->st_blocks,     st->st_atime_sec, st->st_atime_nsec,
    st->st_mtime_sec, st->st_mtime_nsec, st->st_ctime_sec, st->st_ctime_nsec,
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    virfs_wire_put_u64 (out, numbers[i]);
  virfs_wire_put_text (out, target);
}

static GPtrArray *
find_links (const Stats *stats, char **names)
{
  GPtrArray *links = g_ptr_array_new ();

  for (guint i = 0; i < stats->len; i++)
    if (S_ISLNK (stats->val[i].st_mode))
      g_ptr_array_add (links, names[i]);
  return links;
}

gboolean
helper_stats (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error)
{
  g_autofree char *directory = NULL;
  g_auto (GStrv) names = read_names (in, &directory, error);
  g_autoptr (Stats) stats = names ? guestfs_lstatnslist (helper->g, directory, names) : NULL;
  g_autoptr (GPtrArray) links = NULL;
  g_autoptr (GPtrArray) targets = g_ptr_array_new_with_free_func (g_free);
  guint link = 0;

  if (names == NULL)
    return FALSE;
  if (stats == NULL || stats->len != g_strv_length (names)) {
    helper_fail_last (helper, error, "");
    return FALSE;
  }
  links = find_links (stats, names);
  read_targets (helper, directory, links, targets);
  for (guint i = 0; i < stats->len; i++) {
    const struct guestfs_statns *st = &stats->val[i];
    gboolean known = st->st_ino != -1; /* so says libguestfs what is not there */

    virfs_wire_put_u32 (out, known);
    if (known)
      put_attributes (out, st, S_ISLNK (st->st_mode) ? targets->pdata[link] : NULL);
    link += S_ISLNK (st->st_mode);
  }
  return TRUE;
}

/* Extended attributes. */

static void
put_xattrs (GByteArray *out, const struct guestfs_xattr *xattrs, guint n)
{
  virfs_wire_put_u32 (out, n);
  for (guint i = 0; i < n; i++) {
    virfs_wire_put_text (out, xattrs[i].attrname);
    virfs_wire_put_bytes (out, xattrs[i].attrval, xattrs[i].attrval_len);
  }
}

/* The list has, for each file, an entry without a name that tells how many of its own follow. */
static gboolean
put_list (GByteArray *out, const Xattrs *list, guint files)
{
  guint i = 0;

  for (; files > 0; files--) {
    guint64 n = 0;

    if (i >= list->len || *list->val[i].attrname != '\0')
      return FALSE;
    if (list->val[i].attrval_len > 0) {
      g_autofree char *count = g_strndup (list->val[i].attrval, list->val[i].attrval_len);

      n = g_ascii_strtoull (count, NULL, 10);
    }
    if (n > list->len - i - 1)
      return FALSE;
    put_xattrs (out, &list->val[i + 1], n);
    i += 1 + n;
  }
  return TRUE;
}

static void
put_one_by_one (Helper *helper, const char *directory, char **names, GByteArray *out)
{
  for (; *names != NULL; names++) {
    g_autofree char *path = path_of (directory, *names);
    g_autoptr (Xattrs) list = guestfs_lgetxattrs (helper->g, path);

    put_xattrs (out, list ? list->val : NULL, list ? list->len : 0);
    if (out->len > PART_BYTES)
      helper_more (helper, out);
  }
}

gboolean
helper_xattrs (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error)
{
  g_autofree char *directory = NULL;
  g_auto (GStrv) names = read_names (in, &directory, error);
  g_autoptr (Xattrs) list = names ? guestfs_lxattrlist (helper->g, directory, names) : NULL;

  if (names == NULL)
    return FALSE;
  if (list == NULL || !put_list (out, list, g_strv_length (names))) {
    g_byte_array_set_size (out, 0);
    put_one_by_one (helper, directory, names, out);
  }
  return TRUE;
}

/* Contents. */

gboolean
helper_read (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error)
{
  g_autofree char *path = virfs_wire_get_text (in, VIRFS_WIRE_TEXT_MAX);
  guint64 offset = virfs_wire_get_u64 (in);
  guint32 length = virfs_wire_get_u32 (in);
  char *data;
  size_t got;

  if (in->bad || length > VIRFS_WIRE_READ_MAX || offset > G_MAXINT64) {
    helper_fail (error, EPROTO, "this cannot be read");
    return FALSE;
  }
  data = guestfs_pread (helper->g, path, length, offset, &got);
  if (data == NULL) {
    helper_fail_last (helper, error, "");
    return FALSE;
  }
  g_byte_array_append (out, (guint8 *) data, MIN (got, length));
  free (data);
  return TRUE;
}
