/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The empty file system that virfs is measured beside: `emptyfs MOUNTPOINT GUESTS TEMPLATE`.
 *
 * It has the shape of virfs: vms/ with as many directories as there are GUESTS, each with copies of
 * all that is in the directory TEMPLATE (a guest of a mounted virfs), directories too, and beside it
 * directories of links to them.  Everything is computed from inode numbers, constant, and cached by
 * the kernel for ever, and directories are read without being opened: no file system in user space
 * can be faster, as long as the kernel is not to forget anything.  It serves until it is unmounted.
 */
#define FUSE_USE_VERSION 312

#include <errno.h>
#include <fuse_lowlevel.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOR_EVER 1e6

/* An inode number is that of a guest, from 1, and that of a row; guest 0 has the directories. */
#define ROW_BITS 10
enum { ROOT = FUSE_ROOT_ID, VMS, LINKS };

static const char *const directories[] = { "vms", "links-1", "links-2", "links-3", "links-4" };
#define N_LINKS (G_N_ELEMENTS (directories) - 1)

enum { GUEST_ROW = 1 }; /* its directory; behind all that is in it come the links to it */

typedef struct {
  char *name;
  mode_t mode;
  char *text; /* of a file, or where a link leads; NULL: to the guest */
  gsize size;
  guint parent;     /* the row of its directory */
  GArray *children; /* of a directory: their rows */
} Row;

static guint n_guests;
static GArray *rows; /* of a guest; row 0 is not used */
static struct timespec mounted;

static fuse_ino_t
inode (guint guest, guint row)
{
  return (fuse_ino_t) guest << ROW_BITS | row;
}

static const Row *
get_row (guint row)
{
  return &g_array_index (rows, Row, row);
}

static const Row *
row_of (fuse_ino_t ino)
{
  return get_row (ino & ((1 << ROW_BITS) - 1));
}

/* The root or a directory of guests. */
static gboolean
is_single (fuse_ino_t ino)
{
  return ino >> ROW_BITS == 0;
}

static void
link_target (fuse_ino_t ino, char *buffer, gsize size)
{
  if (row_of (ino)->text != NULL)
    g_strlcpy (buffer, row_of (ino)->text, size);
  else
    g_snprintf (buffer, size, "../vms/guest-%05u", (guint) (ino >> ROW_BITS));
}

static void
fill_stat (fuse_ino_t ino, struct stat *st)
{
  char target[256];

  *st = (struct stat){ .st_ino = ino,
                       .st_mode = is_single (ino) ? S_IFDIR | 0750 : row_of (ino)->mode,
                       .st_nlink = 1,
                       .st_uid = getuid (),
                       .st_gid = getgid (),
                       .st_blksize = 4096,
                       .st_mtim = mounted,
                       .st_ctim = mounted,
                       .st_atim = mounted };
  if (S_ISREG (st->st_mode))
    st->st_size = row_of (ino)->size;
  if (S_ISLNK (st->st_mode)) {
    link_target (ino, target, sizeof target);
    st->st_size = strlen (target);
  }
  st->st_blocks = (st->st_size + 511) / 512;
}

static void
fill_entry (fuse_ino_t ino, struct fuse_entry_param *entry)
{
  *entry = (struct fuse_entry_param){
    .ino = ino, .generation = 1, .attr_timeout = FOR_EVER, .entry_timeout = FOR_EVER
  };
  fill_stat (ino, &entry->attr);
}

static fuse_ino_t
parent_of (fuse_ino_t ino)
{
  guint parent = is_single (ino) ? 0 : row_of (ino)->parent;

  if (parent != 0)
    return inode (ino >> ROW_BITS, parent);
  return is_single (ino) ? ROOT : VMS;
}

/* Entry INDEX of a directory of guests, from 0. */
static fuse_ino_t
get_guest (fuse_ino_t dir, guint index, char *name, gsize size)
{
  if (index >= n_guests)
    return 0;
  g_snprintf (name, size, "guest-%05u", index + 1);
  return inode (index + 1, dir == VMS ? GUEST_ROW : rows->len - N_LINKS + (dir - LINKS));
}

