/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a host: making, copying and comparing infos.  The registry is in infra.c. */
#include "host.h"

#include "upkeep.h"

#include <string.h>

static const char *const state_names[] = {
  [VIRFS_HOST_UNCONFIGURED] = "unconfigured",
  [VIRFS_HOST_CONNECTING] = "connecting",
  [VIRFS_HOST_UP] = "up",
  [VIRFS_HOST_UNREACHABLE] = "unreachable",
};

const char *
virfs_host_state_name (VirfsHostState state)
{
  return state_names[state];
}

void
virfs_ref_string_set (GRefString **field, const char *value)
{
  if (*field != NULL && value != NULL && g_str_equal (*field, value))
    return;
  g_clear_pointer (field, g_ref_string_release);
  if (value != NULL && *value)
    *field = g_ref_string_new (value);
}

static GRefString *
ref_string (GRefString *string)
{
  return string ? g_ref_string_acquire (string) : NULL;
}

static GPtrArray *
ref_array (GPtrArray *array)
{
  return array ? g_ptr_array_ref (array) : NULL;
}

VirfsHostPart
virfs_host_part (const VirfsPartClass *class)
{
  static const VirfsPartClass *const classes[VIRFS_HOST_N_PARTS] = {
    [VIRFS_HOST_POOLS] = &virfs_pool_class,
    [VIRFS_HOST_NETWORKS] = &virfs_network_class,
    [VIRFS_HOST_FILTERS] = &virfs_filter_class,
    [VIRFS_HOST_INTERFACES] = &virfs_interface_class,
    [VIRFS_HOST_DEVICES] = &virfs_node_device_class,
  };
  guint i = 0;

  while (i < VIRFS_HOST_N_PARTS && classes[i] != class)
    i++;
  g_assert (i < VIRFS_HOST_N_PARTS);
  return i;
}

VirfsHostInfo *
virfs_host_info_new (void)
{
  VirfsHostInfo *info = g_new0 (VirfsHostInfo, 1);

  g_atomic_ref_count_init (&info->refs);
  info->cpu_load = -1;
  return info;
}

VirfsHostInfo *
virfs_host_info_copy (const VirfsHostInfo *info)
{
  VirfsHostInfo *copy = g_memdup2 (info, sizeof *info);

  g_atomic_ref_count_init (&copy->refs);
  ref_string (copy->uri);
  ref_string (copy->hostname);
  ref_string (copy->hypervisor);
  ref_string (copy->arch);
  ref_string (copy->cpu_model);
  ref_string (copy->cpu_kind);
  ref_string (copy->cpu);
  if (copy->cpu_verdicts != NULL)
    g_hash_table_ref (copy->cpu_verdicts);
  ref_string (copy->error);
  ref_string (copy->alarms);
  virfs_blob_ref (copy->capabilities);
  virfs_blob_ref (copy->sysinfo);
  ref_array (copy->guest_types);
  ref_array (copy->machines);
  ref_array (copy->networks);
  ref_array (copy->bridges);
  if (copy->upkeep != NULL)
    virfs_upkeep_ref (copy->upkeep);
  for (guint i = 0; i < VIRFS_HOST_N_PARTS; i++)
    ref_array (copy->parts[i]);
  ref_array (copy->secrets);
  ref_array (copy->profile);
  return copy;
}

