/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of isolated NICs. */
#include "device.h"
#include "isolation.h"

#define A "52:54:00:00:00:0a"
#define B "52:54:00:00:00:0b"

/* A guest with eth0 (A, up) and eth1 (B, down), of which ISOLATION is kept. */
static VirfsVmInfo *
guest (const char *isolation)
{
  static const char *const macs[] = { A, B };
  VirfsVmInfo *info = virfs_vm_info_new ("00000000-0000-4000-8000-000000000001", "web");
  GPtrArray *nics = virfs_part_list_new ();

  for (guint i = 0; i < 2; i++) {
    g_autofree char *name = g_strdup_printf ("eth%u", i);
    VirfsNicInfo *nic = virfs_part_info_new (&virfs_nic_class, name);

    nic->mac = g_ref_string_new (macs[i]);
    nic->link_down = i == 1;
    g_ptr_array_add (nics, nic);
  }
  virfs_part_lists_set (info->parts, VIRFS_VM_NICS, nics);
  virfs_ref_string_set (&info->isolation, isolation);
  return info;
}

static void
test_change (void)
{
  static const struct {
    const char *before, *nic;
    gboolean isolate;
    const char *after;
  } rows[] = {
    { NULL, "eth0", TRUE, A "=up+" },
    { NULL, "eth1", TRUE, B "=down+" },
    { NULL, "eth1", FALSE, "" },
    { A "=up+", "eth0", TRUE, A "=up+" },
    { A "=up+", "eth0", FALSE, "" },
    { A "=up+", "eth1", TRUE, A "=up+ " B "=down+" },
    { NULL, NULL, TRUE, A "=up " B "=down quarantine" },
    { A "=up+", NULL, TRUE, A "=up+ " B "=down quarantine" },
    { A "=up " B "=down quarantine", NULL, FALSE, "" },
    { A "=up+ " B "=down quarantine", NULL, FALSE, A "=up+" },
    { A "=up " B "=down quarantine", "eth0", TRUE, A "=up+ " B "=down quarantine" },
    /* of one that is no more, and in another order */
    { "quarantine 52:54:00:00:00:0c=up " B "=up", NULL, TRUE, A "=up " B "=up quarantine" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (VirfsVmInfo) info = guest (rows[i].before);
    g_autofree char *after = virfs_isolation_change (info, rows[i].nic, rows[i].isolate);

    g_assert_cmpstr (after, ==, rows[i].after);
  }
}

static void
test_has (void)
{
  gboolean down = FALSE;

  g_assert_false (virfs_isolation_has (NULL, A, NULL));
  g_assert_false (virfs_isolation_has ("quarantine", A, NULL));
  g_assert_true (virfs_isolation_has (B "=down", "52:54:00:00:00:0B", &down) && down);
  g_assert_true (virfs_isolation_has (A "=up+", A, &down) && !down);
  g_assert_false (virfs_isolation_has (A "=up", NULL, NULL));
  g_assert_true (virfs_isolation_is_quarantine (A "=up quarantine"));
  g_assert_false (virfs_isolation_is_quarantine (A "=up"));
  g_assert_false (virfs_isolation_is_quarantine (NULL));
}

/* Anybody who defines guests may have written it. */
static void
test_salvage (void)
{
  static const char *const rows[][2] = {
    { "", "" },
    { " " A "=up \n quarantine", A "=up quarantine" },
    { "nonsense =up " A " " A "= " A "=sideways " A "=up++", "" },
    { "53:54:00:00:00:0a=up quarantined", "" },
    { A "=down " A "=up", A "=up" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *kept = virfs_isolation_salvage (rows[i][0]);

    g_assert_cmpstr (kept, ==, rows[i][1]);
  }
}

/* Only what is cut off is said to be. */
static void
test_mark (void)
{
  g_autoptr (VirfsVmInfo) info = guest (A "=up " B "=up quarantine");

  virfs_isolation_mark (info);
  g_assert_false (((VirfsNicInfo *) info->parts[VIRFS_VM_NICS]->pdata[0])->isolated);
  g_assert_true (((VirfsNicInfo *) info->parts[VIRFS_VM_NICS]->pdata[1])->isolated);
}

static void
test_join (void)
{
  g_autoptr (VirfsVmInfo) info = guest (A "=up quarantine");
  g_autofree char *kept = virfs_isolation_join (info, "52:54:00:00:00:0C", FALSE);

  g_assert_cmpstr (kept, ==, A "=up 52:54:00:00:00:0c=up quarantine");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/isolation/change", test_change);
  g_test_add_func ("/isolation/has", test_has);
  g_test_add_func ("/isolation/salvage", test_salvage);
  g_test_add_func ("/isolation/mark", test_mark);
  g_test_add_func ("/isolation/join", test_join);
  return g_test_run ();
}
