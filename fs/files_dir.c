/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories `files`.  One is being opened, open, or being closed.  It is in the table as long as anything
 * of it is left; what waits for its end is told then.  Disks that are inspected are opened as such a directory
 * is, but nobody sees that; where there is one already it is that which is inspected.  The table's lock comes after the registry's, and
 * before those of the notifier, of the engine's nodes and of the trees.
 */
#include "files_dir.h"

#include "session.h"
#include "text.h"

typedef enum { OPENING, INSPECTING, OPEN, CLOSING } State;

typedef struct {
  void (*func) (gpointer);
  gpointer data;
} Waiter;

typedef struct {
  VirfsObject *object; /* a reference, and the key */
  VirfsSession *session;
  const VirfsClass *class;
  guint64 parent;           /* inode number of the object's directory */
  VirfsJob *job;            /* of opening it */
  VirfsInspectionNote note; /* NULL: it is to be seen, and not only to be inspected */
  State state;              /* under lock, as all below */
  guint holds;              /* its tree's, and that of each inspection */
  VirfsFiles *files;
  guint64 ino;     /* when it is open */
  GError *error;   /* why it was not opened, or inspected */
  GArray *waiters; /* of Waiter */
} Files;

static GMutex lock;
static GCond ended;
static GHashTable *table; /* under lock: VirfsObject -> Files */
static guint leaving;     /* under lock: no longer there, but not all have been told */
static VirfsFilesOpener open_files;

void
virfs_guest_files_set_opener (VirfsFilesOpener opener)
{
  open_files = opener;
}

/* Under the lock. */
static Files *
find (gconstpointer object)
{
  return table ? g_hash_table_lookup (table, object) : NULL;
}

static void
tell_changed (const Files *files)
{
  virfs_session_changed (files->session, files->class, files->object->id,
                         VIRFS_BIT (VIRFS_PART_PARTS));
}

/* Its end. */

static void
files_free (Files *files)
{
  virfs_object_unref (files->object);
  virfs_object_unref (files->job);
  g_clear_error (&files->error);
  g_array_unref (files->waiters);
  g_free (files);
}

/* The tree has stopped, or an inspection has ended. */
static void
release (gpointer data)
{
  Files *files = data;

  g_mutex_lock (&lock);
  if (--files->holds > 0) {
    g_mutex_unlock (&lock);
    return;
  }
  g_hash_table_remove (table, files->object);
  leaving++;
  tell_changed (files);
  g_mutex_unlock (&lock);
  virfs_files_unref (files->files);
  if (files->error != NULL || files->note != NULL)
    virfs_job_finish (files->job, g_steal_pointer (&files->error));
  for (guint i = 0; i < files->waiters->len; i++) {
    const Waiter *waiter = &g_array_index (files->waiters, Waiter, i);

    waiter->func (waiter->data);
  }
  files_free (files);
  g_mutex_lock (&lock);
  leaving--;
  g_cond_broadcast (&ended);
  g_mutex_unlock (&lock);
}

/* Under the lock.  CODE, WHY: if it has not come that far yet; NULL: it has. */
static void
begin_close (Files *files, VirfsError code, const char *why)
{
  if (files->state == CLOSING)
    return;
  if (files->state == OPEN)
    virfs_session_detach (files->session, files->ino);
  else if (files->error == NULL && why != NULL)
    g_set_error_literal (&files->error, VIRFS_ERROR, code, why);
  files->state = CLOSING;
  files->files->class->stop (files->files, release, files);
}

static void
add_waiter (Files *files, void (*func) (gpointer), gpointer data)
{
  Waiter waiter = { func, data };

  g_array_append_val (files->waiters, waiter);
}

/* What is installed. */

typedef struct {
  Files *files; /* held */
  VirfsJob *job;
  VirfsInspectionNote note;
  VirfsOs *os;
  GError *error;
} Inspection;

