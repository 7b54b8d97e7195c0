/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of a ctl whose object is in one of several states, each of which knows some of them. */
#pragma once

#include "engine.h"

typedef struct {
  const char *name; /* NULL: the end of the table */
  guint number;     /* what it is to the class */
  guint states;     /* a bit for each that it is valid in */
  gboolean unused;  /* refused while somebody uses the object */
} VirfsVerb;

/* Those that are valid in STATE, one a line. */
void virfs_verbs_show (const VirfsVerb *verbs, guint state, GString *out);

/* The verb NAME, if it is valid in STATE.  Else NULL, and CALL has ended with a sentence, in which
 * WHAT says what is in which state ("the pool is inactive"). */
const VirfsVerb *virfs_verbs_choose (VirfsCall *call, const VirfsVerb *verbs, guint state,
                                     const char *what, const char *name);
