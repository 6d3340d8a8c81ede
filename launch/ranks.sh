# shellcheck shell=bash
# Number, start, stop and restart of ranks, for local.sh and hosts.sh. To be sourced after lib.sh.
# shellcheck disable=SC2154  # program: lib.sh's

# True if ARGUMENTS only request a text.
asks_for_text() {
  local argument
  for argument in "$@"; do
    case $argument in -h | --help | --help-all | --version | --print-config) return 0 ;; esac
  done
  return 1
}

# The recipe limits the number of ranks. The program reads it, and rejects a faulty one.
recipe_shards() {
  local recipe
  recipe=$("$program" "$@" --print-config) || return
  awk -F' *= *' '/^\[/ { section = $0 } section == "[data]" && $1 ~ /^ *shards$/ { print $2 + 0 }' \
    <<<"$recipe"
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
    *) echo 1 ;; # the other commands are short, or are about one process
  esac
}

# gpu_count: number of GPUs that are visible to a process here.
gpu_count() {
  if [[ -n ${CUDA_VISIBLE_DEVICES+set} ]]; then
    tr ',' '\n' <<<"$CUDA_VISIBLE_DEVICES" | grep -c .
  else
    { nvidia-smi -L 2>/dev/null || true; } | grep -c '^GPU '
  fi || true
}

# on_gpu ARGUMENTS...: sets the array arguments to the same with --device cuda, if the command has
# that option.
# shellcheck disable=SC2034  # local.sh uses it
on_gpu() {
  arguments=("$@")
  if asks_for_text "$@" || [[ " $* " == *" --device"[\ =]* ]]; then return; fi
  case ${1:-} in
    train | sweep | tune | evaluate) arguments=("$1" --device cuda "${@:2}") ;;
    -* | '') arguments=(--device cuda "$@") ;;
  esac
}

# A script's own work while its ranks run, as another function of this name. PID is mpirun's, and
# its process group's.
# shellcheck disable=SC2317
beside_ranks() { :; }

# run_ranks COMMAND...: sets ranks_stopped to the signal that stopped them, if any.
# It runs mpirun so that Ctrl-C ends in a checkpoint. mpirun itself would turn INT and TERM into
# TERM and, 1 s later, KILL. It only forwards USR1 (as Slurm's srun does), and the ranks take it as
# "stop after this step". Its own process group keeps the terminal's Ctrl-C away from it.
run_ranks() {
  local signals=0 code=0 pid='' signal
  ranks_stopped=
  # shellcheck disable=SC2317  # the trap calls it
  stop() {
    # A closed terminal sends HUP more than once, and never means "at once".
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
  # A trapped signal ends a wait early. Bash keeps the status of a child that has ended, and prints
  # "Killed" for one that was killed.
  while kill -0 "$pid"; do wait "$pid" || true; done 2>/dev/null
  wait "$pid" 2>/dev/null || code=$?
  # Ranks without a signal handler yet died of the signal. To the caller that is an interruption
  # like any other.
  if ((signals > 0 && code > 128)); then code=130; fi
  trap - INT TERM HUP USR1 USR2
  return "$code"
}

# A run that lost a rank, a host or mpirun starts again from its last checkpoint. The result has the
# same bytes, whatever the number of starts and ranks.
max_restarts=3 restarts=0
no_further=0 looked_at=''

# lost_something CODE: true for the end of a run that lost a rank, a host or mpirun, which another
# start may avoid. The other codes are the program's verdicts. 130: a rank got a signal. If the
# script got none, it came from the shutdown of a host, or from a daemon that frees memory.
lost_something() {
  case $1 in 0 | 1 | 2 | 3 | 5 | 6) return 1 ;; esac
}

# fault_of CODE: in words. `starter` is the process that ended with CODE.
starter=mpirun
fault_of() {
  local signal
  if (($1 == 130)); then
    echo "a rank received a signal that this script did not receive"
  elif (($1 > 128)) && signal=$(kill -l "$1" 2>/dev/null); then
    echo "a rank was killed ($signal)"
  elif (($1 == 4)); then
    echo "the ranks ended with exit code 4, for the reason above"
  else
    echo "$starter ended with code $1"
  fi
}

