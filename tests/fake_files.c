/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are those of a directory of this machine. */
#include "fake_files.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

FakeFiles fake_files;

typedef struct {
  VirfsFiles files;
  GThreadPool *pool; /* of one thread */
} Tree;

/* A question; what it wants is told by that thread. */
typedef struct {
  void (*answer) (gpointer job);
  char *path, *name;
  gpointer done, data;
  Tree *tree;
  guint64 offset;
  gsize length;
} Job;

typedef struct {
  VirfsContent content;
  Tree *tree;
  char *path;
} Content;

static char *
real (const char *path, const char *name)
{
  return g_build_filename (fake_files.directory, path, name, NULL);
}

static void
answer (gpointer data, gpointer user_data)
{
  Job *job = data;

  g_mutex_lock (&fake_files.stall);
  g_mutex_unlock (&fake_files.stall);
  job->answer (job);
  g_free (job->path);
  g_free (job->name);
  g_free (job);
}

static Job *
ask (VirfsFiles *files, void (*func) (gpointer), const char *path, const char *name, gpointer done,
     gpointer data)
{
  Job *job = g_new0 (Job, 1);

  *job = (Job){ func, g_strdup (path), g_strdup (name), done, data, (Tree *) files };
  return job;
}

static void
push (Job *job)
{
  g_thread_pool_push (job->tree->pool, job, NULL);
}

static gboolean
get_info (const char *path, VirfsFilesInfo *info)
{
  memset (info, 0, sizeof *info);
  if (lstat (path, &info->st) != 0)
    return FALSE;
  if (S_ISLNK (info->st.st_mode))
    info->target = g_file_read_link (path, NULL);
  return TRUE;
}

/* Answers. */

static void
answer_list (gpointer data)
{
  Job *job = data;
  g_autofree char *path = real (job->path, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (VirfsFilesEntry));
  g_autoptr (VirfsFilesList) list = NULL;
  const char *name;

  g_atomic_int_inc (&fake_files.lists);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = real (job->path, name);
    VirfsFilesEntry entry = { .name = g_intern_string (name) };
    VirfsFilesInfo info;

    if (!get_info (file, &info))
      continue;
    entry.ino = info.st.st_ino;
    entry.type = IFTODT (info.st.st_mode);
    g_free ((char *) info.target);
    g_array_append_val (entries, entry);
  }
  list = virfs_files_list_new (entries);
  ((VirfsFilesListed) job->done) (dir ? 0 : ENOTDIR, dir ? list : NULL, job->data);
}

static void
answer_find (gpointer data)
{
  Job *job = data;
  g_autofree char *path = real (job->path, job->name);
  VirfsFilesInfo info;

  g_atomic_int_inc (&fake_files.finds);
  if (!get_info (path, &info)) {
    ((VirfsFilesFound) job->done) (ENOENT, NULL, job->data);
    return;
  }
  ((VirfsFilesFound) job->done) (0, &info, job->data);
  g_free ((char *) info.target);
}

static void
answer_xattrs (gpointer data)
{
  Job *job = data;
  g_autofree char *path = real (job->path, job->name);
  g_autoptr (GHashTable) table
    = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_bytes_unref);
  char names[4096], value[4096];
  ssize_t length = llistxattr (path, names, sizeof names);

  for (const char *name = names; length > 0 && name < names + length; name += strlen (name) + 1) {
    ssize_t size = lgetxattr (path, name, value, sizeof value);

    if (size >= 0)
      g_hash_table_insert (table, (char *) g_intern_string (name), g_bytes_new (value, size));
  }
  ((VirfsFilesXattrs) job->done) (0, table, job->data);
}

static void
answer_read (gpointer data)
{
  Job *job = data;
  g_autofree char *path = real (job->path, NULL);
  g_autofree char *buffer = g_malloc (job->length);
  g_autoptr (GPtrArray) pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  int fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  ssize_t got = pread (fd, buffer, job->length, (off_t) job->offset);

  if (got > 0)
    g_ptr_array_add (pieces, g_bytes_new (buffer, got));
  close (fd);
  ((VirfsContentDone) job->done) (got < 0 ? EIO : 0, pieces, job->data);
}

