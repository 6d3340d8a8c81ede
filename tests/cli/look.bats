# Commands that show what training does: preview, lr-find, summary --svg.
bats_require_minimum_version 1.5.0
load helpers

@test "preview draws the image and its augmentation, which are equal without augmentation" {
  run -0 --separate-stderr "$MNIST_DIST" preview "${QUICK[@]}" --images 2 --draws 1
  [ "$(grep -c "^training image" <<<"$output")" -eq 2 ]
  # Left of the line the image, right of it the draw.
  local plain=(--set augment.rotation=0 --set augment.erase_probability=0)
  run -0 --separate-stderr "$MNIST_DIST" preview "${QUICK[@]}" "${plain[@]}" --images 1 --draws 1
  [ "$(grep "│" <<<"$output" | sed 's/│.*//')" = "$(grep "│" <<<"$output" | sed 's/.*│//')" ]
  run -0 --separate-stderr "$MNIST_DIST" preview \
    "${QUICK[@]}" --set augment.rotation=90 --images 1 --draws 1
  [ "$(grep "│" <<<"$output" | sed 's/│.*//')" != "$(grep "│" <<<"$output" | sed 's/.*│//')" ]
}

@test "preview --out writes a PNG with a row per image, of the same bytes again" {
  run -0 "$MNIST_DIST" preview "${QUICK[@]}" --images 3 --draws 4 --out grid.png
  [ "${lines[-1]}" = grid.png ]
  # Cells of 88 pixels with a frame of 4: 5 by 3.
  python3 - <<'PY'
import struct
head = open("grid.png", "rb").read(24)
assert head[:8] == b"\x89PNG\r\n\x1a\n"
assert struct.unpack(">II", head[16:24]) == (5 * 88 + 4, 3 * 88 + 4)
PY
  "$MNIST_DIST" preview "${QUICK[@]}" --images 3 --draws 4 --out again.png
  cmp grid.png again.png
  "$MNIST_DIST" preview "${QUICK[@]}" --images 3 --draws 4 --epoch 2 --out later.png
  ! cmp -s grid.png later.png || false
}

@test "preview and lr-find reject invalid options" {
  fails 2 "--images" "$MNIST_DIST" preview "${QUICK[@]}" --images 0
  fails 2 "--draws" "$MNIST_DIST" preview "${QUICK[@]}" --draws many
  fails 2 "--out" "$MNIST_DIST" preview "${QUICK[@]}" --images 1000 --draws 100 --out large.png
  [ ! -e large.png ]
  fails 3 "none.h5" "$MNIST_DIST" preview --set data.file=none.h5
  fails 3 "/dev/null/x" "$MNIST_DIST" preview "${QUICK[@]}" --out /dev/null/x
  fails 2 "--low" "$MNIST_DIST" lr-find "${QUICK[@]}" --low 1 --high 0.1
  fails 3 "none.h5" "$MNIST_DIST" lr-find --set data.file=none.h5
  fails 3 "/dev/null" "$MNIST_DIST" lr-find "${QUICK[@]}" --steps 3 --out /dev/null/x
  fails 3 "/dev/null/x" "$MNIST_DIST" summary --svg /dev/null/x
}

@test "lr-find draws a curve and suggests a rate that train takes, the same on two ranks" {
  local find=(lr-find --config step3 --set "data.file=$TEST_DATA" --set 'data.split=[5000,500]')
  run -0 --separate-stderr "$MNIST_DIST" "${find[@]}" --out rates.svg
  local text=$output rate
  rate=$(sed -n 's/^--set optimizer.learning_rate=//p' <<<"$output")
  python3 -c 'import sys; assert 1e-5 <= float(sys.argv[1]) <= 1' "$rate"
  grep -q '\*' <<<"$output"
  python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse("rates.svg")'
  run -0 "$MNIST_DIST" \
    "${QUICK[@]}" --set "optimizer.learning_rate=$rate" --set train.max_steps=2 --run-dir r
  run -0 --separate-stderr ranks 2 "${find[@]}" --out two.svg
  [ "${text/rates.svg/}" = "${output/two.svg/}" ]
  cmp rates.svg two.svg
  # The default recipe trains with what is suggested for it.
  local step4=(--config step4 --set "data.file=$TEST_DATA" --set 'data.split=[3000,300]')
  run -0 --separate-stderr "$MNIST_DIST" lr-find "${step4[@]}"
  rate=$(sed -n 's/^--set optimizer.learning_rate=//p' <<<"$output")
  run -0 "$MNIST_DIST" "${step4[@]}" --set "optimizer.learning_rate=$rate" --set train.epochs=3 \
    --set train.evaluate_every=3 --run-dir s
  # Too few steps say nothing.
  run -0 --separate-stderr "$MNIST_DIST" "${find[@]}" --steps 5
  [[ "$output" != *optimizer.learning_rate* && "$output" == *--steps* ]]
}

@test "lr-find ends when the loss explodes" {
  run -0 --separate-stderr "$MNIST_DIST" lr-find "${QUICK[@]}" --low 0.1 --high 1000 --steps 120
  local steps
  steps=$(sed -n '1s/.*| \([0-9]*\) steps.*/\1/p' <<<"$output")
  [ "$steps" -ge 2 ]
  [ "$steps" -lt 31 ]
}

@test "summary --svg draws every layer" {
  run -0 --separate-stderr "$MNIST_DIST" summary --config step4 --svg net.svg
  python3 - <<'PY'
import json, subprocess, os, xml.dom.minidom
svg = xml.dom.minidom.parse("net.svg")
summary = subprocess.check_output(
    [os.environ["MNIST_DIST"], "summary", "--config", "step4", "--json"])
layers = json.loads(summary)["layers"]
text = [t.firstChild.data for t in svg.getElementsByTagName("text")]
for layer in layers:
    assert f'{layer["layer"]}. {layer["description"]}' in text
boxes = svg.getElementsByTagName("rect")
assert sum(r.getAttribute("class") == "out" for r in boxes) == len(layers)
PY
}
