/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images: the volumes in the repository pools of the hosts that are up, each seen once.
 *
 * Volumes are one image if they are one file (of a pool that several hosts have), or copies: of one
 * name, and with the same known checksum.  Others of that name are further images, called NAME~HOST.
 * The first to come keeps the name.
 *
 * What is being uploaded is an image too, before its volume is told of; see upload.h.
 */
#pragma once

#include "infra.h"
#include "os.h"

typedef enum {
  VIRFS_IMAGE_BIRTH, /* what never changes */
  VIRFS_IMAGE_CONTENT,
  VIRFS_IMAGE_PLACES, /* where it is */
  VIRFS_IMAGE_SUM,
  VIRFS_IMAGE_OS,
  VIRFS_IMAGE_OWNER,
  VIRFS_IMAGE_N_FIELDS,
} VirfsImageField;

typedef struct VirfsUpload VirfsUpload;

typedef struct {
  gatomicrefcount refs;
  GPtrArray *volumes;    /* of VirfsPart*, those of one storage together; none: not published yet */
  VirfsPartInfo *volume; /* VirfsVolumeInfo: what is known of the first; NULL: none */
  GRefString *pool;      /* of that */
  GRefString *sha256;    /* of its bytes as they are; NULL: not known */
  VirfsOs *os;           /* what is installed; NULL: it was not inspected as it is */
  guint64 length;        /* bytes of the file */
  gint64 modified;       /* when these last changed, microseconds since the epoch */
  gboolean written;      /* somebody has it open to be written, or it is not published yet */
  gint64 changed[VIRFS_IMAGE_N_FIELDS];
} VirfsImageInfo;

typedef struct VirfsImage {
  VirfsObject object;
  GRefString *label; /* its name in the tree; does not change */
  GRefString *name;  /* of its volumes; does not change */
  /* under the registry's lock */
  VirfsImageInfo *info;
  VirfsUpload *upload; /* who writes it; a reference, NULL: nobody */
  gboolean removed;
} VirfsImage;

VirfsImageInfo *virfs_image_info (VirfsImage *image);
void virfs_image_info_unref (VirfsImageInfo *info);

/* A new reference; NULL if there is none. */
VirfsImage *virfs_infra_image (VirfsInfra *infra, const char *label);
typedef void (*VirfsImageFunc) (VirfsImage *image, gpointer data);
/* FUNC runs under the registry's lock. */
void virfs_infra_foreach_image (VirfsInfra *infra, VirfsImageFunc func, gpointer data);

/* The pool of HOST (NULL: of those for which nothing else is said) that images are in; to be said
 * before there are hosts.  Where nobody says it, it is `images`, if the host has that, or `default`. */
void virfs_infra_set_image_pool (VirfsInfra *infra, const char *host, const char *pool);
/* Of what is known of HOST, INFO; borrowed, NULL if it has none that is active. */
VirfsPoolInfo *virfs_image_pool (const VirfsHost *host, const VirfsHostInfo *info);

/* Its name, as it is now; the caller owns it.  NULL: HOST_DOWN, or NOT_FOUND. */
char *virfs_image_pool_of (VirfsHost *host, GError **error);

/* The image that VOLUME is one of; a new reference, NULL if it is none. */
VirfsImage *virfs_volume_image (VirfsPart *volume);
/* The volume of IMAGE on HOST; a new reference, NULL if it is not there. */
VirfsPart *virfs_image_on_host (VirfsImage *image, VirfsHost *host);
/* Whether a file of that name can be an image; INVALID. */
gboolean virfs_image_check_name (const char *name, GError **error);

/* Its guests, and the volumes that are based on it (use.h): all of its copies'. */
GPtrArray *virfs_image_users (VirfsImage *image);
/* BUSY if there are some, and who they are.  WHAT: is to be done, as in `be removed`. */
gboolean virfs_image_check_unused (VirfsImage *image, const char *what, GError **error);

/* VOLUME is gone, or has another name; so it has on the other hosts that share its storage, which may not
 * know that yet. */
void virfs_image_volume_gone (VirfsPart *volume);
/* VOLUME was written and is told as it is now: likewise. */
void virfs_image_volume_written (VirfsPart *volume);

/* Notes and keeps the checksum of IMAGE as it is now, or what is installed there; NULL: it is not known any
 * more.  Waits for the disk. */
void virfs_image_note_sum (VirfsImage *image, const char *sha256);
void virfs_image_note_os (VirfsImage *image, VirfsOs *os);
/* The checksum of one volume. */
void virfs_volume_note_sum (VirfsPart *volume, const char *sha256);
/* VOLUME is gone: nothing is known of it any more. */
void virfs_volume_forget_notes (VirfsPart *volume);
/* What was kept, at the start. */
void virfs_infra_restore_image_notes (VirfsInfra *infra);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsImage, virfs_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsImageInfo, virfs_image_info_unref)
