#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Pools and volumes: made, changed and removed as files, refused while somebody uses them, and seen when
# somebody else changes them.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 qemu-img
tiny web h1
tiny other h2
mount_tree
p=hosts/h1/pools/fast v=hosts/h1/pools/fast/volumes dir=$VIRFS_LAB/fast
s=hosts/h1/pools/shared/volumes shared=$VIRFS_LAB/shared

image() { qemu-img info --force-share --output json "$1" | sed -n "s/^    \"$2\": \"*\([^\",]*\).*/\1/p"; } # FILE KEY
is_image() { [[ $(image "$1" "$2") == "$3" ]] || { echo "$2 of $1 is $(image "$1" "$2")"; return 1; }; }
pools() { on "$1" pool-list --all --name | sort | xargs; } # HOST
volumes() { on "$1" vol-list "$2" | awk '{ print $1 }' | sort | xargs; } # HOST POOL
pool_info() { on h1 pool-info "$1" | sed -n "s/^$2: *//p"; } # POOL KEY
size_of() { df --output=size -B1 "$1" | tail -n 1 | tr -d ' '; } # DIRECTORY
taken() { du --summarize --block-size 1 "$1" | cut -f 1; } # DIRECTORY

# --- A pool --------------------------------------------------------------------------------------

ok 'what there is' '
  lists hosts/h1/pools default shared && reads hosts/h1/pools/shared/path "$shared"
  reads hosts/h1/pools/default/state running && reads hosts/h1/pools/default/autostart 1
  reads hosts/h2/pools/shared/uuid "$(<hosts/h1/pools/shared/uuid)"'
no 'a name that is taken' EEXIST 'mkdir hosts/h1/pools/shared'
ok 'mkdir makes a draft, which says what can be done' '
  mkdir $p && reads $p/state draft && reads $p/type dir && reads $p/ctl "define
start" && [[ $(pools h1) == "default shared" ]]'
no 'a draft that does not say enough' EINVAL 'echo start > $p/ctl'
ok 'the error says what is missing' 'tells hosts/h1/error "needs a path"'
no 'a path that is none' EINVAL 'echo srv > $p/path'
no 'a type that there is not' EINVAL 'echo floppy > $p/type'
ok 'path and start make it, and its directory' '
  echo "$dir" > $p/path && echo running > $p/state
  reads $p/state running && reads $p/persistent 1 && [[ -d $dir && $(pool_info fast State) == running ]]'
ok 'df shows its capacity' '
  [[ $(size_of $p) == "$(<$p/capacity)" && $(size_of $v) == "$(size_of "$dir")" ]]
  [[ $(df --output=avail -B1 $p | tail -n 1) -eq $(<$p/available) ]]'
ok 'autostart' '
  echo 1 > $p/autostart && [[ $(pool_info fast Autostart) == yes ]]
  on h1 pool-autostart fast --disable && polled "reads $p/autostart 0"'
no 'it goes elsewhere only while it is stopped' EBUSY 'echo "$dir-2" > $p/path'
no 'rmdir of one that runs' EBUSY 'rmdir $p'
ok 'it stops' '
  echo inactive > $p/state && echo inactive > $p/state && [[ $(pool_info fast State) == inactive ]]
  reads $p/capacity "" && reads $p/ctl "start
build
delete"'
no 'a volume in a pool that is stopped' EBUSY 'mkdir $v/none'
ok 'now it goes elsewhere: build makes the directory, delete removes it' '
  echo "$dir-2" > $p/path && ! { echo start > $p/ctl; } && echo build > $p/ctl && echo start > $p/ctl
  [[ -d $dir-2 ]] && echo stop > $p/ctl && echo delete > $p/ctl && gone "$dir-2" && echo "$dir" > $p/path
  echo start > $p/ctl'
ok 'its XML, read, written back and changed' '
  cp $p/xml "$scratch/fast.xml" && cp "$scratch/fast.xml" $p/xml && echo stop > $p/ctl
  sed "s|$dir|$dir-3|" "$scratch/fast.xml" > $p/xml && reads $p/path "$dir-3"
  cp "$scratch/fast.xml" $p/xml && reads $p/path "$dir"'
