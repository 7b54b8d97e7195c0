#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# QEMU's agent in a guest: what it says, what it does, and what becomes of all else when it does not answer.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 qemu-ga
guest w2 h2 --agent --disk none
guest w1 h1 --agent --wait
mount_tree freeze_timeout=5 agent_interval=2

g=vms/w1/guest
agent() { on h1 qemu-agent-command w1 "{\"execute\":\"$1\"}" | grep -q "$2"; } # COMMAND ANSWER
run() { echo "$1" >$g/exec/a/command && cat $g/exec/a/stdout; }                # COMMAND LINE
silence() { # ends when the agent on HOST is stopped for SECONDS; the guest's console tells
  echo "sh -c '(sleep 1; kill -STOP \$(pidof qemu-ga); echo silent >/dev/console; sleep $2; kill -CONT \$(pidof qemu-ga)) >/dev/null 2>&1 &'" \
    >$g/exec/a/command && eventually 30 "console $1 w1 | grep -aq silent"
}

# --- What it says --------------------------------------------------------------------------------

ok 'it is asked when it is there' 'eventually 60 "reads $g/agent connected" && eventually 20 "tells $g/asked 20..-"'
ok 'what it says' '
  reads $g/hostname w1 && tells $g/os "^kernel_release [0-9]" && eventually 20 "tells $g/addresses fe80::" && tells $g/clock_offset "^-?[0-9.]+$"'
ok 'a walk asks nobody' 'at=$(<$g/asked); find vms/w1/guest -type f -exec cat {} + >/dev/null'

# --- Commands ------------------------------------------------------------------------------------

ok 'a command' 'mkdir $g/exec/a && run "uname -r" >"$scratch/uname" && grep -q "$(<"$scratch/uname")" $g/os && reads $g/exec/a/status 0'
ok 'its status and its errors' '
  run "sh -c '\''echo out; echo err >&2; exit 3'\''" >"$scratch/out" && reads "$scratch/out" out
  reads $g/exec/a/stderr err && reads $g/exec/a/status 3'
ok 'what it reads' 'seq 1000 >$g/exec/a/stdin && reads <(run "wc -l") 1000 && : >$g/exec/a/stdin'
ok 'many bytes, whatever they are' '
  run "dd if=/dev/zero bs=1000 count=1000" | cmp -n 1000000 - /dev/zero && [[ $(stat -c %s $g/exec/a/stdout) == 1000000 ]]'
no 'a program that there is not' ENOENT 'echo nonsense >$g/exec/a/command'
ok 'several at once' '
  for i in 1 2 3 4 5; do mkdir $g/exec/p$i && { echo "sh -c '\''sleep 1; echo $i'\''" >$g/exec/p$i/command & } done; wait
  for i in 1 2 3 4 5; do reads $g/exec/p$i/stdout $i && rmdir $g/exec/p$i; done'
ok 'who waits is let go by a signal' '
  ! timeout --signal INT 1 bash -c "echo sleep 5 >$g/exec/a/command" && eventually 5 "reads $g/exec/a/state ended"'

# --- Who gets in by SSH --------------------------------------------------------------------------

k=$g/ssh_keys/root
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL3EJSdhr939OownPfdfOdLoMOrUBZX3d7YA4V/Ncqt4 one@home' >"$scratch/one.pub"
echo 'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBK8GWBav4hdheBs/wQamAlX/xfj/N9hWS224SxykzC+7/RLqyJ7nZGkFwAnnm6iRfz1TrInUzJ/3ZBq1y5JJh7w= two@home' >"$scratch/two.pub"
inside() { run 'cat /root/.ssh/authorized_keys'; }
no 'a user that there is not' ENOENT 'mkdir $g/ssh_keys/nobody'
ok 'there are no keys yet' 'mkdir $g/ssh_keys/root && reads $k/keys "" && tells $k/asked 20..-'
ok 'one is added, and another' '
  cat "$scratch/one.pub" >>$k/keys && reads $k/keys "$(<"$scratch/one.pub")" && cat "$scratch/two.pub" >>$k/keys
  cat "$scratch"/{one,two}.pub | diff - $k/keys && inside >"$scratch/out" && diff <(echo "$(<"$scratch/out")") $k/keys'
