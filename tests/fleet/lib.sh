# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2016 # the steps are evaluated later
#
# What the tests on a real fleet have in common: a lab of their own, the program mounted on it, and
# steps that are shell sessions. A test is a list of steps, each with what it shows and the commands
# that an administrator would type, with the mount as the current directory:
#
#     ok 'a guest starts' 'echo running > vms/w1/state && says h1 w1 running'
#     no 'there is no such state' EINVAL 'echo nonsense > vms/w1/state'
#
# The commands of a step end at the first that fails. What a test makes goes when it ends, however it
# ends. The program's path is the first argument, else $VIRFS, else that of a build in build/.

export LC_ALL=C.UTF-8
top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
virfs=$(realpath -m "${1:-${VIRFS:-$top/build/virfs}}")
built=$virfs # a test may put something in front of it
steps=0 failures=0 hosts=() options=() # of the mount
announced=('^$') # regular expressions for lines of its log
export VIRFS_LAB='' VIRFS_LAB_ACCEL=${VIRFS_LAB_ACCEL:-tcg}
export scratch=''

declare -A errors=(
  [EACCES]='Permission denied' [EAGAIN]='Resource temporarily unavailable' [EBUSY]='busy' [EEXIST]='File exists'
  [EHOSTDOWN]='Host is down' [EINTR]='Interrupted system call' [EINVAL]='Invalid argument'
  [EIO]='Input/output error' [ENOSPC]='No space left on device'
  [ENOENT]='No such file or directory' [ENOTEMPTY]='Directory not empty'
  [EOPNOTSUPP]='Operation not supported' [EPERM]='Operation not permitted'
  [ESTALE]='Stale file handle' [ETIMEDOUT]='Connection timed out')

# --- Steps ---------------------------------------------------------------------------------------

diagnose() { head -n 20 <<<"$1" | cut -c -300 | sed 's/^/# /'; }

tell() { # STATUS DESCRIPTION OUTPUT
  steps=$((steps + 1))
  if (($1 == 0)); then
    echo "ok $steps - $2"
  else
    failures=$((failures + 1))
    echo "not ok $steps - $2"
    diagnose "$3"
    [[ ! -s $scratch/log ]] || diagnose "the end of the log: $(tail -n 5 "$scratch/log")"
  fi
}

# Makes a function of COMMANDS that ends at the first statement that fails. set -e does not see those of
# which && follows one that fails, nor what ! turns round.
define_step() { # COMMANDS
  eval "step() {
$1
}"
  eval "$(declare -f step |
    sed -E '/^ *(for|while|until|if|elif|case|select) |;;$/! s/;$/ || return;/')"
}

ok() { # DESCRIPTION COMMANDS
  local output
  define_step "$2"
  output=$(set -e; step 2>&1 </dev/null)
  tell $? "$1" "$output"
}

no() { # DESCRIPTION ERRNO COMMANDS
  local output status
  define_step "$3"
  output=$(set -e; step 2>&1 </dev/null)
  status=$?
  [[ $status != 0 && -n ${errors[$2]} && $output == *"${errors[$2]}"* ]]
  tell $? "$1: $2" "status $status, ${output:-no message}; wanted: ${errors[$2]}"
}

# --- Conditions: they say what they found instead ------------------------------------------------

reads() { # FILE TEXT
  local is
  is=$(cat "$1") || return
  [[ $is == "$2" ]] || { echo "$1 reads \"$is\" instead of \"$2\""; return 1; }
}

tells() { # FILE REGULAR-EXPRESSION
  grep -Eq -- "$2" "$1" || { echo "$1 reads \"$(<"$1")\", which is not like \"$2\""; return 1; }
}

leads() { # LINK TARGET
  [[ $(readlink "$1") == "$2" ]] || { echo "$1 leads to \"$(readlink "$1")\""; return 1; }
}

gone() { # PATH
  [[ ! -e $1 && ! -L $1 ]] || { echo "$1 is still there"; return 1; }
}

