/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools and volumes of the libvirt backend, on libvirt's test driver. */
#include "backend.h"

#include "error.h"
#include "private.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

/* A host with a pool with N volumes of 8 MiB; the caller owns it. */
static char *
make_xml (guint n)
{
  GString *xml = g_string_new (
    "<node><pool type='dir'><name>default</name><target><path>/images</path></target>");

  for (guint i = 0; i < n; i++)
    g_string_append_printf (
      xml, "<volume type='file'><name>v%05u</name><capacity unit='MiB'>8</capacity></volume>", i);
  g_string_append (xml, "</pool></node>");
  return g_string_free (xml, FALSE);
}

/* Looking. */

static VirfsPart *
pool_part (Backend *f, const char *name)
{
  return virfs_infra_part (f->infra, f->host, &virfs_pool_class, name);
}

static VirfsPart *
volume_part (Backend *f, const char *name)
{
  g_autoptr (VirfsPart) pool = pool_part (f, "default");

  return pool ? virfs_infra_part (f->infra, pool, &virfs_volume_class, name) : NULL;
}

static gboolean
has_volume (Backend *f, const char *name)
{
  g_autoptr (VirfsPart) volume = volume_part (f, name);

  return volume != NULL;
}

/* How many of its volumes have been read. */
static guint
count_volumes (Backend *f)
{
  g_autoptr (VirfsPart) pool = pool_part (f, "default");
  g_autoptr (VirfsPartInfo) info = virfs_part_info (pool);
  guint n = 0;

  for (guint i = 0; info->parts && i < info->parts->len; i++)
    n += ((VirfsVolumeInfo *) info->parts->pdata[i])->type != NULL;
  return n;
}

static void
set_up (Backend *f, gconstpointer n)
{
  g_autofree char *xml = make_xml (GPOINTER_TO_UINT (n));

  backend_open (f, xml, NULL);
  assert_soon (count_volumes (f) == GPOINTER_TO_UINT (n));
}

/* Doing. */

static int
pool_verb (Backend *f, const char *name, VirfsPoolVerb verb)
{
  g_autoptr (VirfsPart) pool = pool_part (f, name);
  VirfsJob *job = backend_begin_host (f);

  virfs_libvirt_backend.pool_verb (pool, verb, job);
  return backend_end (job);
}

static int
volume_verb (Backend *f, const char *name, VirfsVolumeVerb verb)
{
  g_autoptr (VirfsPart) volume = volume_part (f, name);
  VirfsJob *job = backend_begin_host (f);

  virfs_libvirt_backend.volume_verb (volume, verb, job);
  return backend_end (job);
}

/* A draft of that name, and then a volume, based on BACKING or a copy of SOURCE (NULL: none). */
static int
create (Backend *f, const char *name, const char *backing, const char *source)
{
  g_autoptr (VirfsPart) pool = pool_part (f, "default");
  g_autoptr (VirfsPart) original = source ? volume_part (f, source) : NULL;
  VirfsVolumeInfo *wanted = virfs_part_info_new (&virfs_volume_class, name);
  g_autoptr (VirfsPartInfo) owned = &wanted->part;
  g_autoptr (VirfsPart) draft
    = virfs_infra_add_draft (f->infra, pool, virfs_part_info_new (&virfs_volume_class, name), NULL);
  VirfsJob *job = backend_begin_host (f);

  wanted->size = 16 << 20;
  wanted->format = "qcow2";
  virfs_ref_string_set (&wanted->backing, backing);
  virfs_libvirt_backend.volume_create (draft, wanted, original, job);
  return backend_end (job);
}

#define assert_part(Type, get, name, condition)                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (VirfsPart) part_ = get (f, name);                                                   \
    g_autoptr (VirfsPartInfo) owned_ = part_ ? virfs_part_info (part_) : NULL;                     \
    const Type *info = (Type *) owned_;                                                            \
    g_assert_nonnull (info);                                                                       \
    g_assert_true (condition);                                                                     \
  }                                                                                                \
  G_STMT_END
