#!/usr/bin/env bats
# bench needs no data set and no network; its table goes to stdout, its progress to stderr.
bats_require_minimum_version 1.5.0
load helpers

@test "bench times the engines side by side and says that its digits are synthetic" {
  run --separate-stderr env MNIST_DATA_DIR=/nowhere "$MNIST_DIST" bench --rounds 1 --seconds 0.05
  echo "$output" "$stderr"
  [ "$status" -eq 0 ]
  [[ "$output" == "step4: training, batch 64 in slices of 16; SYNTHETIC digits in memory"* ]]
  [[ "$output" == *"FMA peak of one core, "* ]]
  local engines
  engines=$("$MNIST_DIST" bench --help | sed -n 's/.*may be repeated: //p')
  for engine in ${engines//,/}; do grep -Eq "^$engine +1 +[0-9]+ " <<<"$output"; done
  [[ "$stderr" == *"round 1 of 1:"* ]]
}

@test "bench refuses an engine that does not exist" {
  fails 2 'there is no engine "torhc"' "$MNIST_DIST" bench --engine torhc
}
