# launch/ec2.sh run in one piece: a simulated AWS whose two instances are network namespaces with
# the addresses that it gave them (four_hosts.bash). From ec2.sh on everything is real: ssh, rsync,
# job.sh, hosts.sh, preflight.sh, mpirun, ranks. To be run by private.sh.
bats_require_minimum_version 1.5.0
load ../cli/helpers
load four_hosts
load ../launch/ec2/aws

# Long enough to be interrupted.
LONG=("${QUICK[@]}" --set train.epochs=15 --set train.checkpoint_seconds=0.2)

setup_file() {
  start_aws
  make_switch
  # This machine's own address in the instances' subnet.
  ip address add 172.31.15.254/20 dev switch
}
teardown_file() { stop_aws; }

setup() {
  fresh_aws
  rm "$BATS_TEST_TMPDIR/bin/ssh"
  hash -r
  make_checkout
  "$checkout/launch/ec2.sh" up --instance c7a.4xlarge --nodes 2 --from 203.0.113.7/32 --bare --yes
  make_instances
}

teardown() {
  [[ -n ${HOSTS_FOLDER:-} ]] || return 0
  stop_hosts
  ip link delete port1
  ip link delete port2
}

# A checkout whose set-up installs nothing, with prepared data, and that looks for notices often.
make_checkout() {
  checkout=$BATS_TEST_TMPDIR/checkout
  mkdir -p "$checkout/data"
  cp -r "$SOURCE_DIR"/{launch,configs,CMakeLists.txt} "$checkout"
  cp "$TEST_DATA" "$checkout/data/mnist.h5"
  printf '#!/bin/bash\n' >"$checkout/launch/setup.sh"
  sed -i 's/SECONDS:-5}/SECONDS:-0.3}/' "$checkout/launch/ec2/node/notice.sh"
}

# make_instances: namespaces with the addresses of the instances. Each has its own home folder, and
# a build there is a copy of this one.
make_instances() {
  local n public private
  export HOSTS_FOLDER=$BATS_TEST_TMPDIR/hosts
  mkdir -p "$HOSTS_FOLDER"
  ssh-keygen -q -t ed25519 -N '' -f "$HOSTS_FOLDER/host_key"
  ssh-keygen -y -f "$XDG_STATE_HOME/mnist-dist/ec2/us-east-1/main/key" >"$HOSTS_FOLDER/key.pub"
  { echo 'ubuntu:x:0:0::/run/ubuntu:/bin/bash' && cat /etc/passwd; } >"$HOSTS_FOLDER/passwd"
  cat >"$HOSTS_FOLDER/cmake" <<SCRIPT
#!/bin/bash
while (($#)) && [[ \$1 != --build ]]; do shift; done
[[ -z \${2:-} ]] || cp "$MNIST_DIST" "\$2"
SCRIPT
  chmod +x "$HOSTS_FOLDER/cmake"
  mkdir -p /run/ubuntu
  while read -r n public private; do
    make_host "$HOSTS_FOLDER" "$n" "$private/20"
    # As on AWS, the public address is not one of its network card.
    on "host$n" ip address add "$public/32" dev lo
    ip route add "$public/32" via "$private"
    mkdir "$HOSTS_FOLDER/home$n"
    on "host$n" mount --bind "$HOSTS_FOLDER/home$n" /run/ubuntu
    on "host$n" mount --bind "$HOSTS_FOLDER/passwd" /etc/passwd
    on "host$n" mount --bind "$HOSTS_FOLDER/cmake" "$(command -v cmake)"
  done < <(aws ec2 describe-instances --output text --query "Reservations[].Instances[].[
    Tags[?Key=='mnist-dist:node'].Value|[0],PublicIpAddress,PrivateIpAddress]" | sort)
}

@test "ec2.sh run trains on two nodes, and copies the bytes of a single process here" {
  run -0 "$checkout/launch/ec2.sh" run "${QUICK[@]}" --set train.epochs=1 --run-dir runs/r
  [[ $output == *"2 ranks: 172.31."*" x 1, 172.31."*" x 1"* ]]
  [ "$(field runs/r/summary.json ranks)" -eq 2 ]
  "$MNIST_DIST" "${QUICK[@]}" --set train.epochs=1 --threads 2 --run-dir alone
  [ "$(sha_of runs/r)" = "$(sha_of alone)" ]
  "$checkout/launch/ec2.sh" down --yes
  empty_account
}

@test "a spot notice on the second node: the run resumes on the first, to the same bytes" {
  mkdir imds
  on host2 ip link set lo up
  on host2 ip address add 169.254.169.254/32 dev lo
  start_on host2 python3 "$SOURCE_DIR/tests/launch/ec2/imds.py" "$PWD/imds" 169.254.169.254 80
  "$checkout/launch/ec2.sh" run "${LONG[@]}" >log.txt 2>&1 3>&- &
  local job=$!
  wait_for 100 compgen -G "$HOSTS_FOLDER/home1/mnist-dist/runs/*/checkpoint.h5"
  echo '{"action": "terminate", "time": "2026-11-26T10:02:00Z"}' >imds/notice
  wait "$job" || { cat log.txt && false; }
  cat log.txt
  grep -q "^spot interruption at .*on host2: the job continues" log.txt
  grep -q "^resumed after epoch" log.txt
  [ "$(field runs/*/summary.json ranks)" -eq 1 ]
  "$MNIST_DIST" "${LONG[@]}" --threads 2 --run-dir alone
  [ "$(sha_of runs/step3-*)" = "$(sha_of alone)" ]
}