#define assert_pool(name, condition)   assert_part (VirfsPoolInfo, pool_part, name, condition)
#define assert_volume(name, condition) assert_part (VirfsVolumeInfo, volume_part, name, condition)

/* The tests. */

static void
test_read (Backend *f, gconstpointer data)
{
  assert_pool ("default", g_str_equal (info->state, "running"));
  assert_pool ("default", g_str_equal (info->type, "dir"));
  assert_pool ("default", g_str_equal (info->path, "/images"));
  assert_pool ("default", info->capacity > 0 && virfs_blob_size (info->xml) > 0);
  assert_volume ("v00000", info->size == 8 << 20);
  assert_volume ("v00001", g_str_equal (info->path, "/images/v00001"));
}

static void
test_pool (Backend *f, gconstpointer data)
{
  VirfsPoolInfo *draft = virfs_part_info_new (&virfs_pool_class, "fast");
  g_autoptr (VirfsPart) pool = NULL;

  draft->type = "dir";
  draft->autostart = TRUE;
  virfs_ref_string_set (&draft->path, "/srv/a & b");
  pool = virfs_infra_add_draft (f->infra, f->host, draft, NULL);
  g_assert_cmpint (pool_verb (f, "fast", VIRFS_POOL_START), ==, 0);
  assert_pool ("fast", !info->part.draft && g_str_equal (info->state, "running"));
  assert_pool ("fast", g_str_equal (info->path, "/srv/a & b") && info->persistent);
  assert_pool ("fast", info->autostart);
  g_assert_cmpint (pool_verb (f, "fast", VIRFS_POOL_START), ==, 0);
  g_assert_cmpint (pool_verb (f, "fast", VIRFS_POOL_REFRESH), ==, 0);
  g_assert_cmpint (pool_verb (f, "fast", VIRFS_POOL_STOP), ==, 0);
  assert_pool ("fast", g_str_equal (info->state, "inactive"));
  g_assert_cmpint (pool_verb (f, "fast", VIRFS_POOL_UNDEFINE), ==, 0);
  g_assert_true (pool->removed);
  g_assert_cmpint (pool_verb (f, "default", VIRFS_POOL_STOP), ==, 0);
  g_assert_false (has_volume (f, "v00000"));
}

static gboolean
has_path (VirfsPart *pool, const char *path)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (pool);

  return g_strcmp0 (((VirfsPoolInfo *) info)->path, path) == 0;
}

/* Somebody else has made one of that name while there was a draft. */
static void
test_rival (Backend *f, gconstpointer data)
{
  static const char xml[]
    = "<pool type='dir'><name>p</name><target><path>/other</path></target></pool>";
  VirfsPoolInfo *draft = virfs_part_info_new (&virfs_pool_class, "p");
  g_autoptr (VirfsPart) pool = NULL;
  virConnectPtr conn = virfs_libvirt_connection (f->host);

  draft->type = "dir";
  virfs_ref_string_set (&draft->path, "/mine");
  pool = virfs_infra_add_draft (f->infra, f->host, draft, NULL);
  virStoragePoolFree (virStoragePoolDefineXML (conn, xml, 0));
  virConnectClose (conn);
  assert_soon (has_path (pool, "/other"));
  assert_pool ("p", !info->part.draft && g_str_equal (info->state, "inactive"));
}

static int
set_path (Backend *f, const char *path)
{
  g_autoptr (VirfsPart) pool = pool_part (f, "default");
  g_autoptr (VirfsPartInfo) known = virfs_part_info (pool);
  VirfsPoolInfo *wanted = virfs_part_info_copy (known);
  g_autoptr (VirfsPartInfo) owned = &wanted->part;
  VirfsJob *job = backend_begin_host (f);

  virfs_ref_string_set (&wanted->path, path);
  virfs_libvirt_backend.pool_set (pool, wanted, job);
  return backend_end (job);
}

static int
define (Backend *f, const char *name, const char *xml)
{
  g_autoptr (VirfsPart) pool = pool_part (f, name);
  VirfsJob *job = backend_begin_host (f);

  virfs_libvirt_backend.pool_define (pool, xml, job);
  return backend_end (job);
}

