# shellcheck shell=bash
# launch/ec2.sh up: creates a cluster. A failure deletes everything. To be sourced by ec2.sh.

up() {
  find_instance "$instance"
  require_offered "$instance"
  [[ -z $family ]] || choose_family "$family"
  refuse_second_up
  find_owner
  find_caller
  find_image
  find_places
  check_reservation
  # A reservation already counts against the quota. Capacity Blocks need none.
  [[ -n $reservation ]] || check_quota
  find_price
  show_plan
  if $dry_run; then
    place=$(head -n 1 "$scratch/places")
    say "dry run: nothing was created. After a yes, up would run:"
    create_command "$place" '(public half of --key-file, or of a new key)' "$(now)-$$"
    printf 'aws --region %q' "$region"
    printf ' %q' "${create[@]}"
    echo
    say "and then copy the code to the nodes, install, and build (launch/ec2.sh run does that too)"
    return
  fi
  confirm
  delete_role "$name"
  make_key
  start_somewhere
  set_up_or_roll_back
  say "cluster $name is ready. Next: launch/ec2.sh run --name $name. It ends by itself in \
$(clock "$ttl_minutes") h, or with launch/ec2.sh down --name $name"
}

refuse_second_up() {
  ! read_stack "$name" || die 2 "cluster $name already exists in $region (${stack[state]})" \
    "check launch/ec2.sh status --name $name, remove it with down, or use a different --name"
}

# The TTL of a node counts from its start, which takes up to a quarter of an hour. The stack deletes
# itself this many minutes after the TTL, counted from its creation.
boot_minutes=20

