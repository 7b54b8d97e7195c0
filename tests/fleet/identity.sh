#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# A host whose libvirtd asks polkit what each user may: with identity=caller it hears who that is. polkit
# looks at processes, so virfs runs on the host itself.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

PATH=$PATH:/usr/lib/polkit-1
fleet 1 dbus-daemon polkitd setpriv
tiny his h1
tiny other h1

# polkit itself lets root do anything.
rules() {
  cat <<'EOF'
polkit.addRule(function(action, subject) {
  var granted = subject.user == "nobody" && action.lookup("domain_name") == "his";
  return granted || action.id == "org.libvirt.api.connect.getattr" ? polkit.Result.YES : polkit.Result.NO;
});
EOF
}

as() { # USER COMMANDS, in the mount
  lab exec h1 setpriv --reuid "$1" --regid "$1" --clear-groups bash -c "cd /run/vi && $2"
}

chmod 711 "$scratch"
mkdir "$scratch/rules"
rules >"$scratch/rules/10-test.rules"
printf '%s\n' '[virfs]' store=none poll_interval=2 '[host h1]' 'uri=qemu:///system?identity=caller' >"$scratch/conf"
echo 'access_drivers = ["polkit"]' >>"$VIRFS_LAB/h1/etc/libvirtd.conf"
lab kill h1
lab exec h1 bash -c '
  mount --bind "$1" /etc/polkit-1/rules.d && mkdir /run/dbus /run/vi && dbus-daemon --system --fork --nopidfile
  libvirtd --daemon --pid-file /run/libvirt/libvirtd.pid' bash "$scratch/rules"
lab exec h1 polkitd --no-debug >"$scratch/polkitd" 2>&1 &
if ! eventually 20 'lab exec h1 virsh --quiet list'; then
  echo 'Bail out! polkit lets root do nothing'
  diagnose "$(<"$scratch/polkitd")"
  exit 1
fi
lab exec h1 "$virfs" -f -c "$scratch/conf" -o allow_other /run/vi 2>"$scratch/log" &
echo $! >"$scratch/pid"
eventually 20 'as 0 "grep -qx up hosts/h1/state"'

ok 'the tree lets all of them use both guests' '
  as 0 "chmod 777 vms/his vms/other" && as 0 "stat -c %a vms/his/state | grep -qx 666"'
ok 'root does' 'as 0 "echo running > vms/other/state && grep -qx running vms/other/state"'
ok 'who is given a guest by a rule uses it' '
  as 65534 "echo running > vms/his/state && grep -qx running vms/his/state && echo 1 > vms/his/autostart"
  as 65534 "echo paused > vms/his/state && grep -qx paused vms/his/state"'
no 'and no other' EACCES 'as 65534 "echo paused > vms/other/state"'
ok 'the sentence is the host'\''s' 'as 0 "grep -q \"uid=65534: cannot find other on h1: access denied\" vms/other/error"'
no 'nobody else uses it' EACCES 'as 1 "echo running > vms/his/state"'
ok 'nothing of that has happened' '
  as 0 "grep -qx paused vms/his/state && grep -qx running vms/other/state"'
# Each of several at once is himself, whatever connections are spare.
ok 'so it is for many at once' '
  for i in {1..6}; do
    as 65534 "echo h$i > vms/his/title" & all+=($!)
    as 0 "echo o$i > vms/other/title" & all+=($!)
    as 65534 "! echo wrong > vms/other/title" 2>/dev/null & all+=($!)
    as 1 "! echo wrong > vms/his/title" 2>/dev/null & all+=($!)
  done
  for one in "${all[@]}"; do wait "$one"; done
  as 0 "grep -qx \"h[1-6]\" vms/his/title && grep -qx \"o[1-6]\" vms/other/title"'

ok 'unmounts' 'lab exec h1 umount /run/vi'
wait "$(pid)"
tell $? 'the program ends well' "$(<"$scratch/log")"
output=$(surprises)
[[ -z $output ]]
tell $? 'its log holds no warning that was not announced' "$output"
clean
ok 'nothing is left behind' nothing_left
echo "1..$steps"
((failures == 0))
