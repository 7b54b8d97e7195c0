/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The libvirt backend on libvirt's test driver: no daemon, no hypervisor, and a state that is the
 * connection's own.  Whatever is done "behind our back" is done through that connection.
 */
#include "backend.h"

#include "error.h"
#include "private.h"
#include "snapshot.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

#define WEB "11111111-2222-4333-8444-000000000001"
#define DB  "11111111-2222-4333-8444-000000000002"
#define OLD "11111111-2222-4333-8444-000000000003"

static const char network[] = "<network><name>default</name><bridge name='virbr0'/>"
                              "<ip address='192.168.122.1' netmask='255.255.255.0'/></network>";
static const char pool[]
  = "<pool type='dir'><name>default</name><target><path>/images</path></target></pool>";
static const char full_pool[]
  = "<pool type='dir'><name>default</name><target><path>/images</path></target>"
    "<volume type='file'><name>web.img</name><capacity unit='MiB'>8</capacity></volume>"
    "<volume type='file'><name>data</name><capacity unit='MiB'>8</capacity></volume></pool>";

static const char web[]
  = "<domain type='test'><name>web</name><uuid>" WEB "</uuid>"
    "<title>Web server</title><description>line 1\nline 2</description>"
    "<memory unit='MiB'>1024</memory><currentMemory unit='MiB'>512</currentMemory>"
    "<vcpu current='2'>4</vcpu>"
    "<cputune><shares>2048</shares><period>100000</period><quota>-1</quota></cputune>"
    "<os><type arch='i686'>hvm</type></os>"
    "<devices><disk type='file' device='disk'><source file='/images/web.img'/><target dev='vda'/>"
    "</disk><disk type='volume' device='disk'><source pool='default' volume='data'/>"
    "<target dev='vdb'/></disk><interface type='network'><source network='default'/></interface>"
    "<interface type='bridge'><source bridge='br0'/></interface>"
    "<graphics type='vnc' port='5901' autoport='no' passwd='secret'/></devices></domain>";
static const char db[]
  = "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
    "<name>db</name><uuid>" DB "</uuid><memory unit='GiB'>1</memory><vcpu>1</vcpu>"
    "<os><type arch='i686'>hvm</type></os><test:runstate>5</test:runstate></domain>";

typedef struct {
  char *directory;
  VirfsInfra *infra;
} Fixture;

/* Hosts are files with what the test driver is to have. */

static char *
host_path (Fixture *f, const char *name)
{
  return g_strdup_printf ("%s/%s.xml", f->directory, name);
}

static void
write_host (Fixture *f, const char *name, const char *content)
{
  g_autofree char *path = host_path (f, name);
  g_autofree char *xml = g_strdup_printf ("<node>%s</node>", content);

  g_assert_true (g_file_set_contents (path, xml, -1, NULL));
}

static VirfsHost *
add_host (Fixture *f, const char *name)
{
  g_autofree char *path = host_path (f, name);
  g_autofree char *uri = g_strconcat ("test://", path, NULL);
  VirfsHost *host = virfs_infra_add_host (f->infra, name, uri, NULL);

  g_assert_nonnull (host);
  return host;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *content = g_strconcat (web, db, network, full_pool, NULL);

  f->directory = g_dir_make_tmp ("virfs-backend-XXXXXX", NULL);
  f->infra = virfs_infra_new (&virfs_libvirt_backend, 5);
  write_host (f, "h1", content);
  virfs_object_unref (add_host (f, "h1"));
  g_assert_true (virfs_infra_settle (f->infra, PATIENCE));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (f->directory, 0, NULL);
  const char *name;

  virfs_infra_stop (f->infra, PATIENCE);
  virfs_infra_free (f->infra);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (f->directory, name, NULL);

    g_unlink (path);
  }
  g_rmdir (f->directory);
  g_free (f->directory);
}

/* Looking. */

static VirfsVmInfo *
look (Fixture *f, const char *label)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);

  return vm ? virfs_vm_info (vm) : NULL;
}

static VirfsHostInfo *
look_host (Fixture *f, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);

  return virfs_host_info (host);
}

#define assert_vm(f, label, condition)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (VirfsVmInfo) info = look (f, label);                                                \
    g_assert_nonnull (info);                                                                       \
    g_assert_true (condition);                                                                     \
  }                                                                                                \
  G_STMT_END

#define assert_state(f, label, wanted)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (VirfsVmInfo) info = look (f, label);                                                \
    g_assert_nonnull (info);                                                                       \
    g_assert_cmpstr (virfs_vm_state_name (info->state), ==, wanted);                               \
  }                                                                                                \
  G_STMT_END

/* Waits until CONDITION, which sees INFO (NULL if there is no such guest). */
#define wait_vm(f, label, condition)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 end = g_get_monotonic_time () + PATIENCE;                                               \
    for (gboolean met = FALSE; !met; g_usleep (500)) {                                             \
      g_autoptr (VirfsVmInfo) info = look (f, label);                                              \
      met = condition;                                                                             \
      g_assert_cmpint (g_get_monotonic_time (), <, end);                                           \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

#define wait_host(f, name, condition)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 end = g_get_monotonic_time () + PATIENCE;                                               \
    for (gboolean met = FALSE; !met; g_usleep (500)) {                                             \
      g_autoptr (VirfsHostInfo) info = look_host (f, name);                                        \
      met = condition;                                                                             \
      g_assert_cmpint (g_get_monotonic_time (), <, end);                                           \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

static char *
xml_of (Fixture *f, const char *label)
{
  g_autoptr (VirfsVmInfo) info = look (f, label);

  return virfs_blob_text (info->xml);
}

static gboolean
has_event (Fixture *f, const char *text)
{
  g_autofree char *log = g_malloc0 (1 << 20);

  virfs_event_log_read (virfs_infra_events (f->infra), 0, log, (1 << 20) - 1);
  return strstr (log, text) != NULL;
}

/* Doing: each starts a job, waits for its end and returns the errno; the message stays here. */

static VirfsJob *
begin (Fixture *f, VirfsVm *vm, VirfsHost *target)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  VirfsJobSpec spec = { .object = &vm->object, .host = &info->host->object };

  spec.target = target ? &target->object : NULL;
  return backend_begin (f->infra, &spec);
}

static int
verb (Fixture *f, const char *label, VirfsVmVerb verb)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);
  VirfsJob *job = begin (f, vm, NULL);

  virfs_libvirt_backend.vm_verb (vm, verb, job);
  return backend_end (job);
}

static int
bring (Fixture *f, const char *label, VirfsVmState state)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);
  VirfsJob *job = begin (f, vm, NULL);

  virfs_libvirt_backend.vm_bring (vm, state, job);
  return backend_end (job);
}

static int
set (Fixture *f, const char *label, VirfsVmField field, guint64 number, const char *text)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);
  VirfsJob *job = begin (f, vm, NULL);
  VirfsVmSetting setting = { field, number, text };

  virfs_libvirt_backend.vm_set (vm, &setting, job);
  return backend_end (job);
}

static int
define (Fixture *f, const char *label, const char *xml)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);
  VirfsJob *job = begin (f, vm, NULL);

  virfs_libvirt_backend.vm_define (vm, xml, job);
  return backend_end (job);
}

