# shellcheck shell=bash
# The CloudFormation stack that is a cluster: rendered, created, watched, deleted. To be sourced by
# ec2.sh.

# Seconds between requests of AWS's progress, and how often something left over is looked for.
poll_seconds=${MNIST_DIST_POLL_SECONDS:-5} left_rounds=${MNIST_DIST_LEFT_ROUNDS:-12}

# A sleep that a trapped signal ends at once.
pause() {
  sleep "$1" &
  wait $! || true
}

# render_template NODES CARDS: the template with its node block once per node, its card block once
# for each card after the first, and its address block once per node where there are such cards.
render_template() {
  awk -v nodes="$1" -v cards="$2" '
    /^#: (node|card|address)/ { kind = $2; block = ""; next }
    /^#: end/ {
      times = (kind == "card") ? cards - 1 : (kind == "address" && cards == 1) ? 0 : nodes
      for (i = 1; i <= times; i++) {
        text = block
        gsub(/@card@/, i, text)
        gsub(/Node1/, "Node" i, text)
        gsub(/Address1/, "Address" i, text)
        gsub(/}-1"/, "}-" i "\"", text)
        gsub(/Value: "1"/, "Value: \"" i "\"", text)
        # A node is deleted before its address, which is released only when nothing has it.
        if (kind == "node" && cards > 1)
          sub(/AWS::EC2::Instance",/, "& DependsOn: Address" i ",", text)
        if (nodes * cards > 1) gsub(/,\n +/, ", ", text)
        printf "%s", text
      }
      kind = ""
      next
    }
    kind == "card" || kind == "address" { sub(/^#/, "") }
    kind { block = block $0 "\n"; next }
    nodes * cards > 1 && /^ *(#[^!]|$)/ { next }
    nodes * cards > 1 { sub(/, Description: ("[^"]*"|[^"}]*)}/, "}") }
    /DependsOn: \[Node1\]/ {
      for (i = 2; i <= nodes; i++) more = more ", Node" i
      sub(/Node1/, "Node1" more)
    }
    { print }' "$root/launch/ec2/cluster.yaml"
}

stack_of() { echo "mnist-dist-$1"; }

# stack_facts NAME_OR_ID: state, id, then our tags. Prints nothing and returns 1 without such a
# stack. "return 0", not "return", which in a trap (the rollback) returns the status from before the
# trap.
stack_facts() {
  local tag query='StackStatus,StackId'
  for tag in launch created ttl price instance nodes zone s3 key user; do
    query+=",Tags[?Key=='mnist-dist:$tag'].Value|[0]"
  done
  ask cloudformation describe-stacks --stack-name "$1" --query "Stacks[0].[$query]" && return 0
  grep -q 'does not exist' "$scratch/error" || aws_rejected
  return 1
}

# read_stack NAME: fills stack with the facts of an existing cluster. Its keys are state, id and our
# tags launch created ttl price instance nodes zone s3 key user. Returns 1 without such a cluster.
# read_nodes adds head, and the set-up of the nodes gpu_trouble.
declare -A stack=([gpu_trouble]='')
read_stack() {
  local facts code=0
  facts=$(stack_facts "$(stack_of "$1")") || code=$?
  ((code <= 1)) || exit "$code"
  ((code == 0)) || return 1
  IFS=$'\t' read -r \
    "stack["{state,id,launch,created,ttl,price,instance,nodes,zone,s3,key,user}"]" <<<"$facts"
  [[ ${stack[s3]} != None ]] || stack[s3]=
  [[ ${stack[launch]} != None ]] ||
    die 4 "stack $(stack_of "$1") was not made by launch/ec2.sh" "use a different --name"
}

# require_stack HINT: read_stack for --name. Without the cluster, the script ends with the hint.
require_stack() {
  read_stack "${opt[name]}" || die 2 "there is no cluster ${opt[name]} in ${opt[region]}" "$1"
}

# The stack's state, GONE without a stack, or UNKNOWN if the request to AWS failed.
stack_state() {
  ask cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackStatus' && return 0
  if grep -q 'does not exist' "$scratch/error"; then echo GONE; else echo UNKNOWN; fi
}

# The reasons why AWS could not create the stack, one resource per line, without resources that were
# only cancelled because of the others.
failure_reasons() {
  ask cloudformation describe-stack-events --stack-name "$1" \
    --query "StackEvents[?ResourceStatus=='CREATE_FAILED' && \
ResourceType!='AWS::CloudFormation::Stack'].[LogicalResourceId,ResourceStatusReason]" |
    grep -v 'creation cancelled' || true
}

is_capacity_problem() {
  grep -qiE "InsufficientInstanceCapacity|InsufficientCapacity|sufficient .*capacity|\
no spot capacity|capacity-not-available|not supported in your requested Availability Zone" <<<"$1"
}

# await_stack ID create|delete: waits until AWS has finished, then prints the last state. A creation
# that fails ends in a deletion, which is part of the request.
await_stack() {
  local state unknown=0
  while :; do
    state=$(stack_state "$1")
    [[ $2:$state != create:CREATE_* ]] || ((type[efa] <= 1)) || associate_addresses "${opt[name]}"
    case $2:$state in
      create:CREATE_COMPLETE | *:DELETE_COMPLETE | *:DELETE_FAILED | *:GONE) break ;;
      *:UNKNOWN) ((++unknown < 60)) || break ;;
      *) unknown=0 ;;
    esac
    pause "$poll_seconds"
  done
  echo "$state"
}

