/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree as a shell sees it.  h1 has h1-1 (running), h1-2 (shutoff) and h1-3 (running); h2 has none. */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FLEET "h1=fake:3 h2=fake:0"

static void
test_look_around (Fixture *f, gconstpointer data)
{
  assert_lists (
    f, "",
      "README alarms by cpu_baseline error events hosts images jobs metrics networks pools reports version vms");
  assert_lists (f, "hosts", "h1 h2");
  assert_lists (f, "vms", "h1-1 h1-2 h1-3");
  assert_lists (f, "hosts/h1/vms", "h1-1 h1-2 h1-3");
  assert_lists (f, "hosts/h2/vms", "");
  assert_lists (f, "by", "host image ip owner state tag uuid");
  assert_lists (f, "by/state/running", "h1-1 h1-3");
  assert_lists (f, "by/state/shutoff", "h1-2");
  assert_lists (f, "by/host/h1", "h1-1 h1-2 h1-3");
  assert_leads (f, "vms/h1-1/host", "../../hosts/h1");
  assert_leads (f, "hosts/h1/vms/h1-1", "../../../vms/h1-1");
  assert_leads (f, "by/state/running/h1-1", "../../../vms/h1-1");
  assert_reads (f, "vms/h1-1/host/state", "up\n");
  assert_reads (f, "by/host/h1/h1-2/state", "shutoff\n");
  assert_reads (f, "hosts/h1/uri", "fake:3\n");
  assert_reads (f, "error", "");
  g_assert_false (exists (f, "vms/nobody"));
  g_assert_false (exists (f, "nothing"));
}

static void
test_state (Fixture *f, gconstpointer data)
{
  assert_reads (f, "vms/h1-1/state", "running\n");
  g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, 0);
  assert_reads (f, "vms/h1-1/state", "paused\n");
  assert_lists (f, "by/state/running", "h1-3");
  assert_lists (f, "by/state/paused", "h1-1");
  g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, 0); /* it is already */
  g_assert_cmpint (echo (f, "  shutoff\t", "vms/h1-1/state"), ==, 0);
  assert_reads (f, "vms/h1-1/state", "shutoff\n");
  assert_reads (f, "vms/h1-1/id", "");
  g_assert_cmpint (echo (f, "nonsense", "vms/h1-1/state"), ==, EINVAL);
  g_assert_cmpint (echo (f, "crashed", "vms/h1-1/state"), ==, EINVAL);
  g_assert_cmpint (echo (f, "", "vms/h1-1/state"), ==, EINVAL);
  assert_reads (f, "vms/h1-1/state", "shutoff\n");
}

static void
test_ctl (Fixture *f, gconstpointer data)
{
  assert_reads (f, "vms/h1-2/ctl", "start\npurge\n");
  g_assert_cmpint (echo (f, "reboot", "vms/h1-2/ctl"), ==, EBUSY);
  g_assert_cmpint (echo (f, "explode", "vms/h1-2/ctl"), ==, EINVAL);
  g_assert_cmpint (echo (f, "start", "vms/h1-2/ctl"), ==, 0);
  assert_reads (f, "vms/h1-2/state", "running\n");
  assert_reads (f, "vms/h1-2/ctl",
                "shutdown\ndestroy\nreboot\nreset\nsuspend\nsave\nnmi\npmsuspend\n");
  g_assert_cmpint (echo (f, "suspend", "vms/h1-2/ctl"), ==, 0);
  assert_reads (f, "vms/h1-2/ctl", "destroy\nreset\nresume\nsave\n");
}

static void
test_migrate (Fixture *f, gconstpointer data)
{
  struct stat before = stat_at (f, "vms/h1-1/state");

  assert_reads (f, "vms/h1-1/migrate", "h2\n");
  g_assert_cmpint (echo (f, "h2", "vms/h1-1/migrate"), ==, 0);
  assert_leads (f, "vms/h1-1/host", "../../hosts/h2");
  assert_reads (f, "vms/h1-1/migrate", "h1\n");
  assert_lists (f, "hosts/h1/vms", "h1-2 h1-3");
  assert_lists (f, "hosts/h2/vms", "h1-1");
  assert_lists (f, "by/host/h2", "h1-1");
  g_assert_cmpuint (stat_at (f, "vms/h1-1/state").st_ino, ==, before.st_ino);
  g_assert_cmpint (echo (f, "h2", "vms/h1-1/migrate"), ==, 0); /* it is there */
  g_assert_cmpint (echo (f, "h9", "vms/h1-1/migrate"), ==, ENOENT);
  assert_says (f, "vms/h1-1/error", "no host is named \"h9\"");
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  assert_reads (f, "vms/h1-1/migrate", "");
  g_assert_cmpint (echo (f, "h1", "vms/h1-1/migrate"), ==, EHOSTDOWN);
}

