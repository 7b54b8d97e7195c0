/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of guests, by real appliances: images that mean well and images that do not.  The images are made
 * in a directory that a parent process removes, whatever becomes of the tests.
 */
#include "guest_files.h"

#include "error.h"

#include <dirent.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <guestfs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *directory; /* of all images */

/* What is waited for: answers come in another thread. */
typedef struct {
  GMutex lock;
  GCond cond;
  guint done;
  int error;
  GError *failure;
  VirfsFilesList *list;
  VirfsFilesInfo info;
  char *target;
  GHashTable *xattrs;
  GByteArray *bytes;
  GPtrArray *words; /* of an inspection, or notes */
} Answer;

typedef struct {
  VirfsFiles *files;
  Answer answer;
} Guest;

static void
tell (Answer *answer)
{
  answer->done++;
  g_cond_signal (&answer->cond);
}

/* Waits for N answers. */
static void
wait_for (Answer *answer, guint n)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answer->lock);

  while (answer->done < n)
    g_cond_wait (&answer->cond, &answer->lock);
  answer->done = 0;
}

static void
opened (const GError *error, const VirfsFilesInfo *root, GPtrArray *notes, gpointer data)
{
  Answer *answer = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answer->lock);

  g_clear_error (&answer->failure);
  answer->failure = error ? g_error_copy (error) : NULL;
  if (root != NULL)
    answer->info = *root;
  tell (answer);
}

static void
listed (int error, VirfsFilesList *list, gpointer data)
{
  Answer *answer = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answer->lock);

  g_clear_pointer (&answer->list, virfs_files_list_unref);
  answer->list = list ? virfs_files_list_ref (list) : NULL;
  answer->error = error;
  tell (answer);
}

static void
found (int error, const VirfsFilesInfo *info, gpointer data)
{
  Answer *answer = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answer->lock);

  answer->error = error;
  g_clear_pointer (&answer->target, g_free);
  if (info != NULL) {
    answer->info = *info;
    answer->target = g_strdup (info->target);
  }
  tell (answer);
}

static void
got_xattrs (int error, GHashTable *xattrs, gpointer data)
{
  Answer *answer = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answer->lock);

  answer->error = error;
  g_clear_pointer (&answer->xattrs, g_hash_table_unref);
  answer->xattrs = xattrs ? g_hash_table_ref (xattrs) : NULL;
  tell (answer);
}

static void
got (int error, GPtrArray *pieces, gpointer data)
{
  Answer *answer = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answer->lock);

  answer->error = error;
  for (guint i = 0; i < pieces->len; i++)
    g_byte_array_append (answer->bytes, g_bytes_get_data (pieces->pdata[i], NULL),
                         g_bytes_get_size (pieces->pdata[i]));
  tell (answer);
}

static void
stopped (gpointer data)
{
  Answer *answer = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answer->lock);

  tell (answer);
}

/* Guests. */

static Guest *
guest_begin (GPtrArray *disks)
{
  Guest *guest = g_new0 (Guest, 1);

  g_mutex_init (&guest->answer.lock);
  g_cond_init (&guest->answer.cond);
  guest->answer.bytes = g_byte_array_new ();
  guest->files = virfs_guestfs_open (disks, opened, &guest->answer);
  return guest;
}

static void
guest_end (Guest *guest)
{
  guest->files->class->stop (guest->files, stopped, &guest->answer);
  wait_for (&guest->answer, 1);
  g_assert_cmpint (virfs_guestfs_pid (guest->files), ==, 0);
  virfs_files_unref (guest->files);
  g_clear_error (&guest->answer.failure);
  g_clear_pointer (&guest->answer.list, virfs_files_list_unref);
  g_clear_pointer (&guest->answer.xattrs, g_hash_table_unref);
  g_byte_array_unref (guest->answer.bytes);
  g_free (guest->answer.target);
  g_free (guest);
}

static GPtrArray *
disks_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_files_disk_free);
}

static VirfsFilesDisk *
add_disk (GPtrArray *disks, const char *target, const char *image, const char *format)
{
  VirfsFilesDisk *disk = virfs_files_disk_new (target, NULL, NULL);
  g_autofree char *file = g_build_filename (directory, image, NULL);

  virfs_files_disk_add (disk, file, format);
  g_ptr_array_add (disks, disk);
  return disk;
}

