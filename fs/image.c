/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images/<file>, a file that can be read and written, and images/<file>.d/, what is known of it. */
#include "image.h"

#include "access.h"
#include "files_dir.h"
#include "image_job.h"
#include "image_files.h"
#include "pool.h"
#include "text.h"
#include "upload.h"
#include "use.h"

#include <string.h>

#define FILE_ROW "/images/<file>"

static const VirfsImageInfo *
info_of (const VirfsNode *node)
{
  return node->snapshot;
}

static const VirfsVolumeInfo *
volume_of (const VirfsNode *node)
{
  return (const VirfsVolumeInfo *) info_of (node)->volume;
}

/* The file. */

static VirfsContent *
open_image (const VirfsNode *node, GError **error)
{
  const VirfsBackend *backend = virfs_node_backend (node);
  VirfsContent *written = info_of (node)->written ? virfs_upload_read (node->object) : NULL;

  if (written != NULL)
    return written;
  /* libvirt's test driver has volumes with nothing in them */
  if (info_of (node)->length == 0)
    return virfs_content_new_bytes (g_bytes_new (NULL, 0));
  if (info_of (node)->volumes->len > 0 && backend->volume_read != NULL)
    return backend->volume_read (info_of (node)->volumes->pdata[0], error);
  /* it has just been given up */
  return virfs_content_new_bytes (g_bytes_new (NULL, 0));
}

static guint64
length_of (const VirfsNode *node)
{
  g_autoptr (VirfsUpload) upload
    = info_of (node)->written ? virfs_image_upload (node->object) : NULL;

  return upload ? virfs_upload_length (upload) : info_of (node)->length;
}

static gsize
size_of_file (const VirfsNode *node)
{
  return length_of (node);
}

static guint64
allocated (const VirfsNode *node)
{
  return info_of (node)->written || volume_of (node) == NULL ? length_of (node)
                                                             : volume_of (node)->allocation;
}

static void
opened (VirfsSink *sink, const GError *error, gpointer data)
{
  VirfsCall *call = data;

  if (sink != NULL)
    virfs_call_give_sink (call, sink);
  virfs_call_finish (call, error);
}

static void
write_image (VirfsCall *call, const VirfsNode *node)
{
  virfs_upload_open (node->object, virfs_call_uid (call), opened, call);
}

typedef struct {
  VirfsCall *call;
  VirfsSink *sink;
  guint64 size;
} Cut;

static void
cut_done (const GError *error, gpointer data)
{
  g_autofree Cut *cut = data;

  cut->sink->class->close (cut->sink);
  virfs_call_finish (cut->call, error);
}

static void
cut_opened (VirfsSink *sink, const GError *error, gpointer data)
{
  Cut *cut = data;

  cut->sink = sink;
  if (sink != NULL) {
    sink->class->cut (sink, cut->size, cut_done, cut);
    return;
  }
  virfs_call_finish (cut->call, error);
  g_free (cut);
}

static void
cut_image (VirfsCall *call, const VirfsNode *node, guint64 size)
{
  Cut *cut = g_new (Cut, 1);

  *cut = (Cut){ call, NULL, size };
  virfs_upload_open (node->object, virfs_call_uid (call), cut_opened, cut);
}

static gboolean
is_written (const VirfsNode *node)
{
  return info_of (node)->written;
}

static void
set_modified (const VirfsNode *node, gint64 modified)
{
  g_autoptr (VirfsUpload) upload = virfs_image_upload (node->object);

  if (upload != NULL)
    virfs_upload_set_modified (upload, modified);
}

void
virfs_image_create (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  VirfsInfra *infra = virfs_node_infra (dir);
  g_autoptr (VirfsImage) image = virfs_infra_image (infra, name);
  VirfsUploadSpec spec = { .name = name, .uid = virfs_call_uid (call) };

  virfs_infra_default_owner (infra, &spec.owner);
  if (!virfs_call_is_trusted (call)) {
    spec.owner.uid = virfs_call_uid (call);
    spec.owner.gid = virfs_call_gid (call);
  }
  if (image != NULL)
    virfs_upload_open (image, spec.uid, opened, call);
  else
    virfs_upload_create (infra, &spec, opened, call);
}