static void
end_inspection (Inspection *self)
{
  Files *files = self->files;

  if (self->job != files->job) {
    virfs_job_finish (self->job, g_steal_pointer (&self->error));
  } else {
    g_mutex_lock (&lock);
    if (self->error != NULL && files->error == NULL)
      files->error = g_steal_pointer (&self->error);
    begin_close (files, VIRFS_ERROR_FAILED, NULL);
    g_mutex_unlock (&lock);
  }
  virfs_object_unref (self->job);
  virfs_os_unref (self->os);
  g_clear_error (&self->error);
  g_free (self);
  release (files);
}

/* Keeping it waits for the disk. */
static gpointer
note (gpointer data)
{
  Inspection *self = data;

  if (self->os != NULL)
    self->note (self->files->object, self->os);
  end_inspection (self);
  return NULL;
}

static void
inspected (const GError *error, GPtrArray *pairs, gpointer data)
{
  Inspection *self = data;

  if (error != NULL)
    self->error = g_error_copy (error);
  else
    self->os = virfs_os_new (pairs, &self->error);
  g_thread_unref (g_thread_new ("virfs-inspect", note, self));
}

/* FILES is held, for that. */
static void
inspect (Files *files, VirfsJob *job, VirfsInspectionNote note_it)
{
  Inspection *self = g_new0 (Inspection, 1);

  *self = (Inspection){ .files = files, .job = virfs_object_ref (job), .note = note_it };
  files->files->class->inspect (files->files, inspected, self);
}

/* Its beginning. */

static void
log_notes (const Files *files, GPtrArray *notes)
{
  g_autofree char *path = virfs_object_path (files->object);

  for (guint i = 0; notes != NULL && i < notes->len; i++) {
    g_autoptr (GString) note = g_string_new (NULL);

    virfs_text_escape (note, notes->pdata[i]);
    g_message ("%s/" VIRFS_FILES ": %s", path, note->str);
  }
}

static void
opened (const GError *error, const VirfsFilesInfo *root, GPtrArray *notes, gpointer data)
{
  Files *files = data;
  State now;

  g_mutex_lock (&lock);
  if (files->state == OPENING && error != NULL) {
    begin_close (files, error->code, error->message);
  } else if (files->state == OPENING && files->note != NULL) {
    files->state = INSPECTING;
    files->holds++;
  } else if (files->state == OPENING) {
    files->ino = virfs_session_attach (files->session, files->files, root, files->parent);
    files->state = OPEN;
    tell_changed (files);
  }
  now = files->state;
  g_mutex_unlock (&lock);
  if (now == INSPECTING) {
    inspect (files, files->job, files->note);
  } else if (now == OPEN) {
    log_notes (files, notes);
    virfs_job_finish (files->job, NULL);
  }
}

static void
cancel (VirfsJob *job, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  Files *files = find (data);

  if (files != NULL && files->job == job && files->state != OPEN)
    begin_close (files, VIRFS_ERROR_CANCELLED, "it was cancelled");
}

static Files *
files_new (VirfsCall *call, const VirfsNode *dir, VirfsJob *job, VirfsInspectionNote note_it)
{
  Files *files = g_new0 (Files, 1);

  files->holds = 1;
  files->note = note_it;
  files->object = virfs_object_ref (dir->object);
  files->session = virfs_call_session (call);
  files->class = dir->class;
  files->parent = virfs_inode (dir->class, dir->id, dir->row);
  files->waiters = g_array_new (FALSE, FALSE, sizeof (Waiter));
  files->job = virfs_object_ref (job);
  return files;
}

/* Opens DISKS as FILES.  FALSE: there is one already; if that is open and OPEN is not NULL, it is held and in *OPEN. */
static gboolean
begin_open (Files *files, GPtrArray *disks, Files **open)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  Files *other = find (files->object);

  if (other != NULL && other->state == OPEN && open != NULL) {
    other->holds++;
    *open = other;
  }
  if (other != NULL)
    return FALSE;
  if (table == NULL)
    table = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (table, files->object, files);
  files->files = open_files (disks, opened, files);
  return TRUE;
}

