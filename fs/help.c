/* SPDX-License-Identifier: GPL-2.0-or-later */
/* README: how to use the tree, and the names of all files. */
#include "classes.h"

#include <string.h>

static const char intro[]
  = "This is the virtual infrastructure as a tree of files.  Reading a file tells the state; "
    "writing\n"
    "a file, or making, removing or moving a directory changes it.  A write returns when the thing "
    "is\n"
    "done; Ctrl-C cancels it; if it fails, `error` of the guest or host (and here) says why.\n"
    "\n"
    "    cat vms/web/state                    running\n"
    "    echo paused > vms/web/state          also: running, shutoff\n"
    "    cat vms/web/ctl                      what can be done now; write one of these to it\n"
    "    cat vms/web/migrate                  hosts that could take it\n"
    "    echo h2 > vms/web/migrate            moves it there, live if it runs\n"
    "    mv hosts/h1/vms/* hosts/h2/vms/      starts that for all guests of a host\n"
    "    cat jobs/*/progress                  how far they are\n"
    "    ls by/state/crashed                  guests by state, host or UUID\n"
    "    mkdir vms/db && ls vms/db            a draft: write image, memory ..., running to state\n"
    "    mkdir vms/db/snapshots/before        takes a snapshot; rmdir deletes it\n"
    "    ls alarms/firing                     what is wrong; alarms/ has the rules\n"
    "    tail -f events/log                   what happens\n"
    "    mkdir hosts/h3 && echo qemu+ssh://root@h3/system > hosts/h3/uri\n"
    "\n"
    "Each file explains itself: getfattr --only-values -n user.virfs.help FILE, or virfs(7).\n";

static void
append_names (GString *out, const VirfsClass *class)
{
  gsize start = out->len;

  g_string_append_printf (out, "\n%s/", class->path);
  for (guint i = 1; i < class->n_rows; i++) {
    const VirfsRow *row = &class->rows[i];

    if (strchr (row->path, '/') != NULL)
      continue;
    if (out->len - start + strlen (row->path) > 90) {
      g_string_append (out, "\n   ");
      start = out->len;
    }
    g_string_append_printf (out, " %s%s", row->path, S_ISDIR (row->mode) ? "/" : "");
  }
  g_string_append_c (out, '\n');
}

void
virfs_show_readme (const VirfsNode *node, GString *out)
{
  g_string_append (out, intro);
  for (const VirfsClass *const *class = virfs_tree_classes (); *class != NULL; class ++)
    if (*class != &virfs_root_class)
      append_names (out, *class);
}
