#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# The consoles of real guests: what they write, and talking to them.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 socat file python3
guest w1 h1 --wait
tiny_xml screen | sed "s|</devices>|<graphics type='vnc' passwd='any'/><video><model type='vga'/></video></devices>|" |
  on h1 define /dev/stdin >/dev/null && on h1 start screen >/dev/null
mount_tree

c=vms/w1/console
heard() { grep -qx -- "$1" <(tr -d '\r' <"$scratch/heard") || { echo "not heard: $1; but $(tail -n 3 "$scratch/heard")"; return 1; }; }
written() { sed -n 's/^tick //p' "$1"; } # FILE: the ticks in it
talk() { # in the background: what is said goes to heard, what is written to fd 7 is sent
  rm -f "$scratch/say" && mkfifo "$scratch/say"
  socat -t 1 - "$c/tty" <"$scratch/say" >"$scratch/heard" 2>"$scratch/socat" &
  talker=$!
  exec 7>"$scratch/say"
}
hang_up() { exec 7>&-; }

# --- Recording -----------------------------------------------------------------------------------

ok 'nothing is recorded of its own accord' 'reads $c/record 0 && reads $c/state closed && reads $c/log ""'
ok 'its ticks are, when somebody wants it' '
  echo 1 >$c/record && reads $c/record 1 && eventually 10 "reads $c/state open" && eventually 30 "tells $c/log ^tick"'
ok 'a size is that of what is read, and a walk reads it' '
  cp $c/log "$scratch/copy" && grep -q "^tick" "$scratch/copy" && tar cf - vms/w1 | tar tf - | grep -q console/log'
tail -n +1 -f -s 0.1 $c/log >"$scratch/one" & one=$!
tail -n +1 -f -s 0.1 $c/log >"$scratch/other" & other=$!
ok 'who follows it hears each tick, and so does another' '
  n=$(last_tick h1 w1); eventually 30 "grep -qx \"tick $((n + 3))\" $scratch/one && grep -qx \"tick $((n + 3))\" $scratch/other"
  first=$(written "$scratch/one" | head -n 1)
  for file in one other; do
    seq "$first" $((n + 3)) | diff - <(written "$scratch/$file" | head -n $((n + 4 - first)))
  done'
kill $one $other
# virsh at a terminal of its own, for five seconds at most. script(1) has the command read by $SHELL, which may be another shell than this.
terminal() { # HOST WORD...
  SHELL=$BASH timeout 5 script -qec "$(declare -f on); VIRFS_LAB=$VIRFS_LAB on $*" /dev/null
}
no 'virsh is told that somebody has it' EBUSY '
  terminal h1 console w1 </dev/null | sed "s/.*Active console.*/busy/" >&2; false'

# --- Its screen ----------------------------------------------------------------------------------

# Whether the password opens the screen: what VNC does with it (RFC 6143 7.2.2), but for DES, which openssl has.
opens() { # PASSWORD [stay]
  local port
  port=$(sed -n 's/^vnc [^ ]* //p' vms/screen/console/graphics)
  lab exec h1 python3 - "$port" "$@" 3<&0 <<'PY'
import socket, subprocess, sys
def take(s, n):
    data = b''
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more: sys.exit('closed')
        data += more
    return data
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
s.settimeout(10)
take(s, 12); s.sendall(b'RFB 003.008\n')
assert 2 in take(s, take(s, 1)[0]), 'no password is wanted'
s.sendall(bytes([2]))
challenge = take(s, 16)
key = bytes(int(f'{b:08b}'[::-1], 2) for b in sys.argv[2].encode().ljust(8, b'\0'))
answer = subprocess.run(['openssl', 'enc', '-des-ecb', '-nopad', '-provider', 'legacy', '-provider', 'default', '-K', key.hex()],
                        input=challenge, capture_output=True).stdout
s.sendall(answer)
status = int.from_bytes(take(s, 4), 'big')
if status or len(sys.argv) < 4: sys.exit(status)
# in, as a viewer; then it waits for the file, and asks for the whole screen
s.sendall(b'\1')
take(s, int.from_bytes(take(s, 24)[20:], 'big'))
print('in', flush=True)
open(3).readline()
s.sendall(b'\3\0' + bytes(4) + b'\1\0\1\0')
assert take(s, 1) == b'\0', 'no picture'
print('sees it', flush=True)
PY
}
p=vms/screen/console/password
view() { # PASSWORD: in the background, until a line is written to fd 8
  rm -f "$scratch/look" && mkfifo "$scratch/look"
  opens "$1" stay <"$scratch/look" >"$scratch/viewer" 2>&1 &
  exec 8>"$scratch/look"
  eventually 20 "grep -qx in $scratch/viewer"
}
ok 'a picture of it is one' 'echo screenshot >vms/screen/console/ctl && file -b vms/screen/console/screen.png | grep -q "^PNG image"'
ok 'a password at random opens it, another does not' '
  reads $p "" && echo new >$p && opens "$(<$p)" && ! opens another 2>/dev/null && ! on h1 dumpxml screen | grep -q passwd='
