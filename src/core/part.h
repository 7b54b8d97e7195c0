/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts: what belongs to a host, to a guest or to another part and has a directory of its own: a pool
 * and its volumes, a guest's disks, NICs, snapshots and checkpoints.  A part is known by its owner,
 * its kind and its name.
 *
 * What is known of one is a struct that begins with a VirfsPartInfo; its class lists the members, and
 * copying, comparing and freeing follow from that list.  The infos of all parts of one kind are a
 * GPtrArray in the info of their owner, so that owner and parts are published as one.
 *
 * A draft is a part that somebody has made with mkdir and that is not there yet: its attributes can be
 * set until the one is written that makes it.  No backend has told of it, and none takes it away.
 */
#pragma once

#include "blob.h"
#include "disk_view.h"
#include "object.h"

/* What files show of a part; a set of them (VIRFS_BIT) tells what changed. */
typedef enum {
  VIRFS_PART_BIRTH, /* what never changes */
  VIRFS_PART_STATE,
  VIRFS_PART_CONFIG, /* what it was set to */
  VIRFS_PART_SIZE,
  VIRFS_PART_USE, /* how much of it is used, and by whom */
  VIRFS_PART_XML,
  VIRFS_PART_PARTS, /* which parts it has */
  VIRFS_PART_READY, /* whether it can be changed: its host is up */
  VIRFS_PART_OWNER, /* who may do what with it; see virfs_object_owner() */
  VIRFS_PART_N_FIELDS,
} VirfsPartField;

typedef enum {
  VIRFS_MEMBER_TEXT,   /* GRefString *, NULL for none */
  VIRFS_MEMBER_WORD,   /* const char *, static or interned; NULL for none */
  VIRFS_MEMBER_NUMBER, /* guint64 */
  VIRFS_MEMBER_BOOL,   /* gboolean */
  VIRFS_MEMBER_BLOB,   /* VirfsBlob *, of text */
  VIRFS_MEMBER_BYTES,  /* VirfsBlob *, of anything */
  VIRFS_MEMBER_VIEW,   /* VirfsDiskView *; not saved */
} VirfsMemberType;

typedef struct {
  const char *name;
  gsize offset;
  VirfsMemberType type;
  VirfsPartField field;
} VirfsMember;

typedef struct {
  VirfsKind kind;
  const char *directory; /* where they are in their owner's directory: `disks` */
  gsize size;            /* of the struct */
  const VirfsMember *members;
  guint n_members;
  const char *const *reserved; /* names that files beside them have; NULL for none */
} VirfsPartClass;

typedef struct {
  gatomicrefcount refs;
  const VirfsPartClass *class;
  GRefString *name; /* libvirt's */
  gboolean draft;
  GPtrArray
    *parts; /* of VirfsPartInfo*, sorted by name: what belongs to it; NULL: none or not known */
  gint64 changed[VIRFS_PART_N_FIELDS]; /* the registry fills it in; microseconds since the epoch */
} VirfsPartInfo;

/* A member of class C whose struct is TYPE. */
#define VIRFS_MEMBER(Type, member, type, field)                                                    \
  {                                                                                                \
#member, G_STRUCT_OFFSET(Type, member), VIRFS_MEMBER_##type, VIRFS_PART_##field                \
  }

/* An info with nothing but a name in it, to be filled in; the caller owns it. */
gpointer virfs_part_info_new (const VirfsPartClass *class, const char *name);
/* A copy that may be changed before it is published; shares all texts and parts. */
gpointer virfs_part_info_copy (gconstpointer info);
/* Makes all members of INFO those of FROM. */
void virfs_part_info_assign (gpointer info, gconstpointer from);
gpointer virfs_part_info_ref (gconstpointer info);
void virfs_part_info_unref (gconstpointer info);
/* Sets the member at OFFSET of an info that is not published yet: to TEXT (NULL: none) or NUMBER,
 * whichever it is made of. */
void virfs_part_info_set (gpointer info, gsize offset, guint64 number, const char *text);
/* The name in the tree of a part of that NAME (virfs_name_encode()), and never a reserved one; the caller
 * owns it. */
char *virfs_part_label (const VirfsPartClass *class, const char *name);
/* Which fields differ. */
guint64 virfs_part_info_diff (gconstpointer a, gconstpointer b);

/* All members as a group of a key file, and back: what the group lacks stays as it is. */
void virfs_part_info_save (gconstpointer info, GKeyFile *file, const char *group);
void virfs_part_info_load (gpointer info, GKeyFile *file, const char *group);

/* Whether B tells of other parts than A, or differently of them; NULL tells nothing new. */
gboolean virfs_part_lists_differ (GPtrArray *a, GPtrArray *b);

/* A list of infos, freed with its last reference. */
GPtrArray *virfs_part_list_new (void);
/* To be called when a list is complete: sorts it by name. */
void virfs_part_list_sort (GPtrArray *list);
/* In an owner's array of lists: replaces list I by LIST (taken). */
void virfs_part_lists_set (GPtrArray **lists, guint i, GPtrArray *list);
/* The info with that name in a sorted list (NULL is empty); borrowed, NULL if there is none. */
gpointer virfs_part_list_find (GPtrArray *list, const char *name);

typedef struct {
  VirfsObject object;
  const VirfsPartClass *class;
  VirfsObject *owner; /* a reference; does not change */
  GRefString *name;   /* libvirt's; does not change */
  GRefString *label;  /* its name in the tree (virfs_part_label()) */
  /* under the registry's lock */
  VirfsPartInfo *info;
  gboolean removed;
} VirfsPart;

/* What is known now; the caller owns the reference. */
gpointer virfs_part_info (VirfsPart *part);
/* The host or guest that it belongs to in the end; borrowed. */
VirfsObject *virfs_part_root (VirfsPart *part);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsPart, virfs_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsPartInfo, virfs_part_info_unref)
