#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <link.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/version.h"
#include "data/data_name.h"
#include "data/dataset.h"
#include "data/hdf5.h"
#include "data/mnist_files.h"
#include "engine/registry.h"
#include "engine/torch_library.h"
#include "report/doctor.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// The file behind a library that the system's loader finds. Empty when there is none.
fs::path path_of(void* library) {
  link_map* map = nullptr;
  if (::dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || !map) return {};
  std::error_code error;
  const fs::path path = fs::canonical(map->l_name, error);
  return error ? fs::path(map->l_name) : path;
}

/// The smallest model that an engine accepts, made only for its versions.
EngineOptions smallest_engine() {
  EngineOptions options;
  options.config.model.layers = {Layer{.kind = LayerKind::linear, .channels = class_count}};
  return options;
}

}  // namespace

Finding find_mpi() { return ok("mpi", mpi_library_version()); }

Finding find_launcher() {
  try {
    const Launcher launcher = detect_launcher();
    if (!launcher.present)
      return ok("launcher", "none: one process, which uses threads (mpirun -np N starts ranks)");
    // Only MPI gets the number from PMIx.
    return ok("launcher", launcher.size == 0
                              ? launcher.name
                              : fmt::format("{}, {} ranks", launcher.name, launcher.size));
  } catch (const Error& error) {
    return failure("launcher", error);
  }
}

Finding find_engines() {
  std::vector<std::string> engines;
  for (const std::string& name : engine_names()) {
    const auto targets = simd_targets(name);
    engines.push_back(
        targets.empty() ? name : fmt::format("{} (SIMD: {})", name, fmt::join(targets, ", ")));
  }
  return ok("engines", fmt::format("{}", fmt::join(engines, ", ")));
}

Finding find_torch(bool open) {
  std::string path;
  try {
    path = torch_library_path().string();
  } catch (const Error& error) {
    return ok("torch", fmt::format("none, and only --engine torch needs it: {}", error.what()));
  }
  try {
    if (!open) return ok("torch", fmt::format("{} (--full opens it)", path));
    const auto info = make_engine("torch", smallest_engine())->info();
    const auto libtorch = info.versions.find("libtorch");
    return ok("torch",
              fmt::format("LibTorch {} on {}, {}",
                          libtorch == info.versions.end() ? "of unknown version" : libtorch->second,
                          info.device, info.simd));
  } catch (const Error& error) {
    return warning("torch", error.what(), error.hint());  // the other engines do without
  }
}

Finding find_blas() {
  // The BLAS of LibTorch from the system's packages. One from PyTorch has its own.
  void* const library = ::dlopen("libblas.so.3", RTLD_LAZY | RTLD_LOCAL);
  if (!library) return ok("blas", "none on this system (LibTorch has its own)");
  const std::string path = path_of(library).string();
  if (const auto describe =
          reinterpret_cast<const char* (*)()>(::dlsym(library, "openblas_get_config"))) {
    const std::string config = describe();  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
    return ok("blas", fmt::format("{} ({})",
                                  config.substr(0, config.find(' ', config.find(' ') + 1)), path));
  }
  // Netlib's own lies in a folder named blas, those of OpenBLAS, BLIS and MKL in others.
  if (fs::path(path).parent_path().filename() == "blas")
    return warning("blas",
                   fmt::format("the reference BLAS ({}), 40 times slower than OpenBLAS", path),
                   "install libopenblas0-pthread (launch/setup.sh does)");
  return ok("blas", path);
}

Finding find_hdf5() { return ok("hdf5", hdf5_version()); }

Finding find_data(const fs::path& file, bool read_all) {
  std::error_code unknown;
  const bool there = fs::exists(file, unknown);
  if (unknown)
    return failure(
        "data", data_error(fmt::format("{} cannot be read: {}", file.string(), unknown.message()),
                           "check the path and its permissions"));
  if (!there)
    return warning("data", fmt::format("{} does not exist yet", file.string()),
                   "run mnist-dist prepare (train runs it, too)");
  try {
    const Dataset data(file);
    if (read_all) {
      data.train({0, data.train_rows()});
      data.test({0, data.test_rows()});
    }
    const std::string text =
        fmt::format("{}: {}, {} + {} images, {}{}", file.string(), data_name(data.data_source()),
                    data.train_rows(), data.test_rows(), data.hash().substr(0, 12),
                    read_all ? ", every chunk intact" : "");
    if (!is_mnist(data.hash()) && data.name().empty())
      return warning("data", text, "run mnist-dist prepare --force for results on MNIST");
    return ok("data", text);
  } catch (const Error& error) {
    return failure("data", error);
  }
}

Finding find_raw_files() {
  std::string note;
  try {
    const MnistSource source = find_mnist({}, [&](const std::string& line) { note = line; });
    if (note.empty()) return ok("raw", source.description);
    return warning(
        "raw", fmt::format("{}, {}", source.description, note),
        "complete that folder, or remove it from the search: unset MNIST_DATA_DIR, or delete "
        "data/raw/");
  } catch (const Error& error) {
    return warning("raw", error.what(), error.hint());
  }
}

}  // namespace mnist_dist
