#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Interfaces and devices of real hosts: whatever this machine has, as libvirt tells it; devices in definitions of
# guests.  Nothing is really passed through: that takes an IOMMU.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 busybox xmllint ip
guest w1 h1 --disk none
tiny off h1
mount_tree
interfaces=hosts/h1/interfaces devices=hosts/h1/devices own=vms/off/hostdevs

ip_on() { lab exec h1 ip "$@"; }
known() { on h1 nodedev-list | sort; }
stored() { on h1 dumpxml off --inactive | xmllint --xpath "$1" - 2>/dev/null; } # XPATH
# The first PCI device that is no bridge and no card of the host's that is up; nothing: there is none.
some_device() {
  local dir
  for dir in $devices/pci_*/; do
    case $(cat "$dir/class") in 0x06* | 0x01* | 0x02*) ;; *) basename "$dir" && return ;; esac
  done
}

# --- Interfaces ----------------------------------------------------------------------------------

ok 'the card of the host' '
  reads $interfaces/eth0/state up && reads $interfaces/eth0/type ethernet
  [[ $(<$interfaces/eth0/mac) == $(lab exec h1 cat /sys/class/net/eth0/address) ]]
  reads $interfaces/eth0/mtu "$(lab exec h1 cat /sys/class/net/eth0/mtu)"
  [[ ! -e $interfaces/eth0/master && ! -e $interfaces/lo ]]'
ok 'what is made for guests is not there' '
  eventually 10 "[[ -s vms/w1/nics/eth0/device ]]"
  [[ ! -e $interfaces/$(<vms/w1/nics/eth0/device) ]]'
ok 'a bridge, and what is in it' '
  ip_on link add card0 type veth peer name far0 && ip_on link add br-test type bridge
  ip_on link set card0 master br-test
  for i in card0 far0 br-test; do ip_on link set $i up; done
  polled "reads $interfaces/br-test/state up" && reads $interfaces/br-test/type bridge
  polled "reads $interfaces/br-test/slaves \"card0 up\"" && leads $interfaces/card0/master ../br-test'
ok 'a cable that is pulled is seen and told' '
  ip_on link set far0 down && polled "reads $interfaces/br-test/slaves \"card0 down\""
  polled "reads $interfaces/card0/state down"
  eventually 6 "grep -q \"hosts/h1 interface name=card0 event=down\" events/log"'
ok 'one that is gone' 'ip_on link del card0 && polled "[[ ! -e $interfaces/card0 ]]" && ip_on link del br-test'
if lab exec h1 ip link add bond-test type bond mode active-backup 2>/dev/null; then
  ok 'a degraded bond is told' '
    ip_on link add card1 type veth peer name far1 && ip_on link add card2 type veth peer name far2
    for i in card1 card2; do ip_on link set $i down; ip_on link set $i master bond-test; done
    for i in card1 card2 far1 far2 bond-test; do ip_on link set $i up; done
    polled "reads $interfaces/bond-test/state up" && ip_on link set far2 down
    polled "reads $interfaces/bond-test/state degraded"
    grep -q "interface name=bond-test event=degraded slaves=card2" events/log
    grep -q "the bond is degraded: card2" reports/attention.tsv'
else
  tell 0 'a degraded bond is told # SKIP the kernel makes no bonds here (bonding)' ''
fi

# --- Devices -------------------------------------------------------------------------------------

ok 'all that libvirt lists, but for the ends of guests NICs and loopback' '
  eventually 10 "[[ -d $devices/computer ]]"
  diff <(ls $devices) <(known | grep -vE "^net_(vnet|lo_)")'
ok 'as libvirt describes it' '
  for i in $(ls $devices); do
    diff $devices/$i/xml <(on h1 nodedev-dumpxml $i) || exit 1
  done'