ok 'the trail tells which' 'grep -q "add SHA256:PSl3rrB5GmP442SqeFh9HsoxLjFc+slsCwkP7EBrRZo two@home" events/log && ! grep -rq AAAA events/log jobs vms/w1/error'
no 'what is no key' EINVAL 'echo "ssh-ed25519 nonsense" >>$k/keys'
ok 'and nothing has changed' 'cat "$scratch"/{one,two}.pub | diff - $k/keys'
run "sh -c 'echo \"$(<"$scratch/one.pub")\" >/root/.ssh/authorized_keys'" >/dev/null
no 'what was changed inside is not undone' EAGAIN 'cat "$scratch/two.pub" >$k/keys'
ok 'but shown, and replaced then' 'diff "$scratch/one.pub" $k/keys && cat "$scratch/two.pub" >$k/keys && inside >"$scratch/out" && reads "$scratch/out" "$(<"$scratch/two.pub")"'
ok 'nobody gets in any more' 'echo >$k/keys && reads $k/keys "" && inside >"$scratch/out" && reads "$scratch/out" "" && rmdir $k'

# --- Freezing ------------------------------------------------------------------------------------

run 'sh -c "mke2fs /dev/vda && mkdir -p /files && mount -t ext4 /dev/vda /files"' >/dev/null
ok 'file systems are seen' 'echo refresh >$g/ctl && tells $g/filesystems "^/files vda ext4 [0-9]+ [0-9]+$"'
ok 'frozen and thawed' '
  echo freeze >$g/ctl && reads $g/frozen 1 && agent guest-fsfreeze-status frozen && reads $g/ctl "refresh
thaw" && echo thaw >$g/ctl && reads $g/frozen 0 && agent guest-fsfreeze-status thawed'
ok 'by itself, if nobody does' '
  echo freeze >$g/ctl && eventually 15 "reads $g/frozen 0" && agent guest-fsfreeze-status thawed'
ok 'frozen once more' 'echo freeze >$g/ctl && reads $g/frozen 1'
dies
ok 'also after virfs was killed' 'eventually 15 "agent guest-fsfreeze-status thawed" && soon "reads $g/frozen 0"'
ok 'trimmed' 'echo trim >$g/ctl'

# --- It moves ------------------------------------------------------------------------------------

ok 'it is asked again where it has moved to' '
  mkdir $g/exec/a && echo h2 >vms/w1/migrate && reads $g/hostname w1 && at=$(<$g/asked)
  eventually 20 "! reads $g/asked $at" && run "uname -n" >"$scratch/out" && reads "$scratch/out" w1'

# --- It does not answer --------------------------------------------------------------------------

silence h2 25
no 'who wants something of it is told so' EAGAIN 'echo refresh >$g/ctl'
ok 'nothing else waits for it, however many do' '
  for i in $(seq 24); do { echo trim >$g/ctl || :; } 2>>"$scratch/refused" & many+=($!); done
  begin freeze $g/ctl && mkdir vms/w2/guest/exec/a
  for i in $(seq 10); do echo "echo $i" >vms/w2/guest/exec/a/command && reads vms/w2/guest/exec/a/stdout $i; done
  find vms -type f -exec cat {} + >/dev/null && echo another >vms/w1/title && reads vms/w1/title another && reads vms/w1/state running
  [[ ! -s $scratch/ended ]] && reads $g/hostname w1 && fails 30 EAGAIN || fails 30 EAGAIN; wait "${many[@]}"; [[ $(grep -c . "$scratch/refused") == 24 ]]'
no 'it is known not to answer' EAGAIN 'echo trim >$g/ctl'
ok 'and why' 'grep -q "has not answered for [0-9]* s; it can be tried again in [0-9]* s" vms/w1/error'
ok 'another guest is shut down' 'echo shutoff >vms/w2/state && reads vms/w2/state shutoff'
ok 'it comes back, and is not frozen' '
  eventually 90 "echo refresh >$g/ctl" && eventually 30 "on h2 qemu-agent-command w1 {\\\"execute\\\":\\\"guest-fsfreeze-status\\\"} | grep -q thawed"'

ok 'it is shut down though its agent hangs, and what that said goes' '
  silence h2 90 && echo shutoff >vms/w1/state && reads vms/w1/state shutoff && reads $g/hostname "" && soon "reads $g/agent \"\"" && reads $g/ctl ""'
finish