static void
test_mv (Fixture *f, gconstpointer data)
{
  g_autofree char *out = NULL;

  g_assert_cmpint (mv (f, "hosts/h1/vms/h1-1", "hosts/h2/vms/h1-1"), ==, 0);
  assert_soon (leads (f, "vms/h1-1/host", "../../hosts/h2"));
  assert_soon_reads (f, "hosts/h2/vms/h1-1/state", "running\n");
  assert_soon (!exists (f, "hosts/h1/vms/h1-1"));
  g_assert_cmpint (sh (f, "mv hosts/h1/vms/* hosts/h2/vms/", &out), ==, 0);
  g_assert_cmpstr (out, ==, "");
  assert_soon (leads (f, "vms/h1-2/host", "../../hosts/h2"));
  assert_soon (leads (f, "vms/h1-3/host", "../../hosts/h2"));
  assert_soon (!exists (f, "hosts/h1/vms/h1-2") && !exists (f, "hosts/h1/vms/h1-3"));
  assert_soon (exists (f, "hosts/h2/vms/h1-2") && exists (f, "hosts/h2/vms/h1-3"));
  assert_lists (f, "hosts/h2/vms", "h1-1 h1-2 h1-3");
  assert_lists (f, "hosts/h1/vms", "");
  /* not a name, not another place */
  g_assert_cmpint (mv (f, "hosts/h2/vms/h1-1", "hosts/h1/vms/other"), ==, EPERM);
  g_assert_cmpint (mv (f, "hosts/h1", "hosts/h3"), ==, EPERM);
  g_assert_cmpint (mv (f, "hosts/h2/vms/h1-1", "vms/x"), ==, EPERM);
  assert_lists (f, "hosts/h2/vms", "h1-1 h1-2 h1-3");
  assert_lists (f, "vms", "h1-1 h1-2 h1-3");
}

/* `mv` returns when the migration has begun; its failure is told later. */
static void
test_mv_cancelled (Fixture *f, gconstpointer data)
{
  g_atomic_int_set (&virfs_fake_delay, PATIENCE);
  g_assert_cmpint (mv (f, "hosts/h1/vms/h1-1", "hosts/h2/vms/h1-1"), ==, 0);
  assert_soon_reads (f, "jobs/1/state", "running\n");
  assert_reads (f, "jobs/1/operation", "migrate to h2\n");
  assert_reads (f, "jobs/1/object", "vms/h1-1\n");
  assert_leads (f, "vms/h1-1/host", "../../hosts/h1");
  g_assert_cmpint (echo (f, "cancel", "jobs/1/ctl"), ==, 0);
  assert_soon_reads (f, "jobs/1/state", "cancelled\n");
  assert_soon (exists (f, "hosts/h1/vms/h1-1"));
  assert_soon (!exists (f, "hosts/h2/vms/h1-1"));
  assert_soon (says (f, "vms/h1-1/error", "cancelled"));
}

static void
test_error_files (Fixture *f, gconstpointer data)
{
  g_autofree char *uid = g_strdup_printf ("uid=%u", getuid ());

  g_assert_cmpint (echo (f, "nonsense", "vms/h1-1/state"), ==, EINVAL);
  assert_says (f, "vms/h1-1/error", "vms/h1-1/state");
  assert_says (f, "vms/h1-1/error", "cannot be brought to \"nonsense\"");
  assert_says (f, "vms/h1-1/error", uid);
  assert_reads (f, "vms/h1-2/error", "");
  assert_says (f, "error", "nonsense");
  assert_says (f, "events/log", "vms/h1-1/state write uid=");
  g_assert_cmpint (echo (f, "fie\033[2J", "vms/h1-2/state"), ==, EINVAL);
  assert_says (f, "vms/h1-2/error", "fie\\x1b[2J"); /* safe to look at */
  assert_says (f, "error", "vms/h1-2/state");
  g_assert_cmpint (echo (f, "x", "hosts/h1/uri"), ==, EINVAL);
  assert_says (f, "hosts/h1/error", "hosts/h1/uri");
}

static void
test_nothing_destroyed (Fixture *f, gconstpointer data)
{
  g_autofree char *out = NULL;

  g_assert_cmpint (unlink_at (f, "vms/h1-1/state"), ==, EPERM);
  g_assert_cmpint (unlink_at (f, "vms/h1-1/host"), ==, EPERM);
  g_assert_cmpint (unlink_at (f, "by/state/running/h1-1"), ==, EPERM);
  g_assert_cmpint (rmdir_at (f, "vms/h1-1"), ==, EBUSY);
  g_assert_cmpint (rmdir_at (f, "vms"), ==, EPERM);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/sub"), ==, EPERM);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1"), ==, EEXIST);
  g_assert_cmpint (sh (f, "rm -rf vms/h1-1 vms/h1-2 by jobs events", &out), !=, 0);
  g_assert_cmpint (sh_quietly (f, "echo x > vms/h1-1/new"), !=, 0);
  g_assert_cmpint (sh_quietly (f, "ln -s x vms/link"), !=, 0);
  g_assert_cmpint (sh_quietly (f, "ln vms/h1-1/state vms/h1-1/hard"), !=, 0);
  assert_lists (f, "vms", "h1-1 h1-2 h1-3");
  assert_reads (f, "vms/h1-1/state", "running\n");
  assert_lists (f, "by/state/running", "h1-1 h1-3");
}

