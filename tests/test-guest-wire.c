/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the helper of guest files says, as it should be and as nobody should say it. */
#include "guest_tree.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_values (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autofree char *text = NULL;
  VirfsWireReader in;
  gsize length;

  virfs_wire_put_u32 (out, 7);
  virfs_wire_put_u64 (out, G_MAXUINT64);
  virfs_wire_put_text (out, "a\nb");
  virfs_wire_put_bytes (out, "x\0y", 3);
  virfs_wire_put_text (out, NULL);
  in = virfs_wire_reader (out);
  g_assert_cmpuint (virfs_wire_get_u32 (&in), ==, 7);
  g_assert_cmpuint (virfs_wire_get_u64 (&in), ==, G_MAXUINT64);
  text = virfs_wire_get_text (&in, 3);
  g_assert_cmpstr (text, ==, "a\nb");
  g_assert_cmpmem (virfs_wire_get_bytes (&in, 3, &length), 3, "x\0y", 3);
  g_assert_false (virfs_wire_at_end (&in));
  g_assert_nonnull (virfs_wire_get_bytes (&in, 0, &length));
  g_assert_true (virfs_wire_at_end (&in));
}

/* Each is too short, too long, or not what it should be. */
static void
test_bad_values (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  VirfsWireReader in;
  gsize length;

  virfs_wire_put_u32 (out, 1);
  in = virfs_wire_reader (out);
  g_assert_cmpuint (virfs_wire_get_u64 (&in), ==, 0);
  g_assert_true (in.bad);
  in = virfs_wire_reader (out);
  g_assert_null (virfs_wire_get_text (&in, 10));
  g_assert_true (in.bad);
  g_assert_cmpuint (virfs_wire_get_u32 (&in), ==, 0); /* nothing is good behind it */

  g_byte_array_set_size (out, 0);
  virfs_wire_put_text (out, "four");
  in = virfs_wire_reader (out);
  g_assert_null (virfs_wire_get_text (&in, 3));
  g_byte_array_set_size (out, 0);
  virfs_wire_put_bytes (out, "x\0y", 3);
  in = virfs_wire_reader (out);
  g_assert_null (virfs_wire_get_text (&in, 3));
  in = virfs_wire_reader (out);
  g_assert_nonnull (virfs_wire_get_bytes (&in, 3, &length));
  g_assert_cmpuint (virfs_wire_get_count (&in, 1), ==, 0);
  g_assert_true (in.bad);

  g_byte_array_set_size (out, 0);
  virfs_wire_put_u32 (out, G_MAXUINT32);
  in = virfs_wire_reader (out);
  g_assert_cmpuint (virfs_wire_get_count (&in, 4), ==, 0);
  g_assert_true (in.bad);
  in = virfs_wire_reader (out);
  g_assert_null (virfs_wire_get_bytes (&in, G_MAXSIZE, &length));
  g_assert_cmpuint (length, ==, 0);
}

static void
test_names (void)
{
  g_autofree char *longest = g_strnfill (VIRFS_WIRE_NAME_MAX, 'x');
  g_autofree char *longer = g_strnfill (VIRFS_WIRE_NAME_MAX + 1, 'x');

  g_assert_true (virfs_wire_is_name ("a"));
  g_assert_true (virfs_wire_is_name ("..."));
  g_assert_true (virfs_wire_is_name ("\n\xff"));
  g_assert_true (virfs_wire_is_name (longest));
  g_assert_false (virfs_wire_is_name (longer));
  g_assert_false (virfs_wire_is_name (""));
  g_assert_false (virfs_wire_is_name ("."));
  g_assert_false (virfs_wire_is_name (".."));
  g_assert_false (virfs_wire_is_name ("../../etc"));
  g_assert_false (virfs_wire_is_name ("/"));
}

/* Frames. */

typedef struct {
  int sockets[2];
  GByteArray *payload;
} Pair;

static void
pair_set_up (Pair *pair, gconstpointer data)
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->sockets), ==, 0);
  pair->payload = g_byte_array_new ();
}

static void
pair_tear_down (Pair *pair, gconstpointer data)
{
  close (pair->sockets[0]);
  if (pair->sockets[1] >= 0)
    close (pair->sockets[1]);
  g_byte_array_unref (pair->payload);
}

