#!/usr/bin/env bash
# Measures how soon a run continues after one of its ranks was killed, three times each: two ranks
# of launch/local.sh, and launch/hosts.sh with a rank on each of four hosts that are network
# namespaces of this machine (four_hosts.bash). For a machine that does nothing else. Needs root,
# sshd, ip, tc.
# usage: tests/cluster/restart_times.sh
# Environment: MNIST_DIST_BUILD_DIR (build)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export MNIST_DIST_BUILD_DIR=${MNIST_DIST_BUILD_DIR:-$root/build} MNIST_DIST_SETUP=skip
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
if [[ ${RESTARTS_IN_NAMESPACES:-} != 1 ]]; then
  export RESTARTS_IN_NAMESPACES=1
  exec "$here/private.sh" sshd ssh ip tc -- "${BASH_SOURCE[0]}"
fi
# shellcheck source=four_hosts.bash
source "$here/four_hosts.bash"

folder=$(mktemp -d)
trap 'stop_hosts; rm -rf "$folder"' EXIT
make_hosts "$folder"
cd "$folder"
"$MNIST_DIST_BUILD_DIR/mnist-dist" prepare --synthetic --count 4000 --out digits.h5 >/dev/null 2>&1
run=(train --config step4 --set data.file=digits.h5 --set train.epochs=10000
  --set train.evaluate_every=10000 --set train.checkpoint_seconds=0.2 --threads 1)

# seconds_until COUNT PATTERN: from now until so many lines of the run's output match.
seconds_until() {
  local begin=$EPOCHREALTIME
  until [[ $(cat out err | grep -cE "$2") -ge $1 ]]; do sleep 0.02; done
  awk -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.1f", end - begin }'
}

# measure WHERE COMMAND...: its run is in the folder r.
measure() {
  local where=$1 kill restarts continues
  shift
  rm -rf r
  setsid env --default-signal=INT "$@" "${run[@]}" --run-dir r >out 2>err 3>&- &
  local started=$!
  until [[ -s r/checkpoint.h5 ]]; do sleep 0.1; done
  for kill in 1 2 3; do
    sleep 2
    pkill -KILL --newest -x mnist-dist
    restarts=$(seconds_until "$kill" '^note: .*restart [1-9] of')
    continues=$(seconds_until "$kill" '^resumed after')
    echo "$where: the restart starts after $restarts s, the ranks continue $continues s later"
  done
  kill -INT -- "-$started"
  wait "$started" || true
}

measure "local.sh" "$root/launch/local.sh" -np 2
enter host1
measure "hosts.sh" "${ENTER[@]}" "$root/launch/hosts.sh" --ssh-config "$SSH_CONFIG" --slots 1 \
  --max-restarts 5 --hosts host1,host2,host3,host4 --
