/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images/: the image repository. */
#include "access.h"
#include "image.h"
#include "image_files.h"
#include "pool.h"
#include "upload.h"

#include <string.h>

/* Names. */

static guint64
file_of (VirfsImage *image)
{
  return virfs_inode_at (&virfs_image_files, image, "/images/<file>");
}

static guint64
directory_of (VirfsImage *image)
{
  return virfs_inode_at (&virfs_image_files, image, "");
}

static void
add_image (VirfsImage *image, gpointer listing)
{
  g_autofree char *directory = g_strconcat (image->label, ".d", NULL);

  virfs_listing_add (listing, image->label, file_of (image), S_IFREG);
  if (image->info->volumes->len > 0)
    virfs_listing_add (listing, directory, directory_of (image), S_IFDIR);
}

static void
list (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_image (virfs_node_infra (dir), add_image, listing);
}

static gboolean
is_published (VirfsImage *image)
{
  g_autoptr (VirfsImageInfo) info = virfs_image_info (image);

  return info->volumes->len > 0;
}

static guint64
find (const VirfsNode *dir, const char *name)
{
  gsize length = strlen (name);
  g_autoptr (VirfsImage) image = virfs_infra_image (virfs_node_infra (dir), name);
  g_autoptr (VirfsImage) described = NULL;
  g_autofree char *file = NULL;

  if (image != NULL)
    return file_of (image);
  if (!g_str_has_suffix (name, ".d"))
    return 0;
  file = g_strndup (name, length - 2);
  described = virfs_infra_image (virfs_node_infra (dir), file);
  return described && is_published (described) ? directory_of (described) : 0;
}

/* The image NAME, that the caller may change; a new reference.  NULL: CALL has failed. */
static VirfsImage *
get_image (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsImage) image = virfs_infra_image (virfs_node_infra (dir), name);
  g_autoptr (GError) error = NULL;

  if (image == NULL)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "what is known of an image goes with it: there is no image %s", name);
  else if (virfs_access_check (call, image, VIRFS_MAY_WRITE, &error))
    return g_steal_pointer (&image);
  virfs_call_finish (call, error);
  return NULL;
}

/* Who writes IMAGE and has not published it; a new reference, NULL: it is published. */
static VirfsUpload *
unpublished (VirfsImage *image)
{
  return is_published (image) ? NULL : virfs_image_upload (image);
}

static void
finish (const GError *error, gpointer call)
{
  virfs_call_finish (call, error);
}

/* One volume of each storage that has IMAGE. */
static GPtrArray *
copies_of (VirfsImage *image)
{
  g_autoptr (VirfsImageInfo) info = virfs_image_info (image);
  GPtrArray *copies = g_ptr_array_new_with_free_func (virfs_object_unref);

  for (guint i = 0; i < info->volumes->len; i++) {
    VirfsPart *volume = info->volumes->pdata[i];
    g_autoptr (VirfsPartInfo) pool = virfs_part_info ((VirfsPart *) volume->owner);
    gboolean known = FALSE;

    for (guint j = 0; j < copies->len && !known; j++) {
      g_autoptr (VirfsPartInfo) other
        = virfs_part_info ((VirfsPart *) ((VirfsPart *) copies->pdata[j])->owner);

      known = virfs_pool_is_same ((VirfsPoolInfo *) pool, (VirfsPoolInfo *) other);
    }
    if (!known)
      g_ptr_array_add (copies, virfs_object_ref (volume));
  }
  return copies;
}

/* Whether nobody uses or writes IMAGE; else CALL has failed. */
static gboolean
check_idle (VirfsCall *call, VirfsImage *image, const char *what)
{
  g_autoptr (VirfsUpload) upload = virfs_image_upload (image);
  g_autoptr (GError) error = NULL;

  if (upload != NULL)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "the image %s is being written",
                 image->label);
  else if (virfs_image_check_unused (image, what, &error))
    return TRUE;
  virfs_call_finish (call, error);
  return FALSE;
}

/* Removing. */

typedef struct {
  VirfsCall *call;
  VirfsImage *image;
  GPtrArray *copies; /* of VirfsPart*: the last is being removed, those before it are there still */
} Removal;

static void remove_next (Removal *removal);

static void
end_removal (Removal *removal, const GError *error)
{
  g_autofree char *path = virfs_object_path (removal->image);

  if (error == NULL)
    virfs_infra_disown (removal->image->object.infra, path);
  virfs_call_finish (removal->call, error);
  virfs_object_unref (removal->image);
  g_ptr_array_unref (removal->copies);
  g_free (removal);
}

static void
removed (VirfsJob *job, const GError *error, gpointer data)
{
  Removal *removal = data;

  if (error != NULL) {
    end_removal (removal, error);
    return;
  }
  virfs_volume_forget_notes (removal->copies->pdata[removal->copies->len - 1]);
  virfs_image_volume_gone (removal->copies->pdata[removal->copies->len - 1]);
  g_ptr_array_set_size (removal->copies, removal->copies->len - 1);
  remove_next (removal);
}

static void
remove_next (Removal *removal)
{
  VirfsInfra *infra = removal->image->object.infra;
  VirfsPart *volume;
  g_autoptr (VirfsJob) job = NULL;

  if (removal->copies->len == 0) {
    end_removal (removal, NULL);
    return;
  }
  volume = removal->copies->pdata[removal->copies->len - 1];
  job = virfs_call_job_then (removal->call, "delete image", removal->image,
                             (VirfsHost *) virfs_part_root (volume), removed, removal);
  virfs_infra_backend (infra)->volume_verb (volume, VIRFS_VOLUME_DELETE, job);
}

