#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Networks and pools of the fleet: defined once, on all hosts, mended where somebody has changed them, given to a
# host that joins.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 3 xmllint dnsmasq
tiny w1 h1
mount_tree
n=networks/lan p=pools/fast

stored() { on "$1" net-dumpxml "$2" --inactive | xmllint --xpath "$3" - 2>/dev/null; } # HOST NETWORK XPATH
runs() { [[ $(on "$1" net-info "$2" | sed -n "s/^Active: *//p") == yes ]]; } # HOST NETWORK
active() { for host; do runs "$host" lan || { echo "no lan runs on $host"; return 1; }; done; }

xml='<network><name>lan</name><forward mode="open"/><ip address="192.168.160.1" prefix="24">
  <dhcp><range start="192.168.160.10" end="192.168.160.99"/></dhcp></ip></network>'

# --- What hosts have -----------------------------------------------------------------------------

ok 'what hosts have is seen' '
  reads networks/default/state seen && reads networks/default/drift ""
  reads networks/default/present "h1 active
h2 active
h3 active"
  tells pools/default/present "^h2 active"'
no 'a name that is taken' EEXIST 'mkdir networks/default'
no 'it is not the fleet that has it' EBUSY 'rmdir networks/default'
ok 'it becomes the one of the fleet' '
  echo adopt h1 > networks/default/ctl && reads networks/default/state defined && reads networks/default/drift ""
  reads networks/default/address 192.168.122.1/24 && ! grep -q uuid networks/default/xml'
ok 'and is it no more' 'echo forget > networks/default/ctl && reads networks/default/state seen && runs h1 default'

# --- A network -----------------------------------------------------------------------------------

no 'XML of another' EINVAL 'mkdir $n && cp /dev/stdin $n/xml <<<"<network><name>x</name></network>"'
ok 'written once, it stands on three hosts' '
  reads $n/state draft && echo "$xml" > $n/xml && active h1 h2 h3 && reads $n/state defined && reads $n/drift ""
  reads $n/present "h1 active
h2 active
h3 active" && reads $n/dhcp "192.168.160.10 192.168.160.99" && reads hosts/h2/networks/lan/autostart 1'
ok 'what virsh changes is drift' '
  on h2 net-update lan delete ip-dhcp-range "<range start=\"192.168.160.10\" end=\"192.168.160.99\"/>" --config
  on h2 net-update lan add ip-dhcp-range "<range start=\"192.168.160.10\" end=\"192.168.160.50\"/>" --config
  polled "tells $n/drift \"^h2 network/ip/dhcp/range/@end is 192.168.160.50, not 192.168.160.99\$\""
  ! grep -q "h1\|h3" $n/drift'
ok 'which repair mends' '
  echo repair > $n/ctl && reads $n/drift "" && [[ $(stored h2 lan "string(//range/@end)") == 192.168.160.99 ]]'
ok 'so it is while it runs' '
  on h3 net-update lan add dns-host "<host ip=\"192.168.160.7\"><hostname>x</hostname></host>" --live
  polled "tells $n/drift \"^h3 running: network/dns is there, but not wanted\$\""
  echo repair h3 > $n/ctl && reads $n/drift ""'
ok 'one that was stopped, and one that was removed' '
  on h1 net-destroy lan && soon "reads $n/drift \"h1 inactive\""
  on h2 net-destroy lan && on h2 net-undefine lan && soon "tells $n/drift \"^h2 missing\$\""
  echo repair h1 > $n/ctl && reads $n/drift "h2 missing" && echo repair > $n/ctl && reads $n/drift "" && active h1 h2 h3'
ok 'attributes of the definition' '
  echo 192.168.160.10 192.168.160.88 > $n/dhcp && tells $n/drift "^h1 .*/@end is 192.168.160.99, not 192.168.160.88\$"
  echo repair > $n/ctl && reads $n/drift "" && [[ $(stored h3 lan "string(//range/@end)") == 192.168.160.88 ]]'
no 'one that cannot be' EINVAL 'echo 10.0.0.2 10.0.0.9 > $n/dhcp'
no 'one that does not start' EIO '
  sed s/192.168.160/192.168.122/g <<<"$xml" > $n/xml && tells $n/drift "^h1 network/ip/@address is 192.168.160.1" && echo repair > $n/ctl'
ok 'what was there before is put back, and runs' '
  tells error "cannot start the network lan: .*; what was there before is defined again, and runs\$" && active h1 h2 h3
  for host in h1 h2 h3; do [[ $(stored $host lan "string(//ip/@address)") == 192.168.160.1 ]]; done
  ! grep -q inactive $n/drift && echo "$xml" > $n/xml && echo repair > $n/ctl && reads $n/drift ""'
ok 'drafted with attributes' '
  mkdir networks/dmz && echo 192.168.161.1/24 > networks/dmz/address && echo h1 h2 > networks/dmz/hosts
  echo define > networks/dmz/ctl && runs h1 dmz && runs h2 dmz && ! runs h3 dmz 2>/dev/null && reads networks/dmz/drift ""'
