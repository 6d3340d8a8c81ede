# Real MNIST, short: the main job from raw files to a result, alone and on ranks.
bats_require_minimum_version 1.5.0
load helpers

@test "train prepares real MNIST on its own and learns it; ranks give the same bytes" {
  [ -n "${MNIST_DATA_DIR:-}" ] || skip "MNIST_DATA_DIR is not set"
  local recipe=(--config step3 --set 'data.split=[12000,3000]' --set train.epochs=3)
  run -0 "$MNIST_DIST" "${recipe[@]}" --run-dir one
  [[ "${lines[*]}" == *"step3 | MNIST data/mnist.h5"* ]]
  [ "$(field one/summary.json synthetic)" = False ]
  # A net that does not learn stays near 10 %; seed 1 ended at 96.70 %.
  python3 -c 'import json, sys; sys.exit(json.load(open("one/summary.json"))["final_validation_accuracy"] < 95)'
  run -0 ranks 2 "${recipe[@]}" --run-dir two
  [ "$(sha_of one)" = "$(sha_of two)" ]

  # One checkpoint, two engines: the same confusion matrix and the same mistakes; losses may differ in their last digit.
  [ -e "$(dirname "$MNIST_DIST")/libmnist-dist-torch.so" ] || return 0
  for engine in fused torch; do
    run -0 "$MNIST_DIST" evaluate --checkpoint one/checkpoint.h5 --data data/mnist.h5 --engine $engine
    [[ "$output" == *" of 10000 correct"* ]]
    sed 's/, loss .*//' <<<"$output" >$engine.txt
  done
  diff fused.txt torch.txt
}
