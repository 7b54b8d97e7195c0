#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# The history of a real guest: what it writes is in there, once, whatever is started again meanwhile.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 1
guest w1 h1 --agent --wait
mount_tree metrics_interval=1

history=vms/w1/metrics/history
agent() { on h1 qemu-agent-command w1 "$1"; } # JSON
runs() { # SHELL COMMANDS in the guest, until they have ended; fails as they do
  local pid
  pid=$(agent "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/sh\",\"arg\":[\"-c\",\"$1\"]}}" | tr -dc 0-9)
  eventually 60 "ended $pid" && grep -q '"exitcode":0' "$scratch/exec"
}
ended() { agent "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":$1}}" >"$scratch/exec" && grep -q '"exited":true' "$scratch/exec"; }
total() { awk -F '\t' 'NR > 1 { sum += $5 } END { printf "%.0f\n", sum }' "$history/$1/disk_write_bytes.tsv"; } # RANGE
written() { on h1 domstats w1 --block | sed -n 's/^ *block.0.wr.bytes=//p'; }
near() { # A B PERCENT
  local difference=$(($1 > $2 ? $1 - $2 : $2 - $1))
  ((difference * 100 <= $2 * $3)) || { echo "$1 is not near $2"; return 1; }
}
rows() { grep -c '^[0-9]' "$history/hour/cpu_time.tsv"; }

ok 'the agent answers' 'eventually 60 "agent '\''{\"execute\":\"guest-ping\"}'\''"'
ok 'it is sampled though nobody reads metrics' 'eventually 30 "((\$(rows) >= 3))"'
hour=$(total hour) day=$(total day) before=$(written)
ok '64 MiB that it writes are 64 MiB in the last hour and day' '
  runs "for i in 1 2; do dd if=/dev/urandom of=/dev/vda bs=1M seek=4 count=32 conv=fsync; done" && sleep 3
  near $(($(written) - before)) $((64 << 20)) 1
  near $(($(total hour) - hour)) $((64 << 20)) 1 && near $(($(total day) - day)) $((64 << 20)) 1'
ok 'and in a picture' '
  tells $history/hour/disk_write_bytes.svg "<title>vms/w1: disk_write_bytes, last hour</title>"'
metric() { cat "vms/w1/metrics/$1"; }
ok 'packets that it sends' '
  sent=$(metric net_tx_packets) && runs "ping -q -c 10 192.168.122.1" && sleep 3
  (($(metric net_tx_packets) - sent >= 10 && $(metric net_tx_packets) - sent < 40))'
# As much as the host lets it have: what libvirt counts is the measure.
ok 'CPU time that it burns' '
  burnt=$(on h1 domstats w1 --cpu-total | sed -n "s/^ *cpu.time=//p") shown=$(metric cpu_time)
  runs "(while :; do :; done) & sleep 5; kill \$!; true" && sleep 3
  burnt=$((($(on h1 domstats w1 --cpu-total | sed -n "s/^ *cpu.time=//p") - burnt) / 1000000))
  shown=$(awk "BEGIN { printf \"%d\", ($(metric cpu_time) - $shown) * 1000 }")
  ((burnt > 500)) && near $shown $burnt 30'
hour=$(total hour) n=$(rows)

stop() { # in an orderly way
  cd / && kill "$(pid)" && wait "$(pid)"
}
stop
start_program
ok 'all of it is there after a restart, and goes on' '
  near "$(total hour)" "$hour" 1 && eventually 30 "((\$(rows) > $n + 1))" && near "$(total hour)" "$hour" 1'
ok 'a guest that is started again makes no step' '
  echo destroy > vms/w1/ctl && echo running > vms/w1/state && n=$(rows) && eventually 60 "((\$(rows) > $n + 3))"
  near "$(total hour)" "$hour" 5 && ! grep -q -e - $history/hour/disk_write_bytes.tsv'
ok 'host and pools, too' '
  grep -q "^[0-9]" hosts/h1/metrics/history/hour/memory_free.tsv
  for pool in hosts/h1/pools/*; do grep -q "^[0-9]" "$pool/history/day/capacity.tsv"; done'

finish
