#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# Events in a storm: many guests that come and go while others read. The tree follows events alone
# here, nothing is polled.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

guests=24 # in four groups, each with somebody who does something with them
fleet 1
mount_tree poll_interval=3600

# --- Who makes it --------------------------------------------------------------------------------

# All that happens in a group, for one virsh. Much of it fails: the guest is not in that state.
commands() { # GROUP ROUNDS
  local verbs=(define start define start suspend resume destroy start destroy undefine desc domrename)
  local name verb i
  RANDOM=$1
  for ((i = 0; i < $2; i++)); do
    name=g$((RANDOM % (guests / 4) * 4 + $1)) verb=${verbs[RANDOM % ${#verbs[@]}]}
    case $verb in
      define) echo "define $scratch/$name.xml" ;;
      desc) echo "desc $name --title $RANDOM" ;;
      domrename) echo "domrename $name x$name" && echo "domrename x$name $name" ;;
      *) echo "$verb $name" ;;
    esac
  done
  echo quit
}

# The same guests keep their UUIDs.
for ((i = 0; i < guests; i++)); do
  tiny_xml "g$i" "$(printf '00000000-0000-4000-8000-%012d' "$i")" >"$scratch/g$i.xml"
done

# What may go wrong for who reads meanwhile: that something has gone.
reading() { # COMMAND...
  while [[ ! -e $scratch/stop ]]; do "$@" 2>&1 >/dev/null; done |
    grep -vE 'No such file or directory|Stale file handle' >>"$scratch/wrong"
}

reading ls -lR . &
readers=$!
reading grep -r . vms by &
readers+=" $!"
timeout 120 tail -n +1 -f events/log >"$scratch/tail" 2>&1 &
tail=$!

storm() {
  local group groups=()
  for group in 0 1 2 3; do
    commands "$group" 250 >"$scratch/commands$group"
    on h1 <"$scratch/commands$group" >/dev/null 2>&1 &
    groups+=($!)
  done
  wait "${groups[@]}"
  true
}

ok 'a storm' storm
ok 'it was one' '(($(grep -c "state value=" events/log) > 100))'
touch "$scratch/stop"
# shellcheck disable=SC2086 # two of them
wait $readers

# --- What is left --------------------------------------------------------------------------------

as_virsh_sees_it() {
  on h1 list --all --title | sed 's/ shut off / shutoff /' |
    awk 'NF { print $2, $3, $1 == "-" ? "" : $1, $4 }' | sort
}

as_the_tree_sees_it() {
  local name
  for name in vms/*/; do
    name=$(basename "$name")
    echo "$name $(cat "vms/$name/state") $(cat "vms/$name/id") $(cat "vms/$name/title")"
  done | sort
}

same() {
  diff <(as_virsh_sees_it | sed 's/ *$//') <(as_the_tree_sees_it | sed 's/ *$//')
}

ok 'guests, states, numbers and titles are those that virsh sees' 'soon same'
ok 'so are the links' '
  lists hosts/h1/vms $(on h1 list --all --name) && lists by/host/h1 $(on h1 list --all --name)
  lists by/state/running $(on h1 list --name --state-running)
  lists by/state/paused $(on h1 list --name --state-paused)
  lists by/state/shutoff $(on h1 list --name --state-shutoff)
  lists by/uuid $(on h1 list --all --uuid)'
ok 'XML and all other files can be read, and belong to their guests' '
  for name in $(on h1 list --all --name); do
    diff <(on h1 dumpxml "$name") "vms/$name/xml"
    [[ $(cat "vms/$name/persistent") == 1 ]] || continue
    diff <(on h1 dumpxml --inactive "$name") "vms/$name/xml_inactive"
  done
  grep -r . vms > "$scratch/all"'
ok 'readers saw nothing worse than what had gone' '
  cat "$scratch/wrong" && [[ ! -s $scratch/wrong ]]'
ok 'who followed the log has all of it' '
  soon "cmp $scratch/tail events/log"
  kill "$tail"'
ok 'writes work as before' '
  on h1 define "$scratch/g0.xml" && soon "[[ -e vms/g0/state ]]"
  echo paused > vms/g0/state && says h1 g0 paused && echo destroy > vms/g0/ctl && says h1 g0 "shut off"'

finish
