/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and pictures. */
#include "fixture.h"

#include "console.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define CONSOLE "vms/h1-1/console"

static void
test_keys (Fixture *f, gconstpointer data)
{
  assert_lists (f, CONSOLE, "ctl graphics keys log password record screen.png state");
  g_assert_true (says (f, CONSOLE "/keys", "delete\n"));
  g_assert_cmpint (echo (f, "ctrl-alt-delete", CONSOLE "/keys"), ==, 0);
  assert_same (virfs_fake_pressed (), "29+56+111");
  g_assert_cmpint (echo (f, "shift-h i  enter", CONSOLE "/keys"), ==, 0);
  assert_same (virfs_fake_pressed (), "42+35 23 28");
  /* it may have been a password */
  g_assert_cmpint (sh_quietly (f, "grep -r 'shift-h' events jobs vms/h1-1"), ==, 1);
}

/* Nothing is pressed of a line that has a fault. */
static void
test_wrong_keys (Fixture *f, gconstpointer data)
{
  static const char *const wrong[]
    = { "a ctrl-nonsense", "ctrl-", "-", "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a", "A" };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (echo (f, wrong[i], CONSOLE "/keys"), ==, EINVAL);
  assert_same (virfs_fake_pressed (), "");
  assert_says (f, "error", "is no key");
}

static void
test_screen (Fixture *f, gconstpointer data)
{
  assert_reads (f, CONSOLE "/screen.png", "");
  assert_reads (f, CONSOLE "/ctl", "screenshot\n");
  g_assert_cmpint (echo (f, "screenshot", CONSOLE "/ctl"), ==, 0);
  g_assert_cmpint (stat_at (f, CONSOLE "/screen.png").st_size, ==, 12);
  g_assert_cmpint (sh_quietly (f, "printf '\\211PNG\\0picture' | cmp - " CONSOLE "/screen.png"), ==,
                   0);
  assert_reads (f, CONSOLE "/ctl", "screenshot\nforget\n");
  /* it is of a guest that runs */
  set_title (f, "h1-1", "another");
  g_assert_cmpint (stat_at (f, CONSOLE "/screen.png").st_size, ==, 12);
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_reads (f, CONSOLE "/screen.png", "");
  assert_reads (f, CONSOLE "/ctl", "");
}

static void
test_forget (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "screenshot", CONSOLE "/ctl"), ==, 0);
  g_assert_cmpint (echo (f, "forget", CONSOLE "/ctl"), ==, 0);
  assert_reads (f, CONSOLE "/screen.png", "");
  assert_reads (f, CONSOLE "/ctl", "screenshot\n");
  g_assert_cmpint (echo (f, "paint", CONSOLE "/ctl"), ==, EINVAL);
}

static void
show_screen (VirfsVmInfo *info, gpointer data)
{
  virfs_ref_string_set (&info->graphics, "vnc 127.0.0.1 5900\n");
}

static void
test_password (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autofree char *first = NULL, *second = NULL;

  assert_reads (f, CONSOLE "/password", "");
  g_assert_cmpint (echo (f, "new", CONSOLE "/password"), ==, EBUSY);
  virfs_infra_edit_vm (f->infra, info->host, info->uuid, show_screen, NULL);
  g_assert_cmpint (echo (f, "s3cret!x", CONSOLE "/password"), ==, 0);
  assert_reads (f, CONSOLE "/password", "s3cret!x\n");
  g_assert_cmpint (echo (f, "new", CONSOLE "/password"), ==, 0);
  first = cat (f, CONSOLE "/password");
  g_assert_cmpint (echo (f, "new", CONSOLE "/password"), ==, 0);
  second = cat (f, CONSOLE "/password");
  g_assert_cmpuint (strlen (first), ==, 9);
  g_assert_cmpstr (first, !=, second);
  g_assert_cmpint (echo (f, "nine.long", CONSOLE "/password"), ==, EINVAL);
  g_assert_cmpint (echo (f, "tw o", CONSOLE "/password"), ==, EINVAL);
  g_assert_cmpuint (stat_at (f, CONSOLE "/password").st_mode & 0777, ==, 0600);
  g_assert_cmpint (
    sh_quietly (f, "grep -rE 's3cret|nine.long|tw o' events jobs error vms/h1-1/error"), ==, 1);
  g_assert_cmpint (echo (f, "none", CONSOLE "/password"), ==, 0);
  assert_reads (f, CONSOLE "/password", "");
}

