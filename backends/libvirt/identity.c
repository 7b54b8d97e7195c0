/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling libvirt who asks. */
#include "identity.h"

#include "fail.h"

#include <pwd.h>

/* Users need not be known by the same names and groups there, but usually are. */
static void
add_names (LvParams *params, guint uid)
{
  char buffer[4096];
  struct passwd entry, *found = NULL;

  if (getpwuid_r (uid, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL)
    return;
  virTypedParamsAddString (&params->items, &params->n, &params->allocated,
                           VIR_CONNECT_IDENTITY_USER_NAME, entry.pw_name);
  virTypedParamsAddULLong (&params->items, &params->n, &params->allocated,
                           VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, entry.pw_gid);
}

gboolean
lv_identity_take (virConnectPtr conn, guint uid, const char *host, GError **error)
{
  g_auto (LvParams) params = { 0 };

  virTypedParamsAddULLong (&params.items, &params.n, &params.allocated,
                           VIR_CONNECT_IDENTITY_UNIX_USER_ID, uid);
  add_names (&params, uid);
  /* polkit wants a process, and the caller's is here: this one is on every machine */
  virTypedParamsAddLLong (&params.items, &params.n, &params.allocated,
                          VIR_CONNECT_IDENTITY_PROCESS_ID, 1);
  virTypedParamsAddULLong (&params.items, &params.n, &params.allocated,
                           VIR_CONNECT_IDENTITY_PROCESS_TIME, 0);
  if (LV (virConnectSetIdentity (conn, params.items, params.n, 0)) == 0)
    return TRUE;
  return lv_fail (error, "%s cannot be asked in the name of user %u, as identity=caller wants",
                  host, uid);
}
