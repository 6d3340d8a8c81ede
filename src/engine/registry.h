#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/scripted_network.h"
#include "engine/training_loop.h"

namespace mnist_dist {

class Communicator;
struct DeviceCommOptions;

/// Names that make_engine knows, a CPU's default first.
std::vector<std::string> engine_names();

/// The engine for what was asked for, where "" and "auto" leave it open: on a GPU where the program
/// was built for GPUs and there is one, else fused. Throws Error, on every rank that was asked the
/// same: device when GPUs were asked for in a build without, usage for an unknown engine (with the
/// nearest), or one that does not go with the device.
std::string choose_engine(const std::string& engine, const std::string& device);

bool built_for_gpus();
bool runs_on_gpu(const std::string& engine);
/// GPUs of this host, and why there are none when there are none. Only where built for GPUs, as the
/// next two, which throw Error (device) when the torch engine's library was not.
int gpu_count(std::string& why_none);
/// What tells this GPU from any other, on whatever host.
std::string gpu_id(int gpu);
/// comm/device_communicator.h
std::unique_ptr<Communicator> make_gpu_communicator(Communicator& group, const Queue& queue,
                                                    const DeviceCommOptions& options);

/// SIMD targets of an engine on this CPU that EngineOptions::simd can force, the best first; empty
/// when it chooses by itself.
std::vector<std::string> simd_targets(const std::string& engine);

/// Where the torch engine's library lies. Throws Error (device) when it was not built or installed.
std::filesystem::path torch_library_path();

/// The plain LibTorch training loop (engine/torch/library.h). Throws Error (device) when the torch
/// engine's library cannot be opened.
std::unique_ptr<TrainingLoop> make_plain_torch_loop(const ModelSpec& model,
                                                    const OptimizerConfig& optimizer, int slice);

/// The network as a TorchScript file, by LibTorch. Throws Error (device) when the torch engine's
/// library cannot be opened.
std::string make_torchscript(const ScriptedNetwork& network);

}  // namespace mnist_dist
