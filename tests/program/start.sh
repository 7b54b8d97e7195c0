#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# start: where nothing can be mounted the program says why and ends, with all that it has begun: what
# watches, samples and keeps. Prints TAP.

set -u
export LC_ALL=C.UTF-8
virfs=$(realpath "$1")

[[ -w /dev/fuse ]] || { echo '1..0 # SKIP /dev/fuse cannot be used'; exit 0; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/mnt"
printf '%s\n' '[virfs]' "store=$scratch/store" '[host t]' 'uri=test:///default' >"$scratch/conf"

number=0
# DESCRIPTION WORDS OPTION...: it fails, and says WORDS and nothing else, but what libfuse says.
fails() {
  local output status
  number=$((number + 1))
  output=$(timeout -k 5 60 "$virfs" -f -c "$scratch/conf" "${@:3}" 2>&1)
  status=$?
  output=$(grep -v '^fuse: ' <<<"$output")
  if ((status == 1)) && [[ $output == virfs:*"$2"* && $output != *$'\n'* ]]; then
    echo "ok $number - $1"
  else
    echo "not ok $number - $1"
    echo "# status $status, ${output//$'\n'/$'\n'# }"
  fi
}

for round in 1 2 3 4 5; do
  fails "no such mountpoint ($round)" "$scratch/none" "$scratch/none"
  fails "no such option ($round)" nonsense -o nonsense "$scratch/mnt"
done
echo "1..$number"
