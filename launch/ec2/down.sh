# shellcheck shell=bash
# launch/ec2.sh down: everything of a cluster deleted, and looked whether it is. To be sourced by
# ec2.sh.

down() {
  if $dry_run; then
    say "dry run: down would copy the results to $results, delete stack $(stack_of "$name") in \
$region, and look whether anything with the tag mnist-dist:cluster = $name is left"
    return
  fi
  if read_stack "$name"; then
    last_fetch
    say "deleting cluster $name ($instance x $nodes, $state)"
    delete_stack "$stack_id" "$name" || die_leftovers "$name"
    say "it cost about \$$(cost_so_far "$(now)"), disks and addresses aside"
  else
    # A stack that is gone should have taken all along; what did not costs money unseen.
    leftovers "$name" >"$scratch/leftovers"
    if [[ -s $scratch/leftovers ]]; then
      say "there is no stack $(stack_of "$name"), but something of the cluster is left; \
terminating its instances"
      terminate_instances "$name"
      free_addresses "$name"
      check_nothing_left "$name" || die_leftovers "$name"
    fi
  fi
  rm -rf "$(state_folder "$name")"
  say "nothing of cluster $name is left in $region"
}

# Results that were not copied yet are worth a try, not a wait: the hour is paid either way.
last_fetch() {
  $fetch_first || return 0
  read_nodes
  if [[ -z $head_address ]] || ! head_answers; then
    say "no node answers: nothing is copied any more"
    return 0
  fi
  if job_runs; then
    $yes || confirm_stop
    stop_job
    wait_for_checkpoint
  fi
  fetch_results || say "warning: the results could not be copied (see above); continuing with down"
}

# The ranks end their step first; a minute is plenty, and a job that hangs must not keep the
# cluster.
wait_for_checkpoint() {
  local until=$((SECONDS + 60))
  while job_runs; do
    if ((SECONDS >= until)); then
      say "warning: the job does not stop; copying what it has written"
      return 0
    fi
    pause "$poll_seconds"
  done
}

confirm_stop() {
  local answer
  [[ -t 0 ]] ||
    die 2 "cluster $name is training" \
      "--yes stops it with a checkpoint, copies it to $results and deletes the cluster"
  read -r -p \
    "Cluster $name is training. Stop it with a checkpoint and delete the cluster? Type yes: " \
    answer || answer=
  [[ $answer == yes ]] || die 2 "not deleted" "launch/ec2.sh logs --name $name shows what it does"
}
