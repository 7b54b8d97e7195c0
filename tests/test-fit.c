/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which host can take which guest. */
#include "fake.h"

#include "backup.h"
#include "cpu.h"
#include "error.h"
#include "fit.h"
#include "hostdev.h"
#include "kept.h"
#include "upkeep.h"

typedef struct {
  VirfsInfra *infra;
  VirfsHost *from, *to;
  VirfsVmInfo *vm;
  VirfsHostInfo *info; /* of `to`, to be changed */
  VirfsVmNeeds *needs;
} Fixture;

static GPtrArray *
names (const char *name)
{
  GPtrArray *array = g_ptr_array_new_with_free_func (g_free);

  if (name != NULL)
    g_ptr_array_add (array, g_strdup (name));
  return array;
}

static GPtrArray *
pool (const char *name, const char *path)
{
  GPtrArray *array = virfs_part_list_new ();
  VirfsPoolInfo *info = virfs_part_info_new (&virfs_pool_class, name);

  info->state = "running";
  virfs_ref_string_set (&info->path, path);
  g_ptr_array_add (array, info);
  return array;
}

/* What hosts were seen to share; tests change it. */
static gboolean apart;

static gboolean
pools_apart (VirfsHost *a, const VirfsPoolInfo *pool_a, VirfsHost *b, const VirfsPoolInfo *pool_b)
{
  g_assert_cmpstr (a->name, ==, "from");
  g_assert_cmpstr (b->name, ==, "to");
  return apart;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  static VirfsBackend backend;
  g_autoptr (VirfsVm) vm = NULL;
  g_autoptr (VirfsHostInfo) info = NULL;

  backend = virfs_fake_backend;
  backend.pools_apart = pools_apart;
  apart = FALSE;
  f->infra = virfs_infra_new (&backend, 60);
  f->from = virfs_infra_add_host (f->infra, "from", "fake:1", NULL);
  f->to = virfs_infra_add_host (f->infra, "to", "fake:0", NULL);
  vm = virfs_infra_vm (f->infra, "from-1");
  f->vm = virfs_vm_info (vm);
  g_assert_cmpint (f->vm->state, ==, VIRFS_VM_RUNNING);
  info = virfs_host_info (f->to);
  f->info = virfs_host_info_copy (info);
  f->needs = virfs_vm_needs_new ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  virfs_vm_needs_free (f->needs);
  virfs_host_info_unref (f->info);
  virfs_vm_info_unref (f->vm);
  virfs_object_unref (f->from);
  virfs_object_unref (f->to);
  virfs_infra_stop (f->infra, 0);
  virfs_infra_free (f->infra);
}

static void
assert_fits (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  virfs_fit (f->vm, f->needs, f->to, f->info, &error);
  g_assert_no_error (error);
}

/* The reason names WORD. */
static void
assert_does_not (Fixture *f, int code, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (virfs_fit (f->vm, f->needs, f->to, f->info, &error));
  g_assert_error (error, VIRFS_ERROR, code);
  g_assert_nonnull (g_strstr_len (error->message, -1, word));
  g_assert_nonnull (g_strstr_len (error->message, -1, "to"));
}

/* The same of what the host has nothing to do with. */
static void
assert_does_not_go (Fixture *f, int code, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (virfs_fit (f->vm, f->needs, f->to, f->info, &error));
  g_assert_error (error, VIRFS_ERROR, code);
  g_assert_nonnull (g_strstr_len (error->message, -1, word));
}

