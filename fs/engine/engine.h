/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the engine, shared by its files and by no others.
 *
 *   session.c  its life, and words to the kernel
 *   request.c  what FUSE asks and is answered, with request_*.c: see request.h
 *   node.c     inode numbers, lookup, attributes
 *   listing.c  the entries of a directory
 *   listings.c those of directories that are being read
 *   open.c     open files and their text; open_write.c: lines and documents; open_wait.c: streams, poll
 *   call.c     what is answered later
 *   deed.c     what is told of it
 *   talk.c     those of them that talk to a terminal
 *   signal.c   whether a signal is a wish to stop
 *   notify.c   what the kernel has to forget
 *   foreign.c  the nodes of trees that are somebody else's; pending.c: requests that wait for them
 *
 * FUSE's own types stay in session.c and request*.c; the others know a request as a pointer.
 */
#pragma once

#include "call.h"
#include "row.h"
#include "session.h"

#include <pthread.h>

typedef struct VirfsListings VirfsListings;
typedef struct VirfsNotifier VirfsNotifier;
typedef struct VirfsToucher VirfsToucher;
typedef struct VirfsOpen VirfsOpen;
typedef struct VirfsTalk VirfsTalk;

struct VirfsSession {
  const VirfsTreeOps *ops;
  gpointer tree;
  guint uid, gid; /* who mounted: owns what nobody else owns */
  char *mountpoint;
  gpointer fuse; /* struct fuse_session * */
  VirfsNotifier *notifier;
  VirfsToucher *toucher;
  VirfsListings *listings;
  gboolean unopened; /* directories are read without being opened, as far as we are told */
  struct VirfsForeign *foreign; /* see foreign.h */
  GMutex run_lock;
  GCond run_cond;
  gboolean running, ended; /* under run_lock */
  pthread_t runner;        /* under run_lock: who runs it */
  guint reads;             /* under run_lock: of content, that are under way */
  GThreadPool *deferred;   /* runs what must not run under FUSE's locks, or waits */
  GMutex waiting_lock;
  GHashTable *waiting; /* under waiting_lock: inode number -> GPtrArray of VirfsOpen* */
  GHashTable *talks;   /* under waiting_lock: set of VirfsTalk* */
};

/* session.c */

/* Brackets a read of content, which is answered from elsewhere: the session must be there until then. */
void virfs_session_begin_read (VirfsSession *session);
void virfs_session_end_read (VirfsSession *session);

/* node.c */

/* The node INO now; FALSE if its object is gone or never was. */
gboolean virfs_node_get (VirfsSession *session, guint64 ino, VirfsNode *node);
void virfs_node_clear (VirfsNode *node);
guint64 virfs_node_inode (const VirfsNode *node);
/* The entry NAME of DIR; 0 if there is none. */
guint64 virfs_node_child (VirfsSession *session, const VirfsNode *dir, const char *name);
/* Whether ROW, one of those in DIR, is there now. */
gboolean virfs_node_has (const VirfsNode *dir, const VirfsRow *row);
guint64 virfs_node_parent (const VirfsNode *node);
void virfs_node_stat (VirfsSession *session, const VirfsNode *node, struct stat *st);
/* For readdir: without the size of what is measured, which takes time.  The kernel must not keep it and
 * asks as soon as somebody wants to know. */
void virfs_node_stat_listed (VirfsSession *session, const VirfsNode *node, struct stat *st);
void virfs_node_owner (VirfsSession *session, const VirfsNode *node, VirfsOwner *owner);
/* Microseconds since the epoch. */
gint64 virfs_node_changed (const VirfsNode *node);
gboolean virfs_node_writable (const VirfsNode *node);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VirfsNode, virfs_node_clear)

/* listing.c */

/* The position behind all entries. */
#define VIRFS_LISTING_END ((guint64) G_MAXINT64)

typedef struct {
  const char *name; /* the listing's */
  guint64 ino;
  mode_t type;
  guint64 next; /* the position behind it */
} VirfsEntry;

