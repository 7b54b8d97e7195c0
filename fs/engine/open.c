/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files.
 *
 * Readers share the kernel's pages, and the kernel cuts what it reads at the size that it was told last.
 * So a value must not be read with the size of another: as long as the kernel has not forgotten the old
 * one, and for the first read after it was told a size, a reader gets the value that goes with that
 * size.  See text_for().
 *
 * What is written is kept until a line is complete; documents are kept until the file is closed.  A
 * list is kept as long as it is open, and carried out whenever a line is complete: so a shell that
 * writes line by line has written all of it in the end, and sees each error.
 * Readers that wait (of a stream, or in poll) stand in the session's table `waiting` until the
 * notifier wakes them.  An open file has one reference for its file descriptor and one for each
 * interrupt under way.  Lock order: the session's waiting_lock is the only lock here; answers are
 * given without it, because they take locks of FUSE's that are held when interrupts come in.
 */
#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* The longest line, and the largest document: what fits into a libvirt message is 4 MiB. */
#define LINE_MAX_BYTES     (64 * 1024)
#define DOCUMENT_MAX_BYTES (4 * 1024 * 1024)

struct VirfsOpen {
  gatomicrefcount refs;
  guint64 ino;
  VirfsContent *content; /* NULL: the file shows a text */
  VirfsSink *sink;       /* where it is written to; NULL: it is no such file */
  VirfsTalk *talk;       /* what it talks to; NULL: it is no such file */
  gint64 changed;        /* when it was opened: the change that it shows */
  gboolean direct;       /* the text is made once, at the first read */
  GMutex lock;
  VirfsNode told;   /* under lock: as the kernel was told last through this file */
  gboolean fresh;   /* under lock: it was told, and has not read since */
  GString *text;    /* under lock: what a direct reader sees */
  GString *written; /* under lock: not carried out yet, or the document so far */
  gboolean dirty;   /* under lock: written has changed since it was carried out */
  gboolean spoilt;  /* under lock: more was written than fits; nothing of it counts */

  /* under the session's waiting_lock */
  gint64 seen;      /* the change that poll has told last */
  guint64 position; /* in a stream */
  gpointer request; /* a reader that waits */
  gsize request_size;
  gpointer poll_handle;
};

VirfsOpen *
virfs_open_new (VirfsNode *node, gboolean writes, gboolean direct)
{
  VirfsOpen *open = g_new0 (VirfsOpen, 1);

  g_atomic_ref_count_init (&open->refs);
  g_mutex_init (&open->lock);
  open->ino = virfs_node_inode (node);
  open->direct = direct;
  open->seen = virfs_node_changed (node);
  if (writes)
    open->written = g_string_new (NULL);
  if (node->row->follow_from != NULL)
    open->position = node->row->follow_from (node);
  /* the size that who opened it is told is that of what he reads */
  if (node->row->await != NULL && node->row->show != NULL)
    node->row->show (node, open->text = g_string_sized_new (128));
  open->changed = open->seen;
  virfs_open_told (open, node);
  return open;
}

VirfsOpen *
virfs_open_new_content (VirfsNode *node, GError **error)
{
  VirfsContent *content = node->row->open (node, error);
  VirfsOpen *open;

  if (content == NULL)
    return NULL;
  open = virfs_open_new (node, FALSE, FALSE);
  open->content = content;
  return open;
}

VirfsOpen *
virfs_open_new_sink (VirfsNode *node, VirfsSink *sink)
{
  VirfsOpen *open = virfs_open_new (node, FALSE, TRUE);

  open->sink = sink;
  return open;
}

VirfsOpen *
virfs_open_new_terminal (VirfsSession *session, VirfsNode *node, VirfsTerminal *terminal)
{
  VirfsOpen *open = virfs_open_new (node, FALSE, TRUE);

  open->talk = virfs_talk_new (session, terminal);
  return open;
}

VirfsTalk *
virfs_open_talk (VirfsOpen *open)
{
  return open->talk;
}

VirfsSink *
virfs_open_sink (VirfsOpen *open)
{
  return open->sink;
}

VirfsContent *
virfs_open_content (VirfsOpen *open)
{
  return open->content;
}

