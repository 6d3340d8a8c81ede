#include "report/sweep_console.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/plural.h"
#include "base/printable.h"
#include "base/standard_streams.h"
#include "report/duration.h"
#include "report/sweep_page.h"
#include "report/sweep_verdict.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

using namespace std::chrono_literals;

constexpr auto live_interval = 250ms;  // smooth, at no measurable cost
constexpr auto plain_interval = 60s;   // a log file should not drown
constexpr int refresh_seconds = 15;    // of the page while the sweep runs

const std::vector<TextColumn> seed_columns{
    {.name = "seed", .width = 8, .importance = 9},
    {.name = "final", .width = 8, .importance = 8},
    {.name = "correct", .width = 8, .importance = 5},
    {.name = "raw", .width = 8, .importance = 2},
    {.name = "best", .width = 8, .importance = 3},
    {.name = "epoch", .importance = 1},
    {.name = "loss", .width = 7, .importance = 4},
    {.name = "seconds", .width = 8, .importance = 1},
    {.name = "group"},
    {.name = "target", .width = 7, .left = true, .importance = 9}};

/// Green or red, where the terminal has colours.
std::string colored(const std::string& text, bool good) {
  return use_color(Output::standard_out) ? fmt::format("\x1b[1;{}m{}\x1b[0m", good ? 32 : 31, text)
                                         : text;
}

}  // namespace

void SweepConsole::started(const SweepView& view) {
  if (quiet_) return;
  begin_ = last_shown_ = Clock::now();
  const SweepIdentity& id = view.identity();
  target_ = Target(id.target);
  print(wrapped_fields(
      fmt::format("{} | {} {} | seeds {} | target {} % ({} of {}) | engine {} ({}) | device {} | "
                  "{} group{} x {} rank{}{} x {} thread{} | {}",
                  id.recipe, scored_text(id.data, id.validation), id.data.file, id.seeds, id.target,
                  target_.required_correct(id.images), id.images, id.engine.name, id.engine.simd,
                  id.engine.device, id.groups, plural(id.groups), id.ranks_per_run,
                  plural(id.ranks_per_run), last_group_text(id), id.threads, plural(id.threads),
                  folder_.string()),
      terminal_columns(Output::standard_out)));
  if (view.done() > 0)
    print_fitted(fmt::format("continuing: {} of {} seed{} are done\n", view.done(), view.declared(),
                             plural(view.declared())));
  table_.emplace(seed_columns, terminal_columns(Output::standard_out));
  print(table_->header());
}

void SweepConsole::seed_ended(const SeedOutcome& o) {
  if (quiet_) return;
  line_.clear();
  if (o.diverged) {
    print_fitted(fmt::format("{:>8}  {}\n", o.seed, printable(o.message)), 10);
  } else {
    const bool reached = reaches(o, target_);
    const std::string row =
        table_->row({fmt::format("{}", o.seed), fmt::format("{:.2f}", o.final_accuracy),
                     fmt::format("{}", o.final_correct), fmt::format("{:.2f}", o.raw_accuracy),
                     fmt::format("{:.2f}", o.best_accuracy), fmt::format("{}", o.best_epoch),
                     fmt::format("{:.4f}", o.final_loss), fmt::format("{:.1f}", o.seconds),
                     fmt::format("{}", o.group), reached ? "reached" : "MISSED"});
    // The last word of the row, which is never left out.
    const std::size_t word = row.find_last_of(' ') + 1;
    print_styled(row.substr(0, word) + colored(row.substr(word, row.size() - word - 1), reached) +
                 "\n");
  }
}

void SweepConsole::tables_written(const SweepRecord& record) {
  try {
    write_file_atomically(folder_ / "report.html",
                          sweep_page(record, verdict_of(record), folder_, refresh_seconds));
  } catch (const Error&) {
    // Errors of writing are reported by the page at the sweep's end.
  }
}

void print_headline(const SweepRecord& record, const Verdict& verdict) {
  const std::string text = folded(printable(headline(record, verdict)),
                                  terminal_columns(Output::standard_out)),
                    name = name_of(verdict.answer);
  const bool known = verdict.answer != Verdict::Answer::incomplete;
  print_styled((known ? colored(name, verdict.answer == Verdict::Answer::pass) : name) +
               text.substr(name.size()) + "\n");
}

void SweepConsole::tick(const SweepView& view) {
  if (quiet_) return;
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
  return fmt::format("{}/{} seed{}{}  failures {}  running{}  ETA {}", view.done(), view.declared(),
                     plural(view.declared()), so_far, view.failures(), running,
                     done > 0.01 ? duration(elapsed / done * left) : "?");
}

}  // namespace mnist_dist
