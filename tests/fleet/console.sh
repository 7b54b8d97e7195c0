#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# The consoles of real guests: what they write, and talking to them.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 socat file
guest w1 h1 --wait
mount_tree

c=vms/w1/console
heard() { grep -qx -- "$1" <(tr -d '\r' <"$scratch/heard") || { echo "not heard: $1; but $(tail -n 3 "$scratch/heard")"; return 1; }; }
written() { sed -n 's/^tick //p' "$1"; } # FILE: the ticks in it
talk() { # in the background: what is said goes to heard, what is written to fd 7 is sent
  rm -f "$scratch/say" && mkfifo "$scratch/say"
  socat -t 1 - "$c/tty" <"$scratch/say" >"$scratch/heard" 2>"$scratch/socat" &
  talker=$!
  exec 7>"$scratch/say"
}
hang_up() { exec 7>&-; }

# --- Recording -----------------------------------------------------------------------------------

ok 'nothing is recorded of its own accord' 'reads $c/record 0 && reads $c/state closed && reads $c/log ""'
ok 'its ticks are, when somebody wants it' '
  echo 1 >$c/record && reads $c/record 1 && eventually 10 "reads $c/state open" && eventually 30 "tells $c/log ^tick"'
ok 'a size is that of what is read, and a walk reads it' '
  cp $c/log "$scratch/copy" && grep -q "^tick" "$scratch/copy" && tar cf - vms/w1 | tar tf - | grep -q console/log'
tail -n +1 -f -s 0.1 $c/log >"$scratch/one" & one=$!
tail -n +1 -f -s 0.1 $c/log >"$scratch/other" & other=$!
ok 'who follows it hears each tick, and so does another' '
  n=$(last_tick h1 w1); eventually 30 "grep -qx \"tick $((n + 3))\" $scratch/one && grep -qx \"tick $((n + 3))\" $scratch/other"
  first=$(written "$scratch/one" | head -n 1)
  for file in one other; do
    seq "$first" $((n + 3)) | diff - <(written "$scratch/$file" | head -n $((n + 4 - first)))
  done'
kill $one $other
no 'virsh is told that somebody has it' EBUSY '
  script -qec "$(declare -f on); VIRFS_LAB=$VIRFS_LAB on h1 console w1" /dev/null </dev/null | sed "s/.*Active console.*/busy/" >&2; false'

# --- Talking -------------------------------------------------------------------------------------

talk
ok 'a command and its answer' 'echo "echo \$((6 * 7))" >&7 && eventually 30 "heard 42"'
ok 'several hear the same' '
  timeout 30 cat $c/tty >"$scratch/third" & sleep 0.5; echo "echo shared" >&7
  eventually 30 "heard shared" && eventually 10 "grep -qx shared <(tr -d \"\\r\" <\"$scratch/third\")"; kill $!'
ok 'a shell writes to it' 'echo "echo from a shell" >$c/tty && eventually 30 "heard \"from a shell\""'
ok 'it is in the log, but not in the trail' 'tells $c/log "^from a shell" && ! grep -rq "from a shell" events/log jobs vms/w1/error && grep -q "console/tty open uid=0" events/log'
ok 'who waits is let go by a signal' '! timeout --signal INT 1 dd if=$c/tty bs=1 count=1000000 of=/dev/null 2>/dev/null'
ok 'it moves, and they go on' '
  echo h2 >vms/w1/migrate && eventually 20 "reads $c/state open" && echo "echo moved on" >$c/tty && eventually 30 "heard \"moved on\""
  echo "echo still here" >&7 && eventually 30 "heard \"still here\"" && n=$(last_tick h2 w1) && eventually 30 "grep -qx \"tick $((n + 2))\" $c/log"'
ok 'somebody else takes it' '
  timeout 5 script -qec "$(declare -f on); VIRFS_LAB=$VIRFS_LAB on h2 console w1 --force" /dev/null < <(sleep 20) >"$scratch/virsh" || :; eventually 10 "tells $scratch/virsh ^tick"'
ok 'then who talks is told, and it is recorded again when it is free' '
  eventually 10 "! kill -0 $talker 2>/dev/null" && eventually 20 "reads $c/state open"'
hang_up
talk
ok 'it ends when the guest stops' 'echo "echo again" >&7 && eventually 30 "heard again" && echo destroy >vms/w1/ctl && eventually 10 "! kill -0 $talker 2>/dev/null" && reads $c/state closed'
hang_up
no 'there is nobody to talk to' EBUSY 'timeout 5 cat $c/tty'
ok 'it is recorded from the next start on' '
  n=$(stat -c %s $c/log) && echo running >vms/w1/state && eventually 10 "reads $c/state open" && eventually 60 "[[ \$(stat -c %s $c/log) -gt $n ]]"'
dies
ok 'also when virfs was killed' 'eventually 10 "reads $c/state open" && eventually 30 "tells $c/log ^tick"'
talk
lab kill h2
ok 'it ends when the host is lost' 'eventually 30 "! kill -0 $talker 2>/dev/null"'
hang_up
finish
