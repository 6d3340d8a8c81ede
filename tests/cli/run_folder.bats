# Run folders and checkpoints: never overwritten, never half a file, always a way to continue.
bats_require_minimum_version 1.5.0
load helpers

short() { "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=5 "$@"; }

@test "a run folder has all files, and its path is printed" {
  run -0 short --run-dir r --seed 4
  [[ "${lines[0]}" == *step3* && "${lines[0]}" == *SYNTHETIC* && "${lines[0]}" == *"engine"* &&
    "${lines[0]}" == *"1 rank x"* ]]
  [ -s r/config.toml ] && [ -s r/metrics.csv ] && [ -s r/summary.json ] && [ -s r/checkpoint.h5 ]
  [ "$(head -1 r/metrics.csv)" = \
    "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,\
averaged_validation_accuracy,learning_rate,images_per_second,seconds" ]
  [ "$(field r/summary.json synthetic)" = True ]
  [ "$(field r/summary.json seed)" = 4 ]
  [ "$(field r/summary.json parameter_count)" = 9776 ]
  [ -z "$(find r -name '*tmp*')" ]
}
@test "the default run folder is new each time" {
  run -0 short
  run -0 short
  [ "$(find runs -name summary.json | wc -l)" -eq 2 ]
}
@test "a run is never overwritten" {
  mkdir r && echo precious >r/notes.txt
  fails 2 "r already exists" short --run-dir r
  [ "$(cat r/notes.txt)" = precious ]
}
@test "full disk: exit 3, and no file that looks complete" {
  mkdir small
  mount -t tmpfs -o size=64k tmpfs small 2>/dev/null || skip "no right to mount a small file system"
  run --separate-stderr short --run-dir small/r
  local partial
  partial=$(find small -name '*.tmp*')
  umount small
  echo "exit $status: $stderr"
  [ "$status" -eq 3 ]
  [[ "$stderr" == *"No space left"* ]]
  [ -z "$partial" ]
}
@test "nothing to resume" {
  fails 2 "missing" short --resume --run-dir missing
  [ ! -e missing ]
  mkdir other
  echo precious >other/notes.txt
  fails 2 "other" short --resume --run-dir other
  [ "$(ls -A other)" = notes.txt ]
}
@test "nothing to resume in a folder without its recipe" {
  stopped_run
  rm r/config.toml
  fails 2 "config.toml" "$MNIST_DIST" --resume --run-dir r
  run -0 "$MNIST_DIST" --resume --run-dir r --config some.toml
}
@test "a run killed before its first checkpoint begins again" {
  mkdir r
  short --print-config >r/config.toml
  fails 2 'got "momentum = 0.5"' \
    "$MNIST_DIST" --resume --run-dir r --config r/config.toml --set optimizer.momentum=0.5
  run --separate-stderr -0 "$MNIST_DIST" --resume --run-dir r
  [[ "$stderr" == *"r: no checkpoint yet"* ]]
  short --run-dir whole
  [ "$(sha_of r)" = "$(sha_of whole)" ]
}
@test "a resume with a different SIMD target ends in the same bytes and prints no note" {
  stopped_run
  cp -r r other
  run --separate-stderr -0 "$MNIST_DIST" --resume --run-dir r
  [[ "$stderr" != *"started with"* ]]
  local targets=$(simd_targets)
  targets=${targets#*, }  # all but the best, where there are several
  run --separate-stderr -0 "$MNIST_DIST" --resume --run-dir other --simd "${targets%%,*}"
  [[ "$stderr" != *"started with"* ]]
  [ "$(sha_of r)" = "$(sha_of other)" ]
}
@test "a damaged metrics.csv gets its header back" {
  stopped_run
  printf 'garbage\n' >r/metrics.csv
  run -0 "$MNIST_DIST" --resume --run-dir r
  [[ "$(head -1 r/metrics.csv)" == epoch,train_loss,* ]]
  [ "$(tail -1 r/metrics.csv | cut -d, -f1)" = 20 ]
}
@test "closed stdin, stdout and stderr: nothing is printed into a file" {
  "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=5 --run-dir open
  "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=5 --run-dir closed <&- >&- 2>&-
  [ "$(sha_of closed)" = "$(sha_of open)" ]
  run -0 "$MNIST_DIST" evaluate closed/checkpoint.h5 --data "$TEST_DATA"
}
@test "the summary of a finished run is written again" {
  run -0 short --run-dir r
  mv r/summary.json before.json
  run -0 "$MNIST_DIST" --resume --run-dir r
  for name in parameters_sha256 final_validation_accuracy final_validation_loss best_epoch; do
    [ "$(field r/summary.json $name)" = "$(field before.json $name)" ]
  done
}
@test "different data is rejected" {
  stopped_run
  run -0 "$MNIST_DIST" prepare --synthetic --count 3000 --out other.h5
  fails 2 "hash" \
    "$MNIST_DIST" --resume --run-dir r --config r/config.toml --set data.file=other.h5
}
@test "a damaged checkpoint falls back to the one before, and two damaged ones are an error" {
  stopped_run
  [ -s r/checkpoint.prev.h5 ]
  for where in 0 3000 -1; do
    cp -r r copy
    flip copy/checkpoint.h5 "$where"
    run --separate-stderr -0 "$MNIST_DIST" --resume --run-dir copy
    [[ "$stderr" == *"checkpoint.prev.h5"* ]]
    rm -r copy
  done
  truncate -s 1000 r/checkpoint.h5
  truncate -s 1000 r/checkpoint.prev.h5
  fails 3 "checkpoint" "$MNIST_DIST" --resume --run-dir r
  [[ "$stderr" == *"hint: "*" remove r "* ]]
}
@test "resume without a folder finds the newest unfinished run" {
  mkdir runs
  stopped_run
  mv r runs/some-name
  run -0 "$MNIST_DIST" --config some.toml --resume
  [ -s runs/some-name/summary.json ]
}
@test "resume without a folder names a run with a different --set, and a way to continue it" {
  mkdir runs
  stopped_run
  mv r runs/some-name
  fails 2 "runs/some-name" \
    "$MNIST_DIST" --config some.toml --set train.epochs=9 --resume
  [[ "$stderr" == *' runs/some-name '*'"epochs = 9"'*'"epochs = 20"'* ]]
  [[ "$stderr" == *"hint: "*" --resume --run-dir runs/some-name "*--config*--set* ]]
}
@test "an empty --run-dir, as of an unset variable, is no default one" {
  fails 2 "--run-dir" short --run-dir ""
  fails 2 "--run-dir" short --run-dir= --resume
  [ ! -e runs ]
}
@test "two processes in one run folder: the second is rejected" {
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=5000 --run-dir r &
  local pid=$! code=0
  wait_for 60 test -s r/checkpoint.h5
  fails 2 "process $pid" "$MNIST_DIST" --resume --run-dir r
  cp -r r copy # is not being worked in
  run timeout -s TERM 5 "$MNIST_DIST" --resume --run-dir copy
  [[ "$output" == *"resumed after epoch"* ]]
  kill -KILL $pid
  wait $pid || code=$?
  run timeout -s TERM 5 "$MNIST_DIST" --resume --run-dir r
  [[ "$output" == *"resumed after epoch"* ]]
  [ ! -e r/.lease ]
}
@test "a run whose folder was removed and made again, or moved, does not change the new one" {
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=5000 --seed 1 --run-dir r 2>err.txt &
  local pid=$! code=0
  wait_for 60 test -s r/checkpoint.h5
  mv r moved
  run -0 short --seed 2 --run-dir r
  wait $pid || code=$?
  [ "$code" -eq 3 ]
  [ "$(grep -c '^error: r .*replaced' err.txt)" -eq 1 ]
  [ "$(field r/summary.json seed)" = 2 ]
  [ "$(rows_of r)" -eq 1 ]
  run timeout -s TERM 5 "$MNIST_DIST" --resume --run-dir moved
  [[ "$output" == *"resumed after epoch"* ]]
}
@test "evaluate does not make a data file" {
  run -0 short --run-dir r
  fails 3 "gone.h5" "$MNIST_DIST" evaluate r/checkpoint.h5 --data gone.h5
  fails 3 "gone.h5" ranks 2 evaluate r/checkpoint.h5 --data gone.h5
  [ ! -e gone.h5 ]
  fails 3 "nowhere.h5" ranks 2 evaluate nowhere.h5 --data "$TEST_DATA"
  fails 3 "r/checkpoint.h5" \
    "$MNIST_DIST" evaluate r/checkpoint.h5 --data r/checkpoint.h5
  [[ "$stderr" != *--force* ]]
  fails 2 "--show" "$MNIST_DIST" evaluate r/checkpoint.h5 --show -1
}
@test "evaluate scores a checkpoint as the run did" {
  run -0 "$MNIST_DIST" --config step3 --set "data.file=$TEST_DATA" --set train.max_steps=5 \
    --run-dir r
  run -0 "$MNIST_DIST" evaluate r/checkpoint.h5 --data "$TEST_DATA"
  run -0 "$MNIST_DIST" evaluate r # the recorded data file
  local accuracy
  accuracy=$(printf '%.2f %%' "$(field r/summary.json final_test_accuracy)")
  [[ "$output" == *"$accuracy"* ]]
  [[ "$output" == *SYNTHETIC* ]]
  [[ "$output" == *recall* ]]
  # Training rows that would not fill a batch are none of its business.
  run -0 "$MNIST_DIST" prepare --synthetic --count 8 --test-count 200 --out few.h5
  run -0 ranks 2 evaluate r/checkpoint.h5 --data few.h5
  [[ "$output" == *" of 200 correct"* ]]
}

rows_of() { tail -n +2 "$1/metrics.csv" | wc -l; }

# Leaves r, stopped by a signal in one of its first epochs, and some.toml with its recipe: epochs
# take less than a signal may on a busy machine.
stopped_run() {
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=20 --set 'data.split=[1000,100]' \
    --print-config >some.toml
  "$MNIST_DIST" --config some.toml --set train.checkpoint_seconds=0.05 --run-dir r &
  local pid=$!
  wait_for 60 rows_in r 1
  kill -TERM $pid
  local code=0
  wait $pid || code=$?
  [ "$code" -eq 130 ]
}

# flip FILE WHERE: inverts one byte (from the end when negative).
flip() {
  python3 - "$1" "$2" <<'PY'
import sys
path, where = sys.argv[1], int(sys.argv[2])
data = bytearray(open(path, "rb").read())
data[where] ^= 0xFF
open(path, "wb").write(data)
PY
}

@test "runs lists the status of each run" {
  short --run-dir runs/short
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=1 --run-dir runs/whole
  run -5 "$MNIST_DIST" --config step1 --set "data.file=$TEST_DATA" \
    --set optimizer.learning_rate=1000 --run-dir runs/wild
  "$MNIST_DIST" "${QUICK[@]}" --run-dir runs/killed &
  wait_for 60 rows_in runs/killed 1
  kill -9 $!
  wait $! || true
  run -0 "$MNIST_DIST" sweep "${QUICK[@]}" --set train.max_steps=2 --target 0 --seeds 1,2 \
    --out runs/s
  [[ "$output" == *"at most 2 steps"* ]]
  run -0 "$MNIST_DIST" runs
  local result="[0-9.]+ % \(SYNTHETIC\)$"
  grep -Eq "^short +step3 \(modified\) +1 +5/480 steps +max_steps +$result" <<<"$output"
  grep -Eq "^whole .* 1/1 epochs +finished +$result" <<<"$output"
  grep -Eq "^wild .*diverged in layer [0-9]+ \(" <<<"$output"
  grep -Eq "^killed .* killed .* so far \(SYNTHETIC\)$" <<<"$output"
  grep -Eq "^s .* 2/2 seeds +PASS +mean " <<<"$output"
  grep -q 'class="verdict FAIL">diverged: .*layer' runs/wild/report.html
  [ "$(field runs/wild/status.json status)" = diverged ]
  run -0 "$MNIST_DIST" runs --json
  [ "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)))' <<<"$output")" -eq 5 ]
  run -0 "$MNIST_DIST" runs runs/whole --json
  python3 -c 'import json, sys
o, = json.load(sys.stdin)
assert o["folder"] == "runs/whole" and o["data_set"] == "SYNTHETIC", o
assert o["accuracy"] == float(sys.argv[1]), o' \
    "$(field runs/whole/summary.json final_validation_accuracy)" <<<"$output"
  mkdir empty
  run -0 --separate-stderr "$MNIST_DIST" runs empty
  [[ "$stderr" == *"empty: no run"* ]]
}

@test "a finished run whose recipe was changed afterwards is rejected, and listed as damaged" {
  run -0 "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=1 --run-dir runs/r
  run -0 "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=1 --seed 2 --run-dir runs/other
  sed -i 's/^learning_rate = 0.01/learning_rate = 0.02/' runs/r/config.toml
  fails 3 "runs/r/config.toml" "$MNIST_DIST" report runs/r
  fails 3 "runs/r/config.toml" "$MNIST_DIST" compare runs/other runs/r
  fails 3 "runs/r/config.toml" "$MNIST_DIST" verify runs/r --data "$TEST_DATA"
  run -0 "$MNIST_DIST" runs
  grep -Eq "^r .* damaged " <<<"$output"
  grep -Eq "^other .* finished " <<<"$output"
  # metrics.csv has the rates also where the checkpoint is gone.
  rm runs/r/checkpoint*.h5
  fails 3 "runs/r/metrics.csv" "$MNIST_DIST" report runs/r
}

@test "a line end in a folder's name stays in its line" {
  run -0 short --run-dir $'runs/a\nerror: fake'
  [[ "$output" == *'report runs/a\nerror: fake/report.html'* ]]
  run ! grep -q '^error: fake' <<<"$output"
  run -0 "$MNIST_DIST" runs
  grep -q '^a\\nerror: fake  *step3 ' <<<"$output"
  run -0 "$MNIST_DIST" report $'runs/a\nerror: fake'
  [ "${#lines[@]}" -eq 1 ]
  run -0 "$MNIST_DIST" compare runs/* runs/* --out $'b\nerror: fake.html'
  run ! grep -q '^error: fake' <<<"$output"
}

@test "max_steps is not called final, a changed recipe is called modified" {
  run -0 short --run-dir r
  [[ "$output" == "step3 (modified) | "* ]]
  [[ "$output" == *" train.max_steps "*" 5 of 480 "* ]]
  run ! grep -q "^final" <<<"$output"
  [ "$(field r/summary.json recipe)" = "step3 (modified)" ]
  [ "$(field r/status.json status)" = max_steps ]
}

@test "a reader that leaves early is no error" {
  "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=5 --run-dir r 2>err.txt | head -1
  local code=${PIPESTATUS[0]}
  [ "$code" -eq 0 ] || [ "$code" -eq 130 ]
  ! grep -q space err.txt || false
}