static void
unlink_image (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsImage) image = get_image (call, dir, name);
  g_autoptr (VirfsUpload) upload = image ? unpublished (image) : NULL;
  Removal *removal;

  if (image == NULL)
    return;
  if (upload != NULL) {
    virfs_upload_discard (upload, finish, call);
  } else if (check_idle (call, image, "be removed")) {
    removal = g_new (Removal, 1);
    *removal = (Removal){ call, virfs_object_ref (image), copies_of (image) };
    remove_next (removal);
  }
}

/* Renaming. */

typedef struct {
  VirfsCall *call;
  VirfsInfra *infra;
  char *from, *to; /* paths */
  char *name;
  VirfsImageInfo *info; /* as it was known */
  VirfsPart *volume;    /* as it was called */
} Renaming;

/* What was known of it goes with it; the name was another's before. */
static void
carry_over (Renaming *renaming)
{
  g_autoptr (VirfsImage) image = virfs_infra_image (renaming->infra, renaming->name);
  g_autoptr (GError) error = NULL;
  VirfsOwner owner;
  gboolean given = virfs_infra_owner_at (renaming->infra, renaming->from, &owner);

  virfs_volume_forget_notes (renaming->volume);
  virfs_image_volume_gone (renaming->volume);
  virfs_infra_disown (renaming->infra, renaming->from);
  virfs_infra_disown (renaming->infra, renaming->to);
  if (image == NULL)
    return;
  virfs_image_note_sum (image, renaming->info->sha256);
  virfs_image_note_os (image, renaming->info->os);
  if (given && !virfs_infra_give (renaming->infra, image, renaming->to, &owner, &error))
    g_warning ("%s: its owner is not kept: %s", renaming->to, error->message);
}

static void
renamed (VirfsJob *job, const GError *error, gpointer data)
{
  Renaming *renaming = data;

  if (error == NULL)
    carry_over (renaming);
  virfs_call_finish (renaming->call, error);
  g_free (renaming->from);
  g_free (renaming->to);
  g_free (renaming->name);
  virfs_image_info_unref (renaming->info);
  virfs_object_unref (renaming->volume);
  g_free (renaming);
}

static void
begin_rename (VirfsCall *call, VirfsImage *image, VirfsPart *volume, const char *name)
{
  Renaming *renaming = g_new (Renaming, 1);
  g_autoptr (VirfsJob) job = NULL;

  *renaming = (Renaming){ call,
                          image->object.infra,
                          virfs_object_path (image),
                          g_strdup_printf ("images/%s", name),
                          g_strdup (name),
                          virfs_image_info (image),
                          virfs_object_ref (volume) };
  job = virfs_call_job_then (call, "rename image", image, (VirfsHost *) virfs_part_root (volume),
                             renamed, renaming);
  virfs_infra_backend (image->object.infra)->volume_rename (volume, name, job);
}

/* Whether IMAGE, that is to be replaced, is in the pool of VOLUME alone; else mv(1) copies. */
static gboolean
is_beside (VirfsImage *image, VirfsPart *volume)
{
  g_autoptr (GPtrArray) copies = copies_of (image);
  g_autoptr (VirfsPart) there = virfs_image_on_host (image, (VirfsHost *) virfs_part_root (volume));

  return copies->len == 1 && there != NULL && there->owner == volume->owner;
}

static gboolean
check_target (VirfsCall *call, VirfsPart *volume, const char *name)
{
  g_autoptr (VirfsImage) image = virfs_infra_image (volume->object.infra, name);
  g_autoptr (GError) error = NULL;

  if (*name == '.')
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a name that begins with a dot is that of an image that is not published yet");
  else if (!virfs_image_check_name (name, &error))
    ;
  else if (image == NULL)
    return TRUE;
  else if (!virfs_access_check (call, image, VIRFS_MAY_WRITE, &error))
    ;
  else if (is_beside (image, volume))
    return check_idle (call, image, "be replaced");
  else
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_CROSS,
                 "the image %s is not where this one is: it can be copied there", name);
  virfs_call_finish (call, error);
  return FALSE;
}

static void
move (VirfsCall *call, const VirfsNode *dir, const char *name, const VirfsNode *to,
      const char *new_name)
{
  g_autoptr (VirfsImage) image = get_image (call, dir, name);
  g_autoptr (VirfsUpload) upload = image ? unpublished (image) : NULL;
  g_autoptr (GPtrArray) copies = image ? copies_of (image) : NULL;

  if (image == NULL)
    return;
  if (to->row != dir->row || to->object != dir->object)
    virfs_call_fail (call, VIRFS_ERROR_CROSS, "an image can only be copied to there");
  else if (upload != NULL)
    virfs_upload_rename (upload, new_name, finish, call);
  else if (!check_idle (call, image, "be renamed"))
    ;
  else if (copies->len != 1)
    virfs_call_fail (call, VIRFS_ERROR_CROSS,
                     "the image %s is on several hosts: it can be copied, and removed then", name);
  else if (check_target (call, copies->pdata[0], new_name))
    begin_rename (call, image, copies->pdata[0], new_name);
}

const VirfsDir virfs_images_dir = {
  .list = list,
  .find = find,
  .create = virfs_image_create,
  .unlink = unlink_image,
  .move = move,
};
