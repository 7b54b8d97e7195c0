#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Hosts that hang, die and come back, and a program that is killed.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 3
guest w1 h1 --wait &
guest w2 h2 --wait &
wait
tiny deaf h2
tiny far h3
# libvirtd 9.0 may crash when it is stopped and goes on with clients gone; who samples it makes that likely.
mount_tree history=0

walks() { # the whole tree, and nobody waits for a host
  timeout 3 ls -lR . >/dev/null && timeout 3 grep -r . vms hosts by >/dev/null && timeout 3 find . >/dev/null
}

unreachable() { reads "hosts/$1/state" unreachable; }
up() { reads "hosts/$1/state" up; }

# --- A host that hangs ---------------------------------------------------------------------------

echo running >vms/deaf/state
kill -STOP "$(lab pid h2)"
ok 'a host hangs: the tree can be walked at once' walks
ok 'other hosts are not concerned' '
  timeout 4 bash -c "echo paused > vms/w1/state && echo running > vms/w1/state" && says h1 w1 running'
no 'a write to it fails within seconds' EHOSTDOWN 'timeout 10 bash -c "echo paused > vms/w2/state"'
ok 'it is known to be unreachable' '
  unreachable h2 && tells hosts/h2/error "no sign of life" && up h1 && up h3'
no 'the next write fails at once' EHOSTDOWN 'timeout 3 bash -c "echo paused > vms/w2/state"'
ok 'with a sentence' 'tells vms/w2/error "vms/w2/state uid=0: h2 is not reachable: "'
ok 'its guests show what was last known' '
  reads vms/w2/state running && leads vms/w2/host ../../hosts/h2 && lists hosts/h2/vms w2 deaf
  reads by/host/h2/w2/state running && [[ -s vms/w2/xml ]]'
ok 'nothing of them can be written, and nobody migrates there' '
  [[ $(stat -c %A vms/w2/state) == -r--r----- && $(stat -c %A vms/w1/state) == -rw-r----- ]]
  reads vms/w1/migrate h3 && reads vms/w2/migrate ""'
ok 'the tree can be walked still' walks
lab exec h2 pkill --signal KILL --full guest=deaf,
ok 'a guest dies meanwhile' 'soon "! lab exec h2 pgrep --full guest=deaf," && reads vms/deaf/state running'
kill -CONT "$(lab pid h2)"
ok 'the host goes on: all is true again' '
  eventually 10 "up h2 && reads vms/deaf/state shutoff" && says h2 deaf "shut off"'
ok 'and can be written' 'echo running > vms/w2/state && says h2 w2 running'

kill -STOP "$(lab pid h2)"
kill -CONT "$(lab pid h2)"
ok 'a short pause is none' 'sleep 1.5 && up h2 && echo paused > vms/deaf/state && echo destroy > vms/deaf/ctl'

# --- Libvirtd dies -------------------------------------------------------------------------------

lab kill h2
ok 'libvirtd is killed: its host is unreachable at once' 'soon "unreachable h2"'
ok 'its guests run on, as far as is known' 'reads vms/w2/state running && walks'
no 'they cannot be written' EHOSTDOWN 'echo paused > vms/w2/state'
lab start h2
ok 'it is started again' 'eventually 10 "up h2" && reads vms/w2/state running && says h2 w2 running'

# --- A host dies ---------------------------------------------------------------------------------

echo running >vms/deaf/state
begin shutoff vms/deaf/state
ok 'somebody waits for a guest' 'soon running_job && says h2 deaf running'
lab crash h2
ok 'the host loses power: who waits is told' 'fails 10 EHOSTDOWN'
ok 'the tree can be walked' 'soon "unreachable h2" && walks'
lab start h2
ok 'it comes back, its guests are off' '
  eventually 10 "up h2" && reads vms/w2/state shutoff && reads vms/deaf/state shutoff && says h2 w2 "shut off"'

on h1 migrate-setspeed w1 1
begin h2 vms/w1/migrate
ok 'a migration to it begins' 'eventually 5 "tells \$(running_job)/eta ^[0-9]"'
lab crash h2
ok 'it loses power again: the migration fails' 'fails 10 EHOSTDOWN'
ok 'the guest stays where it was' '
  eventually 5 "reads vms/w1/state running" && says h1 w1 running && leads vms/w1/host ../../hosts/h1
  eventually 40 "echo paused > vms/w1/state" && echo running > vms/w1/state'
lab start h2
ok 'and nothing of it is there' 'eventually 10 "up h2" && lists hosts/h2/vms w2 deaf && unknown_to h2 w1'

