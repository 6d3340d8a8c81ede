# shellcheck shell=bash
# launch/ec2.sh up: creates a cluster. A failure deletes everything. To be sourced by ec2.sh.

up() {
  find_instance "${opt[instance]}"
  require_offered "${opt[instance]}"
  [[ -z ${opt[image]} ]] || choose_family "${opt[image]}"
  reject_second_up
  find_owner
  find_caller
  find_image
  find_places
  check_reservation
  # A reservation already counts against the quota. Capacity Blocks need none.
  [[ -n ${opt[capacity-reservation]} ]] || check_quota
  find_price
  show_plan
  if ${opt[dry-run]}; then
    say "dry run: nothing was created. After a yes, up would run:"
    create_command "$(head -n 1 "$scratch/places")" \
      '(public half of --key-file, or of a new key)' "$(now)-$$"
    printf 'aws --region %q' "${opt[region]}"
    printf ' %q' "${create[@]}"
    echo
    say "and then copy the code to the nodes, install, and build (launch/ec2.sh run does that too)"
    return
  fi
  confirm
  delete_role "${opt[name]}"
  make_key
  start_somewhere
  set_up_or_roll_back
  say "cluster ${opt[name]} is ready. Next: launch/ec2.sh run --name ${opt[name]}. It ends by \
itself in $(clock "${opt[ttl]}") h, or with launch/ec2.sh down --name ${opt[name]}"
}

reject_second_up() {
  ! read_stack "${opt[name]}" ||
    die 2 "cluster ${opt[name]} already exists in ${opt[region]} (${stack[state]})" "check \
launch/ec2.sh status --name ${opt[name]}, remove it with down, or use a different --name"
}

# The TTL of a node counts from its start, which takes up to a quarter of an hour. The stack deletes
# itself this many minutes after the TTL, counted from its creation.
boot_minutes=20

