#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace mnist_dist {

/// The text of a JSON file, and of --json. Invalid UTF-8, as in a path or a command, is replaced.
/// A library that includes this header links nlohmann_json. The library base does not.
inline std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace mnist_dist
