/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU opens whatever file an image names as its backing file or as where its data is.  So before it is given
 * one, its header is read here, and an image that leads to any other file than was expected is refused.
 */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* See docs/interop/qcow2.txt of QEMU. */
#define MAGIC            0x514649fb
#define LENGTH_V2        72
#define LENGTH_V3        104
#define EXTERNAL_DATA    (G_GUINT64_CONSTANT (1) << 2)
#define EXTENSION_FORMAT 0xe2792aca
/* Its first cluster holds the header, the extensions and the backing file's name. */
#define FIRST_CLUSTER (2 * 1024 * 1024)

typedef struct {
  guint8 *data;
  gsize length;
} Header;

static guint32
get_u32 (const Header *header, gsize at)
{
  guint32 value = 0;

  if (at + sizeof value <= header->length)
    memcpy (&value, header->data + at, sizeof value);
  return GUINT32_FROM_BE (value);
}

static guint64
get_u64 (const Header *header, gsize at)
{
  return (guint64) get_u32 (header, at) << 32 | get_u32 (header, at + 4);
}

static gboolean
read_header (const char *file, Header *header, GError **error)
{
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat st;
  gssize got = -1;

  if (fd >= 0 && fstat (fd, &st) == 0 && !S_ISREG (st.st_mode) && !S_ISBLK (st.st_mode)) {
    close (fd);
    helper_fail (error, EINVAL, "%s is neither a file nor a disk", file);
    return FALSE;
  }
  if (fd >= 0)
    got = pread (fd, header->data, FIRST_CLUSTER, 0);
  if (got < 0)
    helper_fail (error, errno, "%s: %s", file, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  header->length = MAX (got, 0);
  return got >= 0;
}

/* The format that the header says its backing file has; NULL: it says nothing, and QEMU would guess. */
static char *
backing_format (const Header *header)
{
  gsize at = get_u32 (header, 4) >= 3 ? get_u32 (header, 100) : LENGTH_V2;

  while (at + 8 <= header->length && get_u32 (header, at) != 0) {
    guint32 length = get_u32 (header, at + 4);

    if (length > header->length - at - 8)
      break;
    if (get_u32 (header, at) == EXTENSION_FORMAT)
      return g_strndup ((char *) header->data + at + 8, length);
    at += 8 + ((gsize) length + 7) / 8 * 8;
  }
  return NULL;
}

/* The name of the backing file, as a path; NULL for none. */
static char *
backing_file (const Header *header, const char *file)
{
  guint64 at = get_u64 (header, 8);
  guint32 length = get_u32 (header, 16);
  g_autofree char *directory = g_path_get_dirname (file);
  g_autofree char *name = NULL;

  if (at == 0)
    return NULL;
  if (at > header->length || length > header->length - at)
    return g_strdup ("");
  name = g_strndup ((char *) header->data + at, length);
  return g_canonicalize_filename (name, directory);
}

static gboolean
check_backing (const Header *header, const HelperImage *image, const HelperImage *next,
               GError **error)
{
  g_autofree char *file = backing_file (header, image->file);
  g_autofree char *format = backing_format (header);

  if (g_strcmp0 (file, next ? next->file : NULL) != 0)
    helper_fail (error, EPERM, "%s has another backing file than is known, %s; it is not opened",
                 image->file, file ? file : "none");
  else if (next != NULL && g_strcmp0 (format, next->format) != 0)
    helper_fail (error, EPERM, "%s does not say that its backing file is %s; it is not opened",
                 image->file, next->format);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_qcow2 (const Header *header, const HelperImage *image, const HelperImage *next,
             GError **error)
{
  guint32 version = get_u32 (header, 4);

  if (get_u32 (header, 0) != MAGIC || version < 2 || version > 3
      || header->length < (version == 2 ? LENGTH_V2 : LENGTH_V3))
    helper_fail (error, EINVAL, "%s is no qcow2 image", image->file);
  else if (version == 3 && get_u64 (header, 72) & EXTERNAL_DATA)
    helper_fail (error, EPERM, "%s has its data in another file; it is not opened", image->file);
  else
    return check_backing (header, image, next, error);
  return FALSE;
}

static gboolean
check_one (const HelperImage *image, const HelperImage *next, GError **error)
{
  g_autofree guint8 *data = g_malloc (FIRST_CLUSTER);
  Header header = { data, 0 };

  if (!g_path_is_absolute (image->file)) {
    helper_fail (error, EINVAL, "%s is not the path of an image", image->file);
    return FALSE;
  }
  if (!read_header (image->file, &header, error))
    return FALSE;
  if (g_str_equal (image->format, "qcow2"))
    return check_qcow2 (&header, image, next, error);
  if (g_str_equal (image->format, "raw"))
    return TRUE;
  helper_fail (error, ENOTSUP, "an image of the format %s cannot be looked into", image->format);
  return FALSE;
}

gboolean
helper_image_check (GPtrArray *chain, GError **error)
{
  for (guint i = 0; i < chain->len; i++)
    if (!check_one (chain->pdata[i], i + 1 < chain->len ? chain->pdata[i + 1] : NULL, error))
      return FALSE;
  return TRUE;
}
