#pragma once
#include <string>
#include <vector>

#include "engine/engine.h"

namespace mnist_dist {

/// Names for make_engine, a CPU's default first.
std::vector<std::string> engine_names();

/// The engine for these options, where "" and "auto" leave it open: on a GPU if the program was
/// built for GPUs and the machine has one, otherwise fused.
/// Throws: Error: device when a build without GPUs should use one, usage for an unknown engine
/// (with the nearest), or one that does not run on the device.
std::string choose_engine(const std::string& engine, const std::string& device);

bool built_for_gpus();
bool runs_on_gpu(const std::string& engine);

/// SIMD targets of an engine on this CPU that EngineOptions::simd can force, the best first. Empty
/// when the engine itself chooses.
std::vector<std::string> simd_targets(const std::string& engine);

}  // namespace mnist_dist
