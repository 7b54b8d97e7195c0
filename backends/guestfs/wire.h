/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the program and its helper `virfs-guestfs` say to each other, over a socket pair: frames of a
 * header and a payload of numbers and bytes.  Neither side believes the other: the helper talks to an
 * appliance that has mounted a disk of which anything may be expected.
 */
#pragma once

#include <glib.h>

typedef struct {
  guint32 id;     /* of the request; its answers have the same */
  guint32 kind;   /* a VirfsWireRequest or a VirfsWireAnswer */
  gint32 error;   /* of WIRE_FAILED: an errno; its payload is a sentence */
  guint32 length; /* of the payload, at most VIRFS_WIRE_MAX */
} VirfsWireHeader;

#define VIRFS_WIRE_MAX (8 * 1024 * 1024)

/* Requests, and what the payloads of their answers are; all paths begin with '/'. */
typedef enum {
  /* directory for temporary files, whether TCG alone is to be tried, n × (target, URI or "", m × (file,
   * format)) → nothing when the appliance is up, then the notes: n × text */
  VIRFS_WIRE_OPEN,
  VIRFS_WIRE_LIST, /* directory → n × (name, inode, type as of d_type), in any number of frames */
  VIRFS_WIRE_STATS,  /* directory, n × name → for each: known, or not; then attributes, target */
  VIRFS_WIRE_XATTRS, /* directory, n × name → for each: n × (name, value) */
  VIRFS_WIRE_READ,   /* file, offset, length (at most VIRFS_WIRE_READ_MAX) → bytes, as they are */
  VIRFS_WIRE_INSPECT, /* nothing → n × (key, value) in any number of frames */
  VIRFS_WIRE_REQUESTS,
} VirfsWireRequest;

typedef enum {
  VIRFS_WIRE_MORE,   /* a part of the answer */
  VIRFS_WIRE_DONE,   /* the last part */
  VIRFS_WIRE_FAILED, /* nothing more comes */
  VIRFS_WIRE_ANSWERS,
} VirfsWireAnswer;

#define VIRFS_WIRE_READ_MAX  (2 * 1024 * 1024)
#define VIRFS_WIRE_NAMES_MAX 1000
#define VIRFS_WIRE_NAME_MAX  255
#define VIRFS_WIRE_TEXT_MAX  4096 /* paths, targets of links, sentences */
#define VIRFS_WIRE_VALUE_MAX 65536

/* Frames: FALSE if the other side has gone, or if what it says is no frame; errno tells more. */
gboolean virfs_wire_send (int fd, const VirfsWireHeader *header, const void *payload);
/* PAYLOAD is filled, whatever was in it. */
gboolean virfs_wire_receive (int fd, VirfsWireHeader *header, GByteArray *payload);

/* Writing a payload. */
void virfs_wire_put_u32 (GByteArray *out, guint32 value);
void virfs_wire_put_u64 (GByteArray *out, guint64 value);
void virfs_wire_put_bytes (GByteArray *out, const void *data, gsize length);
/* NULL is put as "". */
void virfs_wire_put_text (GByteArray *out, const char *text);

/* Reading one.  What is not there, or longer than it may be, makes the reader `bad`; all later values are 0
 * or NULL then, so that it is enough to look at the end. */
typedef struct {
  const guint8 *at, *end;
  gboolean bad;
} VirfsWireReader;

VirfsWireReader virfs_wire_reader (const GByteArray *payload);
guint32 virfs_wire_get_u32 (VirfsWireReader *reader);
guint64 virfs_wire_get_u64 (VirfsWireReader *reader);
/* Borrowed from the payload. */
const guint8 *virfs_wire_get_bytes (VirfsWireReader *reader, gsize max, gsize *length);
/* Without a NUL in it, of at most MAX bytes; the caller owns it. */
char *virfs_wire_get_text (VirfsWireReader *reader, gsize max);
/* A count of things that take at least EACH bytes: what follows is long enough for as many. */
guint32 virfs_wire_get_count (VirfsWireReader *reader, gsize each);
/* Whether it has been read to its end and all of it was good. */
gboolean virfs_wire_at_end (const VirfsWireReader *reader);

/* Whether NAME can be one in a directory: not empty, not longer than VIRFS_WIRE_NAME_MAX, without '/', and
 * neither "." nor "..". */
gboolean virfs_wire_is_name (const char *name);
