#!/usr/bin/env bash
# tools.sh FOLDER: a private virtual environment with the AWS CLI, a simulated AWS and cfn-lint, for the tests alone. Made once;
# again when requirements.txt changes. Exit 77, and why, where it cannot be made: then the tests that need it are skipped.
set -euo pipefail
folder=$1
wanted=$(dirname "${BASH_SOURCE[0]}")/requirements.txt

skip() {
  echo "ec2 tests are skipped: $1"
  exit 77
}

mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9
if cmp -s "$wanted" "$folder/made-of"; then exit; fi
# A half-made one is of no use.
rm -rf "${folder:?}"/{bin,lib,lib64,include,made-of}
# Not the first python3 in PATH: one that a version manager put there may have no venv.
for python in python3 /usr/bin/python3; do
  ! "$python" -m venv "$folder" >"$folder/log" 2>&1 || break
done
[[ -x $folder/bin/pip ]] || skip "python3 cannot make a virtual environment (apt-get install python3-venv)"
"$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" >"$folder/log" 2>&1 ||
  skip "pip could not install awscli, moto and cfn-lint: $(tail -n 1 "$folder/log")"
cp "$wanted" "$folder/made-of"
