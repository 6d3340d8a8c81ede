#include "train/predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/csv_columns.h"
#include "base/error.h"
#include "base/file.h"
#include "base/portable_math.h"

namespace mnist_dist {
namespace {

/// The one list of the columns of predictions.csv: header, writing and reading all walk it.
template <class Row, class Visitor>
void visit(Row&& row, const Visitor& visitor) {
  visitor({.name = "index", .high = 100'000'000}, row.index);
  visitor({.name = "label", .high = class_limit - 1}, row.label);
  visitor({.name = "predicted", .high = class_limit - 1}, row.predicted);
  visitor({"probability", "{:.6f}", 0, 1}, row.probability);
  visitor({"label_probability", "{:.6f}", 0, 1}, row.label_probability);
}

std::string header_line() {
  std::string text;
  visit(Prediction{}, CsvHeader{text});
  text.back() = '\n';
  return text;
}

/// The column's number in front of `text`, which it and a comma leave.
template <class Number>
bool take(std::string_view& text, const CsvColumn& column, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value >= 0 && value <= column.high)) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() == ',') text.remove_prefix(1);
  return true;
}

}  // namespace

std::vector<double> softmax(std::span<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> shares;
  double sum = 0;
  for (const float logit : logits) {
    shares.push_back(portable::exponential(std::max(logit - largest, -700.0)));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

std::vector<Prediction> predictions_of(int first_row, std::span<const ClassIndex> labels,
                                       std::span<const ClassIndex> classes,
                                       std::span<const float> logits) {
  if (labels.empty() || classes.size() != labels.size() || logits.empty()) return {};
  const std::size_t class_total = logits.size() / labels.size();
  std::vector<Prediction> all;
  all.reserve(labels.size());
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto values = logits.subspan(row * class_total, class_total);
    const std::vector<double> shares = softmax(values);
    all.push_back({.index = first_row + static_cast<int>(row),
                   .label = labels[row],
                   .predicted = classes[row],
                   .probability = shares[classes[row]],
                   .label_probability = shares[labels[row]]});
  }
  return all;
}

std::string predictions_csv(std::span<const Prediction> predictions) {
  std::string out = header_line();
  for (const Prediction& prediction : predictions) {
    visit(prediction, CsvLine{out});
    out.back() = '\n';
  }
  return out;
}

std::vector<Prediction> read_predictions(const std::filesystem::path& file) {
  const std::string text = read_text_file(file), header = header_line();
  std::vector<Prediction> all;
  bool good = text.starts_with(header);
  for (std::size_t from = header.size(); good && from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    std::string_view line(text.data() + from, end - from);
    from = end + 1;
    visit(all.emplace_back(),
          [&](const CsvColumn& column, auto& value) { good = good && take(line, column, value); });
    good = good && line.empty();
  }
  if (!good)
    throw damaged_file_error(file.string(), fmt::format("row {} is not a prediction", all.size()),
                             "write it again with mnist-dist verify, or remove it");
  return all;
}

}  // namespace mnist_dist
