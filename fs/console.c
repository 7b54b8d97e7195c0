/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/console/: pictures of a guest's screen, and keys. */
#include "console_files.h"

#include "console.h"

#include <string.h>
#include <sys/random.h>

/* Keys that are pressed together (libvirt's limit), and times that some are, of one line. */
#define MOST_TOGETHER 16
#define MOST_TIMES    256

/* ctl */

void
virfs_console_show_ctl (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  if (virfs_vm_state_active (info->state))
    g_string_append (out, "screenshot\n");
  if (virfs_blob_size (info->screen) != 0)
    g_string_append (out, "forget\n");
  if (virfs_console_size_of_log (node) != 0)
    g_string_append (out, "clear\n");
}

static void
take_picture (VirfsCall *call, const VirfsNode *node)
{
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, node->object))
    return;
  job = virfs_vm_job (call, node, "take a screenshot");
  virfs_node_backend (node)->vm_screenshot (node->object, job);
}

/* NULL would leave it as it is. */
static void
drop_picture (VirfsVmInfo *info, gpointer data)
{
  virfs_blob_unref (info->screen);
  info->screen = virfs_blob_new ("");
}

void
virfs_console_store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;

  if (g_str_equal (text, "screenshot")) {
    take_picture (call, node);
  } else if (g_str_equal (text, "forget")) {
    virfs_infra_edit_vm (virfs_node_infra (node), info->host, info->uuid, drop_picture, NULL);
    virfs_call_finish (call, NULL);
  } else if (g_str_equal (text, "clear")) {
    virfs_console_clear_log (virfs_node_infra (node), info->uuid);
    virfs_call_finish (call, NULL);
  } else {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is not a verb; a console knows screenshot, forget and clear", text);
  }
}

/* keys */

void
virfs_console_show_keys (const VirfsNode *node, GString *out)
{
  virfs_key_append_names (out);
}

/* Adds the codes of CHORD, as in `ctrl-alt-delete`, and a 0; FALSE: CALL has failed. */
static gboolean
add_chord (VirfsCall *call, GArray *codes, const char *chord)
{
  g_auto (GStrv) names = g_strsplit (chord, "-", -1);
  const guint end = 0;
  guint n = g_strv_length (names);

  for (guint i = 0; i < n; i++) {
    guint code = virfs_key_code (names[i]);

    if (code == 0) {
      virfs_call_fail (call, VIRFS_ERROR_INVALID, "\"%s\" is no key; cat keys lists them",
                       names[i]);
      return FALSE;
    }
    g_array_append_val (codes, code);
  }
  g_array_append_val (codes, end);
  if (n <= MOST_TOGETHER)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_INVALID, "no more than %d keys can be pressed together",
                   MOST_TOGETHER);
  return FALSE;
}

static gboolean
parse_keys (VirfsCall *call, GArray *codes, const char *text)
{
  g_auto (GStrv) chords = g_strsplit_set (text, " \t", -1);
  const guint end = 0;
  guint n = 0;

  for (guint i = 0; chords[i] != NULL; i++) {
    if (*chords[i] == '\0')
      continue;
    if (++n > MOST_TIMES) {
      virfs_call_fail (call, VIRFS_ERROR_INVALID, "a line presses keys %d times at most",
                       MOST_TIMES);
      return FALSE;
    }
    if (!add_chord (call, codes, chords[i]))
      return FALSE;
  }
  g_array_append_val (codes, end);
  if (n > 0)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_INVALID, "names of keys are wanted, as in ctrl-alt-delete");
  return FALSE;
}

/* What is typed may be a password: no word of it in the job. */
void
virfs_console_store_keys (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GArray) codes = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (VirfsJob) job = NULL;

  if (!parse_keys (call, codes, text) || !virfs_vm_check_settled (call, node->object))
    return;
  job = virfs_vm_job (call, node, "press keys");
  virfs_node_backend (node)->vm_keys (node->object, (const guint *) codes->data, codes->len, job);
}

/* password: never in an error or an operation, which others may see. */

/* VNC looks at no more. */
#define PASSWORD_LENGTH 8

void
virfs_console_show_password (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  if (info->password != NULL && *info->password && g_get_real_time () < info->password_until)
    g_string_append_printf (out, "%s\n", info->password);
}

/* The caller owns it; NULL: there is no source of chance. */
static char *
make_password (void)
{
  static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789abcdefgh";
  guchar bytes[PASSWORD_LENGTH];
  char *password;

  if (getrandom (bytes, sizeof bytes, 0) != sizeof bytes)
    return NULL;
  password = g_new0 (char, PASSWORD_LENGTH + 1);
  for (guint i = 0; i < PASSWORD_LENGTH; i++)
    password[i] = letters[bytes[i] % 64];
  return password;
}

static gboolean
is_password (const char *text)
{
  gsize length = strlen (text);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (text[i]))
      return FALSE;
  return length > 0 && length <= PASSWORD_LENGTH;
}

void
virfs_console_store_password (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;
  gboolean none = g_str_equal (text, "none"), new = g_str_equal (text, "new");
  g_autofree char *password = none ? g_strdup ("") : new ? make_password () : g_strdup (text);
  g_autoptr (VirfsJob) job = NULL;

  if (password == NULL || (!none && !is_password (password))) {
    virfs_call_fail (
      call, VIRFS_ERROR_INVALID,
      "a password has 1 to %d letters, digits and signs, without spaces; write new for one"
      " at random, or none",
      PASSWORD_LENGTH);
    return;
  }
  if (info->graphics == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "%s shows no screen: graphics tells of those that it has",
                     virfs_vm_shown_as (info));
    return;
  }
  if (!virfs_vm_check_settled (call, node->object))
    return;
  job = virfs_vm_job (call, node, "set the password of the screen");
  virfs_node_backend (node)->vm_password (node->object, password, new, job);
}
