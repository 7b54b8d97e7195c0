#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Backups of guests on other machines: virfs runs where it has nothing but the network to reach the hosts.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

lab() {
  if [[ $1 == conf ]]; then
    remote_conf
  else
    "$top/examples/lab" "$@"
  fi
}
remote_conf() {
  local tcp='qemu+tcp://10.0.0' own='?backup=/var/lib/libvirt/backup&'
  printf '[host %s]\nuri = %s\n\n' \
    h1 "$tcp.1/system${own}backup_listen=10.0.0.1:10809-10811&backup_tls=$scratch/pki" \
    h2 "$tcp.2/system" \
    h3 "$tcp.3/system${own}backup_listen=0.0.0.0&backup_tls=0"
}
# Of an authority, two certificates: of the host h1 and of virfs.
make_certificates() { # DIRECTORY
  local name
  mkdir -p "$1" && cd "$1" || return
  printf 'subjectAltName = IP:10.0.0.1\n' >server.ext
  printf 'extendedKeyUsage = clientAuth\n' >client.ext
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca-key.pem -out ca-cert.pem
  for name in server client; do
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name-key.pem" -out "$name.csr"
    openssl x509 -req -in "$name.csr" -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -days 2 \
      -extfile "$name.ext" -out "$name-cert.pem"
  done
} >/dev/null 2>&1
fleet 3 qemu-img openssl nsenter

(make_certificates "$scratch/pki")
for host in h1 h3; do mkdir "$VIRFS_LAB/$host/lib/backup"; done
cp -r "$scratch/pki" "$VIRFS_LAB/h1/etc/"
cat >>"$VIRFS_LAB/h1/etc/qemu.conf" <<'EOF'
backup_tls_x509_cert_dir = "/etc/libvirt/pki"
backup_tls_x509_verify = 1
EOF
lab kill h1
lab start h1
guest w1 h1 --disk local --wait &
guest w2 h1 --disk local --no-start &
guest w3 h1 --disk local --no-start &
guest far h2 --disk local --no-start &
guest plain h3 --disk local --agent --no-start &
wait
qemu-img create -q -f qcow2 "$VIRFS_LAB/h3/lib/images/files.qcow2" 16M
on h3 attach-disk plain /var/lib/libvirt/images/files.qcow2 vdb --subdriver qcow2 --config >/dev/null
on h3 start plain >/dev/null

mkdir "$scratch/tree"
echo 'by TLS' >"$scratch/tree/hello"
mke2fs -q -t ext4 -d "$scratch/tree" "$VIRFS_LAB/h1/lib/images/tree.raw" 16M
on h1 attach-disk w2 /var/lib/libvirt/images/tree.raw vdb --subdriver raw --config >/dev/null

# The network of h2, which has all hosts in it.
read -r there _ <"$VIRFS_LAB/h2/init"
across() { nsenter --target "$there" --net "$@"; }
cat >"$scratch/virfs" <<EOF
#!/bin/sh
exec nsenter --target $there --net "$virfs" "\$@"
EOF
chmod +x "$scratch/virfs"
virfs=$scratch/virfs
# libvirtd 9.0 may crash when it is stopped and goes on with clients gone; who samples it makes that likely.
mount_tree freeze_timeout=1 history=0

image() { echo "$VIRFS_LAB/$1/lib/images/$2.qcow2"; } # HOST GUEST
port() { sed -E 's/.*:([0-9]+).*/\1/' "vms/$1/backups/$2/nbd/vda/uri"; } # GUEST BACKUP
cleared() { [[ -z $(ls -A "$VIRFS_LAB/$1/lib/backup") ]]; } # HOST
with_tls() { # CERTIFICATES PORT
  across timeout 10 qemu-img info --object "tls-creds-x509,id=t,endpoint=client,dir=$1" \
    --image-opts "driver=nbd,host=10.0.0.1,port=$2,export=vda,tls-creds=t"
}

ok 'the hosts are reached' 'reads hosts/h1/state up && reads hosts/h2/state up && reads hosts/h3/state up'
on h1 suspend w1
qemu-img convert -U -O raw "$(image h1 w1)" "$scratch/w1"
ok 'a mkdir that cannot read what it has opened leaves nothing' '
  mv "$scratch/pki" "$scratch/elsewhere" && ! mkdir vms/w1/backups/none && mv "$scratch/elsewhere" "$scratch/pki"
  lists vms/w1/backups backing base && cleared h1 && soon "lists vms/w1/checkpoints"'
