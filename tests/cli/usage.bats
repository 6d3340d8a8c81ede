# The command line and the recipe: two lines per error, with the nearest right name. Faults whose
# whole message is in wording/ are not here.
bats_require_minimum_version 1.5.0
load helpers

@test "flags of other programs: the hint has our option, and works" {
  local flag words
  mkdir raw
  while IFS='|' read -r flag words; do
    # shellcheck disable=SC2086 # several words on purpose
    fails 2 "unknown option" "$MNIST_DIST" $flag
    [[ "$stderr" == *"hint: "*"$words"* ]] || { echo "wanted: $words"; return 1; }
    # Followed, it is accepted and shows.
    [[ $words == --set* && $words != *VALUE ]] || continue
    # shellcheck disable=SC2086
    run -0 --separate-stderr "$MNIST_DIST" $words --print-config
    shown=$(sed 's, *= *,=,; s,",,g' <<<"$output")
    grep -q "^$(sed 's,^[^.]*\.,,; s, .*,,' <<<"$words")" <<<"$shown"
  done <<'FLAGS'
--epochs 5|--set train.epochs=5
--epochs=5|--set train.epochs=5
--num-epochs 7|--set train.epochs=7
--batch-size 32|--set train.batch=32
--batch_size=32|--set train.batch=32
-b 32|--set train.batch=32
--lr 0.1|--set optimizer.learning_rate=0.1
--learning-rate 0.1|--set optimizer.learning_rate=0.1
--momentum 0.8|--set optimizer.momentum=0.8
--weight-decay=0.01|--set optimizer.weight_decay=0.01
--wd 0.01|--set optimizer.weight_decay=0.01
--label-smoothing 0.1|--set train.label_smoothing=0.1
--lr-schedule cosine|--set schedule.kind=cosine
--lr_policy=step|--set schedule.kind=step --set schedule.warmup=0
--lr-schedule poly|--set schedule.kind=VALUE
--accum 2|--set train.batch=128
--gradient-accumulation-steps=4|--set train.batch=256
--accum|--set train.batch=VALUE
--accum 0|--set train.batch=VALUE
--no-augment|mnist-dist --print-config
--warmup-epochs 3|--set schedule.warmup=VALUE
--rotation 5|--set augment.rotation=5
--train.epochs 5|--set train.epochs=5
--epochs|--set train.epochs=VALUE
--epochs 0|give 1 to
--batch-size 65|train.batch=64
-j4|--threads 4
--num-workers 2|--threads 2
--workers 0|leave it out
--no-cuda|--device cpu
--output runs/x|--run-dir runs/x
--name x|--run-dir runs/x
--model step2|--config step2
--data-dir raw|mnist-dist prepare --raw raw
--data other.h5|--set data.file=other.h5
--data-dir nowhere|leave it out
--dataset mnist|leave it out
-np 2|mpirun -np 2 mnist-dist train
--nproc 2|mpirun -np 2 mnist-dist train
--model resnet|--config step5
--seeds 7|--seed 7
--seeds 0..3|sweep --seeds 0..3
-s abc|--seed N
--manual-seed 3|--seed 3
--log-interval 10|leave it out
--runs 5|sweep --seeds 0..4
--checkpoint runs/a/checkpoint.h5|--resume --run-dir runs/a
preview --lr 1|write it as --set optimizer.learning_rate=1
preview -j4|preview has no --threads
preview --cuda|preview has no --device
lr-find --lr 1|write it as --set optimizer.learning_rate=1
lr-find -j4|--threads 4
lr-find --cpu|--device cpu
verify x -j4|--threads 4
verify x --cpu|--device cpu
verify x --seeds 3|--seed 3
verify x --lr 1|mnist-dist train --set optimizer.learning_rate=1
predict --checkpoint=a.h5 x.png|mnist-dist predict --model a.h5 IMAGE
predict --gpus 2 x.png|predict has no --device
tune --recipe step2|--space
FLAGS
  for flag in --augment "--aug true"; do
    # shellcheck disable=SC2086
    fails 2 "unknown option" "$MNIST_DIST" $flag
    [[ "$stderr" == *"--set augment.rotation=10,"* ]]
  done
  fails 2 "--seed for sweep" "$MNIST_DIST" sweep --seed 3
  [[ "$stderr" == *"--seeds 3"* ]]
  fails 2 "--seed for sweep" "$MNIST_DIST" sweep --seed=-1
  [[ "$stderr" == *"--seeds 0..9"* ]]
  fails 2 "--run-dir for report" "$MNIST_DIST" report x --run-dir runs/a
  [[ "$stderr" == *"mnist-dist report runs/a"* ]]
  fails 2 "--weights for evaluate" "$MNIST_DIST" evaluate x --weights a.h5
  [[ "$stderr" == *"mnist-dist evaluate a.h5"* ]]
  fails 2 "--checkpoint for bench" "$MNIST_DIST" bench --checkpoint x
  [[ "$stderr" == *"leave it out"* ]]
  fails 2 "--trials for tune" "$MNIST_DIST" tune --trials 5
  [[ "$stderr" == *"--candidates 5"* ]]
  fails 2 "--seed" "$MNIST_DIST" verify x --seed -1
  fails 2 "unexpected argument" "$MNIST_DIST" train --resume runs/a/checkpoint.h5
  [[ "$stderr" == *"--resume --run-dir runs/a" ]]
  fails 2 "'train.epochs=5'" "$MNIST_DIST" train train.epochs=5
  [[ "$stderr" == *"--set train.epochs=5"* ]]
  fails 2 "--resume" "$MNIST_DIST" --resume=runs/a
  [[ "$stderr" == *"--resume --run-dir runs/a"* ]]
  fails 2 "--device cuda:0" "$MNIST_DIST" --device cuda:0
  [[ "$stderr" == *"expected auto, cpu or cuda"* ]]
}

