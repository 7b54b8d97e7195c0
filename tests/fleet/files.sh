#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Files of guests: copied with everybody's tools, and what is left when the appliance, its helper or
# virfs is killed.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

has_guestfs || skip 'it was built without libguestfs'
fleet 1 supermin mke2fs qemu-img rsync setfattr
guest known h1 --no-start
lab() { # backups need a place that both the host and virfs have
  if [[ $1 == conf ]]; then
    "$top/examples/lab" conf | sed "s|backup=.*|backup=$VIRFS_LAB/shared|"
  else
    "$top/examples/lab" "$@"
  fi
}

# What is on its disk.
tree=$scratch/tree
mkdir -p "$tree"/{etc/deep,empty,many}
{
  echo known >"$tree/etc/hostname"
  ln "$tree/etc/hostname" "$tree/etc/hard"
  ln -s /etc/shadow "$tree/etc/absolute"
  ln -s ../../../../../../etc/shadow "$tree/etc/up"
  echo odd >"$tree/new"$'\n'line
  head -c 40000001 /dev/urandom >"$tree/large"
  truncate -s 8M "$tree/sparse"
  cp /bin/true "$tree/suid"
  chown 1234:5678 "$tree/etc/deep" "$tree/suid"
  chmod 6755 "$tree/suid"
  mknod "$tree/null" c 1 3
  setfattr -n user.note -v kept "$tree/large"
  for ((i = 0; i < 1200; i++)); do echo "$i" >"$tree/many/$i"; done
  find "$tree" -exec touch --no-dereference --date=@1000000000 {} +
}
mke2fs -q -t ext4 -d "$tree" "$scratch/disk" 128M >/dev/null
qemu-img convert -O qcow2 "$scratch/disk" "$VIRFS_LAB/shared/known.qcow2"
mount_tree images=shared # which virfs can reach, too

backup=vms/known/backups/b
files=$backup/files
helpers() { pgrep --parent "$(pid)" -x virfs-guestfs; }
appliances() { pgrep --parent "$(helpers | tail -n 1)" -x qemu-system-x86; }
# Of the whole disk; it has no operating system, so there is a directory for its file system.
root=$files/vda
none_left() {
  ! helpers && ! pgrep --full "guestfs.*$VIRFS_LAB" && ! compgen -G "/run/virfs-guestfs/$(pid)-*"
}
# Names, types, modes, owners, times, links and contents; lost+found is the file system's.
same() { # DIRECTORY
  local list=(find . -mindepth 1 -path ./lost+found -prune
    -o -type d -printf '%P %y %m %U %G %T@\0' -o -printf '%P %y %m %U %G %T@ %s %n %l\0')
  diff <(cd "$tree" && "${list[@]}" | sort -z | tr '\0\n' '\n ') \
    <(cd "$1" && "${list[@]}" | sort -z | tr '\0\n' '\n ') &&
    diff -r --no-dereference -x lost+found -x null "$tree" "$1"
}

ok 'a backup' 'mkdir $backup && gone $files'
ok 'a walk starts no appliance' 'find . -ls >/dev/null && grep -r none vms >/dev/null; none_left'
no 'nothing else can be made there' EPERM 'mkdir $backup/file'
ok 'its files' 'mkdir $files && lists $files vda && helpers'
no 'once' EEXIST 'mkdir $files'
ok 'are those of the guest' 'same $root'
ok 'copied with rsync' '
  rsync -aHAX $root/ "$scratch/copy" && same "$scratch/copy"
  [[ $(getfattr --only-values -n user.note "$scratch/copy/large") == kept ]]'
ok 'and tar' '
  mkdir "$scratch/untarred" && tar -C $root --numeric-owner -cf - . | tar -C "$scratch/untarred" -xpf - && same "$scratch/untarred"'
ok 'hard links are one file' '[[ $root/etc/hard -ef $root/etc/hostname ]]'
ok 'links are not followed by virfs' 'leads $root/etc/absolute /etc/shadow && leads $root/etc/up ../../../../../../etc/shadow'
ok 'its devices and set-ID bits do nothing' '
  tells /proc/self/mountinfo " $scratch/mnt .*nosuid" && tells /proc/self/mountinfo " $scratch/mnt .*nodev"'
