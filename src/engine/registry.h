#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/scripted_network.h"
#include "engine/training_loop.h"

namespace mnist_dist {

/// Names for make_engine, a CPU's default first.
std::vector<std::string> engine_names();

/// The engine for these options, where "" and "auto" leave it open: on a GPU if the program was
/// built for GPUs and the machine has one, otherwise fused. Throws Error, on every rank with these
/// options: device when a build without GPUs should use one, usage for an unknown engine (with the
/// nearest), or one that does not run on the device.
std::string choose_engine(const std::string& engine, const std::string& device);

bool built_for_gpus();
bool runs_on_gpu(const std::string& engine);
/// GPUs of this host, and why there are none when there are none. Only where built for GPUs, as the
/// next two. Throw Error (device) when the torch engine's library was not.
int gpu_count(std::string& why_none);
/// Identifies this GPU among those of all hosts.
std::string gpu_id(int gpu);
/// Throws Error (device) when this build has no code for the GPU.
void check_gpu(int gpu);

/// SIMD targets of an engine on this CPU that EngineOptions::simd can force, the best first. Empty
/// when the engine itself chooses.
std::vector<std::string> simd_targets(const std::string& engine);

/// Where the torch engine's library lies. Throws Error (device) when it was not built or installed.
std::filesystem::path torch_library_path();

/// A function of that library, by name. Throws Error (device) when it cannot be opened, or was not
/// built for GPUs.
void* gpu_library_symbol(const char* name);

/// The plain LibTorch training loop (engine/torch/library.h). Throws Error (device) when the torch
/// engine's library cannot be opened.
std::unique_ptr<TrainingLoop> make_plain_torch_loop(const ModelSpec& model,
                                                    const OptimizerConfig& optimizer, int slice);

/// The network as a TorchScript file, by LibTorch. Throws Error (device) when the torch engine's
/// library cannot be opened.
std::string make_torchscript(const ScriptedNetwork& network);

}  // namespace mnist_dist
