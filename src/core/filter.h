/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network filters of a host, which NICs name; see libvirt's formatnwfilter. */
#pragma once

#include "part.h"

typedef struct {
  VirfsPartInfo part;
  GRefString *uuid;
  VirfsBlob *xml;
} VirfsFilterInfo;

extern const VirfsPartClass virfs_filter_class; /* of hosts */
