/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of OpenSSH's authorized_keys (sshd(8)): options if any, a type, the key in base64, a comment. */
#pragma once

#include <glib.h>

/* The `SHA256:…` that ssh-keygen(1) -l shows of LINE, and its comment if it has one, escaped; nobody can make
 * the key of that.  The caller owns it; NULL: it is no such line. */
char *virfs_ssh_key_describe (const char *line);
