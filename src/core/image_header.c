/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of images: qcow2 as QEMU's docs/interop/qcow2.txt has it, of the others what matters. */
#include "image_header.h"

#include "error.h"

#include <string.h>

typedef struct {
  const guint8 *bytes;
  gsize length;
  guint64 file_size;
} Head;

void
virfs_image_header_clear (VirfsImageHeader *header)
{
  g_free (header->backing);
  *header = (VirfsImageHeader){ 0 };
}

static gboolean G_GNUC_PRINTF (3, 4)
  refuse (GError **error, const char *format, const char *why, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, why);
  text = g_strdup_vprintf (why, args);
  va_end (args);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "this is no %s image that can be used: %s",
               format, text);
  return FALSE;
}

/* What lies beyond the end is 0. */
static guint64
number (const Head *head, gsize offset, guint bytes, gboolean big)
{
  guint64 value = 0;

  if (offset > head->length || head->length - offset < bytes)
    return 0;
  for (guint i = 0; i < bytes; i++)
    value = value << 8 | head->bytes[offset + (big ? i : bytes - 1 - i)];
  return value;
}

static guint64
big (const Head *head, gsize offset, guint bytes)
{
  return number (head, offset, bytes, TRUE);
}

static guint64
little (const Head *head, gsize offset, guint bytes)
{
  return number (head, offset, bytes, FALSE);
}

/* A name within what was read. */
static gboolean
take_backing (const Head *head, const char *format, guint64 offset, guint64 length,
              VirfsImageHeader *header, GError **error)
{
  if (offset == 0 || length == 0)
    return TRUE;
  if (length > 1023 || offset > head->length || head->length - offset < length
      || memchr (head->bytes + offset, '\0', length) != NULL)
    return refuse (error, format, "the name of its backing file is broken");
  header->backing = g_strndup ((const char *) head->bytes + offset, length);
  return TRUE;
}

/* qcow2 */

enum { CORRUPT = 1 << 1, DATA_FILE = 1 << 2, WIDE_ENTRIES = 1 << 4, KNOWN_FEATURES = 0x1f };

static gboolean
check_features (const Head *head, GError **error)
{
  guint64 features = big (head, 72, 8);

  if (features & CORRUPT)
    return refuse (error, "qcow2", "it is marked as corrupt");
  if (features & DATA_FILE)
    return refuse (error, "qcow2", "its data are in another file");
  if (features & ~(guint64) KNOWN_FEATURES)
    return refuse (error, "qcow2", "it has features that are not known");
  if (big (head, 100, 4) < 104 || big (head, 100, 4) % 8 != 0)
    return refuse (error, "qcow2", "its header has a length of %" G_GUINT64_FORMAT,
                   big (head, 100, 4));
  return big (head, 96, 4) <= 6 || refuse (error, "qcow2", "its reference counts are too wide");
}

/* Whether LENGTH bytes at OFFSET are in clusters of the file. */
static gboolean
check_table (const Head *head, const char *what, guint64 offset, guint64 length, guint cluster_bits,
             GError **error)
{
  if (offset % (G_GUINT64_CONSTANT (1) << cluster_bits) != 0)
    return refuse (error, "qcow2", "its %s is not where one can be", what);
  if (offset > head->file_size || head->file_size - offset < length)
    return refuse (error, "qcow2", "it ends before its %s: it has not arrived as a whole", what);
  return TRUE;
}

static gboolean
check_tables (const Head *head, guint cluster_bits, guint64 size, GError **error)
{
  guint64 entries = big (head, 36, 4);
  gboolean wide = big (head, 4, 4) == 3 && big (head, 72, 8) & WIDE_ENTRIES;
  guint bits = 2 * cluster_bits - (wide ? 4 : 3); /* of the disk, that an entry is for */
  guint64 needed = (size >> bits) + ((size & ((G_GUINT64_CONSTANT (1) << bits) - 1)) != 0);

  if (entries < needed || entries > (32 << 20) / 8)
    return refuse (error, "qcow2", "its table is of another size than the disk");
  return (entries == 0
          || check_table (head, "table of clusters", big (head, 40, 8), entries * 8, cluster_bits,
                          error))
         && check_table (head, "reference counts", big (head, 48, 8),
                         big (head, 56, 4) << cluster_bits, cluster_bits, error);
}