# value_of OPTION ARGUMENTS...: the last value that the arguments give the option.
value_of() {
  local option=$1 value=
  shift
  while (($#)); do
    case $1 in
      "$option") value=${2:-} ;;
      "$option"=*) value=${1#*=} ;;
    esac
    shift
  done
  echo "$value"
}

# has_newer_results FOLDER SINCE: true if it has a row or a checkpoint of after SINCE. It stops at
# the first one. A row changes the folder of its block of seeds (sweep/places.h), a checkpoint its
# run folder, so folders that did not change are not read. The newest blocks of run folders come
# first, because a restarted sweep begins new seeds there.
has_newer_results() (
  cd "$1" || return
  mapfile -t blocks < <(find . \( -name rows -o -name 'seed*' \) -prune -o \
    -name '*[0-9]xxx' -prune -printf '%T@ %p\n' | sort -rn | cut -d' ' -f2-)
  [[ -n $(find ./rows "${blocks[@]}" . -mindepth 1 \
    -newermt "@$2" \( -path '*/rows/*[0-9]xxx' -o -name 'checkpoint*.h5' \) -print -quit -o \
    -name '*[0-9]xxx' -prune -o -name 'seed*' ! -newermt "@$2" -prune) ]]
) 2>/dev/null

# time_in FOLDER: the time of its file system, whose clock may differ from the host's.
time_in() {
  local file
  file=$(mktemp -p "$1" .look.XXXXXX 2>/dev/null) || return
  stat -c %.9Y "$file" 2>/dev/null
  rm -f "$file"
}

# is_in_use FOLDER: true if its lease (base/lease.h) belongs to a process of this host that runs.
is_in_use() {
  local word value host='' pid='' started=''
  while read -r word value; do
    case $word in host) host=$value ;; process) pid=$value ;; started) started=$value ;; esac
  done <"$1/.lease"
  [[ $host == "$(hostname)" && $pid == +([0-9]) &&
    $(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20) == "$started" ]]
} 2>/dev/null

# look_at_results FOLDER PREFIX MINUTES SINCE: prints "STATE PROGRESS NOW FOLDER". Without FOLDER it
# is the newest folder PREFIX* that has no result and that no process of this host uses, if it has a
# checkpoint of the last MINUTES. SINCE is the NOW of the look before, empty at the first look. It
# is a time of the file system, or 0 without a folder. PROGRESS is "no" if there is no folder again,
# or in it no row and no checkpoint of after SINCE. Also runs on other hosts, without the other
# functions except the three above.
look_at_results() {
  local folder=$1 candidate since state=none now=0 progress=yes
  if [[ -z $folder ]]; then
    for candidate in "$2"*/; do
      candidate=${candidate%/}
      [[ -e $candidate/checkpoint.h5 && ! -e $candidate/summary.json ]] || continue
      [[ -n $folder && $folder/checkpoint.h5 -nt $candidate/checkpoint.h5 ]] ||
        is_in_use "$candidate" || folder=$candidate # in use: a run beside this one
    done
    if [[ -n $folder ]]; then
      since=$(time_in "$folder") && since=$((${since%.*} - 60 * $3)) &&
        [[ -n $(find "$folder/checkpoint.h5" -newermt "@$since") ]] || folder=
    fi
  fi
  # A sweep that has ended before may have more seeds now.
  if [[ -e $folder/summary.json && ! -e $folder/sweep.json ]]; then
    state=finished
  elif [[ -e $folder/checkpoint.h5 || -e $folder/checkpoint.prev.h5 ]]; then
    state=checkpoint
  elif [[ -n $folder && -e $folder ]]; then
    state=started
  fi
  if [[ $state == none ]]; then
    [[ $4 != 0 ]] || progress=no
  else
    now=$(time_in "$folder") || now=unknown
    [[ -z $4 ]] || has_newer_results "$folder" "$4" || progress=no
  fi
  echo "$state $progress $now $folder"
}

# recipe_of ARGUMENTS...: prints the recipe of mnist-dist ARGUMENTS. Only train prints one, so it
# gets the options of other commands that select theirs.
recipe_of() {
  local words=("$@")
  case ${1:-} in
    train | -* | '') ;;
    *)
      words=(train)
      while (($#)); do
        case $1 in
          --config | --set) words+=("$1" "${2:-}") ;;
          --config=* | --set=*) words+=("$1") ;;
        esac
        shift
      done
      ;;
  esac
  "$program" "${words[@]}" --print-config 2>/dev/null || true
}