/* What is in DIR now. */
VirfsListing *virfs_listing_new (const VirfsNode *dir, guint64 ticket);
VirfsListing *virfs_listing_ref (VirfsListing *listing);
void virfs_listing_unref (VirfsListing *listing);
guint64 virfs_listing_dir (const VirfsListing *listing); /* its inode number */
guint64 virfs_listing_ticket (const VirfsListing *listing);
/* Whether DIR, its directory, has not changed since. */
gboolean virfs_listing_holds (const VirfsListing *listing, const VirfsNode *dir);
/* The index of the first entry at POSITION or behind it; 0 is the position of the first of all. */
guint virfs_listing_find (const VirfsListing *listing, guint64 position);
/* FALSE behind the last. */
gboolean virfs_listing_get (const VirfsListing *listing, guint index, VirfsEntry *entry);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsListing, virfs_listing_unref)

/* listings.c */

VirfsListings *virfs_listings_new (void);
void virfs_listings_free (VirfsListings *listings);
/* What is in the directory INO now, a reference: for who begins to read it (BEGINS) it is made now.
 * NULL if it is gone. */
VirfsListing *virfs_listings_get (VirfsSession *session, guint64 ino, gboolean begins);
/* To be called before a part of LISTING is answered: there is more of it, or that was the end. */
void virfs_listings_go_on (VirfsListings *listings, VirfsListing *listing);
void virfs_listings_end (VirfsListings *listings, VirfsListing *listing);

/* call.c: each takes the node and ends by answering REQUEST. */

/* Carries out the lines of TEXT (taken); answered with BYTES written. */
void virfs_call_lines (gpointer request, VirfsNode *node, char *text, gsize bytes);
/* Carries out a document, or a last line without newline; answered with success. */
void virfs_call_rest (gpointer request, VirfsNode *node, char *text);
void virfs_call_make (gpointer request, VirfsNode *dir, const char *name);
void virfs_call_remove (gpointer request, VirfsNode *dir, const char *name);
void virfs_call_move (gpointer request, VirfsNode *dir, const char *name, VirfsNode *to,
                      const char *new_name);
void virfs_call_link (gpointer request, VirfsNode *dir, const char *name, const char *target);
void virfs_call_unlink (gpointer request, VirfsNode *dir, const char *name);
/* Answered with an open file. */
void virfs_call_create (gpointer request, VirfsNode *dir, const char *name);
void virfs_call_open (gpointer request, VirfsNode *node);
void virfs_call_talk (gpointer request, VirfsNode *node);
/* Answered with the attributes, as the next. */
void virfs_call_cut (gpointer request, VirfsNode *node, guint64 size);
void virfs_call_give (gpointer request, VirfsNode *node, const VirfsOwner *owner);
/* A refusal that needs no more than its sentence.  VERB: see VirfsDeed. */
void virfs_call_refuse (gpointer request, VirfsNode *node, const char *verb, const char *name,
                        VirfsError code, const char *why);
VirfsCall *virfs_call_ref (VirfsCall *call);
void virfs_call_unref (VirfsCall *call);
/* The caller has got a signal, whichever; may be called under FUSE's locks. */
void virfs_call_interrupt (VirfsCall *call);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsCall, virfs_call_unref)

/* deed.c: what VirfsDeed wants; the caller owns it.  NULL: not to be told. */

/* The path of NODE, or of its entry NAME. */
char *virfs_deed_path (VirfsSession *session, const VirfsNode *node, const char *name);
/* What NODE says, and what it says by now. */
char *virfs_deed_text (const VirfsNode *node);
char *virfs_deed_text_now (VirfsSession *session, const VirfsNode *node);
/* Whether what is written there must not be told. */
gboolean virfs_deed_is_secret (const VirfsNode *node);
char *virfs_deed_owner (const VirfsOwner *owner);

/* signal.c */

/* Whether one of the signals that THREAD has got and not taken yet is a wish to stop; TRUE if that
 * cannot be told. */
gboolean virfs_signal_stops (int thread);

