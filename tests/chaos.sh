#!/usr/bin/env bash
# Disturbs sweeps until N faults have happened, and compares their results with those of an
# undisturbed sweep: the same rows, no seed lost, none twice. Eight workers share a folder, as on
# eight hosts: each has its own process ids (with root, otherwise they are processes of one host).
#   kill     a worker is killed (SIGKILL), and another one starts
#   freeze   a worker is stopped (SIGSTOP) for longer than its lease, and then continues
#   signal   a worker gets SIGTERM, writes a checkpoint and ends, and another one starts
#   limit    a worker reaches its limit of file sizes (RLIMIT_FSIZE) in a write
#   disk     the file system is full for a moment (with root: a tmpfs)
# The clock of every fourth worker is an hour ahead or behind (with faketime).
# usage: tests/chaos.sh [--faults N] [--seeds N] [--seed N]
#   --faults N   (default: 500)     --seeds N   of one sweep (default: 40)
#   --seed N     of the order of faults (default: 1)
# Environment: MNIST_DIST (build/mnist-dist), TEST_DATA (drawn digits, default: drawn here)
# Exit codes: 0 all sweeps are right, 1 one is wrong, 2 usage.
set -euo pipefail
export LC_ALL=C NO_COLOR=1

faults=500 seeds=40 order=1
while (($# > 0)); do
  case $1 in
    --faults) faults=${2:?} && shift 2 ;;
    --seeds) seeds=${2:?} && shift 2 ;;
    --seed) order=${2:?} && shift 2 ;;
    -h | --help) sed -n '2,/^set/{/^set/d; s/^# \?//p}' "$0" && exit ;;
    *) echo "error: unknown argument $1" >&2 && exit 2 ;;
  esac
done
workers=8
RANDOM=$order
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${MNIST_DIST:-$here/build/mnist-dist}
# A lease of two seconds, so that takeovers are fast.
export MNIST_DIST_LEASE_SECONDS=2
lease=2

work=$(mktemp -d)
mounted=false
cleanup() {
  local pid
  for pid in "${pids[@]}" "${leaving[@]}"; do kill_worker "$pid"; done
  wait 2>/dev/null || true
  ! $mounted || umount "$work/disk"
  rm -rf "$work"
}
declare -a pids=() leaving=()
trap cleanup EXIT

data=${TEST_DATA:-$work/digits.h5}
[[ -e $data ]] || "$program" prepare --synthetic --count 2000 --out "$data" >/dev/null 2>&1
sweep=("$program" sweep --config "$here/tests/tiny.toml" --set "data.file=$data"
  --set 'data.split=[600,300]' --set train.epochs=12 --set train.checkpoint_seconds=0.2
  --set augment.rotation=0 --threads 1 --seeds "0..$((seeds - 1))" --target 0)

# Workers in separate process id namespaces are like hosts: their processes are invisible to others.
host=()
if unshare --pid --fork --kill-child true 2>/dev/null; then
  host=(unshare --pid --fork --kill-child)
fi
# faketime's library alone: with the program, a killed worker would leave an object in /dev/shm with
# its process id, and a later one with this id would end with exit code 1.
have_clocks=false offsets=(+1h -1h) clock_library=
if command -v faketime >/dev/null; then
  clock_library=$(faketime -f +1h printenv LD_PRELOAD)
  # shellcheck disable=SC2097,SC2098  # date is the only program with a wrong clock
  (($(FAKETIME=+1h LD_PRELOAD=$clock_library date +%s) <= $(date +%s) + 1800)) || have_clocks=true
fi
mkdir "$work/disk"
if mount -t tmpfs -o size=64m none "$work/disk" 2>/dev/null; then mounted=true; fi

declare -A count=([kill]=0 [freeze]=0 [signal]=0 [limit]=0 [disk]=0)
started=0 wrong_clocks=0
total() {
  local kind sum=0
  for kind in "${!count[@]}"; do ((sum += count[$kind])) || true; done
  echo "$sum"
}

counts() {
  local kind
  for kind in kill freeze signal limit disk; do echo -n "$kind ${count[$kind]} "; done
}

# inner PID: the program itself, behind unshare.
inner() {
  local pid=$1 child
  while child=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null) && [[ -n $child ]]; do
    pid=${child%% *}
  done
  echo "$pid"
}
signal_worker() { kill "-$1" "$(inner "$2")" 2>/dev/null || true; }
kill_worker() {
  signal_worker KILL "$1"
  kill -KILL "$1" 2>/dev/null || true
}