ok 'which is good once, and whoever is in stays' '
  echo new >$p && once=$(<$p) && view "$once" && eventually 10 "reads $p \"\"" && ! opens "$once" 2>/dev/null
  echo >&8 && eventually 10 "grep -qx \"sees it\" $scratch/viewer" && exec 8>&-'
ok 'one that was chosen' 'echo chosen >$p && opens chosen && reads $p chosen && ! grep -rq chosen events/log jobs vms/screen/error'
ok 'until it is ended' 'echo none >$p && reads $p "" && ! opens chosen 2>/dev/null'
no 'what has no screen has no password' EBUSY 'echo new >$c/password'

# --- Talking -------------------------------------------------------------------------------------

talk
ok 'a command and its answer' 'echo "echo \$((6 * 7))" >&7 && eventually 30 "heard 42"'
ok 'several hear the same' '
  timeout 30 cat $c/tty >"$scratch/third" & sleep 0.5; echo "echo shared" >&7
  eventually 30 "heard shared" && eventually 10 "grep -qx shared <(tr -d \"\\r\" <\"$scratch/third\")"; kill $!'
ok 'a shell writes to it' 'echo "echo from a shell" >$c/tty && eventually 30 "heard \"from a shell\""'
ok 'it is in the log, but not in the trail' 'tells $c/log "^from a shell" && ! grep -rq "from a shell" events/log jobs vms/w1/error && grep -q "console/tty open uid=0" events/log'
ok 'who waits is let go by a signal' '! timeout --signal INT 1 dd if=$c/tty bs=1 count=1000000 of=/dev/null 2>/dev/null'
ok 'it moves, and they go on' '
  echo h2 >vms/w1/migrate && eventually 20 "reads $c/state open" && echo "echo moved on" >$c/tty && eventually 30 "heard \"moved on\""
  echo "echo still here" >&7 && eventually 30 "heard \"still here\"" && n=$(last_tick h2 w1) && eventually 30 "grep -qx \"tick $((n + 2))\" $c/log"'
ok 'somebody else takes it' '
  terminal h2 console w1 --force < <(sleep 20) >"$scratch/virsh" || :; eventually 10 "tells $scratch/virsh ^tick"'
ok 'then who talks is told, and it is recorded again when it is free' '
  eventually 10 "! kill -0 $talker 2>/dev/null" && eventually 20 "reads $c/state open"'
hang_up
talk
ok 'it ends when the guest stops' 'echo "echo again" >&7 && eventually 30 "heard again" && echo destroy >vms/w1/ctl && eventually 10 "! kill -0 $talker 2>/dev/null" && reads $c/state closed'
hang_up
no 'there is nobody to talk to' EBUSY 'timeout 5 cat $c/tty'
ok 'it is recorded from the next start on' '
  n=$(stat -c %s $c/log) && echo running >vms/w1/state && eventually 10 "reads $c/state open" && eventually 60 "[[ \$(stat -c %s $c/log) -gt $n ]]"'
dies
ok 'also when virfs was killed' 'eventually 10 "reads $c/state open" && eventually 30 "tells $c/log ^tick"'
talk
lab kill h2
ok 'it ends when the host is lost' 'eventually 30 "! kill -0 $talker 2>/dev/null"'
hang_up
finish
