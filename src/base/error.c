/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error domain and the one place where a code becomes an errno. */
#include "error.h"

#include <errno.h>

GQuark
virfs_error_quark (void)
{
  return g_quark_from_static_string ("virfs-error-quark");
}

static const int errnos[] = {
  [VIRFS_ERROR_FAILED] = EIO,          [VIRFS_ERROR_NOT_FOUND] = ENOENT,
  [VIRFS_ERROR_INVALID] = EINVAL,      [VIRFS_ERROR_BUSY] = EBUSY,
  [VIRFS_ERROR_EXISTS] = EEXIST,       [VIRFS_ERROR_NOT_EMPTY] = ENOTEMPTY,
  [VIRFS_ERROR_NO_SPACE] = ENOSPC,     [VIRFS_ERROR_TOO_BIG] = EFBIG,
  [VIRFS_ERROR_DENIED] = EACCES,       [VIRFS_ERROR_PERMITTED] = EPERM,
  [VIRFS_ERROR_UNSUPPORTED] = ENOTSUP, [VIRFS_ERROR_CROSS] = EXDEV,
  [VIRFS_ERROR_HOST_DOWN] = EHOSTDOWN, [VIRFS_ERROR_TIMED_OUT] = ETIMEDOUT,
  [VIRFS_ERROR_CANCELLED] = EINTR,     [VIRFS_ERROR_AGAIN] = EAGAIN,
  [VIRFS_ERROR_NO_MEMORY] = ENOMEM,
};

int
virfs_error_to_errno (const GError *error)
{
  if (error == NULL)
    return 0;
  if (error->domain != VIRFS_ERROR || error->code < 0 || error->code >= (int) G_N_ELEMENTS (errnos))
    return EIO;
  return errnos[error->code];
}