void
virfs_open_stat (VirfsOpen *open, const VirfsNode *node, struct stat *st)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&open->lock);

  if (node->row->await == NULL)
    return;
  if (open->content != NULL && open->content->class->size != NULL)
    st->st_size = (off_t) open->content->class->size (open->content);
  else if (open->text != NULL)
    st->st_size = (off_t) open->text->len;
  st->st_blocks = (st->st_size + 511) / 512;
  st->st_mtim.tv_sec = open->changed / G_USEC_PER_SEC;
  st->st_mtim.tv_nsec = open->changed % G_USEC_PER_SEC * 1000;
  st->st_ctim = st->st_atim = st->st_mtim;
}

/* What is no content is all data. */
goffset
virfs_open_seek (VirfsOpen *open, goffset offset, gboolean data, goffset size)
{
  goffset found = data ? offset : size;

  if (offset < 0 || offset >= size)
    return -1;
  if (open->content != NULL && open->content->class->next_data != NULL)
    found = (goffset) (data ? open->content->class->next_data (open->content, offset)
                            : open->content->class->next_hole (open->content, offset));
  return data && found >= size ? -1 : found;
}

void
virfs_open_told (VirfsOpen *open, VirfsNode *node)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&open->lock);

  virfs_node_clear (&open->told);
  open->told = *node;
  open->fresh = TRUE;
  *node = (VirfsNode){ 0 };
}

static void
open_unref (VirfsOpen *open)
{
  if (!g_atomic_ref_count_dec (&open->refs))
    return;
  if (open->content != NULL)
    open->content->class->close (open->content);
  if (open->sink != NULL)
    open->sink->class->close (open->sink);
  if (open->talk != NULL)
    virfs_talk_close (open->talk);
  if (open->text != NULL)
    g_string_free (open->text, TRUE);
  if (open->written != NULL)
    g_string_free (open->written, TRUE);
  virfs_node_clear (&open->told);
  g_mutex_clear (&open->lock);
  g_free (open);
}

/* Writing. */

static gboolean
keep_written (VirfsOpen *open, const char *data, gsize size, goffset offset, gboolean document,
              GError **error)
{
  gsize at = document ? (gsize) offset : open->written->len;
  gsize limit = document ? DOCUMENT_MAX_BYTES : LINE_MAX_BYTES;

  if (open->spoilt || at > limit || size > limit - at) {
    open->spoilt = TRUE;
    open->dirty = FALSE;
    g_string_truncate (open->written, 0);
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_TOO_BIG,
                 "more than the %" G_GSIZE_FORMAT " bytes that this file takes", limit);
    return FALSE;
  }
  if (at > open->written->len) {
    gsize gap = open->written->len;

    g_string_set_size (open->written, at);
    memset (open->written->str + gap, ' ', at - gap);
  }
  g_string_overwrite_len (open->written, at, data, size);
  open->dirty = TRUE;
  return TRUE;
}

/* What is written at the beginning is a new list; all else is added to what was written so far or, if
 * that is nothing, to what the file shows. */
static void
begin_list (VirfsOpen *open, const VirfsNode *node, goffset offset)
{
  if (offset == 0)
    g_string_truncate (open->written, 0);
  else if (open->written->len == 0)
    node->row->show (node, open->written);
}

static gboolean
check_text (const char *text, gsize size, GError **error)
{
  if (g_utf8_validate_len (text, size, NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "what was written is not UTF-8 text");
  return FALSE;
}

/* Complete lines leave the buffer, whatever becomes of them, unless they are a list's. */
static char *
take_lines (VirfsOpen *open, gboolean list)
{
  const char *end = memrchr (open->written->str, '\n', open->written->len);
  gsize length = end ? (gsize) (end + 1 - open->written->str) : 0;
  char *lines = length ? g_strndup (open->written->str, length) : NULL;

  if (!list)
    g_string_erase (open->written, 0, length);
  else if (length == open->written->len)
    open->dirty = FALSE;
  return lines;
}

gboolean
virfs_open_write (VirfsOpen *open, const VirfsNode *node, const char *data, gsize size,
                  goffset offset, char **lines, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&open->lock);
  gboolean list = node->row->flags & VIRFS_ROW_LIST;
  gboolean document = node->row->flags & VIRFS_ROW_DOCUMENT;

  *lines = NULL;
  if (list)
    begin_list (open, node, offset);
  if (!keep_written (open, data, size, offset, document, error))
    return FALSE;
  if (document)
    return TRUE;
  if (memchr (data, '\n', size) != NULL
      && !check_text (open->written->str, open->written->len, error)) {
    g_string_truncate (open->written, 0);
    return FALSE;
  }
  *lines = take_lines (open, list);
  return TRUE;
}

