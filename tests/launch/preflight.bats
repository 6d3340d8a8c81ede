#!/usr/bin/env bats
# launch/preflight.sh: messages about bad hosts. ssh is a fake that runs the probe here, with
# HOST.sh from the test's folder before it and HOST.sed done to it.

bats_require_minimum_version 1.5.0
load fakes

setup() {
  export MNIST_DIST_BUILD_DIR=$BATS_TEST_TMPDIR/build
  mkdir "$MNIST_DIST_BUILD_DIR"
  export CORES=3
  fake_program <<<'echo "mnist-dist 0.1.0"'
  fake_mpirun <<<'echo "2 ranks add"'
  fake orted <<<true
  fake ssh <<'SCRIPT'
host=${*: -2:1}
touch "$BATS_TEST_TMPDIR/$host.sh" "$BATS_TEST_TMPDIR/$host.sed"
sed -f "$BATS_TEST_TMPDIR/$host.sed" | cat "$BATS_TEST_TMPDIR/$host.sh" - | bash -s
exit "${PIPESTATUS[2]}"
SCRIPT
  cd "$BATS_TEST_TMPDIR" || return 1
}

# Host b as this says: shell text before the probe.
b_is() { cat >"$BATS_TEST_TMPDIR/b.sh"; }
preflight() { run "$repository/launch/preflight.sh" --hosts a,b "$@"; }
# bad CODE PROBLEM FIX
bad() {
  [ "$status" -eq "$1" ]
  [[ $output == *"ok    a "* ]]
  [[ $output == *"error: b "*"$2"*"hint: "*"$3"* ]]
}

@test "two good hosts" {
  preflight
  [ "$status" -eq 0 ]
  [[ $output == *"ok    b            Open MPI 4.1.4, mnist-dist 0.1.0, "*"ok    all-reduce   2 \
ranks add"* ]]
  [[ ${lines[-1]} == "b "* ]]
}

@test "locales that write 0,5: awk runs in the C locale here and on the hosts" {
  local awk
  awk=$(command -v awk)
  fake awk <<SCRIPT
echo "\${LC_ALL:-} \${LC_NUMERIC:-}" >>"\$BATS_TEST_TMPDIR/locales"
exec "$awk" "\$@"
SCRIPT
  b_is <<<'export LC_ALL=de_DE.UTF-8; echo remote >>"$BATS_TEST_TMPDIR/locales"'
  LC_ALL=de_DE.UTF-8 LC_NUMERIC=de_DE.UTF-8 preflight 2>/dev/null
  [ "$status" -eq 0 ]
  grep -q remote locales
  [ "$(grep -v remote locales | grep -vc '^C ')" -eq 0 ]
}

@test "a German locale, with gawk where it is installed" {
  mkdir locales
  command -v localedef >/dev/null && localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 2>/dev/null ||
    skip "no localedef, or no sources of locales"
  ! command -v gawk >/dev/null || fake awk <<<'exec gawk "$@"'
  # The first line proves that this locale is in force: bash's printf rejects a point in it.
  LOCPATH=$PWD/locales LC_ALL=de_DE.UTF-8 run bash -c 'printf %.1f 0.5'
  [ "$status" -ne 0 ]
  LOCPATH=$PWD/locales LC_ALL=de_DE.UTF-8 preflight
  [ "$status" -eq 0 ]
  [[ $output == *"clock +0.0 s"*"clock +0.0 s"* ]]
}

@test "a host's output reaches the terminal without control characters" {
  b_is <<<'nvidia-smi() { printf "broken \e]0;title\a card\n"; return 18; }'
  preflight
  bad 4 "broken " "reboot"
  [[ $output != *$'\e'* && $output != *$'\a'* ]]
}

@test "slots: the host's own, --slots, its GPUs, its cores" {
  b_is <<<'CORES=5'
  preflight --seconds 0
  [[ ${lines[-2]} == "a 3 3 "* ]]
  [[ ${lines[-1]} == "b 5 5 "* ]]
  run "$repository/launch/preflight.sh" --hosts a:3,b --slots 2 --seconds 0
  [[ ${lines[-2]} == "a 3 "* ]]
  [[ ${lines[-1]} == "b 2 "* ]]
  fake nvidia-smi <<<'printf "GPU 0: Tesla V100\nGPU 1: Tesla V100\n"'
  preflight --seconds 0
  [[ ${lines[-1]} == "b 2 "* ]]
}

@test "failing ssh connections" {
  local words
  fake ssh <<<'[[ ${*: -2:1} != b ]] || { echo "$SSH_SAYS" >&2; exit 255; }; exec bash -s'
  while IFS='|' read -r words problem fix; do
    SSH_SAYS=$words preflight
    bad 4 "$problem" "$fix"
  done <<'CASES'
ssh: connect to host b port 22: Connection timed out|is not responding|port 22
ssh: connect to host b port 22: No route to host|is not responding|--hosts
ssh: connect to host b port 22: Connection refused|rejects ssh|start sshd
me@b: Permission denied (publickey).|rejects ssh|ssh-copy-id b
Host key verification failed.|has an ssh host key|ssh b true
ssh: Could not resolve hostname b: Name or service not known|has no address|/etc/hosts
kex_exchange_identification: banner line contains invalid bytes|cannot be checked: kex_|BatchMode
CASES
}