# create_command PLACE PUBLIC_KEY LAUNCH: sets the array create. The launch tag distinguishes this
# stack from another one of the same name.
create_command() {
  local zone subnet vpc bucket= prefix= interface=interface cards=1 ends_at= pair
  read -r zone subnet vpc <<<"$1"
  ((type[efa] == 0)) || { interface=efa cards=${type[efa]}; }
  # Its first card has no EFA, and is not one of the cards in the table.
  [[ ${opt[instance]} != p6-b300.* ]] || { interface=interface cards=$((type[efa] + 1)); }
  if [[ ${opt[s3]} =~ ^s3://([^/]+)/?(.*)$ ]]; then
    bucket=${BASH_REMATCH[1]} prefix=${BASH_REMATCH[2]:+${BASH_REMATCH[2]}/}
  fi
  ${opt[no-schedule]} || ends_at=$(TZ=UTC0 printf '%(%Y-%m-%dT%H:%M:%S)T' \
    $(($(now) + (opt[ttl] + boot_minutes) * 60)))
  render_template "${opt[nodes]}" "$cards" >"$scratch/cluster.yaml"
  (($(wc -c <"$scratch/cluster.yaml") <= 51200)) ||
    die 2 "--nodes: the template is too large for AWS (got ${opt[nodes]})" "use fewer --nodes"
  create=(cloudformation create-stack --stack-name "$(stack_of "${opt[name]}")"
    --template-body "file://$scratch/cluster.yaml"
    --on-failure DELETE --timeout-in-minutes 60 --query StackId --parameters)
  for pair in "Cluster=${opt[name]}" "Nodes=${opt[nodes]}" "InstanceType=${opt[instance]}" \
    "ImageId=${opt[ami]}" "RootDevice=${plan[root_device]}" "VpcId=$vpc" "SubnetId=$subnet" \
    "Caller=${opt[from]}" "PublicKey=$2" "TtlMinutes=${opt[ttl]}" "Interface=$interface" \
    "Cards=$cards" "Spot=${opt[spot]}" "Reservation=${opt[capacity-reservation]}" \
    "IsBlock=${plan[block]}" "Bucket=$bucket" "Prefix=$prefix" "EndsAt=$ends_at"; do
    create+=("ParameterKey=${pair%%=*},ParameterValue='${pair#*=}'")
  done
  create+=(--tags)
  for pair in "mnist-dist:cluster=${opt[name]}" "project=mnist-dist" "owner=${plan[owner]##*/}" \
    "ttl=${opt[ttl]}" "mnist-dist:launch=$3" "mnist-dist:created=$(now)" \
    "mnist-dist:ttl=${opt[ttl]}" "mnist-dist:price=${opt[price]}" \
    "mnist-dist:instance=${opt[instance]}" "mnist-dist:nodes=${opt[nodes]}" \
    "mnist-dist:zone=$zone" "mnist-dist:key=${opt[key-file]}" \
    "mnist-dist:user=$(ami_user "${type[ami]}")" ${opt[s3]:+"mnist-dist:s3=${opt[s3]}"}; do
    create+=("Key=${pair%%=*},Value='${pair#*=}'")
  done
  # The roles need this: to delete the stack, and to let nodes write to S3.
  [[ -z ${opt[s3]}$ends_at ]] || create+=(--capabilities CAPABILITY_IAM)
}

# make_key: the cluster's own ssh key, or --key-file. $scratch/key.pub is its public half. The
# folder also holds the nodes' host keys.
make_key() {
  local folder
  folder=$(state_folder "${opt[name]}")
  # Keys of an earlier cluster of this name are useless, because its hosts are gone.
  rm -rf "$folder"
  mkdir -p "$folder" && chmod 700 "$folder"
  if [[ -z ${opt[key-file]} ]]; then
    opt[key-file]=$folder/key
    ssh-keygen -q -t ed25519 -N '' -C "mnist-dist-${opt[name]}" -f "${opt[key-file]}"
  fi
  [[ ${opt[key-file]} != *[\'\"\\]* ]] ||
    die 2 "--key-file: quotes in the path are not possible in a tag of AWS: ${opt[key-file]}" \
      "give --key-file a path without quotes"
  ssh-keygen -y -P '' -f "${opt[key-file]}" >"$scratch/key.pub" 2>/dev/null ||
    cat "${opt[key-file]}.pub" >"$scratch/key.pub" 2>/dev/null ||
    die 3 "cannot read the public half of ${opt[key-file]}" \
      "put its .pub file beside a key with a passphrase"
}

# start_somewhere: tries zone after zone until one has the capacity.
start_somewhere() {
  local place reasons state
  # The new stack: its tag, its id, and true while the end of the script deletes it.
  declare -gA launch=([tag]='' [id]='' [unfinished]=false)
  trap 'exit 130' INT TERM HUP
  trap 'end_unfinished $?' EXIT
  while read -r place <&3; do
    launch[tag]=$(now)-$$-$RANDOM
    create_command "$place" "$(<"$scratch/key.pub")" "${launch[tag]}"
    say "requesting ${opt[nodes]} x ${opt[instance]} in ${place%% *}"
    launch[unfinished]=true
    : >"$scratch/answer"
    change "${create[@]}" || could_not_ask
    launch[id]=$(<"$scratch/answer")
    state=$(await_stack "${launch[id]}" create)
    [[ $state != CREATE_COMPLETE ]] || return 0
    reasons=$(failure_reasons "${launch[id]}")
    take_back
    if is_capacity_problem "$reasons"; then
      say "no capacity in ${place%% *}, nothing was left behind"
      continue
    fi
    say "$reasons"
    die 4 "AWS could not create the cluster, nothing was left behind" "$(hint_for "$reasons")"
  done 3<"$scratch/places"
  local otherwise=--spot
  ! ${opt[spot]} || otherwise="no --spot"
  # Large GPUs are seldom available on demand.
  [[ ${opt[instance]} != p[4-9]* ]] || otherwise+=", or reserve them (EC2 Capacity Blocks for \
ML, or an On-Demand Capacity Reservation) and use --capacity-reservation"
  die 4 "no zone of ${opt[region]} has the capacity for ${opt[nodes]} x ${opt[instance]} now, \
nothing was left behind" \
    "try later, or use fewer --nodes, a different --instance or --region, or $otherwise"
}

could_not_ask() {
  if grep -q AlreadyExists "$scratch/error"; then
    launch[unfinished]=false
    die 2 "cluster ${opt[name]} already exists in ${opt[region]}" \
      "check launch/ec2.sh status --name ${opt[name]}, or use a different --name"
  fi
  aws_rejected
}

hint_for() {
  case $1 in
    *VcpuLimitExceeded* | *"vCPU limit"* | *MaxSpotInstanceCountExceeded*)
      echo "raise the service quota in the Service Quotas console, EC2, \
$(quota_of "${opt[instance]}" "${opt[spot]}" | cut -d' ' -f3-)"
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
  if [[ -n ${launch[id]} ]]; then
    delete_stack "${launch[id]}" "${opt[name]}" || die_leftovers "${opt[name]}"
  else
    check_nothing_left "${opt[name]}" || die_leftovers "${opt[name]}"
  fi
  launch[id]='' launch[unfinished]=false
}

# find_own_stack: Ctrl-C may come during the request for the stack, or before its reply is read. So
# this waits for the reply. Without a reply, the stack of this name is ours if it has this launch's
# tag.
find_own_stack() {
  local facts tries
  finish_change || true
  [[ -n ${launch[id]} || ! -s $scratch/answer ]] || launch[id]=$(<"$scratch/answer")
  for ((tries = 0; tries < 3; tries++)); do
    [[ -z ${launch[id]} ]] || return 0
    if ! facts=$(stack_facts "$(stack_of "${opt[name]}")"); then
      pause "$poll_seconds"
      continue
    fi
    [[ $(cut -f 3 <<<"$facts") == "${launch[tag]}" ]] || return 0
    launch[id]=$(cut -f 2 <<<"$facts")
  done
}

# end_unfinished CODE: deletes the cluster if the script ends before it is complete.
end_unfinished() {
  trap - EXIT
  trap '' INT TERM HUP
  if ${launch[unfinished]}; then
    say "rolling back (a minute or two)"
    # If this script is killed here, AWS continues to delete.
    take_back
    say "rolled back: nothing of ${opt[name]} is left in ${opt[region]}"
    rm -rf "$(state_folder "${opt[name]}")"
  fi
  rm -rf "$scratch"
  exit "$1"
}

# A cluster whose nodes cannot be set up costs the same as one that works.
set_up_or_roll_back() {
  if ${opt[keep]} || ${opt[bare]}; then
    launch[unfinished]=false
    ${opt[bare]} || set_up_nodes ||
      say "the cluster runs and costs money. launch/ec2.sh run --name ${opt[name]} tries the \
set-up again, down removes it"
    return 0
  fi
  set_up_nodes ||
    die 4 "the nodes could not be set up (see above)" "use up --keep to inspect them"
  launch[unfinished]=false
}
