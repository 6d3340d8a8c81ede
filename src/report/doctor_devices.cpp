#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>

#include "base/file.h"
#include "engine/torch_library.h"
#include "report/doctor.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// "2 x Tesla V100, 1 x Tesla T4"
std::string counted(const std::map<std::string, int>& counts) {
  std::string text;
  for (const auto& [name, count] : counts)
    text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", count, name);
  return text;
}

/// NVIDIA display controllers on the PCI bus, whether or not a driver is loaded.
int nvidia_pci_devices(const fs::path& root) {
  int count = 0;
  const fs::path devices = root / "sys/bus/pci/devices";
  for (const std::string& device : entry_names(devices))
    if (first_line(devices / device / "vendor") == "0x10de" &&
        first_line(devices / device / "class").starts_with("0x03"))
      ++count;
  return count;
}

/// From "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 ...": the first
/// word that begins like a version number.
std::string driver_version(const std::string& line) {
  for (std::size_t begin = 0; (begin = line.find_first_not_of(' ', begin)) != std::string::npos;) {
    const auto end = std::min(line.find(' ', begin), line.size());
    const std::string word = line.substr(begin, end - begin);
    if (word.find_first_not_of("0123456789.") == std::string::npos &&
        word.find('.') != std::string::npos)
      return word;
    begin = end;
  }
  return "of unknown version";
}

/// The driver's GPU models.
std::map<std::string, int> gpu_models(const fs::path& root) {
  std::map<std::string, int> models;
  const fs::path gpus = root / "proc/driver/nvidia/gpus";
  for (const std::string& gpu : entry_names(gpus)) {
    // "Model: \t\t Tesla V100-SXM2-16GB"
    const std::string line = first_line(gpus / gpu / "information");
    const auto name = line.find_first_not_of(" \t", line.find(':') + 1);
    ++models[name == std::string::npos ? "unknown model" : line.substr(name)];
  }
  return models;
}

}  // namespace

Finding find_gpus(const fs::path& root, bool for_gpus) {
  const int on_bus = nvidia_pci_devices(root);
  const std::string version = first_line(root / "proc/driver/nvidia/version");
  if (version.empty()) {
    if (on_bus == 0) return ok("gpus", "none");
    return warning(
        "gpus", fmt::format("{} from NVIDIA, but no driver is loaded", on_bus),
        "install the driver (Debian: nvidia-driver), or reboot if it was just installed");
  }
  const auto models = gpu_models(root);
  int count = 0;
  for (const auto& model : models) count += model.second;
  const std::string text =
      fmt::format("{}, driver {}", count == 0 ? "none" : counted(models), driver_version(version));
  if (count == 0 || count < on_bus)
    return warning("gpus", fmt::format("{}, but {} on the PCI bus", text, on_bus),
                   "reboot, and look for NVRM or Xid in dmesg");
  return ok("gpus", text, for_gpus ? "" : "build for GPUs with launch/local.sh --cuda");
}

std::optional<Finding> find_gpu_without_code() {
  try {
    const GpuLibrary& library = gpu_library();
    for (int gpu = 0, count = library.count().gpus; gpu < count; ++gpu) library.check(gpu);
    return std::nullopt;
  } catch (const Error& error) {
    return failure("gpus", error);
  }
}

Finding find_nccl(bool has_gpus) {
  void* const library = ::dlopen("libnccl.so.2", RTLD_LAZY | RTLD_LOCAL);
  if (!library) {
    if (!has_gpus) return ok("nccl", "none (only GPUs need it)");
    return warning("nccl", "libnccl.so.2 is not found, but ranks on GPUs need it",
                   "install libnccl2, or put its folder into LD_LIBRARY_PATH");
  }
  int version = 0;
  if (const auto ask = reinterpret_cast<int (*)(int*)>(::dlsym(library, "ncclGetVersion"));
      ask && ask(&version) == 0) {
    // 2708 was 2.7.8. From 2.9 on 21805 is 2.18.5.
    const int unit = version < 10000 ? 1000 : 10000;
    return ok("nccl", fmt::format("{}.{}.{}", version / unit, version % unit / 100, version % 100));
  }
  return ok("nccl", "of unknown version");
}

Finding find_fabric(const fs::path& root) {
  std::map<std::string, int> drivers;
  const fs::path devices = root / "sys/class/infiniband";
  for (const std::string& device : entry_names(devices)) {
    std::error_code error;
    const fs::path driver = fs::read_symlink(devices / device / "device/driver", error);
    ++drivers[error ? device : driver.filename().string()];
  }
  if (drivers.empty())
    return ok("fabric", "no EFA, no InfiniBand: ranks on other hosts are reached over TCP");
  const std::string text = counted(drivers);
  if (drivers.contains("efa") && !::dlopen("libfabric.so.1", RTLD_LAZY | RTLD_LOCAL))
    return warning("fabric", fmt::format("{}, but libfabric.so.1 is not found", text),
                   "install AWS's EFA software, or ranks will use TCP");
  return ok("fabric", text);
}

std::optional<Finding> find_ttl(const fs::path& root, std::int64_t now) {
  const fs::path file = root / "run/mnist-dist/ttl";
  std::error_code error;
  if (!fs::exists(file, error)) {
    if (first_line(root / "sys/class/dmi/id/sys_vendor") != "Amazon EC2") return std::nullopt;
    return warning("ttl", "none: this EC2 instance costs money until you terminate it",
                   "terminate it after use, or use launch/ec2.sh, which sets a time to live");
  }
  std::int64_t end = 0;
  if (!(std::ifstream(file) >> end))
    return warning("ttl", fmt::format("{}: no time found", file.string()),
                   "terminate the instance by hand after use");
  const std::int64_t left = end - now;
  if (left <= 0)
    return warning("ttl", "over: this instance terminates now", "copy what you need now");
  const std::string text = fmt::format("this instance terminates in {} minutes", left / 60);
  if (left < 15 * 60)
    return warning("ttl", text, "copy the results now, and continue elsewhere with --resume");
  return ok("ttl", text);
}

}  // namespace mnist_dist