@test "no Open MPI, a different version, no daemon" {
  b_is <<<'command() { [[ $2 != mpirun ]]; }'
  preflight
  bad 4 "has no mpirun" "Open MPI 4.1.4"
  b_is <<<'command() { [[ $2 != orted && $2 != prted ]]; }'
  preflight
  bad 4 "has no orted" "launch/setup.sh"
  b_is <<<'mpirun() { echo "mpirun (Open MPI) 5.0.7"; }'
  preflight
  bad 4 "has Open MPI 5.0.7, this machine 4.1.4" "the same one"
}

@test "no program, a broken one, a different build" {
  echo 's|^program=[^ ]*|program=/nowhere/mnist-dist|' >b.sed
  preflight
  bad 4 "has no $MNIST_DIST_BUILD_DIR/mnist-dist" "rsync"
  printf '#!/bin/bash\necho "libfmt.so.9: cannot open shared object file" >&2; exit 127\n' >broken
  chmod +x broken
  echo "s|^program=[^ ]*|program=$PWD/broken|" >b.sed
  preflight
  bad 4 "libfmt.so.9" "launch/setup.sh"
  rm b.sed
  b_is <<<'sha256sum() { echo 0123456789abcdef; }'
  preflight
  bad 4 "has a different build" "rsync"
  b_is <<<'unset CORES'
  preflight
  bad 4 "cannot count its cores" "mnist-dist doctor --cores"
}

@test "a full disk, a wrong clock, a missing folder" {
  b_is <<<'df() { printf "Filesystem\n/dev/x 9 9 1000 99%% /\n"; }'
  preflight
  bad 3 "has 1 MB of disk free" "free some space"
  b_is <<<'date() { echo 1000000000.0; }'
  preflight
  bad 4 "has a clock that is -" "NTP"
  b_is <<<'cd() { return 1; }'
  preflight
  bad 3 "has no folder $PWD" "NFS"
}

@test "GPUs: fewer than --gpus, a driver that fails" {
  fake nvidia-smi <<<'printf "GPU 0: Tesla V100\nGPU 1: Tesla V100\n"'
  b_is <<<'nvidia-smi() { echo "GPU 0: Tesla V100"; }'
  preflight --gpus 2
  bad 4 "sees 1 of 2 GPUs" "reboot"
  b_is <<'SCRIPT'
nvidia-smi() { echo "Failed to initialize NVML: Driver/library version mismatch"; return 18; }
SCRIPT
  preflight
  bad 4 "NVML" "reboot"
}

@test "an all-reduce that fails: the host that none reaches, or the pair without a connection" {
  fake_mpirun <<<'[[ $* != *$UNREACHED:1* ]]'
  UNREACHED=c run "$repository/launch/preflight.sh" --hosts a,b,c
  [ "$status" -eq 4 ]
  [[ $output == *"error: "*" c and the others,"*"hint: "*TCP* ]]
  UNREACHED=b:1,c run "$repository/launch/preflight.sh" --hosts a,b,c
  [[ $status == 4 && $output == *"error: "*" between b, c,"* ]]
  UNREACHED=b run "$repository/launch/preflight.sh" --hosts a,b
  [[ $status == 4 && $output == *"error: "*" between a, b,"* ]]
  # All together fail, no two of them do.
  UNREACHED=a:1,b:1,c run "$repository/launch/preflight.sh" --hosts a,b,c
  [[ $status == 4 && $output == *"error: "*" between a, b, c,"* ]]
}

@test "--seconds: the range of doctor --all-reduce" {
  local seconds
  for seconds in '' -1 x 61 600; do
    preflight --seconds "$seconds"
    [ "$status" -eq 2 ]
    [[ $output == "error: --seconds: "*" 60)"* ]]
  done
}

@test "a host that hangs during the check is bad after a time limit" {
  b_is <<<'sleep 60'
  fake timeout <<<'shift 2; exec /usr/bin/timeout -k 2 2 "${@:2}"'
  preflight
  bad 4 "is not responding" "--hosts"
}

@test "--min-hosts: bad hosts are left out if enough are good" {
  b_is <<<'echo no; exit 255'
  run --separate-stderr "$repository/launch/preflight.sh" --hosts a,b,c --slots 1 --min-hosts 2
  [ "$status" -eq 0 ]
  [ "$(awk '{ print $1 }' <<<"$output" | xargs)" = "a c" ]
  [[ $stderr == *"bad   b "* && $stderr != *"error: "* ]]
  run "$repository/launch/preflight.sh" --hosts a,b,c --slots 1 --min-hosts 3
  [ "$status" -eq 4 ]
  [[ $output == *"error: b "*"hint: "* ]]
  # All answer, but no all-reduce with c.
  b_is <<<''
  fake_mpirun <<<'[[ $* != *c:1* ]]'
  run --separate-stderr "$repository/launch/preflight.sh" --hosts a,c,b --slots 1 --min-hosts 1
  [ "$status" -eq 0 ]
  [ "$(awk '{ print $1 }' <<<"$output" | xargs)" = "a b" ]
}
