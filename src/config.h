/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file: see virfs.conf(5). */
#pragma once

#include "error.h"

typedef struct {
  char *name;
  char *uri;
  char *images;                 /* pool; NULL: not set */
  double watts_idle, watts_max; /* 0: not set */
} VirfsConfigHost;

/* What `store` says for none. */
#define VIRFS_STORE_NONE "none"

typedef struct {
  guint poll_interval;      /* seconds between looks at what has no events */
  guint metrics_interval;   /* seconds between samples, while somebody reads metrics */
  guint history;            /* 1: what was sampled is kept */
  guint history_hours;      /* how long samples are kept */
  guint history_days;       /* and means of 5 minutes */
  guint history_years;      /* and means of hours */
  guint history_mib;        /* what all of it may take; 0: whatever it takes */
  guint connect_timeout;    /* seconds that the start waits for hosts to answer */
  guint keepalive_interval; /* seconds between signs of life of a host */
  guint keepalive_count;    /* how many of them may be missing */
  guint reconnect_max;      /* seconds between attempts to reach a host, at most */
  guint password_timeout;   /* seconds that a password of a guest's screen is good for */
  guint console_log;        /* bytes of a guest's console that are kept */
  guint agent_interval;     /* seconds after which guests' agents are asked again; 0: never */
  guint freeze_timeout;     /* seconds that a guest's file systems may be quiet for a backup */
  guint move_mib;           /* MiB a second for a disk of a running guest that moves; 0: no limit */
  guint shutdown_timeout;   /* seconds that `shutoff` waits for a guest */
  guint hook_timeout;       /* seconds that a hook of an alarm has */
  guint appliances;         /* at most at a time, for files of guests */
  guint appliance_idle;     /* seconds after which one that nobody uses is ended */
  guint drain_parallel;     /* guests of a host that maintenance moves at a time */
  guint events_keep;        /* MiB of the log of events that the store keeps */
  guint report_days;        /* after which reports call something old */
  double price_kwh;         /* prices, 0: not set */
  double price_vcpu_hour, price_gib_hour, price_gib_month;
  char *currency;   /* of prices; NULL: not set */
  char *store;      /* directory, or VIRFS_STORE_NONE; NULL: not set */
  char *images;     /* pool that images are in; NULL: not set */
  GPtrArray *hosts; /* of VirfsConfigHost */
} VirfsConfig;

/* The defaults, without hosts. */
VirfsConfig *virfs_config_new (void);
void virfs_config_free (VirfsConfig *config);
void virfs_config_add_host (VirfsConfig *config, const char *name, const char *uri);

/* Reads FILE into CONFIG.  NOT_FOUND if there is no such file; INVALID, with the place, for what
 * cannot be understood.  Settings that are not known are warned of. */
gboolean virfs_config_load (VirfsConfig *config, const char *file, GError **error);
/* Where the file is if nobody says so; the caller owns it. */
char *virfs_config_default_file (void);
/* And the store; the caller owns it. */
char *virfs_config_default_store (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsConfig, virfs_config_free)
