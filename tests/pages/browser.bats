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
# in_browser FILE light|dark: what harness.html says of a page for a reader who prefers that colour
# scheme. Prints console messages, too.
in_browser() {
  [[ -n ${BROWSER:-} ]] || skip "no browser: apt-get install chromium"
  local page
  page=$(realpath "$1")
  # 0: dark, 1: light.
  local scheme=1
  [[ $2 != dark ]] || scheme=0
  timeout 120 "$BROWSER" --headless --no-sandbox --disable-gpu --disable-web-security \
    --allow-file-access-from-files --disable-background-networking --disable-component-update \
    --no-first-run --user-data-dir="$BATS_TEST_TMPDIR/browser" --enable-logging=stderr --v=0 \
    --blink-settings=preferredColorScheme=$scheme --virtual-time-budget=5000 --dump-dom \
    "file://$SOURCE_DIR/tests/pages/harness.html?page=file://$page" 2>&1 |
    grep -E 'RESULT \{|CONSOLE'
}
# looks_good FILE IMAGES [DRAWINGS]: light and dark, no console message, no request, no script, no
# wider than the window, at least IMAGES images and DRAWINGS (2) drawings, and all text readable: a
# contrast of 4.5, as WCAG 2.1 (AA) wants of normal text.
looks_good() {
  local scheme
  for scheme in light dark; do
    run -0 in_browser "$1" $scheme
    [[ $output != *CONSOLE* ]]
    python3 - $scheme "$2" "${3:-2}" "$output" <<'PY'
import json, sys
scheme, images, drawings, output = sys.argv[1:]
page = json.loads(output[output.index("{"):output.rindex("}") + 1])
assert page["missing"] == page["scripts"] == page["requests"] == 0
assert page["width"] <= 360
assert page["images"] >= int(images) and page["drawings"] >= int(drawings)
assert page["dark"] == (scheme == "dark")
assert page["contrast"] >= 4.5
PY
  done
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

@test "the pages of a different set: 12 classes of 21x21 pixels, a run, a sweep, a search" {
  python3 "$SOURCE_DIR/tests/cli/make_set.py" npz bars.npz classes=12 height=21 width=21 rows=640
  "$MNIST_DIST" prepare --dataset custom --name bars --raw bars.npz --out bars.h5
  cat >small.toml <<'TOML'
[train]
epochs = 2
batch = 32
[model]
layer = [
  { conv = 6, relu = true, norm = true },
  { pool = "max" },
  { conv = 6, relu = true, norm = true },
  { pool = "global_average" },
  { linear = "classes", bias = true },
]
TOML
  local data=(--set data.file=bars.h5)
  "$MNIST_DIST" --config small.toml "${data[@]}" --run-dir a
  "$MNIST_DIST" sweep --config small.toml "${data[@]}" --seeds 1,2 --target 0 --out s
  "$MNIST_DIST" compare a s
  printf '%s\n' 'recipes = ["./small.toml"]' '[[vary]]' 'key = "optimizer.learning_rate"' \
    'low = 0.001' 'high = 0.3' 'log = true' >space.toml
  "$MNIST_DIST" tune --space space.toml "${data[@]}" --set 'data.split=[500,100]' --candidates 3 \
    --seeds 1 --out t
  # A run that diverged.
  sed 's/, relu = true, norm = true//' small.toml >bare.toml
  run -5 "$MNIST_DIST" --config bare.toml "${data[@]}" --set optimizer.learning_rate=1000 \
    --run-dir d
  looks_good a/report.html 1
  looks_good s/report.html 1
  looks_good compare.html 0
  looks_good t/report.html 0 1
  looks_good d/report.html 0 0
  grep -q "bars, not MNIST" t/report.html
}
