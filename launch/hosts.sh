#!/usr/bin/env bash
# Trains, or sweeps, on a list of ssh hosts: checks them first, then starts ranks there with mpirun,
# and watches for lost hosts.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=ranks.sh
source "$root/launch/ranks.sh"
# shellcheck source=cluster.sh
source "$root/launch/cluster.sh"
# shellcheck source=watch.sh
source "$root/launch/watch.sh"

usage() {
  cat <<'HELP'
usage: launch/hosts.sh --hosts a,b,c|FILE [options] [--] train|sweep|tune [arguments]

Runs launch/preflight.sh, then mnist-dist on ranks of these hosts. They need ssh without a password,
and this program and this folder at the same path (an NFS share, or a copy). The first host writes
the run folder.
  launch/hosts.sh --hosts a,b,c -- train --seed 7
  launch/hosts.sh --hosts cluster.txt -- sweep --seeds 0..99

HELP
  cluster_usage
  cat <<'HELP'
  -np N               ranks (default: all slots, for training at most the recipe's shards)
  --spread            with fewer ranks than slots, use all hosts
  --no-preflight      skip the check of the hosts (needs --slots or slots=)
  --max-restarts N    starts after a lost rank, host or mpirun (default: 3)
  --min-hosts M       number of good hosts that a restart needs (default: 1). With fewer, the hosts
                      are checked again 15 s later, which uses up one restart
  --print             print the command instead of running it
  --verbose           print mpirun's own messages
  -h, --help          print this help

Ctrl-C stops after the current step with a checkpoint (exit code 130, --resume continues on any
hosts). A second Ctrl-C stops at once. When a rank, a host or mpirun is lost, the hosts are checked
again, and the run restarts from its last checkpoint on the good ones, with the same result. A host
that is back is used at the next restart. A host counts as lost after comm.timeout (120 s). After
the last restart, or after two in a row without progress: exit code 4 and the fault.
HELP
}

ranks_given='' spread=false preflight=true print=false verbose=false min_hosts=1
own_options=() # all but --hosts and --print
while (($#)); do
  before=("$@")
  case $1 in
    -h | --help) usage; exit ;;
    --) shift && break ;;
    --max-restarts | --min-hosts)
      lowest=0
      [[ $1 != --min-hosts ]] || lowest=1
      [[ ${2:-} =~ ^[0-9]{1,6}$ && $1$2 != --min-hosts0 ]] ||
        wrong_value "$1" "${2:-}" "$lowest to 999999" 1
      if [[ $1 == --min-hosts ]]; then min_hosts=$2; else max_restarts=$2; fi
      shift
      ;;
    -np | -n)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || wrong_value "$1" "${2:-}" "at least 1" 2
      ranks_given=$2 && shift
      ;;
    --spread) spread=true ;;
    --no-preflight) preflight=false ;;
    --print) print=true ;;
    --verbose) verbose=true ;;
    -*)
      cluster_option "$1" "${2:-}" ||
        die 2 "unknown argument $1" \
          "put arguments of mnist-dist after --, see launch/hosts.sh --help"
      (($# > 1)) || die 2 "$1 needs a value" "read launch/hosts.sh --help"
      shift
      ;;
    *) break ;;
  esac
  shift
  case ${before[0]} in
    --hosts | --print) ;;
    *) own_options+=("${before[@]:0:${#before[@]}-$#}") ;;
  esac
done
case ${1:-} in
  train | sweep | tune) ;;
  '' | -*) set -- train "$@" ;;
  *)
    die 2 "$1: not for several hosts (expected train, sweep or tune)" "run launch/local.sh $1"
    ;;
esac

# same_hosts: the options for preflight.sh with the hosts and the way to reach them.
same_hosts() {
  printf '%s\n' --hosts "$hosts_argument"
  [[ -z $slots ]] || printf '%s\n' --slots "$slots"
  [[ -z $gpus ]] || printf '%s\n' --gpus "$gpus"
  [[ -z $interface ]] || printf '%s\n' --interface "$interface"
  [[ -z $ssh_key ]] || printf '%s\n' --ssh-key "$ssh_key"
  [[ -z $ssh_config ]] || printf '%s\n' --ssh-config "$ssh_config"
}