static void
test_host (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (f->from);
  g_autoptr (GError) error = NULL;

  assert_fits (f);
  g_assert_false (virfs_fit (f->vm, f->needs, f->from, info, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS);
  f->info->state = VIRFS_HOST_UNREACHABLE;
  assert_does_not (f, VIRFS_ERROR_HOST_DOWN, "unreachable");
}

static void
test_hypervisor (Fixture *f, gconstpointer data)
{
  f->needs->guest_type = g_strdup ("kvm x86_64");
  assert_fits (f); /* not known: the attempt will tell */
  f->info->guest_types = names ("qemu x86_64");
  assert_does_not (f, VIRFS_ERROR_UNSUPPORTED, "kvm x86_64");
  g_ptr_array_add (f->info->guest_types, g_strdup ("kvm x86_64"));
  assert_fits (f);
}

static void
test_cpu (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHostInfo) from = virfs_host_info (f->from);
  g_autoptr (GPtrArray) unknown = NULL;
  g_autoptr (GHashTable) more = NULL, wanted = NULL;

  virfs_ref_string_set (&f->vm->cpu, "kvm\n<cpu/>");
  assert_fits (f); /* not known: the attempt will tell */
  unknown = virfs_cpu_unknown (f->infra, f->info);
  g_assert_cmpuint (unknown->len, ==, 1);
  g_assert_cmpstr (unknown->pdata[0], ==, f->vm->cpu);
  f->info->cpu_verdicts = virfs_cpu_verdicts_with (NULL, f->vm->cpu, "");
  assert_fits (f);
  g_clear_pointer (&unknown, g_ptr_array_unref);
  unknown = virfs_cpu_unknown (f->infra, f->info);
  g_assert_cmpuint (unknown->len, ==, 0);
  /* one that no guest wants any more is forgotten */
  g_assert_null (virfs_cpu_verdicts_wanted (f->infra, NULL));
  g_assert_null (virfs_cpu_verdicts_wanted (f->infra, f->info->cpu_verdicts));
  more = virfs_cpu_verdicts_with (f->info->cpu_verdicts, "kvm\n<cpu>gone</cpu>", "no sse");
  wanted = virfs_cpu_verdicts_wanted (f->infra, more);
  g_assert_cmpuint (g_hash_table_size (wanted), ==, 1);
  g_assert_true (g_hash_table_contains (wanted, f->vm->cpu));
  g_hash_table_replace (f->info->cpu_verdicts, g_strdup (f->vm->cpu), g_strdup ("no avx"));
  assert_does_not (f, VIRFS_ERROR_UNSUPPORTED, "no avx");
  /* just as it is */
  virfs_ref_string_set (&f->vm->cpu, "kvm " VIRFS_CPU_PASSTHROUGH);
  assert_fits (f);
  virfs_ref_string_set (&f->info->cpu, "<cpu>new</cpu>");
  assert_fits (f);
  virfs_ref_string_set (&from->cpu, "<cpu>old</cpu>");
  virfs_infra_update_host (f->infra, f->from, virfs_host_info_copy (from), NULL);
  assert_does_not (f, VIRFS_ERROR_UNSUPPORTED, "host-passthrough");
  f->vm->state = VIRFS_VM_SHUTOFF;
  assert_fits (f);
}

/* Whose disks something is done to stays until that is over; where one could be that migrates does
 * not change. */
static void
test_claim (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->vm->claim = VIRFS_CLAIM_COPY;
  f->vm->claim_job = 17;
  g_assert_false (virfs_fit (f->vm, f->needs, f->to, f->info, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==,
                   "its disks are being moved: wait until that is over, or cancel jobs/17");
  f->vm->claim = VIRFS_CLAIM_MIGRATE;
  assert_fits (f);
}

/* All that is in the way, but nothing of a host that does not answer. */
static void
test_obstacles (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) obstacles = NULL;

  f->info->memory_free = 1;
  f->info->networks = names ("other");
  g_ptr_array_add (f->needs->networks, g_strdup ("wanted"));
  obstacles = virfs_fit_obstacles (f->vm, f->needs, f->to, f->info);
  g_assert_cmpuint (obstacles->len, ==, 2);
  g_clear_pointer (&obstacles, g_ptr_array_unref);
  f->info->state = VIRFS_HOST_UNREACHABLE;
  obstacles = virfs_fit_obstacles (f->vm, f->needs, f->to, f->info);
  g_assert_cmpuint (obstacles->len, ==, 1);
}

