# Sweeps: a seed's bytes from any worker, no loss by a kill, the verdict and its exit code.
bats_require_minimum_version 1.5.0
load helpers

SWEEP_SEEDS=(--seeds 0..3 --target 0)

# The columns of seeds.csv that may not depend on who trained: all but seconds, group, ranks and
# threads.
results() { sort "$1/seeds.csv" | cut -d, -f1-9,14-; }
same_results() {
  [ "$(wc -l <"$1/seeds.csv")" -eq 5 ]
  diff <(results "$1") <(results "$2")
  diff <(sort "$1/errors.csv") <(sort "$2/errors.csv")
  diff <(sort "$1/epochs.csv" | cut -d, -f1-8) <(sort "$2/epochs.csv" | cut -d, -f1-8)
}
sha_in_sweep() {
  awk -F, -v seed="$2" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "parameters_sha256") c = i }
    $1 == seed { print $c }' "$1/seeds.csv"
}

@test "a seed's bytes: one process, groups of 1 and of 2 ranks, sockets, a single run" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" "${SWEEP_SEEDS[@]}" --out alone
  [[ "$output" == *SYNTHETIC* ]]
  [[ "$output" == *"PASS: 4 of 4 "* ]]
  run -0 ranks 2 sweep "${TINY[@]}" "${SWEEP_SEEDS[@]}" --out k1
  [[ "$output" == *" 2 groups x 1 rank "* ]]
  run -0 ranks 3 sweep "${TINY[@]}" "${SWEEP_SEEDS[@]}" --out k2 --ranks-per-run 2
  [[ "$output" == *" 2 groups x 2 ranks (1 "* ]]
  mpirun_command 3
  run -0 "${MPIRUN[@]}" --mca btl tcp,self "$MNIST_DIST" sweep "${TINY[@]}" \
    "${SWEEP_SEEDS[@]}" --out tcp
  for other in k1 k2 tcp; do same_results alone $other; done
  run -0 "$MNIST_DIST" "${TINY[@]}" --seed 2 --run-dir single
  [ "$(sha_of single)" = "$(sha_in_sweep alone 2)" ]
  [ "$(sha_of alone/runs/seed2)" = "$(sha_in_sweep alone 2)" ]
  [ "$(sha_in_sweep alone 1)" != "$(sha_in_sweep alone 2)" ]
}

@test "killed and interrupted sweeps continue, also on other ranks, to the same end" {
  local long=("${TINY[@]}" --set train.epochs=30
    --set train.checkpoint_seconds=0.05 "${SWEEP_SEEDS[@]}")
  run -0 "$MNIST_DIST" sweep "${long[@]}" --out whole
  "$MNIST_DIST" sweep "${long[@]}" --out cut >cut.txt 2>&1 &
  local pid=$! code=0
  wait_for 60 test -s cut/runs/seed1/checkpoint.h5
  kill -KILL $pid
  wait $pid || true
  [ "$(wc -l <cut/seeds.csv)" -lt 5 ]
  mpirun_command 2
  setsid "${MPIRUN[@]}" "$MNIST_DIST" sweep "${long[@]}" --out cut >cut2.txt 2>&1 &
  pid=$!
  wait_for 60 test -s cut/runs/seed2/checkpoint.h5
  kill -USR1 $pid
  wait $pid || code=$?
  cat cut2.txt
  [ "$code" -eq 130 ]
  grep -q "the same command again" cut2.txt
  [ "$(wc -l <cut/seeds.csv)" -lt 5 ]
  touch cut/.stop.tmp999999999  # of ranks that were killed after a signal
  run -0 ranks 3 sweep "${long[@]}" --out cut --ranks-per-run 2
  [[ "$output" == *"continuing:"* ]]
  same_results whole cut
  [ -z "$(find cut -maxdepth 1 -name '.st*')" ]
}

@test "a seed that ended before its row was written is not trained again" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" "${SWEEP_SEEDS[@]}" --out s
  cp -r s whole
  rm s/rows/0xxx/seed3.csv
  local before
  before=$(stat -c %Y%i s/runs/seed3/checkpoint.h5)
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" "${SWEEP_SEEDS[@]}" --out s
  same_results whole s
  [ "$(stat -c %Y%i s/runs/seed3/checkpoint.h5)" = "$before" ]
}

