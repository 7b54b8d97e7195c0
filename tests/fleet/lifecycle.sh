#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # the steps are evaluated later
#
# The life of guests: through files, and through virsh behind our back.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

fleet 2 inotifywait xmllint
guest w1 h1 --wait
tiny deaf h1
mount_tree

# --- What there is -------------------------------------------------------------------------------

ok 'the hosts are there' '
  lists hosts h1 h2
  reads hosts/h1/state up && reads hosts/h1/hostname h1 && tells hosts/h1/hypervisor "^QEMU "'
ok 'so are the guests' '
  lists vms w1 deaf && lists hosts/h1/vms w1 deaf && lists hosts/h2/vms
  reads vms/w1/state running && reads vms/deaf/state shutoff'
ok 'a guest is as virsh says' '
  reads vms/w1/uuid "$(on h1 domuuid w1)" && reads vms/w1/id "$(on h1 domid w1)"
  diff <(on h1 dumpxml w1) vms/w1/xml
  diff <(on h1 dumpxml --inactive w1) vms/w1/xml_inactive'
ok 'links lead to it' '
  leads vms/w1/host ../../hosts/h1 && reads hosts/h1/vms/w1/state running
  reads by/state/running/w1/state running && reads by/host/h1/w1/state running
  reads "by/uuid/$(on h1 domuuid w1)/state" running && gone by/state/shutoff/w1'

# --- Through files -------------------------------------------------------------------------------

ok 'pausing' 'echo paused > vms/w1/state && reads vms/w1/state paused && says h1 w1 paused'
ok 'pausing again is no error' 'echo paused > vms/w1/state && says h1 w1 paused'
ok 'going on' 'echo running > vms/w1/state && reads vms/w1/state running && says h1 w1 running'
ok 'shutting off waits for the guest' '
  echo shutoff > vms/w1/state && reads vms/w1/state shutoff && says h1 w1 "shut off"
  reads vms/w1/reason shutdown && reads vms/w1/id ""
  leads by/state/shutoff/w1 ../../../vms/w1 && gone by/state/running/w1'
ok 'shutting off again is no error' 'echo shutoff > vms/w1/state'
ok 'starting' 'echo running > vms/w1/state && says h1 w1 running && reads vms/w1/reason booted'
ok 'starting again is no error' 'echo running > vms/w1/state && says h1 w1 running'
ok 'the log of events has all that' '
  for word in value=paused value=running value=shutoff "done job=1 uid=0"; do
    grep -q "vms/w1 .*$word" events/log || { echo "there is no $word"; false; }
  done'
ok 'each of them was a job' '
  reads jobs/1/operation "bring to paused" && reads jobs/1/state done && reads jobs/1/object vms/w1'

no 'a state that does not exist' EINVAL 'echo nonsense > vms/w1/state'
no 'a state that cannot be ordered' EINVAL 'echo crashed > vms/w1/state'
ok 'the sentence is in the guest'\''s error and at the top' '
  tells vms/w1/error "^20.*Z vms/w1/state uid=0: .*crashed.*running, paused or shutoff$"
  tells error "vms/w1/state uid=0: .*crashed"'
no 'starting what runs' EBUSY 'echo start > vms/w1/ctl'
no 'a verb that does not exist' EINVAL 'echo explode > vms/w1/ctl'
ok 'none of that changed the guest' 'says h1 w1 running && reads vms/w1/state running'

ok 'a guest that is started paused' '
  echo paused > vms/deaf/state && says h1 deaf paused && echo running > vms/deaf/state'
no 'one that does not hear does not shut off in time' ETIMEDOUT '
  echo 1 > vms/deaf/shutdown_timeout && echo shutoff > vms/deaf/state'
ok 'it runs on, and is told so' 'says h1 deaf running && tells vms/deaf/error "destroy"'
no 'Ctrl-C ends the waiting' EINTR '
  echo 60 > vms/deaf/shutdown_timeout
  timeout --signal INT 1 bash -c "trap : INT; echo shutoff > vms/deaf/state"'
ok 'the job was cancelled and the guest runs on' '
  soon "grep -qx cancelled jobs/*/state" && says h1 deaf running'
# Bash gets SIGCHLD here, and SIGWINCH when its window changes: that is no wish to stop.
no 'another signal does not' ETIMEDOUT '
  echo 3 > vms/deaf/shutdown_timeout && bash -c "sleep 1 & echo shutoff > vms/deaf/state"'
ok 'pulling the plug' 'echo destroy > vms/deaf/ctl && reads vms/deaf/state shutoff'
ok 'two lines are two commands' '
  printf "running\npaused\n" | cat > vms/deaf/state && says h1 deaf paused'
