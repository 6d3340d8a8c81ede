#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "base/cpus.h"
#include "base/plural.h"
#include "base/version.h"
#include "report/doctor.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// The value behind "NAME:" in a file of such lines, as /proc has them. "" without it.
std::string proc_value(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos ||
        line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1) != name)
      continue;
    const auto value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

double gigabytes(double bytes) { return bytes / 1e9; }

const char* compiler() {
#ifdef __clang__
  return __VERSION__;
#else
  return "GCC " __VERSION__;
#endif
}

}  // namespace

Finding find_program() {
  return ok("program",
            fmt::format("mnist-dist {}, {}, {}", full_version(), build_type, compiler()));
}

Finding find_cpu() {
  const auto cores = usable_cores().size();
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  std::string model = proc_value("/proc/cpuinfo", "model name");
  if (model.empty()) model = "unknown model";
  std::string text =
      fmt::format("{}, {} core{} usable (CPUs {} of {})", model, cores, plural(cores),
                  proc_value("/proc/self/status", "Cpus_allowed_list"), online);
  const double quota = cpu_quota();
  if (quota > 0 && quota < static_cast<double>(cores))
    return warning(
        "cpu", fmt::format("{}, but a CPU quota of {:.1f} cores", text, quota),
        fmt::format("use at most {} ranks or threads, because the container has a CPU quota",
                    usable_core_count(static_cast<int>(cores), quota)));
  return ok("cpu", text);
}

Finding find_memory() {
  const auto bytes = [](const char* name) {
    std::istringstream in(proc_value("/proc/meminfo", name));
    double kilobytes = 0;
    in >> kilobytes;
    return kilobytes * 1024;
  };
  const double available = bytes("MemAvailable");
  const std::string text = fmt::format("{:.1f} GB available of {:.1f}", gigabytes(available),
                                       gigabytes(bytes("MemTotal")));
  // A rank with LibTorch open and its share of the data takes 0.3 to 0.5 GB.
  if (available < 1e9)
    return warning("memory", text, "use fewer ranks, or free memory: each rank needs up to 0.5 GB");
  return ok("memory", text);
}

Finding find_disk() {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  const auto space = fs::space(here.empty() ? "." : here, error);
  if (error)
    return warning("disk", fmt::format("the current folder cannot be read: {}", error.message()),
                   "change to a readable folder");
  std::string text = fmt::format("{:.1f} GB free in {}",
                                 gigabytes(static_cast<double>(space.available)), here.string());
  if (::access(".", W_OK) != 0)
    return warning("disk", fmt::format("{}, but not writable", text),
                   "change to a writable folder");
  // The data file takes 56 MB, and 56 MB more while --force replaces it. A run's two checkpoints
  // take less than 1 MB.
  if (space.available < 200'000'000)
    return warning("disk", text, "free some space: data and runs take up to 0.2 GB");
  return ok("disk", text);
}

}  // namespace mnist_dist
