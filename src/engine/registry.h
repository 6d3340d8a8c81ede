#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/training_loop.h"

namespace mnist_dist {

/// Names that make_engine knows, the default first.
std::vector<std::string> engine_names();

/// SIMD targets of an engine on this CPU that EngineOptions::simd can force, the best first; empty when it chooses by itself.
std::vector<std::string> simd_targets(const std::string& engine);

/// Where the torch engine's library lies. Throws Error (device) when it was not built or installed.
std::filesystem::path torch_library_path();

/// The plain LibTorch training loop (engine/torch/library.h). Throws Error (device) when the torch engine's library cannot be opened.
std::unique_ptr<TrainingLoop> make_plain_torch_loop(const ModelSpec& model, const OptimizerConfig& optimizer, int slice);

}  // namespace mnist_dist
