#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# How guests move: each option of migrations by what libvirt and QEMU show of it while it runs, what does not
# go together, and what happens when it breaks half way.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# virfs runs where it reaches the hosts by the network alone, and they each other.
lab() {
  if [[ $1 == conf ]]; then
    printf '[host %s]\nuri = qemu+tcp://10.0.0.%s/system\n\n' h1 1 h2 2
  else
    "$top/examples/lab" "$@"
  fi
}

# Of one authority, a certificate for each host, which serves and calls with it.
make_certificates() { # DIRECTORY
  local host
  mkdir -p "$1"/h{1,2} && cd "$1" || return
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca-key.pem -out ca-cert.pem
  for host in h1 h2; do
    cp ca-cert.pem "$host/"
    printf 'subjectAltName = DNS:%s, IP:10.0.0.%s\n' "$host" "${host#h}" >"$host.ext"
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$host" -keyout "$host/server-key.pem" -out "$host.csr"
    openssl x509 -req -in "$host.csr" -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -days 2 \
      -extfile "$host.ext" -out "$host/server-cert.pem"
    ln "$host/server-key.pem" "$host/client-key.pem"
    ln "$host/server-cert.pem" "$host/client-cert.pem"
  done
} >/dev/null 2>&1

fleet 2 openssl nsenter ss
(make_certificates "$scratch/pki")
for host in h1 h2; do
  cp -r "$scratch/pki/$host" "$VIRFS_LAB/$host/etc/pki"
  echo 'migrate_tls_x509_cert_dir = "/etc/libvirt/pki"' >>"$VIRFS_LAB/$host/etc/qemu.conf"
  lab kill $host
  lab start $host
done
guest w1 h1 --wait &
first=$!
guest copied h1 --disk local --wait &
second=$!
{ wait $first && wait $second; } || exit 1
read -r there _ <"$VIRFS_LAB/h2/init"
cat >"$scratch/virfs" <<END
#!/bin/sh
exec nsenter --target $there --net "$virfs" "\$@"
END
chmod +x "$scratch/virfs"
virfs=$scratch/virfs
# libvirtd 9.0 may crash when it is stopped and goes on with clients gone; who samples it makes that likely.
mount_tree history=0

# --- Conditions ----------------------------------------------------------------------------------

where() { local host; host=$(readlink "vms/$1/host") && echo "${host##*/}"; } # GUEST
other() { if [[ $1 == h1 ]]; then echo h2; else echo h1; fi; } # HOST

option() { echo "$2" >"vms/${3:-w1}/migration/$1"; } # NAME VALUE [GUEST]

qmp() { on "$from" qemu-monitor-command "${2:-w1}" "{\"execute\":\"$1\"}"; } # COMMAND [GUEST]

able() { qmp query-migrate-capabilities | grep -q "{\"state\":true,\"capability\":\"$1\"}"; } # CAPABILITY
parameter() { qmp query-migrate-parameters | grep -oP "\"$1\":\"?\K[^,\"}]*"; } # NAME

# Connections of a host to the other: of its hypervisors, and of its libvirtd.
streams() { lab exec "$from" ss -Htn state established "dst 10.0.0.${to#h}" | grep -cE ':49[12][0-9][0-9] *$'; }
calls() { lab exec "$from" ss -Htn state established "dst 10.0.0.${to#h} and dport = 16509" | grep -c .; }

under_way() { qmp query-migrate "$1" | grep -q '"status":"active"'; } # GUEST

# Begins to move it, slowly, and returns when its memory is on its way. Not in a step.
depart() { # GUEST [BANDWIDTH]
  from=$(where "$1") to=$(other "$from")
  option bandwidth "${2:-1M}" "$1"
  begin "$to" "vms/$1/migrate"
  eventually 20 "under_way $1 || [[ -s $scratch/ended ]]" >/dev/null
}

arrive() { option bandwidth 1G "${1:-w1}" && ends 60 && says "$to" "${1:-w1}" running && ticking "${1:-w1}"; } # [GUEST]

