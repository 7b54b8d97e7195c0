#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2317 # the steps are evaluated later
#
# A host is emptied while its guests run, and filled again; also when that is cut off.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 3 xmllint
guest w1 h1 --wait &
for name in a b c d e idle; do tiny "$name" h1; done
for name in a b c d e; do on h1 start "$name" >/dev/null || exit 1; done
wait
mount_tree

running=(a b c d e w1)
all=(a b c d e idle w1)

# What somebody sees of all that run who looks a hundred times a second.
look() {
  local name state
  while [[ ! -e $scratch/stop ]]; do
    for name in "${running[@]}"; do
      { read -r state <"vms/$name/state"; } 2>/dev/null || state=missing
      echo "$name $state"
    done
    sleep 0.01
  done >"$scratch/seen"
}

always_ran() {
  (($(wc -l <"$scratch/seen") > 100)) && ! grep -vxE '[a-z0-9]+ (running|paused)' "$scratch/seen" | sort | uniq -c | grep .
}

all_run() { # HOST: no guest runs there, each does elsewhere
  local name
  [[ -z $(on "$1" list --all --name) ]] || { on "$1" list --all; return 1; }
  for name in "${running[@]}"; do
    reads "vms/$name/state" running || return
    tells <(readlink "vms/$name/host") 'hosts/h[23]$' || return
  done
}

# --- Before --------------------------------------------------------------------------------------

ok 'the plan says where each would go' '
  [[ $(cut -f 1 hosts/h1/drain_plan | tail -n +2 | sort | tr "\n" " ") == "a b c d e idle w1 " ]]
  [[ $(sed -n 2p hosts/h1/drain_plan | cut -f 1) == w1 && $(tail -n 1 hosts/h1/drain_plan | cut -f 1) == idle ]]
  ! tail -n +2 hosts/h1/drain_plan | cut -f 4 | grep -vxE "h[23]"
  [[ $(tail -n +2 hosts/h1/drain_plan | cut -f 4 | sort -u | wc -l) == 2 ]]'
ok 'the verdict on each host is a table' '
  tells vms/w1/migrate_verdict "^h1	no	the guest is on h1 already$" && tells vms/w1/migrate_verdict "^h2	yes	$"'

# --- Away and back -------------------------------------------------------------------------------

eventually 30 '[[ $(last_tick h1 w1) -ge 2 ]]' >/dev/null
look &
looker=$!
ok 'one write empties a host' 'echo 1 > hosts/h1/return && echo 1 > hosts/h1/maintenance && all_run h1 && lists hosts/h1/vms'
ok 'its job has a part for each guest' '
  job=$(grep -lx drain jobs/*/operation) && job=${job%/operation}
  reads $job/state "done" && [[ $(cut -f 2 $job/parts | sort | uniq -c | xargs) == "7 done" ]]
  [[ $(cat jobs/*/parent | sort -u) == "${job#jobs/}" ]]'
ok 'what was moved is remembered' '[[ $(cut -f 1 hosts/h1/drained | sort | tr "\n" " ") == "a b c d e idle w1 " ]]'
no 'a guest cannot be sent there' EBUSY 'echo h1 > vms/a/migrate'
ok 'nor is that offered, and a sentence says why' '
  tells vms/a/error "h1 is in maintenance: write 0" && ! grep -x h1 vms/a/migrate
  tells vms/a/migrate_verdict "^h1	no	h1 is in maintenance" && tells vms/a/placement "^h1	.*in maintenance"'
no 'none is made there' EBUSY 'mkdir vms/new && echo h1 > vms/new/host && echo shutoff > vms/new/state'
no 'nor started' EBUSY 'rmdir vms/new && tiny late h1 && polled "reads vms/late/state shutoff" && echo running > vms/late/state'
ok 'its end brings them back' '
  on h1 undefine late && echo 0 > hosts/h1/maintenance
  lists hosts/h1/vms "${all[@]}" && says h1 w1 running && says h1 idle "shut off" && reads hosts/h1/drained ""'
touch "$scratch/stop"
wait "$looker"
ok 'each guest was always there, and none was ever stopped' always_ran

# --- Cut off -------------------------------------------------------------------------------------

ok 'bandwidth is an option of the guest' 'echo 1M > vms/w1/migration/bandwidth && reads vms/w1/migration/bandwidth 1048576'
begin 1 hosts/h1/maintenance
ok 'some are on their way' '
  eventually 20 "[[ \$(ls hosts/h1/vms | wc -l) -le 6 ]]" && grep -q "vms/w1" jobs/*/parts'
dies
lab kill h1
ok 'virfs is killed and started again, and then libvirtd: what is to be done is still known' '
  eventually 20 "reads hosts/h1/state unreachable" && reads hosts/h1/maintenance 1
  [[ $(wc -l <hosts/h1/drained) -ge 1 ]] && lab start h1 && eventually 20 "reads hosts/h1/state up"'
ok 'it goes on when both are there' '
  reads hosts/h1/maintenance 1 && eventually 20 "grep -lx running jobs/*/state" && eventually 30 "lists hosts/h1/vms w1"
  says h1 w1 running'