@test "control characters and invalid UTF-8 of arguments, files and variables are escaped" {
  fails 2 'a\x1b[31m\nb\xff' "$MNIST_DIST" $'a\e[31m\nb\xff'
  fails 2 'no\x1b]0;title\x07where.toml' "$MNIST_DIST" --config $'no\e]0;title\awhere.toml'
  fails 2 'hidden\u202e.toml' "$MNIST_DIST" --config $'hidden\xe2\x80\xae.toml'
  printf '[train]\nepochs = "\\u009b31m"\n' >escape.toml
  fails 2 "train.epochs" "$MNIST_DIST" --config escape.toml
  [[ $stderr != *$'\xc2\x9b'* ]]
  MNIST_DATA_DIR=$'/no\e[31mwhere' fails 3 'no\x1b[31mwhere' "$MNIST_DIST" prepare --out x.h5
  fails 2 "unknown option" "$MNIST_DIST" "--$(printf 'x%.0s' {1..60000})"
  [ "${#stderr}" -lt 8000 ]
}

@test "a seed that is too large" {
  fails 2 "train.seed" "$MNIST_DIST" --seed 18446744073709551615
  [[ "$stderr" == *"less than 2^63"* ]]
}
@test "output that cannot be written" {
  [ -c /dev/full ] || skip "no /dev/full"
  fails 3 "stdout" bash -c '"$0" --print-config >/dev/full' "$MNIST_DIST"
}
@test "slices too short for batch norm: one value per channel in the last step" {
  printf '[[model.layer]]\nconv = 4\n[[model.layer]]\nlinear = 10\nnorm = true\n' >narrow.toml
  # 6,000 rows in shards of 1,500: slices of 7 leave 2 for the last step, slices of 1499 leave one.
  fails 2 "norm" \
    "$MNIST_DIST" --config narrow.toml --set train.batch=5996 --set "data.file=$TEST_DATA"
}
@test "a warm-up that the schedule does not have" {
  fails 2 'schedule.kind = "step"' "$MNIST_DIST" --set schedule.kind=step
  # A recorded folder continues.
  mkdir run
  "$MNIST_DIST" --config step1 --print-config |
    sed 's/^warmup = 0.0 /warmup = 0.1 /' >run/config.toml
  run -0 "$MNIST_DIST" --resume --run-dir run --print-config
  [[ "$output" == *"warmup = 0.1 "* ]]
}
@test "a config from a pipe" {
  "$MNIST_DIST" --print-config --set model.name=step5 >plain
  "$MNIST_DIST" --config <(cat configs/step5.toml) --print-config --set model.name=step5 |
    cmp - plain
  "$MNIST_DIST" --config /dev/stdin --print-config --set model.name=step5 <configs/step5.toml |
    cmp - plain
}
@test "more ranks than shards: the hint works" {
  run -0 ranks 5 "${QUICK[@]}" --set data.shards=8 --set train.max_steps=1 --run-dir r
}
@test "Slurm tasks without PMI: commands that do not train work" {
  SLURM_STEP_NUM_TASKS=4 run -0 "$MNIST_DIST" --print-config
  SLURM_STEP_NUM_TASKS=4 fails 2 "epochz" "$MNIST_DIST" train --epochz 3
}