static void
test_read_only_files (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "x", "vms/h1-1/uuid"), ==, EACCES);
  g_assert_cmpint (echo (f, "x", "version"), ==, EACCES);
  g_assert_cmpint (echo (f, "x", "vms/h1-1"), ==, EISDIR);
}

static void
test_attributes (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "1G", "vms/h1-1/memory"), ==, 0);
  assert_reads (f, "vms/h1-1/memory", "1073741824\n");
  g_assert_cmpint (echo (f, "4", "vms/h1-1/vcpus"), ==, 0);
  assert_reads (f, "vms/h1-1/vcpus", "4\n");
  g_assert_cmpint (echo (f, "1", "vms/h1-1/autostart"), ==, 0);
  assert_reads (f, "vms/h1-1/autostart", "1\n");
  g_assert_cmpint (echo (f, "-1", "vms/h1-1/cpu_quota"), ==, 0);
  assert_reads (f, "vms/h1-1/cpu_quota", "-1\n");
  g_assert_cmpint (echo (f, "0", "vms/h1-1/cpu_quota"), ==, 0);
  assert_reads (f, "vms/h1-1/cpu_quota", "");
  g_assert_cmpint (echo (f, "999", "vms/h1-1/cpu_quota"), ==, EINVAL);
  g_assert_cmpint (echo (f, "-2", "vms/h1-1/cpu_quota"), ==, EINVAL);
  assert_says (f, "vms/h1-1/error", "-1 for no limit");
  g_assert_cmpint (echo (f, "-1", "vms/h1-1/cpu_shares"), ==, EINVAL);
  assert_says (f, "vms/h1-1/error", "2 to 262144");
  g_assert_cmpint (echo (f, "1000001", "vms/h1-1/cpu_period"), ==, EINVAL);
  assert_reads (f, "vms/h1-1/cpu_quota", "");
  g_assert_cmpint (echo (f, "two\\nlines, grün", "vms/h1-1/description"), ==, 0);
  assert_reads (f, "vms/h1-1/description", "two\\nlines, grün\n");
  g_assert_cmpint (echo (f, "", "vms/h1-1/description"), ==, 0);
  assert_reads (f, "vms/h1-1/description", "");
  g_assert_cmpint (echo (f, "5", "vms/h1-1/shutdown_timeout"), ==, 0);
  assert_reads (f, "vms/h1-1/shutdown_timeout", "5\n");
  g_assert_cmpint (echo (f, "0", "vms/h1-1/shutdown_timeout"), ==, EINVAL);
  g_assert_cmpint (echo (f, "much", "vms/h1-1/memory"), ==, EINVAL);
  g_assert_cmpint (echo (f, "-4", "vms/h1-1/vcpus"), ==, EINVAL);
  g_assert_cmpint (echo (f, "yes", "vms/h1-1/autostart"), ==, EINVAL);
  assert_reads (f, "vms/h1-1/memory", "1073741824\n");
}

static void
test_pinning (Fixture *f, gconstpointer data)
{
  assert_reads (f, "vms/h1-1/cpuset", "");
  assert_reads (f, "vms/h1-1/vcpu_pins", "");
  g_assert_cmpint (echo (f, "3,0-2", "vms/h1-1/cpuset"), ==, 0);
  assert_reads (f, "vms/h1-1/cpuset", "0-3\n");
  assert_reads (f, "vms/h1-1/vcpu_pins", "0 0-3\n1 0-3\n");
  g_assert_cmpint (sh_quietly (f, "echo 1 7 >> vms/h1-1/vcpu_pins"), ==, 0);
  assert_reads (f, "vms/h1-1/vcpu_pins", "0 0-3\n1 7\n");
  /* written back it changes nothing, though it does not tell all */
  assert_reads (f, "vms/h1-1/cpuset", "0-3,7\n");
  g_assert_cmpint (echo (f, "0-3,7", "vms/h1-1/cpuset"), ==, 0);
  assert_reads (f, "vms/h1-1/vcpu_pins", "0 0-3\n1 7\n");

  /* one that is not pinned may use all */
  g_assert_cmpint (echo (f, "1 7", "vms/h1-1/vcpu_pins"), ==, 0);
  assert_reads (f, "vms/h1-1/cpuset", "");
  g_assert_cmpint (echo (f, "0 2\n1 3", "vms/h1-1/vcpu_pins"), ==, 0);
  assert_reads (f, "vms/h1-1/cpuset", "2-3\n");
  g_assert_cmpint (echo (f, "3", "vms/h1-1/vcpus_max"), ==, 0);
  assert_reads (f, "vms/h1-1/cpuset", "");
  g_assert_cmpint (echo (f, "2 1", "vms/h1-1/vcpu_pins"), ==, 0);
  g_assert_cmpint (echo (f, "3 1", "vms/h1-1/vcpu_pins"), ==, EINVAL);
  assert_says (f, "vms/h1-1/error", "vcpus_max");
  assert_reads (f, "vms/h1-1/vcpu_pins", "2 1\n");
  g_assert_cmpint (echo (f, "", "vms/h1-1/cpuset"), ==, 0);
  assert_reads (f, "vms/h1-1/vcpu_pins", "");
}