/* With a job for CALL; NULL: CALL has failed. */
static Files *
begin (VirfsCall *call, const VirfsNode *dir, VirfsHost *host, GPtrArray *disks,
       VirfsInspectionNote note_it)
{
  g_autoptr (VirfsJob) job = NULL;

  if (open_files == NULL || disks->len == 0) {
    virfs_call_fail (call, VIRFS_ERROR_UNSUPPORTED,
                     disks->len ? "files cannot be looked at here" : "there are no disks");
    return NULL;
  }
  job = virfs_call_job (call, note_it ? "inspect" : "open " VIRFS_FILES, dir->object, host, NULL);
  return virfs_job_start (job, cancel, dir->object) ? files_new (call, dir, job, note_it) : NULL;
}

static void
refuse (Files *files)
{
  virfs_job_finish (files->job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_BUSY,
                                             "it is being opened, inspected or closed"));
  files_free (files);
}

void
virfs_guest_files_make (VirfsCall *call, const VirfsNode *dir, VirfsHost *host, GPtrArray *disks)
{
  Files *files = begin (call, dir, host, disks, NULL);

  if (files != NULL && !begin_open (files, disks, NULL))
    refuse (files);
}

void
virfs_guest_files_inspect (VirfsCall *call, const VirfsNode *dir, VirfsHost *host, GPtrArray *disks,
                           VirfsInspectionNote note_it)
{
  Files *files = begin (call, dir, host, disks, note_it), *open = NULL;

  if (files == NULL || begin_open (files, disks, &open))
    return;
  if (open == NULL) {
    refuse (files);
    return;
  }
  inspect (open, files->job, note_it);
  files_free (files);
}

/* Calls. */

static void
finish_call (gpointer call)
{
  virfs_call_finish (call, NULL);
}

void
virfs_guest_files_remove (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  Files *files;
  State state = CLOSING;

  g_mutex_lock (&lock);
  files = g_str_equal (name, VIRFS_FILES) ? find (dir->object) : NULL;
  if (files != NULL)
    state = files->state;
  if (state == OPEN) {
    add_waiter (files, finish_call, call);
    begin_close (files, VIRFS_ERROR_CANCELLED, "");
  }
  g_mutex_unlock (&lock);
  if (files == NULL && g_str_equal (name, VIRFS_FILES))
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no " VIRFS_FILES);
  else if (files == NULL)
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED, "only " VIRFS_FILES " can be removed here");
  else if (state != OPEN)
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "it is being opened or closed");
}

guint64
virfs_guest_files_find (const VirfsNode *dir, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  const Files *files = g_str_equal (name, VIRFS_FILES) ? find (dir->object) : NULL;

  return files != NULL && files->state == OPEN ? files->ino : 0;
}

void
virfs_guest_files_list (const VirfsNode *dir, VirfsListing *listing)
{
  guint64 ino = virfs_guest_files_find (dir, VIRFS_FILES);

  if (ino != 0)
    virfs_listing_add (listing, VIRFS_FILES, ino, S_IFDIR);
}

/* Without a call. */

void
virfs_guest_files_end_then (gpointer object, void (*func) (gpointer), gpointer data)
{
  Files *files;

  g_mutex_lock (&lock);
  files = find (object);
  if (files != NULL) {
    add_waiter (files, func, data);
    begin_close (files, VIRFS_ERROR_NOT_FOUND, "it is closed");
    virfs_session_vanished (files->session, files->parent, VIRFS_FILES, 0);
  }
  g_mutex_unlock (&lock);
  if (files == NULL)
    func (data);
}

void
virfs_guest_files_gone (gpointer object)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  Files *files = find (object);

  if (files != NULL)
    begin_close (files, VIRFS_ERROR_NOT_FOUND, "it has gone");
}

/* Under the lock: one of SESSION, which is being closed then. */
static gboolean
close_any (VirfsSession *session)
{
  GHashTableIter iter;
  gpointer files;
  gboolean any = FALSE;

  if (table == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &files))
    if (((Files *) files)->session == session) {
      begin_close (files, VIRFS_ERROR_CANCELLED, "virfs ends");
      any = TRUE;
    }
  return any;
}

void
virfs_guest_files_end_all (VirfsSession *session)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  while (close_any (session) || leaving > 0)
    g_cond_wait (&ended, &lock);
}
