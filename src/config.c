/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file.  Its settings are one table; the manual is tested against it. */
#include "config.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define GROUP      "virfs"
#define HOST_GROUP "host "

static gboolean
is_store (const char *value)
{
  return g_path_is_absolute (value) || g_str_equal (value, VIRFS_STORE_NONE);
}

static gboolean
is_pool (const char *value)
{
  return *value != '\0' && strchr (value, '/') == NULL;
}

static gboolean
is_word (const char *value)
{
  return *value != '\0' && g_utf8_strlen (value, -1) <= 8 && strpbrk (value, " \t") == NULL;
}

static const struct {
  const char *key;
  gsize offset;
  guint min, max, standard;
} settings[] = {
  { "poll_interval", G_STRUCT_OFFSET (VirfsConfig, poll_interval), 1, 86400, 10 },
  { "metrics_interval", G_STRUCT_OFFSET (VirfsConfig, metrics_interval), 1, 3600, 15 },
  { "history", G_STRUCT_OFFSET (VirfsConfig, history), 0, 1, 1 },
  { "history_hours", G_STRUCT_OFFSET (VirfsConfig, history_hours), 7, 8760, 24 },
  { "history_days", G_STRUCT_OFFSET (VirfsConfig, history_days), 11, 3650, 90 },
  { "history_years", G_STRUCT_OFFSET (VirfsConfig, history_years), 1, 100, 5 },
  { "history_mib", G_STRUCT_OFFSET (VirfsConfig, history_mib), 0, 16777216, 4096 },
  { "connect_timeout", G_STRUCT_OFFSET (VirfsConfig, connect_timeout), 0, 3600, 10 },
  { "keepalive_interval", G_STRUCT_OFFSET (VirfsConfig, keepalive_interval), 1, 3600, 1 },
  { "keepalive_count", G_STRUCT_OFFSET (VirfsConfig, keepalive_count), 1, 100, 4 },
  { "reconnect_max", G_STRUCT_OFFSET (VirfsConfig, reconnect_max), 1, 86400, 30 },
  { "freeze_timeout", G_STRUCT_OFFSET (VirfsConfig, freeze_timeout), 1, 3600, 10 },
  { "agent_interval", G_STRUCT_OFFSET (VirfsConfig, agent_interval), 0, 86400, 300 },
  { "console_log", G_STRUCT_OFFSET (VirfsConfig, console_log), 4096, 16777216, 262144 },
  { "password_timeout", G_STRUCT_OFFSET (VirfsConfig, password_timeout), 1, 86400, 300 },
  { "shutdown_timeout", G_STRUCT_OFFSET (VirfsConfig, shutdown_timeout), 1, 604800, 60 },
  { "move_mib", G_STRUCT_OFFSET (VirfsConfig, move_mib), 0, 1048576, 0 },
  { "hook_timeout", G_STRUCT_OFFSET (VirfsConfig, hook_timeout), 1, 3600, 30 },
  { "appliances", G_STRUCT_OFFSET (VirfsConfig, appliances), 1, 64, 2 },
  { "report_days", G_STRUCT_OFFSET (VirfsConfig, report_days), 0, 36500, 30 },
  { "appliance_idle", G_STRUCT_OFFSET (VirfsConfig, appliance_idle), 1, 86400, 600 },
  { "drain_parallel", G_STRUCT_OFFSET (VirfsConfig, drain_parallel), 1, 4, 2 },
  { "events_keep", G_STRUCT_OFFSET (VirfsConfig, events_keep), 8, 1048576, 64 },
};

/* Of text. */
static const struct {
  const char *key;
  gsize offset;
  gboolean (*check) (const char *value);
  const char *wanted;
} texts[] = {
  { "store", G_STRUCT_OFFSET (VirfsConfig, store), is_store,
    "a directory by its full path, or " VIRFS_STORE_NONE ", is wanted" },
  { "images", G_STRUCT_OFFSET (VirfsConfig, images), is_pool, "the name of a pool is wanted" },
  { "currency", G_STRUCT_OFFSET (VirfsConfig, currency), is_word, "a word like EUR is wanted" },
};

/* Prices. */
static const struct {
  const char *key;
  gsize offset;
} prices[] = {
  { "price_kwh", G_STRUCT_OFFSET (VirfsConfig, price_kwh) },
  { "price_vcpu_hour", G_STRUCT_OFFSET (VirfsConfig, price_vcpu_hour) },
  { "price_gib_hour", G_STRUCT_OFFSET (VirfsConfig, price_gib_hour) },
  { "price_gib_month", G_STRUCT_OFFSET (VirfsConfig, price_gib_month) },
};

static guint *
member (VirfsConfig *config, guint i)
{
  return (guint *) ((char *) config + settings[i].offset);
}

static char **
text_member (VirfsConfig *config, guint i)
{
  return (char **) ((char *) config + texts[i].offset);
}

static void
free_host (gpointer data)
{
  VirfsConfigHost *host = data;

  g_free (host->name);
  g_free (host->uri);
  g_free (host->images);
  g_free (host);
}

VirfsConfig *
virfs_config_new (void)
{
  VirfsConfig *config = g_new0 (VirfsConfig, 1);

  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    *member (config, i) = settings[i].standard;
  config->hosts = g_ptr_array_new_with_free_func (free_host);
  return config;
}

void
virfs_config_free (VirfsConfig *config)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (*text_member (config, i));
  g_ptr_array_unref (config->hosts);
  g_free (config);
}

void
virfs_config_add_host (VirfsConfig *config, const char *name, const char *uri)
{
  VirfsConfigHost *host = g_new0 (VirfsConfigHost, 1);

  host->name = g_strdup (name);
  host->uri = g_strdup (uri);
  g_ptr_array_add (config->hosts, host);
}