ticking() { eventually 30 "[[ \$(last_tick $to $1) -ge ${2:-1} ]]"; } # GUEST [TICKS]

in_post_copy() { [[ $(where "$1") == "$to" ]] && reads "vms/$1/reason" post-copy; } # GUEST

# Where its disk goes, as in nbd://h2:49153/drive-virtio-disk0.
served() { qmp query-named-block-nodes "$1" | grep -o 'nbd://[^"]*' | head -n 1; } # GUEST

# It changes its memory all the time, faster than it is sent.
work() { types "$1" 'while [ ! -e /rest ]; do dd if=/dev/zero of=/x bs=1M count=24 conv=notrunc; done 2>/dev/null &'; } # GUEST
rest() { types "$1" 'echo >/rest'; }                                                                            # GUEST
types() { lab exec "$(where "$1")" sh -c "echo '$2' >$(on "$(where "$1")" ttyconsole "$1")"; } # GUEST LINE

# --- Each by itself ------------------------------------------------------------------------------

option downtime 250
depart w1
ok 'bandwidth and downtime are what was said' '[[ $(parameter max-bandwidth) == 1048576 && $(parameter downtime-limit) == 250 ]]'
ok 'who says nothing more slows a busy guest down, and no more' '
  able auto-converge && ! able xbzrle && ! able compress && ! able multifd && ! able postcopy-ram && [[ -z $(parameter tls-creds) ]]'
ok 'nobody but virfs asks the other host' '[[ $(streams) == 1 && $(calls) == 0 ]]'
ok 'both hold for one that runs' '
  option downtime 300 && eventually 10 "[[ \$(parameter downtime-limit) == 300 ]]"
  option bandwidth 2M && eventually 10 "[[ \$(parameter max-bandwidth) == 2097152 ]]"'
ok 'it arrives' 'option downtime "" && arrive'

option auto_converge 0
option compression xbzrle
depart w1
ok 'without auto-converge, with xbzrle' 'able xbzrle && ! able auto-converge && ! able compress'
ok 'it arrives, too' 'arrive && option auto_converge ""'

option compression mt
depart w1
# It does not arrive: QEMU 7.2 spoils its memory now and then, and the guest panics.
ok 'compressed by threads' 'able compress && ! able xbzrle && echo cancel >"$(running_job)/ctl"
  fails 20 ECANCELED && option compression "" && says "$from" w1 running'

option parallel 3
depart w1
ok 'three connections side by side' 'able multifd && [[ $(parameter multifd-channels) == 3 && $(streams) == 4 ]]'
ok 'that arrives' 'arrive && option parallel ""'

option tls 1
option peer_to_peer 1
depart w1
ok 'encrypted' '[[ $(parameter tls-creds) == *tls* ]]'
ok 'the hosts do it among themselves' '[[ $(calls) -ge 1 ]]'
ok 'it arrives as well' 'arrive && option tls "" && option peer_to_peer ""'

option tunnelled 1
depart w1
ok 'through the daemons alone' '[[ $(streams) == 0 && $(calls) -ge 1 ]]'
ok 'that arrives as well' 'arrive && option tunnelled ""'

# --- Post-copy -----------------------------------------------------------------------------------

ok 'a guest that works all the time' 'work w1'
option post_copy ready
depart w1
ok 'can be told to go on there while it runs' '
  able postcopy-ram && says "$from" w1 running && option bandwidth 1M && eventually 10 "[[ \$(parameter max-postcopy-bandwidth) == 1048576 ]]"
  option post_copy 1 && eventually 20 "in_post_copy w1"
  on "$from" domstate --reason w1 | grep -q "paused (post-copy)"'
ok 'what has to follow has followed' 'arrive && unknown_to "$from" w1 && reads vms/w1/reason migrated'
ok 'it goes on' 'ticking w1 $(($(last_tick "$to" w1) + 1))'
option bandwidth 16M
from=$(where w1) to=$(other "$from")
ok 'by itself after the first pass: it ends, busy as it is' '
  echo "$to" > vms/w1/migrate && says "$to" w1 running && grep -q "vms/w1.*post-copy" events/log'