ok 'a migration that runs is made faster' '
  eventually 20 "grep -lx \"migrate to h[23]\" \$(grep -lx running jobs/*/state | sed s/state/operation/)"
  echo 1G > vms/w1/migration/bandwidth && eventually 30 "! grep -lx running jobs/*/state"
  lists hosts/h1/vms && all_run h1'
ok 'and all that left before are remembered' '
  eventually 5 "! grep -lx running jobs/*/state"
  [[ $(wc -l <hosts/h1/drained) == 7 ]] && echo 0 > hosts/h1/maintenance && lists hosts/h1/vms "${all[@]}"'

ok 'options that contradict each other are refused' '
  echo 1 > vms/w1/migration/tunnelled && echo 2 > hosts/h1/migration/parallel
  ! echo h2 > vms/w1/migrate && tells vms/w1/error "tunnelled does not go with parallel"
  echo > vms/w1/migration/tunnelled && echo h2 > vms/w1/migrate && says h2 w1 running
  echo > hosts/h1/migration/parallel && echo h1 > vms/w1/migrate'

echo 1M > vms/w1/migration/bandwidth
no 'Ctrl-C ends it' EINTR 'timeout --signal INT 4 bash -c "trap : INT; echo 1 > hosts/h1/maintenance"'
ok 'what has gone has gone, the others stay, and all run' '
  lists hosts/h1/vms w1 || [[ $(ls hosts/h1/vms) == *w1* ]]
  says h1 w1 running && tells hosts/h1/error "cancelled: [0-9] of 7 guests have left h1"
  ! grep -lx running jobs/*/state && echo > vms/w1/migration/bandwidth && echo 0 > hosts/h1/maintenance'

# --- What cannot go ------------------------------------------------------------------------------

ok 'a guest that cannot go is named' '
  on h2 net-destroy default && on h3 net-destroy default
  polled "grep -q \"^w1	.*	-	h2 has no active network\" hosts/h1/drain_plan"'
no 'the others go' EBUSY 'echo 1 > hosts/h1/maintenance'
ok 'and it is said' '
  lists hosts/h1/vms w1 && tells hosts/h1/error "1 of 7 guests stay on h1: vms/w1: h[23] has no active network default"
  on h2 net-start default && on h3 net-start default && echo 0 > hosts/h1/maintenance && lists hosts/h1/vms "${all[@]}"'

tiny_xml left | sed 's|<devices>|&<disk type="file"><driver name="qemu" type="qcow2"/>\
<source file="/var/lib/libvirt/images/left.qcow2"/><target dev="vda"/></disk>|' >"$scratch/left.xml"
on h2 vol-create-as default left.qcow2 8M --format qcow2 >/dev/null
on h2 define "$scratch/left.xml" >/dev/null
on h2 start left >/dev/null
ok 'a guest takes its disks along' '
  polled "reads vms/left/state running" && echo 1 > hosts/h2/return && echo 1 > hosts/h2/maintenance
  reads vms/left/state running && on h2 vol-list default | grep -q left.qcow2'
no 'it does not come back to what it has left behind' EBUSY 'echo 0 > hosts/h2/maintenance'
ok 'what is to be done is said there, and before anybody tries' '
  tells hosts/h2/error "1 of 1 guests did not come back to h2: vms/left: h2 has another left.qcow2 .*, rmdir hosts/h2/pools/default/volumes/left.qcow2$"
  tells vms/left/migrate_verdict "^h2	no	h2 has another left.qcow2 .*, rmdir hosts/h2/pools/default/volumes/left.qcow2$"
  tells hosts/$(basename $(readlink vms/left/host))/drain_plan "^left	running	[0-9]+	h[13]	$"'
ok 'and helps' '
  rmdir hosts/h2/pools/default/volumes/left.qcow2 && tells vms/left/migrate_verdict "^h2	yes	$"
  echo 0 > hosts/h2/maintenance && says h2 left running && echo 0 > hosts/h2/return
  echo destroy > vms/left/ctl && rmdir vms/left'

ok 'the example' '
  polled "! cut -f 4 hosts/h1/drain_plan | grep -x -- -"
  "$top/examples/drain" . h1 bash -c "ls hosts/h1/vms > $scratch/left" && [[ ! -s $scratch/left ]]
  lists hosts/h1/vms "${all[@]}"'

# --- CPUs ----------------------------------------------------------------------------------------

ok 'what all hosts have is an element for definitions' '
  polled "grep -q \"qemu x86_64: h1 h2 h3 -->\" cpu_baseline" && tells cpu_baseline "<model.*>.+</model>"
  (echo "<c>" && cat cpu_baseline && echo "</c>") | xmllint --noout -'
ok 'a CPU that no other host has is told' '
  cpu="<cpu mode=\"custom\" match=\"exact\" check=\"partial\"><model>Skylake-Server</model></cpu>"
  tiny_xml fast | sed "s|<features>|$cpu<features>|" | on h1 define /dev/stdin
  polled "grep -q \"^h2	no	h2: its CPU is not enough\" vms/fast/migrate_verdict"
  polled "reads vms/fast/migrate \"\"" && tells vms/fast/migrate_verdict "avx512"'
no 'it cannot be sent there' EOPNOTSUPP 'echo h2 > vms/fast/migrate'

finish
