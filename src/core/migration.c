/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of migrations: one table of what they are called and what they may be. */
#include "migration.h"

#include "text.h"

#include <string.h>

#define GROUP "migration"

typedef gboolean (*Parse) (const char *text, char **value, GError **error);

static gboolean
parse_bandwidth (const char *text, char **value, GError **error)
{
  guint64 bytes;

  if (!virfs_parse_size (text, &bytes, error))
    return FALSE;
  /* libvirt counts in MiB */
  if (bytes < 1u << 20) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "bytes a second are wanted, 1M (1048576) at least, as in 100M");
    return FALSE;
  }
  *value = g_strdup_printf ("%" G_GUINT64_FORMAT, bytes);
  return TRUE;
}

static gboolean
parse_number (const char *text, guint64 least, guint64 most, const char *what, char **value,
              GError **error)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (text, 10, least, most, &number, NULL)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s are wanted, %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, what, least, most);
    return FALSE;
  }
  *value = g_strdup_printf ("%" G_GUINT64_FORMAT, number);
  return TRUE;
}

static gboolean
parse_downtime (const char *text, char **value, GError **error)
{
  return parse_number (text, 1, 2000 * 1000, "milliseconds", value, error);
}

static gboolean
parse_connections (const char *text, char **value, GError **error)
{
  return parse_number (text, 0, 255, "connections", value, error);
}

static gboolean
parse_bool (const char *text, char **value, GError **error)
{
  if (!g_str_equal (text, "0") && !g_str_equal (text, "1")) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "0 or 1 is wanted, or nothing");
    return FALSE;
  }
  *value = g_strdup (text);
  return TRUE;
}

static gboolean
parse_compression (const char *text, char **value, GError **error)
{
  if (!g_str_equal (text, "none") && !g_str_equal (text, "mt") && !g_str_equal (text, "xbzrle")) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "none, mt or xbzrle is wanted");
    return FALSE;
  }
  *value = g_strdup (text);
  return TRUE;
}

static gboolean
parse_post_copy (const char *text, char **value, GError **error)
{
  if (!g_str_equal (text, "ready") && !g_str_equal (text, "0") && !g_str_equal (text, "1")) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "0, 1 or ready is wanted, or nothing");
    return FALSE;
  }
  *value = g_strdup (text);
  return TRUE;
}

static const struct {
  const char *name;
  Parse parse;
} options[VIRFS_MIGRATION_N_OPTIONS] = {
  [VIRFS_MIGRATION_BANDWIDTH] = { "bandwidth", parse_bandwidth },
  [VIRFS_MIGRATION_DOWNTIME] = { "downtime", parse_downtime },
  [VIRFS_MIGRATION_AUTO_CONVERGE] = { "auto_converge", parse_bool },
  [VIRFS_MIGRATION_POST_COPY] = { "post_copy", parse_post_copy },
  [VIRFS_MIGRATION_PARALLEL] = { "parallel", parse_connections },
  [VIRFS_MIGRATION_COMPRESSION] = { "compression", parse_compression },
  [VIRFS_MIGRATION_TLS] = { "tls", parse_bool },
  [VIRFS_MIGRATION_PEER_TO_PEER] = { "peer_to_peer", parse_bool },
  [VIRFS_MIGRATION_TUNNELLED] = { "tunnelled", parse_bool },
};

const char *
virfs_migration_name (VirfsMigrationOption option)
{
  return options[option].name;
}

char *
virfs_migration_parse (VirfsMigrationOption option, const char *text, GError **error)
{
  char *value = NULL;

  if (*text == '\0')
    return g_strdup ("");
  return options[option].parse (text, &value, error) ? value : NULL;
}

static gboolean
is_empty (const VirfsMigration *migration)
{
  for (guint i = 0; i < VIRFS_MIGRATION_N_OPTIONS; i++)
    if (migration->values[i] != NULL)
      return FALSE;
  return TRUE;
}

VirfsMigration *
virfs_migration_copy (const VirfsMigration *migration)
{
  VirfsMigration *copy = migration ? g_new0 (VirfsMigration, 1) : NULL;

  for (guint i = 0; copy && i < VIRFS_MIGRATION_N_OPTIONS; i++)
    copy->values[i] = g_strdup (migration->values[i]);
  return copy;
}

void
virfs_migration_free (VirfsMigration *migration)
{
  for (guint i = 0; migration && i < VIRFS_MIGRATION_N_OPTIONS; i++)
    g_free (migration->values[i]);
  g_free (migration);
}

VirfsMigration *
virfs_migration_with (const VirfsMigration *migration, VirfsMigrationOption option,
                      const char *value)
{
  g_autoptr (VirfsMigration) copy
    = migration ? virfs_migration_copy (migration) : g_new0 (VirfsMigration, 1);

  g_free (copy->values[option]);
  copy->values[option] = *value ? g_strdup (value) : NULL;
  return is_empty (copy) ? NULL : g_steal_pointer (&copy);
}

void
virfs_migration_save (const VirfsMigration *migration, GKeyFile *file)
{
  for (guint i = 0; migration && i < VIRFS_MIGRATION_N_OPTIONS; i++)
    if (migration->values[i] != NULL)
      g_key_file_set_string (file, GROUP, options[i].name, migration->values[i]);
}

