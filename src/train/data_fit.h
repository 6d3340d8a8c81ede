#pragma once
#include "config/config.h"

namespace mnist_dist {

class Dataset;

/// Gives the recipe's model the image side and the classes of its data file. Where that file is
/// missing or cannot be read, they stay the recipe's: make_session reports the fault.
/// Throws: Error (usage) when the recipe states others, or its layers do not fit them.
void fit_to_data(Config& config);

/// Throws: Error (usage) with `hint` when the images or classes of `what` are not the model's.
void check_data_shape(const ModelSpec& model, const Dataset& dataset, const std::string& what,
                      const std::string& hint);

}  // namespace mnist_dist
