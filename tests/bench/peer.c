/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As little of libvirt as can be: what virfs is measured beside where libvirt does the work.
 *
 *   peer read URI           connects, lists the guests, gets the XML of each, ends
 *   peer hold URI [GUESTS]  connects, defines GUESTS, prints a line, and keeps the connection
 *   peer states URI         asks the state of each guest, one call each, ends
 *   peer bulk URI           asks the states of all guests with one call, ends
 *   peer mirror URI DIR     keeps DIR/vms/GUEST/state as the events say, prints a line when it does
 */
#include <glib.h>
#include <libvirt/libvirt.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static virDomainPtr *
list (virConnectPtr conn, int *n)
{
  virDomainPtr *domains;

  *n = virConnectListAllDomains (conn, &domains, 0);
  if (*n < 0)
    exit (EXIT_FAILURE);
  return domains;
}

static void
read_all (virConnectPtr conn, const char *unused)
{
  int n;
  virDomainPtr *domains = list (conn, &n);

  for (int i = 0; i < n; i++) {
    free (virDomainGetXMLDesc (domains[i], 0));
    virDomainFree (domains[i]);
  }
  free (domains);
}

static void
define (virConnectPtr conn, guint number)
{
  g_autofree char *xml
    = g_strdup_printf ("<domain type='test'><name>guest-%05u</name><memory unit='MiB'>512</memory>"
                       "<vcpu>2</vcpu><os><type>hvm</type></os></domain>",
                       number);
  virDomainPtr domain = virDomainDefineXML (conn, xml);

  if (domain == NULL)
    exit (EXIT_FAILURE);
  virDomainFree (domain);
}

static void
hold (virConnectPtr conn, const char *guests)
{
  for (guint i = 1; guests != NULL && i <= strtoul (guests, NULL, 10); i++)
    define (conn, i);
  /* what is counted is what stays */
  malloc_trim (0);
  g_print ("ready\n");
  pause ();
}

static void
ask_states (virConnectPtr conn, const char *unused)
{
  int n, state;
  virDomainPtr *domains = list (conn, &n);

  for (int i = 0; i < n; i++) {
    virDomainGetState (domains[i], &state, NULL, 0);
    virDomainFree (domains[i]);
  }
  free (domains);
}

static void
ask_bulk (virConnectPtr conn, const char *unused)
{
  virDomainStatsRecordPtr *records;

  if (virConnectGetAllDomainStats (conn, VIR_DOMAIN_STATS_STATE, &records, 0) < 0)
    exit (EXIT_FAILURE);
  virDomainStatsRecordListFree (records);
}

/* The mirror: the least that shows states as files. */

static void
show (const char *dir, const char *name, const char *state)
{
  g_autofree char *guest = g_build_filename (dir, "vms", name, NULL);
  g_autofree char *file = g_build_filename (guest, "state", NULL);

  if (state != NULL) {
    g_mkdir_with_parents (guest, 0700);
    g_file_set_contents_full (file, state, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
  } else {
    unlink (file);
    rmdir (guest);
  }
}

static int
on_event (virConnectPtr conn, virDomainPtr domain, int event, int detail, void *dir)
{
  static const char *const states[] = {
    [VIR_DOMAIN_EVENT_DEFINED] = "shutoff",  [VIR_DOMAIN_EVENT_STARTED] = "running",
    [VIR_DOMAIN_EVENT_SUSPENDED] = "paused", [VIR_DOMAIN_EVENT_RESUMED] = "running",
    [VIR_DOMAIN_EVENT_STOPPED] = "shutoff",  [VIR_DOMAIN_EVENT_CRASHED] = NULL,
  };

  if (event < (int) G_N_ELEMENTS (states))
    show (dir, virDomainGetName (domain), states[event]);
  return 0;
}

static void
mirror (virConnectPtr conn, const char *dir)
{
  int n;
  virDomainPtr *domains;

  if (virConnectDomainEventRegisterAny (conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                        VIR_DOMAIN_EVENT_CALLBACK (on_event), (void *) dir, NULL)
      < 0)
    exit (EXIT_FAILURE);
  domains = list (conn, &n);
  for (int i = 0; i < n; i++) {
    show (dir, virDomainGetName (domains[i]),
          virDomainIsActive (domains[i]) > 0 ? "running" : "shutoff");
    virDomainFree (domains[i]);
  }
  free (domains);
  g_print ("ready\n");
  for (;;)
    virEventRunDefaultImpl ();
}

static const struct {
  const char *name;
  void (*run) (virConnectPtr conn, const char *argument);
} kinds[] = {
  { "read", read_all }, { "hold", hold },     { "states", ask_states },
  { "bulk", ask_bulk }, { "mirror", mirror },
};

int
main (int argc, char **argv)
{
  virConnectPtr conn;

  virEventRegisterDefaultImpl ();
  conn = argc > 2 ? virConnectOpen (argv[2]) : NULL;
  for (guint i = 0; i < G_N_ELEMENTS (kinds) && conn != NULL; i++)
    if (strcmp (argv[1], kinds[i].name) == 0) {
      kinds[i].run (conn, argv[3]);
      virConnectClose (conn);
      return EXIT_SUCCESS;
    }
  g_printerr ("peer: %s\n", conn ? "see the head of peer.c" : "no connection");
  return EXIT_FAILURE;
}
