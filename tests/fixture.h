/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake fleet mounted in a temporary directory, served by a thread of the test's own process.  A
 * child unmounts it should the test die.  Paths are relative to the mount.
 */
#pragma once

#include "fake.h"
#include "tree.h"

#include <errno.h>
#include <sys/stat.h>

typedef struct {
  VirfsInfra *infra;
  VirfsTree *tree;
  VirfsSession *session;
  GThread *server;
  char *dir; /* where it is mounted */
  int watchdog;
} Fixture;

/* Runs all tests; the whole program is skipped where nothing can be mounted.  Call it first of all:
 * it is also what a test runs as another process (fixture_spawn()). */
void fixture_init (int *argc, char ***argv);

/* HOSTS: `NAME=URI …`, see fake.h. */
/* Who keeps records, to be set before; NULL: nobody. */
extern const VirfsKeeper *fixture_keeper;
/* What is to be said before there are hosts and readers, likewise. */
extern void (*fixture_prepare) (VirfsInfra *infra);
void fixture_set_up (Fixture *f, gconstpointer hosts);
/* The same with -o allow_other, for root. */
void fixture_set_up_for_all (Fixture *f, gconstpointer hosts);
void fixture_tear_down (Fixture *f, gconstpointer hosts);
#define fixture_add(path, hosts, func)                                                             \
  g_test_add (path, Fixture, hosts, fixture_set_up, func, fixture_tear_down)

/* Longest time, in microseconds, that is waited for what must happen; generous, no measure. */
#define PATIENCE (30 * G_USEC_PER_SEC)

/* Waits until CONDITION holds; it need not hold for long. */
#define assert_soon(condition)                                                                     \
  do {                                                                                             \
    gint64 end_ = g_get_monotonic_time () + PATIENCE;                                              \
    gboolean holds_;                                                                               \
    while (!(holds_ = (condition)) && g_get_monotonic_time () < end_)                              \
      g_usleep (1000);                                                                             \
    if (!holds_)                                                                                   \
      g_error ("%s:%d: not even later: %s", __FILE__, __LINE__, #condition);                       \
  } while (0)

/* The full path; the caller owns it. */
char *at (Fixture *f, const char *path);

/* As the shell's commands: 0, or the errno of the system call that failed. */
int echo (Fixture *f, const char *text, const char *path); /* adds a newline, as echo does */
int echo_n (Fixture *f, const char *text, gssize size,
            const char *path); /* at once; errors of close */
int mkdir_at (Fixture *f, const char *path);
int rmdir_at (Fixture *f, const char *path);
int unlink_at (Fixture *f, const char *path);
int mv (Fixture *f, const char *from, const char *to);
/* The contents; the caller owns it.  NULL (and errno) if it cannot be read. */
char *cat (Fixture *f, const char *path);
char *readlink_at (Fixture *f, const char *path);
/* Names in a directory but those with a leading dot, sorted, separated by spaces; the caller owns it. */
char *ls (Fixture *f, const char *path);
struct stat stat_at (Fixture *f, const char *path); /* lstat(2); must succeed */
gboolean exists (Fixture *f, const char *path);
/* Runs COMMAND with sh in the mount; its output, errors too, goes to *OUT.  The exit status. */
int sh (Fixture *f, const char *command, char **out);
int sh_quietly (Fixture *f, const char *command);

gboolean reads (Fixture *f, const char *path, const char *text);
gboolean says (Fixture *f, const char *path, const char *words);
gboolean leads (Fixture *f, const char *path, const char *target);

#define assert_same(call, expected)                                                                \
  do {                                                                                             \
    g_autofree char *got_ = call;                                                                  \
    g_assert_cmpstr (got_, ==, expected);                                                          \
  } while (0)
#define assert_reads(f, path, text)   assert_same (cat (f, path), text)
#define assert_lists(f, path, names)  assert_same (ls (f, path), names)
#define assert_leads(f, path, target) assert_same (readlink_at (f, path), target)
#define assert_soon_reads(f, path, text)                                                           \
  do {                                                                                             \
    gint64 end_ = g_get_monotonic_time () + PATIENCE;                                              \
    while (!reads (f, path, text) && g_get_monotonic_time () < end_)                               \
      g_usleep (1000);                                                                             \
    assert_reads (f, path, text);                                                                  \
  } while (0)
/* The last words of PATH, an `error` file, hold WORDS. */
#define assert_says(f, path, words)                                                                \
  do {                                                                                             \
    g_autofree char *got_ = cat (f, path);                                                         \
    if (got_ == NULL || g_strstr_len (got_, -1, words) == NULL)                                    \
      g_error ("%s says \"%s\", not \"%s\"", path, got_, words);                                   \
  } while (0)

/* Another process that writes TEXT and a newline to PATH; SIGINT interrupts its write.  Its exit
 * status is the errno, 0 for success. */
GPid fixture_spawn (Fixture *f, const char *text, const char *path);
int fixture_wait (GPid pid);

/* What is behind the tree: changed there, not through it. */
VirfsVm *vm_of (Fixture *f, const char *label); /* must be there; a reference */
void set_state (Fixture *f, const char *label, VirfsVmState state);
void set_title (Fixture *f, const char *label, const char *title);
void rename_vm (Fixture *f, const char *label, const char *name);
void move_vm (Fixture *f, const char *label, const char *host);
void turn_host (Fixture *f, const char *name, VirfsHostState state);
