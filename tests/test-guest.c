/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent in a guest says and does, as files. */
#include "fixture.h"

#include <string.h>
#include <unistd.h>

#define GUEST "vms/h1-1/guest"
#define EXEC  GUEST "/exec"

static void
test_said (Fixture *f, gconstpointer data)
{
  assert_lists (f, GUEST,
                "addresses agent asked clock_offset ctl exec filesystems frozen hostname os"
                " password ssh_keys time timezone users");
  assert_reads (f, GUEST "/agent", "connected\n");
  assert_reads (f, GUEST "/asked", "2023-11-14T22:13:20Z\n");
  assert_reads (f, GUEST "/hostname", "web\\x1b[1m\n");
  assert_reads (f, GUEST "/os", "id debian\nversion_id 12\n");
  assert_reads (f, GUEST "/users", "root 2023-11-14T22:13:20Z\n");
  assert_reads (f, GUEST "/filesystems", "/ vda1 ext4 1000 500\n");
  assert_reads (f, GUEST "/addresses", "eth0 52:54:00:00:00:01 10.0.0.5/24\n");
  assert_reads (f, GUEST "/clock_offset", "1.500\n");
}

/* What it said is true of a guest that runs, whoever tells of that. */
static void
test_gone (Fixture *f, gconstpointer data)
{
  assert_reads (f, "vms/h1-2/guest/agent", "");
  assert_reads (f, "vms/h1-2/guest/hostname", "");
  assert_reads (f, "vms/h1-2/guest/ctl", "");
  g_assert_cmpint (echo (f, "refresh", "vms/h1-2/guest/ctl"), ==, EBUSY);
  g_assert_cmpint (echo (f, "root a secret", "vms/h1-2/guest/password"), ==, EBUSY);
  assert_says (f, "vms/h1-2/error", "no agent is connected");
  set_state (f, "h1-1", VIRFS_VM_PAUSED);
  assert_reads (f, GUEST "/os", "id debian\nversion_id 12\n");
  move_vm (f, "h1-1", "h2");
  assert_reads (f, GUEST "/os", "id debian\nversion_id 12\n");
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  assert_reads (f, GUEST "/os", "");
  assert_reads (f, GUEST "/clock_offset", "");
}

static void
test_ctl (Fixture *f, gconstpointer data)
{
  assert_reads (f, GUEST "/ctl", "refresh\nfreeze\ntrim\n");
  g_assert_cmpint (echo (f, "freeze", GUEST "/ctl"), ==, 0);
  assert_reads (f, GUEST "/frozen", "1\n");
  assert_reads (f, GUEST "/ctl", "refresh\nthaw\n");
  /* it would not be thawed there */
  g_assert_cmpint (echo (f, "h2", "vms/h1-1/migrate"), ==, EBUSY);
  g_assert_cmpint (echo (f, "save", "vms/h1-1/ctl"), ==, EBUSY);
  g_assert_cmpint (echo (f, "thaw", GUEST "/ctl"), ==, 0);
  assert_reads (f, GUEST "/frozen", "0\n");
  g_assert_cmpint (echo (f, "trim", GUEST "/ctl"), ==, 0);
  g_assert_cmpint (echo (f, "refresh", GUEST "/ctl"), ==, 0);
  assert_reads (f, GUEST "/hostname", "renamed\n");
  g_assert_cmpint (echo (f, "melt", GUEST "/ctl"), ==, EINVAL);
}

static void
test_time (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "1700000100", GUEST "/time"), ==, 0);
  assert_reads (f, GUEST "/time", "2023-11-14T22:15:00Z\n");
  assert_reads (f, GUEST "/clock_offset", "100.000\n");
  g_assert_cmpint (echo (f, "2024-05-01T12:00:00Z", GUEST "/time"), ==, 0);
  assert_reads (f, GUEST "/time", "2024-05-01T12:00:00Z\n");
  g_assert_cmpint (echo (f, "now", GUEST "/time"), ==, 0);
  g_assert_cmpint (echo (f, "later", GUEST "/time"), ==, EINVAL);
  g_assert_cmpint (echo (f, "0", GUEST "/time"), ==, EINVAL);
}