no 'the first that fails ends them' EINVAL '
  printf "running\nnonsense\npaused\n" | cat > vms/deaf/state'
ok 'and those before it count' 'says h1 deaf running && echo destroy > vms/deaf/ctl'

# --- Verbs ---------------------------------------------------------------------------------------

verbs() { # FILE VERBS...
  [[ $(tr '\n' ' ' <"$1") == "${*:2} " ]] || { echo "$1 reads $(tr '\n' ' ' <"$1")"; return 1; }
}

ok 'the verbs are those of the state' '
  verbs vms/deaf/ctl start purge
  verbs vms/w1/ctl shutdown destroy reboot reset suspend save nmi pmsuspend'
ok 'suspend and resume' '
  echo suspend > vms/w1/ctl && says h1 w1 paused && verbs vms/w1/ctl destroy reset resume save
  echo resume > vms/w1/ctl && says h1 w1 running'
eventually 20 '[[ $(last_tick h1 w1) -ge 3 ]]'
ok 'save' '
  echo save > vms/w1/ctl && says h1 w1 "shut off" && reads vms/w1/reason saved
  verbs vms/w1/ctl start restore discard purge'
before=$(last_tick h1 w1)
ok 'restore' 'echo restore > vms/w1/ctl && says h1 w1 running && reads vms/w1/reason restored'
ok 'the guest goes on where it was' '
  eventually 10 "[[ \$(ticks h1 w1 | head -n 1) == $((before + 1)) ]]"
  ! console h1 w1 | grep "w1 is up"'
no 'restoring what was not saved' EBUSY 'echo restore > vms/w1/ctl'
ok 'what was saved can be discarded' '
  echo save > vms/w1/ctl && echo discard > vms/w1/ctl && verbs vms/w1/ctl start purge'
ok 'an NMI' 'echo start > vms/w1/ctl && echo nmi > vms/w1/ctl && says h1 w1 running'
for verb in reset reboot; do
  boots=$(console h1 w1 | grep -c 'w1 is up')
  ok "before the $verb it boots" "eventually 30 '((\$(console h1 w1 | grep -c \"w1 is up\") > $boots))'"
  boots=$((boots + 1))
  ok "$verb makes it boot again, as the same guest" "
    id=\$(cat vms/w1/id)
    echo $verb > vms/w1/ctl
    eventually 30 '((\$(console h1 w1 | grep -c \"w1 is up\") > $boots))'
    says h1 w1 running && reads vms/w1/id \"\$id\""
  [[ $verb == reboot ]] || { echo destroy >vms/w1/ctl && echo start >vms/w1/ctl; }
done
ok 'shutdown only asks' '
  echo shutdown > vms/w1/ctl && eventually 20 "reads vms/w1/state shutoff" && says h1 w1 "shut off"'

# --- Behind our back -----------------------------------------------------------------------------

ok 'virsh start' 'on h1 start w1 && soon "reads vms/w1/state running" && reads vms/w1/id "$(on h1 domid w1)"'
ok 'virsh suspend' 'on h1 suspend w1 && soon "reads vms/w1/state paused" && leads by/state/paused/w1 ../../../vms/w1'
ok 'virsh resume wakes who watches the file' '
  reads vms/w1/state paused
  (sleep 0.5 && on h1 resume w1) &
  inotifywait --quiet --timeout 10 --event attrib vms/w1/state && reads vms/w1/state running'
ok 'virsh save and restore' '
  on h1 managedsave w1 && soon "verbs vms/w1/ctl start restore discard purge"
  on h1 start w1 && soon "reads vms/w1/state running"'
ok 'virsh destroy' 'on h1 destroy w1 && soon "reads vms/w1/state shutoff" && reads vms/w1/reason destroyed'
ok 'virsh define' '
  tiny later h2
  soon "reads vms/later/state shutoff" && lists hosts/h2/vms later && leads vms/later/host ../../hosts/h2
  find vms/later/created -newermt "-1 minute" | grep -q . && tells vms/later/created "^20"'
ok 'virsh domrename, with whatever is open' '
  exec 5< vms/later/state
  inode=$(stat -c %i vms/later)
  on h2 domrename later sooner
  soon "reads vms/sooner/state shutoff" && soon "gone vms/later" && lists hosts/h2/vms sooner
  [[ $(stat -c %i vms/sooner) == "$inode" && $(cat <&5) == shutoff ]]'
ok 'virsh desc' '
  on h2 desc sooner --title "A title" && soon "reads vms/sooner/title \"A title\""
  on h2 desc sooner "Two
lines" && soon "reads vms/sooner/description \"Two\\nlines\""'
ok 'virsh undefine' 'on h2 undefine sooner && soon "gone vms/sooner" && lists hosts/h2/vms'
ok 'virsh create makes a guest that vanishes when it stops' '
  on h2 create <(tiny_xml brief) && soon "reads vms/brief/state running" && reads vms/brief/persistent 0'
