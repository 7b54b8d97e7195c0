/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of a guest's definition as it comes from the stream, and what else xml*.c share of
 * one. */
#pragma once

#include "xml_device.h"
#include "xml_tools.h"

/* READER stands at <vcpu>, <cputune>, <numatune> or <os> (xml_resource.c). */
void lv_xml_stream_vcpu (xmlTextReader *reader, VirfsVmInfo *info);
void lv_xml_stream_cputune (xmlTextReader *reader, VirfsVmInfo *info);
void lv_xml_stream_numatune (xmlTextReader *reader, VirfsVmInfo *info);
void lv_xml_stream_os (xmlTextReader *reader, VirfsVmInfo *info);

/* The same at <cpu> (xml_cpu.c). */
void lv_xml_stream_cpu (xmlTextReader *reader, VirfsVmInfo *info);

/* A bus of PCI Express with free ports for devices that are plugged in (xml_create.c). */
void lv_xml_add_slots (xmlNode *devices);

/* The element of DEVICE; NULL if there is none (xml_device_edit.c). */
xmlNode *lv_xml_device_node (LvXml *xml, const VirfsPartInfo *device);

/* Host devices (xml_hostdev.c): adds the one that NODE is to a list of VirfsHostdevInfo*; and, as above. */
void lv_xml_read_hostdev (xmlNode *node, GPtrArray *hostdevs);
/* An <address> as lv_xml_pci_address() tells it. */
void lv_xml_write_pci (xmlNode *source, const char *address);
xmlNode *lv_xml_hostdev_node (LvXml *xml, const VirfsPartInfo *hostdev);

/* READER stands at <devices> (xml_device.c). */
void lv_xml_stream_devices (xmlTextReader *reader, LvDevices *devices);
