#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Guests that move: live, shut off, one by one and all of a host; and those that do not.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 3
guest w1 h1 --wait &
guest copied h1 --disk local --wait &
wait
tiny idle h1
tiny other h1
mount_tree

# --- Conditions ----------------------------------------------------------------------------------

is_on() { # GUEST HOST STATE: the tree and virsh agree on it
  local host
  leads "vms/$1/host" "../../hosts/$2" && says "$2" "$1" "$3" || return
  leads "hosts/$2/vms/$1" "../../../vms/$1" && leads "by/host/$2/$1" "../../../vms/$1" || return
  for host in "${hosts[@]}"; do
    [[ $host == "$2" ]] || { unknown_to "$host" "$1" && gone "hosts/$host/vms/$1"; } || return
  done
}

goes_on() { # GUEST HOST LAST-TICK: its counter, without a gap
  eventually 10 "[[ \$(ticks $2 $1 | head -n 1) == $(($3 + 1)) ]]" &&
    ! console "$2" "$1" | grep 'is up'
}

crawls() { on "$1" migrate-setspeed "$2" 1; } # HOST GUEST: it migrates with 1 MiB/s

ticking() { eventually 30 "[[ \$(last_tick $1 $2) -ge ${3:-1} ]]"; } # HOST GUEST [TICKS]

leaves_nothing() { # HOST: of a guest that did not come
  lists "hosts/$1/vms" && [[ -z $(on "$1" list --all --name) ]] &&
    ! lab exec "$1" pgrep --list-full qemu-system && [[ -z $(on "$1" vol-list default) ]]
}

# --- Where it could go ---------------------------------------------------------------------------

ok 'migrate lists the hosts that could take it' '
  reads vms/w1/migrate $'\''h2\nh3'\'' && reads vms/copied/migrate $'\''h2\nh3'\'' && reads vms/idle/migrate $'\''h2\nh3'\'''
ok 'not one that lacks its network' '
  on h2 net-destroy default && soon "reads vms/w1/migrate h3" && reads vms/idle/migrate $'\''h2\nh3'\'''
no 'it cannot be sent there either' ENOENT 'echo h2 > vms/w1/migrate'
ok 'and is told why' 'tells vms/w1/error "cannot go to h2: .*network default" && is_on w1 h1 running'
ok 'nor one that lacks its storage' '
  on h2 net-start default && on h3 pool-destroy shared && soon "reads vms/w1/migrate h2"
  reads vms/copied/migrate $'\''h2\nh3'\''
  on h3 pool-start shared && soon "reads vms/w1/migrate \$'\''h2\nh3'\''"'
ok 'a running guest not to one without enough memory' '
  echo 64G > vms/idle/memory_max && reads vms/idle/migrate $'\''h2\nh3'\'' && echo 16M > vms/idle/memory_max'

# --- Live ----------------------------------------------------------------------------------------

# What somebody sees who looks a hundred times a second.
look() { # GUEST
  while [[ ! -e $scratch/stop ]]; do
    { read -r state <"vms/$1/state"; } 2>/dev/null || state=missing
    echo "$state"
    sleep 0.01
  done >"$scratch/seen"
}

