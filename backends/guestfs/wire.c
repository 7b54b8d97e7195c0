/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames and payloads; both ends are on one machine and have its byte order. */
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Frames. */

static gboolean
send_all (int fd, const guint8 *data, gsize length)
{
  while (length > 0) {
    ssize_t sent = send (fd, data, length, MSG_NOSIGNAL);

    if (sent < 0 && errno == EINTR)
      continue;
    if (sent <= 0)
      return FALSE;
    data += sent;
    length -= sent;
  }
  return TRUE;
}

static gboolean
receive_all (int fd, guint8 *data, gsize length)
{
  while (length > 0) {
    ssize_t got = recv (fd, data, length, 0);

    if (got < 0 && errno == EINTR)
      continue;
    if (got == 0)
      errno = ECONNRESET;
    if (got <= 0)
      return FALSE;
    data += got;
    length -= got;
  }
  return TRUE;
}

gboolean
virfs_wire_send (int fd, const VirfsWireHeader *header, const void *payload)
{
  return send_all (fd, (const guint8 *) header, sizeof *header)
         && send_all (fd, payload, header->length);
}

gboolean
virfs_wire_receive (int fd, VirfsWireHeader *header, GByteArray *payload)
{
  g_byte_array_set_size (payload, 0);
  if (!receive_all (fd, (guint8 *) header, sizeof *header))
    return FALSE;
  if (header->length > VIRFS_WIRE_MAX) {
    errno = EPROTO;
    return FALSE;
  }
  g_byte_array_set_size (payload, header->length);
  return receive_all (fd, payload->data, header->length);
}

/* Writing. */

void
virfs_wire_put_u32 (GByteArray *out, guint32 value)
{
  g_byte_array_append (out, (const guint8 *) &value, sizeof value);
}

void
virfs_wire_put_u64 (GByteArray *out, guint64 value)
{
  g_byte_array_append (out, (const guint8 *) &value, sizeof value);
}

void
virfs_wire_put_bytes (GByteArray *out, const void *data, gsize length)
{
  virfs_wire_put_u32 (out, length);
  if (length > 0)
    g_byte_array_append (out, data, length);
}

void
virfs_wire_put_text (GByteArray *out, const char *text)
{
  virfs_wire_put_bytes (out, text, text ? strlen (text) : 0);
}

/* Reading. */

VirfsWireReader
virfs_wire_reader (const GByteArray *payload)
{
  return (VirfsWireReader){ payload->data, payload->data + payload->len, FALSE };
}

static const guint8 *
take (VirfsWireReader *reader, gsize length)
{
  const guint8 *at = reader->at;

  if (reader->bad || (gsize) (reader->end - at) < length) {
    reader->bad = TRUE;
    return NULL;
  }
  reader->at += length;
  return at;
}

guint32
virfs_wire_get_u32 (VirfsWireReader *reader)
{
  guint32 value = 0;
  const guint8 *at = take (reader, sizeof value);

  if (at != NULL)
    memcpy (&value, at, sizeof value);
  return value;
}

guint64
virfs_wire_get_u64 (VirfsWireReader *reader)
{
  guint64 value = 0;
  const guint8 *at = take (reader, sizeof value);

  if (at != NULL)
    memcpy (&value, at, sizeof value);
  return value;
}

const guint8 *
virfs_wire_get_bytes (VirfsWireReader *reader, gsize max, gsize *length)
{
  const guint8 *at;

  *length = virfs_wire_get_u32 (reader);
  if (*length > max)
    reader->bad = TRUE;
  at = take (reader, *length);
  if (at == NULL)
    *length = 0;
  return at;
}

char *
virfs_wire_get_text (VirfsWireReader *reader, gsize max)
{
  gsize length;
  const guint8 *at = virfs_wire_get_bytes (reader, max, &length);

  if (at != NULL && memchr (at, '\0', length) != NULL)
    reader->bad = TRUE;
  return at == NULL || reader->bad ? NULL : g_strndup ((const char *) at, length);
}

guint32
virfs_wire_get_count (VirfsWireReader *reader, gsize each)
{
  guint32 count = virfs_wire_get_u32 (reader);

  if (count > (gsize) (reader->end - reader->at) / each)
    reader->bad = TRUE;
  return reader->bad ? 0 : count;
}

gboolean
virfs_wire_at_end (const VirfsWireReader *reader)
{
  return !reader->bad && reader->at == reader->end;
}

gboolean
virfs_wire_is_name (const char *name)
{
  return *name != '\0' && strlen (name) <= VIRFS_WIRE_NAME_MAX && strchr (name, '/') == NULL
         && !g_str_equal (name, ".") && !g_str_equal (name, "..");
}
