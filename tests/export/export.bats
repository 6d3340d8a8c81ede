# The files that mnist-dist exports, read by the programs they are for: PyTorch, onnxruntime, NumPy,
# h5py, pandas.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup_file() {
  has_torch || echo "# no TorchScript is read back: this build has no LibTorch" >&3
}

need_readers() {
  [[ -e $READERS/made-of ]] || skip "no readers: export.tools prints the reason"
}

# trained RECIPE: a short training on the real training images, in the folder RECIPE.
trained() {
  local data=$BATS_FILE_TMPDIR/mnist.h5
  [ -e "$data" ] || "$MNIST_DIST" prepare --out "$data" >/dev/null
  DATA=$data
  "$MNIST_DIST" --config "$1" --set "data.file=$data" --set train.max_steps=200 --seed 1 \
    --run-dir "$1" >/dev/null 2>&1
}

# How many test images the readers read.
images=2000
[ -z "${MNIST_DIST_SLOW_TESTS:-}" ] || images=10000

# read_back RECIPE [--raw-weights]: exports in all formats, folded or not, and compares the logits.
read_back() {
  local recipe=$1 format folder
  shift
  "$MNIST_DIST" evaluate "$recipe" --data "$DATA" --logits logits.npy "$@" >/dev/null
  for folder in plain folded; do
    local fold=()
    [ $folder = plain ] || fold=(--fold)
    rm -rf "$folder"
    for format in safetensors onnx npz torchscript; do
      if [ $format = torchscript ] && ! has_torch; then
        echo "skip: no TorchScript, this build has no LibTorch"
        continue
      fi
      local extension=$format
      [ $format != torchscript ] || extension=pt
      "$MNIST_DIST" export "$recipe" --format $format --out "$folder/model.$extension" \
        "${fold[@]}" "$@"
    done
  done
  "$READERS/bin/python" "$BATS_TEST_DIRNAME/read_back.py" "$DATA" logits.npy \
    "$images" plain folded
}

# for_recipe RECIPE [--raw-weights]
for_recipe() {
  need_readers
  [ -e "$1" ] || trained "$1"
  run -0 read_back "$@"
  [ "$(grep -c "^onnxruntime: $images images" <<<"$output")" -eq 2 ]
}

@test "step 1: every reader computes what evaluate computes, folded or not" { for_recipe step1; }
@test "step 3: every reader computes what evaluate computes, folded or not" { for_recipe step3; }
@test "compact: every reader computes what evaluate computes, folded or not" { for_recipe compact; }

@test "step 4, averaged and raw: every reader computes what evaluate computes, folded or not" {
  images=10000 for_recipe step4
  for_recipe step4 --raw-weights
}

@test "every other kind of layer: bias, linear, global max, a max-pool behind negative scales" {
  need_readers
  cat >other.toml <<'TOML'
[model]
layer = [
  { conv = 6, bias = true, relu = true, norm = true, dropout = 0.1 },
  { pool = "max", kernel = 3 },
  { conv = 6, depthwise = true, padding = 1, bias = true, norm = true },
  { pool = "max" },
  { conv = 12, kernel = 1, relu = true, norm = true },
  { pool = "global_max" },
  { linear = 10, bias = true },
]
TOML
  "$MNIST_DIST" --config other.toml --set "data.file=$TEST_DATA" --set train.max_steps=60 \
    --set train.batch=64 --set optimizer.learning_rate=0.05 --run-dir other >/dev/null 2>&1
  DATA=$TEST_DATA
  run -0 read_back other
}

# another_set NAME key=value...: a generated set, a short training on it, every reader's logits.
another_set() {
  local name=$1
  shift
  python3 "$SOURCE_DIR/tests/cli/make_set.py" npz "$name.npz" "$@"
  "$MNIST_DIST" prepare --dataset custom --name "$name" --raw "$name.npz" --out "$name.h5"
  cat >"$name.toml" <<'TOML'
[train]
batch = 32
[optimizer]
learning_rate = 0.1
[model]
layer = [
  { conv = 6, padding = 1, relu = true, norm = true, dropout = 0.1 },
  { conv = 6, depthwise = true, relu = true, norm = true },
  { pool = "max" },
  { conv = 8, kernel = 5, relu = true, norm = true },
  { pool = "global_average" },
  { linear = "classes", bias = true },
]
TOML
  "$MNIST_DIST" --config "$name.toml" --set "data.file=$name.h5" --set train.max_steps=40 \
    --run-dir "$name" >/dev/null 2>&1
  DATA=$name.h5
  run -0 read_back "$name"
  [[ "$output" == *"onnxruntime: 150 images"*"npz and safetensors: "* ]]
  # Without PyTorch, and without LibTorch, their part is left out, and the output names it.
  [[ "$output" == *"PyTorch: 150 images"* || "$output" == *"skip: no PyTorch"* ]]
}