@test "--print-config reads back to itself" {
  "$MNIST_DIST" --config step2 --set train.epochs=3 --print-config >a.toml
  "$MNIST_DIST" --config a.toml --print-config >b.toml
  diff a.toml b.toml
  grep -q '^epochs = 3' a.toml
}
@test "a depthwise layer, which keeps the number of channels" {
  printf '[model]\nlayer = [{ conv = 24 }, { conv = 24, depthwise = true }, { linear = 10 }]\n' \
    >same.toml
  run -0 "$MNIST_DIST" summary --config same.toml
  [[ "$output" == *"3x3 depthwise conv"*" 216 "* ]]
  "$MNIST_DIST" --config same.toml --print-config | grep -q '{ conv = 24, depthwise = true }'
}
@test "help, version and summary start without LibTorch, MPI or a data set" {
  for arguments in --help --version "train --help" summary doctor; do
    # shellcheck disable=SC2086 # several words on purpose
    run -0 "$MNIST_DIST" $arguments
  done
  run -0 ldd "$MNIST_DIST"
  [[ "$output" != *libtorch* ]]
}
@test "summary counts the steps' parameters" {
  for pair in step1:10,554 step2:7,498 step3:9,776 step4:9,768 step5:9,832; do
    run -0 "$MNIST_DIST" summary --config "${pair%%:*}"
    [[ "$output" == *"${pair#*:}"* ]]
  done
}
@test "commands without ranks print once under mpirun" {
  "$MNIST_DIST" --config step1 --set "data.file=$TEST_DATA" --set 'data.split=[200,100]' \
    --set train.max_steps=1 --run-dir run >/dev/null
  for arguments in --version -V "compare --help" "runs ." "train --help" --print-config summary \
    "report run" "prepare --synthetic --count 10 --out small.h5"; do
    # shellcheck disable=SC2086 # several words on purpose
    run -0 --separate-stderr "$MNIST_DIST" $arguments
    local alone=$output
    rm -f small.h5
    # shellcheck disable=SC2086
    run -0 --separate-stderr ranks 2 $arguments
    [ "$output" = "$alone" ]
  done
  fails 2 "nowhere" ranks 2 report nowhere
  fails 2 "nowhere" ranks 2 compare nowhere nowhere
}

@test "a recipe of many megabytes is rejected before it is read as a whole" {
  head -c 3000000 /dev/zero | tr '\0' a >big.toml
  (ulimit -v 400000 && fails 2 "1048576" "$MNIST_DIST" summary \
    --config big.toml)
}

@test "a terminal that takes no control sequences gets none: TERM dumb, empty or unset" {
  script -qec true /dev/null >/dev/null || skip "no script(1), or no /dev/pts, to make a terminal"
  unset NO_COLOR
  local type line="'$MNIST_DIST' --config step1 --set 'data.file=$TEST_DATA'"
  line+=" --set 'data.split=[2000,500]' --set train.epochs=5 --run-dir r; '$MNIST_DIST' trian"
  for type in TERM=dumb TERM=unknown TERM= "-u TERM"; do
    rm -rf r
    env $type script -qec "$line; '$MNIST_DIST' doctor" /dev/null >out.txt || true
    grep -q "did you mean train" out.txt
    [ "$(grep -ac $'\x1b' out.txt)" -eq 0 ]
  done
  rm -rf r
  TERM=xterm script -qec "$line" /dev/null >out.txt || true
  [ "$(grep -ac $'\x1b' out.txt)" -gt 0 ]
}

@test "the live line is no wider than the terminal" {
  script -qec true /dev/null >/dev/null || skip "no script(1), or no /dev/pts, to make a terminal"
  export TERM=xterm
  local command="stty cols 40; '$MNIST_DIST' --config step1 --set 'data.file=$TEST_DATA' --set \
'data.split=[2000,500]' --set train.epochs=5 --run-dir narrow"
  local sweep="stty cols 40; '$MNIST_DIST' sweep --config step1 --set 'data.file=$TEST_DATA' \
--set 'data.split=[2000,500]' --set train.epochs=5 --seeds 1..4 --target 0 --out s"
  for line in "$command" "$sweep"; do
    script -qec "$line" /dev/null | tr '\r' '\n' | grep -a $'\x1b\[K' |
      sed $'s/\x1b\[K.*//' >live.txt
    cat live.txt
    grep -aqE 'epoch 1/5 |seeds' live.txt
    [ "$(wc -L <live.txt)" -le 39 ]
  done
}
@test "docs/cli.md has the help of all commands" {
  diff <("$SOURCE_DIR/docs/cli.sh" "$MNIST_DIST") "$SOURCE_DIR/docs/cli.md"
}

@test "help COMMAND prints the command's help, and help alone lists the commands" {
  local command
  run -0 "$MNIST_DIST" help
  [ "$output" = "$("$MNIST_DIST" --help)" ]
  grep -q "^  help " <<<"$output"
  for command in train sweep compare help; do
    run -0 "$MNIST_DIST" help $command
    [ "$output" = "$("$MNIST_DIST" $command --help)" ]
  done
  fails 2 "'swep'" "$MNIST_DIST" help swep
  [[ "$stderr" == *"did you mean sweep?"* ]]
  fails 2 "'tune'" "$MNIST_DIST" help sweep tune
  fails 2 "--seed:" "$MNIST_DIST" --seed 1 --seed 2
}