no 'XML that is none' EINVAL 'cp /etc/passwd $p/xml'
no 'XML of another pool' EINVAL 'sed "s|>fast<|>slow<|" "$scratch/fast.xml" > "$scratch/slow.xml"; cp "$scratch/slow.xml" $p/xml'
ok 'rmdir undefines it and leaves what is in it' '
  touch "$dir/mine" && rmdir $p && gone $p && [[ $(pools h1) == "default shared" && -e $dir/mine ]]'
ok 'a pool made of XML' '
  mkdir $p && cp "$scratch/fast.xml" $p/xml && reads $p/state inactive && echo running > $p/state && lists $v mine'
ok 'refresh finds files that were put there' '
  touch "$dir/yours" && echo refresh > $p/ctl && lists $v mine yours && rmdir $v/mine $v/yours && gone "$dir/yours"'
ok 'what virsh does shows' '
  on h1 pool-define-as foreign dir --target "$VIRFS_LAB/foreign" && soon "reads hosts/h1/pools/foreign/state inactive"
  on h1 pool-build foreign && on h1 pool-start foreign && soon "reads hosts/h1/pools/foreign/state running"
  on h1 pool-destroy foreign && soon "reads hosts/h1/pools/foreign/state inactive"
  on h1 pool-undefine foreign && soon "gone hosts/h1/pools/foreign"'

# --- Pools of other types, as far as a machine without such storage can ---------------------------

draft() { mkdir hosts/h1/pools/x && echo "$1" > hosts/h1/pools/x/type; } # TYPE
define() { echo define > hosts/h1/pools/x/ctl && reads hosts/h1/pools/x/state inactive; }
x=hosts/h1/pools/x
ok 'netfs: what it needs is asked for, and libvirt takes its definition' '
  draft netfs && ! { echo nas > $x/source; } && tells hosts/h1/error "HOST:DIRECTORY"
  echo 127.0.0.1:/export > $x/source && echo "$VIRFS_LAB/nas" > $x/path'
ok 'what mount says is told, and the draft stays' '
  ! { echo start > $x/ctl; } && tells hosts/h1/error "cannot start the pool x: (mount|.*NFS)" && reads $x/state draft
  define && on h1 pool-dumpxml x | grep -q "<host name=.127.0.0.1.>*" && rmdir $x'
no 'fs: a device that there is not' ENOENT '
  draft fs && echo /dev/nothing > $x/source && echo "$VIRFS_LAB/fs" > $x/path && echo start > $x/ctl'
ok 'it can be defined all the same' 'define && rmdir $x'
ok 'logical: without a volume group it does not start, and is not built of nothing' '
  draft logical && ! { echo start > $x/ctl; } && define && ! { echo build > $x/ctl; }
  tells hosts/h1/error "write them to source" && reads $x/path /dev/x && rmdir $x'
ok 'iscsi: likewise' '
  draft iscsi && echo 127.0.0.1:iqn.2026-01.example:x > $x/source && ! { echo start > $x/ctl; }
  define && on h1 pool-dumpxml x | grep -q iqn.2026-01.example:x && rmdir $x && [[ $(pools h1) == "default fast shared" ]]'

# --- Volumes -------------------------------------------------------------------------------------

ok 'mkdir and size make one' '
  mkdir $v/a.qcow2 && reads $v/a.qcow2/size "" && gone "$dir/a.qcow2" && echo 1G > $v/a.qcow2/size
  is_image "$dir/a.qcow2" virtual-size $((1 << 30)) && is_image "$dir/a.qcow2" format qcow2
  reads $v/a.qcow2/path "$dir/a.qcow2" && reads $v/a.qcow2/used_by ""'
ok 'du shows what it takes' '
  [[ $(taken $v/a.qcow2) -ge $(<$v/a.qcow2/allocation) && $(<$v/a.qcow2/allocation) == "$(taken "$dir/a.qcow2")" ]]'
no 'a name that is taken' EEXIST 'mkdir $v/a.qcow2'
no 'a format that there is not' EINVAL 'mkdir $v/b; echo docx > $v/b/format'
no 'one that is larger than an image can be' EINVAL 'echo 3000000T > $v/b/size'
ok 'a raw one that takes all its space from the start' '
  echo raw > $v/b/format && echo 4M > $v/b/allocation && echo 4M > $v/b/size
  is_image "$dir/b" format raw && [[ $(taken $v/b) -ge $((4 << 20)) ]]'
