/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pinning of vCPUs as text. */
#include "pins.h"

#include "cpuset.h"
#include "error.h"

/* The cpuset of LINE in its shortest form, the vCPU's number in *VCPU. */
static char *
parse_line (const char *line, guint64 *vcpu)
{
  g_auto (GStrv) words = g_strsplit_set (line, " \t", 2);
  g_autoptr (GByteArray) set = NULL;

  if (g_strv_length (words) != 2
      || !g_ascii_string_to_unsigned (words[0], 10, 0, VIRFS_CPUSET_MOST, vcpu, NULL))
    return NULL;
  set = virfs_cpuset_parse (g_strchug (words[1]), NULL);
  return set && set->len ? virfs_cpuset_print (set) : NULL;
}

static gboolean
read_line (const char *line, GPtrArray *each, GError **error)
{
  guint64 vcpu = 0;
  char *cpuset = parse_line (line, &vcpu);

  if (cpuset == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "lines of a vCPU and CPUs of the host are wanted, as in \"0 0-3,8\"");
    return FALSE;
  }
  if (vcpu >= each->len) {
    g_free (cpuset);
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "there is no vCPU %" G_GUINT64_FORMAT "; the guest can have %u (vcpus_max)", vcpu,
                 each->len);
    return FALSE;
  }
  g_free (each->pdata[vcpu]);
  each->pdata[vcpu] = cpuset;
  return TRUE;
}

static GPtrArray *
new_pins (guint vcpus)
{
  GPtrArray *each = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_set_size (each, (gint) vcpus);
  return each;
}

char *
virfs_pins_parse (const char *text, guint vcpus, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) each = new_pins (vcpus);

  for (char **line = lines; *line; line++)
    if (*g_strstrip (*line) != '\0' && !read_line (*line, each, error))
      return NULL;
  return virfs_pins_join (each);
}

char *
virfs_pins_all (const char *cpuset, guint vcpus)
{
  g_autoptr (GPtrArray) each = new_pins (vcpus);

  for (guint i = 0; *cpuset && i < vcpus; i++)
    each->pdata[i] = g_strdup (cpuset);
  return virfs_pins_join (each);
}

char *
virfs_pins_cpuset (const char *pins, guint vcpus)
{
  g_autoptr (GPtrArray) each = virfs_pins_split (pins, vcpus);
  g_autoptr (GByteArray) all = g_byte_array_new ();

  for (guint i = 0; i < each->len; i++) {
    g_autoptr (GByteArray) set = NULL;

    if (each->pdata[i] == NULL)
      return g_strdup ("");
    set = virfs_cpuset_parse (each->pdata[i], NULL);
    virfs_cpuset_add (all, set);
  }
  return virfs_cpuset_print (all);
}

char *
virfs_pins_forget (const char *pins, const char *next, guint vcpus, const GByteArray *all)
{
  g_autoptr (GPtrArray) each = virfs_pins_split (pins, vcpus);
  g_autoptr (GPtrArray) later = virfs_pins_split (next, vcpus);

  for (guint i = 0; i < each->len; i++)
    if (later->pdata[i] == NULL && virfs_cpuset_text_covers (each->pdata[i], all))
      g_clear_pointer (&each->pdata[i], g_free);
  return virfs_pins_join (each);
}

GPtrArray *
virfs_pins_split (const char *pins, guint vcpus)
{
  g_auto (GStrv) lines = g_strsplit (pins ? pins : "", "\n", -1);
  GPtrArray *each = new_pins (vcpus);

  for (char **line = lines; *line; line++)
    read_line (*line, each, NULL);
  return each;
}

char *
virfs_pins_join (const GPtrArray *each)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < each->len; i++)
    if (each->pdata[i] != NULL)
      g_string_append_printf (text, "%s%u %s", text->len ? "\n" : "", i, (char *) each->pdata[i]);
  return g_string_free (text, FALSE);
}
