#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Backups of guests that write all the time: opened, read, closed, incremental, and what is left of them when
# virfs or the hypervisor is killed.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 qemu-img
guest w1 h1 --wait &
guest idle h1 --no-start &
wait
lab() { # all that backups need is where both the host and virfs have it
  if [[ $1 == conf ]]; then
    "$top/examples/lab" conf | sed "s|backup=.*|backup=$VIRFS_LAB/shared|"
  else
    "$top/examples/lab" "$@"
  fi
}
mount_tree

backups=vms/w1/backups
copy() { qemu-img convert -O raw "$(<"$backups/$1/nbd/vda/uri")" "$scratch/$2"; } # BACKUP FILE
count() { head -n 1 "$scratch/$1" | tr -dc 0-9; }                                  # FILE: what the guest had counted to
ticking() { eventually 30 "[[ \$(last_tick h1 w1) -ge $1 ]]"; }
cleared() { # nothing of a backup is on the host
  ! ls "$VIRFS_LAB/shared" | grep -E "scratch|sock" && ! on h1 domjobinfo w1 | grep -q Backup
}

ticking 3
ok 'a backup of a guest that runs' '
  mkdir $backups/mon && lists $backups backing base mon && reads $backups/mon/consistency crash && says h1 w1 running'
at=$(last_tick h1 w1)
ok 'what it is' '
  reads $backups/mon/parent "" && reads $backups/mon/checkpoint mon && lists $backups/mon/nbd vda
  reads $backups/mon/nbd/vda/size 67108864 && reads $backups/mon/nbd/vda/bitmap ""
  tells $backups/mon/domain.xml "<name>w1</name>" && ! grep -q "<domain.* id=" $backups/mon/domain.xml
  grep -q "vms/w1 backup-begun name=mon consistency=crash" events/log'
no 'one at a time' EBUSY 'mkdir $backups/tue'
no 'it cannot move meanwhile' EBUSY 'echo h2 > vms/w1/migrate'
no 'nor have a snapshot' EBUSY 'mkdir vms/w1/snapshots/s'
ok 'as is said' 'tells vms/w1/error "rmdir backups/mon first" && reads vms/w1/migrate ""'
ok 'the disk as it was' 'copy mon first && (($(count first) <= at + 1))'
ticking $((at + 3))
ok 'and still is, though the guest goes on' 'copy mon second && cmp "$scratch/first" "$scratch/second"'
dies
ok 'it outlives virfs' '
  soon "lists $backups backing base mon" && reads $backups/mon/nbd/vda/size 67108864 && copy mon third && cmp "$scratch/first" "$scratch/third"'
ok 'closed' 'rmdir $backups/mon && lists $backups backing base && lists vms/w1/checkpoints mon && cleared'

# --- Incremental ---------------------------------------------------------------------------------

ticking $((at + 6))
ok 'the next tells what has changed' '
  mkdir $backups/tue && reads $backups/tue/parent mon && reads $backups/tue/nbd/vda/bitmap backup-vda
  copy tue fourth && (($(count fourth) > $(count first)))'
ok 'discarded, it has never been' 'echo discard > $backups/tue/ctl && lists vms/w1/checkpoints mon && cleared'
ok 'a full one, if that is wanted' '
  echo none > $backups/base && mkdir $backups/wed && reads $backups/wed/parent "" && rmdir $backups/wed
  echo mon > $backups/base && mkdir $backups/thu && reads $backups/thu/parent mon && rmdir $backups/thu && echo > $backups/base'
no 'a base that there is not' ENOENT 'echo never > $backups/base'
ok 'one whose base has gone is a full one, and says why' '
  echo thu > $backups/base && rmdir vms/w1/checkpoints/thu && mkdir $backups/fri && reads $backups/fri/parent ""
  tells $backups/fri/reason "checkpoint thu, which base names" && echo discard > $backups/fri/ctl && echo > $backups/base'
tiny bare h1
no 'of a guest without disks' EOPNOTSUPP 'soon "[[ -e vms/bare/state ]]" && mkdir vms/bare/backups/mon'
ok 'as is said' 'tells vms/bare/error "bare has no disk that can be backed up"'

# --- A guest with an agent -----------------------------------------------------------------------

agent() { on h1 qemu-agent-command heard "{\"execute\":\"$1\"}" | grep -q "$2"; } # COMMAND ANSWER
guest heard h1 --agent --wait
ok 'its file systems are made quiet, and go on' '
  eventually 60 "agent guest-fsfreeze-status thawed" && mkdir vms/heard/backups/mon
  reads vms/heard/backups/mon/consistency filesystem && agent guest-fsfreeze-status thawed
  rmdir vms/heard/backups/mon && cleared'

# --- A guest that is shut off --------------------------------------------------------------------

ok 'of a guest that is shut off' '
  mkdir vms/idle/backups/sun && reads vms/idle/backups/sun/consistency filesystem && reads vms/idle/state paused
  qemu-img info "$(<vms/idle/backups/sun/nbd/vda/uri)" >/dev/null'
dies
ok 'it is shut off again afterwards' 'soon "lists vms/idle/backups backing base sun" && rmdir vms/idle/backups/sun && says h1 idle "shut off" && cleared'

ok 'somebody resumes it meanwhile: it is his' '
  mkdir vms/idle/backups/mon && on h1 resume idle && rmdir vms/idle/backups/mon && says h1 idle running && cleared
  echo destroy > vms/idle/ctl'
echo "<domainbackup mode='pull'><server transport='unix' socket='$VIRFS_LAB/shared/his.sock'/><disks>\
<disk name='vda' backupmode='full'><scratch file='$VIRFS_LAB/shared/his'/></disk></disks></domainbackup>" >"$scratch/his"
ok 'one that was begun with virsh' 'on h1 backup-begin w1 "$scratch/his"'
no 'is in the way' EBUSY 'mkdir $backups/mine'
ok 'and stays' 'on h1 domjobinfo w1 | grep -q Backup && on h1 domjobabort w1 && lists $backups backing base'

# --- Killed --------------------------------------------------------------------------------------

mkdir $backups/fri
lab exec h1 sh -c 'kill -9 $(cat /run/libvirt/qemu/w1.pid)'
ok 'QEMU is killed: the backup is gone, and its name free' '
  soon "lists $backups backing base" && soon "reads vms/w1/state shutoff" && echo running > vms/w1/state && ticking 1'
ok 'nothing of it is left' "polled cleared"
ok 'the next is a full one' 'mkdir $backups/sat && reads $backups/sat/parent "" && copy sat fifth && rmdir $backups/sat'
announce 'virfs: w1: a (full )?backup'

finish