ok 'rmdir takes it away' 'rmdir networks/dmz && gone networks/dmz && ! on h1 net-info dmz 2>/dev/null && gone hosts/h2/networks/dmz'

# --- Pools ---------------------------------------------------------------------------------------

ok 'a pool' '
  mkdir $p && echo /var/lib/libvirt/fast > $p/path && echo define > $p/ctl && reads $p/drift ""
  for host in h1 h2 h3; do [[ $(on $host pool-info fast | sed -n "s/^State: *//p") == running ]]; done'
ok 'its drift' '
  on h3 pool-destroy fast && soon "reads $p/drift \"h3 inactive\"" && echo repair > $p/ctl && reads $p/drift ""
  on h3 pool-autostart fast --disable && polled "reads $p/drift \"h3 autostart is 0, not 1\"" && echo repair > $p/ctl && reads $p/drift ""'

no 'one that cannot be made' ENOENT 'echo /proc/fast > $p/path && echo repair > $p/ctl'
ok 'its hosts have what they had' '
  tells error "cannot start the pool fast: .*; what was there before is defined again, and runs\$"
  for host in h1 h2 h3; do [[ $(on $host pool-info fast | sed -n "s/^State: *//p") == running ]]; done
  tells $p/drift "^h2 pool/target/path is /var/lib/libvirt/fast, not /proc/fast" && ! grep -q inactive $p/drift
  echo /var/lib/libvirt/fast > $p/path && reads $p/drift ""'

# --- What libvirt makes of a definition ----------------------------------------------------------

