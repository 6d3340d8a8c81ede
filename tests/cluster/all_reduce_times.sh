#!/usr/bin/env bash
# Measures one sum over 4, 8, 16, 32 and 64 ranks: on this machine, and on four hosts of one core
# each that are network namespaces of it (four_hosts.bash). For a machine that does nothing else.
# Needs root, sshd, ip and tc.
# usage: tests/cluster/all_reduce_times.sh [SECONDS]   (per measurement, default: 5)
# Environment: MNIST_DIST (build/mnist-dist), MPIRUN (mpirun)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(realpath "${MNIST_DIST:-$here/../../build/mnist-dist}")
mpirun=$(type -P "${MPIRUN:-mpirun}")
seconds=${1:-5}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# measure WHERE PREFIX... -- OPTIONS...: PREFIX comes before mpirun, OPTIONS are mpirun's. :SLOTS in
# them is a quarter of the ranks.
measure() {
  local where=$1 ranks prefix=()
  shift
  while [[ $1 != -- ]]; do
    prefix+=("$1")
    shift
  done
  shift
  for ranks in 4 8 16 32 64; do
    echo "$where: $(${prefix[@]+"${prefix[@]}"} "$mpirun" --oversubscribe --bind-to none \
      "${@//:SLOTS/:$((ranks / 4))}" \
      -np "$ranks" "$program" doctor --all-reduce "$seconds")"
  done
}

if [[ ${ALL_REDUCE_IN_NAMESPACES:-} != 1 ]]; then
  measure "one host" -- --mca btl_tcp_if_include lo
  export ALL_REDUCE_IN_NAMESPACES=1
  exec "$here/private.sh" sshd ssh ip tc -- "${BASH_SOURCE[0]}" "$seconds"
fi
# shellcheck source=four_hosts.bash
source "$here/four_hosts.bash"
folder=$(mktemp -d)
trap 'stop_hosts; rm -rf "$folder"' EXIT
make_hosts "$folder"
on_host1() { on host1 "$@"; }
measure "four hosts" on_host1 -- --map-by slot \
  --host host1:SLOTS,host2:SLOTS,host3:SLOTS,host4:SLOTS \
  --mca plm_rsh_agent "ssh -F $SSH_CONFIG" --mca btl_tcp_if_include 10.77.0.0/24 \
  --mca oob_tcp_if_include 10.77.0.0/24