static void
test_memory (Fixture *f, gconstpointer data)
{
  f->info->memory_free = f->vm->memory;
  assert_fits (f);
  f->info->memory_free = f->vm->memory - 1;
  assert_does_not (f, VIRFS_ERROR_NO_SPACE, "memory");
  f->info->memory_free = 0; /* not known */
  assert_fits (f);
}

/* A guest that is off needs no memory there. */
static void
test_memory_off (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVmInfo) off = virfs_vm_info_copy (f->vm);

  off->state = VIRFS_VM_SHUTOFF;
  f->info->memory_free = 1;
  g_assert_true (virfs_fit (off, f->needs, f->to, f->info, NULL));
}

/* The name is the host's to give, the UUID is the guest's. */
static void
test_name (Fixture *f, gconstpointer data)
{
  VirfsVmInfo *other = virfs_vm_info_new ("00000000-0000-0000-0000-00000000000a", "other");

  other->state = VIRFS_VM_SHUTOFF;
  virfs_infra_update_vm (f->infra, f->to, other);
  assert_fits (f);
  other = virfs_vm_info_new ("00000000-0000-0000-0000-00000000000a", f->vm->name);
  other->state = VIRFS_VM_SHUTOFF;
  virfs_infra_update_vm (f->infra, f->to, other);
  assert_does_not (f, VIRFS_ERROR_EXISTS, f->vm->name);
}

static void
test_networks (Fixture *f, gconstpointer data)
{
  g_ptr_array_add (f->needs->networks, g_strdup ("lan"));
  g_ptr_array_add (f->needs->bridges, g_strdup ("br0"));
  assert_fits (f);
  f->info->networks = names (NULL);
  assert_does_not (f, VIRFS_ERROR_NOT_FOUND, "lan");
  g_ptr_array_add (f->info->networks, g_strdup ("lan"));
  assert_fits (f);
  f->info->bridges = names ("br1");
  assert_does_not (f, VIRFS_ERROR_NOT_FOUND, "br0");
}

static void
test_pools (Fixture *f, gconstpointer data)
{
  g_ptr_array_add (f->needs->pools, g_strdup ("fast"));
  g_clear_pointer (&f->info->parts[VIRFS_HOST_POOLS], g_ptr_array_unref);
  assert_fits (f); /* not known */
  f->info->parts[VIRFS_HOST_POOLS] = pool ("slow", "/slow");
  assert_does_not (f, VIRFS_ERROR_NOT_FOUND, "fast");
  g_clear_pointer (&f->info->parts[VIRFS_HOST_POOLS], g_ptr_array_unref);
  f->info->parts[VIRFS_HOST_POOLS] = pool ("fast", "/elsewhere");
  assert_fits (f);
}

/* Only files in a pool of the source tell where they must be. */
static void
test_files (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHostInfo) known = virfs_host_info (f->from);
  VirfsHostInfo *from = virfs_host_info_copy (known);

  g_ptr_array_add (f->needs->files, g_strdup ("/images/web.qcow2"));
  virfs_part_lists_set (from->parts, VIRFS_HOST_POOLS, pool ("own", "/own"));
  virfs_infra_update_host (f->infra, f->from, virfs_host_info_copy (from), NULL);
  g_clear_pointer (&f->info->parts[VIRFS_HOST_POOLS], g_ptr_array_unref);
  f->info->parts[VIRFS_HOST_POOLS] = pool ("other", "/other");
  assert_fits (f);
  virfs_part_lists_set (from->parts, VIRFS_HOST_POOLS, pool ("images", "/images"));
  virfs_infra_update_host (f->infra, f->from, from, NULL);
  assert_does_not (f, VIRFS_ERROR_NOT_FOUND, "/images/web.qcow2");
  g_clear_pointer (&f->info->parts[VIRFS_HOST_POOLS], g_ptr_array_unref);
  f->info->parts[VIRFS_HOST_POOLS] = pool ("named differently", "/images");
  assert_fits (f);
}