/* What it writes. */

static void
write_console (Fixture *f, const char *bytes)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");

  virfs_console_take (f->infra, vm->uuid, bytes, strlen (bytes));
}

static void
test_log (Fixture *f, gconstpointer data)
{
  char *first = NULL, *second = NULL;

  assert_reads (f, CONSOLE "/log", "");
  assert_reads (f, CONSOLE "/state", "closed\n");
  write_console (f, "one\r\n\033[1mtw");
  assert_reads (f, CONSOLE "/log", "one\n\\x1b[1mtw");
  write_console (f, "o\r");
  write_console (f, "\n\303");
  write_console (f, "\244\377\n");
  assert_reads (f, CONSOLE "/log", "one\n\\x1b[1mtwo\nä\\xff\n");
  g_assert_cmpint (stat_at (f, CONSOLE "/log").st_size, ==, 22);
  /* several readers each see all of it */
  sh (f, "cat " CONSOLE "/log", &first);
  sh (f, "cat " CONSOLE "/log", &second);
  g_assert_cmpstr (first, ==, second);
  g_free (first);
  g_free (second);
  /* it is of the guest, not of its run */
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  move_vm (f, "h1-1", "h2");
  g_assert_cmpint (stat_at (f, CONSOLE "/log").st_size, ==, 22);
  assert_reads (f, CONSOLE "/ctl", "clear\n");
  g_assert_cmpint (echo (f, "clear", CONSOLE "/ctl"), ==, 0);
  assert_reads (f, CONSOLE "/log", "");
}

/* It keeps what came last, in whole lines. */
static void
test_bounded (Fixture *f, gconstpointer data)
{
  g_autofree char *log = NULL;

  virfs_console_set_limit (f->infra, 1000);
  for (guint i = 0; i < 1000; i++)
    write_console (f, "a line\r\n");
  write_console (f, "the last");
  log = cat (f, CONSOLE "/log");
  g_assert_cmpuint (strlen (log), <=, 1000);
  g_assert_cmpuint (strlen (log), >=, 400);
  g_assert_true (g_str_has_prefix (log, "a line\n"));
  g_assert_true (g_str_has_suffix (log, "\nthe last"));
}

static gpointer
write_later (gpointer data)
{
  g_usleep (100 * 1000);
  write_console (data, "after\n");
  return NULL;
}

static void
test_tail (Fixture *f, gconstpointer data)
{
  g_autofree char *said = NULL;
  GThread *thread;

  write_console (f, "before\n");
  thread = g_thread_new (NULL, write_later, f);
  g_assert_cmpint (sh (f, "timeout 30 tail -n +1 -f -s 0.02 " CONSOLE "/log | head -n 2", &said),
                   ==, 0);
  g_assert_cmpstr (said, ==, "before\nafter\n");
  g_thread_join (thread);
}

static void
test_record (Fixture *f, gconstpointer data)
{
  assert_reads (f, CONSOLE "/record", "0\n");
  g_assert_cmpint (echo (f, "1", CONSOLE "/record"), ==, 0);
  assert_reads (f, CONSOLE "/record", "1\n");
  g_assert_cmpint (echo (f, "2", CONSOLE "/record"), ==, EINVAL);
  g_assert_cmpint (echo (f, "0", CONSOLE "/record"), ==, 0);
}

/* Talking to it. */

static int
open_tty (Fixture *f, int flags)
{
  g_autofree char *path = at (f, CONSOLE "/tty");
  int fd = open (path, flags | O_CLOEXEC);

  return fd < 0 ? -errno : fd;
}

static void
assert_hears (int fd, const char *text)
{
  char buffer[100];
  ssize_t got = read (fd, buffer, sizeof buffer);

  g_assert_cmpint (got, ==, strlen (text));
  g_assert_cmpmem (buffer, got, text, strlen (text));
}

