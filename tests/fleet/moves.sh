#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Disks that move between pools while their guest writes all the time, and while it is shut off: not a write
# is lost, and whatever is killed in the middle, nothing is left behind.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 qemu-img qemu-io perl
guest w1 h1 --disk local --no-start
# beside what the guest writes, so that copying it takes its time
head -c 20M /dev/urandom >"$VIRFS_LAB/random"
qemu-io -c "write -q -s $VIRFS_LAB/random 33M 20M" "$VIRFS_LAB/h1/lib/images/w1.qcow2" || echo 'Bail out! the disk cannot be written'
for pool in fast small; do mkdir "$VIRFS_LAB/$pool"; done
lab exec h1 mount -t tmpfs -o size=2M small "$VIRFS_LAB/small"
for pool in fast small; do on h1 pool-create-as "$pool" dir --target "$VIRFS_LAB/$pool" >/dev/null; done
touch "$scratch/ends"
mount_tree

disk=vms/w1/disks/vda
pools=hosts/h1/pools
default=$VIRFS_LAB/h1/lib/images

ticking() { eventually 150 "[[ \$(last_tick h1 w1) -ge $1 ]]"; }
goes_on() { ticking $(($(last_tick h1 w1) + 1)); }
files() { # DIRECTORY NAMES...: nothing else is there
  local is
  is=$(lab exec h1 ls "$1" | sort | xargs)
  [[ $is == "${*:2}" ]] || { echo "in $1 there is: $is"; return 1; }
}
quiet() { # no copy goes on, and no volume is hidden
  ! on h1 dumpxml w1 | grep -q "<mirror" && lists "$pools/$1/volumes" "${@:2}"
}
# Block 0 has the counter, which is written before the block of that count, and that after all others: each
# has what was written to it last. Only what the counter was at when the guest was killed may not have come to its
# block; it goes on from there.
no_write_lost() { # FILE, COUNTER that it has at least
  local ends
  mapfile -t ends <"$scratch/ends"
  qemu-img convert -O raw "$1" "$scratch/raw" && perl -e '
    open my $disk, "<:raw", shift or die "$!\n";
    my ($least, @ends) = @ARGV;
    sub counter { seek $disk, $_[0] * 65536, 0; read $disk, my $text, 16; $text =~ /^(\d+)/ ? $1 : 0 }
    my $now = counter(0) or die "it has no counter\n";
    $now >= $least - 1 or die "the counter is at $now, and was at $least\n";
    for my $count ($now > 499 ? $now - 499 : 1 .. $now - 1) {
      my $is = counter($count % 500 + 1);
      $is == $count or grep { $_ == $count } @ends or die "block of $count has $is, and the counter is at $now\n";
    }
    print "$now\n";
  ' "$scratch/raw" "$2" "${ends[@]}" >"$scratch/end" && cat "$scratch/end" >>"$scratch/ends"
}

# --- A guest that runs ---------------------------------------------------------------------------

echo running >vms/w1/state
ticking 3
ok 'pools that could take it' '
  polled "reads $disk/move \"fast
shared\"" && reads vms/w1/move "fast
shared"'
ok 'a disk moves while its guest writes' '
  echo fast > $disk/move && reads $disk/source "$VIRFS_LAB/fast/w1.qcow2" && quiet fast w1.qcow2'
ok 'the definition has it, and the old volume is gone' '
  on h1 domblklist w1 --inactive | grep -q "$VIRFS_LAB/fast/w1.qcow2" && lists $pools/default/volumes && files /var/lib/libvirt/images'
ok 'with a job, and events' '
  tells "$(grep -lx "move vda to fast" jobs/*/operation | sed s,operation,progress,)" 100
  tells events/log "vms/w1 disk-moved disk=vda from=/var/lib/libvirt/images/w1.qcow2 to=$VIRFS_LAB/fast/w1.qcow2"'
