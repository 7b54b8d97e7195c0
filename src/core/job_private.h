/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What job.c, which changes jobs, and job_info.c, which tells of them, have in common. */
#pragma once

#include "job.h"

#include "registry.h"

struct VirfsJob {
  VirfsObject object;
  guint number;
  char *operation;
  VirfsObject *subject;
  char *path; /* of the subject, when the job was made */
  VirfsObject *host, *target;
  VirfsJob *parent; /* NULL: it is part of no other */
  guint uid;
  VirfsOwner owner; /* does not change, as all above */

  /* under the registry's lock */
  VirfsJobDone done; /* NULL once called */
  gpointer done_data;
  VirfsJobCancel cancel;
  gpointer cancel_data;
  gboolean cancelled;
  VirfsJobState state;
  gint64 started, ended;
  guint64 bytes_done, bytes_total;
  char *error;
  int failure;
  gint64 changed[VIRFS_JOB_N_FIELDS];
};

/* Under the registry's lock. */
static inline gboolean
virfs_job_has_ended (const VirfsJob *job)
{
  return job->state > VIRFS_JOB_RUNNING;
}
