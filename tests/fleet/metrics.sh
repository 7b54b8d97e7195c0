#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Metrics of real guests: they agree with virsh, they move, they never fall, and a host that hangs delays no
# other.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2
guest w1 h1 --wait &
guest w2 h2 --wait &
wait
mount_tree metrics_interval=1 history=0 # what is sampled is what somebody reads

metric() { cat "vms/w1/metrics/$1"; } # NAME
whole() { local value; value=$(metric "$1") && echo "${value%.*}"; } # NAME: without its fraction
domstat() { on h1 domstats w1 "${@:2}" | sed -n "s/^ *$1=//p"; } # KEY OPTIONS
near() { # A B PERCENT
  local difference=$(($1 > $2 ? $1 - $2 : $2 - $1))
  ((difference * 100 <= $2 * $3)) || { echo "$1 is not near $2"; return 1; }
}

ok 'what virsh says is what files say' '
  eventually 10 "tells vms/w1/metrics/cpu_time ." # the first who reads may go on before there is a sample
  near "$(whole cpu_time)" "$(($(domstat cpu.time --cpu-total) / 1000000000))" 40
  near "$(metric memory_rss)" "$(($(domstat balloon.rss --balloon) * 1024))" 10
  reads vms/w1/metrics/memory_max $(($(domstat balloon.maximum --balloon) * 1024))
  reads vms/w1/metrics/vcpus "$(domstat vcpu.current --vcpu)"
  reads vms/w1/metrics/disk_capacity "$(domstat block.0.capacity --block)"'
ok 'all of them at once' '
  tells vms/w1/metrics/all "^cpu_time [0-9]+\.[0-9]{6}$" && tells vms/w1/metrics/all "^disks.vda.write_bytes [0-9]+$"
  ! grep -Ev "^[a-z0-9_.]+ [0-9.]+$" vms/w1/metrics/all'
cpu=$(whole cpu_time) written=$(metric disk_write_bytes)
ok 'they move' '
  eventually 20 "[[ \$(whole cpu_time) -gt $cpu ]]" && eventually 20 "[[ \$(metric disk_write_bytes) -gt $written ]]"
  eventually 20 "tells vms/w1/metrics/cpu_percent ^[0-9]+\\.[0-9]$"
  eventually 20 "tells vms/w1/metrics/vcpu_steal ^[0-9]+\\.[0-9]+$"'
ok 'the host, too' '
  reads hosts/h1/metrics/guests_active 1 && tells hosts/h1/metrics/cpu_idle "^[0-9]+\.[0-9]+$"
  near "$(<hosts/h1/metrics/memory_total)" "$(($(sed -n "s/^MemTotal: *\([0-9]*\).*/\1/p" /proc/meminfo) * 1024))" 2
  eventually 10 "tells hosts/h1/metrics/cpu_percent ^[0-9]+\\.[0-9]$"'

# --- Counters never fall -------------------------------------------------------------------------

# Reads until the test ends, as a scraper does.
while [[ -e $scratch/mnt/vms/w1/metrics/cpu_time ]]; do
  echo "$(whole cpu_time) $(metric disk_write_bytes) $(metric net_tx_packets)"
  sleep 0.3
done >"$scratch/seen" 2>/dev/null &
reader=$!
never_fell() { # and there was something to see
  [[ $(sort -u "$scratch/seen" | wc -l) -ge 2 ]] || { echo 'nothing moved'; return 1; }
  awk 'NF == 3 { for (i = 1; i <= 3; i++) { if ($i + 0 < last[i]) { print last[i], "to", $i; bad = 1 }
    last[i] = $i + 0 } } END { exit bad }' "$scratch/seen"
}
cpu=$(whole cpu_time)
ok 'a guest that is started again goes on counting' '
  echo destroy > vms/w1/ctl && eventually 5 "reads vms/w1/metrics/memory_rss \"\"" && reads vms/w1/metrics/steal_percent ""
  echo running > vms/w1/state && eventually 30 "[[ \$(whole cpu_time) -gt $((cpu + 1)) ]]" && never_fell'
cpu=$(whole cpu_time)
ok 'and so does one that moves' '
  echo h2 > vms/w1/migrate && leads vms/w1/host ../../hosts/h2
  eventually 30 "[[ \$(whole cpu_time) -gt $((cpu + 1)) ]]" && never_fell'

kill "$reader"
wait "$reader" 2>/dev/null

