# Pages in Chromium, in a window of 360 pixels: they need no network and no script, nothing is wider
# than the window, and every image is there.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup_file() {
  local name
  for name in chromium chromium-browser google-chrome; do
    if command -v $name >/dev/null; then export BROWSER=$name; fi
  done
}
# in_browser FILE: what harness.html says of a page. Prints console messages, too.
in_browser() {
  [[ -n ${BROWSER:-} ]] || skip "no browser: apt-get install chromium"
  local page
  page=$(realpath "$1")
  timeout 120 "$BROWSER" --headless --no-sandbox --disable-gpu --disable-web-security \
    --allow-file-access-from-files --disable-background-networking --disable-component-update \
    --no-first-run --user-data-dir="$BATS_TEST_TMPDIR/browser" --enable-logging=stderr --v=0 \
    --virtual-time-budget=5000 --dump-dom \
    "file://$SOURCE_DIR/tests/pages/harness.html?page=file://$page" 2>&1 |
    grep -E 'RESULT \{|CONSOLE'
}
# looks_good FILE IMAGES: no console message, no request, no script, no wider than the window, and
# at least IMAGES images.
looks_good() {
  run -0 in_browser "$1"
  echo "$output"
  [[ $output != *CONSOLE* ]]
  [[ $output == *'"missing":0,'*'"scripts":0,"requests":0'* ]]
  [ "$(sed 's/.*"width":\([0-9]*\).*/\1/' <<<"$output")" -le 360 ]
  [ "$(sed 's/.*"images":\([0-9]*\).*/\1/' <<<"$output")" -ge "$2" ]
  [ "$(sed 's/.*"drawings":\([0-9]*\).*/\1/' <<<"$output")" -ge 2 ]
}

@test "the pages of a run, a sweep, a seed and a comparison" {
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=2 --run-dir a
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=2 --seed 2 --run-dir b
  "$MNIST_DIST" sweep "${QUICK[@]}" --set train.epochs=1 --target 0 --seeds 1,2 --out s
  "$MNIST_DIST" compare a b
  looks_good a/report.html 20
  looks_good s/report.html 20
  looks_good s/runs/seed1/report.html 20
  looks_good compare.html 0
}

@test "the published sweeps' pages, made again" {
  cp -r "$SOURCE_DIR/docs/results/step4" .
  "$MNIST_DIST" report step4
  looks_good step4/report.html 0
}
