#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Snapshots and checkpoints: taken, gone back to, deleted, moved with their guest, and what is left of
# them when virfs is killed.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2
guest w1 h1 --wait &
guest copied h1 --disk local --wait &
guest idle h1 --no-start &
wait
lab exec h1 qemu-img create -q -f raw "$VIRFS_LAB/shared/raw.img" 1M
on h1 define /dev/stdin >/dev/null < <(tiny_xml raw | sed "s|<devices>|&<disk type='file' device='disk'>\
<driver name='qemu' type='raw' cache='none'/><source file='$VIRFS_LAB/shared/raw.img'/>\
<target dev='vda' bus='virtio'/></disk>|")
mount_tree

snapshots=vms/w1/snapshots


ticking() { eventually 30 "[[ \$(last_tick $1 $2) -ge ${3:-1} ]]"; } # HOST GUEST [TICKS]

on_disk() { # HOST FILE: the counter in it
  lab exec "$1" qemu-img dd -U -O raw if="$2" of=/run/head bs=512 count=1 && lab exec "$1" head -n 1 /run/head
}

knows() { # HOST GUEST NAMES...: virsh lists these snapshots
  local is
  is=$(on "$1" snapshot-list "$2" --name | sort | xargs)
  [[ $is == "${*:3}" ]] || { echo "virsh lists the snapshots $is"; return 1; }
}

# --- Taken ---------------------------------------------------------------------------------------

ok 'no snapshots at first' 'lists $snapshots kind && reads $snapshots/kind full && gone $snapshots/current'
ticking h1 w1 2
ok 'one of a running guest, with its memory' '
  mkdir $snapshots/first && knows h1 w1 first && says h1 w1 running && lists $snapshots current first kind'
taken=$(last_tick h1 w1)
ok 'what it is' '
  reads $snapshots/first/kind full && reads $snapshots/first/state running && reads $snapshots/first/parent ""
  leads $snapshots/current first && tells $snapshots/first/xml "<domainsnapshot>"
  tells $snapshots/first/created "^$(date -u +%F)T"'