ok 'with TLS' '
  mkdir vms/w1/backups/mon && tells vms/w1/backups/mon/nbd/vda/uri "^nbds://10.0.0.1:108(09|10|11)/vda$"
  cmp vms/w1/backups/mon/vda.raw "$scratch/w1"'
ok 'who has no certificate does not read it' '
  with_tls "$scratch/pki" $(port w1 mon) && mkdir "$scratch/less" && cp "$scratch/pki/ca-cert.pem" "$scratch/less"
  ! with_tls "$scratch/less" $(port w1 mon) && ! across timeout 10 qemu-img info nbd://10.0.0.1:$(port w1 mon)/vda'
ok 'how much room there is' '
  soon "((\$(<vms/w1/backups/mon/scratch_max) > 1 << 20))" && polled "((\$(<vms/w1/backups/mon/scratch) > 0))"'
dies
ok 'it outlives virfs' 'soon "cmp vms/w1/backups/mon/vda.raw $scratch/w1"'
ok 'two more at the same time' '
  mkdir vms/w2/backups/mon & mkdir vms/w3/backups/mon && wait $!
  [[ $(printf "%s\n" $(port w1 mon) $(port w2 mon) $(port w3 mon) | sort -u | wc -l) == 3 ]]'
if has_guestfs; then
  ok 'the files of a guest' '
    mkdir vms/w2/backups/mon/files && reads vms/w2/backups/mon/files/vdb/hello "by TLS" && rmdir vms/w2/backups/mon/files'
else
  tell 0 'the files of a guest # SKIP it was built without libguestfs' ''
fi
ok 'one port is left' 'rmdir vms/w2/backups/mon && mkdir vms/w2/backups/tue && rmdir vms/w2/backups/tue'
ok 'none is' '
  mkdir vms/w2/backups/wed && guest w4 h1 --disk local --no-start && soon "[[ -d vms/w4 ]]"'
no 'then it is said' EBUSY 'mkdir vms/w4/backups/mon'
ok 'which ones' 'tells vms/w4/error "10809 to 10811" && says h1 w4 "shut off"'
ok 'closed' '
  rmdir vms/w2/backups/wed vms/w3/backups/mon vms/w1/backups/mon && cleared h1
  says h1 w2 "shut off" && says h1 w3 "shut off" && says h1 w1 paused'
ok 'incremental' '
  at=$(last_tick h1 w1) && on h1 resume w1 && eventually 10 "((\$(last_tick h1 w1) > $at + 1))" && mkdir vms/w1/backups/tue && reads vms/w1/backups/tue/parent mon
  reads vms/w1/backups/tue/nbd/vda/bitmap backup-vda && tells vms/w1/backups/tue/vda.map .'
ok 'QEMU is killed: nothing is left over there' '
  lab exec h1 sh -c "kill -9 \$(cat /run/libvirt/qemu/w1.pid)" && soon "lists vms/w1/backups backing base" && soon "cleared h1"'

# --- Firmware ------------------------------------------------------------------------------------

firmware() { [[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ]]; }
efi_xml() {
  tiny_xml efi | sed "s|<os>|<os><loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>\
<nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'/>|; s|'pc'|'q35'|; s|<devices>|<devices><disk type='file'>\
<driver name='qemu' type='qcow2'/><source file='/var/lib/libvirt/images/w4.qcow2'/><target dev='vda' bus='virtio'/></disk>|"
}
if firmware; then
  on h1 define /dev/stdin < <(efi_xml) >/dev/null
  ok 'what a firmware keeps' '
    soon "[[ -d vms/efi ]]" && mkdir vms/efi/backups/mon && reads vms/efi/backups/mon/reason ""
    cmp vms/efi/backups/mon/nvram "$VIRFS_LAB/h1/lib/qemu/nvram/efi_VARS.fd"
    (($(stat -c %s vms/efi/backups/mon/nvram) == $(stat -c %s /usr/share/OVMF/OVMF_VARS_4M.fd)))'
  dies
  ok 'is kept' '
    soon "lists vms/efi/backups backing base mon" && cmp vms/efi/backups/mon/nvram "$VIRFS_LAB/h1/lib/qemu/nvram/efi_VARS.fd"
    rmdir vms/efi/backups/mon && ! on h1 pool-list | grep virfs-'
else
  tell 0 'what a firmware keeps # SKIP there is no OVMF (ovmf)' ''
fi

# --- Other hosts ---------------------------------------------------------------------------------

