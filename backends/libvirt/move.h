/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks that go to another pool of their guest's host: the backend's disks_move.
 *
 * Each gets a new volume, which is recorded before it is made.  Then either its guest's hypervisor
 * copies to it and goes on with it (move_live.c), or it is filled and the definition changed
 * (move_cold.c).  However that ends, it is settled (move_record.c): by what the guest has then the
 * one volume or the other is removed.  So what comes after a crash is what comes after every move.
 */
#pragma once

#include "backend.h"
#include "device.h"
#include "domain.h"
#include "task.h"

void lv_disks_move (VirfsVm *vm, const char *disk, const char *pool, VirfsJob *job);

/* A copy that the hypervisor makes of the DISK has got so far
 * (virConnectDomainEventBlockJobStatus); and the guest does not run any more.  From the thread
 * of events; make no call. */
void lv_move_tell (LvLink *link, const char *uuid, const char *disk, int status);
void lv_move_tell_stopped (LvLink *link, const char *uuid);
/* It was started; likewise. */
void lv_move_tell_started (LvLink *link, const char *uuid);

/* Settles what an end of the program or of the connection has cut off. */
void lv_move_recover (LvLink *link, virConnectPtr conn);

struct LvMove;
void lv_move_free (struct LvMove *move);