static void
test_boot_order (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "cdrom  disk", "vms/h1-1/boot"), ==, 0);
  assert_reads (f, "vms/h1-1/boot", "cdrom\ndisk\n");
  g_assert_cmpint (sh_quietly (f, "echo network >> vms/h1-1/boot"), ==, 0);
  assert_reads (f, "vms/h1-1/boot", "cdrom\ndisk\nnetwork\n");
  g_assert_cmpint (echo (f, "nics/net0\ndisks/vda", "vms/h1-1/boot"), ==, 0);
  assert_reads (f, "vms/h1-1/boot", "nics/net0\ndisks/vda\n");
  g_assert_cmpint (echo (f, "disks/vda disk", "vms/h1-1/boot"), ==, EINVAL);
  g_assert_cmpint (echo (f, "disks/vdz", "vms/h1-1/boot"), ==, EINVAL);
  assert_says (f, "vms/h1-1/error", "disks/vdz");
  assert_reads (f, "vms/h1-1/boot", "nics/net0\ndisks/vda\n");
}

static void
test_hardware (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "strict", "vms/h1-1/numa_mode"), ==, EINVAL);
  assert_says (f, "vms/h1-1/error", "numa_nodeset first");
  g_assert_cmpint (echo (f, "1,0", "vms/h1-1/numa_nodeset"), ==, 0);
  assert_reads (f, "vms/h1-1/numa_nodeset", "0-1\n");
  g_assert_cmpint (echo (f, "interleave", "vms/h1-1/numa_mode"), ==, 0);
  g_assert_cmpint (echo (f, "lenient", "vms/h1-1/numa_mode"), ==, EINVAL);
  assert_says (f, "vms/h1-1/error", "restrictive");
  assert_reads (f, "vms/h1-1/numa_mode", "interleave\n");
  g_assert_cmpint (echo (f, "efi", "vms/h1-1/firmware"), ==, 0);
  g_assert_cmpint (echo (f, "uefi", "vms/h1-1/firmware"), ==, EINVAL);
  assert_reads (f, "vms/h1-1/firmware", "efi\n");
  g_assert_cmpint (echo (f, "q35", "vms/h1-1/machine"), ==, 0);
  g_assert_cmpint (echo (f, "q 35", "vms/h1-1/machine"), ==, EINVAL);
  assert_reads (f, "vms/h1-1/machine", "q35\n");
  g_assert_cmpint (echo (f, "0", "vms/h1-1/emulator_cpuset"), ==, 0);
  assert_reads (f, "vms/h1-1/emulator_cpuset", "0\n");
  g_assert_cmpint (echo (f, "", "vms/h1-1/emulator_cpuset"), ==, 0);
  assert_reads (f, "vms/h1-1/emulator_cpuset", "");
}

/* How it is written. */

static void
test_lines (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "paused\nshutoff\nrunning", "vms/h1-1/state"), ==, 0);
  assert_reads (f, "vms/h1-1/state", "running\n");
  g_assert_cmpint (echo (f, "paused\nnonsense\nshutoff", "vms/h1-1/state"), ==, EINVAL);
  assert_reads (f, "vms/h1-1/state", "paused\n");
  assert_says (f, "vms/h1-1/error", "line 2");
}

static void
test_no_newline (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo_n (f, "paused", -1, "vms/h1-1/state"), ==, 0);
  assert_reads (f, "vms/h1-1/state", "paused\n");
  g_assert_cmpint (echo_n (f, "nonsense", -1, "vms/h1-1/state"), ==, EINVAL); /* at close */
  g_assert_cmpint (echo_n (f, "running\nnonsense", -1, "vms/h1-1/state"), ==, EINVAL);
  assert_reads (f, "vms/h1-1/state", "running\n");
  g_assert_cmpint (echo_n (f, "", -1, "vms/h1-1/state"), ==, 0); /* nothing: nothing */
  assert_reads (f, "vms/h1-1/state", "running\n");
}

