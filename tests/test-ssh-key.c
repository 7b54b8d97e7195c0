/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Public keys: those that ssh-keygen has made, with what it says of them, and what is none. */
#include "ssh_key.h"

#include <glib.h>

#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAIL3EJSdhr939OownPfdfOdLoMOrUBZX3d7YA4V/Ncqt4"
#define ECDSA                                                                                      \
  "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBK8GWBav4hdheBs/wQamAlX/xfj/N9hWS224Sxyk"      \
  "zC+7/RLqyJ7nZGkFwAnnm6iRfz1TrInUzJ/3ZBq1y5JJh7w="
#define RSA                                                                                        \
  "AAAAB3NzaC1yc2EAAAADAQABAAABAQC3EpAX/HEmCuOSMug1Zcitz0dUZj3EdLVKMKy7tJ6X23h9OeymcqR6RLKRpxft"      \
  "XIRV5mild+HlJPs/9lJzGmN94uTK3+skFCyGQEPw3BleBPvHPOOFh7HkKSJbNHM3Mw6T+Ys+QlQSY22rmU5hgiI6LJfPcxbC"  \
  "C5Zieislv+zIuXQFaeZm5Ve2k3qLaPeP23H//QMC/NSlR6uJej2LXBUEPdQ8RNP06GYCSsCvXZ6DMBnMLlzHfBAIK5Qnk37S"  \
  "upCCyBqSpYtAffuFEOezrucdnSPlHfHFPzybw3eh7J/o7ZVGUc8ZbObVTuMOrsuBta6CE8WDZfedwODmlDatLYo5"

static void
assert_is (const char *line, const char *is)
{
  g_autofree char *found = virfs_ssh_key_describe (line);

  g_assert_cmpstr (found, ==, is);
}

static void
test_keys (void)
{
  assert_is ("ssh-ed25519 " ED25519 " me@home",
             "SHA256:/FDeGHaHI4RlbhqboBrJnxNPHQ2+JTuJ5fSRCVg94PA me@home");
  assert_is ("ecdsa-sha2-nistp256 " ECDSA " two words",
             "SHA256:PSl3rrB5GmP442SqeFh9HsoxLjFc+slsCwkP7EBrRZo two words");
  assert_is ("ssh-rsa " RSA, "SHA256:7jUKdOwSN3FtoTDk8R7uvfCuq5qF6DwPrYCqMlyADpg");
  assert_is ("ssh-ed25519 " ED25519 " \033[1m",
             "SHA256:/FDeGHaHI4RlbhqboBrJnxNPHQ2+JTuJ5fSRCVg94PA \\x1b[1m");
}

static void
test_options (void)
{
  assert_is ("no-pty,command=\"echo \\\"a b\\\" \" ssh-ed25519\t" ED25519,
             "SHA256:/FDeGHaHI4RlbhqboBrJnxNPHQ2+JTuJ5fSRCVg94PA");
  assert_is ("command=\"echo ssh-ed25519 " ED25519, NULL);
  assert_is ("no-pty no-pty ssh-ed25519 " ED25519, NULL);
}

static void
test_others (void)
{
  assert_is ("", NULL);
  assert_is ("nonsense", NULL);
  assert_is ("ssh-ed25519", NULL);
  assert_is ("ssh-ed25519 ", NULL);
  assert_is ("ssh-ed25519 AAAA", NULL);
  assert_is ("# ssh-ed25519 " ED25519, NULL);
  assert_is ("ssh-ed25519 " ED25519 "=", NULL);
  assert_is ("ssh-ed25519 -" ED25519, NULL);
  assert_is ("ssh-rsa " ED25519, NULL);
  assert_is ("ssh-ed448 " ED25519, NULL);
  assert_is ("-----BEGIN OPENSSH PRIVATE KEY-----", NULL);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ssh-key/keys", test_keys);
  g_test_add_func ("/ssh-key/options", test_options);
  g_test_add_func ("/ssh-key/others", test_others);
  return g_test_run ();
}
