/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a guest's definition that xml_device.c reads from the stream; for xml*.c only. */
#pragma once

#include "xml_device.h"
#include "xml_tools.h"

/* READER stands at <devices>. */
void lv_xml_stream_devices (xmlTextReader *reader, LvDevices *devices);
