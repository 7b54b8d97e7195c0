#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Events: what happens on real hosts is in the log soon, in one order for all who read it; it outlives the
# program; and whatever is done to the stored one is found.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 1 sqlite3
for name in w1 w2; do tiny $name h1; done
mount_tree

stored() { sqlite3 "$scratch/store/virfs.db" "$1"; }
verify() { "$virfs" -c "$scratch/conf" --verify-log "$@"; }
status() { "$@" >/dev/null 2>&1; echo $?; }

# --- How soon ------------------------------------------------------------------------------------

# By itself tail looks once a second, because the kernel may not tell it of others' files.
timeout 120 tail -s 0.02 -f -n +1 events/log >"$scratch/tail" 2>/dev/null &
tail=$!
timeout 120 cat events/stream >"$scratch/stream" &
stream=$!
shows() { [[ $(grep -c "vms/w1 state value=$2" "$scratch/$1") -ge $3 ]]; } # FILE STATE TIMES
appears() { # STATE TIMES: and tells how long that took after virsh had returned
  local from
  from=$(now)
  eventually 5 "shows stream $1 $2" && streamed+="$((($(now) - from) / 1000)) "
  eventually 5 "shows tail $1 $2" && tailed+="$((($(now) - from) / 1000)) "
}
streamed='' tailed=''
ok 'tail -f has begun' 'eventually 5 "grep -q hosts/h1 $scratch/tail"'
for round in 1 2 3 4 5; do
  on h1 start w1 >/dev/null && appears running $round
  on h1 destroy w1 >/dev/null && appears shutoff $round
done
echo "# what virsh has done is in stream after $streamed ms, and tail -f shows it after $tailed ms"
ok 'each virsh start and destroy is shown by stream and tail -f' '
  [[ $(wc -w <<<"$streamed") == 10 && $(wc -w <<<"$tailed") == 10 ]]'
kill $tail $stream

# --- What is told --------------------------------------------------------------------------------

ok 'a write: who, what, before, after' '
  echo running > vms/w1/state
  tells events/log "Z vms/w1/state write uid=0 value=running old=shutoff new=running outcome=ok$"'
ok 'and its job' 'tells events/log "Z vms/w1 begun job=[0-9]+ uid=0" && tells events/log "Z vms/w1 done job=[0-9]+ uid=0"'
no 'what is refused' EBUSY 'rmdir vms/w1'
ok 'too' 'tells events/log "Z vms/w1 remove uid=0 outcome=EBUSY reason=.w1 is running"'
ok 'of a guest and of a host' '
  tells vms/w1/events "vms/w1/state write" && ! grep -q w2 vms/w1/events
  [[ $(grep -c . vms/w1/events) == $(grep -cE "^[^ ]* vms/w1[ /]" events/log) ]]
  tells hosts/h1/events "hosts/h1 state value=up"'
ok 'as JSON' '[[ $(grep -c "^{\"time\": .*}$" events/log.json) == $(grep -c . events/log) ]]'
ok 'lines follow a guest that is renamed' '
  echo "some title" > vms/w2/title && mv vms/w2 vms/w3 && tells vms/w3/events "vms/w2/title write" && mv vms/w3 vms/w2'

# --- It outlives the program ---------------------------------------------------------------------

eventually 3 '[[ $(<events/head) == "$(verify | sed "s/.*head //")" ]]' >/dev/null
head=$(<events/head)
ok 'it is verified beside the program' 'verify "$head" | grep -q "chain unbroken"'
lines=$(cat events/log)
echo paused >vms/w1/state
dies
ok 'virfs is killed: the log goes on, and what was done last is in it' '
  [[ $(<events/log) == "$lines"* ]] && tells events/log "vms/w1/state write uid=0 value=paused .*outcome=ok"'
ok 'that is no alarm' 'verify "$head"'

# --- It is meddled with --------------------------------------------------------------------------

cd / && umount "$scratch/mnt" && wait "$(pid)"
cp "$scratch/store/virfs.db" "$scratch/copy"
meddle() { cp "$scratch/copy" "$scratch/store/virfs.db" && stored "$1" && [[ $(status verify) == 1 ]] && verify 2>&1 | grep -q "broken at"; }
ok 'one line is edited' 'meddle "UPDATE log SET text = replace (text, \"value=paused\", \"value=running\") WHERE text LIKE \"%state write%value=paused%\""'
ok 'one line is deleted' 'meddle "DELETE FROM log WHERE text LIKE \"%state write%value=paused%\""'
ok 'the end is deleted' 'meddle "DELETE FROM log WHERE position > (SELECT max (position) FROM log) - 500"'
ok 'the end is deleted well: a saved head tells' '
  cp "$scratch/copy" "$scratch/store/virfs.db" && head=$(verify | sed "s/.*head //")
  stored "DELETE FROM log WHERE position = (SELECT max (position) FROM log); UPDATE log_ends SET (position, hash) =
    (SELECT position + length (CAST (text AS BLOB)) + 1, hash FROM log ORDER BY position DESC LIMIT 1) WHERE name = \"head\""
  verify && [[ $(status verify "$head") == 1 ]]'
cp "$scratch/copy" "$scratch/store/virfs.db"
start_program
ok 'and all is well again' 'verify "$head"'

finish
