/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is made of moves of disks that were cut off, on libvirt's test driver: whatever the end of the program
 * has left, no volume goes that somebody has, or that its guest may have written to last.
 */
#include "backend.h"
#include "private.h"

#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

#define UUID "12345678-1234-1234-1234-123456789abc"

typedef struct {
  const char *name;
  const char *disk;    /* what the guest has; NULL: there is no guest */
  const char *phase;   /* of the record; NULL: none */
  const char *overlay; /* path of what somebody has based a volume on; NULL: none */
  gboolean old_stays, new_stays;
  const char *told; /* of the guest, or of its host */
} Case;

#define OLD              "/images/w1.qcow2"
#define NEW              "/fast/w1.qcow2"
#define LEFT(path, more) "left-behind host=h1 path=" path more

static const Case cases[] = {
  { "moved", NEW, "switching", NULL, FALSE, TRUE, "disk-moved disk=vda" },
  { "moved, while it was off", NEW, "redefining", NULL, FALSE, TRUE, "disk-moved disk=vda" },
  { "moved, and based on", NEW, "switching", OLD, TRUE, TRUE,
    LEFT (OLD, " used-by=hosts/h1/pools/images/volumes/over") },
  { "not moved", OLD, NULL, NULL, TRUE, FALSE, "disk-move-lost disk=vda" },
  { "not moved, and based on", OLD, NULL, NEW, TRUE, TRUE,
    LEFT (NEW, " used-by=hosts/h1/pools/images/volumes/over") },
  /* it may have gone on with the new one for a moment */
  { "switching", OLD, "switching", NULL, TRUE, TRUE, LEFT (NEW, "") },
  /* it is defined with the new one before it can start with that */
  { "redefining", OLD, "redefining", NULL, TRUE, FALSE, "disk-move-lost disk=vda" },
  /* it may be on another host by now, with either */
  { "gone", NULL, NULL, NULL, TRUE, FALSE, "" },
  { "gone while switching", NULL, "switching", NULL, TRUE, TRUE, LEFT (NEW, "") },
  { "gone while redefining", NULL, "redefining", NULL, TRUE, TRUE, LEFT (NEW, "") },
  { "somewhere else", "/images/other.qcow2", NULL, NULL, TRUE, FALSE, "disk-move-lost disk=vda" },
};

/* What is kept: one record. */
static struct {
  GMutex lock;
  char *text; /* under lock; NULL: it was settled */
} record;

static gboolean
keep (gpointer data, const char *kind, const char *key, const char *text, GError **error)
{
  return TRUE;
}

static gboolean
forget (gpointer data, const char *kind, const char *key, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record.lock);

  if (g_str_equal (kind, VIRFS_RECORD_MOVE))
    g_clear_pointer (&record.text, g_free);
  return TRUE;
}

static gboolean
recall (gpointer data, const char *kind, VirfsRecordFunc func, gpointer user, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record.lock);

  if (g_str_equal (kind, VIRFS_RECORD_MOVE) && record.text != NULL)
    func (UUID "/vda", record.text, user);
  return TRUE;
}

static const VirfsKeeper keeper = { .keep = keep, .forget = forget, .recall = recall };

static gboolean
is_settled (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&record.lock);

  return record.text == NULL;
}

static void
write_record (const Case *it)
{
  record.text = g_strdup_printf (
    "[move]\nhost=h1\nuuid=" UUID "\ndisk=vda\nfrom=" OLD "\nfrom-type=file\nfrom-format=qcow2\n"
    "to=" NEW "\nto-type=file\nto-format=qcow2\npool=fast\nvolume=w1.qcow2\n%s%s\n",
    it->phase ? "phase=" : "", it->phase ? it->phase : "");
}

/* The host. */

static void
add_volume (GString *xml, const char *name, const char *backing)
{
  g_string_append_printf (xml,
                          "<volume type='file'><name>%s</name><capacity unit='MiB'>8</capacity>"
                          "<target><format type='qcow2'/></target>",
                          name);
  if (backing != NULL)
    g_string_append_printf (
      xml, "<backingStore><path>%s</path><format type='qcow2'/></backingStore>", backing);
  g_string_append (xml, "</volume>");
}

static char *
describe_host (const Case *it)
{
  GString *xml = g_string_new ("<node>");

  if (it->disk != NULL)
    g_string_append_printf (
      xml,
      "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
      "<test:runstate>5</test:runstate><name>w1</name><uuid>" UUID "</uuid>"
      "<memory unit='MiB'>64</memory><os><type>hvm</type></os><devices>"
      "<disk type='file'><driver name='qemu' type='qcow2'/><source file='%s'/>"
      "<target dev='vda'/></disk></devices></domain>",
      it->disk);
  g_string_append (xml, "<pool type='dir'><name>fast</name><target><path>/fast</path></target>");
  add_volume (xml, "w1.qcow2", NULL);
  g_string_append (
    xml, "</pool><pool type='dir'><name>images</name><target><path>/images</path></target>");
  add_volume (xml, "w1.qcow2", NULL);
  if (it->overlay != NULL)
    add_volume (xml, "over", it->overlay);
  g_string_append (xml, "</pool></node>");
  return g_string_free (xml, FALSE);
}

