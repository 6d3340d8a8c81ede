# predict, export and --init-from as a user types them, and faults of their input.
bats_require_minimum_version 1.5.0
load helpers

# A run on drawn digits, made once per file.
setup_file() {
  export RUN=$BATS_FILE_TMPDIR/run
  (cd "$BATS_FILE_TMPDIR" &&
    "$MNIST_DIST" --config "$SOURCE_DIR/configs/step4.toml" --set "data.file=$TEST_DATA" \
      --set 'data.split=[4000,500]' --set train.max_steps=120 --seed 1 \
      --run-dir "$RUN" >/dev/null 2>&1)
}

# pgm FILE: a white 1 on black, 60x100, as text.
pgm() {
  awk 'BEGIN { print "P2 60 100 255"; for (y = 0; y < 100; ++y) for (x = 0; x < 60; ++x)
    print (x >= 26 && x < 36 && y >= 15 && y < 85) * 255 }' >"$1"
}

@test "predict prints one line per image: digit, probability, runner-up" {
  pgm one.pgm
  run -0 --separate-stderr "$MNIST_DIST" predict --model "$RUN" one.pgm
  [[ "$output" =~ ^one.pgm\ \ 1\ .*%\ +runner-up\ [0-9] ]]
  run -0 --separate-stderr "$MNIST_DIST" predict --model "$RUN/checkpoint.h5" --show - <one.pgm
  [[ "${#stderr_lines[@]}" -eq 1 && "$stderr" == *SYNTHETIC* ]]
  [[ "${lines[0]}" == "-  1 "* ]]
  [[ "$output" == *█* ]]
  [ "${#lines[@]}" -ge 10 ]
}

@test "predict --json: probabilities that add up, logits, the weights' SHA-256" {
  pgm one.pgm
  run -0 --separate-stderr "$MNIST_DIST" predict --model "$RUN" --json one.pgm one.pgm
  python3 - "$output" "$(sha_of "$RUN")" <<'PY'
import json, sys
result = json.loads(sys.argv[1])
assert result["parameters_sha256"] == sys.argv[2]
assert len(result["images"]) == 2 and result["images"][0]["digit"] == 1
for image in result["images"]:
    assert abs(sum(image["probabilities"]) - 1) < 1e-6 and len(image["logits"]) == 10
    assert image["logits"][1] == max(image["logits"])
PY
}

@test "predict reads the images of a folder by name and leaves out other files" {
  mkdir digits
  pgm digits/b.pgm
  pgm digits/a.pgm
  echo text >digits/notes.txt
  run -0 --separate-stderr "$MNIST_DIST" predict --model "$RUN" digits
  [ "${#lines[@]}" -eq 2 ]
  [[ "${lines[0]}" == digits/a.pgm* ]]
}

@test "predict warns of an image without ink, and of several digits" {
  { echo P2 8 8 255; yes 128 | head -64; } >empty.pgm
  run -0 --separate-stderr "$MNIST_DIST" predict --model "$RUN" empty.pgm
  [ "$output" = "empty.pgm  -" ]
  [[ "$stderr" == *"warning: empty.pgm: no ink"* ]]
  awk 'BEGIN { print "P2 100 60 255"; for (y = 0; y < 60; ++y) for (x = 0; x < 100; ++x)
    print ((x >= 20 && x < 26 || x >= 70 && x < 76) && y >= 15 && y < 45) * 255 }' >eleven.pgm
  run -0 --separate-stderr "$MNIST_DIST" predict --model "$RUN" eleven.pgm
  [[ "$stderr" == *"warning: eleven.pgm: "*"several digits"* ]]
  # Narrow digits side by side, and one above the other.
  awk 'BEGIN { print "P2 60 60 255"; for (y = 0; y < 60; ++y) for (x = 0; x < 60; ++x)
    print ((x >= 20 && x < 24 || x >= 34 && x < 38) && y >= 15 && y < 45) * 255 }' >narrow.pgm
  awk 'BEGIN { print "P2 60 100 255"; for (y = 0; y < 100; ++y) for (x = 0; x < 60; ++x)
    print (x >= 26 && x < 34 && (y >= 10 && y < 44 || y >= 54 && y < 88)) * 255 }' >above.pgm
  pgm one.pgm
  run -0 --separate-stderr "$MNIST_DIST" predict --model "$RUN" narrow.pgm above.pgm one.pgm
  [[ "$stderr" == *"warning: narrow.pgm: "*"several digits"* ]]
  [[ "$stderr" == *"warning: above.pgm: "*"several digits"* ]]
  [[ "$stderr" != *"warning: one.pgm: "*"several digits"* ]]
  run -0 --separate-stderr "$MNIST_DIST" predict --model "$RUN" --json empty.pgm
  [[ "$output" == *'"digit": null'* ]]
}

