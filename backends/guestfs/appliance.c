/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue and the thread of an appliance.  Two questions are on their way to the helper at a time, so that
 * it has the next one when it has answered; a long one goes alone, because neither side may wait
 * for the other to read.
 *
 * What is not marked `under lock` belongs to the thread.  The lock is held for moments, and nothing is
 * called with it but virfs_helper_process_interrupt().
 */
#include "appliance.h"

#include "error.h"
#include "helper_process.h"
#include "slots.h"

#include <errno.h>

#define AHEAD 2
/* Questions as short go ahead: they fit into the socket's buffer. */
#define SHORT (16 * 1024)
/* Seconds that the appliance may take for one. */
#define ANSWER 120
/* A disk that brings its appliance down as often will do so again. */
#define FALLS_MAX 3

typedef struct {
  guint32 id;
  VirfsWireRequest kind;
  GByteArray *payload;
  VirfsApplianceAnswer answer;
  gpointer data;
} Question;

struct VirfsAppliance {
  GPtrArray *disks;
  VirfsApplianceUp up;
  gpointer up_data;
  GThread *thread;
  VirfsSlot slot;
  GQueue asked; /* of Question*, sent and not answered */
  guint32 last_id;
  guint falls;
  GMutex lock;
  GCond cond;                   /* something is queued, or to be ended */
  GQueue urgent, later;         /* under lock: of Question* */
  gboolean stopping, give_back; /* under lock */
  VirfsHelperProcess *process;  /* under lock where it changes, and for other threads */
  VirfsFilesStopped stopped;
  gpointer stopped_data;
};

/* Questions. */

static void
question_end (Question *question, int error)
{
  if (error != 0)
    question->answer (error, NULL, FALSE, question->data);
  g_byte_array_unref (question->payload);
  g_free (question);
}

gboolean
virfs_appliance_ask (VirfsAppliance *self, VirfsWireRequest kind, GByteArray *payload,
                     gboolean urgent, VirfsApplianceAnswer answer, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Question *question;

  if (self->stopping) {
    g_byte_array_unref (payload);
    return FALSE;
  }
  question = g_new (Question, 1);
  *question = (Question){ 0, kind, payload, answer, data };
  g_queue_push_tail (urgent ? &self->urgent : &self->later, question);
  g_cond_signal (&self->cond);
  return TRUE;
}

/* Under the lock. */
static Question *
next (VirfsAppliance *self)
{
  Question *first = g_queue_peek_head (&self->urgent);
  GQueue *queue = first ? &self->urgent : &self->later;

  first = g_queue_peek_head (queue);
  if (first != NULL && self->asked.length > 0 && first->payload->len > SHORT)
    return NULL;
  return g_queue_pop_head (queue);
}

static void
fail_queue (GQueue *queue, int error)
{
  Question *question;

  while ((question = g_queue_pop_head (queue)) != NULL)
    question_end (question, error);
}

/* What is asked meanwhile is not meant. */
static void
fail_all (VirfsAppliance *self, int error)
{
  GQueue urgent, later;

  g_mutex_lock (&self->lock);
  urgent = self->urgent;
  later = self->later;
  g_queue_init (&self->urgent);
  g_queue_init (&self->later);
  g_mutex_unlock (&self->lock);
  fail_queue (&self->asked, error);
  fail_queue (&urgent, error);
  fail_queue (&later, error);
}

/* Its helper. */

static gboolean
set_process (VirfsHelperProcess *process, gpointer data)
{
  VirfsAppliance *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->process = process;
  return !self->stopping;
}

static void
end_process (VirfsAppliance *self)
{
  VirfsHelperProcess *process = self->process;

  if (process == NULL)
    return;
  set_process (NULL, self);
  virfs_helper_process_end (process);
  virfs_slot_give (&self->slot);
}

static void
ask_back (gpointer owner)
{
  VirfsAppliance *self = owner;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->give_back = TRUE;
  g_cond_signal (&self->cond);
}

static VirfsHelperProcess *
start_process (VirfsAppliance *self, GPtrArray *notes, GError **error)
{
  VirfsHelperProcess *process;

  if (!virfs_slot_take (&self->slot)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "as many appliances as may be are in use; close files/ of another guest, or raise"
                 " appliances in virfs.conf");
    return NULL;
  }
  process = virfs_appliance_start (self->disks, notes, set_process, self, error);
  if (process == NULL)
    virfs_slot_give (&self->slot);
  else
    virfs_helper_process_limit (process, ANSWER);
  return process;
}

static gboolean
ensure_process (VirfsAppliance *self)
{
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  if (self->process != NULL && self->asked.length == 0
      && virfs_helper_process_is_gone (self->process)) {
    self->falls++;
    end_process (self);
  }
  if (self->process != NULL)
    return TRUE;
  if (self->falls >= FALLS_MAX)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_FAILED,
                 "its appliance has fallen %u times and is not started again", self->falls);
  else
    start_process (self, notes, &error);
  self->up (error, notes, self->up_data);
  return error == NULL;
}

/* Asking. */

static gboolean
send_question (VirfsAppliance *self, Question *question)
{
  VirfsWireHeader header = { ++self->last_id, question->kind, 0, question->payload->len };

  question->id = header.id;
  g_queue_push_tail (&self->asked, question);
  return virfs_helper_process_send (self->process, &header, question->payload);
}