static void
test_define (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsPart) draft = NULL;

  g_assert_cmpint (pool_verb (f, "default", VIRFS_POOL_STOP), ==, 0);
  g_assert_cmpint (set_path (f, "/elsewhere"), ==, 0);
  assert_pool ("default", g_str_equal (info->path, "/elsewhere"));
  g_assert_cmpint (define (f, "default", "<pool type='dir'><name>other</name></pool>"), ==, EINVAL);
  g_assert_cmpint (define (f, "default", "<domain/>"), ==, EINVAL);
  g_assert_cmpint (define (f, "default", "nonsense"), ==, EINVAL);
  draft
    = virfs_infra_add_draft (f->infra, f->host, virfs_part_info_new (&virfs_pool_class, "p"), NULL);
  g_assert_cmpint (define (f, "p", "<pool type='dir'><target><path>/srv/p</path></target></pool>"),
                   ==, 0);
  assert_pool ("p", !info->part.draft && g_str_equal (info->path, "/srv/p"));
}

static void
test_volume (Backend *f, gconstpointer data)
{
  g_assert_cmpint (create (f, "new", NULL, NULL), ==, 0);
  assert_volume ("new", !info->part.draft && info->size == 16 << 20);
  assert_volume ("new", g_str_equal (info->format, "qcow2"));
  g_assert_cmpint (create (f, "linked", "/images/new", NULL), ==, 0);
  assert_volume ("linked", g_str_equal (info->backing, "/images/new"));
  g_assert_cmpint (create (f, "lost", "/images/none", NULL), ==, ENOENT);
  assert_volume ("lost", info->part.draft);
  g_assert_cmpint (create (f, "copy", NULL, "v00000"), ==, 0);
  assert_volume ("copy", info->size == 16 << 20);
  g_assert_cmpint (volume_verb (f, "copy", VIRFS_VOLUME_REFRESH), ==, 0);
  g_assert_cmpint (volume_verb (f, "copy", VIRFS_VOLUME_DELETE), ==, 0);
  g_assert_false (has_volume (f, "copy"));
  g_assert_true (has_volume (f, "v00000"));
}

/* What the driver cannot is told as that. */
static void
test_unsupported (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsPart) volume = volume_part (f, "v00000");
  VirfsJob *job = backend_begin_host (f);

  virfs_libvirt_backend.volume_resize (volume, 1 << 30, job);
  g_assert_cmpint (backend_end (job), ==, ENOTSUP);
  g_assert_cmpint (volume_verb (f, "v00000", VIRFS_VOLUME_WIPE), ==, ENOTSUP);
  assert_volume ("v00000", info->size == 8 << 20);
}

/* More than are read at one look; set_up has waited for them. */
static void
test_many (Backend *f, gconstpointer n)
{
  gint64 begun = g_get_monotonic_time ();

  g_assert_cmpint (create (f, "new", NULL, NULL), ==, 0);
  g_test_message ("one more beside %u volumes: %" G_GINT64_FORMAT " ms", GPOINTER_TO_UINT (n),
                  (g_get_monotonic_time () - begun) / 1000);
  g_assert_cmpuint (count_volumes (f), ==, GPOINTER_TO_UINT (n) + 1);
}

int
main (int argc, char **argv)
{
  const VirfsLibvirtOptions options = VIRFS_LIBVIRT_DEFAULTS;

  g_test_init (&argc, &argv, NULL);
  virfs_libvirt_init (&options);
#define ADD(path, n, test) g_test_add (path, Backend, GUINT_TO_POINTER (n), set_up, test, backend_close)
  ADD ("/storage/read", 2, test_read);
  ADD ("/storage/pool", 2, test_pool);
  ADD ("/storage/rival", 2, test_rival);
  ADD ("/storage/define", 2, test_define);
  ADD ("/storage/volume", 2, test_volume);
  ADD ("/storage/unsupported", 2, test_unsupported);
  ADD ("/storage/many", 3000, test_many);
  return g_test_run ();
}
