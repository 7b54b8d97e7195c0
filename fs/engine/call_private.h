/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of calls: call.c has their life, call_*.c what there is to be called. */
#pragma once

#include "engine.h"

typedef struct VirfsCallKind {
  const char *verb;                /* see VirfsDeed */
  void (*begin) (VirfsCall *call); /* the next step; clears `pending` if it is the last */
  void (*answer) (VirfsCall *call);
  gboolean gives; /* what is asked for is an owner */
} VirfsCallKind;

struct VirfsCall {
  gatomicrefcount refs;
  VirfsSession *session;
  gpointer request;
  int thread; /* that sleeps until it is answered */
  guint uid;
  const VirfsCallKind *kind;
  const char *verb;
  VirfsNode node, to;
  char *name, *new_name, *target;
  VirfsOwner owner;
  char *old;         /* what the file said before this step; NULL: not told */
  const char *asked; /* the line, document or list of this step */
  guint64 child;     /* what is removed */
  char *text, *next; /* the next line within the text */
  gsize bytes;
  gboolean pending; /* there are steps left */
  guint done;       /* steps carried out */
  gint step;        /* atomic, see call.c */
  GError *error;
  VirfsSink *sink; /* of a file that is opened; NULL: none yet, or the open file has it */

  VirfsTerminal *terminal; /* likewise */

  GMutex lock; /* guards all below */
  gboolean interrupted, answered;
  void (*interrupt) (gpointer data);
  gpointer interrupt_data;
  GDestroyNotify interrupt_destroy;
};

/* NODE is taken. */
VirfsCall *virfs_call_new (gpointer request, const VirfsCallKind *kind, VirfsNode *node);
/* Its first step; it is answered when the last has ended. */
void virfs_call_begin (VirfsCall *call);
/* Tells what has come of a step. */
void virfs_call_tell (VirfsCall *call);
