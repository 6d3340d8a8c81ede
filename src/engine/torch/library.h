#pragma once
#include <memory>

#include "engine/engine.h"
#include "engine/training_loop.h"

namespace mnist_dist {

/// What libmnist-dist-torch offers to the program that opens it. Linking LibTorch instead would cost every start of the program about a second.
struct TorchLibrary {
  std::unique_ptr<Engine> (*make_engine)(const EngineOptions& options);
  /// What one would write with LibTorch alone, on slices of `slice` images: the measure of the engines' speed.
  std::unique_ptr<TrainingLoop> (*make_plain_loop)(const ModelSpec& model, const OptimizerConfig& optimizer, int slice);
};

inline constexpr char torch_library_file[] = "libmnist-dist-torch.so";
inline constexpr char torch_library_entry[] = "mnist_dist_torch_library";
using TorchLibraryEntry = const TorchLibrary* (*)();

}  // namespace mnist_dist
