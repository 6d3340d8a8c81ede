#!/usr/bin/env bats
# launch/ec2.sh up, status, cost, down: through the real AWS CLI against a simulated AWS.

load aws

setup_file() { start_aws; }
teardown_file() { stop_aws; }
setup() { fresh_aws; }

@test "up, status, down: a cluster is created, shown, and deleted without rest" {
  ec2 up --name anna --instance g4dn.12xlarge --nodes 2 --ttl 90m --from 203.0.113.7/32 --bare --yes
  [ "$status" -eq 0 ]
  shows "cluster anna: 2 x g4dn.12xlarge (4 x T4 (16 GiB, sm_75), 48 vCPUs) in us-east-1, on \
demand" \
    "\$7.82 per hour" "after 1:30 h" "at most \$11.74" \
    "ssh:     only from 203.0.113.7/32"
  [ "$(ids | wc -w)" -eq 2 ]

  ec2 status --name anna
  [ "$status" -eq 0 ]
  shows "CREATE_COMPLETE, 2 x g4dn.12xlarge" "age 0:00 h of 1:30 h" "in 1:30 h" \
    "cost so far about \$0.0" "node 1  i-" "node 2  i-" "  running  "
  plain_aws
  ec2 status
  shows "anna: CREATE_COMPLETE, 2 x g4dn.12xlarge"
  ec2 cost --name anna
  shows "cluster anna: about \$0.0" "at most \$11.74"
  fast_aws

  ec2 down --name anna --yes
  [ "$status" -eq 0 ]
  shows "nothing of cluster anna"
  empty_account
  [ ! -e "$XDG_STATE_HOME/mnist-dist/ec2/us-east-1/anna" ]
  ec2 down --name anna
  [ "$status" -eq 0 ]
}

@test "the stack's requests to AWS: TTL, IMDSv2, terminate on shutdown, ssh from one address, EFA" {
  ec2 up --instance g5.12xlarge --nodes 2 --ttl 45m --from 203.0.113.7/32 --bare --yes --spot
  [ "$status" -eq 0 ]
  local instance
  instance=$(ids | awk '{ print $1 }')
  [ "$(aws ec2 describe-instances --instance-ids "$instance" --output text \
    --query 'Reservations[].Instances[].[MetadataOptions.HttpTokens,InstanceLifecycle,KeyName]' |
    xargs)" = "required spot mnist-dist-main" ]
  [ "$(aws ec2 describe-instance-attribute --instance-id "$instance" \
    --attribute instanceInitiatedShutdownBehavior --query InstanceInitiatedShutdownBehavior.Value \
    --output text)" = terminate ]
  aws ec2 describe-instance-attribute --instance-id "$instance" --attribute userData \
    --query UserData.Value --output text | base64 -d >user-data
  grep -q '+ 45 \* 60' user-data
  output=$(template_data)
  shows '"InterfaceType": "efa"' '"VolumeType": "gp3"' '"MarketType": "spot"' '"GroupName": '
  aws ec2 describe-security-groups --filters Name=tag:mnist-dist:cluster,Values=main \
    --query 'SecurityGroups[].IpPermissions[].IpRanges[].CidrIp' --output text |
    grep -qx '203.0.113.7/32'
  aws ec2 describe-tags --filters "Name=resource-id,Values=$instance" --query 'Tags[].[Key,Value]' \
    --output text >tags
  grep -q $'^project\tmnist-dist' tags
  grep -q $'^owner\tmoto' tags
  grep -q $'^ttl\t45' tags
  # Without --s3 nodes have no right at all.
  [ -z "$(aws iam list-instance-profiles --query 'InstanceProfiles[].Arn' --output text)" ]
}

@test "--s3: a role for one folder of one bucket, and no more" {
  up --s3 s3://my-bucket/some/folder
  [ "$status" -eq 0 ]
  local role
  role=$(aws iam list-instance-profiles \
    --query 'InstanceProfiles[].Roles[].RoleName' --output text)
  aws iam get-role-policy --role-name "$role" --policy-name results --query PolicyDocument >policy
  grep -q 's3:::my-bucket/some/folder/\*' policy
  [ "$(grep -oE "s3:[A-Z][A-Za-z]+" policy | sort -u | xargs)" = \
    "s3:GetObject s3:ListBucket s3:PutObject" ]
  ec2 down --yes
  [ -z "$(aws iam list-roles --query 'Roles[].RoleName' --output text)" ]
}