static void
test_machine (Fixture *f, gconstpointer data)
{
  f->needs->machine = g_strdup ("x86_64 pc-q35-7.2");
  virfs_ref_string_set (&f->info->arch, "x86_64");
  g_clear_pointer (&f->info->machines, g_ptr_array_unref);
  assert_fits (f); /* not known */
  f->info->machines = names ("pc-q35-6.0");
  assert_does_not (f, VIRFS_ERROR_UNSUPPORTED, "pc-q35-7.2");
  virfs_ref_string_set (&f->info->arch, "aarch64");
  assert_fits (f); /* emulated there: not known */
  virfs_ref_string_set (&f->info->arch, "x86_64");
  g_ptr_array_add (f->info->machines, g_strdup ("pc-q35-7.2"));
  assert_fits (f);
}

/* What keeps it, wherever it is to go. */
static void
test_state (Fixture *f, gconstpointer data)
{
  GPtrArray *backups = virfs_part_list_new ();

  f->vm->frozen = TRUE;
  assert_does_not_go (f, VIRFS_ERROR_BUSY, "thaw");
  f->vm->frozen = FALSE;
  f->vm->state = VIRFS_VM_CRASHED;
  assert_does_not_go (f, VIRFS_ERROR_BUSY, "crashed");
  f->vm->state = VIRFS_VM_SHUTDOWN;
  assert_does_not_go (f, VIRFS_ERROR_BUSY, "on its way down");
  f->vm->state = VIRFS_VM_SHUTOFF;
  f->vm->saved = TRUE;
  assert_does_not_go (f, VIRFS_ERROR_BUSY, "discard");
  f->vm->saved = FALSE;
  f->needs->tpm = TRUE;
  assert_does_not_go (f, VIRFS_ERROR_UNSUPPORTED, "TPM");
  f->vm->state = VIRFS_VM_RUNNING;
  assert_fits (f);
  g_ptr_array_add (backups, virfs_part_info_new (&virfs_backup_class, "sat"));
  virfs_part_lists_set (f->vm->parts, VIRFS_VM_BACKUPS, backups);
  assert_does_not_go (f, VIRFS_ERROR_BUSY, "sat");
}

static void
keep_maintenance (VirfsUpkeep *upkeep, gpointer data)
{
  upkeep->maintenance = GPOINTER_TO_INT (data);
}

static void
test_maintenance (Fixture *f, gconstpointer data)
{
  virfs_infra_change_upkeep (f->to, keep_maintenance, GINT_TO_POINTER (TRUE), NULL);
  virfs_host_info_unref (f->info);
  f->info = virfs_host_info (f->to);
  assert_does_not (f, VIRFS_ERROR_BUSY, "maintenance");
}

static void
test_devices (Fixture *f, gconstpointer data)
{
  GPtrArray *hostdevs = virfs_part_list_new ();
  VirfsHostdevInfo *gpu = virfs_part_info_new (&virfs_hostdev_class, "gpu");

  gpu->live = gpu->persistent = TRUE;
  gpu->type = "pci";
  virfs_ref_string_set (&gpu->address, "0000:01:00.0");
  g_ptr_array_add (hostdevs, gpu);
  virfs_part_lists_set (f->vm->parts, VIRFS_VM_HOSTDEVS, hostdevs);
  assert_does_not_go (f, VIRFS_ERROR_UNSUPPORTED, "hostdevs/gpu");
  /* shut off it goes where there is one like it */
  gpu->live = FALSE;
  f->vm->state = VIRFS_VM_SHUTOFF;
  g_clear_pointer (&f->info->parts[VIRFS_HOST_DEVICES], g_ptr_array_unref);
  assert_fits (f);
  f->info->parts[VIRFS_HOST_DEVICES] = virfs_part_list_new ();
  assert_does_not (f, VIRFS_ERROR_NOT_FOUND, "hostdevs/gpu");
}

