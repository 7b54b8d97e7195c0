#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Disks and NICs of guests: plugged in and out while they run, set, and refused.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 1 xmllint
agent=$(type -P qemu-ga)
guest w1 h1 ${agent:+--agent} --wait
guest w2 h1 --no-start
tiny deaf h1
mount_tree
d=vms/w1/disks n=vms/w1/nics v=hosts/h1/pools/shared/volumes

# The guest tells on its console which disks and NICs it has, whenever that changes.
seen() { console h1 "$1" | grep -a '^devices:' | tail -n 1 | tr -d '\r'; }
sees() { seen "$1" | grep -Eq -- "$2" || { echo "$1 sees $(seen "$1")"; return 1; }; }
misses() { ! seen "$1" | grep -Eq -- "$2" || { echo "$1 sees $(seen "$1")"; return 1; }; }

definition() { on h1 dumpxml "$1" "${@:3}" | xmllint --xpath "$2" - 2>/dev/null; } # GUEST XPATH [--inactive]
defined() { [[ $(definition "$1" "$2" --inactive) == "$3" ]] || { definition "$1" "$2" --inactive; return 1; }; }
has() { definition "$@" >/dev/null || { echo "$1 has no $2"; return 1; }; }
has_no() { ! definition "$@" >/dev/null || { echo "$1 has $2"; return 1; }; }

no_pools() { ! on h1 pool-list --all --name | grep virfs-; } # that were made for one file

# --- A guest that does not let go, which takes its time, is looked at again below -----------------

ok 'a guest without a system takes a disk' '
  echo running > vms/deaf/state && mkdir vms/deaf/disks/vda && echo 4M > vms/deaf/disks/vda/size
  reads vms/deaf/disks/vda/live 1'
{
  rmdir vms/deaf/disks/vda 2>"$scratch/said"
  echo $? >"$scratch/ended"
} &

# --- What there is -------------------------------------------------------------------------------

