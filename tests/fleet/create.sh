#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Guests that are made as directories: of images, of other guests and of snapshots, many at once, and
# with virfs killed at any moment; what they leave behind when they go: nothing.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 3
mount_tree

boots() { # DRAFT: what the lab's guests boot
  echo "$VIRFS_LAB/boot/kernel" >"vms/$1/kernel"
  echo "$VIRFS_LAB/boot/initrd" >"vms/$1/initrd"
  echo "console=ttyS0 quiet hostname=$1" >"vms/$1/cmdline"
  echo 128M >"vms/$1/memory"
}

# All that libvirt and the hosts have: guests, and files in pools.
inventory() {
  local host
  for host in "${hosts[@]}"; do
    on "$host" list --all --name | sed "s/^/$host guest /" | grep -v ' $'
    lab exec "$host" find /var/lib/libvirt/images /var/lib/libvirt/qemu/nvram -type f -printf "$host %f\n" 2>/dev/null
  done
  (cd "$VIRFS_LAB/shared" && printf 'shared %s\n' *)
}


purge() { # GUESTS...
  local vm
  for vm; do
    [[ $(<"vms/$vm/state") == shutoff ]] || echo destroy >"vms/$vm/ctl"
    echo purge >"vms/$vm/ctl" && rmdir "vms/$vm"
  done
}

content() { # HOST FILE: its first bytes, as a guest would see them
  lab exec "$1" qemu-img dd -U -O raw if="$2" of=/run/head bs=512 count=1 && lab exec "$1" head -n 1 /run/head
}

# --- An image ------------------------------------------------------------------------------------

images=hosts/h1/pools/shared/volumes
ok 'an image' '
  mkdir $images/golden.qcow2 && cd $images/golden.qcow2 && echo qcow2 > format && echo 64M > size
  reads size 67108864'
lab exec h1 sh -c "echo 4711 >/run/raw && truncate -s 64M /run/raw &&
  qemu-img convert -O qcow2 /run/raw $VIRFS_LAB/shared/golden.qcow2"
before=$(inventory)

# --- One guest -----------------------------------------------------------------------------------

ok 'a draft' 'mkdir vms/one && reads vms/one/state draft && boots one && echo shared/golden.qcow2 > vms/one/image'
ok 'nobody else knows it' '[[ $(inventory) == "$before" ]]'
ok 'where it would be best' '
  [[ $(wc -l < vms/one/placement) == 4 ]] && tells vms/one/placement "^h[1-3]	.*	best$"'
ok 'it is made and runs' 'echo running > vms/one/state && reads vms/one/state running'
host=$(basename "$(readlink vms/one/host)")
ok 'on the host that it says' 'says "$host" one running'
disk=/var/lib/libvirt/images/one-vda.qcow2
ok 'its disk is its own' 'reads vms/one/disks/vda/source $disk'
ok 'it boots' 'eventually 60 "[[ \$(content $host $disk) -ge 4712 ]]"' # goes on from the number in the image
ok 'of which it was made' 'reads vms/one/image shared/golden.qcow2 && leads by/image/golden.qcow2/one ../../../vms/one'
no 'nor is it a draft any more' EPERM 'echo full > vms/one/clone'
ok 'where it would be better off' 'tells vms/one/placement "^$host	.*	it is here"'
ok 'it goes, its disk stays' '
  echo destroy > vms/one/ctl && rmdir vms/one && unknown_to "$host" one
  lab exec "$host" test -e /var/lib/libvirt/images/one-vda.qcow2'
ok 'until somebody takes it away' '
  rmdir hosts/$host/pools/default/volumes/one-vda.qcow2 && [[ $(inventory) == "$before" ]]'

# --- What cannot be ------------------------------------------------------------------------------

no 'a host that there is not' ENOENT 'mkdir vms/bad && echo nowhere > vms/bad/host'
no 'an image that there is not' ENOENT 'echo shared/none > vms/bad/image && echo running > vms/bad/state'
ok 'each host says why' 'tells vms/bad/error "h1 does not have shared/none; h2 does not have"'
no 'more memory than there is' ENOSPC '
  echo > vms/bad/image && echo 9T > vms/bad/memory && echo running > vms/bad/state'
no 'a kernel that there is not' ENOENT '
  echo 128M > vms/bad/memory && echo 1M > vms/bad/disk_size && echo /no/kernel > vms/bad/kernel
  echo running > vms/bad/state'
ok 'it is a draft again, and nothing is left' 'reads vms/bad/state draft && [[ $(inventory) == "$before" ]]'
no 'a machine that there is not' EINVAL '
  echo > vms/bad/kernel && echo teapot > vms/bad/machine && echo running > vms/bad/state'
