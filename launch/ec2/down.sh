# shellcheck shell=bash
# launch/ec2.sh down: deletes everything of a cluster, and verifies it. To be sourced by ec2.sh.

down() {
  local name=${opt[name]} region=${opt[region]}
  if ${opt[dry-run]}; then
    say "dry run: down would copy the results to ${opt[results]}, delete stack $(stack_of "$name") \
in $region, and check that nothing with the tag mnist-dist:cluster = $name is left"
    return
  fi
  if read_stack "$name"; then
    last_fetch
    say "deleting cluster $name (${stack[instance]} x ${stack[nodes]}, ${stack[state]})"
    delete_stack "${stack[id]}" "$name" || die_leftovers "$name"
    say "it cost about \$$(cost_so_far), disks and addresses aside"
  else
    # A deleted stack should have deleted everything. The rest would cost money unnoticed.
    leftovers "$name" >"$scratch/leftovers"
    if [[ -s $scratch/leftovers ]]; then
      say "there is no stack $(stack_of "$name"), but resources of the cluster are left. \
Terminating its instances"
      terminate_instances "$name"
      free_addresses "$name"
      check_nothing_left "$name" || die_leftovers "$name"
    fi
    delete_role "$name"
  fi
  rm -rf "$(state_folder "$name")"
  say "nothing of cluster $name is left in $region"
}

# Tries to copy the newest results, without a wait. With --down-when-done, the job did.
last_fetch() {
  if ${opt[no-fetch]} || [[ $verb != down ]]; then return 0; fi
  read_nodes
  if [[ -z ${stack[head]} ]] || ! head_answers; then
    say "no node responds, so no more results are copied"
    return 0
  fi
  if job_runs; then
    ${opt[yes]} || confirm_stop
    stop_job
    wait_for_checkpoint
  fi
  fetch_results || say "warning: the results could not be copied (see above), continuing with down"
}

# The ranks end their step first. A minute is more than enough, and a job that hangs must not keep
# the cluster.
wait_for_checkpoint() {
  local until=$((SECONDS + 60))
  while job_runs; do
    if ((SECONDS >= until)); then
      say "warning: the job does not stop, copying its files"
      return 0
    fi
    pause "$poll_seconds"
  done
}

confirm_stop() {
  local answer
  [[ -t 0 ]] ||
    die 2 "cluster ${opt[name]} is training" \
      "give --yes to stop it with a checkpoint, copy it to ${opt[results]} and delete the cluster"
  read -r -p \
    "Cluster ${opt[name]} is training. Stop it with a checkpoint and delete the cluster? Type \
yes: " answer || answer=
  [[ $answer == yes ]] ||
    die 2 "not deleted" "follow the job with launch/ec2.sh logs --name ${opt[name]}"
}
