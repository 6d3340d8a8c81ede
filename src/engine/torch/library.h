#pragma once
#include <memory>
#include <string>

#include "engine/engine.h"
#include "engine/scripted_network.h"
#include "engine/training_loop.h"

namespace mnist_dist {

struct GpuCount {
  int gpus = 0;
  std::string why_none = {};  ///< where there are none
};

/// Further functions of a library built for GPUs.
struct GpuLibrary {
  /// GPUs that this process can use.
  GpuCount (*count)();
  /// A GPU's UUID, which no other GPU has. "" if it is unknown.
  std::string (*id)(int gpu);
  /// Throws: Error (device) when this GPU cannot be used, or the library has no code for it.
  void (*check)(int gpu);
  std::unique_ptr<Engine> (*make_engine)(const EngineOptions& options);
};

/// Functions of libmnist-dist-torch for the program that opens it. Linking LibTorch instead would
/// cost every start of the program about a second.
struct TorchLibrary {
  std::unique_ptr<Engine> (*make_engine)(const EngineOptions& options);
  /// A plain loop with LibTorch alone, on slices of `slice` images: the measure of the engines'
  /// speed.
  std::unique_ptr<TrainingLoop> (*make_plain_loop)(const ModelSpec& model,
                                                   const OptimizerConfig& optimizer, int slice);
  std::string (*torchscript_file)(const ScriptedNetwork& network);
  const GpuLibrary* gpu;  ///< nullptr in a build for CPUs
};

inline constexpr char torch_library_file[] = "libmnist-dist-torch.so";
inline constexpr char torch_library_entry[] = "mnist_dist_torch_library";
using TorchLibraryEntry = const TorchLibrary* (*)();

}  // namespace mnist_dist
