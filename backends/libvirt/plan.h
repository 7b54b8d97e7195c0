/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to become of a guest's disks when it moves: which of them the other host has already, and
 * which files have to be copied to it.
 */
#pragma once

#include "storage.h"
#include "task.h"

typedef struct {
  char *disk; /* its target (vda); NULL for a file that merely comes along */
  char *name; /* the volume's */
  char *path;
  char *format; /* that the guest uses it with; NULL: what it is */
  LvPool *from, *to;
  virStorageVolPtr made; /* at the other host; NULL as long as there is none */
  gboolean removed;      /* it does not stay behind */
} LvCopy;

typedef struct {
  LvTask *task;
  gboolean running;
  GPtrArray *copies; /* of LvCopy* */
  char *nvram;       /* path of what its firmware keeps; NULL: nothing */
  gboolean
    nvram_new; /* the other host was seen to have no such file before the guest went, running */
  gboolean certain; /* all else that is written to has been seen to be shared */
} LvPlan;

/* For the guest of that XML; EXISTS if the other host has a file that would be overwritten,
 * UNSUPPORTED if it cannot be told whether something is shared. */
LvPlan *lv_plan_new (LvTask *task, const char *xml, gboolean running, GError **error);
/* Also ends the use of the pools; what was made stays. */
void lv_plan_free (LvPlan *plan);

/* Makes empty volumes for libvirt to copy to while the guest runs. */
gboolean lv_plan_make (LvPlan *plan, virDomainPtr domain, GError **error);
/* Copies the files of a guest that does not run; CANCELLED if the task is. */
gboolean lv_plan_copy (LvPlan *plan, GError **error);
/* Deletes what was made. */
void lv_plan_undo (LvPlan *plan);
/* Tells the registry what is there now of what was made, or that it is gone. */
void lv_plan_show (LvPlan *plan);
/* What the guest's firmware keeps has gone with it: what is left here nobody could remove through us, and it would
 * be in the way when the guest comes back. */
void lv_plan_remove_nvram (LvPlan *plan);
/* Tells in the log of events which files stay behind on the link WHERE, one of the two. */
void lv_plan_tell_left (LvPlan *plan, LvLink *where);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvPlan, lv_plan_free)
