/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists in a network's XML, as one table for reading and writing; for xml_network*.c only. */
#pragma once

#include "xml_tools.h"

typedef struct {
  gsize member;     /* of VirfsNetworkInfo */
  const char *path; /* of its elements, in the document */
  const char *name; /* of an element */
  /* The line that NODE stands for; the caller owns it. */
  char *(*line) (LvXml *xml, xmlNode *node);
  /* Makes NODE, which may be new, say WORDS. */
  void (*fill) (xmlNode *node, char **words);
  int place;      /* which of the words tells in which <ip> it is; -1: in none */
  gboolean keyed; /* two lines with the same first word are one thing, before and after */
} LvNetworkList;

/* NULL if MEMBER is no list. */
const LvNetworkList *lv_network_list (gsize member);
/* All of them, N. */
const LvNetworkList *lv_network_lists (guint *n);
