/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept with a guest, and in whose name is asked, on libvirt's test driver. */
#include "backend.h"

#include "error.h"
#include "private.h"
#include "snapshot.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

#define UUID "11111111-2222-4333-8444-000000000001"
#define URI  "https://virfs.org/xmlns/guest/1"

/* RUNNING: 1, or 5 for shut off.  METADATA: what its element holds. */
#define GUEST(running, metadata)                                                                   \
  "<node><domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"             \
  "<name>web</name><uuid>" UUID "</uuid><metadata><v:guest xmlns:v='" URI "'>" metadata            \
  "</v:guest><other xmlns='urn:other'/></metadata><memory unit='GiB'>1</memory><vcpu>1</vcpu>"     \
  "<os><type arch='i686'>hvm</type></os><test:runstate>" running                                   \
  "</test:runstate></domain></node>"

static void
set_up (Backend *f, gconstpointer xml)
{
  backend_open (f, xml, NULL);
}

static void
set_up_as_caller (Backend *f, gconstpointer xml)
{
  backend_open (f, xml, "?identity=caller");
}

static VirfsVmInfo *
look (Backend *f)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, UUID);

  g_assert_nonnull (vm);
  return virfs_vm_info (vm);
}

#define assert_web(f, condition)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (VirfsVmInfo) info = look (f);                                                       \
    g_assert_true (condition);                                                                     \
  }                                                                                                \
  G_STMT_END

static void
assert_owner (Backend *f, guint uid, guint gid, guint mode)
{
  g_autoptr (VirfsVmInfo) info = look (f);

  g_assert_cmpuint (info->owner.uid, ==, uid);
  g_assert_cmpuint (info->owner.gid, ==, gid);
  g_assert_cmphex (info->owner.mode, ==, mode);
}

static void
assert_tags (Backend *f, const char *tags)
{
  g_autoptr (VirfsVmInfo) info = look (f);

  g_assert_cmpstr (info->tags, ==, tags);
}

/* Whether the guest's definition, or what runs (FLAGS 0), has TEXT in its XML. */
static gboolean
has (Backend *f, guint flags, const char *text)
{
  virConnectPtr conn = virfs_libvirt_connection (f->host);
  virDomainPtr domain = virDomainLookupByUUIDString (conn, UUID);
  char *xml = virDomainGetXMLDesc (domain, flags);
  gboolean found = strstr (xml, text) != NULL;

  free (xml);
  virDomainFree (domain);
  virConnectClose (conn);
  return found;
}

/* Doing, as user UID: the errno. */

static VirfsJob *
new_job (VirfsVm *vm, guint uid)
{
  VirfsJobSpec spec = { .object = &vm->object, .uid = uid };

  return backend_begin (vm->object.infra, &spec);
}

static void
begin_note (Backend *f, const VirfsVmNote *note, guint uid)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, UUID);
  g_autoptr (VirfsJob) job = new_job (vm, uid);

  virfs_libvirt_backend.vm_note (vm, note, job);
}

static int
note (Backend *f, VirfsVmNote change)
{
  begin_note (f, &change, getuid ());
  return backend_end (NULL);
}

static int
give (Backend *f, guint uid, guint gid, guint mode)
{
  return note (f, (VirfsVmNote){ .field = VIRFS_VM_OWNER, .owner = { uid, gid, mode } });
}

static int
tag (Backend *f, int how, const char *text)
{
  return note (f, (VirfsVmNote){ .field = VIRFS_VM_TAGS, .how = how, .text = text });
}

typedef void (*Named) (VirfsVm *vm, const char *name, VirfsJob *job);

static int
call (Backend *f, Named func, const char *name)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, UUID);
  g_autoptr (VirfsJob) job = new_job (vm, getuid ());

  func (vm, name, job);
  return backend_end (NULL);
}

static int
bring (Backend *f, VirfsVmState state, guint uid)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, UUID);
  g_autoptr (VirfsJob) job = new_job (vm, uid);

  virfs_libvirt_backend.vm_bring (vm, state, job);
  return backend_end (NULL);
}

/* The tests. */

static void
test_read (Backend *f, gconstpointer data)
{
  assert_owner (f, 1000, 100, 0770);
  assert_tags (f, "prod\nweb");
  assert_web (f, info->owned && info->protect && info->shutdown_timeout == 90);
  assert_web (f, g_strcmp0 (info->image, "debian.qcow2") == 0);
}

/* Whoever defines guests can write anything there. */
static void
test_read_garbage (Backend *f, gconstpointer data)
{
  assert_owner (f, getuid (), getgid (), 0750);
  assert_tags (f, "fine");
  assert_web (f, !info->owned && !info->protect && info->shutdown_timeout == 5);
}

static void
test_notes (Backend *f, gconstpointer data)
{
  g_assert_cmpint (give (f, 1000, 100, 0700), ==, 0);
  assert_owner (f, 1000, 100, 0700);
  g_assert_true (has (f, 0, "uid=\"1000\"") && has (f, VIR_DOMAIN_XML_INACTIVE, "uid=\"1000\"")
                 && !has (f, 0, "uid=\"7\""));
  g_assert_cmpint (tag (f, VIRFS_NOTE_SET, "b\na"), ==, 0);
  g_assert_cmpint (tag (f, VIRFS_NOTE_ADD, "c"), ==, 0);
  g_assert_cmpint (tag (f, VIRFS_NOTE_REMOVE, "a"), ==, 0);
  assert_tags (f, "b\nc");
  g_assert_cmpint (note (f, (VirfsVmNote){ .field = VIRFS_VM_PROTECT, .number = 1 }), ==, 0);
  assert_web (f, info->protect);
  g_assert_cmpint (note (f, (VirfsVmNote){ .field = VIRFS_VM_PROTECT }), ==, 0);
  assert_web (f, !info->protect);
  /* what others have there stays */
  g_assert_true (has (f, 0, "urn:other") && has (f, 0, "unknown"));
}

