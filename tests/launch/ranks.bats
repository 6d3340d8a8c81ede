#!/usr/bin/env bats
# launch/ranks.sh: how a restart sees whether the one before made progress. The program is a fake.

load fakes

setup() {
  source "$repository/launch/lib.sh"
  source "$repository/launch/ranks.sh"
  cd "$BATS_TEST_TMPDIR" || return
  # shellcheck disable=SC2034 # recipe_of uses it
  program=$PWD/mnist-dist
  cat >mnist-dist <<'SCRIPT'
#!/bin/bash
[[ ${1:-} != sweep && $* == *--print-config ]] || exit 2
[[ $* != *"--config other"* ]] || { printf '[model]\nname = "other"\n[train]\nseed = 1\n'; exit; }
printf '[model]\nname = "step 3"\n[data]\nshards = 4\n[train]\nseed = 7 # one\n'
SCRIPT
  chmod +x mnist-dist
}

# look ARGUMENTS...: at the results of mnist-dist ARGUMENTS, as the scripts do.
look() {
  local results
  results=$(bash -c "$(results_question "$@")")
  echo "$* -> $results"
  read -r state progress looked_at folder <<<"$results"
  sleep 0.03 # longer than a tick of the file system's clock
}

# a_sweep FOLDER: with one finished seed and one unfinished seed in each of three blocks.
a_sweep() {
  local block n
  for block in 0xxx 1xxx 1xxxxxx/234xxx; do
    n=${block//[!0-9]/}
    a_row "$1/rows/$block/seed$((n))001.csv"
    [[ $block != 0xxx ]] || block=
    a_run "$1/runs/$block/seed$((n))001"
    a_run "$1/runs/$block/seed$((n))002"
  done
  touch "$1/sweep.json"
}
a_row() { mkdir -p "${1%/*}" && echo row >"$1"; }
# As the program writes a checkpoint: by a rename.
a_checkpoint() { echo "$RANDOM" >"$1/new" && mv "$1/new" "$1/checkpoint.h5"; }
a_run() {
  mkdir -p "$1"
  echo epoch >"$1/metrics.csv"
  a_checkpoint "$1"
}

@test "a sweep makes progress by a row, or by a checkpoint of any seed, and by nothing else" {
  local sweep=(sweep --seeds 0..2000000 --out s) place
  look "${sweep[@]}"
  [ "$state $looked_at" = "none 0" ]
  a_sweep s
  look "${sweep[@]}"
  [ "$state $progress" = "started yes" ]
  look "${sweep[@]}"
  [ "$progress" = no ]
  # A start that claims seeds, an old one and a new one, and is killed before a checkpoint.
  touch s/runs/1xxx/seed1002/.lease s/sweep.json s/seeds.csv
  mkdir s/runs/1xxxxxx/234xxx/seed1234003
  echo epoch >s/runs/1xxxxxx/234xxx/seed1234003/metrics.csv
  look "${sweep[@]}"
  [ "$progress" = no ]
  for place in seed0002 1xxx/seed1002 1xxxxxx/234xxx/seed1234002; do
    a_checkpoint "s/runs/$place"
    look "${sweep[@]}"
    [ "$progress" = yes ]
    look "${sweep[@]}"
    [ "$progress" = no ]
  done
  for place in 0xxx/seed0003 1xxxxxx/234xxx/seed1234003; do
    a_row "s/rows/$place.csv"
    look "${sweep[@]}"
    [ "$progress" = yes ]
    look "${sweep[@]}"
    [ "$progress" = no ]
  done
  [ -z "$(find s -name '.look*')" ]
}

@test "a search makes progress by a checkpoint of a candidate's seed" {
  a_sweep t/candidate000
  a_sweep t/candidate001
  look tune --space x.toml --out t
  look tune --space x.toml --out t
  [ "$progress" = no ]
  touch t/candidate001/sweep.json t/tuning.csv
  a_checkpoint t/candidate001/runs/1xxx/seed1002
  look tune --space x.toml --out t
  [ "$progress" = yes ]
}

@test "a run makes progress by a checkpoint only" {
  a_run r
  look train --run-dir r
  [ "$state $progress $folder" = "checkpoint yes r" ]
  echo epoch >>r/metrics.csv
  look train --run-dir r
  [ "$progress" = no ]
  a_checkpoint r
  look train --run-dir r
  [ "$progress" = yes ]
  # The run folder is on a host that is gone: the run begins again on the next one.
  mv r gone
  look train --run-dir r
  [ "$state $progress" = "none yes" ]
  look train --run-dir r
  [ "$state $progress" = "none no" ]
}

@test "without --out and --run-dir it looks at the folder that the program chooses" {
  a_sweep "runs/sweep-step 3"
  a_sweep runs/sweep-other
  mkdir -p runs/tune-my.space
  look sweep --seeds 0..9
  [ "$folder" = "runs/sweep-step 3" ]
  a_checkpoint runs/sweep-other/runs/seed0002
  look sweep --seeds 0..9
  [ "$progress" = no ]
  looked_at=''
  look sweep --config other --seeds 0..9
  [ "$folder" = runs/sweep-other ]
  look tune --space a/my.space.toml
  [ "$folder" = runs/tune-my.space ]
  a_run "runs/step 3-seed7-1"
  a_run "runs/step 3-seed7-2"
  touch "runs/step 3-seed7-2/summary.json"
  a_run runs/other-seed1-1
  look --set x=1
  [ "$folder" = "runs/step 3-seed7-1" ]
  touch -d 2020-01-01 "runs/step 3-seed7-1/checkpoint.h5"
  look train
  [ "$state$folder" = none ]
}

# a_lease FOLDER PID: as this host's process PID writes it (base/lease.h).
a_lease() {
  printf '%s\n' "lease 12" "node x" "host $(hostname)" "process $2" \
    "started $(sed 's/.*) //' "/proc/$2/stat" | cut -d' ' -f20)" >"$1/.lease"
}

@test "of two equal runs side by side, the one that another process still uses is left alone" {
  local other pid
  a_run "runs/step 3-seed7-1"
  a_run "runs/step 3-seed7-2"
  sleep 60 3>&- &
  other=$!
  a_lease "runs/step 3-seed7-2" "$other"
  sleep 60 3>&- &
  pid=$!
  a_lease "runs/step 3-seed7-1" "$pid"
  kill "$pid"
  wait "$pid" || true
  look train
  [ "$folder" = "runs/step 3-seed7-1" ]
  # A different process has the number now.
  sed -i 's/^started .*/started 1/' "runs/step 3-seed7-2/.lease"
  look train
  kill "$other"
  [ "$folder" = "runs/step 3-seed7-2" ]
}

@test "without --run-dir, the age of a checkpoint is measured by its file system's clock" {
  local minutes
  a_run "runs/step 3-seed7-1"
  for minutes in -10 10; do
    # A server whose clock is wrong by this.
    fake mktemp <<SCRIPT
file=\$($(type -P mktemp) "\$@") && touch -d '$minutes minutes' "\$file" && echo "\$file"
SCRIPT
    touch -d "$minutes minutes" "runs/step 3-seed7-1/checkpoint.h5"
    look train
    [ "$state$folder" = "checkpointruns/step 3-seed7-1" ]
    touch -d "$((minutes - 5)) minutes" "runs/step 3-seed7-1/checkpoint.h5"
    look train
    [ "$state$folder" = none ]
    rm "$BATS_TEST_TMPDIR/bin/mktemp"
  done
}

# visits: the paths that find visited since the last call.
visits() {
  sed -n 's/^consider_visiting (late): .\(.*\).: fts_info.*/\1/p' find.log | sort -u
  : >find.log
}

@test "finished seeds cost nothing when there is a new row, and their folders are never read" {
  local find
  find=$(type -P find)
  : >find.log
  fake find <<<"exec '$find' -D search \"\$@\" 2>>'$PWD/find.log'"
  a_sweep s
  look sweep --out s
  a_row s/rows/1xxx/seed1003.csv
  visits
  look sweep --out s
  [ "$progress" = yes ]
  ! visits | grep -E 'rows/.*/seed|runs/.*/seed|checkpoint' || false

  # The block of the seed that started last is the first one, and the search ends there.
  mkdir s/runs/1xxx/seed1004
  look sweep --out s
  a_checkpoint s/runs/1xxx/seed1004
  visits
  look sweep --out s
  [ "$progress" = yes ]
  ! visits | grep -E 'rows/.*/seed|234xxx/seed|seed[0-9]*/(metrics|checkpoint.prev)' || false

  # Without progress, a name per seed.
  visits
  look sweep --out s
  [ "$progress" = no ]
  ! visits | grep -E 'rows/.*/seed|seed[0-9]*/' || false
}
