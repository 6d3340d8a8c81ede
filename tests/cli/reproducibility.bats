# The project's promise: the same recipe and seed give the same bytes on any number of ranks and
# threads, and after any stop.
bats_require_minimum_version 1.5.0
[ -z "${MNIST_DIST_SLOW_TESTS:-}" ] || export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-800}
load helpers

# Three epochs. A difference of one bit grows by 2 to 3 per step.
@test "100 steps with dropout and augmentation: the same bytes on 1 to 4 ranks and threads" {
  local recipe=("${QUICK[@]}" --set train.max_steps=100)
  run -0 "$MNIST_DIST" "${recipe[@]}" --threads 1 --run-dir reference
  local expected
  expected=$(sha_of reference)
  for threads in 2 4; do
    run -0 "$MNIST_DIST" "${recipe[@]}" --threads $threads --run-dir threads$threads
    [ "$(sha_of threads$threads)" = "$expected" ]
    [ "$(field threads$threads/summary.json threads)" = $threads ]
  done
  for np in 1 2 3 4; do
    run -0 ranks $np "${recipe[@]}" --run-dir ranks$np
    [ "$(sha_of ranks$np)" = "$expected" ]
    [ "$(field ranks$np/summary.json ranks)" = $np ]
    # Losses and accuracies too, but for the columns that measure time.
    diff <(cut -d, -f1-7 reference/metrics.csv) <(cut -d, -f1-7 ranks$np/metrics.csv)
  done
  # Another seed gives other bytes: the comparison above can fail.
  run -0 "$MNIST_DIST" "${recipe[@]}" --seed 2 --run-dir other
  [ "$(sha_of other)" != "$expected" ]
}

@test "ranks on unlike SIMD targets, and each target alone: the same bytes as on the best" {
  local target targets
  local recipe=("${QUICK[@]}" --set train.max_steps=6)
  run -0 "$MNIST_DIST" "${recipe[@]}" --run-dir best
  # shellcheck disable=SC2016 # RANK is the rank's
  run -0 unlike \
    '[ "$RANK" = 0 ] || set -- "$@" --simd scalar; exec "$MNIST_DIST" "$@" --run-dir mixed' \
    "${recipe[@]}"
  [ "$(sha_of best)" = "$(sha_of mixed)" ]
  targets=$(simd_targets)
  echo "targets: $targets"
  [[ "$(uname -m)" != x86_64 || "$targets" == *sse4* ]]
  for target in ${targets//,/}; do
    run -0 "$MNIST_DIST" "${recipe[@]}" --simd "$target" --run-dir "$target"
    [[ "${lines[0]}" == *"engine fused ($target)"* ]]
    [ "$(field "$target/summary.json" simd)" = "$target" ]
    [ "$(sha_of best)" = "$(sha_of "$target")" ]
  done
}

# With MNIST_DIST_SLOW_TESTS=1: 200 steps, on 1 to 4 ranks.
@test "every recipe: four ranks on unlike SIMD targets end in the bytes of one process" {
  local recipe options np steps=8 worlds=4
  [ -z "${MNIST_DIST_SLOW_TESTS:-}" ] || steps=200 worlds="1 2 3 4"
  TARGETS=$(simd_targets | tr -d ,)
  export TARGETS
  for recipe in step1 step2 step3 step4 step5 compact; do
    options=(--config "$recipe" --set "data.file=$TEST_DATA" --set 'data.split=[2000,200]'
      --set "train.max_steps=$steps")
    run -0 "$MNIST_DIST" "${options[@]}" --run-dir "$recipe"
    for np in $worlds; do
      mpirun_command "$np"
      # shellcheck disable=SC2016 # for the inner shell: a target per rank, in turn
      run -0 "${MPIRUN[@]}" bash -c 'targets=($TARGETS)
        exec "$MNIST_DIST" "$@" --simd ${targets[OMPI_COMM_WORLD_RANK % ${#targets[@]}]}' \
        rank "${options[@]}" --run-dir "$recipe-mixed$np"
      [ "$(sha_of "$recipe")" = "$(sha_of "$recipe-mixed$np")" ]
    done
  done
}

@test "the reference engine keeps the promise too" {
  needs_torch
  local recipe=("${QUICK[@]}" --set train.max_steps=20 --engine torch)
  run -0 "$MNIST_DIST" "${recipe[@]}" --threads 2 --run-dir threads
  run -0 ranks 3 "${recipe[@]}" --run-dir ranks
  [ "$(sha_of threads)" = "$(sha_of ranks)" ]
}

@test "odd shard counts, and shards that run out early" {
  local recipe=("${QUICK[@]}" --set data.shards=5 --set train.batch=80 --set 'data.split=[1003,100]'
    --set train.epochs=1)
  run -0 "$MNIST_DIST" "${recipe[@]}" --run-dir one
  run -0 ranks 3 "${recipe[@]}" --run-dir three
  [ "$(sha_of one)" = "$(sha_of three)" ]
}

# Long enough that a signal never comes too late.
RECIPE=("${QUICK[@]}" --set train.epochs=10 --set average.decay=0.99)
# A folder name that no other process on this machine has in its arguments.
CUT=cut-$$-$BATS_TEST_NUMBER

# uninterrupted: the same run without a stop, once for all tests.
uninterrupted() {
  WHOLE=$BATS_FILE_TMPDIR/whole
  [ -e "$WHOLE" ] || "$MNIST_DIST" "${RECIPE[@]}" --run-dir "$WHOLE"
}
start_cut() {
  mpirun_command 2
  setsid "${MPIRUN[@]}" "$MNIST_DIST" "${RECIPE[@]}" --run-dir "$CUT" &
  MPIRUN_PID=$!
}
# resumes_to_the_same_end PLACE: on 3 ranks, from PLACE, a regular expression.
resumes_to_the_same_end() {
  local said
  said=$(ranks 3 --resume --run-dir "$CUT")
  [[ "$said" =~ resumed\ after\ $1 ]]
  [ "$(sha_of "$WHOLE")" = "$(sha_of "$CUT")" ]
  [ "$(field "$WHOLE/summary.json" raw_parameters_sha256)" = \
    "$(field "$CUT/summary.json" raw_parameters_sha256)" ]
  diff <(cut -d, -f1-7 "$WHOLE/metrics.csv") <(cut -d, -f1-7 "$CUT/metrics.csv")
}

@test "killed after epoch 1 on 2 ranks, resumed on 3: the same bytes" {
  uninterrupted
  start_cut
  wait_for 90 test -s "$CUT/checkpoint.h5"
  kill -KILL -- -$MPIRUN_PID
  pkill -KILL -f -- "--run-dir $CUT" || true
  wait $MPIRUN_PID || true
  resumes_to_the_same_end 'epoch [0-9]+'
}

@test "stopped in mid-epoch on 2 ranks by USR1: exit 130, resumed on 3: the same bytes" {
  uninterrupted
  start_cut
  local code=0
  wait_for 90 rows_in "$CUT" 1
  kill -USR1 $MPIRUN_PID
  wait $MPIRUN_PID || code=$?
  [ "$code" -eq 130 ]
  wait_for 10 gone "--run-dir $CUT"
  resumes_to_the_same_end 'epoch [0-9]+ step'
}
