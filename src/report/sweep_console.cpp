#include "report/sweep_console.h"

#include <fmt/format.h>

#include "base/plural.h"
#include "base/standard_streams.h"
#include "report/duration.h"
#include "report/sweep_verdict.h"

namespace mnist_dist {
namespace {

using namespace std::chrono_literals;

constexpr auto live_interval = 250ms;  // smooth to the eye, nothing to the machine
constexpr auto plain_interval = 60s;   // a log file should not drown

}  // namespace

void SweepConsole::started(const SweepRecord& record) {
  record_ = &record;
  begin_ = last_shown_ = Clock::now();
  done_before_ = record.outcomes.size();
  const SweepIdentity& id = record.identity;
  verdict_ = verdict_of(record);
  const Verdict& v = verdict_;
  print(
      fmt::format("{} | {} {} | seeds {} | target {} % ({} of {}) | engine {} ({}) | device {} | "
                  "{} group{} x {} rank{}{} x {} thread{} | {}\n",
                  id.recipe, scored_text(id), id.data_file, id.seeds, id.target, v.required_correct,
                  v.images, id.engine, id.simd, id.device, id.groups, plural(id.groups),
                  id.ranks_per_run, plural(id.ranks_per_run), last_group_text(id), id.threads,
                  plural(id.threads), folder_.string()));
  if (!v.counted.empty())
    print(fmt::format("going on: {} of {} seeds are done\n", v.counted.size(), v.requested));
  print(fmt::format("{:>8}  {:>8}  {:>8}  {:>8}  {:>8}  {:>5}  {:>7}  {:>8}  {:>5}  {}\n", "seed",
                    "final", "correct", "raw", "best", "epoch", "loss", "seconds", "group",
                    "target"));
}

void SweepConsole::seed_ended(const SeedOutcome& o) {
  line_.clear();
  verdict_ = verdict_of(*record_);
  if (o.diverged)
    print(fmt::format("{:>8}  {}\n", o.seed, o.message));
  else
    print(fmt::format(
        "{:>8}  {:>8.2f}  {:>8}  {:>8.2f}  {:>8.2f}  {:>5}  {:>7.4f}  {:>8.1f}  {:>5}  {}\n",
        o.seed, o.final_accuracy, o.final_correct, o.raw_accuracy, o.best_accuracy, o.best_epoch,
        o.final_loss, o.seconds, o.group,
        reaches(o, Target(record_->identity.target)) ? "reached" : "MISSED"));
}

void SweepConsole::tick(const SweepStatus& status) {
  const auto now = Clock::now();
  if (now - last_shown_ < (line_.live() ? Clock::duration(live_interval) : Clock::duration(plain_interval))) return;
  last_shown_ = now;
  line_.show(progress_line(status));
}

std::string SweepConsole::progress_line(const SweepStatus& status) const {
  const Verdict& v = verdict_;
  double under_way = 0;
  std::string running;
  for (const auto& run : status.running) {
    under_way += run.share;
    running += fmt::format(" {}:{:.0f}%", run.seed, 100 * run.share);
  }
  const double done = static_cast<double>(record_->outcomes.size() - done_before_) + under_way;
  const double left = static_cast<double>(status.pending + status.running.size()) - under_way;
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
  const std::string so_far = v.trained > 0 ? fmt::format("  mean {:.3f}  min {:.2f}", v.final.mean, v.final.min) : "";
  return fmt::format("{}/{} seeds{}  failures {}  running{}  ETA {}", v.counted.size(), v.requested, so_far,
                     v.counted.size() - static_cast<std::size_t>(v.reached), running, done > 0.01 ? duration(elapsed / done * left) : "?");
}

}  // namespace mnist_dist