/* Entry INDEX of a directory of a guest. */
static fuse_ino_t
get_file (fuse_ino_t dir, guint index, char *name, gsize size)
{
  const GArray *children = row_of (dir)->children;

  if (index >= children->len)
    return 0;
  index = g_array_index (children, guint, index);
  g_strlcpy (name, get_row (index)->name, size);
  return inode (dir >> ROW_BITS, index);
}

/* Entry INDEX of a directory, "." and ".." not counted; 0 behind the last. */
static fuse_ino_t
get_entry (fuse_ino_t dir, guint index, char *name, gsize size)
{
  if (!is_single (dir))
    return get_file (dir, index, name, size);
  if (dir != ROOT)
    return get_guest (dir, index, name, size);
  if (index >= G_N_ELEMENTS (directories))
    return 0;
  g_strlcpy (name, directories[index], size);
  return VMS + index;
}

static fuse_ino_t
find_entry (fuse_ino_t dir, const char *name)
{
  char entry[256];
  guint index = 0;
  fuse_ino_t ino;

  if (is_single (dir) && dir != ROOT) { /* guests are numbered: no need to search */
    index = strlen (name) > 6 ? strtoul (name + 6, NULL, 10) - 1 : n_guests;
    ino = get_guest (dir, index, entry, sizeof entry);
    return ino != 0 && strcmp (entry, name) == 0 ? ino : 0;
  }
  while ((ino = get_entry (dir, index++, entry, sizeof entry)) != 0)
    if (strcmp (entry, name) == 0)
      return ino;
  return 0;
}

/* What FUSE asks. */

static void
do_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  fuse_ino_t ino = find_entry (parent, name);
  struct fuse_entry_param entry;

  if (ino == 0) {
    fuse_reply_err (req, ENOENT);
    return;
  }
  fill_entry (ino, &entry);
  fuse_reply_entry (req, &entry);
}

static void
do_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  struct stat st;

  fill_stat (ino, &st);
  fuse_reply_attr (req, &st, FOR_EVER);
}

static void
do_readlink (fuse_req_t req, fuse_ino_t ino)
{
  char target[256];

  link_target (ino, target, sizeof target);
  fuse_reply_readlink (req, target);
}

/* So that `ls -l` asks once and not for each file, as it does where the kernel answers for us. */
static void
do_getxattr (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
  fuse_reply_err (req, EOPNOTSUPP);
}

static void
do_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  fi->keep_cache = 1;
  fi->noflush = 1;
  fuse_reply_open (req, fi);
}

static void
do_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  const Row *row = row_of (ino);

  if ((gsize) offset >= row->size)
    fuse_reply_buf (req, NULL, 0);
  else
    fuse_reply_buf (req, row->text + offset, MIN (size, row->size - offset));
}

/* The kernel does not ask again. */
static void
do_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  fuse_reply_err (req, ENOSYS);
}

/* Entry INDEX of a directory, with "." and ".." as 0 and 1; see get_entry(). */
static fuse_ino_t
get_any (fuse_ino_t dir, guint index, char *name, gsize size)
{
  if (index >= 2)
    return get_entry (dir, index - 2, name, size);
  g_strlcpy (name, index == 0 ? "." : "..", size);
  return index == 0 ? dir : parent_of (dir);
}

static size_t
add_entry (fuse_req_t req, char *buffer, size_t room, const char *name, fuse_ino_t ino, off_t next,
           gboolean plus)
{
  struct fuse_entry_param entry;

  fill_entry (ino, &entry);
  if (!plus)
    return fuse_add_direntry (req, buffer, room, name, &entry.attr, next);
  if (next <= 2) /* not looked up */
    entry.ino = 0;
  return fuse_add_direntry_plus (req, buffer, room, name, &entry, next);
}

