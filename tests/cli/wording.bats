# The wording of messages: errors, hints and notes with their exit codes, compared as a whole with
# the files of tests/cli/wording/. Other tests match one word of a message. After a change of words,
# this writes the files again:
#   UPDATE_WORDING=1 tests/run.sh -R cli.wording && git diff tests/cli/wording
bats_require_minimum_version 1.5.0
load helpers

# Without values of one machine, and without words of libraries.
placeholders() {
  sed -E "s|$TEST_DATA|DATA|g; s|$MNIST_DIST|mnist-dist|g; s|$SOURCE_DIR/||g
    s/--config step3 --set data.file=DATA --set data.split=\[2000,500\]/QUICK/
    s/(use one of: |choose one of )[a-z0-9, ]*scalar/\1TARGETS/
    s/\b[0-9a-f]{12}\.\.\./HASH/g
    s/(a damaged one: |\.toml:[0-9]+:[0-9]+: |dataset [^:]*: ).*/\1WORDS/"
}

# says COMMAND...: adds the command, its lines on stderr and its exit code to the text.
says() {
  own_stderr "$@"
  { echo "\$ $*" && cat <<<"$stderr" && echo "exit $status" && echo; } | placeholders >>said.txt
}
says_it() { says "$MNIST_DIST" "$@"; }

# layers NAME LAYERS OPTIONS...: the same of a recipe of these layers.
layers() {
  echo "model.layer = [$2]" >"$1.toml"
  says_it --config "$1.toml" "${@:3}"
}

# as_in GROUP: the text is the file of that group.
as_in() {
  local file=$SOURCE_DIR/tests/cli/wording/$1.txt
  [ -z "${UPDATE_WORDING:-}" ] || cp said.txt "$file"
  diff -u "$file" said.txt
}

@test "words about commands and options" {
  says_it trian
  says_it --sead 3
  says_it --epochs 5
  says_it train --resume runs/a
  says_it --seed 1 --seed 2
  says_it --seed -1
  says_it --simd avx9
  says_it --engine fsued
  says_it sweep
  says_it sweep --seeds 3..1
  says_it sweep --seeds 3 --target 101
  says_it sweep --seeds 0 --set train.seed=7
  says_it tune
  says_it predict one.png
  says_it export run --format safetensor
  says_it prepare --dataset kmnits --raw raw
  says_it compare a
  as_in options
}

@test "words about recipes" {
  says_it --config step9
  says_it --config nowhere.toml
  says_it --config ./configs
  says_it --set train.epoch=3
  says_it --set trian.epochs=3
  says_it --set train.epochs
  says_it --set train.epochs=many
  says_it --set train.epochs=0
  says_it --set data.shards=5
  says_it --set schedule.kind=constant
  local setting
  for setting in average.zebra=3 optimizer.nesterov=yes train.label_smoothing=1 \
    schedule.kind=cosin $'data.file=a\tb' model.name=a/b data.file= 'data.split=[5]' \
    'data.split=[5, 0]' 'data.split=[3, 5]' augment.erase_area_min=0.5; do
    says_it --set "$setting"
  done
  says_it --set optimizer.nesterov=true --set optimizer.momentum=0
  : >empty.toml
  says_it --config empty.toml
  printf '[train]\nepochs = = 3\n' >broken.toml
  says_it --config broken.toml
  layers class '{ linear = "class" }'
  layers few '{ linear = 8 }'
  layers key '{ conv = 10, kernle = 3 }'
  layers two '{ conv = 10, pool = "max" }'
  layers global '{ pool = "global_max", kernel = 3 }'
  layers pool '{ pool = "max", relu = true }'
  layers wider '{ conv = 12 }, { conv = 24, depthwise = true }, { linear = 10 }'
  layers linear '{ linear = 10, depthwise = true }'
  layers norm '{ linear = 10, norm = true }' --set train.batch=4
  as_in recipes
}

