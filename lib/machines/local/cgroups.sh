#!/bin/bash
# cgroups.sh open <lab> <pid of its keeper>           makes the group of a lab, prints its path below each hierarchy
# cgroups.sh make <group> <machine> <cpus> <memory MiB>
# cgroups.sh join <group>/<machine>[/init] <command…>
# cgroups.sh settle <group>/<machine>                 once the first process of a machine runs
# cgroups.sh remove <group>[/<machine>]
#
# One control group per machine, in every version 1 hierarchy, or in the one of version 2. `init` below it holds the
# machine's own programs, so that version 2's "no processes inside" rule is kept.
#
# Version 2: where systemd owns the tree, the keeper runs in a transient scope with Delegate=yes, and the lab's groups lie
# in that (systemd.io/CGROUP_DELEGATION); its keeper is in `keeper`. A machine has a cgroup namespace whose root is its
# group: kubelet wants of every controller that its root has, and systemd does not delegate all of them (hugetlb).
set -u
top=${CGROUP_ROOT:-/sys/fs/cgroup} # a test has a tree of its own
base=istio-vm-conformance
needed='cpu cpuset memory pids'

v2() { [ -e $top/cgroup.controllers ]; }

fail() {
  echo "cgroups.sh: $*" >&2
  exit 1
}

hierarchies() {
  if v2; then echo $top; return; fi
  for name in cpu cpuacct cpuset memory devices freezer blkio pids systemd hugetlb net_cls net_prio perf_event; do
    [ -d "$top/$name" ] && [ ! -L "$top/$name" ] && echo "$top/$name"
  done
}

# Version 2: what the group has, its children get. One by one, as a write of several fails as a whole.
enable() {
  local controller
  for controller in $(cat "$1/cgroup.controllers"); do
    echo "+$controller" >"$1/cgroup.subtree_control" 2>/dev/null
  done
}

# Version 2: moves all processes of a group into one below it
empty() {
  local pid
  mkdir -p "$1/$2"
  while read -r pid; do echo "$pid" >"$1/$2/cgroup.procs" 2>/dev/null; done <"$1/cgroup.procs"
}

# Version 2: lets the children of a group have its controllers, which the kernel refuses while the group itself has a
# process. A process that is forked while the others are moved stays behind, so it is looked at again.
delegate() { # <group> <group below it, for its processes>
  local lacks
  for _ in $(seq 50); do
    empty "$top/$1" "$2"
    enable "$top/$1"
    lacks=$(lacking $(cat "$top/$1/cgroup.subtree_control"))
    [ -n "$lacks" ] || return 0
    sleep 0.1
  done
  fail "the controllers ${lacks% } could not be enabled in control group $1; it has: $(cat "$top/$1/cgroup.controllers"), and the processes: $(tr '\n' ' ' <"$top/$1/cgroup.procs")"
}

# Version 1: a new group does not inherit these
cpuset_of_parent() {
  [ -e "$1/cpuset.cpus" ] && [ -e "$1/cpuset.mems" ] || return 0
  cat "$(dirname "$1")/cpuset.cpus" >"$1/cpuset.cpus"
  cat "$(dirname "$1")/cpuset.mems" >"$1/cpuset.mems"
}

lacking() { # what is needed and not in a list
  local one
  for one in $needed; do
    case " $* " in *" $one "*) ;; *) printf '%s ' "$one" ;; esac
  done
}

case $1 in
open)
  lab=$2 keeper=$3
  if ! v2; then
    lacks=$(for one in $needed; do [ -d "$top/$one" ] || printf '%s ' "$one"; done)
    [ -z "$lacks" ] || fail "the kernel has no control group version 1 hierarchy of ${lacks% }, which kubelet needs; looked in $top"
    echo $base/$lab
    exit 0
  fi
  group=$(sed -n 's|^0::/||p' "/proc/$keeper/cgroup")
  case $group in
  *$base-*.scope) ;;
  *)
    # without systemd; in a container the root is a group that has processes
    [ ! -e $top/cgroup.type ] || empty $top init
    enable $top
    mkdir -p "$top/$base"
    enable "$top/$base"
    group=$base/$lab
    mkdir -p "$top/$group"
    ;;
  esac
  lacks=$(lacking $(cat "$top/$group/cgroup.controllers"))
  [ -z "$lacks" ] || fail "control group $group lacks the controllers ${lacks% }, which kubelet needs; it has: $(cat "$top/$group/cgroup.controllers"), and the system has: $(cat $top/cgroup.controllers)"
  case $group in
  *$base-*.scope) delegate "$group" keeper ;;
  *) enable "$top/$group" ;; # it is new, so no process is in it
  esac
  echo "$group"
  ;;
make)
  group=$2 machine=$3 cpus=$4 memory=$5
  # a machine that is started again has left its groups here
  "$0" remove "$group/$machine"
  for h in $(hierarchies); do
    path=$h
    for level in ${group//\// } "$machine" init; do
      path=$path/$level
      [ -d "$path" ] || mkdir "$path"
      v2 || cpuset_of_parent "$path"
    done
    path=$h/$group/$machine
    [ ! -e $path/memory.limit_in_bytes ] || echo "${memory}M" >$path/memory.limit_in_bytes
    [ ! -e $path/memory.max ] || echo "${memory}M" >$path/memory.max
    [ ! -e $path/cpu.cfs_quota_us ] || echo $((cpus * 100000)) >$path/cpu.cfs_quota_us
    [ ! -e $path/cpu.max ] || echo "$((cpus * 100000)) 100000" >$path/cpu.max
  done
  ;;
join)
  group=$2
  shift 2
  for h in $(hierarchies); do echo $$ >"$h/$group/cgroup.procs" || exit; done
  exec "$@"
  ;;
settle)
  v2 || exit 0
  delegate "$2" init
  ;;
remove)
  # in every hierarchy, because a container runtime makes groups in `unified` too where both versions are mounted
  for h in $top $top/*; do
    group=$h/$2
    [ -d "$group" ] || continue
    # a group can be removed once the kernel has let its last process go
    for _ in $(seq 100); do
      find "$group" -mindepth 1 -depth -type d ! -path "$group/keeper" -exec rmdir {} + 2>/dev/null
      # a scope is systemd's to remove, when its keeper is gone
      case $group in *.scope) ;; *) rmdir "$group" 2>/dev/null ;; esac
      case $group in
      *.scope) [ -n "$(find "$group" -mindepth 1 -type d ! -path "$group/keeper" 2>/dev/null)" ] || break ;;
      *) [ -d "$group" ] || break ;;
      esac
      sleep 0.1
    done
    rmdir "$h/$base" 2>/dev/null
  done
  exit 0
  ;;
esac