ok 'disks and NICs are there' '
  lists $d vda && lists $n eth0 && lists vms/w2/disks vda && lists vms/deaf/nics
  reads $d/vda/source "$VIRFS_LAB/shared/w1.qcow2" && reads $d/vda/format qcow2
  reads $d/vda/bus virtio && reads $d/vda/cache none && reads $d/vda/device disk
  reads $d/vda/live 1 && reads $d/vda/persistent 1
  reads $n/eth0/network default && reads $n/eth0/model virtio && reads $n/eth0/link up
  reads $n/eth0/mac "$(definition w1 "string(//interface/mac/@address)")"
  reads $n/eth0/device "$(definition w1 "string(//interface/target/@dev)")"'
ok 'a disk'\''s size, of guests that run and do not' '
  polled "reads $d/vda/size $((64 << 20))" && polled "reads vms/w2/disks/vda/size $((64 << 20))"
  polled "tells $d/vda/allocation \"^[1-9]\"" && reads vms/w2/disks/vda/live 0'
ok 'addresses come from the lease' '
  eventually 20 "tells $n/eth0/addresses \"^192\\.168\\.122\\.[0-9]+$\"" && reads vms/w2/nics/eth0/addresses ""'

# --- A disk is plugged in and out ----------------------------------------------------------------

ok 'mkdir makes a draft' '
  mkdir $d/vdb && lists $d vda vdb && reads $d/vdb/bus virtio && reads $d/vdb/live 0
  has_no w1 "//disk[target/@dev=\"vdb\"]"'
ok 'its attributes can be set' 'echo data-1 > $d/vdb/serial && echo unmap > $d/vdb/discard && echo 5M > $d/vdb/read_bytes_max
  reads $d/vdb/serial data-1 && reads $d/vdb/read_bytes_max $((5 << 20))'
no 'it cannot have what does not exist' EINVAL 'echo fast > $d/vdb/cache'
no 'nor be in a pool that is not there' ENOENT 'echo nowhere > $d/vdb/pool'
ok 'rmdir drops a draft' 'mkdir $d/vdz && rmdir $d/vdz && lists $d vda vdb'
no 'a name that is no target' EINVAL 'mkdir $d/mydisk'
no 'a name that is taken' EEXIST 'mkdir $d/vda'
ok 'size makes a volume and plugs it in' '
  echo 32M > $d/vdb/size
  reads $d/vdb/source "$VIRFS_LAB/shared/w1-vdb.qcow2" && reads $d/vdb/size $((32 << 20))
  reads $d/vdb/format qcow2 && reads $d/vdb/live 1 && reads $d/vdb/persistent 1
  [[ $(definition w1 "string(//disk[target/@dev=\"vdb\"]/serial)") == data-1 ]]
  defined w1 "string(//disk[target/@dev=\"vdb\"]/driver/@discard)" unmap
  on h1 vol-info --pool shared w1-vdb.qcow2 && reads $v/w1-vdb.qcow2/used_by vms/w1
  qemu-img info -U $VIRFS_LAB/shared/w1-vdb.qcow2 | grep "compat: 1.1"'
ok 'the guest sees it' 'eventually 20 "sees w1 \"vdb=$((32 << 20))\""'
ok 'it grows, and the guest sees that' '
  echo 48M > $d/vdb/size && reads $d/vdb/size $((48 << 20)) && reads $v/w1-vdb.qcow2/size $((48 << 20))
  eventually 20 "sees w1 \"vdb=$((48 << 20))\""'
ok 'du tells what it takes' '[[ $(du -sB1 $d/vdb | cut -f1) -ge $(<$d/vdb/allocation) && $(<$d/vdb/allocation) -gt 0 ]]'
no 'it does not shrink' EINVAL 'echo 16M > $d/vdb/size'
ok 'writing what is there changes nothing' 'cat $d/vdb/size > "$scratch/size" && cat "$scratch/size" > $d/vdb/size'
no 'a mode of the cache while it runs' EBUSY 'echo unsafe > $d/vdb/cache'

tune() { on h1 blkdeviotune w1 vdb "$2" | sed -n "s/^$1 *: *//p"; } # LIMIT --live|--config
ok 'limits, now and at the next start' '
  echo 10M > $d/vdb/write_bytes_max && echo 200 > $d/vdb/total_iops_max
  reads $d/vdb/write_bytes_max $((10 << 20)) && reads $d/vdb/read_bytes_max $((5 << 20))
  for which in --live --config; do
    [[ $(tune write_bytes_sec $which) == $((10 << 20)) ]]
    [[ $(tune read_bytes_sec $which) == $((5 << 20)) ]]
    [[ $(tune total_iops_sec $which) == 200 ]]
  done'
no 'a total limit beside two others' EINVAL 'echo 1M > $d/vdb/total_bytes_max'
ok 'no limit' '
  echo 0 > $d/vdb/write_bytes_max && echo 0 > $d/vdb/read_bytes_max && echo 20M > $d/vdb/total_bytes_max
  [[ $(tune total_bytes_sec --live) == $((20 << 20)) ]]'
ok 'virsh sets one behind our back' 'on h1 blkdeviotune w1 vdb --live --config --total-iops-sec 77 && soon "reads $d/vdb/total_iops_max 77"'

no 'a disk that another running guest has' EBUSY '
  mkdir vms/w2/disks/vdc && echo "$VIRFS_LAB/shared/w1.qcow2" > vms/w2/disks/vdc/source'
no 'by the name of its volume, too' EBUSY 'echo shared/w1.qcow2 > vms/w2/disks/vdc/source'
no 'one that this guest has already' EBUSY '
  mkdir $d/vdc && echo "$VIRFS_LAB/shared/w1.qcow2" > $d/vdc/source'
no 'one that does not exist' ENOENT 'echo "$VIRFS_LAB/shared/none.qcow2" > $d/vdc/source'
no 'in a directory that does not' ENOENT 'echo /nowhere/none.qcow2 > $d/vdc/source'
no 'in a pool that does not' ENOENT 'echo nowhere/none.qcow2 > $d/vdc/source'
no 'what is no source' EINVAL 'echo none > $d/vdc/source'
no 'a size that no image can have' EINVAL 'echo 3000000T > $d/vdc/size'
no 'a bus that takes nothing while the guest runs' EOPNOTSUPP 'mkdir $d/hdb; echo 1M > $d/hdb/size'
ok 'nothing was made for those' 'rmdir $d/hdb && ! ls "$VIRFS_LAB/shared" | grep hdb && no_pools && ! on h1 vol-info --pool shared w1-vdc.qcow2 2>/dev/null
  rmdir $d/vdc vms/w2/disks/vdc && lists $d vda vdb && has_no w1 "//disk[target/@dev=\"vdc\"]"'

ok 'rmdir waits until the guest has let go' '
  rmdir $d/vdb && lists $d vda && eventually 5 "misses w1 vdb="
  has_no w1 "//disk[target/@dev=\"vdb\"]" && has_no w1 "//disk[target/@dev=\"vdb\"]" --inactive'
ok 'its volume stays and can be plugged in again' '
  on h1 vol-info --pool shared w1-vdb.qcow2
  mkdir $d/vdb && echo shared/w1-vdb.qcow2 > $d/vdb/source
  reads $d/vdb/size $((48 << 20)) && reads $d/vdb/format qcow2 && eventually 20 "sees w1 \"vdb=$((48 << 20))\""'
ok 'what virsh plugs in and out shows' '
  on h1 detach-disk w1 vdb --live && soon "reads $d/vdb/live 0" && reads $d/vdb/persistent 1
  echo 55 > $d/vdb/read_iops_max && reads $d/vdb/read_iops_max 55 && echo 52M > $d/vdb/size && reads $d/vdb/size $((52 << 20))
  on h1 detach-disk w1 vdb --config && polled "lists $d vda"'
ok 'a new volume beside the old one' '
  mkdir $d/vdb && echo 8M > $d/vdb/size && reads $d/vdb/source "$VIRFS_LAB/shared/w1-vdb-2.qcow2" && rmdir $d/vdb'
ok 'a raw one in a pool of our choice' '
  mkdir $d/vdc && echo default > $d/vdc/pool && echo raw > $d/vdc/format && echo 4M > $d/vdc/size
  reads $d/vdc/source /var/lib/libvirt/images/w1-vdc.raw && reads $d/vdc/format raw && rmdir $d/vdc'

# --- A NIC is plugged in and out -----------------------------------------------------------------

ok 'mkdir and network plug a NIC in' '
  mkdir $n/lan && tells $n/lan/mac "^52:54:00:[0-9a-f:]{8}$" && echo 52:54:00:00:aa:01 > $n/lan/mac
  echo default > $n/lan/network
  lists $n eth0 lan && reads $n/lan/live 1 && reads $n/lan/persistent 1 && tells $n/lan/device "^vnet"
  defined w1 "string(//interface[2]/alias/@name)" ua-lan'
ok 'the guest sees it' 'eventually 20 "sees w1 \"eth1=52:54:00:00:aa:01\""'
ok 'its cable is pulled and plugged in' '
  echo down > $n/lan/link && reads $n/lan/link down && eventually 20 "sees w1 \"eth1=52:54:00:00:aa:01,down\""
  defined w1 "string(//interface[2]/link/@state)" down
  echo up > $n/lan/link && reads $n/lan/link up && eventually 20 "sees w1 \"eth1=52:54:00:00:aa:01\$\""'
no 'a network that does not exist' ENOENT 'echo nowhere > $n/lan/network'
no 'a filter that does not exist' ENOENT 'echo nothing > $n/lan/filter'
no 'a model that does not exist' EINVAL 'echo fast > $n/lan/model'
no 'another MAC address while it runs' EBUSY 'echo 52:54:00:00:aa:02 > $n/lan/mac'
no 'what is no MAC address' EINVAL 'echo 01:00:5e:00:00:01 > $n/lan/mac'
no 'a MAC address that another of its NICs has' EEXIST 'mkdir $n/twin; cat $n/eth0/mac > $n/twin/mac'
no 'an interface that is no bridge' EOPNOTSUPP 'echo eth0 > $n/twin/bridge'
ok 'nothing is left of those' 'rmdir $n/twin && lists $n eth0 lan && has_no w1 "//interface[3]"'
no 'a name that libvirt cannot keep' EINVAL 'mkdir "$n/my lan"'
ok 'it goes over to a bridge and back' '
  echo virbr0 > $n/lan/bridge && reads $n/lan/bridge virbr0 && reads $n/lan/network "" && reads $n/lan/type bridge
  [[ -z $agent ]] || eventually 20 "reads $n/lan/addresses fe80::5054:ff:fe00:aa01" # of the agent
  echo default > $n/lan/network && reads $n/lan/network default && reads $n/lan/bridge ""'
if lab exec h1 tc qdisc show >/dev/null 2>&1 && on h1 domiftune w1 vnet0 --inbound 1000 --live >/dev/null 2>&1; then
  on h1 domiftune w1 vnet0 --inbound 0 --live >/dev/null
  ok 'bandwidth, in whole KiB' '
    echo 1000000 > $n/lan/rx_max && reads $n/lan/rx_max $((977 * 1024)) && echo 2M > $n/lan/tx_max
    defined w1 "string(//interface[2]/bandwidth/inbound/@average)" 977
    defined w1 "string(//interface[2]/bandwidth/outbound/@average)" 2048
    echo 0 > $n/lan/rx_max && reads $n/lan/rx_max 0'
else
  echo '# the kernel has no traffic control for bandwidths'
  no 'bandwidth without what the kernel needs for it' EOPNOTSUPP 'echo 2M > $n/lan/tx_max; echo 1M > $n/lan/rx_max'
  ok 'it is set nowhere then' 'reads $n/lan/rx_max 0 && has_no w1 "//interface[2]/bandwidth/inbound" --inactive'
fi
ok 'rmdir takes it out' '
  rmdir $n/lan && lists $n eth0 && eventually 5 "misses w1 eth1="
  has_no w1 "//interface[2]" && has_no w1 "//interface[2]" --inactive'

# --- The guest that does not let go --------------------------------------------------------------

ok 'it did not, and who waited was told' 'fails 25 ETIMEDOUT'
ok 'nothing is lost, and the reason is told' '
  reads vms/deaf/disks/vda/live 1 && reads vms/deaf/disks/vda/persistent 1 && has deaf "//disk" --inactive
  tells vms/deaf/error "deaf did not let go of the device within"'
ok 'Ctrl-C ends the waiting' '
  ! timeout --signal INT 1 rmdir vms/deaf/disks/vda
  soon "tells vms/deaf/error \"cancelled: deaf has been asked to let go of the device\""'
ok 'should it let go later, that is shown' '
  echo reset > vms/deaf/ctl && soon "reads vms/deaf/disks/vda/live 0" && reads vms/deaf/disks/vda/persistent 1'
ok 'it goes when the guest is off' '
  echo destroy > vms/deaf/ctl && rmdir vms/deaf/disks/vda && lists vms/deaf/disks && has_no deaf "//disk"'

# --- Shut off ------------------------------------------------------------------------------------

ok 'a disk of a guest that is off' '
  mkdir vms/w2/disks/vdb && echo 16M > vms/w2/disks/vdb/size
  reads vms/w2/disks/vdb/live 0 && reads vms/w2/disks/vdb/persistent 1 && reads vms/w2/disks/vdb/size $((16 << 20))'
ok 'it grows' 'echo 24M > vms/w2/disks/vdb/size && reads vms/w2/disks/vdb/size $((24 << 20))'
ok 'its definition is set' '
  cd vms/w2/disks/vdb
  echo writethrough > cache && echo threads > io && echo unmap > discard && echo s1 > serial
  echo 2 > boot && echo 1 > ../vda/boot && echo 1 > readonly && reads readonly 1 && echo 0 > readonly
  reads cache writethrough && reads io threads && reads serial s1 && reads boot 2
  defined w2 "string(//disk[2]/driver/@cache)" writethrough && defined w2 "string(//disk[2]/boot/@order)" 2
  has_no w2 "//os/boot" && echo > cache && reads cache ""'
on h1 nwfilter-define /dev/stdin <<<"<filter name='quiet'/>"
ok 'and that of a NIC' '
  cd vms/w2/nics/eth0
  echo e1000 > model && echo 52:54:00:00:bb:01 > mac && echo 3 > boot && echo down > link && echo up > link
  echo quiet > filter && reads filter quiet && defined w2 "string(//filterref/@filter)" quiet && echo > filter
  echo 1000000 > rx_max && reads rx_max $((977 * 1024)) && defined w2 "string(//bandwidth/inbound/@average)" 977 && echo 0 > rx_max
  reads model e1000 && reads mac 52:54:00:00:bb:01 && defined w2 "string(//interface/model/@type)" e1000'
no 'a format that cannot be shared' EOPNOTSUPP 'echo 1 > vms/w2/disks/vdb/shareable'
ok 'what does not fit together is refused' '! { echo 1 > vms/w2/nics/eth0/boot; } && tells vms/w2/error "boot"'
ok 'several at once, and a setting meanwhile, do not take from each other' '
  for t in vde vdf vdg vdh; do (mkdir vms/w2/disks/$t && echo 1M > vms/w2/disks/$t/size) & done
  for mode in none writeback none writeback; do echo $mode > vms/w2/disks/vda/cache; done
  wait
  lists vms/w2/disks vda vd{b,e,f,g,h} && defined w2 "count(//disk)" 6 && defined w2 "string(//disk[1]/driver/@cache)" writeback
  for t in vde vdf vdg vdh; do (rmdir vms/w2/disks/$t) & done
  echo none > vms/w2/disks/vda/cache
  wait
  lists vms/w2/disks vda vdb && defined w2 "count(//disk)" 2 && rmdir $v/w2-vd[efgh].qcow2'
ok 'nor do settings of the guest itself get lost meanwhile' '
  for i in {1..12}; do echo none > vms/w2/disks/vda/cache; echo writeback > vms/w2/disks/vda/cache; done &
  for i in {1..24}; do echo $i > vms/w2/title && defined w2 "string(/domain/title)" $i; done
  wait; echo none > vms/w2/disks/vda/cache; echo > vms/w2/title'
ok 'virsh start shows it' '
  on h1 start w2 && soon "reads vms/w2/disks/vdb/live 1" && on h1 destroy w2 && soon "reads vms/w2/disks/vdb/live 0"'

# --- CD-ROM --------------------------------------------------------------------------------------

on h1 vol-create-as shared one.iso 1M --format raw >/dev/null
on h1 vol-create-as shared two.iso 2M --format raw >/dev/null
ok 'a drive' '
  mkdir vms/w2/disks/hdc && echo cdrom > vms/w2/disks/hdc/device && echo shared/one.iso > vms/w2/disks/hdc/source
  reads vms/w2/disks/hdc/source "$VIRFS_LAB/shared/one.iso" && reads vms/w2/disks/hdc/readonly 1 && echo running > vms/w2/state'
ok 'another medium' '
  eventually 40 "console h1 w2 | grep -aq \"w2 is up\"" # its firmware keeps the tray to itself
  echo "$VIRFS_LAB/shared/two.iso" > vms/w2/disks/hdc/source && reads vms/w2/disks/hdc/size $((2 << 20))
  [[ $(definition w2 "string(//disk[@device=\"cdrom\"]/source/@file)") == "$VIRFS_LAB/shared/two.iso" ]]
  defined w2 "string(//disk[@device=\"cdrom\"]/source/@file)" "$VIRFS_LAB/shared/two.iso"'
ok 'none' '
  echo > vms/w2/disks/hdc/source && reads vms/w2/disks/hdc/source "" && reads vms/w2/disks/hdc/size ""
  has_no w2 "//disk[@device=\"cdrom\"]/source/@file" && has_no w2 "//disk[@device=\"cdrom\"]/source" --inactive'
truncate -s 3M "$VIRFS_LAB/three.iso"
ok 'one that is in no pool' '
  echo "$VIRFS_LAB/three.iso" > vms/w2/disks/hdc/source && reads vms/w2/disks/hdc/size $((3 << 20)) && no_pools'
no 'a medium that does not exist' ENOENT 'echo shared/three.iso > vms/w2/disks/hdc/source'
ok 'two guests read one medium' '
  echo shared/one.iso > vms/w2/disks/hdc/source
  mkdir vms/deaf/disks/hdc && echo cdrom > vms/deaf/disks/hdc/device && echo shared/one.iso > vms/deaf/disks/hdc/source
  echo running > vms/deaf/state && says h1 deaf running'
no 'an empty drive for a guest that runs' EBUSY '
  mkdir vms/deaf/disks/sda && echo cdrom > vms/deaf/disks/sda/device && echo > vms/deaf/disks/sda/source'
no 'a drive cannot be plugged out of what runs' EOPNOTSUPP 'rmdir vms/deaf/disks/hdc'
ok 'it can when that is off' 'echo destroy > vms/deaf/ctl && rmdir vms/deaf/disks/{hdc,sda} && lists vms/deaf/disks'

# --- Killed in the middle ------------------------------------------------------------------------

for pause in 0 0.01 0.03 0.1; do
  ok "kill -9 $pause s into attaching: the tree tells the truth afterwards" "
    mkdir $d/vdk
    (echo 8M > $d/vdk/size) 2>/dev/null &
    sleep $pause; kill -9 \$(pid); wait"
  cd /
  umount --lazy "$scratch/mnt"
  start_program
  ok 'what the guest has is there, or the draft' '
    if has w1 "//disk[target/@dev=\"vdk\"]"; then
      soon "reads $d/vdk/live 1" && reads $d/vdk/persistent 1 && eventually 20 "sees w1 vdb=" && rmdir $d/vdk
    else
      soon "[[ -d $d/vdk ]]" && reads $d/vdk/live 0 && rmdir $d/vdk
    fi >/dev/null
    lists $d vda && has_no w1 "//disk[target/@dev=\"vdk\"]" --inactive'
  ok 'and the next attempt succeeds' 'mkdir $d/vdk && echo 8M > $d/vdk/size && eventually 20 "sees w1 vdb=" && rmdir $d/vdk'
done
ok 'whatever was made has a name, and no user' '
  polled "[[ \$(ls $v | grep vdk | sort) == \$(cd $VIRFS_LAB/shared && ls | grep vdk | sort) ]]"
  ! grep . $v/*vdk*/used_by && rmdir $v/*vdk* && lists $VIRFS_LAB/shared one.iso two.iso w1.qcow2 w1-vdb.qcow2 w1-vdb-2.qcow2 w2.qcow2 w2-vdb.qcow2'

mkdir "$VIRFS_LAB/wide"
(cd "$VIRFS_LAB/wide" && touch {1..5000})
ok 'kill -9 while a pool is made to look at a file that is in none' '
  mkdir vms/w2/disks/vdx && { (echo "$VIRFS_LAB/wide/17" > vms/w2/disks/vdx/source) 2>/dev/null & }
  eventually 10 "! no_pools"; kill -9 $(pid); wait'
cd /
umount --lazy "$scratch/mnt"
start_program
ok 'it is gone when virfs is back' 'eventually 10 no_pools && soon "lists hosts/h1/pools default shared"'

# --- A guest without a definition ----------------------------------------------------------------

ok 'a guest without a definition has it as long as it runs' '
  on h1 create /dev/stdin < <(tiny_xml passing) && soon "[[ -d vms/passing ]]"
  mkdir vms/passing/disks/vda && echo 4M > vms/passing/disks/vda/size
  reads vms/passing/disks/vda/live 1 && reads vms/passing/disks/vda/persistent 0
  echo destroy > vms/passing/ctl && soon "gone vms/passing" && reads hosts/h1/pools/default/volumes/passing-vda.qcow2/used_by ""'

finish
