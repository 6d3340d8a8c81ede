#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/spec.h"

namespace mnist_dist {

/// counts[label][prediction].
using Confusion = std::vector<std::vector<int>>;
Confusion no_confusion(int classes);
Confusion confusion_of(std::span<const ClassIndex> labels, std::span<const ClassIndex> predictions,
                       int classes = class_count);

/// A kind of mistake and how many images it was made of.
struct Mistaken {
  int label, prediction, count;
};
/// The most frequent first, at most `most`.
std::vector<Mistaken> most_mistaken(const Confusion& counts, std::size_t most);

/// A page has a matrix of at most this number of classes, otherwise a section with the most
/// frequent mistakes.
inline constexpr std::size_t most_matrix_columns = 50;
std::string frequent_mistakes(const Confusion& counts);

/// An aligned table of up to 60 columns: one row per label, one column per predicted class, recall
/// behind each row. Zeros are dots, so that the mistakes are visible. Of more than ten classes,
/// or where it does not fit into `columns` (0: it does): the 20 most frequent mistakes instead.
std::string confusion_table(const Confusion& counts, int columns);

/// A square image as text, two pixel rows per line, for a terminal. Of an image that is wider than
/// `columns` (0: none is), a character stands for several pixels.
std::string draw_digit(std::span<const std::uint8_t> pixels, int columns);

}  // namespace mnist_dist
