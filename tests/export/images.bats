# predict on pictures of digits in many forms: test images of MNIST redrawn, fonts, strokes.
bats_require_minimum_version 1.5.0
load ../cli/helpers

need() {
  [[ -e $READERS/made-of ]] || skip "no readers: export.tools prints the reason"
}

# One epoch of the default recipe, and the pictures.
setup_file() {
  export FILES=$BATS_FILE_TMPDIR
  [[ -e $READERS/made-of ]] || return 0
  cd "$FILES"
  "$MNIST_DIST" prepare --out mnist.h5 >/dev/null
  "$MNIST_DIST" --config "$SOURCE_DIR/configs/step4.toml" --set data.file=mnist.h5 \
    --set train.max_steps=1876 --seed 1 --run-dir run >/dev/null 2>&1
  "$READERS/bin/python" "$BATS_TEST_DIRNAME/make_images.py" images mnist.h5
}

# right FORM PERCENT: of the pictures of this form, at least so many are read correctly.
right() {
  need
  "$MNIST_DIST" predict --model "$FILES/run" --json "$FILES/images/$1" >predicted.json
  run -0 python3 "$BATS_TEST_DIRNAME/score.py" predicted.json "$2"
  echo "$1: $output" >&3
}

@test "MNIST's own images, and their inverse: the logits of evaluate" {
  right plain 98
  right inverted 98
  right pgm 98
  cmp <(digits plain) <(digits inverted)
  "$MNIST_DIST" evaluate "$FILES/run" --data "$FILES/mnist.h5" --logits logits.npy >/dev/null
  "$READERS/bin/python" - "$FILES/images/plain" <<'PY'
import json, subprocess, sys, os, numpy
command = [os.environ["MNIST_DIST"], "predict", "--model", os.environ["FILES"] + "/run"]
out = subprocess.run([*command, "--json", sys.argv[1]], capture_output=True, check=True).stdout
expected = numpy.load("logits.npy")
images = json.loads(out)["images"]
rows = [int(i["file"].split("-")[-1][:-4]) for i in images]
same = sum(numpy.abs(expected[row] - i["logits"]).max() < 1e-5 for row, i in zip(rows, images))
print(same, "of", len(images), "have the logits of evaluate")
assert same >= 0.9 * len(images)
PY
}

digits() {
  "$MNIST_DIST" predict --model "$FILES/run" "$FILES/images/$1" 2>/dev/null |
    sed "s#.*/images/$1/##" | awk '{ print $1, $2 }'
}

@test "ten times larger, by repeated pixels" { right ten-times 97; }
@test "ten times larger, smooth, dark on light" { right ten-times-smooth-inverted 97; }
@test "small and off the centre, on grey" { right off-centre-grey 96; }
@test "transparent, in colour" { right rgba 97; }
@test "JPEG" { right jpeg 97; }
@test "JPEG in printing colours" { right cmyk 97; }
@test "cut at the edge of the ink" { right cropped 94; }
@test "cut at the edge of the ink, larger, dark on light" { right cropped-inverted 94; }
@test "a photograph: uneven light, noise, small, off the centre" { right photograph 94; }
@test "fonts" { right fonts 90; }
@test "strokes as drawn with a mouse, thin to thick" { right strokes 90; }
