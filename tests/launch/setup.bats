#!/usr/bin/env bats
# launch/setup.sh: its search, its installs, and its messages on failure.

load fakes

setup() {
  fake_system debian 12
  fake_installed
  # Installing must go through these, never through the real ones.
  fake apt-get <<<'echo "apt-get $*" >>"$BATS_TEST_TMPDIR/apt.log"'
  fake sudo <<'SCRIPT'
echo sudo >>"$BATS_TEST_TMPDIR/apt.log"
while [[ $1 == -* ]]; do shift; done
exec "$@"
SCRIPT
  fake_candidates
  unset Torch_DIR CMAKE_PREFIX_PATH
  fake update-alternatives <<'SCRIPT'
folder=/usr/lib/x86_64-linux-gnu
echo "libblas.so.3-x86_64-linux-gnu auto $folder/openblas-pthread/libblas.so.3"
SCRIPT
}

# fake_candidates ALL_BUT...: apt-cache's sources offer every package but these.
fake_candidates() {
  fake apt-cache <<SCRIPT
[[ \$1 == policy ]] || exit 1
(($# > 1)) || echo " 500 http://mirror stable/main amd64 Packages"
case " $* " in *" \${2:-} "*) candidate="(none)" ;; *) candidate=1.0 ;; esac
((\$# == 1)) || printf '%s:\n  Installed: (none)\n  Candidate: %s\n' "\$2" "\$candidate"
SCRIPT
}

@test "does nothing, quietly, when all is installed" {
  run "$repository/launch/setup.sh"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ ! -e "$BATS_TEST_TMPDIR/apt.log" ]
}

@test "--check reports that all is installed" {
  run "$repository/launch/setup.sh" --check
  [ "$status" -eq 0 ]
  [[ $output == "all "*" packages are installed" ]]
}

@test "--check lists missing packages and their purposes, exits 1 and installs nothing" {
  fake_installed libtorch-dev ninja-build
  run "$repository/launch/setup.sh" --check
  [ "$status" -eq 1 ]
  [[ $output == *"ninja-build "*"runs the build"* ]]
  [[ $output == *"libtorch-dev "*"reference engine"* ]]
  [[ $output != *cmake* ]]
  [ ! -e "$BATS_TEST_TMPDIR/apt.log" ]
}

@test "a package that was removed but not purged is missing" {
  fake dpkg-query <<<'for name in "$@"; do [[ $name == -* ]] || echo "$name config-files"; done'
  run "$repository/launch/setup.sh" --check
  [ "$status" -eq 1 ]
}

@test "installs only missing packages, without recommended ones, and waits for other apts" {
  fake_installed libtorch-dev ninja-build cmake
  run "$repository/launch/setup.sh"
  [ "$status" -eq 0 ]
  [[ $output == *"libtorch-dev "*"reference engine"* ]]
  run cat "$BATS_TEST_TMPDIR/apt.log"
  [ "$(grep -c update <<<"$output")" -eq 1 ]
  [[ ${lines[-2]} == *"DPkg::Lock::Timeout="*"install --no-install-recommends cmake ninja-build" ]]
  [[ ${lines[-1]} == *"DPkg::Lock::Timeout="*"install --no-install-recommends libtorch-dev" ]]
}

@test "one clear line when the package servers cannot be reached" {
  fake_installed ccache
  fake apt-get <<'SCRIPT'
case "$*" in
  *update*)
    echo "Err:1 http://mirror stable InRelease"
    echo "  Temporary failure resolving 'mirror'"
    ;;
  *) echo "E: Unable to locate package ccache" && exit 100 ;;
esac
SCRIPT
  run "$repository/launch/setup.sh"
  [ "$status" -eq 1 ]
  [[ $output == *"error: "*servers* ]]
  [[ $output == *"hint: "*"proxy"* ]]
}

@test "a required package that no source offers is an error, and the hint fits the system" {
  fake_installed libhwy-dev
  fake apt-get \
    <<<'[[ $* == *update* ]] || { echo "E: Unable to locate package libhwy-dev"; exit 100; }'
  run "$repository/launch/setup.sh"
  [ "$status" -eq 1 ]
  [[ $output == *"E: Unable to locate package libhwy-dev"* ]]
  [[ $output != *universe* ]]
  fake_system ubuntu 24.04
  run "$repository/launch/setup.sh"
  [ "$status" -eq 1 ]
  [[ $output == *"hint: "*"add-apt-repository universe"* ]]
}

