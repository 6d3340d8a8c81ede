# Ranks that die or hang, and values that stop being finite: named, with the right exit code, and nothing left running.
bats_require_minimum_version 1.5.0
load helpers
# mpirun with a killed or stopped rank can run out of time on a busy machine.
BATS_TEST_RETRIES=1

# A folder name that no other process on this machine has in its arguments.
RUN=run-$$-$BATS_TEST_NUMBER

# The process id of rank $1.
rank_pid() {
  for pid in $(pgrep -f -- "--run-dir $RUN"); do
    [ "$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^OMPI_COMM_WORLD_RANK=//p')" = "$1" ] && echo "$pid" && return
  done
  return 1
}
start_run() {
  mpirun_command "$1"
  shift
  setsid "${MPIRUN[@]}" "$MNIST_DIST" "${QUICK[@]}" --set train.checkpoint_seconds=0.2 --run-dir "$RUN" "$@" >out.txt 2>err.txt &
  MPIRUN_PID=$!
  wait_for 90 test -s "$RUN/checkpoint.h5"
}

@test "a rank killed by SIGKILL: the others end within seconds, and the checkpoint resumes" {
  start_run 3 --set train.epochs=5000
  local begin=$SECONDS code=0
  kill -KILL "$(rank_pid 2)"
  wait $MPIRUN_PID || code=$?
  [ "$code" -ne 0 ]
  [ $((SECONDS - begin)) -le 10 ]
  wait_for 10 gone "--run-dir $RUN"
  run timeout -s TERM 20 "$MNIST_DIST" --resume --run-dir "$RUN"
  [ "$status" -eq 124 ] || [ "$status" -eq 130 ]
  [[ "$output" == *"resumed after epoch"* ]]
}

@test "a rank stopped by SIGSTOP: the others time out, name it and exit 4" {
  start_run 3 --set train.epochs=5000 --set comm.timeout=3
  local begin=$SECONDS code=0
  kill -STOP "$(rank_pid 1)"
  wait $MPIRUN_PID || code=$?
  cat err.txt
  [ "$code" -eq 4 ]
  [ $((SECONDS - begin)) -le 30 ]
  grep -q "rank 1 of 3" err.txt
  wait_for 10 gone "--run-dir $RUN"
}

@test "Ctrl-C on a single process: exit 130, and how to go on" {
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=5000 --run-dir r >out.txt 2>err.txt &
  local pid=$! code=0
  wait_for 60 rows_in r 1
  kill -INT $pid
  wait $pid || code=$?
  [ "$code" -eq 130 ]
  grep -q -- "--resume --run-dir r" err.txt
}

@test "divergence: exit 5, step, rate and layer named, on every number of ranks" {
  local recipe=(--config step1 --set "data.file=$TEST_DATA" --set optimizer.learning_rate=1000)
  fails 5 "diverged at epoch 1 step" "$MNIST_DIST" "${recipe[@]}" --run-dir one
  [[ "$stderr" == *"layer"* ]]
  local alone=$stderr
  fails 5 "diverged at epoch 1 step" ranks 3 "${recipe[@]}" --run-dir three
  # The same step and layer; only the rank that owns the shard differs.
  [ "$(sed 's/rank [0-9]*//' <<<"$alone")" = "$(sed 's/rank [0-9]*//' <<<"$stderr")" ]
}

@test "--device cuda in a build for CPUs: exit 4, and no run folder" {
  [[ $CUDA_BUILD != ON ]] || skip "this is a build for GPUs"
  fails 4 "built without" "$MNIST_DIST" "${QUICK[@]}" --device cuda --run-dir r
  [[ $stderr == *"hint: launch/local.sh --cuda"* ]]
  [ ! -e r ]
}

@test "what one rank alone meets before MPI starts is said, with its number" {
  mpirun_command 1
  run --separate-stderr "${MPIRUN[@]}" "$MNIST_DIST" "${QUICK[@]}" --run-dir r : -np 1 "$MNIST_DIST" --config nowhere
  echo "exit $status, stderr: $stderr"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"error: rank 1: "*nowhere* ]]
}

@test "an error that cannot be printed keeps its exit code, progress that cannot be printed does not end a run" {
  local code=0
  "$MNIST_DIST" --config nowhere 2>/dev/full || code=$?
  [ "$code" -eq 2 ]
  "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=5 --run-dir r >/dev/null 2>/dev/full
}

@test "a path that the file system refuses is a data error wherever rank 0 meets it" {
  fails 3 "File name too long" "$MNIST_DIST" --config step1 --set "data.file=$(printf 'x%.0s' {1..300})"
}