static void
read_directory (fuse_req_t req, fuse_ino_t dir, size_t size, off_t offset, gboolean plus)
{
  g_autofree char *buffer = g_malloc (size);
  size_t used = 0, length;
  char name[256];
  fuse_ino_t ino;

  for (; (ino = get_any (dir, offset, name, sizeof name)) != 0; offset++) {
    length = add_entry (req, buffer + used, size - used, name, ino, offset + 1, plus);
    if (length > size - used)
      break;
    used += length;
  }
  fuse_reply_buf (req, buffer, used);
}

static void
do_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, FALSE);
}

static void
do_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, TRUE);
}

static const struct fuse_lowlevel_ops operations = {
  .lookup = do_lookup,
  .getattr = do_getattr,
  .readlink = do_readlink,
  .getxattr = do_getxattr,
  .open = do_open,
  .read = do_read,
  .opendir = do_opendir,
  .readdir = do_readdir,
  .readdirplus = do_readdirplus,
};

/* The start. */

static void read_template (const char *path, guint dir);

static guint
append_row (const Row *row)
{
  guint number = rows->len;

  if (number >= 1 << ROW_BITS)
    g_error ("there are too many files in the template");
  g_array_append_val (rows, *row);
  if (row->parent != 0)
    g_array_append_val (get_row (row->parent)->children, number);
  return number;
}

static void
add_row (const char *path, const char *name, guint parent)
{
  Row row = { .name = g_strdup (name), .parent = parent };
  struct stat st;
  guint number;

  if (lstat (path, &st) < 0)
    g_error ("cannot look at %s", path);
  row.mode = st.st_mode;
  if (S_ISDIR (st.st_mode))
    row.children = g_array_new (FALSE, FALSE, sizeof (guint));
  else if (S_ISLNK (st.st_mode))
    row.text = g_file_read_link (path, NULL);
  else if (!g_file_get_contents (path, &row.text, &row.size, NULL))
    g_error ("cannot read %s", path);
  number = append_row (&row);
  if (S_ISDIR (st.st_mode))
    read_template (path, number);
}

static void
read_template (const char *path, guint dir)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) entries = g_dir_open (path, 0, &error);
  const char *name;

  if (entries == NULL)
    g_error ("%s", error->message);
  while ((name = g_dir_read_name (entries)) != NULL) {
    g_autofree char *entry = g_build_filename (path, name, NULL);

    add_row (entry, name, dir);
  }
}

static void
make_rows (const char *template)
{
  const Row link = { .mode = S_IFLNK | 0777 };

  rows = g_array_new (FALSE, TRUE, sizeof (Row));
  g_array_set_size (rows, GUEST_ROW);
  add_row (template, NULL, 0);
  for (guint i = 0; i < N_LINKS; i++)
    append_row (&link);
}

int
main (int argc, char **argv)
{
  struct fuse_args args = FUSE_ARGS_INIT (0, NULL);
  struct fuse_loop_config *config = fuse_loop_cfg_create ();
  struct fuse_session *session;

  if (argc != 4)
    g_error ("usage: emptyfs MOUNTPOINT GUESTS TEMPLATE");
  n_guests = strtoul (argv[2], NULL, 10);
  make_rows (argv[3]);
  clock_gettime (CLOCK_REALTIME, &mounted);
  fuse_opt_add_arg (&args, "emptyfs");
  fuse_opt_add_arg (&args, "-ofsname=emptyfs,default_permissions");
  session = fuse_session_new (&args, &operations, sizeof operations, NULL);
  if (session == NULL || fuse_set_signal_handlers (session) != 0
      || fuse_session_mount (session, argv[1]) != 0)
    return EXIT_FAILURE;
  fuse_session_loop_mt (session, config);
  fuse_session_unmount (session);
  fuse_remove_signal_handlers (session);
  fuse_session_destroy (session);
  fuse_loop_cfg_destroy (config);
  fuse_opt_free_args (&args);
  return EXIT_SUCCESS;
}