# place RANKS: "HOST RANKS" per line, from the table "HOST SLOTS ..." on stdin: hosts are filled in
# their order, or get ranks in turn.
place() {
  awk -v ranks="$1" -v spread="$spread" '
    { host[NR] = $1; slots[NR] = $2 }
    END {
      while (ranks > 0) {
        before = ranks
        for (i = 1; i <= NR; i++)
          while (ranks > 0 && taken[i] < slots[i]) {
            taken[i]++
            ranks--
            if (spread == "true") break
          }
        if (ranks == before) exit 1
      }
      for (i = 1; i <= NR; i++) if (taken[i]) print host[i], taken[i]
    }'
}

# find_hosts: $work/table, one line per host: "HOST SLOTS [CORES MASKED]". All hosts must be good at
# the first start. Later, bad ones are left out.
find_hosts() {
  local options host pids
  if $preflight; then
    mapfile -t options < <(same_hosts)
    # A restart is quick, unless the one before made no progress.
    ((restarts == 0)) || options+=(--min-hosts "$min_hosts" --seconds $((no_further)))
    "$root/launch/preflight.sh" "${options[@]}" >"$work/table" || return
  else
    (list_hosts) >"$work/listed" || return
    cp "$work/listed" "$work/table"
    if ((restarts > 0)); then
      pids=()
      while read -r host _; do
        on_host $((ssh_seconds + 2)) "$host" true </dev/null >/dev/null 2>&1 ||
          echo "$host" >>"$work/bad" &
        pids+=($!)
      done <"$work/table"
      wait "${pids[@]}"
      touch "$work/bad"
      awk 'FILENAME == ARGV[1] { bad[$1]; next } !($1 in bad)' "$work/bad" "$work/listed" \
        >"$work/table"
      rm "$work/bad"
      (($(wc -l <"$work/table") >= min_hosts)) || return 1
    elif grep -q ' 0$' "$work/table"; then
      die 2 "$(awk '$2 == 0 { print $1; exit }' "$work/table"): number of slots unknown" \
        "give --slots N, or leave out --no-preflight"
    fi
  fi
  mapfile -t hosts < <(awk '{ print $1 }' "$work/table")
}

# slots_for_group ARGUMENTS...: true if the hosts have the slots of one group of a sweep.
slots_for_group() {
  local group
  group=$(value_of --ranks-per-run "$@")
  [[ ! $group =~ ^[1-9][0-9]*$ ]] || (($(awk '{ n += $2 } END { print n }' "$work/table") >= group))
}

# place_ranks ARGUMENTS...: $work/places, one line per host: "HOST RANKS".
place_ranks() {
  local total group note=
  total=$(awk '{ n += $2 } END { print n }' "$work/table")
  ranks=$ranks_given
  # The remaining hosts may have fewer slots.
  if ((restarts > 0 && ${ranks:-0} > total)); then ranks=$total; fi
  if [[ -z $ranks ]]; then
    ranks=$(default_ranks "$total" "$@")
    ((ranks == total)) ||
      note=". A rank takes at least one of the recipe's shards, so $((total - ranks)) of $total \
slots stay free"
  fi
  # The groups of a sweep stay whole: on GPUs, the number of ranks changes the bits.
  group=$(value_of --ranks-per-run "$@")
  if ((restarts > 0)) && [[ $group =~ ^[1-9][0-9]*$ ]]; then ranks=$((ranks - ranks % group)); fi
  place "$ranks" <"$work/table" >"$work/places" ||
    die 2 "$ranks ranks do not fit into the hosts' $total slots" \
      "use -np $total, more hosts, or more --slots (a host may have more ranks than cores)"
  mapfile -t used < <(awk '{ print $1 }' "$work/places")
  say "$(count "$ranks" rank): \
$(awk '{ printf "%s%s x %s", (NR > 1) ? ", " : "", $1, $2 }' "$work/places")$note"
}

