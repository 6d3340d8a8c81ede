#pragma once
#include <filesystem>

#include "config/config.h"
#include "train/checkpoint.h"

namespace mnist_dist {

/// The recipe of a checkpoint, after a comparison of everything else in it with that recipe.
/// Throws: Error (data) naming `file`: weights of other sizes than the model has, a place after the
/// last epoch, or counts, losses and accuracies that no run can have.
Config checked_recipe(const Checkpoint& checkpoint, const std::filesystem::path& file);

}  // namespace mnist_dist