static const char *
names (Guest *guest, const char *path)
{
  static GString *all;

  guest->files->class->list (guest->files, path, listed, &guest->answer);
  wait_for (&guest->answer, 1);
  if (all == NULL)
    all = g_string_new (NULL);
  g_string_truncate (all, 0);
  if (guest->answer.error != 0)
    return g_strerror (guest->answer.error);
  for (guint i = 0; i < guest->answer.list->n; i++)
    g_string_append_printf (all, "%s%s", i ? " " : "", guest->answer.list->entries[i].name);
  return all->str;
}

static const VirfsFilesInfo *
look_up (Guest *guest, const char *path, const char *name)
{
  guest->files->class->find (guest->files, path, name, found, &guest->answer);
  wait_for (&guest->answer, 1);
  return guest->answer.error == 0 ? &guest->answer.info : NULL;
}

/* All of it, in reads of up to AT_ONCE bytes. */
static const GByteArray *
contents (Guest *guest, const char *path, const char *name, gsize at_once)
{
  const VirfsFilesInfo *info = look_up (guest, path, name);
  guint64 size;
  VirfsContent *content;

  if (info == NULL)
    g_error ("%s/%s: %s", path, name, g_strerror (guest->answer.error));
  size = info->st.st_size;
  g_byte_array_set_size (guest->answer.bytes, 0);
  content = guest->files->class->open (guest->files, path, name, size);
  for (guint64 at = 0; at < size && guest->answer.error == 0; at += at_once) {
    content->class->read (content, at, at_once, got, &guest->answer);
    wait_for (&guest->answer, 1);
  }
  content->class->close (content);
  return guest->answer.bytes;
}

static void
assert_contents (Guest *guest, const char *path, const char *name, const char *file)
{
  g_autofree char *real = g_build_filename (directory, "tree", file, NULL);
  g_autofree char *text = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (real, &text, &length, NULL));
  for (guint i = 0; i < 2; i++) {
    const GByteArray *bytes = contents (guest, path, name, i ? 1000000 : 128 * 1024);

    g_assert_cmpmem (bytes->data, bytes->len, text, length);
  }
}

/* Images. */

static void
run (const char *text)
{
  g_autofree char *command
    = g_strdup_printf ("set -e; cd '%s'; { %s; } > log 2>&1", directory, text);

  if (system (command) != 0)
    g_error ("failed: %s", command);
}

static void
make_tree (void)
{
  run ("mkdir -p tree/etc/deep tree/many && echo guest > tree/etc/hostname"
       " && ln tree/etc/hostname tree/etc/hard && ln -s /etc/shadow tree/etc/absolute"
       " && ln -s ../../../../etc/shadow tree/etc/up && echo x > \"$(printf 'tree/new\\nline')\""
       " && head -c 5000001 /dev/urandom > tree/large && truncate -s 64M tree/sparse"
       " && : > tree/nothing && chmod 4755 tree/nothing && touch -d @981173106 tree/etc/deep"
       " && setfattr -n user.note -v value tree/large"
       " && for i in $(seq 1500); do echo $i > tree/many/$i; done");
  if (geteuid () == 0)
    run ("mknod tree/null c 1 3 && chown 12:34 tree/nothing && chmod 4755 tree/nothing");
}

/* As much of a system as is needed to be taken for one. */
static void
make_system (void)
{
  run (
    "mkdir -p system/etc system/bin system/usr/bin system/var/lib/dpkg system/data"
    " && echo '/dev/sda / ext4 defaults 0 1' > system/etc/fstab && echo web > system/etc/hostname"
    " && echo '127.0.0.1 localhost' > system/etc/hosts && echo 12.5 > system/etc/debian_version"
    " && printf 'ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n' > system/etc/os-release"
    " && printf 'Package: hello\nStatus: install ok installed\nVersion: 1:2.10-3\n"
    "Architecture: amd64\n\n' > system/var/lib/dpkg/status"
    " && mke2fs -q -t ext4 -d system system.raw 16M");
}