# png WIDTH HEIGHT [BYTES]: a PNG of zeros, cut after so many bytes.
png() {
  python3 - "$@" <<'PY'
import struct, sys, zlib
width, height = int(sys.argv[1]), int(sys.argv[2])
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
packer = zlib.compressobj(9)
rows = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
sys.stdout.buffer.write(png[: int(sys.argv[3])] if len(sys.argv) > 3 else png)
PY
}

@test "predict rejects files that are not images, and too large ones, in little memory" {
  fails 3 "none.png" "$MNIST_DIST" predict --model "$RUN" none.png
  : >nothing.png
  fails 3 "empty" "$MNIST_DIST" predict --model "$RUN" nothing.png
  echo "this is text" >text.png
  fails 3 "text.png" "$MNIST_DIST" predict --model "$RUN" text.png
  mkdir folder.png
  fails 3 "folder.png" "$MNIST_DIST" predict --model "$RUN" folder.png
  png 40 40 60 >cut.png
  fails 3 "damaged PNG" "$MNIST_DIST" predict --model "$RUN" cut.png
  png 40 40 >flipped.png
  printf '\xff' | dd of=flipped.png bs=1 seek=48 conv=notrunc status=none
  fails 3 "damaged PNG" "$MNIST_DIST" predict --model "$RUN" flipped.png
  printf 'P5 4000 4000 255\nabc' >cut.pgm
  fails 3 "damaged PGM" "$MNIST_DIST" predict --model "$RUN" cut.pgm
  printf '\xff\xd8\xff\xe0 and no more' >cut.jpg
  fails 3 "damaged" "$MNIST_DIST" predict --model "$RUN" cut.jpg
  png 20000 20000 >large.png
  fails 3 "20000x20000" bash -c 'ulimit -v 2000000; exec "$@"' bash \
    "$MNIST_DIST" predict --model "$RUN" large.png
  pgm one.pgm
}

@test "predict reads the other images beside one that cannot be read" {
  mkdir digits
  pgm digits/a.pgm
  pgm digits/c.pgm
  echo text >digits/b.png
  run -3 --separate-stderr "$MNIST_DIST" predict --model "$RUN" digits
  [[ "${lines[0]}" == "digits/a.pgm  1 "* && "${lines[1]}" == "digits/b.png  -" ]]
  [[ "${lines[2]}" == "digits/c.pgm  1 "* ]]
  [[ "$stderr" == *"error: digits/b.png"*"hint: "* ]]
  run -3 --separate-stderr "$MNIST_DIST" predict --model "$RUN" --json digits
  python3 -c 'import json, sys
a, b, c = json.loads(sys.argv[1])["images"]
assert a["digit"] == c["digit"] == 1 and "b.png" in b["error"]' "$output"
}

@test "evaluate, predict and export reject files that are not networks" {
  pgm one.pgm
  mkdir empty
  echo text >text.h5
  head -c 3000 "$RUN/checkpoint.h5" >cut.h5
  : >nothing.h5
  local path
  for path in none empty text.h5 cut.h5 nothing.h5 "$TEST_DATA"; do
    fails 3 "$path" "$MNIST_DIST" predict --model "$path" one.pgm
    fails 3 "$path" "$MNIST_DIST" export "$path" --out out.npz
    fails 3 "$path" "$MNIST_DIST" evaluate "$path" --data "$TEST_DATA"
    fails 3 "$path" "$MNIST_DIST" "${QUICK[@]}" --run-dir new --init-from "$path"
  done
  [ ! -e out.npz ]
  [ ! -e new ]
  fails 2 "export" "$MNIST_DIST" export
}

@test "a damaged newest checkpoint: the one before it is used, with a note" {
  cp -r "$RUN" run
  cp run/checkpoint.h5 run/checkpoint.prev.h5
  head -c 3000 "$RUN/checkpoint.h5" >run/checkpoint.h5
  pgm one.pgm
  run -0 --separate-stderr "$MNIST_DIST" predict --model run one.pgm
  [[ "$stderr" == "note: using run/checkpoint.prev.h5"* ]]
}

@test "evaluate takes a run folder, a checkpoint, and --checkpoint as before" {
  local score
  for how in "$RUN" "$RUN/checkpoint.h5" "--checkpoint $RUN/checkpoint.h5"; do
    # shellcheck disable=SC2086  # an option and its value
    run -0 --separate-stderr "$MNIST_DIST" evaluate $how --data "$TEST_DATA" --logits logits.npy
    [ "${score:-${lines[1]}}" = "${lines[1]}" ]
    score=${lines[1]}
  done
  [[ "$stderr" == "note: "*"mnist-dist evaluate $RUN/checkpoint.h5"* ]]
  fails 2 "more than once" "$MNIST_DIST" evaluate "$RUN" --checkpoint "$RUN"
  # 10 floats per test image behind a header of 128 bytes.
  [ "$(stat -c %s logits.npy)" -eq $((128 + 1000 * 40)) ]
}