/* As a guest that means ill would tell it. */
static void
answer_inspect (gpointer data)
{
  static const char *const pairs[] = {
    "type",       "linux",      "hostname", "we\x1b[2J\nb",           "mountpoint", "/\tsda1",
    "mountpoint", "/a b\tsda2", "package",  "hello\t1:2.10-3\tamd64", "package",    "o\ndd\t1\tall",
    "surprise",   "x",
  };
  const char *failure = g_atomic_pointer_get (&fake_files.failure);
  Job *job = data;
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  if (failure != NULL)
    g_set_error_literal (&error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, failure);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    g_ptr_array_add (words, (char *) pairs[i]);
  ((VirfsFilesInspected) job->done) (error, words, job->data);
}

static void
answer_stop (gpointer data)
{
  Job *job = data;

  g_atomic_int_inc (&fake_files.stopped);
  ((VirfsFilesStopped) job->done) (job->data);
}

static void
answer_opened (gpointer data)
{
  const char *failure = g_atomic_pointer_get (&fake_files.failure);
  Job *job = data;
  g_autoptr (GPtrArray) notes = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  VirfsFilesInfo info;

  g_atomic_int_inc (&fake_files.opened);
  if (failure != NULL)
    g_set_error_literal (&error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, failure);
  else
    get_info (fake_files.directory, &info);
  ((VirfsFilesOpened) job->done) (error, error ? NULL : &info, notes, job->data);
}

/* The class. */

static void
list (VirfsFiles *files, const char *path, VirfsFilesListed done, gpointer data)
{
  push (ask (files, answer_list, path, NULL, done, data));
}

static void
find (VirfsFiles *files, const char *path, const char *name, VirfsFilesFound done, gpointer data)
{
  push (ask (files, answer_find, path, name, done, data));
}

static void
xattrs (VirfsFiles *files, const char *path, const char *name, VirfsFilesXattrs done, gpointer data)
{
  push (ask (files, answer_xattrs, path, name, done, data));
}

static void
read_content (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
              gpointer data)
{
  Content *self = (Content *) content;
  Job *job = ask (&self->tree->files, answer_read, self->path, NULL, done, data);

  job->offset = offset;
  job->length = length;
  push (job);
}

static void
close_content (VirfsContent *content)
{
  Content *self = (Content *) content;

  virfs_files_unref (&self->tree->files);
  g_free (self->path);
  g_free (self);
}

static VirfsContent *
open_content (VirfsFiles *files, const char *path, const char *name, guint64 size)
{
  static const VirfsContentClass class = { .read = read_content, .close = close_content };
  Content *self = g_new0 (Content, 1);

  self->content.class = &class;
  self->tree = (Tree *) virfs_files_ref (files);
  self->path = virfs_files_path (path, name);
  return &self->content;
}

static void
inspect (VirfsFiles *files, VirfsFilesInspected done, gpointer data)
{
  push (ask (files, answer_inspect, NULL, NULL, done, data));
}

static void
stop (VirfsFiles *files, VirfsFilesStopped done, gpointer data)
{
  g_atomic_int_inc (&fake_files.stopping);
  push (ask (files, answer_stop, NULL, NULL, done, data));
}

static void
free_tree (VirfsFiles *files)
{
  g_thread_pool_free (((Tree *) files)->pool, FALSE, FALSE);
  g_free (files);
}

VirfsFiles *
fake_files_open (GPtrArray *disks, VirfsFilesOpened done, gpointer data)
{
  static const VirfsFilesClass class = {
    .list = list,
    .find = find,
    .xattrs = xattrs,
    .open = open_content,
    .inspect = inspect,
    .stop = stop,
    .free = free_tree,
  };
  Tree *tree = g_new0 (Tree, 1);

  tree->files.class = &class;
  g_atomic_ref_count_init (&tree->files.refs);
  tree->pool = g_thread_pool_new (answer, NULL, 1, TRUE, NULL);
  g_atomic_int_inc (&fake_files.asked);
  push (ask (&tree->files, answer_opened, NULL, NULL, done, data));
  return &tree->files;
}
