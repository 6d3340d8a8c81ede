#!/usr/bin/env bash
# Measures sweeps of very many seeds: time and memory of a start, of a resume and of a report.
# One seed is trained. The rows of all others are copies of its row with other numbers.
# usage: tests/million.sh [--seeds N]   (default: 1000000, which takes 5 GB of disk)
# Environment: MNIST_DIST (build/mnist-dist), TMPDIR
set -euo pipefail
export LC_ALL=C NO_COLOR=1
seeds=1000000
case ${1:-} in
  --seeds) seeds=${2:?} ;;
  -h | --help) sed -n '2,/^set/{/^set/d; s/^# \?//p}' "$0" && exit ;;
esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${MNIST_DIST:-$here/build/mnist-dist}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$program" prepare --synthetic --count 2000 --out digits.h5 >prepare.log 2>&1
cat >tiny.toml <<'RECIPE'
[train]
epochs = 14
[model]
layer = [{ conv = 10, kernel = 3, relu = true }, { pool = "global_average" }]
RECIPE
sweep=("$program" sweep --config ./tiny.toml --set data.file=digits.h5 --set 'data.split=[600,60]'
  --threads 1 --target 0 --out s)

# measured NAME COMMAND...: wall time and peak memory of a command, to its end or to a signal.
measured() {
  local name=$1
  shift
  python3 - "$name" "$@" <<'PYTHON'
import resource, subprocess, sys, time
begin = time.time()
code = subprocess.call(sys.argv[2:], stdout=open("out.log", "w"), stderr=subprocess.STDOUT)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
seconds = time.time() - begin
print(f"{sys.argv[1]:<45} {seconds:8.1f} s {peak:8.0f} MB  exit code {code}", flush=True)
PYTHON
}

"${sweep[@]}" --seeds 0 >first.log 2>&1
cp s/rows/0xxx/seed0.csv row.csv
rm -rf s
# Stopped by a signal as soon as its first seed has a row.
first_seed() {
  "${sweep[@]}" --seeds "0..$((seeds - 1))" &
  local pid=$!
  until [[ -n $(find s/rows -name 'seed*.csv' -print -quit 2>/dev/null) ]]; do sleep 0.05; done
  kill -TERM $pid
  wait $pid
}
export -f first_seed
measured "one seed of the first" "${sweep[@]}" --seeds 0
rm -rf s
measured "start with no rows, one seed, stop" bash -c "$(declare -p sweep seeds); first_seed"
rm -rf s/rows/*
python3 - "$seeds" <<'PYTHON'
import os, sys
row = open("row.csv").read().split("\n")
body = [line.split(",", 1)[1] if line.startswith("0,") else None for line in row]
columns = row[0].split(",")
hashes = [i - 1 for i, name in enumerate(columns) if name.endswith("sha256")]
def numbered(seed):  # no two seeds have the same weights
    cells = body[1].split(",")
    for i in hashes:
        cells[i] = f"{seed:064x}"
    return [None, ",".join(cells)] + body[2:-1]
for seed in range(1, int(sys.argv[1])):
    if seed % 1000 == 1 or seed % 1000 == 0:
        folder = f"s/rows/{seed // 1000}xxx"
        os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/seed{seed}.csv", "w") as file:
        for line, rest in zip(row[:-1], numbered(seed)):
            file.write(line + "\n" if rest is None else f"{seed},{rest}\n")
PYTHON
sync
measured "resume with all rows but one, tables, report" "${sweep[@]}" --seeds "0..$((seeds - 1))"
measured "a process that ends after it" "${sweep[@]}" --seeds "0..$((seeds - 1))"
measured "report" "$program" report s
du -sh --apparent-size s/rows | sed 's/^/rows: /'
find s -maxdepth 1 -name "*.csv" -printf "%p: %s bytes\n"
