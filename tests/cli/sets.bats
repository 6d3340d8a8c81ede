# Other sets than MNIST: made by prepare, trained on, scored, named everywhere. All are generated.
bats_require_minimum_version 1.5.0
load helpers

# make KIND OUT [key=value...]: a generated set (make_set.py).
make() { python3 "$SOURCE_DIR/tests/cli/make_set.py" "$@"; }
custom() { "$MNIST_DIST" prepare --dataset custom --name "$@"; }

# holds CONDITION: on j, the JSON that the last command printed.
holds() {
  python3 -c 'import json, sys; j = json.loads(sys.argv[2]); assert eval(sys.argv[1]), j' "$1" \
    "$output"
}

# A recipe of a second per epoch.
small() {
  cat >small.toml <<'END'
[train]
epochs = 2
batch = 32
[optimizer]
learning_rate = 0.1
[average]
decay = 0.9
[augment]
rotation = 8
shift = 1
scale = 0.05
crop_scale_min = 0.9
elastic_alpha = 1
erase_probability = 0.1
[model]
layer = [
  { conv = 6, relu = true, norm = true, dropout = 0.1 },
  { conv = 6, relu = true, norm = true },
  { pool = "max" },
  { conv = 8, relu = true, norm = true, padding = 1 },
  { pool = "global_average" },
  { linear = "classes", bias = true },
]
END
}

@test "IDX files: size and classes come from the data, in every command" {
  small
  mkdir raw
  make idx 'raw/{}' height=20 width=20 classes=12 rows=640
  run -0 --separate-stderr custom bars --raw raw
  [[ "$output" == *"bars: 12 "*" 20x20 "* ]]
  [ -s data/bars.h5 ]
  run -0 --separate-stderr custom bars --raw raw
  [[ "$output" == *"valid: kept"* ]]
  data=(--set data.file=data/bars.h5)

  run -0 --separate-stderr "$MNIST_DIST" --config small.toml "${data[@]}" --run-dir r
  [[ "$output" == *"bars, not MNIST: data/bars.h5"* ]]
  [ "$(field r/summary.json data_set)" = bars ]
  grep -q 'side = 20' r/config.toml
  grep -q 'linear = 12' r/config.toml
  grep -q 'bars, not MNIST' r/report.html
  [ "$(tail -n +2 r/predictions.csv | wc -l)" -eq 100 ]

  run -0 --separate-stderr "$MNIST_DIST" evaluate r --data data/bars.h5 --logits l.npy
  [[ "$output" == *"bars, not MNIST"*" of 100 correct"* ]]
  run -0 --separate-stderr "$MNIST_DIST" evaluate r --data data/bars.h5 --json
  holds 'len(j["confusion"]) == 12 and j["data"] == "bars, not MNIST"'
  run -0 --separate-stderr "$MNIST_DIST" export r --format npz
  run -0 --separate-stderr "$MNIST_DIST" export r --format onnx
  run -0 --separate-stderr "$MNIST_DIST" verify r
  run -0 --separate-stderr "$MNIST_DIST" summary --config small.toml "${data[@]}"
  [[ "$output" == *"[12][1][1]"* ]]
  run -0 --separate-stderr "$MNIST_DIST" preview --config small.toml \
    "${data[@]}" --images 1 --draws 1
  python3 -c 'print("P5 20 20 255"); print("\0" * 400, end="")' >black.pgm
  run -0 --separate-stderr "$MNIST_DIST" predict --model r black.pgm --json
  holds 'j["data"] == "bars, not MNIST" and len(j["images"][0]["probabilities"]) == 12'

  run -0 --separate-stderr "$MNIST_DIST" sweep --config small.toml \
    "${data[@]}" --seeds 1..2 --target 1 --out s
  grep -q 'bars, not MNIST' s/report.html
  [ "$(field s/sweep.json data_set)" = bars ]
  run -0 --separate-stderr "$MNIST_DIST" runs .
  [ "$(grep -c "% (bars)" <<<"$output")" -eq 2 ]
  run -0 --separate-stderr "$MNIST_DIST" compare r s
  [[ "$output" == *"bars, not MNIST"* ]]
  run -0 --separate-stderr "$MNIST_DIST" doctor --data data/bars.h5
  [[ "$output" == *"bars, not MNIST"* ]]
}

