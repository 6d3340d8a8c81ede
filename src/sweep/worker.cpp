#include "sweep/worker.h"

#include <fmt/format.h>

#include <fstream>
#include <thread>

#include "base/awake_clock.h"
#include "base/error.h"
#include "base/standard_streams.h"
#include "comm/liveness.h"

namespace mnist_dist {

namespace fs = std::filesystem;

void StopSign::put_up() const {
  std::ofstream made(file_);  // on a full disk, too. Not in a folder that was moved away
}
bool StopSign::is_up() const {
  std::error_code error;
  return fs::exists(file_, error);
}
void StopSign::take_down() const {
  std::error_code error;
  fs::remove(file_, error);
}

std::optional<SweepEnd> GroupLeader::reason_to_stop() {
  if (!end_ && hooks_.stop_requested()) {
    end_ = SweepEnd::interrupted;
    stop_.put_up();
  }
  // The other leaders' own looks at a large folder may be minutes apart.
  if (!end_ && hooks_.hopeless()) {
    end_ = SweepEnd::hopeless;
    miss_.put_up();
  }
  if (!end_ && stop_.is_up()) end_ = SweepEnd::interrupted;
  if (!end_ && miss_.is_up()) end_ = SweepEnd::hopeless;
  return end_;
}

Instruction GroupLeader::next_instruction() {
  AwakeClock waiting;
  for (;;) {
    if (const auto why = reason_to_stop()) return {.kind = Instruction::end, .why = *why};
    if ((claim_ = queue_.next())) {
      lost_ = false;
      looked_at_ = std::chrono::steady_clock::now();
      return {.kind = Instruction::train, .seed = claim_->seed};
    }
    if (queue_.finished()) return {.kind = Instruction::end};
    if (std::chrono::duration<double>(waiting.seconds()) > liveness::beat) return {};
    std::this_thread::sleep_for(liveness::claims_look);
  }
}

bool GroupLeader::between_steps(double share) {
  queue_.tick();
  claim_->lock.set_share(share);
  const auto now = std::chrono::steady_clock::now();
  if (!hooks_.stop_requested() && now - looked_at_ < liveness::training_look) return end_ || lost_;
  looked_at_ = now;
  lost_ = lost_ || !claim_->lock.in_place();
  return reason_to_stop() || lost_;
}

bool GroupLeader::end_seed(const SeedOutcome* outcome, const Error* error) {
  lost_ = lost_ || !claim_->lock.in_place();
  const std::uint64_t seed = claim_->seed;
  // Files of the run folder may be another worker's: the row is for it to write.
  if (outcome && !lost_) hooks_.write_row(*outcome);
  if (error && error->code() != ExitCode::interrupted && !lost_) return false;
  if (error && !lost_ && !end_) {  // a signal to another rank of the group
    end_ = SweepEnd::interrupted;
    stop_.put_up();
  }
  if (std::error_code gone; lost_ && fs::is_directory(claim_->folder, gone))
    say_line(fmt::format(
        "note: a different process took over seed {}, because this process did not renew its lease",
        seed));
  claim_.reset();
  if (error || lost_) queue_.put_back(seed);
  return true;
}

SweepEnd run_group(Communicator& group, GroupLeader* leader,
                   const std::function<bool()>& stop_requested, const TrainSeed& train_seed) {
  const BetweenSteps between_steps = [&](double share) {
    return leader ? leader->between_steps(share) : stop_requested();
  };
  const auto send = [&](Instruction instruction) {
    group.broadcast(std::as_writable_bytes(std::span(&instruction, 1)), 0);
    return instruction;
  };
  for (;;) {
    group.set_activity("waiting for a seed");
    const Instruction instruction = send(leader ? leader->next_instruction() : Instruction{});
    if (instruction.kind == Instruction::end) return instruction.why;
    if (instruction.kind == Instruction::wait) continue;
    std::optional<SeedOutcome> outcome;
    std::optional<Error> error;
    try {
      outcome = train_seed(instruction.seed, leader ? leader->lock() : nullptr, between_steps);
    } catch (const Error& met) {
      if (!met.is_on_all_ranks() && group.size() > 1) throw;
      error = met;
    }
    const bool ended =
        leader && leader->end_seed(outcome ? &*outcome : nullptr, error ? &*error : nullptr);
    if (send({.kind = ended ? Instruction::wait : Instruction::fail}).kind != Instruction::fail)
      continue;
    if (error) throw *error;
    throw Error(ExitCode::internal, "the leader of this group failed",
                "read the error of the group's first rank");
  }
}

}  // namespace mnist_dist
