/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A definition: what makes a host have a network, a pool, a filter, a secret (without its value) or a
 * guest.  Immutable, shared by reference.
 */
#pragma once

#include "blob.h"

/* In the order in which what refers to others comes after them. */
typedef enum {
  VIRFS_DEFINED_SECRET,
  VIRFS_DEFINED_FILTER,
  VIRFS_DEFINED_NETWORK,
  VIRFS_DEFINED_POOL,
  VIRFS_DEFINED_GUEST,
  VIRFS_N_DEFINED,
} VirfsDefined;

/* As the directories of a host are called, `secrets` beside them. */
const char *virfs_defined_name (VirfsDefined kind);
/* N_DEFINED if there is none of that name. */
VirfsDefined virfs_defined_parse (const char *name);

typedef struct {
  gatomicrefcount refs;
  VirfsDefined kind;
  GRefString *key;  /* a UUID of guests and secrets, else the name */
  GRefString *name; /* what users call it */
  VirfsBlob *xml;
  gboolean autostart;
  gboolean active; /* it is to run; of guests this is not said */
  gboolean remove; /* there is to be none */
} VirfsDefinition;

/* XML is borrowed.  The caller owns it, and may change it before anybody else has it. */
VirfsDefinition *virfs_definition_new (VirfsDefined kind, const char *key, const char *name,
                                       VirfsBlob *xml);
VirfsDefinition *virfs_definition_ref (VirfsDefinition *definition);
void virfs_definition_unref (VirfsDefinition *definition);
gboolean virfs_definition_equal (const VirfsDefinition *a, const VirfsDefinition *b);

/* A list of them, freed with its last reference; by kind and key. */
GPtrArray *virfs_definitions_new (void);
void virfs_definitions_sort (GPtrArray *list);
gboolean virfs_definitions_equal (GPtrArray *a, GPtrArray *b);
/* In a sorted list (NULL is empty); borrowed, NULL if there is none. */
VirfsDefinition *virfs_definitions_find (GPtrArray *list, VirfsDefined kind, const char *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsDefinition, virfs_definition_unref)
