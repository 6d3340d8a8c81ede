#pragma once
#include "data/raw_set.h"

namespace mnist_dist {

/// Reads a CSV file as Kaggle publishes such sets, gzipped or not: one row per image, a label and
/// the pixels of a square image, row after row. The label is in the column "label" of a header
/// line, otherwise in the first one. Cells are whole numbers without quotes.
/// Throws: Error (data) that names the file and the line.
RawSet read_csv_set(const std::filesystem::path& file);

}  // namespace mnist_dist