# one_note: the last output has exactly one line "note: ", which names LibTorch and a way to it.
one_note() {
  [ "$status" -eq 0 ]
  [ "$(grep -c '^note: ' <<<"$output")" -eq 1 ]
  [[ $output == *"note: LibTorch "*CMAKE_PREFIX_PATH* ]]
}

@test "no source has LibTorch: one line, exit 0, and no BLAS for it" {
  fake_system ubuntu 24.04
  fake_installed libtorch-dev libopenblas0-pthread
  fake_candidates libtorch-dev
  run "$repository/launch/setup.sh" --check
  one_note
  run "$repository/launch/setup.sh"
  one_note
  [ ! -e "$BATS_TEST_TMPDIR/apt.log" ]
  fake_installed libtorch-dev libopenblas0-pthread ninja-build
  run "$repository/launch/setup.sh"
  one_note
  [[ $(<"$BATS_TEST_TMPDIR/apt.log") == *"install --no-install-recommends ninja-build" ]]
}

@test "a bare system, whose apt has no lists yet: checked again after the update" {
  fake_installed libtorch-dev libopenblas0-pthread ninja-build
  # No candidate for anything and no Packages file before the update. Then all but LibTorch.
  fake apt-cache <<'SCRIPT'
[[ -e $BATS_TEST_TMPDIR/updated ]] || { echo " 100 /var/lib/dpkg/status"; exit; }
(($# > 1)) || { echo " 500 http://mirror noble/universe amd64 Packages"; exit; }
[[ $2 == libtorch-dev ]] && echo "  Candidate: (none)" || echo "  Candidate: 1.0"
SCRIPT
  fake apt-get <<'SCRIPT'
[[ $* != *update* ]] || touch "$BATS_TEST_TMPDIR/updated"
echo "$*" >>"$BATS_TEST_TMPDIR/apt.log"
SCRIPT
  run "$repository/launch/setup.sh"
  one_note
  [[ $(<"$BATS_TEST_TMPDIR/apt.log") != *libtorch* ]]
}

@test "LibTorch that cannot be installed is no error where all required packages are there" {
  fake_installed libtorch-dev libopenblas0-pthread
  fake apt-get <<<'echo "E: Could not resolve mirror"; exit 100'
  run "$repository/launch/setup.sh"
  one_note
}

@test "a LibTorch that CMAKE_PREFIX_PATH names takes the place of the package" {
  fake_installed libtorch-dev libopenblas0-pthread
  mkdir -p "$BATS_TEST_TMPDIR/torch/share/cmake/Torch"
  touch "$BATS_TEST_TMPDIR/torch/share/cmake/Torch/TorchConfig.cmake"
  CMAKE_PREFIX_PATH=/nowhere:$BATS_TEST_TMPDIR/torch/share/cmake run "$repository/launch/setup.sh"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ ! -e "$BATS_TEST_TMPDIR/apt.log" ]
}

@test "neither root nor sudo: the hint has the command for root" {
  command -v setpriv >/dev/null || skip "no setpriv"
  ((EUID == 0)) || skip "needs root, to give it up"
  fake_installed ccache
  rm "$BATS_TEST_TMPDIR/bin/sudo"
  mkdir "$BATS_TEST_TMPDIR/path"
  local tool
  for tool in bash env dirname awk cat grep mktemp rm sed sort; do
    ln -s "$(command -v $tool)" "$BATS_TEST_TMPDIR/path/"
  done
  chmod -R a+rX "$BATS_TEST_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")" "$BATS_RUN_TMPDIR"
  cp -r "$repository/launch" "$BATS_TEST_TMPDIR/" # the checkout may be root's alone
  chmod -R a+rX "$BATS_TEST_TMPDIR/launch"
  run setpriv --reuid=65534 --clear-groups env PATH="$BATS_TEST_TMPDIR/bin:$BATS_TEST_TMPDIR/path" \
    "$BATS_TEST_TMPDIR/launch/setup.sh"
  [ "$status" -eq 1 ]
  [[ $output == *"without root or sudo"* ]]
  [[ $output == *"hint: "*"apt-get install --no-install-recommends ccache"* ]]
}