gboolean
virfs_open_take_rest (VirfsOpen *open, const VirfsNode *node, char **rest, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&open->lock);
  gboolean valid;

  *rest = NULL;
  if (open->written == NULL || open->written->len == 0 || !open->dirty)
    return TRUE;
  open->dirty = FALSE;
  valid = check_text (open->written->str, open->written->len, error);
  if (valid)
    *rest = g_strndup (open->written->str, open->written->len);
  /* a document may be continued by another process that has the same file open */
  if (!(node->row->flags & (VIRFS_ROW_DOCUMENT | VIRFS_ROW_LIST)))
    g_string_truncate (open->written, 0);
  return valid;
}

/* Reading. */

static gsize
copy_text (const GString *text, goffset offset, gsize size, char **buffer)
{
  if (offset < 0 || (guint64) offset >= text->len)
    return 0;
  size = MIN (size, text->len - offset);
  *buffer = g_memdup2 (text->str + offset, size);
  return size;
}

/* What a reader through the kernel's pages gets; under the lock.  NOW is what is known now. */
static GString *
text_for (VirfsSession *session, VirfsOpen *open, VirfsNode *now, goffset offset)
{
  GString *text = g_string_sized_new (128);

  if (offset == 0 && !open->fresh && !virfs_notifier_is_pending (session->notifier, open->ino)) {
    virfs_node_clear (&open->told);
    open->told = *now;
    *now = (VirfsNode){ 0 };
  } else if (virfs_node_changed (&open->told) != virfs_node_changed (now)) {
    /* the page must not stay */
    virfs_notifier_inode (session->notifier, open->ino);
  }
  open->fresh = FALSE;
  open->told.row->show (&open->told, text);
  return text;
}

gsize
virfs_open_read (VirfsSession *session, VirfsOpen *open, VirfsNode *node, goffset offset,
                 gsize size, char **buffer)
{
  g_autoptr (GMutexLocker) locker = NULL;
  g_autoptr (GString) text = NULL;

  *buffer = NULL;
  if (node->row->read != NULL) {
    *buffer = g_malloc (size);
    return node->row->read (node, offset, *buffer, size);
  }
  if (node->row->show == NULL)
    return 0;
  locker = g_mutex_locker_new (&open->lock);
  if (!open->direct) {
    text = text_for (session, open, node, offset);
    return copy_text (text, offset, size, buffer);
  }
  if (open->text == NULL || (offset == 0 && node->row->await == NULL)) {
    if (open->text == NULL)
      open->text = g_string_sized_new (128);
    g_string_truncate (open->text, 0);
    node->row->show (node, open->text);
  }
  return copy_text (open->text, offset, size, buffer);
}

/* Waiting. */

static GPtrArray *
waiting_for (VirfsSession *session, guint64 ino, gboolean make)
{
  GPtrArray *opens = g_hash_table_lookup (session->waiting, (gpointer) ino);

  if (opens == NULL && make) {
    opens = g_ptr_array_new ();
    g_hash_table_insert (session->waiting, (gpointer) ino, opens);
  }
  return opens;
}

static void
wait_for_change (VirfsSession *session, VirfsOpen *open)
{
  GPtrArray *opens = waiting_for (session, open->ino, TRUE);

  if (!g_ptr_array_find (opens, open, NULL))
    g_ptr_array_add (opens, open);
}

static void
stop_waiting (VirfsSession *session, VirfsOpen *open)
{
  GPtrArray *opens = waiting_for (session, open->ino, FALSE);

  if (opens != NULL && open->request == NULL && open->poll_handle == NULL) {
    g_ptr_array_remove_fast (opens, open);
    if (opens->len == 0)
      g_hash_table_remove (session->waiting, (gpointer) open->ino);
  }
}

gsize
virfs_open_follow (VirfsSession *session, VirfsOpen *open, const VirfsNode *node, gsize size,
                   gboolean block, gpointer request, char **buffer)
{
  g_autofree char *data = g_malloc (size);
  gsize got;

  g_mutex_lock (&session->waiting_lock);
  got = node->row->follow (node, &open->position, data, size);
  /* of several who read one open file only one waits */
  if (got == 0 && block && open->request == NULL) {
    open->request = request;
    open->request_size = size;
    wait_for_change (session, open);
    virfs_request_watch_open (request, open);
    got = G_MAXSIZE;
  }
  g_mutex_unlock (&session->waiting_lock);
  *buffer = got > 0 && got != G_MAXSIZE ? g_steal_pointer (&data) : NULL;
  return got;
}