static void
keep_tunnel (VirfsKept *kept, gpointer data)
{
  g_autoptr (VirfsMigration) tunnel = virfs_migration_with (NULL, VIRFS_MIGRATION_TUNNELLED, "1");

  kept->migration = virfs_migration_with (tunnel, VIRFS_MIGRATION_TLS, "1");
}

/* One that is shut off has no use for them. */
static void
test_options (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, "from-1");

  virfs_infra_change_kept (f->infra, vm->uuid, keep_tunnel, NULL, NULL);
  virfs_vm_info_unref (f->vm);
  f->vm = virfs_vm_info (vm);
  assert_does_not_go (f, VIRFS_ERROR_UNSUPPORTED, "tunnelled does not go with tls");
  f->vm->state = VIRFS_VM_SHUTOFF;
  assert_fits (f);
}

/* One that failed in post-copy gets the rest of its memory before it goes anywhere; what is left of another
 * time keeps no guest. */
static void
test_half_way (Fixture *f, gconstpointer data)
{
  VirfsVmInfo *rest = virfs_vm_info_new (f->vm->uuid, f->vm->name);
  g_autoptr (GPtrArray) obstacles = NULL;

  rest->state = VIRFS_VM_PAUSED;
  rest->reason = VIRFS_VM_POST_COPY_FAILED;
  virfs_infra_update_vm (f->infra, f->to, rest);
  f->vm->reason = "booted";
  assert_fits (f);
  f->vm->reason = VIRFS_VM_POST_COPY;
  assert_does_not (f, VIRFS_ERROR_BUSY, "its memory is still on to: write from to migrate first");
  obstacles = virfs_fit_obstacles (f->vm, f->needs, f->to, f->info);
  g_assert_cmpuint (obstacles->len, ==, 1);
}

/* What nobody copies has to be there, where it can be told. */
static void
test_media (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHostInfo) known = virfs_host_info (f->from);
  VirfsHostInfo *from = virfs_host_info_copy (known);
  VirfsPoolInfo *there;

  g_ptr_array_add (f->needs->media, g_strdup ("/isos/debian.iso"));
  virfs_part_lists_set (from->parts, VIRFS_HOST_POOLS, pool ("isos", "/isos"));
  ((VirfsPoolInfo *) from->parts[VIRFS_HOST_POOLS]->pdata[0])->capacity = 1000000;
  virfs_infra_update_host (f->infra, f->from, from, NULL);
  g_clear_pointer (&f->info->parts[VIRFS_HOST_POOLS], g_ptr_array_unref);
  f->info->parts[VIRFS_HOST_POOLS] = pool ("isos", "/isos");
  assert_fits (f); /* nothing is known of its volumes */
  there = f->info->parts[VIRFS_HOST_POOLS]->pdata[0];
  there->part.parts = virfs_part_list_new ();
  there->capacity = 1000100;
  assert_fits (f); /* may be one file system of the network */
  there->capacity = 2000000;
  assert_does_not (f, VIRFS_ERROR_NOT_FOUND, "debian.iso");
  f->vm->state = VIRFS_VM_SHUTOFF;
  assert_fits (f);
  f->vm->state = VIRFS_VM_RUNNING;
  g_ptr_array_add (there->part.parts, virfs_part_info_new (&virfs_volume_class, "debian.iso"));
  assert_fits (f);
}

/* A pool of both, with a volume of the same name there. */
static VirfsPoolInfo *
add_left_over (Fixture *f, const char *disk)
{
  g_autoptr (VirfsHostInfo) known = virfs_host_info (f->from);
  VirfsHostInfo *from = virfs_host_info_copy (known);
  VirfsPoolInfo *there;

  g_ptr_array_add (f->needs->disks, g_strdup (disk));
  virfs_part_lists_set (from->parts, VIRFS_HOST_POOLS, pool ("a%pool", "/images"));
  virfs_infra_update_host (f->infra, f->from, from, NULL);
  virfs_part_lists_set (f->info->parts, VIRFS_HOST_POOLS, pool ("a%pool", "/images"));
  there = f->info->parts[VIRFS_HOST_POOLS]->pdata[0];
  there->part.parts = virfs_part_list_new ();
  g_ptr_array_add (there->part.parts, virfs_part_info_new (&virfs_volume_class, "web.qcow2"));
  return there;
}

