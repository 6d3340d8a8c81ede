#!/usr/bin/env bash
# Runs on the head of a cluster: installs on all nodes, builds here once, prepares the data, copies
# everything to the others.
# install.sh "ADDRESS ADDRESS..." [--cuda]: with --cuda for the nodes' GPUs. If that fails, prints a
# line with the reason.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
# One Open MPI for the build and the ranks: the system's. Images for GPUs have Amazon's one in PATH.
PATH=$(tr ':' '\n' <<<"$PATH" | grep -v '^/opt/amazon/openmpi' | paste -sd:)
read -ra others <<<"$1"
cuda=${2:-}

# each COMMAND: on all other nodes at once. Prints the first one that fails.
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

# set_up [--cuda]: on all nodes.
set_up() {
  local code=0
  each "cd mnist-dist && launch/setup.sh $*" &
  local installing=$!
  launch/setup.sh "$@" || code=$?
  wait "$installing" || code=$?
  return "$code"
}

spread
set_up
if [[ $cuda == --cuda ]]; then
  log=$(mktemp)
  if set_up --cuda >"$log" 2>&1; then
    export MNIST_DIST_CUDA=on
  else
    # No failure: the job runs on the nodes' cores, and launch/ec2.sh prints it.
    reason=$(sed -n 's/^error: //p' "$log" | head -n 1)
    echo "GPUs stay idle: ${reason:-$(tail -n 1 "$log")}"
  fi
  rm -f "$log"
fi
# shellcheck source=../../lib.sh
source launch/lib.sh
build_targets mnist-dist
[[ -e data/mnist.h5 ]] || "$program" prepare
spread
mkdir -p runs
each "mkdir -p mnist-dist/runs"
