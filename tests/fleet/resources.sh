#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2086,SC2119,SC2317 # the steps are evaluated later
#
# Memory, CPUs, pinning, NUMA, boot order, firmware and machine of guests: as the guest sees them, as
# libvirt has them, and refused.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 xmllint
guest w1 h1 --wait
guest w2 h1 --no-start
tiny t1 h1
on h1 setvcpus t1 2 --maximum --config
on h1 setvcpus t1 2 --config
on h1 start t1
mount_tree
g=vms/w1
most=$(($(<hosts/h1/cpus) - 1)) # the last CPU of the host

# The guest tells on its console which CPUs it uses and how much memory it has, whenever that changes.
seen() { console "$1" w1 | grep -a '^resources:' | tail -n 1 | tr -d '\r'; }
sees() { seen "$1" | grep -Eq -- "$2" || { echo "w1 sees$(seen "$1")"; return 1; }; }
seen_memory() { seen h1 | sed 's/.*memory=\([0-9]*\)kB/\1/'; }

definition() { on "$1" dumpxml "${@:4}" "$2" | xmllint --xpath "string($3)" -; } # HOST GUEST XPATH
live() { [[ $(definition h1 w1 "$1") == "$2" ]] || { definition h1 w1 "$1"; return 1; }; }
next() { [[ $(definition h1 w1 "$1" --inactive) == "$2" ]] || { definition h1 w1 "$1" --inactive; return 1; }; }
w2() { [[ $(definition h1 w2 "$1") == "$2" ]] || { definition h1 w2 "$1"; return 1; }; }
both() { live "$@" && next "$@"; }

eventually 20 'sees h1 cpus='
memory=$(seen_memory)

ok 'what there is' '
  reads $g/vcpus 1 && reads $g/vcpus_max 2 && reads $g/memory $((128 << 20))
  for file in cpuset vcpu_pins emulator_cpuset numa_nodeset numa_mode; do reads $g/$file ""; done
  reads $g/boot disk && reads $g/firmware bios && tells $g/machine "^pc-i440fx-[0-9.]+$" && sees h1 "cpus=0 "'

# --- Memory and CPUs -----------------------------------------------------------------------------

ok 'a second CPU is plugged in and used' '
  echo 2 > $g/vcpus && reads $g/vcpus 2 && eventually 20 "sees h1 \"cpus=0-1 \""
  next "//vcpu/@current" "" && next "//vcpus/vcpu[@id=1]/@hotpluggable" yes'
no 'no third one' EINVAL 'echo 3 > $g/vcpus'
no 'a new limit of CPUs while it runs' EBUSY 'echo 4 > $g/vcpus_max'
ok 'the guest gives memory back' '
  echo 104M > $g/memory && reads $g/memory $((104 << 20)) && both //currentMemory $((104 << 10))
  eventually 20 "((\$(seen_memory) == memory - (24 << 10)))"'
ok 'and gets it again' 'echo 128M > $g/memory && eventually 20 "((\$(seen_memory) == memory))"'
no 'no more than at most' EINVAL 'echo 129M > $g/memory'
no 'memory of a guest without a balloon' EBUSY 'echo 8M > vms/t1/memory'
ok 'the sentence says what it needs' 'tells vms/t1/error "balloon"'
no 'CPUs that a guest was made with' EOPNOTSUPP 'echo 1 > vms/t1/vcpus'
ok 'the sentence says when they can be taken away' 'tells vms/t1/error "while it is shut off"'

# --- Pinning -------------------------------------------------------------------------------------

# On which CPUs a thread of the guest's QEMU may run: one that is called so, or the first.
runs() { # NAME CPUS
  local qemu task is
  qemu=$(pgrep --full -- "qemu-system.* guest=w1,.*$VIRFS_LAB/") || return
  for task in "/proc/$qemu/task/"*; do
    # shellcheck disable=SC2053 # it is a pattern
    [[ $(<"$task/comm") != $1 ]] || break
  done
  is=$(sed -n 's/^Cpus_allowed_list:\s*//p' "$task/status")
  [[ $is == "$2" ]] || { echo "$1 may run on $is"; return 1; }
}

ok 'all virtual CPUs' '
  echo $most > $g/cpuset && reads $g/cpuset $most && reads $g/vcpu_pins "0 $most"$'\''\n'\''"1 $most"
  both "//vcpupin[@vcpu=0]/@cpuset" $most && both "//vcpupin[@vcpu=1]/@cpuset" $most
  runs "CPU 0/*" $most && on h1 vcpupin w1 1 --live | grep -q " $most$"'
