/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verbs.h"

#include "error.h"

static void
append (GString *out, const VirfsVerb *verbs, guint state, const char *before, const char *after)
{
  for (; verbs->name != NULL; verbs++)
    if (verbs->states & state)
      g_string_append_printf (out, "%s%s%s", before, verbs->name, after);
}

void
virfs_verbs_show (const VirfsVerb *verbs, guint state, GString *out)
{
  append (out, verbs, state, "", "\n");
}

const VirfsVerb *
virfs_verbs_choose (VirfsCall *call, const VirfsVerb *verbs, guint state, const char *what,
                    const char *name)
{
  g_autoptr (GString) valid = g_string_new (NULL);
  const VirfsVerb *verb = verbs;

  append (valid, verbs, state, " ", "");
  while (verb->name != NULL && !g_str_equal (verb->name, name))
    verb++;
  if (verb->name == NULL)
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "\"%s\" is not a verb; now there are:%s", name,
                     valid->str);
  else if (!(verb->states & state))
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "%s, which does not go with %s; now there are:%s",
                     what, name, valid->str);
  else
    return verb;
  return NULL;
}
