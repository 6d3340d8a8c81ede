#!/usr/bin/env bash
# tools.sh FOLDER: a private virtual environment with TensorBoard. Made once, and again when
# requirements.txt changes. Exit 77, with the reason, where it cannot be made: then its tests are
# skipped.
set -euo pipefail
folder=$1
wanted=$(dirname "${BASH_SOURCE[0]}")/requirements.txt

skip() {
  echo "TensorBoard's tests are skipped: $1"
  exit 77
}

mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9
if cmp -s "$wanted" "$folder/made-of"; then exit; fi
rm -rf "${folder:?}"/{bin,lib,lib64,include,made-of}
/usr/bin/python3 -m venv "$folder" >"$folder/log" 2>&1 ||
  skip "python3 cannot make a virtual environment (apt-get install python3-venv)"
"$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" >"$folder/log" 2>&1 ||
  skip "pip could not install it: $(tail -n 1 "$folder/log")"
cp "$wanted" "$folder/made-of"