lists() { # DIRECTORY NAMES...
  local is wanted
  is=$(ls -A "$1") || return
  wanted=$(printf '%s\n' "${@:2}" | LC_ALL=C.UTF-8 sort)
  [[ $(sort <<<"$is") == "$wanted" ]] || { echo "$1 lists ${is//$'\n'/, }"; return 1; }
}

says() { # HOST GUEST STATE, in virsh's words
  local is
  is=$(on "$1" domstate "$2" 2>&1)
  [[ $is == "$3" ]] || { echo "virsh says of $2 on $1: $is"; return 1; }
}

unknown_to() { # HOST GUEST
  ! on "$1" dominfo "$2" >/dev/null 2>&1 || { echo "$1 has $2"; return 1; }
}

now() { echo "${EPOCHREALTIME/./}"; } # in microseconds

eventually() { # SECONDS CONDITION
  local end output
  end=$(($(now) + $1 * 1000000))
  until output=$(eval "$2" 2>&1); do
    (($(now) < end)) || { echo "not within $1 s: ${output:-$2}"; return 1; }
    sleep 0.02
  done
}

# How long an event may take to show. It takes milliseconds; this is for a machine that is busy.
soon() { eventually 3 "$1"; }

# What has no event takes a polling interval, which tests set to 2 s.
polled() { eventually 6 "$1"; }

# --- Writes that take their time -----------------------------------------------------------------

begin() { # TEXT FILE: in the background
  rm -f "$scratch/ended"
  {
    bash -c 'echo "$1" >"$2"' bash "$1" "$2" 2>"$scratch/said"
    echo $? >"$scratch/ended"
  } &
}

ends() { eventually "$1" '[[ -s $scratch/ended ]]' && reads "$scratch/ended" 0; } # SECONDS

fails() { # SECONDS ERRNO
  eventually "$1" '[[ -s $scratch/ended ]]' || return
  ! reads "$scratch/ended" 0 >/dev/null || { echo 'it did not fail'; return 1; }
  tells "$scratch/said" "${errors[$2]}"
}