static int
migrate (Fixture *f, const char *label, const char *host)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);
  g_autoptr (VirfsHost) target = virfs_infra_host (f->infra, host);
  VirfsJob *job = begin (f, vm, target);

  virfs_libvirt_backend.vm_migrate (vm, target, job);
  return backend_end (job);
}

static void
assert_said (const char *text)
{
  g_assert_nonnull (backend_message ());
  if (strstr (backend_message (), text) == NULL)
    g_error ("\"%s\" was expected in: %s", text, backend_message ());
}

/* Behind our back. */

static virConnectPtr
connection_of (Fixture *f, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  virConnectPtr conn = virfs_libvirt_connection (host);

  g_assert_nonnull (conn);
  return conn;
}

static virDomainPtr
domain_of (Fixture *f, const char *uuid)
{
  virConnectPtr conn = connection_of (f, "h1");
  virDomainPtr domain = virDomainLookupByUUIDString (conn, uuid);

  g_assert_nonnull (domain);
  virConnectClose (conn);
  return domain;
}

/* The tests. */

static void
test_uri (void)
{
  static const char *const good[] = {
    "qemu:///system",
    "qemu+ssh://root@h1/system",
    "test:///default",
    "esx://root:pw@esx1/?no_verify=1",
    "qemu+unix:///system?socket=/run/x",
    "lxc:///",
    "xen+tls://h/",
  };
  static const char *const bad[] = { "", "h1", "/etc/passwd", "qemu://a b/", "::" };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (virfs_libvirt_backend.check_uri (good[i], NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (virfs_libvirt_backend.check_uri (bad[i], &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  }
}

static void
test_host (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHostInfo) info = look_host (f, "h1");
  VirfsPoolInfo *first;

  g_assert_cmpint (info->state, ==, VIRFS_HOST_UP);
  g_assert_true (g_str_has_prefix (info->hypervisor, "TEST "));
  g_assert_cmpstr (info->arch, ==, "i686");
  g_assert_cmpuint (info->cpus, >, 0);
  g_assert_cmpuint (info->memory, ==, G_GUINT64_CONSTANT (3) << 30);
  g_assert_nonnull (info->hostname);
  g_assert_cmpuint (virfs_blob_size (info->capabilities), >, 100);
  g_assert_cmpuint (info->guest_types->len, ==, 1);
  g_assert_cmpstr (info->guest_types->pdata[0], ==, "test i686");
  g_assert_cmpuint (info->networks->len, ==, 1);
  g_assert_cmpstr (info->networks->pdata[0], ==, "default");
  g_assert_cmpstr (info->bridges->pdata[0], ==, "virbr0");
  g_assert_cmpuint (info->parts[VIRFS_HOST_POOLS]->len, ==, 1);
  first = info->parts[VIRFS_HOST_POOLS]->pdata[0];
  g_assert_cmpstr (first->part.name, ==, "default");
  g_assert_cmpstr (first->state, ==, "running");
  g_assert_cmpstr (first->type, ==, "dir");
  g_assert_cmpstr (first->path, ==, "/images");
  g_assert_cmpuint (first->available, >, 0);
}

static void
test_guests (Fixture *f, gconstpointer data)
{
  g_autofree char *xml = xml_of (f, "web");

  assert_state (f, "web", "running");
  assert_vm (f, "web", g_strcmp0 (info->uuid, WEB) == 0);
  assert_vm (f, "web", g_str_equal (info->title, "Web server"));
  assert_vm (f, "web", g_str_equal (info->description, "line 1\nline 2"));
  assert_vm (f, "web", info->memory == 512 << 20 && info->memory_max == 1024 << 20);
  assert_vm (f, "web", info->vcpus == 2 && info->vcpus_max == 4);
  assert_vm (f, "web", info->cpu_shares == 2048 && info->cpu_period == 100000);
  assert_vm (f, "web", info->cpu_quota == -1);
  assert_vm (f, "web", info->id > 0 && info->persistent && !info->autostart && !info->saved);
  assert_vm (f, "web", info->xml_inactive != NULL && info->xml_inactive != info->xml);
  g_assert_nonnull (strstr (xml, "/images/web.img"));
  g_assert_null (strstr (xml, "secret"));

  assert_state (f, "db", "shutoff");
  assert_vm (f, "db", info->id == -1 && info->vcpus == 1 && info->memory == 1024 << 20);
  assert_vm (f, "db", info->title == NULL && info->cpu_shares == 0 && info->created == 0);
  assert_vm (f, "db", info->xml != NULL && info->xml == info->xml_inactive);
}

static void
test_needs (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVmInfo) info = look (f, "web");
  g_autoptr (VirfsVmNeeds) needs = virfs_libvirt_backend.vm_needs (info, NULL);
  g_autoptr (VirfsVmInfo) empty = virfs_vm_info_new (WEB, "web");

  g_assert_cmpstr (needs->guest_type, ==, "test i686");
  g_assert_cmpuint (needs->networks->len, ==, 1);
  g_assert_cmpstr (needs->networks->pdata[0], ==, "default");
  g_assert_cmpuint (needs->bridges->len, ==, 1);
  g_assert_cmpstr (needs->bridges->pdata[0], ==, "br0");
  g_assert_cmpuint (needs->pools->len, ==, 1);
  g_assert_cmpstr (needs->pools->pdata[0], ==, "default");
  g_assert_cmpuint (needs->files->len, ==, 1);
  g_assert_cmpstr (needs->files->pdata[0], ==, "/images/web.img");
  g_assert_cmpuint (needs->disks->len, ==, 2);
  g_assert_cmpstr (needs->disks->pdata[0], ==, "/images/web.img");
  g_assert_cmpstr (needs->disks->pdata[1], ==, "default/data");
  g_assert_null (virfs_libvirt_backend.vm_needs (empty, NULL));
}

/* Brings db to FROM first; then VERB ends with ERROR and leaves it in TO. */
static const struct {
  VirfsVmState from;
  VirfsVmVerb verb;
  int error;
  const char *to;
} verb_cases[] = {
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_START, 0, "running" },
  { VIRFS_VM_RUNNING, VIRFS_VERB_START, 0, "running" },
  { VIRFS_VM_PAUSED, VIRFS_VERB_START, EBUSY, "paused" },
  { VIRFS_VM_RUNNING, VIRFS_VERB_SHUTDOWN, 0, "shutoff" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_SHUTDOWN, 0, "shutoff" },
  { VIRFS_VM_PAUSED, VIRFS_VERB_SHUTDOWN, EBUSY, "paused" },
  { VIRFS_VM_RUNNING, VIRFS_VERB_DESTROY, 0, "shutoff" },
  { VIRFS_VM_PAUSED, VIRFS_VERB_DESTROY, 0, "shutoff" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_DESTROY, 0, "shutoff" },
  { VIRFS_VM_RUNNING, VIRFS_VERB_REBOOT, 0, "running" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_REBOOT, EBUSY, "shutoff" },
  { VIRFS_VM_RUNNING, VIRFS_VERB_RESET, 0, "running" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_RESET, EBUSY, "shutoff" },
  { VIRFS_VM_RUNNING, VIRFS_VERB_SUSPEND, 0, "paused" },
  { VIRFS_VM_PAUSED, VIRFS_VERB_SUSPEND, 0, "paused" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_SUSPEND, EBUSY, "shutoff" },
  { VIRFS_VM_PAUSED, VIRFS_VERB_RESUME, 0, "running" },
  { VIRFS_VM_RUNNING, VIRFS_VERB_RESUME, 0, "running" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_RESUME, EBUSY, "shutoff" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_RESTORE, EBUSY, "shutoff" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_DISCARD, EBUSY, "shutoff" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_SAVE, EBUSY, "shutoff" },
  { VIRFS_VM_RUNNING, VIRFS_VERB_NMI, 0, "running" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_NMI, EBUSY, "shutoff" },
  { VIRFS_VM_RUNNING, VIRFS_VERB_WAKEUP, 0, "running" },
  { VIRFS_VM_SHUTOFF, VIRFS_VERB_WAKEUP, EBUSY, "shutoff" },
};