ok 'those that there are are named' 'tells vms/bad/error "no machine type .teapot.*there are: .*q35" && echo > vms/bad/machine'
no 'XML that is none' EINVAL 'cp <(echo "<guest/>") vms/bad/xml'
ok 'a draft goes like a directory' 'rmdir vms/bad && gone vms/bad'

# --- Ten guests in a loop ------------------------------------------------------------------------

ok 'ten web servers in a loop' '
  for i in $(seq 10); do
    mkdir vms/web$i && boots web$i && echo linked > vms/web$i/clone && echo shared/golden.qcow2 > vms/web$i/image
  done
  for i in $(seq 10); do echo running > vms/web$i/state & done
  wait
  [[ $(cat vms/web*/state | sort | uniq -c | xargs) == "10 running" ]]'
ok 'libvirt says so, too' '
  for i in $(seq 10); do says "$(basename "$(readlink vms/web$i/host)")" web$i running; done'
ok 'they are spread evenly' '[[ $(ls -1 hosts/*/vms | grep -c web) == 10 ]]
  for host in "${hosts[@]}"; do (($(ls hosts/$host/vms | wc -l) >= 3)); done'
no 'the image is in use' EBUSY 'rmdir $images/golden.qcow2'
ok 'by whom is said' 'tells error "golden.qcow2.*used by .*web"'
ok 'the disks hold what differs' '
  for i in $(seq 10); do (($(cat vms/web$i/disks/vda/allocation) < 8000000)); done'
ok 'they go with their disks' 'purge web{1..10} && lists vms'
ok 'nothing is left of them' '[[ $(inventory) == "$before" ]]'

ok 'the example does the same, with cloud-init' '
  "$top/examples/web-servers" shared/golden.qcow2 "$PWD" 3 && reads vms/web3/state running && reads vms/web3/title web
  grep -q "hostname: web3" vms/web3/cloud-init/user-data && purge web{1..3} && [[ $(inventory) == "$before" ]]'

# --- One after the other -------------------------------------------------------------------------

for name in web1 web2; do
  mkdir "vms/$name"
  boots "$name"
  echo running >"vms/$name/state"
  echo web >"vms/$name/tags"
done
ok 'guests with a tag have addresses' '
  eventually 60 "grep -q . vms/web1/nics/eth0/addresses && grep -q . vms/web2/nics/eth0/addresses"'
ok 'they are rebooted one after the other' '
  before=$(cat vms/web1/id vms/web2/id)
  [[ $("$top/examples/rolling-reboot" "$PWD" | xargs) == "web1 is back web2 is back" ]]
  [[ $(cat vms/web1/id vms/web2/id) != "$before" ]] && reads vms/web1/state running && reads vms/web2/state running'
ok 'and go' 'purge web1 web2 && [[ $(inventory) == "$before" ]]'

# --- Other guests --------------------------------------------------------------------------------

mkdir vms/base
boots base
echo shared/golden.qcow2 >vms/base/image
echo h1 >vms/base/host
echo shutoff >vms/base/state
ok 'made, but not started' 'says h1 base "shut off" && reads vms/base/state shutoff'
ok 'a clone of a guest' '
  mkdir vms/copy && echo vms/base > vms/copy/image && echo shutoff > vms/copy/state && says h1 copy "shut off"
  reads vms/copy/memory "$(<vms/base/memory)" && reads vms/copy/vcpus "$(<vms/base/vcpus)"
  [[ $(<vms/copy/uuid) != $(<vms/base/uuid) && $(<vms/copy/nics/eth0/mac) != $(<vms/base/nics/eth0/mac) ]]
  reads vms/copy/disks/vda/source /var/lib/libvirt/images/copy-vda.qcow2'
ok 'a linked one' '
  mkdir vms/link && echo vms/base > vms/link/image && echo linked > vms/link/clone && echo running > vms/link/state
  says h1 link running'
no 'which would break if the other ran' EBUSY 'echo running > vms/base/state'
ok 'as is said' 'tells vms/base/error "link-vda.qcow2 is based on the disk vda of base"'
no 'or lost its disk' EBUSY 'purge base'
ok 'in the right order all is well' 'purge link copy && echo running > vms/base/state'
no 'one that runs cannot be cloned' EBUSY '
  mkdir vms/copy && echo vms/base > vms/copy/image && echo running > vms/copy/state'
rmdir vms/copy
ok 'but a snapshot of its disks can' '"$top/examples/clone-golden" base copy "$PWD" && says h1 copy running
  reads vms/copy/disks/vda/source /var/lib/libvirt/images/copy-vda.qcow2 && ! ls vms/base/snapshots | grep -v kind'
