/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can go wrong, in one error domain.  Each code stands for exactly one errno, because an
 * errno is what a program that uses the tree gets to see; the message is the full sentence that
 * the `error` files show.  See errno(3).
 */
#pragma once

#include <glib.h>

#define VIRFS_ERROR (virfs_error_quark ())
GQuark virfs_error_quark (void);

typedef enum {
  VIRFS_ERROR_FAILED,      /* EIO: anything that has no better name */
  VIRFS_ERROR_NOT_FOUND,   /* ENOENT: no such host, guest, verb … */
  VIRFS_ERROR_INVALID,     /* EINVAL: not a valid value */
  VIRFS_ERROR_BUSY,        /* EBUSY: wrong state, or in use */
  VIRFS_ERROR_EXISTS,      /* EEXIST */
  VIRFS_ERROR_NOT_EMPTY,   /* ENOTEMPTY */
  VIRFS_ERROR_NO_SPACE,    /* ENOSPC */
  VIRFS_ERROR_TOO_BIG,     /* EFBIG: more text than this file takes */
  VIRFS_ERROR_DENIED,      /* EACCES: the caller, or we, may not */
  VIRFS_ERROR_PERMITTED,   /* EPERM: nobody may */
  VIRFS_ERROR_UNSUPPORTED, /* ENOTSUP: the driver cannot */
  VIRFS_ERROR_CROSS,       /* EXDEV: cannot be moved there */
  VIRFS_ERROR_HOST_DOWN,   /* EHOSTDOWN: the host does not answer */
  VIRFS_ERROR_TIMED_OUT,   /* ETIMEDOUT */
  VIRFS_ERROR_CANCELLED,   /* EINTR: interrupted by the caller, or cancelled through jobs/ */
  VIRFS_ERROR_AGAIN,       /* EAGAIN: not now, try later */
  VIRFS_ERROR_NO_MEMORY,   /* ENOMEM */
} VirfsError;

/* The errno (positive) that ERROR stands for; EIO for an error of another domain, 0 for NULL. */
int virfs_error_to_errno (const GError *error);
