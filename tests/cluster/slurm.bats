# launch/slurm.sbatch on a real Slurm of one node (one_node_slurm.bash). To be run by private.sh.
bats_require_minimum_version 1.5.0
load ../cli/helpers
load one_node_slurm

# Some seconds' work: long enough to be interrupted.
LONG=("${QUICK[@]}" --set train.epochs=10 --set train.checkpoint_seconds=0.2)

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

# For whoever reads a failure.
teardown() { cat mnist-dist-*.log 2>/dev/null || true; }

submit() { sbatch --parsable "$SOURCE_DIR/launch/slurm.sbatch" "$@"; }
state_of() { scontrol show job "$1" | sed -n "s/.*JobState=\([A-Z_]*\).*/\1/p"; }
ended() { [[ $(state_of "$1") =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]]; }
restarts_of() { scontrol show job "$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p'; }

@test "a job told to stop writes a checkpoint, goes back into the queue, and ends in the bytes of an uninterrupted process" {
  local job
  job=$(submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  scancel --signal=USR1 --batch "$job"
  wait_for 100 ended "$job"
  [ "$(state_of "$job")" = COMPLETED ]
  [ "$(restarts_of "$job")" -eq 1 ]
  grep -q "job $job, start 1: 4 ranks on node1" "mnist-dist-$job.log"
  grep -q "stopped with a checkpoint; back into the queue" "mnist-dist-$job.log"
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

@test "more tasks than shards: the ranks that there is work for, and it says so; arguments that are refused keep their code" {
  local job
  job=$(submit --config nothing)
  wait_for 30 ended "$job"
  scontrol show job "$job" | grep -q "ExitCode=2:0"
  grep -q "^hint: " "mnist-dist-$job.log"
  job=$(sbatch --parsable --ntasks=4 "$SOURCE_DIR/launch/slurm.sbatch" --config step1 --set "data.file=$TEST_DATA" --set data.shards=2 --set train.epochs=1)
  wait_for 60 ended "$job"
  grep -q "2 ranks: a rank takes at least one of the recipe's shards, so 2 of 4 tasks stay free" "mnist-dist-$job.log"
  [ "$(field "runs/slurm-$job/summary.json" ranks)" -eq 2 ]
}

@test "a Slurm whose srun knows no PMIx: mpirun starts the ranks, is told to stop and goes on like them" {
  local job
  mkdir -p bin
  # Else the real one: mpirun itself asks for its daemons by it.
  printf '#!/bin/bash\n[[ "$*" != *--mpi=list* ]] || { echo "MPI plugin types are... none pmi2" && exit; }\nexec %s "$@"\n' "$(command -v srun)" >bin/srun
  chmod +x bin/srun
  job=$(PATH=$PWD/bin:$PATH submit "${LONG[@]}")
  wait_for 60 test -s "runs/slurm-$job/checkpoint.h5"
  scancel --signal=USR1 --batch "$job"
  wait_for 100 ended "$job"
  [ "$(state_of "$job")" = COMPLETED ]
  grep -q "stopped with a checkpoint; back into the queue" "mnist-dist-$job.log"
  grep -q "^resumed after epoch" "mnist-dist-$job.log"
  [ "$(sha_of "runs/slurm-$job")" = "$WANTED" ]
}
