#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# again: killed and started again at once, the program takes away what it had left and is mounted alone; one that
# lives is left alone. Prints TAP.

# shellcheck disable=SC2317 # check calls functions
set -u
export LC_ALL=C.UTF-8
virfs=$(realpath "$1")

[[ -w /dev/fuse ]] || { echo '1..0 # SKIP /dev/fuse cannot be used'; exit 0; }
((EUID == 0)) || { echo '1..0 # SKIP only root can end the connection of a mount everywhere'; exit 0; }
scratch=$(mktemp -d)
mnt="$scratch/a \\ mount" # escaped in /proc/mounts
mkdir "$mnt"
clean_up() {
  kill -9 "${clients[@]}"
  while find_daemon; do
    kill -9 "$daemon"
    sleep 0.05
  done
  while umount --force --lazy "$mnt"; do :; done
  rm -rf --one-file-system "$scratch"
} 2>/dev/null
clients=()
trap clean_up EXIT

number=0
check() { # DESCRIPTION COMMAND...
  number=$((number + 1))
  if "${@:2}" >"$scratch/output" 2>&1; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    sed 's/^/# /' "$scratch/output" "$scratch/log"
  fi
}

mounts() { grep -cF " $scratch/" /proc/mounts; }
answers() { [[ $(mounts) == 1 && $(timeout 10 cat "$mnt/vms/web1/state") == running ]]; }
# It returns when the tree is there, or says why it cannot be.
start() { timeout -k 5 60 "$virfs" --demo "$mnt" >>"$scratch/log" 2>&1; }
find_daemon() { # the guard is called otherwise
  for daemon in $(pgrep -f "^$virfs --demo $scratch/"); do
    [[ $(<"/proc/$daemon/comm") != virfs ]] || return 0
  done
  return 1
} 2>/dev/null
begin() { start && answers && find_daemon; }
# It has its working directory there, and this a file.
attend() {
  (cd "$mnt/vms" && exec sleep 1000) &
  clients+=($!)
  exec 9<"$mnt/vms/web1/state"
}
again() { # SECONDS
  kill -9 "$daemon"
  sleep "$1"
  begin
}

refused() {
  local output status
  output=$(timeout -k 5 60 "$virfs" -f --demo "$mnt" 2>&1)
  status=$?
  echo "status $status, $output"
  ((status == 1)) && [[ $output == *"$mnt is mounted by another virfs" && $(mounts) == 1 ]]
}

# It does nothing, and nobody can know whether it will.
stopped() {
  local output status
  kill -STOP "$daemon"
  output=$(timeout -k 5 60 "$virfs" -f --demo "$mnt" 2>&1)
  status=$?
  kill -CONT "$daemon"
  echo "status $status, $output"
  ((status == 1)) && [[ $output == *'which does not answer'* ]] && answers
}

# Of several at once one is mounted.
together() {
  local pid begun=0 pids=()
  for _ in 1 2 3 4; do
    start &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    ! wait "$pid" || begun=$((begun + 1))
  done
  echo "$begun have begun"
  ((begun == 1)) && answers
}

check 'it is mounted' begin
attend
check 'killed while somebody is in it, started at once' again 0
attend
check 'once more' again 0
attend
check 'a moment later' again 0.05
attend
check 'when the connection has ended' again 3
check 'one that lives is refused' refused
check 'and goes on' answers
check 'one that is stopped is refused' stopped
umount --lazy "$mnt"
check 'nothing is below' test "$(mounts)" = 0
check 'of several at once one begins' together
find_daemon
echo "1..$number"