/* Two partitions, in a qcow2 file; and a file system that has been overwritten here and there. */
static void
make_partitions (void)
{
  run ("mke2fs -q -t ext4 -d tree one.ext4 60M && mke2fs -q -t ext4 two.ext4 8M"
       " && truncate -s 80M disk.raw"
       " && printf 'start=2048,size=122880\\nstart=126976,size=16384\\n' | sfdisk -q disk.raw"
       " && dd if=one.ext4 of=disk.raw bs=512 seek=2048 conv=notrunc status=none"
       " && dd if=two.ext4 of=disk.raw bs=512 seek=126976 conv=notrunc status=none"
       " && qemu-img convert -O qcow2 disk.raw disk.qcow2"
       " && cp one.ext4 corrupt.raw && dd if=/dev/urandom of=corrupt.raw bs=4k seek=1 count=600"
       " conv=notrunc status=none"
       " && truncate -s 16M luks.raw && printf 'LUKS\\272\\276\\000\\001' |"
       " dd of=luks.raw conv=notrunc status=none"
       " && qemu-img create -q -f qcow2 -b /etc/shadow -F raw backed.qcow2 1M"
       " && qemu-img create -q -f qcow2 -b one.ext4 -F raw nested.raw"
       " && qemu-img create -q -f qcow2 -b disk.qcow2 -F qcow2 overlay.qcow2"
       " && qemu-img create -q -f qcow2 -o data_file=/etc/shadow,data_file_raw=on data.qcow2 1M ||"
       " qemu-img create -q -f qcow2 -o data_file=data.file data.qcow2 1M");
}

/* More names than an appliance tells in one answer, which has 4 MiB at most: all are one file. */
#define MANY 18000

static void
make_many (void)
{
  g_autofree char *names = g_build_filename (directory, "names", NULL);
  g_autofree char *first = g_build_filename (names, "first", NULL);

  g_assert_cmpint (g_mkdir (names, 0755), ==, 0);
  g_assert_true (g_file_set_contents (first, "one\n", -1, NULL));
  for (guint i = 1; i < MANY; i++) {
    g_autofree char *other = g_strdup_printf ("%s/%0250u", names, i);

    g_assert_cmpint (link (first, other), ==, 0);
  }
  run ("tar -cf names.tar names && rm -rf names");
}

static void
make_lvm (void)
{
  guestfs_h *g = guestfs_create ();
  g_autofree char *file = g_build_filename (directory, "lvm.raw", NULL);
  g_autofree char *names = g_build_filename (directory, "names.tar", NULL);
  char *devices[] = { "/dev/sda", NULL };

  run ("truncate -s 64M lvm.raw");
  guestfs_set_backend (g, "direct");
  guestfs_set_backend_setting (g, "force_tcg", "1");
  g_assert_cmpint (guestfs_add_drive_opts (g, file, GUESTFS_ADD_DRIVE_OPTS_FORMAT, "raw", -1), ==,
                   0);
  g_assert_cmpint (guestfs_launch (g), ==, 0);
  g_assert_cmpint (guestfs_pvcreate (g, "/dev/sda"), ==, 0);
  g_assert_cmpint (guestfs_vgcreate (g, "vg", devices), ==, 0);
  g_assert_cmpint (guestfs_lvcreate (g, "lv", "vg", 32), ==, 0);
  g_assert_cmpint (guestfs_mkfs (g, "ext4", "/dev/vg/lv"), ==, 0);
  g_assert_cmpint (guestfs_mount (g, "/dev/vg/lv", "/"), ==, 0);
  g_assert_cmpint (guestfs_write (g, "/on-lvm", "yes\n", 4), ==, 0);
  g_assert_cmpint (guestfs_tar_in (g, names, "/"), ==, 0);
  g_assert_cmpint (guestfs_shutdown (g), ==, 0);
  guestfs_close (g);
}

/* Tests. */

/* Of helpers and their QEMUs: nothing of ours is left. */
static gboolean
is_left (void)
{
  g_autofree char *command = g_strdup_printf ("pgrep -P %d -x virfs-guestfs > /dev/null || ls -d"
                                              " /run/virfs-guestfs/%d-* > /dev/null 2>&1",
                                              (int) getpid (), (int) getpid ());

  return system (command) == 0;
}

