# File systems without locks, folders in use, and processes killed at every moment: nothing is lost,
# and the same command recovers.
bats_require_minimum_version 1.5.0
load helpers

setup_file() {
  [ -z "$SANITIZE" ] || skip "a sanitizer's runtime must be loaded first"
}
SHORT=("$MNIST_DIST" "${TINY[@]}" --set train.max_steps=3)
SWEEP=("$MNIST_DIST" sweep "${TINY[@]}" --set train.max_steps=2 --target 0)
short() { "${SHORT[@]}" "$@"; }
without_locks() { env LD_PRELOAD="$PRELOAD/no_locks.so" "$@"; }
# killed_at CALL PLACE COMMAND...: killed before its CALL-th change of a file whose path contains
# PLACE.
killed_at() { env KILL_AT="$1" KILL_IN="$2" LD_PRELOAD="$LD_PRELOAD:$PRELOAD/kill_at.so" "${@:3}"; }
# full_at PLACE COMMAND...: there the disk is full.
full_at() { FAIL_ERRNO=28 killed_at 1 "$@"; }
# Files that a process leaves when it does not end by itself.
leftovers() { find "$@" -name '*.tmp*' -o -name '.lease*'; }
# A lease as a process of another host keeps it.
foreign_lease() {
  printf '%s\n' "lease 00000000deadbeef" "node 0123456789abcdef" "host far" "process 1" \
    "started 1" \
    "inode 1" "renewals $1"
}

