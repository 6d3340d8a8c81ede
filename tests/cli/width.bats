# In a narrow terminal no line that a command prints is wider than the terminal. Without a terminal
# nothing is left out or broken.
bats_require_minimum_version 1.5.0
load helpers

setup_file() {
  script -qec true /dev/null >/dev/null ||
    skip "no script(1), or no /dev/pts, to make a terminal"
  cd "$BATS_FILE_TMPDIR" || return 1
  local quick=(--config "$SOURCE_DIR/configs/step4.toml" --set "data.file=$TEST_DATA"
    --set 'data.split=[320,100]' --set train.epochs=1)
  "$MNIST_DIST" "${quick[@]}" --run-dir runs/a-run-with-a-name-that-is-long-for-a-table >log 2>&1
  ln -s runs/a-run-with-a-name-that-is-long-for-a-table run
  "$MNIST_DIST" --config "$SOURCE_DIR/configs/step1.toml" "${quick[@]:2}" --seed 2 \
    --set optimizer.learning_rate=1000 --run-dir runs/bad >>log 2>&1 || true
  "$MNIST_DIST" sweep "${quick[@]}" --seeds 1,2 --target 0 --out runs/sweep >>log 2>&1
}

# in_terminal COLUMNS COMMAND...: runs it in a terminal of that width. It ends with 0, no line is
# wider, and `seen` is all lines.
in_terminal() {
  local columns=$1 line code=0
  shift
  printf -v line '%q ' "$@"
  TERM=xterm script -qec "stty cols $columns; exec $line" /dev/null >typed 2>/dev/null || code=$?
  echo "$columns columns: $line"
  seen=$(python3 - "$columns" <<'PY'
import re, sys
text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", open("typed", encoding="utf-8", newline="").read())
lines = re.split(r"[\r\n]+", text)
wide = [line for line in lines if len(line) > int(sys.argv[1])]
print("\n".join(lines))
sys.exit(f"too wide: {wide}" if wide else 0)
PY
  ) || { echo "$seen"; return 1; }
  [ "$code" -eq 0 ]
}
# Of words that the terminal shows broken, too.
shows() { [[ "$(tr -d ' \n' <<<"$seen")" == *"$(tr -d ' ' <<<"$1")"* ]]; }

@test "tables and lines keep to 60 and 40 columns" {
  cd "$BATS_FILE_TMPDIR"
  local columns sha
  sha=$(sha_of run)
  awk 'BEGIN { print "P2 60 100 255"; for (y = 0; y < 100; ++y) for (x = 0; x < 60; ++x)
    print (x >= 26 && x < 36 && y >= 15 && y < 85) * 255 }' >a-picture-with-a-long-name-of-a-one.pgm
  for columns in 60 40; do
    in_terminal $columns "$MNIST_DIST" summary --config step4
    shows "total"
    in_terminal $columns "$MNIST_DIST" runs runs
    shows "a-run-with-a"
    shows "diverged"
    in_terminal $columns "$MNIST_DIST" compare run runs/bad runs/sweep
    shows "verdict: "
    in_terminal $columns "$MNIST_DIST" evaluate run --data "$TEST_DATA"
    shows "averaged weights"
    in_terminal $columns "$MNIST_DIST" verify run
    shows "$sha"
    in_terminal $columns "$MNIST_DIST" predict --model run --show \
      a-picture-with-a-long-name-of-a-one.pgm
    in_terminal $columns "$MNIST_DIST" report run
    in_terminal $columns "$MNIST_DIST" export run --format npz --out "out/$columns/$sha.npz"
    in_terminal $columns "$MNIST_DIST" doctor --data "$TEST_DATA"
    in_terminal $columns "$MNIST_DIST" train --help
    in_terminal $columns "$MNIST_DIST" help compare
    in_terminal $columns "$MNIST_DIST" --help
    in_terminal $columns "$MNIST_DIST" prepare --synthetic --count 200 --out "$columns.h5"
    in_terminal $columns "$MNIST_DIST" preview --config step1 --set "data.file=$TEST_DATA" \
      --images 1
  done
  # Narrower than an image.
  in_terminal 20 "$MNIST_DIST" preview --config step1 --set "data.file=$TEST_DATA" --images 1
}

@test "training, a sweep and a search keep to 60 and 40 columns" {
  cd "$BATS_FILE_TMPDIR"
  local columns options
  printf '%s\n' 'recipes = ["step1"]' '[[vary]]' 'key = "optimizer.learning_rate"' 'low = 0.01' \
    'high = 0.1' >space.toml
  cp -r "$SOURCE_DIR/configs" .
  for columns in 60 40; do
    options=(--config step4 --set "data.file=$TEST_DATA" --set 'data.split=[320,100]'
      --set train.epochs=2)
    in_terminal $columns bash -c 'rm -rf again; "$@"' bash "$MNIST_DIST" "${options[@]}" \
      --run-dir again
    shows "parameters sha256 $(sha_of again)"
    shows "final validation accuracy"
    in_terminal $columns bash -c 'rm -rf again; "$@"' bash "$MNIST_DIST" sweep "${options[@]}" \
      --seeds 1,2 --target 0 --out again
    shows "PASS"
    in_terminal $columns bash -c 'rm -rf again; "$@"' bash "$MNIST_DIST" tune --space space.toml \
      "${options[@]:2}" --candidates 2 --seeds 1 --out again
    shows "again/best.toml"
    in_terminal $columns "$MNIST_DIST" lr-find --config step1 --steps 30 --out rates.svg \
      --set "data.file=$TEST_DATA"
  done
}

@test "without a terminal tables are whole, and JSON is never broken" {
  cd "$BATS_FILE_TMPDIR"
  COLUMNS=40 run -0 --separate-stderr "$MNIST_DIST" summary --config step4
  [[ "${lines[1]}" == *"receptive field  jump" ]]
  in_terminal 40 "$MNIST_DIST" summary --config step4
  in_terminal 60 "$MNIST_DIST" doctor --data "$TEST_DATA"
  for command in "summary --config step4" "runs runs" "compare run runs/sweep" \
    "evaluate run --data $TEST_DATA" doctor; do
    # shellcheck disable=SC2086
    script -qec "stty cols 40; exec '$MNIST_DIST' $command --json" /dev/null >typed || true
    python3 -c 'import json; json.load(open("typed"))'
  done
}
