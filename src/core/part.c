/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a part: making, copying and comparing, by the class's list of members. */
#include "part.h"

#include "text.h"

#include "host.h"

#include <string.h>

static gpointer
at (gconstpointer info, const VirfsMember *member)
{
  return (char *) info + member->offset;
}

gpointer
virfs_part_info_new (const VirfsPartClass *class, const char *name)
{
  VirfsPartInfo *info = g_malloc0 (class->size);

  g_atomic_ref_count_init (&info->refs);
  info->class = class;
  info->name = g_ref_string_new (name);
  return info;
}

char *
virfs_part_label (const VirfsPartClass *class, const char *name)
{
  g_autofree char *label = virfs_name_encode (name);

  if (class->reserved == NULL || !g_strv_contains (class->reserved, label))
    return g_steal_pointer (&label);
  return g_strdup_printf ("%%%02X%s", (guchar) *label, label + 1);
}

gpointer
virfs_part_info_ref (gconstpointer info)
{
  VirfsPartInfo *self = (VirfsPartInfo *) info;

  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static gboolean
is_blob (const VirfsMember *member)
{
  return member->type == VIRFS_MEMBER_BLOB || member->type == VIRFS_MEMBER_BYTES;
}

static void
ref_member (gpointer info, const VirfsMember *member)
{
  gpointer *value = at (info, member);

  if (member->type == VIRFS_MEMBER_TEXT && *value != NULL)
    g_ref_string_acquire (*value);
  if (is_blob (member) && *value != NULL)
    virfs_blob_ref (*value);
  if (member->type == VIRFS_MEMBER_VIEW && *value != NULL)
    virfs_disk_view_ref (*value);
}

gpointer
virfs_part_info_copy (gconstpointer info)
{
  const VirfsPartClass *class = ((const VirfsPartInfo *) info)->class;
  VirfsPartInfo *copy = g_memdup2 (info, class->size);

  g_atomic_ref_count_init (&copy->refs);
  g_ref_string_acquire (copy->name);
  if (copy->parts != NULL)
    g_ptr_array_ref (copy->parts);
  for (guint i = 0; i < class->n_members; i++)
    ref_member (copy, &class->members[i]);
  return copy;
}

static void
unref_member (gpointer info, const VirfsMember *member)
{
  gpointer *value = at (info, member);

  if (member->type == VIRFS_MEMBER_TEXT && *value != NULL)
    g_ref_string_release (*value);
  if (is_blob (member))
    virfs_blob_unref (*value);
  if (member->type == VIRFS_MEMBER_VIEW)
    virfs_disk_view_unref (*value);
}

void
virfs_part_info_unref (gconstpointer info)
{
  VirfsPartInfo *self = (VirfsPartInfo *) info;

  if (self == NULL || !g_atomic_ref_count_dec (&self->refs))
    return;
  for (guint i = 0; i < self->class->n_members; i++)
    unref_member (self, &self->class->members[i]);
  g_clear_pointer (&self->parts, g_ptr_array_unref);
  g_ref_string_release (self->name);
  g_free (self);
}

void
virfs_part_info_set (gpointer info, gsize offset, guint64 number, const char *text)
{
  const VirfsPartClass *class = ((VirfsPartInfo *) info)->class;
  const VirfsMember *member = class->members;

  while (member->offset != offset && member < class->members + class->n_members - 1)
    member++;
  g_assert (member->offset == offset);
  switch (member->type) {
  case VIRFS_MEMBER_TEXT:
    virfs_ref_string_set (at (info, member), text);
    break;
  case VIRFS_MEMBER_WORD:
    *(const char **) at (info, member) = g_intern_string (text);
    break;
  case VIRFS_MEMBER_NUMBER:
    *(guint64 *) at (info, member) = number;
    break;
  case VIRFS_MEMBER_BOOL:
    *(gboolean *) at (info, member) = number != 0;
    break;
  case VIRFS_MEMBER_BLOB:
  case VIRFS_MEMBER_BYTES:
  case VIRFS_MEMBER_VIEW:
    g_assert_not_reached ();
  }
}

static gboolean
differs (gconstpointer a, gconstpointer b, const VirfsMember *member)
{
  gconstpointer p = at (a, member), q = at (b, member);

  switch (member->type) {
  case VIRFS_MEMBER_TEXT:
  case VIRFS_MEMBER_WORD:
    return g_strcmp0 (*(char *const *) p, *(char *const *) q) != 0;
  case VIRFS_MEMBER_NUMBER:
    return *(const guint64 *) p != *(const guint64 *) q;
  case VIRFS_MEMBER_BOOL:
    return *(const gboolean *) p != *(const gboolean *) q;
  case VIRFS_MEMBER_BLOB:
  case VIRFS_MEMBER_BYTES:
    return !virfs_blob_equal (*(VirfsBlob *const *) p, *(VirfsBlob *const *) q);
  case VIRFS_MEMBER_VIEW:
    return *(VirfsDiskView *const *) p != *(VirfsDiskView *const *) q;
  }
  return FALSE;
}

gboolean
virfs_part_lists_differ (GPtrArray *a, GPtrArray *b)
{
  guint n = a ? a->len : 0;

  if (a == b || b == NULL)
    return FALSE;
  if (n != b->len)
    return TRUE;
  for (guint i = 0; i < n; i++)
    if (a->pdata[i] != b->pdata[i]
        && (strcmp (((VirfsPartInfo *) a->pdata[i])->name, ((VirfsPartInfo *) b->pdata[i])->name)
              != 0
            || virfs_part_info_diff (a->pdata[i], b->pdata[i]) != 0))
      return TRUE;
  return FALSE;
}

guint64
virfs_part_info_diff (gconstpointer a, gconstpointer b)
{
  const VirfsPartInfo *p = a, *q = b;
  guint64 fields = 0;

  if (p == q)
    return 0;
  for (guint i = 0; i < p->class->n_members; i++)
    if (differs (p, q, &p->class->members[i]))
      fields |= VIRFS_BIT (p->class->members[i].field);
  if (p->draft != q->draft)
    fields |= VIRFS_BIT (VIRFS_PART_STATE);
  /* that there are none is news to who did not know */
  if (virfs_part_lists_differ (p->parts, q->parts) || (p->parts == NULL && q->parts != NULL))
    fields |= VIRFS_BIT (VIRFS_PART_PARTS);
  return fields;
}

static void
unref_item (gpointer info)
{
  virfs_part_info_unref (info);
}

GPtrArray *
virfs_part_list_new (void)
{
  return g_ptr_array_new_with_free_func (unref_item);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  const VirfsPartInfo *const *p = a, *const *q = b;

  return strcmp ((*p)->name, (*q)->name);
}

void
virfs_part_list_sort (GPtrArray *list)
{
  g_ptr_array_sort (list, compare_names);
}

gpointer
virfs_part_list_find (GPtrArray *list, const char *name)
{
  guint low = 0, high = list ? list->len : 0;

  while (low < high) {
    guint middle = low + (high - low) / 2;
    VirfsPartInfo *info = list->pdata[middle];
    int order = strcmp (name, info->name);

    if (order == 0)
      return info;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

void
virfs_part_lists_set (GPtrArray **lists, guint i, GPtrArray *list)
{
  g_clear_pointer (&lists[i], g_ptr_array_unref);
  lists[i] = list;
}

/* Records. */

/* `SIZE BASE64`, of the bytes as they are packed. */
static void
save_bytes (const VirfsBlob *blob, const char *name, GKeyFile *file, const char *group)
{
  gsize size;
  const void *packed = virfs_blob_packed (blob, &size);
  g_autofree char *base64 = g_base64_encode (packed, size);
  g_autofree char *text
    = g_strdup_printf ("%" G_GSIZE_FORMAT " %s", virfs_blob_size (blob), base64);

  g_key_file_set_string (file, group, name, text);
}

static VirfsBlob *
load_bytes (const char *text)
{
  char *end;
  guint64 size = g_ascii_strtoull (text, &end, 10);
  gsize packed_size = 0;
  g_autofree guchar *packed = *end == ' ' ? g_base64_decode (end + 1, &packed_size) : NULL;

  return virfs_blob_new_packed (packed, packed_size, size);
}

static void
save_member (gconstpointer info, const VirfsMember *member, GKeyFile *file, const char *group)
{
  gconstpointer value = at (info, member);
  g_autoptr (GString) text = NULL;

  switch (member->type) {
  case VIRFS_MEMBER_TEXT:
  case VIRFS_MEMBER_WORD:
    if (*(char *const *) value != NULL)
      g_key_file_set_string (file, group, member->name, *(char *const *) value);
    break;
  case VIRFS_MEMBER_NUMBER:
    g_key_file_set_uint64 (file, group, member->name, *(const guint64 *) value);
    break;
  case VIRFS_MEMBER_BOOL:
    g_key_file_set_boolean (file, group, member->name, *(const gboolean *) value);
    break;
  case VIRFS_MEMBER_BLOB:
    if (*(VirfsBlob *const *) value == NULL)
      break;
    text = g_string_new (NULL);
    virfs_blob_append (*(VirfsBlob *const *) value, text);
    g_key_file_set_string (file, group, member->name, text->str);
    break;
  case VIRFS_MEMBER_BYTES:
    if (*(VirfsBlob *const *) value != NULL)
      save_bytes (*(VirfsBlob *const *) value, member->name, file, group);
    break;
  case VIRFS_MEMBER_VIEW:
    break;
  }
}

void
virfs_part_info_save (gconstpointer info, GKeyFile *file, const char *group)
{
  const VirfsPartClass *class = ((const VirfsPartInfo *) info)->class;

  for (guint i = 0; i < class->n_members; i++)
    save_member (info, &class->members[i], file, group);
}

static void
load_member (gpointer info, const VirfsMember *member, GKeyFile *file, const char *group)
{
  gpointer *value = at (info, member);
  g_autofree char *text = g_key_file_get_string (file, group, member->name, NULL);

  if (text == NULL)
    return;
  unref_member (info, member);
  switch (member->type) {
  case VIRFS_MEMBER_TEXT:
    *value = g_ref_string_new (text);
    break;
  case VIRFS_MEMBER_WORD:
    *(const char **) value = g_intern_string (text);
    break;
  case VIRFS_MEMBER_NUMBER:
    *(guint64 *) value = g_key_file_get_uint64 (file, group, member->name, NULL);
    break;
  case VIRFS_MEMBER_BOOL:
    *(gboolean *) value = g_key_file_get_boolean (file, group, member->name, NULL);
    break;
  case VIRFS_MEMBER_BLOB:
    *value = virfs_blob_new (text);
    break;
  case VIRFS_MEMBER_BYTES:
    *value = load_bytes (text);
    break;
  case VIRFS_MEMBER_VIEW:
    *value = NULL;
  }
}

void
virfs_part_info_load (gpointer info, GKeyFile *file, const char *group)
{
  const VirfsPartClass *class = ((VirfsPartInfo *) info)->class;

  for (guint i = 0; i < class->n_members; i++)
    load_member (info, &class->members[i], file, group);
}

void
virfs_part_info_assign (gpointer info, gconstpointer from)
{
  static const gsize sizes[] = {
    [VIRFS_MEMBER_TEXT] = sizeof (gpointer),  [VIRFS_MEMBER_WORD] = sizeof (gpointer),
    [VIRFS_MEMBER_NUMBER] = sizeof (guint64), [VIRFS_MEMBER_BOOL] = sizeof (gboolean),
    [VIRFS_MEMBER_BLOB] = sizeof (gpointer),  [VIRFS_MEMBER_BYTES] = sizeof (gpointer),
    [VIRFS_MEMBER_VIEW] = sizeof (gpointer),
  };
  const VirfsPartClass *class = ((VirfsPartInfo *) info)->class;

  for (guint i = 0; i < class->n_members; i++) {
    const VirfsMember *member = &class->members[i];

    ref_member ((gpointer) from, member);
    unref_member (info, member);
    memcpy (at (info, member), at (from, member), sizes[member->type]);
  }
}