# minutes_until TIME: from now, of "at(2026-11-26T18:30:00)" in UTC.
minutes_until() {
  local time=${1#at(}
  echo $((($(date -u -d "${time%)}" +%s) - $(date +%s)) / 60))
}

@test "a stack deletes itself after its TTL, addresses included, without a call of down" {
  local expression minutes
  ec2 up --instance p4d.24xlarge --nodes 2 --ttl 90m --from 203.0.113.7/32 --bare --yes \
    --s3 s3://my-bucket/folder
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  expression=$(aws scheduler get-schedule --name mnist-dist-main --query ScheduleExpression \
    --output text)
  minutes=$(minutes_until "$expression")
  # Not before a node whose start took a quarter of an hour.
  ((minutes >= 90 + 15 && minutes <= 90 + 20))
  date -d '+ 100 minutes' +%s >"$AWS_FOLDER/clock"
  sleep 0.5
  [ "$(ids | wc -w)" -eq 2 ]
  date -d '+ 112 minutes' +%s >"$AWS_FOLDER/clock"
  wait_for 30 no_stack
  [ -z "$(ids)" ]
  [ -z "$(aws ec2 describe-addresses --query 'Addresses[].PublicIp' --output text)" ]
  [ -z "$(aws scheduler list-schedules --query 'Schedules[].Name' --output text)" ]
  # A role cannot delete itself.
  [ "$(aws iam list-roles --path-prefix /mnist-dist/us-east-1/main/ --query 'Roles[].RoleName' \
    --output text | wc -w)" -eq 1 ]
  ec2 down
  [ "$status" -eq 0 ]
  empty_account
}

@test "--no-schedule: without rights for IAM, only the nodes end after the TTL" {
  local role
  role=$(aws iam create-role --role-name old --path /mnist-dist/us-east-1/main/ \
    --assume-role-policy-document '{}' --query Role.RoleName --output text)
  aws iam put-role-policy --role-name "$role" --policy-name end --policy-document '{
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}'
  up --no-schedule
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  # up has deleted the role of an earlier cluster.
  [ -z "$(aws iam list-roles --query 'Roles[].RoleName' --output text)" ]
  [ -z "$(aws scheduler list-schedules --query 'Schedules[].Name' --output text)" ]
  up --name other --no-schedule --dry-run
  shows "TtlMinutes"
  [[ $output != *CAPABILITY_IAM* ]]
}

@test "--key-file: a path with a blank works, one with quotes is rejected first" {
  ssh-keygen -q -t ed25519 -N '' -f "my key"
  cp "my key" "it's"
  up --key-file "it's"
  fails 2 "--key-file: quotes"
  empty_account
  up --key-file "my key"
  [ "$status" -eq 0 ]
  ec2 ssh --dry-run
  [ "$status" -eq 0 ]
  grep -qxF "IdentityFile \"$PWD/my key\"" \
    "$XDG_STATE_HOME/mnist-dist/ec2/us-east-1/main/ssh_config"
  grep -qx "User ubuntu" "$XDG_STATE_HOME/mnist-dist/ec2/us-east-1/main/ssh_config"
}

@test "--image debian-13: its disk is the template's, and ssh uses its user" {
  up --image debian-13
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  output=$(template_data)
  [[ $output == *'"DeviceName": "/dev/xvda"'*'"VolumeSize": 100'* ]] || { echo "$output" && false; }
  ec2 ssh --dry-run
  [ "$status" -eq 0 ]
  grep -qx "User admin" "$XDG_STATE_HOME/mnist-dist/ec2/us-east-1/main/ssh_config"
}

@test "up twice is rejected, and the first cluster stays" {
  up
  up
  fails 2 "already" "CREATE_COMPLETE" "--name"
  [ "$(ids | wc -w)" -eq 1 ]
  up --name other
  [ "$status" -eq 0 ]
  [ "$(ids | wc -w)" -eq 2 ]
}

@test "a stack of that name that is not ours is not changed" {
  aws cloudformation create-stack --stack-name mnist-dist-main --on-failure DELETE \
    --template-body '{"Resources": {"Key": {"Type": "AWS::EC2::EIP"}}}' >/dev/null
  up
  fails 4 "stack mnist-dist-main"
  [ "$(aws cloudformation describe-stacks --query 'Stacks[].StackName' --output text)" = \
    mnist-dist-main ]
}

