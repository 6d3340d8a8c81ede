# shellcheck shell=bash
# How many ranks a command takes, and how they are run and stopped: what local.sh and hosts.sh share. To be sourced after lib.sh.
# shellcheck disable=SC2154  # program: lib.sh's

# True when ARGUMENTS only ask for something to be printed.
asks_for_text() {
  local argument
  for argument in "$@"; do
    case $argument in -h | --help | --help-all | --version | --print-config) return 0 ;; esac
  done
  return 1
}

# The recipe decides how many ranks there can be; the program knows it best, and refuses what is wrong with it.
recipe_shards() {
  local recipe
  recipe=$("$program" "$@" --print-config) || return
  awk -F' *= *' '/^\[/ { section = $0 } section == "[data]" && $1 ~ /^ *shards$/ { print $2 + 0 }' <<<"$recipe"
}

# default_ranks CORES ARGUMENTS...
default_ranks() {
  local cores=$1 shards
  shift
  case ${1:-} in
    train | -* | '')
      if asks_for_text "$@"; then
        echo 1
      else
        shards=$(recipe_shards "$@") || return
        echo $((shards < cores ? shards : cores))
      fi
      ;;
    sweep | tune) echo "$cores" ;;
    *) echo 1 ;; # the other commands are short, or talk about one process
  esac
}

# gpu_count: GPUs that a process here sees.
gpu_count() {
  if [[ -n ${CUDA_VISIBLE_DEVICES+set} ]]; then
    tr ',' '\n' <<<"$CUDA_VISIBLE_DEVICES" | grep -c .
  else
    { nvidia-smi -L 2>/dev/null || true; } | grep -c '^GPU '
  fi || true
}

# on_gpu ARGUMENTS...: sets the array arguments to the same with --device cuda, where the command knows that option.
# shellcheck disable=SC2034  # local.sh uses it
on_gpu() {
  arguments=("$@")
  if asks_for_text "$@" || [[ " $* " == *" --device"[\ =]* ]]; then return; fi
  case ${1:-} in
    train | sweep | tune | evaluate) arguments=("$1" --device cuda "${@:2}") ;;
    -* | '') arguments=(--device cuda "$@") ;;
  esac
}

# What a script wants to do while its ranks run, as another function of this name; PID is mpirun's, and its process group's.
# shellcheck disable=SC2317
beside_ranks() { :; }

# run_ranks COMMAND...: sets ranks_stopped to the signal that told it to stop them, if one did.
# It runs mpirun so that Ctrl-C ends in a checkpoint. mpirun itself would turn INT and TERM into TERM and, 1 s later, KILL; USR1 it only
# forwards (as Slurm's srun does), and the ranks take it as "stop after this step". Its own process group keeps the terminal's Ctrl-C away from it.
run_ranks() {
  local signals=0 code=0 pid='' signal
  ranks_stopped=
  # shellcheck disable=SC2317  # the trap calls it
  stop() {
    # A closed terminal says so more than once, and never means "at once".
    [[ $1 != HUP ]] || ((signals == 0)) || return 0
    signals=$((signals + 1))
    : "${ranks_stopped:=$1}"
    [[ -n $pid ]] || return 0
    case $signals in
      1) kill -USR1 "$pid" ;;
      2) kill -TERM "$pid" ;;
      *) kill -KILL -- "-$pid" ;;
    esac 2>/dev/null || true
  }
  # shellcheck disable=SC2064  # the signal's name as it is now
  for signal in INT TERM HUP USR1 USR2; do trap "stop $signal" "$signal"; done
  set -m
  "$@" </dev/null &
  pid=$!
  set +m
  ((signals == 0)) || kill -USR1 "$pid" # it came before there was anything to stop
  beside_ranks "$pid"
  # A trapped signal ends a wait early; bash keeps the status of a child that has ended, and would say "Killed" of one that was.
  while kill -0 "$pid"; do wait "$pid" || true; done 2>/dev/null
  wait "$pid" 2>/dev/null || code=$?
  # Ranks that had not yet begun to listen died of the signal; to the caller that is an interruption like any other.
  if ((signals > 0 && code > 128)); then code=130; fi
  trap - INT TERM HUP USR1 USR2
  return "$code"
}
