/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks of the libvirt backend, on libvirt's test driver. */
#include "backend.h"

#include "device.h"
#include "error.h"
#include "private.h"
#include "xml_definition.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

#define MEMBER(member) G_STRUCT_OFFSET (VirfsNetworkInfo, member)

static const char host_xml[]
  = "<node><network><name>default</name><bridge name='virbr0'/><forward mode='nat' dev='eth0'>"
    "<nat><port start='1024' end='65535'/></nat></forward><domain name='lab.example'/>"
    "<mtu size='1400'/>"
    "<bandwidth><inbound average='1000' peak='2000' burst='64'/></bandwidth>"
    "<ip address='192.168.122.1' netmask='255.255.255.0'><dhcp>"
    "<range start='192.168.122.2' end='192.168.122.99'><lease expiry='2' unit='hours'/></range>"
    "<host mac='52:54:00:00:00:01' name='web' ip='192.168.122.7'/></dhcp></ip>"
    "<ip family='ipv6' address='fd00:7::1' prefix='64'/>"
    "<dns><host ip='192.168.122.7'><hostname>web</hostname><hostname>www</hostname></host></dns>"
    "<portgroup name='office' default='yes'><bandwidth><inbound average='100'/></bandwidth>"
    "</portgroup></network>"
    "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os><devices>"
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/>"
    "</interface></devices></domain></node>";

static VirfsPart *
part_of (Backend *f, const char *name)
{
  return virfs_infra_part (f->infra, f->host, &virfs_network_class, name);
}

static gboolean
is_there (Backend *f, const char *name)
{
  g_autoptr (VirfsPart) part = part_of (f, name);

  return part != NULL;
}

static void
set_up (Backend *f, gconstpointer data)
{
  backend_open (f, host_xml, NULL);
  assert_soon (is_there (f, "default"));
}

/* Doing. */

static int
verb (Backend *f, const char *name, VirfsNetworkVerb which)
{
  g_autoptr (VirfsPart) network = part_of (f, name);
  VirfsJob *job = backend_begin_host (f);

  virfs_libvirt_backend.network_verb (network, which, job);
  return backend_end (job);
}

static int
set (Backend *f, const char *name, gsize member, guint64 number, const char *text)
{
  g_autoptr (VirfsPart) network = part_of (f, name);
  g_autoptr (VirfsPartInfo) known = virfs_part_info (network);
  g_autoptr (VirfsPartInfo) wanted = virfs_part_info_copy (known);
  VirfsJob *job = backend_begin_host (f);

  virfs_part_info_set (wanted, member, number, text);
  virfs_libvirt_backend.network_set (network, (VirfsNetworkInfo *) wanted, member, job);
  return backend_end (job);
}

static int
define (Backend *f, const char *name, const char *xml)
{
  g_autoptr (VirfsPart) network = part_of (f, name);
  VirfsJob *job = backend_begin_host (f);

  virfs_libvirt_backend.network_define (network, xml, job);
  return backend_end (job);
}

static char *
xml_of (Backend *f, const char *name)
{
  g_autoptr (VirfsPart) part = part_of (f, name);
  g_autoptr (VirfsPartInfo) info = virfs_part_info (part);

  return virfs_blob_text (((VirfsNetworkInfo *) info)->xml);
}

static gboolean
xml_has (Backend *f, const char *name, const char *what)
{
  g_autofree char *xml = xml_of (f, name);

  if (strstr (xml, what) != NULL)
    return TRUE;
  g_test_message ("%s", xml);
  return FALSE;
}

#define assert_network(name, condition)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (VirfsPart) part_ = part_of (f, name);                                               \
    g_autoptr (VirfsPartInfo) owned_ = part_ ? virfs_part_info (part_) : NULL;                     \
    const VirfsNetworkInfo *info = (VirfsNetworkInfo *) owned_;                                    \
    g_assert_nonnull (info);                                                                       \
    g_assert_true (condition);                                                                     \
  }                                                                                                \
  G_STMT_END
#define assert_text(name, member, text) assert_network (name, g_strcmp0 (info->member, text) == 0)

/* The tests. */