@test "no capacity in a zone: the next one, and nothing stays in the first" {
  # The first zone takes one node of two: AWS must take that one back.
  echo "us-east-1a Node2" >"$AWS_FOLDER/no_capacity"
  up --nodes 2
  [ "$status" -eq 0 ]
  shows "no capacity in us-east-1a" \
    "2 x c7a.4xlarge in us-east-1b"
  [ "$(aws ec2 describe-instances --filters Name=instance-state-name,Values=running \
    --query 'Reservations[].Instances[].Placement.AvailabilityZone' --output text | xargs)" = \
    "us-east-1b us-east-1b" ]
}

@test "no capacity anywhere: exit 4, a hint, and an empty account" {
  local subnet
  printf 'us-east-1%s\n' a b c d e f >"$AWS_FOLDER/no_capacity"
  # Two zones are enough.
  for subnet in $(aws ec2 describe-subnets --query 'Subnets[2:].SubnetId' --output text); do
    aws ec2 delete-subnet --subnet-id "$subnet"
  done
  up --nodes 2 --spot
  fails 4 "2 x c7a.4xlarge" "--spot"
  [ "$(grep -c 'requesting' <<<"$output")" -eq 2 ]
  empty_account
}

@test "a different failure: AWS's reason, no second try, and an empty account" {
  echo "You have requested more vCPU capacity than your current vCPU limit of 0 allows \
(VcpuLimitExceeded)" >"$AWS_FOLDER/refuse"
  up
  fails 4 "VcpuLimitExceeded" "nothing was left" \
    "raise the service quota"
  [ "$(grep -c 'requesting' <<<"$output")" -eq 1 ]
  empty_account
}

# start_up: up in the background, in a process group of its own as under a terminal, until it waits
# for AWS.
start_up() {
  touch "$AWS_FOLDER/hang"
  setsid env --default-signal=INT,HUP "$repository/launch/ec2.sh" up --instance c7a.4xlarge \
    --from 203.0.113.7/32 --bare --yes "$@" >up.log 2>&1 3>&- &
  script=$!
  wait_for 60 stack_exists
}

# rolls_back SIGNAL: the up of start_up, after a signal to its group, deletes everything and returns
# 130.
rolls_back() {
  kill "-$1" -- "-$script"
  status=0
  wait "$script" || status=$?
  output=$(<up.log)
  [ "$status" -eq 130 ] || { echo "$status $output" && return 1; }
  shows "rolling back" "nothing of main is left"
}

@test "Ctrl-C during up: the cluster is deleted, exit 130" {
  start_up
  rolls_back INT
  rm "$AWS_FOLDER/hang"
  sleep 0.5
  empty_account
}

@test "Ctrl-C during the request for the stack: waits for the reply, then deletes the stack" {
  touch "$AWS_FOLDER/slow"
  setsid env --default-signal=INT,HUP "$repository/launch/ec2.sh" up --instance c7a.4xlarge \
    --from 203.0.113.7/32 --bare --yes >up.log 2>&1 3>&- &
  script=$!
  wait_for 60 grep -q "requesting " up.log
  sleep 0.5
  rolls_back INT
  sleep 2
  empty_account || { echo "$output" && return 1; }
}

@test "a closed terminal during up does the same" {
  start_up
  rolls_back HUP
  rm "$AWS_FOLDER/hang"
  empty_account || { echo "$output" && return 1; }
}

@test "down when half is gone already" {
  up --nodes 2
  aws ec2 terminate-instances --instance-ids "$(ids | awk '{ print $1 }')" >/dev/null
  ec2 status --name main
  shows "1 of 2 nodes are gone"
  ec2 down --yes
  [ "$status" -eq 0 ]
  empty_account
}

@test "down when AWS's own deletion fails: the instances end at once, a second try ends the rest" {
  up --nodes 2
  echo 1 >"$AWS_FOLDER/cannot_delete"
  ec2 down --yes
  [ "$status" -eq 0 ]
  shows "at the first try" "nothing of cluster main"
  empty_account
}

@test "down that cannot delete everything lists the rest, exit 4" {
  up
  echo 9 >"$AWS_FOLDER/cannot_delete"
  MNIST_DIST_LEFT_ROUNDS=2 ec2 down --yes
  fails 4 "us-east-1" "security-group sg-" "key-pair mnist-dist-main" \
    "tag mnist-dist:cluster = main"
  # The most expensive part is deleted.
  [ -z "$(ids)" ]
}

