# The program and reference.py end in the same bits: sides, classes, shards and recipes that no
# published run has.
bats_require_minimum_version 1.5.0
load ../cli/helpers

need_readers() {
  [[ -e $READERS/made-of ]] || skip "no readers: export.tools prints the reason"
}

# a_set [key=value...]: prepares a generated set (make_set.py) as set.h5, from csv/.
a_set() {
  need_readers
  mkdir csv
  python3 "$SOURCE_DIR/tests/cli/make_set.py" csv csv "$@"
  "$MNIST_DIST" prepare --dataset custom --name bars --raw csv --out set.h5
}

# same_hash RECIPE STEPS
same_hash() {
  local run=run-$1
  "$MNIST_DIST" --config "$1.toml" --set data.file=set.h5 --set "train.max_steps=$2" \
    --run-dir "$run"
  run -0 --separate-stderr "$READERS/bin/python" -B "$BATS_TEST_DIRNAME/reference.py" "$1.toml" \
    csv/train.csv "$2"
  echo "reference: $output $stderr"
  echo "program:   $(sha_of "$run")"
  [ "$output" = "$(sha_of "$run")" ]
}

# of_this_folder RECIPE STEPS
of_this_folder() {
  cp "$BATS_TEST_DIRNAME/$1.toml" .
  same_hash "$@"
}

@test "19x19, 3 classes: depthwise 5x5, Winograd, 1x1, every augmentation, Nesterov, averages" {
  a_set height=19 width=19 classes=3 rows=122 test=6
  of_this_folder narrow 3
}

@test "32x32, 47 classes: Winograd in a row, nearest pixels, crops without a box, one_cycle" {
  a_set height=32 width=32 classes=47 rows=94 test=47
  of_this_folder wide 2
}

@test "uneven shards: a step without a slice of the first, and a fade in the second epoch" {
  a_set height=19 width=19 classes=3 rows=122 test=6
  of_this_folder exhausted 4
}

@test "each kind of schedule, up and down" {
  a_set height=19 width=19 classes=3 rows=122 test=6
  local up='warmup = 0.4; start_factor = 0.1; end_factor = 0.05' kind
  for kind in 'constant' 'step; step_epochs = 1; step_factor = 0.3' \
    "linear; $up" "cosine; $up" "one_cycle; $up"; do
    sed 's/; /\n/g; 1s/^\([a-z_]*\)/kind = "\1"/' <<<"$kind" |
      cat "$BATS_TEST_DIRNAME/rates.toml" - >"${kind%%;*}.toml"
    same_hash "${kind%%;*}" 8
  done
}
