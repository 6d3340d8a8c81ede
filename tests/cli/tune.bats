# tune: held-out rows only, the better half continues, nothing is trained twice, every candidate is
# in the table.
bats_require_minimum_version 1.5.0
load helpers

space() {
  cat >tiny.toml <<'RECIPE'
[train]
epochs = 1
[optimizer]
learning_rate = 0.05
[model]
layer = [
  { conv = 4, relu = true, norm = true },
  { pool = "max" },
  { conv = 10, relu = true, norm = true },
  { pool = "global_average" },
]
RECIPE
  cat >space.toml <<'SPACE'
recipes = ["./tiny.toml"]
[[vary]]
key = "optimizer.learning_rate"
low = 0.00001
high = 0.4
log = true
[[vary]]
key = "optimizer.nesterov"
values = [true, false]
SPACE
  TUNE=(tune --space space.toml --set "data.file=$TEST_DATA" --set 'data.split=[600,300]')
}
# Candidate, rounds and seeds of each row.
rounds() { tail -n +2 search/tuning.csv | awk -F, '{ print $2, $5, $6 }' | sort -n; }

@test "halving: four candidates, two, one; a table of all; the winner's recipe trains" {
  space
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 4 --seeds 1 --out search
  [ "$(rounds | awk '{ print $2, $3 }' | sort | tr '\n' ';')" = "1 1;1 1;2 2;3 4;" ]
  # Best first within each round.
  [ "$(awk -F, 'NR > 1 { print $5 }' search/tuning.csv | tr '\n' ' ')" = "3 2 1 1 " ]
  [ "$(awk -F, 'NR == 4 { a = $8 } NR == 5 { print (a >= $8) }' search/tuning.csv)" = 1 ]
  grep -q "split = \[\]" search/best.toml
  run ! grep -r "test_accuracy" search/candidate000
  run -0 "$MNIST_DIST" --config search/best.toml --set train.max_steps=3 --run-dir frozen

  # Its page, and its line in the list.
  cp search/report.html first.html
  grep -q 'class="verdict DONE"' first.html
  grep -q "SYNTHETIC digits" first.html
  run -0 "$MNIST_DIST" report search
  cmp first.html search/report.html
  "$MNIST_DIST" report search/candidate000
  "$MNIST_DIST" report search
  grep -q 'href="candidate000/report.html"' search/report.html
  run -0 "$MNIST_DIST" runs .
  grep -qE '^search +\S+ +4 candidates +finished +best [0-9.]+ % in validation' <<<"$output"
  run -0 "$MNIST_DIST" runs search
  [ "$(grep -c '^candidate00' <<<"$output")" -eq 4 ]
  rm search/best.toml
  "$MNIST_DIST" report search
  grep -q 'class="verdict INCOMPLETE"' search/report.html
  sed -i '2s/^1,[0-9]*/1,x/' search/tuning.csv
  fails 3 "search/tuning.csv" "$MNIST_DIST" report search
  run -0 "$MNIST_DIST" runs .
  grep -q '^search .*damaged' <<<"$output"
}

@test "the same call trains nothing again; more candidates keep the old ones, on any ranks" {
  space
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 3 --seeds 1 --out search
  cp search/tuning.csv before.csv
  stat -c '%n %Y %i' search/*/runs/*/summary.json >before.txt
  touch search/{tuning.csv,best.toml}.tmp99999999 search/candidate000/seeds.csv.tmp99999999
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 3 --seeds 1 --out search
  [ -z "$(find search -name '*.tmp*' -o -name '.lease*')" ] # what a killed search would leave
  cmp before.csv search/tuning.csv
  diff before.txt <(stat -c '%n %Y %i' search/*/runs/*/summary.json)
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 4 --seeds 1 --out search
  diff <(sed -n '1,$p' before.txt) \
    <(stat -c '%n %Y %i' search/*/runs/*/summary.json | grep -F -f <(cut -d' ' -f1 before.txt))
  run -0 ranks 2 "${TUNE[@]}" --candidates 3 --seeds 1 --out two
  diff <(cut -d, -f1-11 before.csv) <(cut -d, -f1-11 two/tuning.csv)
}

@test "a stopped search prints how to continue; misfits are rejected before anything is trained" {
  space
  "$MNIST_DIST" "${TUNE[@]}" --candidates 4 --seeds 2 --set train.epochs=400 \
    --out search >out.txt 2>&1 &
  local pid=$! code=0
  wait_for 60 test -s search/candidate000/runs/seed1/metrics.csv
  kill -INT $pid
  wait $pid || code=$?
  [ "$code" -eq 130 ]
  grep -q "the same command again" out.txt

  # mpirun sends TERM to ranks that leave after the first one: that is no second signal.
  mpirun_command 4
  setsid "${MPIRUN[@]}" "$MNIST_DIST" \
    "${TUNE[@]}" --candidates 4 --seeds 8 --set train.epochs=400 --out search2 >out.txt 2>&1 &
  pid=$! code=0
  wait_for 60 test -s search2/candidate000/runs/seed1/metrics.csv
  kill -USR1 $pid
  wait $pid || code=$?
  cat out.txt
  [ "$code" -eq 130 ]
  run ! grep "second signal" out.txt
  fails 2 "tune needs --space" "$MNIST_DIST" tune
  fails 2 "--set train.seed=7: this command trains seeds of its own" "$MNIST_DIST" \
    "${TUNE[@]}" --set train.seed=7
  sed s/learning_rate/learning_rat/ space.toml >mistyped.toml
  fails 2 "error: mistyped.toml:3: unknown key optimizer.learning_rat" \
    "$MNIST_DIST" tune --space mistyped.toml --candidates 2 --out other
  sed 's/^key = .optimizer.nesterov.*/key = "train.batch"/; s/values = .*/values = [63]/' \
    space.toml >odd.toml
  fails 2 "error: candidate 1 of the space (optimizer.learning_rate=" ranks 2 tune \
    --space odd.toml --candidates 2 --out other
  [ ! -e other ]
}

@test "a folder with other files, or a different search, is rejected before anything is trained" {
  space
  mkdir full
  touch full/thesis.tex full.txt
  for other in full full.txt; do
    fails 2 "$other already exists and is not a search" "$MNIST_DIST" \
      "${TUNE[@]}" --candidates 2 --out "$other"
  done
  fails 2 "full already exists and is not a search" ranks 2 "${TUNE[@]}" --candidates 2 --out full
  [ "$(ls full)" = thesis.tex ]
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 2 --seeds 1 --out search
  rm -r search/candidate000/*
  fails 2 "search/candidate001 holds a sweep of another recipe" "$MNIST_DIST" \
    "${TUNE[@]}" --candidates 2 --seeds 1 --draw-seed 7 --out search
  [ -z "$(ls search/candidate000)" ]
}

@test "a search in which everything diverges delivers no recipe" {
  echo 'recipes = ["step1"]' >space.toml
  local hot=(tune --space space.toml --set "data.file=$TEST_DATA" --set 'data.split=[600,300]'
    --set optimizer.learning_rate=1000 --candidates 1)
  for start in "$MNIST_DIST" "ranks 2"; do
    rm -rf search
    run -5 $start "${hot[@]}" --out search
    [ "$(grep -c '^error: every candidate diverged on all its seeds' <<<"$output")" -eq 1 ]
    [[ "$output" == *" - "*"2 DIVERGED"* ]]
    [[ "$(tail -1 search/tuning.csv)" == 1,0,step1,*,1,2,2,,,,, ]]
    [ ! -e search/best.toml ]
  done
}
