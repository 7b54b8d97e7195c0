/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place where libvirt's error numbers become ours. */
#include "fail.h"

#include "error.h"

#include <errno.h>
#include <string.h>

typedef struct {
  int theirs;
  VirfsError ours;
} Row;

static const Row codes[] = {
  { VIR_ERR_NO_MEMORY, VIRFS_ERROR_NO_MEMORY },
  { VIR_ERR_NO_SUPPORT, VIRFS_ERROR_UNSUPPORTED },
  { VIR_ERR_CONFIG_UNSUPPORTED, VIRFS_ERROR_UNSUPPORTED },
  { VIR_ERR_ARGUMENT_UNSUPPORTED, VIRFS_ERROR_UNSUPPORTED },
  { VIR_ERR_OPERATION_UNSUPPORTED, VIRFS_ERROR_UNSUPPORTED },
  { VIR_ERR_CPU_INCOMPATIBLE, VIRFS_ERROR_UNSUPPORTED },
  { VIR_ERR_NO_CONNECT, VIRFS_ERROR_HOST_DOWN },
  { VIR_ERR_INVALID_CONN, VIRFS_ERROR_HOST_DOWN },
  { VIR_ERR_RPC, VIRFS_ERROR_HOST_DOWN },
  { VIR_ERR_INVALID_ARG, VIRFS_ERROR_INVALID },
  { VIR_ERR_XML_ERROR, VIRFS_ERROR_INVALID },
  { VIR_ERR_XML_DETAIL, VIRFS_ERROR_INVALID },
  { VIR_ERR_XML_INVALID_SCHEMA, VIRFS_ERROR_INVALID },
  { VIR_ERR_DOM_EXIST, VIRFS_ERROR_EXISTS },
  { VIR_ERR_NETWORK_EXIST, VIRFS_ERROR_EXISTS },
  { VIR_ERR_STORAGE_VOL_EXIST, VIRFS_ERROR_EXISTS },
  { VIR_ERR_NO_DOMAIN, VIRFS_ERROR_NOT_FOUND },
  { VIR_ERR_NO_NETWORK, VIRFS_ERROR_NOT_FOUND },
  { VIR_ERR_NO_STORAGE_POOL, VIRFS_ERROR_NOT_FOUND },
  { VIR_ERR_NO_STORAGE_VOL, VIRFS_ERROR_NOT_FOUND },
  { VIR_ERR_NO_DOMAIN_SNAPSHOT, VIRFS_ERROR_NOT_FOUND },
  { VIR_ERR_NO_DOMAIN_CHECKPOINT, VIRFS_ERROR_NOT_FOUND },
  { VIR_ERR_NO_DOMAIN_METADATA, VIRFS_ERROR_NOT_FOUND },
  { VIR_ERR_NO_NWFILTER, VIRFS_ERROR_NOT_FOUND },
  /* what virsh calls invalid is a wrong state of the guest */
  { VIR_ERR_OPERATION_INVALID, VIRFS_ERROR_BUSY },
  /* a lock that another job holds, no time that ran out */
  { VIR_ERR_OPERATION_TIMEOUT, VIRFS_ERROR_BUSY },
  { VIR_ERR_RESOURCE_BUSY, VIRFS_ERROR_BUSY },
  { VIR_ERR_BLOCK_COPY_ACTIVE, VIRFS_ERROR_BUSY },
  { VIR_ERR_OPERATION_ABORTED, VIRFS_ERROR_CANCELLED },
  { VIR_ERR_OPERATION_DENIED, VIRFS_ERROR_DENIED },
  { VIR_ERR_AUTH_FAILED, VIRFS_ERROR_DENIED },
  { VIR_ERR_AUTH_CANCELLED, VIRFS_ERROR_DENIED },
  { VIR_ERR_AUTH_UNAVAILABLE, VIRFS_ERROR_DENIED },
  { VIR_ERR_ACCESS_DENIED, VIRFS_ERROR_DENIED },
  { VIR_ERR_MIGRATE_UNSAFE, VIRFS_ERROR_PERMITTED },
  { VIR_ERR_SNAPSHOT_REVERT_RISKY, VIRFS_ERROR_PERMITTED },
  { VIR_ERR_CHECKPOINT_INCONSISTENT, VIRFS_ERROR_PERMITTED },
  { VIR_ERR_AGENT_UNRESPONSIVE, VIRFS_ERROR_AGAIN },
  { VIR_ERR_AGENT_UNSYNCED, VIRFS_ERROR_AGAIN },
};

/* VIR_ERR_SYSTEM_ERROR comes with an errno. */
static const Row errnos[] = {
  { ENOENT, VIRFS_ERROR_NOT_FOUND },
  { EEXIST, VIRFS_ERROR_EXISTS },
  { EACCES, VIRFS_ERROR_DENIED },
  { EPERM, VIRFS_ERROR_DENIED },
  { EBUSY, VIRFS_ERROR_BUSY },
  { ENOTEMPTY, VIRFS_ERROR_NOT_EMPTY },
  { EOPNOTSUPP, VIRFS_ERROR_UNSUPPORTED },
  { ENOSPC, VIRFS_ERROR_NO_SPACE },
  { EDQUOT, VIRFS_ERROR_NO_SPACE },
  { ENOMEM, VIRFS_ERROR_NO_MEMORY },
  { ECONNREFUSED, VIRFS_ERROR_HOST_DOWN },
  { ECONNRESET, VIRFS_ERROR_HOST_DOWN },
  { EHOSTUNREACH, VIRFS_ERROR_HOST_DOWN },
  { ENETUNREACH, VIRFS_ERROR_HOST_DOWN },
  { EPIPE, VIRFS_ERROR_HOST_DOWN },
  { ETIMEDOUT, VIRFS_ERROR_HOST_DOWN },
};