# start_worker SLOT [COMMAND...]: into pids[SLOT].
start_worker() {
  local slot=$1 clock=()
  shift
  started=$((started + 1))
  if $have_clocks && ((RANDOM % 4 == 0)); then
    clock=(env FAKETIME_DONT_FAKE_MONOTONIC=1 "FAKETIME=${offsets[RANDOM % 2]}"
      "LD_PRELOAD=$clock_library")
    wrong_clocks=$((wrong_clocks + 1))
  fi
  # On the same host as others, or on one of its own.
  local place=("${host[@]}")
  ((RANDOM % 4)) || place=()
  # Through a pipe: the log may be longer than a worker's files.
  "$@" "${clock[@]}" "${place[@]}" "${sweep[@]}" --out "$folder" > >(cat >>"$work/log") 2>&1 &
  pids[slot]=$!
}

# ended PID: true if the worker has ended. A worker that ended by itself must have had a reason.
ended() {
  local pid=$1 code=0
  [[ $(ps -o stat= -p "$pid" 2>/dev/null) != [!Z]* ]] || return 1
  wait "$pid" 2>/dev/null || code=$?
  case $code in
    0 | 3 | 130 | 137 | 143) ;;
    *) fail "a worker ended with exit code $code" ;;
  esac
}
fail() {
  echo "FAIL: $1" >&2
  tail -n 20 "$work/log" >&2
  exit 1
}

rows() { find "$folder/rows" -name '*.csv' 2>/dev/null | wc -l; }
# Columns that may not depend on the worker.
results() { tail -n +2 "$1/seeds.csv" | cut -d, -f1-9,17-; }

disturb() {
  local slot=$((RANDOM % workers)) kind=$((RANDOM % 20))
  local pid=${pids[$slot]}
  if ((kind < 8)); then
    kill_worker "$pid"
    wait "$pid" 2>/dev/null || true
    start_worker "$slot"
    count[kill]=$((count[kill] + 1))
  elif ((kind < 13)); then
    local real
    real=$(inner "$pid")
    kill -STOP "$real" 2>/dev/null || return 0
    (sleep $((lease + 1)).5 && kill -CONT "$real" 2>/dev/null) &
    count[freeze]=$((count[freeze] + 1))
  elif ((kind < 16)); then
    signal_worker TERM "$pid"
    leaving+=("$pid")
    start_worker "$slot"
    count[signal]=$((count[signal] + 1))
  elif ((kind < 19)) || ! $mounted; then
    kill_worker "$pid"
    wait "$pid" 2>/dev/null || true
    start_worker "$slot" bash -c 'ulimit -f 3; exec "$@"' bash
    count[limit]=$((count[limit] + 1))
  else
    head -c 100m /dev/zero >"$work/disk/filler" 2>/dev/null || true
    sleep 0.5
    rm "$work/disk/filler"
    count[disk]=$((count[disk] + 1))
  fi
}

folder=$work/whole
"${sweep[@]}" --out "$folder" >>"$work/log" 2>&1 || fail "the undisturbed sweep failed"

rounds=0
while (($(total) < faults)); do
  rounds=$((rounds + 1))
  folder=$work/disk/$rounds
  for ((slot = 0; slot < workers; slot++)); do start_worker "$slot"; done
  # Until the seeds are done, or the number of faults is reached.
  while (($(total) < faults && $(rows) < seeds)); do
    sleep "0.$((RANDOM % 4 + 1))"
    disturb
    for ((slot = 0; slot < workers; slot++)); do
      if ended "${pids[slot]}"; then start_worker "$slot"; fi
    done
  done
  # Then without faults: all workers continue to the end, and one more start makes the tables.
  for pid in "${pids[@]}" "${leaving[@]}"; do
    signal_worker CONT "$pid"
    until ended "$pid"; do sleep 0.2; done
  done
  leaving=()
  "${sweep[@]}" --out "$folder" >>"$work/log" 2>&1 || fail "sweep $rounds does not end"
  (($(rows) == seeds)) || fail "sweep $rounds has $(rows) rows, not $seeds"
  diff <(results "$folder") <(results "$work/whole") || fail "sweep $rounds has other rows"
  diff <(cut -d, -f1-8 "$folder/epochs.csv") <(cut -d, -f1-8 "$work/whole/epochs.csv") ||
    fail "sweep $rounds has other epochs"
  diff "$folder/errors.csv" "$work/whole/errors.csv" || fail "sweep $rounds has other mistakes"
  echo "sweep $rounds: $seeds rows as undisturbed, faults so far: $(counts)"
  rm -rf "$folder"
done

echo "$rounds sweeps of $seeds seeds, $started workers, $wrong_clocks with a wrong clock," \
  "$(total) faults: all rows as undisturbed"
counts
echo