static void
close_end (Pair *pair)
{
  close (pair->sockets[1]);
  pair->sockets[1] = -1;
}

static void
test_frame (Pair *pair, gconstpointer data)
{
  VirfsWireHeader header = { 5, VIRFS_WIRE_FAILED, ENOENT, 3 }, got;

  g_assert_true (virfs_wire_send (pair->sockets[1], &header, "why"));
  header.length = 0;
  g_assert_true (virfs_wire_send (pair->sockets[1], &header, NULL));
  g_assert_true (virfs_wire_receive (pair->sockets[0], &got, pair->payload));
  g_assert_cmpuint (got.id, ==, 5);
  g_assert_cmpint (got.error, ==, ENOENT);
  g_assert_cmpmem (pair->payload->data, pair->payload->len, "why", 3);
  g_assert_true (virfs_wire_receive (pair->sockets[0], &got, pair->payload));
  g_assert_cmpuint (pair->payload->len, ==, 0);
  close_end (pair);
  g_assert_false (virfs_wire_receive (pair->sockets[0], &got, pair->payload));
  g_assert_false (virfs_wire_send (pair->sockets[0], &header, NULL));
}

/* It says that more comes than there may be, and than there is. */
static void
test_bad_frame (Pair *pair, gconstpointer data)
{
  VirfsWireHeader header = { 1, VIRFS_WIRE_DONE, 0, VIRFS_WIRE_MAX + 1 }, got;

  g_assert_cmpint (write (pair->sockets[1], &header, sizeof header), ==, sizeof header);
  g_assert_false (virfs_wire_receive (pair->sockets[0], &got, pair->payload));
  g_assert_cmpint (errno, ==, EPROTO);
  header.length = 10;
  g_assert_cmpint (write (pair->sockets[1], &header, sizeof header), ==, sizeof header);
  g_assert_cmpint (write (pair->sockets[1], "short", 5), ==, 5);
  close_end (pair);
  g_assert_false (virfs_wire_receive (pair->sockets[0], &got, pair->payload));
}

/* Answers. */

static gboolean
add_names (VirfsNames *names, const char *name, gsize length)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  virfs_wire_put_bytes (out, name, length);
  virfs_wire_put_u64 (out, 12);
  virfs_wire_put_u32 (out, 4);
  return virfs_answer_add_names (out, names);
}

static void
test_list_answer (void)
{
  VirfsNames names = { g_array_new (FALSE, FALSE, sizeof (VirfsFilesEntry)), g_string_new (NULL) };

  g_assert_true (add_names (&names, "b\n", 2));
  g_assert_true (add_names (&names, "a", 1));
  g_assert_false (add_names (&names, "..", 2));
  g_assert_false (add_names (&names, "a/b", 3));
  g_assert_false (add_names (&names, "", 0));
  g_assert_false (add_names (&names, "x\0y", 3));
  g_assert_cmpuint (names.entries->len, ==, 2);
  g_assert_cmpmem (names.names->str, names.names->len, "b\n\0a", 5);
  g_array_unref (names.entries);
  g_string_free (names.names, TRUE);
}

static void
put_info (GByteArray *out, guint64 mode, guint64 size, const char *target)
{
  virfs_wire_put_u32 (out, TRUE);
  for (guint i = 0; i < 16; i++)
    virfs_wire_put_u64 (out, i == 2 ? mode : i == 7 ? size : 0);
  virfs_wire_put_text (out, target);
}

static void
test_info_answer (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  gpointer infos[3] = { NULL };
  VirfsFilesInfo *info;

  put_info (out, S_IFREG | 04755 | 1 << 20, G_MAXUINT64, "not a link");
  virfs_wire_put_u32 (out, FALSE);
  put_info (out, S_IFLNK | 0777, 3, "../..");
  g_assert_true (virfs_answer_get_infos (out, infos, 3));
  info = infos[0];
  g_assert_cmpuint (info->st.st_mode, ==, S_IFREG | 04755);
  g_assert_cmpint (info->st.st_size, ==, 0); /* -1 */
  g_assert_cmpuint (info->st.st_nlink, ==, 1);
  g_assert_null (info->target);
  g_assert_null (infos[1]);
  info = infos[2];
  g_assert_cmpstr (info->target, ==, "../..");
  g_clear_pointer (&infos[0], virfs_info_free);
  g_clear_pointer (&infos[2], virfs_info_free);

  g_assert_false (virfs_answer_get_infos (out, infos, 2)); /* one too many */
  g_clear_pointer (&infos[0], virfs_info_free);
  g_byte_array_set_size (out, 0);
  put_info (out, 0170000, 0, ""); /* no such type */
  g_assert_true (virfs_answer_get_infos (out, infos, 1));
  g_assert_null (infos[0]);
}