static void
test_verbs (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (verb_cases); i++) {
    g_assert_cmpint (bring (f, "db", verb_cases[i].from), ==, 0);
    g_assert_cmpint (verb (f, "db", verb_cases[i].verb), ==, verb_cases[i].error);
    assert_state (f, "db", verb_cases[i].to);
  }
}

static void
test_save (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (verb (f, "web", VIRFS_VERB_SAVE), ==, 0);
  assert_state (f, "web", "shutoff");
  assert_vm (f, "web", info->saved && g_strcmp0 (info->reason, "saved") == 0);
  g_assert_cmpint (verb (f, "web", VIRFS_VERB_SAVE), ==, 0);
  g_assert_cmpint (verb (f, "web", VIRFS_VERB_RESTORE), ==, 0);
  assert_state (f, "web", "running");
  assert_vm (f, "web", !info->saved);

  g_assert_cmpint (verb (f, "web", VIRFS_VERB_SAVE), ==, 0);
  g_assert_cmpint (verb (f, "web", VIRFS_VERB_DISCARD), ==, 0);
  assert_vm (f, "web", !info->saved);
  g_assert_cmpint (verb (f, "web", VIRFS_VERB_RESTORE), ==, EBUSY);
  assert_said ("nothing was saved");
}

/* How many calls of libvirt VERB takes; others than it ask meanwhile, which only adds to them. */
static guint64
fewest_calls (Fixture *f, VirfsVmVerb what, int error)
{
  guint64 fewest = G_MAXUINT64;

  for (guint i = 0; i < 10; i++) {
    guint64 before = virfs_libvirt_calls ();

    g_assert_cmpint (verb (f, "web", what), ==, error);
    fewest = MIN (fewest, virfs_libvirt_calls () - before);
  }
  return fewest;
}

/* What the driver lacks is asked for once. */
static void
test_missing (Fixture *f, gconstpointer data)
{
  guint64 calls = fewest_calls (f, VIRFS_VERB_REBOOT, 0);

  g_assert_cmpuint (fewest_calls (f, VIRFS_VERB_PMSUSPEND, ENOTSUP), <, calls);
  assert_said ("cannot do this");
}

static void
test_bring (Fixture *f, gconstpointer data)
{
  static const VirfsVmState states[] = { VIRFS_VM_RUNNING, VIRFS_VM_PAUSED, VIRFS_VM_SHUTOFF };

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    for (guint j = 0; j < G_N_ELEMENTS (states); j++) {
      g_assert_cmpint (bring (f, "db", states[i]), ==, 0);
      assert_state (f, "db", virfs_vm_state_name (states[i]));
      g_assert_cmpint (bring (f, "db", states[j]), ==, 0);
      assert_state (f, "db", virfs_vm_state_name (states[j]));
    }
}

static void
test_crashed (Fixture *f, gconstpointer data)
{
  g_autofree char *content
    = g_strconcat ("<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
                   "<name>dead</name><memory>1024</memory><os><type>hvm</type></os>"
                   "<test:runstate>6</test:runstate></domain>",
                   NULL);

  write_host (f, "h2", content);
  virfs_object_unref (add_host (f, "h2"));
  wait_host (f, "h2", info->state == VIRFS_HOST_UP);
  wait_vm (f, "dead", info != NULL);
  assert_state (f, "dead", "crashed");
  g_assert_cmpint (bring (f, "dead", VIRFS_VM_RUNNING), ==, 0);
  assert_state (f, "dead", "running");
}

static void
test_set (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (set (f, "web", VIRFS_VM_TITLE, 0, "<&> \"x\""), ==, 0);
  assert_vm (f, "web", g_strcmp0 (info->title, "<&> \"x\"") == 0);
  g_assert_cmpint (set (f, "web", VIRFS_VM_TITLE, 0, ""), ==, 0);
  assert_vm (f, "web", info->title == NULL);
  g_assert_cmpint (set (f, "web", VIRFS_VM_DESCRIPTION, 0, "a\nb"), ==, 0);
  assert_vm (f, "web", g_strcmp0 (info->description, "a\nb") == 0);
  g_assert_cmpint (set (f, "web", VIRFS_VM_AUTOSTART, 1, NULL), ==, 0);
  assert_vm (f, "web", info->autostart);
  g_assert_cmpint (set (f, "web", VIRFS_VM_AUTOSTART, 0, NULL), ==, 0);
  assert_vm (f, "web", !info->autostart);
  g_assert_cmpint (set (f, "web", VIRFS_VM_VCPUS, 3, NULL), ==, 0);
  assert_vm (f, "web", info->vcpus == 3 && info->vcpus_max == 4);
  g_assert_cmpint (set (f, "web", VIRFS_VM_MEMORY, 256 << 20, NULL), ==, 0);
  assert_vm (f, "web", info->memory == 256 << 20);

  g_assert_cmpint (set (f, "db", VIRFS_VM_VCPUS_MAX, 8, NULL), ==, 0);
  g_assert_cmpint (set (f, "db", VIRFS_VM_VCPUS, 8, NULL), ==, 0);
  assert_vm (f, "db", info->vcpus == 8 && info->vcpus_max == 8);
  g_assert_cmpint (set (f, "db", VIRFS_VM_MEMORY_MAX, G_GUINT64_CONSTANT (4) << 30, NULL), ==, 0);
  g_assert_cmpint (set (f, "db", VIRFS_VM_MEMORY, G_GUINT64_CONSTANT (4) << 30, NULL), ==, 0);
  assert_vm (f, "db", info->memory == info->memory_max);
  assert_vm (f, "db", info->memory == G_GUINT64_CONSTANT (4) << 30);
}

