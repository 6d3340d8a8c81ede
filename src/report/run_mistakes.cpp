#include "report/run_mistakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/plural.h"
#include "report/confusion.h"
#include "report/digit_pictures.h"

namespace mnist_dist {
namespace {

constexpr std::size_t most_mistakes = 100, most_uncertain = 24;
constexpr Canvas::Color ink{31, 41, 55};

/// By `key`, lowest first, at most `most`.
template <class Key>
std::vector<Prediction> lowest(std::vector<Prediction> list, Key key, std::size_t most) {
  std::ranges::stable_sort(list, {}, key);
  if (list.size() > most) list.resize(most);
  return list;
}

Confusion counts_of(std::span<const Prediction> predictions, int classes) {
  Confusion counts = no_confusion(classes);
  for (const Prediction& p : predictions)
    ++counts[static_cast<std::size_t>(p.label)][static_cast<std::size_t>(p.predicted)];
  return counts;
}

/// Of one kind of mistake. At least 1.
int most_frequent(const Confusion& counts) {
  const std::vector<Mistaken> first = most_mistaken(counts, 1);
  return first.empty() ? 1 : first.front().count;
}

/// The mistakes whose right class got the lowest probability, lowest first.
std::vector<Prediction> worst_mistakes(std::span<const Prediction> predictions, std::size_t most) {
  std::vector<Prediction> wrong;
  for (const Prediction& p : predictions)
    if (!p.right()) wrong.push_back(p);
  return lowest(std::move(wrong), &Prediction::label_probability, most);
}

std::vector<int> rows_of(const std::vector<Prediction>& list) {
  std::vector<int> rows;
  for (const Prediction& p : list) rows.push_back(p.index);
  return rows;
}

std::string matrix(const std::vector<Prediction>& predictions, int classes) {
  const Confusion counts = counts_of(predictions, classes);
  if (counts.size() > most_matrix_columns) return frequent_mistakes(counts);
  const int most = most_frequent(counts);
  std::string out =
      "<h2>Confusion matrix</h2>\n<div class=\"scroll\"><table class=\"matrix\">\n"
      "<tr><th></th>";
  for (std::size_t c = 0; c < counts.size(); ++c) out += fmt::format("<th>{}</th>", c);
  out += "<th>recall</th></tr>\n";
  for (std::size_t label = 0; label < counts.size(); ++label) {
    out += fmt::format("<tr><th>{}</th>", label);
    for (std::size_t c = 0; c < counts.size(); ++c) {
      const int count = counts[label][c];
      if (c == label)
        out += fmt::format("<td class=\"diag\">{}</td>", count);
      else if (count == 0)
        out += "<td></td>";
      else
        out += fmt::format(
            "<td style=\"background:rgba(var(--heat),{:.2f})\" title=\"label {}, predicted {}: "
            "{}\">{}</td>",
            0.15 + 0.55 * count / most, label, c, count, count);
    }
    const int total = std::accumulate(counts[label].begin(), counts[label].end(), 0);
    out += total == 0
               ? "<td>-</td></tr>\n"
               : fmt::format("<td>{:.2f} %</td></tr>\n", 100.0 * counts[label][label] / total);
  }
  return out +
         "</table></div>\n<p class=\"note\">Rows: label. Columns: predicted class. Recall: share "
         "of "
         "a label's images that are right.</p>\n";
}

std::string pictures(const std::vector<Prediction>& list, const DigitPictures& images) {
  std::string out = "<div class=\"digits\">\n";
  for (const Prediction& p : list) {
    out += fmt::format("<div>{}<b>{}</b>", images.html(p.index, p.label), p.label);
    if (!p.right()) out += fmt::format(" predicted <b>{}</b>", p.predicted);
    out += fmt::format("<br>{:.1f} %", 100 * p.probability);
    if (!p.right()) out += fmt::format(" ({}: {:.1f} %)", p.label, 100 * p.label_probability);
    out += fmt::format("<br>#{}</div>\n", p.index);
  }
  return out + "</div>\n";
}

}  // namespace

std::string mistakes_section(const RunRecord& run) {
  if (run.predictions.empty()) return "";
  std::vector<Prediction> right;
  for (const Prediction& p : run.predictions)
    if (p.right()) right.push_back(p);
  const std::size_t mistakes = run.predictions.size() - right.size();
  const std::vector<Prediction> wrong = worst_mistakes(run.predictions, most_mistakes);
  right = lowest(std::move(right), &Prediction::probability, most_uncertain);
  std::vector<int> rows = rows_of(wrong);
  for (const int row : rows_of(right)) rows.push_back(row);
  const DigitPictures images(run.summary.data.file, run.summary.data.hash, run.summary.validation,
                             rows, run.folder / "predictions.csv");

  std::string out = matrix(run.predictions, run.recipe->model.classes);
  out += fmt::format("<h2>{} mistake{}</h2>\n", mistakes, plural(mistakes));
  if (mistakes > 0)
    out += fmt::format(
        "<p>Worst first: the images whose right class got the lowest probability. Each with its "
        "label, the predicted class, the probability of that class (and of the label), and its row "
        "in the {} set.{}{}</p>\n",
        run.summary.validation ? "training" : "test",
        mistakes > wrong.size()
            ? fmt::format(" {} are shown. All are in predictions.csv.", wrong.size())
            : "",
        images.there() ? "" : " They are not drawn, because the data file is missing.");
  out += pictures(wrong, images);
  if (!right.empty())
    out +=
        "<h2>Right, but uncertain</h2>\n<p>The right predictions with the lowest "
        "probability.</p>\n" +
        pictures(right, images);
  return out;
}

std::optional<Canvas> confusion_picture(std::span<const Prediction> predictions, int classes) {
  constexpr int most_in_picture = 26, cell = 44, scale = 2, glyph = 4 * scale;
  constexpr Canvas::Color right{243, 244, 246};
  if (classes > most_in_picture) return std::nullopt;
  const Confusion counts = counts_of(predictions, classes);
  const int most = most_frequent(counts);
  Canvas canvas(cell * (classes + 1), cell * (classes + 1), 255);
  const auto write = [&](int row, int column, int value) {
    const std::string text = fmt::format("{}", value);
    canvas.text(column * cell + (cell - glyph * static_cast<int>(text.size())) / 2,
                row * cell + (cell - 5 * scale) / 2, text, scale, ink);
  };
  for (int label = 0; label < classes; ++label) {
    write(0, label + 1, label);
    write(label + 1, 0, label);
    for (int c = 0; c < classes; ++c) {
      const int count = counts[static_cast<std::size_t>(label)][static_cast<std::size_t>(c)];
      if (count == 0) continue;
      const auto faded = static_cast<std::uint8_t>(225 - 150 * count / std::max(most, count));
      const Canvas::Color color = c == label ? right : Canvas::Color{faded, faded, 255};
      canvas.fill((c + 1) * cell + 1, (label + 1) * cell + 1, cell - 2, cell - 2, color);
      write(label + 1, c + 1, count);
    }
  }
  return canvas;
}

std::optional<Canvas> mistakes_picture(std::span<const Prediction> predictions,
                                       const std::filesystem::path& data_file,
                                       const std::string& data_hash, bool validation) {
  constexpr int columns = 8, text_scale = 2;
  constexpr std::size_t most = 40;
  const std::vector<Prediction> wrong = worst_mistakes(predictions, most);
  const std::vector<int> rows = rows_of(wrong);
  const DigitPictures images(data_file, data_hash, validation, rows, "predictions.csv");
  if (wrong.empty() || !images.there()) return std::nullopt;
  const int scale = images.side() > 2 * image_side ? 1 : 2;
  const int tile = images.side() * scale, width = std::max(tile, 56) + 24, height = tile + 30;
  const int count = static_cast<int>(wrong.size());
  Canvas canvas(columns * width, (count + columns - 1) / columns * height, 255);
  for (int i = 0; i < count; ++i) {
    const Prediction& p = wrong[static_cast<std::size_t>(i)];
    const int x = i % columns * width + 8, y = i / columns * height + 4;
    canvas.grey(x, y,
                {images.pixels(p.index), static_cast<std::size_t>(images.side() * images.side())},
                images.side(), scale);
    canvas.text(x, y + tile + 4,
                fmt::format("{}>{} {:.0f}%", p.label, p.predicted, 100 * p.probability), text_scale,
                ink);
  }
  return canvas;
}

}  // namespace mnist_dist
