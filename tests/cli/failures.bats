# Ranks that die or hang, and values that stop being finite: named, with the right exit code, and
# nothing left running.
bats_require_minimum_version 1.5.0
load helpers
# mpirun with a killed or stopped rank can run out of time on a busy machine.
BATS_TEST_RETRIES=1

# A folder name that no other process on this machine has in its arguments.
RUN=run-$$-$BATS_TEST_NUMBER

# with_hup COMMAND... &: with the signal HUP, where the tests themselves run under nohup, too.
with_hup() { exec env --default-signal=HUP "$@"; }

# The process id of rank $1.
rank_pid() {
  for pid in $(pgrep -f -- "--run-dir $RUN"); do
    [ "$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^OMPI_COMM_WORLD_RANK=//p')" = \
      "$1" ] && echo "$pid" && return
  done
  return 1
}
start_run() {
  mpirun_command "$1"
  shift
  setsid "${MPIRUN[@]}" "$MNIST_DIST" \
    "${QUICK[@]}" --set train.checkpoint_seconds=0.2 --run-dir "$RUN" "$@" >out.txt 2>err.txt &
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

@test "Ctrl-C on a single process: exit 130, and how to continue" {
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=5000 --run-dir r >out.txt 2>err.txt &
  local pid=$! code=0
  wait_for 60 rows_in r 1
  kill -INT $pid
  wait $pid || code=$?
  [ "$code" -eq 130 ]
  grep -q -- "--resume --run-dir r" err.txt
}

@test "Ctrl-C under mpirun, in a terminal: the way to resume is the last line, and it works" {
  script -qec true /dev/null >/dev/null || skip "no script(1), or no /dev/pts, to make a terminal"
  mpirun_command 2
  local line
  printf -v line '%q ' "${MPIRUN[@]}" "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=5000 \
    --run-dir "$RUN"
  mkfifo keys
  script -qec "$line" /dev/null <keys >out.txt 2>&1 &
  local terminal=$!
  exec 5>keys
  wait_for 60 rows_in "$RUN" 1
  printf '\003' >&5
  wait_for 30 gone "--run-dir $RUN" || {
    tail -c 2000 out.txt
    ps axo pid,ppid,pgid,stat,args
    false
  }
  exec 5>&-
  wait $terminal || true
  cat out.txt
  # Once when the run starts, and once at its end.
  grep -a -A 20 '\^C' out.txt | grep -aq -- "--resume --run-dir $RUN"
  [ "$(grep -ac -- "--resume --run-dir $RUN" out.txt)" -eq 2 ]
  run timeout -s TERM 20 "$MNIST_DIST" --resume --run-dir "$RUN"
  [[ "$output" == *"resumed after epoch "*" step "* ]]
}

@test "a closed pipe stops a run like a signal: checkpoint, exit 130" {
  local codes
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=5000 --run-dir r 2>err.txt | head -1
  codes=("${PIPESTATUS[@]}")
  [ "${codes[0]}" -eq 130 ]
  grep -q -- "--resume --run-dir r" err.txt
  "$MNIST_DIST" --resume --run-dir r 2>&1 | head -1 | grep "| r |"  # stderr goes too
  codes=("${PIPESTATUS[@]}")
  [ "${codes[0]}" -eq 130 ]
}

@test "a closed terminal, the limit on CPU time and USR2 stop with a checkpoint: exit 130" {
  local signal code
  for signal in HUP XCPU USR2; do
    with_hup "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=5000 --run-dir "$signal" \
      >out.txt 2>err.txt &
    local pid=$!
    wait_for 60 rows_in "$signal" 1
    code=0
    kill "-$signal" $pid
    wait $pid || code=$?
    [ "$code" -eq 130 ]
    grep -q -- "--resume --run-dir $signal" err.txt
    [ -s "$signal/checkpoint.h5" ]
  done
}

@test "a closed terminal ends a run with a checkpoint, but not with HUP ignored (nohup)" {
  script -qec true /dev/null >/dev/null || skip "no script(1), or no /dev/pts, to make a terminal"
  local line="'$MNIST_DIST' --config step1 --set 'data.file=$TEST_DATA'"
  line+=" --set 'data.split=[2000,500]'"
  with_hup script -qec "exec $line --set train.epochs=5000 --run-dir $RUN" /dev/null \
    >/dev/null 2>&1 &
  local terminal=$!
  wait_for 60 rows_in "$RUN" 1
  kill -KILL $terminal
  wait_for 30 gone "--run-dir $RUN"
  # The step in hand is not lost: a run that was killed would resume at the end of an epoch.
  run timeout -s TERM 10 "$MNIST_DIST" --resume --run-dir "$RUN"
  [[ "$output" == *"resumed after epoch "*" step "* ]]
  line="trap '' HUP; $line --set train.epochs=40 --run-dir stays; echo \$? >code"
  script -qec "$line" /dev/null >/dev/null 2>&1 &
  terminal=$!
  wait_for 60 rows_in stays 1
  [ ! -e stays/summary.json ]
  kill -KILL $terminal
  wait_for 90 test -s code
  [ -s stays/summary.json ]
}

@test "divergence: exit 5, step, rate and layer named, on every number of ranks" {
  local recipe=(--config step1 --set "data.file=$TEST_DATA" --set optimizer.learning_rate=1000)
  fails 5 "epoch 1" "$MNIST_DIST" "${recipe[@]}" --run-dir one
  [[ "$stderr" == *"layer"* ]]
  local alone=$stderr
  fails 5 "epoch 1" ranks 3 "${recipe[@]}" --run-dir three
  # The same step and layer. Only the rank that owns the shard differs.
  [ "$(sed 's/rank [0-9]*//' <<<"$alone")" = "$(sed 's/rank [0-9]*//' <<<"$stderr")" ]
}

@test "weights that are finite and score no finite loss are not delivered: exit 5" {
  fails 5 "step 3" \
    "$MNIST_DIST" --config step1 --set "data.file=$TEST_DATA" --set 'data.split=[2000,1000]' \
    --set optimizer.learning_rate=1000 --set train.max_steps=3 --run-dir r
  [ ! -e r/summary.json ]
}

# unlike_words FIRST SECOND: a short run on two ranks, each with words of its own behind those of
# both.
unlike_words() {
  FIRST=$1 SECOND=$2 unlike \
    '((RANK)) && words=$SECOND || words=$FIRST; exec "$MNIST_DIST" "$@" $words' \
    "${QUICK[@]}" --set train.max_steps=2 --run-dir r
}
@test "ranks with unlike options or data: exit 4 before anything is written" {
  fails 4 '"fsued"' unlike_words "" "--engine fsued"
  "$MNIST_DIST" prepare --synthetic --count 6001 --out other.h5
  fails 4 "the data" unlike_words "" "--set data.file=other.h5"
  [ ! -e r ]
  # Where a rank's data lies, and its threads, are its own affair.
  cp "$TEST_DATA" copy.h5
  run -0 unlike_words "--threads 1" "--threads 2 --set data.file=copy.h5"
}
@test "--engine torch in a build without it: an error before the data is read, and the hint works" {
  # A copy of the program that does not find the library beside it.
  cp "$MNIST_DIST" mnist-dist
  MNIST_DIST=$PWD/mnist-dist
  fails 4 "libmnist-dist-torch.so" "$MNIST_DIST" --engine torch --set data.file=none.h5
  [ ! -e none.h5 ]
  fails 4 "libmnist-dist-torch.so" ranks 2 "${QUICK[@]}" --engine torch
  [[ "$stderr" == *"hint: use --engine fused"* ]]
  run -0 "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=1 --engine fused
}

@test "ranks on unlike CPUs: the reference engine rejects BLAS kernels, the fused one trains" {
  needs_torch
  blas_of() {
    OPENBLAS_CORETYPE=$1 "$MNIST_DIST" \
      "${QUICK[@]}" --set train.max_steps=1 --engine torch --run-dir "$1" >/dev/null
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["versions"]["blas"])' \
      "$1/summary.json"
  }
  [ "$(blas_of Haswell)" != "$(blas_of Nehalem)" ] ||
    skip "its BLAS does not choose kernels by OPENBLAS_CORETYPE"
  on_unlike_cpus() {
    unlike 'cpus=(Haswell Nehalem); OPENBLAS_CORETYPE=${cpus[RANK]} exec "$MNIST_DIST" "$@"' \
      "${QUICK[@]}" --set train.max_steps=2 "$@"
  }
  fails 4 "blas" on_unlike_cpus --engine torch
  [[ "$stderr" == *Haswell*Nehalem*OPENBLAS_CORETYPE*"--engine fused"* ]]
  run -0 on_unlike_cpus --engine fused
}
@test "a wrong engine or SIMD target is one error, before there is any data" {
  fails 2 '"fsued"' ranks 3 --config step3 --engine fsued
  [[ "$stderr" == *"did you mean fused?"* ]]
  fails 2 "--simd avx9: " ranks 3 --config step3 --simd avx9
  [ ! -e data ]
}