static void
test_set_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVmInfo) before = look (f, "web");
  g_autoptr (VirfsVmInfo) after = NULL;

  g_assert_cmpint (set (f, "web", VIRFS_VM_VCPUS, 0, NULL), ==, EINVAL);
  g_assert_cmpint (set (f, "web", VIRFS_VM_VCPUS, 5, NULL), ==, EINVAL);
  assert_said ("1 to 4");
  g_assert_cmpint (set (f, "web", VIRFS_VM_MEMORY, 0, NULL), ==, EINVAL);
  g_assert_cmpint (set (f, "web", VIRFS_VM_MEMORY, G_GUINT64_CONSTANT (2) << 30, NULL), ==, EINVAL);
  g_assert_cmpint (set (f, "web", VIRFS_VM_VCPUS_MAX, 2, NULL), ==, EBUSY);
  g_assert_cmpint (set (f, "web", VIRFS_VM_MEMORY_MAX, 1 << 30, NULL), ==, EBUSY);
  assert_said ("shut off");
  g_assert_cmpint (set (f, "web", VIRFS_VM_TITLE, 0, "two\nlines"), ==, EINVAL);
  g_assert_cmpint (set (f, "web", VIRFS_VM_CPU_SHARES, 100, NULL), ==, ENOTSUP);
  after = look (f, "web");
  g_assert_cmpuint (virfs_vm_info_diff (before, after), ==, 0);
}

static char *
stored_xml (Fixture *f, const char *uuid)
{
  virDomainPtr domain = domain_of (f, uuid);
  char *xml = virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);

  virDomainFree (domain);
  return xml;
}

/* Whether the definition that UUID will start with next has TEXT. */
static gboolean
is_stored (Fixture *f, const char *uuid, const char *text)
{
  g_autofree char *xml = stored_xml (f, uuid);

  return strstr (xml, text) != NULL;
}

/* What is left to the hypervisor is not in the definition any more.  The driver itself sets none. */
static void
test_schedule (Fixture *f, gconstpointer data)
{
  static const VirfsVmField fields[]
    = { VIRFS_VM_CPU_SHARES, VIRFS_VM_CPU_QUOTA, VIRFS_VM_CPU_PERIOD };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    g_assert_cmpint (set (f, "web", fields[i], 0, NULL), ==, EBUSY);
    assert_said ("shut off");
  }
  g_assert_cmpint (bring (f, "web", VIRFS_VM_SHUTOFF), ==, 0);
  assert_vm (f, "web", info->cpu_shares == 2048 && info->cpu_period == 100000);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    g_assert_cmpint (set (f, "web", fields[i], 0, NULL), ==, 0);
  assert_vm (f, "web", info->cpu_shares == 0 && info->cpu_period == 0 && info->cpu_quota == 0);
  g_assert_false (is_stored (f, WEB, "<shares>") || is_stored (f, WEB, "<quota>"));
  g_assert_false (is_stored (f, WEB, "<period>"));
}

/* vCPUs that run are pinned at once, and in the definition. */
static void
test_pins (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (set (f, "web", VIRFS_VM_VCPU_PINS, 0, "0 2-3\n1 5"), ==, 0);
  assert_vm (f, "web", g_strcmp0 (info->vcpu_pins, "0 2-3\n1 5") == 0);
  g_assert_true (is_stored (f, WEB, "<vcpupin vcpu='0' cpuset='2-3'/>"));
  g_assert_true (is_stored (f, WEB, "<vcpupin vcpu='1' cpuset='5'/>"));
  g_assert_true (is_stored (f, WEB, "passwd='secret'"));
  g_assert_cmpint (set (f, "web", VIRFS_VM_VCPU_PINS, 0, "1 1"), ==, 0);
  assert_vm (f, "web", g_strcmp0 (info->vcpu_pins, "1 1") == 0);
  g_assert_cmpint (set (f, "web", VIRFS_VM_VCPU_PINS, 0, ""), ==, 0);
  assert_vm (f, "web", info->vcpu_pins == NULL);
  g_assert_false (is_stored (f, WEB, "vcpupin"));
  g_assert_cmpint (set (f, "web", VIRFS_VM_EMULATOR_CPUSET, 0, "0-1"), ==, 0);
  assert_vm (f, "web", g_strcmp0 (info->emulator_cpuset, "0-1") == 0);
  g_assert_true (is_stored (f, WEB, "<emulatorpin cpuset='0-1'/>"));
  g_assert_cmpint (set (f, "web", VIRFS_VM_EMULATOR_CPUSET, 0, ""), ==, 0);
  assert_vm (f, "web", info->emulator_cpuset == NULL);

  g_assert_cmpint (set (f, "db", VIRFS_VM_VCPU_PINS, 0, "0 7"), ==, 0);
  assert_vm (f, "db", g_strcmp0 (info->vcpu_pins, "0 7") == 0);
  g_assert_cmpint (set (f, "db", VIRFS_VM_VCPU_PINS, 0, "0 7-8"), ==, EINVAL);
  assert_said ("CPUs 0-7");
  g_assert_cmpint (set (f, "db", VIRFS_VM_EMULATOR_CPUSET, 0, "99"), ==, EINVAL);
  assert_vm (f, "db", g_strcmp0 (info->vcpu_pins, "0 7") == 0);
}

/* A cpuset of all vCPUs is that of the emulator, too. */
static void
test_common_cpuset (Fixture *f, gconstpointer data)
{
  static const char common[]
    = "<domain type='test'><name>db</name><memory unit='MiB'>64</memory>"
      "<vcpu cpuset='1,2'>3</vcpu><cputune><vcpupin vcpu='1' cpuset='7'/></cputune>"
      "<os><type arch='i686'>hvm</type></os></domain>";

  g_assert_cmpint (define (f, "db", common), ==, 0);
  assert_vm (f, "db", g_strcmp0 (info->vcpu_pins, "0 1-2\n1 7\n2 1-2") == 0);
  assert_vm (f, "db", g_strcmp0 (info->emulator_cpuset, "1-2") == 0);
  g_assert_cmpint (set (f, "db", VIRFS_VM_VCPU_PINS, 0, "1 3"), ==, 0);
  assert_vm (f, "db", g_strcmp0 (info->vcpu_pins, "1 3") == 0);
  assert_vm (f, "db", g_strcmp0 (info->emulator_cpuset, "1-2") == 0);

  g_assert_cmpint (define (f, "db", common), ==, 0);
  g_assert_cmpint (set (f, "db", VIRFS_VM_EMULATOR_CPUSET, 0, ""), ==, 0);
  assert_vm (f, "db", g_strcmp0 (info->vcpu_pins, "0 1-2\n1 7\n2 1-2") == 0);
  assert_vm (f, "db", info->emulator_cpuset == NULL);
}

static void
test_numa (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (set (f, "db", VIRFS_VM_NUMA_NODESET, 0, "0-1"), ==, 0);
  assert_vm (f, "db", g_strcmp0 (info->numa_nodeset, "0-1") == 0);
  assert_vm (f, "db", g_strcmp0 (info->numa_mode, "strict") == 0);
  g_assert_cmpint (set (f, "db", VIRFS_VM_NUMA_MODE, 0, "interleave"), ==, 0);
  assert_vm (f, "db", g_strcmp0 (info->numa_mode, "interleave") == 0);
  g_assert_cmpint (set (f, "db", VIRFS_VM_NUMA_NODESET, 0, ""), ==, 0);
  assert_vm (f, "db", info->numa_nodeset == NULL && info->numa_mode == NULL);

  g_assert_cmpint (set (f, "web", VIRFS_VM_NUMA_NODESET, 0, "1"), ==, 0);
  assert_vm (f, "web", g_strcmp0 (info->numa_nodeset, "1") == 0);
  g_assert_cmpint (set (f, "web", VIRFS_VM_NUMA_MODE, 0, "preferred"), ==, EBUSY);
  g_assert_cmpint (set (f, "web", VIRFS_VM_NUMA_NODESET, 0, ""), ==, EBUSY);
  assert_said ("shut it off");
}

