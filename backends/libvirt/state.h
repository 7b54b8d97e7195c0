/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirt's numbers for states, reasons and events of guests, as the model has them. */
#pragma once

#include "types.h"
#include "vm.h"

/* A virDomainState and its reason.  The word is virsh's, static; NULL for what says nothing. */
VirfsVmState lv_state (int state);
const char *lv_state_reason (int state, int reason);

/* What a virDomainEventType with its detail tells of the guest's state; FALSE if nothing. */
gboolean lv_state_of_event (int event, int detail, VirfsVmState *state, const char **reason);

/* A virStoragePoolState in virsh's words; static. */
const char *lv_pool_state (int state);
