/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fleet for tests of the model: hosts that come up at once and guests that are told by hand. */
#pragma once

#include "fake.h"

typedef struct {
  VirfsInfra *infra;
  VirfsHost *h1, *h2, *h3; /* up, without guests */
} Fleet;

void fleet_set_up (Fleet *f, gconstpointer data);
void fleet_tear_down (Fleet *f, gconstpointer data);

#define fleet_add(path, func) g_test_add (path, Fleet, NULL, fleet_set_up, func, fleet_tear_down)

/* HOST has the guest NAME with the UUID of number NUMBER, in STATE. */
void fleet_tell (Fleet *f, VirfsHost *host, const char *name, guint number, VirfsVmState state);
/* HOST has it no more. */
void fleet_lose (Fleet *f, VirfsHost *host, guint number);
void fleet_turn (Fleet *f, VirfsHost *host, VirfsHostState state);
/* Its error code once the job that it makes has ended, -1 for success. */
int fleet_set_uri (Fleet *f, VirfsHost *host, const char *uri);
/* The UUID of number NUMBER; static. */
const char *fleet_uuid (guint number);

/* What vms/ shows, sorted: `LABEL=HOST:STATE …`; the caller owns it. */
char *fleet_show (Fleet *f);
#define fleet_assert(f, expected)                                                                  \
  do {                                                                                             \
    g_autofree char *shown_ = fleet_show (f);                                                      \
    g_assert_cmpstr (shown_, ==, expected);                                                        \
  } while (0)
