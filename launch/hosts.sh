#!/usr/bin/env bash
# Trains, or sweeps, on a list of ssh hosts: looks at them first, then starts ranks there with mpirun, and watches that they stay.
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
usage: launch/hosts.sh --hosts a,b,c|FILE [options] [--] train|sweep [arguments for mnist-dist]

Runs launch/preflight.sh, then mnist-dist on ranks of these hosts, which need an ssh log-in without a password, and this program and this
folder at the same place (an NFS share, or a copy). The first host writes the run folder.
  launch/hosts.sh --hosts a,b,c -- train --seed 7
  launch/hosts.sh --hosts cluster.txt -- sweep --seeds 0..99

HELP
  cluster_usage
  cat <<'HELP'
  -np N               ranks; default: all slots for a sweep, for training at most the recipe's shards
  --spread            training on fewer ranks than slots: as many hosts as possible, not as few
  --no-preflight      do not look at the hosts first (--slots or slots= must then say how many ranks each takes)
  --print             print the command in place of running it
  --verbose           let mpirun say what it has to say as well
  -h, --help          this help

Ctrl-C stops after the current step with a checkpoint (exit code 130; continue with --resume, on any hosts); a second one stops at once.
A host that stops answering is named after comm.timeout (120 s), with the command that goes on without it: exit code 4, the same result.
HELP
}

ranks='' spread=false preflight=true print=false verbose=false
while (($#)); do
  case $1 in
    -h | --help) usage; exit ;;
    --) shift && break ;;
    -np | -n)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die 2 "$1 needs a number of ranks, not '${2:-}'" "launch/hosts.sh --hosts a,b -np 2"
      ranks=$2 && shift
      ;;
    --spread) spread=true ;;
    --no-preflight) preflight=false ;;
    --print) print=true ;;
    --verbose) verbose=true ;;
    -*)
      cluster_option "$1" "${2:-}" || die 2 "unknown argument $1" "what is for mnist-dist comes behind --; launch/hosts.sh --help"
      (($# > 1)) || die 2 "$1 needs a value" "launch/hosts.sh --help"
      shift
      ;;
    *) break ;;
  esac
  shift
done
case ${1:-} in
  train | sweep | tune) ;;
  '' | -*) set -- train "$@" ;;
  *) die 2 "$1 is not for several hosts" "train, sweep or tune; others run with launch/local.sh $1" ;;
esac

# same_hosts: the options for preflight.sh that say which hosts, and how to reach them.
same_hosts() {
  printf '%s\n' --hosts "$hosts_argument"
  [[ -z $slots ]] || printf '%s\n' --slots "$slots"
  [[ -z $gpus ]] || printf '%s\n' --gpus "$gpus"
  [[ -z $interface ]] || printf '%s\n' --interface "$interface"
  [[ -z $ssh_key ]] || printf '%s\n' --ssh-key "$ssh_key"
  [[ -z $ssh_config ]] || printf '%s\n' --ssh-config "$ssh_config"
}

# place RANKS: "HOST RANKS" a line, from the table "HOST SLOTS ..." on stdin: hosts are filled in their order, or dealt ranks in turn.
place() {
  awk -v ranks="$1" -v spread="$spread" '
    { host[NR] = $1; slots[NR] = $2 }
    END {
      while (ranks > 0) {
        before = ranks
        for (i = 1; i <= NR; i++)
          while (ranks > 0 && taken[i] < slots[i]) { taken[i]++; ranks--; if (spread == "true") break }
        if (ranks == before) exit 1
      }
      for (i = 1; i <= NR; i++) if (taken[i]) print host[i], taken[i]
    }'
}

need_program
work=$(temporary -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP # until there are ranks to stop
list_hosts >"$work/table"
if $preflight; then
  mapfile -t options < <(same_hosts)
  "$root/launch/preflight.sh" "${options[@]}" >"$work/table"
elif grep -q ' 0$' "$work/table"; then
  die 2 "how many ranks does $(awk '$2 == 0 { print $1; exit }' "$work/table") take?" "--slots N, or leave out --no-preflight"
fi
mapfile -t hosts < <(awk '{ print $1 }' "$work/table")
total=$(awk '{ n += $2 } END { print n }' "$work/table")

note=
if [[ -z $ranks ]]; then
  ranks=$(default_ranks "$total" "$@")
  ((ranks == total)) || note="; a rank takes at least one of the recipe's shards, so $((total - ranks)) of $total slots stay free"
fi
place "$ranks" <"$work/table" >"$work/places" ||
  die 2 "$ranks ranks do not fit into the hosts' $total slots" "-np $total, more hosts, or more --slots (a host may have more ranks than cores)"
say "$(count "$ranks" rank): $(awk '{ printf "%s%s x %s", (NR > 1) ? ", " : "", $1, $2 }' "$work/places")$note"

# Binding is right only where no host has more ranks than cores, and none keeps CPUs from us; and where a rank is one thread (lib.sh, mpirun_options).
bind_to=core
[[ ${MNIST_DIST_CUDA:-} != on ]] || bind_to=none
awk 'NR == FNR { cores[$1] = $3; masked[$1] = $4; next } $2 > cores[$1] || masked[$1] == 1 { exit 1 }' "$work/table" "$work/places" &&
  binding=(--map-by slot --bind-to "$bind_to") || binding=(--map-by slot --oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
find_mpirun
mapfile -t network < <(network_options "$major" "${hosts[@]}")
mapfile -t environment < <(forwarded_environment)
command=("$mpirun" -np "$ranks" --host "$(sed 's/ /:/' "$work/places" | paste -sd,)" "${network[@]}" "${binding[@]}" "${environment[@]}")
# Open MPI 5 has no -q, which keeps its banner about exit codes away.
if ((major < 5)) && ! $verbose; then command+=(-q); fi
command+=("$program" "$@")
if $print; then
  echo "${command[*]@Q}"
  exit
fi

if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
timeout=$(recipe_timeout "$@")
mapfile -t used < <(awk '{ print $1 }' "$work/places")
beside_ranks() { watch_hosts "$1" "$timeout" "${used[@]}"; }
code=0
run_ranks "${command[@]}" || code=$?
stop_watching
explain_end "$code" "$timeout" "$@"