@test "not root: through sudo" {
  command -v setpriv >/dev/null || skip "no setpriv"
  ((EUID == 0)) || skip "needs root, to give it up"
  fake_installed ccache
  chmod -R a+rX "$BATS_RUN_TMPDIR"
  chmod a+rwx "$BATS_TEST_TMPDIR"
  cp -r "$repository/launch" "$BATS_TEST_TMPDIR/"
  chmod -R a+rX "$BATS_TEST_TMPDIR/launch"
  run setpriv --reuid=65534 --clear-groups "$BATS_TEST_TMPDIR/launch/setup.sh"
  [ "$status" -eq 0 ]
  run cat "$BATS_TEST_TMPDIR/apt.log"
  [[ ${lines[0]} == sudo ]]
  [[ ${lines[-1]} == *" install "*" ccache" ]]
}

@test "systems whose package names are known" {
  local system
  for system in "debian 12" "debian 13" "debian " "ubuntu 24.04" "ubuntu 26.04"; do
    fake_system "${system% *}" "${system#* }"
    run "$repository/launch/setup.sh" --check
    [ "$status" -eq 0 ]
  done
}

@test "any other system gets the list of packages" {
  local system
  for system in "fedora 41" "ubuntu 22.04" "debian 11"; do
    fake_system "${system% *}" "${system#* }"
    run "$repository/launch/setup.sh"
    [ "$status" -eq 2 ]
    [[ $output == "error: no package list for $system"* ]]
    [[ $output == *"libhdf5-dev "*"checkpoints"* ]]
    [[ $output == *"MNIST_DIST_SETUP=skip"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/apt.log" ]
  done
}

@test "warns when LibTorch would get the reference BLAS" {
  fake update-alternatives \
    <<<'echo "libblas.so.3-x86_64-linux-gnu manual /usr/lib/x86_64-linux-gnu/blas/libblas.so.3"'
  run "$repository/launch/setup.sh"
  [ "$status" -eq 0 ]
  [[ $output == *"40 times slower"* ]]
  [[ $output == *"update-alternatives --auto libblas.so.3-x86_64-linux-gnu" ]]
}

@test "an old cmake first in PATH is rejected" {
  fake cmake <<<'echo "cmake version 3.9.1"'
  run "$repository/launch/setup.sh"
  [ "$status" -eq 1 ]
  [[ $output == *"bin/cmake: too old (got 3.9.1"* ]]
}

@test "--help" {
  run "$repository/launch/setup.sh" --help
  [ "$status" -eq 0 ]
  [[ $output == usage:* ]]
}

@test "--tests: packages for tests of clusters, without starting services now or at boot" {
  fake_installed openssh-server slurmd
  export MNIST_DIST_POLICY_RC=$BATS_TEST_TMPDIR/policy-rc.d
  fake apt-get <<'SCRIPT'
[[ $* == *install* ]] || exit 0
{ "$MNIST_DIST_POLICY_RC"; echo "policy $?"; echo "apt-get $*"; } >>"$BATS_TEST_TMPDIR/apt.log"
SCRIPT
  fake systemctl <<<'echo "systemctl $*" >>"$BATS_TEST_TMPDIR/apt.log"'
  run "$repository/launch/setup.sh"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  run "$repository/launch/setup.sh" --tests --check
  [ "$status" -eq 1 ]
  [[ $output == *"slurmd "*"a node"* ]]
  run "$repository/launch/setup.sh" --tests
  [ "$status" -eq 0 ]
  [ ! -e "$MNIST_DIST_POLICY_RC" ]
  run grep -v sudo "$BATS_TEST_TMPDIR/apt.log"
  [[ ${lines[0]} == "policy 101" ]]
  [[ ${lines[1]} == *" openssh-server slurmd" ]]
  [[ ${lines[2]} == "systemctl disable ssh.service ssh.socket" ]]
  [[ ${lines[3]} == "systemctl disable slurmd.service" ]]
}