@test "processes that share a folder share a sweep, each seed is trained once" {
  local pids=() pid n
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..11 --target 0 --out alone
  for n in 1 2 3; do
    "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..11 --target 0 --out s >$n.txt 2>&1 &
    pids+=($!)
  done
  ranks 2 sweep "${TINY[@]}" --seeds 0..11 --target 0 --out s >4.txt 2>&1
  for pid in "${pids[@]}"; do wait "$pid"; done
  for n in 1 2 3 4; do grep -q "PASS: 12 of 12 seeds" $n.txt; done
  diff <(results alone) <(results s)
  [ "$(find s/rows -type f | wc -l)" -eq 12 ]
  [ -z "$(find s -name '.lease*' -o -name '.st*' -o -name '*.tmp*')" ]
}

@test "a worker that is stopped loses its seed, gives it up, and the rows are the same" {
  export MNIST_DIST_LEASE_SECONDS=1
  local long=("${TINY[@]}" --set train.epochs=40 --set train.checkpoint_seconds=0.05 --seeds 0..3
    --target 0)
  run -0 "$MNIST_DIST" sweep "${long[@]}" --out whole
  "$MNIST_DIST" sweep "${long[@]}" --out s >first.txt 2>&1 &
  local pid=$!
  wait_for 60 test -s s/runs/seed0/checkpoint.h5
  kill -STOP $pid
  run -0 "$MNIST_DIST" sweep "${long[@]}" --out s
  same_results whole s
  kill -CONT $pid
  wait $pid
  grep -q "^note: .*took over seed" first.txt
  same_results whole s
}

@test "two results of one seed: exit 1, and the row that was there stays" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --set train.epochs=30 --seeds 0 --target 0 --out other
  "$MNIST_DIST" sweep \
    "${TINY[@]}" --set train.epochs=30 --seeds 0 --target 0 --out s >out.txt 2>&1 &
  local pid=$! code=0
  wait_for 60 test -s s/runs/seed0/metrics.csv
  mkdir -p s/rows/0xxx
  sed '2s/,[0-9a-f]\{8\}/,00000000/' other/rows/0xxx/seed0.csv >s/rows/0xxx/seed0.csv
  cp s/rows/0xxx/seed0.csv row.csv
  wait $pid || code=$?
  cat out.txt
  [ "$code" -eq 1 ]
  grep -q "^error: .*rows/0xxx/seed0.csv" out.txt
  cmp row.csv s/rows/0xxx/seed0.csv
}

@test "a second range adds to the declaration" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..1 --target 0 --out s
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 3..4 --target 0 --out s
  [[ "$output" == *"PASS: 4 of 4 seeds"* ]]
  [ "$(field s/sweep.json seeds)" = "0..1,3..4" ]
  [ "$(python3 -c 'import json
declared = json.load(open("s/sweep.json"))["declared"]
print([d["seeds"] for d in declared if d["date"][:2] == "20"])')" \
    = "['0..1', '3..4']" ]
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..1 --target 0 --out s
  [ "$(python3 -c 'import json; print(len(json.load(open("s/sweep.json"))["declared"]))')" = 2 ]
  # A seed that was declared and has no row counts in the verdict. The exit code is about the seeds
  # of this start.
  rm s/rows/0xxx/seed4.csv
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..1 --out s
  [[ "$output" == *"INCOMPLETE: 3 of 4 seeds"*"1 not trained yet"* ]]
}

@test "a worker whose seeds are done ends with 0 beside one that trains more" {
  local long=("${TINY[@]}" --set train.epochs=60)
  "$MNIST_DIST" sweep "${long[@]}" --seeds 3..99 --target 0 --out s >more.txt 2>&1 &
  local pid=$!
  wait_for 60 test -s s/runs/seed3/metrics.csv
  run -0 "$MNIST_DIST" sweep "${long[@]}" --seeds 99 --out s
  [[ "$output" == *"INCOMPLETE: "*" not trained yet"* ]]
  run -0 ranks 2 sweep "${long[@]}" --seeds 0..1 --out s
  [[ "$output" == *"INCOMPLETE: "*" not trained yet"* ]]
  kill -TERM $pid
  wait $pid || true
}

