#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "report/live_line.h"
#include "report/text_table.h"
#include "train/observer.h"

namespace mnist_dist {

/// Prints a run: a first line and one aligned row per epoch on stdout, and on stderr a live bar, or
/// without a terminal a plain line from time to time.
class Console : public Observer {
 public:
  struct Parts {
    bool table = true;     ///< the first line and the rows, on stdout
    bool progress = true;  ///< on stderr
    bool result = true;    ///< the last two lines, on stdout
  };
  /// `title` is the run's first line without engine and ranks: "step3 | MNIST data/mnist.h5 | seed
  /// 1".
  explicit Console(std::string title) : Console(std::move(title), Parts{}) {}
  Console(std::string title, Parts parts);
  void started(const RunInfo& info) override;
  void stepped(int epoch, int steps_done, const Sums& sums, double epoch_seconds) override;
  void evaluating(int epoch) override;
  void epoch_ended(const EpochRow& row) override;
  void finished(const RunResult& result) override;
  void failed(const RunFailure& failure) noexcept override;

 private:
  using Clock = std::chrono::steady_clock;
  std::string eta(std::int64_t steps_done) const;

  std::string title_;
  Parts parts_;
  RunInfo info_;
  std::optional<TextTable> table_;
  LiveLine line_;
  Clock::time_point begin_ = Clock::now(), last_shown_ = Clock::now();
  std::int64_t first_step_ = 0;
};

}  // namespace mnist_dist
