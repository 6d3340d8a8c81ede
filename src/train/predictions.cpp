#include "train/predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/file.h"
#include "base/portable_math.h"

namespace mnist_dist {
namespace {

constexpr std::string_view header = "index,label,predicted,probability,label_probability";

/// One number from 0 to `most` in front of `text`, which it and a comma leave.
template <class Number>
bool take(std::string_view& text, Number most, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value >= 0 && value <= most)) return false;
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
    all.push_back({first_row + static_cast<int>(row), labels[row], classes[row],
                   shares[classes[row]], shares[labels[row]]});
  }
  return all;
}

std::string predictions_csv(std::span<const Prediction> predictions) {
  std::string out = fmt::format("{}\n", header);
  for (const Prediction& p : predictions)
    fmt::format_to(std::back_inserter(out), "{},{},{},{:.6f},{:.6f}\n", p.index, p.label,
                   p.predicted, p.probability, p.label_probability);
  return out;
}

std::vector<Prediction> read_predictions(const std::filesystem::path& file) {
  const std::string text = read_text_file(file);
  std::vector<Prediction> all;
  std::size_t row = 0;
  for (std::size_t from = 0; from < text.size(); ++row) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    std::string_view line(text.data() + from, end - from);
    from = end + 1;
    constexpr int most_rows = 100'000'000, last_class = class_limit - 1;
    Prediction p;
    const bool good =
        row == 0 ? line == header
                 : take(line, most_rows, p.index) && take(line, last_class, p.label) &&
                       take(line, last_class, p.predicted) && take(line, 1.0, p.probability) &&
                       take(line, 1.0, p.label_probability) && line.empty();
    if (!good)
      throw damaged_file_error(file.string(), fmt::format("row {} is not a prediction", row),
                               "write it again with mnist-dist verify, or remove it");
    if (row > 0) all.push_back(p);
  }
  return all;
}

}  // namespace mnist_dist