ok 'a draft is dropped by rmdir' 'mkdir $v/c && echo raw > $v/c/format && rmdir $v/c && gone $v/c'
ok 'one grows' 'echo 2G > $v/a.qcow2/size && is_image "$dir/a.qcow2" virtual-size $((2 << 30)) && reads $v/a.qcow2/size $((2 << 30))'
no 'and does not shrink' EINVAL 'echo 1G > $v/a.qcow2/size'
ok 'a linked clone, of a name, a pool'\''s and a path' '
  for base in b fast/b "$dir/b"; do
    mkdir $v/linked && echo $base > $v/linked/backing && echo 8M > $v/linked/size
    is_image "$dir/linked" backing-filename "$dir/b" && is_image "$dir/linked" backing-filename-format raw
    reads $v/b/used_by $v/linked && reads $v/linked/backing "$dir/b" && rmdir $v/linked
  done'
no 'a raw one cannot be linked' EINVAL 'mkdir $v/linked; echo raw > $v/linked/format; echo b > $v/linked/backing; echo 8M > $v/linked/size'
no 'nor one be smaller than its base' EINVAL 'echo > $v/linked/format; echo 2M > $v/linked/size'
no 'nor be based on nothing' ENOENT 'echo nothing > $v/linked/backing'
ok 'a full clone, in another format' '
  rmdir $v/linked && head -c 4M /dev/urandom > "$dir/b" && mkdir $v/copy
  tells $v/copy/clone "^fast/b$" && echo qcow2 > $v/copy/format && echo fast/b > $v/copy/clone
  is_image "$dir/copy" format qcow2 && qemu-img compare "$dir/b" "$dir/copy" && reads $v/copy/backing ""'
no 'a clone of nothing' ENOENT 'mkdir $v/none; echo nothing > $v/none/clone'
ok 'wipe' 'rmdir $v/none && echo wipe > $v/b/ctl && cmp "$dir/b" <(head -c 4M /dev/zero) && reads $v/b/size $((4 << 20))'
ok 'rmdir deletes' 'rmdir $v/copy && gone "$dir/copy" && gone $v/copy && [[ $(volumes h1 fast) == "a.qcow2 b" ]]'
ok 'what virsh does shows within the polling interval' '
  on h1 vol-create-as fast virsh.img 1M --format raw && polled "reads $v/virsh.img/size $((1 << 20))"
  on h1 vol-resize --pool fast virsh.img 3M && polled "reads $v/virsh.img/size $((3 << 20))"
  on h1 vol-delete --pool fast virsh.img && polled "gone $v/virsh.img"'
ok 'eight at once' '
  for i in {1..8}; do (mkdir $v/p$i && echo 1M > $v/p$i/size) & done; wait
  lists $v a.qcow2 b p{1..8} && rmdir $v/p? && [[ $(volumes h1 fast) == "a.qcow2 b" ]]'
ok 'of two that make the same, one does, and the other finds it made' '
  mkdir $v/twice
  for size in 1M 2M; do (echo $size > $v/twice/size) 2>/dev/null & done; wait
  is_image "$dir/twice" virtual-size "$(<$v/twice/size)" && rmdir $v/twice'

# --- Who uses it ---------------------------------------------------------------------------------

ok 'a guest'\''s disk' '
  mkdir $s/disk && echo 8M > $s/disk/size && mkdir vms/web/disks/vda && echo shared/disk > vms/web/disks/vda/source
  reads $s/disk/used_by vms/web'
no 'it is not deleted' EBUSY 'rmdir $s/disk'
ok 'the error says by whom it is used' 'tells hosts/h1/error "the volume disk is used by vms/web"'
no 'nor on the other host that has the pool' EBUSY 'polled "[[ -d hosts/h2/pools/shared/volumes/disk ]]"; rmdir hosts/h2/pools/shared/volumes/disk'
ok 'where it is said, too' 'tells hosts/h2/error "is used by vms/web" && reads hosts/h2/pools/shared/volumes/disk/used_by vms/web'
no 'nor wiped' EBUSY 'echo wipe > $s/disk/ctl'
ok 'while the guest is off it can grow' 'echo 12M > $s/disk/size && polled "reads vms/web/disks/vda/size $((12 << 20))"'
no 'a guest of the other host does not get it while it runs' EBUSY 'echo running > vms/web/state; mkdir vms/other/disks/vdb; echo shared/disk > vms/other/disks/vdb/source'
ok 'it is told who has it' 'tells vms/other/error "is the disk vda of web already" && rmdir vms/other/disks/vdb'
no 'while it runs only as its disk' EBUSY 'echo 16M > $s/disk/size'
ok 'the error says where' '
  tells hosts/h1/error "write the size to vms/web/disks/vda/size" && echo 16M > vms/web/disks/vda/size
  is_image "$shared/disk" virtual-size $((16 << 20)) && reads $s/disk/size $((16 << 20))'
