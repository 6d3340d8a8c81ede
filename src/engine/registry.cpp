#include "engine/registry.h"

#include <array>
#include <filesystem>

#include "base/arithmetic.h"
#include "base/error.h"
#include "base/nearest.h"
#include "engine/fused/fused_engine.h"
#include "engine/torch_library.h"

namespace mnist_dist {
namespace {

constexpr char gpu_engine[] = "torch-cuda";

struct Entry {
  const char* name;
  std::unique_ptr<Engine> (*make)(const EngineOptions& options);
};

/// A CPU's default first.
constexpr std::array entries {
  Entry{"fused", make_fused_engine},
      Entry{"torch",
            [](const EngineOptions& options) { return torch_library().make_engine(options); }},
#if MNIST_DIST_CUDA
      Entry{gpu_engine,
            [](const EngineOptions& options) { return gpu_library().make_engine(options); }},
#endif
};

const Entry& find_engine(const std::string& name) {
  for (const Entry& entry : entries)
    if (entry.name == name) return entry;
  throw usage_error("there is no engine \"" + name + "\"", suggest(name, engine_names()));
}

/// The driver's device file: looked for instead of asking CUDA, which takes a second.
bool has_gpu() { return std::filesystem::exists("/dev/nvidiactl"); }

/// `wanted`: an option and its value.
Error built_without_gpus(const std::string& wanted) {
  return device_error(
      wanted + ": not in this build (built without GPU engines)",
      "build with launch/local.sh --cuda, or remove " + wanted + " to train on the CPU");
}

}  // namespace

std::vector<std::string> engine_names() {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.emplace_back(entry.name);
  return names;
}

std::vector<std::string> simd_targets(const std::string& engine) {
  return engine == "fused" ? fused_targets() : std::vector<std::string>{};
}

std::string choose_engine(const std::string& engine, const std::string& device) {
  const bool on_gpu = engine == gpu_engine;
  if (!built_for_gpus() && (device == "cuda" || on_gpu))
    throw built_without_gpus(on_gpu ? "--engine torch-cuda" : "--device cuda");
  if (engine.empty())
    return device == "cuda" || (device == "auto" && built_for_gpus() && has_gpu())
               ? gpu_engine
               : entries.front().name;
  find_engine(engine);
  if (on_gpu && device == "cpu")
    throw usage_error("engine torch-cuda computes on GPUs, not on device cpu",
                      "leave --device out");
  if (!on_gpu && device == "cuda")
    throw usage_error("engine " + engine + " computes on the CPU, not on device cuda",
                      "leave --engine out, or --device");
  return engine;
}

bool built_for_gpus() { return MNIST_DIST_CUDA; }

bool runs_on_gpu(const std::string& engine) { return engine == gpu_engine; }

std::unique_ptr<Engine> make_engine(const std::string& name, const EngineOptions& options) {
  auto engine = find_engine(name).make(options);
  check_arithmetic();  // again, where it computes on a device: its library has been opened by now
  return engine;
}

}  // namespace mnist_dist