# --- What does not go together -------------------------------------------------------------------

no 'post-copy with parallel connections, of which the guest would die' EOPNOTSUPP 'option parallel 2'
ok 'a sentence says so' '
  tells vms/w1/error "post_copy does not go with parallel: the guest would be lost; write 0 to migration/post_copy" && reads vms/w1/migration/parallel ""'
no 'a tunnel with encryption' EOPNOTSUPP 'option post_copy "" && option tunnelled 1 && option tls 1'
no 'a tunnel of a guest with its host that is parallel' EOPNOTSUPP 'echo 2 > hosts/$to/migration/parallel && echo "$from" > vms/w1/migrate'
ok 'says what to do' '
  tells vms/w1/error "tunnelled does not go with parallel: .*write 0 to migration/tunnelled" && says "$to" w1 running
  echo > hosts/$to/migration/parallel && option tunnelled ""'
no 'a tunnel with disks that have to be copied' EOPNOTSUPP 'option tunnelled 1 copied && echo h2 > vms/copied/migrate'
ok 'that says so as well' 'tells vms/copied/error "tunnelled does not go with copying its disks" && option tunnelled "" copied && says h1 copied running'

# --- Disks that are copied along -----------------------------------------------------------------

option tls 1 copied
option post_copy ready copied
from=h1 to=h2
option bandwidth 16M copied
begin h2 vms/copied/migrate
ok 'disks are copied encrypted, too: nobody else is served' '
  eventually 20 "[[ -n \$(served copied) ]]"
  ! lab exec "$from" timeout 10 qemu-img info "$(served copied)" && lab exec "$from" timeout 10 qemu-img info "$(served copied)" 2>&1 | grep -i tls'
ok 'and in post-copy' '
  option bandwidth 1M copied && eventually 30 "under_way copied" && option post_copy 1 copied && eventually 20 "in_post_copy copied"
  option bandwidth 64M copied && ends 60 && says h2 copied running && ticking copied 2 && grep -q "vms/copied.*post-copy" events/log'

# --- It breaks -----------------------------------------------------------------------------------

certificates() { cp "$scratch/$2/$1/"*.pem "$VIRFS_LAB/$1/etc/pki/"; } # HOST DIRECTORY

# Begins to move w1, and it is in post-copy with most of its memory still where it was, but for so many bytes. Not
# in a step.
half_way() { # [BYTES]
  option post_copy ready
  depart w1 "${1:+4M}"
  [[ -z ${1:-} ]] || eventually 30 "((\$(qmp query-migrate | grep -oP '\"transferred\":\K[0-9]*') > $1))" >/dev/null
  option bandwidth 1M
  eventually 10 '[[ $(parameter max-postcopy-bandwidth) == 1048576 ]]' >/dev/null
  option post_copy 1
  eventually 20 'in_post_copy w1' >/dev/null
  # a libvirtd that is started again kills a guest whose start it had not noted
  eventually 20 'grep -q "state=.running. reason=.post-copy." "$VIRFS_LAB/$to/run/qemu/w1.xml"' >/dev/null
}

(make_certificates "$scratch/others")
from=$(where w1) to=$(other "$from")
no 'a host that has the certificate of another authority' EIO '
  certificates "$to" others && option tls 1 && echo "$to" > vms/w1/migrate'
ok 'is not sent anything: the guest runs on, and a sentence says why' '
  says "$from" w1 running && unknown_to "$to" w1 && tells vms/w1/error "cannot move w1 to $to: .*certificate"
  certificates "$to" pki && option tls ""'

# QEMU may wait itself for memory that does not come, with its main loop, and answer libvirt no more: the more, the
# busier the guest is, and the less has been sent. Then its processes end, so that the write does.
give_up() { # WHAT
  local host
  for host in h1 h2; do
    lab exec $host pkill -9 --full guest=w1, || :
  done
  eventually 30 '[[ -s $scratch/ended ]]' >/dev/null
  ok "$1 # SKIP the hypervisor waits for memory itself" true
}

