/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What takes its time with an image; JOB ends with it. */
#pragma once

#include "upload.h"

/* Reads it for its checksum; FAILED if another is known. */
void virfs_image_sum (VirfsImage *image, VirfsJob *job);
/* Puts a copy of it, of the same name, into the repository pool of HOST. */
void virfs_image_copy (VirfsImage *image, VirfsHost *host, VirfsJob *job);