static void
test_read (Backend *f, gconstpointer data)
{
  assert_network ("default", info->active && info->uuid && virfs_blob_size (info->xml) > 0);
  assert_text ("default", forward, "nat");
  assert_text ("default", dev, "eth0");
  assert_text ("default", bridge, "virbr0");
  assert_text ("default", domain, "lab.example");
  assert_text ("default", address, "192.168.122.1/24\nfd00:7::1/64");
  assert_text ("default", dhcp, "192.168.122.2 192.168.122.99");
  assert_text ("default", hosts, "52:54:00:00:00:01 192.168.122.7 web");
  assert_text ("default", dns, "192.168.122.7 web www");
  assert_text ("default", portgroups, "office default");
  assert_text ("default", leases, NULL);
  assert_network ("default", info->mtu == 1400 && info->rx_max == 1000 * 1024);
  assert_network ("default", info->rx_peak == 2000 * 1024 && info->rx_burst == 64 * 1024);
  assert_network ("default", info->tx_max == 0);
}

/* All that can be said of one, from its draft to its end. */
static void
test_draft (Backend *f, gconstpointer data)
{
  VirfsNetworkInfo *draft = virfs_part_info_new (&virfs_network_class, "lab");
  g_autoptr (VirfsPart) network = NULL;

  draft->forward = "route";
  draft->autostart = TRUE;
  draft->mtu = 9000;
  draft->tx_max = 1 << 20;
  virfs_ref_string_set (&draft->dev, "eth1");
  virfs_ref_string_set (&draft->domain, "example");
  virfs_ref_string_set (&draft->address, "10.9.0.1/16\nfd00:9::1/64");
  virfs_ref_string_set (&draft->dhcp, "10.9.0.2 10.9.0.9\n10.9.1.2 10.9.1.9");
  virfs_ref_string_set (&draft->hosts, "52:54:00:00:00:02 10.9.0.2 db");
  virfs_ref_string_set (&draft->dns, "10.9.0.2 db\nfd00:9::2 db6");
  network = virfs_infra_add_draft (f->infra, f->host, draft, NULL);
  g_assert_cmpint (verb (f, "lab", VIRFS_NETWORK_START), ==, 0);
  assert_network ("lab", info->active && !info->part.draft && info->persistent && info->autostart);
  assert_text ("lab", forward, "route");
  assert_text ("lab", dev, "eth1");
  assert_text ("lab", address, "10.9.0.1/16\nfd00:9::1/64");
  assert_text ("lab", dhcp, "10.9.0.2 10.9.0.9\n10.9.1.2 10.9.1.9");
  assert_text ("lab", hosts, "52:54:00:00:00:02 10.9.0.2 db");
  assert_text ("lab", dns, "10.9.0.2 db\nfd00:9::2 db6");
  assert_network ("lab", info->mtu == 9000 && info->tx_max == 1 << 20);
  g_assert_cmpint (verb (f, "lab", VIRFS_NETWORK_STOP), ==, 0);
  assert_network ("lab", !info->active);
  g_assert_cmpint (verb (f, "lab", VIRFS_NETWORK_UNDEFINE), ==, 0);
  g_assert_false (is_there (f, "lab"));
}

/* What an active network takes. */
static void
test_live (Backend *f, gconstpointer data)
{
  static const char hosts[] = "52:54:00:00:00:02 192.168.122.8 db\n52:54:00:00:00:03 192.168.122.9";

  g_assert_cmpint (set (f, "default", MEMBER (hosts), 0, hosts), ==, 0);
  assert_text ("default", hosts, hosts);
  g_assert_cmpint (set (f, "default", MEMBER (hosts), 0, NULL), ==, 0);
  assert_text ("default", hosts, NULL);
  g_assert_cmpint (
    set (f, "default", MEMBER (dhcp), 0,
         "192.168.122.2 192.168.122.99\n192.168.122.200 192.168.122.210\nfd00:7::5 fd00:7::9"),
    ==, 0);
  assert_text (
    "default", dhcp,
    "192.168.122.2 192.168.122.99\n192.168.122.200 192.168.122.210\nfd00:7::5 fd00:7::9");
  g_assert_true (xml_has (f, "default", "<lease"));
  g_assert_cmpint (set (f, "default", MEMBER (dns), 0, "192.168.122.8 db"), ==, 0);
  assert_text ("default", dns, "192.168.122.8 db");
  g_assert_cmpint (set (f, "default", MEMBER (portgroups), 0, "office 10 default\nlab 20 30"), ==,
                   0);
  assert_text ("default", portgroups, "office 10 default\nlab 20 30");
  g_assert_true (xml_has (f, "default", "<inbound average='100'/>"));
  g_assert_cmpint (set (f, "default", MEMBER (mtu), 1500, NULL), ==, EBUSY);
}

