/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uploads: images that are being written.
 *
 * A new one has a volume that nobody is told of until it is published: when the file is closed, or if its
 * name begins with a dot when it is given another name.  Before that it is looked at whether it is
 * an image that can be used.  What is not complete (its writer was killed, there was no space left) is
 * removed when it is closed; what was published is written in place.
 *
 * An upload has a thread that carries out one command after the other and waits for the host.  Its
 * image has a reference to it (image.h), each open file another.
 */
#pragma once

#include "image.h"
#include "sink.h"

VirfsUpload *virfs_upload_ref (VirfsUpload *upload);
void virfs_upload_unref (VirfsUpload *upload);

/* SINK belongs to the caller, who closes it; NULL with ERROR.  Called once, in any thread, without
 * locks. */
typedef void (*VirfsUploadOpened) (VirfsSink *sink, const GError *error, gpointer data);

typedef struct {
  const char *name; /* of the image; borrowed, as the next */
  VirfsHost *host;  /* where it goes to; NULL: wherever is best */
  VirfsOwner owner; /* who it is to belong to */
  guint uid;        /* who asks */
  gboolean copy;    /* of an image that is there: it bears its own name once published */
  VirfsJob *job;    /* NULL: it makes one of its own */
} VirfsUploadSpec;

/* A new image; EXISTS, INVALID, HOST_DOWN (nowhere to put it). */
void virfs_upload_create (VirfsInfra *infra, const VirfsUploadSpec *spec, VirfsUploadOpened opened,
                          gpointer data);
/* An image that is there; BUSY if somebody uses it. */
void virfs_upload_open (VirfsImage *image, guint uid, VirfsUploadOpened opened, gpointer data);

/* Reads what is written; NULL: nobody writes IMAGE (any more). */
VirfsContent *virfs_upload_read (VirfsImage *image);

/* Gives an image that is not published the name NAME, which publishes it unless that begins with a dot. */
void virfs_upload_rename (VirfsUpload *upload, const char *name, VirfsSinkDone done, gpointer data);
/* Gives it up; what is written to it from now on fails. */
void virfs_upload_discard (VirfsUpload *upload, VirfsSinkDone done, gpointer data);
/* Of one that is not published. */
void virfs_upload_set_owner (VirfsUpload *upload, const VirfsOwner *owner);
void virfs_upload_get_owner (VirfsUpload *upload, VirfsOwner *owner);
void virfs_upload_set_modified (VirfsUpload *upload, gint64 modified);
/* Who writes IMAGE; a new reference, NULL: nobody. */
VirfsUpload *virfs_image_upload (VirfsImage *image);

/* What a NAME that begins with a dot is going to be: rsync appends six characters.  The caller owns it. */
char *virfs_upload_final_name (const char *name);

/* Bytes of its file as it has been written, be they on their way. */
guint64 virfs_upload_length (VirfsUpload *upload);

/* For the registry: whether its volume is what HOST tells of by the image's name now. */
gboolean virfs_upload_is_published (VirfsUpload *upload, const VirfsHost *host);

/* Where an image would go: the host whose repository pool most hosts share, and has the most room.  A
 * reference; NULL: HOST_DOWN. */
VirfsHost *virfs_image_choose_host (VirfsInfra *infra, char **pool, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsUpload, virfs_upload_unref)
