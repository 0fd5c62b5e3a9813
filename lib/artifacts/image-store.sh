#!/bin/bash
# image-store.sh <configuration> <socket> <containerd root> <name of the image>=<OCI archive>...
# Fills the containerd root of that configuration with images, unpacked, with a containerd of its own that ends here.
# Runs in its own pid and mount namespaces, so nothing stays behind whatever happens.
set -euo pipefail
config=$1 socket=$2 root=$3
shift 3
mkdir -p "$root"
mount -t tmpfs tmpfs /run # sockets may not have long paths
log=/run/containerd.log
containerd --config "$config" >$log 2>&1 &
daemon=$!
images=(ctr --address "$socket" --namespace k8s.io images)

# wait_for <seconds> <what for> <command...>
wait_for() {
  local tries=$(($1 * 10)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ! kill -0 $daemon 2>/dev/null || [ $((tries -= 1)) -le 0 ]; then
      echo "Not seen: $what. containerd said:" >&2
      grep -v level=info $log | tail -n 10 >&2
      exit 1
    fi
    sleep 0.1
  done
}
# containerd's CRI marks what it has taken over: the image itself and a second name, the image's id
taken_over() { [ "$("${images[@]}" ls -q "labels.\"io.cri-containerd.image\"==managed" | grep -cv '^sha256:')" -ge "$1" ]; }

wait_for 60 'containerd answers' ctr --address "$socket" version
count=0
for image in "$@"; do
  name=${image%%=*}
  echo "importing $name"
  "${images[@]}" import --base-name "${name%:*}" "${image#*=}"
  wait_for 120 "CRI has taken over $name" taken_over $((count += 1))
done
"${images[@]}" check | awk 'NR > 1 && ($4 != "complete" || $NF != "true") { print "incomplete: " $0; bad = 1 } END { exit bad }' >&2
kill $daemon
wait $daemon || true
rm -rf "$root/io.containerd.grpc.v1.introspection" # each node is to have an id of its own
