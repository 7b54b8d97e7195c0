/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The appliance: which disks it gets, and launching it. */
#include "helper.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* More than a guest can have, and than an appliance takes. */
#define DISKS_MAX 64
#define CHAIN_MAX 64
/* libguestfs has its sockets among the first. */
#define FDS_MAX 64

typedef struct {
  char *target;
  char *uri;        /* of an NBD server; "": it is a file */
  char *certificates;
  GPtrArray *chain; /* of HelperImage* */
} Disk;

static void
image_free (gpointer data)
{
  HelperImage *image = data;

  g_free (image->file);
  g_free (image->format);
  g_free (image);
}

static void
disk_clear (Disk *disk)
{
  g_free (disk->target);
  g_free (disk->uri);
  g_free (disk->certificates);
  g_clear_pointer (&disk->chain, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Disk, disk_clear)

/* target, uri, certificates, n × (file, format) */
static gboolean
read_disk (VirfsWireReader *in, Disk *disk)
{
  guint32 n;

  disk->target = virfs_wire_get_text (in, VIRFS_WIRE_NAME_MAX);
  disk->uri = virfs_wire_get_text (in, VIRFS_WIRE_TEXT_MAX);
  disk->certificates = virfs_wire_get_text (in, VIRFS_WIRE_TEXT_MAX);
  disk->chain = g_ptr_array_new_with_free_func (image_free);
  n = virfs_wire_get_count (in, 8);
  for (guint32 i = 0; i < MIN (n, CHAIN_MAX) && !in->bad; i++) {
    HelperImage *image = g_new0 (HelperImage, 1);

    image->file = virfs_wire_get_text (in, VIRFS_WIRE_TEXT_MAX);
    image->format = virfs_wire_get_text (in, VIRFS_WIRE_NAME_MAX);
    g_ptr_array_add (disk->chain, image);
  }
  return !in->bad && n <= CHAIN_MAX && virfs_wire_is_name (disk->target);
}

/* Read-only: what a journal wants to write goes to an overlay.  libguestfs would make one itself, but
 * would let QEMU guess the format of what is in it: and a disk that looks like an image would be taken for
 * one, and be asked which file it is based on. */
static gboolean
add_overlay (Helper *helper, const Disk *disk, const char *directory)
{
  const HelperImage *image = *disk->uri ? NULL : disk->chain->pdata[0];
  g_autofree char *name = g_strdup_printf ("%u.qcow2", helper->targets->len);
  g_autofree char *overlay = g_build_filename (directory, name, NULL);

  return guestfs_disk_create (helper->g, overlay, "qcow2", -1, GUESTFS_DISK_CREATE_BACKINGFILE,
                              image ? image->file : disk->uri, GUESTFS_DISK_CREATE_BACKINGFORMAT,
                              image ? image->format : "raw", -1)
           == 0
         && guestfs_add_drive_opts (helper->g, overlay, GUESTFS_ADD_DRIVE_OPTS_FORMAT, "qcow2",
                                    GUESTFS_ADD_DRIVE_OPTS_CACHEMODE, "unsafe", -1)
              == 0;
}

static gboolean
add_disk (Helper *helper, VirfsWireReader *in, const char *directory, GError **error)
{
  g_auto (Disk) disk = { 0 };
  gboolean added;

  if (!read_disk (in, &disk) || (*disk.uri == '\0' && disk.chain->len == 0)) {
    helper_fail (error, EPROTO, "this is no disk");
    return FALSE;
  }
  if (!helper_image_check (disk.chain, error)
      || !helper_proxy (&disk.uri, disk.certificates, directory, error))
    return FALSE;
  added = add_overlay (helper, &disk, directory);
  if (!added)
    helper_fail_last (helper, error, "");
  g_ptr_array_add (helper->targets, g_steal_pointer (&disk.target));
  return added;
}

/* libguestfs makes its sockets elsewhere: leaves a link to there, for whoever has to remove them if we are
 * killed. */
static void
leave_link (const char *directory)
{
  struct sockaddr_un address;
  socklen_t length;

  for (int fd = 3; fd < FDS_MAX; fd++) {
    length = sizeof address;
    memset (&address, 0, sizeof address);
    if (getsockname (fd, (struct sockaddr *) &address, &length) == 0
        && address.sun_family == AF_UNIX && *address.sun_path == '/') {
      g_autofree char *sockets = g_path_get_dirname (address.sun_path);
      g_autofree char *link = g_build_filename (directory, "sockets", NULL);

      if (symlink (sockets, link) == 0)
        return;
    }
  }
}

/* The appliance's kernel does without what protects from each other those who share a machine: all of it is one
 * guest's.  Emulated, filling pages with zeroes before they are read into takes more than reading. */
#define KERNEL "init_on_alloc=0 mitigations=off transparent_hugepage=always"

/* Nothing is looked up or probed that was not asked for.  LIBGUESTFS_APPEND stands for what is added. */
static gboolean
launch (Helper *helper, const char *directory, gboolean tcg, GError **error)
{
  if (guestfs_get_append (helper->g) == NULL)
    guestfs_set_append (helper->g, KERNEL);
  if (guestfs_set_tmpdir (helper->g, directory) != 0
      || guestfs_set_backend (helper->g, "direct") != 0
      || (tcg && guestfs_set_backend_setting (helper->g, "force_tcg", "1") != 0)
      || guestfs_launch (helper->g) != 0) {
    helper_fail_last (helper, error, "the appliance does not start: ");
    return FALSE;
  }
  leave_link (directory);
  return TRUE;
}

gboolean
helper_open (Helper *helper, VirfsWireReader *in, GByteArray *out, GError **error)
{
  g_autofree char *directory = virfs_wire_get_text (in, VIRFS_WIRE_TEXT_MAX);
  gboolean tcg = virfs_wire_get_u32 (in);
  guint32 n = virfs_wire_get_count (in, 16);
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);

  if (n == 0 || n > DISKS_MAX || helper->targets->len > 0) {
    helper_fail (error, EINVAL, "%u disks cannot be looked into", n);
    return FALSE;
  }
  for (guint32 i = 0; i < n; i++)
    if (!add_disk (helper, in, directory, error))
      return FALSE;
  if (!launch (helper, directory, tcg, error))
    return FALSE;
  helper_more (helper, out);
  if (!helper_mount (helper, notes, error))
    return FALSE;
  virfs_wire_put_u32 (out, notes->len);
  for (guint i = 0; i < notes->len; i++)
    virfs_wire_put_text (out, notes->pdata[i]);
  return TRUE;
}
