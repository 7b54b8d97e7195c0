/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What images say of themselves, and what is not believed. */
#include "error.h"
#include "image_header.h"

#include <string.h>

#define CLUSTER   (64 * 1024)
#define FILE_SIZE (4 * CLUSTER)

typedef struct {
  guint8 bytes[1024];
} Bytes;

static void
put (Bytes *b, gsize offset, guint bytes, guint64 value)
{
  for (guint i = 0; i < bytes; i++)
    b->bytes[offset + i] = (guint8) (value >> 8 * (bytes - 1 - i));
}

static void
put_text (Bytes *b, gsize offset, const char *text)
{
  memcpy (b->bytes + offset, text, strlen (text));
}

/* A disk of 1 GiB, which has two tables: header, reference counts, block of them, table of clusters. */
static Bytes
good_qcow2 (void)
{
  Bytes b = { { 0 } };

  put_text (&b, 0, "QFI\xfb");
  put (&b, 4, 4, 3);
  put (&b, 20, 4, 16);
  put (&b, 24, 8, 1 << 30);
  put (&b, 36, 4, 2);
  put (&b, 40, 8, 3 * CLUSTER);
  put (&b, 48, 8, CLUSTER);
  put (&b, 56, 4, 1);
  put (&b, 96, 4, 4);
  put (&b, 100, 4, 104);
  return b;
}