@test "sets of 3 classes of 33x33, 47 of 32x32 and 2 of 19x19 pixels: every reader agrees" {
  need_readers
  another_set odd classes=3 height=33 width=33 rows=600 test=150
  another_set letters classes=47 height=32 width=32 rows=600 test=150
  another_set two classes=2 height=19 width=17 rows=600 test=150
}

# block LANGUAGE FILE: the first block of a page in that language.
block() {
  awk -v start="^\`\`\`$1\$" '$0 ~ start { inside = 1; next }
    /^```$/ { if (inside) exit } inside' "$2"
}

@test "docs/python.md: its lines read a run" {
  need_readers
  "$MNIST_DIST" "${QUICK[@]}" --set train.max_steps=20 --run-dir runs/first >/dev/null 2>&1
  block python "$SOURCE_DIR/docs/python.md" >page.py
  [ "$(wc -l <page.py)" -ge 10 ]
  run -0 "$READERS/bin/python" page.py
  [[ "$output" == *"layer1.weight (12, 1, 3, 3)"* ]]
  [[ "$output" == *"final_validation_accuracy"* ]]
}

@test "docs/export.md: the session from training to onnxruntime" {
  need_readers
  mkdir -p build
  ln -s "$MNIST_DIST" build/mnist-dist
  "$READERS/bin/python" - <<'PY'
from PIL import Image, ImageDraw
image = Image.new("L", (120, 160), 255)
ImageDraw.Draw(image).line([(25, 30), (95, 30), (50, 135)], 0, 12)
image.save("my.png")
PY
  # The lines as they are, but these trainings are short, and tests/pages starts TensorBoard.
  block sh "$SOURCE_DIR/docs/export.md" |
    sed 's/--run-dir runs\/[a-z]* /&--set train.max_steps=400 /; /^tensorboard/d' >session.sh
  [ "$(grep -c mnist-dist session.sh)" -eq 5 ]
  [ "$(grep -c max_steps session.sh)" -eq 2 ]
  run -0 --separate-stderr bash -e session.sh
  grep -qE "^my.png +7 " <<<"$output"
  grep -q "^verdict: " <<<"$output"
  [ -s compare.html ]
  block python "$SOURCE_DIR/docs/export.md" >session.py
  [ "$(wc -l <session.py)" -ge 5 ]
  run -0 "$READERS/bin/python" session.py
  [[ "$output" =~ ^[0-9]$ ]]
}

@test "digits of a different source are never called MNIST, whatever their file states" {
  need_readers
  cp "$TEST_DATA" other.h5
  "$READERS/bin/python" - <<'PY'
import h5py
with h5py.File("other.h5", "r+") as file:
    file.attrs["synthetic"] = file.attrs["synthetic"] * 0
    file.attrs.modify("source", "MNIST from the authors")
PY
  local other=(--set data.file=other.h5 --set 'data.split=[2000,500]' --set train.max_steps=5)
  run -0 --separate-stderr "$MNIST_DIST" --config step3 "${other[@]}" --run-dir r
  [[ "${lines[0]}" == *"| OTHER digits, not MNIST: other.h5 |"* ]]
  run -0 --separate-stderr "$MNIST_DIST" evaluate r --data other.h5
  [[ "${lines[0]}" == *"| OTHER digits, not MNIST: other.h5 |"* ]]
  run -0 --separate-stderr "$MNIST_DIST" evaluate r --data other.h5 --json
  [[ "$output" == *'"data": "OTHER digits, not MNIST"'* ]]
  run -0 --separate-stderr "$MNIST_DIST" doctor --data other.h5
  [[ "$output" == *"warn  data "*"OTHER digits, not MNIST, "* ]]
  run -0 --separate-stderr "$MNIST_DIST" verify r
  [[ "${lines[0]}" == *"| OTHER digits, not MNIST: other.h5 |"* ]]
  # Exit code 6: five steps miss the target.
  run -6 --separate-stderr "$MNIST_DIST" sweep --config step3 "${other[@]}" --seeds 1 --out s
  [[ "$output" == *"OTHER digits, not MNIST"* ]]
  run -0 "$MNIST_DIST" report r
  grep -q 'class="warn">OTHER digits' r/report.html
  grep -q 'class="warn">OTHER digits' s/report.html
}
