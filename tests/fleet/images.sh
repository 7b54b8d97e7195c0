#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Images in and out by what people have, where a pool is a directory of this machine and where libvirt alone
# reaches it; guests that are made of them elsewhere; and what is left when something ends in the middle.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 qemu-img rsync
parameters='' pool=''
lab() { # the hosts' URIs have parameters
  if [[ $1 == conf ]]; then
    "$top/examples/lab" conf | sed "/^uri/s|\$|$parameters|"
  else
    "$top/examples/lab" "$@"
  fi
}

# An image as a system has one: data, holes, a size that is no multiple of anything.
make_images() {
  head -c 5000003 /dev/urandom >"$scratch/a.raw"
  truncate -s 20000001 "$scratch/a.raw"
  dd if=/dev/urandom of="$scratch/a.raw" bs=1M seek=12 count=2 conv=notrunc status=none
  qemu-img convert -O qcow2 "$scratch/a.raw" "$scratch/a.qcow2"
  qemu-img convert -O qcow2 -o cluster_size=4k "$scratch/a.raw" "$scratch/b.qcow2"
}

same() { cmp "$scratch/$1" "images/$2"; } # FILE IMAGE
sum_is() { reads "images/$2.d/sha256" "$(sha256sum <"$scratch/$1" | cut -d ' ' -f 1)"; }
images() { # what there is, but for what is known of it
  local is
  is=$(ls -A images | grep -v '\.d$' | tr '\n' ' ')
  [[ $is == "$*${*:+ }" ]] || { echo "there are: $is"; return 1; }
}
volumes() { on "$1" vol-list "$pool" | awk 'NR > 2 && NF { print $1 }' | sort | tr '\n' ' '; } # HOST
no_left() { ! { volumes h1; volumes h2; } | grep -qE 'virfs|half'; }

everybodys_tools() { # WHERE
  ok "$1: cp in: what it is, and its checksum" '
    cp "$scratch/a.raw" images/ && same a.raw a.raw && sum_is a.raw a.raw && reads images/a.raw.d/format raw
    cp "$scratch/a.qcow2" images/ && same a.qcow2 a.qcow2 && sum_is a.qcow2 a.qcow2
    reads images/a.qcow2.d/format qcow2 && reads images/a.qcow2.d/virtual_size 20000256'
  ok "$1: holes stay holes" '
    (($(stat -c %s images/a.raw) == 20000001 && $(stat -c %b images/a.raw) * 512 < 8000000))
    cp --sparse=always images/a.raw "$scratch/out" && same out a.raw && (($(du -k "$scratch/out" | cut -f 1) < 8000))'
  ok "$1: rsync, which replaces, and knows what need not be" '
    rsync -a "$scratch/a.qcow2" images/r.qcow2 && same a.qcow2 r.qcow2
    rsync -aI "$scratch/b.qcow2" images/r.qcow2 && same b.qcow2 r.qcow2'
  ok "$1: rsync in place" '
    rsync -aI --inplace "$scratch/a.qcow2" images/r.qcow2 && same a.qcow2 r.qcow2
    printf changed | dd of="$scratch/a.qcow2" bs=1 seek=3000000 conv=notrunc status=none
    rsync -aI --inplace --no-whole-file "$scratch/a.qcow2" images/r.qcow2 && same a.qcow2 r.qcow2
    rm images/r.qcow2'
  ok "$1: tar, out and in" '
    tar -C images -cSf "$scratch/t.tar" a.raw && mkdir -p "$scratch/t" && tar -C "$scratch/t" -xf "$scratch/t.tar"
    cmp "$scratch/t/a.raw" images/a.raw && rm images/a.raw && tar -C images --no-same-owner -xf "$scratch/t.tar" && same a.raw a.raw'
  ok "$1: qemu-img writes in whatever order" '
    qemu-img convert -O qcow2 "$scratch/a.raw" images/c.qcow2 && qemu-img check -q images/c.qcow2
    qemu-img compare -q "$scratch/a.raw" images/c.qcow2 && reads images/c.qcow2.d/format qcow2'
  ok "$1: and reads" '
    qemu-img convert -O raw images/c.qcow2 "$scratch/out" && qemu-img compare -q -f raw -F raw "$scratch/out" "$scratch/a.raw"'
  ok "$1: several read at once, in whatever order" '
    for i in 1 2 3; do cmp "$scratch/a.raw" images/a.raw & done
    for i in 9 3 11 0 7; do
      cmp <(dd if="$scratch/a.raw" bs=1M skip=$i count=2 status=none) <(dd if=images/a.raw bs=1M skip=$i count=2 status=none)
    done
    wait'
  ok "$1: dd in the middle" '
    dd if="$scratch/b.qcow2" of=images/a.raw bs=64k seek=17 count=3 conv=notrunc status=none
    dd if="$scratch/b.qcow2" of="$scratch/a.raw" bs=64k seek=17 count=3 conv=notrunc status=none && same a.raw a.raw'
  ok "$1: its checksum when asked for" '
    reads images/a.raw.d/sha256 "" && echo verify > images/a.raw.d/ctl && sum_is a.raw a.raw'
  ok "$1: mv, and a name with a dot is published by it" '
    cp "$scratch/b.qcow2" images/.new && images .new a.qcow2 a.raw c.qcow2 && mv images/.new images/c.qcow2
    mv images/c.qcow2 images/d.qcow2 && images a.qcow2 a.raw d.qcow2 && same b.qcow2 d.qcow2 && rm images/d.qcow2'
  qemu-img create -q -f qcow2 -b /etc/shadow -F raw "$scratch/evil.qcow2"
  head -c 300000 "$scratch/a.qcow2" >"$scratch/short.qcow2"
  printf 'QFI\373\0\0\0\3' >"$scratch/stub.qcow2"
  no "$1: what is based on a file of the host" EINVAL 'cp "$scratch/evil.qcow2" images/'
  ok "$1: as is said" 'tells error "is based on ./etc/shadow"'
  no "$1: and no mere beginning" EINVAL 'cp "$scratch/stub.qcow2" images/'
  ok "$1: nothing of these" 'soon "images a.qcow2 a.raw" && no_left'
}