@test "a number of ranks and a resume keep the bits of a set with 300 classes" {
  small
  make npz a.npz height=18 width=12 classes=300 rows=900 test=300
  run -0 --separate-stderr custom many --raw a.npz
  [[ "$output" == *"many: 300 "*" 18x18 "* ]]
  data=(--config small.toml --set data.file=data/many.h5)
  run -0 "$MNIST_DIST" "${data[@]}" --run-dir one
  run -0 ranks 2 "${data[@]}" --run-dir two
  [ "$(sha_of one)" = "$(sha_of two)" ]
  for simd in $(simd_targets | tr -d ,); do
    run -0 "$MNIST_DIST" "${data[@]}" --simd "$simd" --set train.max_steps=5 --run-dir "x$simd"
    [ "$(sha_of "x$simd")" = "$(sha_of "x${first:=$simd}")" ]
  done
  [ "$(awk -F, 'NR > 1 && $2 > 255' one/predictions.csv | wc -l)" -gt 0 ]
}

@test "both engines agree on a different image size" {
  needs_torch
  small
  mkdir csv
  make csv csv height=32 width=32 classes=3 rows=320 test=40
  custom bars --raw csv --out b.h5
  for engine in fused torch; do
    run -0 "$MNIST_DIST" --config small.toml --set data.file=b.h5 --set train.max_steps=5 \
      --engine $engine --run-dir $engine
  done
  python3 - <<'END'
import json
a, b = (json.load(open(f"{e}/summary.json"))["final_test_loss"] for e in ("fused", "torch"))
assert abs(a - b) < 1e-3, (a, b)
END
}

@test "a head for ten classes: the hint works" {
  small
  mkdir csv
  make csv csv height=16 width=16 classes=4
  custom bars --raw csv --out b.h5
  sed -i 's/linear = "classes"/linear = 10/' small.toml
  fails 2 "expected [4][1][1]" "$MNIST_DIST" --config small.toml --set data.file=b.h5 --run-dir r
  [[ "$stderr" == *'write linear = "classes" in layer 6'* ]]
  sed -i 's/linear = 10/linear = "classes"/' small.toml
  run -0 "$MNIST_DIST" --config small.toml --set data.file=b.h5 --set train.max_steps=2 --run-dir r
  fails 2 "b.h5 has 4 classes" \
    "$MNIST_DIST" --config small.toml --set data.file=b.h5 --set model.classes=5
  [[ "$stderr" == *"remove model.classes"* ]]
  fails 2 "28x28" "$MNIST_DIST" evaluate r --data "$TEST_DATA"
}

@test "the published recipes train on other sets" {
  mkdir csv
  make csv csv height=28 width=28 classes=7 rows=300 test=20
  custom bars --raw csv --out b.h5
  for recipe in step1 step2 step3 step4 step5 compact; do
    run -0 "$MNIST_DIST" --config $recipe --set data.file=b.h5 --set train.max_steps=1 \
      --run-dir $recipe
    [[ "$output" == "$recipe (modified) | bars, not MNIST"* ]]
  done
  # The recipe as it is, but for its classes.
  run -0 "$MNIST_DIST" --set data.file=b.h5 --run-dir whole
  [[ "$output" == "step5 | bars, not MNIST"* ]]
}

@test "a search for recipes works with a different set" {
  small
  make npz a.npz height=16 width=16 classes=11 rows=400 test=30
  custom bars --raw a.npz --out b.h5
  printf '%s\n' 'recipes = ["./small.toml"]' '[[vary]]' 'key = "optimizer.learning_rate"' \
    'values = [0.05, 0.1]' >space.toml
  run -0 "$MNIST_DIST" tune --space space.toml --candidates 2 --seeds 1 --out t \
    --set data.file=b.h5 --set train.epochs=1 --set 'data.split=[300,100]'
  grep -q 'linear = "classes"' t/best.toml
  run -0 "$MNIST_DIST" --config t/best.toml --set train.max_steps=1 --run-dir r
}

@test "a second test set is a second score" {
  "$MNIST_DIST" prepare --synthetic --count 300 --test-count 40 --out more.h5
  "$MNIST_DIST" --config step4 --set "data.file=$TEST_DATA" --set train.max_steps=1 --run-dir r
  run -0 --separate-stderr "$MNIST_DIST" evaluate r --data "$TEST_DATA" --extra-test more.h5 \
    --show 0
  [[ "$output" == *"extra test set | SYNTHETIC"*"more.h5"*" of 40 correct"* ]]
  run -0 --separate-stderr ranks 2 evaluate r --data "$TEST_DATA" --extra-test more.h5 --json
  holds 'j["extra_test"]["averaged_weights"]["images"] == 40'
  fails 3 "nothing.h5" "$MNIST_DIST" evaluate r --data "$TEST_DATA" --extra-test nothing.h5
  # Other data are normalised as the network was trained, as the only and as the second set.
  make npz bright.npz classes=10 height=28 width=28
  custom bright --raw bright.npz --out bright.h5
  run -0 --separate-stderr "$MNIST_DIST" evaluate r --data bright.h5 --extra-test bright.h5 --json
  holds 'j["extra_test"]["averaged_weights"] == j["averaged_weights"]'
  mkdir csv
  make csv csv classes=3
  custom bars --raw csv --out b.h5
  fails 2 "20x20" "$MNIST_DIST" evaluate r --data "$TEST_DATA" --extra-test b.h5
}