/* A line may come in pieces, and what is not a line yet does nothing. */
static void
test_pieces (Fixture *f, gconstpointer data)
{
  g_autofree char *path = at (f, "vms/h1-1/state");
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (write (fd, "pau", 3), ==, 3);
  assert_reads (f, "vms/h1-1/state", "running\n");
  g_assert_cmpint (write (fd, "sed\nshut", 8), ==, 8);
  assert_reads (f, "vms/h1-1/state", "paused\n");
  g_assert_cmpint (write (fd, "off\n", 4), ==, 4);
  assert_reads (f, "vms/h1-1/state", "shutoff\n");
  /* what failed is not tried again by the next, nor at close */
  g_assert_cmpint (write (fd, "nonsense\n", 9), ==, -1);
  g_assert_cmpint (errno, ==, EINVAL);
  g_assert_cmpint (write (fd, "running\n", 8), ==, 8);
  g_assert_cmpint (close (fd), ==, 0);
  assert_reads (f, "vms/h1-1/state", "running\n");
}

static void
test_shells (Fixture *f, gconstpointer data)
{
  g_autofree char *out = NULL;

  g_assert_cmpint (sh (f, "echo paused > vms/h1-1/state && cat vms/h1-1/state", &out), ==, 0);
  g_assert_cmpstr (out, ==, "paused\n");
  g_assert_cmpint (sh_quietly (f, "echo nonsense > vms/h1-1/state"), !=, 0);
  g_assert_cmpint (sh_quietly (f, "(echo running; echo shutoff) > vms/h1-1/state"), ==, 0);
  assert_reads (f, "vms/h1-1/state", "shutoff\n");
  g_assert_cmpint (sh_quietly (f, "echo running >> vms/h1-1/state"), ==, 0);
  assert_reads (f, "vms/h1-1/state", "running\n");
  g_assert_cmpint (sh_quietly (f, "printf paused | tee vms/h1-1/state"), ==, 0);
  assert_reads (f, "vms/h1-1/state", "paused\n");
  g_assert_cmpint (sh_quietly (f, "printf x | tee vms/h1-1/state"), !=, 0);
  g_assert_cmpint (
    sh_quietly (f, "echo running > /tmp/$$; cp /tmp/$$ vms/h1-1/state; e=$?; rm /tmp/$$; exit $e"),
    ==, 0);
  assert_reads (f, "vms/h1-1/state", "running\n");
  /* what was read can be put back */
  g_assert_cmpint (sh_quietly (f,
                               "cat vms/h1-1/memory > /tmp/$$; cat /tmp/$$ > vms/h1-1/memory; e=$?;"
                               " rm /tmp/$$; exit $e"),
                   ==, 0);
}