ok 'the guest goes on' goes_on
ok 'to where it is nothing is done' 'echo fast > $disk/move && echo fast > vms/w1/move'
no 'there is no such pool' ENOENT 'echo nowhere > $disk/move'
no 'a pool without room' ENOSPC 'echo small > $disk/move'
ok 'with a sentence' 'tells vms/w1/error "the pool small has [0-9]* bytes left"'
ok 'mv begins it' 'mv $disk $pools/default/volumes/ && eventually 20 "reads $disk/source /var/lib/libvirt/images/w1.qcow2"'
ok 'and the disk is where it belongs' 'polled "lists $pools/fast/volumes" && lists vms/w1/disks vda && polled "lists $pools/default/volumes w1.qcow2"'
no 'it keeps its name' EPERM 'mv $disk $pools/fast/volumes/other'
ok 'its checkpoints come along' '
  mkdir vms/w1/checkpoints/mon && echo shared > $disk/move && goes_on && mkdir vms/w1/checkpoints/tue
  lists vms/w1/checkpoints mon tue && rmdir vms/w1/checkpoints/mon vms/w1/checkpoints/tue'
mkdir vms/w1/snapshots/before
no 'snapshots do not' EBUSY 'echo fast > $disk/move'
ok 'nothing was done' 'files "$VIRFS_LAB/fast" && rmdir vms/w1/snapshots/before'
ok 'all disks of a guest' '
  mkdir vms/w1/disks/vdb && echo default > vms/w1/disks/vdb/pool && echo 32M > vms/w1/disks/vdb/size
  echo fast > vms/w1/move && files "$VIRFS_LAB/fast" w1-vdb.qcow2 w1.qcow2 && goes_on
  reads vms/w1/disks/vdb/source "$VIRFS_LAB/fast/w1-vdb.qcow2" && reads $disk/source "$VIRFS_LAB/fast/w1.qcow2"'
ok 'a paused one' 'echo paused > vms/w1/state && echo shared > vms/w1/move && says h1 w1 paused && echo running > vms/w1/state && goes_on'
tick=$(last_tick h1 w1)
ok 'not a write is lost' 'echo destroy > vms/w1/ctl && no_write_lost "$VIRFS_LAB/shared/w1.qcow2" $tick'

# --- A guest that is shut off --------------------------------------------------------------------

ok 'it moves as well' '
  echo default > vms/w1/move && reads $disk/source /var/lib/libvirt/images/w1.qcow2 && no_write_lost "$default/w1.qcow2" $tick
  files "$VIRFS_LAB/shared" && files /var/lib/libvirt/images w1-vdb.qcow2 w1.qcow2'
ok 'what is based on it keeps the old one, also if nobody has heard of that' '
  qemu-img create -q -f qcow2 -b /var/lib/libvirt/images/w1-vdb.qcow2 -F qcow2 -u "$default/over.qcow2" 32M
  echo fast > vms/w1/disks/vdb/move && files "$VIRFS_LAB/fast" w1-vdb.qcow2
  files /var/lib/libvirt/images over.qcow2 w1-vdb.qcow2 w1.qcow2
  tells events/log "vms/w1 left-behind host=h1 path=/var/lib/libvirt/images/w1-vdb.qcow2 used-by=.*over.qcow2"
  rm "$default/over.qcow2" "$default/w1-vdb.qcow2"; echo refresh > $pools/default/ctl'
ok 'or that is in another pool' '
  on h1 vol-create-as shared over.qcow2 32M --format qcow2 --backing-vol "$VIRFS_LAB/fast/w1-vdb.qcow2" --backing-vol-format qcow2
  echo default > vms/w1/disks/vdb/move && files "$VIRFS_LAB/fast" w1-vdb.qcow2 && files "$VIRFS_LAB/shared" over.qcow2
  echo fast > vms/w1/disks/vdb/move && files /var/lib/libvirt/images w1.qcow2
  rm "$VIRFS_LAB/shared/over.qcow2" "$VIRFS_LAB/fast/w1-vdb.qcow2"; echo refresh > $pools/fast/ctl; echo refresh > $pools/shared/ctl'
