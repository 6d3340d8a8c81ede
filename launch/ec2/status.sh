# shellcheck shell=bash
# launch/ec2.sh status and cost. To be sourced by ec2.sh.

# cost_so_far SECONDS_SINCE_1970: dollars since the cluster of read_stack was created. Its instances
# end with the TTL.
cost_so_far() {
  local minutes=$((($1 - created) / 60))
  ((minutes <= ttl_minutes)) || minutes=$ttl_minutes
  calculate "$nodes * $price * $minutes / 60"
}

# read_nodes: lines "number id state public private" in $scratch/nodes, in order. Sets head_address
# to the first running one.
read_nodes() {
  need ec2 describe-instances --filters "Name=tag:mnist-dist:cluster,Values=$name" \
    --query "Reservations[].Instances[].[Tags[?Key=='mnist-dist:node'].Value|[0],InstanceId,\
State.Name,PublicIpAddress,PrivateIpAddress]" |
    # An earlier cluster of the same name stays in the list for an hour after its end.
    { if [[ ${1:-} == all ]]; then cat; else awk '$3 == "running"'; fi; } |
    sort -n >"$scratch/nodes" || exit
  head_address=$(awk '$3 == "running" { print $4; exit }' "$scratch/nodes")
}

status() {
  if ! $name_given; then
    list_clusters
    return
  fi
  read_stack "$name" ||
    die 2 "there is no cluster $name in $region" "list the clusters with launch/ec2.sh status"
  read_nodes all
  find_instance "$instance"
  local running age left seconds
  seconds=$(now)
  running=$(awk '$3 == "running"' "$scratch/nodes" | wc -l)
  age=$(((seconds - created) / 60)) left=$((ttl_minutes - (seconds - created) / 60))
  echo "cluster $name: $state, $nodes x $instance ($(instance_words)) in $zone"
  if ((left > 0)); then
    echo "age $(clock "$age") h of $(clock "$ttl_minutes") h, ends by itself in $(clock "$left") h"
  else
    echo "age $(clock "$age") h: its time to live of $(clock "$ttl_minutes") h is over"
  fi
  echo "cost so far about \$$(cost_so_far "$seconds"), \$$(calculate "$nodes * $price") per hour"
  while read -r number id node_state public private; do
    echo "node $number  $id  $node_state  $public  $private"
  done < <(awk -v running="$running" '$3 != "terminated" || running < '"$nodes" "$scratch/nodes" |
    tail -n "$nodes")
  if ((running < nodes)) && [[ $state == CREATE_COMPLETE ]]; then
    echo "$((nodes - running)) of $nodes nodes are gone (spot interruption, TTL, or ended by \
hand). Delete the rest with launch/ec2.sh down --name $name"
  fi
  if ((running)) && [[ -e $(state_folder "$name") ]] && head_answers; then
    echo "job: $(on_head launch/ec2/node/job.sh state)"
  fi
}

list_clusters() {
  local stacks
  stacks=$(need cloudformation describe-stacks \
    --query "Stacks[?Tags[?Key=='project'&&Value=='mnist-dist']].[StackName,StackStatus,\
Tags[?Key=='owner'].Value|[0],Tags[?Key=='mnist-dist:instance'].Value|[0],\
Tags[?Key=='mnist-dist:nodes'].Value|[0],Tags[?Key=='mnist-dist:created'].Value|[0],\
Tags[?Key=='mnist-dist:ttl'].Value|[0]]") ||
    exit
  if [[ -z $stacks ]]; then
    echo "no cluster in $region"
    return
  fi
  while read -r stack state owner instance nodes created ttl_minutes; do
    echo "${stack#mnist-dist-}: $state, $nodes x $instance, $owner, age \
$(clock $((($(now) - created) / 60))) h of $(clock "$ttl_minutes") h"
  done <<<"$stacks"
}

# cost: of the existing cluster, otherwise of a new one with the given options.
cost() {
  if $name_given || [[ -z $instance ]]; then
    read_stack "$name" ||
      die 2 "there is no cluster $name in $region" \
        "give --instance and --nodes for the cost of a new one"
    echo "cluster $name: about \$$(cost_so_far "$(now)") so far, \$$(calculate "$nodes * $price") \
per hour, at most \$$(calculate "$nodes * $price * $ttl_minutes / 60") until it ends by itself"
  else
    find_instance "$instance"
    require_offered "$instance"
    find_price
    echo "$nodes x $instance ($(instance_words)): \$$(calculate "$nodes * $price") per hour, \
\$$(calculate "$nodes * $price * $ttl_minutes / 60") for $(clock "$ttl_minutes") h ($price_source)"
    warn_idle_gpus
  fi
  echo "disks (\$0.08 per GB and month) and public addresses (\$0.005 per hour) add about \
\$$(calculate "$nodes * (100 * 0.08 / 730 + 0.005)") per hour"
}