static gboolean
has_volume (VirfsHost *host, const char *pool)
{
  virConnectPtr conn = virfs_libvirt_connection (host);
  virStoragePoolPtr in = virStoragePoolLookupByName (conn, pool);
  virStorageVolPtr volume = in ? virStorageVolLookupByName (in, "w1.qcow2") : NULL;
  gboolean there = volume != NULL;

  if (there)
    virStorageVolFree (volume);
  virStoragePoolFree (in);
  virConnectClose (conn);
  return there;
}

static char *
read_events (VirfsInfra *infra)
{
  char *text = g_malloc0 (VIRFS_EVENT_BYTES);

  virfs_event_log_read (virfs_infra_events (infra), 0, text, VIRFS_EVENT_BYTES - 1);
  return text;
}

static gboolean
is_told (VirfsInfra *infra, const char *what)
{
  g_autofree char *text = read_events (infra);

  return strstr (text, what) != NULL;
}

static void
test_case (gconstpointer data)
{
  const Case *it = data;
  g_autofree char *xml = describe_host (it);
  Backend f = { 0 };

  write_record (it);
  backend_keeper = &keeper;
  backend_open (&f, xml, NULL);
  assert_soon (is_settled ());
  assert_soon (is_told (f.infra, it->told));
  g_assert_cmpint (has_volume (f.host, "images"), ==, it->old_stays);
  g_assert_cmpint (has_volume (f.host, "fast"), ==, it->new_stays);
  g_assert_true (is_told (f.infra, "left-behind") == (it->old_stays && it->new_stays));
  backend_close (&f, NULL);
}

/* Purges, and what may happen while the pools are looked at. */

typedef enum { NOTHING, GUEST_STARTS, POOL_STOPS } Mishap;

static gint mishap; /* atomic: a Mishap */

int
virStoragePoolRefresh (virStoragePoolPtr pool, unsigned int flags)
{
  int (*refresh) (virStoragePoolPtr, unsigned int) = dlsym (RTLD_NEXT, "virStoragePoolRefresh");
  gboolean starts = g_atomic_int_get (&mishap) == GUEST_STARTS;
  virDomainPtr domain
    = starts ? virDomainLookupByName (virStoragePoolGetConnect (pool), "w1") : NULL;

  if (domain != NULL) {
    virDomainCreate (domain);
    virDomainFree (domain);
  }
  /* as libvirtd does when there is an error, of whatever kind */
  if (g_atomic_int_get (&mishap) == POOL_STOPS
      && g_str_equal (virStoragePoolGetName (pool), "fast")) {
    virStoragePoolDestroy (pool);
    flags = ~0u;
  }
  return refresh (pool, flags);
}

static int
purge (Backend *f)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, UUID);
  VirfsJobSpec spec = { .object = &vm->object, .host = &f->host->object };
  VirfsJob *job = backend_begin (f->infra, &spec);

  virfs_libvirt_backend.vm_undefine (vm, TRUE, job);
  return backend_end (job);
}

static gboolean
has_guest (Backend *f)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, UUID);

  return vm != NULL;
}

static void
test_purge (gconstpointer data)
{
  static const Case guest = { .disk = OLD };
  g_autofree char *xml = describe_host (&guest);
  gboolean goes = GPOINTER_TO_INT (data) == NOTHING;
  Backend f = { 0 };

  backend_keeper = NULL;
  backend_open (&f, xml, NULL);
  assert_soon (has_guest (&f));
  g_atomic_int_set (&mishap, GPOINTER_TO_INT (data));
  g_assert_cmpint (purge (&f), ==, goes ? 0 : EBUSY);
  g_atomic_int_set (&mishap, NOTHING);
  g_assert_true (has_guest (&f) != goes);
  g_assert_true (has_volume (f.host, "images") != goes);
  backend_close (&f, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  virfs_libvirt_init (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/moves/", cases[i].name, NULL);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_data_func ("/purge/off", GINT_TO_POINTER (NOTHING), test_purge);
  g_test_add_data_func ("/purge/started", GINT_TO_POINTER (GUEST_STARTS), test_purge);
  g_test_add_data_func ("/purge/stopped", GINT_TO_POINTER (POOL_STOPS), test_purge);
  return g_test_run ();
}
