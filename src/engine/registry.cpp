#include "engine/registry.h"

#include <dlfcn.h>

#include <array>
#include <filesystem>

#include "base/arithmetic.h"
#include "base/error.h"
#include "base/nearest.h"
#include "engine/fused/fused_engine.h"
#include "engine/torch/library.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

Error cannot_open() {
  return device_error(std::string("the torch engine's library cannot be opened: ") + ::dlerror(),
                      "use --engine fused, or install the LibTorch that it was built with, or "
                      "build again (launch/local.sh)");
}

/// A function of the torch engine's library, which is never closed, because LibTorch does not
/// survive it. nullptr: it has none of this name.
void* symbol(const char* name) {
  const fs::path file = torch_library_path();
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw cannot_open();
  return ::dlsym(library, name);
}

const TorchLibrary& open_torch_library() {
  const auto entry = reinterpret_cast<TorchLibraryEntry>(symbol(torch_library_entry));
  if (!entry) throw cannot_open();
  return *entry();
}

Error library_without_gpus() {
  return device_error(
      "the torch engine's library, " + torch_library_path().string() + ", was built without GPUs",
      "build the program and the library together (launch/local.sh --cuda), or give --device cpu");
}

const GpuLibrary& gpu_library() {
  if (const GpuLibrary* const gpu = open_torch_library().gpu) return *gpu;
  throw library_without_gpus();
}

constexpr char gpu_engine[] = "torch-cuda";

struct Entry {
  const char* name;
  std::unique_ptr<Engine> (*make)(const EngineOptions& options);
};

/// A CPU's default first.
constexpr std::array entries {
  Entry{"fused", make_fused_engine},
      Entry{"torch",
            [](const EngineOptions& options) { return open_torch_library().make_engine(options); }},
#if MNIST_DIST_CUDA
      Entry{gpu_engine,
            [](const EngineOptions& options) { return gpu_library().make_engine(options); }},
#endif
};

const Entry& find_engine(const std::string& name) {
  for (const Entry& entry : entries)
    if (entry.name == name) return entry;
  throw usage_error("there is no engine \"" + name + "\"", suggest(name, engine_names()))
      .mark_everywhere();
}

/// The driver's device file: looked for instead of asking CUDA, which takes a second.
bool has_gpu() { return fs::exists("/dev/nvidiactl"); }

Error built_without_gpus(const std::string& wanted) {
  return device_error(wanted + ": not in this build (built without GPU engines)",
                      "build with launch/local.sh --cuda, or leave it out to train on the CPU");
}

}  // namespace

fs::path torch_library_path() {
  // In a build folder, or installed.
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& folder : {program, program.parent_path() / "lib" / "mnist-dist"})
    if (fs::path file = folder / torch_library_file; fs::exists(file)) return file;
  throw device_error(
      std::string("this build has no torch engine: its library, ") + torch_library_file +
          ", is neither beside the program nor in ../lib/mnist-dist",
      "use --engine fused, or build from source with LibTorch (HACKING.md, LibTorch)");
}

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
    throw built_without_gpus(on_gpu ? "engine torch-cuda" : "device cuda").mark_everywhere();
  if (engine.empty())
    return device == "cuda" || (device == "auto" && built_for_gpus() && has_gpu())
               ? gpu_engine
               : entries.front().name;
  find_engine(engine);
  if (on_gpu && device == "cpu")
    throw usage_error("engine torch-cuda computes on GPUs, not on device cpu", "leave --device out")
        .mark_everywhere();
  if (!on_gpu && device == "cuda")
    throw usage_error("engine " + engine + " computes on the CPU, not on device cuda",
                      "leave --engine out, or --device")
        .mark_everywhere();
  return engine;
}

bool built_for_gpus() { return MNIST_DIST_CUDA; }

bool runs_on_gpu(const std::string& engine) { return engine == gpu_engine; }

int gpu_count(std::string& why_none) { return gpu_library().count(why_none); }

std::string gpu_id(int gpu) { return gpu_library().id(gpu); }

void check_gpu(int gpu) { gpu_library().check(gpu); }

void* gpu_library_symbol(const char* name) {
  if (void* const found = symbol(name)) return found;
  throw library_without_gpus();
}

std::unique_ptr<Engine> make_engine(const std::string& name, const EngineOptions& options) {
  auto engine = find_engine(name).make(options);
  check_arithmetic();  // again, where it computes on a device: its library has been opened by now
  return engine;
}

std::unique_ptr<TrainingLoop> make_plain_torch_loop(const ModelSpec& model,
                                                    const OptimizerConfig& optimizer, int slice) {
  return open_torch_library().make_plain_loop(model, optimizer, slice);
}

std::string make_torchscript(const ScriptedNetwork& network) {
  return open_torch_library().torchscript_file(network);
}

}  // namespace mnist_dist
