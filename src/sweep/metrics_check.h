#pragma once
#include <cstdint>
#include <string>

#include "sweep/csv.h"

namespace mnist_dist {

/// Results from the rows of one run's metrics.csv. Accuracies in percent. Below 0: no row has one.
struct Curve {
  int epochs = 0;
  double final_accuracy = -1;  ///< of the delivered weights, last row
  double raw_accuracy = -1;    ///< of the weights without averaging, last row
  double raw_loss = -1;        ///< the same weights' loss
  double best_accuracy = -1;   ///< over the rows
  int best_epoch = 0;
};

/// Reads the rows of one run. `scored`: "test" or "validation".
/// Throws Error (data) naming file and row: a missing column, epochs that are not 1, 2, 3, ..., a
/// value that no run can have, or an averaged accuracy without its raw one.
Curve check_metrics(const CsvTable& table, const std::string& scored);

// The files have accuracies with four decimals, losses with six.
constexpr double accuracy_tolerance = 0.000101, loss_tolerance = 0.0000015;

/// Whether two accuracies are one, which the files have with four decimals.
bool same_accuracy(double a, double b);

/// 64 lower-case hexadecimal digits.
bool is_sha256(const std::string& text);

}  // namespace mnist_dist
