/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that are made of others: mediated devices and virtual adapters (node_device_make.c).  A draft is
 * told what it is to be made of, and becomes one when its state is written.
 */
#pragma once

#include "device_class.h"

/* Of hosts/<host>/devices/. */
void virfs_node_device_make (VirfsCall *call, const VirfsNode *dir, const char *name);
void virfs_node_device_remove (VirfsCall *call, const VirfsNode *dir, const char *name);

/* Of the class: whether such a file of this device can be written. */
gboolean virfs_node_device_ready (const VirfsNode *node);

/* Its files. */
void virfs_show_node_device_state (const VirfsNode *node, GString *out);
void virfs_store_node_device_state (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_show_made_of (const VirfsNode *node, GString *out);
void virfs_store_made_of (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_store_mdev_type (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_store_wwn (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_store_node_device_autostart (VirfsCall *call, const VirfsNode *node, gboolean value);
