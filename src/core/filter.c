/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of network filters. */
#include "filter.h"

static const VirfsMember members[] = {
  VIRFS_MEMBER (VirfsFilterInfo, uuid, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsFilterInfo, xml, BLOB, XML),
};

const VirfsPartClass virfs_filter_class = {
  .kind = VIRFS_KIND_FILTER,
  .directory = "nwfilters",
  .size = sizeof (VirfsFilterInfo),
  .members = members,
  .n_members = G_N_ELEMENTS (members),
};
