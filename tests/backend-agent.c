/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What agents say and hosts show, whatever they say. */
#include "agent.h"
#include "picture.h"
#include "xml.h"
#include "xml_graphics.h"

#include "error.h"

#include <string.h>

/* XML */

#define DOMAIN(devices) "<domain type='kvm'><name>web</name><devices>" devices "</devices></domain>"
#define CHANNEL(name, more)                                                                        \
  "<channel type='unix'><target type='virtio' name='" name "'" more "/></channel>"

static void
assert_agent (const char *xml, const char *agent)
{
  g_auto (LvDevices) devices = { 0 };

  lv_devices_init (&devices);
  lv_xml_read_domain (xml, NULL, &devices);
  g_assert_cmpstr (devices.agent, ==, agent);
}

static void
test_channel (void)
{
  assert_agent (DOMAIN (""), NULL);
  assert_agent (DOMAIN (CHANNEL ("com.redhat.spice.0", " state='connected'")), NULL);
  assert_agent (DOMAIN (CHANNEL ("org.qemu.guest_agent.0", "")), VIRFS_AGENT_DISCONNECTED);
  assert_agent (DOMAIN (CHANNEL ("org.qemu.guest_agent.0", " state='disconnected'")),
                VIRFS_AGENT_DISCONNECTED);
  assert_agent (DOMAIN (CHANNEL ("org.qemu.guest_agent.0", " state='connected'")),
                VIRFS_AGENT_CONNECTED);
}

static void
test_graphics (void)
{
  g_auto (LvDevices) devices = { 0 };

  lv_devices_init (&devices);
  lv_xml_read_domain (
    DOMAIN ("<graphics type='vnc' port='5900' listen='127.0.0.1'/>"
            "<graphics type='spice' port='-1' tlsPort='5901' listen='::'/>"
            "<graphics type='vnc'><listen type='socket' socket='/run/a b'/></graphics>"),
    NULL, &devices);
  g_assert_cmpstr (devices.graphics->str, ==,
                   "vnc 127.0.0.1 5900\nspice :: tls 5901\nvnc /run/a b\n");
}

/* Each kind of screen by itself. */
static void
test_password (void)
{
  static const char definition[]
    = DOMAIN ("<graphics type='vnc' port='5900'/><graphics type='spice' port='5901' passwd='old'/>"
              "<graphics type='sdl'/>");
  g_autoptr (GPtrArray) elements = g_ptr_array_new_with_free_func (g_free);

  lv_xml_graphics_with_password (elements, definition, "spice", "a&b", "2026-01-01T00:00:00");
  g_assert_cmpuint (elements->len, ==, 1);
  g_assert_nonnull (strstr (elements->pdata[0], "type=\"spice\""));
  g_assert_nonnull (strstr (elements->pdata[0], "passwd=\"a&amp;b\""));
  g_assert_nonnull (strstr (elements->pdata[0], "passwdValidTo=\"2026-01-01T00:00:00\""));
  lv_xml_graphics_with_password (elements, definition, "vnc", "new", "2026-01-01T00:00:00");
  g_assert_cmpuint (elements->len, ==, 2);
  g_assert_nonnull (strstr (elements->pdata[1], "type=\"vnc\""));
}

/* Words of an agent. */

static void
add_string (LvParams *params, const char *key, const char *value)
{
  g_assert_cmpint (
    virTypedParamsAddString (&params->items, &params->n, &params->allocated, key, value), ==, 0);
}

static void
add_count (LvParams *params, const char *key, guint value)
{
  g_assert_cmpint (
    virTypedParamsAddUInt (&params->items, &params->n, &params->allocated, key, value), ==, 0);
}

static void
add_number (LvParams *params, const char *key, guint64 value)
{
  g_assert_cmpint (
    virTypedParamsAddULLong (&params->items, &params->n, &params->allocated, key, value), ==, 0);
}