no 'where nobody has said how to reach it' EOPNOTSUPP 'mkdir vms/far/backups/mon'
ok 'as is said' 'tells vms/far/error "backup_listen=ADDRESS" && says h2 far "shut off"'
ok 'without TLS, as that is wanted' '
  on h3 suspend plain && qemu-img convert -U -O raw "$(image h3 plain)" "$scratch/plain" && mkdir vms/plain/backups/mon && tells vms/plain/backups/mon/nbd/vda/uri "^nbd://10.0.0.3:108.."
  cmp vms/plain/backups/mon/vda.raw "$scratch/plain" && rmdir vms/plain/backups/mon && cleared h3 && on h3 resume plain'

# --- Quiet file systems --------------------------------------------------------------------------

agent() { on h3 qemu-agent-command plain "$1"; } # JSON
frozen() { agent '{"execute":"guest-fsfreeze-status"}' | grep -q frozen; }
# Somebody has all ports, and trying each of them takes longer than a guest may be quiet.
take_ports() {
  lab exec h3 sh -c 'for port in $(seq 10809 10872); do
    busybox nc -l -p $port </dev/zero >/dev/null 2>&1 &
    echo $!
  done' >"$scratch/takers"
  eventually 10 '(($(lab exec h3 ss -Hltn | grep -c ":108") == 64))'
}
leave_ports() { lab exec h3 sh -c "kill $(tr '\n' ' ' <"$scratch/takers")"; }
open_later() { # BACKUP: in the background
  rm -f "$scratch/opened"
  { mkdir "vms/plain/backups/$1"; echo $? >"$scratch/opened"; } 2>/dev/null &
}
libvirtd() { kill "-$1" "$("$top/examples/lab" pid h3)"; } # SIGNAL
# A step in the middle of which libvirtd 9.0 may crash: all ports in use, its errors and the thawing meet, and two
# threads send to one QEMU at a time (a null pointer in qemuMonitorSend). Then nothing can be seen; it goes on.
with_crashes() { # DESCRIPTION COMMANDS
  local output status
  define_step "$2"
  output=$(set -e; step 2>&1 </dev/null)
  status=$?
  if ((status)) && ! "$top/examples/lab" pid h3 >/dev/null 2>&1; then
    leave_ports 2>/dev/null
    tell 0 "$1 # SKIP libvirtd of the host has crashed" ''
    lab start h3
    eventually 20 'reads hosts/h3/state up' && eventually 20 '[[ -s $scratch/opened ]]' && eventually 20 '! frozen'
    rm -f "$scratch/opened"
    for left in vms/plain/backups/*/; do rmdir "$left"; done
  else
    tell $status "$1" "$output"
  fi
}

ok 'a guest has a file system' '
  eventually 60 "agent {\\\"execute\\\":\\\"guest-ping\\\"}"
  agent "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/sh\",\"arg\":[\"-c\",\"mke2fs /dev/vdb && mkdir /files && mount -t ext4 /dev/vdb /files\"]}}"
  eventually 10 "agent {\\\"execute\\\":\\\"guest-get-fsinfo\\\"} | grep -q /files"'
ok 'it is quiet while a backup begins' '
  mkdir vms/plain/backups/tue && reads vms/plain/backups/tue/consistency filesystem && ! frozen && rmdir vms/plain/backups/tue'
with_crashes 'but not for long, if that takes its time' '
  take_ports && open_later wed && eventually 3 frozen && eventually 3 "! frozen" && gone "$scratch/opened" && leave_ports
  eventually 10 "reads $scratch/opened 0" && reads vms/plain/backups/wed/consistency crash && rmdir vms/plain/backups/wed'
with_crashes 'nor if libvirtd hangs' '
  take_ports && open_later thu && eventually 3 frozen && libvirtd STOP && leave_ports && sleep 1.5 && libvirtd CONT
  eventually 2 "! frozen" && eventually 10 "reads $scratch/opened 0" && rmdir vms/plain/backups/thu'
take_ports
open_later killed
eventually 3 frozen
libvirtd STOP
leave_ports
(cd / && sleep 0.5 && libvirtd CONT) & # with what virfs has asked for last
dies
ok 'nor if virfs is killed' 'soon "! frozen"'
ok 'what it may have begun goes' '
  eventually 10 "on h3 domjobinfo plain | grep -q None" && eventually 60 "cleared h3" && lists vms/plain/backups backing base
  polled "! ls vms/plain/checkpoints | grep killed" && mkdir vms/plain/backups/fri && rmdir vms/plain/backups/fri'

finish
