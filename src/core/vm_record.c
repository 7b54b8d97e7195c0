/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One table of members, read in both directions. */
#include "vm_record.h"

typedef enum { TEXT, WORD, STATE, INT, UINT, BOOL, U64, I64 } MemberType;

typedef struct {
  const char *key;
  gsize offset;
  MemberType type;
} Member;

#define MEMBER(member, type)                                                                       \
  {                                                                                                \
#member, G_STRUCT_OFFSET(VirfsVmInfo, member), type                                            \
  }

static const Member members[] = {
  MEMBER (name, TEXT),
  MEMBER (title, TEXT),
  MEMBER (description, TEXT),
  MEMBER (state, STATE),
  MEMBER (reason, WORD),
  MEMBER (id, INT),
  MEMBER (autostart, BOOL),
  MEMBER (persistent, BOOL),
  MEMBER (saved, BOOL),
  MEMBER (created, I64),
  MEMBER (vcpus, UINT),
  MEMBER (vcpus_max, UINT),
  MEMBER (memory, U64),
  MEMBER (memory_max, U64),
  MEMBER (cpu_shares, U64),
  MEMBER (cpu_quota, I64),
  MEMBER (cpu_period, U64),
  MEMBER (vcpu_pins, TEXT),
  MEMBER (emulator_cpuset, TEXT),
  MEMBER (numa_mode, WORD),
  MEMBER (numa_nodeset, TEXT),
  MEMBER (boot, TEXT),
  MEMBER (firmware, WORD),
  MEMBER (machine, TEXT),
  MEMBER (owned, BOOL),
  MEMBER (owner.uid, UINT),
  MEMBER (owner.gid, UINT),
  MEMBER (owner.mode, UINT),
  MEMBER (tags, TEXT),
  MEMBER (image, TEXT),
  MEMBER (isolation, TEXT),
  MEMBER (protect, BOOL),
  MEMBER (record, BOOL),
};

/* What escapes GVariant's rules for strings is left out. */
static GVariant *
text_value (const char *text)
{
  return text && g_utf8_validate (text, -1, NULL) ? g_variant_new_string (text) : NULL;
}

/* Floating; NULL for what has no value. */
static GVariant *
get_member (const VirfsVmInfo *info, const Member *member)
{
  const void *at = (const char *) info + member->offset;

  switch (member->type) {
  case TEXT:
  case WORD:
    return text_value (*(char *const *) at);
  case STATE:
    return g_variant_new_string (virfs_vm_state_name (*(const VirfsVmState *) at));
  case INT:
    return g_variant_new_int32 (*(const int *) at);
  case UINT:
    return g_variant_new_uint32 (*(const guint *) at);
  case BOOL:
    return g_variant_new_boolean (*(const gboolean *) at);
  case U64:
    return g_variant_new_uint64 (*(const guint64 *) at);
  case I64:
    return g_variant_new_int64 (*(const gint64 *) at);
  }
  return NULL;
}

GVariant *
virfs_vm_record_new (const VirfsVmInfo *info)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    GVariant *value = get_member (info, &members[i]);

    if (value != NULL)
      g_variant_builder_add (&builder, "{sv}", members[i].key, value);
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
set_state (VirfsVmState *state, const char *name)
{
  *state = virfs_vm_state_parse (name);
  if (*state == VIRFS_VM_N_STATES)
    *state = VIRFS_VM_UNKNOWN;
}

static void
set_member (VirfsVmInfo *info, const Member *member, GVariant *value)
{
  void *at = (char *) info + member->offset;

  switch (member->type) {
  case TEXT:
    virfs_ref_string_set (at, g_variant_get_string (value, NULL));
    break;
  case WORD:
    *(const char **) at = g_intern_string (g_variant_get_string (value, NULL));
    break;
  case STATE:
    set_state (at, g_variant_get_string (value, NULL));
    break;
  case INT:
    *(int *) at = g_variant_get_int32 (value);
    break;
  case UINT:
    *(guint *) at = g_variant_get_uint32 (value);
    break;
  case BOOL:
    *(gboolean *) at = g_variant_get_boolean (value);
    break;
  case U64:
    *(guint64 *) at = g_variant_get_uint64 (value);
    break;
  case I64:
    *(gint64 *) at = g_variant_get_int64 (value);
    break;
  }
}

static const GVariantType *
type_of (const Member *member)
{
  static const char *const types[] = {
    [TEXT] = "s", [WORD] = "s", [STATE] = "s", [INT] = "i",
    [UINT] = "u", [BOOL] = "b", [U64] = "t",   [I64] = "x",
  };

  return G_VARIANT_TYPE (types[member->type]);
}

/* Keys come in the order of the members, so the one that is wanted is nearly always *NEXT. */
static const Member *
find_member (const char *key, guint *next)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    const Member *member = &members[(*next + i) % G_N_ELEMENTS (members)];

    if (g_str_equal (member->key, key)) {
      *next = member - members + 1;
      return member;
    }
  }
  return NULL;
}

VirfsVmInfo *
virfs_vm_record_read (GVariant *record, const char *uuid)
{
  VirfsVmInfo *info = virfs_vm_info_new (uuid, "");
  GVariantIter iter;
  const char *key;
  GVariant *value;
  guint next = 0;

  g_variant_iter_init (&iter, record);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
    const Member *member = find_member (key, &next);

    if (member != NULL && g_variant_is_of_type (value, type_of (member)))
      set_member (info, member, value);
  }
  if (info->name != NULL && *info->name)
    return info;
  virfs_vm_info_unref (info);
  return NULL;
}
