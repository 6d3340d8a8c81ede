#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/csv.h"

namespace mnist_dist {

/// Accuracy in percent and mean loss.
struct Score {
  double loss = 0, accuracy = 0;
  std::int64_t correct = 0, images = 0;
};

/// One line of metrics.csv.
struct EpochRow {
  int epoch = 0;  ///< counted from 1
  Score train;
  std::optional<Score> test,
      averaged_test;  ///< empty where this epoch was not evaluated, or the recipe does not average
  double learning_rate = 0;  ///< of the epoch's last step
  double images_per_second =
      0;               ///< training images / training time, without evaluation and checkpoints
  double seconds = 0;  ///< the whole epoch, evaluation and checkpoints included

  /// Of the delivered weights: the averaged ones where there are any.
  const std::optional<Score>& delivered() const { return averaged_test ? averaged_test : test; }
};

/// The lines of metrics.csv. `scored`: "test" or "validation".
std::string metrics_header(const std::string& scored);
std::string metrics_line(const EpochRow& row);

/// "test" or "validation", as the columns of a run's metrics.csv say.
std::string scored_in(const CsvTable& table);

/// Reads the rows of one run. The file has losses and accuracies, but no numbers of images.
/// Throws: Error (data) naming file and row: a missing column, epochs that are not 1, 2, 3, ..., a
/// value that no run can have, or an averaged accuracy without its raw one.
std::vector<EpochRow> parse_metrics(const CsvTable& table, const std::string& scored);

/// The rows of `text`, a metrics.csv, before `first_epoch`: without what is no row, and without a
/// last line that was cut short.
std::vector<EpochRow> rows_before(int first_epoch, const std::string& text,
                                  const std::string& scored);

/// Results from a run's rows. Accuracies in percent. Below 0: no row has one.
struct Curve {
  int epochs = 0;
  double final_accuracy = -1;  ///< of the delivered weights, last row
  double raw_accuracy = -1;    ///< of the weights without averaging, last row
  double raw_loss = -1;        ///< the same weights' loss
  double best_accuracy = -1;   ///< over the rows
  int best_epoch = 0;
};
Curve curve_of(std::span<const EpochRow> rows);

// The files have accuracies with four decimals, losses with six.
constexpr double accuracy_tolerance = 0.000101, loss_tolerance = 0.0000015;

/// Whether two accuracies are one, which the files have with four decimals.
bool same_accuracy(double a, double b);

}  // namespace mnist_dist
