#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Programs that know nothing of guests go over the whole tree: they read all of it, and break nothing.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 rsync getfattr
guest w1 h1 --wait
tiny 'a guest & more' h1
tiny .hidden h2
tiny twin h1
tiny twin h2
mount_tree poll_interval=600 history=0 # what is read twice is compared: a disk that grows would differ
echo 'Über' >vms/w1/title
echo paused >vms/%2Ehidden/state
echo h9 2>/dev/null >vms/w1/migrate # an error to be read, a job, and events
set -o pipefail

quietly() { # COMMAND...: succeeds and says nothing on standard error
  "$@" 2>"$scratch/said" >"$scratch/output"
  status=$?
  [[ $status == 0 && ! -s $scratch/said ]] || {
    echo "$1: status $status, $(head -n 5 "$scratch/said") after $(tail -n 5 "$scratch/output")"
    return 1
  }
}

# --- Reading -------------------------------------------------------------------------------------

ok 'ls -lR' 'quietly ls -lR . && grep -q "migrate$" "$scratch/output"'
ok 'find -ls' 'quietly find . -ls && (($(wc -l < "$scratch/output") > 200))'
ok 'grep -r' 'quietly grep -r . . && grep -q "^./vms/w1/state:running$" "$scratch/output"'
ok 'du, file sizes and a checksum of everything' '
  quietly du -a . && quietly find . -type f -exec md5sum {} +'
ok 'tar' 'quietly tar cf "$scratch/tar" . && quietly tar tf "$scratch/tar" && grep -qx ./vms/w1/xml "$scratch/output"'
ok 'cp -a' 'quietly cp -a . "$scratch/cp" && reads "$scratch/cp/vms/w1/title" Über'
ok 'rsync -a' 'quietly rsync -a ./ "$scratch/rsync/" && reads "$scratch/rsync/vms/twin~h2/state" shutoff'
ok 'rsync again has nothing to do but for what is measured' '
  quietly rsync -a --itemize-changes ./ "$scratch/rsync/" && ! grep "vms/" "$scratch/output" | grep -v "/placement$"'
ok 'getfattr tells what every file is for' '
  quietly find . ! -type l -exec getfattr --only-values -n user.virfs.help {} + && [[ -s $scratch/output ]]'
ok 'what is in the copies is what the files say' '
  mkdir "$scratch/tarred" && tar xf "$scratch/tar" -C "$scratch/tarred"
  for copy in cp rsync tarred; do
    quietly diff -r --no-dereference --exclude=placement --exclude=metrics vms "$scratch/$copy/vms"
  done'
ok 'every size is exact' '
  find . -type f ! -name memory_free ! -name cpu_load ! -name placement -printf "%s %p\n" | while read -r size file; do
    [[ $(wc -c < "$file") == "$size" ]] || { echo "$file is not $size bytes long"; false; }
  done'
ok 'names with blanks and ampersands lead where they should' '
  find -L hosts/*/vms -maxdepth 2 -name uuid -print0 | xargs -0 cat | sort | uniq -d > "$scratch/output" && [[ ! -s $scratch/output ]]
  reads "hosts/h1/vms/a guest & more/state" shutoff && reads hosts/h2/vms/%2Ehidden/state paused'

for host in h1 h2; do kill -STOP "$(lab pid "$host")"; done
ok 'no host is asked: they all hang' '
  timeout 3 tar cf "$scratch/tar" . && timeout 3 grep -rq running . && timeout 3 rsync -a ./ "$scratch/rsync/"'
for host in h1 h2; do kill -CONT "$(lab pid "$host")"; done
ok 'they go on' 'eventually 10 "reads hosts/h1/state up && reads hosts/h2/state up"'

# --- Writing -------------------------------------------------------------------------------------

all_guests() { # as libvirt has them
  local host name
  for host in h1 h2; do
    on "$host" list --all --name | grep . | sort | while read -r name; do
      echo "$host $name $(on "$host" domstate "$name") $(on "$host" dominfo "$name" | grep Autostart)"
      on "$host" dumpxml "$name"
      on "$host" dumpxml --inactive "$name"
    done
  done
}

unchanged() {
  diff <(echo "$before") <(all_guests) && lists hosts h1 h2 && reads vms/w1/state running
  reads hosts/h1/uri "$uri" && reads vms/w1/shutdown_timeout 60
}

before=$(all_guests) uri=$(cat hosts/h1/uri)

ok 'rm -rf of a guest' '! rm -rf vms/w1 2>/dev/null && unchanged'
ok 'rm -rf of everything' '! rm -rf ./* 2>/dev/null && unchanged'
ok 'find -delete' '! find vms jobs by events -delete 2>/dev/null && unchanged'
ok 'mv, ln, touch and chmod' '
  ! mv vms/w1 vms/w9 2>/dev/null && ! mv vms/w1/state "$scratch/state" 2>/dev/null
  ! ln -s w1 vms/w8 2>/dev/null && ! touch vms/w1/new 2>/dev/null
  touch vms/w1/state && ! chmod 777 vms/w1/state 2>/dev/null && unchanged'
ok 'writing back a copy of all that it had' '
  for file in vms/w1/*; do
    [[ ! -w $file || $file == */ctl || $file == */migrate || ! -s $file || -L $file ]] || cp "$file" "$scratch/copy"
    [[ ! -e $scratch/copy ]] || cp "$scratch/copy" "$file" || echo "$file"
    rm -f "$scratch/copy"
  done && unchanged'

# Garbage is no command, in no file.
garbage() {
  head -c 300 /dev/urandom | tr -d '\n' | { printf '\xff\xfe'; cat; echo; }
  printf '%s\n' '-7' '99999999999999999999' '1e9' '0x10' '%s%n' '../../etc/passwd' '$(reboot)' 'running running' "$(head -c 200 /dev/zero | tr '\0' A)"
}

# What takes any word: names that users choose.
writable() { find . -type f -perm -u=w ! -name title ! -name description ! -name tags ! -name portgroups ! -path '*/cloud-init/*'; }

ok 'there is something to write to' '(($(writable | wc -l) > 50))'
# migrate says that there is no such host.
ok 'garbage in every file is refused' '
  garbage | split -l 1 - "$scratch/garbage."
  writable | while read -r file; do
    for text in "$scratch"/garbage.*; do
      ! cat "$text" > "$file" || { echo "$file takes $(head -c 50 "$text")"; false; }
    done
  done 2>"$scratch/said"
  ! grep -vE "Invalid argument|No such file|resource busy" "$scratch/said"'
ok 'and changes nothing' unchanged
ok 'texts take no bytes that are no text' '
  for file in vms/*/title vms/*/description; do
    ! printf "\xff\xfe\n" > "$file" && ! printf "bad \\\\escape\n" > "$file"
  done 2>/dev/null
  unchanged'
ok 'empty writes' '
  for file in vms/w1/state vms/w1/ctl vms/w1/migrate vms/w1/memory vms/w1/xml; do : > "$file"; done
  unchanged'

finish