# run_name ARGUMENTS...: "NAME-seedN" of the recipe.
run_name() {
  recipe_of "$@" | awk -F' *= *' '
    /^\[/ { section = $0 }
    { gsub(/"/, "", $2); sub(/ *#.*/, "", $2) }
    section == "[model]" && $1 == "name" { name = $2 }
    section == "[train]" && $1 == "seed" { seed = $2 }
    END { print name "-seed" seed }'
}

# results_question ARGUMENTS...: the command that checks the results of mnist-dist ARGUMENTS.
results_question() {
  local folder prefix='' name
  case ${1:-} in
    sweep | tune) folder=$(value_of --out "$@") ;;
    *) folder=$(value_of --run-dir "$@") ;;
  esac
  [[ -n $folder ]] || case ${1:-} in # the program's own choice
    sweep) name=$(run_name "$@") && folder=runs/sweep-${name%-seed*} ;;
    tune) name=$(value_of --space "$@") && name=${name##*/} && folder=runs/tune-${name%.*} ;;
    *) prefix=runs/$(run_name "$@")- ;;
  esac
  printf '%s; cd %q && look_at_results %q %q %d %q' \
    "$(declare -f has_newer_results time_in is_in_use look_at_results)" "$PWD" \
    "$folder" "$prefix" $((SECONDS / 60 + 2)) "$looked_at"
}

# may_start_again CODE: whether another start is allowed after this end.
may_start_again() {
  [[ -z $ranks_stopped ]] && lost_something "$1" && ((restarts < max_restarts))
}

# continue_from "STATE PROGRESS NOW FOLDER" CODE RUN ARGUMENTS...: sets the array arguments for this
# restart after exit code CODE. RUN COMMAND runs a command on the host with the results. PROGRESS
# and NOW are "unknown" if that host did not reply. False, with a note, if another start would not
# help.
continue_from() {
  local state progress folder ended=$2 run=$3
  read -r state progress looked_at folder <<<"$1"
  folder=${folder%/}
  shift 3
  arguments=("$@")
  if [[ $progress == no ]]; then
    if [[ $state == none && $ended == 4 ]]; then
      say "note: a restart ended without a run folder, too"
      return 1
    elif ((++no_further >= 2)); then
      say "note: two restarts in a row made no progress"
      return 1
    fi
  else
    no_further=0
  fi
  [[ $looked_at != unknown ]] || looked_at=
  case ${1:-} in sweep | tune) return 0 ;; esac
  case $state in
    checkpoint)
      [[ " $* " == *" --resume "* ]] || arguments+=(--resume)
      [[ -n $(value_of --run-dir "$@") ]] || arguments+=(--run-dir "$folder")
      ;;
    # Stopped before its first checkpoint. --resume begins such a run again by itself. A folder
    # that the program did not write stays.
    started)
      [[ " $* " != *" --resume "* ]] || return 0
      "$run" "cd ${PWD@Q} && if [ -e ${folder@Q}/config.toml ] || [ -e ${folder@Q}/.lease ]; then
        mv -T ${folder@Q} ${folder@Q}.before-restart-$script_id-$restarts; fi"
      ;;
  esac
}

# All processes of a start have MNIST_DIST_START=$script_id-N in their environment, so that those
# that outlive mpirun can be found.
script_id=${HOSTNAME//[^A-Za-z0-9.-]/}-$$-$EPOCHSECONDS
# shellcheck disable=SC2034  # the scripts use it
new_start() { start_id=$script_id-$restarts; }

# end_starts ID: kills the processes that starts ID-N left on this host, and waits for their end.
# Also runs on other hosts.
end_starts() {
  local pids tries
  for ((tries = 0; tries < 50; tries++)); do
    pids=$(grep -lzs "^MNIST_DIST_START=$1-" /proc/[0-9]*/environ | cut -d/ -f3) || true
    [[ -n $pids ]] || return 0
    # shellcheck disable=SC2086  # one word per process
    kill -KILL $pids 2>/dev/null || true
    sleep 0.1
  done
}
