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

# Any other bit would show in an epoch's loss by its last digit: training multiplies a difference by
# 2 to 3 per step.
@test "today's program computes the published sweeps: first epochs of one seed per recipe" {
  # Of step 5, mini and slim, the first epoch is not scored. A step of the next one keeps it from
  # being the last one, which always is.
  # Targets with fused multiply-adds, in turn. The others emulate them: a minute for step 1's epoch.
  local targets of target recipe seed steps epoch
  local epochs=(step1/1000/469/1 step2/1000/469/1 step3/1000/938/1 step4/1000/938/1
    step5/4000/939/1 compact/2100/938/1 mini/8000/939/1 slim/9000/939/1)
  read -ra targets <<<"$(simd_targets | tr -d ,)"
  case ${targets[0]} in
    avx* | neon) mapfile -t targets < <(printf '%s\n' "${targets[@]}" | grep -E '^(avx|neon)') ;;
    *) epochs=("${epochs[0]}") ;;
  esac
  for of in "${epochs[@]}"; do
    IFS=/ read -r recipe seed steps epoch <<<"$of"
    target=${targets[0]}
    targets=("${targets[@]:1}" "$target")
    run -0 "$MNIST_DIST" --config "$recipe" --seed "$seed" --simd "$target" \
      --set "train.max_steps=$steps" --run-dir "$recipe"
    # epoch, losses, accuracies, rate
    diff <(sed -n "s/^$seed,$epoch,/$epoch,/p" "$SOURCE_DIR/docs/results/$recipe/epochs.csv" |
      cut -d, -f1-7) <(grep "^$epoch," "$recipe/metrics.csv" | cut -d, -f1-7)
  done
}

@test "today's program computes a published seed of the sprint to its end" {
  case $(simd_targets) in avx* | neon*) ;; *) skip "minutes on a CPU without FMA" ;; esac
  run -0 "$MNIST_DIST" verify "$SOURCE_DIR/docs/results/sprint" --seed 3000
}
