#include "report/run_files.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/provenance.h"
#include "base/version.h"

namespace mnist_dist {

std::string metrics_header(const std::string& what) {
  return fmt::format("epoch,train_loss,train_accuracy,{0}_loss,{0}_accuracy,averaged_{0}_accuracy,learning_rate,images_per_second,seconds\n", what);
}

std::string metrics_row(const EpochRow& row) {
  const auto accuracy = [](const std::optional<Score>& score) { return score ? fmt::format("{:.4f}", score->accuracy) : ""; };
  return fmt::format("{},{:.6f},{:.4f},{},{},{},{:.6g},{:.1f},{:.3f}\n", row.epoch, row.train.loss, row.train.accuracy,
                     row.test ? fmt::format("{:.6f}", row.test->loss) : "", accuracy(row.test), accuracy(row.averaged_test), row.learning_rate,
                     row.images_per_second, row.seconds);
}

std::string keep_rows_before(const std::string& text, int first_epoch) {
  std::string kept;
  for (std::size_t from = 0, to = 0; (to = text.find('\n', from)) != std::string::npos; from = to + 1) {
    const std::string line = text.substr(from, to - from + 1);
    const int epoch = std::atoi(line.c_str());  // 0 for a header, or for what is no row
    if (epoch >= 1 && epoch < first_epoch) kept += line;
  }
  return kept;
}

RunFiles::RunFiles(std::filesystem::path folder, RunIdentity identity, int first_epoch)
    : folder_(std::move(folder)), identity_(std::move(identity)), first_epoch_(first_epoch), started_at_(utc_now()) {}

void RunFiles::started(const RunInfo& info) {
  info_ = info;
  const auto file = folder_ / "metrics.csv";
  metrics_ = metrics_header(info.validation ? "validation" : "test");
  if (first_epoch_ > 1 && std::filesystem::exists(file)) metrics_ += keep_rows_before(read_text_file(file), first_epoch_);
  write_file_atomically(file, metrics_);
}

void RunFiles::epoch_ended(const EpochRow& row) {
  metrics_ += metrics_row(row);
  write_file_atomically(folder_ / "metrics.csv", metrics_);
}

void RunFiles::finished(const RunResult& result) {
  const std::string what = info_.validation ? "validation" : "test";
  nlohmann::ordered_json versions{{"mnist-dist", full_version()}};
  for (const auto& [name, value] : info_.engine.versions) versions[name] = value;
  nlohmann::ordered_json summary{
      {"recipe", identity_.recipe},
      {"seed", identity_.seed},
      {"parameter_count", identity_.parameter_count},
      {"epochs", info_.epochs},
      {"steps", result.steps},
      {"final_" + what + "_accuracy", result.final.accuracy},
      {"final_" + what + "_loss", result.final.loss},
      {"final_" + what + "_correct", result.final.correct},
      {"best_" + what + "_accuracy", result.best.accuracy},
      {"best_epoch", result.best.epoch},
      {"averaged", info_.averaging},
      {"parameters_sha256", result.parameters_sha256},
      {"raw_parameters_sha256", result.raw_parameters_sha256},
      {"engine", info_.engine.name},
      {"simd", info_.engine.simd},
      {"arithmetic", info_.engine.arithmetic},
      {"device", info_.engine.device},
      {"ranks", info_.ranks},
      {"threads", info_.threads},
      {"data_file", identity_.data_file},
      {"data_hash", identity_.data_hash},
      {"synthetic", identity_.synthetic},
      {"versions", versions},
      {"host", host_name()},
      {"command", identity_.command},
      {"started", started_at_},
      {"ended", utc_now()},
      {"seconds", result.seconds},
      {"images_per_second", result.images_per_second},
  };
  if (!result.initial_sha256.empty()) summary["initial_parameters_sha256"] = result.initial_sha256;
  // Paths and the command may hold bytes that are not UTF-8: no reason to lose the rest.
  write_file_atomically(folder_ / "summary.json", summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace mnist_dist
