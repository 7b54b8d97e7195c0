/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the libvirt backend share: a host of libvirt's test driver, which needs no daemon,
 * and what becomes of jobs.
 */
#pragma once

#include "infra.h"
#include "job.h"
#include "libvirt.h"

/* How long something may take that comes by itself, in microseconds. */
#define PATIENCE (10 * G_TIME_SPAN_SECOND)

typedef struct {
  char *path; /* of what the driver is to have; NULL: its own */
  VirfsInfra *infra;
  VirfsHost *host; /* h1 */
} Backend;

/* To be set before the next: what records are kept by; NULL: none are. */
extern const VirfsKeeper *backend_keeper;

/* A host that has what XML says; PARAMETERS (may be NULL) are added to its URI. */
void backend_open (Backend *f, const char *xml, const char *parameters);
void backend_open_uri (Backend *f, const char *uri);
/* DATA is not looked at: for g_test_add(). */
void backend_close (Backend *f, gconstpointer data);

/* A job as SPEC says, whose end backend_end() waits for. */
VirfsJob *backend_begin (VirfsInfra *infra, const VirfsJobSpec *spec);
/* Of the host. */
VirfsJob *backend_begin_host (Backend *f);
/* Waits until all jobs that were begun have ended; returns the errno of the first that failed, or 0.
 * JOB (taken) may be NULL. */
int backend_end (VirfsJob *job);
/* What that failed with; NULL: it has not. */
const char *backend_message (void);

#define assert_soon(condition)                                                                     \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 end_ = g_get_monotonic_time () + PATIENCE;                                              \
    while (!(condition) && g_get_monotonic_time () < end_)                                         \
      g_usleep (1000);                                                                             \
    g_assert_true (condition);                                                                     \
  }                                                                                                \
  G_STMT_END
