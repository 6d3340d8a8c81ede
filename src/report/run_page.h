#pragma once
#include <filesystem>
#include <string>

namespace mnist_dist {

/// report.html of a single run's folder, from its summary.json, metrics.csv and config.toml. A run
/// that is not finished has no summary yet. `summary`: as of read_run.
/// Throws: Error: usage when it is no run folder, data when a file is damaged, or a finished run's
/// summary is lost.
std::string run_page(const std::filesystem::path& folder, const std::string& summary = "");

/// Writes the page into the folder, when the run ends. A page that cannot be made of the folder's
/// files takes nothing from the run: then there is none, with a note on stderr.
/// Throws: Error (data) when it cannot be written.
void write_run_page(const std::filesystem::path& folder, const std::string& summary);

}  // namespace mnist_dist
