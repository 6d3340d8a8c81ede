# Making the data file: finding, keeping, replacing and rejecting files. Errors follow the lines of
# progress.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  unset MNIST_DATA_DIR
}

draw() { "$MNIST_DIST" prepare --synthetic --count 1200 "$@"; }

# overwrite FILE OFFSET TEXT
overwrite() { printf %s "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

@test "drawn digits are made, labelled as not MNIST, and kept" {
  run -0 --separate-stderr draw
  [ -s data/mnist.h5 ]
  [[ "$output" == *"synthetic digits: not MNIST"* ]]
  [[ "$output" == *"written, verified"* ]]
  [[ "$output" =~ training\ +1200 ]]
  [[ "$output" =~ test\ +200 ]]
  before=$(sha256sum data/mnist.h5)
  run -0 draw
  [[ "$output" == *"valid: kept"* ]]
  [ "$(sha256sum data/mnist.h5)" = "$before" ]
  [ "$(ls data)" = mnist.h5 ]
}

@test "without a raw folder, the MNIST that comes with the program is used, and named" {
  run -0 --separate-stderr "$MNIST_DIST" prepare
  [[ "$stderr" == *"reading MNIST from "*"/data/mnist"* ]]
  [[ "$output" == *"64e77be346d4a4da65b8b69dca50e8b4cb6aca883149677d196c80e6bbfef9da"* ]]
}

# A folder "raw" with links to three whole files. The fourth is the caller's.
three_of_four() {
  mkdir raw
  ln -s "$SOURCE_DIR"/data/mnist/*.gz raw
  rm raw/t10k-labels-idx1-ubyte.gz
}

@test "a web page instead of a file is named, and a complete form of the file is used" {
  three_of_four
  echo '<!DOCTYPE html><html>403 Forbidden</html>' >raw/t10k-labels-idx1-ubyte.gz
  rejects 3 "raw/t10k-labels-idx1-ubyte.gz: " "$MNIST_DIST" prepare --raw raw
  [[ "${stderr_lines[-2]}" == *"web page"* ]]
  zcat "$SOURCE_DIR/data/mnist/t10k-labels-idx1-ubyte.gz" >raw/t10k-labels-idx1-ubyte
  run -0 --separate-stderr "$MNIST_DIST" prepare --raw raw --out one.h5
  [[ "$stderr" != *note* ]]
  mkdir raw/other && mv raw/t10k-labels-idx1-ubyte raw/other &&
    mv raw/other raw/t10k-labels-idx1-ubyte
  mv raw/t10k-labels-idx1-ubyte/* raw/t10k-labels-idx1-ubyte/t10k-labels.idx1-ubyte
  run -0 --separate-stderr "$MNIST_DIST" prepare --raw raw --out two.h5
  [[ "$stderr" == *"note: raw/t10k-labels-idx1-ubyte.gz: "*"Using \
raw/t10k-labels-idx1-ubyte/t10k-labels.idx1-ubyte"* ]]
  cmp <(h5dump -d /train/chunk_sha256 one.h5 | tail -n +2) \
    <(h5dump -d /train/chunk_sha256 two.h5 | tail -n +2)
}

@test "a gzip bomb: exit 3 in little memory" {
  three_of_four
  { printf '\0\0\010\001\0\0\047\020' && head -c 400M /dev/zero; } |
    gzip -1 >raw/t10k-labels-idx1-ubyte.gz
  run python3 -c 'import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print("exit", code, "with", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, "KiB")
sys.exit(code != 3 or resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 150_000)' \
    "$MNIST_DIST" prepare --raw raw
  [ "$status" -eq 0 ]
  [[ "$output" == *"t10k-labels-idx1-ubyte.gz: too long"* ]]
}

@test "training makes only the default data file, and a different missing name is a mistake" {
  rejects 3 "data/mnits.h5" "$MNIST_DIST" --set data.file=data/mnits.h5 --run-dir r
  [ ! -e data ]
  [ ! -e r ]
  run -0 --separate-stderr "$MNIST_DIST" --set data.file=./data/mnist.h5 --set train.max_steps=1 \
    --run-dir r
  [[ "$stderr" == *"reading MNIST from "*"/data/mnist"* ]]
}

@test "an installed program has MNIST beside it, read-only" {
  mkdir -p usr/bin usr/share/mnist-dist/data work
  cp "$MNIST_DIST" usr/bin/ && cp -r "$SOURCE_DIR/data/mnist" usr/share/mnist-dist/data/
  chmod -R a-w usr
  cd work
  run -0 --separate-stderr ../usr/bin/mnist-dist prepare
  chmod -R u+w ../usr
  [[ "$stderr" == *"reading MNIST from $BATS_TEST_TMPDIR/usr/share/mnist-dist/data/mnist"* ]]
}

@test "a damaged file is named and replaced by force" {
  draw
  before=$(sha256sum data/mnist.h5)
  overwrite data/mnist.h5 500000 damage
  rejects 3 "/train/images" draw
  [[ "${stderr_lines[-1]}" == *"--force"* ]]
  draw --force
  [ "$(sha256sum data/mnist.h5)" = "$before" ]
}

@test "damage in HDF5's own bookkeeping is two lines as well: HDF5 adds nothing at exit" {
  draw
  overwrite data/mnist.h5 185 damage
  run --separate-stderr -3 "$MNIST_DIST" --run-dir r
  [[ "${stderr_lines[0]}" == "error: "*"data/mnist.h5"*"/train/images"* ]]
  [ "${#stderr_lines[@]}" -eq 2 ]
}

@test "a full disk: exit 3, nothing left behind" {
  mkdir small
  mount -t tmpfs -o size=512k tmpfs small 2>/dev/null || skip "needs the right to mount"
  run --separate-stderr draw --out small/mnist.h5
  left=$(ls small)
  umount small
  echo "exit $status, $stderr"
  [ "$status" -eq 3 ]
  [[ "${stderr_lines[-2]}" == "error: "*" small/mnist.h5: No space left"* ]]
  [ -z "$left" ]
}

@test "a limit on file sizes: exit 3, nothing left behind" {
  small() { (ulimit -f 300 && draw); }
  rejects 3 "data/mnist.h5: File too large" small
  [[ "${stderr_lines[-1]}" == *"ulimit -f"* ]]
  [ -z "$(ls data)" ]
}

@test "counts are for drawn digits only" {
  rejects 2 "--count" "$MNIST_DIST" prepare --count 100
  rejects 2 "--count" "$MNIST_DIST" prepare --synthetic --count 0
  rejects 2 "--raw" "$MNIST_DIST" prepare --synthetic --raw .
}

@test "a full-size file takes seconds" {
  start=$SECONDS
  run -0 "$MNIST_DIST" prepare --synthetic
  [ $((SECONDS - start)) -lt 30 ]
}
