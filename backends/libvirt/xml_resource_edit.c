/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPUs, tuning, NUMA, boot order and firmware in a guest's definition, changed. */
#include "xml_resource.h"

#include "device.h"
#include "pins.h"
#include "xml_stream.h"

#include <string.h>

const LvBootKind lv_boot_kinds[LV_N_BOOT_KINDS] = {
  { "disk", "hd" },
  { "cdrom", "cdrom" },
  { "network", "network" },
  { "floppy", "fd" },
};

/* Pinning. */

static void
add_pin (LvXml *xml, guint vcpu, const char *cpuset)
{
  g_autofree char *number = g_strdup_printf ("%u", vcpu);
  xmlNode *pin = lv_xml_add (lv_xml_need (lv_xml_root (xml), "cputune"), "vcpupin", NULL);

  lv_xml_set (pin, "vcpu", number);
  lv_xml_set (pin, "cpuset", cpuset);
}

static void
set_emulator (LvXml *xml, const char *cpuset)
{
  lv_xml_remove_all (xml, "/domain/cputune/emulatorpin");
  if (*cpuset != '\0')
    lv_xml_set (lv_xml_add (lv_xml_need (lv_xml_root (xml), "cputune"), "emulatorpin", NULL),
                "cpuset", cpuset);
}

static void
set_pins (LvXml *xml, const char *pins, guint vcpus)
{
  g_autoptr (GPtrArray) each = virfs_pins_split (pins, vcpus);

  lv_xml_remove_all (xml, "/domain/cputune/vcpupin");
  for (guint i = 0; i < each->len; i++)
    if (each->pdata[i] != NULL)
      add_pin (xml, i, each->pdata[i]);
}

/* A cpuset of <vcpu> is that of all vCPUs, and of the emulator, that have none: so that one can be
 * changed without the others, each gets its own. */
static void
spread_cpuset (LvXml *xml)
{
  g_autofree char *common = lv_xml_text (xml, NULL, "/domain/vcpu/@cpuset");
  g_autofree char *count = lv_xml_text (xml, NULL, "/domain/vcpu");
  guint vcpus = count ? (guint) g_ascii_strtoull (count, NULL, 10) : 0;

  if (common == NULL)
    return;
  for (guint i = 0; i < vcpus; i++) {
    g_autofree char *path = g_strdup_printf ("/domain/cputune/vcpupin[@vcpu='%u']", i);

    if (lv_xml_node (xml, NULL, path) == NULL)
      add_pin (xml, i, common);
  }
  if (lv_xml_node (xml, NULL, "/domain/cputune/emulatorpin") == NULL)
    set_emulator (xml, common);
  xmlUnsetProp (lv_xml_node (xml, NULL, "/domain/vcpu"), BAD_CAST "cpuset");
}

static void
write_pins (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  spread_cpuset (xml);
  set_pins (xml, text, known->vcpus_max);
}

static void
write_emulator (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  spread_cpuset (xml);
  set_emulator (xml, text);
}

/* Shares and quotas, which are set by libvirt, but not taken away. */

static void
remove_shares (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  lv_xml_remove_all (xml, "/domain/cputune/shares");
}

static void
remove_quota (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  lv_xml_remove_all (xml, "/domain/cputune/quota");
}

static void
remove_period (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  lv_xml_remove_all (xml, "/domain/cputune/period");
}

/* NUMA. */

static void
write_nodes (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  xmlNode *memory;

  if (*text == '\0') {
    lv_xml_remove_all (xml, "/domain/numatune/memory");
    return;
  }
  memory = lv_xml_need (lv_xml_need (lv_xml_root (xml), "numatune"), "memory");
  xmlUnsetProp (memory, BAD_CAST "placement");
  lv_xml_set (memory, "nodeset", text);
}

static void
write_mode (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  lv_xml_set (lv_xml_need (lv_xml_need (lv_xml_root (xml), "numatune"), "memory"), "mode", text);
}

/* Boot order. */

static void
add_kind (LvXml *xml, const LvBootKind *kind)
{
  lv_xml_set (lv_xml_add (lv_xml_need (lv_xml_root (xml), "os"), "boot", NULL), "dev",
              kind->libvirt);
}