ok 'a disk on top of another stays so' '
  qemu-img create -q -f qcow2 -b /var/lib/libvirt/images/w1.qcow2 -F qcow2 -u "$default/top.qcow2" 64M
  qemu-io -f qcow2 -c "write -q -P 7 1M 64k" "json:{\"driver\":\"qcow2\",\"backing\":null,\"file\":{\"driver\":\"file\",\"filename\":\"$default/top.qcow2\"}}"
  echo refresh > $pools/default/ctl && mkdir vms/w1/disks/vdc && echo default/top.qcow2 > vms/w1/disks/vdc/source
  echo fast > vms/w1/disks/vdc/move && qemu-img info -U "$VIRFS_LAB/fast/top.qcow2" | grep -q "^backing file: /var/lib/libvirt/images/w1.qcow2"
  (($(stat -c %s "$VIRFS_LAB/fast/top.qcow2") < 2000000)) && files /var/lib/libvirt/images w1.qcow2'
ok 'it starts from there, when nothing is based on it' '
  rmdir vms/w1/disks/vdb vms/w1/disks/vdc && rm "$VIRFS_LAB/fast"/* && echo refresh > $pools/fast/ctl
  echo running > vms/w1/state && ticking $((tick + 1))'

# --- Cut off: with a limit it takes its time -----------------------------------------------------

sed -i "s/^poll_interval.*/&\nmove_mib=3/" "$scratch/conf"
dies
where=/var/lib/libvirt/images/w1.qcow2
copying() { running_job >/dev/null && lab exec h1 test -s "$VIRFS_LAB/fast/w1.qcow2" && on h1 dumpxml w1 | grep -q "<mirror"; }
as_before() { files "$VIRFS_LAB/fast" && reads "$disk/source" "$where" && ! on h1 dumpxml w1 | grep -q "<mirror" && lists "$pools/fast/volumes"; }
begin fast $disk/move
ok 'it can be seen' '
  eventually 20 copying && tells "$(running_job)/operation" "^move vda to fast$"
  eventually 20 "[[ \$(<\$(running_job)/progress) -gt 0 ]]" && lists $pools/fast/volumes && reads $disk/source "$where"'
no 'once at a time' EBUSY 'echo shared > vms/w1/move'
no 'there is no snapshot meanwhile' EBUSY 'mkdir vms/w1/snapshots/now'
ok 'with the job that is to be waited for' 'tells vms/w1/error "w1: its disks are being moved: wait until that is over, or cancel $(running_job)"'
no 'nor a backup' EBUSY 'mkdir vms/w1/backups/now'
no 'nor is its memory saved' EBUSY 'echo save > vms/w1/ctl'
no 'nor does it go to another host' EBUSY 'echo h2 > vms/w1/migrate'
ok 'it is cancelled' 'echo cancel > "$(running_job)/ctl" && fails 20 EINTR && as_before && goes_on'
timeout -s INT 3 sh -c "echo fast > $disk/move" 2>/dev/null &
ok 'by a signal, too' 'eventually 20 copying && eventually 20 as_before && goes_on'
begin fast $disk/move
ok 'somebody else ends the copy' '
  eventually 20 copying && on h1 blockjob w1 vda --abort && fails 20 EIO && as_before && goes_on'
lab exec h1 umount "$VIRFS_LAB/small"
lab exec h1 mount -t tmpfs -o size=40M small "$VIRFS_LAB/small"
echo refresh >$pools/small/ctl
begin small $disk/move
ok 'the pool is filled meanwhile' '
  eventually 20 "lab exec h1 test -s $VIRFS_LAB/small/w1.qcow2"
  lab exec h1 dd if=/dev/zero of="$VIRFS_LAB/small/fill" bs=64k status=none || true
  fails 60 ENOSPC && files "$VIRFS_LAB/small" fill && as_before && goes_on'
begin fast $disk/move
ok 'virfs is killed' 'eventually 20 copying'
dies
ok 'who comes next ends it' '
  eventually 20 as_before && soon "grep -q \"vms/w1 disk-move-lost disk=vda\" events/log" && tells vms/w1/error "was cut off" && goes_on'
