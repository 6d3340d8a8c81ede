#!/usr/bin/env bats
# launch/ec2.sh before anything costs money: arguments, table, price, quota, zones, dry run, and
# AWS's refusals in two lines.

load aws

setup_file() { start_aws; }
teardown_file() { stop_aws; }
setup() { fresh_aws; }

@test "arguments" {
  ec2 --help
  [ "$status" -eq 0 ]
  shows "usage: launch/ec2.sh" "NOT RUN ON REAL AWS YET"
  ec2 up
  fails 2 "--instance: missing" "g4dn.12xlarge"
  ec2 up --instance
  fails 2 "--instance needs"
  ec2 up --instance c7a.4xlarge --ttl 1m
  fails 2 "--ttl" "5m to 168h"
  ec2 down --nmae x
  fails 2 "--nmae"
  ec2 up --name "a b" --instance c7a.4xlarge
  fails 2 "--name"
  ec2 up --instance c7a.4xlarge --key-file /no/key
  fails 3 "/no/key"
  ec2 up --instance c7a.4xlarge --key-file .
  fails 3 "key ."
  ec2 status --region "us east"
  fails 2 "--region" "'us east'"
  ec2 up --instance c7a.4xlarge --subnet "x'y"
  fails 2 "--subnet" "'x'y'"
  ec2 up --instance c7a.4xlarge --ami ubuntu
  fails 2 "--ami" "'ubuntu'"
}

@test "instances: unknown ones, and p3, which AWS no longer offers" {
  up --instance m9.huge
  fails 2 "m9.huge" "g5.12xlarge" "launch/instances.tsv"
  local type instead
  while read -r type instead; do
    up --instance "$type"
    fails 2 "$type" "--instance $instead"
  done <<'TYPES'
p3.2xlarge g4dn.xlarge
p3.8xlarge g4dn.12xlarge
p3.16xlarge p4d.24xlarge
p3dn.24xlarge p4d.24xlarge
TYPES
  # Other lines of the table are no instances.
  for type in ami card "#" "g5.xlarge g5.12xlarge" "g5.*"; do
    up --instance "$type"
    fails 2 "$type"
  done
  [ -z "$(ids)" ]
}

@test "a type that the table does not have: AWS describes it, and --price is needed" {
  up --instance gr6.4xlarge --dry-run
  fails 2 "--price: missing" "gr6.4xlarge"
  up --instance gr6.4xlarge --price 1.5 --dry-run
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  shows "1 x gr6.4xlarge (1 x L4 (22 GiB, sm_89), 16 vCPUs) in us-east-1" "10/25 Gbit/s" \
    "\$1.50 per hour (from --price)" "ParameterKey=InstanceType\\,ParameterValue=\\'gr6.4xlarge\\'"
  [[ $output != *warning* ]]
  # Two network cards with EFA.
  ec2 cost --instance hpc7a.96xlarge --nodes 2 --price 7.2
  shows "2 x hpc7a.96xlarge (no GPU, 192 vCPUs): \$14.40 per hour"
  up --instance hpc7a.96xlarge --price 7.2 --region us-east-2 --dry-run
  shows "300 Gbit/s, EFA x 2" "ParameterKey=Cards\\,ParameterValue=\\'2\\'"
  # A card that is not in the table.
  ec2 cost --instance g7e.2xlarge --price 3
  shows "1 x g7e.2xlarge (1 x RTX-PRO-Server-6000 (96 GiB), 8 vCPUs)" "warning: " "hint: "
  ec2 cost --instance g5g.xlarge --price 1
  fails 2 "arm64"
  # Without AWS the table alone.
  printf '#!/bin/bash\necho "Unable to locate credentials" >&2\nexit 253\n' >bin/aws
  ec2 cost --instance gr6.4xlarge --price 1
  fails 2 "gr6.4xlarge" "AWS: Unable" "launch/instances.tsv"
  ec2 cost --instance g5.xlarge
  [ "$status" -eq 0 ]
}

# offered: the lines of the table with types that AWS offers.
offered() { awk '/^[^#]/ && NF == 13 && $12 == "yes"' "$repository/launch/instances.tsv"; }