/* The next start's, whatever the running guest has started from. */
static void
test_boot (Fixture *f, gconstpointer data)
{
  assert_vm (f, "web", g_strcmp0 (info->boot, "disk") == 0);
  g_assert_cmpint (set (f, "web", VIRFS_VM_BOOT, 0, "network\ncdrom\nfloppy"), ==, 0);
  assert_vm (f, "web", g_strcmp0 (info->boot, "network\ncdrom\nfloppy") == 0);
  g_assert_true (is_stored (f, WEB, "<boot dev='fd'/>"));
  g_assert_true (is_stored (f, WEB, "passwd='secret'"));
  g_assert_cmpint (set (f, "web", VIRFS_VM_BOOT, 0, "nics/eth0\ndisks/vdb"), ==, 0);
  assert_vm (f, "web", g_strcmp0 (info->boot, "nics/eth0\ndisks/vdb") == 0);
  g_assert_false (is_stored (f, WEB, "<boot dev="));
  g_assert_cmpint (set (f, "web", VIRFS_VM_BOOT, 0, "disk"), ==, 0);
  assert_vm (f, "web", g_strcmp0 (info->boot, "disk") == 0);
  g_assert_false (is_stored (f, WEB, "<boot order="));
}

static void
test_hardware (Fixture *f, gconstpointer data)
{
  assert_vm (f, "db", g_strcmp0 (info->firmware, "bios") == 0 && info->machine == NULL);
  g_assert_cmpint (set (f, "db", VIRFS_VM_FIRMWARE, 0, "efi"), ==, 0);
  assert_vm (f, "db", g_strcmp0 (info->firmware, "efi") == 0);
  g_assert_cmpint (set (f, "db", VIRFS_VM_FIRMWARE, 0, "bios"), ==, 0);
  assert_vm (f, "db", g_strcmp0 (info->firmware, "bios") == 0);
  g_assert_cmpint (set (f, "db", VIRFS_VM_MACHINE, 0, "pc-1.0"), ==, 0);
  assert_vm (f, "db", g_strcmp0 (info->machine, "pc-1.0") == 0);
  g_assert_cmpint (set (f, "web", VIRFS_VM_FIRMWARE, 0, "efi"), ==, EBUSY);
  g_assert_cmpint (set (f, "web", VIRFS_VM_MACHINE, 0, "pc-1.0"), ==, EBUSY);
  assert_said ("shut off");
}

static void
test_define (Fixture *f, gconstpointer data)
{
  static const char with_display[]
    = "<domain type='test'><name>db</name><memory unit='MiB'>64</memory><vcpu>2</vcpu>"
      "<os><type arch='i686'>hvm</type></os>"
      "<devices><graphics type='vnc' passwd='hush'/></devices></domain>";
  g_autofree char *shown = NULL, *stored = NULL;

  g_assert_cmpint (define (f, "db", with_display), ==, 0);
  assert_vm (f, "db",
             g_strcmp0 (info->uuid, DB) == 0 && info->memory == 64 << 20 && info->vcpus == 2);

  /* what is shown can be written back, and the password that is not shown stays */
  shown = xml_of (f, "db");
  g_assert_null (strstr (shown, "hush"));
  g_assert_cmpint (define (f, "db", shown), ==, 0);
  stored = stored_xml (f, DB);
  g_assert_nonnull (strstr (stored, "hush"));
}

static void
test_define_refused (Fixture *f, gconstpointer data)
{
  static const char *const wrong[] = {
    "",
    "nonsense",
    "<domain",
    "<network><name>db</name></network>",
    "<domain type='test'><name>other</name></domain>",
    "<domain type='test'><name>db</name><uuid>" WEB "</uuid></domain>",
    "<domain type='test'><name>db</name><memory>1024</memory><os><type>hvm</type></os>"
    "<nonsense/></domain>",
    "<domain type='test'><name>db</name></domain>",
    "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
    "<domain type='test'><name>&e;</name></domain>",
  };
  g_autoptr (VirfsVmInfo) before = look (f, "db");
  g_autoptr (VirfsVmInfo) after = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (define (f, "db", wrong[i]), ==, EINVAL);
  after = look (f, "db");
  g_assert_cmpuint (virfs_vm_info_diff (before, after), ==, 0);
}

static void
test_behind (Fixture *f, gconstpointer data)
{
  virDomainPtr domain = domain_of (f, DB);
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, "db");
  gint64 start = g_get_real_time ();
  virConnectPtr conn;

  g_assert_cmpint (virDomainCreate (domain), ==, 0);
  wait_vm (f, "db", info->state == VIRFS_VM_RUNNING && info->id > 0);
  g_assert_cmpint (virDomainSuspend (domain), ==, 0);
  wait_vm (f, "db", info->state == VIRFS_VM_PAUSED && g_strcmp0 (info->reason, "user") == 0);
  g_assert_cmpint (virDomainDestroy (domain), ==, 0);
  wait_vm (f, "db", info->state == VIRFS_VM_SHUTOFF && info->id == -1);

  /* the same guest under another name */
  g_assert_cmpint (virDomainRename (domain, "renamed", 0), ==, 0);
  wait_vm (f, "renamed", info != NULL);
  g_assert_true (virfs_infra_vm (f->infra, "renamed") == vm);
  virfs_object_unref (vm);
  g_assert_false (has_event (f, "removed"));

  g_assert_cmpint (virDomainUndefine (domain), ==, 0);
  wait_vm (f, "renamed", info == NULL);
  virDomainFree (domain);

  conn = connection_of (f, "h1");
  domain = virDomainDefineXML (conn, db);
  wait_vm (f, "db", info != NULL && info->created >= start);
  virDomainFree (domain);
  virConnectClose (conn);
}

/* A guest without definition is there as long as it runs. */
static void
test_transient (Fixture *f, gconstpointer data)
{
  virConnectPtr conn = connection_of (f, "h1");
  virDomainPtr domain
    = virDomainCreateXML (conn,
                          "<domain type='test'><name>brief</name><memory>1024</memory>"
                          "<os><type arch='i686'>hvm</type></os></domain>",
                          0);

  wait_vm (f, "brief", info && info->state == VIRFS_VM_RUNNING && !info->persistent);
  assert_vm (f, "brief", info->xml_inactive == NULL);
  g_assert_cmpint (set (f, "brief", VIRFS_VM_AUTOSTART, 1, NULL), ==, EBUSY);
  g_assert_cmpint (set (f, "brief", VIRFS_VM_TITLE, 0, "x"), ==, 0);
  g_assert_cmpint (set (f, "brief", VIRFS_VM_VCPU_PINS, 0, "0 4"), ==, 0);
  assert_vm (f, "brief", g_strcmp0 (info->vcpu_pins, "0 4") == 0);
  g_assert_cmpint (set (f, "brief", VIRFS_VM_BOOT, 0, "disk"), ==, EBUSY);
  assert_said ("no definition");
  g_assert_cmpint (bring (f, "brief", VIRFS_VM_SHUTOFF), ==, 0);
  wait_vm (f, "brief", info == NULL);
  virDomainFree (domain);

  domain = domain_of (f, WEB);
  g_assert_cmpint (virDomainUndefine (domain), ==, 0);
  wait_vm (f, "web", !info->persistent && info->state == VIRFS_VM_RUNNING);
  g_assert_cmpint (verb (f, "web", VIRFS_VERB_DESTROY), ==, 0);
  wait_vm (f, "web", info == NULL);
  virDomainFree (domain);
  virConnectClose (conn);
}

