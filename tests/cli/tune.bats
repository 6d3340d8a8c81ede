# tune: held-out rows only, beaten candidates stop, nothing is trained twice, every candidate is
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

@test "a race stops beaten candidates, all are in its table, and the winner's recipe trains" {
  space
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 4 --seeds 3 --max-seeds 6 --out search
  [[ "$output" == *"at most 24 runs"* ]]
  # Rates of 1e-5 are hopeless. Those that are not beaten have trained all seeds.
  beaten=$(rounds | grep -c '1 3$')
  left=$(rounds | grep -c '2 6$')
  [ $((beaten + left)) -eq 4 ] && [ "$beaten" -gt 0 ] && [ "$left" -gt 0 ]
  [[ "$output" == *"round 2: $left candidate"*"6 seeds each | $((3 * left)) new runs, about 0:"* ]]
  # Best first within each round.
  [ "$(awk -F, 'NR > 1 { print $5, 100 - $8 }' search/tuning.csv | sort -s -k1,1nr -k2,2n)" = \
    "$(awk -F, 'NR > 1 { print $5, 100 - $8 }' search/tuning.csv)" ]
  # Behind: the best one's accuracy minus its own over the seeds of both, which have the same rows.
  "${PYTHON:-python3}" - <<'CHECK'
import csv
rows = list(csv.DictReader(open("search/tuning.csv")))
def scores(row):
    name = f"search/candidate{int(row['candidate']):03}/seeds.csv"
    return {r["seed"]: r for r in csv.DictReader(open(name))}
best = scores(rows[0])
assert rows[0]["behind"] == ""
for row in rows[1:]:
    own = scores(row)
    for column, score, sign in (("behind", "final_validation_accuracy", -1),
                                ("loss_behind", "final_validation_loss", 1)):
        diffs = [sign * (float(own[s][score]) - float(best[s][score])) for s in own if s in best]
        assert abs(float(row[column]) - sum(diffs) / len(diffs)) < 1e-3, (row, column)
        assert float(row[column + "_low"]) < float(row[column]) < float(row[column + "_high"])
    assert float(row["seconds"]) > 0
CHECK
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
  grep -qE '^search +\S+ +4 candidates +finished +best validation accuracy [0-9.]+ %' <<<"$output"
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

@test "each seed is scored on a block of its own, the same for all candidates" {
  space
  TUNE=(tune --space space.toml --set "data.file=$TEST_DATA" --set 'data.split=[600,300,0]')
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 2 --seeds 3 --max-seeds 3 --out search
  for seed in 1 2 3; do
    awk -F, -v s=$seed '$1 == s && ($2 < 300 * (s - 1) || $2 >= 300 * s) { bad = 1 }
      $1 == s { n++ } END { exit bad || !n }' search/candidate00?/errors.csv
  done
  # The same bits as a single run with the seed's block.
  run -0 "$MNIST_DIST" --config ./tiny.toml --set "data.file=$TEST_DATA" \
    --set 'data.split=[600,300,2]' --set train.evaluate_every=1 --seed 2 --run-dir single
  hash=$(sed -n 's/.*"parameters_sha256": "\(.*\)".*/\1/p' single/summary.json)
  [ -n "$hash" ]
  grep -q "^2,.*$hash" search/candidate000/seeds.csv
  # A row that was not scored is rejected, as in any sweep.
  sed -i '2s/^1,[0-9]*/1,599/' search/candidate000/errors.csv
  rm -r search/candidate000/rows
  fails 3 "names image" "$MNIST_DIST" report search/candidate000
  fails 2 "got 99" "$MNIST_DIST" --config ./tiny.toml --set "data.file=$TEST_DATA" \
    --set 'data.split=[600,300,99]' --run-dir none
  fails 2 "--max-seeds 2" "$MNIST_DIST" "${TUNE[@]}" --seeds 3 --max-seeds 2
}

@test "the same call trains nothing again, and more candidates keep the old ones, on any ranks" {
  space
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 3 --seeds 1 --max-seeds 2 --out search
  cp search/tuning.csv before.csv
  stat -c '%n %Y %i' search/*/runs/*/summary.json >before.txt
  touch search/{tuning.csv,best.toml}.tmp99999999 search/candidate000/seeds.csv.tmp99999999
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 3 --seeds 1 --max-seeds 2 --out search
  [ -z "$(find search -name '*.tmp*' -o -name '.lease*')" ] # what a killed search would leave
  cmp before.csv search/tuning.csv
  diff before.txt <(stat -c '%n %Y %i' search/*/runs/*/summary.json)
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 4 --seeds 1 --max-seeds 2 --out search
  diff <(sed -n '1,$p' before.txt) \
    <(stat -c '%n %Y %i' search/*/runs/*/summary.json | grep -F -f <(cut -d' ' -f1 before.txt))
  run -0 ranks 2 "${TUNE[@]}" --candidates 3 --seeds 1 --max-seeds 2 --out two
  diff <(cut -d, -f1-17 before.csv) <(cut -d, -f1-17 two/tuning.csv)
}

@test "a stopped search prints how to continue, and misfits are rejected before any training" {
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
  fails 2 "train.seed=7" "$MNIST_DIST" \
    "${TUNE[@]}" --set train.seed=7
  sed s/learning_rate/learning_rat/ space.toml >mistyped.toml
  fails 2 "mistyped.toml:3" \
    "$MNIST_DIST" tune --space mistyped.toml --candidates 2 --out other
  sed 's/^key = .optimizer.nesterov.*/key = "train.batch"/; s/values = .*/values = [63]/' \
    space.toml >odd.toml
  fails 2 "error: candidate 1 " ranks 2 tune \
    --space odd.toml --candidates 2 --out other
  [ ! -e other ]
}

@test "a folder with other files, or a different search, is rejected before anything is trained" {
  space
  mkdir full
  touch full/thesis.tex full.txt
  for other in full full.txt; do
    fails 2 "$other" "$MNIST_DIST" \
      "${TUNE[@]}" --candidates 2 --out "$other"
  done
  fails 2 "full" ranks 2 "${TUNE[@]}" --candidates 2 --out full
  [ "$(ls full)" = thesis.tex ]
  run -0 "$MNIST_DIST" "${TUNE[@]}" --candidates 2 --seeds 1 --max-seeds 1 --out search
  rm -r search/candidate000/*
  fails 2 "search/candidate001: " "$MNIST_DIST" \
    "${TUNE[@]}" --candidates 2 --seeds 1 --max-seeds 1 --draw-seed 7 --out search
  [ -z "$(ls search/candidate000)" ]
}

@test "a search in which everything diverges delivers no recipe" {
  echo 'recipes = ["step1"]' >space.toml
  local hot=(tune --space space.toml --set "data.file=$TEST_DATA" --set 'data.split=[600,300]'
    --set optimizer.learning_rate=1000 --candidates 1)
  for start in "$MNIST_DIST" "ranks 2"; do
    rm -rf search
    run -5 $start "${hot[@]}" --out search
    [ "$(grep -c '^error: .*diverged' <<<"$output")" -eq 1 ]
    [[ "$output" == *" - "*"2 DIVERGED"* ]]
    [[ "$(tail -1 search/tuning.csv)" == 1,0,step1,*,1,2,2,,,,,,,,,,,*, ]]
    [ ! -e search/best.toml ]
  done
}