static void
test_said (void)
{
  g_auto (LvParams) params = { 0 };
  g_autoptr (VirfsAgentInfo) info = NULL;

  add_string (&params, "hostname", "web");
  add_string (&params, "os.id", "debian");
  add_string (&params, "os.pretty-name", "Debian 12\n(bookworm)");
  add_count (&params, "user.count", 1);
  add_string (&params, "user.0.name", "the admin");
  add_number (&params, "user.0.login-time", G_GUINT64_CONSTANT (1700000000000));
  add_count (&params, "fs.count", 2);
  add_string (&params, "fs.0.mountpoint", "/my files");
  add_string (&params, "fs.0.name", "vda1");
  add_string (&params, "fs.0.fstype", "ext4");
  add_number (&params, "fs.0.total-bytes", 1000);
  add_number (&params, "fs.0.used-bytes", 500);
  add_string (&params, "fs.1.mountpoint", "/boot");
  add_count (&params, "if.count", 1);
  add_string (&params, "if.0.name", "eth0");
  add_string (&params, "if.0.hwaddr", "52:54:00:00:00:01");
  add_count (&params, "if.0.addr.count", 1);
  add_string (&params, "if.0.addr.0.addr", "10.0.0.5");
  add_count (&params, "if.0.addr.0.prefix", 24);
  info = lv_agent_info_read (&params);
  g_assert_cmpstr (info->hostname, ==, "web");
  g_assert_null (info->timezone);
  g_assert_cmpstr (info->os, ==, "id debian\npretty_name Debian 12\\n(bookworm)\n");
  g_assert_cmpstr (info->users, ==, "the\\x20admin 2023-11-14T22:13:20Z\n");
  g_assert_cmpstr (info->filesystems, ==, "/my\\x20files vda1 ext4 1000 500\n/boot - - - -\n");
  g_assert_cmpstr (info->addresses, ==, "eth0 52:54:00:00:00:01 10.0.0.5/24\n");
}

/* It may count to what there is not, and speak without end. */
static void
test_hostile (void)
{
  g_auto (LvParams) params = { 0 };
  g_autofree char *lengthy = g_strnfill (100000, 'x');
  g_autoptr (VirfsAgentInfo) info = NULL;

  add_string (&params, "hostname", lengthy);
  add_string (&params, "os.name", "\033[2J\377");
  add_count (&params, "user.count", G_MAXUINT);
  add_count (&params, "fs.count", G_MAXUINT);
  add_count (&params, "if.count", G_MAXUINT);
  add_count (&params, "if.0.addr.count", G_MAXUINT);
  info = lv_agent_info_read (&params);
  g_assert_cmpuint (strlen (info->hostname), ==, 1024);
  g_assert_cmpstr (info->os, ==, "name \\x1b[2J\\xff\n");
  g_assert_cmpuint (strlen (info->users), <, 10000);
  g_assert_cmpuint (strlen (info->filesystems), <, 10000);
  g_assert_cmpuint (strlen (info->addresses), <, 10000);
}

/* Pictures. */

static VirfsBlob *
convert (const char *text, gsize size, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  g_byte_array_append (bytes, (const guint8 *) text, (guint) size);
  return lv_picture_png (bytes, "image/x-portable-pixmap", error);
}

static void
test_picture (void)
{
  static const char ppm[] = "P6\n2 1\n255\n\377\0\0\0\377\0";
  g_autoptr (VirfsBlob) blob = convert (ppm, sizeof ppm - 1, NULL);
  g_autoptr (GString) png = g_string_new (NULL);
  g_autoptr (VirfsBlob) same = NULL;

  g_assert_nonnull (blob);
  virfs_blob_append (blob, png);
  g_assert_cmpmem (png->str, 4, "\211PNG", 4);
  /* width and height, at their place in each PNG */
  g_assert_cmpmem (png->str + 16, 8, "\0\0\0\2\0\0\0\1", 8);
  same = convert (png->str, png->len, NULL);
  g_assert_true (virfs_blob_equal (blob, same));
}

static void
test_no_picture (void)
{
  static const char *const wrong[] = { "",
                                       "P",
                                       "P6",
                                       "P6 1 1 255",
                                       "P6 1 1 255 ab",
                                       "P5 1 1 255 abc",
                                       "P6 0 1 255 abc",
                                       "P6 1 1 65535 abcdef",
                                       "P6 99999999999 1 255 abc",
                                       "P6 16384 16384 255 abc",
                                       "<html>" };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (convert (wrong[i], strlen (wrong[i]), &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  virInitialize ();
  g_test_add_func ("/agent/channel", test_channel);
  g_test_add_func ("/agent/graphics", test_graphics);
  g_test_add_func ("/agent/password", test_password);
  g_test_add_func ("/agent/said", test_said);
  g_test_add_func ("/agent/hostile", test_hostile);
  g_test_add_func ("/agent/picture", test_picture);
  g_test_add_func ("/agent/no-picture", test_no_picture);
  return g_test_run ();
}
