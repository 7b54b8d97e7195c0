/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees of files that are a directory of this machine, or made up; told by a thread of their own. */
#pragma once

#include "files.h"

typedef struct {
  char *directory;      /* what is shown; set before it is opened */
  const char *failure;  /* atomic: a sentence: it cannot be opened (UNSUPPORTED) */
  gint finds, lists;    /* atomic: how often it was asked */
  gint opened, stopped; /* atomic: how many trees there were */
  gint asked, stopping; /* atomic: how many were asked for, and to stop */
  GMutex stall;         /* held by a test: nothing is answered meanwhile */
} FakeFiles;

extern FakeFiles fake_files;

/* A VirfsFilesOpener. */
VirfsFiles *fake_files_open (GPtrArray *disks, VirfsFilesOpened done, gpointer data);