void
virfs_host_info_unref (VirfsHostInfo *info)
{
  if (info == NULL || !g_atomic_ref_count_dec (&info->refs))
    return;
  g_clear_pointer (&info->uri, g_ref_string_release);
  g_clear_pointer (&info->hostname, g_ref_string_release);
  g_clear_pointer (&info->hypervisor, g_ref_string_release);
  g_clear_pointer (&info->arch, g_ref_string_release);
  g_clear_pointer (&info->cpu_model, g_ref_string_release);
  g_clear_pointer (&info->cpu_kind, g_ref_string_release);
  g_clear_pointer (&info->cpu, g_ref_string_release);
  g_clear_pointer (&info->cpu_verdicts, g_hash_table_unref);
  g_clear_pointer (&info->error, g_ref_string_release);
  g_clear_pointer (&info->alarms, g_ref_string_release);
  virfs_blob_unref (info->capabilities);
  virfs_blob_unref (info->sysinfo);
  g_clear_pointer (&info->guest_types, g_ptr_array_unref);
  g_clear_pointer (&info->machines, g_ptr_array_unref);
  g_clear_pointer (&info->networks, g_ptr_array_unref);
  g_clear_pointer (&info->bridges, g_ptr_array_unref);
  virfs_upkeep_unref (info->upkeep);
  for (guint i = 0; i < VIRFS_HOST_N_PARTS; i++)
    g_clear_pointer (&info->parts[i], g_ptr_array_unref);
  g_clear_pointer (&info->secrets, g_ptr_array_unref);
  g_clear_pointer (&info->profile, g_ptr_array_unref);
  g_free (info);
}

static gboolean
names_equal (GPtrArray *a, GPtrArray *b)
{
  if (a == b)
    return TRUE;
  if (a == NULL || b == NULL || a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    if (!g_str_equal (a->pdata[i], b->pdata[i]))
      return FALSE;
  return TRUE;
}

guint64
virfs_host_info_diff (const VirfsHostInfo *a, const VirfsHostInfo *b)
{
  guint64 fields = 0;

#define DIFFER(field, differ) fields |= (differ) ? VIRFS_BIT (VIRFS_HOST_##field) : 0
  DIFFER (URI, g_strcmp0 (a->uri, b->uri) != 0);
  DIFFER (STATE, a->state != b->state);
  DIFFER (HOSTNAME, g_strcmp0 (a->hostname, b->hostname) != 0);
  DIFFER (HYPERVISOR, g_strcmp0 (a->hypervisor, b->hypervisor) != 0);
  DIFFER (ARCH, g_strcmp0 (a->arch, b->arch) != 0);
  DIFFER (CPUS, a->cpus != b->cpus);
  DIFFER (CPU_MODEL, g_strcmp0 (a->cpu_model, b->cpu_model) != 0);
  DIFFER (MEMORY, a->memory != b->memory);
  DIFFER (MEMORY_FREE, a->memory_free != b->memory_free);
  DIFFER (CPU_LOAD, a->cpu_load != b->cpu_load);
  DIFFER (CAPABILITIES, !virfs_blob_equal (a->capabilities, b->capabilities));
  DIFFER (SYSINFO, !virfs_blob_equal (a->sysinfo, b->sysinfo));
  DIFFER (RESOURCES, !names_equal (a->guest_types, b->guest_types)
                       || !names_equal (a->machines, b->machines)
                       || !names_equal (a->networks, b->networks)
                       || !names_equal (a->bridges, b->bridges));
  for (guint i = 0; i < VIRFS_HOST_N_PARTS; i++)
    DIFFER (PARTS, virfs_part_lists_differ (a->parts[i], b->parts[i])
                     || (a->parts[i] == NULL && b->parts[i] != NULL));
  DIFFER (SECRETS, !virfs_definitions_equal (a->secrets, b->secrets)
                     || (a->secrets == NULL && b->secrets != NULL));
  DIFFER (PROFILE, a->emptied != b->emptied || !virfs_definitions_equal (a->profile, b->profile));
  DIFFER (ERROR, g_strcmp0 (a->error, b->error) != 0);
  DIFFER (ALARMS, g_strcmp0 (a->alarms, b->alarms) != 0);
  DIFFER (UPKEEP, a->upkeep != b->upkeep);
#undef DIFFER
  return fields;
}

char *
virfs_host_info_masked_uri (const VirfsHostInfo *info)
{
  const char *uri = info->uri ? info->uri : "";
  const char *host = strstr (uri, "://");
  const char *end = host ? host + 3 + strcspn (host + 3, "/?#") : NULL;
  const char *at = host ? memchr (host + 3, '@', end - host - 3) : NULL;
  const char *colon = at ? memchr (host + 3, ':', at - host - 3) : NULL;

  if (colon == NULL)
    return g_strdup (uri);
  return g_strdup_printf ("%.*s:***%s", (int) (colon - uri), uri, at);
}
