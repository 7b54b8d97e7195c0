/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks as files, on the fake. */
#include "device.h"
#include "fixture.h"

#include <string.h>

#define NET "hosts/h1/networks/default"
#define NEW "hosts/h1/networks/lab"

/* The guest LABEL gets a NIC in `default`; LIVE: it has it now. */
static void
set_nic (VirfsVmInfo *info, gpointer live)
{
  VirfsNicInfo *nic = virfs_part_info_new (&virfs_nic_class, "eth0");
  GPtrArray *list = virfs_part_list_new ();

  nic->type = "network";
  nic->mac = g_ref_string_new ("52:54:00:00:00:01");
  nic->network = g_ref_string_new ("default");
  nic->live = GPOINTER_TO_INT (live);
  nic->persistent = TRUE;
  g_ptr_array_add (list, nic);
  virfs_part_lists_set (info->parts, VIRFS_VM_NICS, list);
}

static void
plug (Fixture *f, const char *label, gboolean live)
{
  g_autoptr (VirfsVm) vm = vm_of (f, label);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  virfs_infra_edit_vm (f->infra, info->host, info->uuid, set_nic, GINT_TO_POINTER (live));
}

static void
test_network (Fixture *f, gconstpointer data)
{
  assert_reads (f, NET "/state", "active\n");
  assert_reads (f, NET "/ctl", "stop\ndestroy\n");
  assert_reads (f, NET "/forward", "nat\n");
  assert_reads (f, NET "/bridge", "virbr0\n");
  assert_reads (f, NET "/address", "192.168.122.1/24\n");
  assert_reads (f, NET "/leases", "- 52:54:00:00:00:01 192.168.122.7 web\n");
  assert_reads (f, NET "/mtu", "0\n");
  g_assert_cmpint (echo (f, "start", NET "/ctl"), ==, EBUSY);
  g_assert_cmpint (echo (f, "dance", NET "/ctl"), ==, EINVAL);
  g_assert_cmpint (rmdir_at (f, NET), ==, EBUSY);
  assert_says (f, "error", "write stop to its ctl first");
  g_assert_cmpint (echo (f, "1500", NET "/mtu"), ==, EBUSY);
  g_assert_cmpint (echo (f, "1", NET "/autostart"), ==, 0);
  g_assert_cmpint (echo (f, "inactive", NET "/state"), ==, 0);
  g_assert_cmpint (echo (f, "inactive", NET "/state"), ==, 0);
  assert_reads (f, NET "/ctl", "start\n");
  g_assert_cmpint (echo (f, "1500", NET "/mtu"), ==, 0);
  assert_reads (f, NET "/mtu", "1500\n");
  g_assert_cmpint (rmdir_at (f, NET), ==, 0);
  assert_lists (f, "hosts/h1/networks", "");
}

static void
test_draft (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, NET), ==, EEXIST);
  g_assert_cmpint (mkdir_at (f, NEW), ==, 0);
  assert_reads (f, NEW "/state", "draft\n");
  assert_reads (f, NEW "/forward", "isolated\n");
  assert_reads (f, NEW "/ctl", "define\nstart\n");
  g_assert_cmpint (echo (f, "sideways", NEW "/forward"), ==, EINVAL);
  g_assert_cmpint (echo (f, "nat", NEW "/forward"), ==, 0);
  g_assert_cmpint (echo (f, "start", NEW "/ctl"), ==, EINVAL);
  assert_says (f, "error", "needs an address");
  g_assert_cmpint (echo (f, "192.168.150.1", NEW "/address"), ==, EINVAL);
  g_assert_cmpint (echo (f, "192.168.150.1/24", NEW "/address"), ==, 0);
  g_assert_cmpint (echo (f, "10.0.0.2 10.0.0.9", NEW "/dhcp"), ==, 0);
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, EINVAL);
  assert_says (f, "error", "in no subnet");
  g_assert_cmpint (echo (f, "192.168.150.2 192.168.150.99", NEW "/dhcp"), ==, 0);
  g_assert_cmpint (echo (f, "nowhere", NEW "/dev"), ==, 0);
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, ENOENT);
  assert_reads (f, NEW "/state", "draft\n");
  g_assert_cmpint (echo (f, "", NEW "/dev"), ==, 0);
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, 0);
  assert_reads (f, NEW "/state", "active\n");
  assert_lists (f, "hosts/h1/networks", "default lab");
  g_assert_cmpint (mkdir_at (f, "hosts/h1/networks/not"), ==, 0);
  g_assert_cmpint (rmdir_at (f, "hosts/h1/networks/not"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "hosts/h1/networks/a%b"), ==, EINVAL);
}

