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

}  // namespace

void write_status(const std::filesystem::path& folder, const RunStatus& status) {
  const nlohmann::ordered_json json{
      {"status", status.state},  {"epoch", status.epoch},     {"step", status.step},
      {"epochs", status.epochs}, {"steps", status.all_steps}, {"data", status.data},
      {"layer", status.layer},   {"message", status.message}, {"updated", status.updated}};
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
    json.at("status").get_to(status.state);
    if (std::ranges::find(states, status.state) == states.end())
      throw damaged(fmt::format("unknown status \"{}\"", status.state));
    json.at("epoch").get_to(status.epoch);
    json.at("step").get_to(status.step);
    json.at("epochs").get_to(status.epochs);
    json.at("steps").get_to(status.all_steps);
    status.data = json.value("data", "");
    json.at("layer").get_to(status.layer);
    json.at("message").get_to(status.message);
    json.at("updated").get_to(status.updated);
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