static void
check_attributes (Guest *guest)
{
  const VirfsFilesInfo *info = look_up (guest, "/vda1/etc", "hostname");
  g_autoptr (GBytes) value = g_bytes_new_static ("value", 5);
  guint64 ino;

  g_assert_nonnull (info);
  ino = info->st.st_ino;
  g_assert_cmpuint (info->st.st_nlink, ==, 2);
  g_assert_cmpuint (look_up (guest, "/vda1/etc", "hard")->st.st_ino, ==, ino);
  g_assert_nonnull (look_up (guest, "/vda1/etc", "absolute"));
  g_assert_cmpstr (guest->answer.target, ==, "/etc/shadow");
  g_assert_nonnull (look_up (guest, "/vda1/etc", "up"));
  g_assert_cmpstr (guest->answer.target, ==, "../../../../etc/shadow");
  g_assert_cmpint (look_up (guest, "/vda1/etc", "deep")->st.st_mtim.tv_sec, ==, 981173106);
  info = look_up (guest, "/vda1", "nothing");
  g_assert_cmpuint (info->st.st_mode, ==, S_IFREG | 04755);
  g_assert_cmpint (look_up (guest, "/vda1", "sparse")->st.st_size, ==, 64 << 20);
  g_assert_cmpint (guest->answer.info.st.st_blocks, <, 100);
  g_assert_null (look_up (guest, "/vda1", "absent"));
  g_assert_cmpint (guest->answer.error, ==, ENOENT);
  if (geteuid () == 0) {
    g_assert_cmpuint (look_up (guest, "/vda1", "nothing")->st.st_uid, ==, 12);
    g_assert_cmpuint (look_up (guest, "/vda1", "null")->st.st_rdev, ==, 0x103);
  }
  guest->files->class->xattrs (guest->files, "/vda1", "large", got_xattrs, &guest->answer);
  wait_for (&guest->answer, 1);
  g_assert_true (g_bytes_equal (g_hash_table_lookup (guest->answer.xattrs, "user.note"), value));
}

/* Many questions at once; WHOM is killed, a command with the helper in $p; it is there again when the file NAME is read. */
static void
check_kill (Guest *guest, const char *whom, const char *name)
{
  g_autofree char *command = NULL;
  int pid = virfs_guestfs_pid (guest->files);
  VirfsContent *content;

  g_assert_cmpint (pid, >, 0);
  command = g_strdup_printf ("p=%d; %s", pid, whom);
  content = guest->files->class->open (guest->files, "/vda1", "sparse", 64 << 20);
  for (guint i = 0; i < 30; i++)
    content->class->read (content, i * 2000000, 2000000, got, &guest->answer);
  g_assert_cmpint (system (command), ==, 0);
  wait_for (&guest->answer, 30);
  g_assert_cmpint (guest->answer.error, ==, EIO);
  content->class->close (content);
  g_byte_array_set_size (guest->answer.bytes, 0);
  g_assert_cmpint (virfs_guestfs_pid (guest->files), !=, pid);
  g_assert_cmpuint (contents (guest, "/vda1/many", name, 100)->len, ==, strlen (name) + 1);
  g_assert_cmpint (virfs_guestfs_pid (guest->files), !=, 0);
}

static void
test_disks (void)
{
  g_autoptr (GPtrArray) disks = disks_new ();
  Guest *guest;

  add_disk (disks, "vda", "disk.qcow2", "qcow2");
  add_disk (disks, "vdb", "lvm.raw", "raw");
  guest = guest_begin (disks);
  wait_for (&guest->answer, 1);
  g_assert_no_error (guest->answer.failure);
  g_assert_true (S_ISDIR (guest->answer.info.st.st_mode));
  g_assert_cmpstr (names (guest, "/"), ==, "vda1 vda2 vg-lv");
  g_assert_nonnull (strstr (names (guest, "/vda1"), "new\nline"));
  g_assert_cmpstr (names (guest, "/vg-lv"), ==, "lost+found names on-lvm");
  names (guest, "/vg-lv/names");
  g_assert_cmpint (guest->answer.error, ==, 0);
  g_assert_cmpuint (guest->answer.list->n, ==, MANY);
  g_assert_cmpuint (guest->answer.list->entries[0].ino, ==,
                    guest->answer.list->entries[MANY - 1].ino);
  g_assert_cmpuint (guest->answer.list->entries[0].type, ==, DT_REG);
  names (guest, "/vda1/many");
  g_assert_cmpuint (guest->answer.list->n, ==, 1500);
  g_assert_cmpint (look_up (guest, "/vda1/many", "1234")->st.st_size, ==, 5);
  names (guest, "/vda1/etc/hostname");
  g_assert_cmpint (guest->answer.error, ==, ENOTDIR);
  check_attributes (guest);
  assert_contents (guest, "/vda1", "large", "large");
  assert_contents (guest, "/vda1/etc", "hostname", "etc/hostname");
  assert_contents (guest, "/vda1", "new\nline", "new\nline");
  check_kill (guest, "kill -9 $p", "7");
  check_kill (guest, "pkill -9 -P $p -x qemu-system-x86", "1007");
  guest_end (guest);
  g_assert_false (is_left ());
}