static gboolean
has_news (VirfsOpen *open, const VirfsNode *node)
{
  guint64 position = open->position;
  gint64 changed;
  char byte[256];

  if (node->row->follow != NULL)
    return node->row->follow (node, &position, byte, sizeof byte) > 0;
  changed = virfs_node_changed (node);
  if (changed == open->seen)
    return FALSE;
  open->seen = changed;
  return TRUE;
}

unsigned
virfs_open_poll (VirfsSession *session, VirfsOpen *open, const VirfsNode *node, gpointer handle)
{
  gpointer old = NULL;
  unsigned events = 0;

  g_mutex_lock (&session->waiting_lock);
  if (handle != NULL) {
    old = open->poll_handle;
    open->poll_handle = handle;
    wait_for_change (session, open);
  }
  if (has_news (open, node))
    events = POLLIN | POLLRDNORM | POLLPRI;
  g_mutex_unlock (&session->waiting_lock);
  if (old != NULL)
    virfs_kernel_drop_poll (old);
  return events;
}

/* One reader that waits, taken out of the table. */
typedef struct {
  gpointer request;
  char *data;
  gsize size;
  gpointer poll_handle;
} Woken;

static void
wake_one (VirfsSession *session, VirfsOpen *open, const VirfsNode *node, GArray *woken)
{
  Woken one = { .poll_handle = g_steal_pointer (&open->poll_handle) };

  if (open->request != NULL) {
    one.data = g_malloc (open->request_size);
    if (node->row != NULL)
      one.size = node->row->follow (node, &open->position, one.data, open->request_size);
    if (one.size > 0 || node->row == NULL)
      one.request = g_steal_pointer (&open->request);
  }
  g_array_append_val (woken, one);
}

static void
answer_woken (Woken *one)
{
  if (one->request != NULL) {
    virfs_request_watch_open (one->request, NULL);
    virfs_reply_data (one->request, one->data, one->size);
  }
  if (one->poll_handle != NULL) {
    virfs_kernel_wake_poll (one->poll_handle);
    virfs_kernel_drop_poll (one->poll_handle);
  }
  g_free (one->data);
}

void
virfs_open_wake (VirfsSession *session, guint64 ino)
{
  g_autoptr (GArray) woken = NULL;
  g_autoptr (GPtrArray) opens = NULL;
  g_auto (VirfsNode) node = { 0 };

  g_mutex_lock (&session->waiting_lock);
  if (waiting_for (session, ino, FALSE) == NULL) {
    g_mutex_unlock (&session->waiting_lock);
    return;
  }
  /* an object that is gone ends what its readers wait for */
  if (!virfs_node_get (session, ino, &node))
    node = (VirfsNode){ 0 };
  woken = g_array_new (FALSE, FALSE, sizeof (Woken));
  opens = g_ptr_array_copy (waiting_for (session, ino, FALSE), NULL, NULL);
  for (guint i = 0; i < opens->len; i++) {
    wake_one (session, opens->pdata[i], &node, woken);
    stop_waiting (session, opens->pdata[i]);
  }
  g_mutex_unlock (&session->waiting_lock);
  for (guint i = 0; i < woken->len; i++)
    answer_woken (&g_array_index (woken, Woken, i));
}

typedef struct {
  VirfsSession *session;
  VirfsOpen *open;
} Interrupt;

static void
interrupt (gpointer data)
{
  g_autofree Interrupt *self = data;
  gpointer request;

  g_mutex_lock (&self->session->waiting_lock);
  request = g_steal_pointer (&self->open->request);
  stop_waiting (self->session, self->open);
  g_mutex_unlock (&self->session->waiting_lock);
  if (request != NULL) {
    virfs_request_watch_open (request, NULL);
    virfs_reply_error (request, EINTR);
  }
  open_unref (self->open);
}

void
virfs_open_interrupt (VirfsSession *session, VirfsOpen *open)
{
  Interrupt *data = g_new (Interrupt, 1);

  g_atomic_ref_count_inc (&open->refs);
  *data = (Interrupt){ session, open };
  virfs_session_defer (session, interrupt, data);
}

void
virfs_open_close (VirfsSession *session, VirfsOpen *open)
{
  gpointer handle;

  g_mutex_lock (&session->waiting_lock);
  handle = g_steal_pointer (&open->poll_handle);
  open->request = NULL;
  stop_waiting (session, open);
  g_mutex_unlock (&session->waiting_lock);
  if (handle != NULL)
    virfs_kernel_drop_poll (handle);
  open_unref (open);
}
