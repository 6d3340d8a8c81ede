#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace mnist_dist {

/// The progress of a run, in status.json of its folder: written when it starts, when an epoch ends
/// and when it ends.
struct RunStatus {
  /// "running" (also of a run that was killed), "finished", "max_steps" (train.max_steps ended it
  /// before its last epoch), "stopped" (by a signal), "diverged" or "failed".
  std::string state = "running";
  int epoch = 0;               ///< whole epochs that are done
  int step = 0;                ///< steps since
  int epochs = 0;              ///< of the recipe
  std::int64_t all_steps = 0;  ///< of those epochs
  std::string message;         ///< why it diverged or failed
  std::string data;            ///< data_name. "": of an earlier version
  std::string layer;           ///< whose values stopped being finite: "layer 3 (conv = 12)"
  std::string updated;         ///< UTC
};

/// Throws: Error (data).
void write_status(const std::filesystem::path& folder, const RunStatus& status);

/// Nothing where the folder has no status.json, as those of earlier versions.
/// Throws: Error (data) when it is damaged.
std::optional<RunStatus> read_status(const std::filesystem::path& folder);

/// The layer that a divergence's message names, or "".
std::string layer_in(const std::string& message);

}  // namespace mnist_dist