static void
check (const Bytes *b, gsize length, guint64 size, const char *format, guint64 virtual_size,
       const char *backing)
{
  g_auto (VirfsImageHeader) header = { 0 };
  g_autoptr (GError) error = NULL;

  virfs_image_header_parse (b->bytes, length, size, &header, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (header.format, ==, format);
  g_assert_cmpuint (header.size, ==, virtual_size);
  g_assert_cmpstr (header.backing, ==, backing);
}

static void
refuse (const Bytes *b, gsize length, guint64 size, const char *words)
{
  g_auto (VirfsImageHeader) header = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (virfs_image_header_parse (b->bytes, length, size, &header, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  if (strstr (error->message, words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, words);
}

static void
test_raw (void)
{
  Bytes b = { { 0 } };

  check (&b, sizeof b.bytes, 12345, "raw", 12345, NULL);
  check (&b, 0, 0, "raw", 0, NULL);
  put_text (&b, 0, "QFI");
  check (&b, 3, 3, "raw", 3, NULL);
}

static void
test_qcow2 (void)
{
  Bytes b = good_qcow2 ();

  check (&b, sizeof b.bytes, FILE_SIZE, "qcow2", 1 << 30, NULL);
  put (&b, 8, 8, 512);
  put (&b, 16, 4, 9);
  put_text (&b, 512, "base.raw\0");
  b.bytes[520] = '2';
  check (&b, sizeof b.bytes, FILE_SIZE, "qcow2", 1 << 30, "base.raw2");
  put (&b, 4, 4, 2);
  put (&b, 72, 8, 2); /* of version 2 that is nothing */
  check (&b, sizeof b.bytes, FILE_SIZE, "qcow2", 1 << 30, "base.raw2");
}

/* One field that is wrong. */
static const struct {
  gsize offset;
  guint bytes;
  guint64 value;
  const char *words;
} wrongs[] = {
  { 4, 4, 0, "its version is 0" },
  { 4, 4, 4, "its version is 4" },
  { 20, 4, 8, "clusters" },
  { 20, 4, 63, "clusters" },
  { 24, 8, G_MAXUINT64, "more bytes" },
  { 36, 4, 1, "another size" },
  { 36, 4, G_MAXUINT32, "another size" },
  { 40, 8, 3 * CLUSTER + 8, "not where one can be" },
  { 40, 8, 4 * CLUSTER, "has not arrived as a whole" },
  { 40, 8, G_MAXUINT64 - 65535, "has not arrived as a whole" },
  { 48, 8, 1, "not where one can be" },
  { 56, 4, 4, "has not arrived as a whole" },
  { 72, 8, 1 << 1, "corrupt" },
  { 72, 8, 1 << 2, "in another file" },
  { 72, 8, 1 << 9, "not known" },
  { 96, 4, 7, "too wide" },
  { 100, 4, 12, "length of 12" },
};

static void
test_broken_qcow2 (void)
{
  Bytes good = good_qcow2 ();

  for (guint i = 0; i < G_N_ELEMENTS (wrongs); i++) {
    Bytes b = good;

    put (&b, wrongs[i].offset, wrongs[i].bytes, wrongs[i].value);
    refuse (&b, sizeof b.bytes, FILE_SIZE, wrongs[i].words);
  }
  refuse (&good, 60, 60, "within its header");
  refuse (&good, sizeof good.bytes, 3 * CLUSTER, "has not arrived as a whole");
}

static void
test_broken_backing (void)
{
  static const struct {
    guint64 offset, length;
  } places[]
    = { { 512, 1024 }, { 1020, 9 }, { G_MAXUINT64 - 3, 9 }, { 512, G_MAXUINT32 }, { 513, 9 } };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    Bytes b = good_qcow2 ();

    put (&b, 8, 8, places[i].offset);
    put (&b, 16, 4, places[i].length);
    put_text (&b, 512, "base.raw");
    refuse (&b, sizeof b.bytes, FILE_SIZE, "its backing file is broken");
  }
}

static void
test_others (void)
{
  Bytes vmdk = { { 0 } }, vdi = { { 0 } }, vpc = { { 0 } }, text = { { 0 } };

  put_text (&vmdk, 0, "KDMV");
  vmdk.bytes[12] = 8;
  vmdk.bytes[28] = vmdk.bytes[36] = 1;
  check (&vmdk, sizeof vmdk.bytes, 4096, "vmdk", 4096, NULL);
  put_text (&vmdk, 600, "parentFileNameHint=\"/etc/shadow\"");
  refuse (&vmdk, sizeof vmdk.bytes, 4096, "a part of another");
  vmdk.bytes[36] = 9;
  refuse (&vmdk, sizeof vmdk.bytes, 4096, "not at its beginning");
  put_text (&text, 0, "# Disk DescriptorFile\nRW 1 FLAT \"/etc/shadow\" 0\n");
  refuse (&text, sizeof text.bytes, 1024, "in other files");
  put_text (&vdi, 0x40, "\x7f\x10\xda\xbe");
  vdi.bytes[0x171] = 16;
  check (&vdi, sizeof vdi.bytes, 8192, "vdi", 4096, NULL);
  vdi.bytes[0x4c] = 4;
  refuse (&vdi, sizeof vdi.bytes, 8192, "a part of another");
  put_text (&vpc, 0, "conectix");
  put (&vpc, 48, 8, 1 << 20);
  check (&vpc, sizeof vpc.bytes, 1024, "vpc", 1 << 20, NULL);
  put (&vpc, 60, 4, 4);
  refuse (&vpc, sizeof vpc.bytes, 1024, "a part of another");
}

/* Whatever stands there, it is only read where it is: for the sanitizers. */
static void
test_noise (void)
{
  for (guint i = 0; i < 20000; i++) {
    Bytes b = good_qcow2 ();
    g_autofree guint8 *copy = NULL;
    g_auto (VirfsImageHeader) header = { 0 };
    gsize length = (gsize) g_test_rand_int_range (0, sizeof b.bytes + 1);

    for (guint j = 0; j < 4; j++)
      b.bytes[g_test_rand_int_range (4, 128)] = (guint8) g_test_rand_int ();
    copy = g_memdup2 (b.bytes, length);
    virfs_image_header_parse (copy, length, FILE_SIZE, &header, NULL);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image-header/raw", test_raw);
  g_test_add_func ("/image-header/qcow2", test_qcow2);
  g_test_add_func ("/image-header/broken-qcow2", test_broken_qcow2);
  g_test_add_func ("/image-header/broken-backing", test_broken_backing);
  g_test_add_func ("/image-header/others", test_others);
  g_test_add_func ("/image-header/noise", test_noise);
  return g_test_run ();
}