/* What has no event is found by looking, once a second here. */
static void
test_poll (Fixture *f, gconstpointer data)
{
  virDomainPtr domain = domain_of (f, WEB);

  g_assert_cmpint (virDomainSetAutostart (domain, 1), ==, 0);
  g_assert_cmpint (virDomainSetMemoryFlags (domain, 128 << 10, VIR_DOMAIN_AFFECT_LIVE), ==, 0);
  g_assert_cmpint (virDomainSetVcpusFlags (domain, 1, VIR_DOMAIN_AFFECT_LIVE), ==, 0);
  wait_vm (f, "web", info->autostart);
  wait_vm (f, "web", info->memory == 128 << 20 && info->vcpus == 1);
  virDomainFree (domain);
}

static void
test_resources (Fixture *f, gconstpointer data)
{
  virConnectPtr conn = connection_of (f, "h1");
  virNetworkPtr net = virNetworkLookupByName (conn, "default");
  virStoragePoolPtr storage = virStoragePoolLookupByName (conn, "default");

  g_assert_cmpint (virNetworkDestroy (net), ==, 0);
  wait_host (f, "h1", info->networks->len == 0);
  g_assert_true (has_event (f, "network event=stopped name=default")
                 || has_event (f, "network name=default event=stopped"));
  g_assert_cmpint (virStoragePoolDestroy (storage), ==, 0);
  wait_host (
    f, "h1",
    !virfs_pool_is_active (virfs_part_list_find (info->parts[VIRFS_HOST_POOLS], "default")));
  virNetworkFree (net);
  virStoragePoolFree (storage);
  virConnectClose (conn);
}

/* Moving. */

static void
add_second_host (Fixture *f, const char *content)
{
  g_autofree char *all = g_strconcat (content, network, pool, NULL);

  write_host (f, "h2", all);
  virfs_object_unref (add_host (f, "h2"));
  wait_host (f, "h2", info->state == VIRFS_HOST_UP);
}

static void
test_move (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, "db");
  g_autoptr (VirfsVm) moved = NULL;

  add_second_host (f, "");
  g_assert_cmpint (set (f, "db", VIRFS_VM_AUTOSTART, 1, NULL), ==, 0);
  g_assert_cmpint (migrate (f, "db", "h2"), ==, 0);
  assert_vm (f, "db", g_str_equal (info->host->name, "h2") && info->autostart);
  moved = virfs_infra_vm (f->infra, "db");
  g_assert_true (moved == vm);
  g_assert_cmpint (bring (f, "db", VIRFS_VM_RUNNING), ==, 0);
  g_assert_cmpint (bring (f, "db", VIRFS_VM_SHUTOFF), ==, 0);
  g_assert_cmpint (migrate (f, "db", "h1"), ==, 0);
  assert_vm (f, "db", g_str_equal (info->host->name, "h1") && info->autostart);
  g_assert_false (has_event (f, "removed"));
}

static int
count_volumes (Fixture *f, const char *host)
{
  virConnectPtr conn = connection_of (f, host);
  virStoragePoolPtr storage = virStoragePoolLookupByName (conn, "default");
  int n = virStoragePoolNumOfVolumes (storage);

  virStoragePoolFree (storage);
  virConnectClose (conn);
  return n;
}

/* Disks that would have to be copied, by a driver that cannot. */
static void
test_move_disks (Fixture *f, gconstpointer data)
{
  add_second_host (f, "");
  g_assert_cmpint (bring (f, "web", VIRFS_VM_SHUTOFF), ==, 0);
  g_assert_cmpint (migrate (f, "web", "h2"), ==, ENOTSUP);
  assert_said ("cannot copy /images/web.img");
  assert_vm (f, "web", g_str_equal (info->host->name, "h1"));
  g_assert_cmpint (count_volumes (f, "h1"), ==, 2);
  g_assert_cmpint (count_volumes (f, "h2"), ==, 0);
}

/* A file of the same name is there already, and may be anybody's. */
static void
test_move_disk_exists (Fixture *f, gconstpointer data)
{
  g_autofree char *content = g_strconcat (network, full_pool, NULL);

  write_host (f, "h2", content);
  virfs_object_unref (add_host (f, "h2"));
  wait_host (f, "h2", info->state == VIRFS_HOST_UP);
  g_assert_cmpint (bring (f, "web", VIRFS_VM_SHUTOFF), ==, 0);
  g_assert_cmpint (migrate (f, "web", "h2"), ==, EEXIST);
  assert_said ("h2 has another web.img in the pool default already");
  g_assert_cmpint (count_volumes (f, "h2"), ==, 2);
}

static void
test_move_refused (Fixture *f, gconstpointer data)
{
  add_second_host (f, db);
  g_assert_cmpint (migrate (f, "web", "h1"), ==, EEXIST);
  g_assert_cmpint (migrate (f, "web", "h2"), ==, ENOTSUP);
  g_assert_cmpint (migrate (f, "web", "h2"), ==, ENOTSUP);
  assert_state (f, "web", "running");
  g_assert_cmpint (count_volumes (f, "h2"), ==, 0);
  g_assert_cmpint (verb (f, "web", VIRFS_VERB_SAVE), ==, 0);
  g_assert_cmpint (migrate (f, "web", "h2"), ==, EBUSY);
  assert_said ("saved");
  g_assert_cmpint (migrate (f, "db", "h2"), ==, EEXIST);
  assert_said ("UUID");
  assert_vm (f, "db", g_str_equal (info->host->name, "h1"));
  assert_vm (f, "web", g_str_equal (info->host->name, "h1"));
}

/* Snapshots and checkpoints. */

static int
take (Fixture *f, const char *label, const char *name, gboolean disks)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);
  VirfsJob *job = begin (f, vm, NULL);

  virfs_libvirt_backend.snapshot_take (vm, name, disks, job);
  return backend_end (job);
}

/* One of the functions that take no more than a name. */
static int
call_named (Fixture *f, void (*call) (VirfsVm *vm, const char *name, VirfsJob *job),
            const char *label, const char *name)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);
  VirfsJob *job = begin (f, vm, NULL);

  call (vm, name, job);
  return backend_end (job);
}

static int
describe (Fixture *f, const char *label, const char *name, const char *text)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);
  VirfsJob *job = begin (f, vm, NULL);

  virfs_libvirt_backend.snapshot_describe (vm, name, text, job);
  return backend_end (job);
}