static gboolean
is_answer (const VirfsWireHeader *header, const Question *question)
{
  return header->id == question->id && header->kind < VIRFS_WIRE_ANSWERS;
}

static gboolean
receive_answer (VirfsAppliance *self, GByteArray *answer)
{
  Question *question = g_queue_peek_head (&self->asked);
  VirfsWireHeader header;
  int error = 0;

  if (!virfs_helper_process_receive (self->process, &header, answer)
      || !is_answer (&header, question))
    return FALSE;
  if (header.kind == VIRFS_WIRE_FAILED)
    error = header.error > 0 && header.error < 4096 ? header.error : EIO;
  else
    question->answer (0, answer, header.kind == VIRFS_WIRE_MORE, question->data);
  if (header.kind != VIRFS_WIRE_MORE)
    question_end (g_queue_pop_head (&self->asked), error);
  return TRUE;
}

/* Waits for a question, if none is under way.  NULL: none now. */
static Question *
wait_for_question (VirfsAppliance *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 end = g_get_monotonic_time () + virfs_appliance_idle () * G_TIME_SPAN_SECOND;
  Question *question;

  while ((question = next (self)) == NULL && self->asked.length == 0 && !self->stopping
         && !self->give_back) {
    if (self->process == NULL)
      g_cond_wait (&self->cond, &self->lock);
    else if (!g_cond_wait_until (&self->cond, &self->lock, end))
      break;
  }
  return question;
}

/* The helper or its appliance has gone, or is not to be believed. */
static void
fall (VirfsAppliance *self)
{
  self->falls++;
  end_process (self);
  fail_all (self, EIO);
}

/* What was asked for is under way: further questions are sent as long as there are any. */
static gboolean
send_all (VirfsAppliance *self, Question *question)
{
  while (question != NULL) {
    if (!send_question (self, question))
      return FALSE;
    if (self->asked.length >= AHEAD || question->payload->len > SHORT)
      return TRUE;
    g_mutex_lock (&self->lock);
    question = next (self);
    g_mutex_unlock (&self->lock);
  }
  return TRUE;
}

static gboolean
is_stopping (VirfsAppliance *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->give_back = FALSE;
  return self->stopping;
}

/* One round: a question, and an answer; FALSE if there was nothing to ask. */
static gboolean
work (VirfsAppliance *self, GByteArray *answer)
{
  Question *question = NULL;

  if (self->asked.length < AHEAD)
    question = wait_for_question (self);
  if (question == NULL && self->asked.length == 0)
    return FALSE;
  if (self->asked.length == 0)
    virfs_slot_use (&self->slot, TRUE);
  if (!ensure_process (self)) {
    question_end (question, EIO);
    fail_all (self, EIO);
  } else if (!send_all (self, question) || !receive_answer (self, answer)) {
    fall (self);
  }
  if (self->asked.length == 0)
    virfs_slot_use (&self->slot, FALSE);
  return TRUE;
}

static gpointer
run (gpointer data)
{
  VirfsAppliance *self = data;
  g_autoptr (GByteArray) answer = g_byte_array_new ();

  do {
    while (work (self, answer))
      continue;
    end_process (self);
  } while (!is_stopping (self));
  fail_all (self, ESTALE);
  self->stopped (self->stopped_data);
  return NULL;
}

/* Its life. */

static GPtrArray *
copy_disks (GPtrArray *disks)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_files_disk_free);

  for (guint i = 0; i < disks->len; i++) {
    const VirfsFilesDisk *disk = disks->pdata[i];
    VirfsFilesDisk *same
      = virfs_files_disk_new (disk->target, disk->uri, disk->certificates);

    for (guint k = 0; k < disk->images->len; k++) {
      const VirfsFilesImage *image = disk->images->pdata[k];

      virfs_files_disk_add (same, image->file, image->format);
    }
    g_ptr_array_add (copy, same);
  }
  return copy;
}

VirfsAppliance *
virfs_appliance_new (GPtrArray *disks, VirfsApplianceUp up, gpointer data)
{
  VirfsAppliance *self = g_new0 (VirfsAppliance, 1);

  self->disks = copy_disks (disks);
  self->up = up;
  self->up_data = data;
  self->slot.ask_back = ask_back;
  self->slot.owner = self;
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->thread = g_thread_new ("appliance", run, self);
  return self;
}

void
virfs_appliance_stop (VirfsAppliance *self, VirfsFilesStopped stopped, gpointer data)
{
  g_mutex_lock (&self->lock);
  self->stopped = stopped;
  self->stopped_data = data;
  self->stopping = TRUE;
  if (self->process != NULL)
    virfs_helper_process_interrupt (self->process);
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  virfs_slot_cancel (&self->slot);
}

void
virfs_appliance_free (VirfsAppliance *self)
{
  if (self->thread == g_thread_self ())
    g_thread_unref (self->thread);
  else
    g_thread_join (self->thread);
  g_ptr_array_unref (self->disks);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}

int
virfs_appliance_pid (VirfsAppliance *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->process ? virfs_helper_process_pid (self->process) : 0;
}
