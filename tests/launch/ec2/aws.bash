# shellcheck shell=bash
# A simulated AWS for one Bats file, and nodes that are folders, for the ec2 tests.

# shellcheck disable=SC2034  # used by the tests
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
source "$repository/tests/wait_for.bash"
source "$repository/tests/launch/results.bash"
tools=${MNIST_DIST_EC2_TOOLS:-$repository/build/ec2-tools}

need_tools() {
  [[ -e $tools/made-of ]] ||
    skip "no AWS CLI, simulated AWS and cfn-lint: launch.ec2.tools prints the reason"
}

# start_aws: one server per file. Call it from setup_file.
start_aws() {
  # Bats has no skip here. Each test does it.
  [[ -e $tools/made-of ]] || return 0
  export AWS_FOLDER=$BATS_FILE_TMPDIR/aws
  mkdir "$AWS_FOLDER"
  "$tools/bin/python" "$repository/tests/launch/ec2/aws_server.py" \
    "$AWS_FOLDER" >"$AWS_FOLDER/log" 2>&1 3>&- &
  echo $! >"$AWS_FOLDER/pid"
  wait_for 180 test -s "$AWS_FOLDER/port"
  # Nothing of the caller's own AWS settings reaches a test, and no test reaches AWS.
  local name
  for name in $(compgen -e AWS_ | grep -v AWS_FOLDER); do unset "$name"; done
  AWS_ENDPOINT_URL=http://127.0.0.1:$(<"$AWS_FOLDER/port")
  export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
    AWS_DEFAULT_REGION=us-east-1
  export AWS_CONFIG_FILE=$BATS_FILE_TMPDIR/none AWS_SHARED_CREDENTIALS_FILE=$BATS_FILE_TMPDIR/none \
    AWS_EC2_METADATA_DISABLED=true
  # A path of its own: a socket's may have 107 bytes.
  AWS_SOCKET=$(mktemp -d)/cli
  export AWS_SOCKET
  "$tools/bin/python" "$repository/tests/launch/ec2/aws_cli.py" \
    "$AWS_SOCKET" >"$AWS_FOLDER/cli.log" 2>&1 3>&- &
  echo $! >>"$AWS_FOLDER/pid"
  wait_for 180 test -S "$AWS_SOCKET"
}

stop_aws() {
  # shellcheck disable=SC2046  # one word per process
  [[ ! -e ${AWS_FOLDER:-}/pid ]] || kill $(<"$AWS_FOLDER/pid")
  rm -rf "$(dirname "${AWS_SOCKET:-$BATS_FILE_TMPDIR/x/x}")"
}

# fresh_aws: an empty account without faults. Call it from setup.
fresh_aws() {
  need_tools
  find "$AWS_FOLDER" -type f ! -name port ! -name pid ! -name '*log' -delete
  curl -fsS -o /dev/null -X POST "$AWS_ENDPOINT_URL/moto-api/reset"
  export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state MNIST_DIST_POLL_SECONDS=0.3 \
    NODES=$BATS_TEST_TMPDIR/nodes
  mkdir -p "$NODES" "$BATS_TEST_TMPDIR/bin"
  PATH=$BATS_TEST_TMPDIR/bin:$tools/bin:$PATH
  fake_ssh
  fast_aws
  cd "$BATS_TEST_TMPDIR" || return
}

# fast_aws: the same CLI without its start-up time. plain_aws is the program itself.
fast_aws() {
  printf '#!/bin/sh\nexec %q -I -S %q %q "$@"\n' "$(readlink -f "$tools/bin/python")" \
    "$repository/tests/launch/ec2/aws_cli.py" "$AWS_SOCKET" >"$BATS_TEST_TMPDIR/bin/aws"
  chmod +x "$BATS_TEST_TMPDIR/bin/aws"
}
plain_aws() {
  rm "$BATS_TEST_TMPDIR/bin/aws"
  hash -r
}

# A node is a folder, $NODES/N. The file "down" in it is a node that does not respond. ssh runs
# commands there.
fake_ssh() {
  cat >"$BATS_TEST_TMPDIR/bin/ssh" <<'SCRIPT'
#!/bin/bash
while [[ $1 == -* ]]; do shift $(($([[ $1 == -[Fio] ]] && echo 2 || echo 1))); done
host=${1#*@} && shift
number() { awk -v host="$host" '$1 == host || $2 == host { print $3 }' "$NODES/map" 2>/dev/null; }
if [[ -z $(number) ]]; then
  aws ec2 describe-instances --output text --query "Reservations[].Instances[].[PublicIpAddress,\
PrivateIpAddress,Tags[?Key=='mnist-dist:node'].Value|[0]]" >"$NODES/map"
fi
n=$(number)
echo "$n: $*" >>"$NODES/log"
[[ -n $n && ! -e $NODES/$n/down ]] || {
  echo "ssh: connect to host $host port 22: Connection timed out" >&2
  exit 255
}
mkdir -p "$NODES/$n" && cd "$NODES/$n" && HOME=$PWD exec bash -c "$*"
SCRIPT
  chmod +x "$BATS_TEST_TMPDIR/bin/ssh"
}

ec2() { run "$repository/launch/ec2.sh" "$@"; }

# up ARGUMENTS...: a cluster of one small node without set-up by default.
up() { ec2 up --instance c7a.4xlarge --from 203.0.113.7/32 --bare --yes "$@"; }

no_stack() { ! stack_exists; }
stack_exists() {
  aws cloudformation describe-stacks --stack-name mnist-dist-main >/dev/null 2>&1
}

# template_data: the contents of the launch template.
template_data() {
  # shellcheck disable=SC2016  # AWS's word
  aws ec2 describe-launch-template-versions --versions '$Latest' --launch-template-id "$(
    aws ec2 describe-launch-templates --query 'LaunchTemplates[0].LaunchTemplateId' --output text
  )" --query 'LaunchTemplateVersions[0].LaunchTemplateData'
}

ids() {
  aws ec2 describe-instances --filters Name=instance-state-name,Values=running \
    --query 'Reservations[].Instances[].InstanceId' --output text
}

# empty_account: no instance, volume, interface, address, key, template, role, schedule or stack.
# The default network's own group is AWS's.
empty_account() {
  local left
  left=$(ids)$(
    aws ec2 describe-volumes --query 'Volumes[].VolumeId' --output text
    aws ec2 describe-network-interfaces --query 'NetworkInterfaces[].NetworkInterfaceId' \
      --output text
    aws ec2 describe-addresses --query 'Addresses[].PublicIp' --output text
    aws ec2 describe-key-pairs --query 'KeyPairs[].KeyName' --output text
    aws ec2 describe-launch-templates --query 'LaunchTemplates[].LaunchTemplateName' --output text
    aws ec2 describe-security-groups --query 'SecurityGroups[?GroupName!=`default`].GroupName' \
      --output text
    aws iam list-roles --query 'Roles[].RoleName' --output text
    aws scheduler list-schedules --query 'Schedules[].Name' --output text
    aws cloudformation describe-stacks --query 'Stacks[].StackName' --output text
  )
  [[ -z $left ]] || { echo "left: $left" && return 1; }
}
