# Real MNIST, short: the main job from raw files to a result, alone and on ranks.
bats_require_minimum_version 1.5.0
# Seven epochs of all images, beside other tests.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-400}
load helpers

@test "train prepares real MNIST by itself and learns it, to the same bytes on two ranks" {
  local recipe=(--config step3 --set 'data.split=[12000,3000]' --set train.epochs=3)
  run -0 "$MNIST_DIST" "${recipe[@]}" --run-dir one
  [[ "${lines[*]}" == *"step3 (modified) | MNIST data/mnist.h5"* ]]
  [ "$(field one/summary.json synthetic)" = False ]
  # A net that does not learn stays near 10 %. Seed 1 ended at 96.70 %.
  python3 -c 'import json, sys
sys.exit(json.load(open("one/summary.json"))["final_validation_accuracy"] < 95)'
  run -0 ranks 2 "${recipe[@]}" --run-dir two
  [ "$(sha_of one)" = "$(sha_of two)" ]
}

@test "one checkpoint, two engines: the same confusion matrix and the same mistakes" {
  needs_torch
  run -0 "$MNIST_DIST" --config step3 --set 'data.split=[6000,3000]' --set train.epochs=1 \
    --run-dir one
  # Losses may differ in their last digit.
  for engine in fused torch; do
    run -0 "$MNIST_DIST" evaluate one/checkpoint.h5 --data data/mnist.h5 --engine $engine
    [[ "$output" == *" of 10000 correct"* ]]
    sed 's/, loss .*//' <<<"$output" >$engine.txt
  done
  diff fused.txt torch.txt
}

# A sweep is only continued by a program whose first 50 steps end in the recorded bits.
@test "today's program continues each published sweep" {
  local recipe
  for recipe in step1 step2 step3 step4 step5 compact slim mini sprint; do
    cp -r "$SOURCE_DIR/docs/results/$recipe" .
    run "$MNIST_DIST" sweep --config "$recipe" --seeds "$(field "$recipe/sweep.json" seeds)" \
      --target "$(field "$recipe/sweep.json" target)" --out "$recipe"
    [[ $status == [06] ]] # 6: some seeds miss the target, as published
    [[ "$output" =~ continuing:\ ([0-9]+)\ of\ ([0-9]+)\ seeds ]]
    [ "${BASH_REMATCH[1]}" -eq "${BASH_REMATCH[2]}" ]
  done
  # A program with different bits does not.
  sed -i 's/"fingerprint": "[0-9a-f]\{4\}/"fingerprint": "wxyz/' mini/sweep.json
  fails 2 "wxyz" "$MNIST_DIST" sweep --config mini --seeds 8000..8049 --target 99.0 --out mini
}

# Any other bit would show in an epoch's loss by its last digit: training multiplies a difference by
# 2 to 3 per step.
@test "today's program computes the first epoch of published sweeps" {
  # Targets with fused multiply-adds, in turn. The others emulate them.
  case $(simd_targets) in avx* | neon*) ;; *) skip "minutes on a CPU without FMA" ;; esac
  local targets of target recipe seed steps
  mapfile -t targets < <(simd_targets | tr -d , | xargs -n 1 | grep -E '^(avx|neon)')
  # Of step 5, the first epoch is not scored. A step of the next one keeps it from being the last
  # one, which always is.
  for of in step4/1000/938 step5/4000/939 compact/2100/938; do
    IFS=/ read -r recipe seed steps <<<"$of"
    target=${targets[0]}
    targets=("${targets[@]:1}" "$target")
    run -0 "$MNIST_DIST" --config "$recipe" --seed "$seed" --simd "$target" \
      --set "train.max_steps=$steps" --run-dir "$recipe"
    # epoch, losses, accuracies, rate
    diff <(sed -n "s/^$seed,1,/1,/p" "$SOURCE_DIR/docs/results/$recipe/epochs.csv" |
      cut -d, -f1-7) <(grep "^1," "$recipe/metrics.csv" | cut -d, -f1-7)
  done
}

@test "today's program computes a published seed of the sprint to its end" {
  case $(simd_targets) in avx* | neon*) ;; *) skip "minutes on a CPU without FMA" ;; esac
  run -0 "$MNIST_DIST" verify "$SOURCE_DIR/docs/results/sprint" --seed 11000
}