# --- Prometheus ----------------------------------------------------------------------------------

if type -P promtool >/dev/null; then
  ok 'promtool has nothing to say' '
    [[ -z $(promtool check metrics < metrics/openmetrics 2>&1) ]] && promtool check metrics < metrics/openmetrics'
else
  echo "ok $((++steps)) - promtool has nothing to say # SKIP there is no promtool"
fi
if type -P prometheus-node-exporter curl >/dev/null; then
  mkdir "$scratch/textfile"
  lab exec h1 sh -c 'cd / && echo $$ >"$1/exporter.pid" && exec prometheus-node-exporter \
    --collector.disable-defaults --collector.textfile --collector.textfile.directory="$1/textfile" \
    --web.listen-address=127.0.0.1:9100' sh "$scratch" >"$scratch/exporter" 2>&1 &
  exporter=$!
  scraped() { lab exec h1 curl -s http://127.0.0.1:9100/metrics | grep "$1"; }
  ok 'a node exporter offers it' '
    cp metrics/openmetrics "$scratch/textfile/virfs.prom"
    eventually 20 "scraped \"^virfs_vm_cpu_time_seconds_total{.*vm=.w2.\"" && scraped "node_textfile_scrape_error 0"'
  lab exec h1 kill "$(<"$scratch/exporter.pid")"
  wait "$exporter" 2>/dev/null
else
  echo "ok $((++steps)) - a node exporter offers it # SKIP there is no prometheus-node-exporter or curl"
fi
ok 'tables' '
  awk -F "\t" "NR == 1 { n = NF } NF != n { exit 1 }" metrics/vms.tsv && tells metrics/vms.tsv "^w2	h2	running	"
  tells metrics/hosts.tsv "^h1	up	"'

# --- Alarms --------------------------------------------------------------------------------------

ok 'an alarm about a metric' '
  mkdir alarms/busy && echo cpu_time > alarms/busy/metric && echo vms/w1 > alarms/busy/objects
  echo "> 0" > alarms/busy/condition && eventually 20 "leads alarms/firing/busy~w1 ../../vms/w1"
  echo "> 1000" > alarms/busy/condition && reads alarms/busy/state ok && rmdir alarms/busy && gone alarms/firing/busy~w1'
ok 'a guest that crashes raises an alarm, and ends it when it runs again' '
  lab exec h2 sh -c "kill -9 \$(cat /run/libvirt/qemu/w2.pid)"
  eventually 10 "leads alarms/firing/guest-crashed~w2 ../../vms/w2" && soon "reads vms/w2/alarms guest-crashed"
  tells events/log "vms/w2 alarm value=raised name=guest-crashed severity=critical"
  echo running > vms/w2/state && eventually 10 "gone alarms/firing/guest-crashed~w2" && reads vms/w2/alarms ""'
cat >"$scratch/hook" <<HOOK
#!/bin/sh
echo "\$VIRFS_OBJECT \$VIRFS_STATE \$VIRFS_VALUE \$VIRFS_MOUNTPOINT" >>$scratch/hooked
HOOK
chmod 755 "$scratch/hook"
echo 1 >alarms/host-lost/duration
echo "$scratch/hook" >alarms/host-lost/hook

# --- A host that hangs ---------------------------------------------------------------------------

daemon=$(lab pid h1)
ok 'a host that hangs delays no other' '
  kill -STOP "$daemon"; start=$(now)
  tells vms/w2/metrics/cpu_time "^[0-9]" && (($(now) - start < 1000000))
  eventually 15 "reads hosts/h1/metrics/all \"\"" && start=$(now) && tells metrics/openmetrics "^virfs_vm_cpu_time_seconds_total.vm=.w2"
  (($(now) - start < 3000000)); eventually 10 "leads alarms/firing/host-lost~h1 ../../hosts/h1"; kill -CONT "$daemon"'
kill -CONT "$daemon"
ok 'and its alarm is cleared' '
  eventually 20 "gone alarms/firing/host-lost~h1" && tells "$scratch/hooked" "^hosts/h1 raised unreachable $scratch/mnt\$"
  eventually 10 "tells $scratch/hooked \"^hosts/h1 cleared up \""'
ok 'and is back' 'eventually 20 "reads hosts/h1/state up" && eventually 10 "tells hosts/h1/metrics/all ^guests_active"'
announce 'virfs: h1: '

finish
