#!/usr/bin/env bash
# Runs on the head of a cluster: installs on all nodes, builds here once, prepares the data, copies the lot to the others.
# install.sh "ADDRESS ADDRESS..." [--cuda]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
read -ra others <<<"$1"
flag=("${@:2}")

# each COMMAND: on every other node, side by side; the first that fails is named.
each() {
  local pids=() i
  for i in "${!others[@]}"; do
    # shellcheck disable=SC2029  # as it is here
    ssh "${others[i]}" "$1" </dev/null &
    pids[i]=$!
  done
  for i in "${!others[@]}"; do
    wait "${pids[i]}" || { echo "node ${others[i]}: $1 failed" >&2 && return 1; }
  done
}

spread() {
  local address
  for address in "${others[@]}"; do
    rsync -a --delete --exclude=/runs ./ "$address:mnist-dist/"
  done
}

spread
each "cd mnist-dist && launch/setup.sh ${flag[*]}" &
installing=$!
launch/setup.sh "${flag[@]}"
wait "$installing"
# shellcheck source=../../lib.sh
source launch/lib.sh
build_targets mnist-dist
[[ -e data/mnist.h5 ]] || "$program" prepare
mkdir -p runs
spread
