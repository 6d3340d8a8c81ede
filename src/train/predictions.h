#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "model/spec.h"

namespace mnist_dist {

/// Prediction of the delivered weights for one image.
struct Prediction {
  int index = 0;  ///< in the test set. With data.split: row of the file's training set
  int label = 0, predicted = 0;
  double probability = 0;        ///< of the predicted class, 0..1
  double label_probability = 0;  ///< of the right class, 0..1
  bool right() const { return label == predicted; }
  bool operator==(const Prediction&) const = default;
};

/// Probabilities, 0..1, of an image's logits. No result depends on a C library.
std::vector<double> softmax(std::span<const float> logits);

/// The softmax of each row. `labels` and `classes`: [n], `logits`: [n][classes]. Empty when an
/// engine gave no classes or logits.
std::vector<Prediction> predictions_of(int first_row, std::span<const ClassIndex> labels,
                                       std::span<const ClassIndex> classes,
                                       std::span<const float> logits);

/// predictions.csv: one row per image, probabilities with 6 decimals.
std::string predictions_csv(std::span<const Prediction> predictions);

/// Reads predictions.csv.
/// Throws: Error (data) naming file and row.
std::vector<Prediction> read_predictions(const std::filesystem::path& file);

}  // namespace mnist_dist