no 'it cannot start with its host' EBUSY 'echo 1 > vms/brief/autostart'
ok 'it is gone when it stops' 'on h2 destroy brief && soon "gone vms/brief" && gone by/state/running/brief'
ok 'virsh autostart, within the polling interval' '
  on h1 autostart deaf && polled "reads vms/deaf/autostart 1"
  on h1 autostart deaf --disable && polled "reads vms/deaf/autostart 0"'
ok 'virsh setmem and setvcpus, likewise' '
  on h1 setmem w1 96M --config && on h1 setvcpus w1 2 --config
  polled "reads vms/w1/memory $((96 << 20))" && polled "reads vms/w1/vcpus 2"
  on h1 setmem w1 128M --config && on h1 setvcpus w1 1 --config
  polled "reads vms/w1/memory $((128 << 20))" && polled "reads vms/w1/vcpus 1"'
ok 'tail -f of the log of events follows' '
  timeout 10 tail -f -n +1 events/log > "$scratch/tail" &
  soon "grep -q \"vms/brief \" $scratch/tail"
  tiny tailed h1
  soon "grep -q \"vms/tailed \" $scratch/tail"
  kill %% && on h1 undefine tailed && soon "gone vms/tailed"'

# --- Attributes ----------------------------------------------------------------------------------

echo running >vms/w1/state
eventually 30 'console h1 w1 | tail -n 1 | grep -q tick' # its drivers are there

text='First line
second \ line'
ok 'title and description, now and at the next start' '
  echo "Web server" > vms/w1/title && reads vms/w1/title "Web server"
  echo "First line\nsecond \\\\ line" > vms/w1/description
  for definition in --live --config; do
    [[ $(on h1 desc w1 --title "$definition") == "Web server" ]]
    [[ $(on h1 desc w1 "$definition") == "$text" ]]
  done'
ok 'what was read can be written back' '
  cp vms/w1/description "$scratch/text" && cat "$scratch/text" > vms/w1/description
  [[ $(on h1 desc w1) == "$text" ]]'
ok 'an empty line removes them' '
  echo > vms/w1/title && echo > vms/w1/description
  ! on h1 dumpxml w1 | grep -E "<(title|description)>"
  ! on h1 dumpxml --inactive w1 | grep -E "<(title|description)>"'
ok 'vCPUs come and stay' '
  echo 2 > vms/w1/vcpus && reads vms/w1/vcpus 2
  [[ $(on h1 vcpucount w1 --live --current) == 2 && $(on h1 vcpucount w1 --config --current) == 2 ]]'
no 'more of them than at most' EINVAL 'echo 3 > vms/w1/vcpus'
no 'none of them' EINVAL 'echo 0 > vms/w1/vcpus'
no 'a new limit while it runs' EBUSY 'echo 4 > vms/w1/vcpus_max'
ok 'memory is given back' '
  echo 100M > vms/w1/memory && reads vms/w1/memory $((100 << 20))
  [[ $(on h1 dommemstat w1 | sed -n "s/^actual //p") == $((100 << 10)) ]]
  [[ $(on h1 dumpxml --inactive w1 | xmllint --xpath "string(//currentMemory)" -) == $((100 << 10)) ]]'
no 'more memory than at most' EINVAL 'echo 1G > vms/w1/memory'
no 'what is no size' EINVAL 'echo much > vms/w1/memory'
no 'a new limit of memory while it runs' EBUSY 'echo 256M > vms/w1/memory_max'
ok 'the limits while it is shut off' '
  echo shutoff > vms/w1/state
  echo 256M > vms/w1/memory_max && echo 192M > vms/w1/memory && echo 4 > vms/w1/vcpus_max && echo 3 > vms/w1/vcpus
  [[ $(on h1 dumpxml w1 | xmllint --xpath "concat(//memory, \" \", //currentMemory, \" \", //vcpu, \" \", //vcpu/@current)" -) == "262144 196608 4 3" ]]
  reads vms/w1/memory_max $((256 << 20)) && reads vms/w1/vcpus_max 4'
ok 'autostart' '
  echo 1 > vms/w1/autostart && reads vms/w1/autostart 1 && on h1 dominfo w1 | grep -q "Autostart: *enable"
  echo 0 > vms/w1/autostart && reads vms/w1/autostart 0 && on h1 dominfo w1 | grep -q "Autostart: *disable"'