static void
assert_refused (GPtrArray *disks, VirfsError code, const char *words)
{
  Guest *guest = guest_begin (disks);

  wait_for (&guest->answer, 1);
  if (!g_error_matches (guest->answer.failure, VIRFS_ERROR, (int) code))
    g_error ("%s: not what is wanted",
             guest->answer.failure ? guest->answer.failure->message : "opened");
  if (strstr (guest->answer.failure->message, words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", guest->answer.failure->message, words);
  guest_end (guest);
  g_assert_false (is_left ());
}

static void
assert_image_refused (const char *image, const char *format, VirfsError code, const char *words)
{
  g_autoptr (GPtrArray) disks = disks_new ();

  add_disk (disks, "vda", image, format);
  assert_refused (disks, code, words);
}

/* Before any appliance is started. */
static void
test_hostile_images (void)
{
  g_autoptr (GPtrArray) disks = disks_new ();
  VirfsFilesDisk *disk;

  assert_image_refused ("backed.qcow2", "qcow2", VIRFS_ERROR_PERMITTED, "another backing file");
  assert_image_refused ("overlay.qcow2", "qcow2", VIRFS_ERROR_PERMITTED, "another backing file");
  assert_image_refused ("data.qcow2", "qcow2", VIRFS_ERROR_PERMITTED, "data in another file");
  assert_image_refused ("disk.raw", "qcow2", VIRFS_ERROR_INVALID, "no qcow2 image");
  assert_image_refused ("disk.raw", "vmdk", VIRFS_ERROR_UNSUPPORTED, "vmdk");
  assert_image_refused ("absent.raw", "raw", VIRFS_ERROR_NOT_FOUND, "absent.raw");
  assert_image_refused ("tree", "raw", VIRFS_ERROR_INVALID, "neither a file nor a disk");
  /* what it is based on is known, but for its format */
  disk = add_disk (disks, "vda", "overlay.qcow2", "qcow2");
  virfs_files_disk_add (disk, ((VirfsFilesImage *) disk->images->pdata[0])->file, "raw");
  assert_refused (disks, VIRFS_ERROR_PERMITTED, "another backing file");
  g_ptr_array_set_size (disks, 0);
  g_ptr_array_add (disks, virfs_files_disk_new ("vda", "nbd+vsock://3/vda", NULL));
  assert_refused (disks, VIRFS_ERROR_UNSUPPORTED, "nbd+vsock");
  g_ptr_array_set_size (disks, 0);
  g_ptr_array_add (disks, virfs_files_disk_new ("vda", "nbds:vda", "/"));
  assert_refused (disks, VIRFS_ERROR_INVALID, "no address");
}

/* Mounted as it would mount itself. */

static void
inspected (const GError *error, GPtrArray *pairs, gpointer data)
{
  Answer *answer = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&answer->lock);

  answer->failure = error ? g_error_copy (error) : NULL;
  answer->words = g_ptr_array_copy (pairs, (GCopyFunc) (gpointer) g_strdup, NULL);
  g_ptr_array_set_free_func (answer->words, g_free);
  tell (answer);
}

static const char *
word (const Answer *answer, const char *key)
{
  for (guint i = 0; i + 1 < answer->words->len; i += 2)
    if (g_str_equal (answer->words->pdata[i], key))
      return answer->words->pdata[i + 1];
  return NULL;
}

/* Nobody asks for a second: it ends, and is there for the next question. */
static void
check_idle (Guest *guest)
{
  VirfsGuestfsOptions options = { .helper = g_getenv ("VIRFS_GUESTFS_HELPER"), .idle = 1 };

  virfs_guestfs_init (&options);
  g_assert_cmpstr (names (guest, "/data"), ==, "");
  while (virfs_guestfs_pid (guest->files) != 0)
    g_usleep (10000);
  g_assert_cmpstr (names (guest, "/usr"), ==, "bin");
  options.idle = 0;
  virfs_guestfs_init (&options);
}

static void
test_system (void)
{
  g_autoptr (GPtrArray) disks = disks_new ();
  Guest *guest;

  add_disk (disks, "vda", "system.raw", "raw");
  guest = guest_begin (disks);
  wait_for (&guest->answer, 1);
  g_assert_no_error (guest->answer.failure);
  g_assert_cmpstr (names (guest, "/"), ==, "bin data etc lost+found usr var");
  guest->files->class->inspect (guest->files, inspected, &guest->answer);
  wait_for (&guest->answer, 1);
  g_assert_no_error (guest->answer.failure);
  g_assert_cmpstr (word (&guest->answer, "type"), ==, "linux");
  g_assert_cmpstr (word (&guest->answer, "distribution"), ==, "debian");
  g_assert_cmpstr (word (&guest->answer, "product"), ==, "12.5");
  g_assert_cmpstr (word (&guest->answer, "hostname"), ==, "web");
  g_assert_cmpstr (word (&guest->answer, "mountpoint"), ==, "/\tvda");
  g_assert_cmpstr (word (&guest->answer, "package"), ==, "hello\t1:2.10-3\tamd64");
  g_ptr_array_unref (guest->answer.words);
  check_idle (guest);
  guest_end (guest);
}

static void
test_encrypted (void)
{
  assert_image_refused ("luks.raw", "raw", VIRFS_ERROR_UNSUPPORTED, "vda is encrypted");
}

/* A disk that looks like an image is a disk: nobody asks it what it is based on. */
static void
test_nested (void)
{
  assert_image_refused ("nested.raw", "raw", VIRFS_ERROR_NOT_FOUND, "no file system");
}

/* Whatever it says, it says it in time, and what it has can be walked through or not. */
static void
test_corrupt (void)
{
  g_autoptr (GPtrArray) disks = disks_new ();
  Guest *guest;

  add_disk (disks, "vda", "corrupt.raw", "raw");
  guest = guest_begin (disks);
  wait_for (&guest->answer, 1);
  if (guest->answer.failure == NULL) {
    names (guest, "/vda");
    names (guest, "/vda/etc");
    look_up (guest, "/vda", "large");
  }
  guest_end (guest);
  g_assert_false (is_left ());
}

/* It ends while it begins. */
static void
test_stop (void)
{
  g_autoptr (GPtrArray) disks = disks_new ();
  Guest *guest;

  add_disk (disks, "vda", "disk.qcow2", "qcow2");
  guest = guest_begin (disks);
  while (virfs_guestfs_pid (guest->files) == 0)
    g_thread_yield ();
  guest->files->class->stop (guest->files, stopped, &guest->answer);
  wait_for (&guest->answer, 2);
  g_assert_nonnull (guest->answer.failure);
  g_assert_false (is_left ());
  virfs_files_unref (guest->files);
  g_clear_error (&guest->answer.failure);
  g_byte_array_unref (guest->answer.bytes);
  g_free (guest);
}

static int
run_tests (int argc, char **argv)
{
  VirfsGuestfsOptions options = { .helper = g_getenv ("VIRFS_GUESTFS_HELPER") };

  g_test_init (&argc, &argv, NULL);
  if (system ("cat /boot/vmlinuz-* > /dev/null 2>&1") != 0)
    return 77; /* libguestfs has no kernel to start */
  virfs_guestfs_init (&options);
  make_tree ();
  make_partitions ();
  make_system ();
  make_many ();
  make_lvm ();
  g_test_add_func ("/guestfs/hostile-images", test_hostile_images);
  g_test_add_func ("/guestfs/stop", test_stop);
  g_test_add_func ("/guestfs/disks", test_disks);
  g_test_add_func ("/guestfs/system", test_system);
  g_test_add_func ("/guestfs/encrypted", test_encrypted);
  g_test_add_func ("/guestfs/nested", test_nested);
  g_test_add_func ("/guestfs/corrupt", test_corrupt);
  return g_test_run ();
}

int
main (int argc, char **argv)
{
  g_autofree char *command = NULL;
  int status;
  pid_t pid;

  directory = g_dir_make_tmp ("virfs-guestfs-XXXXXX", NULL);
  pid = fork ();
  if (pid == 0)
    return run_tests (argc, argv);
  waitpid (pid, &status, 0);
  command = g_strdup_printf ("rm -rf '%s'", directory);
  if (system (command) != 0)
    return EXIT_FAILURE;
  return WIFEXITED (status) ? WEXITSTATUS (status) : EXIT_FAILURE;
}
