/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a guest through a mount, beside guestmount: find and tar over one image, from when the appliance
 * is up.
 *
 *   guestfiles IMAGE FORMAT [DEVICE]
 *
 * DEVICE is what guestmount is to mount, as in /dev/sda1; without it guestmount looks for an
 * operating system.
 */
#include "files_dir.h"
#include "fixture.h"
#include "guest_files.h"

#include <stdio.h>
#include <stdlib.h>

#define FILES "vms/h1-1/backups/b/files"

static VirfsFilesDisk *disk;

/* The fake's backup has no disk to read: the image it is. */
static VirfsFiles *
open_image (GPtrArray *disks, VirfsFilesOpened done, gpointer data)
{
  g_autoptr (GPtrArray) one = g_ptr_array_new ();

  g_ptr_array_add (one, disk);
  return virfs_guestfs_open (one, done, data);
}

/* TEXT is run by a shell in which $d is DIRECTORY. */
static double
measure (const char *directory, const char *text)
{
  g_autofree char *command = g_strdup_printf ("d='%s'; %s", directory, text);
  gint64 begin = g_get_monotonic_time ();

  if (system (command) != 0)
    fprintf (stderr, "failed: %s\n", command);
  return (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
}

#define FIND "find $d | wc -l > /dev/null"
#define TAR  "tar -C $d -cf - . | wc -c > /dev/null"

static void
measure_ours (Fixture *f, double *find, double *tar)
{
  g_autofree char *directory = at (f, FILES);

  /* each with nothing known yet */
  for (guint i = 0; i < 2; i++) {
    if (mkdir_at (f, FILES) != 0)
      g_error ("%s: %s", directory, g_strerror (errno));
    *(i ? tar : find) = measure (directory, i ? TAR : FIND);
    rmdir_at (f, FILES);
  }
}

static void
measure_guestmount (const char *image, const char *format, const char *device, double *find,
                    double *tar)
{
  g_autofree char *directory = g_dir_make_tmp ("guestmount-XXXXXX", NULL);
  g_autofree char *how = device ? g_strdup_printf ("-m '%s'", device) : g_strdup ("-i");
  g_autofree char *mount
    = g_strdup_printf ("guestmount --ro --format=%s -a '%s' %s $d", format, image, how);

  for (guint i = 0; i < 2; i++) {
    measure (directory, mount);
    *(i ? tar : find) = measure (directory, i ? TAR : FIND);
    measure (directory, "guestunmount $d");
  }
  measure (directory, "rmdir $d");
}

int
main (int argc, char **argv)
{
  VirfsGuestfsOptions options = { .helper = g_getenv ("VIRFS_GUESTFS_HELPER") };
  Fixture f = { 0 };
  double ours[2], theirs[2];

  fixture_init (&argc, &argv);
  if (argc < 3) {
    fprintf (stderr, "usage: guestfiles IMAGE FORMAT [DEVICE]\n");
    return 2;
  }
  disk = virfs_files_disk_new ("vda", NULL, NULL);
  virfs_files_disk_add (disk, argv[1], argv[2]);
  virfs_guestfs_init (&options);
  virfs_guest_files_set_opener (open_image);
  fixture_set_up (&f, "h1=fake:2");
  if (mkdir_at (&f, "vms/h1-1/backups/b") != 0)
    g_error ("no backup");
  measure_ours (&f, &ours[0], &ours[1]);
  fixture_tear_down (&f, NULL);
  measure_guestmount (argv[1], argv[2], argv[3], &theirs[0], &theirs[1]);
  for (guint i = 0; i < 2; i++)
    printf ("%-5s ours %6.2f s   guestmount %6.2f s   ratio %.2f\n", i ? "tar" : "find", ours[i],
            theirs[i], ours[i] / theirs[i]);
  virfs_files_disk_free (disk);
  return 0;
}