/* And an inactive one: what is not known here stays. */
static void
test_inactive (Backend *f, gconstpointer data)
{
  g_assert_cmpint (verb (f, "default", VIRFS_NETWORK_STOP), ==, 0);
  g_assert_cmpint (set (f, "default", MEMBER (domain), 0, "example"), ==, 0);
  g_assert_cmpint (set (f, "default", MEMBER (dev), 0, NULL), ==, 0);
  assert_text ("default", dev, NULL);
  g_assert_true (xml_has (f, "default", "<port start='1024' end='65535'/>"));
  g_assert_true (xml_has (f, "default", "<lease"));
  g_assert_cmpint (set (f, "default", MEMBER (rx_peak), 0, NULL), ==, 0);
  assert_network ("default", info->rx_peak == 0 && info->rx_max == 1000 * 1024);
  g_assert_cmpint (set (f, "default", MEMBER (address), 0, "192.168.0.1/16"), ==, 0);
  assert_text ("default", address, "192.168.0.1/16");
  assert_text ("default", dhcp, "192.168.122.2 192.168.122.99");
  assert_text ("default", hosts, "52:54:00:00:00:01 192.168.122.7 web");
  g_assert_cmpint (set (f, "default", MEMBER (hosts), 0, NULL), ==, 0);
  g_assert_cmpint (set (f, "default", MEMBER (dhcp), 0, NULL), ==, 0);
  g_assert_cmpint (set (f, "default", MEMBER (forward), 0, "isolated"), ==, 0);
  assert_text ("default", forward, "isolated");
  assert_text ("default", domain, "example");
  g_assert_cmpint (verb (f, "default", VIRFS_NETWORK_START), ==, 0);
}

static void
test_kinds (Backend *f, gconstpointer data)
{
  static const struct {
    const char *forward, *bridge, *dev;
  } kinds[] = {
    { "isolated", NULL, NULL },  { "bridge", "br7", NULL }, { "macvtap", NULL, "eth1 eth2" },
    { "private", NULL, "eth1" }, { "vepa", NULL, "eth1" },  { "passthrough", NULL, "eth1" },
    { "hostdev", NULL, "eth1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    VirfsNetworkInfo *draft = virfs_part_info_new (&virfs_network_class, kinds[i].forward);
    g_autoptr (VirfsPart) network = NULL;

    draft->forward = kinds[i].forward;
    virfs_ref_string_set (&draft->bridge, kinds[i].bridge);
    virfs_ref_string_set (&draft->dev, kinds[i].dev);
    network = virfs_infra_add_draft (f->infra, f->host, draft, NULL);
    g_assert_cmpint (verb (f, kinds[i].forward, VIRFS_NETWORK_DEFINE), ==, 0);
    assert_network (kinds[i].forward, !info->active && info->persistent);
    assert_text (kinds[i].forward, forward, kinds[i].forward);
    assert_text (kinds[i].forward, dev, kinds[i].dev);
  }
}

static void
test_define (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsPart) draft = virfs_infra_add_draft (
    f->infra, f->host, virfs_part_info_new (&virfs_network_class, "n"), NULL);

  g_assert_cmpint (define (f, "n", "<network><name>other</name></network>"), ==, EINVAL);
  g_assert_cmpint (define (f, "n", "<domain/>"), ==, EINVAL);
  g_assert_cmpint (define (f, "n", "nonsense"), ==, EINVAL);
  g_assert_cmpint (define (f, "n", "<network><bridge name='br9'/></network>"), ==, 0);
  assert_network ("n", !info->part.draft && !info->active);
  assert_text ("n", bridge, "br9");
}