static void
test_xattr_answer (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  gpointer tables[2] = { NULL };
  guint from = 0;

  virfs_wire_put_u32 (out, 1);
  virfs_wire_put_text (out, "user.a");
  virfs_wire_put_bytes (out, "1\0", 2);
  g_assert_true (virfs_answer_get_xattrs (out, tables, &from, 2));
  g_assert_cmpuint (from, ==, 1);
  g_assert_cmpuint (g_bytes_get_size (g_hash_table_lookup (tables[0], "user.a")), ==, 2);
  g_byte_array_set_size (out, 0);
  virfs_wire_put_u32 (out, 1000000);
  g_assert_false (virfs_answer_get_xattrs (out, tables, &from, 2));
  for (guint i = 0; i < from; i++)
    g_hash_table_unref (tables[i]);
}

/* Whatever comes: it is read to its end, and nothing is taken that is not there (ASan would tell). */
static void
test_noise (void)
{
  for (guint round = 0; round < 20000; round++) {
    g_autoptr (GByteArray) out = g_byte_array_new ();
    VirfsNames names
      = { g_array_new (FALSE, FALSE, sizeof (VirfsFilesEntry)), g_string_new (NULL) };
    gpointer infos[4] = { NULL }, tables[4] = { NULL };
    guint from = 0, n = g_test_rand_int_range (0, 300);

    for (guint i = 0; i < n; i++) {
      guint8 byte = g_test_rand_int_range (0, 3) ? 0 : g_test_rand_int_range (0, 256);

      g_byte_array_append (out, &byte, 1);
    }
    virfs_answer_add_names (out, &names);
    virfs_answer_get_infos (out, infos, 4);
    virfs_answer_get_xattrs (out, tables, &from, 4);
    for (guint i = 0; i < 4; i++) {
      virfs_info_free (infos[i]);
      g_clear_pointer ((GHashTable **) &tables[i], g_hash_table_unref);
    }
    g_array_unref (names.entries);
    g_string_free (names.names, TRUE);
  }
}

/* Lists. */

static void
test_list (void)
{
  static const char *const given[] = { "b", "a", "\xff", "a", "B" };
  static const char *const sorted[] = { "B", "a", "b", "\xff" };
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (VirfsFilesEntry));
  g_autoptr (VirfsFilesList) list = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (given); i++) {
    VirfsFilesEntry entry = { .name = given[i] };

    g_array_append_val (entries, entry);
  }
  list = virfs_files_list_new (entries);
  g_assert_cmpuint (list->n, ==, G_N_ELEMENTS (sorted));
  for (guint i = 0; i < G_N_ELEMENTS (sorted); i++) {
    g_assert_cmpstr (list->entries[i].name, ==, sorted[i]);
    g_assert_cmpuint (virfs_files_list_find (list, sorted[i]), ==, i);
  }
  g_assert_cmpuint (virfs_files_list_find (list, "c"), ==, G_MAXUINT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/guest-wire/values", test_values);
  g_test_add_func ("/guest-wire/values/bad", test_bad_values);
  g_test_add_func ("/guest-wire/names", test_names);
  g_test_add ("/guest-wire/frame", Pair, NULL, pair_set_up, test_frame, pair_tear_down);
  g_test_add ("/guest-wire/frame/bad", Pair, NULL, pair_set_up, test_bad_frame, pair_tear_down);
  g_test_add_func ("/guest-wire/answer/list", test_list_answer);
  g_test_add_func ("/guest-wire/answer/info", test_info_answer);
  g_test_add_func ("/guest-wire/answer/xattr", test_xattr_answer);
  g_test_add_func ("/guest-wire/answer/noise", test_noise);
  g_test_add_func ("/guest-wire/list", test_list);
  return g_test_run ();
}
