#include "engine/registry.h"

#include <dlfcn.h>

#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/nearest.h"
#include "engine/fused/fused_engine.h"
#include "engine/torch/library.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// Never closed: LibTorch does not survive it.
const TorchLibrary& open_torch_library() {
  const fs::path file = torch_library_path();
  const auto fail = [] {
    return device_error(std::string("the torch engine's library cannot be opened: ") + ::dlerror(),
                        "check that LibTorch is installed as it was for the build (launch/setup.sh), or build again");
  };
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw fail();
  const auto entry = reinterpret_cast<TorchLibraryEntry>(::dlsym(library, torch_library_entry));
  if (!entry) throw fail();
  return *entry();
}

struct Entry {
  const char* name;
  std::unique_ptr<Engine> (*make)(const EngineOptions& options);
};

/// The default first.
constexpr std::array entries{
    Entry{"fused", make_fused_engine},
    Entry{"torch", [](const EngineOptions& options) { return open_torch_library().make_engine(options); }},
};

}  // namespace

fs::path torch_library_path() {
  // In a build folder, or installed.
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& folder : {program, program.parent_path() / "lib" / "mnist-dist"})
    if (fs::path file = folder / torch_library_file; fs::exists(file)) return file;
  throw device_error(std::string("the torch engine's library, ") + torch_library_file + ", is neither beside the program nor in ../lib/mnist-dist",
                     "install LibTorch (launch/setup.sh does) and build again with -DMNIST_DIST_TORCH=ON");
}

std::vector<std::string> engine_names() {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.emplace_back(entry.name);
  return names;
}

std::vector<std::string> simd_targets(const std::string& engine) { return engine == "fused" ? fused_targets() : std::vector<std::string>{}; }

std::unique_ptr<Engine> make_engine(const std::string& name, const EngineOptions& options) {
  // No engine here computes on a GPU yet; "auto" takes what there is.
  if (options.device == "cuda")
    throw device_error("device cuda was asked for, but this program was built without GPU engines", "leave --device out to train on the CPU");
  for (const Entry& entry : entries)
    if (entry.name == name) return entry.make(options);
  throw usage_error("there is no engine \"" + name + "\"", suggest(name, engine_names()));
}

std::unique_ptr<TrainingLoop> make_plain_torch_loop(const ModelSpec& model, const OptimizerConfig& optimizer, int slice) {
  return open_torch_library().make_plain_loop(model, optimizer, slice);
}

}  // namespace mnist_dist