static void
add_device (LvXml *xml, const VirfsVmInfo *known, const char *path, guint order)
{
  static const VirfsVmPart parts[] = { VIRFS_VM_DISKS, VIRFS_VM_NICS };
  g_auto (GStrv) names = g_strsplit (path, "/", 2);
  g_autofree char *number = g_strdup_printf ("%u", order);

  for (guint i = 0; i < G_N_ELEMENTS (parts) && g_strv_length (names) == 2; i++) {
    const VirfsPartInfo *device = virfs_part_list_find (known->parts[parts[i]], names[1]);
    xmlNode *node = device ? lv_xml_device_node (xml, device) : NULL;

    if (node != NULL && strcmp (device->class->directory, names[0]) == 0)
      lv_xml_set (lv_xml_add (node, "boot", NULL), "order", number);
  }
}

static void
write_boot (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  lv_xml_remove_all (xml, "/domain/os/boot | /domain/devices/*/boot");
  for (guint i = 0; lines[i] != NULL; i++) {
    guint kind = 0;

    while (kind < LV_N_BOOT_KINDS && strcmp (lv_boot_kinds[kind].ours, lines[i]) != 0)
      kind++;
    if (kind < LV_N_BOOT_KINDS)
      add_kind (xml, &lv_boot_kinds[kind]);
    else
      add_device (xml, known, lines[i], i + 1);
  }
}

/* Firmware and machine. */

/* The loader and the variables are those of the old one. */
static void
write_firmware (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  xmlNode *os = lv_xml_need (lv_xml_root (xml), "os");

  lv_xml_remove_all (xml, "/domain/os/loader | /domain/os/nvram | /domain/os/firmware");
  if (strcmp (text, "bios") == 0)
    xmlUnsetProp (os, BAD_CAST "firmware");
  else
    lv_xml_set (os, "firmware", text);
}

/* Its name without the version. */
static char *
family_of (const char *machine)
{
  const char *dash = strrchr (machine, '-');

  return dash && g_ascii_isdigit (dash[1]) ? g_strndup (machine, (gsize) (dash - machine))
                                           : g_strdup (machine);
}

/* Another family has other buses: libvirt chooses places for the devices anew. */
static void
write_machine (LvXml *xml, const VirfsVmInfo *known, const char *text)
{
  xmlNode *type = lv_xml_need (lv_xml_need (lv_xml_root (xml), "os"), "type");
  g_autofree char *old = lv_xml_attribute (type, "machine");
  g_autofree char *old_family = family_of (old ? old : "");
  g_autofree char *family = family_of (text);

  lv_xml_set (type, "machine", text);
  if (strcmp (old_family, family) == 0)
    return;
  lv_xml_remove_all (xml, "/domain/devices/*/address[@type='pci']");
  lv_xml_remove_all (xml, "/domain/devices/controller[@type='pci']");
  if (g_str_has_suffix (family, "q35"))
    lv_xml_add_slots (lv_xml_need (lv_xml_root (xml), "devices"));
}

static const struct {
  VirfsVmField field;
  void (*write) (LvXml *xml, const VirfsVmInfo *known, const char *text);
} rows[] = {
  { VIRFS_VM_VCPU_PINS, write_pins },     { VIRFS_VM_EMULATOR_CPUSET, write_emulator },
  { VIRFS_VM_NUMA_NODESET, write_nodes }, { VIRFS_VM_NUMA_MODE, write_mode },
  { VIRFS_VM_BOOT, write_boot },          { VIRFS_VM_FIRMWARE, write_firmware },
  { VIRFS_VM_MACHINE, write_machine },    { VIRFS_VM_CPU_SHARES, remove_shares },
  { VIRFS_VM_CPU_QUOTA, remove_quota },   { VIRFS_VM_CPU_PERIOD, remove_period },
};

char *
lv_xml_edit_resource (const char *text, const VirfsVmInfo *known, VirfsVmField field,
                      const char *value)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  if (xml == NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].field == field)
      rows[i].write (xml, known, value);
  return lv_xml_print (xml, NULL);
}