ok 'each of them' '
  echo "0 0-$most" > $g/vcpu_pins && echo "1 0" >> $g/vcpu_pins
  both "//vcpupin[@vcpu=1]/@cpuset" 0 && runs "CPU 1/*" 0 && tells $g/vcpu_pins "^1 0$"'
ok 'written back it is the same' '
  before=$(on h1 dumpxml w1; on h1 dumpxml --inactive w1)
  for file in cpuset vcpu_pins boot machine firmware; do cat $g/$file > "$scratch/value" && cat "$scratch/value" > $g/$file; done
  diff <(echo "$before") <(on h1 dumpxml w1; on h1 dumpxml --inactive w1)'
ok 'the other threads' '
  echo 0 > $g/emulator_cpuset && reads $g/emulator_cpuset 0 && both //emulatorpin/@cpuset 0 && runs qemu-system-x86 0'
ok 'pins are taken away' '
  echo > $g/cpuset && echo > $g/emulator_cpuset
  reads $g/cpuset "" && reads $g/vcpu_pins "" && reads $g/emulator_cpuset ""
  next "count(//vcpupin | //emulatorpin)" 0 && ((most == 0)) || runs "CPU 1/*" 0-$most'
no 'CPUs that the host does not have' EINVAL 'echo 0,$((most + 1)) > $g/cpuset'
ok 'the sentence says which it has' 'tells $g/error "h1 has the CPUs 0(-$most)?, not all of 0,$((most + 1))"'
no 'virtual CPUs that the guest does not have' EINVAL 'echo 2 0 > $g/vcpu_pins'
no 'what is no set' EINVAL 'echo 0- > $g/emulator_cpuset'
ok 'nothing was changed' 'reads $g/vcpu_pins "" && reads $g/emulator_cpuset ""'
ok 'virsh pins behind our back' '
  on h1 vcpupin w1 1 0 --live --config && polled "reads $g/vcpu_pins \"1 0\"" && reads $g/cpuset ""'

# --- What needs cgroups, which the lab has not -----------------------------------------------------

no 'NUMA nodes of a guest that runs' EOPNOTSUPP 'echo 0 > $g/numa_nodeset'
no 'shares of a guest that runs' EOPNOTSUPP 'echo 100 > $g/cpu_shares'
ok 'the sentence says why' 'tells $g/error "cgroup CPU controller is not mounted" && next "count(//shares)" 0'

# --- The next start ------------------------------------------------------------------------------

ok 'boot order, of a guest that runs' '
  echo cdrom disk > $g/boot && reads $g/boot cdrom$'\''\n'\''disk && next "//os/boot[1]/@dev" cdrom && live "//os/boot[1]/@dev" hd
  echo nics/eth0 disks/vda > $g/boot && reads $g/boot nics/eth0$'\''\n'\''disks/vda
  next //interface/boot/@order 1 && next //disk/boot/@order 2 && next "count(//os/boot)" 0
  echo disk > $g/boot && next "count(//devices//boot)" 0'
no 'from a disk that is not there' EINVAL 'echo disks/vdz > $g/boot'
no 'from kinds of devices and a device' EINVAL 'echo disk nics/eth0 > $g/boot'
no 'another machine while it runs' EBUSY 'echo q35 > $g/machine'
no 'another firmware while it runs' EBUSY 'echo efi > $g/firmware'

# --- A CPU is taken away again, which takes its time; meanwhile a guest that is shut off -------------

begin 1 $g/vcpus
ok 'the guest lets go of a CPU' 'eventually 20 "sees h1 \"cpus=0 \""'

ok 'NUMA' '
  echo 0 > vms/w2/numa_nodeset && reads vms/w2/numa_mode strict && echo preferred > vms/w2/numa_mode
  reads vms/w2/numa_nodeset 0 && w2 //numatune/memory/@mode preferred
  echo > vms/w2/numa_nodeset && reads vms/w2/numa_mode "" && w2 "count(//numatune)" 0'