no 'nor is it copied while somebody writes to it' EBUSY 'mkdir $s/torn; echo disk > $s/torn/clone'
ok 'a chain: the base is used by what is based on it, on whatever host' '
  rmdir $s/torn && echo destroy > vms/web/ctl && rmdir vms/web/disks/vda && reads $s/disk/used_by ""
  cd hosts/h2/pools/shared/volumes && mkdir middle && echo disk > middle/backing && echo 16M > middle/size
  cd - && polled "[[ -d $s/middle ]]" && mkdir $s/top && echo middle > $s/top/backing && echo 16M > $s/top/size
  reads $s/disk/used_by "hosts/h1/pools/shared/volumes/middle
hosts/h2/pools/shared/volumes/middle" && tells $s/middle/used_by "volumes/top$"
  mkdir vms/other/disks/vda && echo shared/top > vms/other/disks/vda/source && reads $s/top/used_by vms/other'
no 'a guest that runs does not get what others are based on' EBUSY '
  echo running > vms/web/state; mkdir vms/web/disks/vdb; echo shared/middle > vms/web/disks/vdb/source'
ok 'but may read it' '
  tells vms/web/error "volumes/top is based on" && echo 1 > vms/web/disks/vdb/readonly
  echo shared/middle > vms/web/disks/vdb/source && tells $s/middle/used_by vms/web
  echo destroy > vms/web/ctl && rmdir vms/web/disks/vdb'
no 'its middle is not deleted' EBUSY 'rmdir $s/middle'
no 'nor its top, which a guest of the other host has' EBUSY 'rmdir $s/top'
ok 'the error says so' 'tells hosts/h1/error "the volume top is used by vms/other"'
ok 'from the top it can be taken down' '
  rmdir vms/other/disks/vda $s/top && polled "gone hosts/h2/pools/shared/volumes/top" && rmdir $s/middle
  polled "reads $s/disk/used_by \"\"" && rmdir $s/disk && [[ $(ls "$shared") == "" ]]'

ok 'purge takes the volumes of a guest, not what others use, and tells what is in no pool' '
  tiny gone h1 && soon "[[ -d vms/gone ]]" && qemu-img create -q -f qcow2 "$VIRFS_LAB/own.qcow2" 1M
  mkdir $s/base vms/gone/disks/vd{a,b,c} && echo 1M > $s/base/size && echo 1M > vms/gone/disks/vda/size
  echo shared > vms/gone/disks/vdb/pool && echo 1M > vms/gone/disks/vdb/size
  echo "$VIRFS_LAB/own.qcow2" > vms/gone/disks/vdc/source && reads vms/gone/disks/vdc/size $((1 << 20))
  mkdir $s/on && echo gone-vdb.qcow2 > $s/on/backing && echo 1M > $s/on/size && echo purge > vms/gone/ctl
  ! rmdir vms/gone && tells vms/gone/error "used by $s/on" && rmdir $s/on && polled "rmdir vms/gone"
  lists hosts/h1/pools/default/volumes && lists $s base && rmdir $s/base && [[ -e $VIRFS_LAB/own.qcow2 ]]
  tells events/log "vms/gone left-behind host=h1 path=$VIRFS_LAB/own.qcow2"'

# --- A disk that is full -------------------------------------------------------------------------