device=$(some_device)
if [[ -n $device ]]; then
  address=$(<"$devices/$device/address")
  ok 'what a device is' '
    reads $devices/$device/type pci && [[ $device == pci_${address//[:.]/_} ]]
    [[ $(<$devices/$device/class) == $(<$(<$devices/$device/path)/class) ]]
    [[ $(<$devices/$device/id) == $(cut -c 3- $(<$devices/$device/path)/vendor):$(cut -c 3- $(<$devices/$device/path)/device) ]]'
  no 'a device that nobody knows' ENOENT 'mkdir $own/mine; echo pci_ffff_00_00_0 > $own/mine/device'
  no 'what no guest can have' EINVAL 'echo computer > $own/mine/device'
  ok 'it is given to a guest that is shut off' '
    echo $device > $own/mine/device && reads $own/mine/device $device && reads $own/mine/persistent 1
    reads $own/mine/live 0 && lists $devices/$device/used_by off
    [[ $(stored "string(/domain/devices/hostdev/@managed)") == yes ]]
    [[ $(stored "string(/domain/devices/hostdev/alias/@name)") == ua-mine ]]
    [[ $(stored "string(/domain/devices/hostdev/source/address/@slot)") == 0x$(cut -c 9-10 <<<$address) ]]'
  no 'not twice' EBUSY 'mkdir $own/again; echo $device > $own/again/device'
  ok 'a definition of somebody else' '
    rmdir $own/again && on h1 detach-device off /dev/stdin --config >/dev/null \
      < <(stored /domain/devices/hostdev) && soon "[[ ! -e $own/mine ]]"'
  ok 'the example' '
    PATH=$top/examples:$PATH
    give-device off $device $PWD | grep -x $device && reads $own/$device/device $device
    give-device off none $PWD && lists $own && [[ $(stored "count(/domain/devices/hostdev)") == 0 ]]'
  announce 'vms/w1/hostdevs/mine/device: cannot attach'
  ok 'where nothing can be passed through nothing has changed' '
    mkdir vms/w1/hostdevs/mine
    if echo $device > vms/w1/hostdevs/mine/device; then
      rmdir vms/w1/hostdevs/mine
    else
      reads vms/w1/hostdevs/mine/live 0 && reads vms/w1/hostdevs/mine/persistent 0
      [[ $(on h1 dumpxml w1 --inactive | grep -c "<hostdev") == 0 ]] && rmdir vms/w1/hostdevs/mine
    fi' 2>/dev/null
fi

# --- Teams, and disks of the host ---------------------------------------------------------------

nic_of() { on h1 dumpxml w1 --inactive | xmllint --xpath "$1" - 2>/dev/null; } # XPATH

no 'a team is made while the guest is shut off' EBUSY 'echo persistent > vms/w1/nics/eth0/team'
ok 'a NIC that stays when the card beside it goes' '
  echo destroy > vms/w1/ctl && echo persistent > vms/w1/nics/eth0/team && reads vms/w1/nics/eth0/team persistent
  [[ $(nic_of "string(/domain/devices/interface/teaming/@type)") == persistent ]]
  [[ $(nic_of "string(/domain/devices/interface/alias/@name)") == ua-eth0 ]]
  echo running > vms/w1/state && reads vms/w1/nics/eth0/team persistent && lists vms/w1/nics eth0
  echo destroy > vms/w1/ctl && echo > vms/w1/nics/eth0/team
  [[ $(nic_of "count(/domain/devices/interface/teaming)") == 0 ]]'
no 'what is no virtual function' EINVAL 'mkdir vms/w1/nics/vf; echo computer > vms/w1/nics/vf/vf'
ok 'a LUN with all its commands' '
  mkdir vms/off/disks/sda && echo lun > vms/off/disks/sda/device && echo /dev/virfs-test > vms/off/disks/sda/source
  reads vms/off/disks/sda/device lun && reads vms/off/disks/sda/type block
  [[ $(stored "string(/domain/devices/disk/@device)") == lun ]]
  [[ $(stored "string(/domain/devices/disk/source/@dev)") == /dev/virfs-test ]]
  [[ $(stored "count(/domain/devices/controller[@type=\"scsi\"])") == 1 ]]
  rmdir vms/off/disks/sda'

finish
