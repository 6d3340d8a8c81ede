# launch/slurm.sbatch on a real Slurm of two nodes (slurm_cluster.bash). To be run by private.sh.
bats_require_minimum_version 1.5.0
load ../cli/helpers
load slurm_cluster

# Some seconds' work, long enough to be interrupted. Large batches: few sums over ranks.
LONG=("${QUICK[@]}" --set train.batch=256 --set train.epochs=7 --set train.checkpoint_seconds=0.2)

setup_file() {
  export MNIST_DIST_BUILD_DIR=${MNIST_DIST%/*}
  cd "$BATS_FILE_TMPDIR" || return 1
  mkdir slurm
  start_slurm "$PWD/slurm"
  "$MNIST_DIST" "${LONG[@]}" --threads 2 --run-dir alone
  WANTED=$(sha_of alone)
  export WANTED
}

teardown_file() { stop_slurm "$BATS_FILE_TMPDIR/slurm"; }

# Printed after a failure.
teardown() { cat mnist-dist-*.log 2>/dev/null || true; }

# submit ARGUMENTS...: with the options of sbatch in the array on_sbatch.
on_sbatch=(--ntasks=4)
submit() { sbatch --parsable "${on_sbatch[@]}" "$SOURCE_DIR/launch/slurm.sbatch" "$@"; }
state_of() { scontrol show job "$1" | sed -n "s/.*JobState=\([A-Z_]*\).*/\1/p" | head -n 1; }
# ended JOB: looks twice per second. Ten times, scontrol would take more time than the job.
ended() {
  sleep 0.4
  [[ $(state_of "$1") =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]]
}
restarts_of() { scontrol show job "$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p'; }

@test "a job with a stop signal writes a checkpoint, is queued again, and ends in the same bytes" {
  local job
  job=$(submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  scancel --signal=USR1 --batch "$job"
  wait_for 100 ended "$job"
  [ "$(state_of "$job")" = COMPLETED ]
  [ "$(restarts_of "$job")" -eq 1 ]
  grep -q "job $job, start 1: 4 ranks on node1" "mnist-dist-$job.log"
  grep -q "checkpoint.* queue" "mnist-dist-$job.log"
  grep -q "job $job, start 2: 4 ranks on node1" "mnist-dist-$job.log"
  grep -q "^resumed after epoch" "mnist-dist-$job.log"
  [ "$(sha_of "runs/slurm-$job")" = "$WANTED" ]
}

@test "a job that Slurm itself takes its node from, as preemption does, resumes to the same bytes" {
  local job
  job=$(submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  scontrol requeue "$job"
  wait_for 100 ended "$job"
  [ "$(state_of "$job")" = COMPLETED ]
  [ "$(restarts_of "$job")" -eq 1 ]
  grep -q "^resumed after epoch" "mnist-dist-$job.log"
  [ "$(sha_of "runs/slurm-$job")" = "$WANTED" ]
}

@test "scancel ends a job, with a checkpoint, and it stays ended" {
  local job
  job=$(submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  scancel "$job"
  wait_for 60 ended "$job"
  wait_for 60 grep -q "the checkpoint is written" "mnist-dist-$job.log"
  sleep 2
  [ "$(state_of "$job")" = CANCELLED ]
}

@test "rejected arguments keep their code, and tasks without work are rejected, unless allowed" {
  local job few
  few=(--config step1 --set "data.file=$TEST_DATA" --set data.shards=2 --set train.epochs=1)
  job=$(submit --config nothing)
  wait_for 30 ended "$job"
  scontrol show job "$job" | grep -q "ExitCode=2:0"
  grep -q "^hint: " "mnist-dist-$job.log"
  job=$(submit "${few[@]}")
  wait_for 60 ended "$job"
  scontrol show job "$job" | grep -q "ExitCode=2:0"
  grep -q "^error: .*got 4, expected at most 2" "mnist-dist-$job.log"
  grep -q "^hint: .*--ntasks=2" "mnist-dist-$job.log"
  job=$(MNIST_DIST_IDLE_TASKS=1 submit "${few[@]}")
  wait_for 60 ended "$job"
  [ "$(field "runs/slurm-$job/summary.json" ranks)" -eq 2 ]
  # A sweep of one seed, by groups of two ranks.
  job=$(submit sweep "${few[@]}" --seeds 7 --ranks-per-run 2)
  wait_for 60 ended "$job"
  scontrol show job "$job" | grep -q "ExitCode=2:0"
  grep -q "^error: .*got 4, expected at most 2: seeds" "mnist-dist-$job.log"
}

@test "an array of tune, whose tasks would share one folder, is rejected" {
  local job
  job=$(sbatch --parsable --array=0-1 "$SOURCE_DIR/launch/slurm.sbatch" tune --space x.toml)
  wait_for 60 ended "${job}_0"
  scontrol show job "${job}_0" | grep -q "ExitCode=2:0"
  grep -q "^error: .*--array.*got 2 tasks" mnist-dist-*.log
  grep -q "^hint: .*--ntasks" mnist-dist-*.log
}

# A run that ends at once.
SHORT=(--config step1 --set "data.file=$TEST_DATA" --set 'data.split=[500,100]'
  --set train.epochs=1)

@test "an array from a folder with blanks: each element trains its own seed in its own folder" {
  local job n
  mkdir -p "my copy/launch"
  cp "$SOURCE_DIR"/launch/{slurm.sbatch,lib.sh,ranks.sh,cuda.sh} "my copy/launch"
  touch "my copy/CMakeLists.txt"
  job=$(sbatch --parsable --array=0-1 "my copy/launch/slurm.sbatch" "${SHORT[@]}")
  for n in 0 1; do
    wait_for 60 ended "${job}_$n"
    [ "$(state_of "${job}_$n")" = COMPLETED ]
    "$MNIST_DIST" "${SHORT[@]}" --seed $n --run-dir "alone$n"
    [ "$(sha_of "runs/slurm-${job}_$n")" = "$(sha_of "alone$n")" ]
  done
  # --seed is the first element's. A folder that was named gets the element's number.
  job=$(sbatch --parsable --array=0-1 "my copy/launch/slurm.sbatch" "${SHORT[@]}" --seed=0 \
    --run-dir named)
  for n in 0 1; do
    wait_for 60 ended "${job}_$n"
    [ "$(sha_of "named-$n")" = "$(sha_of "alone$n")" ]
  done
}

@test "an array of sweeps shares one folder, to the rows of one process" {
  local job n all=(sweep "${SHORT[@]}" --seeds 0..11 --target 0)
  job=$(sbatch --parsable --array=0-3 "$SOURCE_DIR/launch/slurm.sbatch" "${all[@]}")
  for n in 0 1 2 3; do
    wait_for 100 ended "${job}_$n"
    [ "$(state_of "${job}_$n")" = COMPLETED ]
  done
  "$MNIST_DIST" "${all[@]}" --out alone-sweep
  diff <(cut -d, -f1-9,17- runs/sweep-step1/seeds.csv) <(cut -d, -f1-9,17- alone-sweep/seeds.csv)
  [ "$(find runs/sweep-step1/rows -type f | wc -l)" -eq 12 ]
}

@test "only the array element with a stop signal returns to the queue" {
  local job n
  job=$(sbatch --parsable --array=5-6 --ntasks=2 "$SOURCE_DIR/launch/slurm.sbatch" "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-${job}_5/checkpoint.h5"
  wait_for 60 test -s "runs/slurm-${job}_6/checkpoint.h5"
  # One of the two has the number of the whole array.
  scancel --signal=USR1 --batch "${job}_5" "${job}_6"
  for n in 5 6; do
    wait_for 100 ended "${job}_$n"
    [ "$(state_of "${job}_$n")" = COMPLETED ]
    [ "$(restarts_of "${job}_$n")" -eq 1 ]
  done
}

@test "tasks per node, threads and memory, in both ways, are those on sbatch's line" {
  local job
  on_sbatch=(--nodes=2 --ntasks-per-node=1 --cpus-per-task=2 --mem-per-cpu=100M)
  job=$(submit "${SHORT[@]}")
  wait_for 60 ended "$job"
  grep -q "start 1: 2 ranks on node\[1-2\]" "mnist-dist-$job.log"
  grep -q "2 ranks x 2 threads" "mnist-dist-$job.log"
  [ "$(field "runs/slurm-$job/summary.json" ranks)" -eq 2 ]
  on_sbatch=(--mem=500M)
  job=$(submit "${SHORT[@]}")
  wait_for 60 ended "$job"
  [ "$(field "runs/slurm-$job/summary.json" ranks)" -eq 1 ]
}

@test "a rank that gets TERM, as on a node that shuts down: requeued, to the same bytes" {
  local job
  on_sbatch=(--ntasks=2)
  job=$(submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  # Only this namespace's processes are seen here.
  kill -TERM "$(pgrep -x mnist-dist | head -n 1)"
  wait_for 100 ended "$job"
  [ "$(state_of "$job")" = COMPLETED ]
  [ "$(restarts_of "$job")" -eq 1 ]
  grep -q "exit code 130, failure 1 .*queue" "mnist-dist-$job.log"
  [ "$(sha_of "runs/slurm-$job")" = "$WANTED" ]
}

# preempts PARTITION LOGGED: a job of that partition gives way to an urgent one, with LOGGED in its
# log, and ends in the same bytes.
preempts() {
  local job urgent
  on_sbatch=(--ntasks=4 --nodes=2 --exclusive --partition="$1")
  job=$(submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  urgent=$(sbatch --parsable --partition=urgent --nodes=2 --exclusive --wrap "sleep 3")
  wait_for 100 ended "$urgent"
  [ "$(state_of "$urgent")" = COMPLETED ]
  wait_for 100 ended "$job"
  [ "$(state_of "$job")" = COMPLETED ]
  [ "$(restarts_of "$job")" -eq 1 ]
  grep -q "$2" "mnist-dist-$job.log"
  grep -q "^resumed after epoch" "mnist-dist-$job.log"
  [ "$(sha_of "runs/slurm-$job")" = "$WANTED" ]
}

@test "a job that a different partition preempts writes a checkpoint in its GraceTime and resumes" {
  preempts spare "checkpoint.* queue"
}

@test "so does one that preemption would cancel" {
  preempts cancelled "checkpoint.* queue"
}

# About a minute.
@test "a node dies, which the ranks notice before Slurm: requeued, finished on the remaining ones" {
  local job
  on_sbatch=(--ntasks=4 --nodes=1-2)
  job=$(submit "${LONG[@]}" --set train.epochs=11 --set comm.timeout=3)
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  unplug_second_node
  wait_for 100 grep -q "failure 1 .*queue" "mnist-dist-$job.log"
  wait_for 240 ended "$job"
  plug_second_node
  [ "$(state_of "$job")" = COMPLETED ]
  [ "$(restarts_of "$job")" -ge 1 ]
  grep -q "^resumed after epoch" "mnist-dist-$job.log"
  "$MNIST_DIST" "${LONG[@]}" --set train.epochs=11 --threads 2 --run-dir alone
  [ "$(sha_of "runs/slurm-$job")" = "$(sha_of alone)" ]
  [ ! -e "mnist-dist-$job.failures" ]
  wait_for 60 nodes_are idle
}

@test "a job that fails each time is requeued a bounded number of times, then keeps its code" {
  local job
  mkdir -p build
  printf '#!/bin/bash\n[[ $* != *--print-config* ]] || exec %q "$@"\nexit 4\n' "$MNIST_DIST" \
    >build/mnist-dist
  chmod +x build/mnist-dist
  on_sbatch=(--ntasks=2)
  job=$(MNIST_DIST_BUILD_DIR=$PWD/build MNIST_DIST_MAX_FAILURES=1 submit "${SHORT[@]}")
  wait_for 60 ended "$job"
  [ "$(state_of "$job")" = FAILED ]
  [ "$(restarts_of "$job")" -eq 1 ]
  scontrol show job "$job" | grep -q "ExitCode=4:0"
  [ "$(wc -l <"mnist-dist-$job.failures")" -eq 2 ]
  job=$(MNIST_DIST_BUILD_DIR=$PWD/build MNIST_DIST_MAX_RESTARTS=0 submit "${SHORT[@]}")
  wait_for 60 ended "$job"
  [ "$(restarts_of "$job")" -eq 0 ]
}

# without_pmix: from now on, mpirun starts the ranks.
without_pmix() {
  mkdir -p bin
  # Otherwise the real one, with which mpirun starts its daemons.
  {
    echo '#!/bin/bash'
    echo '[[ "$*" != *--mpi=list* ]] || { echo "MPI plugin types are... none pmi2" && exit; }'
    printf 'exec %s "$@"\n' "$(command -v srun)"
  } >bin/srun
  chmod +x bin/srun
  PATH=$PWD/bin:$PATH
}

@test "a Slurm whose srun has no PMIx: mpirun starts the ranks, stops and continues like them" {
  local job
  without_pmix
  job=$(submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  scancel --signal=USR1 --batch "$job"
  wait_for 100 ended "$job"
  [ "$(state_of "$job")" = COMPLETED ]
  grep -q "checkpoint.* queue" "mnist-dist-$job.log"
  grep -q "^resumed after epoch" "mnist-dist-$job.log"
  [ "$(sha_of "runs/slurm-$job")" = "$WANTED" ]
}

@test "without PMIx, a lost daemon of mpirun: requeued after mpirun's own code, to the same bytes" {
  local job
  without_pmix
  on_sbatch=(--nodes=2 --ntasks-per-node=1)
  job=$(submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  kill -KILL "$(pgrep -x orted | tail -n 1)"
  wait_for 100 ended "$job"
  [ "$(state_of "$job")" = COMPLETED ]
  [ "$(restarts_of "$job")" -eq 1 ]
  grep -qE "exit code [0-9]+, failure 1 .*queue" "mnist-dist-$job.log"
  [ "$(sha_of "runs/slurm-$job")" = "$WANTED" ]
}

@test "without PMIx, scancel ends a job, and it stays ended" {
  local job
  without_pmix
  job=$(submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  scancel "$job"
  wait_for 60 ended "$job"
  sleep 5
  [ "$(state_of "$job")" = CANCELLED ]
  ! grep queue "mnist-dist-$job.log" || false
}

@test "without PMIx, preemption with a GraceTime returns the job to the queue, too" {
  without_pmix
  preempts spare "preempted.* queue"
}