@test "export: every format in the given place, model.py beside safetensors" {
  cp -r "$RUN" run
  run -0 "$MNIST_DIST" export run
  [ "${lines[0]}" = run/model.safetensors ]
  [ "${lines[1]}" = run/model.py ]
  run -0 "$MNIST_DIST" export run --out new/digits.onnx
  [ "$output" = new/digits.onnx ]
  head -c 200 new/digits.onnx | grep -q mnist-dist
  grep -aq "SYNTHETIC digits, not MNIST" new/digits.onnx
  grep -q "SYNTHETIC digits, not MNIST" run/model.py
  run -0 "$MNIST_DIST" export run/checkpoint.h5 --format npz --fold
  python3 -c \
    'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); sys.exit(z.testzip() is not None)' \
    run/model.npz
  # Again gives the same bytes.
  cp new/digits.onnx before.onnx
  "$MNIST_DIST" export run --out new/digits.onnx
  cmp before.onnx new/digits.onnx
  mkdir mine
  echo "my own" >mine/model.py
  fails 2 "mine/model.py" "$MNIST_DIST" export run --out mine/digits.safetensors
  [ "$(cat mine/model.py)" = "my own" ]
  fails 3 "/dev/null" "$MNIST_DIST" export run --format npz --out /dev/null/x
  # Nothing but a model file is replaced.
  fails 2 "run/config.toml" "$MNIST_DIST" export run --format npz --out run/config.toml
  [[ "$stderr" != *.onnx* ]]
  fails 2 "--out -" "$MNIST_DIST" export run --out -
  mkfifo pipe.npz
  fails 3 "pipe.npz" "$MNIST_DIST" export run --out pipe.npz
  [ -p pipe.npz ]
  "$MNIST_DIST" export run --out two/a.safetensors
  fails 2 "two/model.py" "$MNIST_DIST" export run --out two/b.safetensors
  if [ ! -e "$(dirname "$MNIST_DIST")/libmnist-dist-torch.so" ]; then
    fails 4 torchscript "$MNIST_DIST" export run --format torchscript
  fi
}

@test "--init-from starts from different weights and records it" {
  local options=(--config step4 --set "data.file=$TEST_DATA" --set 'data.split=[4000,500]' --seed 2)
  run -0 "$MNIST_DIST" "${options[@]}" --set train.max_steps=30 --init-from "$RUN" --run-dir tuned
  [ "$(field tuned/summary.json initial_parameters_sha256)" = "$(sha_of "$RUN")" ]
  run -0 "$MNIST_DIST" \
    "${options[@]}" --set train.max_steps=30 --init-from "$RUN/checkpoint.h5" --run-dir again
  [ "$(sha_of again)" = "$(sha_of tuned)" ]
  run -0 "$MNIST_DIST" "${options[@]}" --set train.max_steps=30 --run-dir plain
  [ "$(sha_of plain)" != "$(sha_of tuned)" ]
  # On two ranks: the same bytes.
  run -0 ranks 2 "${options[@]}" --set train.max_steps=30 --init-from "$RUN" --run-dir two
  [ "$(sha_of two)" = "$(sha_of tuned)" ]
  fails 2 "layer 1" \
    "$MNIST_DIST" --config step3 --set "data.file=$TEST_DATA" --init-from "$RUN" --run-dir wrong
  [ ! -e wrong ]
  fails 3 none "$MNIST_DIST" "${options[@]}" --init-from none --run-dir wrong
  fails 2 "init-from" "$MNIST_DIST" --resume --run-dir tuned --init-from "$RUN"
  # The recorded run is verified from the same weights only.
  run -0 "$MNIST_DIST" verify tuned --init-from "$RUN"
  fails 2 "$(sha_of "$RUN" | cut -c-12)" "$MNIST_DIST" verify tuned
  [[ "$stderr" == *"--init-from"* ]]
  fails 3 "expected $(sha_of "$RUN" | cut -c-12)" "$MNIST_DIST" verify tuned --init-from plain
  fails 2 "random" "$MNIST_DIST" verify plain --init-from "$RUN"
}

@test "--init-from: a run killed before its first epoch ends resumes from the given weights" {
  local options=(--config step4 --set "data.file=$TEST_DATA" --set 'data.split=[4000,500]' --seed 2
    --set train.max_steps=300 --init-from "$RUN")
  "$MNIST_DIST" "${options[@]}" --run-dir killed >/dev/null 2>&1 &
  local pid=$!
  wait_for 60 test -e killed/checkpoint.h5
  kill -KILL $pid
  wait $pid || true
  run -0 "$MNIST_DIST" --resume --run-dir killed
  run -0 "$MNIST_DIST" "${options[@]}" --run-dir whole
  [ "$(sha_of killed)" = "$(sha_of whole)" ]
  [ "$(field killed/summary.json initial_parameters_sha256)" = "$(sha_of "$RUN")" ]
}

@test "predict: the nearest name for a mistyped option" {
  fails 2 "--modle" "$MNIST_DIST" predict --modle x --model "$RUN" y.png
  [[ "$stderr" == *"--model"* ]]
  fails 2 "--modle" "$MNIST_DIST" predict --modle "$RUN" y.png
}