@test "--device cuda in a build for CPUs: exit 4, and no run folder" {
  [[ $CUDA_BUILD != ON ]] || skip "this is a build for GPUs"
  fails 4 "built without" "$MNIST_DIST" "${QUICK[@]}" --device cuda --run-dir r
  [[ $stderr == *"launch/local.sh --cuda"* ]]
  fails 4 "built without" ranks 2 "${QUICK[@]}" --device cuda --run-dir r
  [ ! -e r ]
}

@test "an error on one rank before MPI starts is printed with its number" {
  run --separate-stderr unlike \
    '((RANK)) && exec "$MNIST_DIST" --config nowhere; exec "$MNIST_DIST" "$@"' \
    "${QUICK[@]}" --run-dir r
  echo "exit $status, stderr: $stderr"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"error: rank 1: "*nowhere* ]]
}

@test "an error of all ranks before MPI starts is printed once" {
  local arguments
  for arguments in "--config nowhere" "train --epochz 3" "evaluate nowhere"; do
    # shellcheck disable=SC2086  # words
    run --separate-stderr ranks 3 $arguments
    [ "$status" -eq 2 ] || [ "$status" -eq 3 ]
    [ "$(grep -c "^error: " <<<"$stderr")" -eq 1 ]
    [[ "$stderr" != *"error: rank"* ]]
  done
}