ok 'its job' '
  job=$(grep -lx "snapshot first" jobs/*/operation) && reads "${job%/operation}/state" done
  grep -q "vms/w1 snapshot-taken name=first" events/log'
no 'the same name again' EEXIST 'mkdir $snapshots/first'
no 'a name that cannot be one' EINVAL 'mkdir $snapshots/.first'
ok 'a description' '
  echo "before the upgrade" > $snapshots/first/description && reads $snapshots/first/description "before the upgrade"
  on h1 snapshot-dumpxml w1 first | grep -q "<description>before the upgrade" && leads $snapshots/current first'

# --- Gone back to --------------------------------------------------------------------------------

ticking h1 w1 $((taken + 4))
before=$(last_tick h1 w1)
ok 'the guest has changed its disk since' '(($(on_disk h1 "$VIRFS_LAB/shared/w1.qcow2") > taken))'
ok 'revert: it runs, as it was' '
  echo revert > $snapshots/first/ctl && reads vms/w1/state running && says h1 w1 running
  eventually 10 "[[ \$(last_tick h1 w1) -lt $before ]]"'
ok 'the change of its disk is gone' '
  echo paused > vms/w1/state && (($(on_disk h1 "$VIRFS_LAB/shared/w1.qcow2") < before))'
ok 'a snapshot of a paused guest is one of a paused guest' '
  mkdir $snapshots/second && reads $snapshots/second/state paused && reads $snapshots/second/parent first
  echo running > vms/w1/state && echo revert > $snapshots/second/ctl
  reads vms/w1/state paused && echo running > vms/w1/state'
no 'there is one verb' EINVAL 'echo rewind > $snapshots/first/ctl'
ok 'of a guest that is shut off' '
  mkdir vms/idle/snapshots/off && reads vms/idle/snapshots/off/state shutoff
  echo revert > vms/idle/snapshots/off/ctl && says h1 idle "shut off"'

# --- By others -----------------------------------------------------------------------------------

ok 'what virsh makes is seen' '
  on h1 snapshot-create-as idle --name current && polled "lists vms/idle/snapshots %63urrent current kind off"'
ok 'and what it deletes' '
  on h1 snapshot-delete idle current && polled "lists vms/idle/snapshots current kind off"
  leads vms/idle/snapshots/current off'

# --- Moved ---------------------------------------------------------------------------------------

ok 'they move with the running guest' '
  echo revert > $snapshots/first/ctl && echo h2 > vms/w1/migrate && leads vms/w1/host ../../hosts/h2
  knows h2 w1 first second && lists $snapshots current first kind second && leads $snapshots/current first
  reads $snapshots/second/parent first && reads $snapshots/first/description "before the upgrade"'
ok 'nothing is left of it' '
  unknown_to h1 w1 && [[ -z $(ls "$VIRFS_LAB/h1/lib/qemu/snapshot/w1" 2>/dev/null) ]]'
ok 'revert there' '
  now=$(last_tick h2 w1) && ticking h2 w1 $((${now:-$taken} + 3)) && before=$(last_tick h2 w1)
  echo revert > $snapshots/first/ctl && says h2 w1 running && eventually 10 "[[ \$(last_tick h2 w1) -lt $before ]]"'
ok 'they move with one that is shut off' '
  echo h2 > vms/idle/migrate && knows h2 idle off && says h2 idle "shut off" && lists vms/idle/snapshots current kind off'
ok 'copied: a snapshot' 'mkdir vms/copied/snapshots/inside'
no 'which a copy of the disk of a running guest would not have' EOPNOTSUPP 'echo h2 > vms/copied/migrate'
ok 'the sentence says so' '
  tells vms/copied/error "copied has snapshots, which a copy of its disk vda would not have"
  knows h1 copied inside && says h1 copied running'
ok 'shut off, it takes them along' '
  echo destroy > vms/copied/ctl && echo h2 > vms/copied/migrate && knows h2 copied inside
  echo revert > vms/copied/snapshots/inside/ctl && says h2 copied running && echo destroy > vms/copied/ctl'

# Nobody has said so in time: the host of a guest that migrates with 1 MiB/s.
on h2 migrate-setspeed w1 1
begin h1 vms/w1/migrate
ok 'on their way' 'eventually 10 "knows h2 w1"'
dies
ok 'virfs is killed meanwhile: the next one puts them back' '
  eventually 20 "knows h2 w1 first second" && eventually 10 "leads $snapshots/current first"
  lists $snapshots current first kind second && says h2 w1 running && soon "unknown_to h1 w1"'
on h2 migrate-setspeed w1 1000
ok 'cancelled, they stay' '
  on h2 migrate-setspeed w1 1 && begin h1 vms/w1/migrate && eventually 10 "knows h2 w1"
  eventually 10 "running_job" && echo cancel > $(running_job)/ctl && fails 10 EINTR
  knows h2 w1 first second && says h2 w1 running && on h2 migrate-setspeed w1 1000'
ok 'and they come back with it' 'echo h1 > vms/w1/migrate && knows h1 w1 first second'

# --- Deleted -------------------------------------------------------------------------------------

ok 'rmdir of one that another goes on from' '
  rmdir $snapshots/first && knows h1 w1 second && reads $snapshots/second/parent ""'
no 'rm does not delete any' EPERM 'rm -r $snapshots/second'
ok 'the last one' 'rmdir $snapshots/second && knows h1 w1 && lists $snapshots kind && gone $snapshots/current'

# --- Checkpoints ---------------------------------------------------------------------------------

ok 'a checkpoint' 'mkdir vms/w1/checkpoints/sat vms/w1/checkpoints/sun && lists vms/w1/checkpoints sat sun'
ok 'what it is' '
  reads vms/w1/checkpoints/sun/parent sat && tells vms/w1/checkpoints/sun/created "^$(date -u +%F)T"'
ok 'they move with the guest' '
  echo h2 > vms/w1/migrate && lists vms/w1/checkpoints sat sun && reads vms/w1/checkpoints/sun/parent sat
  [[ $(on h2 checkpoint-list w1 --name | sort | xargs) == "sat sun" ]]'
ok 'deleted' 'rmdir vms/w1/checkpoints/sat && lists vms/w1/checkpoints sun && rmdir vms/w1/checkpoints/sun'
ok 'and back' 'echo h1 > vms/w1/migrate && says h1 w1 running'
no 'not of a guest that is shut off' EBUSY 'mkdir vms/idle/checkpoints/sat'
ok 'a sentence says so' 'tells vms/idle/error "it is shutoff.*start it first"'

# --- Disks alone ---------------------------------------------------------------------------------

no 'memory cannot be in a raw disk' EOPNOTSUPP 'echo running > vms/raw/state && mkdir vms/raw/snapshots/full'
ok 'the sentence shows the way' 'tells vms/raw/error "its disk vda is raw.*write disk to snapshots/kind"'
ok 'which works' '
  echo disk > vms/raw/snapshots/kind && mkdir vms/raw/snapshots/disks && reads vms/raw/snapshots/disks/kind disk
  rmdir vms/raw/snapshots/disks && echo destroy > vms/raw/ctl'
ok 'one of a running guest' '
  echo disk > $snapshots/kind && mkdir $snapshots/d1 && reads $snapshots/d1/state disk-snapshot
  [[ -e $VIRFS_LAB/shared/w1.d1 ]] && tells vms/w1/xml "shared/w1.d1" && says h1 w1 running'
written=$(on_disk h1 "$VIRFS_LAB/shared/w1.qcow2")
now=$(last_tick h1 w1)
ticking h1 w1 $((now + 2))
ok 'what it writes goes elsewhere' '
  [[ $(on_disk h1 "$VIRFS_LAB/shared/w1.qcow2") == "$written" ]] && (($(on_disk h1 "$VIRFS_LAB/shared/w1.d1") > written))'
ok 'rmdir merges it' '
  rmdir $snapshots/d1 && gone "$VIRFS_LAB/shared/w1.d1" && lists $snapshots kind
  tells vms/w1/xml "shared/w1.qcow2" && (($(on_disk h1 "$VIRFS_LAB/shared/w1.qcow2") > written))'
no 'none goes on from one with memory' EOPNOTSUPP '
  echo full > $snapshots/kind && mkdir $snapshots/full && echo disk > $snapshots/kind && mkdir $snapshots/d2'
ok 'because of the way back' '
  tells vms/w1/error "libvirt could delete neither" && knows h1 w1 full && rmdir $snapshots/full'

# --- Killed --------------------------------------------------------------------------------------

echo full >$snapshots/kind
mkdir $snapshots/killed 2>/dev/null &
eventually 5 running_job >/dev/null
dies
wait %mkdir 2>/dev/null
ok 'virfs is killed while it takes one: what there is, is shown' '
  eventually 10 "says h1 w1 running" && eventually 10 "knows h1 w1 \$(cd $snapshots && ls -d killed 2>/dev/null)"'
ok 'and nothing is stuck' '
  mkdir $snapshots/next && leads $snapshots/current next && rmdir $snapshots/next
  [[ ! -e $snapshots/killed ]] || rmdir $snapshots/killed
  lists $snapshots kind && reads vms/w1/state running'

# --- Every night ---------------------------------------------------------------------------------

ok 'nightly snapshots, of which three stay' '
  mkdir $snapshots/nightly-2026-01-0{1,2,3} $snapshots/mine
  "$top/examples/nightly-snapshots" "$scratch/mnt" 3
  lists $snapshots current kind mine nightly-2026-01-02 nightly-2026-01-03 "nightly-$(date +%F)"
  lists vms/idle/snapshots current kind off'

finish
