#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2012,SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Several users on one mount: what was given to one is his, and nothing else; and it stays his whatever
# happens.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Users and a group that the machine need not know.
bob=20001 carol=20002 dev=20100

fleet 2 setpriv
guest w1 h1 --wait &
tiny idle h1
tiny far h2
wait
chmod 711 "$scratch" # others get to the mount
options=(-o allow_other)
mount_tree

as() { # USER COMMANDS, in no other group than his
  setpriv --reuid "$1" --regid "$1" --clear-groups bash -c "$2"
}
as_dev() { setpriv --reuid "$1" --regid "$1" --groups "$dev" bash -c "$2"; } # and in that

belongs() { # PATH USER:GROUP:MODE
  local is
  is=$(stat -c %u:%g:%a "$1") || return
  [[ $is == "$2" ]] || { echo "$1 is $is"; return 1; }
}
kept() { on "$1" metadata "$2" --uri https://virfs.org/xmlns/guest/1 --config; } # HOST GUEST
keeps() { kept "$1" "$2" | grep -q "$3" || { echo "$2 on $1 has $(kept "$1" "$2")"; return 1; }; }

# --- Giving --------------------------------------------------------------------------------------

ok 'what was found belongs to who mounted' 'belongs vms/w1 0:0:750 && belongs vms/w1/state 0:0:640'
no 'others may not look' EACCES 'as $bob "cat vms/w1/state"'
no 'nor help themselves' EPERM 'as $bob "chown $bob vms/w1"'
ok 'a snapshot of the time before' 'mkdir vms/w1/snapshots/before'
ok 'a guest is given to a colleague' '
  "$top/examples/give-guest" w1 $bob:$bob "$scratch/mnt" >"$scratch/event"
  tells "$scratch/event" "Z vms/w1 done job=[0-9]+ uid=0 operation=give$"
  belongs vms/w1 $bob:$bob:750 && belongs vms/w1/snapshots/before/ctl $bob:$bob:640
  reads vms/w1/tags "owner=$bob" && leads "by/tag/owner=$bob/w1" ../../../vms/w1
  leads by/owner/$bob/w1 ../../../vms/w1 && gone by/owner/root/w1
  keeps h1 w1 "uid=\"$bob\" gid=\"$bob\" mode=\"0750\""'
ok 'he controls it' '
  as $bob "echo paused > vms/w1/state && echo running > vms/w1/state && echo bob > vms/w1/title"
  says h1 w1 running && tells events/log "vms/w1 done .* uid=$bob "'
no 'what reaches the host is not his' EACCES 'as $bob "cat vms/w1/xml_inactive >vms/w1/xml"'
no 'nor can he give it away' EPERM 'as $bob "chown $carol vms/w1"'
ok 'he goes back to before it was his: it is his still' '
  as $bob "echo revert > vms/w1/snapshots/before/ctl && rmdir vms/w1/snapshots/before"
  belongs vms/w1 $bob:$bob:750 && keeps h1 w1 "uid=\"$bob\"" && reads vms/w1/tags "owner=$bob"'

ok 'he saves its memory; it is given to another, who starts it: it is hers' '
  as $bob "echo save > vms/w1/ctl" && chown $carol vms/w1 && reads vms/w1/state shutoff
  as $carol "echo running > vms/w1/state" && belongs vms/w1 $carol:$bob:750
  on h1 dumpxml w1 | grep -q "uid=.$carol"'
ok 'and his again' 'chown $bob vms/w1 && as $bob "echo bob > vms/w1/title"'
ok 'a user with a name' 'chown 65534 vms/idle && leads by/owner/nobody/idle ../../../vms/idle && chown 0 vms/idle'

# --- Everything is tried -------------------------------------------------------------------------

# Opened, and nothing written.
ok 'of all files he can write his, and each of those' '
  find . -type f >"$scratch/files" && (($(wc -l <"$scratch/files") > 200))
  as $bob "while read -r file; do
    ! (exec 3>>\"\$file\") 2>/dev/null || echo \"\$file\"; done" <"$scratch/files" >"$scratch/can"
  diff <(sort "$scratch/can") <(find . -type f -uid $bob -perm -200 | sort)
  (($(grep -c "^./vms/w1/" "$scratch/can") > 30)) && ! grep -Ev "^./(vms/w1|jobs)/" "$scratch/can"'
ok 'in other directories he can make, remove and move nothing' '
  find . -type d -not -path "./vms/w1*" >"$scratch/dirs" && (($(wc -l <"$scratch/dirs") > 30))
  as $bob "while read -r dir; do
    ! mkdir \"\$dir/zz9\" || echo \"mkdir \$dir/zz9\"
    ! rmdir \"\$dir\" || echo \"rmdir \$dir\"
    ! mv -T \"\$dir\" \"\${dir}zz9\" || echo \"mv \$dir\"; done 2>/dev/null" <"$scratch/dirs" >"$scratch/did"
  reads "$scratch/did" ""'
no 'his own is not to be moved out of a directory that is not his' EACCES 'as $bob "mv vms/w1 vms/mine"'
ok 'tags by links' '
  mkdir by/tag/prod && as $bob "ln -s ../../../vms/w1 by/tag/prod/w1" && tells vms/w1/tags "^prod$"
  as $bob "rm by/tag/prod/w1" && reads vms/w1/tags "owner=$bob"'
no 'not of others' EACCES 'as $bob "ln -s ../../../vms/idle by/tag/prod/idle"'
ok 'by address' '
  polled "tells vms/w1/nics/eth0/addresses ^192" && address=$(head -n 1 vms/w1/nics/eth0/addresses)
  leads "by/ip/$address" ../../vms/w1 && as $bob "grep -qx running by/ip/$address/state"'

# --- Groups --------------------------------------------------------------------------------------

no 'not to a group that he is not in' EPERM 'as $bob "chgrp $dev vms/w1"'
ok 'to one that he is in' '
  as_dev $bob "chgrp $dev vms/w1 && chmod 770 vms/w1" && belongs vms/w1 $bob:$dev:770
  belongs vms/w1/state $bob:$dev:660 && as_dev $carol "echo paused > vms/w1/state"'
no 'others in none' EACCES 'as $carol "echo running > vms/w1/state"'
job=$(ls -dv jobs/* | tail -n 1)
ok 'a job belongs to who asked, and the group sees it' '
  reads "$job/operation" "bring to paused" && reads "$job/owner" $carol
  belongs "$job/ctl" $carol:$dev:640 && as_dev $bob "grep -qx done $job/state"'
no 'the owner of the guest does not cancel it' EACCES 'as_dev $bob "echo cancel > $job/ctl"'

# --- Protection ----------------------------------------------------------------------------------

ok 'a guest is protected' 'as $bob "echo 1 > vms/w1/protect" && keeps h1 w1 "<protect>1</protect>"'
no 'it is not stopped' EPERM 'as $bob "echo shutoff > vms/w1/state"'
no 'nor destroyed' EPERM 'echo destroy > vms/w1/ctl'
no 'nor deleted' EPERM 'rmdir vms/w1'
ok 'but used' 'as $bob "echo running > vms/w1/state" && says h1 w1 running'

# --- Guests of his own ---------------------------------------------------------------------------

no 'drafts are for those who may write in vms' EACCES 'as $bob "mkdir vms/his"'
chmod 777 vms
ok 'he makes one' '
  as $bob "mkdir vms/his && chmod 700 vms/his && echo 32M > vms/his/memory && echo none > vms/his/network"
  belongs vms/his $bob:$bob:700 && belongs vms/his/cloud-init/user-data $bob:$bob:600'
no 'but on no host that is not his' EACCES 'as $bob "echo running > vms/his/state"'
ok 'the sentence says so' 'tells vms/his/error "user $bob may not change hosts/h1.*hosts/h2"'
mkdir hosts/h2/pools/default/volumes/base
echo 1M >hosts/h2/pools/default/volumes/base/size
chown $bob:$bob hosts/h2
no 'of nothing that is in no pool' EACCES '
  as $bob "echo /etc/shadow > vms/his/image && echo running > vms/his/state"'
ok 'of what he may read, on what is his' '
  as $bob "echo default/base > vms/his/image && echo running > vms/his/state"
  leads vms/his/host ../../hosts/h2 && belongs vms/his $bob:$bob:700 && says h2 his running
  keeps h2 his "uid=\"$bob\" gid=\"$bob\" mode=\"0700\"" && leads by/image/base/his ../../../vms/his'
no 'a disk that is a file of the host' EACCES '
  as $bob "mkdir vms/his/disks/vdb && echo /etc/shadow > vms/his/disks/vdb/source"'
ok 'a new one in his pool' '
  as $bob "echo 1M > vms/his/disks/vdb/size" && reads vms/his/disks/vdb/live 1
  compgen -G "$VIRFS_LAB/h2/lib/images/his-vdb*"'
no 'others do not remove it, though vms is open' EACCES 'as $carol "rmdir vms/his"'
ok 'he does, with its disks' '
  as $bob "echo destroy > vms/his/ctl && echo purge > vms/his/ctl && rmdir vms/his"
  unknown_to h2 his && ! compgen -G "$VIRFS_LAB/h2/lib/images/his*"'

# --- It stays --------------------------------------------------------------------------------------

is_his() { # HOST
  belongs vms/w1 "$bob:$dev:770" && reads vms/w1/tags "owner=$bob" && reads vms/w1/protect 1 &&
    reads vms/w1/shutdown_timeout 90 && leads vms/w1/host "../../hosts/$1" &&
    leads "by/owner/$bob/w1" ../../../vms/w1
}
again() {
  cd / || exit
  umount "$scratch/mnt" || exit
  wait "$(pid)"
  "$@"
  start_program
}

as $bob 'echo 90 > vms/w1/shutdown_timeout'
again true
ok 'virfs is started again' 'is_his h1 && belongs vms 0:0:777 && belongs hosts/h2 $bob:$bob:750'
ok 'he moves it to the host that is his' 'as $bob "echo h2 > vms/w1/migrate" && is_his h2 && keeps h2 w1 "uid=\"$bob\""'
no 'not to one that is not' EACCES 'as $bob "echo h1 > vms/w1/migrate"'
again rm -r "$scratch/store"
ok 'the store is deleted: guests, owners, tags and protection are the same' '
  lists vms far idle w1 && is_his h2 && belongs vms/far 0:0:750'
ok 'of hosts and directories it held the owners' 'belongs hosts/h2 0:0:750 && belongs vms 0:0:755'

finish
