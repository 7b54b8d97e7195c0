/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registry's way to its keeper.  It is set once, before anybody can ask for it. */
#include "registry.h"

void
virfs_infra_set_keeper (VirfsInfra *infra, const VirfsKeeper *keeper)
{
  infra->keeper = keeper;
}

gboolean
virfs_infra_keep (VirfsInfra *infra, const char *kind, const char *key, const char *text,
                  GError **error)
{
  const VirfsKeeper *keeper = infra->keeper;

  return keeper == NULL || keeper->keep (keeper->data, kind, key, text, error);
}

gboolean
virfs_infra_forget (VirfsInfra *infra, const char *kind, const char *key, GError **error)
{
  const VirfsKeeper *keeper = infra->keeper;

  return keeper == NULL || keeper->forget (keeper->data, kind, key, error);
}

gboolean
virfs_infra_keep_all (VirfsInfra *infra, const char *kind, GPtrArray *pairs, GError **error)
{
  const VirfsKeeper *keeper = infra->keeper;

  if (keeper == NULL || keeper->keep_all == NULL || pairs->len == 0)
    return TRUE;
  return keeper->keep_all (keeper->data, kind, pairs, error);
}

void
virfs_infra_recall (VirfsInfra *infra, const char *kind, VirfsRecordFunc func, gpointer data)
{
  const VirfsKeeper *keeper = infra->keeper;
  g_autoptr (GError) error = NULL;

  if (keeper != NULL && !keeper->recall (keeper->data, kind, func, data, &error))
    g_warning ("what is kept cannot be read: %s", error->message);
}

void
virfs_infra_settle_events (VirfsInfra *infra, void (*func) (gpointer data), gpointer data)
{
  const VirfsKeeper *keeper = infra->keeper;

  if (keeper != NULL && keeper->settle != NULL)
    keeper->settle (keeper->data, func, data);
  else
    func (data);
}
