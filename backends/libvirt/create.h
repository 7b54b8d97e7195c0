/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that come, go and are renamed: the backend's vm_create, draft_clean, vm_undefine and vm_rename. */
#pragma once

#include "backend.h"
#include "task.h"

void lv_vm_create (VirfsHost *host, const VirfsCreation *creation, VirfsJob *job);
void lv_draft_clean (VirfsHost *host, VirfsPart *draft, VirfsJob *job);
void lv_vm_undefine (VirfsVm *vm, gboolean purge, VirfsJob *job);
void lv_vm_seed (VirfsVm *vm, const VirfsSeed *seed, VirfsJob *job); /* seed.c */
void lv_vm_rename (VirfsVm *vm, const char *name, VirfsJob *job);

/* What vm_create has been given, for as long as its task lives. */
typedef struct LvCreation {
  VirfsPart *draft;
  VirfsDraftInfo *info;
  VirfsVm *source;
  char *snapshot;
  char *image;
  VirfsVmState state;
} LvCreation;

void lv_creation_free (LvCreation *creation);
