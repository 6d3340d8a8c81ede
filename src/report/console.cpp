#include "report/console.h"

#include <fmt/format.h>

#include <vector>

#include "base/plural.h"
#include "base/standard_streams.h"
#include "report/duration.h"
#include "report/terminal.h"

namespace mnist_dist {
namespace {

using namespace std::chrono_literals;

constexpr auto bar_interval = 100ms;  // smooth, at no measurable cost
constexpr auto plain_interval = 30s;  // a log file should not drown
constexpr int bar_width = 24;
constexpr int averaged_column = 5;  // of the table

std::string bar(double share) {
  const int full = static_cast<int>(share * bar_width);
  return fmt::format("[{}{}]", std::string(static_cast<std::size_t>(full), '#'),
                     std::string(static_cast<std::size_t>(bar_width - full), '.'));
}

std::string accuracy_cell(const std::optional<Score>& score) {
  return score ? fmt::format("{:.2f}", score->accuracy) : "";
}
std::string loss_cell(const std::optional<Score>& score) {
  return score ? fmt::format("{:.4f}", score->loss) : "";
}

/// A table of epochs: `prefix` is "test" or "valid". Where not all columns fit, the accuracies
/// stay.
std::vector<TextColumn> epoch_columns(const std::string& prefix) {
  return {{.name = "epoch", .importance = 9},
          {.name = "train loss", .importance = 3},
          {.name = "train acc", .importance = 4},
          {.name = prefix + " loss", .importance = 5},
          {.name = prefix + " acc", .importance = 7},
          {.name = "avg acc", .width = 8, .importance = 8},
          {.name = "rate", .width = 9, .importance = 1},
          {.name = "images/s", .importance = 2},
          {.name = "seconds"}};
}

}  // namespace

Console::Console(std::string title, Parts parts) : title_(std::move(title)), parts_(parts) {}

void Console::started(const RunInfo& info) {
  info_ = info;
  begin_ = last_shown_ = Clock::now();
  first_step_ = std::int64_t{info.resumed_epoch} * info.steps_per_epoch + info.resumed_step;
  if (!parts_.table) return;
  print(wrapped_fields(
      fmt::format("{} | engine {} ({}) | device {} | {} rank{} x {} thread{}", title_,
                  info.engine.name, info.engine.simd, info.engine.device, info.ranks,
                  plural(info.ranks), info.threads, plural(info.threads)),
      terminal_columns(Output::standard_out)));
  if (first_step_ > 0)
    print_fitted(
        fmt::format("resumed after {}\n",
                    place_text(static_cast<std::uint32_t>(info.resumed_epoch), info.resumed_step)));
  const std::string prefix = info.validation ? "valid" : "test";
  std::vector<TextColumn> columns = epoch_columns(prefix);
  if (!info.averaging) columns.erase(columns.begin() + averaged_column);
  table_.emplace(columns, terminal_columns(Output::standard_out));
  print(table_->header());
}

void Console::stepped(int epoch, int steps_done, const Sums& sums, double epoch_seconds) {
  if (!parts_.progress) return;
  const auto now = Clock::now();
  if (now - last_shown_ <
      (line_.live() ? Clock::duration(bar_interval) : Clock::duration(plain_interval)))
    return;
  last_shown_ = now;
  const double rate = epoch_seconds > 0 ? static_cast<double>(sums.images) / epoch_seconds : 0;
  const double loss = sums.images > 0 ? sums.loss / static_cast<double>(sums.images) : 0;
  const std::int64_t total_done = std::int64_t{epoch - 1} * info_.steps_per_epoch + steps_done;
  const std::string place = fmt::format("epoch {}/{}", epoch, info_.epochs),
                    step = fmt::format(" step {}/{}  loss {:.4f}", steps_done,
                                       info_.steps_per_epoch, loss),
                    speed = fmt::format("  {:.0f} images/s", rate),
                    left = "  ETA " + eta(total_done);
  if (!line_.live()) return line_.show(place + " " + step + speed + left);
  // The longest that fits.
  const std::string drawn = bar(static_cast<double>(steps_done) / info_.steps_per_epoch);
  line_.show_first_that_fits({place + " " + drawn + step + speed + left,
                              place + step + speed + left, place + step + left, place + step});
}

void Console::evaluating(int epoch) {
  if (parts_.progress && line_.live())
    line_.show(fmt::format("epoch {}/{} evaluating", epoch, info_.epochs));
}

void Console::epoch_ended(const EpochRow& row) {
  line_.clear();
  if (!parts_.table) return;
  std::vector<std::string> cells{fmt::format("{}", row.epoch),
                                 fmt::format("{:.4f}", row.train.loss),
                                 fmt::format("{:.2f}", row.train.accuracy),
                                 loss_cell(row.test),
                                 accuracy_cell(row.test),
                                 accuracy_cell(row.averaged_test),
                                 fmt::format("{:.3g}", row.learning_rate),
                                 fmt::format("{:.0f}", row.images_per_second),
                                 fmt::format("{:.1f}", row.seconds)};
  if (!info_.averaging) cells.erase(cells.begin() + averaged_column);
  print(table_->row(cells));
}

void Console::finished(const RunResult& result) {
  line_.clear();
  if (!parts_.result) return;
  const char* what = info_.scored();
  const std::int64_t all = std::int64_t{info_.epochs} * info_.steps_per_epoch;
  const bool cut = result.steps < all;
  if (cut)
    print_fitted(
        fmt::format("stopped by train.max_steps after {} of {} steps ({:.2g} of {} epoch{})\n",
                    result.steps, all, static_cast<double>(result.steps) / info_.steps_per_epoch,
                    info_.epochs, plural(info_.epochs)));
  print_fitted(fmt::format(
      "{}{} accuracy {:.2f} % ({} of {} correct{}), best {:.2f} % at epoch {}, {} in total\n",
      cut ? "" : "final ", what, result.final.accuracy, result.final.correct, result.final.images,
      info_.averaging ? ", averaged weights" : "", result.best.accuracy, result.best.epoch,
      duration(result.seconds)));
  print_fitted(fmt::format("parameters sha256 {}\n", result.parameters_sha256));
}

void Console::failed(const RunFailure&) noexcept {
  line_.clear();  // also of the "^C" that a terminal prints
}

std::string Console::eta(std::int64_t steps_done) const {
  const auto mine = static_cast<double>(steps_done - first_step_);
  if (mine <= 0) return "?";
  const double so_far = std::chrono::duration<double>(Clock::now() - begin_).count();
  return duration(so_far / mine * static_cast<double>(info_.total_steps - steps_done));
}

}  // namespace mnist_dist
