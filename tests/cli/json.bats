# --json prints one object on stdout and nothing else. --quiet does not change the result. Examples
# in --help.
bats_require_minimum_version 1.5.0
load helpers

# check LINE...: Python lines on the object that $output is, as `o`.
check() {
  python3 -c "import json, sys; o = json.loads(sys.argv[1])
$(printf '%s\n' "${@:2}")" "$1"
}

@test "summary --json: layers and totals" {
  run -0 --separate-stderr "$MNIST_DIST" summary --config step4 --json
  [ -z "$stderr" ]
  check "$output" \
    'assert o["recipe"] == "step4" and o["parameters"] == 9768' \
    'assert sum(l["parameters"] for l in o["layers"]) == o["parameters"]' \
    'assert o["layers"][-1]["output"] == [10, 1, 1]'
  run -0 "$MNIST_DIST" summary --config step4 --set train.epochs=3
  [[ "${lines[0]}" == "step4 (modified)" ]]
}

@test "train --json is the summary of the run, --quiet the result, both print no progress" {
  run -0 --separate-stderr "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=5 --run-dir r --json
  check "$output" 'assert o.pop("run_dir") == "r"' 'assert o == json.load(open("r/summary.json"))'
  run -0 --separate-stderr "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=5 --run-dir q --quiet
  [[ "${#lines[@]}" -eq 3 && "${lines[0]}" == *"train.max_steps"* ]]
  [ "${lines[2]}" = "parameters sha256 $(sha_of q)" ]
  [ -z "$stderr" ]
  run -0 --separate-stderr "$MNIST_DIST" \
    "${QUICK[@]}" --set train.max_steps=5 --run-dir b --quiet --json
  check "$output" 'assert o["run_dir"] == "b"'
  [ -z "$stderr" ]
  fails 2 "r" "$MNIST_DIST" "${QUICK[@]}" --run-dir r --json
  [ -z "$output" ]
  run -5 --separate-stderr "$MNIST_DIST" --config step1 --set "data.file=$TEST_DATA" \
    --set optimizer.learning_rate=1000 --run-dir wild --json
  check "$output" 'assert o["run_dir"] == "wild" and o["status"] == "diverged"'
}

@test "evaluate --json: scores, confusion matrix and mistakes agree" {
  "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=20 --run-dir r --quiet
  run -0 --separate-stderr "$MNIST_DIST" evaluate r --data "$TEST_DATA" --json
  check "$output" \
    'correct = sum(o["confusion"][i][i] for i in range(10))' \
    'assert o["raw_weights"]["correct"] == correct' \
    'assert o["raw_weights"]["images"] == correct + len(o["mistakes"]) == 1000' \
    'assert all(m["label"] != m["predicted"] for m in o["mistakes"])' \
    'assert o["data"] == "SYNTHETIC digits, not MNIST"' \
    'assert o["recipe"].endswith("(modified)") and "max_steps" in o["state"]' \
    'assert o["parameters_sha256"] == json.load(open("r/summary.json"))["parameters_sha256"]'
}

@test "bench --json: speeds of every contender" {
  run -0 --separate-stderr "$MNIST_DIST" bench --engine fused --threads 1 --rounds 2 \
    --seconds 0.05 --json --quiet
  check "$output" \
    'assert len(o["contenders"]) >= 1 and o["contenders"][-1]["name"] == "fused"' \
    'assert all(len(c["trained_images_per_second"]["rounds"]) == 2 for c in o["contenders"])' \
    'assert o["contenders"][-1]["trained_images_per_second"]["median"] > 0'
}

@test "each command's help has an example of options that it has" {
  local command option
  for command in \
    $("$MNIST_DIST" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'); do
    run -0 "$MNIST_DIST" "$command" --help
    grep -q "^Example: mnist-dist $command" <<<"$output"
    for option in $(sed -n 's/^Example: //p' <<<"$output" | grep -o -- ' --[a-z-]*'); do
      [ "$(grep -c -- "$option" <<<"$output")" -ge 2 ]
    done
    count=$((${count:-0} + 1))
  done
  [ "$count" -ge 12 ]
}