/* What is known of it. */

static void
show_format (const VirfsNode *node, GString *out)
{
  if (volume_of (node) != NULL && volume_of (node)->format != NULL)
    g_string_append_printf (out, "%s\n", volume_of (node)->format);
}

static void
show_number (GString *out, guint64 number)
{
  g_string_append_printf (out, "%" G_GUINT64_FORMAT "\n", number);
}

static void
show_size (const VirfsNode *node, GString *out)
{
  if (volume_of (node) != NULL)
    show_number (out, volume_of (node)->size);
}

static void
show_allocation (const VirfsNode *node, GString *out)
{
  if (volume_of (node) != NULL)
    show_number (out, volume_of (node)->allocation);
}

static void
show_line (const char *text, GString *out)
{
  if (text == NULL)
    return;
  virfs_text_escape (out, text);
  g_string_append_c (out, '\n');
}

static void
show_backing (const VirfsNode *node, GString *out)
{
  show_line (volume_of (node) ? volume_of (node)->backing : NULL, out);
}

static void
show_pool (const VirfsNode *node, GString *out)
{
  show_line (info_of (node)->pool, out);
}

static void
show_hosts (const VirfsNode *node, GString *out)
{
  for (guint i = 0; i < info_of (node)->volumes->len; i++)
    show_line (((VirfsHost *) virfs_part_root (info_of (node)->volumes->pdata[i]))->name, out);
}

static void
show_created (const VirfsNode *node, GString *out)
{
  const char *born = volume_of (node) ? volume_of (node)->born : NULL;

  gint64 seconds = born ? g_ascii_strtoll (born, NULL, 10) : 0;

  /* not every file system tells */
  if (seconds == 0)
    return;
  virfs_text_append_time (out, seconds * G_USEC_PER_SEC);
  g_string_append_c (out, '\n');
}

static void
show_ctl (const VirfsNode *node, GString *out)
{
  g_string_append (out, "verify\n");
}

static void
store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsJob) job = NULL;
  VirfsHost *host = NULL;

  if (!g_str_equal (text, "verify")) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "\"%s\" is not a verb; there is: verify", text);
    return;
  }
  if (info_of (node)->volumes->len > 0)
    host = (VirfsHost *) virfs_part_root (info_of (node)->volumes->pdata[0]);
  job = virfs_call_job (call, "verify image", node->object, host, NULL);
  virfs_image_sum (node->object, job);
}

/* The class. */

#define F(field) VIRFS_BIT (VIRFS_IMAGE_##field)
#define READ     S_IFREG | 0440, .fields =
#define OS(member, text)                                                                           \
  {                                                                                                \
    "os/" #member, READ F (OS), .show = virfs_show_os,                                             \
                                .offset = G_STRUCT_OFFSET (VirfsOs, member), .help = text          \
  }
