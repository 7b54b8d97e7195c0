#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Disks of backups as files, copied with everybody's tools while the guest writes: each copy is the disk
# of that instant, and qcow2 files make a chain.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 1 qemu-img qemu-io rsync perl
guest w1 h1 --no-start
lab() { # all that backups need is where both the host and virfs have it
  if [[ $1 == conf ]]; then
    "$top/examples/lab" conf | sed "s|backup=.*|backup=$VIRFS_LAB/shared|"
  else
    "$top/examples/lab" "$@"
  fi
}
# something that the guest does not touch
disk=$(on h1 domblklist w1 | awk '$1 == "vda" { print $2 }')
head -c 5M /dev/urandom >"$scratch/random"
qemu-io -c "write -q -s $scratch/random 40M 5M" "$disk" || echo 'Bail out! the disk cannot be written'
mount_tree

backups=vms/w1/backups
copies=$scratch/copies
mkdir "$copies"
ticking() { eventually 60 "[[ \$(last_tick h1 w1) -ge $1 ]]"; }
cleared() { # nothing of a backup is on the host
  ! ls "$VIRFS_LAB/shared" | grep -E "scratch|sock" && ! on h1 domjobinfo w1 | grep -q Backup
}
# The disk of one instant: the counter in the first block is the newest, and before it was written all
# others were, each in its turn.
of_one_instant() { # FILE
  perl -e '
    open my $disk, "<:raw", $ARGV[0] or die "$!\n";
    sub counter { seek $disk, $_[0] * 65536, 0; read $disk, my $text, 16; $text =~ /^(\d+)/ ? $1 : 0 }
    my $now = counter(0) or die "it has no counter\n";
    for my $count ($now > 499 ? $now - 499 : 1 .. $now - 1) {
      my $is = counter($count % 500 + 1);
      $is == $count or die "block of $count has $is, and the counter is at $now\n";
    }
    for my $block (1 .. 500) { counter($block) <= $now or die "block $block is newer than the counter\n" }
  ' "$1"
}
same() { cmp "$scratch/truth" "$1"; }
take() { # BACKUP: copies its qcow2 file, with its raw one as the truth about it
  mkdir "$copies/$1" && cp "$backups/$1/vda.qcow2" "$copies/$1/" && cp "$backups/$1/vda.raw" "$copies/$1.raw"
}

echo running >vms/w1/state
ticking 8
mkdir $backups/mon
ok 'what there is' '
  lists $backups/mon changed checkpoint consistency created ctl domain.xml manifest.json nbd nvram parent \
    reason scratch scratch_max vda.map vda.qcow2 vda.raw
  tells $backups/mon/manifest.json "\"guest\" : \"w1\"" && [[ $(stat -c %s $backups/mon/vda.raw) == 67108864 ]]
  (($(<$backups/mon/changed) >= 5242880)) && tells $backups/mon/vda.map "^41943040 5242880 data$"'
qemu-img convert -O raw "$(<$backups/mon/nbd/vda/uri)" "$scratch/truth"
ok 'cp' '
  cp $backups/mon/vda.raw "$copies/cp" && same "$copies/cp"
  of_one_instant "$copies/cp" && cmp <(tail -c +41943041 "$copies/cp" | head -c 5M) "$scratch/random"'
ok 'what is a hole there is one in the copy' '
  (($(stat -c %b "$copies/cp") * 512 < 10000000)) && (($(stat -c %b $backups/mon/vda.raw) * 512 < 10000000))'
ok 'cp --sparse=always' 'cp --sparse=always $backups/mon/vda.raw "$copies/sparse" && same "$copies/sparse"'
ok 'cp --sparse=never' 'cp --sparse=never $backups/mon/vda.raw "$copies/never" && same "$copies/never"'
ok 'rsync --inplace' '
  cp "$scratch/random" "$copies/rsync" && rsync -a --inplace --no-whole-file $backups/mon/vda.raw "$copies/rsync" && same "$copies/rsync"'
ok 'rsync --sparse' 'rsync -a --sparse $backups/mon/vda.raw "$copies/rsync2" && same "$copies/rsync2"'
ok 'tar --sparse' '
  tar --sparse -cf "$copies/tar" -C $backups/mon vda.raw && (($(stat -c %s "$copies/tar") < 10000000))
  tar -xOf "$copies/tar" vda.raw | cmp - "$scratch/truth"'
ok 'dd, with blocks that fit nothing' 'dd if=$backups/mon/vda.raw of="$copies/dd" bs=70001 status=none && same "$copies/dd"'
dd if=$backups/mon/vda.raw iflag=nocache count=0 status=none
for i in 1 2 3 4 5; do md5sum <$backups/mon/vda.raw >"$scratch/sum$i" & sums+=($!); done
wait "${sums[@]}"
ok 'md5sum, by five at once' '
  for i in 1 2 3 4 5; do [[ $(<"$scratch/sum$i") == $(md5sum <"$scratch/truth") ]]; done'