whole() { says "$to" w1 running && reads vms/w1/reason migrated && ticking w1 $(($(last_tick "$to" w1) + 1)); }

# It is whole by itself, or by the same write once more.
mends() { # WHAT
  eventually 20 'reads vms/w1/reason migrated' >/dev/null || begin "$to" vms/w1/migrate
  if eventually 30 '[[ -s $scratch/ended ]] && reads vms/w1/reason migrated' >/dev/null; then
    ok "$1" whole
  else
    give_up "$1"
    return 1
  fi
}

rest w1
half_way
ok 'the other libvirtd is killed in post-copy' '
  lab kill "$to" && eventually 20 "[[ -s $scratch/ended ]]" && ! reads "$scratch/ended" 0'
lab start "$to"
taken_up() { [[ $(where w1) == "$to" ]] && tells vms/w1/reason ^post-copy; }
if eventually 10 taken_up >/dev/null; then
  timeout 10 virsh --quiet --connect "qemu+unix:///system?socket=$VIRFS_LAB/$from/run/libvirt-sock" qemu-monitor-command w1 \
    '{"execute":"migrate-set-parameters","arguments":{"max-postcopy-bandwidth":1000000000}}' >/dev/null
  if mends 'the guest becomes whole all the same'; then
    ok 'what it left is a definition, which can be removed' '
      eventually 10 "reads vms/w1~$from/state shutoff" && rmdir "vms/w1~$from" && unknown_to "$from" w1 && says "$to" w1 running'
    again=yes
  fi
elif lab exec "$to" pgrep --full guest=w1, >/dev/null; then
  ok 'the guest is taken up again' taken_up
else
  ok 'the guest is taken up again # SKIP libvirtd has ended its hypervisor' true
  lab exec "$from" pkill -9 --full guest=w1, || :
fi

rmdir hosts/h1/pools/default/volumes/copied.qcow2
from=h2 to=h1
option post_copy '' copied
option bandwidth 1M copied
begin h1 vms/copied/migrate
ok 'the hypervisor is killed while a disk is copied' '
  eventually 20 "[[ -n \$(served copied) ]]"
  lab exec h2 kill -9 $(cat "$VIRFS_LAB/h2/run/qemu/copied.pid") && eventually 20 "[[ -s $scratch/ended ]]" && ! reads "$scratch/ended" 0
  says h2 copied "shut off" && soon "reads vms/copied/state shutoff" && [[ $(where copied) == h2 ]]'
ok 'the other host has nothing of it' 'eventually 10 "unknown_to h1 copied" && [[ -z $(on h1 vol-list default) ]]'

[[ -n ${again:-} ]] || finish
half_way 40000000
qmp migrate-pause >/dev/null
if ! eventually 20 '[[ -s $scratch/ended ]]' >/dev/null; then
  give_up 'the network fails in post-copy'
elif reads "$scratch/ended" 0 >/dev/null; then
  ok 'the network fails in post-copy # SKIP it has arrived before' true
else
  ok 'the network fails in post-copy' 'fails 1 EIO && eventually 10 "reads vms/w1/reason \"post-copy failed\""'
  ok 'it is told what to do' '
    tells vms/w1/error "w1 is on both hosts in post-copy; when $from and $to answer write $to to migrate once more" && [[ $(where w1) == "$to" ]]'
  no 'without all of its memory it goes nowhere else' EBUSY 'echo "$from" > vms/w1/migrate'
  ok 'a sentence says what comes first' 'tells vms/w1/error "its memory is still on $from: write $to to migrate first"'
  option bandwidth 1G
  begin "$to" vms/w1/migrate
  if eventually 30 '[[ -s $scratch/ended ]]' >/dev/null; then
    ok 'and does it' 'ends 1 && says "$to" w1 running && unknown_to "$from" w1 && reads vms/w1/reason migrated'
  else
    give_up 'and does it'
  fi
fi

finish
