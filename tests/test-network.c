/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of networks, and what goes together. */
#include "error.h"
#include "network.h"

#define MEMBER(member) G_STRUCT_OFFSET (VirfsNetworkInfo, member)

/* KEPT NULL: it is refused. */
static const struct {
  gsize member;
  const char *text, *kept;
} rows[] = {
  { MEMBER (address), "192.168.150.1/24", "192.168.150.1/24" },
  { MEMBER (address), "192.168.150.1/24\n\n fd00::1/64 \n", "192.168.150.1/24\nfd00::1/64" },
  { MEMBER (address), "", "" },
  { MEMBER (address), "192.168.150.1", NULL },
  { MEMBER (address), "192.168.150.1/33", NULL },
  { MEMBER (address), "192.168.150.1/0", NULL },
  { MEMBER (address), "192.168.150.256/24", NULL },
  { MEMBER (address), "fd00::1/129", NULL },
  { MEMBER (dhcp), "10.0.0.2\t10.0.0.9", "10.0.0.2 10.0.0.9" },
  { MEMBER (dhcp), "10.0.0.9 10.0.0.2", NULL },
  { MEMBER (dhcp), "10.0.0.2", NULL },
  { MEMBER (dhcp), "10.0.0.2 fd00::9", NULL },
  { MEMBER (hosts), "52:54:00:12:34:56 10.0.0.2", "52:54:00:12:34:56 10.0.0.2" },
  { MEMBER (hosts), "52:54:00:12:34:56 10.0.0.2 web", "52:54:00:12:34:56 10.0.0.2 web" },
  { MEMBER (hosts), "52:54:00:12:34:56 - web", "52:54:00:12:34:56 - web" },
  { MEMBER (hosts), "- 10.0.0.2 web", "- 10.0.0.2 web" },
  { MEMBER (hosts), "0:3:0:1:0:16:3e:11:22:33 fd00::5 web",
    "0:3:0:1:0:16:3e:11:22:33 fd00::5 web" },
  { MEMBER (hosts), "- 10.0.0.2", NULL },
  { MEMBER (hosts), "53:54:00:12:34:56 10.0.0.2", NULL },
  { MEMBER (hosts), "web 10.0.0.2", NULL },
  { MEMBER (hosts), "52:54:00:12:34:56 10.0.0.2 we/b", NULL },
  { MEMBER (hosts), "52:54:00:12:34:56 10.0.0.2 web www", NULL },
  { MEMBER (hosts), "52:54:00:12:34:56 10.0.0.2\n52:54:00:12:34:57 10.0.0.2", NULL },
  { MEMBER (hosts), "52:54:00:12:34:56 10.0.0.2\n52:54:00:12:34:56 10.0.0.3", NULL },
  { MEMBER (hosts), "- 10.0.0.2 a\n- 10.0.0.3 b", "- 10.0.0.2 a\n- 10.0.0.3 b" },
  { MEMBER (dns), "10.0.0.2 web\n10.0.0.2 www", NULL },
  { MEMBER (dns), "10.0.0.2 web www", "10.0.0.2 web www" },
  { MEMBER (dns), "10.0.0.2 web\n10.0.0.2 web", "10.0.0.2 web" },
  { MEMBER (dns), "10.0.0.2", NULL },
  { MEMBER (dns), "web 10.0.0.2;", NULL },
  { MEMBER (portgroups), "office 10 20 default", "office 10 20 default" },
  { MEMBER (portgroups), "office", "office" },
  { MEMBER (portgroups), "-7", NULL },
  { MEMBER (portgroups), "office 4096", NULL },
  { MEMBER (portgroups), "office default 10", NULL },
  { MEMBER (vlan), "10 20", "10 20" },
  { MEMBER (vlan), "ten", NULL },
  { MEMBER (dev), "eth0 eth1", "eth0 eth1" },
  { MEMBER (dev), "eth0;reboot", NULL },
  { MEMBER (bridge), "br0", "br0" },
  { MEMBER (bridge), "br0 br1", NULL },
  { MEMBER (bridge), "a-name-that-is-too-long", NULL },
  { MEMBER (domain), "lab.example", "lab.example" },
  { MEMBER (domain), "<lab>", NULL },
};

static void
test_parse (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *kept = virfs_network_parse (rows[i].member, rows[i].text, &error);

    g_assert_cmpstr (kept, ==, rows[i].kept);
    if (kept == NULL)
      g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  }
}

static void
test_subnet (void)
{
  static const char addresses[] = "192.168.150.1/23\nfd00:1::1/60\n10.1.2.3/32";

  g_assert_cmpint (virfs_network_subnet (addresses, "192.168.151.255"), ==, 0);
  g_assert_cmpint (virfs_network_subnet (addresses, "192.168.152.1"), ==, -1);
  g_assert_cmpint (virfs_network_subnet (addresses, "fd00:1:0:f::9"), ==, 1);
  g_assert_cmpint (virfs_network_subnet (addresses, "fd00:1:0:10::9"), ==, -1);
  g_assert_cmpint (virfs_network_subnet (addresses, "10.1.2.3"), ==, 2);
  g_assert_cmpint (virfs_network_subnet (addresses, "10.1.2.2"), ==, -1);
  g_assert_cmpint (virfs_network_subnet (addresses, "nonsense"), ==, -1);
  g_assert_cmpint (virfs_network_subnet (NULL, "10.1.2.3"), ==, -1);
}

static gboolean
check (const char *forward, gsize member, const char *text)
{
  VirfsNetworkInfo *network = virfs_part_info_new (&virfs_network_class, "n");
  g_autoptr (VirfsPartInfo) owned = &network->part;

  network->forward = forward;
  network->address = g_ref_string_new ("10.0.0.1/24");
  virfs_part_info_set (network, member, 4096, text);
  return virfs_network_check (network, NULL);
}

static void
test_check (void)
{
  g_assert_true (check ("isolated", MEMBER (address), NULL));
  g_assert_true (check ("nat", MEMBER (domain), NULL));
  g_assert_false (check ("nat", MEMBER (address), NULL));
  g_assert_false (check ("bridge", MEMBER (address), NULL));
  g_assert_true (check ("bridge", MEMBER (bridge), "br0"));
  g_assert_false (check ("macvtap", MEMBER (bridge), "br0"));
  g_assert_true (check ("macvtap", MEMBER (dev), "eth0"));
  g_assert_true (check ("nat", MEMBER (dhcp), "10.0.0.2 10.0.0.9"));
  g_assert_false (check ("nat", MEMBER (dhcp), "10.0.0.2 10.0.1.9"));
  g_assert_false (check ("nat", MEMBER (hosts), "52:54:00:12:34:56 10.0.1.9"));
  g_assert_true (check ("nat", MEMBER (hosts), "52:54:00:12:34:56 - web"));
  g_assert_true (check ("nat", MEMBER (portgroups), "a\nb default"));
  g_assert_false (check ("nat", MEMBER (portgroups), "a\nb 10 default"));
  g_assert_false (check ("isolated", MEMBER (vlan), "10"));
  g_assert_true (check ("nat", MEMBER (rx_max), NULL));
  g_assert_false (check ("nat", MEMBER (tx_peak), NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network/parse", test_parse);
  g_test_add_func ("/network/subnet", test_subnet);
  g_test_add_func ("/network/check", test_check);
  return g_test_run ();
}
