#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/registry.h"

namespace mnist_dist {

enum class Health { ok, warning, failure };

/// Result for one subject.
struct Finding {
  std::string subject;  ///< "cpu", "data"
  Health health = Health::ok;
  std::string text;
  std::string fix;               ///< remedy, or if ok a possible improvement
  ExitCode code = ExitCode::ok;  ///< exit code of a run, for failures
};

inline Finding ok(const char* subject, const std::string& text, const std::string& fix = "") {
  return {subject, Health::ok, text, fix};
}
inline Finding warning(const char* subject, const std::string& text, const std::string& fix) {
  return {subject, Health::warning, text, fix};
}
inline Finding failure(const char* subject, const Error& error) {
  return {subject, Health::failure, error.what(), error.hint(), error.code()};
}

struct DoctorOptions {
  std::filesystem::path data_file;
  bool full = false;  ///< also open LibTorch and read every chunk of the data: seconds rather than
                      ///< milliseconds
};

// Machine (doctor_machine.cpp).
Finding find_program();
Finding find_cpu();
Finding find_memory();
Finding find_disk();
// Devices and surroundings, from the files below `root` (doctor_devices.cpp).
/// NVIDIA GPUs and their driver.
Finding find_gpus(const std::filesystem::path& root = "/", bool for_gpus = built_for_gpus());
/// The first GPU that this build has no code for. Loads LibTorch. Only where built for GPUs.
std::optional<Finding> find_gpu_without_code();
Finding find_nccl(bool has_gpus);
/// EFA and InfiniBand.
Finding find_fabric(const std::filesystem::path& root = "/");
/// The time at which an EC2 instance terminates itself: run/mnist-dist/ttl, a Unix time. Nothing
/// elsewhere.
std::optional<Finding> find_ttl(const std::filesystem::path& root, std::int64_t now);
// Software (doctor_software.cpp).
Finding find_mpi();
Finding find_launcher();
/// Engines, the default first, and their SIMD targets, the best first.
Finding find_engines();
Finding find_torch(bool open);
Finding find_blas();
Finding find_hdf5();
// Data.
Finding find_data(const std::filesystem::path& file, bool read_all);
Finding find_raw_files();

/// Everything above, in the order it is shown. Never throws for a finding.
std::vector<Finding> examine(const DoctorOptions& options);

/// One line per finding, fixes below it. Longer lines than `columns` are folded (0: none is).
std::string doctor_table(const std::vector<Finding>& findings, bool color, int columns);
/// The same as JSON: {"ok": bool, "findings": [{"subject", "health", "text", "fix"}]}.
std::string doctor_json(const std::vector<Finding>& findings);

/// The first failure's code, else ok.
ExitCode doctor_verdict(const std::vector<Finding>& findings);

}  // namespace mnist_dist
