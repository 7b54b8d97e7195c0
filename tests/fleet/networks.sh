#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Networks of hosts: made, changed while guests are in them, and removed as files; leases; seen when
# somebody else changes them.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 busybox dnsmasq nsenter xmllint
guest w1 h1 --disk none --wait
mount_tree
d=hosts/h1/networks/default n=hosts/h1/networks/lab nic=vms/w1/nics/eth0

networks() { on h1 net-list --all --name | sort | xargs; }
network() { on h1 net-info "$1" | sed -n "s/^$2: *//p"; } # NETWORK KEY
stored() { on h1 net-dumpxml "$1" --inactive | xmllint --xpath "$2" - 2>/dev/null; } # NETWORK XPATH
running() { on h1 net-dumpxml "$1" | xmllint --xpath "$2" - 2>/dev/null; }
# What dnsmasq goes by; it reads that again when it is told.
dnsmasq_has() { grep -qs "$2" "$VIRFS_LAB/h1/lib/dnsmasq/$1" || { cat "$VIRFS_LAB/h1/lib/dnsmasq/$1"; return 1; }; } # FILE TEXT

# --- What there is -------------------------------------------------------------------------------

ok 'what there is' '
  lists hosts/h1/networks default && reads $d/state active && reads $d/forward open
  reads $d/bridge virbr0 && reads $d/address 192.168.122.1/24 && reads $d/autostart 1
  reads $d/dhcp "192.168.122.2 192.168.122.254" && reads $d/uuid "$(network default UUID)"'
ok 'who uses it' 'lists $d/used_by w1 && reads $d/used_by/w1/state running'
ok 'its leases' '
  mac=$(<$nic/mac)
  eventually 20 "tells $d/leases \"^20[0-9-]+T[0-9:]+Z $mac 192\\.168\\.122\\.[0-9]+ \""
  [[ $(cut -d " " -f 3 $d/leases) == "$(on h1 net-dhcp-leases default | grep -o "192[0-9.]*" | head -n 1)" ]]'
no 'a name that is taken' EEXIST 'mkdir $d'
no 'it is not removed while it is active' EBUSY 'rmdir $d'
no 'nor stopped while a guest that runs is in it' EBUSY 'echo stop > $d/ctl'
ok 'the error says which' 'tells hosts/h1/error "vms/w1 runs and has a NIC in the network default"'

# --- A network -----------------------------------------------------------------------------------

ok 'mkdir makes a draft' '
  mkdir $n && reads $n/state draft && reads $n/ctl "define
start" && [[ $(networks) == default ]]'
no 'a draft that does not say enough' EINVAL 'echo open > $n/forward; echo start > $n/ctl'
no 'an address that is none' EINVAL 'echo 192.168.150.1 > $n/address'
no 'a range outside' EINVAL '
  echo 192.168.150.1/24 > $n/address; echo 10.0.0.2 10.0.0.9 > $n/dhcp; echo start > $n/ctl'
ok 'start makes it' '
  echo 192.168.150.10 192.168.150.99 > $n/dhcp && echo lab.example > $n/domain && echo 1400 > $n/mtu
  echo 1 > $n/autostart && echo active > $n/state
  reads $n/state active && reads $n/persistent 1 && [[ $(network lab Active) == yes && $(network lab Autostart) == yes ]]
  [[ $(stored lab "string(/network/domain/@name)") == lab.example && $(stored lab "string(/network/mtu/@size)") == 1400 ]]
  tells $n/bridge "^virbr[0-9]+$"'
no 'what cannot be changed now' EBUSY 'echo 1500 > $n/mtu'
ok 'autostart' '
  on h1 net-autostart lab --disable && polled "reads $n/autostart 0" && echo 1 > $n/autostart
  [[ $(network lab Autostart) == yes ]]'
ok 'reservations, live and for the next start' '
  echo 52:54:00:00:00:07 192.168.150.7 web > $n/hosts && echo 52:54:00:00:00:08 192.168.150.8 >> $n/hosts
  reads $n/hosts "52:54:00:00:00:07 192.168.150.7 web
52:54:00:00:00:08 192.168.150.8"
  [[ $(running lab "count(//dhcp/host)") == 2 && $(stored lab "count(//dhcp/host)") == 2 ]]
  dnsmasq_has lab.hostsfile 52:54:00:00:00:07,192.168.150.7,web
  echo > $n/hosts && reads $n/hosts "" && [[ $(stored lab "count(//dhcp/host)") == 0 ]]'
ok 'names' '
  echo 192.168.150.7 web www > $n/dns && dnsmasq_has lab.addnhosts "192.168.150.7.*web.*www"
  [[ $(stored lab "count(//dns/host/hostname)") == 2 ]]'