@test "the table: GPUs, memory, vCPUs and network are those that AWS describes" {
  # shellcheck disable=SC1091,SC2034  # as ec2.sh does it
  root=$repository && source "$repository/launch/lib.sh" && declare -A opt=([region]=us-east-1)
  # shellcheck disable=SC1091
  source "$repository/launch/ec2/aws.sh" && source "$repository/launch/ec2/instances.sh"
  # Without EFA, for which the table has 0 where it is of no use.
  offered | awk '{ print $1, $2, $3, $4, $5, $6, $7 }' | sort >table
  # shellcheck disable=SC2046  # one word per type
  describe_types $(awk '{ print $1 }' table) | sort >all
  awk '{ print $1, $2, $3, $4, $5, $6, $7 }' all >described
  (($(wc -l <described) >= 30))
  # Not more EFA interfaces than there are.
  [ -z "$(join <(offered | sort) all | awk '$8 > $20')" ]
  diff <(join -o 1.1,1.2,1.3,1.4,1.5,1.6,1.7 table described) described
}

# checkout TYPE COLUMN VALUE...: ec2.sh with a copy of the table that has other values for the type.
checkout() {
  local name=$1
  shift
  rm -rf checkout && mkdir checkout && cp -r "$repository/launch" checkout/
  while (($#)); do
    awk -v name="$name" -v column="$1" -v value="$2" '$1 == name { $column = value } 1' \
      checkout/launch/instances.tsv >table.new
    mv table.new checkout/launch/instances.tsv
    shift 2
  done
  ec2() { run "$PWD/checkout/launch/ec2.sh" "$@"; }
}

@test "a line of the table that is out of date: AWS's facts are used, with one note each" {
  # 2 GPUs, 20 GiB, 40 vCPUs, 10 Gbit/s and 3 EFA interfaces.
  checkout g5.12xlarge 2 2 4 20 6 40 7 10 8 3
  ec2 cost --instance g5.12xlarge
  shows "2 x A10G (20 GiB, sm_86), 40 vCPUs"
  [[ $output != *note:* ]]
  up --instance g5.12xlarge --dry-run
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  shows "1 x g5.12xlarge (4 x A10G (22 GiB, sm_86), 48 vCPUs) in us-east-1" "40 Gbit/s, EFA x 1" \
    "note: launch/instances.tsv: g5.12xlarge: gpus (got 2, expected 4). AWS's value is used" \
    ": gib (got 20, " ": vcpus (got 40, " ": gbit (got 10, " ": efa (got 3, expected 1)" \
    "ParameterKey=Cards\\,ParameterValue=\\'1\\'"
  # Without the right, or without a reply, the table alone.
  mv bin/aws bin/aws.plain
  printf '#!/bin/bash\n[[ $* != *describe-instance-types* ]] || exit 254\nexec %q "$@"\n' \
    "$PWD/bin/aws.plain" >bin/aws
  chmod +x bin/aws
  up --instance g5.12xlarge --dry-run
  [ "$status" -eq 0 ]
  shows "2 x A10G (20 GiB, sm_86), 40 vCPUs" "10 Gbit/s, EFA x 3"
}

@test "the table: every line is complete, and so are the types that replace p3" {
  awk '
    /^[^#]/ && $1 == "ami" && NF != 5 { exit 1 }
    /^[^#]/ && $1 == "card" && NF != 5 { exit 1 }
    /^[^#]/ && $1 != "ami" && $1 != "card" && NF != 13 { exit 1 }' \
    "$repository/launch/instances.tsv"
  local type
  for type in p3.2xlarge p3.8xlarge p3.16xlarge p3dn.24xlarge g4dn.12xlarge g5.12xlarge \
    g6.12xlarge p4d.24xlarge p5.48xlarge; do
    grep -q "^$type " "$repository/launch/instances.tsv"
  done
  while read -r type _ _ _ _ _ _ _ _ _ family offered price; do
    if [[ $offered == yes ]]; then
      [[ $price =~ ^[0-9]+\.[0-9]+$ ]]
      grep -q "^ami  *$family " "$repository/launch/instances.tsv"
    else
      grep -qE "^$offered .* yes " "$repository/launch/instances.tsv"
    fi
  done < <(awk '/^[^#]/ && $1 != "ami" && $1 != "card"' "$repository/launch/instances.tsv")
}

# images: the names that --image accepts.
images() { awk '$1 == "ami" && $2 !~ /-gpu$/ { print $2 }' "$repository/launch/instances.tsv"; }

@test "--image: its parameter, root device and user, with GPUs the one with a driver" {
  local image parameter user root
  (($(images | wc -l) >= 4))
  while read -r _ image parameter user root; do
    [[ $image != *-gpu ]] || continue
    rm -f "$AWS_FOLDER/parameters"
    up --image "$image" --dry-run
    [ "$status" -eq 0 ] || { echo "$image: $output" && false; }
    [ "$(<"$AWS_FOLDER/parameters")" = "$parameter" ]
    shows "image:   $image (ami-" "ParameterKey=RootDevice\\,ParameterValue=\\'$root\\'" \
      "Key=mnist-dist:user\\,Value=\\'$user\\'"
  done < <(grep '^ami ' "$repository/launch/instances.tsv")
  up --instance g5.xlarge --image ubuntu-26.04 --dry-run
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  [[ $(tail -n 1 "$AWS_FOLDER/parameters") == *nvidia-driver-gpu-ubuntu-26.04/* ]]
  up --instance g5.xlarge --image debian-13 --dry-run
  fails 2 "--image: debian-13" "g5.xlarge"
  # An image of the user may have one. Its user is that of --image.
  up --instance g5.xlarge --image debian-13 --ami ami-760aaa0f --dry-run
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  shows "Key=mnist-dist:user\\,Value=\\'admin\\'"
  up --ami ami-00000bad --dry-run
  fails 2 "ami-00000bad"
  up --image debian-11 --dry-run
  fails 2 "--image" "debian-11" "debian-13"
  up --image ubuntu-gpu --dry-run
  fails 2 "--image" "ubuntu-gpu"
  # The help has the same names.
  ec2 --help
  for image in $(images); do shows "$image"; done
}

@test "the root device is the one that AWS describes, otherwise the table's" {
  up --ami ami-760aaa0f --dry-run
  [ "$status" -eq 0 ] || { echo "$output" && false; }
  shows "ParameterKey=RootDevice\\,ParameterValue=\\'/dev/xvda\\'" "Value=\\'ubuntu\\'" \
    "image:   ubuntu (ami-760aaa0f)"
  mv bin/aws bin/aws.plain
  printf '#!/bin/bash\n[[ $* != *describe-images* ]] || exit 254\nexec %q "$@"\n' \
    "$PWD/bin/aws.plain" >bin/aws
  chmod +x bin/aws
  up --ami ami-760aaa0f --dry-run
  shows "ParameterKey=RootDevice\\,ParameterValue=\\'/dev/sda1\\'"
  up --image debian-12 --dry-run
  shows "ParameterKey=RootDevice\\,ParameterValue=\\'/dev/xvda\\'"
}

@test "the price must be confirmed: only a yes starts anything" {
  run "$repository/launch/ec2.sh" up --instance p4d.24xlarge --nodes 2 --from 203.0.113.7/32 \
    --bare </dev/null
  fails 2 "stdin" "--yes"
  shows "price:   \$43.92 per hour" "at most \$87.83"
  command -v script >/dev/null || skip "script(1), which makes a terminal, is not here"
  run script \
    -qec "$repository/launch/ec2.sh up --instance c7a.4xlarge --from 203.0.113.7/32 --bare" \
    /dev/null < <(sleep 1; echo no)
  [ "$status" -eq 2 ]
  shows "Start it? Type yes:" "not started"
  [ -z "$(ids)" ]
}

@test "--price overrides the table, and spot uses AWS's price" {
  ec2 cost --instance g5.12xlarge --nodes 3 --ttl 1h --price 2.5
  [ "$status" -eq 0 ]
  shows "3 x g5.12xlarge (4 x A10G (22 GiB, sm_86), 48 vCPUs): \$7.50 per hour, \$7.50 for 1:00 h \
(from --price)"
  ec2 cost --instance g5.12xlarge
  shows "\$5.67 per hour, \$11.34 for 2:00 h (list price of 2026-11 for us-east-1, check \
before you pay)"
  ec2 cost --instance g5.12xlarge --spot
  shows "spot price now"
}

@test "the service quota, and the instances that count" {
  echo 96 >"$AWS_FOLDER/quota"
  up --instance g5.12xlarge --nodes 3
  fails 4 "the quota \"Running On-Demand G and VT instances\" is 96 vCPUs in us-east-1, 0 of them \
in use (3 x g5.12xlarge needs 144" \
    "request-service-quota-increase --region us-east-1 --service-code ec2 --quota-code L-DB2E81BA \
--desired-value 144"
  empty_account
  up --instance g5.12xlarge --nodes 2 --dry-run
  [ "$status" -eq 0 ]
}

@test "vCPUs of the family, on demand or spot, count against a quota" {
  # shellcheck source=/dev/null
  source "$repository/launch/ec2/checks.sh"
  local running
  running=$(printf '%s\t%s\t%s\t%s\n' g5.12xlarge 24 2 None g4dn.xlarge 2 2 spot p4d.24xlarge 48 2 \
    None c7a.4xlarge 16 1 None inf2.xlarge 2 2 None t3.micro 1 2 None vt1.3xlarge 6 2 None)
  [ "$(used_vcpus g,vt false <<<"$running")" -eq 60 ]
  [ "$(used_vcpus g,vt true <<<"$running")" -eq 4 ]
  [ "$(used_vcpus p false <<<"$running")" -eq 96 ]
  [ "$(used_vcpus a,c,d,h,i,m,r,t,z false <<<"$running")" -eq 18 ]
  [ "$(used_vcpus p true </dev/null)" -eq 0 ]
}

@test "a type that a region does not offer" {
  up --region eu-central-2 --instance p5.48xlarge
  fails 4 "p5.48xlarge" "eu-central-2" "--region us-east-1"
}

@test "--subnet: only its zone is tried" {
  local subnet
  subnet=$(aws ec2 describe-subnets --filters Name=availability-zone,Values=us-east-1c \
    --query 'Subnets[0].SubnetId' --output text)
  up --subnet "$subnet"
  [ "$status" -eq 0 ]
  [ "$(aws ec2 describe-instances --query 'Reservations[].Instances[].SubnetId' --output text)" = \
    "$subnet" ]
  up --name other --subnet subnet-00000000
  [ "$status" -eq 4 ]
  [[ $(ids | wc -w) == 1 ]]
}

@test "--dry-run: the call that up would make, the price, and nothing made" {
  ec2 up --instance p5.48xlarge --nodes 2 --from 203.0.113.7/32 --dry-run
  [ "$status" -eq 0 ]
  shows "\$110.08 per hour" "aws --region us-east-1 cloudformation create-stack" \
    "--on-failure DELETE" "Interface" "dry run: nothing"
  ec2 down --name main --dry-run
  [ "$status" -eq 0 ]
  shows "dry run: down would"
  empty_account
}

@test "this machine's address is requested, and --from replaces it" {
  mkdir www && echo 198.51.100.9 >www/index.html
  : >http.log
  python3 -u -m http.server --bind 127.0.0.1 --directory www 0 >http.log 2>&1 3>&- &
  local pid=$! port
  for _ in {1..100}; do
    port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' http.log)
    [[ -z $port ]] || break
    sleep 0.1
  done
  MNIST_DIST_ADDRESS_URL=http://127.0.0.1:$port ec2 up --instance c7a.4xlarge --dry-run
  kill "$pid"
  shows "ssh:     only from 198.51.100.9/32"
  MNIST_DIST_ADDRESS_URL=http://127.0.0.1:9 ec2 up --instance c7a.4xlarge --dry-run
  fails 4 "IPv4" "--from"
}

@test "errors of AWS: two lines, exit 4" {
  cat >"$BATS_TEST_TMPDIR/bin/aws" <<'SCRIPT'
#!/bin/bash
printf '\n%s\n' "$REFUSAL" >&2
exit 254
SCRIPT
  REFUSAL="An error occurred (ExpiredToken) when calling the DescribeStacks operation: The \
security token included in the request is expired" ec2 status
  fails 4 "error: AWS: ExpiredToken: The security token" "log in"
  # Newer versions of the CLI put their name before it.
  REFUSAL="aws: [ERROR]: An error occurred (ExpiredToken) when calling the DescribeStacks \
operation: The token is expired" ec2 status
  fails 4 "error: AWS: ExpiredToken: The token" "log in"
  REFUSAL="Unable to locate credentials. You can configure credentials by running \"aws \
configure\"." ec2 status
  fails 4 "Unable to locate credentials" "aws configure"
  local verb
  for verb in up down logs fetch "status --name main"; do
    # shellcheck disable=SC2086  # several words
    REFUSAL="Unable to locate credentials. You can configure credentials by running \"aws \
configure\"." ec2 $verb --instance c7a.4xlarge
    fails 4 "Unable to locate credentials" "aws configure"
  done
  REFUSAL="An error occurred (UnauthorizedOperation) when calling the DescribeStacks operation: \
You are not authorized to perform this operation." ec2 status
  fails 4 "not authorized" "docs/ec2.md"
  REFUSAL="Could not connect to the endpoint URL: \"https://x\"" ec2 status
  fails 4 "Could not connect" "--region"
}

@test "no AWS CLI, no region" {
  mkdir path
  local tool
  for tool in bash dirname awk mktemp rm xargs sed cat grep; do
    ln -s "$(command -v $tool)" path/
  done
  run env PATH="$PWD/path" "$repository/launch/ec2.sh" status
  fails 2 "AWS CLI"
  run env -u AWS_DEFAULT_REGION "$repository/launch/ec2.sh" status
  fails 2 "--region us-east-1"
}