static gboolean
load_text (VirfsConfig *config, GKeyFile *file, guint i, GError **error)
{
  g_autofree char *value = g_key_file_get_string (file, GROUP, texts[i].key, NULL);

  if (value == NULL || !texts[i].check (value)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "[" GROUP "] %s: %s", texts[i].key,
                 texts[i].wanted);
    return FALSE;
  }
  g_free (*text_member (config, i));
  *text_member (config, i) = g_steal_pointer (&value);
  return TRUE;
}

/* A number from 0 on. */
static gboolean
load_real (double *value, GKeyFile *file, const char *group, const char *key, GError **error)
{
  g_autoptr (GError) wrong = NULL;

  *value = g_key_file_get_double (file, group, key, &wrong);
  if (wrong == NULL && isfinite (*value) && *value >= 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "[%s] %s: a number that is not negative, as in 0.25, is wanted", group, key);
  return FALSE;
}

static gboolean
load_setting (VirfsConfig *config, GKeyFile *file, const char *key, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++) {
    g_autoptr (GError) wrong = NULL;
    guint64 value;

    if (!g_str_equal (key, settings[i].key))
      continue;
    value = g_key_file_get_uint64 (file, GROUP, key, &wrong);
    if (wrong != NULL || value < settings[i].min || value > settings[i].max) {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                   "[" GROUP "] %s: a whole number from %u to %u is wanted", key, settings[i].min,
                   settings[i].max);
      return FALSE;
    }
    *member (config, i) = (guint) value;
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_str_equal (key, texts[i].key))
      return load_text (config, file, i, error);
  for (guint i = 0; i < G_N_ELEMENTS (prices); i++)
    if (g_str_equal (key, prices[i].key))
      return load_real ((double *) ((char *) config + prices[i].offset), file, GROUP, key, error);
  g_warning ("[" GROUP "] %s is not a setting that this version knows", key);
  return TRUE;
}

/* Of the host that was added last. */
static gboolean
load_images (VirfsConfig *config, GKeyFile *file, const char *group, GError **error)
{
  VirfsConfigHost *host = config->hosts->pdata[config->hosts->len - 1];

  host->images = g_key_file_get_string (file, group, "images", NULL);
  if (host->images == NULL || is_pool (host->images))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "[%s] images: the name of a pool is wanted",
               group);
  return FALSE;
}

static gboolean
load_watts (VirfsConfig *config, GKeyFile *file, const char *group, GError **error)
{
  VirfsConfigHost *host = config->hosts->pdata[config->hosts->len - 1];

  if (g_key_file_has_key (file, group, "watts_idle", NULL)
      && !load_real (&host->watts_idle, file, group, "watts_idle", error))
    return FALSE;
  return !g_key_file_has_key (file, group, "watts_max", NULL)
         || load_real (&host->watts_max, file, group, "watts_max", error);
}

/* What may be misspelt would vanish without a word. */
static void
warn_of_unknown (GKeyFile *file, const char *group)
{
  static const char *const known[] = { "uri", "images", "watts_idle", "watts_max", NULL };
  g_auto (GStrv) keys = g_key_file_get_keys (file, group, NULL, NULL);

  for (char **key = keys; *key; key++)
    if (!g_strv_contains (known, *key))
      g_warning ("[%s] %s is not a setting of a host that this version knows", group, *key);
}

static gboolean
load_host (VirfsConfig *config, GKeyFile *file, const char *group, GError **error)
{
  g_autofree char *name = g_strstrip (g_strdup (group + strlen (HOST_GROUP)));
  g_autofree char *uri = g_key_file_get_string (file, group, "uri", NULL);

  if (*name == '\0' || uri == NULL || *uri == '\0') {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "[%s]: a host needs a name and a uri",
                 group);
    return FALSE;
  }
  virfs_config_add_host (config, name, uri);
  warn_of_unknown (file, group);
  return load_images (config, file, group, error) && load_watts (config, file, group, error);
}

static gboolean
load_group (VirfsConfig *config, GKeyFile *file, const char *group, GError **error)
{
  g_auto (GStrv) keys = NULL;

  if (g_str_has_prefix (group, HOST_GROUP))
    return load_host (config, file, group, error);
  if (!g_str_equal (group, GROUP)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "[%s]: a group is [" GROUP "] or [" HOST_GROUP "NAME]", group);
    return FALSE;
  }
  keys = g_key_file_get_keys (file, group, NULL, NULL);
  for (char **key = keys; *key; key++)
    if (!load_setting (config, file, *key, error))
      return FALSE;
  return TRUE;
}

gboolean
virfs_config_load (VirfsConfig *config, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) wrong = NULL;
  g_auto (GStrv) groups = NULL;

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &wrong)) {
    gboolean missing = g_error_matches (wrong, G_FILE_ERROR, G_FILE_ERROR_NOENT);

    g_set_error (error, VIRFS_ERROR, missing ? VIRFS_ERROR_NOT_FOUND : VIRFS_ERROR_INVALID,
                 "%s: %s", path, wrong->message);
    return FALSE;
  }
  groups = g_key_file_get_groups (file, NULL);
  for (char **group = groups; *group; group++)
    if (!load_group (config, file, *group, error)) {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  return TRUE;
}

char *
virfs_config_default_file (void)
{
  if (getuid () == 0)
    return g_strdup ("/etc/virfs.conf");
  return g_build_filename (g_get_user_config_dir (), "virfs.conf", NULL);
}

char *
virfs_config_default_store (void)
{
  if (getuid () == 0)
    return g_strdup ("/var/lib/virfs");
  return g_build_filename (g_get_user_state_dir (), "virfs", NULL);
}
