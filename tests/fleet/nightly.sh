#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# The backup of a fleet as examples/backup does it, night after night.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 qemu-img rsync flock restic borg
guest w1 h1 --wait &
guest w2 h2 --wait &
guest idle h1 --no-start &
wait
tiny diskless h1
lab() {
  if [[ $1 == conf ]]; then
    "$top/examples/lab" conf | sed "s|backup=.*|backup=$VIRFS_LAB/shared|"
  else
    "$top/examples/lab" "$@"
  fi
}
mount_tree

export VIRFS=$scratch/mnt VERIFY=1 KEEP='3 0 0 0'
to=$scratch/backup
ticking() { eventually 60 "[[ \$(last_tick h1 w1) -ge $1 ]]"; }
backup() { "$top/examples/backup" "$to" "$@" >"$scratch/output" 2>&1 || { cat "$scratch/output"; return 1; }; }
points() { for point in "$to/$1"/*T*/; do basename "$point"; done | xargs; } # GUEST
count() { points "$1" | wc -w; }
newest() { points "$1" | grep -o '[^ ]*$'; }
counter() { qemu-img dd -O raw bs=512 count=1 "if=$to/$1/vda.qcow2" "of=$scratch/first" && head -n 1 "$scratch/first" | tr -dc 0-9; } # GUEST/POINT
sound() { # all points of a guest
  local point last=0 now
  for point in $(points "$1"); do
    qemu-img check -q "$to/$1/$point/vda.qcow2" || return
    now=$(counter "$1/$point") && ((now >= last)) || { echo "the counter is at ${now:-nothing} after $last"; return 1; }
    last=$now
  done
}
night() { ticking $(($(last_tick h1 w1) + 3)); backup "$@"; }

ticking 3
ok 'the first night: whole disks of all that have one' '
  backup && [[ $(count w1) == 1 && $(count w2) == 1 && $(count idle) == 1 ]] && grep -q "diskless: has no disks" "$scratch/output"
  lists vms/w1/checkpoints $(points w1) && reads vms/idle/state shutoff && lists vms/w1/backups backing base'
ok 'the next' '
  night w1 && [[ $(count w1) == 2 ]] && lists vms/w1/checkpoints $(newest w1) && sound w1
  reads "$to/w1/$(newest w1)/parent" "$(points w1 | cut -d " " -f 1)" && tells "$to/w1/$(newest w1)/domain.xml" "<name>w1</name>"'
old=$(points w1 | cut -d ' ' -f 1)
qemu-img convert -O raw "$to/w1/$(newest w1)/vda.qcow2" "$scratch/second"
ok 'what is too old is merged' '
  night w1 && [[ $(count w1) == 3 ]] && night w1 && [[ $(count w1) == 3 ]] && gone "$to/w1/$old" && sound w1
  qemu-img compare -q "$to/w1/$(points w1 | cut -d " " -f 1)/vda.qcow2" "$scratch/second"
  reads "$to/w1/$(points w1 | cut -d " " -f 1)/parent" ""'
ok 'and in the middle' '
  middle=$(points w1 | cut -d " " -f 2) && qemu-img convert -O raw "$to/w1/$(newest w1)/vda.qcow2" "$scratch/last"
  touch "$to/w1/$middle/dropped" && night w1 && gone "$to/w1/$middle" && sound w1 && [[ $(count w1) == 3 ]]
  qemu-img compare -q "$to/w1/$(points w1 | cut -d " " -f 2)/vda.qcow2" "$scratch/last"'
ok 'it is killed in the middle' '
  for after in 0.1 0.3 0.6 1; do
    timeout --signal=KILL $after setsid --wait "$top/examples/backup" "$to" w1 w2 >/dev/null 2>&1 || true
    pkill -9 -f "^/bin/bash $top/examples/backup $to" || true
  done'