begin fast $disk/move
ok 'libvirtd is killed' 'eventually 20 copying && lab kill h1 && fails 20 EHOSTDOWN && lab start h1
  eventually 30 "reads hosts/h1/state up" && eventually 30 as_before && goes_on'
begin fast $disk/move
ok 'QEMU is killed' '
  eventually 20 copying && lab exec h1 sh -c "kill -9 \$(cat /run/libvirt/qemu/w1.pid)" && fails 20 EBUSY
  soon "reads vms/w1/state shutoff" && eventually 20 as_before && no_write_lost "$default/w1.qcow2" $tick'
begin fast $disk/move
ok 'virfs is killed while one is copied that is shut off' 'soon "running_job || ends 20"'
dies
ok 'it is at one place or the other' '
  one() { files "$VIRFS_LAB/fast" && reads $disk/source "$where" || { files "$VIRFS_LAB/fast" w1.qcow2 && files /var/lib/libvirt/images && reads $disk/source "$VIRFS_LAB/fast/w1.qcow2"; }; }
  eventually 20 one && echo default > $disk/move && no_write_lost "$default/w1.qcow2" $tick'

# --- A clone on the other host -------------------------------------------------------------------

there=$VIRFS_LAB/h2/lib/images
draft() { mkdir "vms/$1" && echo vms/w1 >"vms/$1/image" && echo h2 >"vms/$1/host"; }
ok 'the disks of a clone are brought to the host that was chosen' '
  draft c1 && echo shutoff > vms/c1/state && leads vms/c1/host ../../hosts/h2 && unknown_to h1 c1
  qemu-img compare -q "$there/c1-vda.qcow2" "$default/w1.qcow2" && no_write_lost "$there/c1-vda.qcow2" $tick'
ok 'with a job' 'grep -qx create jobs/*/operation'
ok 'a larger one' '
  draft c2 && echo 96M > vms/c2/disk_size && echo shutoff > vms/c2/state && polled "reads vms/c2/disks/vda/size $((96 << 20))"'
kill -STOP "$(lab pid h2)"
draft c4
begin shutoff vms/c4/state
ok 'what is cloned is not started' '
  eventually 20 running_job && eventually 5 "! echo running > vms/w1/state" && says h1 w1 "shut off"
  tells vms/w1/error "w1: it is being cloned: wait until that is over, or cancel $(running_job)"'
no 'nor moved' EBUSY 'echo shared > vms/w1/move'
no 'nor deleted' EBUSY 'rmdir vms/w1'
on h1 start w1 >/dev/null && on h1 destroy w1 >/dev/null
soon 'reads vms/w1/state shutoff'
kill -CONT "$(lab pid h2)"
ok 'if somebody else starts it, there is no clone' '
  fails 40 EBUSY && tells vms/c4/error "w1 was started while its disks were read" && unknown_to h2 c4
  rmdir vms/c4 && ! lab exec h2 ls /var/lib/libvirt/images | grep c4'
no 'a linked one has to be where the other is' ENOENT 'draft c3; echo linked > vms/c3/clone; echo shutoff > vms/c3/state'
ok 'a larger one starts' 'rmdir vms/c3 && echo running > vms/c2/state && eventually 150 "[[ \$(last_tick h2 c2) -gt $tick ]]" && echo destroy > vms/c2/ctl'
ok 'what somebody has just based a volume on is not deleted' '
  qemu-img create -q -f qcow2 -b /var/lib/libvirt/images/c1-vda.qcow2 -F qcow2 -u "$there/over.qcow2" 64M
  echo purge > vms/c1/ctl && ! rmdir vms/c1 && tells vms/c1/error "used by hosts/h2/pools/default/volumes/over.qcow2"
  rm "$there/over.qcow2" && rmdir vms/c1 && ! lab exec h2 ls /var/lib/libvirt/images | grep c1'
ok 'a pool is emptied' '
  "$top/examples/empty-pool" h1 default fast . && files /var/lib/libvirt/images && reads $disk/source "$VIRFS_LAB/fast/w1.qcow2"'
announce 'virfs: h1: '

finish
