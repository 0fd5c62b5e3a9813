#!/bin/bash
# node-init.sh <machine folder> <name> <hosts file> <folder of the Kubernetes programs>
# The first process of a node, in pid, mount, uts and ipc namespaces of its own. Its root is made of the host's /usr
# (read-only) and its own /etc, /var, /run, /opt and /tmp: nothing it writes reaches the host, and how the host is
# configured does not reach it.
set -eu
machine=$1 name=$2 hosts=$3 programs=$4
here=$(dirname "$(readlink -f "$0")")
read -r pid _ </proc/self/stat # the lab's /proc: the id that the lab knows us by

hostname "$name"
mount --make-rprivate /
root=$machine/root
mkdir -p "$root" "$machine"/{var,etc}
"$here/node-etc.sh" "$machine/etc" "$name" "$hosts"
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir usr etc var run tmp opt root home proc sys dev opt/kubernetes opt/cni opt/cni/bin mnt srv old
chmod 1777 tmp
for link in bin sbin lib lib32 lib64 libx32; do
  [ ! -e /$link ] || ln -s usr/$link $link
done
mount --rbind -o ro /usr usr
mount --bind "$machine/etc" etc
mount --bind "$machine/var" var
mount -t tmpfs -o mode=755 tmpfs run
mount --bind -o ro "$programs" opt/kubernetes
mount --bind /usr/lib/cni opt/cni/bin
mount --rbind /sys sys
# version 2 alone: the namespace of control groups that we are in has the node's group as its root
[ ! -e sys/fs/cgroup/cgroup.controllers ] || mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --rbind /dev dev
mount -t proc proc proc
mkdir -p var/{lib/kubelet,lib/containerd,lib/cni,log/pods,log/containers,tmp} run/netns

# kubelet sets these for the whole machine; it finds the wanted values here instead
mkdir run/sysctl
fake() { [ ! -e "proc/sys/$1" ] || { echo "$2" >"run/sysctl/${1//\//.}"; mount --bind "run/sysctl/${1//\//.}" "proc/sys/$1"; }; }
fake vm/overcommit_memory 1
fake vm/panic_on_oom 0
fake kernel/panic 10
fake kernel/panic_on_oops 1
fake kernel/keys/root_maxkeys 1000000
fake kernel/keys/root_maxbytes 25000000

pivot_root . old
umount -l old
rmdir old
mkdir /run/service
echo "$pid" >/var/node.pid
# supervises the node's programs (supervised.ts) and reaps what is orphaned; nothing of the environment of the run gets in
exec env -i PATH=/usr/bin:/bin s6-svscan /run/service </dev/null
