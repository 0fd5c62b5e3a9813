#!/bin/bash
# cgroups.sh make <lab> <machine> <cpus> <memory MiB> | join <lab> <machine> <command…> | remove <lab>
# One control group per machine, in every version 1 hierarchy, or in the one of version 2.
# `init` below it holds the machine's own programs, so that version 2's "no processes inside" rule is kept.
set -u
top=/sys/fs/cgroup
base=istio-vm-conformance

hierarchies() {
  if [ -e $top/cgroup.controllers ]; then echo $top; return; fi
  for name in cpu cpuacct cpuset memory devices freezer blkio pids systemd hugetlb net_cls net_prio perf_event; do
    [ -d "$top/$name" ] && [ ! -L "$top/$name" ] && echo "$top/$name"
  done
}

make_one() { # makes one level, with what a new level does not inherit
  [ -d "$1" ] || mkdir "$1"
  if [ -e "$1/cpuset.cpus" ] && [ -e "$1/cpuset.mems" ] && [ ! -e $top/cgroup.controllers ]; then
    cat "$(dirname "$1")/cpuset.cpus" >"$1/cpuset.cpus"
    cat "$(dirname "$1")/cpuset.mems" >"$1/cpuset.mems"
  fi
  if [ -e $top/cgroup.controllers ] && [ "$(basename "$1")" != init ]; then
    for controller in cpu cpuset memory pids io; do echo "+$controller" >"$1/cgroup.subtree_control" 2>/dev/null; done
  fi
  return 0
}

case $1 in
make)
  lab=$2 machine=$3 cpus=$4 memory=$5
  for h in $(hierarchies); do
    for level in $base $base/$lab $base/$lab/$machine $base/$lab/$machine/init; do make_one "$h/$level"; done
    group=$h/$base/$lab/$machine
    [ ! -e $group/memory.limit_in_bytes ] || echo "${memory}M" >$group/memory.limit_in_bytes
    [ ! -e $group/memory.max ] || echo "${memory}M" >$group/memory.max
    [ ! -e $group/cpu.cfs_quota_us ] || echo $((cpus * 100000)) >$group/cpu.cfs_quota_us
    [ ! -e $group/cpu.max ] || echo "$((cpus * 100000)) 100000" >$group/cpu.max
  done
  ;;
join)
  lab=$2 machine=$3
  shift 3
  for h in $(hierarchies); do echo $$ >"$h/$base/$lab/$machine/init/cgroup.procs"; done
  exec "$@"
  ;;
remove)
  # in every hierarchy, because a container runtime makes groups in `unified` too where both versions are mounted
  for h in $top $top/*; do
    group=$h/$base/$2
    [ -d "$group" ] || continue
    # a group can be removed once the kernel has let its last process go
    for _ in $(seq 100); do
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
      [ -d "$group" ] || break
      sleep 0.1
    done
    rmdir "$h/$base" 2>/dev/null
  done
  exit 0
  ;;
esac