@test "down finds tagged instances and addresses whose stack is gone" {
  aws ec2 run-instances --image-id ami-12c6146b --instance-type m5.large \
    --tag-specifications 'ResourceType=instance,Tags=[{Key=mnist-dist:cluster,Value=main}]' \
    >/dev/null
  aws ec2 allocate-address --domain vpc \
    --tag-specifications 'ResourceType=elastic-ip,Tags=[{Key=mnist-dist:cluster,Value=main}]' \
    >/dev/null
  ec2 down
  [ "$status" -eq 0 ]
  shows "no stack mnist-dist-main"
  [ -z "$(ids)" ]
  [ -z "$(aws ec2 describe-addresses --query 'Addresses[].PublicIp' --output text)" ]
}

@test "a cluster whose nodes cannot be set up is deleted, unless --keep" {
  cat >"$BATS_TEST_TMPDIR/bin/rsync" <<<$'#!/bin/bash\necho "rsync: no way" >&2; exit 12'
  chmod +x "$BATS_TEST_TMPDIR/bin/rsync"
  ec2 up --instance c7a.4xlarge --from 203.0.113.7/32 --yes
  fails 4 "rsync: no way" "--keep" "nothing of main is left"
  empty_account
  ec2 up --instance c7a.4xlarge --from 203.0.113.7/32 --yes --keep
  [ "$status" -eq 0 ]
  shows "costs money"
  [ "$(ids | wc -w)" -eq 1 ]
}

@test "types with several cards: each node has exactly one address, that of the stack" {
  ec2 up --instance p4d.24xlarge --nodes 2 --from 203.0.113.7/32 --bare --yes
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  aws ec2 describe-addresses --query 'Addresses[].PublicIp' --output text | tr '\t' '\n' |
    sort >addresses
  aws ec2 describe-instances --query 'Reservations[].Instances[].PublicIpAddress' --output text |
    tr '\t' '\n' | sort >of_nodes
  diff addresses of_nodes
  [ "$(wc -l <addresses)" -eq 2 ]
  [ "$(aws ec2 describe-addresses --query 'length(Addresses[?AssociationId])' --output text)" \
    -eq 2 ]
  ec2 down --yes
  [ "$status" -eq 0 ]
  empty_account
}

# interfaces: "CARD DEVICE TYPE" of each network interface of the launch template in us-west-2.
interfaces() {
  aws --region us-west-2 ec2 describe-launch-template-versions --versions '$Latest' \
    --launch-template-id "$(aws --region us-west-2 ec2 describe-launch-templates \
      --query 'LaunchTemplates[0].LaunchTemplateId' --output text)" --output text \
    --query 'LaunchTemplateVersions[0].LaunchTemplateData.NetworkInterfaces[].[NetworkCardIndex,
      DeviceIndex,InterfaceType]' | tr '\t' ' '
}

@test "p6: one interface per network card, and as many with EFA as AWS lists" {
  local type first cards efa
  while read -r type first; do
    ec2 up --region us-west-2 --instance "$type" --from 203.0.113.7/32 --bare --yes
    [ "$status" -eq 0 ] || { echo "$output" && false; }
    interfaces >used
    read -r cards efa < <(aws --region us-west-2 ec2 describe-instance-types --output text \
      --instance-types "$type" --query 'InstanceTypes[].NetworkInfo.[MaximumNetworkCards,
        EfaInfo.MaximumEfaInterfaces]')
    # The first card's has the address, which EFA alone does not have.
    [ "$(head -n 1 used)" = "0 0 $first" ]
    [ "$(tail -n +2 used)" = "$(seq -f '%.0f 1 efa-only' 1 $((cards - 1)))" ]
    [ "$(grep -c efa used)" -eq "$efa" ]
    [ "$(aws --region us-west-2 ec2 describe-addresses --query 'length(Addresses[?AssociationId])' \
      --output text)" -eq 1 ]
    ec2 down --region us-west-2 --yes
    [ "$status" -eq 0 ]
  done <<'TYPES'
p6-b300.48xlarge interface
p6-b200.48xlarge efa
TYPES
}

# reserved LINE: AWS's reply about any capacity reservation.
reserved() {
  mv bin/aws bin/aws.plain
  cat >bin/aws <<SCRIPT
#!/bin/bash
if [[ \$* == *describe-capacity-reservations* ]]; then echo "$1" && exit; fi
exec "$PWD/bin/aws.plain" "\$@"
SCRIPT
  chmod +x bin/aws
}