@test "words about data and files" {
  says_it --set data.file=none.h5
  says env MNIST_DATA_DIR=/no/folder "$MNIST_DIST"
  mkdir raw && touch raw/train-images-idx3-ubyte
  says_it prepare --raw raw
  touch raw/{train-labels-idx1,t10k-images-idx3,t10k-labels-idx1}-ubyte
  says_it prepare --raw raw
  "$MNIST_DIST" prepare --synthetic --count 1200
  says_it prepare
  cp "$TEST_DATA" damaged.h5
  printf 'x' | dd of=damaged.h5 bs=1 seek=100000 conv=notrunc status=none
  says_it --set data.file=damaged.h5
  head -c 100000 "$TEST_DATA" >cut.h5
  says_it --set data.file=cut.h5
  says_it --set "data.file=$TEST_DATA" --set train.batch=8192
  says_it evaluate nowhere --data "$TEST_DATA"
  says_it evaluate raw --data "$TEST_DATA"
  says_it evaluate "$TEST_DATA" --data "$TEST_DATA"
  says_it --run-dir /dev/null/r --set "data.file=$TEST_DATA"
  as_in data
}

@test "words about runs and checkpoints" {
  local options=("${QUICK[@]}" --set train.max_steps=2)
  says_it "${options[@]}" --resume
  says_it --resume --run-dir missing
  "$MNIST_DIST" "${options[@]}" --run-dir r
  says_it "${options[@]}" --run-dir r
  says_it --resume --run-dir r
  says_it export r --out r/config.toml
  says_it verify r --seed 2
  says_it verify configs
  says_it report configs
  says_it compare r configs
  says_it runs nowhere
  "$MNIST_DIST" prepare --synthetic --count 2500 --out other.h5
  says_it verify r --data other.h5
  says_it evaluate r --data other.h5
  rm r/summary.json
  says_it report r
  says_it --resume --run-dir r --seed 2
  says_it --resume --run-dir r --config r/config.toml --set optimizer.momentum=0.5
  cp r/checkpoint.h5 r/checkpoint.prev.h5
  head -c 3000 r/checkpoint.prev.h5 >r/checkpoint.h5
  echo text >text.png
  says_it predict --model r text.png
  cp r/checkpoint.h5 r/checkpoint.prev.h5
  says_it --resume --run-dir r
  says_it --config step1 --set "data.file=$TEST_DATA" --set optimizer.learning_rate=1000 --quiet
  as_in runs
}

@test "words about sweeps and ranks" {
  local options=("${QUICK[@]}" --set train.max_steps=2)
  "$MNIST_DIST" sweep "${options[@]}" --seeds 0 --target 0 --out s
  says_it sweep "${options[@]}" --seeds 0 --target 50 --out s
  says_it sweep "${options[@]}" --set train.epochs=3 --seeds 0 --out s
  says_it sweep "${options[@]}" --seeds 0 --out configs
  says_it merge new s nowhere
  says ranks 5 "${QUICK[@]}"
  says ranks 2 sweep "${QUICK[@]}" --seeds 0 --ranks-per-run 3
  says unlike 'exec "$MNIST_DIST" "$@" --seed $RANK' "${QUICK[@]}"
  says unlike 'exec "$MNIST_DIST" "$@" --set train.epochs=$((RANK + 3))' "${QUICK[@]}"
  says ranks 2 preview "${QUICK[@]}" --out /dev/null/x.png
  says env SLURM_STEP_NUM_TASKS=4 "$MNIST_DIST" "${QUICK[@]}"
  says env PMI_RANK=0 PMI_SIZE=2 "$MNIST_DIST" "${QUICK[@]}"
  as_in ranks
}

@test "words of the scripts" {
  local launch=$SOURCE_DIR/launch
  says "$launch/local.sh" -np 0
  says "$launch/local.sh" --max-restarts x
  says env MNIST_DIST_SETUP=skip MNIST_DIST_BUILD_DIR=/dev/null/build "$launch/local.sh"
  says "$launch/setup.sh" --chekc
  says "$launch/hosts.sh"
  says "$launch/hosts.sh" --hosts
  says "$launch/hosts.sh" --hosts a,b,a
  says "$launch/hosts.sh" --hosts no/such/file
  says "$launch/hosts.sh" --hosts a --slots 0
  says "$launch/hosts.sh" --hosts a --interface "a b"
  says "$launch/hosts.sh" --hosts a --sead 3
  says "$launch/hosts.sh" --no-preflight --hosts a summary
  says "$launch/preflight.sh" --hosts a --seconds 61
  says bash "$launch/slurm.sbatch"
  says "$launch/ec2.sh"
  says "$launch/ec2.sh" upp
  says "$launch/ec2.sh" up --sead 3
  says "$launch/ec2.sh" up --nodes 0
  says "$launch/ec2.sh" up --ttl 2x
  says "$launch/ec2.sh" up --from here
  as_in scripts
}
