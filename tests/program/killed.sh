#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# killed: nobody is left waiting when the program is killed while its mount is busy. Prints TAP.

set -u
virfs=$(realpath "$1")
rounds=10

[[ -w /dev/fuse ]] || { echo '1..0 # SKIP /dev/fuse cannot be used'; exit 0; }
((EUID == 0)) || { echo '1..0 # SKIP only root can end the connection of a mount everywhere'; exit 0; }
scratch=$(mktemp -d)
mnt=$scratch/mnt
mkdir "$mnt"
# shellcheck disable=SC2317 # by the trap
clean_up() {
  umount --force --lazy "$mnt" 2>/dev/null
  rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT

# Changes guests and looks at what changes, until that fails.
use() {
  cd / || return
  while echo paused >"$mnt/vms/web1/state" && echo running >"$mnt/vms/web1/state" &&
    ls "$mnt/by/state/paused" "$mnt/by/state/running" && mkdir "$mnt/vms/draft-$1" && rmdir "$mnt/vms/draft-$1"; do
    stat "$mnt/by/state/paused/web1" "$mnt/by/state/running/web1"
  done >/dev/null 2>&1
}

# Whether all of these processes are gone within five seconds.
gone() {
  local pid tries
  for ((tries = 0; tries < 250; tries++)); do
    for pid; do
      [[ ! -d /proc/$pid || $(cut -d ' ' -f 3 "/proc/$pid/stat" 2>/dev/null) == Z ]] || break
      [[ $pid != "${!#}" ]] || return 0
    done
    sleep 0.02
  done
  return 1
}

# What those have begun may take a moment longer.
unmounted() {
  local tries
  for ((tries = 0; tries < 250; tries++)); do
    ! umount "$mnt" 2>/dev/null || return 0
    sleep 0.02
  done
  return 1
}

echo "1..$rounds"
for ((round = 1; round <= rounds; round++)); do
  "$virfs" -f --demo "$mnt" 2>>"$scratch/log" &
  daemon=$!
  until [[ -e $mnt/vms/web1 ]]; do
    kill -0 $daemon || { echo "Bail out! $(tail -n 1 "$scratch/log")"; exit 1; }
    sleep 0.02
  done
  users=()
  for ((i = 0; i < 4; i++)); do
    use $i &
    users+=($!)
  done
  sleep "0.$((RANDOM % 4 + 1))"
  kill -9 $daemon
  if gone "${users[@]}" && unmounted; then
    echo "ok $round - killed: who uses it gets errors, and it can be unmounted"
  else
    echo "not ok $round - killed: who uses it gets errors, and it can be unmounted"
    cat /proc/"$daemon"/task/*/stack 2>/dev/null | sed 's/^/# /'
    umount --force --lazy "$mnt"
  fi
  wait 2>/dev/null
done