/* Who opens a file with `>` and waits does not empty it for others. */
static void
test_truncate (Fixture *f, gconstpointer data)
{
  g_autofree char *path = at (f, "vms/h1-1/state");

  for (guint i = 0; i < 300; i++) {
    int fd = open (path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    set_title (f, "h1-1", i % 2 ? "one" : "another");
    turn_host (f, "h1", i % 2 ? VIRFS_HOST_UP : VIRFS_HOST_UNREACHABLE); /* changes the mode */
    assert_reads (f, "vms/h1-1/state", "running\n");
    g_assert_cmpint (stat_at (f, "vms/h1-1/state").st_size, ==, strlen ("running\n"));
    g_assert_cmpint (close (fd), ==, 0);
    assert_reads (f, "vms/h1-1/state", "running\n");
  }
}

/* Documents are taken at close. */
static void
test_document (Fixture *f, gconstpointer data)
{
  g_autofree char *path = at (f, "vms/h1-1/xml");
  g_autofree char *before = cat (f, "vms/h1-1/xml");
  g_autofree char *huge = g_strnfill (5 << 20, 'x');
  int fd = open (path, O_WRONLY | O_TRUNC | O_CLOEXEC);

  g_assert_cmpint (write (fd, "<domain>\n", 9), ==, 9);
  g_assert_cmpint (write (fd, "</domain>\n", 10), ==, 10);
  assert_reads (f, "vms/h1-1/xml", before);
  g_assert_cmpint (close (fd), ==, 0);
  assert_reads (f, "vms/h1-1/xml", "<domain>\n</domain>\n");
  g_assert_cmpint (echo_n (f, "no xml", -1, "vms/h1-1/xml"), ==, EINVAL);
  memcpy (huge, "<domain>", 8);
  g_assert_cmpint (echo_n (f, huge, -1, "vms/h1-1/xml"), ==, EFBIG);
  assert_reads (f, "vms/h1-1/xml", "<domain>\n</domain>\n"); /* no part of it was taken */
}

static void
test_long_line (Fixture *f, gconstpointer data)
{
  g_autofree char *long_line = g_strnfill (200000, 'x');

  g_assert_cmpint (echo_n (f, long_line, -1, "vms/h1-1/title"), ==, EFBIG);
  assert_reads (f, "vms/h1-1/title", "");
  g_assert_cmpint (echo (f, "short", "vms/h1-1/title"), ==, 0);
  assert_reads (f, "vms/h1-1/title", "short\n");
}

/* Interrupting and cancelling. */

static void
test_interrupt (Fixture *f, gconstpointer data)
{
  GPid pid;

  g_atomic_int_set (&virfs_fake_delay, PATIENCE);
  pid = fixture_spawn (f, "paused", "vms/h1-1/state");
  assert_soon_reads (f, "jobs/1/state", "running\n");
  kill (pid, SIGINT);
  g_assert_cmpint (fixture_wait (pid), ==, EINTR);
  assert_reads (f, "jobs/1/state", "cancelled\n");
  assert_reads (f, "vms/h1-1/state", "running\n");
  assert_says (f, "vms/h1-1/error", "cancelled");
}

static void
test_interrupt_shell (Fixture *f, gconstpointer data)
{
  g_atomic_int_set (&virfs_fake_delay, PATIENCE);
  g_assert_cmpint (sh_quietly (f, "timeout -s INT 0.2 sh -c 'echo paused > vms/h1-1/state'"), !=,
                   0);
  assert_soon_reads (f, "jobs/1/state", "cancelled\n");
  assert_reads (f, "vms/h1-1/state", "running\n");
}

/* Killed for good: nobody waits, what was begun is stopped. */
static void
test_killed (Fixture *f, gconstpointer data)
{
  g_atomic_int_set (&virfs_fake_delay, PATIENCE);
  g_assert_cmpint (sh_quietly (f, "timeout -s KILL 0.2 sh -c 'echo paused > vms/h1-1/state'"), !=,
                   0);
  assert_soon_reads (f, "jobs/1/state", "cancelled\n");
}

static void
test_cancel_job (Fixture *f, gconstpointer data)
{
  GPid pid;

  g_atomic_int_set (&virfs_fake_delay, PATIENCE);
  pid = fixture_spawn (f, "h2", "vms/h1-1/migrate");
  assert_soon_reads (f, "jobs/1/state", "running\n");
  assert_reads (f, "jobs/1/ctl", "cancel\n");
  assert_reads (f, "jobs/1/ended", "");
  g_assert_cmpint (echo (f, "stop", "jobs/1/ctl"), ==, EINVAL);
  g_assert_cmpint (echo (f, "cancel", "jobs/1/ctl"), ==, 0);
  g_assert_cmpint (fixture_wait (pid), ==, EINTR);
  assert_reads (f, "jobs/1/state", "cancelled\n");
  assert_reads (f, "jobs/1/ctl", "");
  g_assert_cmpint (echo (f, "cancel", "jobs/1/ctl"), ==, EBUSY);
  assert_leads (f, "vms/h1-1/host", "../../hosts/h1");
}

static void
test_host_lost_during_write (Fixture *f, gconstpointer data)
{
  GPid pid;

  g_atomic_int_set (&virfs_fake_delay, PATIENCE);
  pid = fixture_spawn (f, "paused", "vms/h1-1/state");
  assert_soon_reads (f, "jobs/1/state", "running\n");
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (fixture_wait (pid), ==, EHOSTDOWN);
  assert_reads (f, "jobs/1/state", "failed\n");
}

/* Others go on while one waits, also on the same file. */
static void
test_two_writers (Fixture *f, gconstpointer data)
{
  GPid first, second;

  g_atomic_int_set (&virfs_fake_delay, G_USEC_PER_SEC / 5);
  first = fixture_spawn (f, "paused", "vms/h1-1/state");
  second = fixture_spawn (f, "4", "vms/h1-1/vcpus");
  assert_reads (f, "vms/h1-2/state", "shutoff\n");
  g_assert_cmpint (fixture_wait (first), ==, 0);
  g_assert_cmpint (fixture_wait (second), ==, 0);
  assert_reads (f, "vms/h1-1/state", "paused\n");
  assert_reads (f, "vms/h1-1/vcpus", "4\n");
  first = fixture_spawn (f, "running", "vms/h1-1/state");
  second = fixture_spawn (f, "running", "vms/h1-1/state");
  g_assert_cmpint (fixture_wait (first), ==, 0);
  g_assert_cmpint (fixture_wait (second), ==, 0);
  assert_reads (f, "vms/h1-1/state", "running\n");
}

/* Hosts. */

static void
test_hosts (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "hosts/h3"), ==, 0);
  assert_reads (f, "hosts/h3/state", "unconfigured\n");
  assert_reads (f, "hosts/h3/uri", "");
  g_assert_cmpint (mkdir_at (f, "hosts/h3"), ==, EEXIST);
  g_assert_cmpint (mkdir_at (f, "hosts/.h"), ==, EINVAL);
  g_assert_cmpint (echo (f, "ftp://x", "hosts/h3/uri"), ==, EINVAL);
  assert_reads (f, "hosts/h3/state", "unconfigured\n");
  g_assert_cmpint (echo (f, "fake:2", "hosts/h3/uri"), ==, 0);
  assert_reads (f, "hosts/h3/state", "up\n");
  assert_reads (f, "hosts/h3/uri", "fake:2\n");
  assert_lists (f, "hosts/h3/vms", "h3-1 h3-2");
  assert_lists (f, "vms", "h1-1 h1-2 h1-3 h3-1 h3-2");
  g_assert_cmpint (rmdir_at (f, "hosts/h3"), ==, 0);
  assert_lists (f, "hosts", "h1 h2");
  g_assert_false (exists (f, "hosts/h3"));
  assert_soon (!exists (f, "vms/h3-1"));
  assert_lists (f, "vms", "h1-1 h1-2 h1-3");
  assert_lists (f, "by/host", "h1 h2");
  g_assert_cmpint (rmdir_at (f, "hosts/h3"), ==, ENOENT);
  g_assert_cmpint (mkdir_at (f, "hosts/h3"), ==, 0); /* anew */
  assert_reads (f, "hosts/h3/state", "unconfigured\n");
  assert_lists (f, "hosts/h3/vms", "");
}

