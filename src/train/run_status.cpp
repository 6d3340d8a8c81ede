#include "train/run_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json_text.h"

namespace mnist_dist {
namespace {

constexpr std::array states{"running", "finished", "max_steps", "stopped", "diverged", "failed"};

/// The keys of status.json, in the file's order. `status` is a RunStatus, const when it is written.
template <class Status, class Visitor>
void visit(Status& status, const Visitor& visitor) {
  visitor("status", status.state);
  visitor("epoch", status.epoch);
  visitor("step", status.step);
  visitor("epochs", status.epochs);
  visitor("steps", status.all_steps);
  visitor("data", status.data);
  visitor("layer", status.layer);
  visitor("message", status.message);
  visitor("updated", status.updated);
}

}  // namespace

void write_status(const std::filesystem::path& folder, const RunStatus& status) {
  nlohmann::ordered_json json;
  visit(status, [&](const char* key, const auto& value) { json[key] = value; });
  write_file_atomically(folder / "status.json", json_text(json));
}

std::optional<RunStatus> read_status(const std::filesystem::path& folder) {
  const auto file = folder / "status.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  const auto damaged = [&](const std::string& what) {
    return damaged_file_error(file.string(), what, "remove it: the run's other files stay valid");
  };
  try {
    const auto json = nlohmann::json::parse(read_text_file(file));
    RunStatus status;
    visit(status, [&](const std::string& key, auto& value) {
      if (key != "data" || json.contains(key)) json.at(key).get_to(value);
    });
    if (std::ranges::find(states, status.state) == states.end())
      throw damaged(fmt::format("unknown status \"{}\"", status.state));
    return status;
  } catch (const nlohmann::json::exception& error) {
    throw damaged(error.what());
  }
}

std::string layer_in(const std::string& message) {
  const std::size_t begin = message.find("layer ");
  if (begin == std::string::npos) return "";
  const std::size_t end = message.find(')', begin);
  return end == std::string::npos ? "" : message.substr(begin, end + 1 - begin);
}

}  // namespace mnist_dist