@test "an error on rank 0 alone ends the others, also where only rank 0 prints" {
  run --separate-stderr unlike \
    '((RANK)) || exec "$MNIST_DIST" --config nowhere; exec "$MNIST_DIST" "$@"' \
    "${QUICK[@]}" --run-dir r
  echo "exit $status, stderr: $stderr"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *nowhere* ]]
  run --separate-stderr unlike \
    '((RANK)) || exec "$MNIST_DIST" --print-config --config nowhere; exec "$MNIST_DIST" "$@"' \
    --print-config --config step1
  echo "exit $status, stderr: $stderr"
  [ "$status" -eq 2 ]
  [[ "$stderr" == *nowhere* ]]
}

@test "an error that cannot be printed keeps its exit code, and lost progress does not end a run" {
  local code=0
  "$MNIST_DIST" --config nowhere 2>/dev/full || code=$?
  [ "$code" -eq 2 ]
  "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=5 --run-dir r >/dev/null 2>/dev/full
}

@test "a path that the file system rejects is a data error in any step of rank 0" {
  fails 3 "File name too long" \
    "$MNIST_DIST" --config step1 --set "data.file=$(printf 'x%.0s' {1..300})"
  ln -s loop loop
  fails 3 "loop/x.toml" "$MNIST_DIST" --config loop/x.toml
  [[ "$stderr" != *"filesystem error"* ]]
}

@test "few open files: the soft limit is raised, and a hard limit that is too low is named" {
  export OMPI_MCA_btl=self,tcp
  mpirun_command 12
  run "${MPIRUN[@]}" bash -c 'ulimit -Sn 26; exec "$0" doctor --all-reduce 0' "$MNIST_DIST"
  [ "$status" -eq 0 ]
  # Open MPI 5 opens its sockets in MPI_Init, and ends the process there by itself.
  [[ $("${MPIRUN[2]}" --version) == *"(Open MPI) 4."* ]] || return 0
  run "${MPIRUN[@]}" bash -c 'ulimit -n 26; exec "$0" doctor --all-reduce 0' "$MNIST_DIST"
  [ "$status" -eq 4 ]
  [[ $output == *"error: "*"(limit 26)"* && $output == *"hint: "*"ulimit -Hn"* ]]
}

@test "a damaged chunk is one error, although the ranks of a sweep share the rows" {
  cp "$TEST_DATA" damaged.h5
  printf 'x' | dd of=damaged.h5 bs=1 seek=100000 conv=notrunc status=none
  rejects 3 "damaged.h5" ranks 2 sweep "${QUICK[@]}" --set data.file=damaged.h5 --seeds 1..2 --out s
  [[ $stderr != *HDF5-DIAG* ]]
  [ "$(grep -c '^error: ' <<<"$stderr")" -eq 1 ]
}
