#!/bin/bash
# lab-elsewhere.sh <lab folder>
# The first and only process of a lab whose machines are somebody else's: it tells that the lab stands.
set -eu
start=$(sed 's/.*) //' </proc/$$/stat | cut -d' ' -f20)
echo "$$ $start" >"$1/init.tmp"
mv "$1/init.tmp" "$1/init"
# it has no namespace of processes that would end a child with it
exec sleep infinity
