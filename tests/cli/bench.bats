#!/usr/bin/env bats
# bench needs no data set and no network. It prints its table to stdout, its progress to stderr.
bats_require_minimum_version 1.5.0
load helpers

@test "bench times the engines in turn and prints that its digits are synthetic" {
  run --separate-stderr env MNIST_DATA_DIR=/nowhere "$MNIST_DIST" bench --rounds 1 --seconds 0.05
  [ "$status" -eq 0 ]
  [[ "$output" == "step5: "*"batch 64 "*SYNTHETIC* ]]
  [[ "$output" == *"FMA peak of one core, "* ]]
  local engines
  engines=$("$MNIST_DIST" bench --help | sed -n 's/.*may be repeated: //p')
  # Twice: training, and below it evaluation.
  has_torch || engines=fused
  for engine in ${engines//,/}; do [ "$(grep -Ec "^$engine +1 +[0-9]+ " <<<"$output")" -eq 2 ]; done
  [[ "$stderr" == *"round 1 of 1:"* ]]
}

@test "bench --simd: the peak too is that target's" {
  local targets
  targets=$(simd_targets)
  [[ "$targets" == *sse4* ]] || skip "no SSE4 here"
  run --separate-stderr -0 "$MNIST_DIST" bench --config mini --engine fused --simd sse4 \
    --threads 1 --rounds 1 --seconds 0.05
  [[ "$output" == *"FMA peak of one core, sse4: "* ]]
  fails 2 "--simd avx9: " "$MNIST_DIST" bench --simd avx9
}

@test "bench rejects a turn of no length" {
  fails 2 "--seconds" "$MNIST_DIST" bench --seconds nan
}

@test "bench rejects an unknown engine" {
  fails 2 '"torhc"' "$MNIST_DIST" bench --engine torhc
}

@test "bench of several ranks: the first one alone" {
  run --separate-stderr -0 ranks 2 bench --config mini --engine fused --threads 1 --rounds 1 \
    --seconds 0.05
  [ "$(grep -c SYNTHETIC <<<"$output")" -eq 1 ]
}
