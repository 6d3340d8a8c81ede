#pragma once
#include <CLI/App.hpp>
#include <string>

#include "train/trained.h"

namespace mnist_dist {

/// Help of an option that takes a run folder or a checkpoint.
inline constexpr const char* trained_help = "Run folder or checkpoint file";

/// open_trained, with a note on stderr where the newest checkpoint of the folder is damaged.
Trained open_trained_argument(const std::string& path);

/// Declares --raw-weights.
void add_raw_weights(CLI::App& app, bool& raw);

/// The weights that a run delivers, or those without averaging.
Weights chosen_weights(const Trained& trained, bool raw);

}  // namespace mnist_dist