static VirfsError
find (const Row *rows, guint n, int theirs)
{
  for (guint i = 0; i < n; i++)
    if (rows[i].theirs == theirs)
      return rows[i].ours;
  return VIRFS_ERROR_FAILED;
}

/* What programs say that libvirt runs, what its storage drivers have no code for, and what it takes for
 * a wrong state though no state would help. */
static VirfsError
find_words (const char *message, VirfsError otherwise)
{
  static const struct {
    const char *words;
    VirfsError ours;
  } rows[] = {
    { "No space left on device", VIRFS_ERROR_NO_SPACE },
    { "nsufficient free space", VIRFS_ERROR_NO_SPACE },
    { "size is too large", VIRFS_ERROR_INVALID },
    { "qdisc kind is unknown", VIRFS_ERROR_UNSUPPORTED },
    { "Failed to load TC action module", VIRFS_ERROR_UNSUPPORTED },
    { "unknown filesystem type", VIRFS_ERROR_UNSUPPORTED },
    { "special device", VIRFS_ERROR_NOT_FOUND },
    { "does not support hotplugging", VIRFS_ERROR_UNSUPPORTED },
    { "command is not currently supported", VIRFS_ERROR_UNSUPPORTED }, /* an agent */
    { "Failed to execute child process", VIRFS_ERROR_NOT_FOUND },
    { "Tray of device", VIRFS_ERROR_BUSY },
    { "Storage source conflict", VIRFS_ERROR_EXISTS },
    { "already exists", VIRFS_ERROR_EXISTS },
    { "still in use", VIRFS_ERROR_BUSY },
    { "controller is not mounted", VIRFS_ERROR_UNSUPPORTED },
    /* by libvirt's client, before the connection is known to be lost */
    { "client socket is closed", VIRFS_ERROR_HOST_DOWN },
  };

  for (guint i = 0; message && i < G_N_ELEMENTS (rows); i++)
    if (strstr (message, rows[i].words) != NULL)
      return rows[i].ours;
  return otherwise;
}

/* Of a program that libvirt has run, what it said and not how it was run. */
static const char *
skip_command (const char *message)
{
  const char *status = strstr (message, ") unexpected exit status ");
  const char *said = status ? strstr (status, ": ") : NULL;

  return said && said[2] ? said + 2 : message;
}

/* What has several lines and columns becomes a sentence; the caller owns it. */
static char *
join_words (const char *message)
{
  g_auto (GStrv) words = g_strsplit_set (message, " \t\n", -1);
  GString *out = g_string_new (NULL);

  for (char **p = words; *p; p++)
    if (**p)
      g_string_append_printf (out, "%s%s", out->len ? " " : "", *p);
  return g_string_free (out, FALSE);
}

gboolean
lv_fail (GError **error, const char *format, ...)
{
  const virError *last = lv_last_error ();
  int code = last ? last->code : VIR_ERR_OK;
  VirfsError ours = code == VIR_ERR_SYSTEM_ERROR ? find (errnos, G_N_ELEMENTS (errnos), last->int1)
                                                 : find (codes, G_N_ELEMENTS (codes), code);
  g_autofree char *what = NULL, *why = NULL;
  va_list args;

  if (lv_last_refused_flags ())
    ours = VIRFS_ERROR_UNSUPPORTED;
  if (last != NULL && (ours == VIRFS_ERROR_FAILED || code == VIR_ERR_OPERATION_INVALID))
    ours = find_words (last->message, ours);
  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  why = join_words (last && last->message ? skip_command (last->message)
                                          : "libvirt does not say why");
  g_set_error (error, VIRFS_ERROR, ours, "%s: %s", what, why);
  return FALSE;
}

void
lv_fail_add (GError **error, const char *text)
{
  char *message = g_strconcat ((*error)->message, text, NULL);

  g_free ((*error)->message);
  (*error)->message = message;
}

int
lv_last_code (void)
{
  const virError *last = lv_last_error ();

  return last ? last->code : VIR_ERR_OK;
}

gboolean
lv_last_missing (void)
{
  return lv_last_code () == VIR_ERR_NO_SUPPORT;
}

gboolean
lv_last_refused_flags (void)
{
  static const char *const words[] = { "unsupported flags", "mutually exclusive" };
  const virError *last = lv_last_error ();

  /* libvirt has no code of its own for this; its words are not translated as long as the program
   * does not choose a language for messages */
  if (last == NULL || last->message == NULL
      || (last->code != VIR_ERR_INVALID_ARG && last->code != VIR_ERR_NO_SUPPORT))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strstr (last->message, words[i]) != NULL)
      return TRUE;
  return FALSE;
}
