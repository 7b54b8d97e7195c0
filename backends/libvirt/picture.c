/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is no PNG yet is a PPM: `P6 WIDTH HEIGHT 255`, one character of white space, and three bytes a pixel.  It
 * comes from a host, so nothing of it is believed.
 */
#include "picture.h"

#include "error.h"

#include <png.h>
#include <string.h>

/* Pixels of a side at most. */
#define MOST 16384

typedef struct {
  const char *at, *end;
} Reader;

static gboolean
read_number (Reader *reader, guint *number)
{
  const char *start;

  while (reader->at < reader->end && g_ascii_isspace (*reader->at))
    reader->at++;
  start = reader->at;
  for (*number = 0; reader->at < reader->end && g_ascii_isdigit (*reader->at); reader->at++)
    if ((*number = *number * 10 + (guint) (*reader->at - '0')) > MOST)
      return FALSE;
  return reader->at > start && reader->at < reader->end;
}

/* The pixels; NULL: it is no such picture. */
static const char *
parse (GByteArray *bytes, png_image *image)
{
  Reader reader = { (const char *) bytes->data, (const char *) bytes->data + bytes->len };
  guint most;

  if (bytes->len < 2 || memcmp (bytes->data, "P6", 2) != 0)
    return NULL;
  reader.at += 2;
  if (!read_number (&reader, &image->width) || !read_number (&reader, &image->height)
      || !read_number (&reader, &most) || most != 255)
    return NULL;
  reader.at++;
  if (image->width == 0 || image->height == 0
      || (gsize) (reader.end - reader.at) < (gsize) image->width * image->height * 3)
    return NULL;
  return reader.at;
}

static VirfsBlob *
convert (GByteArray *bytes)
{
  png_image image = { .version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGB };
  const char *pixels = parse (bytes, &image);
  g_autofree char *memory = NULL;
  png_alloc_size_t size;

  if (pixels == NULL)
    return NULL;
  size = PNG_IMAGE_PNG_SIZE_MAX (image);
  memory = g_malloc (size);
  if (!png_image_write_to_memory (&image, memory, &size, 0, pixels, 0, NULL))
    return NULL;
  return virfs_blob_new_bytes (memory, size);
}

VirfsBlob *
lv_picture_png (GByteArray *bytes, const char *mime, GError **error)
{
  static const guint8 magic[] = { 0x89, 'P', 'N', 'G' };
  VirfsBlob *blob;

  if (bytes->len > sizeof magic && memcmp (bytes->data, magic, sizeof magic) == 0)
    return virfs_blob_new_bytes (bytes->data, bytes->len);
  blob = convert (bytes);
  if (blob == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "the host sends a picture of type %s, which is neither PNG nor PPM", mime);
  return blob;
}
