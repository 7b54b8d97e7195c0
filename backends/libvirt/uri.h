/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The URI of a host.  libvirt takes no password in it; we do, and answer with it when asked.  Some
 * parameters are ours, too: identity=caller, images=stream, and those of backups (place.h).
 */
#pragma once

#include "place.h"
#include "types.h"

typedef struct {
  char *plain; /* as libvirt takes it, without what is ours */
  char *user, *password;
  char *host;     /* NULL: none is named */
  gboolean local; /* means something else on another machine */
  LvPlace place;
  gboolean streams;   /* images are read and written by streams, also where there is another way */
  gboolean as_caller; /* operations are in the name of who asks; see identity.h */
  virConnectAuth auth;
} LvUri;

/* NULL if it is none: INVALID. */
LvUri *lv_uri_parse (const char *uri, GError **error);
void lv_uri_free (LvUri *uri);
/* Who answers when libvirt asks for user or password; lives as long as URI. */
virConnectAuthPtr lv_uri_auth (LvUri *uri);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvUri, lv_uri_free)
