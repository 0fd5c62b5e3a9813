#!/bin/bash
# node-etc.sh <folder> <name> <hosts file> [<etc of the host>]
# Makes the /etc of a node: the lab's own. The host gives what the programs in its /usr find through /etc and no
# service of it is configured by: the alternatives, certificates, and the numbers of protocols and services.
# The folder may be that of a node which was started before: what was put there since stays.
set -eu
etc=$1 name=$2 hosts=$3 from=${4:-/etc}
here=$(dirname "$(readlink -f "$0")")

mkdir -p "$etc"/{alternatives,cni/net.d,containerd,kubernetes,ssl/certs}
put() { # files only, never through a link
  rm -f "$etc/$1"
  cat >"$etc/$1"
}

put hostname <<<"$name"
put hosts <"$hosts"
# Debian's own users and groups, and no module of glibc but files and dns
for file in passwd group nsswitch.conf resolv.conf; do put "$file" <"$here/node-etc/$file"; done
# the nodes of a cluster are told apart by it
[ -s "$etc/machine-id" ] || od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | put machine-id
ln -sfn ../usr/lib/os-release "$etc/os-release"
ln -sfn /proc/mounts "$etc/mtab"

# such as iptables -> /usr/sbin/iptables-nft; what leads out of /usr is not there in a node
find "$from/alternatives" -maxdepth 1 -lname '/usr/*bin/*' -exec cp -Pf -t "$etc/alternatives" {} + 2>/dev/null || true
for file in protocols services ssl/openssl.cnf ssl/certs/ca-certificates.crt; do
  [ ! -r "$from/$file" ] || put "$file" <"$from/$file"
done