static void
test_host_in_use (Fixture *f, gconstpointer data)
{
  GPid pid;

  g_atomic_int_set (&virfs_fake_delay, PATIENCE);
  pid = fixture_spawn (f, "paused", "vms/h1-1/state");
  assert_soon_reads (f, "jobs/1/state", "running\n");
  g_assert_cmpint (rmdir_at (f, "hosts/h1"), ==, EBUSY);
  g_assert_cmpint (echo (f, "fake:9", "hosts/h1/uri"), ==, EBUSY);
  kill (pid, SIGINT);
  g_assert_cmpint (fixture_wait (pid), ==, EINTR);
  g_assert_cmpint (rmdir_at (f, "hosts/h1"), ==, 0);
}

static mode_t
permissions (Fixture *f, const char *path)
{
  return stat_at (f, path).st_mode & 0777;
}

static void
test_host_down (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (permissions (f, "vms/h1-1/state"), ==, 0640);
  g_assert_cmpint (permissions (f, "vms/h1-1/xml"), ==, 0640);
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  assert_soon (permissions (f, "vms/h1-1/state") == 0440);
  assert_soon (permissions (f, "vms/h1-1/xml") == 0440);
  assert_soon (permissions (f, "vms/h1-1/migrate") == 0440);
  assert_soon_reads (f, "hosts/h1/state", "unreachable\n");
  assert_reads (f, "vms/h1-1/state", "running\n"); /* what was last known */
  g_assert_cmpint (permissions (f, "hosts/h1/uri"), ==, 0640);
  if (getuid () == 0) /* others do not get that far */
    g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, EHOSTDOWN);
  turn_host (f, "h1", VIRFS_HOST_UP);
  assert_soon (permissions (f, "vms/h1-1/state") == 0640);
  g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, 0);
}

/* What stat tells. */

static void
test_times (Fixture *f, gconstpointer data)
{
  struct stat state = stat_at (f, "vms/h1-1/state"), memory = stat_at (f, "vms/h1-1/memory");
  struct stat log = stat_at (f, "events/log");

  g_usleep (1000);
  g_assert_cmpint (echo (f, "running", "vms/h1-1/state"), ==, 0); /* no change */
  g_assert_cmpint (sh_quietly (f, "touch vms/h1-1/state"), ==, 0);
  g_assert_cmpint (stat_at (f, "vms/h1-1/state").st_mtim.tv_nsec, ==, state.st_mtim.tv_nsec);
  g_assert_cmpint (echo (f, "paused", "vms/h1-1/state"), ==, 0);
  g_assert_true (stat_at (f, "vms/h1-1/state").st_mtim.tv_nsec != state.st_mtim.tv_nsec
                 || stat_at (f, "vms/h1-1/state").st_mtim.tv_sec != state.st_mtim.tv_sec);
  g_assert_cmpint (stat_at (f, "vms/h1-1/memory").st_mtim.tv_nsec, ==, memory.st_mtim.tv_nsec);
  assert_soon (stat_at (f, "events/log").st_size > log.st_size);
}

static void
test_chmod (Fixture *f, gconstpointer data)
{
  g_autofree char *path = at (f, "vms/h1-1/state");

  g_assert_cmpint (chmod (path, 0640), ==, 0); /* what it is: cp -p must not fail */
  g_assert_cmpint (chmod (path, 0777), ==, -1);
  g_assert_cmpint (errno, ==, EPERM);
  g_assert_cmpint (chown (path, 12345, -1), ==, -1);
  g_assert_cmpint (errno, ==, EPERM);
  g_assert_cmpint (truncate (path, 0), ==, 0);
  assert_reads (f, "vms/h1-1/state", "running\n");
}

static void
test_inodes (void)
{
  static const char *const paths[] = { "",      "vms",          "vms/h1-1", "vms/h1-1/state",
                                       "hosts", "hosts/h1/uri", "by/uuid",  "hosts/h1/vms/h1-2" };
  guint64 inodes[G_N_ELEMENTS (paths)];

  for (guint round = 0; round < 2; round++) {
    Fixture f = { 0 };

    fixture_set_up (&f, round == 0 ? FLEET : "h2=fake:1 h1=fake:9");
    for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
      guint64 inode = stat_at (&f, paths[i]).st_ino;

      if (round == 0)
        inodes[i] = inode;
      g_assert_cmpuint (inode, ==, inodes[i]);
      for (guint j = 0; j < i; j++)
        g_assert_cmpuint (inode, !=, inodes[j]);
    }
    fixture_tear_down (&f, NULL);
  }
}