# create_command PLACE PUBLIC_KEY LAUNCH: sets the array create. The launch tag distinguishes this
# stack from another one of the same name.
create_command() {
  local zone subnet vpc bucket= prefix= interface=interface cards=1 ends_at=
  read -r zone subnet vpc <<<"$1"
  ((type[efa] == 0)) || { interface=efa cards=${type[efa]}; }
  # Its first card has no EFA, and is not one of the cards in the table.
  [[ $instance != p6-b300.* ]] || { interface=interface cards=$((type[efa] + 1)); }
  [[ -z $s3 ]] ||
    { bucket=${s3#s3://} &&
    bucket=${bucket%%/*}; prefix=${s3#s3://"$bucket"} prefix=${prefix#/} \
    prefix=${prefix:+$prefix/}; }
  ! $self_delete || ends_at=$(TZ=UTC0 printf '%(%Y-%m-%dT%H:%M:%S)T' \
    $(($(now) + (ttl_minutes + boot_minutes) * 60)))
  render_template "$nodes" "$cards" >"$scratch/cluster.yaml"
  (($(wc -c <"$scratch/cluster.yaml") <= 51200)) ||
    die 2 "--nodes: the template is too large for AWS (got $nodes)" "use fewer --nodes"
  create=(cloudformation create-stack --stack-name "$(stack_of "$name")"
    --template-body "file://$scratch/cluster.yaml"
    --on-failure DELETE --timeout-in-minutes 60 --query StackId --parameters)
  local pair
  for pair in "Cluster=$name" "Nodes=$nodes" "InstanceType=$instance" "ImageId=$image" \
    "RootDevice=$root_device" "VpcId=$vpc" "SubnetId=$subnet" "Caller=$caller" \
    "PublicKey=$2" "TtlMinutes=$ttl_minutes" "Interface=$interface" "Cards=$cards" "Spot=$spot" \
    "Reservation=$reservation" "IsBlock=$block" "Bucket=$bucket" "Prefix=$prefix" \
    "EndsAt=$ends_at"; do
    create+=("ParameterKey=${pair%%=*},ParameterValue='${pair#*=}'")
  done
  create+=(--tags)
  for pair in "mnist-dist:cluster=$name" "project=mnist-dist" "owner=$owner" "ttl=$ttl_minutes" \
    "mnist-dist:launch=$3" "mnist-dist:created=$(now)" "mnist-dist:ttl=$ttl_minutes" \
    "mnist-dist:price=$price" "mnist-dist:instance=$instance" "mnist-dist:nodes=$nodes" \
    "mnist-dist:zone=$zone" "mnist-dist:key=$key_file" \
    "mnist-dist:user=$(ami_user "${type[ami]}")" ${s3:+"mnist-dist:s3=$s3"}; do
    create+=("Key=${pair%%=*},Value='${pair#*=}'")
  done
  # The roles need this: to delete the stack, and to let nodes write to S3.
  [[ -z $s3$ends_at ]] || create+=(--capabilities CAPABILITY_IAM)
}

# make_key: the cluster's own ssh key, or the public half of --key-file. The folder also holds the
# nodes' host keys.
make_key() {
  local folder
  folder=$(state_folder "$name")
  # Keys of an earlier cluster of this name are useless, because its hosts are gone.
  rm -rf "$folder"
  mkdir -p "$folder" && chmod 700 "$folder"
  if [[ -z $key_file ]]; then
    key_file=$folder/key
    ssh-keygen -q -t ed25519 -N '' -C "mnist-dist-$name" -f "$key_file"
  fi
  [[ $key_file != *[\'\"\\]* ]] ||
    die 2 "--key-file: quotes in the path are not possible in a tag of AWS: $key_file" \
      "give --key-file a path without quotes"
  public_key=$(ssh-keygen -y -P '' -f "$key_file" 2>/dev/null) ||
    public_key=$(cat "$key_file.pub" 2>/dev/null) ||
    die 3 "cannot read the public half of $key_file" \
      "put its .pub file beside a key with a passphrase"
}

# start_somewhere: tries zone after zone until one has the capacity.
start_somewhere() {
  local place reasons state
  unfinished=false stack_id=''
  trap 'exit 130' INT TERM HUP
  trap 'end_unfinished $?' EXIT
  while read -r place <&3; do
    launch=$(now)-$$-$RANDOM
    create_command "$place" "$public_key" "$launch"
    say "requesting $nodes x $instance in ${place%% *}"
    unfinished=true
    : >"$scratch/answer"
    change "${create[@]}" || could_not_ask
    stack_id=$(<"$scratch/answer")
    state=$(await_stack "$stack_id" create)
    [[ $state != CREATE_COMPLETE ]] || return 0
    reasons=$(failure_reasons "$stack_id")
    take_back
    if is_capacity_problem "$reasons"; then
      say "no capacity in ${place%% *}, nothing was left behind"
      continue
    fi
    say "$reasons"
    die 4 "AWS could not create the cluster, nothing was left behind" "$(hint_for "$reasons")"
  done 3<"$scratch/places"
  local otherwise=--spot
  ! $spot || otherwise="no --spot"
  # Large GPUs are seldom available on demand.
  [[ $instance != p[4-9]* ]] || otherwise+=", or reserve them (EC2 Capacity Blocks for ML, or an \
On-Demand Capacity Reservation) and use --capacity-reservation"
  die 4 "no zone of $region has the capacity for $nodes x $instance now, nothing was left behind" \
    "try later, or use fewer --nodes, a different --instance or --region, or $otherwise"
}

could_not_ask() {
  if grep -q AlreadyExists "$scratch/error"; then
    unfinished=false
    die 2 "cluster $name already exists in $region" \
      "check launch/ec2.sh status --name $name, or use a different --name"
  fi
  aws_refused
}

hint_for() {
  case $1 in
    *VcpuLimitExceeded* | *"vCPU limit"* | *MaxSpotInstanceCountExceeded*)
      echo "raise the service quota in the Service Quotas console, EC2, \
$(quota_of "$instance" "$spot" | cut -d' ' -f3-)"
      ;;
    *iam:CreateRole* | *iam:PutRolePolicy* | *iam:PassRole* | *scheduler:CreateSchedule*)
      echo "give your user the rights in docs/ec2.md, or use --no-schedule and no --s3"
      ;;
    *UnauthorizedOperation* | *AccessDenied* | *"not authorized"*)
      echo "give your user the rights in docs/ec2.md"
      ;;
    *WaitCondition* | *Armed*)
      echo "use a subnet with access to the internet: the nodes did not report their TTL"
      ;;
    *AddressLimitExceeded*)
      echo "use fewer --nodes, or raise the quota for Elastic IPs: each node needs one"
      ;;
    *) echo "read AWS's own reasons above" ;;
  esac
}

# take_back: deletes this launch's stack and verifies it.
take_back() {
  find_own_stack
  if [[ -n $stack_id ]]; then
    delete_stack "$stack_id" "$name" || die_leftovers "$name"
  else
    check_nothing_left "$name" || die_leftovers "$name"
  fi
  stack_id='' unfinished=false
}

# find_own_stack: Ctrl-C may come during the request for the stack, or before its reply is read. So
# this waits for the reply. Without a reply, the stack of this name is ours if it has this launch's
# tag.
find_own_stack() {
  local facts tries
  finish_change || true
  [[ -n $stack_id || ! -s $scratch/answer ]] || stack_id=$(<"$scratch/answer")
  for ((tries = 0; tries < 3; tries++)); do
    [[ -z $stack_id ]] || return 0
    if ! facts=$(stack_facts "$(stack_of "$name")"); then
      pause "$poll_seconds"
      continue
    fi
    [[ $(cut -f 3 <<<"$facts") == "$launch" ]] || return 0
    stack_id=$(cut -f 2 <<<"$facts")
  done
}

# end_unfinished CODE: deletes the cluster if the script ends before it is complete.
end_unfinished() {
  trap - EXIT
  trap '' INT TERM HUP
  if $unfinished; then
    say "rolling back (a minute or two)"
    # If this script is killed here, AWS continues to delete.
    take_back
    say "rolled back: nothing of $name is left in $region"
    rm -rf "$(state_folder "$name")"
  fi
  rm -rf "$scratch"
  exit "$1"
}

# A cluster whose nodes cannot be set up costs the same as one that works.
set_up_or_roll_back() {
  if $keep || $bare; then
    unfinished=false
    $bare || set_up_nodes ||
      say "the cluster runs and costs money. launch/ec2.sh run --name $name tries the set-up \
again, down removes it"
    return 0
  fi
  set_up_nodes ||
    die 4 "the nodes could not be set up (see above)" "use up --keep to inspect them"
  unfinished=false
}