no 'a flag is 0 or 1' EINVAL 'echo maybe > vms/w1/autostart'
ok 'CPU shares of the definition' '
  echo 512 > vms/w1/cpu_shares && reads vms/w1/cpu_shares 512
  [[ $(on h1 dumpxml w1 | xmllint --xpath "string(//cputune/shares)" -) == 512 ]]'

# --- XML -----------------------------------------------------------------------------------------

edited() { sed "s/<title>.*<\/title>//; s/<\/uuid>/&<title>$1<\/title>/" vms/w1/xml_inactive; }

ok 'writing back what is there changes nothing' '
  before=$(on h1 dumpxml --inactive w1)
  cp vms/w1/xml_inactive "$scratch/xml" && cp "$scratch/xml" vms/w1/xml
  diff <(echo "$before") <(on h1 dumpxml --inactive w1)'
ok 'cp of a new definition' '
  edited copied > "$scratch/xml" && cp "$scratch/xml" vms/w1/xml
  reads vms/w1/title copied && [[ $(on h1 desc w1 --title) == copied ]]'
ok 'tee of one' '
  edited teed > "$scratch/xml" && tee vms/w1/xml < "$scratch/xml" > "$scratch/copy"
  cmp "$scratch/xml" "$scratch/copy" && reads vms/w1/title teed && [[ $(on h1 desc w1 --title) == teed ]]'
before=$(on h1 dumpxml --inactive w1)
no 'half of one' EINVAL 'head -c 500 vms/w1/xml_inactive > "$scratch/xml" && cp "$scratch/xml" vms/w1/xml'
no 'one with an element that does not exist' EINVAL '
  sed "s/<\/name>/&<nonsense\/>/" vms/w1/xml_inactive > "$scratch/xml" && cp "$scratch/xml" vms/w1/xml'
no 'that of another guest' EINVAL 'cp vms/deaf/xml_inactive "$scratch/xml" && cp "$scratch/xml" vms/w1/xml'
ok 'a refused definition changes nothing, and says why' '
  diff <(echo "$before") <(on h1 dumpxml --inactive w1) && tells vms/w1/error "vms/w1/xml uid=0: ."'
ok 'while it runs, a definition is for the next start' '
  echo running > vms/w1/state
  edited later > "$scratch/xml" && cp "$scratch/xml" vms/w1/xml
  tells vms/w1/xml_inactive "<title>later" && [[ $(on h1 desc w1 --config --title) == later ]]
  tells vms/w1/xml "<title>teed" && reads vms/w1/title teed && echo destroy > vms/w1/ctl && reads vms/w1/title later'

# --- Names ---------------------------------------------------------------------------------------

declare -A odd=(['my guest']='my guest' ['Bär & Söhne']='Bär & Söhne' ['.hidden']='%2Ehidden'
  ['50%']='50%25' ['back\slash']='back\slash' ["it's \"it\""]="it's \"it\"" ['~h1']='~h1')
for name in "${!odd[@]}"; do
  label=${odd[$name]}
  ok "a guest named $name" '
    tiny "$name" h2 && soon "reads \"vms/\$label/state\" shutoff"
    echo running > "vms/$label/state" && says h2 "$name" running
    leads "hosts/h2/vms/$label" "../../../vms/$label" && reads "hosts/h2/vms/$label/state" running
    echo destroy > "vms/$label/ctl" && says h2 "$name" "shut off"'
done
ok 'find and xargs take all of these names' '
  find hosts/h2/vms -type l -print0 | xargs -0 -I LINK cat LINK/state | sort | uniq -c | grep -q " ${#odd[@]} shutoff"'
ok 'they go' '
  for name in "${!odd[@]}"; do on h2 undefine "$name"; done
  soon "lists hosts/h2/vms"'

ok 'two guests of one name' '
  tiny twin h1 && soon "reads vms/twin/state shutoff"
  tiny twin h2 && soon "reads vms/twin~h2/state shutoff"
  leads vms/twin/host ../../hosts/h1 && leads vms/twin~h2/host ../../hosts/h2
  leads hosts/h2/vms/twin~h2 ../../../vms/twin~h2'
ok 'each is itself' '
  echo running > vms/twin~h2/state && says h2 twin running && says h1 twin "shut off"
  echo destroy > vms/twin~h2/ctl && says h2 twin "shut off"'
ok 'when the first goes, the second has the name' '
  on h1 domrename twin single && soon "leads vms/twin/host ../../hosts/h2"
  gone vms/twin~h2 && leads vms/single/host ../../hosts/h1 && lists hosts/h2/vms twin'
ok 'a name that becomes taken' '
  on h2 domrename twin single && soon "leads vms/single~h2/host ../../hosts/h2" && gone vms/twin
  on h1 undefine single && soon "leads vms/single/host ../../hosts/h2" && on h2 undefine single
  soon "gone vms/single"'

finish
