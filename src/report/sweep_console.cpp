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

void SweepConsole::started(const SweepView& view) {
  begin_ = last_shown_ = Clock::now();
  const SweepIdentity& id = view.identity();
  target_ = Target(id.target);
  print(
      fmt::format("{} | {} {} | seeds {} | target {} % ({} of {}) | engine {} ({}) | device {} | "
                  "{} group{} x {} rank{}{} x {} thread{} | {}\n",
                  id.recipe, scored_text(id), id.data_file, id.seeds, id.target,
                  target_.required_correct(id.images), id.images, id.engine, id.simd, id.device,
                  id.groups, plural(id.groups),
                  id.ranks_per_run, plural(id.ranks_per_run), last_group_text(id), id.threads,
                  plural(id.threads), folder_.string()));
  if (view.done() > 0)
    print(fmt::format("going on: {} of {} seeds are done\n", view.done(), view.declared()));
  print(fmt::format("{:>8}  {:>8}  {:>8}  {:>8}  {:>8}  {:>5}  {:>7}  {:>8}  {:>5}  {}\n", "seed",
                    "final", "correct", "raw", "best", "epoch", "loss", "seconds", "group",
                    "target"));
}

void SweepConsole::seed_ended(const SeedOutcome& o) {
  line_.clear();
  if (o.diverged)
    print(fmt::format("{:>8}  {}\n", o.seed, o.message));
  else
    print(fmt::format(
        "{:>8}  {:>8.2f}  {:>8}  {:>8.2f}  {:>8.2f}  {:>5}  {:>7.4f}  {:>8.1f}  {:>5}  {}\n",
        o.seed, o.final_accuracy, o.final_correct, o.raw_accuracy, o.best_accuracy, o.best_epoch,
        o.final_loss, o.seconds, o.group,
        reaches(o, target_) ? "reached" : "MISSED"));
}

void SweepConsole::tick(const SweepView& view) {
  const auto now = Clock::now();
  const Clock::duration interval = line_.live() ? Clock::duration(live_interval) : plain_interval;
  if (now - last_shown_ < interval) return;
  last_shown_ = now;
  line_.show(progress_line(view));
}

std::string SweepConsole::progress_line(const SweepView& view) const {
  double under_way = 0;
  std::string running;
  for (const auto& run : view.running()) {
    under_way += run.share;
    running += fmt::format(" {}:{:.0f}%", run.seed, 100 * run.share);
  }
  const double done = static_cast<double>(view.done() - view.done_before()) + under_way;
  const double left = static_cast<double>(view.declared() - view.done()) - under_way;
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin_).count();
  const std::string so_far =
      view.trained() > 0 ? fmt::format("  mean {:.3f}  min {:.2f}", view.mean(), view.min()) : "";
  return fmt::format("{}/{} seeds{}  failures {}  running{}  ETA {}", view.done(), view.declared(),
                     so_far, view.failures(), running,
                     done > 0.01 ? duration(elapsed / done * left) : "?");
}

}  // namespace mnist_dist