static void
test_tty (Fixture *f, gconstpointer data)
{
  int one = open_tty (f, O_RDWR), other = open_tty (f, O_RDONLY | O_NONBLOCK);
  char byte;

  g_assert_cmpint (one, >=, 0);
  g_assert_cmpint (other, >=, 0);
  assert_reads (f, CONSOLE "/state", "open\n");
  g_assert_cmpint (read (other, &byte, 1), ==, -1);
  g_assert_cmpint (errno, ==, EAGAIN);
  g_assert_cmpint (write (one, "\001ls\n", 4), ==, 4);
  assert_hears (one, "\001ls\n");
  assert_hears (other, "\001ls\n");
  assert_reads (f, CONSOLE "/log", "\\x01ls\n");
  /* by a shell */
  g_assert_cmpint (echo (f, "echo", CONSOLE "/tty"), ==, 0);
  assert_hears (one, "echo\n");
  g_assert_cmpint (write (other, "x", 1), ==, -1);
  close (other);
  assert_reads (f, CONSOLE "/state", "open\n");
  close (one);
  assert_soon_reads (f, CONSOLE "/state", "closed\n");
  /* what was typed is not kept */
  g_assert_cmpint (sh_quietly (f, "grep -r ls events jobs vms/h1-1/error"), ==, 1);
}

static short
poll_for (int fd, short events)
{
  struct pollfd look = { fd, events, 0 };

  g_assert_cmpint (poll (&look, 1, 0), >=, 0);
  return look.revents;
}

static void
test_poll (Fixture *f, gconstpointer data)
{
  int fd = open_tty (f, O_RDWR);
  struct pollfd look = { fd, POLLIN, 0 };

  g_assert_cmpint (poll_for (fd, POLLIN | POLLOUT), ==, POLLOUT);
  write_console (f, "news");
  g_assert_cmpint (poll (&look, 1, PATIENCE / 1000), ==, 1);
  assert_hears (fd, "news");
  g_assert_cmpint (poll_for (fd, POLLIN), ==, 0);
  close (fd);
}

static gpointer
say_later (gpointer data)
{
  g_usleep (100 * 1000);
  write_console (data, "at last");
  return NULL;
}

static void
test_waits (Fixture *f, gconstpointer data)
{
  int fd = open_tty (f, O_RDONLY);
  GThread *thread = g_thread_new (NULL, say_later, f);

  assert_hears (fd, "at last");
  g_thread_join (thread);
  close (fd);
}

static void
test_interrupt (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (sh_quietly (f, "timeout --signal INT 0.3 cat " CONSOLE "/tty"), ==, 124);
  assert_soon_reads (f, CONSOLE "/state", "closed\n");
}

/* What it has said before it stopped is heard. */
static void
test_end (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  int one = open_tty (f, O_RDWR), other = open_tty (f, O_RDWR);
  char byte;

  g_assert_cmpint (write (one, "quit\n", 5), ==, 5);
  assert_hears (one, "quit\n");
  g_assert_cmpint (read (one, &byte, 1), ==, 0);
  g_assert_true (poll_for (one, POLLIN) & POLLHUP);
  g_assert_cmpint (write (one, "x", 1), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  close (one);
  one = open_tty (f, O_RDWR);
  virfs_console_end (f->infra, vm->uuid, EIO);
  g_assert_cmpint (read (one, &byte, 1), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  assert_hears (other, "quit\n");
  close (one);
  close (other);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  g_atomic_int_set (&virfs_fake_console_busy, TRUE);
  g_assert_cmpint (open_tty (f, O_RDWR), ==, -EBUSY);
  g_atomic_int_set (&virfs_fake_console_busy, FALSE);
  assert_says (f, "vms/h1-1/error", "somebody else has it");
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  g_assert_cmpint (open_tty (f, O_RDWR), ==, -EBUSY);
  assert_says (f, "vms/h1-1/error", "does not run");
}

/* Nobody has to let go of it before virfs ends. */
static void
test_left_open (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (sh_quietly (f, "timeout 20 cat " CONSOLE "/tty >/dev/null 2>&1 &"), ==, 0);
  assert_soon_reads (f, CONSOLE "/state", "open\n");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(path, func) fixture_add (path, "h1=fake:2 h2=fake:0", func)
  ADD ("/console/keys", test_keys);
  ADD ("/console/wrong-keys", test_wrong_keys);
  ADD ("/console/screen", test_screen);
  ADD ("/console/forget", test_forget);
  ADD ("/console/password", test_password);
  ADD ("/console/log", test_log);
  ADD ("/console/bounded", test_bounded);
  ADD ("/console/tail", test_tail);
  ADD ("/console/record", test_record);
  ADD ("/console/tty", test_tty);
  ADD ("/console/poll", test_poll);
  ADD ("/console/waits", test_waits);
  ADD ("/console/interrupt", test_interrupt);
  ADD ("/console/end", test_end);
  ADD ("/console/refused", test_refused);
  ADD ("/console/left-open", test_left_open);
  return g_test_run ();
}