/* Nothing is overwritten, where it is certain that it would be. */
static void
test_places (Fixture *f, gconstpointer disk)
{
  VirfsPoolInfo *there = add_left_over (f, disk);

  assert_fits (f); /* may be one file */
  apart = TRUE;
  assert_does_not (f, VIRFS_ERROR_EXISTS, "rmdir hosts/to/pools/a%25pool/volumes/web.qcow2");
  f->vm->claim = VIRFS_CLAIM_MIGRATE;
  assert_fits (f); /* is what it is copied to now */
  f->vm->claim = VIRFS_CLAIM_NONE;
  ((VirfsPartInfo *) there->part.parts->pdata[0])->draft = TRUE;
  assert_fits (f);
  ((VirfsPartInfo *) there->part.parts->pdata[0])->draft = FALSE;
  there->state = "inactive";
  assert_fits (f);
  there->state = "running";
  g_clear_pointer (&there->part.parts, g_ptr_array_unref);
  assert_fits (f); /* nothing is known of its volumes */
}

/* One that is shut off may lack its disk, and takes nothing along then. */
static void
test_places_off (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHostInfo) from = NULL;
  VirfsPoolInfo *here;

  add_left_over (f, "/images/web.qcow2");
  apart = TRUE;
  f->vm->state = VIRFS_VM_SHUTOFF;
  assert_fits (f);
  from = virfs_host_info (f->from);
  here = from->parts[VIRFS_HOST_POOLS]->pdata[0];
  here->part.parts = virfs_part_list_new ();
  g_ptr_array_add (here->part.parts, virfs_part_info_new (&virfs_volume_class, "web.qcow2"));
  assert_does_not (f, VIRFS_ERROR_EXISTS, "web.qcow2");
}

/* The same storage, whatever anybody has seen. */
static void
test_places_shared (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHostInfo) from = NULL;
  VirfsPoolInfo *there = add_left_over (f, "/images/web.qcow2");

  apart = TRUE;
  from = virfs_host_info (f->from);
  virfs_ref_string_set (&there->uuid, "00000000-0000-0000-0000-00000000000b");
  virfs_ref_string_set (&((VirfsPoolInfo *) from->parts[VIRFS_HOST_POOLS]->pdata[0])->uuid,
                        there->uuid);
  assert_fits (f);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/fit/host", test_host);
  ADD ("/fit/hypervisor", test_hypervisor);
  ADD ("/fit/memory", test_memory);
  ADD ("/fit/cpu", test_cpu);
  ADD ("/fit/claim", test_claim);
  ADD ("/fit/obstacles", test_obstacles);
  ADD ("/fit/memory-off", test_memory_off);
  ADD ("/fit/name", test_name);
  ADD ("/fit/networks", test_networks);
  ADD ("/fit/pools", test_pools);
  ADD ("/fit/files", test_files);
  ADD ("/fit/machine", test_machine);
  ADD ("/fit/state", test_state);
  ADD ("/fit/maintenance", test_maintenance);
  ADD ("/fit/devices", test_devices);
  ADD ("/fit/options", test_options);
  ADD ("/fit/half-way", test_half_way);
  ADD ("/fit/media", test_media);
  g_test_add ("/fit/places/file", Fixture, "/images/web.qcow2", set_up, test_places, tear_down);
  g_test_add ("/fit/places/volume", Fixture, "a%pool/web.qcow2", set_up, test_places, tear_down);
  ADD ("/fit/places/off", test_places_off);
  ADD ("/fit/places/shared", test_places_shared);
  return g_test_run ();
}
