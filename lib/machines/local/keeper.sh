#!/bin/bash
# keeper.sh <lab folder>
# Parents one lab and ends it when its owner is gone, unless <lab folder>/keep exists. It survives the run being
# killed; when the keeper itself is killed the kernel ends the lab with it (pdeathsig), and `lab gc` sweeps the rest.
# <lab folder>/on-end is run first, when there is one: what the lab has elsewhere goes with it. When that fails the
# folder stays, so that it can be tried again.
# A lab that has all of itself elsewhere has another: keeper-elsewhere.ts.
# <lab folder>/owner holds "<pid> <start time>" of the run that uses the lab, and is replaced by the next run.
set -u
left= group=
dir=$1
here=$(dirname "$(readlink -f "$0")")
name=$(basename "$dir")

start_of() { # a pid may be used again, its start time tells
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  [ "${stat:0:1}" != Z ] || return 1
  echo "$stat" | cut -d' ' -f20
}

owned() {
  local pid started
  read -r pid started 2>/dev/null <"$dir/owner" || return 1
  [ "$(start_of "$pid")" = "$started" ]
}

sweep() {
  # once is enough; what is started here is not to ignore it
  trap : TERM
  # who finds this waits for the end, instead of taking over a lab that is going
  [ ! -d "$dir" ] || touch "$dir/ending"
  [ ! -x "$dir/on-end" ] || timeout 600 "$dir/on-end" </dev/null || left=yes
  kill -KILL "$lab" 2>/dev/null
  wait "$lab" 2>/dev/null
  [ -z "$group" ] || "$here/cgroups.sh" remove "$group"
  [ "$left" ] || [ -e "$dir/failed" ] || rm -rf "$dir"
}
trap 'sweep; exit 0' TERM

echo "$$ $(start_of $$)" >"$dir/keeper"
group=$("$here/cgroups.sh" open "$name" $$) || exit 1
echo "$group" >"$dir/cgroup"
setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child=KILL \
  bash "$here/lab-init.sh" "$dir" </dev/null &
lab=$!

while kill -0 "$lab" 2>/dev/null; do
  [ -d "$dir" ] || break
  # in this order: who takes a kept lab over writes the owner before it removes keep
  [ -e "$dir/keep" ] || owned || break
  sleep 0.5 & wait $!
done
sweep
