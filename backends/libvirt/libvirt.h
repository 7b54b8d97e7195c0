/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts and guests as libvirt has them: the backend that the program uses.
 *
 * libvirt's event loop is GLib's default main context; it runs in a thread of this library, so
 * nobody else may run that context.
 */
#pragma once

#include "backend.h"

typedef struct {
  guint poll_interval;      /* seconds between two looks at what has no event */
  guint keepalive_interval; /* seconds between two signs of life of a host, 0: none */
  guint keepalive_count;    /* signs of life that may be missing before it counts as dead */
  guint reconnect_max;      /* seconds between two attempts to reach a host, at most */
  guint freeze_timeout;     /* seconds that a guest's file systems may be quiet for a backup */
  guint agent_interval;     /* seconds after which a guest's agent is asked again; 0: never */
  guint move_mib;         /* MiB a second for a disk that moves while its guest runs; 0: no limit */
  guint password_timeout; /* seconds that a password of a guest's screen is good for */
} VirfsLibvirtOptions;

#define VIRFS_LIBVIRT_DEFAULTS                                                                     \
  {                                                                                                \
    10, 1, 4, 30, 10, 300, 0, 300                                                                  \
  }

extern const VirfsBackend virfs_libvirt_backend;

/* To be called before the first host is opened; NULL for the defaults. */
void virfs_libvirt_init (const VirfsLibvirtOptions *options);

/* Whether URI leads to a hypervisor now: connects and lets go again.  To be called from the main
 * thread, before virfs_libvirt_init(). */
gboolean virfs_libvirt_probe (const char *uri, GError **error);

/* How many calls of libvirt were made so far that may have asked a host. */
guint64 virfs_libvirt_calls (void);