/* Nobody finds it anywhere afterwards. */
static void
test_password (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "root a secret", GUEST "/password"), ==, 0);
  assert_reads (f, GUEST "/password", "");
  g_assert_cmpint (echo (f, "nobody a secret", GUEST "/password"), ==, EIO);
  g_assert_cmpint (echo (f, "justoneword", GUEST "/password"), ==, EINVAL);
  g_assert_cmpuint (stat_at (f, GUEST "/password").st_mode & 0777, ==, 0600);
  g_assert_cmpint (sh_quietly (f, "grep -rE 'a secret|justoneword' ."), ==, 1);
}

static void
test_exec (Fixture *f, gconstpointer data)
{
  assert_lists (f, EXEC, "");
  g_assert_cmpint (mkdir_at (f, EXEC "/a"), ==, 0);
  g_assert_cmpint (mkdir_at (f, EXEC "/a"), ==, EEXIST);
  assert_reads (f, EXEC "/a/state", "idle\n");
  assert_reads (f, EXEC "/a/status", "");
  g_assert_cmpint (echo (f, "echo 'one two'  $HOME", EXEC "/a/command"), ==, 0);
  assert_reads (f, EXEC "/a/stdout", "one two $HOME\n");
  assert_reads (f, EXEC "/a/status", "0\n");
  assert_reads (f, EXEC "/a/state", "ended\n");
  assert_reads (f, EXEC "/a/command", "echo 'one two'  $HOME\n");
  g_assert_cmpint (echo (f, "false", EXEC "/a/command"), ==, 0);
  assert_reads (f, EXEC "/a/status", "1\n");
  assert_reads (f, EXEC "/a/stdout", "");
  g_assert_cmpint (echo (f, "nonsense", EXEC "/a/command"), ==, ENOENT);
  /* as if nothing had been written */
  assert_reads (f, EXEC "/a/command", "false\n");
  assert_reads (f, EXEC "/a/status", "1\n");
  g_assert_cmpint (echo (f, "echo 'unfinished", EXEC "/a/command"), ==, EINVAL);
  g_assert_cmpint (rmdir_at (f, EXEC "/a"), ==, 0);
  g_assert_cmpint (rmdir_at (f, EXEC "/a"), ==, ENOENT);
}

static void
test_exec_stdin (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, EXEC "/a"), ==, 0);
  g_assert_cmpint (echo (f, "some\nlines", EXEC "/a/stdin"), ==, 0);
  g_assert_cmpint (echo (f, "cat", EXEC "/a/command"), ==, 0);
  assert_reads (f, EXEC "/a/stdout", "some\nlines\n");
  g_assert_cmpint (stat_at (f, EXEC "/a/stdout").st_size, ==, 11);
}

#define KEYS GUEST "/ssh_keys"
#define KEY                                                                                        \
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPt0XRlCfYTSLbRJEAJB3jUCzWwhXqnXX2RIykXkpTrq me@home"

static void
test_ssh_keys (Fixture *f, gconstpointer data)
{
  assert_lists (f, KEYS, "");
  g_assert_cmpint (mkdir_at (f, KEYS "/nobody"), ==, ENOENT);
  g_assert_cmpint (mkdir_at (f, KEYS "/root"), ==, 0);
  assert_lists (f, KEYS, "root");
  assert_reads (f, KEYS "/root/keys", "# of the image\n");
  assert_reads (f, KEYS "/root/asked", "2023-11-14T22:13:20Z\n");
  g_assert_cmpint (sh_quietly (f, "echo '" KEY "' >> " KEYS "/root/keys"), ==, 0);
  assert_reads (f, KEYS "/root/keys", "# of the image\n" KEY "\n");
  g_assert_cmpint (sh_quietly (f, "grep -rlq 'add SHA256:[A-Za-z0-9/+]* me@home' jobs/"), ==, 0);
  g_assert_cmpint (sh_quietly (f, "grep -rq " "AAAAC3Nza" " jobs events/log"), ==, 1);
  g_assert_cmpint (echo (f, KEY "\n\nnonsense", KEYS "/root/keys"), ==, EINVAL);
  g_assert_cmpint (sh_quietly (f, "grep -q 'line 3 is no public key' vms/h1-1/error"), ==, 0);
  assert_reads (f, KEYS "/root/keys", "# of the image\n" KEY "\n");
  g_assert_cmpint (echo (f, KEY, KEYS "/root/keys"), ==, 0);
  assert_reads (f, KEYS "/root/keys", KEY "\n");
  g_assert_cmpint (echo (f, "", KEYS "/root/keys"), ==, 0);
  assert_reads (f, KEYS "/root/keys", "");
  g_assert_cmpuint (stat_at (f, KEYS "/root/keys").st_mode & 0777, ==, 0600);
  g_assert_cmpint (rmdir_at (f, KEYS "/root"), ==, 0);
  assert_lists (f, KEYS, "");
}