/* What others do is seen. */
static gboolean
is_active (Backend *f, const char *name)
{
  g_autoptr (VirfsPart) part = part_of (f, name);
  g_autoptr (VirfsPartInfo) info = part ? virfs_part_info (part) : NULL;

  return info != NULL && ((VirfsNetworkInfo *) info)->active;
}

static void
test_events (Backend *f, gconstpointer data)
{
  virConnectPtr conn = virfs_libvirt_connection (f->host);
  virNetworkPtr network
    = virNetworkDefineXML (conn, "<network><name>foreign</name><bridge name='br5'/></network>");

  assert_soon (is_there (f, "foreign"));
  g_assert_cmpint (virNetworkCreate (network), ==, 0);
  assert_soon (is_active (f, "foreign"));
  g_assert_cmpint (virNetworkDestroy (network), ==, 0);
  assert_soon (!is_active (f, "foreign"));
  g_assert_cmpint (virNetworkUndefine (network), ==, 0);
  assert_soon (!is_there (f, "foreign"));
  virNetworkFree (network);
  virConnectClose (conn);
}

/* The driver cannot set links: nothing is kept then. */
static void
test_isolation (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, "web");
  g_autoptr (VirfsVmInfo) info = NULL;
  VirfsJob *job = backend_begin_host (f);

  virfs_libvirt_backend.vm_isolate (vm, "eth0", TRUE, job);
  g_assert_cmpint (backend_end (job), ==, ENOTSUP);
  job = backend_begin_host (f);
  virfs_libvirt_backend.vm_isolate (vm, NULL, TRUE, job);
  g_assert_cmpint (backend_end (job), ==, ENOTSUP);
  info = virfs_vm_info (vm);
  g_assert_null (info->isolation);
  g_assert_false (((VirfsNicInfo *) info->parts[VIRFS_VM_NICS]->pdata[0])->isolated);
}

static void
assert_differs (const char *wanted, const char *is, const char *differ)
{
  g_autofree char *text = lv_xml_differ (wanted, is);

  g_assert_cmpstr (text, ==, differ);
}

/* Paths and names are others in capitals; addresses and UUIDs are not. */
static void
test_case (void)
{
  assert_differs ("<pool type='dir'><target><path>/srv/VMs</path></target></pool>",
                  "<pool type='dir'><target><path>/srv/vms/</path></target></pool>",
                  "pool/target/path is /srv/vms, not /srv/VMs");
  assert_differs ("<pool type='dir'><target><path>/srv/VMs/</path></target></pool>",
                  "<pool type='dir'><target><path>/srv/VMs</path></target></pool>", NULL);
  assert_differs ("<network><domain name='Office'/></network>",
                  "<network><domain name='office'/></network>",
                  "network/domain/@name is office, not Office");
  assert_differs ("<network><uuid>3C9D8A00-1B6B-4E6E-9D0F-AB8A4F3E0001</uuid>"
                  "<mac address='52:54:00:AB:CD:EF'/>"
                  "<ip family='ipv6' address='FD00:0::1' prefix='64'/></network>",
                  "<network><uuid>3c9d8a00-1b6b-4e6e-9d0f-ab8a4f3e0001</uuid>"
                  "<mac address='52:54:00:ab:cd:ef'/>"
                  "<ip family='ipv6' address='fd00::1' prefix='64'/></network>",
                  NULL);
}

int
main (int argc, char **argv)
{
  const VirfsLibvirtOptions options = VIRFS_LIBVIRT_DEFAULTS;

  g_test_init (&argc, &argv, NULL);
  virfs_libvirt_init (&options);
#define ADD(path, test) g_test_add (path, Backend, NULL, set_up, test, backend_close)
  ADD ("/networks/read", test_read);
  ADD ("/networks/draft", test_draft);
  ADD ("/networks/live", test_live);
  ADD ("/networks/inactive", test_inactive);
  ADD ("/networks/kinds", test_kinds);
  ADD ("/networks/define", test_define);
  ADD ("/networks/events", test_events);
  ADD ("/networks/isolation", test_isolation);
  g_test_add_func ("/networks/differ/case", test_case);
  return g_test_run ();
}
