/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify.h"

#include "log_verify.h"

static int
tell_fault (const VirfsLogReport *report, const char *directory)
{
  g_printerr (
    "virfs: the log of events in %s is %s\n"
    "What is before that line is as it was written.  Keep a copy of the store before anything"
    " else, and\ncompare it with copies of events/log and of events/head from elsewhere.\n",
    directory, report->fault);
  return VIRFS_VERIFY_BROKEN;
}

int
virfs_verify_log (const VirfsConfig *config, const char *saved)
{
  g_autofree char *usual = virfs_config_default_store ();
  const char *directory = config->store ? config->store : usual;
  g_auto (VirfsLogReport) report = { 0 };
  g_autoptr (GError) error = NULL;

  if (g_str_equal (directory, VIRFS_STORE_NONE)) {
    g_printerr ("virfs: there is no store (store = none), so no log that could be verified\n");
    return VIRFS_VERIFY_UNKNOWN;
  }
  if (!virfs_log_verify (directory, saved, &report, &error)) {
    g_printerr ("virfs: the log of events cannot be verified: %s\n", error->message);
    return g_error_matches (error, VIRFS_ERROR, VIRFS_ERROR_INVALID) ? VIRFS_VERIFY_USAGE
                                                                     : VIRFS_VERIFY_UNKNOWN;
  }
  if (report.fault != NULL)
    return tell_fault (&report, directory);
  if (report.lines == 0)
    g_print ("0 events, chain unbroken, head %s\n", report.head);
  else
    g_print ("%" G_GUINT64_FORMAT " events, from %s to %s, chain unbroken, head %s%s\n",
             report.lines, report.from, report.to, report.head,
             saved ? ", saved head contained" : "");
  return VIRFS_VERIFY_WHOLE;
}
