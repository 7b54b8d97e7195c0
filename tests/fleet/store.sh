#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# What outlives the program: hosts made with mkdir, what was last known of the guests of a host that is
# down, events and jobs.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 sqlite3
guest w1 h1 --wait
tiny idle h1
tiny far h2
uri=$(lab conf | sed -n '/host h2/,$s/^uri *= *//p')
lab() { # h2 is not in the configuration: it is made with mkdir
  if [[ $1 == conf ]]; then "$top/examples/lab" conf | sed '/host h2/,$d'; else "$top/examples/lab" "$@"; fi
}
mount_tree connect_timeout=1

stored() { sqlite3 "$scratch/store/virfs.db" "$1"; } # when nobody has it open

# --- Hosts ---------------------------------------------------------------------------------------

ok 'a host is made' '
  lists hosts h1 && mkdir hosts/made && echo "$uri" > hosts/made/uri && reads hosts/made/state up
  reads vms/far/state shutoff && mkdir hosts/bare'
ok 'and one that goes again' 'mkdir hosts/wrong && rmdir hosts/wrong'
dies
ok 'virfs is killed: the next one has them, and that has not' '
  lists hosts bare h1 made && reads hosts/made/uri "$uri" && eventually 10 "reads hosts/made/state up"
  reads hosts/bare/state unconfigured && soon "reads vms/far/state shutoff"'
ok 'their guests can be written' 'echo running > vms/far/state && says h2 far running'
ok 'who may read the store' '
  [[ $(stat -c %a "$scratch/store") == 700 && $(stat -c %a "$scratch/store/virfs.db") == 600 ]]'

# --- Another one with the same store -------------------------------------------------------------

mkdir "$scratch/second"
ok 'a second virfs does not start with it, and says why' '
  ! "$virfs" -f -c "$scratch/conf" "$scratch/second" 2> "$scratch/refusal"
  tells "$scratch/refusal" "another virfs uses it"'

# --- Events and jobs -----------------------------------------------------------------------------

ok 'something is done' 'echo paused > vms/w1/state && echo running > vms/w1/state'
last=$(basename "$(ls -dv jobs/* | tail -n 1)")
lines=$(cat events/log)
started=$(cat "jobs/$last/started")
cd / && umount "$scratch/mnt" && wait "$(pid)"
start_program
ok 'the log goes on' '[[ $(<events/log) == "$lines"* ]] && (($(wc -l <events/log) > $(wc -l <<<"$lines")))'
ok 'the jobs are there' 'reads "jobs/$last/state" done && reads "jobs/$last/started" "$started"'
ok 'no number is used twice' '
  echo paused > vms/w1/state && echo running > vms/w1/state
  [[ $(basename "$(ls -dv jobs/* | tail -n 1)") == $((last + 2)) ]]'

echo running >vms/idle/state
begin shutoff vms/idle/state
job=$(eventually 3 running_job >/dev/null; running_job)
ok 'what runs is in the store soon' 'soon "grep -aqF \"bring to shutoff\" $scratch/store/virfs.db-wal"'
dies
ok 'what ran when virfs was killed has failed, and says so' '
  reads "$job/state" failed && tells "$job/error" "virfs was ended while this ran"
  tells events/log "vms/idle failed job=${job#jobs/} uid=0 operation=.bring to shutoff. reason=.virfs was ended"'
ok 'later numbers are larger' '
  echo destroy > vms/idle/ctl && (($(basename "$(ls -dv jobs/* | tail -n 1)") > ${job#jobs/}))'

# --- A host that is down -------------------------------------------------------------------------

xml=$(cat vms/w1/xml) inactive=$(cat vms/w1/xml_inactive) uuid=$(cat vms/w1/uuid)
inodes=$(stat -c '%n %i' vms/* vms/*/state)
cd / && umount "$scratch/mnt" && wait "$(pid)"
lab kill h1
start_program
ok 'libvirtd is down when virfs starts: its host is unreachable' '
  eventually 10 "reads hosts/h1/state unreachable" && tells hosts/h1/error .'
ok 'its guests are shown as they were last known' '
  reads vms/w1/state running && [[ $(<vms/w1/xml) == "$xml" && $(<vms/w1/xml_inactive) == "$inactive" ]]
  reads vms/w1/uuid "$uuid" && leads vms/w1/host ../../hosts/h1 && lists hosts/h1/vms idle w1
  reads vms/idle/state shutoff && diff <(echo "$inodes") <(stat -c "%n %i" vms/* vms/*/state)'
ok 'the tree can be walked' 'timeout 3 ls -lR . >/dev/null && timeout 3 grep -r . vms hosts by >/dev/null'
no 'they cannot be written' EHOSTDOWN 'timeout 3 bash -c "echo paused > vms/w1/state"'
ok 'others can' 'echo paused > vms/far/state && echo running > vms/far/state'
dies
ok 'so it is after the next start' 'reads vms/w1/state running && [[ $(<vms/w1/xml) == "$xml" ]]'
lab start h1
on h1 undefine idle
on h1 desc w1 --live --config --title 'another title' >/dev/null
ok 'the host comes back: the truth' '
  eventually 20 "reads hosts/h1/state up" && soon "gone vms/idle" && soon "reads vms/w1/title \"another title\""
  tells events/log "vms/idle removed"'
ok 'and can be written' 'echo paused > vms/w1/state && echo running > vms/w1/state && says h1 w1 running'

# --- The store is lost ---------------------------------------------------------------------------

cd / && umount "$scratch/mnt" && wait "$(pid)"
ok 'what is in it' '
  [[ $(stored "SELECT key FROM records WHERE kind = \"host\" ORDER BY key" | paste -sd " ") == "bare made" ]]
  [[ $(stored "SELECT count(*) FROM guests") == 2 ]]'
rm -r "$scratch/store"
start_program
ok 'the store is deleted: the guests of the configuration are the same' '
  lists hosts h1 && lists vms w1 && reads vms/w1/state running && reads vms/w1/uuid "$uuid"
  reads vms/w1/title "another title"'
ok 'what was made is made again' '
  mkdir hosts/made && echo "$uri" > hosts/made/uri && lists vms far w1 && reads vms/far/state running'
cd / && umount "$scratch/mnt" && wait "$(pid)"
head -c 100000 /dev/urandom >"$scratch/store/virfs.db"
announce 'virfs: warning: .*virfs.db is broken '
start_program
ok 'the store is broken: it is set aside' '
  lists hosts h1 && reads vms/w1/state running && compgen -G "$scratch/store/virfs.db.broken-*"'

finish