ok 'ranges and port groups' '
  printf "%s\n" "192.168.150.10 192.168.150.99" "192.168.150.200 192.168.150.210" > $n/dhcp
  [[ $(running lab "count(//dhcp/range)") == 2 && $(stored lab "count(//dhcp/range)") == 2 ]]
  echo office > $n/portgroups && echo office default > $n/portgroups && echo guests >> $n/portgroups
  [[ $(stored lab "count(//portgroup)") == 2 && $(running lab "string(//portgroup[@default=\"yes\"]/@name)") == office ]]'
no 'VLANs, which no bridge of its own has' EINVAL 'echo office 10 > $n/portgroups'
no 'a second reservation of an address' EINVAL '
  printf "%s\n" "52:54:00:00:00:07 192.168.150.7 a" "52:54:00:00:00:08 192.168.150.7 b" > $n/hosts'
ok 'what libvirt refuses in the midst of it is told, and what was done' '
  echo > $n/hosts
  printf "%s\n" "52:54:00:00:00:07 192.168.150.7 a" "52:54:00:00:00:08 192.168.150.8 a" > "$scratch/two"
  ! cp "$scratch/two" $n/hosts
  tells hosts/h1/error "of 2 changes 1 were made"
  reads $n/hosts "52:54:00:00:00:07 192.168.150.7 a" && echo > $n/hosts'
ok 'a guest moves over' '
  echo lab > $nic/network && lists $n/used_by w1 && lists $d/used_by && echo default > $nic/network
  lists $n/used_by && lists $d/used_by w1'
ok 'it stops; then the rest can be set' '
  echo inactive > $n/state && echo inactive > $n/state && [[ $(network lab Active) == no ]]
  echo 1500 > $n/mtu && echo 1M > $n/rx_max && echo 2M > $n/rx_peak && echo fd00:150::1/64 >> $n/address
  [[ $(stored lab "string(//mtu/@size)") == 1500 && $(stored lab "string(//inbound/@average)") == 1024 ]]
  [[ $(stored lab "count(/network/ip)") == 2 && $(stored lab "count(//dhcp/range)") == 2 ]]'
no 'a peak without a limit' EINVAL 'echo 1M > $n/tx_peak'
ok 'its XML, read, written back and changed' '
  cp $n/xml "$scratch/lab.xml" && cp "$scratch/lab.xml" $n/xml
  sed "s|lab.example|other.example|" "$scratch/lab.xml" > $n/xml && reads $n/domain other.example'
no 'XML of another network' EINVAL 'sed "s|<name>lab<|<name>x<|" "$scratch/lab.xml" > "$scratch/x.xml"; cp "$scratch/x.xml" $n/xml'
ok 'rmdir undefines it' 'rmdir $n && gone $n && [[ $(networks) == default ]]'

# --- Filters -------------------------------------------------------------------------------------

fs=hosts/h1/nwfilters
filters() { on h1 nwfilter-list | awk "{ print \$2 }" | sort | xargs; }
ok 'a filter' '
  mkdir $fs/mine && [[ $(filters) != *mine* ]] && echo "<filter chain=\"root\"/>" > $fs/mine/xml
  [[ $(filters) == *mine* && -n $(<$fs/mine/uuid) ]] && cp $fs/mine/xml "$scratch/mine.xml"
  sed "s|</filter>|<rule action=\"accept\" direction=\"inout\"><tcp dstportstart=\"80\"/></rule></filter>|" "$scratch/mine.xml" > $fs/mine/xml
  on h1 nwfilter-dumpxml mine | grep -q dstportstart'
no 'XML of another' EINVAL 'sed "s|mine|yours|" "$scratch/mine.xml" > "$scratch/yours.xml"; cp "$scratch/yours.xml" $fs/mine/xml'
ok 'others see it, and it goes' '
  rmdir $fs/mine && gone $fs/mine && [[ $(filters) != *mine* ]]
  on h1 nwfilter-define "$scratch/mine.xml" && polled "reads $fs/mine/uuid \"\$(grep -o \"[0-9a-f-]\\{36\\}\" $scratch/mine.xml)\""
  on h1 nwfilter-undefine mine && polled "gone $fs/mine"'

# --- Isolation -----------------------------------------------------------------------------------

# From the host, which has an address in the network.
read -r there _ <"$VIRFS_LAB/h1/init"
address=''
reaches() { nsenter --target "$there" --net busybox ping -c 1 -W 1 "$address"; }
link() { on h1 domif-getlink w1 "$(<$nic/mac)" "$@" | sed "s/.* //"; } # [--config]

address=$(cut -d ' ' -f 3 $d/leases | head -n 1)
ok 'the guest is reached' 'eventually 10 reaches'
ok 'one write cuts off a NIC, now and for the next start' '
  echo isolated > $nic/isolation && reads $nic/isolation isolated && reads $nic/link down
  [[ $(link) == down && $(link --config) == down ]] && ! reaches'
no 'its link stays' EBUSY 'echo up > $nic/link'
ok 'one lifts it' '
  echo none > $nic/isolation && reads $nic/link up && [[ $(link) == up && $(link --config) == up ]]
  eventually 10 reaches'
