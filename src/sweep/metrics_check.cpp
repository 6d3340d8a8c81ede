#include "sweep/metrics_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mnist_dist {

Curve check_metrics(const CsvTable& table, const std::string& scored) {
  constexpr double most = std::numeric_limits<double>::max();
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const std::string loss = scored + "_loss", raw = scored + "_accuracy",
                    averaged = "averaged_" + raw;
  Curve curve;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto epoch = static_cast<std::int64_t>(row) + 1;
    curve.epochs = static_cast<int>(table.integer(row, "epoch", epoch, epoch));
    table.number(row, "train_loss", 0, most);
    table.number(row, "train_accuracy", 0, 100);
    table.number(row, "learning_rate", 0, most);
    table.number(row, "images_per_second", 0, infinite);
    table.number(row, "seconds", 0, most);
    const bool has_raw = !table.text(row, raw).empty();
    const bool has_averaged = !table.text(row, averaged).empty();
    if (has_raw != !table.text(row, loss).empty())
      throw table.wrong(row, loss, has_raw ? "a number beside " + raw : "empty as " + raw);
    if (has_averaged && !has_raw) throw table.wrong(row, averaged, "empty as " + raw);
    curve.raw_accuracy = curve.final_accuracy = -1;
    if (!has_raw) continue;
    curve.raw_loss = table.number(row, loss);  // before a run diverges it may be infinite
    if (curve.raw_loss < 0) throw table.wrong(row, loss, "at least 0");
    curve.raw_accuracy = curve.final_accuracy = table.number(row, raw, 0, 100);
    if (has_averaged) curve.final_accuracy = table.number(row, averaged, 0, 100);
    if (curve.final_accuracy <= curve.best_accuracy) continue;
    curve.best_accuracy = curve.final_accuracy;
    curve.best_epoch = curve.epochs;
  }
  return curve;
}

bool same_accuracy(double a, double b) { return std::abs(a - b) < accuracy_tolerance; }

bool is_sha256(const std::string& text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace mnist_dist
