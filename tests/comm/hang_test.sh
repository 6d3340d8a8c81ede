#!/usr/bin/env bash
# One scenario of hang_rank on 4 ranks: its exit code, how long it took, what it printed, and that
# no process stays behind.
# hang_test.sh SCENARIO EXIT-CODE SECONDS REGULAR-EXPRESSION-OF-STDERR mpirun... hang_rank
# Open MPI 4.1's mpirun may hang or crash after the ranks have ended (2 and 1 of 25 starts of
# stop-before-end on a busy machine), so a failure is tried a second time.
set -u
if [[ -z ${TRY:-} ]]; then
  TRY=1 "$0" "$@" && exit
  TRY=2 exec "$0" "$@"
fi
scenario=$1 want_code=$2 limit=$3 want_text=$4
shift 4

out=$(mktemp) err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT
start=$SECONDS
timeout -k 5 $((limit + 20)) "$@" "$scenario" >"$out" 2>"$err"
code=$?
took=$((SECONDS - start))
sed -i '/^-\{60,\}$/,/^-\{60,\}$/d; /PMIX ERROR/d' \
  "$err" # Open MPI 5's lines about an exit code, between two rules

status=0
fail() { echo "FAILED: $*"; status=1; }
((code == want_code)) || fail "exit code $code, not $want_code"
((took <= limit)) || fail "took $took s, more than $limit"
if [[ -z $want_text ]]; then
  ! grep -qa '[[:graph:]]' "$err" || fail "something on stderr"
else
  grep -qE -- "$want_text" "$err" || fail "no line of stderr matches: $want_text"
  ((want_code != 4)) || grep -q "^hint: ." "$err" || fail "no hint"
fi
# One report, from any rank. Before MPI_Init the ranks cannot agree on one.
[[ $scenario == stop-before-init || $scenario == stop-in-dup ]] ||
  (($(grep -c '^error: ' "$err") <= 1)) || fail "more than one report"

# A process may need a moment to end. A zombie (Z) has ended.
running() { [[ $(ps -o stat= -p "$1") == [!Z]* ]]; }
mapfile -t pids < <(sed -n 's/^pid //p' "$out")
((${#pids[@]} == 4)) || fail "${#pids[@]} ranks started, not 4"
for pid in "${pids[@]}"; do
  for ((i = 0; i < 20; i++)); do running "$pid" || break; sleep 0.1; done
  if running "$pid"; then
    fail "process $pid is still there"
    kill -KILL "$pid"
  fi
done
echo "--- exit code $code after $took s; stderr:"
cat "$err"
exit $status