static void
test_help (Fixture *f, gconstpointer data)
{
  static const char *const paths[] = {
    "", "README", "vms/h1-1", "vms/h1-1/state", "hosts/h1/vms", "events/stream", "by/state/paused"
  };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree char *path = at (f, paths[i]);
    char help[256] = "", names[256] = "";

    g_assert_cmpint (getxattr (path, "user.virfs.help", help, sizeof help - 1), >, 0);
    g_assert_cmpint (listxattr (path, names, sizeof names), >, 0);
    g_assert_cmpstr (names, ==, "user.virfs.help");
    g_assert_cmpint (getxattr (path, "user.other", help, sizeof help), ==, -1);
    g_assert_cmpint (errno, ==, ENODATA);
    g_assert_cmpint (getxattr (path, "user.virfs.help", help, 1), ==, -1);
    g_assert_cmpint (errno, ==, ERANGE);
  }
}

/* Names. */

static void
test_odd_names (Fixture *f, gconstpointer data)
{
  rename_vm (f, "h1-1", "a/b 100% \n\x9b");
  assert_soon (exists (f, "vms/a%2Fb 100%25 %0A%9B/state"));
  assert_soon (!exists (f, "vms/h1-1"));
  assert_reads (f, "vms/a%2Fb 100%25 %0A%9B/state", "running\n");
  rename_vm (f, "a%2Fb 100%25 %0A%9B", "..");
  assert_soon (exists (f, "vms/%2E."));
  assert_reads (f, "vms/%2E./host/vms/%2E./state", "running\n");
  rename_vm (f, "%2E.", "h1-2"); /* taken */
  assert_soon_reads (f, "vms/h1-2~h1/state", "running\n");
  assert_reads (f, "vms/h1-2/state", "shutoff\n");
}

/* A file that is open goes on telling of its guest, whatever that is called; one that is gone says so. */
static void
test_open_file (Fixture *f, gconstpointer data)
{
  g_autofree char *path = at (f, "vms/h1-1/state");
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  char buffer[32] = "";

  rename_vm (f, "h1-1", "other");
  g_assert_cmpint (echo (f, "paused", "vms/other/state"), ==, 0);
  g_assert_cmpint (pread (fd, buffer, sizeof buffer, 0), ==, strlen ("paused\n"));
  g_assert_cmpstr (buffer, ==, "paused\n");
  virfs_infra_remove_vm (f->infra, info->host, info->uuid);
  assert_soon (!exists (f, "vms/other"));
  assert_soon (pread (fd, buffer, sizeof buffer, 0) == -1 && errno == ESTALE);
  close (fd);
}

#define ADD(path, func) fixture_add (path, FLEET, func)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/tree/look-around", test_look_around);
  ADD ("/tree/state", test_state);
  ADD ("/tree/ctl", test_ctl);
  ADD ("/tree/migrate", test_migrate);
  ADD ("/tree/mv", test_mv);
  ADD ("/tree/mv-cancelled", test_mv_cancelled);
  ADD ("/tree/error-files", test_error_files);
  ADD ("/tree/nothing-destroyed", test_nothing_destroyed);
  ADD ("/tree/read-only-files", test_read_only_files);
  ADD ("/tree/attributes", test_attributes);
  ADD ("/tree/pinning", test_pinning);
  ADD ("/tree/boot-order", test_boot_order);
  ADD ("/tree/hardware", test_hardware);
  ADD ("/tree/lines", test_lines);
  ADD ("/tree/no-newline", test_no_newline);
  ADD ("/tree/pieces", test_pieces);
  ADD ("/tree/shells", test_shells);
  ADD ("/tree/truncate", test_truncate);
  ADD ("/tree/document", test_document);
  ADD ("/tree/long-line", test_long_line);
  ADD ("/tree/interrupt", test_interrupt);
  ADD ("/tree/interrupt-shell", test_interrupt_shell);
  ADD ("/tree/killed", test_killed);
  ADD ("/tree/cancel-job", test_cancel_job);
  ADD ("/tree/host-lost-during-write", test_host_lost_during_write);
  ADD ("/tree/two-writers", test_two_writers);
  ADD ("/tree/hosts", test_hosts);
  ADD ("/tree/host-in-use", test_host_in_use);
  ADD ("/tree/host-down", test_host_down);
  ADD ("/tree/times", test_times);
  ADD ("/tree/chmod", test_chmod);
  g_test_add_func ("/tree/inodes", test_inodes);
  ADD ("/tree/help", test_help);
  ADD ("/tree/odd-names", test_odd_names);
  ADD ("/tree/open-file", test_open_file);
  return g_test_run ();
}