@test "--capacity-reservation: its zone, and a Capacity Block's market" {
  reserved "p5.48xlarge us-east-1c active 2 capacity-block"
  ec2 up --instance p5.48xlarge --nodes 2 --from 203.0.113.7/32 --bare --yes \
    --capacity-reservation cr-0123
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  shows "2 x p5.48xlarge in us-east-1c"
  output=$(template_data)
  shows '"MarketType": "capacity-block"' '"CapacityReservationId": "cr-0123"'
  [[ $output != *GroupName* ]]
}

@test "--capacity-reservation: a Capacity Block is paid, and limits the TTL" {
  local end
  # 50 minutes: 30 of AWS, 20 for the start of the nodes. Both versions of the CLI.
  for end in +00:00 .000Z; do
    end=$(TZ=UTC0 printf '%(%Y-%m-%dT%H:%M:%S)T' $(($(date +%s) + (50 + 65) * 60 + 20)))$end
    reserved "p5.48xlarge us-east-1c active 2 capacity-block $end"
    ec2 up --instance p5.48xlarge --nodes 2 --from 203.0.113.7/32 --dry-run \
      --capacity-reservation cr-0123
    [ "$status" -eq 0 ] || { echo "$output" && false; }
    shows "note: cr-0123 ends at $end, so the nodes end after 1:05 h" \
      "TtlMinutes\\,ParameterValue=\\'65" "\$0.00 per hour (paid with the Capacity Block)" \
      "us-east-1, reserved"
    ec2 up --instance p5.48xlarge --nodes 2 --from 203.0.113.7/32 --dry-run --ttl 1h --price 3 \
      --capacity-reservation cr-0123
    shows "ends:    by itself after 1:00 h" "\$6.00 per hour (from --price)"
    [[ $output != *"note: cr-"* ]]
    mv bin/aws.plain bin/aws
  done
  end=$(TZ=UTC0 printf '%(%Y-%m-%dT%H:%M:%S)T' $(($(date +%s) + 54 * 60)))+00:00
  reserved "p5.48xlarge us-east-1c active 2 capacity-block $end"
  ec2 up --instance p5.48xlarge --from 203.0.113.7/32 --yes --capacity-reservation cr-0123
  fails 4 "cr-0123 ends too soon" "$end"
  mv bin/aws.plain bin/aws
  # Instances of other reservations continue on demand.
  reserved "p5.48xlarge us-east-1c active 2 default $end"
  ec2 up --instance p5.48xlarge --from 203.0.113.7/32 --dry-run --capacity-reservation cr-0123
  shows "by itself after 2:00 h" "\$55.04 per hour"
  # Times around leap days and ends of years.
  # shellcheck disable=SC1091
  source "$repository/launch/ec2/checks.sh"
  for end in 2026-11-28T11:30:00 2028-02-29T00:00:59 2028-03-01T23:08:09 2027-12-31T23:59:59 \
    2100-03-01T00:00:00; do
    [ "$(seconds_of "$end+00:00")" -eq "$(date -u -d "$end" +%s)" ]
  done
}

@test "--capacity-reservation: a wrong one is rejected before anything is created" {
  local facts text
  while IFS='|' read -r facts text; do
    reserved "$facts"
    ec2 up --instance p5.48xlarge --nodes 2 --from 203.0.113.7/32 --yes \
      --capacity-reservation cr-0123
    [[ $status == [24] && $output == *"$text"* ]] || { echo "$facts: $output" && false; }
    mv bin/aws.plain bin/aws
  done <<'CASES'
p4d.24xlarge us-east-1c active 2 default|expected p4d.24xlarge
p5.48xlarge us-east-1c scheduled 2 default|got scheduled
p5.48xlarge us-east-1c active 1 default|expected at most 1
|no capacity reservation cr-0123
CASES
  ec2 up --instance p5.48xlarge --capacity-reservation x
  fails 2 "--capacity-reservation" "'x'"
  empty_account
}

@test "GPUs that are not available on demand: the message names reservations" {
  printf 'us-east-1%s\n' a b c d e f >"$AWS_FOLDER/no_capacity"
  ec2 up --instance p5.48xlarge --from 203.0.113.7/32 --bare --yes --subnet "$(
    aws ec2 describe-subnets --query 'Subnets[0].SubnetId' --output text)"
  fails 4 "no zone " "Capacity Blocks" "--capacity-reservation"
}
