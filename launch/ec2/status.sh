# shellcheck shell=bash
# launch/ec2.sh status and cost. To be sourced by ec2.sh.

# cost_so_far: dollars since the creation of the cluster in stack. Its instances end with the TTL.
cost_so_far() {
  local minutes=$((($(now) - stack[created]) / 60))
  ((minutes <= stack[ttl])) || minutes=${stack[ttl]}
  calculate "${stack[nodes]} * ${stack[price]} * $minutes / 60"
}

# read_nodes: lines "number id state public private" in $scratch/nodes, in order. Sets stack[head]
# to the address of the first running one.
read_nodes() {
  need ec2 describe-instances --filters "Name=tag:mnist-dist:cluster,Values=${opt[name]}" \
    --query "Reservations[].Instances[].[Tags[?Key=='mnist-dist:node'].Value|[0],InstanceId,\
State.Name,PublicIpAddress,PrivateIpAddress]" |
    # An earlier cluster of the same name stays in the list for an hour after its end.
    { if [[ ${1:-} == all ]]; then cat; else awk '$3 == "running"'; fi; } |
    sort -n >"$scratch/nodes" || exit
  stack[head]=$(awk '$3 == "running" { print $4; exit }' "$scratch/nodes")
}

status() {
  if ! ${opt[name_given]}; then
    list_clusters
    return
  fi
  require_stack "list the clusters with launch/ec2.sh status"
  read_nodes all
  find_instance "${stack[instance]}"
  local count=${stack[nodes]} running age left ttl
  running=$(awk '$3 == "running"' "$scratch/nodes" | wc -l)
  age=$((($(now) - stack[created]) / 60)) left=$((stack[ttl] - age)) ttl=$(clock "${stack[ttl]}")
  echo "cluster ${opt[name]}: ${stack[state]}, $count x ${type[name]} ($(instance_words)) in \
${stack[zone]}"
  if ((left > 0)); then
    echo "age $(clock "$age") h of $ttl h, ends by itself in $(clock "$left") h"
  else
    echo "age $(clock "$age") h: its time to live of $ttl h is over"
  fi
  echo "cost so far about \$$(cost_so_far), \$$(calculate "$count * ${stack[price]}") per hour"
  awk -v running="$running" -v count="$count" '$3 != "terminated" || running < count' \
    "$scratch/nodes" | tail -n "$count" | awk -v OFS='  ' '{ $1 = "node " $1; print }'
  if ((running < count)) && [[ ${stack[state]} == CREATE_COMPLETE ]]; then
    echo "$((count - running)) of $count nodes are gone (spot interruption, TTL, or ended by \
hand). Delete the rest with launch/ec2.sh down --name ${opt[name]}"
  fi
  if ((running)) && [[ -e $(state_folder "${opt[name]}") ]] && head_answers; then
    echo "job: $(on_head launch/ec2/node/job.sh state)"
  fi
}

list_clusters() {
  local stacks cluster state owner instance nodes created ttl
  stacks=$(need cloudformation describe-stacks \
    --query "Stacks[?Tags[?Key=='project'&&Value=='mnist-dist']].[StackName,StackStatus,\
Tags[?Key=='owner'].Value|[0],Tags[?Key=='mnist-dist:instance'].Value|[0],\
Tags[?Key=='mnist-dist:nodes'].Value|[0],Tags[?Key=='mnist-dist:created'].Value|[0],\
Tags[?Key=='mnist-dist:ttl'].Value|[0]]") ||
    exit
  if [[ -z $stacks ]]; then
    echo "no cluster in ${opt[region]}"
    return
  fi
  while read -r cluster state owner instance nodes created ttl; do
    echo "${cluster#mnist-dist-}: $state, $nodes x $instance, $owner, age \
$(clock $((($(now) - created) / 60))) h of $(clock "$ttl") h"
  done <<<"$stacks"
}

# cost: of the existing cluster, otherwise of a new one with the given options.
cost() {
  local count=${opt[nodes]} hourly
  if ${opt[name_given]} || [[ -z ${opt[instance]} ]]; then
    require_stack "give --instance and --nodes for the cost of a new one"
    count=${stack[nodes]} hourly="${stack[nodes]} * ${stack[price]}"
    echo "cluster ${opt[name]}: about \$$(cost_so_far) so far, \$$(calculate "$hourly") per hour, \
at most \$$(calculate "$hourly * ${stack[ttl]} / 60") until it ends by itself"
  else
    find_instance "${opt[instance]}"
    require_offered "${opt[instance]}"
    find_price
    hourly="$count * ${opt[price]}"
    echo "$count x ${opt[instance]} ($(instance_words)): \$$(calculate "$hourly") per hour, \
\$$(calculate "$hourly * ${opt[ttl]} / 60") for $(clock "${opt[ttl]}") h (${plan[price_source]})"
    warn_idle_gpus
  fi
  echo "disks (\$0.08 per GB and month) and public addresses (\$0.005 per hour) add about \
\$$(calculate "$count * (100 * 0.08 / 730 + 0.005)") per hour"
}