@test "the target belongs to the sweep: a different one is rejected, none is the folder's" {
  run -6 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0 --target 100 --out s
  cp s/sweep.json before.json
  rejects 2 "(got 99.999999 %, expected 100 %)" \
    ranks 2 sweep "${TINY[@]}" --seeds 0 --target 99.999999 --out s
  cmp before.json s/sweep.json
  run -6 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0 --out s
  [[ "$output" == *"FAIL: 0 of 1 "*" 100 %"* ]]
  run -6 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0 --target 100.0 --out s
  run -6 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0 --out new
  [ "$(field new/sweep.json target)" = 99.4 ]
  fails 2 "100 % and 99.4 %" "$MNIST_DIST" merge both s new
  [ ! -e both ]
  fails 2 '(got ""' "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0 --target "" --out s
}

@test "a lease that is not a number of seconds is rejected" {
  MNIST_DIST_LEASE_SECONDS=abc \
    fails 2 "MNIST_DIST_LEASE_SECONDS" "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0 --out s
  [ ! -e s ]
}

@test "merge makes one sweep of several with one recipe, data and bits, and seeds in both agree" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..3 --target 0 --out whole
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..2 --target 0 --out a
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 2..3 --target 0 --out b
  rm -r b/rows # as an earlier version wrote it
  run -0 "$MNIST_DIST" merge out/all a b
  [[ "$output" == *"PASS: 4 of 4 seeds"* ]]
  same_results whole out/all
  [ "$(field out/all/sweep.json seeds)" = "0..3" ]
  run -0 "$MNIST_DIST" merge out/all b
  same_results whole out/all
  run -0 "$MNIST_DIST" verify out/all --seed 3
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --set train.epochs=3 --seeds 5 --target 0 --out c
  fails 2 "different recipes" "$MNIST_DIST" merge new a c
  cp -r a d
  sed -i 's/"fingerprint": "..../"fingerprint": "0000/' d/sweep.json
  fails 2 "different bits" "$MNIST_DIST" merge new a d
  cp -r a e
  sed -i '2s/,[0-9a-f]\{8\}\([0-9a-f]\{56\}\)/,00000000\1/' e/rows/0xxx/seed1.csv
  fails 1 "seed 1" "$MNIST_DIST" merge new a e
  [ ! -e new ]
  fails 2 ". already" "$MNIST_DIST" merge . a b
  fails 2 "DIR" "$MNIST_DIST" merge new
  fails 2 "OUT a is " "$MNIST_DIST" merge a a b
  fails 2 "a/runs/x" "$MNIST_DIST" merge a/runs/x a b
  [ ! -e a/runs/x ]
}

@test "a missed target is exit 6, and --stop-early ends at the first" {
  run -6 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..3 --target 100 --out s
  [[ "$output" == *"FAIL: 0 of 4 "*" 100 % (300 of 300 "* ]]
  [ "$(field s/summary.json verdict)" = FAIL ]
  [ "$(wc -l <s/seeds.csv)" -eq 5 ]
  run -6 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..3 --target 100 --out early --stop-early
  [[ "$output" == *"3 not trained yet"* ]]
  [ "$(wc -l <early/seeds.csv)" -eq 2 ]
  run -6 ranks 2 sweep \
    "${TINY[@]}" --set train.epochs=10 --seeds 0..9 --target 100 --out early2 --stop-early
  [ "$(wc -l <early2/seeds.csv)" -lt 5 ]
  # The seed that was cut short is not lost.
  run -6 "$MNIST_DIST" sweep \
    "${TINY[@]}" --set train.epochs=10 --seeds 0..3 --target 100 --out early2
  [ "$(wc -l <early2/seeds.csv)" -eq 5 ]
}