/* What can be changed while guests are in it. */
static void
test_live (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "52:54:00:00:00:01 192.168.122.7 web", NET "/hosts"), ==, 0);
  assert_reads (f, NET "/hosts", "52:54:00:00:00:01 192.168.122.7 web\n");
  g_assert_cmpint (echo (f, "52:54:00:00:00:01 10.0.0.1 web", NET "/hosts"), ==, EINVAL);
  g_assert_cmpint (echo (f, "192.168.122.7 web  www", NET "/dns"), ==, 0);
  assert_reads (f, NET "/dns", "192.168.122.7 web www\n");
  g_assert_cmpint (echo (f, "192.168.122.2 192.168.122.99", NET "/dhcp"), ==, 0);
  g_assert_cmpint (echo (f, "office default", NET "/portgroups"), ==, 0);
  g_assert_cmpint (echo (f, "", NET "/hosts"), ==, 0);
  assert_reads (f, NET "/hosts", "");
  g_assert_cmpint (echo (f, "1M", NET "/rx_max"), ==, EBUSY);
}

static void
test_rates (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, NEW), ==, 0);
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, 0);
  g_assert_cmpint (echo (f, "inactive", NEW "/state"), ==, 0);
  g_assert_cmpint (echo (f, "2M", NEW "/rx_peak"), ==, EINVAL);
  assert_says (f, "error", "rx_max first");
  g_assert_cmpint (echo (f, "1000", NEW "/rx_max"), ==, 0);
  assert_reads (f, NEW "/rx_max", "1024\n");
  g_assert_cmpint (echo (f, "2M", NEW "/rx_peak"), ==, 0);
  g_assert_cmpint (echo (f, "0", NEW "/rx_max"), ==, EINVAL);
  g_assert_cmpint (echo (f, "20", NEW "/mtu"), ==, EINVAL);
}

static void
test_used (Fixture *f, gconstpointer data)
{
  assert_lists (f, NET "/used_by", "");
  plug (f, "h1-1", TRUE);
  plug (f, "h1-2", FALSE);
  assert_lists (f, NET "/used_by", "h1-1 h1-2");
  assert_reads (f, NET "/used_by/h1-1/state", "running\n");
  g_assert_cmpint (echo (f, "stop", NET "/ctl"), ==, EBUSY);
  assert_says (f, "error", "vms/h1-1 runs and has a NIC in the network");
  g_assert_cmpint (echo (f, "inactive", NET "/state"), ==, EBUSY);
  g_assert_cmpint (echo (f, "destroy", NET "/ctl"), ==, 0);
  g_assert_cmpint (rmdir_at (f, NET), ==, EBUSY);
  plug (f, "h1-1", FALSE);
  g_assert_cmpint (rmdir_at (f, NET), ==, 0);
}

static void
test_xml (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo_n (f, "<network/>\n", -1, NET "/xml"), ==, 0);
  g_assert_cmpint (echo_n (f, "<network a='1'/>\n", -1, NET "/xml"), ==, EBUSY);
  g_assert_cmpint (mkdir_at (f, NEW), ==, 0);
  g_assert_cmpint (echo_n (f, "<domain/>\n", -1, NEW "/xml"), ==, EINVAL);
  g_assert_cmpint (echo_n (f, "<network a='1'/>\n", -1, NEW "/xml"), ==, 0);
  assert_reads (f, NEW "/state", "inactive\n");
}

/* Filters. */

#define FILTERS "hosts/h1/nwfilters"

static void
set_filter (VirfsVmInfo *info, gpointer data)
{
  set_nic (info, GINT_TO_POINTER (TRUE));
  virfs_ref_string_set (&((VirfsNicInfo *) info->parts[VIRFS_VM_NICS]->pdata[0])->filter, data);
}

static void
test_filters (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  assert_lists (f, FILTERS, "clean");
  assert_reads (f, FILTERS "/clean/xml", "<filter/>\n");
  g_assert_cmpint (mkdir_at (f, FILTERS "/mine"), ==, 0);
  assert_reads (f, FILTERS "/mine/xml", "");
  g_assert_cmpint (echo_n (f, "<domain/>\n", -1, FILTERS "/mine/xml"), ==, EINVAL);
  g_assert_cmpint (echo_n (f, "<filter a='1'/>\n", -1, FILTERS "/mine/xml"), ==, 0);
  g_assert_cmpint (echo_n (f, "<filter a='1'/>\n", -1, FILTERS "/mine/xml"), ==, 0);
  assert_reads (f, FILTERS "/mine/xml", "<filter a='1'/>\n");
  virfs_infra_edit_vm (f->infra, info->host, info->uuid, set_filter, (gpointer) "mine");
  g_assert_cmpint (rmdir_at (f, FILTERS "/mine"), ==, EBUSY);
  assert_says (f, "error", "is that of vms/h1-1/nics/eth0");
  virfs_infra_edit_vm (f->infra, info->host, info->uuid, set_filter, NULL);
  g_assert_cmpint (rmdir_at (f, FILTERS "/mine"), ==, 0);
  g_assert_cmpint (mkdir_at (f, FILTERS "/draft"), ==, 0);
  g_assert_cmpint (rmdir_at (f, FILTERS "/draft"), ==, 0);
  assert_lists (f, FILTERS, "clean");
}

/* Isolation. */

#define WEB "vms/h1-1"

