# verify: a recorded run is trained again and the bytes are compared with the recorded ones.
bats_require_minimum_version 1.5.0
load helpers

RECIPE=("${QUICK[@]}" --set 'data.split=[600,300]' --set train.max_steps=6)

@test "a run ends in its recorded bytes, on one process and on two ranks" {
  "$MNIST_DIST" "${RECIPE[@]}" --seed 7 --run-dir r
  run -0 "$MNIST_DIST" verify r
  [[ "${lines[-1]}" == verified:* ]]
  [[ "$output" == *"recorded  $(sha_of r)"* && "$output" == *"here      $(sha_of r)"* ]]
  run -0 ranks 2 verify r --seed 7
  [ "$(grep -c ^verified <<<"$output")" -eq 1 ]
  [ "$(find . -name summary.json | wc -l)" -eq 1 ]  # verify leaves nothing behind
}

@test "seeds of a sweep, on a different SIMD target than the recorded one" {
  run -0 "$MNIST_DIST" sweep "${RECIPE[@]}" --seeds 5 --target 0 --out s
  run -0 "$MNIST_DIST" sweep "${RECIPE[@]}" --seeds 3 --target 0 --out s
  run -0 "$MNIST_DIST" verify s
  [[ "$output" == *"seed 3"* && "${lines[-1]}" == verified:* ]]
  run -0 "$MNIST_DIST" verify s --seed 5 --simd scalar
  [[ "$output" == *"seed 5"* && "$output" == *"fused (scalar)"* && "${lines[-1]}" == verified:* ]]
}

@test "a different hash: exit 6" {
  "$MNIST_DIST" "${RECIPE[@]}" --run-dir r
  sed -i 's/"parameters_sha256": "./"parameters_sha256": "x/' r/summary.json
  run -6 "$MNIST_DIST" verify r
  [[ "${lines[-1]}" == NOT\ verified* && "$output" != *"fused promises"* ]]
  if has_torch; then
    run -6 "$MNIST_DIST" verify r --engine torch
    [[ "${lines[-1]}" == NOT\ verified*"fused promises"* ]]
  fi
}

@test "Ctrl-C: exit 130" {
  "$MNIST_DIST" --quiet "${RECIPE[@]}" --set train.epochs=50 --set train.max_steps=0 \
    --set train.evaluate_every=50 --run-dir r
  "$MNIST_DIST" verify r >out 2>err 3>&- &
  local pid=$! code=0
  wait_for 20 grep -q verify out
  kill -INT $pid
  wait $pid || code=$?
  [ $code = 130 ]
  grep -q signal err
}

@test "a record of an engine that this build does not have: exit 4" {
  [ "$CUDA_BUILD" != ON ] || skip "this build has all engines"
  fails 4 "torch-cuda" "$MNIST_DIST" verify "$SOURCE_DIR/docs/results/step4-h100"
}

@test "verify rejects seeds that are missing and records that were changed" {
  "$MNIST_DIST" "${RECIPE[@]}" --run-dir r
  "$MNIST_DIST" sweep "${RECIPE[@]}" --seeds 3 --target 0 --out s
  fails 2 "seed 4" "$MNIST_DIST" verify s --seed 4
  cp r/summary.json whole.json
  sed -i 's/"seed": 1,/"seed": 2,/' r/summary.json
  fails 3 " seed " "$MNIST_DIST" verify r
  sed 's/"parameters_sha256": ".\{8\}/"parameters_sha256": "00000000/' whole.json >r/summary.json
  fails 3 " parameters_sha256" "$MNIST_DIST" report r
  echo '{' >r/summary.json
  fails 3 "summary.json" "$MNIST_DIST" verify r
}
