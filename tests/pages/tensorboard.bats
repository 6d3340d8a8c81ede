# Event files, read by TensorBoard's own reader.
bats_require_minimum_version 1.5.0
load ../cli/helpers

need_tensorboard() {
  [[ -e $TENSORBOARD/made-of ]] ||
    skip "no TensorBoard: pages.tools prints the reason"
}
short() { "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=3 "$@"; }
# events FOLDER: each scalar as TAG STEP VALUE, each image as TAG STEP WIDTHxHEIGHT, and the
# hyperparameters.
events() { "$TENSORBOARD/bin/python" "$SOURCE_DIR/tests/pages/read_events.py" "$1"; }

@test "TensorBoard reads the metrics, the hyperparameters and the pictures" {
  need_tensorboard
  short --run-dir r --seed 5
  run -0 --separate-stderr events r
  while IFS=, read -r epoch train_loss train_accuracy loss accuracy _ rate _; do
    [[ $epoch != epoch ]] || continue
    for line in "train/loss $epoch $train_loss" "train/accuracy $epoch $train_accuracy" \
      "validation/loss $epoch $loss" "validation/accuracy $epoch $accuracy"; do
      grep -Fq "$line" <<<"$output"
    done
    grep -q "^learning_rate $epoch $rate" <<<"$output"
    grep -q "^images_per_second $epoch " <<<"$output"
  done <r/metrics.csv
  grep -Eq "^image confusion_matrix 3 [0-9]+x[0-9]+$" <<<"$output"
  grep -Eq "^image mistakes 3 [0-9]+x[0-9]+$" <<<"$output"
  grep -q "^hparam train.epochs 3.0$" <<<"$output"
  grep -q "^hparam seed 5.0$" <<<"$output"
  grep -q "^hparam schedule.kind step$" <<<"$output"
  grep -q "^status 1$" <<<"$output" # success
}

@test "a run that was killed and resumed has each step once" {
  need_tensorboard
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=3 --set train.checkpoint_seconds=0.01 \
    --run-dir r >/dev/null &
  wait_for 60 rows_in r 1
  kill -9 $!
  wait $! || true
  printf 'half a record' >>"$(ls r/events.out.tfevents.*)"
  run -0 "$MNIST_DIST" --resume --run-dir r
  [ "$(ls r/events.out.tfevents.* | wc -l)" -eq 1 ]
  run -0 --separate-stderr events r
  [ "$(grep -c '^train/loss ' <<<"$output")" -eq 3 ]
  [ "$(grep -c '^image mistakes ' <<<"$output")" -eq 1 ]
  [ "$(grep -c '^status ' <<<"$output")" -eq 1 ]
}

@test "each seed of a sweep has its own event file, and --no-tensorboard leaves them out" {
  "$MNIST_DIST" sweep "${QUICK[@]}" --set train.max_steps=2 --target 0 --seeds 1,2 --out s
  [ "$(find s -name 'events.out.tfevents.*' | wc -l)" -eq 2 ]
  "$MNIST_DIST" sweep "${QUICK[@]}" --set train.max_steps=2 --target 0 --seeds 1,2 --out t \
    --no-tensorboard
  short --set train.max_steps=2 --run-dir r --no-tensorboard
  [ -z "$(find t r -name 'events.out.tfevents.*')" ]
}

@test "docs/export.md: TensorBoard's server lists the runs" {
  need_tensorboard
  short --run-dir runs/first
  short --run-dir runs/second --seed 2
  local command url
  command=$(sed -n 's/^\(tensorboard --logdir [a-z]*\) .*/\1/p' "$SOURCE_DIR/docs/export.md")
  [ -n "$command" ]
  PATH=$TENSORBOARD/bin:$PATH timeout 120 $command --port 0 >log 2>&1 3>&- &
  local pid=$!
  wait_for 60 grep -q "http://" log
  url=$(grep -o 'http://[^ ]*' log | head -n 1)
  wait_for 60 eval "curl -fsS '${url}data/runs' | grep -q second"
  run -0 curl -fsS "${url}data/runs"
  kill $pid
  [[ "$output" == *'"first"'* && "$output" == *'"second"'* ]]
}
