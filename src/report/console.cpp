#include "report/console.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "base/plural.h"
#include "base/standard_streams.h"
#include "report/duration.h"

namespace mnist_dist {
namespace {

using namespace std::chrono_literals;

constexpr auto bar_interval = 100ms;  // smooth to the eye, nothing to the machine
constexpr auto plain_interval = 30s;  // a log file should not drown
constexpr int bar_width = 24;

std::string bar(double share) {
  const int full = static_cast<int>(share * bar_width);
  return fmt::format("[{}{}]", std::string(static_cast<std::size_t>(full), '#'), std::string(static_cast<std::size_t>(bar_width - full), '.'));
}

std::string accuracy_cell(const std::optional<Score>& score) { return score ? fmt::format("{:.2f}", score->accuracy) : ""; }
std::string loss_cell(const std::optional<Score>& score) { return score ? fmt::format("{:.4f}", score->loss) : ""; }

/// One aligned row; the column of averaged weights is there only where the recipe averages.
void print_row(const std::vector<std::string>& cells, bool averaging) {
  static constexpr std::array widths = {5, 10, 9, 9, 8, 8, 9, 8, 7};
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (i != 5 || averaging) line += fmt::format("{:>{}}  ", cells[i], widths[i]);
  print(fmt::format("{}\n", line.substr(0, line.size() - 2)));
}

}  // namespace

Console::Console(std::string title, Parts parts) : title_(std::move(title)), parts_(parts) {}

void Console::started(const RunInfo& info) {
  info_ = info;
  begin_ = last_shown_ = Clock::now();
  first_step_ = std::int64_t{info.resumed_epoch} * info.steps_per_epoch + info.resumed_step;
  if (!parts_.table) return;
  print(fmt::format("{} | engine {} ({}) | device {} | {} rank{} x {} thread{}\n", title_,
                    info.engine.name, info.engine.simd, info.engine.device, info.ranks,
                    plural(info.ranks), info.threads, plural(info.threads)));
  if (first_step_ > 0)
    print(
        fmt::format("resumed after {}\n",
                    place_text(static_cast<std::uint32_t>(info.resumed_epoch), info.resumed_step)));
  const std::string prefix = info.validation ? "valid" : "test";
  print_row({"epoch", "train loss", "train acc", prefix + " loss", prefix + " acc", "avg acc", "rate", "images/s", "seconds"}, info.averaging);
}

void Console::stepped(int epoch, int steps_done, const Sums& sums, double epoch_seconds) {
  if (!parts_.progress) return;
  const auto now = Clock::now();
  if (now - last_shown_ < (line_.live() ? Clock::duration(bar_interval) : Clock::duration(plain_interval))) return;
  last_shown_ = now;
  const double rate = epoch_seconds > 0 ? static_cast<double>(sums.images) / epoch_seconds : 0;
  const double loss = sums.images > 0 ? sums.loss / static_cast<double>(sums.images) : 0;
  const std::int64_t total_done = std::int64_t{epoch - 1} * info_.steps_per_epoch + steps_done;
  line_.show(fmt::format("epoch {}/{} {} step {}/{}  loss {:.4f}  {:.0f} images/s  ETA {}", epoch, info_.epochs,
                         line_.live() ? bar(static_cast<double>(steps_done) / info_.steps_per_epoch) : "", steps_done, info_.steps_per_epoch, loss,
                         rate, eta(total_done)));
}

void Console::evaluating(int epoch) {
  if (parts_.progress && line_.live()) line_.show(fmt::format("epoch {}/{} evaluating", epoch, info_.epochs));
}

void Console::epoch_ended(const EpochRow& row) {
  line_.clear();
  if (!parts_.table) return;
  print_row({fmt::format("{}", row.epoch), fmt::format("{:.4f}", row.train.loss), fmt::format("{:.2f}", row.train.accuracy), loss_cell(row.test),
             accuracy_cell(row.test), accuracy_cell(row.averaged_test), fmt::format("{:.3g}", row.learning_rate),
             fmt::format("{:.0f}", row.images_per_second), fmt::format("{:.1f}", row.seconds)},
            info_.averaging);
}

void Console::finished(const RunResult& result) {
  line_.clear();
  if (!parts_.result) return;
  const char* what = info_.validation ? "validation" : "test";
  print(fmt::format(
      "final {} accuracy {:.2f} % ({} of {} correct{}); best {:.2f} % at epoch {}; {} in all\n",
      what, result.final.accuracy, result.final.correct, result.final.images,
      info_.averaging ? ", averaged weights" : "", result.best.accuracy, result.best.epoch,
      duration(result.seconds)));
  print(fmt::format("parameters sha256 {}\n", result.parameters_sha256));
}

std::string Console::eta(std::int64_t steps_done) const {
  const auto mine = static_cast<double>(steps_done - first_step_);
  if (mine <= 0) return "?";
  const double so_far = std::chrono::duration<double>(Clock::now() - begin_).count();
  return duration(so_far / mine * static_cast<double>(info_.total_steps - steps_done));
}

}  // namespace mnist_dist
