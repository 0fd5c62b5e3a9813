#!/bin/bash
# lab-init.sh <lab folder>
# The first process of a lab, in a pid, mount and network namespace of its own: a bridge, and a named network
# namespace per node. There is no default route anywhere. Ending this process ends everything in the lab.
set -eu
dir=$1
read -r pid _ </proc/self/stat # still the host's /proc: the id that the host knows us by
start=$(sed 's/.*) //' </proc/$pid/stat | cut -d' ' -f20)

mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/netns /run/service

sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 2>/dev/null || true
ip link set lo up
ip link add br0 address 52:54:00:64:00:01 type bridge
ip address add "$(cat "$dir/bridge")/24" dev br0
ip link set br0 up
ip tuntap add tap-vm mode tap
ip link set tap-vm master br0 up

# nodes: name address pod-network
while read -r node address pods; do
  last=${address##*.}
  ip netns add "$node"
  ip link add "to-$last" type veth peer name eth0 address "52:54:00:64:00:$(printf %02x "$last")" netns "$node"
  ip link set "to-$last" master br0 up
  ip -n "$node" link set lo up
  ip -n "$node" address add "$address/24" dev eth0
  ip -n "$node" link set eth0 up
  # kube-proxy rewrites these before they leave, but the kernel wants a route first
  ip -n "$node" route add 10.43.0.0/16 dev eth0 src "$address"
  while read -r other via theirs; do
    [ "$other" = "$node" ] || ip -n "$node" route add "$theirs" via "$via"
  done <"$dir/nodes"
  nsenter --net="/run/netns/$node" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
    net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
done <"$dir/nodes"

echo "$pid $start" >"$dir/init.tmp"
mv "$dir/init.tmp" "$dir/init"
# supervises the lab's controllers (supervised.ts) and reaps what is orphaned here
exec s6-svscan /run/service