static gboolean
parse_qcow2 (const Head *head, VirfsImageHeader *header, GError **error)
{
  guint64 version = big (head, 4, 4), cluster_bits = big (head, 20, 4);

  header->format = version == 1 ? "qcow" : "qcow2";
  header->size = big (head, 24, 8);
  if (head->length < 72 || (version == 3 && head->length < 104))
    return refuse (error, "qcow2", "it ends within its header");
  if (version < 1 || version > 3)
    return refuse (error, "qcow2", "its version is %" G_GUINT64_FORMAT, version);
  if (!take_backing (head, "qcow2", big (head, 8, 8), big (head, 16, 4), header, error))
    return FALSE;
  if (version == 1)
    return TRUE;
  if (cluster_bits < 9 || cluster_bits > 21)
    return refuse (error, "qcow2", "its clusters are of 2^%" G_GUINT64_FORMAT " bytes",
                   cluster_bits);
  if (header->size > G_MAXINT64)
    return refuse (error, "qcow2", "it says to have more bytes than there can be");
  return (version == 2 || check_features (head, error))
         && check_tables (head, (guint) cluster_bits, header->size, error);
}

/* The others. */

static gboolean
parse_qed (const Head *head, VirfsImageHeader *header, GError **error)
{
  header->size = little (head, 48, 8);
  if (!(little (head, 16, 8) & 1))
    return TRUE;
  return take_backing (head, "qed", little (head, 56, 4), little (head, 60, 4), header, error);
}

/* The text in it names what else belongs to it. */
static gboolean
parse_vmdk (const Head *head, VirfsImageHeader *header, GError **error)
{
  static const char hint[] = "parentFileNameHint";
  guint64 offset = little (head, 28, 8) * 512, length = little (head, 36, 8) * 512;

  header->size = little (head, 12, 8) * 512;
  if (offset == 0 || length == 0)
    return TRUE;
  if (offset > head->length || head->length - offset < length)
    return refuse (error, "vmdk", "its description is not at its beginning");
  return memmem (head->bytes + offset, head->length - offset, hint, strlen (hint)) == NULL
         || refuse (error, "vmdk", "it is a part of another image");
}

static gboolean
parse_vmdk_text (const Head *head, VirfsImageHeader *header, GError **error)
{
  return refuse (error, "vmdk", "its data are in other files");
}

static gboolean
parse_cowd (const Head *head, VirfsImageHeader *header, GError **error)
{
  header->size = little (head, 12, 4) * 512;
  return TRUE;
}

static gboolean
parse_vdi (const Head *head, VirfsImageHeader *header, GError **error)
{
  header->size = little (head, 0x170, 8);
  return little (head, 0x4c, 4) != 4 || refuse (error, "vdi", "it is a part of another image");
}

static gboolean
parse_vpc (const Head *head, VirfsImageHeader *header, GError **error)
{
  header->size = big (head, 48, 8);
  return big (head, 60, 4) != 4 || refuse (error, "vpc", "it is a part of another image");
}

static gboolean
parse_nothing (const Head *head, VirfsImageHeader *header, GError **error)
{
  return TRUE;
}

static const struct {
  const char *format;
  gsize offset;
  const char *magic;
  gsize length;
  gboolean (*parse) (const Head *head, VirfsImageHeader *header, GError **error);
} kinds[] = {
  { "qcow2", 0, "QFI\xfb", 4, parse_qcow2 },
  { "qed", 0, "QED\0", 4, parse_qed },
  { "vmdk", 0, "KDMV", 4, parse_vmdk },
  { "vmdk", 0, "COWD", 4, parse_cowd },
  { "vmdk", 0, "# Disk DescriptorFile", 21, parse_vmdk_text },
  { "vdi", 0x40, "\x7f\x10\xda\xbe", 4, parse_vdi },
  { "vpc", 0, "conectix", 8, parse_vpc },
  { "vhdx", 0, "vhdxfile", 8, parse_nothing },
  { "luks", 0, "LUKS\xba\xbe", 6, parse_nothing },
};

gboolean
virfs_image_header_parse (const guint8 *bytes, gsize length, guint64 file_size,
                          VirfsImageHeader *header, GError **error)
{
  Head head = { bytes, length, file_size };

  *header = (VirfsImageHeader){ .format = "raw", .size = file_size };
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (length < kinds[i].offset + kinds[i].length
        || memcmp (bytes + kinds[i].offset, kinds[i].magic, kinds[i].length) != 0)
      continue;
    header->format = kinds[i].format;
    header->size = 0;
    if (kinds[i].parse (&head, header, error))
      return TRUE;
    virfs_image_header_clear (header);
    return FALSE;
  }
  return TRUE;
}