f=hosts/h1/pools/full
mkdir "$VIRFS_LAB/full"
lab exec h1 mount -t tmpfs -o size=2M full "$VIRFS_LAB/full"
ok 'a small pool' 'mkdir $f && echo "$VIRFS_LAB/full" > $f/path && echo start > $f/ctl && reads $f/capacity $((2 << 20))'
no 'a volume that has no room' ENOSPC 'mkdir $f/volumes/big; echo raw > $f/volumes/big/format; echo 4M > $f/volumes/big/allocation; echo 4M > $f/volumes/big/size'
ok 'nothing is left of it, and its draft can be made smaller' '
  [[ $(volumes h1 full) == "" && $(lab exec h1 ls "$VIRFS_LAB/full") == "" ]]
  echo 1M > $f/volumes/big/allocation && echo 1M > $f/volumes/big/size && reads $f/available $((1 << 20))'
no 'a disk that has no room' ENOSPC '
  lab exec h1 dd if=/dev/zero of="$VIRFS_LAB/full/fill" bs=64k status=none 2>/dev/null || true
  mkdir vms/web/disks/vda; echo full > vms/web/disks/vda/pool; echo 1G > vms/web/disks/vda/size'
ok 'nothing is left of that either' '
  [[ $(lab exec h1 ls "$VIRFS_LAB/full") == "big
fill" ]] && rmdir vms/web/disks/vda && lists vms/web/disks && ! on h1 dumpxml web | grep "<disk"
  echo stop > $f/ctl && rmdir $f'

# --- Killed in the middle ------------------------------------------------------------------------

ok 'kill -9 while a volume is copied' '
  head -c 128M /dev/zero > "$dir/large" && echo refresh > $p/ctl && mkdir $v/half
  (echo large > $v/half/clone) 2>/dev/null & eventually 5 "[[ -s $dir/half ]]"; kill -9 $(pid); wait'
cd /
umount --lazy "$scratch/mnt"
start_program
ok 'whatever there is of it has its name' '
  eventually 20 "[[ -d $v/half ]]" && reads $v/half/used_by "" && [[ $(volumes h1 fast) == "a.qcow2 b half large" ]]'
ok 'and can be deleted and made anew' '
  eventually 20 "rmdir $v/half" && gone "$dir/half" && mkdir $v/half && echo large > $v/half/clone && rmdir $v/half $v/large'
ok 'drafts are kept' 'mkdir $v/draft hosts/h1/pools/draft && echo /srv/d > hosts/h1/pools/draft/path; kill -9 $(pid); wait'
cd /
umount --lazy "$scratch/mnt"
start_program
ok 'and are there again, and nothing was made of them' '
  polled "lists hosts/h1/pools default draft fast shared" && polled "lists $v a.qcow2 b draft"
  reads hosts/h1/pools/draft/path /srv/d && reads hosts/h1/pools/draft/state draft && [[ $(volumes h1 fast) == "a.qcow2 b" ]]
  rmdir $v/draft hosts/h1/pools/draft'

# --- Many ----------------------------------------------------------------------------------------

walk() { find hosts/h1/pools -type f -exec cat {} + >/dev/null; }
ok 'a thousand volumes' '
  (cd "$dir" && touch {0001..1000}.img) && echo refresh > $p/ctl && eventually 20 "[[ $(ls $v | wc -l) == 1002 ]]"'
make_one() { mkdir $v/more && echo 1M >$v/more/size && rmdir $v/more; }
# What asks the host for each volume takes longer however often it is tried; what waits for a CPU does not.
takes() { # MICROSECONDS COMMAND: at most, at best
  local begun spent
  for _ in 1 2 3 4 5; do
    begun=$(now)
    "$2" || return
    spent=$(($(now) - begun))
    ((spent >= $1)) || return 0
  done
  echo "$2 takes $spent us"
  return 1
}
ok 'a walk over them, and making one more, take no time' 'takes 8000000 walk && takes 1000000 make_one'

# --- Nothing is left -----------------------------------------------------------------------------

ok 'all of it goes' '
  rm "$dir"/*.img && echo refresh > $p/ctl && lists $v a.qcow2 b && rmdir $v/a.qcow2 $v/b && echo stop > $p/ctl
  echo delete > $p/ctl && rmdir $p && gone "$dir"'
ok 'nothing is left on any host' '
  polled "lists hosts/h2/pools/shared/volumes" # which has to look what h1 has deleted
  for host in h1 h2; do
    [[ $(pools $host) == "default shared" ]]
    [[ -z $(volumes $host shared)$(volumes $host default) && -z $(ls "$shared") ]]
  done'

finish
