#include "train/metrics.h"

#include <cmath>

#include "base/csv_columns.h"

namespace mnist_dist {
namespace {

/// The scores of a row as cells.
struct ScoreCells {
  std::optional<double> loss, raw, averaged;
};

/// The one list of the columns of metrics.csv: header, writing and reading all walk it.
template <class Row, class Cells, class Visitor>
void visit(Row&& row, Cells&& cells, const std::string& scored, const Visitor& visitor) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  visitor({"epoch"}, row.epoch);
  visitor({"train_loss", "{:.6f}"}, row.train.loss);
  visitor({"train_accuracy", "{:.4f}", 0, 100}, row.train.accuracy);
  // Infinite, or no number, before a run diverges.
  visitor({scored + "_loss", "{:.6f}", any_value}, cells.loss);
  visitor({scored + "_accuracy", "{:.4f}", 0, 100}, cells.raw);
  visitor({"averaged_" + scored + "_accuracy", "{:.4f}", 0, 100}, cells.averaged);
  visitor({"learning_rate", "{:.6g}"}, row.learning_rate);
  visitor({"images_per_second", "{:.1f}", 0, infinite}, row.images_per_second);
  visitor({"seconds", "{:.3f}"}, row.seconds);
}

EpochRow parse_row(const CsvTable& table, std::size_t i, const std::string& scored) {
  const std::string loss = scored + "_loss", raw = scored + "_accuracy",
                    empty = "an empty cell, because that of " + raw + " is empty";
  EpochRow row;
  ScoreCells cells;
  visit(row, cells, scored, CsvReader{table, i});
  if (cells.raw && !cells.loss) throw table.wrong(i, loss, "a number, because " + raw + " has one");
  if (!cells.raw && cells.loss) throw table.wrong(i, loss, empty);
  if (!cells.raw && cells.averaged) throw table.wrong(i, "averaged_" + raw, empty);
  if (cells.loss && *cells.loss < 0) throw table.wrong(i, loss, "at least 0");
  if (cells.raw) row.test = Score{*cells.loss, *cells.raw};
  if (cells.averaged) row.averaged_test = Score{.accuracy = *cells.averaged};
  return row;
}

}  // namespace

std::string metrics_header(const std::string& scored) {
  std::string text;
  visit(EpochRow{}, ScoreCells{}, scored, CsvHeader{text});
  text.back() = '\n';
  return text;
}

std::string metrics_line(const EpochRow& row) {
  ScoreCells cells;
  if (row.test) cells = {row.test->loss, row.test->accuracy, std::nullopt};
  if (row.averaged_test) cells.averaged = row.averaged_test->accuracy;
  std::string text;
  visit(row, cells, "", CsvLine{text});
  text.back() = '\n';
  return text;
}

std::string scored_in(const CsvTable& table) {
  return table.has("test_accuracy") ? "test" : "validation";
}

std::vector<EpochRow> parse_metrics(const CsvTable& table, const std::string& scored) {
  std::vector<EpochRow> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const auto epoch = static_cast<std::int64_t>(i) + 1;
    table.integer(i, "epoch", epoch, epoch);
    rows.push_back(parse_row(table, i, scored));
  }
  return rows;
}

std::vector<EpochRow> rows_before(int first_epoch, const std::string& text,
                                  const std::string& scored) {
  std::string header = metrics_header(scored);
  header.pop_back();
  std::vector<EpochRow> rows;
  for (std::size_t from = 0, to = 0; (to = text.find('\n', from)) != std::string::npos;
       from = to + 1) {
    try {
      const EpochRow row =
          parse_row(CsvTable({header, text.substr(from, to - from)}, "metrics.csv"), 0, scored);
      if (row.epoch >= 1 && row.epoch < first_epoch) rows.push_back(row);
    } catch (const Error&) {
      // The header, or no row.
    }
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
