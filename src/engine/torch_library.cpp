#include "engine/torch_library.h"

#include <dlfcn.h>

#include <string>

#include "base/error.h"

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

Error library_without_gpus() {
  return device_error(
      "the torch engine's library, " + torch_library_path().string() + ", was built without GPUs",
      "build the program and the library together (launch/local.sh --cuda), or give --device cpu");
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

const TorchLibrary& torch_library() {
  const auto entry = reinterpret_cast<TorchLibraryEntry>(symbol(torch_library_entry));
  if (!entry) throw cannot_open();
  return *entry();
}

const GpuLibrary& gpu_library() {
  if (const GpuLibrary* const gpu = torch_library().gpu) return *gpu;
  throw library_without_gpus();
}

void* gpu_library_symbol(const char* name) {
  if (void* const found = symbol(name)) return found;
  throw library_without_gpus();
}

}  // namespace mnist_dist
