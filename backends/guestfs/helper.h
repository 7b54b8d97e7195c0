/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the program `virfs-guestfs`, which has one appliance of libguestfs.  It is a process of its
 * own because what an appliance answers is made of a disk that may be hostile: if it falls, nobody
 * else does.
 *
 *   helper.c          its life, requests and answers
 *   helper_open.c     the appliance: disks, launching
 *   helper_image.c    whether an image is what it is said to be
 *   helper_proxy.c    what is reached by TLS alone
 *   helper_mount.c    which file system is where
 *   helper_files.c    directories and contents
 *   helper_inspect.c  what is installed
 */
#pragma once

#include "wire.h"

#include <guestfs.h>

typedef struct {
  int fd;
  guint32 id; /* of the request that is being served */
  guestfs_h *g;
  GPtrArray *targets; /* char *: of the disks, in the appliance's order */
} Helper;

/* Errors are errnos. */
#define HELPER_ERROR (helper_error_quark ())
GQuark helper_error_quark (void);
void helper_fail (GError **error, int number, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The appliance's last error, behind WHAT. */
void helper_fail_last (Helper *helper, GError **error, const char *what);

/* Sends OUT as a part of the answer and empties it; the program has gone if that fails, and so it ends. */
void helper_more (Helper *helper, GByteArray *out);

/* Each reads its request from IN and appends (the rest of) the answer to OUT; see VirfsWireRequest. */
gboolean helper_open (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error);
gboolean helper_list (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error);
gboolean helper_stats (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error);
gboolean helper_xattrs (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error);
gboolean helper_read (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error);
gboolean helper_inspect (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error);

/* helper_image.c: one file of a disk; NULL for none. */
typedef struct {
  char *file, *format;
} HelperImage;

/* Whether each of CHAIN (HelperImage*; the first is the disk, each has the next as its backing file) is
 * of its format and has as backing file the next and no other. */
gboolean helper_image_check (GPtrArray *chain, GError **error);

/* helper_proxy.c: libguestfs knows no TLS.  Makes *URI, if it is nbds:, one of a process that speaks TLS to
 * what was there, with CERTIFICATES (a directory; "": the system's), and has its socket in DIRECTORY.  It
 * belongs to our process group and ends with us. */
gboolean helper_proxy (char **uri, const char *certificates, const char *directory, GError **error);

/* helper_mount.c */

/* Mounts what there is, read-only; appends to NOTES (char *) what was left out, and why. */
gboolean helper_mount (Helper *helper, GPtrArray *notes, GError **error);
/* The disk or partition DEVICE (as the appliance has it) with the disk's own name: `vda1`; the caller
 * owns it. */
char *helper_device_name (Helper *helper, const char *device);
/* What libguestfs gives: each string, and the vector, are the caller's, and of malloc(). */
typedef char **HelperStrings;
void helper_strings_free (HelperStrings strings);

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (HelperStrings, helper_strings_free, NULL)
