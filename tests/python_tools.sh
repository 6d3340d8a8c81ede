#!/usr/bin/env bash
# python_tools.sh FOLDER REQUIREMENTS [OPTIONS]: a private virtual environment in FOLDER for tests,
# with the packages of the file REQUIREMENTS. OPTIONS go to Python's venv. Made once, and again when
# the file changes. Exit 77, with the reason, if it cannot be made. Then the tests that need it are
# skipped.
set -euo pipefail
folder=$1 wanted=$2
shift 2

skip() {
  echo "tests that need $folder are skipped: $1"
  exit 77
}

mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9
if cmp -s "$wanted" "$folder/made-of"; then exit; fi
# An incomplete one is useless.
rm -rf "${folder:?}"/{bin,lib,lib64,include,made-of}
# Debian's Python first: only it finds Debian's PyTorch, and one in PATH may have no venv.
for python in /usr/bin/python3 python3; do
  ! "$python" -m venv "$@" "$folder" >"$folder/log" 2>&1 || break
done
[[ -x $folder/bin/pip ]] ||
  skip "python3 cannot make a virtual environment (apt-get install python3-venv)"
# A start compiles the modules that it needs.
"$folder/bin/pip" install --quiet --disable-pip-version-check --no-compile -r "$wanted" \
  >"$folder/log" 2>&1 ||
  skip "pip could not install the packages of $wanted: $(tail -n 1 "$folder/log")"
cp "$wanted" "$folder/made-of"
