#pragma once
#include <string>

#include "report/png.h"
#include "report/run_record.h"

namespace mnist_dist {

/// Confusion matrix with recall, mistaken digits as pictures (the most surprising first), and right
/// ones with the lowest probability. "" where the run has no predictions.csv.
std::string mistakes_section(const RunRecord& run);

/// Pictures for viewers that show no tables. Rows: label, columns: predicted class.
/// Nothing for more than 26 classes, whose cells could not be read.
std::optional<Canvas> confusion_picture(std::span<const Prediction> predictions,
                                        int classes = class_count);
/// The most surprising mistakes, each with "LABEL>PREDICTED" and the predicted class' probability.
/// Nothing where there is no mistake, or no data file to draw from.
std::optional<Canvas> mistakes_picture(std::span<const Prediction> predictions,
                                       const std::filesystem::path& data_file,
                                       const std::string& data_hash, bool validation);

}  // namespace mnist_dist
