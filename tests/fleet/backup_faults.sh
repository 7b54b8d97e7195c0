#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Backups that do not go well: no room for what the guest overwrites, and what serves, manages or asks for them
# is killed. The guest goes on whatever happens.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

lab() { # a small file system for what is put aside, which has to be there before the hosts are
  case $1 in
    up) mkdir "$scratch/small" && mount -t tmpfs -o size=8m small "$scratch/small" ;;
    down) ! mountpoint --quiet "$scratch/small" || umount --lazy "$scratch/small" ;;
  esac
  if [[ $1 == conf ]]; then
    "$top/examples/lab" conf | sed "s|backup=.*|backup=$scratch/small|"
  else
    "$top/examples/lab" "$@"
  fi
}
fleet 1 qemu-img
guest w1 h1 --agent --wait
mount_tree

backups=vms/w1/backups
agent() { on h1 qemu-agent-command w1 "$1"; } # JSON
runs() { # SHELL COMMANDS in the guest, until they have ended; fails as they do
  local pid
  pid=$(agent "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/sh\",\"arg\":[\"-c\",\"$1\"]}}" | tr -dc 0-9)
  eventually 60 "ended $pid" && grep -q '"exitcode":0' "$scratch/exec"
}
ended() { agent "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":$1}}" >"$scratch/exec" && grep -q '"exited":true' "$scratch/exec"; }
ticks_on() { local at; at=$(last_tick h1 w1) && eventually 10 "((\$(last_tick h1 w1) > $at))"; }
cleared() { # nothing of a backup is on the host
  [[ -z $(ls -A "$scratch/small") ]] && ! on h1 domjobinfo w1 | grep -q Backup
}
count_events() { grep -c "vms/w1 $1" events/log; } # EVENT

ok 'the agent answers' 'eventually 60 "agent '\''{\"execute\":\"guest-ping\"}'\''"'
ok 'a full backup to go on from' '
  runs "dd if=/dev/urandom of=/dev/vda bs=1M seek=4 count=60 conv=fsync" && mkdir $backups/mon && rmdir $backups/mon && lists vms/w1/checkpoints mon'

# --- Room ----------------------------------------------------------------------------------------

ok 'what is overwritten takes room' '
  mkdir $backups/tue && reads $backups/tue/parent mon && 
  soon "((\$(<$backups/tue/scratch_max) > 4 << 20))"
  before=$(<$backups/tue/scratch)
  runs "dd if=/dev/urandom of=/dev/vda bs=64k seek=100 count=16 conv=fsync"
  polled "((\$(<$backups/tue/scratch) >= $before + (1 << 20)))"'
ok 'when it ends the backup does, and the guest goes on' '
  runs "for i in \$(seq 200 350); do dd if=/dev/zero of=/dev/vda bs=64k seek=\$i count=1 conv=fsync; usleep 20000; done"
  soon "lists $backups backing base"
  says h1 w1 running && cleared && ticks_on'
ok 'it was not even stopped for it' '! on h1 domstate --reason w1 | grep -q unpaused'
ok 'as is said' '
  tells vms/w1/error "backup tue has ended: there is no more room" && tells events/log "vms/w1 backup-lost name=tue"'
ok 'nothing goes on from it' '
  soon "lists vms/w1/checkpoints mon" && mkdir $backups/wed && reads $backups/wed/parent mon'
ok 'a guest that is quicker waits for a moment' '
  runs "dd if=/dev/zero of=/dev/vda bs=1M seek=20 count=40 oflag=direct"
  soon "lists $backups backing base" && eventually 5 "says h1 w1 running" && cleared && ticks_on
  tells vms/w1/error "backup wed has ended: there is no more room" && soon "lists vms/w1/checkpoints mon"'

# --- Others --------------------------------------------------------------------------------------

ok 'all that it wrote is there' '
  mkdir $backups/thu && (($(tail -c +20971521 $backups/thu/vda.raw | head -c 41943040 | tr -d "\\0" | wc -c) == 0))'
ok 'somebody else ends it' '
  on h1 domjobabort w1 && soon "lists $backups backing base" && cleared
  tells vms/w1/error "backup thu has ended: somebody else" && soon "lists vms/w1/checkpoints mon"'
ok 'the guest is shut off: nothing goes on from it either' '
  mkdir $backups/fri && lists vms/w1/checkpoints mon fri && echo destroy > vms/w1/ctl && lists $backups backing base
  soon cleared && soon "tells events/log \"backup-lost name=fri\"" && tells vms/w1/error "hypervisor has ended"
  echo running > vms/w1/state && mkdir $backups/sat && reads $backups/sat/parent mon && reads $backups/sat/reason ""
  lists vms/w1/checkpoints mon sat && rmdir $backups/sat'

# --- Killed --------------------------------------------------------------------------------------

ok 'libvirtd is killed' '
  mkdir $backups/sun && reads $backups/sun/parent sat && lab kill h1 && soon "reads hosts/h1/state unreachable"'
ok 'the backup goes on' '
  cat $backups/sun/vda.raw > "$scratch/copy" && lab start h1 && eventually 10 "reads hosts/h1/state up" && soon "lists $backups backing base sun"
  cmp $backups/sun/vda.raw "$scratch/copy" && rmdir $backups/sun && cleared && says h1 w1 running'
mkdir $backups/bad
exec 7<$backups/bad/vda.raw # somebody reads it
ok 'QEMU is killed: the backup has gone' '
  lab exec h1 sh -c "kill -9 \$(cat /run/libvirt/qemu/w1.pid)" && soon "lists $backups backing base"
  soon "tells vms/w1/error \"backup bad has ended: the guest.s hypervisor\"" && soon cleared'
no 'what was open fails' ESTALE 'dd bs=1M count=64 <&7 >/dev/null'
exec 7<&-
ok 'the next is a full one and says why' '
  echo running > vms/w1/state && mkdir $backups/next && reads $backups/next/parent ""
  tells $backups/next/reason "inconsistent|bitmap|checkpoint" && tells events/log "backup-begun name=next .*reason="
  rmdir $backups/next && ! ls vms/w1/checkpoints | grep bad'
ok 'and the one after that is not' 'mkdir $backups/after && reads $backups/after/parent next && rmdir $backups/after'
announce 'virfs: w1: a full backup, because'
announce 'virfs: h1 '

finish
