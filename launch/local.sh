#!/usr/bin/env bash
# Trains on this machine: sets up, builds, and starts one rank per physical core.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=ranks.sh
source "$root/launch/ranks.sh"

usage() {
  cat <<'HELP'
usage: launch/local.sh [--cuda] [-np N] [--max-restarts N] [--print] [arguments for mnist-dist]

Installs and builds missing parts, then runs build/mnist-dist on N ranks of this machine:
  launch/local.sh                             the default recipe on all cores
  launch/local.sh --cuda                      on all GPUs (docs/gpu.md)
  launch/local.sh -np 2 --config step1        a different recipe on 2 ranks
  launch/local.sh summary                     any other command, as one process

  --cuda    the build for GPUs, in build-cuda/, with --device cuda
  -np N     ranks (default: physical cores, with --cuda GPUs, never more than the recipe's shards).
            One rank runs without mpirun. More ranks than cores is slow
  --max-restarts N
            restarts from the last checkpoint after a rank was lost, for example for memory
            (default: 3). Stops earlier after two restarts without progress
  --print   build, then print the command instead of running it
  -h        print this help ("launch/local.sh train --help" prints mnist-dist's)

Relative paths, data/ and runs/ are those of the current folder. Ctrl-C stops after the current step
with a checkpoint (exit code 130, --resume continues). A second Ctrl-C stops at once.

Environment: MNIST_DATA_DIR         folder of the four MNIST files (default: data/raw/, data/mnist/)
             MNIST_DIST_BUILD_DIR   the build folder
             MNIST_DIST_SETUP=skip  skip the check of installed packages
HELP
}

ranks=
print=false cuda=false
while (($#)); do
  case $1 in
    -np | -n | --np)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || wrong_value "$1" "${2:-}" "at least 1" 2
      ranks=$2
      shift
      ;;
    --max-restarts)
      [[ ${2:-} =~ ^[0-9]{1,6}$ ]] || wrong_value "$1" "${2:-}" "0 to 999999" 3
      max_restarts=$2
      shift
      ;;
    --print) print=true ;;
    --cuda) cuda=true ;;
    -h | --help) usage; exit ;;
    --) shift && break ;;
    *) break ;;
  esac
  shift
done

if $cuda; then
  use_cuda
  setup --cuda
  # One rank per GPU. Without a GPU, one rank prints the error.
  places=$(gpu_count)
  ((places >= 1)) || places=1
  on_gpu "$@"
  set -- ${arguments[@]+"${arguments[@]}"}
else
  setup
fi
build_targets mnist-dist
cores=$("$program" doctor --cores)
$cuda || places=$cores
[[ -n $ranks ]] || ranks=$(default_ranks "$places" "$@")

if ((ranks > 1)) && loopback_is_down; then
  say "note: the loopback interface is down, so mpirun cannot start. One process computes the same \
result"
  ranks=1
fi
options=()
if ((ranks > 1)); then
  find_mpirun
  mapfile -t options < <(mpirun_options "$ranks" "$cores" "$major")
  options=("$mpirun" -np "$ranks" "${options[@]}")
  ((ranks <= cores)) ||
    say "note: $ranks ranks share $(count "$cores" core): slower, same result"
fi

command=(${options[@]+"${options[@]}"} "$program")
if $print; then
  command+=("$@")
  echo "${command[*]@Q}"
  exit
fi
trains=false
case ${1:-} in train | sweep | tune | -* | '') asks_for_text "$@" || trains=true ;; esac
$trains || max_restarts=0
if ((ranks == 1)); then
  $trains || exec "${command[@]}" "$@"
  starter=$program
fi

# here COMMAND: where the run folder is.
here() { bash -c "$1"; }
given=("$@") arguments=("$@")
while :; do
  code=0
  new_start
  run_ranks env "MNIST_DIST_START=$start_id" "${command[@]}" "${arguments[@]}" || code=$?
  may_start_again "$code" || break
  restarts=$((restarts + 1))
  say "note: $(fault_of "$code")"
  end_starts "$script_id"
  results=$(here "$(results_question "${given[@]}")") || results="none unknown unknown"
  continue_from "$results" "$code" here "${given[@]}" || break
  if [[ $results == finished* ]]; then exit 0; fi
  say "note: restart $restarts of $max_restarts"
done
case $code in
  [0-6] | 130) exit "$code" ;; # the program has printed its lines
  137) hint="check dmesg. If memory ran out, use fewer ranks with -np" ;;
  *) hint="read the messages above, then run the same command again" ;;
esac
die 4 "$(fault_of "$code")" "$hint"