/* Names, with an asterisk behind that of the current one; the caller owns it. */
static char *
list_parts (const VirfsVmInfo *info, VirfsVmPart list)
{
  const VirfsSnapshotInfo *current = virfs_snapshot_current (info->parts[VIRFS_VM_SNAPSHOTS]);
  GString *names = g_string_new (NULL);

  for (guint i = 0; info->parts[list] && i < info->parts[list]->len; i++) {
    const VirfsPartInfo *part = info->parts[list]->pdata[i];

    g_string_append_printf (names, "%s%s%s", i ? " " : "", part->name,
                            (gconstpointer) part == current ? "*" : "");
  }
  return g_string_free (names, FALSE);
}

static gboolean
has_parts (const VirfsVmInfo *info, VirfsVmPart list, const char *names)
{
  g_autofree char *is = info ? list_parts (info, list) : NULL;

  return g_strcmp0 (is, names) == 0;
}

static VirfsSnapshotInfo *
snapshot_of (Fixture *f, const char *label, const char *name)
{
  g_autoptr (VirfsVmInfo) info = look (f, label);

  return virfs_part_info_ref (virfs_part_list_find (info->parts[VIRFS_VM_SNAPSHOTS], name));
}

static void
test_snapshots (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsPartInfo) first = NULL;
  g_autoptr (VirfsPartInfo) second = NULL;

  g_assert_cmpint (take (f, "web", "first", FALSE), ==, 0);
  assert_vm (f, "web", has_parts (info, VIRFS_VM_SNAPSHOTS, "first*"));
  g_assert_cmpint (take (f, "web", "first", FALSE), ==, EEXIST);
  g_assert_cmpint (describe (f, "web", "first", "a & b"), ==, 0);
  g_assert_cmpint (verb (f, "web", VIRFS_VERB_DESTROY), ==, 0);
  g_assert_cmpint (take (f, "web", "second", FALSE), ==, 0);
  assert_vm (f, "web", has_parts (info, VIRFS_VM_SNAPSHOTS, "first second*"));
  first = (VirfsPartInfo *) snapshot_of (f, "web", "first");
  second = (VirfsPartInfo *) snapshot_of (f, "web", "second");
  g_assert_cmpstr (((VirfsSnapshotInfo *) first)->description, ==, "a & b");
  g_assert_cmpstr (((VirfsSnapshotInfo *) first)->state, ==, "running");
  g_assert_cmpstr (((VirfsSnapshotInfo *) second)->state, ==, "shutoff");
  g_assert_cmpstr (((VirfsSnapshotInfo *) second)->parent, ==, "first");
  g_assert_cmpstr (((VirfsSnapshotInfo *) second)->kind, ==, VIRFS_SNAPSHOT_FULL);

  g_assert_cmpint (call_named (f, virfs_libvirt_backend.snapshot_revert, "web", "first"), ==, 0);
  assert_state (f, "web", "running");
  assert_vm (f, "web", has_parts (info, VIRFS_VM_SNAPSHOTS, "first* second"));
  g_assert_cmpint (call_named (f, virfs_libvirt_backend.snapshot_delete, "web", "first"), ==, 0);
  g_assert_cmpint (call_named (f, virfs_libvirt_backend.snapshot_delete, "web", "first"), ==,
                   ENOENT);
  g_assert_cmpint (call_named (f, virfs_libvirt_backend.snapshot_delete, "web", "second"), ==, 0);
  assert_vm (f, "web", has_parts (info, VIRFS_VM_SNAPSHOTS, ""));
}

static void
test_snapshots_refused (Fixture *f, gconstpointer data)
{
  /* the test driver has no snapshots of disks alone */
  g_assert_cmpint (take (f, "web", "disks", TRUE), ==, ENOTSUP);
  g_assert_cmpint (call_named (f, virfs_libvirt_backend.snapshot_revert, "web", "none"), ==,
                   ENOENT);
  g_assert_cmpint (describe (f, "web", "none", "text"), ==, ENOENT);
  assert_vm (f, "web", has_parts (info, VIRFS_VM_SNAPSHOTS, ""));
  assert_state (f, "web", "running");
}

static void
make_behind (Fixture *f, const char *uuid, const char *xml)
{
  virDomainPtr domain = domain_of (f, uuid);
  virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML (domain, xml, 0);

  g_assert_nonnull (snapshot);
  virDomainSnapshotFree (snapshot);
  virDomainFree (domain);
}

/* Nobody tells of them. */
static void
test_snapshots_behind (Fixture *f, gconstpointer data)
{
  make_behind (f, DB, "<domainsnapshot><name>a/b</name></domainsnapshot>");
  wait_vm (f, "db", has_parts (info, VIRFS_VM_SNAPSHOTS, "a/b*"));
  make_behind (f, DB, "<domainsnapshot><name>c</name></domainsnapshot>");
  wait_vm (f, "db", has_parts (info, VIRFS_VM_SNAPSHOTS, "a/b c*"));
}

/* Those that there are when the host is seen first. */
static void
test_snapshots_known (Fixture *f, gconstpointer data)
{
  static const char definition[] = "<name>old</name><uuid>" OLD "</uuid><memory>1024</memory>"
                                   "<os><type>hvm</type></os>";
  static const char snapshot[] = "<name>s1</name><state>shutoff</state>"
                                 "<creationTime>1</creationTime><active>1</active>";
  g_autofree char *old
    = g_strdup_printf ("<domain type='test'"
                       " xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>%s"
                       "<test:runstate>5</test:runstate><test:domainsnapshot>%s"
                       "<domain type='test'>%s</domain></test:domainsnapshot></domain>",
                       definition, snapshot, definition);

  write_host (f, "h2", old);
  virfs_object_unref (add_host (f, "h2"));
  wait_vm (f, "old", has_parts (info, VIRFS_VM_SNAPSHOTS, "s1*"));
}

static void
test_checkpoints (Fixture *f, gconstpointer data)
{
  int error = call_named (f, virfs_libvirt_backend.checkpoint_make, "web", "sat");

  /* this driver says which of its disks are of a kind that has none */
  g_assert_cmpint (error, ==, ENOTSUP);
  assert_said ("qcow2");
  g_assert_cmpint (call_named (f, virfs_libvirt_backend.checkpoint_make, "db", "sat"), ==, EBUSY);
  assert_said ("start it first");
  g_assert_cmpint (call_named (f, virfs_libvirt_backend.checkpoint_delete, "web", "sat"), ==,
                   ENOENT);
}

static void
test_move_snapshot (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsPartInfo) second = NULL;

  add_second_host (f, "");
  g_assert_cmpint (take (f, "db", "first", FALSE), ==, 0);
  g_assert_cmpint (take (f, "db", "second", FALSE), ==, 0);
  g_assert_cmpint (call_named (f, virfs_libvirt_backend.snapshot_revert, "db", "first"), ==, 0);
  g_assert_cmpint (migrate (f, "db", "h2"), ==, 0);
  assert_vm (f, "db", g_str_equal (info->host->name, "h2"));
  assert_vm (f, "db", has_parts (info, VIRFS_VM_SNAPSHOTS, "first* second"));
  second = (VirfsPartInfo *) snapshot_of (f, "db", "second");
  g_assert_cmpstr (((VirfsSnapshotInfo *) second)->parent, ==, "first");
  g_assert_cmpint (call_named (f, virfs_libvirt_backend.snapshot_revert, "db", "second"), ==, 0);
}