ok 'in any order' '
  truncate -s 64M "$copies/any"
  for block in $(seq 0 255 | shuf); do
    dd if=$backups/mon/vda.raw of="$copies/any" bs=256K count=1 skip=$block seek=$block conv=notrunc status=none
  done && same "$copies/any"'
ok 'qemu-img reads the qcow2 file where it is' '
  qemu-img check -q $backups/mon/vda.qcow2 && qemu-img convert -O raw $backups/mon/vda.qcow2 "$copies/convert" && same "$copies/convert"'
ok 'and a copy of it' '
  take mon && qemu-img check -q "$copies/mon/vda.qcow2" && qemu-img compare -q "$copies/mon/vda.qcow2" "$scratch/truth"'
ok 'the guest goes on, and the files do not change' '
  ticking $(($(last_tick h1 w1) + 4)) && dd if=$backups/mon/vda.raw iflag=nocache count=0 status=none
  cp $backups/mon/vda.raw "$copies/later" && same "$copies/later"'
dies
ok 'nor when virfs is killed' '
  soon "[[ -e $backups/mon/vda.raw ]]" && cp $backups/mon/vda.raw "$copies/reborn" && same "$copies/reborn"
  qemu-img compare -q $backups/mon/vda.qcow2 "$scratch/truth"'
no 'they cannot be written' EACCES 'echo > $backups/mon/vda.raw'
exec 7<$backups/mon/vda.raw
ok 'it closes though somebody has them open' 'rmdir $backups/mon && cleared'
ok 'who finds an error' '! dd bs=1M count=1 skip=40 iflag=nocache <&7 of=/dev/null'
exec 7<&-

# --- A chain -------------------------------------------------------------------------------------

small() { # BACKUP: not much more than has changed; the tables are 5 clusters
  local changed size
  changed=$(<"$backups/$1/changed") size=$(stat -c %s "$copies/$1/vda.qcow2")
  ((changed > 0 && changed <= 2000000 && size <= changed + changed / 100 + 5 * 65536)) || echo "$size bytes for $changed"
}
ticking $(($(last_tick h1 w1) + 3))
ok 'an incremental one' '
  mkdir $backups/tue && take tue && [[ -z $(small tue) ]] && of_one_instant "$copies/tue.raw"
  qemu-img info "$copies/tue/vda.qcow2" | grep -q "^backing file: ../mon/vda.qcow2" && rmdir $backups/tue'
ticking $(($(last_tick h1 w1) + 3))
ok 'and another' 'mkdir $backups/wed && take wed && [[ -z $(small wed) ]] && of_one_instant "$copies/wed.raw" && rmdir $backups/wed'
ok 'have no errors' 'for day in mon tue wed; do qemu-img check -q "$copies/$day/vda.qcow2"; done'
ok 'and are, each upon those before, the disk of its day' '
  for day in mon tue wed; do qemu-img compare -q "$copies/$day/vda.qcow2" "$copies/$day.raw"; done
  ! cmp -s "$copies/mon.raw" "$copies/tue.raw" && ! cmp -s "$copies/tue.raw" "$copies/wed.raw"'
ok 'merged, too' 'qemu-img convert -O raw "$copies/wed/vda.qcow2" "$copies/merged" && cmp "$copies/merged" "$copies/wed.raw"'
ok 'another name for the parent' '
  echo "/backup/w1-%p.qcow2" > $backups/backing && mkdir $backups/thu
  qemu-img info $backups/thu/vda.qcow2 --force-share | grep -q "^backing file: /backup/w1-wed.qcow2"
  rmdir $backups/thu && echo "../%p/%d.qcow2" > $backups/backing'

# --- Killed --------------------------------------------------------------------------------------

mkdir $backups/fri
for i in 1 2 3 4 5; do
  while dd if=$backups/fri/vda.raw of=/dev/null bs=512 iflag=nocache status=none; do :; done &
  sleep 0.1$i
  pkill -9 -P $!
  kill -9 $!
  wait $!
done 2>/dev/null
ok 'readers that are killed leave nothing' '
  cp $backups/fri/vda.raw "$copies/fri" && of_one_instant "$copies/fri"'
while dd if=$backups/fri/vda.raw of=/dev/null iflag=nocache bs=1M 2>"$scratch/said"; do :; done &
lab exec h1 sh -c 'kill -9 $(cat /run/libvirt/qemu/w1.pid)'
wait $!
ok 'QEMU is killed: who reads has an error, and the backup is gone' '
  grep -Eq "Input/output error|Stale|No such" "$scratch/said"
  soon "lists $backups backing base" && soon "reads vms/w1/state shutoff" && polled cleared'
ok 'the next is right' '
  echo running > vms/w1/state && ticking $(($(last_tick h1 w1) + 2)) && mkdir $backups/sat && reads $backups/sat/parent ""
  cp $backups/sat/vda.raw "$copies/sat" && of_one_instant "$copies/sat" && qemu-img check -q $backups/sat/vda.qcow2 && rmdir $backups/sat'
announce 'virfs: w1: a (full )?backup'

finish