ok 'all of it is for the owner alone' '[[ $(stat -c %a:%u $files) == 700:0 ]]'

# --- Killed --------------------------------------------------------------------------------------

announce 'virfs: files of a guest'
# Neither the kernel has what FILE holds, nor virfs, which has just read something large.
cold() { # FILE
  dd if="$root/large" iflag=nocache count=0 status=none && cat "$root/large" >/dev/null &&
    dd if="$root/$1" iflag=nocache count=0 status=none
}
ok 'the helper is killed: who reads does not notice' '
  cold many/77
  kill -9 $(helpers)
  cmp "$root/many/77" "$tree/many/77"'
ok 'the appliance is killed: at the second attempt it is there again' '
  cold many/1077
  kill -9 $(appliances)
  cmp "$root/many/1077" "$tree/many/1077" || cmp "$root/many/1077" "$tree/many/1077"'
ok 'ended' 'rmdir $files && gone $files && none_left'
ok 'and made again' 'mkdir $files && reads $root/etc/hostname known'
before=$(helpers) machine=$(appliances)
dies
ok 'virfs is killed: nothing of it is left' '
  eventually 15 "! kill -0 $before && ! kill -0 $machine" && gone $files'
ok 'the backup is still there, and its files can be had' '
  soon "lists vms/known/backups backing base b" && mkdir $files && reads $root/etc/hostname known'
ok 'closing the backup ends all' 'rmdir $backup && none_left && gone $backup && says h1 known "shut off"'

# --- Of an image ---------------------------------------------------------------------------------

about=images/base.qcow2.d
ok 'an image has them, too' '
  qemu-img convert -O qcow2 "$scratch/disk" "$scratch/base.qcow2" && cp "$scratch/base.qcow2" images/
  mkdir $about/files && same $about/files/sda && rmdir $about/files && none_left'
no 'unless a guest runs that writes to it' EBUSY 'echo paused > vms/known/state && mkdir images/known.qcow2.d/files'
ok 'when it is shut off it has' '
  echo destroy > vms/known/ctl && echo refresh > hosts/h1/pools/shared/ctl && mkdir images/known.qcow2.d/files
  reads images/known.qcow2.d/files/sda/etc/hostname known && rm images/base.qcow2 && rmdir images/known.qcow2.d/files'

# --- What is installed ---------------------------------------------------------------------------

os=images/os.raw.d
system=$scratch/system
mkdir -p "$system"/{etc,bin,usr/bin,var/lib/dpkg}
{
  echo '/dev/sda / ext4 defaults 0 1' >"$system/etc/fstab"
  echo web >"$system/etc/hostname"
  echo '127.0.0.1 localhost' >"$system/etc/hosts"
  echo 12.5 >"$system/etc/debian_version"
  printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n' >"$system/etc/os-release"
  for package in hello bash; do
    printf 'Package: %s\nStatus: install ok installed\nVersion: 1:2.10-3\nArchitecture: amd64\n\n' $package
  done >"$system/var/lib/dpkg/status"
}
mke2fs -q -t ext4 -d "$system" "$scratch/os.raw" 64M >/dev/null
ok 'an image is not looked into by itself' '
  cp "$scratch/os.raw" images/ && reads $os/inspect 0 && reads $os/os/type "" && none_left'
ok 'it is inspected' 'echo 1 > $os/inspect && reads $os/inspect 1 && none_left'
what_it_is='
  reads $os/os/type linux && reads $os/os/distribution debian && reads $os/os/version 12.5 && reads $os/os/hostname web
  reads $os/os/mountpoints "/	sda" && grep -qx "hello	1:2.10-3	amd64" $os/os/packages.tsv'
ok 'and says what it is' "$what_it_is"
dies
ok 'virfs is killed: that is known, still' "soon 'reads $os/inspect 1'; $what_it_is"
ok 'it is another image: not any more' '
  cp "$scratch/disk" images/os.raw && reads $os/inspect 0 && reads $os/os/packages.tsv ""'
no 'nothing is installed there' ENOENT 'echo 1 > $os/inspect'
ok 'that leaves nothing' 'none_left'

finish
