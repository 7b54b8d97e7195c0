#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# verify: the log of events outlives the program, and `virfs --verify-log` says whether it is what was
# written. Prints TAP. What is written is a draft, so no hypervisor is needed; the only host is not there.

# shellcheck disable=SC2119,SC2120,SC2317 # check calls functions
set -u
export LC_ALL=C.UTF-8
virfs=$(realpath "$1")

[[ -w /dev/fuse ]] || { echo '1..0 # SKIP /dev/fuse cannot be used'; exit 0; }
for tool in sqlite3 fusermount3; do
  type -P "$tool" >/dev/null || { echo "1..0 # SKIP there is no $tool"; exit 0; }
done
scratch=$(mktemp -d)
mnt=$scratch/mnt
mkdir "$mnt"
# shellcheck disable=SC2317 # by the trap
clean_up() {
  fusermount3 -u -z "$mnt" 2>/dev/null
  [[ -z ${daemon-} ]] || kill -9 "$daemon" 2>/dev/null
  rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT
printf '%s\n' '[virfs]' "store=$scratch/store" '[host t]' \
  "uri=qemu+unix:///system?socket=$scratch/none.sock" >"$scratch/conf"

start() { # [WHAT HAS TO BE THERE]
  "$virfs" -f -c "$scratch/conf" "$mnt" >>"$scratch/log" 2>&1 &
  daemon=$!
  until [[ -e $mnt/${1:-events/head} ]]; do
    kill -0 "$daemon" || { echo "Bail out! $(tail -n 1 "$scratch/log")"; exit 1; }
    sleep 0.02
  done
}
end() {
  stat -f "$mnt" >/dev/null # then those who watch are told nothing for a moment, and it is not busy
  fusermount3 -u "$mnt"
  wait "$daemon"
}
crash() {
  kill -9 "$daemon"
  wait "$daemon" 2>/dev/null
  fusermount3 -u -z "$mnt" 2>/dev/null
}

number=0
# DESCRIPTION STATUS WORDS COMMAND...: what it prints has WORDS, and it ends with STATUS.
check() {
  local output status
  number=$((number + 1))
  output=$("${@:4}" 2>&1)
  status=$?
  if [[ $status == "$2" && $output == *"$3"* ]]; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    echo "# status $status, $output"
  fi
}
verify() { "$virfs" -c "$scratch/conf" --verify-log "$@"; }
sql() { sqlite3 "$scratch/store/virfs.db" "$1"; }
settled() { # the head goes no further
  local head=''
  until [[ -n $head && $head == "$(<"$mnt/events/head")" ]]; do
    head=$(<"$mnt/events/head")
    sleep 0.6
  done
  echo "$head"
}

# What was done is on disk when the command returns, however the program ends then.
is_kept() {
  local round
  for round in 1 2 3 4 5; do
    start vms/draft/title
    echo "title $round" >"$mnt/vms/draft/title" || return
    crash
    [[ $(sql "SELECT count(*) FROM log WHERE text LIKE '%/title write uid=% value=\"title $round\" %'") == 1 ]] || return
    verify || return
  done
}

check 'there is no store yet' 3 'there is no store in' verify
start
check 'a write' 0 '' bash -c "mkdir $mnt/vms/draft && echo 64M >$mnt/vms/draft/memory"
saved=$(settled)
log=$(<"$mnt/events/log")
check 'beside the program' 0 "chain unbroken, head $saved" verify
check 'the head is in it' 0 'saved head contained' verify "$saved"
check 'the same with an equals sign' 0 'saved head contained' \
  "$virfs" -c "$scratch/conf" "--verify-log=$saved"
crash
check 'after a crash' 0 'saved head contained' verify "$saved"
start vms/draft/memory
check 'the log goes on where it was' 0 '' test "${log}" = "$(head -c ${#log} "$mnt/events/log")"
check 'another write' 0 '' bash -c "echo 96M >$mnt/vms/draft/memory"
end
check 'after an orderly end' 0 'saved head contained' verify "$saved"
check 'what is done is kept, whatever happens then' 0 'chain unbroken' is_kept
check 'nothing is mounted' 2 'takes no directory' "$virfs" --verify-log="$saved" "$mnt"
check 'what is no head' 2 'is not what events/head shows' verify nonsense
sql "UPDATE log SET text = replace (text, 'uid=', 'uid=1') WHERE text LIKE '%draft/memory write%64M%'"
check 'a line was edited' 1 'broken at line' verify
check 'it says what to do' 1 'Keep a copy of the store' verify
sql 'DELETE FROM log; DELETE FROM log_ends'
check 'all was deleted: a saved head tells' 1 'behind the end' verify "$saved"
echo 'store = none' >"$scratch/none"
sed -i '1i [virfs]' "$scratch/none"
check 'without a store' 3 'there is no store' "$virfs" -c "$scratch/none" --verify-log
check 'a configuration that is not there' 3 'none/' "$virfs" -c "$scratch/none/" --verify-log
echo "1..$number"