# associate_addresses NAME: binds the addresses of the stack to the nodes that have none. AWS gives
# a node with several cards no address by itself, and binds one only to an interface: the first
# card's.
associate_addresses() {
  local tag="Name=tag:mnist-dist:cluster,Values=$1" card address
  # shellcheck disable=SC2016  # AWS's quotes
  ask ec2 describe-instances --filters "$tag" Name=instance-state-name,Values=running --query \
    'Reservations[].Instances[?!PublicIpAddress][].NetworkInterfaces[?
      Attachment.DeviceIndex==`0`].NetworkInterfaceId' |
    tr '\t' '\n' >"$scratch/cards" || return 0
  ask ec2 describe-addresses --filters "$tag" --query 'Addresses[?!AssociationId].AllocationId' |
    tr '\t' '\n' >"$scratch/addresses" || return 0
  while read -r card && read -r address <&4; do
    ask ec2 associate-address --allocation-id "$address" \
      --network-interface-id "$card" >/dev/null || true
  done <"$scratch/cards" 4<"$scratch/addresses"
}

# leftovers NAME: everything in the region with the cluster's tag, one per line. All kinds are
# requested at once.
leftovers() {
  local tag="Name=tag:mnist-dist:cluster,Values=$1" kind
  (
    list() { # KIND QUERY ARGUMENTS...
      aws_cli ec2 "$3" --filters "$tag" "${@:4}" --query "$2" 2>"$scratch/left.$1.error" |
        tr '\t' '\n' | sed "/./s/^/$1 /" >"$scratch/left.$1"
      ((PIPESTATUS[0] == 0)) ||
        echo "$1 ? ($(tail -n 1 "$scratch/left.$1.error"))" >"$scratch/left.$1"
    }
    rm -f "$scratch"/left.*
    list instance 'Reservations[].Instances[].InstanceId' describe-instances \
      "Name=instance-state-name,Values=pending,running,shutting-down,stopping,stopped" &
    list volume 'Volumes[].VolumeId' describe-volumes &
    list network-interface 'NetworkInterfaces[].NetworkInterfaceId' describe-network-interfaces &
    list address 'Addresses[].AllocationId' describe-addresses &
    list security-group 'SecurityGroups[].GroupId' describe-security-groups &
    list key-pair 'KeyPairs[].KeyName' describe-key-pairs &
    list launch-template 'LaunchTemplates[].LaunchTemplateId' describe-launch-templates &
    list placement-group 'PlacementGroups[].GroupName' describe-placement-groups &
    wait
  )
  for kind in instance volume network-interface address security-group key-pair launch-template \
    placement-group; do
    cat "$scratch/left.$kind"
  done
}

# delete_stack ID NAME: deletes, waits, and terminates the instances that AWS's own deletion left,
# because they cost most. Returns 1 with $scratch/leftovers if something is left.
delete_stack() {
  local id=$1 name=$2 tries=0
  while :; do
    change cloudformation delete-stack --stack-name "$id" || aws_rejected
    case $(await_stack "$id" delete) in DELETE_COMPLETE | GONE) break ;; esac
    ((++tries < 2)) || break
    say "AWS could not delete everything at the first try. Terminating the instances, then trying \
again"
    terminate_instances "$name"
  done
  free_addresses "$name"
  delete_role "$name"
  check_nothing_left "$name"
}

# delete_role NAME: the role with which a stack deletes itself, and which it leaves. It costs
# nothing, so a user without the right to list roles leaves it, too.
delete_role() {
  local role
  for role in $(ask iam list-roles --path-prefix "/mnist-dist/${opt[region]}/$1/" \
    --query 'Roles[].RoleName'); do
    if ! { change iam delete-role-policy --role-name "$role" --policy-name end &&
      change iam delete-role --role-name "$role"; }; then
      say "warning: $(aws_error)"
    fi
  done
}

# free_addresses NAME: releases addresses that the deletion of the stack left. They are billed until
# then.
free_addresses() {
  local id association
  while read -r id association; do
    [[ $association == None ]] ||
      change ec2 disassociate-address --association-id "$association" || true
    change ec2 release-address --allocation-id "$id" || say "warning: $(aws_error)"
  done < <(ask ec2 describe-addresses --filters "Name=tag:mnist-dist:cluster,Values=$1" \
    --query 'Addresses[].[AllocationId,AssociationId]')
}

terminate_instances() {
  local instances
  instances=$(leftovers "$1" | sed -n 's/^instance //p' | grep -v '?' | xargs) || true
  # shellcheck disable=SC2086  # one word per instance
  [[ -z $instances ]] || change ec2 terminate-instances --instance-ids $instances ||
    say "warning: $(aws_error)"
}

# AWS lists deleted resources for some seconds. Those of a minute later are left over.
check_nothing_left() {
  local i
  for ((i = 0; i < left_rounds; i++)); do
    leftovers "$1" >"$scratch/leftovers"
    [[ -s $scratch/leftovers ]] || return 0
    pause "$poll_seconds"
  done
  return 1
}

die_leftovers() {
  say "error: resources of cluster $1 are left in ${opt[region]}, and may cost money:"
  sed 's/^/  /' "$scratch/leftovers" >&2
  say "hint: run launch/ec2.sh down --name $1 --region ${opt[region]} again, or delete them in the \
EC2 console (tag mnist-dist:cluster = $1)"
  exit 4
}