find_ip() { "$top/examples/find-ip" "$1" "$PWD"; }
ok 'the example that finds a guest, by IP and MAC' '
  soon "[[ \$(find_ip $address) == \"w1 h1 running\" ]]" && [[ $(find_ip "$(tr a-f A-F <$nic/mac)") == "w1 h1 running" ]]
  ! find_ip 192.0.2.1 && ! find_ip 52:54:00:00:00:00 && "$top/examples/find-ip" --help >/dev/null
  "$top/examples/find-ip" nonsense "$PWD" || [[ $? == 2 ]]'
ok 'the example that puts one into quarantine, with evidence, and lifts it' '
  mkdir "$scratch/evidence" && kept=$("$top/examples/quarantine" w1 "$scratch/evidence" "$PWD") && ! reaches
  reads vms/w1/isolation quarantine && tells $kept/nics "^eth0 $(<$nic/mac) default $address\$" && tells $kept/xml "<name>w1<"
  tells $kept/events "vms/w1" && [[ -e $kept/log ]]
  "$top/examples/quarantine" --lift w1 "$PWD" && reads vms/w1/isolation none && eventually 10 reaches
  "$top/examples/quarantine" w1 2>/dev/null || [[ $? == 2 ]]
  "$top/examples/quarantine" w9 "$scratch/evidence" "$PWD" 2>/dev/null || [[ $? == 3 ]]'
ok 'quarantine, which new NICs are in, too' '
  echo quarantine > vms/w1/isolation && ! reaches && reads vms/w1/isolation quarantine && reads $nic/isolation isolated
  mkdir vms/w1/nics/two && echo default > vms/w1/nics/two/network
  reads vms/w1/nics/two/isolation isolated && reads vms/w1/nics/two/link down'
no 'nothing of it is lifted alone' EBUSY 'echo none > $nic/isolation'
ok 'it outlives virfs' 'true'
dies
ok 'and restarts of the guest' '
  reads vms/w1/isolation quarantine && echo reset > vms/w1/ctl && reads $nic/isolation isolated
  echo destroy > vms/w1/ctl && reads $nic/isolation isolated && echo running > vms/w1/state
  reads vms/w1/isolation quarantine && reads $nic/isolation isolated && [[ $(link) == down ]] && ! reaches'
ok 'and migration' '
  echo h2 > vms/w1/migrate && reads vms/w1/isolation quarantine && reads $nic/isolation isolated
  [[ $(on h2 domif-getlink w1 "$(<$nic/mac)" | sed "s/.* //") == down ]]
  echo h1 > vms/w1/migrate && reads $nic/isolation isolated && [[ $(link) == down && $(link --config) == down ]]'
ok 'what somebody else does is told' '
  on h1 domif-setlink w1 "$(<$nic/mac)" up && polled "reads $nic/isolation none"
  echo quarantine > vms/w1/isolation && reads $nic/isolation isolated'
ok 'lifted, all is as before' '
  echo none > vms/w1/isolation && reads vms/w1/isolation none && reads $nic/link up && reads vms/w1/nics/two/link up
  [[ $(link) == up && $(link --config) == up ]] && eventually 60 reaches
  rmdir vms/w1/nics/two && ! on h1 dumpxml w1 | grep -q "isolation>"'

# --- What goes wrong, and what others do ---------------------------------------------------------

ok 'one that does not start leaves nothing, and its draft stays' '
  mkdir $n && echo open > $n/forward && echo 192.168.122.1/24 > $n/address && ! { echo start > $n/ctl; }
  reads $n/state draft && tells hosts/h1/error "cannot start the network lab" && [[ $(networks) == default ]]'
ok 'drafts outlive virfs' 'true'
dies
ok 'here it is' 'reads $n/state draft && reads $n/address 192.168.122.1/24 && rmdir $n'
ok 'what virsh does shows' '
  on h1 net-define /dev/stdin <<<"<network><name>foreign</name><forward mode=\"open\"/><bridge name=\"virbr7\"/><ip address=\"10.7.0.1\" prefix=\"24\"/></network>"
  soon "reads hosts/h1/networks/foreign/state inactive"
  on h1 net-start foreign && soon "reads hosts/h1/networks/foreign/state active"
  on h1 net-update foreign add dns-host "<host ip=\"10.7.0.2\"><hostname>x</hostname></host>" --live --config
  polled "reads hosts/h1/networks/foreign/dns \"10.7.0.2 x\""
  on h1 net-destroy foreign && soon "reads hosts/h1/networks/foreign/state inactive"
  on h1 net-undefine foreign && soon "gone hosts/h1/networks/foreign"'
ok 'destroy stops one with guests in it' '
  echo destroy > $d/ctl && [[ $(network default Active) == no ]] && reads $d/leases "" && lists $d/used_by w1'
no 'which rmdir does not remove then' EBUSY 'rmdir $d'
ok 'nor anything, once they are off' '
  echo destroy > vms/w1/ctl && rmdir $d && lists hosts/h1/networks && [[ -z $(networks) ]]'
finish
