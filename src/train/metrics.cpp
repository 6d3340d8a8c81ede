#include "train/metrics.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace mnist_dist {

std::string metrics_header(const std::string& scored) {
  return fmt::format(
      "epoch,train_loss,train_accuracy,{0}_loss,{0}_accuracy,averaged_{0}_accuracy,learning_rate,"
      "images_per_second,seconds\n",
      scored);
}

std::string metrics_line(const EpochRow& row) {
  const auto accuracy = [](const std::optional<Score>& score) {
    return score ? fmt::format("{:.4f}", score->accuracy) : "";
  };
  return fmt::format("{},{:.6f},{:.4f},{},{},{},{:.6g},{:.1f},{:.3f}\n", row.epoch, row.train.loss,
                     row.train.accuracy, row.test ? fmt::format("{:.6f}", row.test->loss) : "",
                     accuracy(row.test), accuracy(row.averaged_test), row.learning_rate,
                     row.images_per_second, row.seconds);
}

std::string scored_in(const CsvTable& table) {
  return table.has("test_accuracy") ? "test" : "validation";
}

std::vector<EpochRow> parse_metrics(const CsvTable& table, const std::string& scored) {
  constexpr double most = std::numeric_limits<double>::max();
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const std::string loss = scored + "_loss", raw = scored + "_accuracy",
                    averaged = "averaged_" + raw;
  std::vector<EpochRow> rows;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    EpochRow r;
    const auto epoch = static_cast<std::int64_t>(row) + 1;
    r.epoch = static_cast<int>(table.integer(row, "epoch", epoch, epoch));
    r.train.loss = table.number(row, "train_loss", 0, most);
    r.train.accuracy = table.number(row, "train_accuracy", 0, 100);
    r.learning_rate = table.number(row, "learning_rate", 0, most);
    r.images_per_second = table.number(row, "images_per_second", 0, infinite);
    r.seconds = table.number(row, "seconds", 0, most);
    const bool has_raw = !table.text(row, raw).empty();
    const bool has_averaged = !table.text(row, averaged).empty();
    const std::string empty = "an empty cell, because that of " + raw + " is empty";
    if (has_raw != !table.text(row, loss).empty())
      throw table.wrong(row, loss, has_raw ? "a number, because " + raw + " has one" : empty);
    if (has_averaged && !has_raw) throw table.wrong(row, averaged, empty);
    if (has_raw) {
      r.test.emplace();
      r.test->loss = table.number(row, loss);  // before a run diverges it may be infinite
      if (r.test->loss < 0) throw table.wrong(row, loss, "at least 0");
      r.test->accuracy = table.number(row, raw, 0, 100);
    }
    if (has_averaged) r.averaged_test.emplace().accuracy = table.number(row, averaged, 0, 100);
    rows.push_back(std::move(r));
  }
  return rows;
}

Curve curve_of(std::span<const EpochRow> rows) {
  Curve curve;
  for (const EpochRow& row : rows) {
    curve.epochs = row.epoch;
    curve.raw_accuracy = curve.final_accuracy = -1;
    if (!row.test) continue;
    curve.raw_loss = row.test->loss;
    curve.raw_accuracy = row.test->accuracy;
    curve.final_accuracy = row.delivered()->accuracy;
    if (curve.final_accuracy <= curve.best_accuracy) continue;
    curve.best_accuracy = curve.final_accuracy;
    curve.best_epoch = curve.epochs;
  }
  return curve;
}

bool same_accuracy(double a, double b) { return std::abs(a - b) < accuracy_tolerance; }

}  // namespace mnist_dist