@test "a diverged seed is a row and a failure" {
  local recipe=(--config step1 --set "data.file=$TEST_DATA" --set 'data.split=[600,300]'
    --set optimizer.learning_rate=1000 --set train.epochs=2)
  run -6 "$MNIST_DIST" sweep "${recipe[@]}" --seeds 0..1 --target 0 --out s
  [[ "$output" == *"diverged at epoch 1 step"* ]]
  [[ "$output" == *"FAIL: 0 of 2 seeds"*"2 diverged"* ]]
  [ "$(grep -c '^[01],diverged,' s/seeds.csv)" -eq 2 ]
  run -6 ranks 2 sweep "${recipe[@]}" --seeds 0..1 --target 0 --out s2 --ranks-per-run 2
  [ "$(grep -c '^[01],diverged,' s2/seeds.csv)" -eq 2 ]
}

@test "a sweep continues on a different SIMD target, to the same bytes" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..2 --target 0 --out best
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0 --target 0 --simd scalar --out s
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..2 --target 0 --out s
  [ "$(wc -l <s/seeds.csv)" -eq 4 ]
  for seed in 0 1 2; do [ "$(sha_in_sweep s $seed)" = "$(sha_in_sweep best $seed)" ]; done
}

@test "inconsistent options are rejected" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0 --target 0 --out s
  "$MNIST_DIST" prepare --synthetic --count 2000 --out other.h5 >/dev/null 2>&1
  fails 2 "hash" "$MNIST_DIST" sweep "${TINY[@]}" --set data.file=other.h5 --seeds 0 --out s
  sed -i 's/"fingerprint": "..../"fingerprint": "0000/' s/sweep.json
  fails 2 "expected 0000" "$MNIST_DIST" sweep \
    "${TINY[@]}" --seeds 0 --out s
  fails 2 ". already" "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0 --out .
  # Ranks <= shards is about a run's ranks, not the world's.
  fails 2 "1 shard" ranks 2 sweep \
    "${TINY[@]}" --set data.shards=1 --seeds 0 --ranks-per-run 2
  run -0 ranks 2 sweep "${TINY[@]}" --set data.shards=1 --seeds 0..1 --target 0 --out one-shard
}

@test "a sweep's recipe that was changed afterwards is rejected by every command" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..1 --target 0 --out s
  run -0 "$MNIST_DIST" report s
  cp -r s whole
  sed -i 's/^momentum = 0.9/momentum = 0.8/' s/config.toml
  fails 3 "s/config.toml" "$MNIST_DIST" report s
  fails 3 "s/config.toml" "$MNIST_DIST" compare whole s
  fails 3 "s/config.toml" "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..1 --target 0 --out s
}

@test "compare: runs that diverged, were stopped or have not scored yet" {
  "$MNIST_DIST" "${TINY[@]}" --set train.epochs=3 --run-dir whole
  sed 's/, norm = true//' "$SOURCE_DIR/tests/tiny.toml" >bare.toml
  run -5 "$MNIST_DIST" --config bare.toml --set "data.file=$TEST_DATA" \
    --set 'data.split=[600,300]' --set optimizer.learning_rate=1000 --run-dir bad
  "$MNIST_DIST" "${TINY[@]}" --set train.epochs=5000 --run-dir stopped >/dev/null 2>&1 &
  local pid=$!
  wait_for 60 rows_in stopped 2
  kill -INT $pid
  wait $pid || true
  run -0 "$MNIST_DIST" compare whole bad stopped
  [[ "$output" == *"B  bad (diverged "*" in layer "* ]]
  [[ "$output" == *"C  stopped (stopped "* ]]
  [[ "$output" == *"no epoch "* ]]
  [[ "$output" == *"after epoch "[123]": A "*" %, C "* ]]
  [ "$(grep -c "^verdict: .*cannot be compared" <<<"$output")" -eq 2 ]
  grep -q "diverged at epoch 1" compare.html
  "$MNIST_DIST" compare bad whole --json >comparison.json
  python3 -c 'import json
j = json.load(open("comparison.json"))
assert [side["state"] for side in j["contestants"]] == ["diverged", "finished"], j
assert j["contestants"][0]["mean"] is None and j["contestants"][1]["mean"] > 0, j
assert j["differences"][0]["basis"] == "none" and not j["differences"][0]["shown"], j'
  # Other data is no comparison, with or without a result.
  "$MNIST_DIST" prepare --synthetic --count 1000 --out other.h5
  "$MNIST_DIST" "${TINY[@]}" --set data.file=other.h5 --set train.max_steps=3 --run-dir other
  fails 2 "different images" "$MNIST_DIST" compare other stopped
}

