/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What alarms can be about: facts, which the registry knows of hosts, guests and pools anyway, and metrics,
 * which have to be sampled.
 */
#pragma once

#include "alarm_condition.h"
#include "metrics.h"

/* An object, and all that is known of it at one moment; all borrowed. */
typedef struct {
  VirfsKind kind;        /* VM, HOST or POOL */
  gboolean reachable;    /* its host is up */
  gint64 now;            /* microseconds since the epoch */
  const VirfsVmInfo *vm; /* of a guest */
  const VirfsHostInfo *host;
  VirfsPromise promised; /* of a host */
  VirfsPart *pool;       /* of a pool, as the next */
  const VirfsPoolInfo *pool_info;
  const VirfsSample *sample, *before; /* the last two; NULL: there is none */
} VirfsSubject;

typedef struct {
  const char *name;
  VirfsKind kind; /* of what it is known */
  const char *unit;
  const char *const *words; /* what it can be; NULL: a number, or any word */
  gboolean is_word;
  /* of a fact; NULL: it is a metric */
  void (*get) (const VirfsSubject *subject, VirfsValue *value);
  guint index; /* of a metric, in the samples: values, then rates */
  const char *help;
} VirfsMeasure;

/* Whether it has to be sampled. */
gboolean virfs_measure_is_sampled (const VirfsMeasure *measure);
/* Of counters what is compared is how much they have grown a second since the sample before. */
gboolean virfs_measure_is_counter (const VirfsMeasure *measure);

/* NULL if objects of that kind have no such. */
const VirfsMeasure *virfs_measure_find (const char *name, VirfsKind kind);
/* The first of that name, and whether there are others; NULL: there is none. */
const VirfsMeasure *virfs_measure_find_any (const char *name, gboolean *several);
void virfs_measure_get (const VirfsMeasure *measure, const VirfsSubject *subject,
                        VirfsValue *value);
/* As it is shown. */
void virfs_value_append (const VirfsMeasure *measure, const VirfsValue *value, GString *out);

/* A table of all: objects, name, unit, help. */
void virfs_measures_print (GString *out);

/* How objects of KIND are called all together: vms, hosts, pools. */
const char *virfs_measure_objects (VirfsKind kind);

/* Seconds until a pool is full, if it is filled as it was until now; INFINITY: it is not filled; NAN: not
 * known. */
typedef double (*VirfsForecastPool) (VirfsInfra *infra, VirfsPart *pool);
/* Who can tell it (the history); before the first host. */
void virfs_measure_set_forecast (VirfsForecastPool func);