#define OS_LIST(name, member, text)                                                                \
  {                                                                                                \
    "os/" name, READ F (OS), .show = virfs_show_os_list, .size = virfs_size_of_os_list,            \
                             .offset = G_STRUCT_OFFSET (VirfsOs, member), .help = text             \
  }

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH) | VIRFS_BIT (VIRFS_PART_PARTS),
    .dir = &virfs_image_about_dir, .help = "what is known of the image" },
  { "/images/<file>.d/" VIRFS_FILES, S_IFDIR | 0700, VIRFS_ROW_PRIVATE,
    .help = "mkdir makes it: the files of the guest that the image has; rmdir ends it" },
  { "format", READ F (CONTENT), .show = show_format,
    .help = "raw, qcow2, vmdk, vdi …, as it was found in the file" },
  { "virtual_size", READ F (CONTENT), .show = show_size, .help = "bytes that a guest sees" },
  { "allocation", READ F (CONTENT), .show = show_allocation, .help = "bytes that the file takes" },
  { "backing", READ F (CONTENT), .show = show_backing,
    .help = "path of the image that it is based on" },
  { "pool", READ F (PLACES), .show = show_pool, .help = "the pool that it is in" },
  { "host", READ F (PLACES), .show = show_hosts,
    .help = "hosts that have it, one a line, of their own or in a pool that they share" },
  { "created", READ F (CONTENT), .show = show_created, .help = "when its file was made" },
  { "sha256", READ F (SUM), .show = virfs_show_text,
    .offset = G_STRUCT_OFFSET (VirfsImageInfo, sha256),
    .help
    = "checksum of the file, if it is known: it came in order, or verify was written to ctl" },
  { "ctl", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, F (CONTENT), .show = show_ctl, .store = store_ctl,
    .help = "write verify to read all of it and compare its checksum, or find it out" },
  { "inspect", S_IFREG | 0640, VIRFS_ROW_NEEDS, F (OS) | F (CONTENT), .show = virfs_show_inspect,
    .store_bool = virfs_store_inspect,
    .help = "1: os/ says what is installed in the image as it is; write 1 to find that out, 0 to "
            "forget it" },
  { "os", S_IFDIR | 0550, .fields = F (OS), .help = "what is installed, if it was inspected" },
  OS (type, "linux, windows …"),
  OS (distribution, "debian, fedora, windows …"),
  OS (product, "what it calls itself"),
  OS (variant, "of the product: Server …"),
  OS (version, "major and minor number"),
  OS (hostname, "its name in the network"),
  OS (arch, "x86_64, aarch64 …"),
  OS (osinfo, "its short name for libosinfo, as in debian12"),
  OS (package_format, "rpm, deb …"),
  OS_LIST ("mountpoints", mountpoints, "one a line: where it mounts something, and the device"),
  OS_LIST ("packages.tsv", packages, "name, version and architecture of what is installed"),
  { "used_by", S_IFDIR | 0550, VIRFS_ROW_MEASURED, F (CONTENT), .dir = &virfs_image_users_dir,
    .help = "links to the guests that have it as a disk, or a disk that is based on it" },
  { FILE_ROW, S_IFREG | 0640, VIRFS_ROW_OWNED, F (CONTENT), .open = open_image,
    .size = size_of_file, .allocated = allocated, .write = write_image, .cut = cut_image,
    .is_written = is_written, .set_modified = set_modified,
    .help = "an image; cp reads and writes it, rm deletes it unless it is used, mv renames it" },
};

static gconstpointer
snapshot (gpointer object)
{
  return virfs_image_info (object);
}

static void
release (gconstpointer info)
{
  virfs_image_info_unref ((VirfsImageInfo *) info);
}

char *
virfs_image_path (const VirfsNode *node)
{
  g_autofree char *file = virfs_object_path (node->object);

  return g_strconcat (file, ".d", *node->row->path ? "/" : NULL, node->row->path, NULL);
}

static gint64
changed (const VirfsNode *node, guint64 fields)
{
  if (S_ISREG (node->row->mode) && node->row->flags & VIRFS_ROW_OWNED)
    return info_of (node)->modified;
  if (node->row->dir == &virfs_image_users_dir)
    return virfs_infra_uses_changed (virfs_node_infra (node));
  return virfs_latest_change (info_of (node)->changed, VIRFS_IMAGE_N_FIELDS,
                              fields ? fields : F (BIRTH));
}

static gboolean
ready (const VirfsNode *node)
{
  return !info_of (node)->written;
}

static guint64
parent (const VirfsNode *node)
{
  return virfs_inode_at (&virfs_root_class, NULL, "images");
}

VirfsClass virfs_image_files = {
  .path = "images/<file>.d",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = parent,
  .unref = virfs_object_unref,
  .snapshot = snapshot,
  .release = release,
  .changed = changed,
  .ready = ready,
  .owner = virfs_image_get_owner,
  .set_owner = virfs_image_set_owner,
};