ticking h1 w1 2
look w1 &
ok 'live migration' 'echo h2 > vms/w1/migrate && leads vms/w1/host ../../hosts/h2 && is_on w1 h2 running'
before=$(last_tick h1 w1)
ok 'the guest goes on, it does not boot' "goes_on w1 h2 $before"
ok 'the job is done' '
  job=$(grep -lx "migrate to h2" jobs/*/operation) && job=${job%/operation}
  reads "$job/state" "done" && reads "$job/progress" 100 && reads "$job/object" vms/w1 && reads "$job/error" ""'
ok 'and the log of events tells of it' 'grep -q "vms/w1 moved from=h1 to=h2" events/log'
ok 'back again, with its autostart' '
  echo 1 > vms/w1/autostart && echo h1 > vms/w1/migrate && is_on w1 h1 running
  reads vms/w1/autostart 1 && on h1 dominfo w1 | grep -q "Autostart: *enable" && echo 0 > vms/w1/autostart'
touch "$scratch/stop"
wait %look
ok 'it was always there, and never shut off' '
  grep -qx running "$scratch/seen" && ! grep -vxE "running|paused" "$scratch/seen"'
ok 'to where it is already' 'echo h1 > vms/w1/migrate && is_on w1 h1 running'
ok 'a paused guest stays paused' '
  echo paused > vms/w1/state && echo h2 > vms/w1/migrate && is_on w1 h2 paused
  echo running > vms/w1/state && echo h1 > vms/w1/migrate && is_on w1 h1 running'

ticking h1 copied 2
ok 'disks that are not shared are copied along' '
  echo h2 > vms/copied/migrate && is_on copied h2 running && on h2 vol-list default | grep -q copied.qcow2'
before=$(last_tick h1 copied)
ok 'that guest goes on, too' "goes_on copied h2 $before"
ok 'its disk has what it wrote' '
  echo destroy > vms/copied/ctl
  lab exec h2 qemu-img dd -O raw if=/var/lib/libvirt/images/copied.qcow2 of=/run/head bs=512 count=1
  (($(lab exec h2 head -n 1 /run/head) >= $(last_tick h2 copied) - 1))'
ok 'what was left behind is told' 'grep -q "vms/copied left-behind .*host=h1 path=.*copied.qcow2" events/log'
no 'and is not overwritten' EEXIST 'echo h1 > vms/copied/migrate'
ok 'the sentence says what is in the way' '
  tells vms/copied/error "h1 has another copied.qcow2 in the pool default already: " && is_on copied h2 "shut off"'
ok 'nor is that host offered' '
  tells vms/copied/migrate_verdict "^h1	no	h1 has another copied.qcow2" && ! grep -x h1 vms/copied/migrate
  tells vms/copied/migrate_verdict "^h3	yes	$"'
ok 'what it says to type takes it out of the way' '
  $(sed -n "s/^h1	.*, \(rmdir .*\)/\1/p" vms/copied/migrate_verdict) && [[ -z $(on h1 vol-list default) ]]
  reads vms/copied/migrate $'\''h1\nh3'\'''

# --- Shut off ------------------------------------------------------------------------------------

ok 'a definition moves' 'echo h2 > vms/idle/migrate && is_on idle h2 "shut off"'
ok 'one with a disk that is not shared' '
  echo h1 > vms/copied/migrate && is_on copied h1 "shut off" && on h1 vol-list default | grep -q copied.qcow2'
ok 'a file that somebody else has removed is in the way until its pool is looked at' '
  lab exec h2 rm /var/lib/libvirt/images/copied.qcow2 && tells vms/copied/migrate_verdict "^h2	no	h2 has another"
  rmdir hosts/h2/pools/default/volumes/copied.qcow2 && tells vms/copied/migrate_verdict "^h2	yes	$"'
ok 'and it starts there with what it had' '
  echo running > vms/copied/state
  ticking h1 copied && [[ $(ticks h1 copied | head -n 1) -gt 1 ]]'

# --- Firmware ------------------------------------------------------------------------------------

efi_xml() {
  tiny_xml efi | sed "s|<os>|<os><loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>\
<nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'/>|; s|'pc'|'q35'|; s|>16<|>64<|"
}
vars() { echo "$VIRFS_LAB/$1/lib/qemu/nvram/efi_VARS.fd"; }
if [[ -e /usr/share/OVMF/OVMF_VARS_4M.fd ]]; then
  on h1 define /dev/stdin < <(efi_xml) >/dev/null
  ok 'what a firmware keeps goes with a guest that is shut off' '
    soon "[[ -d vms/efi ]]" && echo running > vms/efi/state && echo destroy > vms/efi/ctl
    echo kept | dd of="$(vars h1)" bs=1 seek=540000 conv=notrunc status=none && cp "$(vars h1)" "$scratch/vars"
    echo h2 > vms/efi/migrate && is_on efi h2 "shut off" && cmp "$(vars h2)" "$scratch/vars" && gone "$(vars h1)"'
  ok 'and with one that runs' '
    echo running > vms/efi/state && echo h3 > vms/efi/migrate && is_on efi h3 running && gone "$(vars h2)"
    echo destroy > vms/efi/ctl && grep -aq kept "$(vars h3)"'
  ok 'and back' 'echo h1 > vms/efi/migrate && grep -aq kept "$(vars h1)" && gone "$(vars h3)" && echo running > vms/efi/state'
  ok 'nothing is lent meanwhile' '! on h1 pool-list --all | grep virfs- && echo destroy > vms/efi/ctl && rmdir vms/efi'
else
  tell 0 'what a firmware keeps # SKIP there is no OVMF (ovmf)' ''
fi
if type -P swtpm >/dev/null; then
  on h1 define /dev/stdin < <(tiny_xml tpm | sed "s|<devices>|&<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>|") >/dev/null
  no 'what a TPM keeps cannot go while its guest is shut off' EOPNOTSUPP 'soon "[[ -d vms/tpm ]]" && echo h2 > vms/tpm/migrate'
  ok 'nothing was done' 'tells vms/tpm/error "tpm has a TPM, whose contents" && is_on tpm h1 "shut off" && rmdir vms/tpm'
else
  tell 0 'what a TPM keeps # SKIP there is no swtpm' ''
fi

# --- What does not go ----------------------------------------------------------------------------

no 'a host that does not exist' ENOENT 'echo nonsense > vms/w1/migrate'
ok 'a sentence says so' 'tells vms/w1/error "no host is named \"nonsense\"; there are: h1, h2, h3$"'
no 'a host that has another guest of that name' EEXIST '
  tiny w1 h2 && soon "reads vms/w1~h2/state shutoff" && reads vms/w1/migrate h3
  echo h2 > vms/w1/migrate'
ok 'both are where they were' '
  leads vms/w1/host ../../hosts/h1 && says h1 w1 running && says h2 w1 "shut off"
  on h2 undefine w1 && soon "gone vms/w1~h2"'
ok 'a power failure' 'lab crash h3 && eventually 10 "reads hosts/h3/state unreachable" && reads vms/w1/migrate h2'
no 'a host that is down' EHOSTDOWN 'echo h3 > vms/w1/migrate'
ok 'it stays' 'is_on w1 h1 running && tells vms/w1/error "h3 is (not reachable|unreachable)"'
ok 'the host comes back' 'lab start h3 && eventually 10 "reads vms/w1/migrate \$'\''h2\nh3'\''"'
no 'mv to another name' EPERM 'mv -T hosts/h1/vms/w1 hosts/h2/vms/other'
no 'mv out of the tree' EPERM 'mv hosts/h1/vms/w1 "$scratch"'
ok 'neither did anything' 'is_on w1 h1 running'

# --- Cancelled -----------------------------------------------------------------------------------

crawls h1 w1
no 'Ctrl-C ends a migration' EINTR '
  timeout --signal INT 2 bash -c "trap : INT; echo h2 > vms/w1/migrate"'
ok 'the guest runs where it was, and nothing is left of it elsewhere' '
  is_on w1 h1 running && soon "leaves_nothing h3" && tells vms/w1/error "cancelled: w1 stays on h1"
  ! lab exec h2 pgrep --list-full qemu-system'
before=$(last_tick h1 w1)
ok 'it goes on' "ticking h1 w1 $((before + 1))"

begin h3 vms/w1/migrate
ok 'progress is seen in its job' '
  eventually 10 "grep -qE \"^[1-9][0-9]?$\" \$(running_job)/progress" && job=$(running_job)
  reads "$job/operation" "migrate to h3" && tells "$job/eta" "^[0-9]+$" && reads "$job/ctl" cancel
  (($(cat "$job/done") < $(cat "$job/total")))'
ok 'nobody else waits for it' '
  for i in 1 2 3; do { echo "title $i" > vms/w1/title; } >/dev/null 2>&1 & done
  timeout 3 bash -c "echo another > vms/other/title" && reads vms/other/title another'
ok 'cancel ends it' 'echo cancel > $(running_job)/ctl && fails 10 EINTR'
ok 'the guest is where it was' 'is_on w1 h1 running && leaves_nothing h3'

crawls h1 copied
begin h2 vms/copied/migrate
ok 'cancelled while a disk is copied' '
  eventually 10 "running_job" && polled "[[ -d hosts/h2/pools/default/volumes/copied.qcow2 ]]"
  echo cancel > $(running_job)/ctl && fails 10 EINTR'
ok 'the copy is gone, the guest is not' '
  is_on copied h1 running && [[ -z $(on h2 vol-list default) ]] && tells vms/copied/migrate_verdict "^h2	yes	$"'

# --- All of a host -------------------------------------------------------------------------------

on h1 migrate-setspeed w1 1000
on h1 migrate-setspeed copied 1000
eventually 60 '! running_job' >/dev/null
last=$(find jobs -mindepth 1 -maxdepth 1 -printf "%f\n" | sort -n | tail -n 1)
ok 'mv of all guests returns when they are on their way' '
  lists hosts/h1/vms w1 copied other
  timeout 5 mv hosts/h1/vms/* hosts/h3/vms/
  for i in 1 2 3; do reads "jobs/$((last + i))/operation" "migrate to h3"; done'
ok 'their jobs come to a good end' '
  for i in 1 2 3; do eventually 60 "reads jobs/$((last + i))/state done"; done
  reads "jobs/$((last + 1))/progress" 100'
ok 'all guests are there' '
  is_on w1 h3 running && is_on copied h3 running && is_on other h3 "shut off"'
before=$(last_tick h3 w1)
ok 'and go on' "ticking h3 w1 $((before + 1))"

finish
