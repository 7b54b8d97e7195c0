/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ThreadSanitizer has to be told of GLib, whose locks are futexes of its own in a library that
 * is not instrumented: nothing that they order would be seen as ordered.  tests/run preloads these
 * functions; each tells what it orders and calls the real one.
 */
#include <dlfcn.h>
#include <glib.h>
#include <pthread.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

/* A pointer to the real function, found once. */
#define REAL(name)                                                                                 \
  ({                                                                                               \
    static typeof (&name) real_;                                                                   \
    typeof (&name) found_ = __atomic_load_n (&real_, __ATOMIC_RELAXED);                            \
    if (found_ == NULL) {                                                                          \
      found_ = (typeof (&name)) dlsym (RTLD_NEXT, #name);                                          \
      __atomic_store_n (&real_, found_, __ATOMIC_RELAXED);                                         \
    }                                                                                              \
    found_;                                                                                        \
  })

/* Locks. */

void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock) (mutex);
  __tsan_acquire (mutex);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked = REAL (g_mutex_trylock) (mutex);

  if (locked)
    __tsan_acquire (mutex);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_release (mutex);
  REAL (g_mutex_unlock) (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_release (mutex);
  REAL (g_cond_wait) (cond, mutex);
  __tsan_acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end)
{
  gboolean signalled;

  __tsan_release (mutex);
  signalled = REAL (g_cond_wait_until) (cond, mutex, end);
  __tsan_acquire (mutex);
  return signalled;
}

/* Once: callers look at the value themselves, so it must be stored where that can be seen. */

static pthread_mutex_t once_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t once_left = PTHREAD_COND_INITIALIZER;
static void *once_running[16];

static void **
find_once (volatile void *location)
{
  guint i = 0;

  while (i < G_N_ELEMENTS (once_running) && once_running[i] != location)
    i++;
  return i < G_N_ELEMENTS (once_running) ? &once_running[i] : NULL;
}

gboolean (g_once_init_enter) (volatile void *location)
{
  gsize *value = (gsize *) location;
  gboolean first;

  pthread_mutex_lock (&once_lock);
  while (__atomic_load_n (value, __ATOMIC_ACQUIRE) == 0 && find_once (location) != NULL)
    pthread_cond_wait (&once_left, &once_lock);
  first = __atomic_load_n (value, __ATOMIC_ACQUIRE) == 0;
  if (first)
    *find_once (NULL) = (void *) location;
  pthread_mutex_unlock (&once_lock);
  return first;
}

void (g_once_init_leave) (volatile void *location, gsize result)
{
  pthread_mutex_lock (&once_lock);
  __atomic_store_n ((gsize *) location, result, __ATOMIC_RELEASE);
  *find_once (location) = NULL;
  pthread_cond_broadcast (&once_left);
  pthread_mutex_unlock (&once_lock);
}

/* References: whoever drops the last one comes after all who have dropped theirs. */

#define DROPS(name, type)                                                                          \
  void (name) (type * object)                                                                      \
  {                                                                                                \
    __tsan_release (object);                                                                       \
    __tsan_acquire (object);                                                                       \
    REAL (name) (object);                                                                          \
  }

DROPS (g_ref_string_release, char)
DROPS (g_ptr_array_unref, GPtrArray)
DROPS (g_array_unref, GArray)
DROPS (g_hash_table_unref, GHashTable)
DROPS (g_bytes_unref, GBytes)

gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  gboolean last;

  __tsan_release (count);
  last = REAL (g_atomic_ref_count_dec) (count);
  if (last)
    __tsan_acquire (count);
  return last;
}

/* Pools: what is pushed comes before it is carried out, and that before the end of the pool. */

typedef struct {
  GFunc func;
  gpointer data;
} Pool;

static void
carry_out (gpointer item, gpointer data)
{
  Pool *pool = data;

  __tsan_acquire (pool);
  pool->func (item, pool->data);
  __tsan_release (pool);
}

GThreadPool *
g_thread_pool_new (GFunc func, gpointer data, int max, gboolean exclusive, GError **error)
{
  Pool *pool = g_new (Pool, 1);

  *pool = (Pool){ func, data };
  return REAL (g_thread_pool_new) (carry_out, pool, max, exclusive, error);
}

/* GLib's part of the pool may be freed by its last thread. */
#define UNSEEN __attribute__ ((no_sanitize ("thread")))

UNSEEN gboolean
g_thread_pool_push (GThreadPool *self, gpointer item, GError **error)
{
  __tsan_release (self->user_data);
  return REAL (g_thread_pool_push) (self, item, error);
}

UNSEEN void
g_thread_pool_free (GThreadPool *self, gboolean immediate, gboolean wait)
{
  gpointer pool = self->user_data;

  REAL (g_thread_pool_free) (self, immediate, wait);
  __tsan_acquire (pool);
}
