/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shares, pinning, NUMA, boot order, firmware and machine of a guest.  What is written is checked here as
 * far as the text goes, and as far as the host goes by its backend.
 */
#include "vm_files.h"

#include "cpuset.h"
#include "pins.h"

#include <string.h>

static const char *
shown (const VirfsNode *node)
{
  const char *text = *(const char *const *) ((const char *) node->snapshot + node->row->offset);

  return text ? text : "";
}

/* Shares and quotas. */

void
virfs_vm_show_tuned (const VirfsNode *node, GString *out)
{
  gint64 value = *(const gint64 *) ((const char *) node->snapshot + node->row->offset);

  if (value != 0)
    g_string_append_printf (out, "%" G_GINT64_FORMAT "\n", value);
}

/* What libvirt takes; it would check some of it only when the guest starts. */
static const struct {
  gsize member;
  gint64 least, most;
  const char *also;
} limits[] = {
  { G_STRUCT_OFFSET (VirfsVmInfo, cpu_shares), 2, 262144, "" },
  { G_STRUCT_OFFSET (VirfsVmInfo, cpu_quota), 1000, G_GINT64_CONSTANT (17592186044415),
    ", -1 for no limit" },
  { G_STRUCT_OFFSET (VirfsVmInfo, cpu_period), 1000, 1000000, "" },
};

void
virfs_vm_store_tuned (VirfsCall *call, const VirfsNode *node, gint64 value)
{
  guint i = 0;

  while (i < G_N_ELEMENTS (limits) - 1 && limits[i].member != node->row->offset)
    i++;
  if (value == 0 || (value >= limits[i].least && value <= limits[i].most)
      || (value == -1 && *limits[i].also != '\0'))
    virfs_vm_set (call, node, (guint64) value, NULL);
  else
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "%s is %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                     "%s, or 0 for the hypervisor's choice",
                     node->row->path, limits[i].least, limits[i].most, limits[i].also);
}

/* Pinning. */

void
virfs_vm_show_cpuset (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;
  g_autofree char *cpuset
    = info->vcpu_pins ? virfs_pins_cpuset (info->vcpu_pins, info->vcpus_max) : NULL;

  if (cpuset != NULL && *cpuset != '\0')
    g_string_append_printf (out, "%s\n", cpuset);
}

/* TEXT in its shortest form; NULL: CALL has failed. */
static char *
parse_cpuset (VirfsCall *call, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) set = virfs_cpuset_parse (text, &error);

  if (set != NULL)
    return virfs_cpuset_print (set);
  virfs_call_finish (call, error);
  return NULL;
}

void
virfs_vm_store_cpuset (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;
  g_autofree char *cpuset = parse_cpuset (call, text);
  g_autofree char *now = virfs_pins_cpuset (info->vcpu_pins, info->vcpus_max);
  g_autofree char *pins = cpuset ? virfs_pins_all (cpuset, info->vcpus_max) : NULL;

  if (cpuset == NULL)
    return;
  /* what the file shows is not all that there is to know: written back it changes nothing */
  if (*cpuset != '\0' && g_str_equal (cpuset, now))
    virfs_vm_set (call, node, 0, info->vcpu_pins);
  else
    virfs_vm_set (call, node, 0, pins);
}

void
virfs_vm_store_vcpu_pins (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;
  g_autoptr (GError) error = NULL;
  g_autofree char *pins = virfs_pins_parse (text, info->vcpus_max, &error);

  if (pins != NULL)
    virfs_vm_set (call, node, 0, pins);
  else
    virfs_call_finish (call, error);
}

void
virfs_vm_store_numbers (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autofree char *set = parse_cpuset (call, text);

  if (set != NULL)
    virfs_vm_set (call, node, 0, set);
}

/* Words.  These can be set while the guest is shut off; what it has already can be written at any
 * time. */

static void
store_word (VirfsCall *call, const VirfsNode *node, const char *text, const char *const *words)
{
  g_autofree char *all = g_strjoinv (", ", (char **) words);

  if (!g_strv_contains (words, text))
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "\"%s\" is not a %s; there are: %s", text,
                     node->row->path, all);
  else if (g_str_equal (text, shown (node)))
    virfs_call_finish (call, NULL);
  else
    virfs_vm_set (call, node, 0, text);
}

void
virfs_vm_store_numa_mode (VirfsCall *call, const VirfsNode *node, const char *text)
{
  static const char *const words[] = { "strict", "preferred", "interleave", "restrictive", NULL };
  const VirfsVmInfo *info = node->snapshot;

  if (info->numa_nodeset == NULL)
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "there are no NUMA nodes that this could be about; write numa_nodeset first");
  else
    store_word (call, node, text, words);
}

void
virfs_vm_store_firmware (VirfsCall *call, const VirfsNode *node, const char *text)
{
  static const char *const words[] = { "bios", "efi", NULL };

  store_word (call, node, text, words);
}

void
virfs_vm_store_machine (VirfsCall *call, const VirfsNode *node, const char *text)
{
  static const char letters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.+";

  if (*text == '\0' || text[strspn (text, letters)] != '\0')
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is not a machine type, as in q35 or pc-q35-7.2", text);
  else if (g_str_equal (text, shown (node)))
    virfs_call_finish (call, NULL);
  else
    virfs_vm_set (call, node, 0, text);
}

/* Boot order: kinds of devices or devices, since libvirt has one or the other. */

static gboolean
is_kind (const char *word)
{
  static const char *const kinds[] = { "disk", "cdrom", "network", "floppy", NULL };

  return g_strv_contains (kinds, word);
}

static gboolean
is_device (const VirfsVmInfo *info, const char *word)
{
  static const struct {
    const char *directory;
    VirfsVmPart part;
  } rows[] = { { "disks/", VIRFS_VM_DISKS }, { "nics/", VIRFS_VM_NICS } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_str_has_prefix (word, rows[i].directory))
      return virfs_part_list_find (info->parts[rows[i].part], word + strlen (rows[i].directory))
             != NULL;
  return FALSE;
}

/* One a line; NULL: CALL has failed. */
static char *
parse_boot (VirfsCall *call, const VirfsVmInfo *info, const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t\n", -1);
  g_autoptr (GPtrArray) order = g_ptr_array_new ();

  for (char **word = words; *word; word++) {
    if (**word == '\0')
      continue;
    if (!is_kind (*word) && !is_device (info, *word)) {
      virfs_call_fail (call, VIRFS_ERROR_INVALID,
                       "\"%s\" cannot be started from; write disk, cdrom, network, floppy, or what"
                       " there is in disks/ and nics/, as in disks/vda",
                       *word);
      return NULL;
    }
    if (order->len > 0 && is_kind (*word) != is_kind (order->pdata[0])) {
      virfs_call_fail (call, VIRFS_ERROR_INVALID,
                       "a boot order is of kinds of devices (disk) or of devices (disks/vda)");
      return NULL;
    }
    if (!g_ptr_array_find_with_equal_func (order, *word, g_str_equal, NULL))
      g_ptr_array_add (order, *word);
  }
  g_ptr_array_add (order, NULL);
  return g_strjoinv ("\n", (char **) order->pdata);
}

void
virfs_vm_store_boot (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autofree char *order = parse_boot (call, node->snapshot, text);

  if (order != NULL)
    virfs_vm_set (call, node, 0, order);
}