# make_command ARGUMENTS...: mpirun's command line for these places, as the array command.
make_command() {
  local bind_to=core binding network environment
  # Binding is right only if no host has more ranks than cores, none has masked CPUs, and a rank is
  # one thread (lib.sh, mpirun_options).
  [[ ${MNIST_DIST_CUDA:-} != on ]] || bind_to=none
  awk 'NR == FNR { cores[$1] = $3; masked[$1] = $4; next }
    $2 > cores[$1] || masked[$1] == 1 { exit 1 }' "$work/table" "$work/places" &&
    binding=(--map-by slot --bind-to "$bind_to") ||
    binding=(--map-by slot --oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
  mapfile -t network < <(network_options "$major" "${hosts[@]}")
  mapfile -t environment < <(forwarded_environment)
  command=("$mpirun" -np "$ranks" --host "$(sed 's/ /:/' "$work/places" | paste -sd,)"
    "${network[@]}" "${binding[@]}" "${environment[@]}")
  # When a rank is lost, mpirun 4 ends the others with CONT, TERM and KILL. By default it waits
  # between these for four seconds in total, but ranks that wait for a lost one end only with KILL.
  # Ranks that end by themselves have printed everything before.
  ((major >= 5)) || command+=(--mca odls_base_sigkill_timeout 0)
  # Open MPI 5 has no -q, which suppresses its banner about exit codes.
  if ((major < 5)) && ! $verbose; then command+=(-q); fi
  command+=("$program" "$@")
}

# note_failed_daemons: from now on, mpirun starts its daemons with an ssh that writes the hosts on
# which that failed to $work/failed-START. mpirun's code does not show it: it is that of ssh or of
# the daemon, and may be one of the program's.
note_failed_daemons() {
  cat >"$work/ssh" <<'SCRIPT'
code=0
ssh "$@" || code=$?
if ((code != 0)); then
  while [[ $1 == -* ]]; do shift 2; done
  echo "$1" >>"${BASH_SOURCE%/*}/failed-$MNIST_DIST_START"
fi 2>/dev/null
exit "$code"
SCRIPT
  # mpirun splits this at blanks and colons.
  [[ $work == *[[:space:]:]* ]] || daemon_ssh="bash $work/ssh"
}

# on_first_host COMMAND: on the host that writes the run folder.
on_first_host() { on_host $((ssh_seconds + 30)) "${used[0]}" "$1" </dev/null; }

# end_everywhere: kills processes of earlier starts on any host, also on one that is back.
end_everywhere() {
  local host pids=()
  for host in $(list_hosts | awk '{ print $1 }'); do
    on_host $((ssh_seconds + 10)) "$host" "$(declare -f end_starts); end_starts $script_id" \
      </dev/null >/dev/null 2>&1 &
    pids+=($!)
  done
  wait "${pids[@]}" || true
}

need_program
work=$(temporary -d)
# Not in a watcher that ends before it has reset this trap.
trap '[[ $BASHPID != "$$" ]] || rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP # until there are ranks to stop
find_hosts
((${#hosts[@]} >= min_hosts)) ||
  die 2 "--min-hosts $min_hosts: the list has $(count ${#hosts[@]} host)" "use --min-hosts 1"
place_ranks "$@"
find_mpirun
$print || note_failed_daemons
make_command "$@"
if $print; then
  echo "${command[*]@Q}"
  exit
fi

timeout=$(recipe_timeout "$@")
# Between looks for good hosts.
look_seconds=${MNIST_DIST_LOOK_SECONDS:-15}
given=("$@")
beside_ranks() {
  watch_hosts "$1" "$timeout" "${used[@]}"
  watch_mpirun "$1" "$start_id" "$timeout" "${used[@]}"
}
while :; do
  code=0
  new_start
  rm -f "$work/lost" "$work/silent"
  run_ranks env "MNIST_DIST_START=$start_id" \
    "${command[0]}" -x MNIST_DIST_START "${command[@]:1}" || code=$?
  stop_watching
  # mpirun's own failures end with 1, as the program's do.
  if ((code == 1)) && [[ -s $work/lost ]]; then code=4; fi
  if [[ -z $ranks_stopped && -s $work/failed-$start_id ]]; then code=255; fi
  may_start_again "$code" || break
  restarts=$((restarts + 1))
  say "note: $(fault "$code" "$timeout")"
  trap 'exit 130' INT TERM HUP
  end_everywhere &
  ending=$!
  # A switch or a power cut may take several hosts away for a while.
  until find_hosts && slots_for_group "${given[@]}"; do
    say "note: restart $restarts of $max_restarts: too few good hosts"
    ((restarts < max_restarts)) || explain_end "$code" "$timeout" "${given[@]}"
    restarts=$((restarts + 1))
    sleep "$look_seconds" &
    wait $! || true
  done
  wait "$ending" || true
  place_ranks "${given[@]}"
  results=$(on_first_host "$(results_question "${given[@]}")") || results="none unknown unknown"
  continue_from "$results" "$code" on_first_host "${given[@]}" || break
  if [[ $results == finished* ]]; then code=0 && break; fi
  say "note: restart $restarts of $max_restarts"
  make_command "${arguments[@]}"
done
explain_end "$code" "$timeout" "${given[@]}"
