#pragma once
#include <memory>

#include "config/config.h"
#include "engine/training_loop.h"

namespace mnist_dist {

/// Training as one writes it with LibTorch: torch::nn modules, torch::optim::SGD, one optimiser
/// step per slice, images ready in memory and not augmented.
std::unique_ptr<TrainingLoop> make_plain_loop(const ModelSpec& model,
                                              const OptimizerConfig& optimizer, int slice);

}  // namespace mnist_dist