/* The other host has a guest of the same name. */
static void
test_move_name_taken (Fixture *f, gconstpointer data)
{
  add_second_host (f, "<domain type='test'><name>db</name><memory>1024</memory>"
                      "<os><type arch='i686'>hvm</type></os></domain>");
  g_assert_cmpint (migrate (f, "db", "h2"), !=, 0);
  assert_vm (f, "db", g_str_equal (info->host->name, "h1"));
}

/* Coming and going. */

static void
test_unreachable (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHost) host = add_host (f, "h3");

  g_assert_true (virfs_infra_settle (f->infra, PATIENCE));
  wait_host (f, "h3", info->error != NULL);
  wait_host (f, "h3", info->state == VIRFS_HOST_CONNECTING);
  /* attempts go on */
  write_host (f, "h3", "");
  wait_host (f, "h3", info->state == VIRFS_HOST_UP);
}

static void
test_close (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h1");
  virConnectPtr conn = connection_of (f, "h1");
  virDomainPtr domain = virDomainLookupByUUIDString (conn, WEB);

  g_assert_true (virfs_infra_remove_host (f->infra, host, NULL));
  g_assert_null (look (f, "web"));
  g_assert_cmpint (virDomainDestroy (domain), ==, 0);
  g_usleep (50000);
  g_assert_null (look (f, "web"));
  g_assert_null (virfs_libvirt_connection (host));
  virDomainFree (domain);
  virConnectClose (conn);
}

/* Volumes are read when the host is up already. */
static guint64
calls_at_rest (void)
{
  guint64 calls;

  do {
    calls = virfs_libvirt_calls ();
    g_usleep (100000);
  } while (virfs_libvirt_calls () != calls);
  return calls;
}

static gboolean
reads_without_calls (Fixture *f)
{
  guint64 before = calls_at_rest ();

  g_assert_cmpuint (before, >, 0);
  for (int i = 0; i < 100; i++) {
    g_autofree char *xml = xml_of (f, "web");
    g_autoptr (VirfsVmInfo) info = look (f, "web");
    g_autoptr (VirfsVmNeeds) needs = virfs_libvirt_backend.vm_needs (info, NULL);

    g_assert_nonnull (needs);
  }
  return virfs_libvirt_calls () == before;
}

/* Reading asks nobody.  On a busy machine what began before may go on after a rest. */
static void
test_calls (Fixture *f, gconstpointer data)
{
  guint tries = 1;

  while (!reads_without_calls (f) && tries < 20)
    tries++;
  g_assert_cmpuint (tries, <, 20);
}

/* A swarm of changes ends with the truth. */
static void
test_storm (Fixture *f, gconstpointer data)
{
  virDomainPtr domain = domain_of (f, WEB);
  guint64 before = virfs_libvirt_calls ();

  for (int i = 0; i < 2000; i++) {
    g_assert_cmpint (virDomainSuspend (domain), ==, 0);
    g_assert_cmpint (virDomainResume (domain), ==, 0);
  }
  g_assert_cmpint (virDomainSuspend (domain), ==, 0);
  wait_vm (f, "web", info->state == VIRFS_VM_PAUSED);
  g_usleep (100000);
  assert_state (f, "web", "paused");
  g_test_message ("4001 changes took %" G_GUINT64_FORMAT " calls", virfs_libvirt_calls () - before);
  virDomainFree (domain);
}

#define MANY 10000

static void
write_many (Fixture *f)
{
  g_autoptr (GString) content = g_string_new (NULL);

  for (int i = 0; i < MANY; i++)
    g_string_append_printf (content,
                            "<domain type='test'><name>vm%05d</name><memory>524288</memory>"
                            "<vcpu>2</vcpu><os><type arch='i686'>hvm</type></os></domain>",
                            i);
  write_host (f, "many", content->str);
}

static void
test_many (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL, *uri = NULL;
  gint64 start, opened, complete;
  virConnectPtr conn;

  write_many (f);
  path = host_path (f, "many");
  uri = g_strconcat ("test://", path, NULL);
  start = g_get_monotonic_time ();
  conn = virConnectOpen (uri);
  opened = g_get_monotonic_time () - start;
  g_assert_nonnull (conn);
  virConnectClose (conn);

  start = g_get_monotonic_time ();
  virfs_object_unref (add_host (f, "many"));
  g_assert_true (virfs_infra_settle (f->infra, 6 * PATIENCE));
  complete = g_get_monotonic_time () - start;
  assert_state (f, "vm09999", "running");
  g_test_message (
    "%d guests: libvirt opens them in %.2f s, all are known after %.2f s (%.2f times)", MANY,
    opened / 1e6, complete / 1e6, (double) complete / opened);
}

static void
add (const char *name, void (*test) (Fixture *f, gconstpointer data))
{
  g_test_add (name, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  VirfsLibvirtOptions options = VIRFS_LIBVIRT_DEFAULTS;

  g_test_init (&argc, &argv, NULL);
  options.poll_interval = 1;
  options.reconnect_max = 1;
  virfs_libvirt_init (&options);
  g_test_add_func ("/backend/uri", test_uri);
  add ("/backend/host", test_host);
  add ("/backend/guests", test_guests);
  add ("/backend/needs", test_needs);
  add ("/backend/verbs", test_verbs);
  add ("/backend/save", test_save);
  add ("/backend/missing", test_missing);
  add ("/backend/bring", test_bring);
  add ("/backend/crashed", test_crashed);
  add ("/backend/set", test_set);
  add ("/backend/set-refused", test_set_refused);
  add ("/backend/schedule", test_schedule);
  add ("/backend/pins", test_pins);
  add ("/backend/common-cpuset", test_common_cpuset);
  add ("/backend/numa", test_numa);
  add ("/backend/boot", test_boot);
  add ("/backend/hardware", test_hardware);
  add ("/backend/define", test_define);
  add ("/backend/define-refused", test_define_refused);
  add ("/backend/behind", test_behind);
  add ("/backend/transient", test_transient);
  add ("/backend/poll", test_poll);
  add ("/backend/resources", test_resources);
  add ("/backend/move", test_move);
  add ("/backend/move-refused", test_move_refused);
  add ("/backend/move-disks", test_move_disks);
  add ("/backend/move-disk-exists", test_move_disk_exists);
  add ("/backend/snapshots", test_snapshots);
  add ("/backend/snapshots-refused", test_snapshots_refused);
  add ("/backend/snapshots-behind", test_snapshots_behind);
  add ("/backend/snapshots-known", test_snapshots_known);
  add ("/backend/checkpoints", test_checkpoints);
  add ("/backend/move-snapshot", test_move_snapshot);
  add ("/backend/move-name-taken", test_move_name_taken);
  add ("/backend/unreachable", test_unreachable);
  add ("/backend/close", test_close);
  add ("/backend/calls", test_calls);
  add ("/backend/storm", test_storm);
  add ("/backend/many", test_many);
  return g_test_run ();
}