@test "Fashion-MNIST, from Debian's package" {
  local raw=/usr/share/datasets/fashion-mnist
  [ -d "$raw" ] || skip "the package dataset-fashion-mnist is not installed"
  run -0 --separate-stderr "$MNIST_DIST" prepare --dataset fashion-mnist --raw "$raw" --out f.h5
  [[ $output == *"mean      0.2860, SD 0.3530"* ]]
  [[ $stderr != *note:* ]]
  run -0 "$MNIST_DIST" train --config step4 --set data.file=f.h5 --set train.max_steps=200 \
    --run-dir r --quiet
  [ "$(field r/summary.json data_set)" = fashion-mnist ]
  rejects 3 "fashion-mnist's" "$MNIST_DIST" prepare \
    --dataset kmnist --raw "$raw" --out k.h5
  python3 -c "assert $(field r/summary.json final_test_accuracy) > 65"
}

@test "MNIST's files are no other set" {
  rejects 3 "MNIST's" "$MNIST_DIST" prepare \
    --dataset fashion-mnist --raw "$SOURCE_DIR/data/mnist"
  mkdir csv
  make csv csv height=9 width=7
  rejects 3 "63 pixels" custom bars --raw csv
  make npz one.npz classes=1
  rejects 3 "label 0" custom bars --raw one.npz
  printf '%s\n' {0,1,0,1,0,1},7,7,7,7 >flat.csv
  rejects 3 "is 7" custom bars --raw flat.csv
  rejects 3 "/dev/zero" custom bars --raw /dev/zero
  rejects 2 "--raw" custom bars --raw ""
  printf 'PK\003\004garbage' >bad.npz
  rejects 3 "bad.npz" custom bars --raw bad.npz
  : >empty.npz
  rejects 3 "empty file" custom bars --raw empty.npz
  make npz good.npz
  head -c 20000 good.npz >short.npz
  rejects 3 "short.npz" custom bars --raw short.npz
  make npz negative.npz first=-1
  rejects 3 "label -1" custom bars --raw negative.npz
  make npz large.npz height=129 rows=2 test=1 classes=2
  rejects 3 "129x20 pixels" custom bars --raw large.npz
  printf '\211HDF\r\n\032\nnothing' >bad.h5
  rejects 3 "bad.h5" custom bars --raw bad.h5
  [ ! -e data ]
}

@test "names, sets and options that do not go together" {
  mkdir raw
  fails 2 "not included" "$MNIST_DIST" prepare --dataset kmnist
  fails 2 "--dataset custom" "$MNIST_DIST" prepare --dataset custom --raw raw
  fails 2 '"mnist"' custom mnist --raw raw
  fails 2 '"kmnist"' custom kmnist --raw raw
  fails 2 '"a b" cannot name' custom "a b" --raw raw
  fails 2 "--name: mnist" "$MNIST_DIST" prepare --name x
  fails 2 "--test-count: mnist" "$MNIST_DIST" prepare --test-count 5
}

@test "EMNIST's letters are 26 classes, HDF5 is read, a different set's file is not replaced" {
  small
  mkdir raw
  make idx 'raw/emnist-letters-{}' height=28 width=28 classes=26 first=1 rows=300 test=52
  run -0 --separate-stderr "$MNIST_DIST" prepare --dataset emnist-letters --raw raw
  [[ "$output" == *"emnist-letters: 26 "*" 28x28 "* ]]
  run -0 --separate-stderr custom again --raw data/emnist-letters.h5 --out again.h5
  [[ "$output" == *"again: 26 "*" 28x28 "* ]]
  run --separate-stderr -3 custom other --raw data/emnist-letters.h5 --out again.h5
  [[ "$stderr" == *"--force"* ]]
  run -0 "$MNIST_DIST" --config small.toml --set data.file=again.h5 --set train.max_steps=2 \
    --run-dir r
}
