# launch/local.sh with the real program and mpirun: a rank is killed, and the script restarts the
# rest to the end of an undisturbed start.
bats_require_minimum_version 1.5.0
load helpers

setup_file() {
  # The build is there.
  mkdir "$BATS_FILE_TMPDIR/bin"
  printf '#!/bin/sh\n' >"$BATS_FILE_TMPDIR/bin/cmake"
  chmod +x "$BATS_FILE_TMPDIR/bin/cmake"
  export PATH=$BATS_FILE_TMPDIR/bin:$PATH
  export MNIST_DIST_BUILD_DIR=${MNIST_DIST%/*} MNIST_DIST_SETUP=skip
}

# start ARGUMENTS...: local.sh on two ranks in the background, as STARTED. Its output is out.txt.
start() {
  "$SOURCE_DIR/launch/local.sh" -np 2 "$@" >out.txt 2>&1 3>&- &
  STARTED=$!
}
# ends_after N: waits for it. True if it ended with 0 after N restarts.
ends_after() {
  local code=0
  wait "$STARTED" || code=$?
  cat out.txt
  [ "$code" -eq 0 ]
  [ "$(grep -c '^note: a rank was killed (KILL)' out.txt)" -eq "$1" ]
  [ "$(grep -c '^note: restart [1-9] of 3' out.txt)" -eq "$1" ]
}
# holder FOLDER: the process that has its lease.
holder() { awk '$1 == "process" { print $2 }' "$1/.lease"; }
resumed() { [ "$(grep -c '^resumed after' out.txt)" -ge "$1" ]; }
has_rows() { [ "$(find "$1/rows" -name '*.csv' 2>/dev/null | wc -l)" -ge "$2" ]; }

@test "a run loses rank 0, then rank 1: it resumes twice, to the bytes of an undisturbed run" {
  local run=(train "${TINY[@]}" --set train.epochs=250) rank
  run -0 "$MNIST_DIST" "${run[@]}" --threads 1 --run-dir alone
  start "${run[@]}" --run-dir r
  wait_for 30 rows_in r 10
  kill -KILL "$(holder r)"
  wait_for 30 resumed 1
  rank=$(pgrep -x mnist-dist -P "$(ps -o ppid= -p "$(holder r)" | xargs)" | grep -vx "$(holder r)")
  kill -KILL "$rank"
  ends_after 2
  resumed 2
  [ "$(field r/summary.json ranks)" -eq 2 ]
  [ "$(sha_of r)" = "$(sha_of alone)" ]
}

# All columns of seeds.csv but seconds and group.
results() { sort "$1/seeds.csv" | cut -d, -f1-9,12-; }

# The seeds of the sweep cut that are trained, and whose first epochs are done.
trained_now() {
  local folder
  for folder in cut/runs/seed*; do
    [ -e "cut/rows/0xxx/${folder##*/}.csv" ] || ! rows_in "$folder" 5 || echo "${folder##*/seed}"
  done
}
two_are_trained() { [ "$(trained_now | wc -l)" -eq 2 ]; }

@test "a sweep loses a rank: rows stay, the seed resumes, and the table is an undisturbed one's" {
  local sweep=(sweep "${TINY[@]}" --set train.epochs=120 --seeds 0..4 --target 0)
  local rank seed epochs file name seeds
  run -0 "$SOURCE_DIR/launch/local.sh" -np 2 "${sweep[@]}" --out whole
  start "${sweep[@]}" --out cut
  wait_for 60 has_rows cut 2
  wait_for 30 two_are_trained
  mapfile -t seeds < <(trained_now)
  rank=$(holder "cut/runs/seed${seeds[1]}")
  kill -STOP "$rank"
  cp -rp cut before || true  # temporary files of the other rank come and go
  kill -KILL "$rank"
  ends_after 1
  [ ! -e "before/rows/0xxx/seed${seeds[1]}.csv" ]
  (cd before && find rows -name '*.csv') >rows.txt
  while read -r file; do
    cmp "before/$file" "cut/$file"
    [ "$(stat -c %.9Y "before/$file")" = "$(stat -c %.9Y "cut/$file")" ]
    # Nothing of a finished seed was written again.
    name=$(basename "$file" .csv)
    diff -r "before/runs/$name" "cut/runs/$name"
  done <rows.txt
  [ "$(wc -l <rows.txt)" -ge 2 ]
  # The epochs before the last checkpoint, with their times: they were not trained again.
  for seed in "${seeds[@]}"; do
    epochs=$(($(wc -l <"before/runs/seed$seed/metrics.csv") - 1))
    ((epochs >= 4))
    cmp <(head -n "$epochs" "before/runs/seed$seed/metrics.csv") \
      <(head -n "$epochs" "cut/runs/seed$seed/metrics.csv")
  done
  [ "$(wc -l <cut/seeds.csv)" -eq 6 ]
  diff <(results whole) <(results cut)
  [ -z "$(find cut -name '.lease*' -o -name '.look*' -o -name '*.tmp*')" ]
}