base() { content h1 "$(<vms/base/disks/vda/source)"; } # what it has counted to
eventually 60 '[[ $(base) -ge 4715 ]]'
ok 'a snapshot with memory' 'mkdir vms/base/snapshots/then'
then=$(base)
eventually 30 '[[ $(base) -ge $((then + 3)) ]]'
echo destroy >vms/base/ctl
ok 'its disks, too, once it is shut off' '
  purge copy && mkdir vms/copy && echo vms/base/snapshots/then > vms/copy/image && echo shutoff > vms/copy/state
  was=$(content h1 /var/lib/libvirt/images/copy-vda.qcow2) is=$(base)
  ((was <= then + 1 && was < is)) && lists vms/copy/snapshots kind'
ok 'all of it goes' 'rmdir vms/base/snapshots/then && purge base copy && [[ $(inventory) == "$before" ]]'

# --- A definition, a name ------------------------------------------------------------------------

ok 'a complete definition' '
  mkdir vms/given && tiny_xml other > vms/given/xml && echo shutoff > vms/given/state
  [[ $(on h1 list --all --name; on h2 list --all --name; on h3 list --all --name) =~ given ]]'
ok 'another name' 'mv vms/given vms/renamed && reads vms/renamed/state shutoff && gone vms/given'
no 'not one that is taken' EEXIST 'mkdir vms/taken && mv -T vms/renamed vms/taken'
ok 'gone' 'rmdir vms/renamed vms/taken && [[ $(inventory) == "$before" ]]'

# --- cloud-init ----------------------------------------------------------------------------------

secret='password: s3cret'
ok 'documents for cloud-init' '
  mkdir vms/cloud && boots cloud && echo 1M > vms/cloud/disk_size && echo "$secret" > vms/cloud/cloud-init/user-data
  echo running > vms/cloud/state && reads vms/cloud/cloud-init/user-data "$secret"'
host=$(basename "$(readlink vms/cloud/host)")
in_seed() { lab exec "$host" grep -aqF -- "$1" "$(<vms/cloud/disks/sdz/source)"; }
ok 'are on a disk of the guest' 'in_seed "$secret" && in_seed "local-hostname: cloud" && in_seed CIDATA'
first=$(<vms/cloud/disks/sdz/source)
ok 'another takes its place, while it runs' '
  echo "runcmd: [date]" > vms/cloud/cloud-init/user-data && in_seed "runcmd: [date]" && ! in_seed "$secret"
  says "$host" cloud running && ! lab exec "$host" test -e "$first"'
ok 'nobody else reads them' '
  [[ $(stat -c %a vms/cloud/cloud-init/user-data) == 600 ]] && ! grep -q runcmd vms/cloud/xml'
dies
ok 'they outlive virfs' 'soon "reads vms/cloud/cloud-init/user-data \"runcmd: [date]\""'
ok 'what is to be purged, too' '
  echo destroy > vms/cloud/ctl && echo purge > vms/cloud/ctl'
dies
ok 'all of it goes, the disk for cloud-init too' '
  soon "reads vms/cloud/state shutoff" && rmdir vms/cloud && [[ $(inventory) == "$before" ]]'

# --- Killed --------------------------------------------------------------------------------------

lab exec h1 sh -c "head -c 400M /dev/urandom >/run/big && qemu-img convert -O qcow2 /run/big $VIRFS_LAB/shared/big.qcow2 && rm /run/big"
for host in "${hosts[@]}"; do echo refresh >"hosts/$host/pools/shared/ctl"; done
before=$(inventory)
for pause in 0.01 0.1 0.3 0.8 1.5; do
  mkdir vms/victim
  boots victim
  echo shared/big.qcow2 >vms/victim/image
  begin running vms/victim/state
  sleep "$pause"
  dies
  ok "virfs is killed $pause s into the making of a guest: it is there, or its draft" '
    state=$(<vms/victim/state) && [[ $state =~ ^(draft|running|paused|shutoff)$ ]]'
  ok 'which can be made then, and leaves nothing' '
    echo running > vms/victim/state && says "$(basename "$(readlink vms/victim/host)")" victim running
    purge victim && [[ $(inventory) == "$before" ]]'
done
for pause in 0.05 0.15 0.25; do
  mkdir vms/victim
  boots victim
  echo shared/big.qcow2 >vms/victim/image
  begin running vms/victim/state
  sleep "$pause"
  dies
  ok "killed after $pause s it can also go, and leaves nothing" '
    if reads vms/victim/state draft; then rmdir vms/victim; else purge victim; fi
    [[ $(inventory) == "$before" ]]'
done

# --- A new store ---------------------------------------------------------------------------------

mkdir vms/stays
boots stays
echo running >vms/stays/state
echo 'the one' >vms/stays/title
uuid=$(<vms/stays/uuid)
cd / && umount "$scratch/mnt" && wait "$(pid)"
rm -r "$scratch/store"
start_program
ok 'the store is deleted: the guest is the same' '
  lists vms stays && reads vms/stays/uuid "$uuid" && reads vms/stays/title "the one"
  reads vms/stays/state running && purge stays && [[ $(inventory) == "$before" ]]'

finish