# It adds defaults, writes addresses its own way, and drops what it does not know.
varied() {
  cat <<'XML'
<network><name>v-nat</name><title>dropped</title><forward><nat><port start="1024" end="65535"/></nat></forward><dns><txt name="t" value="x y"/><host ip="192.168.163.5"><hostname>a</hostname></host></dns><ip address="192.168.163.1" netmask="255.255.255.0"><dhcp><range start="192.168.163.10" end="192.168.163.99"/><host mac="52:54:00:AA:bb:01" name="one" ip="192.168.163.100"/></dhcp></ip></network>
<network><name>v-route</name><forward mode="route" dev="lo"/><bridge stp="off" delay="2"/><ip address="192.168.164.1" prefix="24"/><ip family="ipv6" address="FD00:164:0::1" prefix="64"/></network>
<network ipv6="yes"><name>v-isolated</name><domain name="d" localOnly="yes"/><mtu size="1400"/><port isolated="yes"/></network>
<network><name>v-bridge</name><forward mode="bridge"/><bridge name="ovs0"/><virtualport type="openvswitch"/><vlan trunk="yes"><tag id="7"/><tag id="8" nativeMode="untagged"/></vlan><portgroup name="ops"><vlan><tag id="1"/></vlan><bandwidth><inbound average="1000"/></bandwidth></portgroup></network>
<network><name>v-macvtap</name><forward dev="eth0" mode="private"/></network>
<pool type="dir"><name>v-dir</name><target><path>/var/lib/libvirt/v-dir/</path><permissions><mode>0711</mode></permissions></target></pool>
<pool type="fs"><name>v-fs</name><source><device path="/dev/loop77"/></source><target><path>/var/lib/libvirt/v-fs</path></target></pool>
<pool type="netfs"><name>v-nfs</name><source><host name="nfs.example"/><dir path="/export/"/></source><target><path>/var/lib/libvirt/v-nfs</path></target></pool>
<pool type="logical"><name>v-lvm</name><source><device path="/dev/loop78"/></source></pool>
<pool type="iscsi"><name>v-iscsi</name><source><host name="iscsi.example"/><device path="iqn.2013-06.com.example:x"/></source><target><path>/dev/disk/by-path</path></target></pool>
XML
}
define_varied() {
  local line name dir
  while read -r line; do
    name=${line#*<name>} name=${name%%</name>*} dir=${line%%[ >]*} dir=${dir#<}s
    mkdir "$dir/$name" || return
    [[ $name =~ nat|route|isolated|dir ]] || echo 0 >"$dir/$name/autostart"
    echo "$line" >"$dir/$name/xml" || return
    [[ ! -s $dir/$name/drift ]] || { echo "$line" && cat "$dir/$name/drift" && return 1; }
  done < <(varied)
}
ok 'is no drift, whatever it is' 'define_varied'
ok 'what somebody changes of it is, and nothing else' '
  on h2 net-update v-nat delete ip-dhcp-host "<host mac=\"52:54:00:AA:bb:01\"/>" --config
  polled "tells networks/v-nat/drift ^h2" && reads networks/v-nat/drift "h2 network/ip/dhcp/host is not there"
  echo repair > networks/v-nat/ctl && reads networks/v-nat/drift ""'
ok 'they go' 'for it in networks/v-* pools/v-*; do rmdir $it; done'

# --- Migration -----------------------------------------------------------------------------------

ok 'a guest in it may go where it is' '
  mkdir vms/w1/nics/lan && echo lan > vms/w1/nics/lan/network && reads vms/w1/migrate "h2
h3"'
no 'it is not removed while it is used' EBUSY 'rmdir $n'
ok 'by whom, is told' '
  lists $n/used_by w1 && leads $n/used_by/w1 ../../../vms/w1 && [[ $n/used_by/w1 -ef vms/w1 ]] && lists $p/used_by
  tells error "vms/w1 uses lan; networks/lan/used_by lists all that do\$"
  mkdir vms/w1/disks/vdb && echo fast > vms/w1/disks/vdb/pool && echo 1M > vms/w1/disks/vdb/size && tells vms/w1/disks/vdb/source ^/var/lib/libvirt/fast/
  lists $p/used_by w1 && ! rmdir $p && tells error "vms/w1 uses fast; pools/fast/used_by" && rmdir vms/w1/disks/vdb && lists $p/used_by'
ok 'but not where it is not' '
  on h2 net-destroy lan && soon "reads vms/w1/migrate h3"'
no 'and this is why' ENOENT 'echo h2 > vms/w1/migrate'
ok 'as the error says' 'tells vms/w1/error "h2 has no active network lan" && echo repair > $n/ctl && reads vms/w1/migrate "h2
h3"'

# --- A host that joins ---------------------------------------------------------------------------

ok 'a host that joins is given both' '
  lab up 4 >"$scratch/conf4" && uri=$(sed -n "/host h4/,\$s/^uri *= *//p" "$scratch/conf4")
  mkdir hosts/h4 && echo "$uri" > hosts/h4/uri && eventually 20 "reads $n/drift \"\" && tells $n/present \"^h4 active\""
  eventually 20 "tells $p/present \"^h4 active\"" && active h4'
ok 'what is removed there on purpose stays so' '
  on h4 net-destroy lan && on h4 net-undefine lan && soon "tells $n/drift \"^h4 missing\$\""
  on h4 net-list --all --name | { ! grep -q lan; }'
ok 'it outlives virfs' 'true'
dies
ok 'all of it' '
  reads $n/state defined && eventually 20 "reads $n/drift \"h4 missing\"" && ! on h4 net-info lan 2>/dev/null
  echo repair h4 > $n/ctl && reads $n/drift ""'

# --- A host that comes back empty ----------------------------------------------------------------

wipe() { # HOST: what libvirt has of it, but for how it is set up
  lab crash "$1" && rm -rf "$VIRFS_LAB/$1"/etc/{qemu,storage,nwfilter,secrets} && lab start "$1"
}
ok 'what defines a host is kept' '
  tiny w4 h4 && on h4 autostart w4 && on h4 secret-define /dev/stdin <<<"<secret ephemeral=\"no\" private=\"yes\"><usage type=\"volume\"><volume>/x</volume></usage></secret>"
  on h4 net-define /dev/stdin <<<"<network><name>own</name></network>"
  polled "tells hosts/h4/profile/list \"^vms/w4 autostart\$\" && tells hosts/h4/profile/list \"^networks/own\$\" && tells hosts/h4/profile/list \"^secrets/\""
  tells hosts/h4/profile/list "^pools/fast autostart active\$" && tells hosts/h4/profile/vms.xml "<name>w4</name>"
  xmllint --noout hosts/h4/profile/*.xml && [[ $(stat -c %s hosts/h4/profile/vms.xml) == $(wc -c <hosts/h4/profile/vms.xml) ]]'
ok 'what is removed on purpose is kept no more' '
  on h4 net-undefine own && polled "! grep -q own hosts/h4/profile/list" && reads hosts/h4/restore ""'
ok 'a host that comes back empty' '
  wipe h4 && eventually 20 "reads hosts/h4/state up && [[ -n \$(<hosts/h4/restore) ]]"
  gone vms/w4 && tells hosts/h4/profile/list "^vms/w4 autostart\$"'
ok 'is given what the fleet defines by itself' 'eventually 20 "tells $n/present \"^h4 active\" && tells $p/present \"^h4 active\""'
ok 'the rest may be restored' '
  tells hosts/h4/restore "^vms/w4\$" && tells hosts/h4/restore "^pools/default\$" && ! grep -q "lan\|fast" hosts/h4/restore'
no 'what it has never had is not' ENOENT 'echo vms/w9 > hosts/h4/restore'
ok 'it still may when virfs has ended meanwhile' 'true'
dies
ok 'one of it' '
  eventually 20 "reads hosts/h4/state up && [[ -n \$(<hosts/h4/restore) ]]"
  echo vms/w4 > hosts/h4/restore && says h4 w4 "shut off" && [[ $(on h4 dominfo w4 | sed -n "s/^Autostart: *//p") == enable ]] && reads vms/w4/state shutoff'
ok 'all of it, with a job' '
  echo all > hosts/h4/restore && grep -qx restore jobs/*/operation && reads hosts/h4/restore "" && reads hosts/h4/pools/default/state running
  [[ -n $(on h4 secret-list) ]] && eventually 20 "tells hosts/h4/profile/list \"^pools/default autostart active\$\""'
finish