/* Whether a signal has killed THREAD, which only ends. */
gboolean virfs_signal_killed (int thread);

/* open.c */

/* Takes the node. */
VirfsOpen *virfs_open_new (VirfsNode *node, gboolean writes, gboolean direct);
/* Of a row that has `open`; NULL: not possible. */
VirfsOpen *virfs_open_new_content (VirfsNode *node, GError **error);
/* One that is written to SINK (taken). */
VirfsOpen *virfs_open_new_sink (VirfsNode *node, VirfsSink *sink);
/* One that talks to TERMINAL (taken). */
VirfsOpen *virfs_open_new_terminal (VirfsSession *session, VirfsNode *node,
                                    VirfsTerminal *terminal);
/* NULL if it is no such file, as the next. */
VirfsTalk *virfs_open_talk (VirfsOpen *open);
VirfsSink *virfs_open_sink (VirfsOpen *open);
/* What it reads; NULL if it is no such file. */
VirfsContent *virfs_open_content (VirfsOpen *open);
/* As lseek(2) has it, for SEEK_DATA and SEEK_HOLE, in a file of SIZE bytes; -1: ENXIO. */
goffset virfs_open_seek (VirfsOpen *open, goffset offset, gboolean data, goffset size);
/* Makes ST, of NODE, tell of what is read here, where that is not what there is by now. */
void virfs_open_stat (VirfsOpen *open, const VirfsNode *node, struct stat *st);
/* The kernel is told the attributes of NODE (taken) through this open file. */
void virfs_open_told (VirfsOpen *open, VirfsNode *node);
/* Up to SIZE bytes from OFFSET, in *BUFFER (the caller owns it); returns how many. */
gsize virfs_open_read (VirfsSession *session, VirfsOpen *open, VirfsNode *node, goffset offset,
                       gsize size, char **buffer);

/* open_write.c */

/* Takes what is written.  *LINES: complete lines to be carried out, NULL for none (the caller owns
 * them).  FALSE if it is more than such a file takes. */
gboolean virfs_open_write (VirfsOpen *open, const VirfsNode *node, const char *data, gsize size,
                           goffset offset, char **lines, GError **error);
/* What has been written and not been carried out, in *REST; NULL for nothing.  The caller owns it. */
gboolean virfs_open_take_rest (VirfsOpen *open, const VirfsNode *node, char **rest, GError **error);

/* open_wait.c */

/* Of a stream: as virfs_open_read() if there is something; else keeps REQUEST until there is and returns
 * G_MAXSIZE. */
gsize virfs_open_follow (VirfsSession *session, VirfsOpen *open, const VirfsNode *node, gsize size,
                         gboolean block, gpointer request, char **buffer);
/* The poll(2) events that hold; keeps HANDLE (may be NULL) until something changes. */
unsigned virfs_open_poll (VirfsSession *session, VirfsOpen *open, const VirfsNode *node,
                          gpointer handle);
/* Something changed: readers and pollers of INO are told. */
void virfs_open_wake (VirfsSession *session, guint64 ino);
/* Its reader has got a signal; may be called under FUSE's locks. */
void virfs_open_interrupt (VirfsSession *session, VirfsOpen *open);
/* Nobody has it open any more, nor waits. */
void virfs_open_close (VirfsSession *session, VirfsOpen *open);

/* notify.c */

VirfsNotifier *virfs_notifier_new (VirfsSession *session);
/* Gives the answers that are queued and ends its threads; the kernel is told no more.  Its threads may
 * wait in the kernel for what we answer: so it must be served meanwhile, or be unmounted. */
void virfs_notifier_stop (VirfsNotifier *notifier);
void virfs_notifier_free (VirfsNotifier *notifier);
/* The kernel is about to be told of INO: from now on it is told what changes.  Returns its generation. */
guint64 virfs_notifier_seen (VirfsNotifier *notifier, guint64 ino);
/* The kernel is about to be told that the directory INO was removed.  It takes that inode for dead as
 * long as anybody is in it, so one of the same number is of another generation from now on. */