static void
set_two_nics (VirfsVmInfo *info, gpointer unused)
{
  GPtrArray *list = virfs_part_list_new ();

  for (guint i = 0; i < 2; i++) {
    g_autofree char *name = g_strdup_printf ("eth%u", i);
    g_autofree char *mac = g_strdup_printf ("52:54:00:00:00:0%u", i);
    VirfsNicInfo *nic = virfs_part_info_new (&virfs_nic_class, name);

    nic->mac = g_ref_string_new (mac);
    nic->live = nic->persistent = TRUE;
    nic->link_down = i == 1;
    g_ptr_array_add (list, nic);
  }
  virfs_part_lists_set (info->parts, VIRFS_VM_NICS, list);
}

static void
plug_two (Fixture *f)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  virfs_infra_edit_vm (f->infra, info->host, info->uuid, set_two_nics, NULL);
}

#define assert_nics(f, first, second, link0, link1)                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    assert_reads (f, WEB "/nics/eth0/isolation", first "\n");                                      \
    assert_reads (f, WEB "/nics/eth1/isolation", second "\n");                                     \
    assert_reads (f, WEB "/nics/eth0/link", link0 "\n");                                           \
    assert_reads (f, WEB "/nics/eth1/link", link1 "\n");                                           \
  }                                                                                                \
  G_STMT_END

static void
test_isolate_nic (Fixture *f, gconstpointer data)
{
  plug_two (f);
  assert_nics (f, "none", "none", "up", "down");
  g_assert_cmpint (echo (f, "maybe", WEB "/nics/eth0/isolation"), ==, EINVAL);
  g_assert_cmpint (echo (f, "none", WEB "/nics/eth0/isolation"), ==, 0);
  g_assert_cmpint (echo (f, "isolated", WEB "/nics/eth0/isolation"), ==, 0);
  g_assert_cmpint (echo (f, "isolated", WEB "/nics/eth0/isolation"), ==, 0);
  assert_nics (f, "isolated", "none", "down", "down");
  g_assert_cmpint (echo (f, "up", WEB "/nics/eth0/link"), ==, EBUSY);
  g_assert_cmpint (echo (f, "52:54:00:00:00:09", WEB "/nics/eth0/mac"), ==, EBUSY);
  assert_says (f, "error", "eth0 is isolated");
  g_assert_cmpint (echo (f, "isolated", WEB "/nics/eth1/isolation"), ==, 0);
  assert_nics (f, "isolated", "isolated", "down", "down");
  g_assert_cmpint (echo (f, "none", WEB "/nics/eth1/isolation"), ==, 0);
  g_assert_cmpint (echo (f, "none", WEB "/nics/eth0/isolation"), ==, 0);
  assert_nics (f, "none", "none", "up", "down");
}

/* What was isolated by itself before is so afterwards. */
static void
test_quarantine (Fixture *f, gconstpointer data)
{
  plug_two (f);
  assert_reads (f, WEB "/isolation", "none\n");
  g_assert_cmpint (echo (f, "isolated", WEB "/isolation"), ==, EINVAL);
  g_assert_cmpint (echo (f, "quarantine", WEB "/isolation"), ==, 0);
  assert_reads (f, WEB "/isolation", "quarantine\n");
  assert_nics (f, "isolated", "isolated", "down", "down");
  g_assert_cmpint (echo (f, "none", WEB "/nics/eth0/isolation"), ==, EBUSY);
  assert_says (f, "error", "in quarantine");
  g_assert_cmpint (echo (f, "isolated", WEB "/nics/eth1/isolation"), ==, 0);
  g_assert_cmpint (echo (f, "none", WEB "/isolation"), ==, 0);
  assert_reads (f, WEB "/isolation", "none\n");
  assert_nics (f, "none", "isolated", "up", "down");
  g_assert_cmpint (echo (f, "none", WEB "/isolation"), ==, 0);
  g_assert_cmpint (echo (f, "none", WEB "/nics/eth1/isolation"), ==, 0);
  assert_nics (f, "none", "none", "up", "down");
}

/* It would bring back the links of then. */
static void
test_quarantine_holds (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo (f, "quarantine", WEB "/isolation"), ==, 0);
  g_assert_cmpint (echo (f, "revert", WEB "/snapshots/first/ctl"), ==, EBUSY);
  g_assert_cmpint (echo (f, "none", WEB "/isolation"), ==, 0);
  g_assert_cmpint (echo (f, "revert", WEB "/snapshots/first/ctl"), ==, 0);
}

#define ADD(path, func) fixture_add (path, "h1=fake:2", func)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/networks/network", test_network);
  ADD ("/networks/draft", test_draft);
  ADD ("/networks/live", test_live);
  ADD ("/networks/rates", test_rates);
  ADD ("/networks/used", test_used);
  ADD ("/networks/xml", test_xml);
  ADD ("/networks/filters", test_filters);
  ADD ("/isolation/nic", test_isolate_nic);
  ADD ("/isolation/quarantine", test_quarantine);
  ADD ("/isolation/holds", test_quarantine_holds);
  return g_test_run ();
}