/* Of many changes at once none takes back another. */
static void
test_notes_at_once (Backend *f, gconstpointer data)
{
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint i = 10; i < 40; i++) {
    g_autofree char *text = g_strdup_printf ("t%u", i);
    VirfsVmNote change = { .field = VIRFS_VM_TAGS, .how = VIRFS_NOTE_ADD, .text = text };

    begin_note (f, &change, getuid ());
    g_string_append_printf (all, "%s%s", all->len ? "\n" : "", text);
  }
  g_assert_cmpint (backend_end (NULL), ==, 0);
  assert_tags (f, all->str);
}

/* What goes where the guest goes. */
static void
test_kept (Backend *f, gconstpointer data)
{
  static const char xml[]
    = "<domain type='test'><name>web</name><memory unit='GiB'>1</memory><vcpu>2</vcpu>"
      "<metadata><guest xmlns='" URI "'><owner uid='0' gid='0' mode='0777'/></guest></metadata>"
      "<os><type arch='i686'>hvm</type></os></domain>";

  g_assert_cmpint (give (f, 1000, 100, 0700), ==, 0);
  g_assert_cmpint (call (f, virfs_libvirt_backend.vm_define, xml), ==, 0);
  assert_owner (f, 1000, 100, 0700);
  assert_web (f, info->vcpus == 2);
  g_assert_cmpint (call (f, virfs_libvirt_backend.vm_rename, "shop"), ==, 0);
  assert_owner (f, 1000, 100, 0700);
  assert_web (f, g_str_equal (info->name, "shop"));
}

/* Going back to what was does not give it back to whom it was. */
static void
test_revert (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, UUID);
  VirfsJob *job = new_job (vm, getuid ());

  virfs_libvirt_backend.snapshot_take (vm, "first", FALSE, job);
  g_assert_cmpint (backend_end (NULL), ==, 0);
  virfs_object_unref (job);
  g_assert_cmpint (give (f, 1000, 100, 0700), ==, 0);
  g_assert_cmpint (tag (f, VIRFS_NOTE_SET, "mine"), ==, 0);
  g_assert_cmpint (bring (f, VIRFS_VM_PAUSED, getuid ()), ==, 0);
  g_assert_cmpint (call (f, virfs_libvirt_backend.snapshot_revert, "first"), ==, 0);
  assert_web (f, info->state == VIRFS_VM_RUNNING);
  assert_owner (f, 1000, 100, 0700);
  assert_tags (f, "mine");
  g_assert_true (has (f, 0, "uid=\"1000\"") && has (f, VIR_DOMAIN_XML_INACTIVE, "uid=\"1000\""));
}

/* Not every driver has a definition with what it saves. */
static void
test_saved (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (f->infra, UUID);
  g_autoptr (VirfsJob) job = new_job (vm, getuid ());

  virfs_libvirt_backend.vm_verb (vm, VIRFS_VERB_SAVE, job);
  g_assert_cmpint (backend_end (NULL), ==, 0);
  assert_web (f, info->saved);
  g_assert_cmpint (give (f, 1000, 100, 0700), ==, 0);
  g_assert_cmpint (bring (f, VIRFS_VM_RUNNING, getuid ()), ==, 0);
  assert_owner (f, 1000, 100, 0700);
}

/* A driver that knows no users does nothing in the name of one. */
static void
test_identity (Backend *f, gconstpointer data)
{
  g_assert_cmpint (bring (f, VIRFS_VM_PAUSED, getuid ()), ==, 0);
  assert_web (f, info->state == VIRFS_VM_PAUSED);
  g_assert_cmpint (bring (f, VIRFS_VM_RUNNING, 20001), ==, ENOTSUP);
  assert_web (f, info->state == VIRFS_VM_PAUSED);
}

static void
test_uri (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (virfs_libvirt_backend.check_uri ("qemu+ssh://h1/system?identity=caller", NULL));
  g_assert_false (virfs_libvirt_backend.check_uri ("qemu:///system?identity=root", &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  static const char whole[]
    = GUEST ("1", "<owner uid='1000' gid='100' mode='0770'/><tag>web</tag><tag>prod</tag>"
                  "<protect>1</protect><image>debian.qcow2</image>"
                  "<shutdown_timeout>90</shutdown_timeout>");
  static const char garbage[]
    = GUEST ("1", "<owner uid='-1' gid='x' mode='0999'/><tag>not a tag</tag><tag>fine</tag>"
                  "<protect>maybe</protect><shutdown_timeout>1e9</shutdown_timeout><x><y/></x>");
  static const char other[]
    = GUEST ("1", "<owner uid='7' gid='7' mode='0777'/><unknown>yes</unknown>");
  static const char off[] = GUEST ("5", "");

  g_test_init (&argc, &argv, NULL);
  virfs_libvirt_init (NULL);
#define ADD(name, xml, test) g_test_add (name, Backend, xml, set_up, test, backend_close)
  g_test_add_func ("/rights/uri", test_uri);
  ADD ("/rights/read", whole, test_read);
  ADD ("/rights/read-garbage", garbage, test_read_garbage);
  ADD ("/rights/notes", other, test_notes);
  ADD ("/rights/notes-at-once", off, test_notes_at_once);
  ADD ("/rights/kept", off, test_kept);
  ADD ("/rights/revert", other, test_revert);
  ADD ("/rights/saved", other, test_saved);
  g_test_add ("/rights/identity", Backend, whole, set_up_as_caller, test_identity, backend_close);
  return g_test_run ();
}
