#pragma once
#include "config/config.h"

namespace mnist_dist {

/// Gives the recipe's model the image side and the classes of its data file. Where that file is
/// missing or cannot be read, they stay the recipe's: make_session reports the fault.
/// Throws: Error (usage) when the recipe states others, or its layers do not fit them.
void fit_to_data(Config& config);

}  // namespace mnist_dist