ok 'and goes on the next night' '
  night && sound w1 && sound w2 && [[ $(count w1) == 3 ]] && gone "$to/w1/*.part" && lists vms/w1/checkpoints $(newest w1)
  lists vms/w1/backups backing base && lists vms/w2/backups backing base'

# --- Back again ----------------------------------------------------------------------------------

disk_of() { on "$(basename "$(readlink "vms/$1/host")")" domblklist "$1" | sed -n 's/^ *vda *//p'; } # GUEST
point=$to/w2/$(newest w2) disk=$(disk_of w2)
no 'a disk that is in use' EBUSY 'cp "$point/vda.qcow2" vms/w2/disks/vda/restore'
ok 'a guest as it was' '
  echo destroy > vms/w2/ctl && "$top/examples/restore" "$point" && qemu-img convert -O raw "$point/vda.qcow2" "$scratch/was"
  qemu-img compare -q "$disk" "$scratch/was" && qemu-img check -q "$disk"'
no 'only what has changed' EINVAL '
  qemu-img create -q -f qcow2 -b "$scratch/was" -F raw "$scratch/changes" && cp "$scratch/changes" vms/w2/disks/vda/restore'
no 'half of it' EINVAL 'head -c 1000000 "$scratch/was" > vms/w2/disks/vda/restore'
timeout --signal=KILL 0.02 cat "$scratch/was" "$scratch/was" >vms/w2/disks/vda/restore 2>/dev/null || true
ok 'leave it as it is' '
  soon "! grep -lx running jobs/*/state" && qemu-img compare -q "$disk" "$scratch/was" && ! ls -A "$(dirname "$disk")" | grep "^[.]virfs"'
ok 'it goes on from there' '
  before=$(counter "w2/$(newest w2)") && echo running > vms/w2/state && eventually 60 "[[ \$(last_tick h2 w2) -gt $before ]]"'
ok 'a guest that there is no more' '
  point=$to/idle/$(newest idle) && echo purge > vms/idle/ctl && rmdir vms/idle && "$top/examples/restore" "$point"
  reads vms/idle/state shutoff && qemu-img convert -O raw "$point/vda.qcow2" "$scratch/was"
  qemu-img compare -q "$(disk_of idle)" "$scratch/was"'
lab exec h1 sh -c 'kill -9 $(cat /run/libvirt/qemu/w1.pid)'
ok 'the hypervisor crashed: a whole one by itself' '
  soon "reads vms/w1/state shutoff" && echo running > vms/w1/state && night w1 && reads "$to/w1/$(newest w1)/parent" "" && sound w1'
ok 'two at the same time do not meet' '
  exec 8>"$to/w2/.lock" && flock 8 && ! "$top/examples/backup" "$to" w2 2>"$scratch/output" && exec 8>&-
  grep -q "is being backed up already" "$scratch/output"'
ok 'a guest that there is not' '! "$top/examples/backup" "$to" nobody 2>/dev/null && gone "$to/nobody"'

# --- With other tools ----------------------------------------------------------------------------

truth() { mkdir vms/w1/backups/truth && cp vms/w1/backups/truth/vda.raw "$scratch/truth" && echo discard > vms/w1/backups/truth/ctl; }
echo suspend >vms/w1/ctl # what is the same is to be told
export RESTIC_REPOSITORY=$scratch/restic RESTIC_PASSWORD=x BORG_REPO=$scratch/borg BORG_BASE_DIR=$scratch
ok 'restic' '
  truth && restic -q init && "$top/examples/backup-restic" w1 && "$top/examples/backup-restic" w1
  lists vms/w1/backups backing base && restic -q dump --tag w1 latest /vda.raw | cmp - "$scratch/truth"
  (($(du -s "$scratch/restic" | cut -f 1) < 20000))'
ok 'borg' '
  borg init -e none && "$top/examples/backup-borg" w1 && lists vms/w1/backups backing base
  borg extract --stdout "::$(borg list --short | tail -n 1)" vda.raw | cmp - "$scratch/truth"'
announce 'virfs: w1: a (full )?backup'

finish