interrupted() { # WHERE
  timeout -s KILL 1 dd if=/dev/urandom of=images/half.raw bs=64k count=1000000 status=none
  ok "$1: a cp that is killed leaves nothing" 'soon "images a.qcow2 a.raw" && soon no_left'
  dd if=/dev/urandom of=images/half.raw bs=64k count=1000000 status=none 2>/dev/null &
  writer=$!
  ok "$1: an upload is a job, and cancelled" '
    eventually 5 "grep -ls upload jobs/*/operation | while read f; do ! grep -qsx running \${f%operation}state || echo \$f; done | grep -q ."
    for j in jobs/*; do ! grep -qsx running $j/state || echo cancel > $j/ctl; done # others may just be forgotten
    soon "images a.qcow2 a.raw" && soon no_left'
  kill -9 $writer 2>/dev/null
  wait $writer 2>/dev/null
  cp "$scratch/a.qcow2" images/.half.qcow2
  dd if=/dev/urandom of=images/half2.raw bs=64k count=1000000 status=none 2>/dev/null &
  writer=$!
  sleep 1
  dies
  kill -9 $writer 2>/dev/null
  wait $writer 2>/dev/null
  ok "$1: what a killed virfs has left is removed when it is back" 'eventually 10 "images a.qcow2 a.raw" && eventually 5 no_left'
}

lost() { # WHERE
  dd if=<(head -c 50000000 /dev/urandom; sleep 3) of=images/half.raw bs=64k status=none 2>"$scratch/said" &
  writer=$!
  eventually 5 '[[ -e images/half.raw ]]'
  lab kill h1
  lab kill h2
  wait $writer
  ok "$1: its host goes: who writes is told" 'tells "$scratch/said" "Host is down"'
  lab start h1
  lab start h2
  ok "$1: and nothing is left when it is back" '
    eventually 20 "reads hosts/h1/state up && reads hosts/h2/state up && images a.qcow2 a.raw" && eventually 10 no_left'
}

restored() { # IMAGE: it is on the disk of g, and nothing else of it is left
  local home source
  home=$(basename "$(readlink vms/g/host)") source=$(cat vms/g/disks/vda/source)
  lab exec "$home" qemu-img compare -q "$source" "$1" && no_left &&
    [[ $(on "$home" vol-list default | awk '/g-vda/ { print $2 }') == "$source" ]]
}

guests() { # WHERE
  ok "$1: a guest is made where its image is not" '
    home=$(head -n 1 images/a.qcow2.d/host); [[ $home == h1 ]] && other=h2 || other=h1
    mkdir vms/g && echo a.qcow2 > vms/g/image && echo linked > vms/g/clone && echo 64M > vms/g/memory
    echo $other > vms/g/host && echo none > vms/g/network && echo running > vms/g/state
    says $other g running && lists images/a.qcow2.d/used_by g && lists by/image/a.qcow2 g'
  no "$1: an image that is used stays" EBUSY 'rm images/a.qcow2'
  no "$1: and has its name" EBUSY 'mv images/a.qcow2 images/x.qcow2'
  ok "$1: as is said" 'tells error "it is used by .*g-vda.qcow2"'
  no "$1: a disk that is in use is not restored" EBUSY 'cp "$scratch/b.qcow2" vms/g/disks/vda/restore'
  echo destroy >vms/g/ctl
  ok "$1: a disk is restored" '
    cp "$scratch/b.qcow2" vms/g/disks/vda/restore && restored "$scratch/b.qcow2"'
  no "$1: not with half of it" EINVAL 'head -c 1000000 "$scratch/a.raw" > vms/g/disks/vda/restore'
  ok "$1: a raw image becomes what the disk is" '
    restored "$scratch/b.qcow2" && truncate -s 20000256 "$scratch/a.raw" && cp "$scratch/a.raw" vms/g/disks/vda/restore
    restored "$scratch/a.raw" && reads vms/g/disks/vda/format qcow2 && truncate -s 20000001 "$scratch/a.raw"'
  ok "$1: without the guest it goes" '
    echo purge > vms/g/ctl && rmdir vms/g
    polled "lists images/a.qcow2.d/used_by" && rm images/a.qcow2 && images a.raw && rm images/a.raw'
}

restart() { # as lab() and POOL say now
  cd /
  eventually 20 'umount "$scratch/mnt"' || umount --lazy "$scratch/mnt" # somebody may just leave
  wait "$(pid)"
  mount_tree "images=$pool"
}

# --- A directory that is here, too ---------------------------------------------------------------

make_images
pool=shared
mount_tree "images=$pool"
everybodys_tools 'a shared directory'
ok 'what is replaced and renamed on one host the other does not bring back' '
  for i in 1 2 3 4 5 6 7 8; do
    cp "$scratch/b.qcow2" images/.new && mv images/.new images/c.qcow2 && cp "$scratch/a.qcow2" images/.new && mv images/.new images/c.qcow2
    mv images/c.qcow2 images/d.qcow2 && images a.qcow2 a.raw d.qcow2 && rm images/d.qcow2 && images a.qcow2 a.raw
  done'
ok 'both hosts have it, and it is one' '
  polled "[[ \$(tr \"\n\" + < images/a.raw.d/host) == h1+h2+ ]]" && images a.qcow2 a.raw'
interrupted 'a shared directory'
lost 'a shared directory'
guests 'a shared directory'

# --- The same by streams -------------------------------------------------------------------------

make_images
parameters='\&images=stream' pool=default
restart
everybodys_tools 'streams'
interrupted 'streams'
lost 'streams'
if has_guestfs; then
  ok 'streams: its files, and what is installed' '
    mkdir "$scratch/etc" && echo far > "$scratch/etc/hostname" && mkdir "$scratch/root" && mv "$scratch/etc" "$scratch/root"
    mke2fs -q -t ext4 -d "$scratch/root" "$scratch/fs.raw" 16M >/dev/null && cp "$scratch/fs.raw" images/
    mkdir images/fs.raw.d/files && reads images/fs.raw.d/files/sda/etc/hostname far'
  no 'streams: nothing is' ENOENT 'echo 1 > images/fs.raw.d/inspect'
  ok 'streams: its end' 'rmdir images/fs.raw.d/files && rm images/fs.raw'
else
  tell 0 'streams: its files, and what is installed # SKIP it was built without libguestfs' ''
fi
guests 'streams'
ok 'streams: with a job' 'grep -q "^copy image to h" jobs/*/operation && ! volumes h1 | grep -q a.qcow2 && ! volumes h2 | grep -q a.qcow2'

# --- A pool that is full -------------------------------------------------------------------------

lab exec h1 mkdir -p /var/lib/libvirt/small
lab exec h1 mount -t tmpfs -o size=8M tmpfs /var/lib/libvirt/small
on h1 pool-create-as small dir --target /var/lib/libvirt/small >/dev/null
pool=small
restart
no 'a full disk' ENOSPC 'dd if=/dev/urandom of=images/big.raw bs=1M count=20 status=none'
ok 'leaves nothing' 'soon images && ! volumes h1 | grep -q .'
ok 'and there is room again' 'head -c 4000000 /dev/urandom > "$scratch/fits" && cp "$scratch/fits" images/ && same fits fits && rm images/fits'
announce 'virfs: images/'
announce 'virfs: (warning: )?.*h[12] is unreachable'

finish