begin h3 vms/w1/migrate
ok 'another migration begins' 'eventually 5 "tells \$(running_job)/eta ^[0-9]"'
lab kill h1
ok 'the libvirtd that it leaves is killed: it fails' 'fails 10 EHOSTDOWN'
lab start h1
ok 'the guest is found running' '
  eventually 20 "up h1 && says h1 w1 running && reads vms/w1/state running" && leads vms/w1/host ../../hosts/h1'
ok 'only there' 'eventually 10 "unknown_to h3 w1" && soon "lists hosts/h3/vms far"'
ok 'and can be used' 'echo paused > vms/w1/state && echo running > vms/w1/state && says h1 w1 running'

# --- Hosts come and go ---------------------------------------------------------------------------

uri=$(cat hosts/h3/uri)
ok 'a host is forgotten, its guest runs on' '
  echo running > vms/far/state
  rmdir hosts/h3 && lists hosts h1 h2 && gone vms/far && gone by/host/h3 && says h3 far running'
ok 'it is added under another name' '
  mkdir hosts/third && reads hosts/third/state unconfigured && reads hosts/third/uri ""
  echo "$uri" > hosts/third/uri && up third && reads hosts/third/hostname h3'
ok 'its guest is there with that' '
  reads vms/far/state running && leads vms/far/host ../../hosts/third && echo destroy > vms/far/ctl'
no 'a host that there is' EEXIST 'mkdir hosts/third'
no 'a name that is none' EINVAL 'mkdir "hosts/a~b"'
no 'a URI that is none' EINVAL 'mkdir hosts/wrong && echo nonsense > hosts/wrong/uri'
no 'a URI where nobody answers' EHOSTDOWN 'echo "qemu+tcp://localhost:1/system" > hosts/wrong/uri'
ok 'it says why, is tried again, and can be forgotten' '
  reads hosts/wrong/state connecting && tells hosts/wrong/error "localhost:1" && rmdir hosts/wrong && gone hosts/wrong'
no 'what a host consists of stays' EPERM 'rmdir hosts/h1/vms'
echo running >vms/deaf/state
begin shutoff vms/deaf/state
soon running_job >/dev/null
no 'a host on which something is done' EBUSY 'rmdir hosts/h2'
echo destroy >vms/deaf/ctl
ok 'the one that waited has what it wanted' 'ends 5 && reads vms/deaf/state shutoff && up h2'

# --- Another one who mounts them -----------------------------------------------------------------

mkdir "$scratch/second"
sed 's/^store=.*/store=none/' "$scratch/conf" >"$scratch/second.conf"
ok 'a second virfs, in the background, is complete when it returns' '
  "$virfs" -c "$scratch/second.conf" "$scratch/second"
  lists "$scratch/second/hosts" h1 h2 h3 && reads "$scratch/second/vms/w1/state" running'
ok 'what is done in one shows in the other at once' '
  echo paused > vms/w1/state && soon "reads $scratch/second/vms/w1/state paused"
  echo running > "$scratch/second/vms/w1/state" && soon "reads vms/w1/state running"'
ok 'it ends when it is unmounted' '
  fusermount3 -u "$scratch/second" && eventually 10 "! pgrep --full $scratch/second"'

# --- The program dies ----------------------------------------------------------------------------

rmdir hosts/third && mkdir hosts/h3 && echo "$uri" >hosts/h3/uri # as the configuration has it
echo running >vms/w2/state
ids=$(cat vms/w[12]/id) inodes=$(stat -c '%n %i' vms/* vms/*/state hosts/h1 hosts/h2)
cd /
kill -9 "$(pid)"
wait "$(pid)" 2>/dev/null
ok 'virfs is killed: its guests are not' 'says h1 w1 running && says h2 w2 running'
ok 'the mount that it left can be unmounted' 'umount "$scratch/mnt"'
start_program
ok 'another one shows the same' '
  [[ $(cat vms/w[12]/id) == "$ids" ]] && reads vms/w1/state running && reads vms/w2/state running
  diff <(echo "$inodes") <(stat -c "%n %i" vms/* vms/*/state hosts/h1 hosts/h2)'
echo running >vms/deaf/state
begin shutoff vms/deaf/state
soon running_job >/dev/null
cd /
kill -TERM "$(pid)"
ok 'SIGTERM while somebody waits: he is told' 'fails 10 EINTR'
wait "$(pid)"
status=$?
ok 'the program ends well and is unmounted' '((status == 0)) && ! mounted'
start_program
ok 'the guests run on' 'reads vms/deaf/state running && reads vms/w1/state running && echo destroy > vms/deaf/ctl'

no 'nobody can unmount it while it is used' EBUSY 'umount "$scratch/mnt"'
finish