running_job() { # its directory
  local state
  state=$(grep -lx running jobs/*/state) && echo "${state%/state}"
}

# --- The lab -------------------------------------------------------------------------------------

lab() { "$top/examples/lab" "$@"; }

on() { virsh --quiet --connect "qemu+unix:///system?socket=$VIRFS_LAB/$1/run/libvirt-sock" "${@:2}"; }

# Whether the program was built with libguestfs.
has_guestfs() {
  [[ -x ${built%/*}/virfs-guestfs || -x ${built%/*}/backends/guestfs/virfs-guestfs ]] && type -P supermin >/dev/null
}

skip() { echo "1..0 # SKIP $*"; exit 0; }

need() {
  local tool
  ((EUID == 0)) || skip "namespaces need root"
  [[ -e /dev/fuse ]] || skip "there is no /dev/fuse"
  [[ -x $virfs ]] || skip "there is no program $virfs"
  for tool in "$@" fusermount3 mountpoint pgrep qemu-system-x86_64 virsh; do
    type -P "$tool" >/dev/null || skip "there is no $tool"
  done
  unshare --fork --pid --net --mount --uts true 2>/dev/null || skip "namespaces cannot be made"
}

fleet() { # NUMBER OF HOSTS, [TOOLS THAT ARE NEEDED]...
  local output status
  need "${@:2}"
  VIRFS_LAB=$(mktemp -d /var/tmp/vfXXXXXX)
  scratch=$(mktemp -d /tmp/virfs-fleet.XXXXXX)
  mkdir "$scratch/mnt"
  trap clean EXIT
  # Should this shell be killed, somebody else cleans.
  setsid --fork bash -c "$(declare -f clean lab); top=$top; tail -s 0.2 --pid=$$ -f /dev/null; clean" \
    >/dev/null 2>&1 </dev/null
  output=$(lab up "$1" 2>&1)
  status=$?
  ((status != 2)) || skip "${output//$'\n'/ }"
  if ((status != 0)); then
    echo "Bail out! the lab does not start"
    diagnose "$output"
    exit 1
  fi
  for ((status = 1; status <= $1; status++)); do hosts+=("h$status"); done
}

guest() { # NAME HOST OPTIONS...: a small Linux, see lab --help
  lab guest "$@" >&2 || { echo "Bail out! $1 does not start"; exit 1; }
}

# A guest without a system: its firmware finds nothing to start and hears nothing.
tiny_xml() { # NAME [UUID]
  cat <<XML
<domain type='qemu'>
  <name>${1//&/\&amp;}</name>
  ${2:+<uuid>$2</uuid>}
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices><controller type='usb' model='none'/><memballoon model='none'/></devices>
</domain>
XML
}

tiny() { on "$2" define /dev/stdin < <(tiny_xml "$1") >/dev/null; } # NAME HOST

console() { cat "$VIRFS_LAB/$1/log/qemu/$2.console"; } # HOST GUEST: all that it has written there

ticks() { console "$1" "$2" 2>/dev/null | sed -n 's/^tick \([0-9]*\).*/\1/p'; } # its counter

last_tick() { ticks "$1" "$2" | tail -n 1; }

# --- The program ---------------------------------------------------------------------------------

mounted() { mountpoint --quiet "$scratch/mnt"; }

settled() { # each host of the configuration has answered, or was given up on
  [[ $(cat "$scratch"/mnt/hosts/*/state 2>/dev/null | grep -cE 'up|unreachable') -ge $(grep -c '^\[host' "$scratch/conf") ]]
}

mount_tree() { # SETTINGS, as in poll_interval=2...
  printf '%s\n' '[virfs]' "store=$scratch/store" poll_interval=2 reconnect_max=2 "$@" >"$scratch/conf"
  lab conf >>"$scratch/conf"
  start_program
}

start_program() {
  "$virfs" -f -c "$scratch/conf" "${options[@]}" "$scratch/mnt" 2>>"$scratch/log" >&2 &
  echo $! >"$scratch/pid"
  if ! eventually 20 mounted || ! eventually 20 settled; then
    echo 'Bail out! the tree cannot be mounted'
    diagnose "$(<"$scratch/log")"
    exit 1
  fi
  cd "$scratch/mnt" || exit 1
}

pid() { cat "$scratch/pid"; }

# It is killed and another is started. Not in a step: that is a shell of its own.
dies() {
  cd / || return
  kill -9 "$(pid)"
  wait "$(pid)" 2>/dev/null
  umount --lazy "$scratch/mnt" # somebody may still be there
  start_program
}

# A line of the log that the test brings about, and that would be a fault otherwise: a warning, or
# what does not come from virfs itself.
announce() { announced+=("$1"); }

surprises() {
  grep -Ev "$(IFS='|' && echo "${announced[*]}")" "$scratch/log" |
    grep -E '^virfs: (warning|internal error):|^virfs: .*[^[:print:]]|^([^v]|v[^i])'
}

# --- The end -------------------------------------------------------------------------------------

clean() {
  cd /
  [[ -d $scratch ]] || return 0
  ! mountpoint --quiet "$scratch/mnt" || umount --lazy "$scratch/mnt"
  [[ ! -e $scratch/pid ]] || kill -9 "$(<"$scratch/pid")" 2>/dev/null
  lab down
  rm -rf "$scratch"
}

nothing_left() {
  local left=''
  gone "$scratch" && gone "$VIRFS_LAB" || return
  left+=$(pgrep --list-full --full "$scratch|$VIRFS_LAB") || true
  left+=$(grep -ls "$scratch\|$VIRFS_LAB" /proc/[0-9]*/mountinfo) || true
  [[ -z $left ]] || { echo "there is left: $left"; return 1; }
}

# The last steps of every test.
finish() {
  local output
  cd /
  ok 'unmounts' 'umount "$scratch/mnt"'
  output=$(surprises)
  wait "$(pid)"
  tell $? 'the program ends well' "$(tail -n 60 "$scratch/log")"
  [[ -z $output ]]
  tell $? 'its log holds no warning that was not announced' "$output"
  clean
  ok 'nothing is left behind' nothing_left
  echo "1..$steps"
  ((failures == 0))
  exit
}