@test "two sweeps, and a run, seed by seed" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..3 --target 0 --out a
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --set train.epochs=8 --seeds 1..5 --target 0 --out b
  run -0 "$MNIST_DIST" compare a b a/runs/seed2
  [[ "$output" == *"B - A  +"*"95 % interval"*"paired by 3 seeds"* ]]
  [[ "$output" == *"train.epochs: A "*", B 8"* ]]
  [[ "$output" == *"C - A  "* ]]
  grep -q "<svg" compare.html
  "$MNIST_DIST" compare a b --json --out other.html >comparison.json
  python3 -c 'import json
d = json.load(open("comparison.json"))["differences"][0]
assert d["basis"] == "seeds" and d["points"] > 0, d'
  [ -s other.html ]
  fails 2 "nowhere" "$MNIST_DIST" compare a nowhere
  rm compare.html
  run -0 --separate-stderr ranks 2 sweep --compare a b
  [ "$(grep -c "mnist-dist compare a b" <<<"$stderr")" -eq 1 ]
  [ "$(grep -c "^verdict: " <<<"$output")" -eq 1 ]
  [ -s compare.html ]
  fails 2 "--compare" "$MNIST_DIST" sweep --compare a b --quiet
}

@test "the page reloads itself while the sweep runs, and links the seeds' pages" {
  "$MNIST_DIST" sweep "${TINY[@]}" --set train.epochs=5000 --seeds 0..1 --target 0 --out s &
  wait_for 60 grep -q 'http-equiv="refresh"' s/report.html
  kill -INT $!
  wait $! || true
  ! grep -q 'http-equiv="refresh"' s/report.html || false
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..1 --target 0 --out t
  for seed in 0 1; do
    grep -q "<a href=\"runs/seed$seed/report.html\">$seed</a>" t/report.html
    [ -s t/runs/seed$seed/report.html ]
  done
}

@test "report makes the published sweeps' verdicts and histograms from their rows" {
  local sweep file
  for sweep in "$SOURCE_DIR"/docs/results/*/; do
    cp -r "$sweep" s
    rm s/summary.json s/histogram.svg
    run -0 "$MNIST_DIST" report s
    for file in "$sweep"/*; do cmp "$file" "s/${file##*/}"; done
    grep -q "<svg" s/report.html
    rm -r s
  done
}

@test "report makes the same report again, also of a single run" {
  run -0 "$MNIST_DIST" sweep "${TINY[@]}" --seeds 0..2 --target 0 --out s
  cp -r s before
  rm s/report.html s/summary.json s/histogram.svg
  run -0 "$MNIST_DIST" report s
  [[ "$output" == *"PASS: 3 of 3"* ]]
  for file in report.html summary.json histogram.svg seeds.csv; do cmp before/$file s/$file; done
  grep -q 'src="data:image/png;base64,' s/report.html
  cp s/errors.csv errors.csv
  sed -i '2s/,[0-9]*,/,6000,/' s/errors.csv
  fails 3 "names image" "$MNIST_DIST" report s
  sed '$d' errors.csv >s/errors.csv
  fails 3 "errors.csv (got" "$MNIST_DIST" report s
  cp errors.csv s/errors.csv
  cp s/seeds.csv seeds.csv
  awk -F, -v OFS=, 'NR == 2 { $4++ } 1' seeds.csv >s/seeds.csv
  fails 3 "seeds.csv: row 1" "$MNIST_DIST" report s
  cp seeds.csv s/seeds.csv
  # Also where the images are not.
  sed -i 's/"data_file": ".*"/"data_file": "nowhere.h5"/' s/sweep.json
  run -0 "$MNIST_DIST" report s
  grep -q "data file is missing" s/report.html
  run -0 "$MNIST_DIST" report s/runs/seed1
  grep -q "SYNTHETIC" s/runs/seed1/report.html
  grep -q "<svg" s/runs/seed1/report.html
  fails 2 "neither" "$MNIST_DIST" report .
}
