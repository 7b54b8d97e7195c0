/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of uploads: upload_sink.c takes commands, upload_run.c carries them out. */
#pragma once

#include "error.h"
#include "file.h"
#include "registry_image.h"
#include "sum.h"
#include "upload.h"

typedef enum {
  VIRFS_UPLOAD_OPEN,
  VIRFS_UPLOAD_WRITE,
  VIRFS_UPLOAD_READ,
  VIRFS_UPLOAD_CUT,
  VIRFS_UPLOAD_FLUSH,
  VIRFS_UPLOAD_RENAME,
  VIRFS_UPLOAD_DISCARD,
  VIRFS_UPLOAD_CLOSE,
  VIRFS_UPLOAD_STOP,
  VIRFS_UPLOAD_N_COMMANDS,
} VirfsUploadVerb;

typedef struct {
  VirfsUploadVerb verb;
  guint64 offset, length;
  GBytes *bytes;
  char *name;
  VirfsSinkFlush why;
  VirfsSinkDone done; /* NULL: it has been answered */
  VirfsContentDone read_done;
  VirfsUploadOpened opened;
  gpointer data;
} VirfsUploadCommand;

struct VirfsUpload {
  gatomicrefcount refs;
  VirfsInfra *infra;
  VirfsHost *host; /* a reference */
  char *pool;
  gboolean created; /* it made the volume */
  gboolean copy;
  gboolean own_job;
  guint uid;
  gint published; /* atomic: its volume has its name */

  GCond changed;
  GMutex lock; /* never held while something else is called */
  /* under lock */
  GQueue commands;   /* of VirfsUploadCommand*; changed tells of one */
  VirfsImage *image; /* a reference; NULL when it has ended */
  VirfsJob *job;     /* likewise */
  GError *failed;    /* what all that is left fails with */
  gboolean closing;  /* nobody has it open, and it ends */
  GQueue
    again; /* of VirfsUploadCommand*: who opens it when it has ended; their name is the image's */
  gboolean over;      /* nobody carries out commands any more */
  gboolean untrusted; /* somebody writes who could make a hypervisor read what he may not */
  gboolean sealed;    /* it is published, and what was looked at is not to be changed any more */
  guint openers;
  gsize queued; /* bytes */
  guint64 length;
  VirfsOwner owner;
  gboolean given;  /* the owner was chosen by somebody */
  gint64 modified; /* as well; 0: not */

  /* of its thread */
  VirfsFile *file;
  VirfsSum *sum; /* of the first `summed` bytes; NULL: they did not come in order */
  guint64 summed;
  gboolean dirty;   /* written since it was looked at */
  gboolean killed;  /* its last writer was, and nobody has written since */
  gboolean refused; /* it cannot be used, or not be published */
  gboolean ended;
};

/* DONE is NULL if nobody waits for an answer; the caller owns it. */
VirfsUploadCommand *virfs_upload_command_new (VirfsUploadVerb verb, VirfsSinkDone done,
                                              gpointer data);
/* Takes COMMAND; answers it with a failure when the thread has ended. */
void virfs_upload_push (VirfsUpload *upload, VirfsUploadCommand *command);
void virfs_upload_command_free (VirfsUploadCommand *command);
/* Whether nobody may write to it any more: then PERMITTED. */
gboolean virfs_upload_is_sealed (VirfsUpload *upload, GError **error);
gboolean virfs_upload_refuse_published (GError **error);
/* The first failure counts; a copy of it is the caller's.  NULL: there is none. */
void virfs_upload_fail (VirfsUpload *upload, const GError *error);
GError *virfs_upload_failure (VirfsUpload *upload);
VirfsImage *virfs_upload_image (VirfsUpload *upload); /* a reference; NULL */

void virfs_upload_refuse (VirfsUpload *upload, VirfsUploadCommand *command);
/* Its thread; takes a reference. */
gpointer virfs_upload_run (gpointer upload);
/* Opens the image NAME, which was being closed. */
void virfs_upload_open_again (VirfsUpload *upload, VirfsUploadCommand *command);
/* Whether nobody has it open: then nobody opens it any more. */
gboolean virfs_upload_begin_closing (VirfsUpload *upload);
/* A handle for one more open file; its opener is counted already. */
VirfsSink *virfs_upload_new_sink (VirfsUpload *upload);

/* upload_publish.c: whether it can be used, with that NAME (NULL: it has none yet); INVALID. */
gboolean virfs_upload_check (VirfsUpload *upload, const char *name, GError **error);
/* Gives the volume its name and tells of it. */
gboolean virfs_upload_publish (VirfsUpload *upload, const char *name, GError **error);
void virfs_upload_tell (VirfsUpload *upload);