no 'nodes that the host does not have' EINVAL 'echo 0-99 > vms/w2/numa_nodeset'
no 'a mode for no nodes' EINVAL 'echo strict > vms/w2/numa_mode'
ok 'shares and quotas' '
  echo 512 > vms/w2/cpu_shares && echo 50000 > vms/w2/cpu_quota && echo 100000 > vms/w2/cpu_period
  w2 "concat(//shares, \" \", //quota, \" \", //period)" "512 50000 100000"
  for file in shares quota period; do echo 0 > vms/w2/cpu_$file && reads vms/w2/cpu_$file ""; done
  w2 "count(//cputune/*)" 0'
no 'shares that there are not' EINVAL 'echo 1 > vms/w2/cpu_shares'
no 'nor quotas' EINVAL 'echo 10 > vms/w2/cpu_quota'
no 'a machine that there is not' EINVAL 'echo pc-none > vms/w2/machine'
ok 'the sentence says which there are' 'tells vms/w2/error "there are: .*pc, .*q35, "'
if on h1 domcapabilities | xmllint --xpath "//os/enum[@name='firmware']/value[.='efi']" - >/dev/null 2>&1; then
  ok 'EFI and back' '
    echo efi > vms/w2/firmware && reads vms/w2/firmware efi && w2 //os/@firmware efi
    echo bios > vms/w2/firmware && reads vms/w2/firmware bios && w2 "count(//os/loader | //os/nvram)" 0'
else
  no 'a firmware that the host does not have' EINVAL 'echo efi > vms/w2/firmware'
fi
ok 'a machine with other buses' '
  echo q35 > vms/w2/machine && tells vms/w2/machine "^pc-q35-[0-9.]+$" && w2 "count(//controller[@model=\"pci-root\"])" 0
  echo 2 > vms/w2/vcpus && w2 "//vcpus/vcpu[@id=1]/@hotpluggable" yes && echo running > vms/w2/state
  eventually 20 "console h1 w2 | grep -aq \"w2 is up\"" && eventually 20 "console h1 w2 | grep -aq cpus=0-1"'
ok 'a device can be plugged into it' '
  mkdir vms/w2/disks/vdb && echo 32M > vms/w2/disks/vdb/size && eventually 20 "console h1 w2 | grep -aq vdb=$((32 << 20))"'
ok 'it is shut off' 'echo shutoff > vms/w2/state && echo pc > vms/w2/machine && tells vms/w2/machine "^pc-i440fx-[0-9.]+$"'
no 'a disk that the other family has no bus for' EOPNOTSUPP '
  mkdir vms/w2/disks/hda && echo ide > vms/w2/disks/hda/bus && echo 1M > vms/w2/disks/hda/size
  echo q35 > vms/w2/machine'
ok 'the machine is as it was' 'tells vms/w2/machine "^pc-i440fx-[0-9.]+$"'

# QEMU without KVM does not tell that a virtual CPU is gone.
if [[ $(<"$VIRFS_LAB/accel") == kvm ]]; then
  ok 'the write returns when it has' 'ends 20 && reads $g/vcpus 1 && next "//vcpu/@current" 1'
else
  ok 'the write fails when nobody says that it has' 'fails 20 ETIMEDOUT && reads $g/vcpus 2 && next "//vcpu/@current" ""'
fi

# --- What stays ----------------------------------------------------------------------------------

on h1 destroy w1
echo running >$g/state
ok 'pins and memory are set' '
  echo "0 $most" > $g/vcpu_pins && echo 0 > $g/emulator_cpuset && eventually 20 "sees h1 cpus=0-1"
  echo 104M > $g/memory'
cd / && umount "$scratch/mnt" && wait "$(pid)"
start_program
stays() {
  reads $g/vcpus 2 && reads $g/vcpu_pins "0 $most" && reads $g/emulator_cpuset 0 && reads $g/boot disk &&
    reads $g/memory $((104 << 20))
}
ok 'another virfs shows the same' stays
ok 'so it is when the guest starts again' '
  on h1 destroy w1 && soon "reads $g/state shutoff" && stays
  echo running > $g/state && eventually 20 stays && runs "CPU 0/*" $most && runs qemu-system-x86 0
  eventually 20 "sees h1 \"cpus=0-1 \""'
ok 'and when it moves' '
  echo h2 > $g/migrate && eventually 20 stays && [[ $(definition h2 w1 "//vcpupin[@vcpu=0]/@cpuset") == $most ]]
  runs "CPU 0/*" $most'
before=$(seen_memory)
ok 'its memory is changed there' 'echo 120M > $g/memory && eventually 20 "sees h2 memory=$((before + (16 << 10)))kB"'

finish