VirfsMigration *
virfs_migration_load (GKeyFile *file)
{
  g_autoptr (VirfsMigration) migration = g_new0 (VirfsMigration, 1);

  for (guint i = 0; i < VIRFS_MIGRATION_N_OPTIONS; i++) {
    g_autofree char *text = g_key_file_get_string (file, GROUP, options[i].name, NULL);
    g_autofree char *value = text ? virfs_migration_parse (i, text, NULL) : NULL;

    if (value != NULL && *value)
      migration->values[i] = g_steal_pointer (&value);
  }
  return is_empty (migration) ? NULL : g_steal_pointer (&migration);
}

/* Plans. */

static const char *
value_of (const VirfsMigration *first, const VirfsMigration *second, VirfsMigrationOption option,
          const char *standard)
{
  if (first != NULL && first->values[option] != NULL)
    return first->values[option];
  return second && second->values[option] ? second->values[option] : standard;
}

void
virfs_migration_plan (const VirfsMigration *first, const VirfsMigration *second,
                      VirfsMigrationPlan *plan)
{
#define VALUE(option, standard) value_of (first, second, VIRFS_MIGRATION_##option, standard)
#define IS(option, standard)    g_str_equal (VALUE (option, standard), "1")
  const char *compression = VALUE (COMPRESSION, "none");

  plan->bandwidth = g_ascii_strtoull (VALUE (BANDWIDTH, "0"), NULL, 10);
  plan->downtime = g_ascii_strtoull (VALUE (DOWNTIME, "0"), NULL, 10);
  plan->auto_converge = IS (AUTO_CONVERGE, "1");
  plan->post_copy = IS (POST_COPY, "0");
  plan->may_post_copy = !g_str_equal (VALUE (POST_COPY, "0"), "0");
  plan->parallel = (guint) g_ascii_strtoull (VALUE (PARALLEL, "0"), NULL, 10);
  plan->tls = IS (TLS, "0");
  plan->tunnelled = IS (TUNNELLED, "0");
  plan->peer_to_peer = plan->tunnelled || IS (PEER_TO_PEER, "0");
  g_strlcpy (plan->compression, g_str_equal (compression, "none") ? "" : compression,
             sizeof plan->compression);
#undef IS
#undef VALUE
}

/* What does not go together. */

static gboolean
is_parallel (const VirfsMigrationPlan *plan)
{
  return plan->parallel != 0;
}

static gboolean
is_post_copy (const VirfsMigrationPlan *plan)
{
  return plan->may_post_copy;
}

static gboolean
is_compressed (const VirfsMigrationPlan *plan)
{
  return *plan->compression != '\0';
}

static gboolean
is_tls (const VirfsMigrationPlan *plan)
{
  return plan->tls;
}

static gboolean
is_tunnelled (const VirfsMigrationPlan *plan)
{
  return plan->tunnelled;
}

/* Seen with libvirt 9.0 and QEMU 7.2, which do not refuse all of them: of a guest in post-copy with parallel
 * connections both processes end, and pages that are sent in parallel are not compressed. */
static const struct {
  VirfsMigrationOption first, second;
  gboolean (*has_first) (const VirfsMigrationPlan *plan);
  gboolean (*has_second) (const VirfsMigrationPlan *plan);
  const char *why;
} contradictions[] = {
  { VIRFS_MIGRATION_TUNNELLED, VIRFS_MIGRATION_PARALLEL, is_tunnelled, is_parallel,
    "there is one tunnel" },
  { VIRFS_MIGRATION_TUNNELLED, VIRFS_MIGRATION_POST_COPY, is_tunnelled, is_post_copy,
    "a tunnel leads only one way" },
  { VIRFS_MIGRATION_TUNNELLED, VIRFS_MIGRATION_TLS, is_tunnelled, is_tls,
    "the tunnel is as safe as the uri of the other host" },
  { VIRFS_MIGRATION_POST_COPY, VIRFS_MIGRATION_PARALLEL, is_post_copy, is_parallel,
    "the guest would be lost" },
  { VIRFS_MIGRATION_COMPRESSION, VIRFS_MIGRATION_PARALLEL, is_compressed, is_parallel,
    "what is sent in parallel is not compressed" },
};

static gboolean
is_asked (guint contradiction, VirfsMigrationOption written)
{
  return written == VIRFS_MIGRATION_N_OPTIONS || contradictions[contradiction].first == written
         || contradictions[contradiction].second == written;
}

gboolean
virfs_migration_check (const VirfsMigrationPlan *plan, VirfsMigrationOption written, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (contradictions); i++) {
    const char *first = options[contradictions[i].first].name;
    const char *second = options[contradictions[i].second].name;

    if (!is_asked (i, written) || !contradictions[i].has_first (plan)
        || !contradictions[i].has_second (plan))
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s does not go with %s: %s; write %s to migration/%s, or 0 to migration/%s",
                 first, second, contradictions[i].why,
                 contradictions[i].first == VIRFS_MIGRATION_COMPRESSION ? "none" : "0", first,
                 second);
    return FALSE;
  }
  return TRUE;
}