/* Several at once, each with a directory of its own. */
static void
test_exec_running (Fixture *f, gconstpointer data)
{
  GPid writer;

  g_assert_cmpint (mkdir_at (f, EXEC "/a"), ==, 0);
  g_assert_cmpint (mkdir_at (f, EXEC "/b"), ==, 0);
  writer = fixture_spawn (f, "hang", EXEC "/a/command");
  assert_soon_reads (f, EXEC "/a/state", "running\n");
  g_assert_cmpint (rmdir_at (f, EXEC "/a"), ==, EBUSY);
  g_assert_cmpint (echo (f, "echo x", EXEC "/b/command"), ==, 0);
  assert_soon (virfs_fake_release ());
  g_assert_cmpint (fixture_wait (writer), ==, 0);
  assert_reads (f, EXEC "/a/state", "ended\n");
  g_assert_cmpint (rmdir_at (f, EXEC "/a"), ==, 0);
  assert_lists (f, EXEC, "b");
}

/* It goes where its guest goes, and its host is needed only to run it. */
static void
test_exec_stays (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, EXEC "/a"), ==, 0);
  g_assert_cmpint (echo (f, "echo here", EXEC "/a/command"), ==, 0);
  move_vm (f, "h1-1", "h2");
  assert_reads (f, EXEC "/a/stdout", "here\n");
  turn_host (f, "h2", VIRFS_HOST_UNREACHABLE);
  assert_reads (f, EXEC "/a/stdout", "here\n");
  g_assert_cmpint (echo (f, "echo there", EXEC "/a/command"), !=, 0);
  g_assert_cmpint (rmdir_at (f, EXEC "/a"), ==, 0);
}

static void
test_exec_rights (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, EXEC "/a"), ==, 0);
  g_assert_cmpuint (stat_at (f, EXEC).st_mode & 0777, ==, 0700);
  g_assert_cmpuint (stat_at (f, EXEC "/a").st_mode & 0777, ==, 0700);
  g_assert_cmpuint (stat_at (f, EXEC "/a/command").st_mode & 0777, ==, 0600);
  g_assert_cmpuint (stat_at (f, EXEC "/a/stdout").st_mode & 0777, ==, 0400);
}

/* What is bounded: no more than some dozens. */
static void
test_exec_most (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 64; i++) {
    g_autofree char *path = g_strdup_printf (EXEC "/%u", i);

    g_assert_cmpint (mkdir_at (f, path), ==, 0);
  }
  g_assert_cmpint (mkdir_at (f, EXEC "/more"), ==, ENOSPC);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(path, func) fixture_add (path, "h1=fake:2 h2=fake:0", func)
  ADD ("/guest/said", test_said);
  ADD ("/guest/gone", test_gone);
  ADD ("/guest/ctl", test_ctl);
  ADD ("/guest/time", test_time);
  ADD ("/guest/password", test_password);
  ADD ("/guest/exec", test_exec);
  ADD ("/guest/ssh-keys", test_ssh_keys);
  ADD ("/guest/exec-stdin", test_exec_stdin);
  ADD ("/guest/exec-running", test_exec_running);
  ADD ("/guest/exec-stays", test_exec_stays);
  ADD ("/guest/exec-rights", test_exec_rights);
  ADD ("/guest/exec-most", test_exec_most);
  return g_test_run ();
}