void virfs_notifier_died (VirfsNotifier *notifier, guint64 ino);
void virfs_notifier_changed (VirfsNotifier *notifier, const VirfsClass *class, guint64 id,
                             guint64 fields);
void virfs_notifier_inode (VirfsNotifier *notifier, guint64 ino);
void virfs_notifier_entry (VirfsNotifier *notifier, guint64 dir, const char *name, guint64 child);
void virfs_notifier_removed (VirfsNotifier *notifier, guint64 id);
/* Whether the kernel has still to be told of INO. */
gboolean virfs_notifier_is_pending (VirfsNotifier *notifier, guint64 ino);
/* FUNC runs when the kernel has forgotten the contents of all that changed before. */
void virfs_notifier_then (VirfsNotifier *notifier, void (*func) (gpointer), gpointer data);
/* While INO is busy the kernel holds its lock, and nothing that would wait for it is sent. */
void virfs_notifier_busy (VirfsNotifier *notifier, guint64 ino);
void virfs_notifier_idle (VirfsNotifier *notifier, guint64 ino);
gboolean virfs_notifier_is_busy (VirfsNotifier *notifier, guint64 ino);

/* touch.c */

VirfsToucher *virfs_toucher_new (VirfsSession *session);
/* Ends its threads, as that of a notifier. */
void virfs_toucher_stop (VirfsToucher *toucher);
void virfs_toucher_free (VirfsToucher *toucher);
/* Whoever watches INO learns that it has changed. */
void virfs_toucher_touch (VirfsToucher *toucher, guint64 ino);
/* INO is no longer busy. */
void virfs_toucher_resume (VirfsToucher *toucher, guint64 ino);
/* Nothing is touched for a while: a file system in which a path is being walked cannot be unmounted, and
 * umount(8) asks for statfs(2) of its root just before. */
void virfs_toucher_rest (VirfsToucher *toucher);

/* request.c: who asks, and the answers. */

VirfsSession *virfs_request_session (gpointer request);
guint virfs_request_uid (gpointer request);
guint virfs_request_gid (gpointer request);
gboolean virfs_request_in_group (gpointer request, guint gid);
/* The thread that sleeps until REQUEST is answered; 0 if it is not one of this PID namespace. */
int virfs_request_thread (gpointer request);
void virfs_reply_error (gpointer request, int error);
void virfs_reply_written (gpointer request, gsize bytes);
void virfs_reply_data (gpointer request, const char *data, gsize size);
/* INO as an entry of DIR. */
void virfs_reply_node (gpointer request, const VirfsNode *dir, guint64 ino);
/* INO is open, and written to SINK (taken); it was there, or is a new entry. */
void virfs_reply_opened (gpointer request, guint64 ino, VirfsSink *sink);
void virfs_reply_created (gpointer request, const VirfsNode *dir, guint64 ino, VirfsSink *sink);
/* INO is open, and talks to TERMINAL (taken). */
void virfs_reply_talking (gpointer request, guint64 ino, VirfsTerminal *terminal);
/* The attributes, which the kernel must not keep: it would believe them also if it has been told of a
 * change meanwhile. */
void virfs_reply_attributes (gpointer request, guint64 ino);
/* An interrupt of REQUEST interrupts CALL; NULL: no longer. */
void virfs_request_watch_call (gpointer request, VirfsCall *call);
void virfs_request_watch_open (gpointer request, VirfsOpen *open);
void virfs_request_watch_talk (gpointer request, VirfsTalk *talk);

/* session.c: words to the kernel (0 or a negative errno). */

int virfs_kernel_forget_inode (VirfsSession *session, guint64 ino);
int virfs_kernel_forget_entry (VirfsSession *session, guint64 dir, const char *name, guint64 child);
void virfs_kernel_wake_poll (gpointer handle);
void virfs_kernel_drop_poll (gpointer handle);
/* Runs FUNC soon in a thread where it may take any lock. */
void virfs_session_defer (VirfsSession *session, void (*func) (gpointer), gpointer data);
