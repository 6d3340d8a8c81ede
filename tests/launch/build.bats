#!/usr/bin/env bats
# How the program is built: options that would change its results, its revision, line ends. CTest
# sets BUILD and CXX.
bats_require_minimum_version 1.5.0

repository=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# compiles OPTION...: whether a file of ours, compiled with them, is accepted.
compiles() {
  echo "int x;" |
    "$CXX" -std=c++20 -fsyntax-only -include "$repository/src/base/exact_math.h" "$@" -x c++ -
}

@test "options that change results are rejected at compile time" {
  run -0 compiles -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math
  local option
  for option in -ffast-math -Ofast -ffinite-math-only -funsafe-math-optimizations \
    -freciprocal-math -fno-signed-zeros; do
    run compiles "$option"
    # clang has no macro for parts of -ffast-math. The configure step rejects those by name.
    [[ $status != 0 ]] || "$CXX" --version | grep -q clang ||
      { echo "$option was accepted" && return 1; }
  done
  run ! compiles -ffast-math
}

@test "every file of ours is compiled with that check" {
  [ -e "$BUILD/compile_commands.json" ]
  python3 - "$BUILD/compile_commands.json" "$repository" <<'SCRIPT'
import json, sys
commands = [c for c in json.load(open(sys.argv[1])) if c["file"].startswith(sys.argv[2] + "/src/")]
assert len(commands) > 50
missing = [c["file"] for c in commands if "base/exact_math.h" not in c.get("command", "")]
assert not missing, missing
SCRIPT
}

@test "options that change results are rejected when the build is configured" {
  configure() {
    cmake -S "$repository" -B "$BATS_TEST_TMPDIR/build" -G Ninja -DMNIST_DIST_TORCH=OFF \
      -DMNIST_DIST_TESTS=OFF
  }
  local variable
  for variable in CXXFLAGS=-ffast-math "CXXFLAGS=-O2 -Ofast" CFLAGS=-funsafe-math-optimizations \
    LDFLAGS=-ffast-math CUDAFLAGS=--use_fast_math \
    NVCC_APPEND_FLAGS=-ftz=true CXXFLAGS=-fassociative-math \
    CXX="${CXX:-c++} -funsafe-math-optimizations" CC="cc -Ofast" \
    CUDAFLAGS=-fdenormal-fp-math=preserve-sign \
    CUDAFLAGS=-fdenormal-fp-math-f32=ieee,positive-zero; do
    rm -rf "$BATS_TEST_TMPDIR/build"
    run env "$variable" bash \
      -c "$(declare -f configure); repository=$repository BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR; \
configure"
    [ "$status" -ne 0 ]
    [[ $output == *"changes results"* ]]
  done
}

# revision FOLDER: the revision that a program built from there prints.
revision() {
  cmake -DSOURCE_DIR="$1" -DOUT="$BATS_TEST_TMPDIR/revision.cpp" \
    -P "$repository/cmake/Revision.cmake"
  sed -n 's/.*revision = "\(.*\)";/\1/p' "$BATS_TEST_TMPDIR/revision.cpp"
}

@test "a revision is that of the source folder's own repository only" {
  local git=(git -C "$BATS_TEST_TMPDIR/outer" -c user.name=n -c user.email=e)
  mkdir -p "$BATS_TEST_TMPDIR/outer/source"
  [ -z "$(revision "$BATS_TEST_TMPDIR/outer/source")" ]
  "${git[@]}" init -q
  touch "$BATS_TEST_TMPDIR/outer/source/file"
  "${git[@]}" add . && "${git[@]}" commit -qm one
  [ "$(revision "$BATS_TEST_TMPDIR/outer")" = "$("${git[@]}" rev-parse --short=12 HEAD)" ]
  # An archive unpacked inside of another project, also while that one's git runs the build.
  [ -z "$(revision "$BATS_TEST_TMPDIR/outer/source")" ]
  [ -z "$(GIT_DIR=$BATS_TEST_TMPDIR/outer/.git revision "$BATS_TEST_TMPDIR/outer/source")" ]
  ln -s outer "$BATS_TEST_TMPDIR/link"
  [ -n "$(revision "$BATS_TEST_TMPDIR/link")" ]
  echo more >"$BATS_TEST_TMPDIR/outer/source/file"
  [[ $(revision "$BATS_TEST_TMPDIR/outer") == *-dirty ]]
}

@test "a clone made with Windows line ends has scripts that run" {
  git -C "$repository" rev-parse --show-toplevel >/dev/null 2>&1 || skip "not a git repository"
  git -c safe.directory='*' -c core.autocrlf=true clone -q "$repository" "$BATS_TEST_TMPDIR/clone"
  # -I: text files only.
  (cd "$BATS_TEST_TMPDIR/clone" && ! grep -lIr $'\r$' launch configs src docs)
  run -0 "$BATS_TEST_TMPDIR/clone/launch/local.sh" --help
}
