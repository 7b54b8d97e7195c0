/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where backups are served: what URIs of hosts say of it, and the XML that comes of it. */
#include "error.h"
#include "uri.h"
#include "xml_backup.h"

#define UUID "12345678-1234-1234-1234-123456789abc"

static void
test_place (void)
{
  static const struct {
    const char *parameters, *directory, *listen;
    guint port, n_ports;
    gboolean tls;
    const char *certificates;
  } cases[] = {
    { "", NULL, NULL, 10809, 64, TRUE, NULL },
    { "?backup=/srv/a%20b", "/srv/a b", NULL, 10809, 64, TRUE, NULL },
    { "?backup_listen=h1", NULL, "h1", 10809, 64, TRUE, NULL },
    { "?backup_listen=h1:1000", NULL, "h1", 1000, 1, TRUE, NULL },
    { "?backup_listen=10.0.0.1:1000-1009", NULL, "10.0.0.1", 1000, 10, TRUE, NULL },
    { "?backup_listen=[fe80::1]:65535-65535", NULL, "fe80::1", 65535, 1, TRUE, NULL },
    { "?backup_listen=[::]", NULL, "::", 10809, 64, TRUE, NULL },
    { "?backup_listen=h1&backup_tls=0", NULL, "h1", 10809, 64, FALSE, NULL },
    { "?backup_tls=1", NULL, NULL, 10809, 64, TRUE, NULL },
    { "?backup_tls=/etc/pki", NULL, NULL, 10809, 64, TRUE, "/etc/pki" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strconcat ("qemu+ssh://root@h1/system", cases[i].parameters, NULL);
    g_autoptr (LvUri) uri = lv_uri_parse (text, NULL);

    g_assert_nonnull (uri);
    g_assert_cmpstr (uri->plain, ==, "qemu+ssh://root@h1/system");
    g_assert_cmpstr (uri->host, ==, "h1");
    g_assert_false (uri->local);
    g_assert_cmpstr (uri->place.directory, ==, cases[i].directory);
    g_assert_cmpstr (uri->place.listen, ==, cases[i].listen);
    g_assert_cmpuint (uri->place.port, ==, cases[i].port);
    g_assert_cmpuint (uri->place.n_ports, ==, cases[i].n_ports);
    g_assert_cmpint (uri->place.tls, ==, cases[i].tls);
    g_assert_cmpstr (uri->place.certificates, ==, cases[i].certificates);
  }
}

static void
test_others_stay (void)
{
  g_autoptr (LvUri) uri
    = lv_uri_parse ("qemu+tls://h1/system?no_verify=1&backup=/b&pkipath=/p&backup_tls=0", NULL);

  g_assert_cmpstr (uri->plain, ==, "qemu+tls://h1/system?no_verify=1&pkipath=/p");
}

static void
test_refused (void)
{
  static const char *const parameters[] = {
    "backup=",
    "backup=srv",
    "backup_listen=",
    "backup_listen=:1000",
    "backup_listen=h1:",
    "backup_listen=h1:0",
    "backup_listen=h1:65536",
    "backup_listen=h1:1000-999",
    "backup_listen=h1:1000-",
    "backup_listen=h1:1000-1001-1002",
    "backup_listen=[]",
    "backup_listen=[::1",
    "backup_listen=[::1]1000",
    "backup_listen=::1",
    "backup_listen=h1 h2",
    "backup_tls=",
    "backup_tls=2",
    "backup_tls=pki",
  };

  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++) {
    g_autofree char *text = g_strconcat ("qemu+ssh://h1/system?", parameters[i], NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (LvUri) uri = lv_uri_parse (text, &error);

    g_test_message ("%s", text);
    g_assert_null (uri);
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  }
}

/* What libvirt has made of it: only that it tells all attributes. */
static char *
make_xml (const LvUri *uri, guint port)
{
  LvDisk disk = { .target = "vda", .type = "file", .format = "qcow2", .path = "/i/w.qcow2" };
  LvBackupPlan plan
    = { .place = &uri->place, .socket = "/s/x.sock", .port = port, .name = "mon", .uuid = UUID };
  g_autoptr (GPtrArray) disks = g_ptr_array_new ();

  g_ptr_array_add (disks, &disk);
  return lv_xml_make_backup (&plan, disks, NULL);
}

static void
test_served (void)
{
  static const struct {
    const char *host, *served;
  } cases[] = {
    { "qemu:///system", "nbd+unix:///vda?socket=/s/x.sock" },
    { "qemu:///system?backup=/b", "nbd+unix:///vda?socket=/s/x.sock" },
    { "qemu+ssh://h1/system?backup_listen=h2", "nbds://h2:1234/vda" },
    { "qemu+ssh://h1/system?backup_listen=h2&backup_tls=0", "nbd://h2:1234/vda" },
    { "qemu+ssh://h1/system?backup_listen=0.0.0.0", "nbds://h1:1234/vda" },
    { "qemu+ssh://h1/system?backup_listen=[::]", "nbds://h1:1234/vda" },
    { "qemu+ssh://h1/system?backup_listen=[fe80::1]", "nbds://[fe80::1]:1234/vda" },
    { "qemu:///system?backup_listen=0.0.0.0&backup_tls=0", "nbd://localhost:1234/vda" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (LvUri) uri = lv_uri_parse (cases[i].host, NULL);
    g_autofree char *xml = make_xml (uri, 1234);
    g_autoptr (GPtrArray) disks = lv_xml_read_backup (xml, uri);

    g_assert_nonnull (disks);
    g_assert_cmpuint (disks->len, ==, 1);
    g_assert_cmpstr (((VirfsBackupDiskInfo *) disks->pdata[0])->uri, ==, cases[i].served);
    g_assert_null (((VirfsBackupDiskInfo *) disks->pdata[0])->bitmap);
  }
}

static void
test_ours (void)
{
  static const char *const uris[] = { "qemu:///system", "qemu:///system?backup=/b" };

  for (guint i = 0; i < G_N_ELEMENTS (uris); i++) {
    g_autoptr (LvUri) uri = lv_uri_parse (uris[i], NULL);
    g_autofree char *xml = make_xml (uri, 0);

    g_assert_true (lv_xml_backup_is_of (xml, UUID));
    g_assert_false (lv_xml_backup_is_of (xml, "12345678-1234-1234-1234-123456789abd"));
  }
  g_assert_false (lv_xml_backup_is_of ("<domainbackup mode='pull'/>", UUID));
  g_assert_false (lv_xml_backup_is_of ("<domainbackup", UUID));
}

static void
test_scratch (void)
{
  static const char xml[]
    = "<domainbackup mode='pull'><server transport='unix' socket='/s'/><disks>"
      "<disk name='vda' backup='yes' index='3'><scratch file='/b/vda'/></disk>"
      "<disk name='vdb' backup='yes' index='7'><scratch file='/b/vdb'/></disk>"
      "<disk name='vdc' backup='no'/></disks></domainbackup>";
  g_autoptr (GHashTable) files = lv_xml_read_scratch (xml);

  g_assert_cmpuint (g_hash_table_size (files), ==, 2);
  g_assert_cmpstr (g_hash_table_lookup (files, "vda[3]"), ==, "/b/vda");
  g_assert_cmpstr (g_hash_table_lookup (files, "vdb[7]"), ==, "/b/vdb");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backup/place", test_place);
  g_test_add_func ("/backup/others-stay", test_others_stay);
  g_test_add_func ("/backup/refused", test_refused);
  g_test_add_func ("/backup/served", test_served);
  g_test_add_func ("/backup/ours", test_ours);
  g_test_add_func ("/backup/scratch", test_scratch);
  return g_test_run ();
}