@test "without locks: data, checkpoints, resume, evaluate and sweep work" {
  short --run-dir whole
  short --print-config >some.toml
  # The program treats all errors alike. HDF5 has a case for 38 (ENOSYS).
  for error in 37 38; do
    mkdir "e$error"
    cd "e$error"
    export NO_LOCKS_ERRNO=$error
    run -0 without_locks "$MNIST_DIST" prepare --synthetic --count 600 --out data.h5
    run -0 without_locks "$MNIST_DIST" prepare --synthetic --count 600 --out data.h5
    [[ "$output" == *"valid: kept"* ]]
    LD_PRELOAD="$PRELOAD/no_locks.so" run -137 killed_at 1 "/r/summary.json" \
      "$MNIST_DIST" --config ../some.toml --run-dir "$PWD/r"
    run -0 without_locks "$MNIST_DIST" --resume --run-dir r
    [ "$(sha_of r)" = "$(sha_of ../whole)" ]
    # The environment does not have the last word.
    HDF5_USE_FILE_LOCKING=TRUE run -0 without_locks \
      "$MNIST_DIST" evaluate r/checkpoint.h5 --data data.h5
    run -0 without_locks "${SWEEP[@]}" --seeds 1,2 --out s
    run -0 without_locks "${SWEEP[@]}" --seeds 1..3 --out s
    [ "$(wc -l <s/seeds.csv)" -eq 4 ]
    [ -z "$(leftovers .)" ]
    cd ..
  done
}
@test "without locks: two sweeps in one folder share it, and no row is lost" {
  without_locks "${SWEEP[@]}" --seeds 1..6 --out s >first.txt 2>&1 &
  local pid=$!
  wait_for 60 test -e s/runs/seed1
  run -0 without_locks "${SWEEP[@]}" --seeds 4..9 --out s
  # 6 where it ends before the seeds that the other one declared.
  local code=0
  wait $pid || code=$?
  [[ $code == [06] ]]
  [ -z "$(leftovers s)" ]
  run -0 "$MNIST_DIST" report s
  [ "$(tail -n +2 s/seeds.csv | cut -d, -f1 | sort -n | tr '\n' ' ')" = "1 2 3 4 5 6 7 8 9 " ]
}
@test "a file that a different program has locked for writing is named, and is not replaced" {
  short --run-dir r
  cp "$TEST_DATA" data.h5
  fails 3 "data.h5: " flock data.h5 "${SHORT[@]}" --set data.file=data.h5 --run-dir none
  [[ "$stderr" == *writing* && "$stderr" != *prepare* && "$stderr" != *damaged* ]]
  local checkpoint=r/checkpoint.h5
  fails 3 "$checkpoint: " flock $checkpoint "$MNIST_DIST" --resume --run-dir r
  [[ "$stderr" == *writing* ]]
  fails 3 "$checkpoint: " flock $checkpoint \
    "$MNIST_DIST" evaluate $checkpoint --data data.h5
  [[ "$stderr" == *writing* ]]
}
@test "a lease of a different host is respected while it changes, and then taken over" {
  short --print-config >some.toml
  mkdir r
  foreign_lease 0 >r/.lease
  (for i in {1..300}; do sleep 0.2; foreign_lease "$i" >r/next && mv r/next r/.lease; done) &
  local pid=$!
  fails 2 "host far" \
    "$MNIST_DIST" --config some.toml --run-dir r
  kill $pid
  wait $pid || true
  rm -f r/next
  [ -s r/.lease ]
  run --separate-stderr -0 "$MNIST_DIST" --config some.toml --run-dir r
  [[ "$stderr" == *"watching its lease"* ]]
  [ -z "$(leftovers r)" ]
}
@test "a run killed at any moment is recovered by the same command, and leaves nothing behind" {
  short --run-dir whole
  local calls=0 code=137
  while [ "$code" -eq 137 ]; do
    calls=$((calls + 1))
    code=0
    killed_at $calls /killed "${SHORT[@]}" --run-dir "$PWD/killed" >/dev/null 2>&1 || code=$?
    if [ "$code" -eq 137 ]; then
      local again=() expected=-0
      [ ! -e killed ] || again=(--resume)
      [ ! -e killed/summary.json ] || expected=-2 # it is finished
      run $expected short --run-dir killed "${again[@]}"
    fi
    [ "$(sha_of killed)" = "$(sha_of whole)" ]
    [ -z "$(leftovers killed)" ]
    [ "$(ls -I checkpoint.prev.h5 -I 'events*' killed)" = "$(ls -I 'events*' whole)" ]
    rm -r killed
  done
  echo "killed at $((calls - 1)) calls"
  [ "$calls" -gt 30 ]
}
@test "a run killed before its recipe was there: each way is open" {
  local calls
  for calls in 2 5 8; do
    for again in "" --resume; do
      run -137 killed_at $calls /begun "${SHORT[@]}" --run-dir "$PWD/begun"
      mv begun r
      [ -d r ] && [ ! -e r/config.toml ]
      fails 2 "config.toml" "$MNIST_DIST" --resume --run-dir r
      [[ "$stderr" == *"with --config"* ]]
      run -0 short --run-dir r $again
      rm -r r
    done
  done
  # A file of a batch system hinders no way that a folder without it has.
  short --print-config >some.toml
  for again in "" "--config some.toml"; do
    mkdir r
    cp some.toml r/config.toml
    echo batch >r/slurm-1.out
    run -0 "$MNIST_DIST" $again --resume --run-dir r
    [ -s r/slurm-1.out ]
    rm -r r
  done
  # Other files in a folder are not deleted.
  mkdir r
  echo half >r/config.toml.tmp99999999
  echo precious >r/thesis.tex.tmp99999999
  fails 2 "folder r" short --run-dir r
  [ -e r/config.toml.tmp99999999 ] && [ -e r/thesis.tex.tmp99999999 ]
  fails 2 "checkpoint" short --run-dir r --resume
}
@test "a recipe that a power failure cut off: each way is open" {
  short --run-dir whole
  local text again
  for text in "" "$(head -c 60 whole/config.toml)" "half"; do
    for again in "" --resume; do
      mkdir r
      printf %s "$text" >r/config.toml
      fails 2 "r/config.toml" "$MNIST_DIST" --resume --run-dir r
      [[ "$stderr" == *"with --config"* ]]
      run -0 short --run-dir r $again
      [ -e r/summary.json ]
      rm -r r
    done
  done
  # A sweep, too, but none that has rows.
  "${SWEEP[@]}" --seeds 1 --out s
  : >s/config.toml
  run ! "${SWEEP[@]}" --seeds 1 --out s
  [ -e s/rows/0xxx/seed1.csv ]
  rm -r s/rows s/runs s/*.csv s/summary.json s/*.html s/*.svg
  mkdir s/rows s/runs
  run -0 "${SWEEP[@]}" --seeds 1 --out s
  # Nor a run that has a checkpoint.
  : >whole/config.toml
  fails 2 "folder whole" short --run-dir whole
  [[ "$stderr" != *"--resume"* ]]
}
@test "a sweep killed at any moment is recovered by the same command, and leaves nothing behind" {
  SWEEP+=(--seeds 1,2)
  "${SWEEP[@]}" --out whole
  local at code=137
  for ((at = 1; code == 137; at += 7)); do
    code=0
    killed_at $at /killed "${SWEEP[@]}" --out "$PWD/killed" >/dev/null 2>&1 || code=$?
    run -0 "${SWEEP[@]}" --out killed
    [ -z "$(leftovers killed)" ]
    diff <(cut -d, -f1-9 killed/seeds.csv) <(cut -d, -f1-9 whole/seeds.csv)
    rm -r killed
  done
  [ "$at" -gt 60 ]
}
@test "leftovers of the dead go at the next start, and those of the living stay" {
  cp "$TEST_DATA" data.h5
  local living=$$ dead=tmp99999999 far=tmp99999999.0123abcd
  touch data.h5.$dead data.h5.$far "data.h5.tmp$living" other.h5.$dead
  short --set data.file=data.h5 --run-dir r
  [ ! -e data.h5.$dead ] && [ -e "data.h5.tmp$living" ] && [ -e other.h5.$dead ]
  [ -e data.h5.$far ] # another host may be writing it
  touch -d '3 days ago' data.h5.$far
  run -0 "$MNIST_DIST" prepare --synthetic --count 6000 --out data.h5
  [ ! -e data.h5.$far ]

  SWEEP+=(--seeds 1 --out s)
  "${SWEEP[@]}"
  touch s/{seeds.csv,report.html,summary.json}.$dead s/seeds.csv.$far "s/epochs.csv.tmp$living"
  touch s/notes.tmp s/runs/seed1/{metrics.csv.$dead,checkpoint.link.tmp,checkpoint.next.tmp}
  run -0 "${SWEEP[@]}"
  [ "$(cd s && leftovers . | sort | tr '\n' ' ')" = "./epochs.csv.tmp$living ./notes.tmp " ]
}
@test "a full disk at the last checkpoint leaves no summary, and the next start writes it" {
  short --run-dir whole
  limited() { (ulimit -f 20 && short --run-dir r); }
  fails 3 "File too large" limited
  [ ! -e r/summary.json ]
  [ -z "$(find r -name '*.tmp*')" ]
  fails 3 "No space left" full_at /full/checkpoint "${SHORT[@]}" --run-dir "$PWD/full"
  [ ! -e full/summary.json ]
  fails 3 "No space left" full_at /late/summary "${SHORT[@]}" --run-dir "$PWD/late"
  [ ! -e late/summary.json ] && [ -s late/checkpoint.h5 ]
  for folder in r full late; do
    run -0 short --resume --run-dir $folder
    [ "$(sha_of $folder)" = "$(sha_of whole)" ]
    for name in final_validation_accuracy final_validation_correct best_epoch epochs steps; do
      [ "$(field $folder/summary.json $name)" = "$(field whole/summary.json $name)" ]
    done
    [ "$(wc -l <$folder/metrics.csv)" -eq 2 ]
  done
}
@test "a sweep's folder that is moved away does not come back" {
  "${SWEEP[@]}" --seeds 1..500 --out s >out.txt 2>err.txt &
  local pid=$! code=0
  wait_for 60 test -s s/seeds.csv
  mv s moved
  wait $pid || code=$?
  cat err.txt
  [ "$code" -eq 3 ]
  [ ! -e s ]
  run -0 "$MNIST_DIST" report moved
}
